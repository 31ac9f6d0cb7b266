/* Class 20: the passive calendar may be written in any order, table by table; what the tables say
 * about each other is looked through when it becomes the active one, as a whole. Blue Book 4.5.5 */
#include "lib/cosem/values_parts.h"

#include <string.h>

enum {
    NAME_ACTIVE = 2,
    NAME_PASSIVE = 6,
    SEASONS = 1, /* behind the name */
    WEEKS = 2,
    DAYS = 3,
    N_TABLES = 4
};

static const uint8_t *last_octets(struct bytes date)
{
    static const uint8_t first_date[4] = {0, 0, 0, 0};
    return date.len >= sizeof first_date ? date.p : first_date;
}

/* Names differ and starts do not go back. */
static bool seasons_in_order(struct bytes seasons)
{
    struct list l = list_of(seasons);
    struct bytes e, before = {NULL, 0};
    while (list_next(&l, &e)) {
        struct rd r = key_of(e);
        (void)axdr_get_octets(&r);
        struct bytes start = axdr_get_octets(&r);
        if (memcmp(last_octets(start), last_octets(before), 4) < 0)
            return false;
        before = start;
    }
    return list_keys_differ(seasons);
}

/* The switches of a day, {day_id, actions}, do not go back. */
static bool day_in_order(struct bytes day)
{
    struct rd r = key_of(day);
    struct bytes before = {NULL, 0};
    (void)axdr_get_uint(&r);
    for (size_t n = axdr_get_array(&r); n > 0 && !r.err; n--) {
        axdr_get_struct(&r, 3);
        struct bytes time = axdr_get_octets(&r);
        axdr_skip(&r); /* script */
        axdr_skip(&r); /* selector */
        if (memcmp(last_octets(time), last_octets(before), 4) < 0)
            return false;
        before = time;
    }
    return !r.err;
}

static bool days_in_order(struct bytes days)
{
    struct list l = list_of(days);
    struct bytes day;
    while (list_next(&l, &day)) {
        if (!day_in_order(day))
            return false;
    }
    return list_keys_differ(days);
}

/* Every season names a week that is there. */
static bool seasons_have_weeks(struct bytes seasons, struct bytes weeks)
{
    struct list l = list_of(seasons);
    struct bytes e;
    while (list_next(&l, &e)) {
        struct rd r = key_of(e);
        (void)axdr_get_octets(&r);
        axdr_skip(&r);
        if (!list_has(weeks, param_octets(&r)))
            return false;
    }
    return true;
}

/* Every week names seven days that are there. */
static bool weeks_have_days(struct bytes weeks, struct bytes days)
{
    struct list l = list_of(weeks);
    struct bytes e;
    while (list_next(&l, &e)) {
        struct rd r = key_of(e);
        (void)axdr_get_octets(&r);
        for (unsigned d = 0; d < 7; d++) {
            if (!list_has(days, param_octets(&r)))
                return false;
            axdr_skip(&r);
        }
    }
    return true;
}

enum cosem_result values_activate_calendar(struct values *v, const uint8_t ln[6])
{
    struct values_change changes[N_TABLES];
    for (unsigned t = 0; t < N_TABLES; t++) {
        int from = values_find(v, 20, ln, (uint8_t)(NAME_PASSIVE + t));
        int to = values_find(v, 20, ln, (uint8_t)(NAME_ACTIVE + t));
        if (from < 0 || to < 0)
            return COSEM_OBJECT_UNAVAILABLE;
        changes[t] = (struct values_change){(uint16_t)to, values_get(v, from)};
    }
    struct bytes seasons = changes[SEASONS].value, weeks = changes[WEEKS].value,
                 days = changes[DAYS].value;
    if (!seasons_in_order(seasons) || !list_keys_differ(weeks) || !days_in_order(days) ||
        !seasons_have_weeks(seasons, weeks) || !weeks_have_days(weeks, days))
        return COSEM_OTHER_REASON;
    return values_change(v, changes, N_TABLES);
}
_Static_assert(N_TABLES <= VALUES_CHANGES_MAX, "the tables change together");

/* The active calendar is never written. */
static enum cosem_result check(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k;
    switch (attr) {
    case NAME_PASSIVE:
    case 10:
        return COSEM_SUCCESS;
    case NAME_PASSIVE + SEASONS:
        return seasons_in_order(value) ? COSEM_SUCCESS : COSEM_OTHER_REASON;
    case NAME_PASSIVE + WEEKS:
        return list_keys_differ(value) ? COSEM_SUCCESS : COSEM_OTHER_REASON;
    case NAME_PASSIVE + DAYS:
        return days_in_order(value) ? COSEM_SUCCESS : COSEM_OTHER_REASON;
    default:
        return COSEM_READ_WRITE_DENIED;
    }
}

static enum cosem_result invoke(const struct rule_call *k, uint8_t method, struct rd *param,
                                struct wr *reply)
{
    (void)method, (void)param, (void)reply;
    return values_activate_calendar(k->v, k->o->ln);
}

const struct values_rule rule_calendar = {.class_id = 20, .check = check, .invoke = invoke};
