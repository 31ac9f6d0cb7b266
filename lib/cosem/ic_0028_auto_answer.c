/* Class 28, Auto answer. Version 0 is provisional: the table without the list of callers. Blue Book
 * 4.7.5 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("mode", IC_LIMITS({0, 0, 3}), AXDR_ENUM),
    IC_STATIC("listening_window", IC_WINDOWS),
    IC_DYNAMIC_IN("status", IC_LIMITS({0, 0, 2}), AXDR_ENUM), /* inactive, active, locked */
    IC_STATIC("number_of_calls", AXDR_U8),
    IC_STATIC("number_of_rings", AXDR_STRUCT, 2, AXDR_U8, AXDR_U8), /* in the window, outside */
    IC_STATIC("list_of_allowed_callers", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_OCTETS, AXDR_ENUM),
};

const struct cosem_class cosem_ic_0028_v0 = IC_OF(28, 0, "Auto answer", attrs, 6);
const struct cosem_class cosem_ic_0028_v2 = IC_OF(28, 2, "Auto answer", attrs, IC_COUNT(attrs));
