/* Class 74, M-Bus master port setup. Blue Book 4.8.5 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_BAUD("comm_speed"),
};

const struct cosem_class cosem_ic_0074 =
    IC_OF(74, 0, "M-Bus master port setup", attrs, IC_COUNT(attrs));
