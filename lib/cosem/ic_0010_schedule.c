/* Class 10, Schedule: scripts by date, weekday and special day. exec_weekdays has a bit a day from
 * Monday, exec_specdays one a day_id from 1. Blue Book 4.5.3 */
#include "lib/cosem/ic.h"

/* index, enable, script, selector, switch_time, validity_window in minutes (FFFF: no limit),
 * weekdays, special days, begin, end */
#define ENTRY                                                                                      \
    AXDR_STRUCT, 10, AXDR_U16, AXDR_BOOL, AXDR_OS6, AXDR_U16, AXDR_OS4, AXDR_U16, AXDR_BITS,       \
        AXDR_BITS, AXDR_OS5, AXDR_OS5

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("entries", IC_LIMITS({3, 1, 9999}, {9, 7, 7}), AXDR_ARRAY, ENTRY),
};
static const struct cosem_method methods[] = {
    /* first and last to disable, first and last to enable */
    IC_METHOD("enable_disable", AXDR_STRUCT, 4, AXDR_U16, AXDR_U16, AXDR_U16, AXDR_U16),
    IC_METHOD_IN("insert", IC_LIMITS({2, 1, 9999}, {8, 7, 7}), ENTRY),
    IC_METHOD("delete", AXDR_STRUCT, 2, AXDR_U16, AXDR_U16),
};

const struct cosem_class cosem_ic_0010 =
    IC_WITH_METHODS(10, 0, "Schedule", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
