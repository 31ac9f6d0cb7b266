/* Whatever a client may try: every attribute of every object is written to by every client, with
 * values of each type, beyond each limit, cut, extended and with each octet changed; every method
 * is called likewise. What the answer must be follows from the object's rights and the class's
 * descriptor, nothing here knows the meter. Refused: not one readable attribute differs; taken: it
 * reads back as written. Both are so after a restart, too.
 *
 * Without arguments two models; with `full` all eight. */
#include "tests/firmware/meter/look.h"

#include "lib/base/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START       "2026-06-10T10:00:00"
#define VALUE_MAX   700
#define MANY        3 /* instances of a range that are tried */
#define SUMS_MAX    6000
#define N_SAPS      4
#define CHANGED_MAX 48 /* octets of a value that are changed one by one */

static bool full;

/* ---- what the meter shows ---- */

struct sums {
    size_t n;
    struct {
        uint8_t ln[6], id;
        uint32_t sum;
    } of[SUMS_MAX];
};

/* Shows that somebody tried, or the line itself. */
static bool is_witness(const struct cosem_ref *o)
{
    static const uint8_t log[4] = {0, 0, 99, 98}, code[4] = {0, 0, 96, 11};
    return memcmp(o->ln, log, sizeof log) == 0 || memcmp(o->ln, code, sizeof code) == 0 ||
           (o->ln[2] == 96 && o->ln[3] == 128);
}

static uint32_t sum_of(struct meter *m, const struct cosem_ref *o, uint8_t attr)
{
    struct look l = {0};
    enum cosem_result result = look_attr(m, o, attr, false, &l);
    uint32_t sum = crc32_update((uint32_t)result, l.p, l.len);
    look_free(&l);
    return sum;
}

/* Configuration and energies; time goes on. */
static bool outlives_restart(const struct cosem_ref *o, const struct cosem_attr *attr, uint8_t id)
{
    if (o->row->kind->class_id == 8 && id == 2)
        return false;
    return attr->is_static || (o->row->kind->rights->write[COSEM_MANAGER] >> (id - 1) & 1u) != 0 ||
           (o->row->kind->class_id == 3 && id == 2 && o->ln[3] == 8);
}

/* One check sum for each attribute. `lasting`: what a restart must not change. */
static void sum_all(struct meter *m, bool lasting, struct sums *s)
{
    struct cosem_ref o;
    s->n = 0;
    for (uint32_t at = 0; cosem_next(&m->device, &at, &o);) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        if (!look_can(&o) || (is_witness(&o) && !lasting))
            continue;
        for (uint8_t id = 2; id <= ic->n_attrs; id++) {
            if (lasting && !outlives_restart(&o, &ic->attrs[id - 1], id))
                continue;
            assert_true(s->n < SUMS_MAX);
            memcpy(s->of[s->n].ln, o.ln, sizeof o.ln);
            s->of[s->n].id = id;
            s->of[s->n++].sum = sum_of(m, &o, id);
        }
    }
}

static void check_same(const struct sums *was, const struct sums *is, const char *what)
{
    assert_int_equal(was->n, is->n);
    for (size_t i = 0; i < is->n; i++) {
        const uint8_t *ln = is->of[i].ln;
        if (was->of[i].sum != is->of[i].sum)
            fail_msg("%s: %u-%u:%u.%u.%u attribute %u is another", what, ln[0], ln[1], ln[2], ln[3],
                     ln[4], is->of[i].id);
    }
}

/* ---- a client ---- */

static const uint16_t saps[N_SAPS] = {METER_SAP_PUBLIC, METER_SAP_READER, METER_SAP_READER_HLS,
                                      METER_SAP_MANAGER};

static enum cosem_role role_of(const struct rig *r, uint16_t sap)
{
    for (size_t i = 0; i < MODEL_N_CLIENTS; i++) {
        if (r->meter.clients[i].sap == sap)
            return r->meter.clients[i].role;
    }
    fail();
    return COSEM_PUBLIC;
}

static void connect(struct rig *r, uint16_t sap)
{
    if (r->client.state != CLIENT_READY)
        assert_true(rig_connect(r, sap));
}

/* Whether the octets are one value: others are refused before anybody looks for the object. */
static bool is_value(struct bytes v)
{
    struct rd r = rd_of(v.p, v.len);
    axdr_skip(&r);
    return !r.err && rd_left(&r) == 0;
}

struct attempt {
    struct rig *r;
    uint16_t sap;
    const struct cosem_ref *o;
    bool is_method;
    uint8_t id;
    unsigned n_tried, n_taken;
};

static void say(const struct attempt *t, struct bytes v, const char *what)
{
    char text[3 * 24 + 1] = "";
    for (size_t i = 0; i < v.len && i < 24; i++)
        (void)snprintf(text + 3 * i, 4, "%02X ", v.p[i]);
    fail_msg("%s client %u, class %u %u-%u:%u.%u.%u %s %u, value %s(%zu): %s, %s",
             t->r->meter.model->name, t->sap, t->o->row->kind->class_id, t->o->ln[0], t->o->ln[1],
             t->o->ln[2], t->o->ln[3], t->o->ln[4], t->is_method ? "method" : "attribute", t->id,
             text, v.len, cosem_result_text(t->r->result), what);
}

static bool allowed(const struct attempt *t)
{
    const struct cosem_rights *rights = t->o->row->kind->rights;
    enum cosem_role role = role_of(t->r, t->sap);
    const uint16_t *bits = t->is_method ? rights->invoke : rights->write;
    return t->id >= 1 && t->id <= 16 && (bits[role] >> (t->id - 1) & 1u) != 0;
}

/* What rights and descriptor say of it; SUCCESS: the meter itself decides. */
static enum cosem_result expected(const struct attempt *t, struct bytes v)
{
    const struct cosem_class *ic =
        cosem_class_find(t->o->row->kind->class_id, t->o->row->kind->version);
    if (!allowed(t))
        return COSEM_READ_WRITE_DENIED;
    return t->is_method ? cosem_check_param(&ic->methods[t->id - 1], v)
                        : cosem_check_value(&ic->attrs[t->id - 1], v);
}

/* True: it was taken. */
static bool send(struct attempt *t, struct bytes v)
{
    struct rig *r = t->r;
    struct apdu_attr a = {
        .class_id = t->o->row->kind->class_id, .id = t->id, .parameter = {NULL, 0}};
    memcpy(a.ln, t->o->ln, sizeof a.ln);
    connect(r, t->sap);
    t->n_tried++;
    if (t->is_method)
        a.parameter = v;
    bool done = t->is_method ? rig_call(r, &a) : rig_set(r, &a, v);
    t->n_taken += done;
    return done;
}

static void try_value(struct attempt *t, struct bytes v)
{
    struct meter *m = &t->r->meter;
    const bool visible = look_can(t->o) && !t->is_method && t->id > 1;
    enum cosem_result want = expected(t, v);
    if (t->is_method && want == COSEM_SUCCESS)
        return; /* it would simply be done */
    uint32_t before = visible ? sum_of(m, t->o, t->id) : 0;
    bool done = send(t, v);
    if (done && want != COSEM_SUCCESS)
        say(t, v, "must be refused");
    if (!done && want != COSEM_SUCCESS && is_value(v) && t->r->result != want)
        say(t, v, cosem_result_text(want));
    if (done && visible) {
        struct look l = {0};
        assert_int_equal(look_attr(m, t->o, t->id, false, &l), COSEM_SUCCESS);
        if (l.p[0] != v.p[0] && !(v.p[0] == AXDR_DATE_TIME && l.p[0] == AXDR_OCTETS))
            say(t, v, "reads back as another type");
        look_free(&l);
    } else if (visible && sum_of(m, t->o, t->id) != before) {
        say(t, v, "changed all the same");
    }
    assert_int_equal(m->fault, ERR_OK);
}

/* ---- values ---- */

static void try_integers(struct attempt *t)
{
    static const uint8_t tags[][2] = {{AXDR_I8, 1},  {AXDR_U8, 1},  {AXDR_ENUM, 1}, {AXDR_BOOL, 1},
                                      {AXDR_I16, 2}, {AXDR_U16, 2}, {AXDR_I32, 4},  {AXDR_U32, 4},
                                      {AXDR_I64, 8}, {AXDR_U64, 8}, {AXDR_BCD, 1},  {AXDR_F32, 4},
                                      {AXDR_F64, 8}, {200, 1}};
    static const uint8_t octets[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    for (size_t k = 0; k < sizeof tags / sizeof tags[0]; k++) {
        for (size_t i = 0; i < sizeof octets; i++) {
            uint8_t v[9];
            v[0] = tags[k][0];
            memset(v + 1, octets[i] == 0x7F || octets[i] == 0xFF ? 0xFF : 0, sizeof v - 1);
            v[1] = octets[i];
            try_value(t, (struct bytes){v, 1u + tags[k][1]});
        }
    }
}

static void try_strings(struct attempt *t)
{
    static const uint8_t tags[] = {AXDR_OCTETS, AXDR_TEXT, AXDR_UTF8, AXDR_BITS};
    static const uint8_t lengths[] = {0, 1, 4, 5, 6, 8, 11, 12, 13, 16, 100};
    for (size_t k = 0; k < sizeof tags; k++) {
        for (size_t i = 0; i < sizeof lengths; i++) {
            uint8_t v[2 + 100] = {tags[k], lengths[i]};
            size_t n = tags[k] == AXDR_BITS ? (lengths[i] + 7u) / 8u : lengths[i];
            memset(v + 2, 'x', sizeof v - 2);
            try_value(t, (struct bytes){v, 2 + n});
        }
    }
}

static void try_others(struct attempt *t)
{
    static const struct {
        uint8_t n, p[16];
    } others[] = {
        {0, {0}},
        {1, {AXDR_NULL}},
        {1, {AXDR_U32}},
        {2, {AXDR_ARRAY, 0}},
        {2, {AXDR_STRUCT, 0}},
        {3, {AXDR_ARRAY, 1, AXDR_NULL}},
        {3, {AXDR_STRUCT, 1, AXDR_NULL}},
        {5, {AXDR_STRUCT, 2, AXDR_U8, 1, AXDR_U8}},
        {6, {AXDR_OCTETS, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}},
        {6, {AXDR_ARRAY, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}},
        {6, {AXDR_COMPACT, AXDR_U8, 3, 1, 2, 3}},
        {13, {AXDR_DATE_TIME, 0x07, 0xEA, 13, 1, 0xFF, 0, 0, 0, 0, 0x80, 0, 0}},
        {6, {AXDR_DATE, 0x07, 0xEA, 2, 30, 0xFF}},
        {5, {AXDR_TIME, 24, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        try_value(t, (struct bytes){others[i].p, others[i].n});
}

/* The value that stands there: cut, with an octet more, with each octet changed; at last itself. */
static void try_neighbours(struct attempt *t, const struct look *good)
{
    uint8_t v[VALUE_MAX];
    size_t n = good->len;
    assert_true(n + 1 <= sizeof v);
    memcpy(v, good->p, n);
    v[n] = 0;
    try_value(t, (struct bytes){v, n - 1});
    try_value(t, (struct bytes){v, n / 2});
    try_value(t, (struct bytes){v, n + 1});
    for (size_t i = 0; i < n && i < CHANGED_MAX; i++) {
        static const uint8_t to[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
        for (size_t k = 0; k < sizeof to; k++) {
            v[i] = to[k];
            if (to[k] != good->p[i])
                try_value(t, (struct bytes){v, n});
        }
        v[i] = good->p[i];
    }
    if (t->o->row->kind->class_id != 8 || t->id != 2) { /* time went on since */
        if (!send(t, (struct bytes){v, n}))
            say(t, (struct bytes){v, n}, "what stood there is refused");
    }
}

/* More than the server takes in one value. */
static void try_too_long(struct attempt *t)
{
    static uint8_t v[3000];
    v[0] = AXDR_OCTETS;
    v[1] = 0x82;
    v[2] = (sizeof v - 4) >> 8;
    v[3] = (sizeof v - 4) & 0xFF;
    if (send(t, (struct bytes){v, sizeof v}))
        say(t, (struct bytes){v, sizeof v}, "too long, taken");
}

/* ---- every object ---- */

static void attack_attribute(struct attempt *t)
{
    struct look good = {0};
    const bool readable = look_can(t->o);
    if (readable)
        assert_int_equal(look_attr(&t->r->meter, t->o, t->id, false, &good), COSEM_SUCCESS);
    if (!allowed(t)) { /* the very value, and another */
        static const uint8_t other[] = {AXDR_U8, 1};
        if (readable && good.len < VALUE_MAX)
            try_value(t, (struct bytes){good.p, good.len});
        try_value(t, (struct bytes){other, sizeof other});
    } else {
        try_integers(t);
        try_strings(t);
        try_others(t);
        try_too_long(t);
        try_neighbours(t, &good);
    }
    look_free(&good);
}

static void attack_method(struct attempt *t)
{
    static const uint8_t zero[] = {AXDR_I8, 0};
    try_value(t, (struct bytes){zero, sizeof zero});
    try_value(t, (struct bytes){NULL, 0});
    if (allowed(t)) {
        try_integers(t);
        try_strings(t);
        try_others(t);
        try_too_long(t);
    }
}

/* Of long ranges the first instances and the last. */
static bool is_tried(const struct cosem_ref *o)
{
    const struct cosem_range *a = &o->row->kind->range[0], *b = &o->row->kind->range[1];
    const uint8_t many = full ? 3 : 1;
    return (o->i < many || o->i + 1 == a->n) && (o->j < many || o->j + 1 == b->n);
}

static void attack_object(struct rig *r, uint16_t sap, const struct cosem_ref *o, unsigned count[2])
{
    const struct cosem_class *ic = cosem_class_find(o->row->kind->class_id, o->row->kind->version);
    struct attempt t = {.r = r, .sap = sap, .o = o};
    if (o->row->kind->class_id == 15 || !is_tried(o))
        return; /* the association's own: tests of lib/cosem */
    for (uint8_t id = 1; id <= ic->n_attrs; id++) {
        t.id = id;
        if (id > 1 || !allowed(&t))
            attack_attribute(&t);
    }
    t.is_method = true;
    for (uint8_t id = 1; id <= ic->n_methods + 1; id++) {
        t.id = id;
        attack_method(&t);
    }
    count[0] += t.n_tried;
    count[1] += t.n_taken;
}

static bool may_write(const struct rig *r, uint16_t sap, const struct cosem_ref *o)
{
    return o->row->kind->rights->write[role_of(r, sap)] != 0;
}

/* Objects that this client may write to (or not), each. */
static void attack_objects(struct rig *r, uint16_t sap, bool writable, unsigned count[2])
{
    struct cosem_ref o;
    for (uint32_t at = 0; cosem_next(&r->meter.device, &at, &o);) {
        if (may_write(r, sap, &o) == writable)
            attack_object(r, sap, &o, count);
    }
}

static void attack_as(struct rig *r, uint16_t sap)
{
    static struct sums was, is;
    unsigned count[2] = {0, 0};
    sum_all(&r->meter, false, &was);
    attack_objects(r, sap, false, count);
    sum_all(&r->meter, false, &is);
    check_same(&was, &is, "a refused write");
    assert_int_equal(count[1], 0);
    assert_true(count[0] > 300);
    attack_objects(r, sap, true, count);
    assert_true((count[1] > 0) == (sap == METER_SAP_MANAGER));
    if (r->client.state == CLIENT_READY)
        rig_release(r);
    r->client.state = CLIENT_CLOSED;
    print_message("%s client %u: %u tried, %u taken\n", r->meter.model->name, sap, count[0],
                  count[1]);
}

static void attack_model(const struct model_meter *row)
{
    static struct sums was, is;
    struct rig *r = rig_new_row(row, START,
                                row->n_phases == 1 ? "synth:phases=1,u=230,i=4,pf=0.8"
                                                   : "synth:phases=3,u=230,i=4,pf=0.8");
    struct dlms_keys keys = r->meter.server.keys;
    rig_live(r, 1900);
    for (size_t k = 0; k < N_SAPS; k++)
        attack_as(r, saps[k]);
    assert_memory_equal(&keys, &r->meter.server.keys, sizeof keys);
    sum_all(&r->meter, true, &was);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    sum_all(&r->meter, true, &is);
    check_same(&was, &is, "a restart");
    rig_free(r);
}

static void refused_writes_of_every_client_change_nothing(void **state)
{
    (void)state;
    static const char *const few[] = {"AD11A", "SMARTESOX-P"};
    for (size_t i = 0; i < sizeof few / sizeof few[0] && !full; i++)
        attack_model(model_meter_find(few[i]));
    for (size_t i = 0; model_meter_at(i) != NULL && full; i++)
        attack_model(model_meter_at(i));
}

/* ---- what only the meter knows ---- */

#define LP1   "1-0:99.1.0.255"
#define LP2   "1-0:99.2.0.255"
#define DAILY "1-0:98.2.0.255"
#define CLOCK "0-0:1.0.0.255"
#define U32(a, b, c, d)                                                                            \
    5,                                                                                             \
    {                                                                                              \
        AXDR_U32, a, b, c, d                                                                       \
    }

struct special {
    const char *model;
    uint16_t class_id;
    const char *obis;
    uint8_t id;
    bool is_method;
    enum cosem_result result;
    uint8_t n, value[48];
};
#define TIME(y, mo, d, h) 9, 12, (y) >> 8, (y)&0xFF, mo, d, 0xFF, h, 0, 0, 0, 0x80, 0, 0
static const struct special specials[] = {
    /* periods that the model has not */
    {"AD13A", 7, LP1, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0x01, 0xA4)},   /* 7 minutes */
    {"AD13A", 7, LP1, 4, false, COSEM_OTHER_REASON, U32(0, 1, 0x51, 0x80)},   /* a day */
    {"AD13A", 7, LP1, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0x03, 0x85)},   /* 901 s */
    {"MT371", 7, LP2, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0x01, 0x2C)},   /* 5 minutes */
    {"SM307", 7, LP1, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0x0E, 0x4C)},   /* 61 minutes */
    {"SM307", 7, LP1, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0, 90)},        /* 1.5 minutes */
    {"SM307", 7, DAILY, 4, false, COSEM_OTHER_REASON, U32(0, 0, 0x03, 0x84)}, /* a day it is */
    /* orders: oldest first, newest first; by no value */
    {"AD13A", 7, LP1, 5, false, COSEM_OTHER_REASON, 2, {AXDR_ENUM, 3}},
    {"AD13A", 7, LP1, 5, false, COSEM_OTHER_REASON, 2, {AXDR_ENUM, 6}},
    {"AD13A", 7, LP1, 5, false, COSEM_OTHER_REASON, 2, {AXDR_ENUM, 0}},
    /* more rows than there is room for, in this profile or in all */
    {"AD13A", 7, LP1, 8, false, COSEM_OTHER_REASON, U32(0, 0, 0, 0)},
    {"AD13A", 7, LP1, 8, false, COSEM_OTHER_REASON, U32(0, 0, 0xEA, 0x60)},
    {"SM307", 7, LP1, 8, false, COSEM_OTHER_REASON, U32(0xFF, 0xFF, 0xFF, 0xFF)},
    /* the clock */
    {"SM307", 8, CLOCK, 2, false, COSEM_OTHER_REASON, 14, {TIME(1999, 12, 31, 23)}},
    {"SM307", 8, CLOCK, 2, false, COSEM_OTHER_REASON, 14, {TIME(2100, 1, 2, 0)}},
    {"SM307", 8, CLOCK, 2, false, COSEM_OTHER_REASON, 14, {TIME(2026, 0xFF, 1, 0)}},
    {"SM307", 8, CLOCK, 2, false, COSEM_TYPE_UNMATCHED, 14, {TIME(2026, 13, 1, 0)}},
    {"SM307", 8, CLOCK, 3, false, COSEM_OTHER_REASON, 3, {AXDR_I16, 0x03, 0x49}},
    {"SM307", 8, CLOCK, 4, false, COSEM_READ_WRITE_DENIED, 2, {AXDR_U8, 0}},
    {"SM307", 8, CLOCK, 7, false, COSEM_OTHER_REASON, 2, {AXDR_I8, 121}},
    {"SM307", 8, CLOCK, 9, false, COSEM_READ_WRITE_DENIED, 2, {AXDR_ENUM, 2}},
    {"SM307", 8, CLOCK, 6, true, COSEM_OTHER_REASON, 3, {AXDR_I16, 0x03, 0x85}},
    {"SM307", 8, CLOCK, 6, true, COSEM_OTHER_REASON, 3, {AXDR_I16, 0xFC, 0x7B}},
    {"SM307", 8, CLOCK, 4, true, COSEM_TEMPORARY_FAILURE, 2, {AXDR_I8, 0}}, /* no preset */
    {"SM307", 3, "1-0:0.9.11.255", 2, false, COSEM_OTHER_REASON, 3, {AXDR_U16, 0x03, 0x85}},
    /* log filters: codes of this log, each once; what tells of the log itself cannot be held */
    {"SM307", 1, "0-0:96.133.0.255", 2, false, COSEM_OTHER_REASON, 3, {AXDR_OCTETS, 1, 99}},
    {"SM307", 1, "0-0:96.133.0.255", 2, false, COSEM_OTHER_REASON, 3, {AXDR_OCTETS, 1, 255}},
    {"SM307", 1, "0-0:96.133.0.255", 2, false, COSEM_OTHER_REASON, 4, {AXDR_OCTETS, 2, 47, 47}},
    {"SM307", 1, "0-0:96.133.1.255", 2, false, COSEM_OTHER_REASON, 3, {AXDR_OCTETS, 1, 47}},
    {"SM307", 1, "0-0:96.133.0.255", 2, false, COSEM_TYPE_UNMATCHED, 3, {AXDR_TEXT, 1, 47}},
    /* logs and trails are not written */
    {"SM307", 7, "0-0:99.98.0.255", 3, false, COSEM_READ_WRITE_DENIED, 2, {AXDR_ARRAY, 0}},
    {"SM307", 7, "0-0:99.98.0.255", 8, false, COSEM_READ_WRITE_DENIED, U32(0, 0, 0, 9)},
    {"SM307", 7, "0-0:99.98.128.255", 1, true, COSEM_READ_WRITE_DENIED, 2, {AXDR_I8, 0}},
};

static struct rig *rig_of(const char *model)
{
    struct rig *r = rig_new(model, START,
                            model_meter_find(model)->n_phases == 1 ? "synth:phases=1,u=230,i=4"
                                                                   : "synth:phases=3,u=230,i=4");
    rig_live(r, 3600);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    return r;
}

static void try_special(struct rig *r, const struct special *c)
{
    struct apdu_attr a = rig_attr(c->class_id, c->obis, c->id);
    const struct bytes v = {c->value, c->n};
    if (c->is_method)
        a.parameter = v;
    (void)(c->is_method ? rig_call(r, &a) : rig_set(r, &a, v));
    if (r->result != c->result)
        fail_msg("%s %s %s %u, case %zu: %s", c->model, c->obis,
                 c->is_method ? "method" : "attribute", c->id, (size_t)(c - specials),
                 cosem_result_text(r->result));
}

static void values_beyond_the_model_are_refused(void **state)
{
    (void)state;
    static const char *const models[] = {"AD13A", "MT371", "SM307"};
    static struct sums was, is;
    for (size_t m = 0; m < 3; m++) {
        struct rig *r = rig_of(models[m]);
        sum_all(&r->meter, false, &was);
        for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
            if (strcmp(specials[i].model, models[m]) == 0)
                try_special(r, &specials[i]);
        }
        sum_all(&r->meter, false, &is);
        check_same(&was, &is, "a value beyond the model");
        rig_free(r);
    }
}

/* ---- columns ---- */

struct column {
    uint16_t class_id;
    const char *obis;
    uint8_t attribute;
    uint16_t data_index;
};
#define TIME_COLUMN   8, CLOCK, 2, 0
#define STATUS_COLUMN 1, "0-0:96.10.2.255", 2, 0
#define A_COLUMN      3, "1-0:1.8.0.255", 2, 0

static enum cosem_result set_columns(struct rig *r, const struct column *c, size_t n)
{
    struct apdu_attr a = rig_attr(7, LP2, 3);
    uint8_t octets[1000];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_array(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct profile_column p = {
            .class_id = c[i].class_id, .attribute = c[i].attribute, .data_index = c[i].data_index};
        memcpy(p.ln, rig_attr(7, c[i].obis, 1).ln, sizeof p.ln);
        profile_put_column(&w, &p);
    }
    assert_int_equal(w.err, ERR_OK);
    (void)rig_set(r, &a, (struct bytes){octets, w.len});
    return r->result;
}

static void wrong_columns_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        struct column of[4];
    } wrong[] = {
        {0, {{0, NULL, 0, 0}}},
        {2, {{STATUS_COLUMN}, {A_COLUMN}}},                 /* no clock */
        {2, {{A_COLUMN}, {TIME_COLUMN}}},                   /* not first */
        {3, {{TIME_COLUMN}, {A_COLUMN}, {TIME_COLUMN}}},    /* twice */
        {3, {{TIME_COLUMN}, {A_COLUMN}, {A_COLUMN}}},       /* twice */
        {2, {{TIME_COLUMN}, {3, "1-0:1.8.77.255", 2, 0}}},  /* no such object */
        {2, {{TIME_COLUMN}, {1, "1-0:1.8.0.255", 2, 0}}},   /* nor of this class */
        {2, {{TIME_COLUMN}, {3, "1-0:1.8.0.255", 9, 0}}},   /* nor this attribute */
        {2, {{TIME_COLUMN}, {3, "1-0:1.8.0.255", 0, 0}}},   /* all of them */
        {2, {{TIME_COLUMN}, {3, "1-0:1.8.0.255", 3, 0}}},   /* a structure */
        {2, {{TIME_COLUMN}, {7, LP1, 2, 0}}},               /* a buffer */
        {2, {{TIME_COLUMN}, {3, "1-0:1.8.0.255", 2, 1}}},   /* a part */
        {2, {{TIME_COLUMN}, {15, "0-0:40.0.0.255", 7, 0}}}, /* a secret */
        {2, {{TIME_COLUMN}, {1, "0-0:43.1.0.255", 2, 0}}},  /* of an association */
    };
    static const struct column good[] = {{TIME_COLUMN}, {STATUS_COLUMN}, {A_COLUMN}};
    static struct sums was, is;
    struct column many[20];
    struct rig *r = rig_of("AD13A");
    sum_all(&r->meter, false, &was);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (set_columns(r, wrong[i].of, wrong[i].n) == COSEM_SUCCESS)
            fail_msg("columns %zu were taken", i);
    }
    many[0] = (struct column){TIME_COLUMN}; /* 17 values where there is room for 16 */
    for (size_t i = 0; i < 17; i++) {
        static const char *const of[] = {
            "1-0:1.8.0.255", "1-0:2.8.0.255", "1-0:3.8.0.255", "1-0:4.8.0.255", "1-0:5.8.0.255",
            "1-0:6.8.0.255", "1-0:7.8.0.255", "1-0:8.8.0.255", "1-0:9.8.0.255", "1-0:10.8.0.255",
            "1-0:1.8.1.255", "1-0:1.8.2.255", "1-0:1.8.3.255", "1-0:1.8.4.255", "1-0:1.8.5.255",
            "1-0:1.8.6.255", "1-0:2.8.1.255"};
        many[1 + i] = (struct column){3, of[i], 2, 0};
    }
    assert_int_equal(set_columns(r, many, 18), COSEM_OTHER_REASON);
    sum_all(&r->meter, false, &is);
    check_same(&was, &is, "wrong columns");
    assert_int_equal(set_columns(r, many, 17), COSEM_SUCCESS);
    assert_int_equal(set_columns(r, good, 3), COSEM_SUCCESS);
    assert_int_equal(look_uint(&r->meter, 7, LP2, 7), 0);
    rig_free(r);
}

/* ---- what is logged ---- */

static uint32_t n_entries(struct rig *r, const char *obis, uint8_t code)
{
    struct look l = {0};
    uint32_t n = 0;
    look_named(&r->meter, 7, obis, 2, true, &l);
    for (uint32_t i = 0; i < l.n; i++) {
        struct bytes e = look_element(&l, i);
        n += e.p[e.len - 1] == code; /* clock, code */
    }
    look_free(&l);
    return n;
}

/* Somebody with other keys, and a write under the seal: both are told; what is refused by rights or
 * form alone is not an event. */
static void attempts_are_logged_where_they_must(void **state)
{
    (void)state;
    struct rig *r = rig_of("SM307");
    struct apdu_attr period = rig_attr(7, LP1, 4), limit = rig_attr(1, "0-0:96.129.3.255", 2);
    static const uint8_t bad[] = {AXDR_U32, 0, 0, 0, 90}, good[] = {AXDR_U32, 0, 0, 0x07, 0x08};
    const uint8_t last = r->config.keys.gak[15];
    uint64_t trail = meter_audit_newest(&r->meter);
    assert_false(rig_set(r, &period, (struct bytes){bad, sizeof bad}));
    assert_int_equal(n_entries(r, "0-0:99.98.0.255", 47), 0);
    assert_true(rig_set(r, &period, (struct bytes){good, sizeof good}));
    assert_int_equal(n_entries(r, "0-0:99.98.0.255", 47), 1);
    assert_int_equal(n_entries(r, "0-0:99.98.0.255", 254), 1);
    static const uint8_t beyond[] = {AXDR_U32, 0xFF, 0, 0, 0};
    assert_false(rig_set(r, &limit, (struct bytes){beyond, sizeof beyond}));
    assert_true(meter_audit_newest(&r->meter) > trail); /* the attempt itself */
    rig_release(r);
    uint32_t before = n_entries(r, "0-0:99.98.1.255", 46) + n_entries(r, "0-0:99.98.1.255", 49);
    r->config.keys.gak[15] ^= 1;
    assert_false(rig_connect(r, METER_SAP_MANAGER));
    r->config.keys.gak[15] = last;
    assert_true(n_entries(r, "0-0:99.98.1.255", 46) + n_entries(r, "0-0:99.98.1.255", 49) > before);
    rig_free(r);
}

/* ---- in the wrong order ---- */

/* One APDU of the manager's; the result of the answer. */
static uint8_t say_plain(struct rig *r, const struct apdu_request *q)
{
    uint8_t octets[1200];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_response answer;
    apdu_put_request(&w, q);
    assert_int_equal(w.err, ERR_OK);
    session_apdu(&r->session, METER_SAP_MANAGER, 1, octets, w.len);
    struct bytes said = session_answer(&r->session);
    struct rd rd = rd_of(said.p, said.len);
    apdu_get_response(&rd, &answer);
    assert_int_equal(rd.err, ERR_OK);
    session_answered(&r->session);
    return answer.tag == DLMS_EXCEPTION_RESPONSE ? COSEM_OTHER_REASON : answer.result;
}

/* A block of the new length of the demand period, 1800 s; where the number says first, the first.
 */
static uint8_t say_block(struct rig *r, uint32_t number, bool first, bool last)
{
    static const uint8_t value[] = {AXDR_U32, 0, 0, 0x07, 0x08};
    struct apdu_request q = {.tag = DLMS_SET_REQUEST,
                             .type = first ? DLMS_SET_FIRST_BLOCK : DLMS_SET_BLOCK,
                             .invoke = 0xC1,
                             .target = rig_attr(5, "1-0:1.4.0.255", 8),
                             .last = last,
                             .block = number};
    q.data = first ? (struct bytes){value, 2} : (struct bytes){value + 2, sizeof value - 2};
    return say_plain(r, &q);
}

static void blocks_in_the_wrong_order_write_nothing(void **state)
{
    (void)state;
    static struct sums was, is;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4");
    struct apdu_request other = {.tag = DLMS_GET_REQUEST,
                                 .type = DLMS_GET_NORMAL,
                                 .invoke = 0xC1,
                                 .target = rig_attr(8, "0-0:1.0.0.255", 3)};
    r->meter.clients[1].security = r->security = 0; /* so that every octet can be ours */
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_not_equal(look_uint(&r->meter, 5, "1-0:1.4.0.255", 8), 1800);
    sum_all(&r->meter, false, &was);
    assert_int_equal(say_block(r, 2, false, true), COSEM_NO_LONG_SET_IN_PROGRESS);
    assert_int_equal(say_block(r, 2, true, false), COSEM_DATA_BLOCK_NUMBER_INVALID);
    assert_int_equal(say_block(r, 1, true, false), COSEM_SUCCESS);
    assert_int_equal(say_block(r, 3, false, true), COSEM_DATA_BLOCK_NUMBER_INVALID);
    assert_int_equal(say_block(r, 2, false, true), COSEM_NO_LONG_SET_IN_PROGRESS);
    assert_int_equal(say_block(r, 1, true, false), COSEM_SUCCESS);
    assert_int_equal(say_plain(r, &other), COSEM_SUCCESS); /* ends the transfer */
    assert_int_equal(say_block(r, 2, false, true), COSEM_NO_LONG_SET_IN_PROGRESS);
    assert_int_equal(say_block(r, 1, true, true), COSEM_TYPE_UNMATCHED); /* half a value */
    assert_int_equal(say_block(r, 1, true, false), COSEM_SUCCESS);
    assert_int_equal(say_block(r, 1, false, true), COSEM_DATA_BLOCK_NUMBER_INVALID);
    for (uint32_t n = 1; n <= 400; n++) { /* never ending */
        uint8_t result = say_block(r, n, n == 1, false);
        if (result == COSEM_LONG_SET_ABORTED)
            break;
        assert_int_equal(result, COSEM_SUCCESS);
        assert_true(n < 400);
    }
    sum_all(&r->meter, false, &is);
    check_same(&was, &is, "a write in the wrong order");
    assert_int_equal(say_block(r, 1, true, false), COSEM_SUCCESS); /* and in the right one */
    assert_int_equal(say_block(r, 2, false, true), COSEM_SUCCESS);
    assert_int_equal(look_uint(&r->meter, 5, "1-0:1.4.0.255", 8), 1800);
    rig_free(r);
}

/* ---- rows by entry and by range ---- */

static enum cosem_result get_entries(struct rig *r, uint32_t from, uint32_t to, uint16_t c_from,
                                     uint16_t c_to)
{
    struct apdu_attr a = rig_attr(7, "1-0:99.1.0.255", 2);
    uint8_t octets[40];
    struct wr w = wr_of(octets, sizeof octets);
    const struct profile_entries e = {from, to, c_from, c_to};
    profile_put_entries(&w, &e);
    a.selector = PROFILE_BY_ENTRY;
    a.parameter = (struct bytes){octets, w.len};
    (void)rig_get(r, &a);
    return r->result;
}

static enum cosem_result get_range(struct rig *r, uint8_t attribute, struct bytes from,
                                   struct bytes to)
{
    struct apdu_attr a = rig_attr(7, "1-0:99.1.0.255", 2);
    uint8_t octets[100];
    struct wr w = wr_of(octets, sizeof octets);
    struct profile_range p = {
        .by = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = attribute},
        .from = from,
        .to = to};
    profile_put_range(&w, &p);
    a.selector = PROFILE_BY_RANGE;
    a.parameter = (struct bytes){octets, w.len};
    (void)rig_get(r, &a);
    return r->result;
}

static size_t n_rows(const struct rig *r)
{
    struct rd rd = rd_of(r->answer, r->answer_len);
    return axdr_get_array(&rd);
}

static void selections_in_the_wrong_order_are_refused(void **state)
{
    (void)state;
    static const uint8_t early[] = {9, 12, 0x07, 0xEA, 6, 10, 0xFF, 0, 0, 0, 0, 0x80, 0, 0},
                         late[] = {9, 12, 0x07, 0xEA, 6, 11, 0xFF, 0, 0, 0, 0, 0x80, 0, 0},
                         none[] = {9, 12, 0x07, 0xEA, 2, 30, 0xFF, 25, 0, 0, 0, 0x80, 0, 0},
                         number[] = {6, 0, 0, 0, 1};
    const struct bytes from = {early, sizeof early}, to = {late, sizeof late};
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4");
    rig_live(r, 6 * 900);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_int_equal(get_entries(r, 1, 0, 1, 0), COSEM_SUCCESS);
    const size_t n = n_rows(r);
    assert_true(n >= 6);
    assert_int_equal(get_entries(r, 2, 4, 1, 2), COSEM_SUCCESS);
    assert_int_equal(n_rows(r), 3);
    assert_int_equal(get_entries(r, 0, 4, 1, 0), COSEM_OTHER_REASON);
    assert_int_equal(get_entries(r, 4, 2, 1, 0), COSEM_OTHER_REASON);
    assert_int_equal(get_entries(r, 1000, 0, 1, 0), COSEM_SUCCESS);
    assert_int_equal(n_rows(r), 0);
    assert_int_equal(get_range(r, 2, from, to), COSEM_SUCCESS);
    assert_int_equal(n_rows(r), n);
    assert_int_equal(get_range(r, 2, to, from), COSEM_SUCCESS); /* nothing lies between */
    assert_int_equal(n_rows(r), 0);
    assert_int_equal(get_range(r, 3, from, to), COSEM_OTHER_REASON);
    assert_int_equal(get_range(r, 2, (struct bytes){none, sizeof none}, to), COSEM_TYPE_UNMATCHED);
    assert_int_equal(get_range(r, 2, (struct bytes){number, sizeof number}, to),
                     COSEM_TYPE_UNMATCHED);
    rig_release(r);
    rig_free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_writes_of_every_client_change_nothing),
        cmocka_unit_test(values_beyond_the_model_are_refused),
        cmocka_unit_test(wrong_columns_are_refused),
        cmocka_unit_test(attempts_are_logged_where_they_must),
        cmocka_unit_test(blocks_in_the_wrong_order_write_nothing),
        cmocka_unit_test(selections_in_the_wrong_order_are_refused),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests_name("meter_refused", tests, NULL, NULL);
}
