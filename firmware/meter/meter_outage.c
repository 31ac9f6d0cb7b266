/* See meter_outage.h. */
#include "firmware/meter/meter_outage.h"

#include "firmware/meter/meter_field.h"
#include "firmware/meter/meter_store.h"
#include "firmware/meter/meter_tell.h"

#define PPM          1000000u
#define DEAD_PPM     50000u  /* of the voltage, where interruptions are not watched */
#define LINE_PPM     1732051 /* line voltage over phase voltage */
#define NS_PER_MS    1000000
#define PHASES_3WIRE 5u
#define PHASES_3     7u

uint32_t meter_outage_count(const struct meter *m, unsigned kind)
{
    return m->outage.count[kind % METER_N_OUTAGES];
}

uint32_t meter_outage_long(const struct meter *m, unsigned kind)
{
    return m->outage.n_long[kind % METER_N_OUTAGES];
}

uint32_t meter_outage_last_s(const struct meter *m, unsigned kind)
{
    return m->outage.last_long_s[kind % METER_N_OUTAGES];
}

uint32_t meter_outage_short(const struct meter *m)
{
    return m->outage.count[METER_OUTAGE_ALL] - m->outage.n_long[METER_OUTAGE_ALL];
}

uint32_t meter_outage_off_s(const struct meter *m)
{
    return m->outage.off_s;
}

enum err meter_outage_limits_set(struct meter *m, uint32_t long_s, uint32_t short_s)
{
    const uint32_t long_before_s = m->outage.long_s, short_before_s = m->outage.short_s;
    if (long_s == 0 || long_s > METER_LONG_OUTAGE_MAX_S || short_s > long_s)
        return ERR_RANGE;
    m->outage.long_s = long_s;
    m->outage.short_s = short_s;
    enum err err = meter_log_store(m);
    if (err) {
        m->outage.long_s = long_before_s;
        m->outage.short_s = short_before_s;
    }
    return err;
}

/* ---- begin and end ---- */

static uint32_t utc_of(const struct meter *m, int64_t crystal_ns)
{
    return (uint32_t)((crystal_ns + m->clock.offset_ns) / METER_NS);
}

/* `unknown`: the crystal stood still, nobody knows how long. */
static void end(struct meter *m, unsigned kind, int64_t at_ns, bool unknown)
{
    struct meter_outage *o = &m->outage;
    if (o->begin_ns[kind] == 0)
        return;
    const int64_t ns = at_ns - o->begin_ns[kind];
    /* 100 years at most: both are instants that a clock can show */
    const uint32_t duration_s = ns > 0 ? (uint32_t)(ns / METER_NS) : 0;
    o->begin_ns[kind] = 0;
    meter_tell_outage(m);
    if (kind == METER_OUTAGE_ALL)
        o->off_s += duration_s < UINT32_MAX - o->off_s ? duration_s : UINT32_MAX - o->off_s;
    if (duration_s < o->short_s && !unknown)
        return;
    o->count[kind]++;
    if (duration_s < o->long_s && !unknown)
        return;
    o->n_long[kind]++;
    o->last_long_s[kind] = duration_s;
    if (kind == METER_OUTAGE_ANY && meter_log_outage(m, utc_of(m, at_ns), duration_s))
        o->is_entered = true;
}

/* Outages of the kinds whose bits are set run from now on, the others are over. */
static void put(struct meter *m, unsigned kinds, int64_t at_ns, bool unknown)
{
    for (unsigned kind = 0; kind < METER_N_OUTAGES; kind++) {
        if ((kinds >> kind & 1u) == 0)
            end(m, kind, at_ns, unknown);
        else if (m->outage.begin_ns[kind] == 0)
            m->outage.begin_ns[kind] = at_ns;
    }
}

static unsigned phases_used(const struct meter *m)
{
    const struct model_meter *row = meter_model(m);
    if (row->phases_used != 0)
        return row->phases_used;
    return row->n_phases == 1 ? 1u : row->is_3wire ? PHASES_3WIRE : PHASES_3;
}

/* ---- power ---- */

#define OF_ALL (1u << METER_OUTAGE_ALL)
#define OF_ANY (1u << METER_OUTAGE_ANY)

void meter_outage_power_up(struct meter *m, int64_t off_ns)
{
    const int64_t now_ns = m->clock.base_ns;
    const bool unknown = now_ns == off_ns && (m->clock.doubt & DATETIME_INVALID) != 0;
    const unsigned live = phases_used(m) << METER_OUTAGE_L1 | OF_ANY;
    meter_event_now(m, MODEL_EVENT_POWER_UP);
    if (m->nv.n_corrupt > 0)
        meter_event_value(m, MODEL_EVENT_NV_ERROR, meter_now_s(m), m->nv.n_corrupt);
    put(m, live | OF_ALL, off_ns, false);
    put(m, unknown ? 0 : live, now_ns, unknown); /* the voltages will tell */
}

/* ---- voltages ---- */

static bool is_dead(const struct meter *m, uint32_t u_mv, bool was)
{
    struct pq_limit l;
    pq_limit_get(&m->watch.pq, PQ_INTERRUPTION, &l);
    if (l.on_ppm == 0)
        l.on_ppm = DEAD_PPM;
    const uint64_t un_mv = meter_model(m)->is_3wire
                               ? (uint64_t)meter_model(m)->un_mv * LINE_PPM / PPM
                               : meter_model(m)->un_mv;
    return (uint64_t)u_mv * PPM < un_mv * (l.on_ppm + (was ? l.hysteresis_ppm : 0));
}

static void tell_back(struct meter *m, unsigned phase, uint32_t utc_s)
{
    struct model_event_place place;
    if (model_event_place(m->model, MODEL_EVENT_PHASE_BACK_L1, &place))
        meter_event_phase(m, MODEL_EVENT_PHASE_BACK_L1, phase, utc_s);
    else if (!meter_watch_open(m, PQ_UNDER_VOLTAGE, phase)) /* its end is the same event */
        meter_event_phase(m, MODEL_EVENT_VOLTAGE_NORMAL_L1, phase, utc_s);
}

/* Phases that are lost, or back, while others live. */
static void tell_phases(struct meter *m, unsigned dead, uint32_t utc_s)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const unsigned bit = 1u << p;
        if ((dead & bit) != 0 && (m->outage.told & bit) == 0)
            meter_event_phase(m, MODEL_EVENT_PHASE_LOST_L1, p, utc_s);
        if ((dead & bit) == 0 && (m->outage.told & bit) != 0)
            tell_back(m, p, utc_s);
    }
    m->outage.told = (uint8_t)dead;
}

void meter_outage_values(struct meter *m, const struct legal_values *v, uint64_t ns, uint32_t ms)
{
    const unsigned used = phases_used(m);
    const int64_t at_ns = m->clock.base_ns + (int64_t)ns - (int64_t)ms * NS_PER_MS;
    unsigned dead = 0;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const bool was = m->outage.begin_ns[METER_OUTAGE_L1 + p] != 0;
        if (is_dead(m, v->phase[p].u_mv, was))
            dead |= 1u << p & used;
    }
    put(m, dead << METER_OUTAGE_L1 | (dead == used ? OF_ALL : 0) | (dead != 0 ? OF_ANY : 0), at_ns,
        false);
    if (dead != used)
        tell_phases(m, dead, utc_of(m, at_ns));
}

/* ---- snapshot ---- */

void meter_outage_state(const struct meter_io *io, struct meter_outage *o)
{
    static const struct meter_field of_kind[] = {
        METER_FIELD(meter_outage, count[0], 4), METER_FIELD(meter_outage, n_long[0], 4),
        METER_FIELD(meter_outage, last_long_s[0], 4), METER_FIELD(meter_outage, begin_ns[0], 8)};
    static const struct meter_field off_s = METER_FIELD(meter_outage, off_s, 4);
    meter_fields(io, o, of_kind, METER_N_FIELDS(of_kind), METER_N_OUTAGES);
    meter_fields(io, o, &off_s, 1, 1);
}
