/* Class 48, IPv6 setup. Blue Book 4.9.3 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("DL_reference", AXDR_OS6),
    /* 0 automatic, 1 DHCPv6, 2 manual, 3 neighbour discovery */
    IC_STATIC_IN("address_config_mode", IC_LIMITS({0, 0, 3}), AXDR_ENUM),
    IC_STATIC("unicast_IPv6_addresses", AXDR_ARRAY, AXDR_OS16),
    IC_STATIC("multicast_IPv6_addresses", AXDR_ARRAY, AXDR_OS16),
    IC_STATIC("gateway_IPv6_addresses", AXDR_ARRAY, AXDR_OS16),
    IC_STATIC("primary_DNS_address", AXDR_OS16),
    IC_STATIC("secondary_DNS_address", AXDR_OS16),
    IC_STATIC("traffic_class", AXDR_U8),
    /* retries, wait in ms, period in s */
    IC_STATIC("neighbor_discovery_setup", AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_U8, AXDR_U16, AXDR_U32),
};
static const struct cosem_method methods[] = {
    /* 0 unicast, 1 multicast, 2 gateway */
    IC_METHOD_IN("add_IPv6_address", IC_LIMITS({2, 0, 2}), AXDR_STRUCT, 2, AXDR_ENUM, AXDR_OS16),
    IC_METHOD_IN("remove_IPv6_address", IC_LIMITS({2, 0, 2}), AXDR_STRUCT, 2, AXDR_ENUM, AXDR_OS16),
};

const struct cosem_class cosem_ic_0048 =
    IC_WITH_METHODS(48, 0, "IPv6 setup", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
