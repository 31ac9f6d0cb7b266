/* Class 42, IPv4 setup. The answer of method 3, a long-unsigned, is provisional. Blue Book 4.9.2 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("DL_reference", AXDR_OS6),
    IC_STATIC("IP_address", AXDR_U32),
    IC_STATIC("multicast_IP_address", AXDR_ARRAY, AXDR_U32),
    IC_STATIC("IP_options", AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_U8, AXDR_U8, AXDR_OCTETS),
    IC_STATIC("subnet_mask", AXDR_U32),
    IC_STATIC("gateway_IP_address", AXDR_U32),
    IC_STATIC("use_DHCP_flag", AXDR_BOOL),
    IC_STATIC("primary_DNS_address", AXDR_U32),
    IC_STATIC("secondary_DNS_address", AXDR_U32),
};
static const struct cosem_method methods[] = {
    IC_METHOD("add_mc_IP_address", AXDR_U32),
    IC_METHOD("delete_mc_IP_address", AXDR_U32),
    IC_TRIGGER("get_nbof_mc_IP_addresses"),
};

const struct cosem_class cosem_ic_0042 =
    IC_WITH_METHODS(42, 0, "IPv4 setup", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
