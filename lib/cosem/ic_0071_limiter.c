/* Class 71, Limiter: thresholds have the type and the scaler of the monitored value. In
 * monitored_value class and attribute are long-unsigned and integer; clients in use write long and
 * unsigned, so any integer is taken. Blue Book 4.5.9 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("monitored_value", IC_LIMITS({2, 0, 65535}, {4, -128, 127}), AXDR_STRUCT, 3,
                 AXDR_INTEGER, AXDR_OS6, AXDR_INTEGER),
    IC_DYNAMIC("threshold_active", AXDR_SIMPLE),
    IC_STATIC("threshold_normal", AXDR_SIMPLE),
    IC_STATIC("threshold_emergency", AXDR_SIMPLE),
    IC_STATIC("min_over_threshold_duration", AXDR_U32),  /* s */
    IC_STATIC("min_under_threshold_duration", AXDR_U32), /* s */
    /* id, activation time, duration in s */
    IC_STATIC("emergency_profile", AXDR_STRUCT, 3, AXDR_U16, AXDR_OS12, AXDR_U32),
    IC_STATIC("emergency_profile_group_id_list", AXDR_ARRAY, AXDR_U16),
    IC_DYNAMIC("emergency_profile_active", AXDR_BOOL),
    /* over, under; selector 0: nothing */
    IC_STATIC("actions", AXDR_STRUCT, 2, IC_SCRIPT, IC_SCRIPT),
};

const struct cosem_class cosem_ic_0071 = IC_OF(71, 0, "Limiter", attrs, IC_COUNT(attrs));
