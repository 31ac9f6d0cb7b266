/* Class 5, Demand register: averages over periods; scaler_unit is attribute 4 here, not 3.
 * Blue Book 4.3.4 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "current_average_value", .type = AXDR_TYPE(AXDR_SIMPLE)},
    {.name = "last_average_value", .type = AXDR_TYPE(AXDR_SIMPLE)},
    IC_SCALER_UNIT,
    {.name = "status", .type = AXDR_TYPE(AXDR_SIMPLE)},
    {.name = "capture_time", .type = AXDR_TYPE(AXDR_OS12)},
    {.name = "start_time_current", .type = AXDR_TYPE(AXDR_OS12)},
    {.name = "period", .type = AXDR_TYPE(AXDR_U32), .is_static = true},
    {.name = "number_of_periods", .type = AXDR_TYPE(AXDR_U16), .is_static = true},
};
static const struct cosem_method methods[] = {
    {.name = "reset"},
    {.name = "next_period"},
};

const struct cosem_class cosem_ic_0005 = {
    .id = 5,
    .version = 0,
    .name = "Demand register",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
