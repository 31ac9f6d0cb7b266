/* What a model's row means to the legal part. In one place, so that the meter, the bench and the
 * factory calibration configure the same instrument. */
#include "firmware/meter/meter.h"

/* A channel counts as torn when it moves within a sample by more than the greatest signal does from
 * peak to peak: no installation within its ratings makes that step, a phase-fired load makes half
 * of it at most. 2.83: twice the square root of two. Where the range ends before that, what wraps
 * in it moves by hardly less than all of it. */
static uint32_t slew_limit(uint64_t rms_milli, uint64_t lsb_femto)
{
    const uint64_t most = 2 * (uint64_t)AFE_FULL_SCALE / 16 * 15;
    uint64_t counts = lsb_femto > 0 ? rms_milli * 2828 * 1000000000 / lsb_femto : 0;
    return (uint32_t)(counts < most ? counts : most);
}

void meter_legal_config(const struct model_meter *m, uint64_t u_lsb_fv, uint64_t i_lsb_fa,
                        struct legal_config *out)
{
    m = model_row(m);
    enum legal_wiring wiring = m->is_3wire ? LEGAL_3P3W : LEGAL_3P4W;
    uint32_t un_mv = m->is_3wire ? (uint32_t)(m->un_mv * UINT64_C(1732051) / 1000000) : m->un_mv;
    uint64_t u_max_mv = un_mv * UINT64_C(1300) / 1000;
    *out = (struct legal_config){.n_phases = m->n_phases,
                                 .wiring = m->n_phases == 1 ? LEGAL_1P2W : wiring,
                                 .f_nominal_mhz = m->f_mhz,
                                 .un_mv = un_mv,
                                 .i_start_ua = m->ist_ua,
                                 .i_start_reactive_ua = m->ist_reactive_ua,
                                 .pulse_per_kwh = m->pulse_per_kwh,
                                 .pulse_per_kvarh = m->pulse_per_kwh,
                                 .n_rates = m->n_rates};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        out->u_lsb_fv[p] = u_lsb_fv;
        out->i_lsb_fa[p] = i_lsb_fa;
        out->slew_limit[AFE_U1 + p] = slew_limit(u_max_mv, u_lsb_fv);
        out->slew_limit[AFE_I1 + p] = slew_limit(m->imax_ma, i_lsb_fa);
    }
    out->i_lsb_fa[LEGAL_N_PHASES] = i_lsb_fa;
    out->slew_limit[AFE_IN] = out->slew_limit[AFE_I1];
}
