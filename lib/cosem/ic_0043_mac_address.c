/* Class 43, MAC address setup: 6 octets for Ethernet and PRIME, 8 for EUI-64. Blue Book 4.9.4 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("MAC_address", IC_LIMITS({0, 6, 6}, {0, 8, 8}), AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0043 = IC_OF(43, 0, "MAC address setup", attrs, IC_COUNT(attrs));
