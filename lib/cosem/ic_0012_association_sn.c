/* Class 12, Association SN, versions 0 to 4: how a meter with short names describes itself. For
 * clients and tools; this library serves logical names only. The whole table is provisional: no
 * public source states it. Blue Book 4.4.3 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    /* base_name, class_id, version, logical_name */
    IC_STATIC("object_list", AXDR_ARRAY, AXDR_STRUCT, 4, AXDR_I16, AXDR_U16, AXDR_U8, AXDR_OS6),
    /* base_name, attributes: id, mode, selectors; methods: id, mode */
    IC_STATIC("access_rights_list", AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_I16, AXDR_ARRAY, AXDR_STRUCT,
              3, AXDR_I8, AXDR_ENUM, AXDR_ANY, AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_I8, AXDR_ENUM),
    IC_STATIC("security_setup_reference", AXDR_OS6),
    IC_STATIC("user_list", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
    IC_DYNAMIC("current_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reserved_1"),
    IC_TRIGGER("reserved_2"),
    IC_METHOD("read_by_logicalname", AXDR_ARRAY, IC_ATTRIBUTE),
    IC_TRIGGER("reserved_4"),
    IC_METHOD("change_LLS_secret", AXDR_OCTETS),
    IC_METHOD("change_HLS_secret", AXDR_OCTETS),
    IC_TRIGGER("reserved_7"),
    IC_METHOD("reply_to_HLS_authentication", AXDR_OCTETS),
    IC_METHOD("add_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
    IC_METHOD("remove_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
};

#define EDITION(v, n, m) IC_WITH_METHODS(12, v, "Association SN", attrs, n, methods, m)
const struct cosem_class cosem_ic_0012_v0 = EDITION(0, 2, 8);
const struct cosem_class cosem_ic_0012_v1 = EDITION(1, 3, 8);
const struct cosem_class cosem_ic_0012_v2 = EDITION(2, 4, 8);
const struct cosem_class cosem_ic_0012_v3 = EDITION(3, 6, 10);
const struct cosem_class cosem_ic_0012_v4 = EDITION(4, 6, 10);
