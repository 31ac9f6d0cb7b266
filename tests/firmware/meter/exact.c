/* See exact.h.
 *
 * One count of u times one of i in one sample is u_lsb x i_lsb x 1e-30 / 1024 Ws = 2^-22 uWh:
 * u_lsb i_lsb = 2^16 9 5^26 fV fA over 10^18 3600 1024 10^6 (the unit is 3.6e-3 J) leaves 2^-22. */
#include "tests/firmware/meter/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ    1024
#define UNITS      22                     /* 2^22 products of counts are a micro-watt-hour */
#define POW5_12    UINT64_C(244140625)    /* 5^12 */
#define U_LSB_230V (POW5_12 * 5 << 10)    /* 1.25 mV */
#define U_LSB_110V (POW5_12 * 9 << 9)     /* 1.125 mV */
#define I_LSB_230V (POW5_12 * 5 * 9 << 6) /* 0.7 mA */
#define I_LSB_110V (POW5_12 * 25 << 7)    /* 0.78 mA */
#define U_230V     (INT64_C(3) << 16)     /* counts: 245.8 V */
#define U_110V     (INT64_C(3) << 15)     /* 110.6 V */

static bool is_110v(const struct model_meter *m)
{
    return m->un_mv < 150000;
}

struct rig *exact_rig_row(const struct model_meter *row, const char *start)
{
    struct rig *r = rig_new_row(row, start, "synth:phases=3,u=230,i=1");
    meter_end(&r->meter);
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(row));
    r->config.u_lsb_fv = is_110v(row) ? U_LSB_110V : U_LSB_230V;
    r->config.i_lsb_fa = is_110v(row) ? I_LSB_110V : I_LSB_230V;
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    return r;
}

struct rig *exact_rig(const char *model, const char *start)
{
    return exact_rig_row(model_meter_find(model), start);
}

int64_t exact_least_uwh(const struct model_meter *m, uint32_t seconds)
{
    uint32_t ist_ua = m->ist_reactive_ua > m->ist_ua ? m->ist_reactive_ua : m->ist_ua;
    int64_t ist_uw = (int64_t)m->un_mv * ist_ua / 1000;
    return ist_uw * seconds / 3600 + EXACT_Q_STEP;
}

/* Nearly 0, -120 and 120 degrees: |turn| is 65 exactly, so u conj(i) has no square root in it. */
#define TURN 65
static const int8_t turn_re[EXACT_PHASES] = {65, -33, -33}, turn_im[EXACT_PHASES] = {0, 56, -56};

static struct legal_window_phase phase_of(struct exact_phase *x, int64_t seconds, int64_t u,
                                          unsigned p)
{
    x->q_uwh -= x->q_uwh % EXACT_Q_STEP;
    const int64_t sum =
        (x->p_uwh < 0 ? -x->p_uwh : x->p_uwh) + (x->q_uwh < 0 ? -x->q_uwh : x->q_uwh);
    const int64_t step = 3 * seconds, k = (sum + step - 1) / step;
    const int64_t n = seconds * RATE_HZ;
    /* u u0 = seconds 2^21, so that 65^2 u0 i0 2 / n is q 2^22 */
    const int64_t u0 = seconds << 21, re = x->p_uwh * 1024 / EXACT_Q_STEP,
                  im = x->q_uwh * 1024 / EXACT_Q_STEP;
    struct legal_window_phase w = {.uu = n * u * u};
    x->s_uwh = k * step;
    w.ui = x->p_uwh * (INT64_C(1) << UNITS);
    w.ii = u == U_230V ? 4 * seconds * k * k : 16 * seconds * k * k; /* (s 2^22)^2 / uu */
    w.u_re = u0 * turn_re[p];
    w.u_im = u0 * turn_im[p];
    w.i_re = re * turn_re[p] - im * turn_im[p];
    w.i_im = re * turn_im[p] + im * turn_re[p];
    return w;
}
_Static_assert(EXACT_Q_STEP == TURN * TURN, "what a reactive energy is a multiple of");

struct legal_window exact_window(const struct model_meter *m, struct exact_load *load)
{
    struct legal_window w = {.rate_uhz = RATE_HZ * UINT64_C(1000000),
                             .n_q16 = (uint64_t)load->seconds * RATE_HZ << 16,
                             .frequency_uhz = m->f_mhz * 1000u,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    for (unsigned p = 0; p < EXACT_PHASES; p++) {
        if (p >= m->n_phases) {
            load->phase[p] = (struct exact_phase){0};
            continue;
        }
        w.phase[p] = phase_of(&load->phase[p], load->seconds, is_110v(m) ? U_110V : U_230V, p);
    }
    return w;
}
