/* Class 64, Security setup, version 0: suite 0. Blue Book 4.4.7 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "security_policy", .type = AXDR_TYPE(AXDR_ENUM), .is_static = true},
    {.name = "security_suite", .type = AXDR_TYPE(AXDR_ENUM), .is_static = true},
    {.name = "client_system_title", .type = AXDR_TYPE(AXDR_OCTETS)},
    {.name = "server_system_title", .type = AXDR_TYPE(AXDR_OCTETS), .is_static = true},
};
static const struct cosem_method methods[] = {
    {.name = "security_activate", .param = AXDR_TYPE(AXDR_ENUM)},
    {.name = "global_key_transfer",
     .param = AXDR_TYPE(AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_ENUM, AXDR_OCTETS)},
};

const struct cosem_class cosem_ic_0064 = {
    .id = 64,
    .version = 0,
    .name = "Security setup",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
