/* Class 21, Register monitor: scripts at the crossing of thresholds. Blue Book 4.5.6 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("thresholds", AXDR_ARRAY, AXDR_SIMPLE), /* of the type of the monitored value */
    IC_STATIC("monitored_value", IC_ATTRIBUTE),
    /* action_up, action_down of each threshold */
    IC_STATIC("actions", AXDR_ARRAY, AXDR_STRUCT, 2, IC_SCRIPT, IC_SCRIPT),
};

const struct cosem_class cosem_ic_0021 = IC_OF(21, 0, "Register monitor", attrs, IC_COUNT(attrs));
