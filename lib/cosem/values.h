/* Attribute values kept as the A-XDR octets they were written in, and the rules of the classes
 * whose objects hold nothing else: calendars, schedules, set-up of ports, masks, monitors.
 *
 *     SET, method -> rule of the class -> keep (durable) -> arena -> changed (the meter acts)
 *
 * The caller owns all memory: a const table of slots, one an attribute of an object, and an arena
 * of values_need() octets. A value goes into its slot after the server has checked it against the
 * class descriptor and the rule of the class against the object's other attributes; before the
 * answer is given the hook `keep` makes it durable. A change of several attributes (the passive
 * calendar becomes the active one) is one call of the hook and is done as a whole or not at all.
 *
 * There is no clock here: switching at a time, capturing by a period, watching a limit belong to
 * the meter, which reads the values and makes the changes of its own with values_put.
 *
 *     static const struct values_slot slots[] = {
 *         {.class_id = 41, .ln = {0, 0, 25, 0, 0, 255}, .attr = 2, .max = 3,
 *          VALUES_INITIAL(AXDR_U16, 0x0F, 0xDB)}, ...
 *     };
 *     struct values v = {.slots = slots, .n_slots = N, .arena = memory, .arena_size = sizeof
 * memory}; values_init(&v); values_load(&v, ...) of what was kept; device.values = &v; rows of the
 * device: .binding = &values_binding */
#ifndef FERRARIS_COSEM_VALUES_H
#define FERRARIS_COSEM_VALUES_H

#include "lib/cosem/disconnect.h"
#include "lib/cosem/model.h"
#include "lib/dlms/apdu.h"

struct values_slot {
    uint8_t ln[6];
    uint16_t class_id;
    uint8_t version;
    uint8_t attr;           /* 2.. */
    uint16_t max;           /* octets of the longest value, tag and length included */
    uint16_t initial_len;   /* VALUES_INITIAL(...) */
    const uint8_t *initial; /* A-XDR; must pass the descriptor's check */
};
/* For tables outside functions: the octets last as long as the program. */
#define VALUES_INITIAL(...)                                                                        \
    .initial = (const uint8_t[]){__VA_ARGS__}, .initial_len = sizeof((const uint8_t[]){__VA_ARGS__})

/* One attribute of a change; the octets are borrowed for the call. */
struct values_change {
    uint16_t slot; /* number in the table */
    struct bytes value;
};
#define VALUES_CHANGES_MAX 4 /* attributes of one change */

struct values_hooks {
    /* Makes the changes durable, all or none, before it returns. On an error nothing changes and
     * the client gets the matching result. NULL: values last until restart. */
    enum err (*keep)(void *context, const struct values_change *changes, size_t n);
    /* The changes stand: what follows from them (a contact moves, a port takes its new speed).
     * NULL allowed. */
    void (*changed)(void *context, const struct values_change *changes, size_t n);
    /* A process value that has no slot. NULL: such attributes are unavailable. */
    enum cosem_result (*read)(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                              struct cosem_gen *g, struct wr *out);
    /* What a method does beyond the values: runs a script (class 9, and the outcome of class 68),
     * sends a push, connects, captures, installs. Called after the rule of the class has agreed
     * and its changes stand. NULL: such methods are denied. */
    enum cosem_result (*act)(const struct cosem_call *c, const struct cosem_ref *o, uint8_t method,
                             struct rd *param, struct wr *reply);
};

struct values {
    const struct values_slot *slots;
    size_t n_slots; /* up to 65535 */
    uint8_t *arena;
    size_t arena_size;
    const struct values_hooks *hooks; /* NULL: none */
    void *context;                    /* of keep and changed */
};

/* Octets an arena for these slots must have: the values, and room to work on the longest. */
size_t values_need(const struct values_slot *slots, size_t n_slots);
/* Fills the slots with their initial values. ERR_FULL: the arena or a slot is too small.
 * ERR_NOT_FOUND: no such class or attribute. ERR_TYPE, ERR_RANGE: the descriptor refuses an initial
 * value. */
MUST_CHECK enum err values_init(struct values *v);
/* Puts back a value that was kept, at start: no hook is called. ERR_NOT_FOUND, ERR_FULL, ERR_TYPE,
 * ERR_RANGE as above; the slot keeps what it has then. */
MUST_CHECK enum err values_load(struct values *v, size_t slot, struct bytes value);

/* Number of the slot, -1: none. */
int values_find(const struct values *v, uint16_t class_id, const uint8_t ln[6], uint8_t attr);
/* The octets of a slot, valid until the next change. len 0 for -1. */
struct bytes values_get(const struct values *v, int slot);
/* Changes of the meter's own, or of a script: checked against the descriptors, not against the
 * rules; else as if a client wrote. At most VALUES_CHANGES_MAX, each slot once. */
enum cosem_result values_put(struct values *v, const struct values_change *changes, size_t n);

/* For rows whose attributes have slots in cosem_call.device->values. */
extern const struct cosem_binding values_binding;

/* Class 20: the passive calendar becomes the active one, when its time has come. OTHER_REASON where
 * a season names no week, a week no day, or a list is out of order; nothing changes then. */
enum cosem_result values_activate_calendar(struct values *v, const uint8_t ln[6]);
/* Class 70: a command of a button, a limiter or a script; those of clients come as methods. SUCCESS
 * also where the mode has no transition for it: nothing changes then, and nothing is remembered. */
enum cosem_result values_disconnect(struct values *v, const uint8_t ln[6],
                                    enum disconnect_event event);
/* Class 65: the monitor `ln` takes note of a parameter that was written; `now` is the date-time of
 * 12 octets. SUCCESS also where the parameter is not in its list. */
enum cosem_result values_note_parameter(struct values *v, const uint8_t ln[6],
                                        const struct apdu_attr *parameter, struct bytes value,
                                        const uint8_t now[12]);

#endif
