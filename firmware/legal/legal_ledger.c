/* The ledger: every window's energy goes into the registers, to the last unit.
 *
 * A window's energy is computed once per phase as a signed integer of 2^-32 register units (a
 * register counts micro-watt-hours) and added to the phase; the total gets the sum of the very same
 * integers, so phases and total agree exactly. The remainder below one unit stays in the book and
 * survives a power cut with it. LED pulses follow from the registers by floor(energy x constant),
 * so they never drift apart.
 *
 * No-load: active and reactive power of a phase, each smoothed over a second, start to count at 0.6
 * and stop at 0.4 of Un x Ist; what is below is discarded, not kept for later. Apparent energy
 * counts while either does. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define UNITS_PER_KWH 1000000000
#define SQRT3_2_Q30   INT64_C(929887697)

struct share { /* of one phase in a window, 2^-32 register units */
    struct wide p, q, s;
};

void legal_ledger_init(struct legal_ledger *g, const struct legal_config *c)
{
    memset(g, 0, sizeof *g);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct gain lsb = gain_mul(gain_of(c->u_lsb_fv[p]), c->i_lsb_fa[p]);
        g->power[p] = gain_div(gain_div(lsb, UINT64_C(1000000000000000000)), 1000000);
    }
    g->threshold_uw = (int64_t)mul_div_u64(c->un_mv, c->i_start_ua, 1000);
}

/* lsb_u lsb_i 1e-30 W x (1e6 / rate_uhz) s / 3.6e-3 J per register unit x 2^32 */
static void set_rate(struct legal_ledger *g, const struct legal_config *c, uint64_t rate_uhz)
{
    if (g->rate_uhz == rate_uhz)
        return;
    g->rate_uhz = rate_uhz;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct gain lsb = gain_mul(gain_of(c->u_lsb_fv[p]), c->i_lsb_fa[p]);
        lsb = gain_div(gain_div(lsb, UINT64_C(1000000000000000000)), 3600);
        g->energy[p] = gain_div(lsb, rate_uhz);
        g->energy[p].exp += 32;
    }
}

/* --- no-load -------------------------------------------------------------------------------- */

/* The mean moves towards the window's power by its share of a second. */
static bool runs(struct legal_ledger *g, unsigned p, unsigned kind, int64_t sum,
                 const struct legal_window *w)
{
    struct gain per_sample = gain_div(g->power[p], w->n_q16);
    per_sample.exp += 16;
    int64_t power = wide_narrow(gain_apply(per_sample, sum)), *mean = &g->mean_uw[p][kind];
    uint64_t weight = mul_div_u64(w->n_q16, 1000000, w->rate_uhz);
    if (!g->started || weight > 65536)
        weight = 65536;
    *mean += mul_div_i64(power - *mean, weight, 65536);
    int64_t size = *mean < 0 ? -*mean : *mean;
    int64_t limit = g->threshold_uw / 10 * (g->runs[p][kind] ? 4 : 6);
    g->runs[p][kind] = size >= limit;
    return g->runs[p][kind];
}

static struct share share_of(struct legal_ledger *g, unsigned p, const struct legal_clean *c,
                             const struct legal_window *w)
{
    struct share s = {{0, 0}, {0, 0}, {0, 0}};
    bool active = runs(g, p, 0, c->ui, w), reactive = runs(g, p, 1, c->q, w);
    if (active)
        s.p = gain_apply(g->energy[p], c->ui);
    if (reactive)
        s.q = gain_apply(g->energy[p], c->q);
    if (active || reactive)
        s.s = gain_apply(g->energy[p], c->s);
    return s;
}

/* --- the book ------------------------------------------------------------------------------- */

static void add(uint64_t *unit, uint32_t *rest, struct wide energy)
{
    struct wide sum = wide_add(energy, (struct wide){0, *rest});
    *rest = (uint32_t)sum.lo;
    *unit += (uint64_t)sum.hi << 32 | sum.lo >> 32;
}

static enum legal_energy quadrant(const struct share *s)
{
    bool export = wide_sign(s->p) < 0;
    if (wide_sign(s->q) < 0)
        return export ? LEGAL_R_QIII : LEGAL_R_QIV;
    return export ? LEGAL_R_QII : LEGAL_R_QI;
}

static void enter(uint64_t *unit, uint32_t *rest, const struct share *s)
{
    bool export = wide_sign(s->p) < 0;
    enum legal_energy a = export ? LEGAL_A_EXPORT : LEGAL_A_IMPORT;
    enum legal_energy va = export ? LEGAL_S_EXPORT : LEGAL_S_IMPORT;
    enum legal_energy r = quadrant(s);
    add(&unit[a], &rest[a], wide_abs(s->p));
    add(&unit[r], &rest[r], wide_abs(s->q));
    add(&unit[va], &rest[va], s->s);
}

/* floor(energy x constant) over registers first..last of the total, remainders included. */
static uint64_t pulses(const struct legal_snapshot *b, unsigned first, unsigned last, uint32_t k)
{
    uint64_t units = 0, rest = 0;
    for (unsigned e = first; e <= last; e++) {
        units += b->energy.total[e];
        rest += b->total_rest[e];
    }
    return mul_div_u64(units + (rest >> 32), k, UNITS_PER_KWH);
}

void legal_ledger_add(struct legal_ledger *g, const struct legal_config *c,
                      const struct legal_window *w, const struct legal_clean clean[LEGAL_N_PHASES])
{
    struct legal_snapshot *b = &g->book;
    struct share total = {{0, 0}, {0, 0}, {0, 0}};
    uint64_t active = pulses(b, LEGAL_A_IMPORT, LEGAL_A_EXPORT, c->pulse_per_kwh);
    uint64_t reactive = pulses(b, LEGAL_R_QI, LEGAL_R_QIV, c->pulse_per_kwh);
    set_rate(g, c, w->rate_uhz);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(legal_phases(c) >> p & 1))
            continue;
        struct share s = share_of(g, p, &clean[p], w);
        enter(b->energy.phase[p], b->phase_rest[p], &s);
        total.p = wide_add(total.p, s.p);
        total.q = wide_add(total.q, s.q);
        total.s = wide_add(total.s, s.s);
    }
    if (c->wiring == LEGAL_3P3W) /* see legal_values.c */
        total.s = wide_sar(wide_mul(wide_narrow(total.s), SQRT3_2_Q30), 30);
    enter(b->energy.total, b->total_rest, &total);
    b->pulses_active += pulses(b, LEGAL_A_IMPORT, LEGAL_A_EXPORT, c->pulse_per_kwh) - active;
    b->pulses_reactive += pulses(b, LEGAL_R_QI, LEGAL_R_QIV, c->pulse_per_kwh) - reactive;
    g->started = true;
}

void legal_energies_get(const struct legal *l, struct legal_energies *out)
{
    *out = l->ledger.book.energy;
}

void legal_snapshot_get(const struct legal *l, struct legal_snapshot *out)
{
    *out = l->ledger.book;
}

enum err legal_snapshot_set(struct legal *l, const struct legal_snapshot *in)
{
    if (l->ledger.started || l->rate_uhz)
        return ERR_STATE;
    l->ledger.book = *in;
    return ERR_OK;
}
