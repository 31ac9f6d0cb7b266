/* The ledger: every window's energy goes into the registers, to the last unit.
 *
 * A window's energy is computed once per phase as a signed integer of 2^-32 register units (a
 * register counts micro-watt-hours) and added to the phase; the total gets the very same integers
 * by the rule of config.sum, so phases and total agree exactly. The remainder below one unit stays
 * in the book and survives a power cut with it. A rate's register gets the whole units by which the
 * total's register moved, so the rates sum up to the total always; the remainder is the total's.
 * Losses and LED pulses follow from the same window (legal_loss.c, legal_pulse.c).
 *
 * The total, from the phases' signed P and Q of the window:
 *   vector     sum of P and sum of Q, entered once by their signs;
 *   per phase  each phase entered by its own signs;
 *   absolute   each phase mirrored to import where P < 0 (then Q, too: QIII is QI seen from the
 *              other side, QII is QIV), then as per phase.
 * Apparent energy is the arithmetic sum in each case and goes where its P went. Two elements see
 * line voltages; sqrt(3)/2 makes their U x I the apparent energy of a balanced load.
 *
 * No-load: active and reactive power of a phase, each as the mean over a second, start to count at
 * 0.6 and stop at 0.4 of Un x Ist of their kind; what is below is discarded, not kept for later.
 * The single element of a three-wire connection says little (at PF 0.5 one of them shows nothing):
 * both are judged by half of their sum. Apparent energy counts while either kind does. At start the
 * mean is over the whole windows so far; the piece of cycles before them, whose sums may hold
 * direct components, counts where it brings as much as a second at the limit: for 5 A and 20 mA,
 * always. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define SECOND_Q16 65536
#define POWER_MAX  (INT64_C(1) << 60) /* microwatt; keeps differences in 64 bits */

enum { ACTIVE, REACTIVE };
struct share { /* of one phase in a window, 2^-32 register units */
    struct wide p, q, s;
};

/* --- gains ---------------------------------------------------------------------------------- */

/* lsb a x lsb b 1e-30 W x (1e6 / rate_uhz) s / 3.6e-3 J per register unit x 2^32; a square's unit
 * is 3.6e-3 A2s (V2s) as well. */
struct gain legal_energy_gain(uint64_t a, uint64_t b, uint64_t rate_uhz)
{
    struct gain g = legal_power_gain(a, b, 3600, rate_uhz);
    g.exp += 32;
    return g;
}

static void set_rate(struct legal_ledger *g, const struct legal_config *c, uint64_t rate_uhz)
{
    g->rate_uhz = rate_uhz;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        g->energy[p] = legal_energy_gain(c->u_lsb_fv[p], c->i_lsb_fa[p], rate_uhz);
    legal_loss_rate(&g->loss, c, rate_uhz);
}

/* 2^-32 units of 3.6e-3 J to microwatt: 3600 / seconds, where seconds are n_q16 2^-16 1e6 /
 * rate_uhz */
static void set_length(struct legal_ledger *g, const struct legal_window *w)
{
    uint64_t seconds_q16 = mul_div_u64(w->n_q16, 1000000, w->rate_uhz);
    g->n_q16 = w->n_q16;
    g->length_q16 = seconds_q16 > SECOND_Q16 ? SECOND_Q16 : (uint32_t)seconds_q16;
    g->power = gain_of(w->rate_uhz);
    gain_mul(&g->power, 3600);
    gain_div(&g->power, 1000000);
    gain_div(&g->power, w->n_q16);
    g->power.exp += 16 - 32;
}

static void set_window(struct legal_ledger *g, const struct legal_config *c,
                       const struct legal_window *w)
{
    bool same = g->rate_uhz == w->rate_uhz;
    if (!same)
        set_rate(g, c, w->rate_uhz);
    if (!same || g->n_q16 != w->n_q16)
        set_length(g, w);
}

void legal_ledger_config(struct legal *l)
{
    const struct legal_config *c = &l->config;
    struct legal_ledger *g = &l->ledger;
    uint32_t reactive = c->i_start_reactive_ua ? c->i_start_reactive_ua : c->i_start_ua;
    g->tenth_uw[ACTIVE] = (int64_t)((uint64_t)c->un_mv * c->i_start_ua / 10000);
    g->tenth_uw[REACTIVE] = (int64_t)((uint64_t)c->un_mv * reactive / 10000);
    g->rate_uhz = 0;
    if (g->book.rate >= c->n_rates)
        g->book.rate = 0;
    legal_pulse_weigh(l);
}

/* --- no-load -------------------------------------------------------------------------------- */

/* The weight of this window in the mean: of what there was since start, of a second at most. */
static void weigh(struct legal_ledger *g, const struct legal_window *w)
{
    g->piece = (w->flags & LEGAL_WINDOW_PARTIAL) && g->age_q16 < SECOND_Q16;
    if (g->piece)
        return;
    g->age_q16 += g->length_q16;
    if (g->age_q16 > SECOND_Q16)
        g->age_q16 = SECOND_Q16;
    g->weight_q16 = SECOND_Q16;
    if (g->age_q16)
        g->weight_q16 = (uint32_t)(((uint64_t)g->length_q16 << 16) / g->age_q16);
}

static int64_t power_of(const struct legal_ledger *g, const struct wide *energy)
{
    struct wide wide;
    gain_apply(&wide, &g->power, wide_narrow(energy));
    return legal_held(wide_narrow(&wide), POWER_MAX);
}

/* A piece of cycles tells little: as long as there is no mean yet it must bring by itself what a
 * second at the limit would. */
static bool piece_runs(const struct legal_ledger *g, unsigned kind, int64_t power)
{
    int64_t size = power < 0 ? -power : power;
    struct wide beyond = wide_mul(size, g->length_q16);
    wide_mul_sub(&beyond, g->tenth_uw[kind] * 6, SECOND_Q16);
    return wide_sign(&beyond) >= 0;
}

static bool runs(struct legal_ledger *g, unsigned p, unsigned kind, int64_t power)
{
    int64_t *mean = &g->mean_uw[p][kind];
    if (g->piece)
        return g->runs[p][kind] || piece_runs(g, kind, power);
    *mean += mul_sar(power - *mean, g->weight_q16, 16);
    int64_t size = *mean < 0 ? -*mean : *mean;
    g->runs[p][kind] = size >= g->tenth_uw[kind] * (g->runs[p][kind] ? 4 : 6);
    return g->runs[p][kind];
}

/* Of the two elements. */
static struct share half_of_both(const struct share share[LEGAL_N_PHASES])
{
    struct share both = share[0];
    wide_add(&both.p, &share[2].p);
    wide_add(&both.q, &share[2].q);
    wide_sar(&both.p, 1);
    wide_sar(&both.q, 1);
    return both;
}

static void discard(struct legal_ledger *g, const struct legal_config *c, uint32_t phases,
                    struct share share[LEGAL_N_PHASES])
{
    bool two = legal_wiring(c->wiring) == LEGAL_3P3W;
    struct share both = half_of_both(share);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(phases >> p & 1))
            continue;
        const struct share *judged = two ? &both : &share[p];
        bool active = runs(g, p, ACTIVE, power_of(g, &judged->p));
        bool reactive = runs(g, p, REACTIVE, power_of(g, &judged->q));
        if (!active)
            share[p].p = wide_of(0);
        if (!reactive)
            share[p].q = wide_of(0);
        if (!active && !reactive)
            share[p].s = wide_of(0);
    }
}

/* --- the book ------------------------------------------------------------------------------- */

void legal_book_add(uint64_t *unit, uint32_t *rest, const struct wide *energy)
{
    struct wide sum = {0, *rest};
    wide_add(&sum, energy);
    *rest = (uint32_t)sum.lo;
    *unit += (uint64_t)sum.hi << 32 | sum.lo >> 32;
}

static bool is_negative(const struct wide *a)
{
    return a->hi < 0;
}

static enum legal_energy quadrant(const struct share *s)
{
    bool export = is_negative(&s->p);
    if (is_negative(&s->q))
        return export ? LEGAL_R_QIII : LEGAL_R_QIV;
    return export ? LEGAL_R_QII : LEGAL_R_QI;
}

static void enter_size(uint64_t *unit, uint32_t *rest, struct wide energy)
{
    if (is_negative(&energy))
        wide_neg(&energy);
    legal_book_add(unit, rest, &energy);
}

static void enter(uint64_t *unit, uint32_t *rest, const struct share *s)
{
    bool export = is_negative(&s->p);
    enum legal_energy a = export ? LEGAL_A_EXPORT : LEGAL_A_IMPORT;
    enum legal_energy va = export ? LEGAL_S_EXPORT : LEGAL_S_IMPORT;
    enum legal_energy r = quadrant(s);
    enter_size(&unit[a], &rest[a], s->p);
    enter_size(&unit[r], &rest[r], s->q);
    legal_book_add(&unit[va], &rest[va], &s->s);
}

static void mirror(struct share *s)
{
    if (!is_negative(&s->p))
        return;
    wide_neg(&s->p);
    wide_neg(&s->q);
}

static struct share sum_of(const struct share share[LEGAL_N_PHASES])
{
    struct share sum = share[0];
    for (unsigned p = 1; p < LEGAL_N_PHASES; p++) {
        wide_add(&sum.p, &share[p].p);
        wide_add(&sum.q, &share[p].q);
        wide_add(&sum.s, &share[p].s);
    }
    return sum;
}

static void enter_total(struct legal_snapshot *b, enum legal_sum rule, const struct share *sum,
                        const struct share share[LEGAL_N_PHASES])
{
    if (rule == LEGAL_SUM_VECTOR) {
        enter(b->energy.total, b->total_rest, sum);
        return;
    }
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct share s = share[p];
        if (rule == LEGAL_SUM_ABSOLUTE)
            mirror(&s);
        enter(b->energy.total, b->total_rest, &s);
    }
}

static void enter_rate(struct legal_snapshot *b, const uint64_t before[LEGAL_N_ENERGIES])
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        b->energy.rate[b->rate][e] += b->energy.total[e] - before[e];
}

static void weigh_phase(struct share *s, const struct gain *g, const struct legal_clean *clean)
{
    gain_apply(&s->p, g, clean->ui);
    gain_apply(&s->q, g, clean->q);
    gain_apply(&s->s, g, clean->s);
}

void legal_ledger_add(struct legal_ledger *g, const struct legal_config *c,
                      const struct legal_window *w, const struct legal_clean clean[LEGAL_N_PHASES])
{
    struct legal_snapshot *b = &g->book;
    struct share share[LEGAL_N_PHASES] = {0};
    uint64_t before[LEGAL_N_ENERGIES];
    uint32_t phases = legal_wiring_phases(c->wiring);
    set_window(g, c, w);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (phases >> p & 1)
            weigh_phase(&share[p], &g->energy[p], &clean[p]);
    weigh(g, w);
    discard(g, c, phases, share);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        enter(b->energy.phase[p], b->phase_rest[p], &share[p]);
        if (legal_wiring(c->wiring) == LEGAL_3P3W) {
            share[p].s = wide_mul(wide_narrow(&share[p].s), SQRT3_2_Q30);
            wide_sar(&share[p].s, 30);
        }
    }
    struct share sum = sum_of(share);
    memcpy(before, b->energy.total, sizeof before);
    enter_total(b, c->sum, &sum, share);
    if (c->n_rates)
        enter_rate(b, before);
    bool export = c->sum != LEGAL_SUM_ABSOLUTE && is_negative(&sum.p);
    legal_loss_add(b, &g->loss, phases, clean, export);
    g->started = true;
}

/* --- rates and snapshot --------------------------------------------------------------------- */

enum err legal_rate_set(struct legal *l, uint8_t rate)
{
    if (rate >= l->config.n_rates)
        return ERR_RANGE;
    l->ledger.book.rate = rate;
    return ERR_OK;
}

void legal_energies_get(const struct legal *l, struct legal_energies *out)
{
    *out = l->ledger.book.energy;
}

void legal_snapshot_get(const struct legal *l, struct legal_snapshot *out)
{
    *out = l->ledger.book;
    out->pulses_active += l->pulses.led[LEGAL_LED_ACTIVE].left;
    out->pulses_reactive += l->pulses.led[LEGAL_LED_REACTIVE].left;
}

/* Rates without registers hold nothing; those with registers sum up to the total. */
static bool rates_agree(const struct legal_snapshot *s, uint8_t n_rates)
{
    if (s->rate >= (n_rates ? n_rates : 1))
        return false;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        uint64_t left = n_rates ? s->energy.total[e] : 0;
        for (unsigned r = 0; r < LEGAL_N_RATES; r++) {
            uint64_t part = s->energy.rate[r][e];
            if (part > (r < n_rates ? left : 0))
                return false;
            left -= part;
        }
        if (left)
            return false;
    }
    return true;
}

enum err legal_snapshot_set(struct legal *l, const struct legal_snapshot *in)
{
    if (l->ledger.started || l->rate_uhz)
        return ERR_STATE;
    if (!rates_agree(in, l->config.n_rates))
        return ERR_CORRUPT;
    l->ledger.book = *in;
    legal_pulse_weigh(l);
    return ERR_OK;
}
