/* Class 8, Clock. Blue Book 4.5.1 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("time", AXDR_OS12),
    IC_STATIC_IN("time_zone", IC_LIMITS({0, -720, 840}), AXDR_I16), /* minutes */
    IC_DYNAMIC("status", AXDR_U8),
    IC_STATIC("daylight_savings_begin", AXDR_OS12),
    IC_STATIC("daylight_savings_end", AXDR_OS12),
    IC_STATIC_IN("daylight_savings_deviation", IC_LIMITS({0, -120, 120}), AXDR_I8), /* minutes */
    IC_STATIC("daylight_savings_enabled", AXDR_BOOL),
    /* 0 not defined, 1 crystal, 2 mains 50 Hz, 3 mains 60 Hz, 4 GPS, 5 radio */
    IC_STATIC_IN("clock_base", IC_LIMITS({0, 0, 5}), AXDR_ENUM),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("adjust_to_quarter"), IC_TRIGGER("adjust_to_measuring_period"),
    IC_TRIGGER("adjust_to_minute"), IC_TRIGGER("adjust_to_preset_time"),
    /* preset_time, validity_start, validity_end */
    IC_METHOD("preset_adjusting_time", AXDR_STRUCT, 3, AXDR_OS12, AXDR_OS12, AXDR_OS12),
    IC_METHOD_IN("shift_time", IC_LIMITS({0, -900, 900}), AXDR_I16), /* s */
};

const struct cosem_class cosem_ic_0008 =
    IC_WITH_METHODS(8, 0, "Clock", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
