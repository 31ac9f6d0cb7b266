/* Class 3, Register: the value shown is value x 10^scaler, in unit. Blue Book 4.3.2 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "value", .type = AXDR_TYPE(AXDR_SIMPLE)},
    IC_SCALER_UNIT,
};
static const struct cosem_method methods[] = {
    {.name = "reset"},
};

const struct cosem_class cosem_ic_0003 = {
    .id = 3,
    .version = 0,
    .name = "Register",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
