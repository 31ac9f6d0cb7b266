/* Urms(1/2) (IEC 61000-4-30, 5.4): the root mean square over one cycle, refreshed each half cycle,
 * bounded by the phase's own zero crossings.
 *
 * The legal part tracks one wave and knows how far each voltage is ahead of it, so the crossings
 * are computed, not searched: half a cycle ends where the phase passes a multiple of half a turn.
 * The inner loop only sums squares. Where a boundary lies between two samples, at the fraction
 * alpha, u^2 is taken as linear there; what the half cycle that ends gets of the interval, the next
 * one lacks.
 *
 * Boundaries run on at the last known frequency when voltages are missing, so that an interruption
 * is measured like any dip. They are brought back to the wave by a 256th of a turn per half cycle
 * at most, but the first time at once: then a cycle in which the wave jumped (a new lock, a jump
 * of the phase) is wrong by 0.4 %, not by the whole jump. A voltage below a tenth of Udin has no
 * phase of its own and moves with the reference.
 *
 * A step of the reference voltage displaces the crossings that the legal part finds within a cycle
 * or two, and with them the wave until two windows later: 0.3 % of frequency at 130 %. So for 48
 * half cycles after a step the wave is followed at a sixteenth of the usual pace, and so is a new
 * wave for the first three, which tell whether there was one. The network has not changed its
 * frequency because of a dip.
 *
 * The direct component belongs to the converter. The wave's is the mean of the last window, which a
 * dip falsifies; it is followed only when the voltage was normal for 48 half cycles, longer than
 * two windows.
 *
 * It refuses to know what a dip is. */
#include "firmware/pq/pq_parts.h"

#define MOVE_MAX   (PQ_HALF_TURN / 128) /* a 256th of a turn */
#define CALM_HALFS 48
#define STEP_PART  64 /* of Udin, between two half cycles: the voltage is not steady */
#define WAIT_HALFS 3
#define SLOWER     4         /* the wave is then followed by 2^-4 of the pace */
#define FIVE_12    244140625 /* 10^12 = 2^12 x 5^12 */
#define FS_IN_S    UINT64_C(1000000000000000)

/* Sum of squares without the direct component. */
static int64_t squares(const int32_t *x, uint32_t n, int32_t dc)
{
    int64_t sum = 0;
    for (const int32_t *end = x + n; x != end;) {
        int32_t a = *x++ - dc;
        sum += (int64_t)a * a;
    }
    return sum;
}

/* What lies before a boundary alpha into the interval from sample a to b, beyond the plain sum up
 * to a: (alpha^2 b^2 - (1 - alpha)^2 a^2) / 2. */
static int64_t edge(int32_t a, int32_t b, int64_t alpha_q16)
{
    int64_t rest = 65536 - alpha_q16;
    int64_t before = (alpha_q16 * alpha_q16 >> 19) * ((int64_t)b * b);
    int64_t after = (rest * rest >> 19) * ((int64_t)a * a);
    return (before - after) >> 14;
}

/* Shifts up, by an even number of places, until a bit from 2^62 on is set. */
static int widen(uint64_t *a)
{
    int n = 0;
    for (int k = 32; k >= 2; k /= 2)
        if (*a >> (64 - k) == 0) {
            *a <<= k;
            n += k;
        }
    return n;
}

/* Square root of a widened number, to 2^-31 of it: the root of the upper half, digit by digit, and
 * what its remainder adds. */
static uint32_t root(uint64_t a)
{
    uint32_t rest = (uint32_t)(a >> 32), r = 0;
    for (uint32_t bit = UINT32_C(1) << 30; bit; bit >>= 2) {
        uint32_t t = r + bit;
        r >>= 1;
        if (rest >= t) {
            rest -= t;
            r += bit;
        }
    }
    uint64_t remainder = (uint64_t)rest << 32 | (uint32_t)a; /* at most 2 r 2^32 */
    uint32_t more = (uint32_t)(remainder >> 17) / r;
    return (r << 16) + (more > 65535 ? 65535 : more);
}

/* Millivolt per count is lsb / 10^12; its 32 leading bits and their exponent. */
static void take_lsb(struct pq_cycle *c, uint64_t lsb_fv)
{
    if (c->lsb_fv == lsb_fv || lsb_fv == 0)
        return;
    uint64_t mant = lsb_fv;
    int shift = widen(&mant);
    c->lsb_fv = lsb_fv;
    mant /= FIVE_12; /* 35 or 36 bits */
    c->gain = (uint32_t)(mant >> 4);
    c->gain_shift = (int8_t)(12 + shift - 4);
}

/* sqrt(sum / len) counts in millivolt. */
static uint32_t rms_mv(const struct pq_cycle *c, int64_t sum, int64_t len_q16)
{
    if (sum <= 0 || len_q16 <= 0)
        return 0;
    uint64_t mean = (uint64_t)sum;
    int shift = widen(&mean);
    mean /= (uint64_t)len_q16;  /* 2^34 at least: a length is below 2^28 */
    shift += widen(&mean) - 16; /* mean square = mean x 2^-shift */
    uint64_t mv = (uint64_t)root(mean) * c->gain;
    int down = c->gain_shift + shift / 2;
    if (down <= 0 || down > 63)
        return down <= 0 ? UINT32_MAX : 0;
    mv = (mv + (UINT64_C(1) << (down - 1))) >> down;
    return mv > UINT32_MAX ? UINT32_MAX : (uint32_t)mv;
}

/* --- rates ---------------------------------------------------------------------------------- */

static void rescale(int64_t *a, uint64_t ratio_q24)
{
    uint64_t x = (uint64_t)(*a < 0 ? -*a : *a);
    x = (x >> 24) * ratio_q24 + ((x & 0xFFFFFF) * ratio_q24 >> 24);
    *a = *a < 0 ? -(int64_t)x : (int64_t)x;
}

static uint32_t step_of(uint64_t mhz, uint64_t rate_uhz) /* turn per sample */
{
    return (uint32_t)((mhz << 32) / (rate_uhz / 1000));
}

static void set_step(struct pq *p, uint32_t step)
{
    if (p->step == step)
        return;
    p->step = step;
    p->samples_per_turn_q16 = (uint32_t)((UINT64_C(1) << 48) / step);
}

/* Sums and lengths are of samples: at twice the rate there would have been twice as many. Half of
 * the last sample belongs to the interval that follows it, at the new rate. */
void pq_half_rate(struct pq *p, uint64_t rate_uhz)
{
    uint64_t from = p->rate_uhz;
    if (from == rate_uhz)
        return;
    p->sample_q14 = (FS_IN_S << 14) / rate_uhz;
    p->step_min = step_of(PQ_F_MIN_MHZ, rate_uhz);
    p->step_max = step_of(PQ_F_MAX_MHZ, rate_uhz);
    uint64_t ratio = from ? (rate_uhz << 24) / from : 0; /* before the first block all is 0 */
    set_step(p, from ? (uint32_t)(((uint64_t)p->step << 24) / ratio)
                     : step_of(p->config.f_nominal_mhz, rate_uhz));
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        struct pq_cycle *c = &p->cycle[k];
        int64_t u = c->last - c->dc_q4 / 16, half = u * u / 2;
        c->sum -= half;
        rescale(&c->sum, ratio);
        c->sum += half;
        rescale(&c->before, ratio);
        rescale(&c->len, ratio);
        rescale(&c->len_before, ratio);
    }
}

/* --- half cycles ---------------------------------------------------------------------------- */

static void begin_phase(struct pq *p, struct pq_cycle *c, int32_t first)
{
    *c = (struct pq_cycle){.runs = true, .last = first, .left = PQ_HALF_TURN};
    c->sum = (int64_t)first * first / 2; /* a boundary at `last`, which is taken to equal it */
    c->begin_ns = p->now_ns;             /* a sample later than `last`, which is none */
}

/* At once when it is known first, then over 128 half cycles. */
static void follow_dc(struct pq_cycle *c)
{
    int32_t dc = c->dc_wave;
    if (c->calm < CALM_HALFS || dc <= -AFE_FULL_SCALE || dc >= AFE_FULL_SCALE)
        return;
    c->dc_q4 += (dc * 16 - c->dc_q4) / (c->dc_known ? 128 : 1);
    c->dc_known = true;
}

/* A new Urms(1/2): how long has the voltage been normal, and without a step? */
static void judge(const struct pq *p, struct pq_cycle *c, uint32_t u_mv, bool first)
{
    uint32_t change = u_mv > c->u_mv ? u_mv - c->u_mv : c->u_mv - u_mv;
    bool steps = change > p->config.un_mv / STEP_PART && !first;
    c->calm = (uint8_t)(!pq_dips_normal(p, u_mv) ? 0
                        : c->calm < CALM_HALFS   ? c->calm + 1
                                                 : CALM_HALFS);
    c->steady = (uint8_t)(first || c->steady >= CALM_HALFS ? CALM_HALFS : c->steady + 1);
    if (steps)
        c->steady = 0;
    c->u_mv = u_mv;
}

/* A half cycle ends at end_ns; `sum` and `len` are complete. */
static void end_half(struct pq *p, unsigned phase, uint64_t end_ns)
{
    struct pq_cycle *c = &p->cycle[phase];
    if (c->len_before > 0 && !c->odd) {
        judge(p, c, rms_mv(c, c->sum + c->before, c->len + c->len_before), !c->measured);
        c->measured = true;
        follow_dc(c);
        if (p->observe) {
            struct pq_half h = {.end_us = end_ns / 1000, .u_mv = c->u_mv, .phase = (uint8_t)phase};
            p->observe(p->observe_context, &h);
        }
        pq_dips_take(p, phase, c->u_mv, c->begin_ns);
    }
    c->before = c->sum;
    c->len_before = c->odd ? 0 : c->len;
    c->odd = false;
    c->begin_ns = end_ns;
}

/* What the next half cycle is longer than half a turn: a part of the way to the wave. */
static int64_t pulled(const struct pq *p, struct pq_cycle *c)
{
    int64_t most = p->steady ? MOVE_MAX : MOVE_MAX >> SLOWER;
    int64_t by = c->pull > most ? most : c->pull < -most ? -most : c->pull;
    c->pull -= by;
    return by;
}

/* That many samples is `turn` long. Rounding of the last block may have left less than nothing. */
static uint64_t samples_q16(const struct pq *p, int64_t turn)
{
    return turn > 0 ? (uint64_t)turn * p->samples_per_turn_q16 >> 32 : 0;
}

__attribute__((noinline)) void pq_half_run(struct pq *p, unsigned phase, const int32_t *x,
                                           uint32_t n, uint64_t u_lsb_fv)
{
    struct pq_cycle *c = &p->cycle[phase];
    if (!x) {
        c->runs = false;
        return;
    }
    if (!c->runs)
        begin_phase(p, c, x[0]);
    take_lsb(c, u_lsb_fv);
    int32_t dc = c->dc_q4 / 16;
    uint32_t pos = 0;
    for (;;) {
        uint64_t at = samples_q16(p, c->left); /* behind `last` */
        uint64_t k = at >> 16;
        if (k >= n)
            break;
        int32_t a = (k == 0 ? c->last : x[k - 1]) - dc;
        int64_t part = edge(a, x[k] - dc, (int64_t)(at & 0xFFFF));
        c->sum += squares(x + pos, (uint32_t)k - pos, dc) + part;
        c->len += (int64_t)at;
        end_half(p, phase, p->now_ns + (at * p->sample_q14 >> 30) - (p->sample_q14 >> 14));
        c->sum = -part;
        c->len = -(int64_t)at;
        c->left += PQ_HALF_TURN + pulled(p, c);
        pos = (uint32_t)k;
    }
    c->sum += squares(x + pos, n - pos, dc);
    c->len += (int64_t)n << 16;
    c->left -= (int64_t)n * p->step;
    c->last = x[n - 1];
}

/* --- the wave ------------------------------------------------------------------------------- */

/* How far the boundary that `left` leads to is before the one of the wave, at most half a half
 * turn either way. Out of line: its copy would be larger than the call. */
__attribute__((noinline)) static int64_t behind(const struct pq_cycle *c,
                                                const struct legal_wave *w, unsigned phase)
{
    uint32_t turn = w->turn - w->step + w->u_turn[phase]; /* at the last sample */
    int64_t want = PQ_HALF_TURN - (turn & 0x7FFFFFFF);
    int64_t d = (want - c->left) & 0x7FFFFFFF;
    return d >= PQ_HALF_TURN / 2 ? d - PQ_HALF_TURN : d;
}

static bool has_phase(const struct pq *p, unsigned phase)
{
    const struct pq_cycle *c = &p->cycle[phase];
    return c->runs && (c->len_before == 0 || c->u_mv >= p->config.un_mv / 10);
}

/* A wave that is seen first is taken over. Later on a network changes slowly, and what looks
 * otherwise is the tracker, pulled by what swings below the mains frequency in a fault: by 2^-11
 * per half cycle, 2.4 Hz/s, at most. */
static uint32_t toward(const struct pq *p, uint32_t want, uint32_t n)
{
    uint64_t turns_q16 = (uint64_t)n * p->step >> 16;
    uint32_t most = (uint32_t)(turns_q16 * p->step >> (15 + 11));
    if (!p->tracked)
        return want;
    if (!p->steady)
        most >>= SLOWER;
    if (want > p->step)
        return want - p->step > most ? p->step + most : want;
    return p->step - want > most ? p->step - most : want;
}

/* Is the wave to be trusted? A new one waits for the half cycles that would show a step. */
static void listen(struct pq *p, const struct legal_wave *w)
{
    struct pq_cycle *c = &p->cycle[w->reference];
    if (p->heard != w->step && c->steady > CALM_HALFS - WAIT_HALFS)
        c->steady = CALM_HALFS - WAIT_HALFS;
    p->heard = w->step;
    p->steady = !c->measured || c->steady >= CALM_HALFS;
}

bool pq_half_step(struct pq *p, const struct legal_wave *w, uint32_t n)
{
    if (!w->locked || w->reference >= LEGAL_N_PHASES)
        return false;
    listen(p, w);
    if (w->step < p->step_min || w->step > p->step_max)
        return false;
    set_step(p, toward(p, w->step, n));
    p->tracked = true;
    return true;
}

/* The first time, at once: the half cycle under way is none, and no value is made of it. */
static void align(struct pq_cycle *c, int64_t pull)
{
    c->left += pull > -c->left ? pull : pull + PQ_HALF_TURN;
    c->pull = 0;
    c->odd = true;
    c->aligned = true;
}

void pq_half_follow(struct pq *p, const struct legal_wave *w)
{
    int64_t common = 0;
    if (has_phase(p, w->reference))
        common = behind(&p->cycle[w->reference], w, w->reference);
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        struct pq_cycle *c = &p->cycle[k];
        if (!c->runs)
            continue;
        int64_t pull = has_phase(p, k) ? behind(c, w, k) : common;
        if (c->aligned || !has_phase(p, k))
            c->pull = pull;
        else
            align(c, pull);
        c->dc_wave = w->u_dc[k];
    }
}
