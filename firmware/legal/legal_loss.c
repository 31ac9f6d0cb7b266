/* Losses of the transformer and line between the meter and the billing point.
 *
 * Each window adds the phases' I^2 and U^2 over time, direct component removed and corrected; from
 * these sums follow OLA = RCu I2h, OLR = Xs I2h, NLA = U2h / RFe and NLR = U2h / Xm. With I2h in
 * 1e-6 A2h an ohm gives micro-watt-hours one to one. Every register carries its own rest, so that a
 * product is rounded once a window at 2^-32 of a unit.
 *
 * Two elements (3P3W) see neither the second current nor the phase voltages. Balanced, the three
 * squares of the currents are 3/2 of the two known ones, and those of the phase voltages half of
 * the two line voltages: these factors are taken, and unbalance is not told.
 *
 * There is no no-load limit here: iron losses are there whenever the voltage is. What it refuses: a
 * loss whose parameter is 0 is not counted. */
#include "firmware/legal/legal_parts.h"

/* a / d; 0 where d is. */
static struct gain quotient(uint64_t a, uint64_t d)
{
    struct gain g = gain_of(d ? a : 0);
    if (d)
        gain_div(&g, d);
    return g;
}

void legal_loss_rate(struct legal_loss_gains *g, const struct legal_config *c, uint64_t rate_uhz)
{
    bool two = legal_wiring(c->wiring) == LEGAL_3P3W;
    if (!legal_has(LEGAL_LOSSES))
        return;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        g->i2[p] = legal_energy_gain(c->i_lsb_fa[p], c->i_lsb_fa[p], rate_uhz);
        g->u2[p] = legal_energy_gain(c->u_lsb_fv[p], c->u_lsb_fv[p], rate_uhz);
        if (!two)
            continue;
        gain_mul(&g->i2[p], 3);
        gain_div(&g->i2[p], 2);
        gain_div(&g->u2[p], 2);
    }
    g->loss[0] = quotient(c->loss.r_cu_uohm, 1000000);
    g->loss[1] = quotient(1, c->loss.r_fe_ohm);
    g->loss[2] = quotient(c->loss.x_s_uohm, 1000000);
    g->loss[3] = quotient(1, c->loss.x_m_ohm);
}

/* A minute of voltages is beyond 64 bits: its halves one after the other. */
static struct wide apply(const struct gain *g, const struct wide *sum)
{
    struct gain upper = {g->mant, g->exp + 32};
    struct wide low, all;
    gain_apply(&low, g, (int64_t)(sum->lo & UINT32_MAX));
    gain_apply(&all, &upper, (int64_t)((uint64_t)sum->hi << 32 | sum->lo >> 32));
    wide_add(&all, &low);
    return all;
}

/* Adds v x g. */
static void add(struct wide *sum, const struct gain *g, int64_t v)
{
    struct wide part;
    gain_apply(&part, g, v);
    wide_add(sum, &part);
}

static void enter(struct legal_snapshot *b, unsigned to, const struct wide *energy)
{
    legal_book_add(&b->energy.loss[to], &b->loss_rest[to], energy);
}

void legal_loss_add(struct legal_snapshot *b, const struct legal_loss_gains *g, uint32_t phases,
                    const struct legal_clean clean[LEGAL_N_PHASES], bool export)
{
    struct wide i2 = wide_of(0), u2 = wide_of(0);
    if (!legal_has(LEGAL_LOSSES))
        return;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(phases >> p & 1))
            continue;
        add(&i2, &g->i2[p], clean[p].ii);
        add(&u2, &g->u2[p], clean[p].uu);
    }
    enter(b, LEGAL_I2T, &i2);
    enter(b, LEGAL_U2T, &u2);
    for (unsigned k = 0; k < 4; k++) { /* on load by the current, at no load by the voltage */
        struct wide loss = apply(&g->loss[k], k % 2 ? &u2 : &i2);
        enter(b, LEGAL_OLA_IMPORT + 2 * k + export, &loss);
    }
}
