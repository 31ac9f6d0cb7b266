/* Class 6, Register activation: which registers count, by the name of a mask. An index of a mask
 * begins at 1 and points into register_assignment. Blue Book 4.3.5 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("register_assignment", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U16, AXDR_OS6),
    IC_STATIC_IN("mask_list", IC_LIMITS({5, 1, 255}), AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_OCTETS,
                 AXDR_ARRAY, AXDR_U8),
    IC_DYNAMIC("active_mask", AXDR_OCTETS),
};
static const struct cosem_method methods[] = {
    IC_METHOD("add_register", AXDR_STRUCT, 2, AXDR_U16, AXDR_OS6),
    IC_METHOD_IN("add_mask", IC_LIMITS({4, 1, 255}), AXDR_STRUCT, 2, AXDR_OCTETS, AXDR_ARRAY,
                 AXDR_U8),
    IC_METHOD("delete_mask", AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0006 = IC_WITH_METHODS(
    6, 0, "Register activation", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
