/* Class 3, Register: the value shown is value x 10^scaler, in unit. Blue Book 4.3.2 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("value", AXDR_SIMPLE),
    IC_SCALER_UNIT,
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
};

const struct cosem_class cosem_ic_0003 =
    IC_WITH_METHODS(3, 0, "Register", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
