/* Class 4, Extended register: a register with status and time of capture. Blue Book 4.3.3 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("value", AXDR_SIMPLE),
    IC_SCALER_UNIT,
    IC_DYNAMIC("status", AXDR_SIMPLE),
    IC_DYNAMIC("capture_time", AXDR_OS12),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
};

const struct cosem_class cosem_ic_0004 =
    IC_WITH_METHODS(4, 0, "Extended register", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
