/* Class 64, Security setup, version 0: suite 0. Blue Book 4.4.7 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    /* 0 none, 1 authenticated, 2 encrypted, 3 both; what may be is the binding's decision */
    IC_STATIC("security_policy", AXDR_ENUM),
    IC_STATIC("security_suite", AXDR_ENUM),
    IC_DYNAMIC("client_system_title", AXDR_OCTETS),
    IC_STATIC("server_system_title", AXDR_OCTETS),
};
static const struct cosem_method methods[] = {
    IC_METHOD("security_activate", AXDR_ENUM),
    /* key_id 0 unicast, 1 broadcast, 2 authentication; the wrapped key */
    IC_METHOD("global_key_transfer", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_ENUM, AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0064 =
    IC_WITH_METHODS(64, 0, "Security setup", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
