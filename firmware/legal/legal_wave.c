/* Where the tracked wave stands, for those who cut the samples by half cycles; see legal_wave_get.
 *
 * A window's phasor is that of the wave which began with it, at the step of the window before; what
 * that wave ran beyond the whole cycles turned the phasor back by half, and the next window's wave
 * begins at the border, not there. So a voltage is ahead of the running wave by its phasor's angle
 * and half of what the former wave ran too far. It refuses to tell angles before a whole window was
 * seen since the lock. */
#include "firmware/legal/legal_parts.h"

#define QUARTER   (UINT32_C(1) << 30)
#define MDEG_TURN 360000

void legal_wave_keep(struct legal *l, const struct legal_window *w, int64_t beyond_q32)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        l->wave.u[p] = (struct legal_phasor){w->phase[p].u_re, w->phase[p].u_im};
    l->wave.beyond_q32 = beyond_q32;
    l->wave.known = true;
}

/* The phasor of cos(wt + a) has the angle a; a rising zero is a quarter turn before the crest. */
static uint32_t ahead(const struct legal_last_wave *w, unsigned p)
{
    int64_t mdeg = atan2_mdeg(-w->u[p].im, w->u[p].re);
    return (uint32_t)(mdeg * (INT64_C(1) << 32) / MDEG_TURN + w->beyond_q32 / 2 + QUARTER);
}

void legal_wave_get(const struct legal *l, struct legal_wave *out)
{
    *out = (struct legal_wave){.locked = l->tracker.locked && l->wave.known,
                               .reference = l->tracker.ref,
                               .turn = legal_kernel_turn(&l->kernel),
                               .step = l->kernel.step};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        out->u_turn[p] = ahead(&l->wave, p);
        out->u_lsb_fv[p] = legal_correct_u_lsb(l, p);
        out->u_dc[p] = (int32_t)(l->u_dc_q16[p] >> 16);
    }
}
