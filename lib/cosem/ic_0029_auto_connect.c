/* Class 29, Auto connect; version 0 has no method. Modes: 0 none, 1 any time, 2 in the window, 3
 * regular in the window and alarms at any time, 4 and 5 SMS, 6 e-mail, 101 permanent, 102 permanent
 * in the window, 103 permanent or on request, 104 on request. Blue Book 4.7.6 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("mode", IC_LIMITS({0, 0, 6}, {0, 101, 104}), AXDR_ENUM),
    IC_STATIC("repetitions", AXDR_U8),
    IC_STATIC("repetition_delay", AXDR_U16), /* s */
    IC_STATIC("calling_window", IC_WINDOWS),
    IC_STATIC("destination_list", AXDR_ARRAY, AXDR_OCTETS),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("connect"),
};

#define EDITION(v, m) IC_WITH_METHODS(29, v, "Auto connect", attrs, IC_COUNT(attrs), methods, m)
const struct cosem_class cosem_ic_0029_v0 = IC_OF(29, 0, "Auto connect", attrs, IC_COUNT(attrs));
const struct cosem_class cosem_ic_0029_v1 = EDITION(1, 1);
const struct cosem_class cosem_ic_0029_v2 = EDITION(2, 1);
