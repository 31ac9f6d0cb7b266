/* Class 17, SAP assignment: the logical devices of the physical device. Blue Book 4.4.5 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "SAP_assignment_list",
     .type = AXDR_TYPE(AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U16, AXDR_OCTETS),
     .is_static = true},
};
static const struct cosem_method methods[] = {
    {.name = "connect_logical_device", .param = AXDR_TYPE(AXDR_STRUCT, 2, AXDR_U16, AXDR_OCTETS)},
};

const struct cosem_class cosem_ic_0017 = {
    .id = 17,
    .version = 0,
    .name = "SAP assignment",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
