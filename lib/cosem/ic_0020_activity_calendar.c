/* Class 20, Activity calendar: seasons name weeks, weeks name days, days start scripts. The passive
 * calendar is written and becomes the active one as a whole. Blue Book 4.5.5 */
#include "lib/cosem/ic.h"

/* name, start, week_name */
#define SEASONS AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_OCTETS, AXDR_OS12, AXDR_OCTETS
#define NAMED   IC_LIMITS({3, 1, 255}, {5, 1, 255})
/* name, day_id from Monday to Sunday */
#define WEEKS                                                                                      \
    AXDR_ARRAY, AXDR_STRUCT, 8, AXDR_OCTETS, AXDR_U8, AXDR_U8, AXDR_U8, AXDR_U8, AXDR_U8, AXDR_U8, \
        AXDR_U8
/* day_id; start_time, script, selector */
#define DAYS                                                                                       \
    AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U8, AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_OS4, AXDR_OS6, AXDR_U16

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("calendar_name_active", AXDR_OCTETS),
    IC_STATIC_IN("season_profile_active", NAMED, SEASONS),
    IC_STATIC_IN("week_profile_table_active", IC_LIMITS({3, 1, 255}), WEEKS),
    IC_STATIC("day_profile_table_active", DAYS),
    IC_STATIC("calendar_name_passive", AXDR_OCTETS),
    IC_STATIC_IN("season_profile_passive", NAMED, SEASONS),
    IC_STATIC_IN("week_profile_table_passive", IC_LIMITS({3, 1, 255}), WEEKS),
    IC_STATIC("day_profile_table_passive", DAYS),
    IC_STATIC("activate_passive_calendar_time", AXDR_OS12), /* all not specified: never */
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("activate_passive_calendar"),
};

const struct cosem_class cosem_ic_0020 =
    IC_WITH_METHODS(20, 0, "Activity calendar", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
