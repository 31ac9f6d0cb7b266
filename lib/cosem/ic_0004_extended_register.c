/* Class 4, Extended register: a register with status and time of capture. Blue Book 4.3.3 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "value", .type = AXDR_TYPE(AXDR_SIMPLE)},
    IC_SCALER_UNIT,
    {.name = "status", .type = AXDR_TYPE(AXDR_SIMPLE)},
    {.name = "capture_time", .type = AXDR_TYPE(AXDR_OS12)},
};
static const struct cosem_method methods[] = {
    {.name = "reset"},
};

const struct cosem_class cosem_ic_0004 = {
    .id = 4,
    .version = 0,
    .name = "Extended register",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
