/* The object model as data: interface-class descriptors, object rows, and how a row reaches the
 * meter.
 *
 * One description serves the server (dispatch, validation, object_list), the client (names,
 * decoding) and the tools. A logical device is a const table of rows; a row is one object or a
 * range of objects that differ in one or two groups of the logical name. Values are generated, not
 * built: a getter is asked for item after item (an array's rows) and writes each to a cursor, so
 * that an attribute of any length leaves through a PDU of any size with one row of memory. Blue
 * Book, clause 4. */
#ifndef FERRARIS_COSEM_MODEL_H
#define FERRARIS_COSEM_MODEL_H

#include "lib/cosem/options.h"
#include "lib/cosem/results.h"
#include "lib/dlms/axdr.h"

/* What the class says beyond the type: the value of an integer or enum, the octets of a string, the
 * bits of a bit-string or the elements of an array must be min..max. Several limits of one place
 * allow what any of them allows. */
struct cosem_limit {
    uint8_t at; /* place in type.code */
    int32_t min, max;
};
struct cosem_attr {
#if COSEM_WITH_NAMES
    const char *name;
#endif
    const uint8_t *code; /* its type: cosem_attr_type() */
    uint8_t len;
#if COSEM_WITH_LIMITS
    uint8_t n_limits;
    const struct cosem_limit *limits;
#endif
    bool is_static;    /* configuration, not process value */
    uint8_t selectors; /* bit n-1 set: selective access n is offered by the class */
};
struct cosem_method {
#if COSEM_WITH_NAMES
    const char *name;
#endif
    struct axdr_type param; /* len 0: any parameter or none is accepted */
#if COSEM_WITH_LIMITS
    const struct cosem_limit *limits;
    uint8_t n_limits;
#endif
};
struct axdr_type cosem_attr_type(const struct cosem_attr *attr);
/* Whether `value`, A-XDR, is one value that a client may write: TYPE_UNMATCHED where the type is
 * another, octets are left over or a date is none; OTHER_REASON outside the limits; SUCCESS. The
 * server asks before a binding's set or invoke, a client may ask before it sends. */
enum cosem_result cosem_check_value(const struct cosem_attr *attr, struct bytes value);
enum cosem_result cosem_check_param(const struct cosem_method *method, struct bytes param);
/* Interface class. attrs[0] is attribute 1 (logical_name); methods[0] is method 1. */
struct cosem_class {
    uint16_t id;
    uint8_t version;
    uint8_t n_attrs, n_methods;
#if COSEM_WITH_NAMES
    const char *name;
#endif
    const struct cosem_attr *attrs;
    const struct cosem_method *methods;
};
/* The classes of this program, sorted by id then version: all that the library has (classes.c), or
 * fewer where the program defines these two itself, as a small meter does. */
extern const struct cosem_class *const cosem_classes[];
extern const size_t cosem_n_classes;
/* NULL where unknown. */
const struct cosem_class *cosem_class_find(uint16_t id, uint8_t version);
const struct cosem_class *cosem_class_at(size_t index); /* NULL past the end */
/* The class itself, else its highest version not above, else its lowest: for clients that meet an
 * edition this library does not know. NULL where the id is unknown. */
const struct cosem_class *cosem_class_near(uint16_t id, uint8_t version);

/* Who may do what. Bit n-1 stands for attribute or method n. */
enum cosem_role { COSEM_PUBLIC, COSEM_READER, COSEM_MANAGER, COSEM_N_ROLES };
struct cosem_rights {
    uint16_t read[COSEM_N_ROLES];
    uint16_t write[COSEM_N_ROLES];
    uint16_t invoke[COSEM_N_ROLES];
};

struct cosem_row;
struct cosem_device;
struct values;
/* A resolved object: row + instance numbers within the row's ranges (0 where the row has none). */
struct cosem_ref {
    const struct cosem_row *row;
    uint8_t ln[6];
    uint8_t i, j; /* instance along range[0], range[1] */
};

/* What a call knows about its surroundings. */
struct cosem_call {
    void *context;                 /* the logical device's (the meter) */
    struct cosem_session *session; /* the association that asks; for classes 15, 17, 64 */
    enum cosem_role role;
    const struct cosem_device *device; /* the logical device that is asked */
};

/* Selective access, already checked for form: selector 0 = none; parameter is the A-XDR value. */
struct cosem_select {
    uint8_t selector;
    struct bytes parameter;
};

/* Resume state of one GET: owned by the session, zeroed before item 0. `more` false after the last
 * item. The words are the getter's own (first row, number of rows, position in the store). */
struct cosem_gen {
    uint32_t item;
    bool more;
    uint32_t word[6];
};

struct cosem_binding {
    /* Writes item g->item of the attribute (the whole value, or the array header as item 0 and one
     * element an item after it) and sets g->more. Attribute 1 never comes here. Out of room: the wr
     * says so, the server answers. An item must fit COSEM_ITEM_MAX octets. */
    enum cosem_result (*get)(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out);
    /* `value` stands on a value already checked against the descriptor's type. NULL: nothing is
     * writable. */
    enum cosem_result (*set)(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             struct rd *value);
    /* `param` is empty where the client sent none. A method with a return value writes one Data to
     * `reply`. */
    enum cosem_result (*invoke)(const struct cosem_call *c, const struct cosem_ref *o,
                                uint8_t method, struct rd *param, struct wr *reply);
};

/* Two ranges of a row vary different groups of the logical name. */
struct cosem_range {
    uint8_t group; /* 0..5 = A..F of the logical name that varies */
    uint8_t step;
    uint8_t n; /* instances, 1..n; 0: the range is not used */
};
/* What many rows have in common. */
struct cosem_kind {
    uint16_t class_id;
    uint8_t version;
    uint8_t flags; /* for the meter, as a row's arg */
    struct cosem_range range[2];
    const struct cosem_rights *rights;
    const struct cosem_binding *binding;
};
/* In the initialiser of a row whose kind no other row has. */
#define COSEM_KIND(...) (&(const struct cosem_kind){__VA_ARGS__})
struct cosem_row {
    uint8_t ln[6]; /* of instance 0 */
    uint16_t arg;  /* for the binding: which quantity */
    const struct cosem_kind *kind;
#if COSEM_WITH_NAMES
    const char *name; /* "Active energy import (+A)"; for documents and clients */
#endif
};
/* In the initialiser of a row, the last field: a build without names has no such field. */
#if COSEM_WITH_NAMES
#define COSEM_ROW_NAME(text) .name = (text)
#else
#define COSEM_ROW_NAME(text)
#endif

/* A logical device: rows sorted by (class_id, ln); the same (class, ln) may stand twice, but never
 * twice present (checked by a test). */
struct cosem_device {
    uint16_t sap;     /* 1 = management logical device */
    const char *name; /* logical device name, 16 octets at most */
    const struct cosem_row *rows;
    size_t n_rows;
    /* Whether instance `o` exists in this meter (phases, options). NULL: all. */
    bool (*present)(void *context, const struct cosem_ref *o);
    void *context;
    struct values *values; /* of the rows bound to values_binding (values.h); NULL: none */
};

/* Finds (class, ln); false where there is none. */
bool cosem_find(const struct cosem_device *d, uint16_t class_id, const uint8_t ln[6],
                struct cosem_ref *out);
/* Any object of that name, whatever its class (the first row's). */
bool cosem_find_name(const struct cosem_device *d, const uint8_t ln[6], struct cosem_ref *out);
/* Walks all present objects: start with *at = 0; false at the end. */
bool cosem_next(const struct cosem_device *d, uint32_t *at, struct cosem_ref *out);

#endif
