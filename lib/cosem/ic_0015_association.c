/* Class 15, Association LN, versions 0 to 3. Version 0 says of a method only whether it may be
 * invoked; from version 1 modes are enumerations and attribute 9 names the security setup; version
 * 2 adds users; in version 3 a mode is a field of bits with the same type. Context and mechanism
 * names come as octet-strings or as structures. Blue Book 4.4.4 */
#include "lib/cosem/ic.h"

/* class, version, name; attributes: id, mode, selectors (null or array); methods: id, mode */
#define ELEMENT(method_mode)                                                                       \
    AXDR_STRUCT, 4, AXDR_U16, AXDR_U8, AXDR_OS6, AXDR_STRUCT, 2, AXDR_ARRAY, AXDR_STRUCT, 3,       \
        AXDR_I8, AXDR_ENUM, AXDR_ANY, AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_I8, method_mode
#define ATTRIBUTES(method_mode)                                                                    \
    IC_LOGICAL_NAME, IC_STATIC("object_list", AXDR_ARRAY, ELEMENT(method_mode)),                   \
        IC_DYNAMIC("associated_partners_id", AXDR_STRUCT, 2, AXDR_I8, AXDR_U16),                   \
        IC_STATIC("application_context_name", AXDR_ANY),                                           \
        IC_DYNAMIC("xDLMS_context_info", AXDR_STRUCT, 6, AXDR_BITS, AXDR_U16, AXDR_U16, AXDR_U8,   \
                   AXDR_I8, AXDR_OCTETS),                                                          \
        IC_STATIC("authentication_mechanism_name", AXDR_ANY), IC_STATIC("secret", AXDR_OCTETS),    \
        IC_DYNAMIC_IN("association_status", IC_LIMITS({0, 0, 2}), AXDR_ENUM)
#define METHODS(method_mode)                                                                       \
    IC_METHOD("reply_to_HLS_authentication", AXDR_OCTETS),                                         \
        IC_METHOD("change_HLS_secret", AXDR_OCTETS),                                               \
        IC_METHOD("add_object", ELEMENT(method_mode)),                                             \
        IC_METHOD("remove_object", ELEMENT(method_mode))

static const struct cosem_attr attrs_v0[] = {ATTRIBUTES(AXDR_BOOL)};
/* Tables of their own: a program that has version 1 alone does not link what came later. */
static const struct cosem_attr attrs_v1[] = {
    ATTRIBUTES(AXDR_ENUM),
    IC_STATIC("security_setup_reference", AXDR_OS6),
};
static const struct cosem_attr attrs[] = {
    ATTRIBUTES(AXDR_ENUM),
    IC_STATIC("security_setup_reference", AXDR_OS6),
    IC_STATIC("user_list", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
    IC_DYNAMIC("current_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
};
static const struct cosem_method methods_v0[] = {METHODS(AXDR_BOOL)};
static const struct cosem_method methods_v1[] = {METHODS(AXDR_ENUM)};
static const struct cosem_method methods[] = {
    METHODS(AXDR_ENUM),
    IC_METHOD("add_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
    IC_METHOD("remove_user", AXDR_STRUCT, 2, AXDR_U8, AXDR_TEXT),
};

#define EDITION(v, a, n, b, m) IC_WITH_METHODS(15, v, "Association LN", a, n, b, m)
const struct cosem_class cosem_ic_0015_v0 =
    EDITION(0, attrs_v0, IC_COUNT(attrs_v0), methods_v0, IC_COUNT(methods_v0));
const struct cosem_class cosem_ic_0015 =
    EDITION(1, attrs_v1, IC_COUNT(attrs_v1), methods_v1, IC_COUNT(methods_v1));
const struct cosem_class cosem_ic_0015_v2 =
    EDITION(2, attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
const struct cosem_class cosem_ic_0015_v3 =
    EDITION(3, attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
