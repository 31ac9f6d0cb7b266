/* Class 5, Demand register: averages over periods; scaler_unit is attribute 4 here, not 3.
 * Blue Book 4.3.4 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("current_average_value", AXDR_SIMPLE),
    IC_DYNAMIC("last_average_value", AXDR_SIMPLE),
    IC_SCALER_UNIT,
    IC_DYNAMIC("status", AXDR_SIMPLE),
    IC_DYNAMIC("capture_time", AXDR_OS12),
    IC_DYNAMIC("start_time_current", AXDR_OS12),
    IC_STATIC("period", AXDR_U32), /* s */
    IC_STATIC_IN("number_of_periods", IC_LIMITS({0, 1, 65535}), AXDR_U16),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
    IC_TRIGGER("next_period"),
};

const struct cosem_class cosem_ic_0005 =
    IC_WITH_METHODS(5, 0, "Demand register", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
