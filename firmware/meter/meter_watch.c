/* See meter_watch.h. */
#include "firmware/meter/meter_store.h"

#include <string.h>

#define NS_PER_MS 1000000u
#define NS_PER_US 1000u

static void on_pulse(void *context, enum legal_led led, uint32_t at_q16)
{
    struct meter_watch *w = &((struct meter *)context)->watch;
    /* microhertz: q16 samples x 1e15 / rate, in two steps that fit */
    uint64_t us = w->rate_uhz > 0 ? ((uint64_t)at_q16 * 1000000 >> 16) * 1000000 / w->rate_uhz : 0;
    w->lit_ns[led] = w->lived_ns + us * NS_PER_US;
    if (w->pulse != NULL)
        w->pulse(w->pulse_context, led, at_q16);
}

/* What is ordinary where this meter hangs is no event unless the owner sets a limit: power that
 * flows back and is in registers of its own; and, where no current transformer can fail, phases of
 * a household that are loaded one at a time. */
static void fit_to_model(const struct meter *m, struct pq_config *c)
{
    if ((meter_features(m) & MODEL_EXPORT) != 0)
        c->limit[PQ_REVERSED_CURRENT].on_ppm = 0;
    if (!meter_model(m)->is_ct)
        c->limit[PQ_UNBALANCE_I].on_ppm = 0;
}

enum err meter_watch_init(struct meter *m)
{
    struct meter_watch *w = &m->watch;
    struct legal_config legal;
    struct pq_config config;
    legal_config_get(&m->legal, &legal);
    legal.un_mv = meter_model(m)->un_mv; /* of a phase: two elements' legal part knows U12 */
    pq_config_default(&config, &legal, meter_model(m)->imax_ma);
    config.phases_used = meter_model(m)->phases_used;
    fit_to_model(m, &config);
    w->lit_ns[LEGAL_LED_ACTIVE] = w->lit_ns[LEGAL_LED_REACTIVE] = UINT64_MAX;
    legal_pulse_observe(&m->legal, on_pulse, m);
    enum err err = pq_init(&w->pq, &config);
    if (!err)
        meter_limits_apply(m);
    return err;
}

/* ---- what is told to the logs ---- */

#define NONE MODEL_N_EVENTS
enum unit { MILLIVOLT, MICROAMPERE, MILLIWATT, PPM };

static const struct told {
    uint8_t begin, end; /* enum model_event, of L1; NONE: not told */
    bool by_phase;
    uint8_t unit; /* of the extreme */
} told[PQ_N_KINDS] = {
    [PQ_DIP] = {MODEL_EVENT_DIP_L1, NONE, true, MILLIVOLT},
    [PQ_SWELL] = {MODEL_EVENT_SWELL_L1, NONE, true, MILLIVOLT},
    [PQ_INTERRUPTION] = {MODEL_EVENT_INTERRUPTION, NONE, false, MILLIVOLT},
    [PQ_UNDER_VOLTAGE] = {MODEL_EVENT_UNDER_VOLTAGE_L1, MODEL_EVENT_VOLTAGE_NORMAL_L1, true,
                          MILLIVOLT},
    [PQ_OVER_VOLTAGE] = {MODEL_EVENT_OVER_VOLTAGE_L1, MODEL_EVENT_VOLTAGE_NORMAL_L1, true,
                         MILLIVOLT},
    [PQ_MISSING_POTENTIAL] = {MODEL_EVENT_POTENTIAL_L1, MODEL_EVENT_POTENTIAL_BACK_L1, true,
                              MILLIVOLT},
    [PQ_CURRENT_WITHOUT_VOLTAGE] = {MODEL_EVENT_NO_VOLTAGE_L1, MODEL_EVENT_NO_VOLTAGE_OVER_L1, true,
                                    MILLIVOLT},
    [PQ_REVERSED_CURRENT] = {MODEL_EVENT_REVERSED, MODEL_EVENT_REVERSED_OVER, false, MILLIWATT},
    [PQ_PHASE_SEQUENCE] = {MODEL_EVENT_SEQUENCE, MODEL_EVENT_SEQUENCE_RIGHT, false, PPM},
    [PQ_NEUTRAL_BREAK] = {MODEL_EVENT_NEUTRAL_MISSING, MODEL_EVENT_NEUTRAL_BACK, false, PPM},
    [PQ_BYPASS] = {MODEL_EVENT_BYPASS, MODEL_EVENT_BYPASS_OVER, false, PPM},
    [PQ_OVER_CURRENT] = {MODEL_EVENT_OVER_CURRENT_L1, MODEL_EVENT_CURRENT_NORMAL_L1, true,
                         MICROAMPERE},
    [PQ_UNBALANCE_U] = {MODEL_EVENT_ASYMMETRY, MODEL_EVENT_ASYMMETRY_OVER, false, PPM},
    [PQ_UNBALANCE_I] = {MODEL_EVENT_ASYMMETRY_CURRENT, MODEL_EVENT_ASYMMETRY_CURRENT_OVER, false,
                        PPM},
    [PQ_DISTORTED_INPUT] = {MODEL_EVENT_DISTORTED, MODEL_EVENT_DISTORTED_OVER, false, PPM},
};

const char *meter_event_unit(enum model_event e)
{
    static const char *const unit[] = {"mV", "uA", "mW", "ppm"};
    for (unsigned kind = 0; kind < PQ_N_KINDS && e < NONE; kind++) {
        const unsigned n = told[kind].by_phase ? LEGAL_N_PHASES : 1;
        if ((e >= told[kind].begin && e < told[kind].begin + n) ||
            (e >= told[kind].end && e < told[kind].end + n))
            return unit[told[kind].unit];
    }
    return "";
}

bool meter_watch_open(const struct meter *m, enum pq_kind kind, unsigned phase)
{
    return ((unsigned)m->watch.open[kind] >> phase & 1u) != 0;
}

static void tell_begin(struct meter *m, const struct pq_event *e, unsigned phase, uint32_t utc_s)
{
    const struct told *t = &told[e->kind];
    const enum model_event event = (enum model_event)(t->begin + (t->by_phase ? phase : 0));
    const bool first = t->by_phase || m->watch.open[e->kind] == 0;
    if (t->end != NONE && (!first || meter_event_wanted(m, event)))
        m->watch.open[e->kind] |= (uint8_t)(1u << phase);
    if (first)
        meter_event_value(m, event, utc_s, e->extreme);
}

static void tell_end(struct meter *m, const struct pq_event *e, unsigned phase, uint32_t utc_s)
{
    const struct told *t = &told[e->kind];
    const enum model_event event = (enum model_event)(t->end + (t->by_phase ? phase : 0));
    if (!meter_watch_open(m, (enum pq_kind)e->kind, phase))
        return;
    m->watch.open[e->kind] &= (uint8_t) ~(1u << phase);
    if (t->by_phase || m->watch.open[e->kind] == 0)
        meter_event_over(m, event, utc_s, e->extreme);
}

/* Events come with the time since the first sample; now the meter's clock is `ns` behind that. */
static void take_events(struct meter *m, uint64_t ns)
{
    struct meter_watch *w = &m->watch;
    struct pq_event e;
    while (pq_event_take(&w->pq, &e)) {
        uint64_t at_ns = (e.ended ? e.end_us : e.begin_us) * NS_PER_US;
        int64_t ago_ns = w->lived_ns > at_ns ? (int64_t)(w->lived_ns - at_ns) : 0;
        uint32_t utc_s = (uint32_t)((meter_clock_ns(&m->clock) + (int64_t)ns - ago_ns) / METER_NS);
        unsigned phases = e.phases != 0 ? e.phases : 1u;
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
            if ((phases >> p & 1u) == 0)
                continue;
            if (e.ended)
                tell_end(m, &e, p, utc_s);
            else
                tell_begin(m, &e, p, utc_s);
        }
    }
}

/* Faults of the meter itself rather than of what it measures. */
#define OWN_FAULTS (LEGAL_FAULT_STUCK | LEGAL_FAULT_MISSING | LEGAL_FAULT_RATE)

static void tell_faults(struct meter *m, uint32_t before)
{
    if ((before & OWN_FAULTS) == 0 && (m->watch.faults & OWN_FAULTS) != 0)
        meter_event_value(m, MODEL_EVENT_MEASUREMENT_ERROR, meter_now_s(m), m->watch.faults);
}

void meter_watch_before(struct meter *m, const struct afe_block *block)
{
    m->watch.rate_uhz = block->rate_uhz;
}

void meter_watch_after(struct meter *m, const struct afe_block *block)
{
    struct legal_wave wave;
    legal_wave_get(&m->legal, &wave);
    /* what legal_feed() took this takes, too */
    if (pq_feed(&m->watch.pq, block, &wave) != ERR_OK)
        m->fault = ERR_STATE;
}

/* Bits of meter_errors(). A connection of few phases leaves the others' channels as they are. */
static uint32_t faults_of(const struct meter *m, const struct legal_status *s)
{
    uint32_t used = meter_model(m)->phases_used != 0 ? meter_model(m)->phases_used : 7u, faults = 0;
    used = used << AFE_U1 | used << AFE_I1 | 1u << AFE_IN;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        if ((used >> c & 1u) != 0 && s->fault[c] != 0)
            faults |= s->fault[c] | 1u << (METER_ERROR_CHANNELS + c);
    }
    return faults;
}

/* A block may hold windows before and after new values, and the legal part's faults begin anew with
 * them: what only its counters tell counts, too. */
static void gather(struct legal_status *seen, const struct legal_status *now)
{
    if (now->windows == seen->windows)
        return;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        seen->fault[c] |= now->fault[c];
        seen->fault[c] |= now->clipped[c] != seen->clipped[c] ? LEGAL_FAULT_CLIP : 0;
        seen->fault[c] |= now->slew[c] != seen->slew[c] ? LEGAL_FAULT_SLEW : 0;
        seen->clipped[c] = now->clipped[c];
        seen->slew[c] = now->slew[c];
    }
    seen->windows = now->windows;
}

uint32_t meter_errors(const struct meter *m)
{
    return m->watch.faults | (m->fault ? METER_ERROR_FLASH : 0) |
           (m->nv.n_corrupt > 0 ? METER_ERROR_MEMORY : 0);
}

bool meter_watch_values(struct meter *m, uint64_t ns, struct legal_values *v, uint32_t *ms)
{
    struct meter_watch *w = &m->watch;
    w->lived_ns += ns;
    w->values_ns += ns;
    legal_values_get(&m->legal, v);
    struct legal_status status;
    legal_status_get(&m->legal, &status);
    gather(&w->seen, &status);
    bool is_new = v->sequence != w->values_sequence;
    if (is_new) {
        *ms = (uint32_t)(w->values_ns / NS_PER_MS); /* a minute at most: blocks and windows end */
        w->values_ns %= NS_PER_MS;
        w->values_sequence = v->sequence;
        const uint32_t before = w->faults;
        w->faults = faults_of(m, &w->seen);
        tell_faults(m, before);
        meter_outage_values(m, v, ns, *ms);
        pq_watch(&w->pq, v, &w->seen, *ms);
        memset(w->seen.fault, 0, sizeof w->seen.fault);
    }
    take_events(m, ns);
    return is_new;
}

uint32_t meter_present(const struct meter *m)
{
    return pq_present(&m->watch.pq);
}

const char *meter_event_name(uint8_t kind)
{
    static const char *const name[PQ_N_KINDS] = {
        [PQ_DIP] = "dip",
        [PQ_SWELL] = "swell",
        [PQ_INTERRUPTION] = "interruption",
        [PQ_UNDER_VOLTAGE] = "under-voltage",
        [PQ_OVER_VOLTAGE] = "over-voltage",
        [PQ_MISSING_POTENTIAL] = "missing potential",
        [PQ_CURRENT_WITHOUT_VOLTAGE] = "current without voltage",
        [PQ_REVERSED_CURRENT] = "reversed current",
        [PQ_PHASE_SEQUENCE] = "wrong phase sequence",
        [PQ_NEUTRAL_BREAK] = "neutral break",
        [PQ_BYPASS] = "bypass",
        [PQ_OVER_CURRENT] = "over-current",
        [PQ_UNBALANCE_U] = "voltage unbalance",
        [PQ_UNBALANCE_I] = "current unbalance",
        [PQ_DISTORTED_INPUT] = "distorted input",
    };
    return kind < PQ_N_KINDS && name[kind] != NULL ? name[kind] : "?";
}

uint64_t meter_pulses(const struct meter *m, enum legal_led led)
{
    struct legal_snapshot s;
    legal_snapshot_get(&m->legal, &s);
    return led == LEGAL_LED_ACTIVE ? s.pulses_active : s.pulses_reactive;
}

bool meter_led_lit(const struct meter *m, enum legal_led led)
{
    const struct meter_watch *w = &m->watch;
    uint64_t at = w->lit_ns[led];
    return at != UINT64_MAX && at <= w->lived_ns && w->lived_ns - at < METER_LED_NS;
}

void meter_pulse_observe(struct meter *m, legal_pulse_fn fn, void *context)
{
    m->watch.pulse = fn;
    m->watch.pulse_context = context;
}
