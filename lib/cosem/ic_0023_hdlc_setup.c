/* Class 23, IEC HDLC setup. Version 0 has lengths of one octet; that they end at 128 there is
 * provisional. What is written counts from the next connection on. Blue Book 4.7.2 */
#include "lib/cosem/ic.h"

#define ATTRIBUTES(length, length_max)                                                             \
    IC_LOGICAL_NAME, IC_BAUD("comm_speed"),                                                        \
        IC_STATIC_IN("window_size_transmit", IC_LIMITS({0, 1, 7}), AXDR_U8),                       \
        IC_STATIC_IN("window_size_receive", IC_LIMITS({0, 1, 7}), AXDR_U8),                        \
        IC_STATIC_IN("max_info_field_length_transmit", IC_LIMITS({0, 32, length_max}), length),    \
        IC_STATIC_IN("max_info_field_length_receive", IC_LIMITS({0, 32, length_max}), length),     \
        IC_STATIC("inter_octet_time_out", AXDR_U16), /* ms */                                      \
        IC_STATIC("inactivity_time_out", AXDR_U16),  /* s; 0: none */                              \
        IC_STATIC("device_address", AXDR_U16)

static const struct cosem_attr attrs_v0[] = {ATTRIBUTES(AXDR_U8, 128)};
static const struct cosem_attr attrs[] = {ATTRIBUTES(AXDR_U16, 2030)};

const struct cosem_class cosem_ic_0023_v0 =
    IC_OF(23, 0, "IEC HDLC setup", attrs_v0, IC_COUNT(attrs_v0));
const struct cosem_class cosem_ic_0023_v1 = IC_OF(23, 1, "IEC HDLC setup", attrs, IC_COUNT(attrs));
