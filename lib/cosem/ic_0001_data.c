/* Class 1, Data: one value of any type, fixed by the profile of the meter. Blue Book 4.3.1 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("value", AXDR_ANY),
};

const struct cosem_class cosem_ic_0001 = IC_OF(1, 0, "Data", attrs, IC_COUNT(attrs));
