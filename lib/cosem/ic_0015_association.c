/* Class 15, Association LN, version 1: access modes are enumerations, attribute 9 names the
 * security setup. Context and mechanism names come as octet-strings or as structures. Blue Book
 * 4.4.4 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "object_list",
     .type = AXDR_TYPE(AXDR_ARRAY, AXDR_STRUCT, 4, AXDR_U16, AXDR_U8, AXDR_OS6, AXDR_STRUCT, 2,
                       /* attributes: id, mode, selectors (null or array) */
                       AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_I8, AXDR_ENUM, AXDR_ANY,
                       /* methods: id, mode */
                       AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_I8, AXDR_ENUM),
     .is_static = true},
    {.name = "associated_partners_id", .type = AXDR_TYPE(AXDR_STRUCT, 2, AXDR_I8, AXDR_U16)},
    {.name = "application_context_name", .type = AXDR_TYPE(AXDR_ANY), .is_static = true},
    {.name = "xDLMS_context_info",
     .type =
         AXDR_TYPE(AXDR_STRUCT, 6, AXDR_BITS, AXDR_U16, AXDR_U16, AXDR_U8, AXDR_I8, AXDR_OCTETS)},
    {.name = "authentication_mechanism_name", .type = AXDR_TYPE(AXDR_ANY), .is_static = true},
    {.name = "secret", .type = AXDR_TYPE(AXDR_OCTETS), .is_static = true},
    {.name = "association_status", .type = AXDR_TYPE(AXDR_ENUM)},
    {.name = "security_setup_reference", .type = AXDR_TYPE(AXDR_OS6), .is_static = true},
};
#define OBJECT_LIST_ELEMENT                                                                        \
    AXDR_TYPE(AXDR_STRUCT, 4, AXDR_U16, AXDR_U8, AXDR_OS6, AXDR_STRUCT, 2, AXDR_ARRAY,             \
              AXDR_STRUCT, 3, AXDR_I8, AXDR_ENUM, AXDR_ANY, AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_I8,   \
              AXDR_ENUM)
static const struct cosem_method methods[] = {
    {.name = "reply_to_HLS_authentication", .param = AXDR_TYPE(AXDR_OCTETS)},
    {.name = "change_HLS_secret", .param = AXDR_TYPE(AXDR_OCTETS)},
    {.name = "add_object", .param = OBJECT_LIST_ELEMENT},
    {.name = "remove_object", .param = OBJECT_LIST_ELEMENT},
};

const struct cosem_class cosem_ic_0015 = {
    .id = 15,
    .version = 1,
    .name = "Association LN",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
