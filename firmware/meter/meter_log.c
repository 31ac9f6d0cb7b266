/* See meter_log.h. */
#include "firmware/meter/meter_log.h"

#include "firmware/meter/meter_field.h"
#include "firmware/meter/meter_store.h"

#include <string.h>

#define HOUR_NS      (3600 * METER_NS)
#define HOURS_A_DAY  24
#define ALL_BACK_H   (METER_LOG_BURST * HOURS_A_DAY) /* after which all have their room */
#define TOLD         0x80u                           /* of meter_log.left[] */
#define LEFT         0x7Fu
#define OUTAGES      MODEL_N_EVENTS
#define NEWEST_TRIES 16 /* damaged newest records looked past */

/* ---- records ---- */

#define F(member, n) METER_FIELD(meter_log_queued, member, n)
static const struct meter_field fields[] = {
    F(log, 1), /* in the snapshot, not in a ring */
    F(e.number, 4), F(e.utc_s, 4), F(e.deviation, 2), F(e.clock_status, 1),
    F(e.code, 1),   F(e.extra, 4),
};
#undef F

static void entry(const struct meter_io *io, struct meter_log_queued *q)
{
    meter_fields(io, q, fields + 1, METER_N_FIELDS(fields) - 1, 1);
}

static bool exists(const struct meter *m, unsigned log)
{
    return log < MODEL_N_LOGS && meter_model(m)->log_depth[log] > 0;
}

uint32_t meter_log_count(const struct meter *m, unsigned log)
{
    if (!exists(m, log))
        return 0;
    uint32_t n = nv_count(&m->nv, meter_log_ring(m->model, log));
    return n < meter_model(m)->log_depth[log] ? n : meter_model(m)->log_depth[log];
}

uint64_t meter_log_newest(const struct meter *m, unsigned log)
{
    return exists(m, log) ? nv_newest(&m->nv, meter_log_ring(m->model, log)) : 0;
}

enum err meter_log_read(const struct meter *m, unsigned log, uint64_t seq,
                        struct meter_log_entry *out)
{
    uint8_t octets[METER_LOG_ENTRY_SIZE];
    if (!exists(m, log))
        return ERR_NOT_FOUND;
    enum err err = nv_read(&m->nv, meter_log_ring(m->model, log), seq, octets);
    if (err)
        return err;
    struct rd r = rd_of(octets, sizeof octets);
    struct meter_log_queued q;
    entry(&(struct meter_io){.r = &r}, &q);
    *out = q.e;
    return ERR_OK;
}

/* The newest one that can be read. */
static bool read_newest(const struct meter *m, unsigned log, struct meter_log_entry *out)
{
    uint64_t newest = meter_log_newest(m, log);
    uint32_t n = meter_log_count(m, log);
    for (uint32_t i = 0; i < n && i < NEWEST_TRIES; i++) {
        if (meter_log_read(m, log, newest - i, out) == ERR_OK)
            return true;
    }
    return false;
}

uint8_t meter_log_code(const struct meter *m, unsigned log)
{
    struct meter_log_entry e;
    return read_newest(m, log, &e) ? e.code : 0;
}

/* ---- the queue ---- */

static uint8_t code_of(const struct meter *m, enum model_event e)
{
    struct model_event_place place;
    return model_event_place(m->model, e, &place) ? place.code : 0;
}

/* The log that an entry empties before it is written; MODEL_N_LOGS: none. */
static unsigned clears(const struct meter *m, const struct meter_log_queued *q)
{
    if (q->log == MODEL_LOG_OUTAGE)
        return MODEL_N_LOGS;
    if (q->e.code == code_of(m, MODEL_EVENT_LOG_CLEARED))
        return q->log;
    return q->e.code == code_of(m, MODEL_EVENT_OUTAGES_CLEARED) ? MODEL_LOG_OUTAGE : MODEL_N_LOGS;
}

static enum err write_queued(struct meter *m, struct meter_log_queued *q)
{
    uint8_t octets[METER_LOG_ENTRY_SIZE];
    struct wr w = wr_of(octets, sizeof octets);
    const unsigned cleared = clears(m, q);
    enum err err = ERR_OK;
    entry(&(struct meter_io){.w = &w}, q);
    if (exists(m, cleared))
        err = nv_clear(&m->nv, meter_log_ring(m->model, cleared));
    if (!err)
        err = nv_append(&m->nv, meter_log_ring(m->model, q->log), octets);
    return err;
}

static void drop(struct meter_log *l, unsigned i)
{
    l->n_queued--;
    memmove(&l->queue[i], &l->queue[i + 1], (l->n_queued - i) * sizeof l->queue[0]);
    memset(&l->queue[l->n_queued], 0, sizeof l->queue[0]); /* as the snapshot has it */
}

/* A log whose flash fails does not keep the others from theirs: its entries stay queued, in their
 * order, or are given up where its ring is closed. Trying again may mean an erase of half a second,
 * so it waits. */
void meter_log_flush(struct meter *m)
{
    struct meter_log *l = &m->log;
    if (m->clock.base_ns >= l->retry_ns)
        l->failed = 0;
    for (unsigned i = 0; i < l->n_queued;) {
        const uint32_t log = 1u << l->queue[i].log;
        if ((l->failed & log) != 0) {
            i++;
            continue;
        }
        enum err err = write_queued(m, &l->queue[i]);
        m->fault = err ? err : m->fault;
        if (!err || err == ERR_STATE) {
            drop(l, i);
            continue;
        }
        l->failed |= log;
        l->retry_ns = m->clock.base_ns + METER_LOG_RETRY_S * METER_NS;
    }
}

static void enter(struct meter *m, struct model_event_place place, uint32_t utc_s, uint32_t extra)
{
    struct meter_log *l = &m->log;
    if (l->n_queued == METER_LOG_QUEUE)
        meter_log_flush(m);
    if (l->n_queued == METER_LOG_QUEUE)
        drop(l, 0); /* the flash fails: m->fault */
    struct meter_log_queued *q = &l->queue[l->n_queued++];
    q->log = place.log;
    q->e.number = l->next_number++;
    q->e.utc_s = utc_s;
    q->e.clock_status = meter_clock_stamp(&m->clock, utc_s, &q->e.deviation);
    q->e.code = place.code;
    q->e.extra = extra;
}

/* ---- which events are entered ---- */

static bool is_held(const struct meter *m, enum model_event e)
{
    return ((unsigned)m->log.held[e / 8] >> (e % 8) & 1u) != 0;
}

#define BIT(e) (1u << MODEL_EVENT_##e)
/* Anybody who reaches a port can cause these. */
#define FROM_LINE (BIT(ACCESS_REFUSED) | BIT(DECIPHER_FAILED) | BIT(REPLAY))
/* Those get room once a day only, and those that each power-up can bring. */
#define DAILY (FROM_LINE | BIT(POWER_DOWN) | BIT(POWER_UP) | BIT(CLOCK_INVALID) | BIT(NV_ERROR))

static bool is_one_of(unsigned e, uint32_t set)
{
    return e < 32 && (set >> e & 1u) != 0;
}

static uint8_t burst_of(unsigned e)
{
    return is_one_of(e, FROM_LINE) ? METER_LOG_LINE_BURST : METER_LOG_BURST;
}

/* Where an event goes; false: the model does not have it, or the owner's filter holds it. */
static bool place_of(const struct meter *m, enum model_event e, struct model_event_place *place)
{
    return model_event_place(m->model, e, place) && !is_held(m, e);
}

bool meter_event_wanted(const struct meter *m, enum model_event e)
{
    struct model_event_place place;
    return place_of(m, e, &place) && (m->log.left[e] & LEFT) > 0;
}

void meter_event_over(struct meter *m, enum model_event e, uint32_t utc_s, uint32_t extra)
{
    struct model_event_place place;
    if (place_of(m, e, &place))
        enter(m, place, utc_s, extra);
}

/* Whether there is room for an entry of kind k of left[]; tells the first that finds none, into
 * `log`, with the code of which one it is. */
static bool take_room(struct meter *m, unsigned k, uint32_t utc_s, struct model_event_place place)
{
    uint8_t *left = &m->log.left[k];
    if ((*left & LEFT) > 0) {
        (*left)--;
        return true;
    }
    const struct model_event_place note = {.log = place.log,
                                           .code = code_of(m, MODEL_EVENT_LEFT_OUT)};
    if ((*left & TOLD) == 0)
        enter(m, note, utc_s, place.code);
    *left |= TOLD;
    return false;
}

void meter_event_value(struct meter *m, enum model_event e, uint32_t utc_s, uint32_t extra)
{
    struct model_event_place place;
    if (place_of(m, e, &place) && take_room(m, e, utc_s, place))
        enter(m, place, utc_s, extra);
}

void meter_event(struct meter *m, enum model_event e, uint32_t utc_s)
{
    meter_event_value(m, e, utc_s, 0);
}

void meter_event_now(struct meter *m, enum model_event e)
{
    meter_event(m, e, meter_now_s(m));
}

void meter_event_phase(struct meter *m, enum model_event of_l1, unsigned phase, uint32_t utc_s)
{
    meter_event(m, (enum model_event)((unsigned)of_l1 + phase), utc_s);
}

bool meter_log_outage(struct meter *m, uint32_t utc_s, uint32_t duration_s)
{
    const struct model_event_place standard = {.log = MODEL_LOG_STANDARD};
    if (!exists(m, MODEL_LOG_OUTAGE) || !take_room(m, OUTAGES, utc_s, standard))
        return false;
    enter(m, (struct model_event_place){.log = MODEL_LOG_OUTAGE}, utc_s, duration_s);
    return true;
}

static void refill(struct meter_log *l, unsigned e)
{
    const uint8_t burst = burst_of(e);
    if ((l->left[e] & LEFT) + 1 < burst)
        l->left[e]++;
    else
        l->left[e] = burst; /* quiet again: not told any more */
}

static void pass_hour(struct meter_log *l)
{
    l->hours = (uint8_t)((l->hours + 1) % HOURS_A_DAY);
    for (unsigned e = 0; e <= OUTAGES; e++) {
        if (l->hours == 0 || !is_one_of(e, DAILY))
            refill(l, e);
    }
}

/* Hours without supply count, too. */
void meter_log_run(struct meter *m)
{
    struct meter_log *l = &m->log;
    for (unsigned h = 0; h < ALL_BACK_H && m->clock.base_ns >= l->refill_ns; h++) {
        l->refill_ns += HOUR_NS;
        pass_hour(l);
    }
    if (m->clock.base_ns >= l->refill_ns)
        l->refill_ns = m->clock.base_ns + HOUR_NS;
}

/* ---- clearing ---- */

enum err meter_log_clear(struct meter *m, unsigned log)
{
    if (!exists(m, log))
        return ERR_NOT_FOUND;
    meter_log_flush(m);
    const bool outages = log == MODEL_LOG_OUTAGE;
    const enum model_event e = outages ? MODEL_EVENT_OUTAGES_CLEARED : MODEL_EVENT_LOG_CLEARED;
    struct model_event_place place = {.log = (uint8_t)log, .code = code_of(m, e)};
    if (m->log.n_queued > 0 || (outages && !model_event_place(m->model, e, &place)))
        return ERR_IO;
    enter(m, place, meter_now_s(m), 0);
    enum err err = meter_snapshot(m); /* from here on it is decided */
    if (err) {
        drop(&m->log, 0);
        return err;
    }
    meter_log_flush(m);
    return m->log.n_queued > 0 ? ERR_IO : ERR_OK;
}

/* ---- filters ---- */

size_t meter_log_filter(const struct meter *m, unsigned log, uint8_t codes[METER_LOG_FILTER_MAX])
{
    size_t n = 0;
    for (unsigned code = 0; code <= UINT8_MAX && n < METER_LOG_FILTER_MAX; code++) {
        struct model_event_place place;
        enum model_event e = model_event_of(m->model, (uint8_t)code);
        if (e < MODEL_N_EVENTS && is_held(m, e) && model_event_place(m->model, e, &place) &&
            place.log == log)
            codes[n++] = (uint8_t)code;
    }
    return n;
}

#define FILTERS_FORMAT 1
#define FILTERS_SIZE   (1 + 8 + MODEL_N_LOGS * (2 + METER_LOG_FILTER_MAX))

enum err meter_log_store(struct meter *m)
{
    uint8_t buf[FILTERS_SIZE], codes[METER_LOG_FILTER_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, FILTERS_FORMAT);
    wr_u32(&w, m->outage.long_s);
    wr_u32(&w, m->outage.short_s);
    for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
        size_t n = meter_log_filter(m, log, codes);
        if (n == 0)
            continue;
        wr_u8(&w, (uint8_t)log);
        wr_u8(&w, (uint8_t)n);
        wr_bytes(&w, codes, n);
    }
    return meter_keep(m, meter_store_put(m, METER_KEY_LOGS, &w));
}

static bool may_be_held(const struct meter *m, enum model_event e, unsigned log)
{
    struct model_event_place place;
    return e < MODEL_N_EVENTS && e != MODEL_EVENT_LOG_CLEARED && e != MODEL_EVENT_LEFT_OUT &&
           e != MODEL_EVENT_OUTAGES_CLEARED && model_event_place(m->model, e, &place) &&
           place.log == log;
}

static void release(struct meter *m, unsigned log)
{
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        if (may_be_held(m, (enum model_event)e, log))
            m->log.held[e / 8] &= (uint8_t) ~(1u << (e % 8));
    }
}

/* Those that may be; false: not all of them may, or one was already. */
static bool hold(struct meter *m, unsigned log, struct bytes codes)
{
    bool all = true;
    for (size_t i = 0; i < codes.len; i++) {
        const enum model_event e = model_event_of(m->model, codes.p[i]);
        if (!may_be_held(m, e, log) || is_held(m, e))
            all = false;
        else
            m->log.held[e / 8] |= (uint8_t)(1u << (e % 8));
    }
    return all;
}

enum err meter_log_filter_set(struct meter *m, unsigned log, struct bytes codes)
{
    uint8_t before[sizeof m->log.held];
    if (!exists(m, log))
        return ERR_NOT_FOUND;
    if (codes.len > METER_LOG_FILTER_MAX)
        return ERR_RANGE;
    memcpy(before, m->log.held, sizeof before);
    release(m, log);
    enum err err = hold(m, log, codes) ? meter_log_store(m) : ERR_RANGE;
    if (err)
        memcpy(m->log.held, before, sizeof before);
    return err;
}

/* ---- power-up ---- */

enum err meter_log_load(struct meter *m)
{
    uint8_t buf[FILTERS_SIZE];
    struct rd r;
    m->log.next_number = 1;
    m->outage.long_s = meter_model(m)->long_outage_s;
    m->log.refill_ns = m->clock.base_ns + HOUR_NS;
    for (unsigned e = 0; e <= OUTAGES; e++)
        m->log.left[e] = burst_of(e);
    enum err err = meter_store_get(m, METER_KEY_LOGS, buf, sizeof buf, &r);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (rd_u8(&r) != FILTERS_FORMAT)
        return ERR_VERSION;
    m->outage.long_s = rd_u32(&r);
    m->outage.short_s = rd_u32(&r);
    while (rd_left(&r) > 0 && !r.err) {
        const unsigned log = rd_u8(&r);
        (void)hold(m, log, rd_bytes(&r, rd_u8(&r))); /* not in this version's map: forgotten */
    }
    return r.err ? ERR_CORRUPT : ERR_OK;
}

/* An entry that was written after the snapshot takes its room again. No event has code 0, which
 * outages have: OUTAGES. */
static void take_again(struct meter *m, const struct meter_log_entry *entry)
{
    const bool is_note = entry->code == code_of(m, MODEL_EVENT_LEFT_OUT);
    const uint8_t code = is_note ? (uint8_t)entry->extra : entry->code;
    uint8_t *left = &m->log.left[model_event_of(m->model, code)];
    if (is_note)
        *left |= TOLD;
    else if ((*left & LEFT) > 0)
        (*left)--;
}

/* Number of a log's newest entry; those from `from` on are newer than the snapshot. */
static uint32_t look_back(struct meter *m, unsigned log, uint32_t from)
{
    const uint64_t last = meter_log_newest(m, log);
    const uint32_t n = meter_log_count(m, log);
    struct meter_log_entry e = {.number = from};
    uint32_t newest = 0;
    for (uint32_t i = 0; i < n && e.number >= from; i++) {
        if (meter_log_read(m, log, last - i, &e) != ERR_OK)
            continue;
        newest = newest == 0 ? e.number : newest;
        if (e.number >= from)
            take_again(m, &e);
    }
    return newest;
}

void meter_log_start(struct meter *m)
{
    uint32_t newest[MODEL_N_LOGS];
    struct meter_log *l = &m->log;
    const uint32_t from = l->next_number;
    for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
        newest[log] = look_back(m, log, from);
        if (newest[log] >= l->next_number)
            l->next_number = newest[log] + 1;
    }
    for (unsigned i = 0; i < l->n_queued;) {
        if (l->queue[i].e.number <= newest[l->queue[i].log % MODEL_N_LOGS])
            drop(l, i);
        else
            i++;
    }
}

void meter_log_state(const struct meter_io *io, struct meter *m)
{
    static const struct meter_field head[] = {METER_FIELD(meter_log, next_number, 4),
                                              METER_FIELD(meter_log, n_queued, 1)};
    struct meter_log *l = &m->log;
    meter_fields(io, l, head, METER_N_FIELDS(head), 1);
    for (unsigned i = 0; i < METER_LOG_QUEUE; i++)
        meter_fields(io, &l->queue[i], fields, METER_N_FIELDS(fields), 1);
    meter_outage_state(io, &m->outage);
    if (io->r != NULL && l->n_queued > METER_LOG_QUEUE)
        io->r->err = ERR_CORRUPT;
}
