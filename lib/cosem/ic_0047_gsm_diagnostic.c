/* Class 47, GSM diagnostic, versions 0 to 2. Cell identifiers grow from 16 to 32 bits in version 1,
 * the list of packet services in versions 1 and 2. Signal quality 0..31, 99 not known. Blue Book
 * 4.7.8 */
#include "lib/cosem/ic.h"

/* cell, location, signal quality, bit error rate; country, network, channel */
#define CELL_V0 4, AXDR_U16, AXDR_U16, AXDR_U8, AXDR_U8
#define CELL    7, AXDR_U32, AXDR_U16, AXDR_U8, AXDR_U8, AXDR_U16, AXDR_U16, AXDR_U32
/* 255 is "not known" in each enumeration */
#define ATTRIBUTES(last_service, cell_id, ...)                                                     \
    IC_LOGICAL_NAME, IC_DYNAMIC("operator", AXDR_TEXT),                                            \
        IC_DYNAMIC_IN("status", IC_LIMITS({0, 0, 5}, {0, 255, 255}), AXDR_ENUM),                   \
        IC_DYNAMIC_IN("cs_attachment", IC_LIMITS({0, 0, 2}, {0, 255, 255}), AXDR_ENUM),            \
        IC_DYNAMIC_IN("ps_status", IC_LIMITS({0, 0, last_service}, {0, 255, 255}), AXDR_ENUM),     \
        IC_DYNAMIC("cell_info", AXDR_STRUCT, __VA_ARGS__),                                         \
        IC_DYNAMIC("adjacent_cells", AXDR_ARRAY, AXDR_STRUCT, 2, cell_id, AXDR_U8),                \
        IC_DYNAMIC("capture_time", AXDR_DATE_TIME)

static const struct cosem_attr attrs_v0[] = {ATTRIBUTES(4, AXDR_U16, CELL_V0)};
static const struct cosem_attr attrs_v1[] = {ATTRIBUTES(6, AXDR_U32, CELL)};
static const struct cosem_attr attrs_v2[] = {ATTRIBUTES(9, AXDR_U32, CELL)};

#define EDITION(v, a) IC_OF(47, v, "GSM diagnostic", a, IC_COUNT(a))
const struct cosem_class cosem_ic_0047_v0 = EDITION(0, attrs_v0);
const struct cosem_class cosem_ic_0047_v1 = EDITION(1, attrs_v1);
const struct cosem_class cosem_ic_0047_v2 = EDITION(2, attrs_v2);
