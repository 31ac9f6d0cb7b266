/* Class 8, Clock. Blue Book 4.5.1 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "time", .type = AXDR_TYPE(AXDR_OS12)},
    {.name = "time_zone", .type = AXDR_TYPE(AXDR_I16), .is_static = true},
    {.name = "status", .type = AXDR_TYPE(AXDR_U8)},
    {.name = "daylight_savings_begin", .type = AXDR_TYPE(AXDR_OS12), .is_static = true},
    {.name = "daylight_savings_end", .type = AXDR_TYPE(AXDR_OS12), .is_static = true},
    {.name = "daylight_savings_deviation", .type = AXDR_TYPE(AXDR_I8), .is_static = true},
    {.name = "daylight_savings_enabled", .type = AXDR_TYPE(AXDR_BOOL), .is_static = true},
    {.name = "clock_base", .type = AXDR_TYPE(AXDR_ENUM), .is_static = true},
};
static const struct cosem_method methods[] = {
    {.name = "adjust_to_quarter"},
    {.name = "adjust_to_measuring_period"},
    {.name = "adjust_to_minute"},
    {.name = "adjust_to_preset_time"},
    {.name = "preset_adjusting_time",
     .param = AXDR_TYPE(AXDR_STRUCT, 3, AXDR_OS12, AXDR_OS12, AXDR_OS12)},
    {.name = "shift_time", .param = AXDR_TYPE(AXDR_I16)},
};

const struct cosem_class cosem_ic_0008 = {
    .id = 8,
    .version = 0,
    .name = "Clock",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
