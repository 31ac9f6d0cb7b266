/* Class 7, Profile generic: rows of captured values. The buffer may also come as a compact array,
 * and an entry need not be a structure of known members: its type is left open. Blue Book 4.3.6 */
#include "lib/cosem/ic.h"
#include "lib/cosem/profile_select.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {.name = "buffer",
     .type = AXDR_TYPE(AXDR_ANY),
     .selectors = 1u << (PROFILE_BY_RANGE - 1) | 1u << (PROFILE_BY_ENTRY - 1)},
    {.name = "capture_objects",
     .type = AXDR_TYPE(AXDR_ARRAY, IC_CAPTURE_OBJECT),
     .is_static = true},
    {.name = "capture_period", .type = AXDR_TYPE(AXDR_U32), .is_static = true},
    {.name = "sort_method", .type = AXDR_TYPE(AXDR_ENUM), .is_static = true},
    {.name = "sort_object", .type = AXDR_TYPE(IC_CAPTURE_OBJECT), .is_static = true},
    {.name = "entries_in_use", .type = AXDR_TYPE(AXDR_U32)},
    {.name = "profile_entries", .type = AXDR_TYPE(AXDR_U32), .is_static = true},
};
static const struct cosem_method methods[] = {
    {.name = "reset"},
    {.name = "capture"},
};

const struct cosem_class cosem_ic_0007 = {
    .id = 7,
    .version = 1,
    .name = "Profile generic",
    .attrs = attrs,
    .n_attrs = IC_COUNT(attrs),
    .methods = methods,
    .n_methods = IC_COUNT(methods),
};
