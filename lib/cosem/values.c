/* The store of attribute values, and the binding over it.
 *
 * A slot in the arena is two octets of length and room for the longest value; behind the slots is
 * the scratch where methods build a new value. A change is checked for length, made durable, and
 * then copied: nothing can fail any more at that point, so it is done as a whole or not at all. */
#include "lib/cosem/values.h"

#include "lib/cosem/values_parts.h"

#include <string.h>

#define SLOT_HEAD 2

static const struct values_rule *const rules[] = {
    &rule_register_activation, &rule_script_table,   &rule_schedule,
    &rule_special_days,        &rule_calendar,       &rule_register_monitor,
    &rule_single_action,       &rule_ipv4,           &rule_ipv6,
    &rule_compact_data,        &rule_status_mapping, &rule_parameter_monitor,
    &rule_arbitrator,          &rule_disconnect,     &rule_limiter,
};

static const struct values_rule *rule_of(uint16_t class_id)
{
    static const struct values_rule none = {0};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i]->class_id == class_id)
            return rules[i];
    }
    return &none;
}

/* ---- arena ---- */

/* Octets of the first n slots. */
static size_t offset_of(const struct values_slot *slots, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += SLOT_HEAD + slots[i].max;
    return at;
}

size_t values_need(const struct values_slot *slots, size_t n_slots)
{
    size_t longest = 0;
    for (size_t i = 0; i < n_slots; i++)
        longest = slots[i].max > longest ? slots[i].max : longest;
    return offset_of(slots, n_slots) + longest + LIST_HEAD_MAX;
}

struct wr values_scratch(struct values *v)
{
    size_t at = offset_of(v->slots, v->n_slots);
    return wr_of(v->arena + at, values_need(v->slots, v->n_slots) - at);
}

int values_find(const struct values *v, uint16_t class_id, const uint8_t ln[6], uint8_t attr)
{
    for (size_t i = 0; i < v->n_slots; i++) {
        const struct values_slot *s = &v->slots[i];
        if (s->class_id == class_id && s->attr == attr && memcmp(s->ln, ln, sizeof s->ln) == 0)
            return (int)i;
    }
    return -1;
}

struct bytes values_get(const struct values *v, int slot)
{
    if (slot < 0 || (size_t)slot >= v->n_slots)
        return (struct bytes){NULL, 0};
    const uint8_t *p = v->arena + offset_of(v->slots, (size_t)slot);
    return (struct bytes){p + SLOT_HEAD, (size_t)(p[0] << 8 | p[1])};
}

static void put(struct values *v, size_t slot, struct bytes value)
{
    uint8_t *p = v->arena + offset_of(v->slots, slot);
    p[0] = (uint8_t)(value.len >> 8);
    p[1] = (uint8_t)value.len;
    memmove(p + SLOT_HEAD, value.p, value.len);
}

static enum err check_slot(const struct values *v, size_t slot, struct bytes value)
{
    if (slot >= v->n_slots)
        return ERR_NOT_FOUND;
    const struct values_slot *s = &v->slots[slot];
    const struct cosem_class *ic = cosem_class_find(s->class_id, s->version);
    if (!ic || s->attr < 2 || s->attr > ic->n_attrs)
        return ERR_NOT_FOUND;
    if (value.len > s->max)
        return ERR_FULL;
    switch (cosem_check_value(&ic->attrs[s->attr - 1], value)) {
    case COSEM_SUCCESS:
        return ERR_OK;
    case COSEM_TYPE_UNMATCHED:
        return ERR_TYPE;
    default:
        return ERR_RANGE;
    }
}

enum err values_load(struct values *v, size_t slot, struct bytes value)
{
    enum err err = check_slot(v, slot, value);
    if (err == ERR_OK)
        put(v, slot, value);
    return err;
}

enum err values_init(struct values *v)
{
    enum err err = ERR_OK;
    if (v->n_slots > UINT16_MAX || v->arena_size < values_need(v->slots, v->n_slots))
        return ERR_FULL;
    for (size_t i = 0; i < v->n_slots && err == ERR_OK; i++)
        err = values_load(v, i, (struct bytes){v->slots[i].initial, v->slots[i].initial_len});
    return err;
}

enum cosem_result values_change(struct values *v, const struct values_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (changes[i].slot >= v->n_slots)
            return COSEM_READ_WRITE_DENIED;
        if (changes[i].value.len > v->slots[changes[i].slot].max)
            return COSEM_TEMPORARY_FAILURE;
    }
    enum err err = v->hooks && v->hooks->keep ? v->hooks->keep(v->context, changes, n) : ERR_OK;
    if (err)
        return cosem_result_of(err);
    for (size_t i = 0; i < n; i++)
        put(v, changes[i].slot, changes[i].value);
    if (v->hooks && v->hooks->changed)
        v->hooks->changed(v->context, changes, n);
    return COSEM_SUCCESS;
}

enum cosem_result values_put(struct values *v, const struct values_change *changes, size_t n)
{
    if (n > VALUES_CHANGES_MAX)
        return COSEM_OTHER_REASON;
    for (size_t i = 0; i < n; i++) {
        enum err err = check_slot(v, changes[i].slot, changes[i].value);
        if (err)
            return cosem_result_of(err);
    }
    return values_change(v, changes, n);
}

/* ---- rules ---- */

int rule_slot(const struct rule_call *k, uint8_t attr)
{
    return values_find(k->v, k->o->row->kind->class_id, k->o->ln, attr);
}

struct bytes rule_value(const struct rule_call *k, uint8_t attr)
{
    return values_get(k->v, rule_slot(k, attr));
}

enum cosem_result rule_change(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    int slot = rule_slot(k, attr);
    struct values_change change = {(uint16_t)slot, value};
    return slot < 0 ? COSEM_READ_WRITE_DENIED : values_change(k->v, &change, 1);
}

enum cosem_result rule_refresh(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    int slot = rule_slot(k, attr);
    if (slot < 0)
        return COSEM_OBJECT_UNAVAILABLE;
    if (value.len > k->v->slots[slot].max)
        return COSEM_TEMPORARY_FAILURE;
    put(k->v, (size_t)slot, value);
    return COSEM_SUCCESS;
}

/* ---- binding ---- */

/* FNV-1a: tells that a value changed while it was read in parts. */
static uint32_t digest_of(struct bytes b)
{
    uint32_t h = UINT32_C(2166136261);
    for (size_t i = 0; i < b.len; i++)
        h = (h ^ b.p[i]) * UINT32_C(16777619);
    return h;
}

/* As many octets an item as an item may have; where one ends does not matter to the reader. A value
 * that changes on the way ends the read: its two halves would not fit. */
static enum cosem_result get_stored(const struct values *v, int slot, struct cosem_gen *g,
                                    struct wr *out)
{
    struct bytes b = values_get(v, slot);
    size_t at = g->word[0];
    if (b.len > COSEM_ITEM_MAX || at > 0) {
        uint32_t digest = digest_of(b);
        if (at > b.len || (at > 0 && g->word[1] != digest))
            return COSEM_LONG_GET_ABORTED;
        g->word[1] = digest;
    }
    size_t n = b.len - at < COSEM_ITEM_MAX ? b.len - at : COSEM_ITEM_MAX;
    wr_bytes(out, b.p + at, n);
    g->word[0] = (uint32_t)(at + n);
    g->more = at + n < b.len;
    return COSEM_SUCCESS;
}

static enum cosem_result get(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out)
{
    struct values *v = c->device ? c->device->values : NULL;
    struct rule_call k = {v, c, o};
    if (!v)
        return COSEM_OBJECT_UNAVAILABLE;
    if (sel && sel->selector != 0)
        return COSEM_SCOPE_OF_ACCESS_VIOLATED;
    const struct values_rule *rule = rule_of(o->row->kind->class_id);
    enum cosem_result result = rule->read && g->item == 0 ? rule->read(&k, attr, out) : RULE_STORED;
    if (result != RULE_STORED)
        return result;
    int slot = rule_slot(&k, attr);
    if (slot >= 0)
        return get_stored(v, slot, g, out);
    if (v->hooks && v->hooks->read)
        return v->hooks->read(c, o, attr, g, out);
    return COSEM_OBJECT_UNAVAILABLE;
}

static enum cosem_result set(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             struct rd *value)
{
    struct values *v = c->device ? c->device->values : NULL;
    struct rule_call k = {v, c, o};
    if (!v || rule_slot(&k, attr) < 0)
        return COSEM_READ_WRITE_DENIED;
    const struct values_rule *rule = rule_of(o->row->kind->class_id);
    struct bytes b = param_octets(value);
    enum cosem_result result = rule->check ? rule->check(&k, attr, b) : COSEM_SUCCESS;
    if (result == RULE_STORED)
        return COSEM_SUCCESS;
    return result ? result : rule_change(&k, attr, b);
}

static enum cosem_result invoke(const struct cosem_call *c, const struct cosem_ref *o,
                                uint8_t method, struct rd *param, struct wr *reply)
{
    struct values *v = c->device ? c->device->values : NULL;
    struct rule_call k = {v, c, o};
    if (!v)
        return COSEM_OBJECT_UNAVAILABLE;
    const struct values_rule *rule = rule_of(o->row->kind->class_id);
    struct rd whole = *param;
    enum cosem_result result = rule->invoke ? rule->invoke(&k, method, param, reply) : RULE_ACT;
    if (result != RULE_ACT)
        return result;
    return v->hooks && v->hooks->act ? v->hooks->act(c, o, method, &whole, reply)
                                     : COSEM_READ_WRITE_DENIED;
}

const struct cosem_binding values_binding = {.get = get, .set = set, .invoke = invoke};
