/* What the files of the value store share; nobody else includes it.
 *
 * values.c keeps the octets and is the binding, values_list.c edits arrays, the rules_*.c know one
 * family of classes each. */
#ifndef FERRARIS_COSEM_VALUES_PARTS_H
#define FERRARIS_COSEM_VALUES_PARTS_H

#include "lib/cosem/values.h"

/* An object of the store, as a rule sees it. */
struct rule_call {
    struct values *v;
    const struct cosem_call *call;
    const struct cosem_ref *o;
};

/* What a class demands beyond its descriptor. NULL members: nothing. */
struct values_rule {
    uint16_t class_id;
    /* Whether a client may write `value` (descriptor checked) beside the other attributes.
     * RULE_STORED: it is written, and what follows from it. */
    enum cosem_result (*check)(const struct rule_call *k, uint8_t attr, struct bytes value);
    /* A method; RULE_ACT: the hook `act` does (the rest of) it. */
    enum cosem_result (*invoke)(const struct rule_call *k, uint8_t method, struct rd *param,
                                struct wr *reply);
    /* Brings an attribute up to date before it is read, or writes it: RULE_STORED says that it
     * stands in its slot now. */
    enum cosem_result (*read)(const struct rule_call *k, uint8_t attr, struct wr *out);
};
/* Beside the results of the wire, for the store alone */
#define RULE_ACT    ((enum cosem_result)0x100)
#define RULE_STORED ((enum cosem_result)0x101)

extern const struct values_rule rule_register_activation, rule_script_table, rule_schedule,
    rule_special_days, rule_calendar, rule_register_monitor, rule_single_action, rule_ipv4,
    rule_ipv6, rule_compact_data, rule_status_mapping, rule_parameter_monitor, rule_arbitrator,
    rule_disconnect, rule_limiter;

/* --- values.c --- */
int rule_slot(const struct rule_call *k, uint8_t attr);
struct bytes rule_value(const struct rule_call *k, uint8_t attr); /* len 0: no slot */
/* Changes that were checked: lengths, keep, copy, changed. */
enum cosem_result values_change(struct values *v, const struct values_change *changes, size_t n);
/* One attribute of the object; READ_WRITE_DENIED where it has no slot. */
enum cosem_result rule_change(const struct rule_call *k, uint8_t attr, struct bytes value);
/* A process value that was computed: not kept, not announced. */
enum cosem_result rule_refresh(const struct rule_call *k, uint8_t attr, struct bytes value);
/* Room for the longest value and LIST_HEAD_MAX octets; used by one method at a time. */
struct wr values_scratch(struct values *v);

/* --- values_list.c: arrays, element by element --- */
#define LIST_HEAD_MAX 4 /* tag and length of an array */
struct list {
    struct rd r;
    size_t n, left;
};
struct list list_of(struct bytes array); /* empty where it is no array */
bool list_next(struct list *l, struct bytes *element);
size_t list_count(struct bytes array);

/* The first member of a structure, or the value itself; a name or a number. */
struct rd key_of(struct bytes element);
bool key_equal(struct bytes a, struct bytes b);
bool list_keys_differ(struct bytes array); /* no key comes twice */
/* False: there is no element with the key of `like`. */
bool list_has(struct bytes array, struct bytes like);

struct list_new { /* an array in the making, in the scratch */
    struct wr w;
    size_t n;
};
struct list_new list_begin(struct values *v);
void list_add(struct list_new *l, struct bytes element);
enum cosem_result list_store(const struct rule_call *k, uint8_t attr, struct list_new *l);
/* Writes the element in place of the one with its key, else behind the last. */
enum cosem_result list_put(const struct rule_call *k, uint8_t attr, struct bytes element);
/* Leaves out elements; OTHER_REASON where there is none. */
typedef bool list_match(const void *context, struct bytes element);
enum cosem_result list_remove(const struct rule_call *k, uint8_t attr, list_match *match,
                              const void *context);
bool list_match_key(const void *like, struct bytes element); /* like: struct bytes */
/* What is left of a method's parameter, as octets. */
struct bytes param_octets(const struct rd *param);

#endif
