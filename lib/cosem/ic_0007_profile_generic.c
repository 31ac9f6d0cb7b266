/* Class 7, Profile generic: rows of captured values. The buffer may also come as a compact array,
 * and an entry need not be a structure of known members: its type is left open. Blue Book 4.3.6 */
#include "lib/cosem/ic.h"
#include "lib/cosem/profile_select.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    {IC_NAME("buffer") AXDR_CODE(AXDR_ANY),
     .selectors = 1u << (PROFILE_BY_RANGE - 1) | 1u << (PROFILE_BY_ENTRY - 1)},
    IC_STATIC("capture_objects", AXDR_ARRAY, IC_CAPTURE_OBJECT),
    IC_STATIC("capture_period", AXDR_U32), /* s; 0: captured from outside only */
    /* 1 FIFO, 2 LIFO, 3 largest, 4 smallest, 5 nearest to zero, 6 farthest from zero */
    IC_STATIC_IN("sort_method", IC_LIMITS({0, 1, 6}), AXDR_ENUM),
    IC_STATIC("sort_object", IC_CAPTURE_OBJECT),
    IC_DYNAMIC("entries_in_use", AXDR_U32),
    IC_STATIC("profile_entries", AXDR_U32),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
    IC_TRIGGER("capture"),
};

const struct cosem_class cosem_ic_0007 =
    IC_WITH_METHODS(7, 1, "Profile generic", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
