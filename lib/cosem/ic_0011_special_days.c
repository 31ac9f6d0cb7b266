/* Class 11, Special days table: dates that take another day_id than their weekday. Blue Book 4.5.4
 */
#include "lib/cosem/ic.h"

#define ENTRY AXDR_STRUCT, 3, AXDR_U16, AXDR_OS5, AXDR_U8

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("entries", AXDR_ARRAY, ENTRY),
};
static const struct cosem_method methods[] = {
    IC_METHOD("insert", ENTRY),
    IC_METHOD("delete", AXDR_U16),
};

const struct cosem_class cosem_ic_0011 = IC_WITH_METHODS(
    11, 0, "Special days table", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
