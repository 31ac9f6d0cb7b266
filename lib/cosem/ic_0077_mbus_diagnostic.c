/* Class 77, M-Bus diagnostic. Blue Book 4.8.7 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("received_signal_strength", AXDR_U8),
    IC_DYNAMIC("channel_id", AXDR_U8),
    /* 0 none, 1 normal, 2 interrupted for now, 3 interrupted for good */
    IC_DYNAMIC_IN("link_status", IC_LIMITS({0, 0, 3}), AXDR_ENUM),
    IC_DYNAMIC("broadcast_frames_counter", AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_U8, AXDR_U32,
               AXDR_DATE_TIME),
    IC_DYNAMIC("transmissions_counter", AXDR_U32),
    IC_DYNAMIC("FCS_OK_frames_counter", AXDR_U32),
    IC_DYNAMIC("FCS_NOK_frames_counter", AXDR_U32),
    IC_DYNAMIC("capture_time", AXDR_STRUCT, 2, AXDR_U8, AXDR_DATE_TIME),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
};

const struct cosem_class cosem_ic_0077 =
    IC_WITH_METHODS(77, 0, "M-Bus diagnostic", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
