/* The meter of the cost image and the report of all it knows. */
#include "firmware/images/legal_cost/cost.h"

#define FNV_START UINT64_C(0xCBF29CE484222325)
#define FNV_PRIME UINT64_C(0x100000001B3)

static void hash(uint64_t *h, uint64_t value)
{
    for (unsigned k = 0; k < 8; k++, value >>= 8)
        *h = (*h ^ (value & 0xFF)) * FNV_PRIME;
}

static void on_window(void *context, const struct legal_window *w)
{
    struct cost_meter *m = context;
    uint64_t *h = &m->windows;
    hash(h, w->n_q16);
    hash(h, w->rate_uhz);
    hash(h, (uint64_t)w->frequency_uhz << 32 | w->flags);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const struct legal_window_phase *x = &w->phase[p];
        const int64_t all[] = {x->uu, x->ii, x->ui, x->u, x->i, x->u_re, x->u_im, x->i_re, x->i_im};
        for (unsigned k = 0; k < sizeof all / sizeof all[0]; k++)
            hash(h, (uint64_t)all[k]);
    }
    const int64_t neutral[] = {w->in_in, w->in_sum, w->in_re, w->in_im};
    for (unsigned k = 0; k < 4; k++)
        hash(h, (uint64_t)neutral[k]);
    for (unsigned k = 0; k < 6; k++)
        hash(h, (uint64_t)w->cross[k]);
    m->n_windows++;
}

static void on_pulse(void *context, enum legal_led led, uint32_t at_q16)
{
    struct cost_meter *m = context;
    hash(&m->pulses, (uint64_t)led << 32 | at_q16);
    m->n_pulses++;
}

static void calibrate(struct legal_calibration *c)
{
    c->reference_mc = 23000;
    for (int k = 0; k < AFE_N_CHANNELS; k++)
        c->channel[k] = (struct legal_channel_calibration){.gain_ppb = 1234567 - 345678 * k,
                                                           .delay_ns = 700 * k - 1500,
                                                           .drift_ppb_k = 9000 - 2000 * k,
                                                           .drift_ppt_k2 = 120,
                                                           .noise_q8 = 80000};
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        c->phase[p] = (struct legal_phase_calibration){.p_offset_q8 = 500 - 300 * p,
                                                       .q_offset_q8 = 100 * p,
                                                       .phase_drift_nrad_k = 50,
                                                       .n_ct = 3,
                                                       .ct = {{50000, 2500000, 1800000},
                                                              {1000000, 900000, 700000},
                                                              {20000000, -100000, 200000}}};
}

static struct legal_config config_of(const struct cost_case *c)
{
    struct legal_config l = {.n_phases = c->wiring == LEGAL_1P2W ? 1 : 3,
                             .wiring = c->wiring,
                             .f_nominal_mhz = 50000,
                             .un_mv = 230000,
                             .i_start_ua = 20000,
                             .pulse_per_kwh = 100000,
                             .n_rates = 4,
                             .without_thd = !c->with_thd,
                             .loss = {200000, 300000, 1000000, 800000}};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        l.u_lsb_fv[p] = UINT64_C(100000000000);
    for (unsigned p = 0; p <= LEGAL_N_PHASES; p++)
        l.i_lsb_fa[p] = UINT64_C(20000000000) + 1000 * p;
    for (unsigned k = 0; k < AFE_N_CHANNELS; k++)
        l.slew_limit[k] = 2000000;
    calibrate(&l.calibration);
    return l;
}

void cost_start(struct cost_meter *m, const struct cost_case *c, const struct legal_sums_ops *ops)
{
    struct legal_config config = config_of(c);
    m->what = c;
    m->windows = m->pulses = FNV_START;
    m->n_windows = m->n_pulses = 0;
    m->refused = legal_init(&m->legal, &config) != ERR_OK;
    m->refused |= legal_rate_set(&m->legal, 2) != ERR_OK;
    if (ops)
        m->legal.kernel.ops = ops; /* before the first sample: the wave's order is its own */
    legal_temperature_set(&m->legal, 31500);
    legal_observe(&m->legal, on_window, m);
    legal_pulse_observe(&m->legal, on_pulse, m);
}

void cost_feed(struct cost_meter *m, const struct cost_block *b)
{
    struct afe_block block = {.rate_uhz = m->what->rate * UINT64_C(1000000),
                              .n = m->what->rate / COST_BLOCKS_S,
                              .present = m->what->present};
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        block.sample[c] = b->x[c];
    m->refused |= legal_feed(&m->legal, &block) != ERR_OK;
}

/* --- report --------------------------------------------------------------------------------- */

static void put_energies(const struct legal_snapshot *s, cost_put put)
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        put("total", e, s->energy.total[e]);
        put("total_rest", e, s->total_rest[e]);
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
            put("phase", p * LEGAL_N_ENERGIES + e, s->energy.phase[p][e]);
            put("phase_rest", p * LEGAL_N_ENERGIES + e, s->phase_rest[p][e]);
        }
        for (unsigned r = 0; r < 4; r++)
            put("rate", r * LEGAL_N_ENERGIES + e, s->energy.rate[r][e]);
    }
    for (unsigned k = 0; k < LEGAL_N_LOSSES; k++) {
        put("loss", k, s->energy.loss[k]);
        put("loss_rest", k, s->loss_rest[k]);
    }
    put("pulses_active", 0, s->pulses_active);
    put("pulses_reactive", 0, s->pulses_reactive);
}

static void put_phase(const struct legal_phase_values *v, unsigned p, cost_put put)
{
    const int64_t all[] = {v->u_mv,
                           v->i_ua,
                           v->p_mw,
                           v->q_mvar,
                           (int64_t)v->s_mva,
                           v->pf_ppm,
                           v->phase_mdeg,
                           v->u_angle_mdeg,
                           v->thd_u_ppm,
                           v->thd_i_ppm,
                           v->u1_mv,
                           v->i1_ua,
                           (int64_t)v->fryze_mvar};
    for (unsigned k = 0; k < sizeof all / sizeof all[0]; k++)
        put("value", 100 * p + k, (uint64_t)all[k]);
}

static void put_values(const struct legal_values *v, cost_put put)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        put_phase(&v->phase[p], p, put);
        put("u_sequence", p, v->sequences.u_mv[p]);
        put("i_sequence", p, v->sequences.i_ua[p]);
    }
    const int64_t all[] = {v->sequence,
                           v->frequency_uhz,
                           v->p_mw,
                           v->q_mvar,
                           (int64_t)v->s_mva,
                           v->pf_ppm,
                           (int64_t)v->s_vector_mva,
                           (int64_t)v->fryze_mvar,
                           v->in_ua,
                           v->in_sum_ua,
                           v->i_diff_ua,
                           v->u2_ppm,
                           v->u0_ppm,
                           v->i2_ppm,
                           v->i0_ppm};
    for (unsigned k = 0; k < sizeof all / sizeof all[0]; k++)
        put("value", 300 + k, (uint64_t)all[k]);
}

static void put_status(const struct legal *l, cost_put put)
{
    struct legal_status s;
    struct legal_wave w;
    legal_status_get(l, &s);
    legal_wave_get(l, &w);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        put("fault", c, s.fault[c]);
        put("clipped", c, s.clipped[c]);
        put("slew", c, s.slew[c]);
    }
    put("windows", 0, s.windows);
    put("turn", 0, (uint64_t)w.turn << 32 | w.step);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        put("u_turn", p, w.u_turn[p]);
        put("u_lsb", p, w.u_lsb_fv[p]);
        put("u_dc", p, (uint64_t)(int64_t)w.u_dc[p]);
    }
}

void cost_report(const struct cost_meter *m, cost_put put)
{
    struct legal_snapshot s;
    struct legal_values v;
    legal_snapshot_get(&m->legal, &s);
    legal_values_get(&m->legal, &v);
    put("refused", 0, m->refused);
    put("windows_hash", m->n_windows, m->windows);
    put("pulses_hash", m->n_pulses, m->pulses);
    put_energies(&s, put);
    put_values(&v, put);
    put_status(&m->legal, put);
}
