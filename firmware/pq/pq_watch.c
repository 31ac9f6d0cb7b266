/* Supervision of installation and load, once per set of values (a second).
 *
 * One rule per kind: what is measured, per phase or for the whole connection, and whether too much
 * or too little of it is the fault. A rule may also say "not now": current without voltage needs a
 * current. Then the fault counts as not there.
 *
 *              beyond `on` for on_ms
 *      absent ----------------------> present       (begin: when it was beyond first)
 *         ^                              |
 *         '------------------------------'          (end: when it was back first)
 *          back by the hysteresis for off_ms
 *
 * A three-wire connection has no neutral and its elements no power of their own: no neutral break,
 * no bypass, and reversed current looks at the total. A three-phase meter used with fewer phases
 * (phases_used) has no symmetry to watch. Voltages that are missing are told as such and not, once
 * more, as a wrong sequence.
 *
 * It refuses to decide what to do about a fault. */
#include "firmware/pq/pq_parts.h"

#include <string.h>

#define PPM           1000000u
#define WELL_PPM      500000u /* voltages below half of Udin have no sequence worth judging */
#define LOADED_PPM    50000u  /* currents below 5 % of Imax have no balance worth judging */
#define LINE_WELL_PPM 100000u /* line voltages are well: positive sequence within 10 % of Udin */
#define LINE_U2_PPM   50000u  /* and hardly any negative one */

struct view {
    const struct pq *p;
    const struct legal_values *v;
    const struct legal_status *s;
};

/* --- measures: false for "not now" ----------------------------------------------------------- */

static uint32_t clip_u32(uint64_t a)
{
    return a >> 32 ? UINT32_MAX : (uint32_t)a;
}

static bool voltage(const struct view *w, unsigned phase, uint32_t *out)
{
    *out = w->v->phase[phase].u_mv;
    return true;
}

static bool voltage_with_current(const struct view *w, unsigned phase, uint32_t *out)
{
    *out = w->v->phase[phase].u_mv;
    return w->v->phase[phase].i_ua > w->p->config.ist_ua;
}

static bool current(const struct view *w, unsigned phase, uint32_t *out)
{
    *out = w->v->phase[phase].i_ua;
    return true;
}

/* Magnitude of the power that flows back, milliwatt. */
static bool power_back(const struct view *w, unsigned phase, uint32_t *out)
{
    bool total = legal_wiring(w->p->config.wiring) == LEGAL_3P3W;
    int64_t mw = total ? w->v->p_mw : w->v->phase[phase].p_mw;
    *out = mw < 0 ? clip_u32((uint64_t)-mw) : 0;
    return true;
}

static bool is_balanced_use(const struct pq *p)
{
    enum legal_wiring wiring = p->config.wiring;
    return legal_wiring(wiring) != LEGAL_1P2W && p->phases == legal_wiring_phases(wiring);
}

static bool all_voltages_well(const struct view *w)
{
    const struct pq_config *c = &w->p->config;
    uint64_t least = (uint64_t)c->un_mv * WELL_PPM / PPM;
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        if ((w->p->phases >> k & 1) && w->v->phase[k].u_mv < least)
            return false;
    return true;
}

static uint32_t over(uint32_t a, uint32_t b) /* a / b in ppm */
{
    return a == 0 ? 0 : b == 0 ? UINT32_MAX : clip_u32((uint64_t)a * PPM / b);
}

/* Negative over positive sequence: nearly nothing, and with two phases exchanged nearly infinite.
 */
static bool sequence(const struct view *w, unsigned phase, uint32_t *out)
{
    (void)phase;
    *out = over(w->v->sequences.u_mv[2], w->v->sequences.u_mv[1]);
    return is_balanced_use(w->p) && all_voltages_well(w);
}

/* The star point floats: the line voltages, which it does not move, are well. */
static bool zero_sequence(const struct view *w, unsigned phase, uint32_t *out)
{
    const struct pq_config *c = &w->p->config;
    uint64_t positive = w->v->sequences.u_mv[1], off = (uint64_t)c->un_mv * LINE_WELL_PPM / PPM;
    (void)phase;
    *out = w->v->u0_ppm;
    return legal_wiring(c->wiring) == LEGAL_3P4W && is_balanced_use(w->p) &&
           positive + off >= c->un_mv && positive <= c->un_mv + off && w->v->u2_ppm <= LINE_U2_PPM;
}

static bool unbalance_u(const struct view *w, unsigned phase, uint32_t *out)
{
    (void)phase;
    *out = w->v->u2_ppm;
    return is_balanced_use(w->p) && all_voltages_well(w);
}

static uint32_t largest_current(const struct view *w)
{
    uint32_t most = 0;
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        if ((w->p->phases >> k & 1) && w->v->phase[k].i_ua > most)
            most = w->v->phase[k].i_ua;
    return most;
}

static bool unbalance_i(const struct view *w, unsigned phase, uint32_t *out)
{
    uint64_t least = (uint64_t)w->p->config.imax_ma * LOADED_PPM / 1000;
    (void)phase;
    *out = w->v->i2_ppm;
    return is_balanced_use(w->p) && largest_current(w) >= least;
}

/* Over the largest current; a difference below i_diff_min_ua is an instrument's own. */
static bool difference(const struct view *w, unsigned phase, uint32_t *out)
{
    const struct pq_config *c = &w->p->config;
    uint32_t most = largest_current(w);
    (void)phase;
    *out = over(w->v->i_diff_ua, most > w->v->in_ua ? most : w->v->in_ua);
    return legal_wiring(c->wiring) != LEGAL_3P3W && w->v->i_diff_ua > c->i_diff_min_ua;
}

/* A million for a fault in a channel of the phase; the neutral's counts for phase 1. */
static bool distorted(const struct view *w, unsigned phase, uint32_t *out)
{
    const uint8_t *f = w->s->fault;
    uint32_t faults = f[AFE_U1 + phase] | f[AFE_I1 + phase];
    if (phase == 0 && legal_wiring(w->p->config.wiring) != LEGAL_3P3W)
        faults |= f[AFE_IN];
    *out = faults ? PPM : 0;
    return true;
}

/* --- rules ---------------------------------------------------------------------------------- */

enum base { BASE_U, BASE_I, BASE_P, BASE_RATIO };
static const struct rule {
    uint8_t kind; /* enum pq_kind */
    uint8_t base; /* enum base */
    bool below;   /* too little is the fault */
    bool whole;   /* of the connection, not of a phase */
    bool (*measure)(const struct view *w, unsigned phase, uint32_t *out);
} rules[] = {
    {PQ_UNDER_VOLTAGE, BASE_U, true, false, voltage},
    {PQ_OVER_VOLTAGE, BASE_U, false, false, voltage},
    {PQ_MISSING_POTENTIAL, BASE_U, true, false, voltage_with_current},
    {PQ_CURRENT_WITHOUT_VOLTAGE, BASE_U, true, false, voltage_with_current},
    {PQ_REVERSED_CURRENT, BASE_P, false, false, power_back},
    {PQ_PHASE_SEQUENCE, BASE_RATIO, false, true, sequence},
    {PQ_NEUTRAL_BREAK, BASE_RATIO, false, true, zero_sequence},
    {PQ_BYPASS, BASE_RATIO, false, true, difference},
    {PQ_OVER_CURRENT, BASE_I, false, false, current},
    {PQ_UNBALANCE_U, BASE_RATIO, false, true, unbalance_u},
    {PQ_UNBALANCE_I, BASE_RATIO, false, true, unbalance_i},
    {PQ_DISTORTED_INPUT, BASE_RATIO, false, false, distorted},
};
#define N_RULES (sizeof rules / sizeof *rules)
_Static_assert(N_RULES == PQ_N_KINDS - PQ_UNDER_VOLTAGE, "a rule for each kind");

/* A part of the base in the unit of the measure: mV, uA, mW, ppm. Out of line: its copies would be
 * larger than the calls. */
__attribute__((noinline)) static uint64_t level(const struct pq_config *c, uint8_t base,
                                                uint32_t ppm)
{
    uint64_t whole = base == BASE_U   ? c->un_mv
                     : base == BASE_I ? (uint64_t)c->imax_ma * 1000
                     : base == BASE_P ? (uint64_t)c->un_mv * c->imax_ma / 1000
                                      : PPM;
    return whole / PPM * ppm + whole % PPM * ppm / PPM;
}

static bool is_beyond(const struct rule *r, const struct pq_config *c, bool present, uint32_t value)
{
    const struct pq_limit *l = &c->limit[r->kind];
    uint64_t on = level(c, r->base, l->on_ppm);
    uint64_t h = present ? level(c, r->base, l->hysteresis_ppm) : 0;
    if (r->below)
        return value < on + h;
    return value > (on > h ? on - h : 0);
}

static bool whole_wiring_is_one(const struct pq *p, const struct rule *r)
{
    return r->whole ||
           (r->kind == PQ_REVERSED_CURRENT && legal_wiring(p->config.wiring) == LEGAL_3P3W);
}

static void report(struct pq *p, const struct rule *r, unsigned phase, bool ended)
{
    const struct pq_alarm *a = &p->alarm[r->kind][phase];
    struct pq_event e = {.kind = r->kind,
                         .phases = (uint8_t)(whole_wiring_is_one(p, r) ? 0 : 1u << phase),
                         .ended = ended,
                         .begin_us = a->begin_us,
                         .end_us = ended ? a->back_us : 0,
                         .extreme = a->extreme};
    pq_event_put(p, &e);
}

static void worsen(struct pq_alarm *a, const struct rule *r, uint32_t value)
{
    if (r->below ? value < a->extreme : value > a->extreme)
        a->extreme = value;
}

/* One rule, one phase, over the last `ms`. */
__attribute__((noinline)) static void judge(struct pq *p, const struct rule *r,
                                            const struct view *w, unsigned phase, uint32_t ms)
{
    struct pq_alarm *a = &p->alarm[r->kind][phase];
    const struct pq_limit *l = &p->config.limit[r->kind];
    uint64_t now_us = p->now_ns / 1000, since_us = ms * UINT64_C(1000);
    uint64_t start_us = now_us > since_us ? now_us - since_us : 0;
    uint32_t value = 0;
    bool now = l->on_ppm > 0 && r->measure(w, phase, &value);
    bool beyond = now && is_beyond(r, &p->config, a->active, value);
    if (beyond != a->active && a->passed_ms == 0) {
        *(beyond ? &a->begin_us : &a->back_us) = start_us;
        if (beyond)
            a->extreme = value;
    }
    if (beyond)
        worsen(a, r, value);
    if (beyond == a->active) { /* as it was: what had begun to change is forgotten */
        a->passed_ms = 0;
        return;
    }
    a->passed_ms = clip_u32((uint64_t)a->passed_ms + ms);
    if (a->passed_ms < (a->active ? l->off_ms : l->on_ms))
        return;
    a->passed_ms = 0;
    a->active = beyond;
    report(p, r, phase, !beyond);
}

void pq_watch(struct pq *p, const struct legal_values *v, const struct legal_status *s, uint32_t ms)
{
    struct view w = {p, v, s};
    if (!p->fed)
        p->now_ns += ms * UINT64_C(1000000);
    p->fed = false;
    for (size_t k = 0; k < N_RULES; k++) {
        const struct rule *r = &rules[k];
        for (unsigned phase = 0; phase < LEGAL_N_PHASES; phase++) {
            bool one = whole_wiring_is_one(p, r);
            if (one ? phase == 0 : p->phases >> phase & 1)
                judge(p, r, &w, phase, ms);
        }
    }
}

uint32_t pq_watch_present(const struct pq *p)
{
    uint32_t bits = 0;
    for (unsigned kind = PQ_UNDER_VOLTAGE; kind < PQ_N_KINDS; kind++)
        for (unsigned phase = 0; phase < LEGAL_N_PHASES; phase++)
            bits |= (uint32_t)p->alarm[kind][phase].active << kind;
    return bits;
}

/* --- defaults ------------------------------------------------------------------------------- */

/* As struct pq_limit, on and hysteresis in 0.01 %. */
static const struct {
    uint16_t on, hysteresis, on_ms, off_ms;
} defaults[PQ_N_KINDS] = {
    /* EN 50160, 3.x definitions: below 90 %, above 110 % of the declared voltage; 2 % hysteresis
     * is IEC 61000-4-30's own */
    [PQ_DIP] = {9000, 200, 0, 0},
    [PQ_SWELL] = {11000, 200, 0, 0},
    [PQ_INTERRUPTION] = {500, 200, 0, 0},
    /* The same borders, but slow: what a minute-long dip or swell is called. Ten seconds leave the
     * starting of a motor out. */
    [PQ_UNDER_VOLTAGE] = {9000, 100, 10000, 10000},
    [PQ_OVER_VOLTAGE] = {11000, 100, 10000, 10000},
    /* 45 %: below any voltage that the meter's range (0.8 or 0.7 Un) allows and below half, which a
     * phase shows through a load at its neighbour; 5 %: as an interruption */
    [PQ_MISSING_POTENTIAL] = {4500, 200, 3000, 3000},
    [PQ_CURRENT_WITHOUT_VOLTAGE] = {500, 200, 3000, 3000},
    [PQ_REVERSED_CURRENT] = {10, 5, 5000, 5000}, /* pq_config_default sets it from Ist */
    /* exchanged phases give infinity, a lost one 50 %, the worst supply 3 %: twice as much negative
     * as positive sequence is an exchange, and noise does not matter */
    [PQ_PHASE_SEQUENCE] = {20000, 10000, 3000, 3000},
    /* A sound neutral keeps u0 at 1 or 2 %; broken, single-phase loads of any real difference
     * move the star point by far more */
    [PQ_NEUTRAL_BREAK] = {1000, 200, 3000, 3000},
    /* two current channels of class 2 differ by 4 % at worst, and by leakage */
    [PQ_BYPASS] = {800, 200, 10000, 10000},
    [PQ_OVER_CURRENT] = {10500, 200, 10000, 10000}, /* thermal: above Imax and its errors */
    [PQ_UNBALANCE_U] = {200, 20, 60000, 60000},     /* EN 50160: 2 % negative sequence */
    [PQ_UNBALANCE_I] = {3000, 500, 60000, 60000},   /* one phase alone is 100 % */
    [PQ_DISTORTED_INPUT] = {5000, 0, 1000, 10000},  /* at once, and told once in a while */
};

void pq_config_default(struct pq_config *c, const struct legal_config *legal, uint32_t imax_ma)
{
    memset(c, 0, sizeof *c);
    c->n_phases = legal->n_phases;
    c->wiring = legal->wiring;
    c->f_nominal_mhz = legal->f_nominal_mhz;
    c->un_mv = legal->un_mv;
    if (legal_wiring(legal->wiring) == LEGAL_3P3W) /* elements see line voltages: sqrt(3) */
        c->un_mv = clip_u32((uint64_t)legal->un_mv * 1732051 / PPM);
    c->imax_ma = imax_ma;
    c->ist_ua = legal->i_start_ua;
    c->i_diff_min_ua = clip_u32((uint64_t)imax_ma * 5); /* 0.5 % of Imax */
    for (unsigned k = 0; k < PQ_N_KINDS; k++)
        c->limit[k] = (struct pq_limit){defaults[k].on * 100u, defaults[k].hysteresis * 100u,
                                        defaults[k].on_ms, defaults[k].off_ms};
    if (imax_ma) { /* twice the starting power; it ends at the starting power */
        uint32_t start_ppm = clip_u32((uint64_t)legal->i_start_ua * 1000 / imax_ma);
        if (start_ppm > PPM / 2) /* a starting current that is none: still a valid limit */
            start_ppm = PPM / 2;
        if (start_ppm > 0) {
            c->limit[PQ_REVERSED_CURRENT].on_ppm = 2 * start_ppm;
            c->limit[PQ_REVERSED_CURRENT].hysteresis_ppm = start_ppm;
        }
    }
}
