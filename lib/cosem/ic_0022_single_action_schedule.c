/* Class 22, Single action schedule: one script at given times. In an element the time comes first,
 * then the date. Blue Book 4.5.7 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("executed_script", IC_SCRIPT),
    /* 1 one time; 2, 3 all times equal; 4, 5 any; 1, 3 and 5 with wildcards in the date */
    IC_STATIC_IN("type", IC_LIMITS({0, 1, 5}), AXDR_ENUM),
    IC_STATIC("execution_time", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_OS4, AXDR_OS5),
};

const struct cosem_class cosem_ic_0022 =
    IC_OF(22, 0, "Single action schedule", attrs, IC_COUNT(attrs));
