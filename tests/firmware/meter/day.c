/* See day.h. */
#include "tests/firmware/meter/day.h"

#include "firmware/meter/meter_energy.h"
#include "lib/base/crc.h"
#include "lib/cosem/obis.h"
#include "lib/crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-03-28T18:00:00"

/* ---- what is noted ---- */

/* Energies are judged by themselves; the clock's time goes on. */
static bool is_config(const struct cosem_ref *o, const struct cosem_attr *attr, uint8_t id)
{
    if (o->row->kind->class_id == 8 && id == 2)
        return false;
    return attr->is_static || (o->row->kind->rights->write[COSEM_MANAGER] >> (id - 1) & 1u) != 0;
}

uint32_t day_config(struct meter *m, uint32_t sums[DAY_CONFIG_MAX])
{
    struct cosem_ref o;
    uint32_t n = 0;
    for (uint32_t at = 0; cosem_next(&m->device, &at, &o);) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        if (!look_can(&o) ||
            (o.row->kind->class_id == 3 && o.row->kind->rights->write[COSEM_MANAGER] == 0))
            continue;
        for (uint8_t id = 2; id <= ic->n_attrs; id++) {
            struct look l = {0};
            if (!is_config(&o, &ic->attrs[id - 1], id))
                continue;
            assert_true(n < DAY_CONFIG_MAX);
            assert_int_equal(look_attr(m, &o, id, false, &l), COSEM_SUCCESS);
            sums[n++] = crc32_update(0, l.p, l.len);
            look_free(&l);
        }
    }
    return n;
}

static void add_row(struct day_buffer *b, struct bytes row)
{
    size_t start = b->rows.len;
    if (b->rows.n == b->rows_size) {
        b->rows_size = 2 * b->rows_size + 100;
        b->rows.end = realloc(b->rows.end, b->rows_size * sizeof *b->rows.end);
        assert_non_null(b->rows.end);
    }
    b->rows.p = realloc(b->rows.p, start + row.len + 1);
    assert_non_null(b->rows.p);
    memcpy(b->rows.p + start, row.p, row.len);
    b->rows.len = start + row.len;
    b->rows.end[b->rows.n++] = b->rows.len;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* Whether the rows seen from `from` on are the first of `now`. */
static bool joins(const struct day_buffer *b, uint32_t from, const struct look *now)
{
    for (uint32_t i = from; i < b->rows.n; i++) {
        if (i - from >= now->n || !same(look_element(&b->rows, i), look_element(now, i - from)))
            return false;
    }
    return true;
}

static void turn_round(struct look *l)
{
    struct look old = *l;
    l->p = malloc(l->len + 1);
    l->end = calloc(l->n + 1u, sizeof *l->end);
    assert_true(l->p != NULL && l->end != NULL);
    for (uint32_t i = 0; i < l->n; i++) {
        struct bytes row = look_element(&old, l->n - 1 - i);
        size_t start = i > 0 ? l->end[i - 1] : 0;
        memcpy(l->p + start, row.p, row.len);
        l->end[i] = start + row.len;
    }
    look_free(&old);
}

enum cosem_result day_rows(struct meter *m, const struct cosem_ref *o, struct look *out)
{
    static const uint8_t lifo[] = {AXDR_ENUM, 2};
    struct look order = {0};
    enum cosem_result result = look_attr(m, o, 2, true, out);
    if (result)
        return result;
    assert_int_equal(look_attr(m, o, 5, false, &order), COSEM_SUCCESS);
    if (order.len == sizeof lifo && memcmp(order.p, lifo, sizeof lifo) == 0)
        turn_round(out);
    look_free(&order);
    return result;
}

static struct day_span note_buffer(struct meter *m, struct day_buffer *b, uint32_t from)
{
    struct look now = {0};
    assert_int_equal(day_rows(m, &b->object, &now), COSEM_SUCCESS);
    while (from < b->rows.n && !joins(b, from, &now))
        from++;
    for (uint32_t i = b->rows.n - from; i < now.n; i++)
        add_row(b, look_element(&now, i));
    look_free(&now);
    return (struct day_span){from, b->rows.n};
}

/* What waits is written first, as before any answer: an entry that nobody could be told of may be
 * lost. So operations of a step are those before what it shows, and looking does none. */
static void note_step(struct day *d, const char *act)
{
    struct meter *m = &d->r->meter;
    struct day_step *s = &d->steps[d->n_steps], *before = s - (d->n_steps > 0);
    meter_log_flush(m);
    s->n_ops = d->journal.n_ops;
    s->crystal_ns = meter_crystal_ns(m);
    s->utc_s = meter_now_s(m);
    legal_energies_get(&m->legal, &s->truth);
    s->tx_next = m->server.tx.next;
    memcpy(s->floor, d->floor, sizeof s->floor);
    s->n_config = day_config(m, s->config);
    s->act = act;
    s->told = d->told;
    for (uint32_t i = 0; i < d->n_buffers; i++)
        s->span[i] = note_buffer(m, &d->buffer[i], before->span[i].from);
    assert_int_equal(d->journal.n_ops, s->n_ops);
    d->n_steps++;
}

static void note_op(void *context)
{
    struct day *d = context;
    struct legal_energies e;
    legal_energies_get(&d->r->meter.legal, &e);
    if (d->journal.n_ops == d->import_size) {
        d->import_size = 2 * d->import_size + 1000;
        d->import_uwh = realloc(d->import_uwh, d->import_size * sizeof *d->import_uwh);
        assert_non_null(d->import_uwh);
    }
    uint64_t before = d->journal.n_ops > 0 ? d->import_uwh[d->journal.n_ops - 1] : 0;
    uint64_t now = e.total[LEGAL_A_IMPORT]; /* while it starts it has none yet */
    d->import_uwh[d->journal.n_ops] = now > before ? now : before;
}

/* ---- what is done ---- */

/* The manager was answered: no request of its so far is fresh again. Of the registers it was told
 * nothing. */
static void answered(struct day *d)
{
    const struct meter *m = &d->r->meter;
    for (size_t i = 0; i < MODEL_N_CLIENTS; i++) {
        if (m->clients[i].sap == METER_SAP_MANAGER)
            d->floor[i] = d->r->counter.next;
    }
}

static void set(struct day *d, uint16_t class_id, const char *obis, uint8_t id, const void *value,
                size_t n)
{
    struct apdu_attr a = rig_attr(class_id, obis, id);
    assert_true(rig_connect(d->r, METER_SAP_MANAGER));
    if (!rig_set(d->r, &a, (struct bytes){value, n}))
        fail_msg("%s attribute %u: %s", obis, id, cosem_result_text(d->r->result));
    answered(d);
    rig_release(d->r);
}

static void set_u32(struct day *d, uint16_t class_id, const char *obis, uint8_t id, uint32_t value)
{
    uint8_t v[5];
    struct wr w = wr_of(v, sizeof v);
    axdr_put_u32(&w, value);
    set(d, class_id, obis, id, v, w.len);
}

static void call(struct day *d, uint16_t class_id, const char *obis, uint8_t id, const void *value,
                 size_t n)
{
    struct apdu_attr a = rig_attr(class_id, obis, id);
    static const uint8_t zero[] = {AXDR_I8, 0};
    a.parameter = n > 0 ? (struct bytes){value, n} : (struct bytes){zero, sizeof zero};
    assert_true(rig_connect(d->r, METER_SAP_MANAGER));
    if (!rig_call(d->r, &a))
        fail_msg("%s method %u: %s", obis, id, cosem_result_text(d->r->result));
    answered(d);
    rig_release(d->r);
}

static void call_plain(struct day *d, uint16_t class_id, const char *obis, uint8_t id)
{
    call(d, class_id, obis, id, NULL, 0);
}

static void set_time(struct day *d, const char *utc)
{
    struct datetime dt = datetime_from_utc(rig_time(utc), 0, 0);
    uint8_t v[20];
    struct wr w = wr_of(v, sizeof v);
    datetime_put(&w, &dt);
    set(d, 8, "0-0:1.0.0.255", 2, v, w.len);
}

static void transfer_key(struct day *d)
{
    uint8_t key[16], wrapped[24], v[64];
    struct wr w = wr_of(v, sizeof v);
    memset(key, 0x77, sizeof key);
    assert_int_equal(crypto_key_wrap(d->r->config.keys.kek, key, sizeof key, wrapped), ERR_OK);
    axdr_put_array(&w, 1);
    axdr_put_struct(&w, 2);
    axdr_put_enum(&w, 0);
    axdr_put_octets(&w, wrapped, sizeof wrapped);
    call(d, 64, "0-0:43.0.0.255", 2, v, w.len);
    memcpy(d->r->config.keys.guek, key, sizeof key);
}

/* Somebody without the password. */
static void knock(struct day *d)
{
    static const struct dlms_keys none = {.has_guek = true, .has_gak = true, .has_kek = true};
    struct dlms_keys own = d->r->config.keys;
    d->r->config.keys = none;
    assert_false(rig_connect(d->r, METER_SAP_MANAGER));
    d->r->config.keys = own;
    session_close(&d->r->session);
    cosem_client_end(&d->r->client);
}

static void warn(struct day *d)
{
    assert_int_equal(meter_power_fail(&d->r->meter), ERR_OK);
    legal_energies_get(&d->r->meter.legal, &d->told); /* nothing at all is lost */
}

/* It asks seldom: it is told the registers of this moment, all of which then stay. */
static void read_register(struct day *d)
{
    const struct meter *m = &d->r->meter;
    struct legal_energies now;
    legal_energies_get(&m->legal, &now);
    assert_int_equal(rig_value(d->r, 3, "1-0:1.8.0.255", 2),
                     meter_energy(m->model, &now, MODEL_A_IMPORT, 0));
    d->told = now;
}

#define LP1   "1-0:99.1.0.255"
#define LP2   "1-0:99.2.0.255"
#define LP3   "1-0:99.1.1.255"
#define CLOCK "0-0:1.0.0.255"

static void a_period(struct day *d)
{
    set_u32(d, 7, LP1, 4, 300);
}
static void a_period_back(struct day *d)
{
    set_u32(d, 7, LP1, 4, 900);
}
static void a_capture(struct day *d)
{
    call_plain(d, 7, LP1, 2);
}
static void a_clear(struct day *d)
{
    call_plain(d, 7, LP1, 1);
}
static void a_limit(struct day *d)
{
    set_u32(d, 1, "0-0:96.129.3.255", 2, 12345);
}
static void a_zone(struct day *d)
{
    static const uint8_t zone[] = {AXDR_I16, 0xFF, 0x88};
    set(d, 8, CLOCK, 3, zone, sizeof zone);
}
static void a_zone_back(struct day *d)
{
    static const uint8_t zone[] = {AXDR_I16, 0xFF, 0xC4};
    set(d, 8, CLOCK, 3, zone, sizeof zone);
}
static void a_shift(struct day *d)
{
    static const uint8_t by[] = {AXDR_I16, 0, 20};
    call(d, 8, CLOCK, 6, by, sizeof by);
}
static void a_preset(struct day *d)
{
    struct datetime dt = datetime_from_utc(rig_time("2026-03-29T05:00:00"), 0, 0);
    uint8_t v[60];
    struct wr w = wr_of(v, sizeof v);
    axdr_put_struct(&w, 3);
    datetime_put(&w, &dt);
    datetime_put(&w, &dt);
    datetime_put(&w, &dt);
    call(d, 8, CLOCK, 5, v, w.len);
}
static void a_dst_night(struct day *d)
{
    set_time(d, "2026-03-29T00:48:00");
}
static void a_month_end(struct day *d)
{
    set_time(d, "2026-03-31T21:53:00");
}
static void a_back(struct day *d)
{
    set_time(d, "2026-03-31T21:20:00");
}
static void a_autumn(struct day *d)
{
    set_time(d, "2026-10-25T00:49:00");
}
static void a_demand_period(struct day *d)
{
    set_u32(d, 5, "1-0:1.4.0.255", 8, 1800);
}
static void a_demand_next(struct day *d)
{
    call_plain(d, 5, "1-0:1.4.0.255", 2);
}
static void a_rate(struct day *d)
{
    static const uint8_t script[] = {AXDR_U16, 0, 2};
    call(d, 9, "0-0:10.0.100.255", 1, script, sizeof script);
}
static void a_unseal(struct day *d)
{
    assert_int_equal(meter_seal_set(&d->r->meter, false), ERR_OK);
}
static void a_seal(struct day *d)
{
    assert_int_equal(meter_seal_set(&d->r->meter, true), ERR_OK);
}

/* Two energies and a voltage, which no snapshot holds. */
static void a_columns(struct day *d)
{
    static const struct {
        uint16_t class_id;
        const char *obis;
    } of[] = {{8, CLOCK},
              {1, "0-0:96.10.2.255"},
              {3, "1-0:1.8.0.255"},
              {3, "1-0:32.7.0.255"},
              {3, "1-0:1.29.0.255"}};
    uint8_t v[200];
    struct wr w = wr_of(v, sizeof v);
    axdr_put_array(&w, 5);
    for (size_t i = 0; i < 5; i++) {
        struct profile_column c = {.class_id = of[i].class_id, .attribute = 2};
        assert_int_equal(obis_parse(of[i].obis, c.ln), ERR_OK);
        profile_put_column(&w, &c);
    }
    set(d, 7, LP2, 3, v, w.len);
}
static void a_smaller(struct day *d)
{
    set_u32(d, 7, LP3, 8, 20);
}
static void a_greater(struct day *d)
{
    set_u32(d, 7, LP1, 8, 60);
}
static void a_newest_first(struct day *d)
{
    static const uint8_t lifo[] = {AXDR_ENUM, 2};
    set(d, 7, LP2, 5, lifo, sizeof lifo);
}
static void a_log_clear(struct day *d)
{
    call_plain(d, 7, "0-0:99.98.0.255", 1);
}
static void a_outages_clear(struct day *d)
{
    call_plain(d, 7, "1-0:99.97.0.255", 1);
}
static void a_filter(struct day *d)
{
    static const uint8_t codes[] = {AXDR_OCTETS, 1, 47}; /* parameter changed */
    set(d, 1, "0-0:96.133.0.255", 2, codes, sizeof codes);
}

/* A number that is one more than it was. */
static void tweak(struct day *d, uint16_t class_id, const char *obis)
{
    struct look l = {0};
    look_named(&d->r->meter, class_id, obis, 2, false, &l);
    l.p[l.len - 1]++;
    set(d, class_id, obis, 2, l.p, l.len);
    look_free(&l);
}
static void a_shift_limit(struct day *d)
{
    tweak(d, 3, "1-0:0.9.11.255");
}
static void a_threshold(struct day *d)
{
    tweak(d, 3, "0-0:96.7.20.255");
}

/* Off for ten minutes, with a warning, and for one second without. */
static void a_gap(struct day *d)
{
    warn(d);
    assert_int_equal(rig_power_up(d->r, 600), ERR_OK);
}
static void a_blink(struct day *d)
{
    read_register(d);
    assert_int_equal(rig_power_up(d->r, 1), ERR_OK);
}

/* The script: minute, act; nothing happens in the others but that a client reads every tenth. */
static const struct {
    uint32_t minute;
    const char *what;
    void (*act)(struct day *d);
} script[] = {
    {3, "capture period", a_period},
    {5, "limit", a_limit},
    {7, "capture", a_capture},
    {9, "zone", a_zone},
    {12, "zone back", a_zone_back},
    {14, "preset time", a_preset},
    {16, "shift within the limit", a_shift},
    {18, "clock to the night of summer time", a_dst_night},
    {20, "columns", a_columns},
    {22, "fewer entries", a_smaller},
    {24, "more entries", a_greater},
    {25, "newest row first", a_newest_first},
    {26, "log emptied", a_log_clear},
    {28, "log filter", a_filter},
    {30, "shift limit", a_shift_limit},
    {31, "long outage", a_threshold},
    {33, "supply warns", warn},
    {34, "off for ten minutes", a_gap},
    {35, "no key", knock},
    {37, "demand period", a_demand_period},
    {39, "tariff", a_rate},
    {41, "seal opened", a_unseal},
    {43, "seal closed", a_seal},
    {45, "key transfer", transfer_key},
    {47, "capture period", a_period_back},
    {49, "clock to the end of the month", a_month_end},
    {53, "power failures emptied", a_outages_clear},
    {55, "off for a second", a_blink},
    {62, "clock back", a_back},
    {66, "profile emptied", a_clear},
    {70, "demand period ends", a_demand_next},
    {72, "clock to the night of winter time", a_autumn},
    {90, "supply warns", warn},
    {100, "capture", a_capture},
};

static const char *act(struct day *d, uint32_t minute)
{
    for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
        if (script[i].minute == minute) {
            script[i].act(d);
            return script[i].what;
        }
    }
    if (minute % 10 == 1) {
        read_register(d);
        return "read";
    }
    return "";
}

/* ---- the day ---- */

void day_row(const char *model, struct model_meter *out)
{
    *out = *model_meter_find(model);
    for (size_t i = 0; i < MODEL_N_PROFILES; i++) {
        if (out->profile[i].n_values > 0)
            out->profile[i].depth = 40;
    }
    for (size_t i = 0; i < MODEL_N_LOGS; i++) {
        if (out->log_depth[i] > 0)
            out->log_depth[i] = 30;
    }
}

/* Five entries to each log, from one event of it. */
static void fill_logs(struct rig *r)
{
    bool is_done[MODEL_N_LOGS] = {false};
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        struct model_event_place place;
        if (e == MODEL_EVENT_LOG_CLEARED || e == MODEL_EVENT_OUTAGES_CLEARED ||
            !model_event_place(r->meter.model, (enum model_event)e, &place) || is_done[place.log])
            continue;
        is_done[place.log] = true;
        for (unsigned n = 0; n < 5; n++)
            meter_event_over(&r->meter, (enum model_event)e, meter_now_s(&r->meter), n);
    }
}

/* Turns every ring round once, and the key-value area. */
static void prehistory(struct day *d)
{
    struct rig *r = d->r;
    for (uint32_t i = 0; i < 150; i++) {
        assert_int_equal(meter_clock_preset(&r->meter, 0, 0, -1), ERR_OK);
        assert_int_equal(
            meter_limit_set(&r->meter, METER_SAP_MANAGER, PQ_DIP, METER_LIMIT_ON, 800000 + i),
            ERR_OK);
        fill_logs(r);
        rig_live(r, 60);
        assert_int_equal(meter_profile_capture(&r->meter, MODEL_LP1), ERR_OK);
        assert_int_equal(meter_snapshot(&r->meter), ERR_OK);
    }
}

static void find_buffers(struct day *d)
{
    struct cosem_ref o;
    for (uint32_t at = 0; cosem_next(&d->r->meter.device, &at, &o);) {
        if (o.row->kind->class_id != 7)
            continue;
        assert_true(d->n_buffers < DAY_BUFFERS_MAX);
        d->buffer[d->n_buffers++].object = o;
    }
}

struct day *day_new(const char *model, uint32_t minutes, uint32_t n_ops)
{
    struct day *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->steps = calloc(minutes + 1, sizeof *d->steps);
    assert_non_null(d->steps);
    day_row(model, &d->row);
    d->r = rig_new_row(&d->row, START, DAY_LOAD);
    prehistory(d);
    journal_init(&d->journal, &d->r->emu);
    d->journal.seen = note_op;
    d->journal.context = d;
    d->r->config.flash = &d->journal.hal;
    assert_int_equal(rig_power_up(d->r, 1), ERR_OK);
    find_buffers(d);
    note_step(d, "power-up");
    for (uint32_t minute = 0; minute < minutes && d->journal.n_ops < n_ops; minute++) {
        rig_live(d->r, 60);
        note_step(d, act(d, minute));
    }
    return d;
}

void day_free(struct day *d)
{
    for (uint32_t i = 0; i < d->n_buffers; i++)
        look_free(&d->buffer[i].rows);
    rig_free(d->r);
    journal_free(&d->journal);
    free(d->steps);
    free(d->import_uwh);
    free(d);
}
