/* Where the tracked wave stands, for those who cut the samples by half cycles (legal_wave_get), and
 * the frequency of an average by the phases of its windows.
 *
 * A window's phasor is that of the wave which began with it, at the step of the window before; what
 * that wave ran beyond the whole cycles turned the phasor back by half, and the next window's wave
 * begins at the border, not there. So a voltage is ahead of the running wave by its phasor's angle
 * and half of what the former wave ran too far. It refuses to tell angles before a whole window was
 * seen since the lock.
 *
 * Borders are crossings behind a low-pass of one cycle or so: an interharmonic of 10 % at 75 Hz
 * moves them by half a millisecond, and the frequency between two of them, a second apart, by
 * 18 mHz. A phasor is a mean over ten cycles, which weakens what is 25 Hz off to a sixteenth. So
 * the frequency of an average is the slope of a straight line through the voltage's phases at the
 * middles of the windows, by least squares; the crossings have counted the whole turns between, so
 * a frequency that runs away loses none. The frequency by crossings is where the line is measured
 * from, and the result where windows were not whole. */
#include "firmware/legal/legal_parts.h"

#define QUARTER   (UINT32_C(1) << 30)
#define MDEG_TURN 360000
#define FIT_LEAST 3 /* windows */
#define NS        UINT64_C(1000000000)
#define UHZ_NS    (NS * 1000000) /* a microhertz is a turn in that many nanoseconds */

/* The phasor of cos(wt + a) has the angle a; a rising zero is a quarter turn before the crest. */
static uint32_t ahead(const struct legal_window_phase *w, int64_t beyond_q32)
{
    int64_t mdeg = atan2_mdeg(-w->u_im, w->u_re);
    return (uint32_t)(mdeg * (INT64_C(1) << 32) / MDEG_TURN + beyond_q32 / 2 + QUARTER);
}

void legal_wave_begin(struct legal *l)
{
    l->wave.n = 0;
    l->wave.end_ns = 0;
}

void legal_wave_lost(struct legal *l)
{
    l->wave.known = false;
    legal_wave_begin(l);
}

void legal_wave_keep(struct legal *l, const struct legal_window *w, int64_t beyond_q32)
{
    struct legal_last_wave *x = &l->wave;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        x->ahead[p] = ahead(&w->phase[p], beyond_q32);
    x->known = true;
    bool tracked = beyond_q32 < INT64_C(1) << 31 && beyond_q32 > -(INT64_C(1) << 31);
    if (!tracked || x->reference != l->tracker.ref || x->n == LEGAL_FIT_MAX)
        legal_wave_begin(l);
    if (!tracked) /* the phasor of another frequency tells no phase */
        return;
    uint32_t ns = (uint32_t)mul_div_u64(w->n_q16, 1000000 * NS, w->rate_uhz << 16);
    x->reference = l->tracker.ref;
    x->middle_ns[x->n] = x->end_ns + ns / 2;
    x->reference_turn[x->n++] = x->ahead[l->tracker.ref];
    x->end_ns += ns;
}

/* r are the phases against those of the frequency by crossings, and k - (n - 1) / 2 their times in
 * windows: sum of r (2 k - n + 1) x 6 / n (n^2 - 1) turns per window. */
uint32_t legal_wave_uhz(const struct legal *l, uint32_t by_crossings)
{
    const struct legal_last_wave *x = &l->wave;
    int64_t sum = 0;
    int32_t n = x->n;
    if (n < FIT_LEAST)
        return by_crossings;
    for (int32_t k = 0; k < n; k++) {
        uint64_t since_ns = x->middle_ns[k] - x->middle_ns[0];
        uint64_t turns_q32 = mul_div_u64(since_ns * by_crossings, UINT64_C(1) << 32, UHZ_NS);
        int64_t whole_q32 = (int64_t)(k * l->tracker.cycles_per_window) << 32;
        int64_t moved = (int32_t)(x->reference_turn[k] - x->reference_turn[0]);
        sum += (2 * k - n + 1) * (whole_q32 + moved - (int64_t)turns_q32);
    }
    uint32_t window_ns = (x->middle_ns[n - 1] - x->middle_ns[0]) / (uint32_t)(n - 1);
    int64_t per_window_q32 = sum * 6 / (n * (n * n - 1));
    return (uint32_t)(by_crossings +
                      mul_div_i64(per_window_q32, UHZ_NS / window_ns, UINT64_C(1) << 32));
}

void legal_wave_get(const struct legal *l, struct legal_wave *out)
{
    *out = (struct legal_wave){.locked = l->tracker.locked && l->wave.known,
                               .reference = l->tracker.ref,
                               .turn = legal_kernel_turn(&l->kernel),
                               .step = l->kernel.step};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        out->u_turn[p] = l->wave.ahead[p];
        out->u_lsb_fv[p] = legal_correct_u_lsb(l, p);
        out->u_dc[p] = (int32_t)(l->dc_q16[AFE_U1 + p] >> 16);
    }
}
