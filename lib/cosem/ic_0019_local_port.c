/* Class 19, IEC local port setup, version 1: the optical port with IEC 62056-21. Blue Book 4.7.1 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    /* 0 IEC 62056-21, 1 HDLC, 2 not specified: prop_baud is the speed */
    IC_STATIC_IN("default_mode", IC_LIMITS({0, 0, 2}), AXDR_ENUM),
    IC_BAUD("default_baud"),
    IC_BAUD("prop_baud"),
    IC_STATIC_IN("response_time", IC_LIMITS({0, 0, 1}), AXDR_ENUM), /* 20 ms, 200 ms */
    IC_STATIC("device_addr", AXDR_OCTETS),
    IC_STATIC("pass_p1", AXDR_OCTETS),
    IC_STATIC("pass_p2", AXDR_OCTETS),
    IC_STATIC("pass_w5", AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0019 =
    IC_OF(19, 1, "IEC local port setup", attrs, IC_COUNT(attrs));
