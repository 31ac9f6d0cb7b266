/* Rules of the classes that say what runs when: 6 register activation, 9 script table, 10 schedule,
 * 11 special days, 21 register monitor, 22 single action schedule. When it is time is for the
 * meter. Blue Book 4.3.5, 4.5.2 to 4.5.7
 *
 * Provisional, for the standard is silent or not public: a mask in force cannot be deleted, script
 * 0 cannot be defined, a wildcard of the hundredths is taken for 0. */
#include "lib/cosem/values_parts.h"

#include <string.h>

static enum cosem_result verdict(bool ok)
{
    return ok ? COSEM_SUCCESS : COSEM_OTHER_REASON;
}

/* ---- 6 ---- */

/* Whether the indices of a mask, {name, indices}, point to registers. */
static bool mask_fits(struct bytes mask, size_t n_registers)
{
    struct rd r = key_of(mask);
    (void)axdr_get_octets(&r);
    for (size_t n = axdr_get_array(&r); n > 0 && !r.err; n--) {
        uint64_t index = axdr_get_uint(&r);
        if (index < 1 || index > n_registers)
            return false;
    }
    return !r.err;
}

static bool masks_fit(struct bytes masks, size_t n_registers)
{
    struct list l = list_of(masks);
    struct bytes mask;
    while (list_next(&l, &mask)) {
        if (!mask_fits(mask, n_registers))
            return false;
    }
    return true;
}

/* An empty name: all registers of the list stand still. */
static bool mask_known(struct bytes masks, struct bytes name)
{
    struct rd r = rd_of(name.p, name.len);
    return axdr_get_octets(&r).len == 0 || list_has(masks, name);
}

static enum cosem_result check_activation(const struct rule_call *k, uint8_t attr,
                                          struct bytes value)
{
    switch (attr) {
    case 2:
        return verdict(masks_fit(rule_value(k, 3), list_count(value)));
    case 3:
        return verdict(list_keys_differ(value) && masks_fit(value, list_count(rule_value(k, 2))) &&
                       mask_known(value, rule_value(k, 4)));
    default:
        return verdict(mask_known(rule_value(k, 3), value));
    }
}

/* A register that is in the list already is not taken twice. */
static enum cosem_result add_register(const struct rule_call *k, struct bytes object)
{
    struct list old = list_of(rule_value(k, 2));
    struct list_new l = list_begin(k->v);
    struct bytes e;
    while (list_next(&old, &e)) {
        struct rd a = key_of(e), b = key_of(object);
        uint64_t class_id = axdr_get_uint(&a);
        struct bytes x = axdr_get_octets(&a);
        if (class_id == axdr_get_uint(&b) && memcmp(x.p, axdr_get_octets(&b).p, x.len) == 0)
            return COSEM_SUCCESS;
        list_add(&l, e);
    }
    list_add(&l, object);
    return list_store(k, 2, &l);
}

static enum cosem_result invoke_activation(const struct rule_call *k, uint8_t method,
                                           struct rd *param, struct wr *reply)
{
    struct bytes p = param_octets(param);
    (void)reply;
    if (method == 1)
        return add_register(k, p);
    if (method == 2)
        return mask_fits(p, list_count(rule_value(k, 2))) ? list_put(k, 3, p) : COSEM_OTHER_REASON;
    if (key_equal(p, rule_value(k, 4)))
        return COSEM_OTHER_REASON;
    return list_remove(k, 3, list_match_key, &p);
}

const struct values_rule rule_register_activation = {
    .class_id = 6, .check = check_activation, .invoke = invoke_activation};

/* ---- 9 ---- */

static const uint8_t script_0[] = {AXDR_U16, 0, 0};

static enum cosem_result check_scripts(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k, (void)attr;
    return verdict(list_keys_differ(value) &&
                   !list_has(value, (struct bytes){script_0, sizeof script_0}));
}

static enum cosem_result execute(const struct rule_call *k, uint8_t method, struct rd *param,
                                 struct wr *reply)
{
    struct bytes p = param_octets(param);
    (void)method, (void)reply;
    if (key_equal(p, (struct bytes){script_0, sizeof script_0}))
        return COSEM_SUCCESS;
    return list_has(rule_value(k, 2), p) ? RULE_ACT : COSEM_OTHER_REASON;
}

const struct values_rule rule_script_table = {
    .class_id = 9, .check = check_scripts, .invoke = execute};

/* ---- 10, 11: entries with an index ---- */

static enum cosem_result check_entries(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k, (void)attr;
    return verdict(list_keys_differ(value));
}

struct index_range {
    uint64_t first, last;
};

static struct index_range range_get(struct rd *r)
{
    struct index_range range;
    range.first = axdr_get_uint(r);
    range.last = axdr_get_uint(r);
    return range;
}

static bool in_range(const void *context, struct bytes entry)
{
    const struct index_range *range = context;
    struct rd r = key_of(entry);
    uint64_t index = axdr_get_uint(&r);
    return index >= range->first && index <= range->last;
}

/* The entry with another `enable`, its second member. */
static void add_switched(struct list_new *l, struct bytes entry, bool enable)
{
    struct rd r = key_of(entry);
    (void)axdr_get_uint(&r);
    size_t at = r.pos;
    (void)axdr_get_bool(&r);
    wr_bytes(&l->w, entry.p, at);
    axdr_put_bool(&l->w, enable);
    list_add(l, (struct bytes){entry.p + r.pos, entry.len - r.pos});
}

/* Range A is disabled, then range B enabled. */
static enum cosem_result enable_disable(const struct rule_call *k, struct bytes param)
{
    struct rd r = key_of(param);
    struct index_range off = range_get(&r), on = range_get(&r);
    struct list old = list_of(rule_value(k, 2));
    struct list_new l = list_begin(k->v);
    struct bytes e;
    while (list_next(&old, &e)) {
        if (in_range(&on, e))
            add_switched(&l, e, true);
        else if (in_range(&off, e))
            add_switched(&l, e, false);
        else
            list_add(&l, e);
    }
    return list_store(k, 2, &l);
}

static enum cosem_result invoke_schedule(const struct rule_call *k, uint8_t method,
                                         struct rd *param, struct wr *reply)
{
    struct bytes p = param_octets(param);
    (void)reply;
    if (method == 1)
        return enable_disable(k, p);
    if (method == 2)
        return list_put(k, 2, p);
    struct rd r = key_of(p);
    struct index_range range = range_get(&r);
    return list_remove(k, 2, in_range, &range);
}

static enum cosem_result invoke_special_days(const struct rule_call *k, uint8_t method,
                                             struct rd *param, struct wr *reply)
{
    struct bytes p = param_octets(param);
    (void)reply;
    return method == 1 ? list_put(k, 2, p) : list_remove(k, 2, list_match_key, &p);
}

const struct values_rule rule_schedule = {
    .class_id = 10, .check = check_entries, .invoke = invoke_schedule};
const struct values_rule rule_special_days = {
    .class_id = 11, .check = check_entries, .invoke = invoke_special_days};

/* ---- 21 ---- */

/* Thresholds are of one type; actions have as many elements as thresholds when they are written.
 * New thresholds come first: a monitor whose lists differ in length stands still. */
static enum cosem_result check_monitor(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    struct list l = list_of(value);
    struct bytes e, first = {NULL, 0};
    if (attr == 4)
        return verdict(l.n == list_count(rule_value(k, 2)));
    if (attr != 2)
        return COSEM_SUCCESS;
    while (list_next(&l, &e)) {
        if (first.len == 0)
            first = e;
        if (e.p[0] != first.p[0])
            return COSEM_TYPE_UNMATCHED;
    }
    return COSEM_SUCCESS;
}

const struct values_rule rule_register_monitor = {.class_id = 21, .check = check_monitor};

/* ---- 22 ---- */

/* What each type demands of the list of times. */
static const struct {
    bool one, equal, no_wildcards;
} time_types[] = {
    [1] = {.one = true},   [2] = {.equal = true, .no_wildcards = true},
    [3] = {.equal = true}, [4] = {.no_wildcards = true},
    [5] = {.one = false},
};

static bool date_is_whole(struct bytes date)
{
    const uint8_t *d = date.p;
    return date.len == 5 && !(d[0] == 0xFF && d[1] == 0xFF) && d[2] <= 12 && d[3] <= 31;
}

static bool times_fit(uint64_t type, struct bytes times)
{
    struct list l = list_of(times);
    struct bytes e, first = {NULL, 0};
    if (type >= sizeof time_types / sizeof time_types[0] || (time_types[type].one && l.n > 1))
        return false;
    while (list_next(&l, &e)) {
        struct rd r = key_of(e);
        struct bytes time = axdr_get_octets(&r), date = axdr_get_octets(&r);
        if (r.err || time.len != 4 || (time.p[3] != 0 && time.p[3] != 0xFF))
            return false;
        if (first.len == 0)
            first = time;
        if (time_types[type].equal && memcmp(time.p, first.p, 3) != 0)
            return false;
        if (time_types[type].no_wildcards && !date_is_whole(date))
            return false;
    }
    return true;
}

static uint64_t type_of(struct bytes value)
{
    struct rd r = rd_of(value.p, value.len);
    return axdr_get_uint(&r);
}

/* Clients write the type before the times: times that no longer fit are taken away with it, and the
 * schedule stands still until the new ones come. */
static enum cosem_result change_type(const struct rule_call *k, struct bytes type)
{
    static const uint8_t empty[] = {AXDR_ARRAY, 0};
    int type_slot = rule_slot(k, 3), times = rule_slot(k, 4);
    struct values_change changes[] = {{(uint16_t)type_slot, type},
                                      {(uint16_t)times, {empty, sizeof empty}}};
    if (type_slot < 0 || times < 0)
        return COSEM_READ_WRITE_DENIED;
    enum cosem_result result = values_change(k->v, changes, 2);
    return result ? result : RULE_STORED;
}

static enum cosem_result check_single_action(const struct rule_call *k, uint8_t attr,
                                             struct bytes value)
{
    if (attr == 3 && !times_fit(type_of(value), rule_value(k, 4)))
        return change_type(k, value);
    if (attr == 4)
        return verdict(times_fit(type_of(rule_value(k, 3)), value));
    return COSEM_SUCCESS;
}

const struct values_rule rule_single_action = {.class_id = 22, .check = check_single_action};
