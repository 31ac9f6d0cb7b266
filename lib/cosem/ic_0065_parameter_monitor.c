/* Class 65, Parameter monitor: which of the listed parameters was changed last, and to what. Blue
 * Book 4.5.10 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("changed_parameter", AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_ANY),
    IC_DYNAMIC("capture_time", AXDR_OS12),
    IC_STATIC("parameter_list", AXDR_ARRAY, IC_ATTRIBUTE),
    IC_STATIC("parameter_list_name", AXDR_OCTETS),
    IC_STATIC("hash_algorithm_id", AXDR_ENUM),
    IC_DYNAMIC("parameter_value_digest", AXDR_OCTETS),
    IC_DYNAMIC("parameter_values", AXDR_ANY), /* structure, members in the order of the list */
};
static const struct cosem_method methods[] = {
    IC_METHOD("add_parameter", IC_ATTRIBUTE),
    IC_METHOD("delete_parameter", IC_ATTRIBUTE),
};

#define EDITION(v, n)                                                                              \
    IC_WITH_METHODS(65, v, "Parameter monitor", attrs, n, methods, IC_COUNT(methods))
const struct cosem_class cosem_ic_0065_v0 = EDITION(0, 4);
const struct cosem_class cosem_ic_0065_v1 = EDITION(1, 8);
