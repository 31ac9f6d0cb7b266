/* Class 70, Disconnect control; version 1 has one mode more. Blue Book 4.5.8 */
#include "lib/cosem/ic.h"

/* output_state: true is closed. control_state: 0 disconnected, 1 connected, 2 ready for
 * reconnection */
#define ATTRIBUTES(last_mode)                                                                      \
    IC_LOGICAL_NAME, IC_DYNAMIC("output_state", AXDR_BOOL),                                        \
        IC_DYNAMIC_IN("control_state", IC_LIMITS({0, 0, 2}), AXDR_ENUM),                           \
        IC_STATIC_IN("control_mode", IC_LIMITS({0, 0, last_mode}), AXDR_ENUM)

static const struct cosem_attr attrs_v0[] = {ATTRIBUTES(6)};
static const struct cosem_attr attrs_v1[] = {ATTRIBUTES(7)};
static const struct cosem_method methods[] = {
    IC_TRIGGER("remote_disconnect"),
    IC_TRIGGER("remote_reconnect"),
};

#define EDITION(v, a)                                                                              \
    IC_WITH_METHODS(70, v, "Disconnect control", a, IC_COUNT(a), methods, IC_COUNT(methods))
const struct cosem_class cosem_ic_0070_v0 = EDITION(0, attrs_v0);
const struct cosem_class cosem_ic_0070_v1 = EDITION(1, attrs_v1);
