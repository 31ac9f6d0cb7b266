/* Where windows begin and end: rising zero crossings of the filtered reference voltage.
 *
 * The reference is the first phase that has a voltage. Its samples, less their direct component,
 * pass a low-pass of three equal poles at 50 Hz: that damps a 5th harmonic to a fiftieth of the
 * fundamental and one at 375 Hz to less; its delay is the same at both ends of a window. A crossing
 * counts after the signal was below -`arm`, about 5 % of Un.
 *
 *              three good periods: border (PARTIAL)
 *   SEARCHING ------------------------------------> LOCKED: border every 10 (12) crossings
 *       ^  \ 150 ms without: next phase               |
 *       |   '-> SEARCHING                             | no crossing for 1/36 s
 *       '---------------------------------------------'
 *
 * While searching, windows go on by the last good period, so nothing stops when voltages are
 * missing; they carry NO_FREQ. Good periods are those of 38 to 72 Hz; once locked, single ones of
 * up to 96 Hz, since what lies below the mains frequency passes the low-pass better and sways them.
 */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define GUARD_BITS   5 /* of the filter below one count: differences stay below 2^31 */
#define F_MIN_HZ     38
#define F_MAX_HZ     72
#define F_LOST_HZ    36
#define GOOD_PERIODS 3 /* the filter has then settled to 0.03 % */
#define UHZ          UINT64_C(1000000)

/* num/den seconds in q16. Out of line, as deadline(): the copies would be larger than the calls. */
__attribute__((noinline)) static int64_t ticks(uint64_t rate_uhz, uint64_t num, uint64_t den)
{
    return (int64_t)mul_div_u64(rate_uhz, num << 16, den * UHZ);
}

/* A sine of 5 % of Un behind the filter (gain 0.41 at 45 Hz, 0.22 at 65 Hz), in filter units; at
 * least two counts and at most what 24 bits can reach. */
static int32_t arm_of(const struct legal_config *c, unsigned p)
{
    uint64_t lsb = c->u_lsb_fv[p] ? c->u_lsb_fv[p] : 1;
    uint64_t level = mul_div_u64(c->un_mv, UINT64_C(1000000000000) / 64, lsb); /* Un_peak / 90 */
    uint64_t floor = 2, ceiling = AFE_FULL_SCALE / 64;
    level = level < floor ? floor : level > ceiling ? ceiling : level;
    return (int32_t)(level << GUARD_BITS);
}

static void reset_filter(struct legal_tracker *t)
{
    memset(t->y, 0, sizeof t->y);
    t->armed = false;
    t->locked = false;
    t->cycles = 0;
    t->time.search_q16 = t->time.now_q16;
    t->time.cross_q16 = t->time.now_q16;
}

void legal_tracker_init(struct legal_tracker *t, const struct legal_config *c)
{
    memset(t, 0, sizeof *t);
    t->cycles_per_window = c->f_nominal_mhz == 60000 ? 12 : 10;
    legal_tracker_config(t, c);
    t->time.now_q16 = -32768; /* a plain start lies half a sample before the first one */
    reset_filter(t);
}

void legal_tracker_config(struct legal_tracker *t, const struct legal_config *c)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        t->arm[p] = arm_of(c, p);
}

void legal_tracker_rate(struct legal_tracker *t, const struct legal_config *c, uint64_t to,
                        uint64_t from)
{
    if (from) {
        legal_rescale((int64_t *)&t->time, sizeof t->time / sizeof(int64_t), to, from);
        t->period_q16 = mul_div_u64(t->period_q16, to, from);
    } else {
        t->period_q16 = mul_div_u64(to, UINT64_C(65536) * 1000, c->f_nominal_mhz * UHZ);
    }
    t->least_q16 = ticks(to, 1, F_MAX_HZ);
    t->most_q16 = ticks(to, 1, F_MIN_HZ);
    t->lost_q16 = ticks(to, 1, F_LOST_HZ);
    t->patience_q16 = ticks(to, 3, 20);
    /* a pole at w = 2 pi 50 Hz by backward difference: w / (rate + w), below a half */
    uint64_t w_uhz = 314159265;
    t->pole_q32 = (int32_t)mul_div_u64(w_uhz, UINT64_C(1) << 32, to + w_uhz);
}

uint32_t legal_tracker_step(const struct legal_tracker *t)
{
    return (uint32_t)((UINT64_C(1) << 48) / t->period_q16);
}

uint32_t legal_tracker_uhz(const struct legal_tracker *t, uint64_t rate_uhz)
{
    return (uint32_t)mul_div_u64(rate_uhz, 65536, t->period_q16);
}

static int32_t pole(int32_t y, int32_t in, int32_t weight_q32)
{
    return y + (int32_t)(((int64_t)(in - y) * weight_q32) >> 32);
}

/* Filters n samples up to and including the first one after a crossing; *before is the filtered
 * value ahead of it. Gives the number of the last sample filtered, n when none crossed. */
static uint32_t filter(struct legal_tracker *t, const int32_t *x, uint32_t n, int32_t *before)
{
    int32_t y0 = t->y[0], y1 = t->y[1], y2 = t->y[2], last = y2;
    int32_t weight = t->pole_q32, dc = t->dc, arm = -t->arm[t->ref];
    const int32_t *at = x, *end = x + n;
    bool armed = t->armed, crossed = false;
    for (; !armed && at != end; armed = y2 < arm) {
        y0 = pole(y0, (*at++ - dc) * (1 << GUARD_BITS), weight);
        y1 = pole(y1, y0, weight);
        y2 = pole(y2, y1, weight);
    }
    for (; !crossed && at != end; crossed = y2 >= 0) {
        last = y2;
        y0 = pole(y0, (*at++ - dc) * (1 << GUARD_BITS), weight);
        y1 = pole(y1, y0, weight);
        y2 = pole(y2, y1, weight);
    }
    t->armed = armed && !crossed;
    t->y[0] = y0;
    t->y[1] = y1;
    t->y[2] = y2;
    *before = last;
    return crossed ? (uint32_t)(at - x) - 1 : n;
}

/* The place of the zero between two filtered values, 0..65536. A straight line, then the curvature
 * of a sine taken out: a - s^2/6 a (1-a) (1-2a) with s the angle of one sample. It matters below
 * 1 kHz. */
static int32_t zero_between(const struct legal_tracker *t, int32_t before, int32_t after)
{
    int32_t a = (int32_t)((-(int64_t)before << 16) / ((int64_t)after - before));
    int64_t s_q16 = (INT64_C(411775) << 16) / (int64_t)t->period_q16; /* 2 pi * 65536 */
    int32_t s2_6 = (int32_t)(s_q16 * s_q16 / 6 >> 16);                /* below 2^15 */
    int32_t bow = (a * (65536 - a) >> 16) * (65536 - 2 * a) >> 16;
    a -= bow * s2_6 >> 16;
    return a < 0 ? 0 : a > 65536 ? 65536 : a;
}

/* A crossing alpha into the interval before sample `at`. True when a window ends there. */
static bool crossing(struct legal_tracker *t, struct legal_cut *cut)
{
    int64_t time = t->time.now_q16 - 65536 + cut->alpha_q16, period = time - t->time.cross_q16;
    int64_t least = t->locked ? t->least_q16 * 3 / 4 : t->least_q16;
    bool good = period >= least && period <= t->most_q16;
    if (t->locked && !good)
        return false;
    t->time.cross_q16 = time;
    t->cycles = (uint8_t)(good ? t->cycles + 1 : 0);
    cut->time_q16 = time;
    if (t->locked) {
        cut->flags = 0;
        return t->cycles == t->cycles_per_window;
    }
    if (t->cycles < GOOD_PERIODS)
        return false;
    t->period_q16 = (uint64_t)period;
    t->locked = true;
    cut->flags = LEGAL_WINDOW_PARTIAL;
    return true;
}

/* Moves on to the next phase with samples. */
static void search(struct legal_tracker *t, const struct legal_view *v)
{
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        t->ref = (uint8_t)((t->ref + 1) % LEGAL_N_PHASES);
        if (v->x[AFE_U1 + t->ref])
            break;
    }
    t->dc = 0;
    t->dc_known = false;
    reset_filter(t);
}

static int64_t window_end(const struct legal_tracker *t)
{
    return (int64_t)t->period_q16 * t->cycles_per_window;
}

/* The time at which something happens without a crossing. */
__attribute__((noinline)) static int64_t deadline(const struct legal_tracker *t)
{
    if (t->locked)
        return t->time.cross_q16 + t->lost_q16;
    int64_t give_up = t->time.search_q16 + t->patience_q16;
    return window_end(t) < give_up ? window_end(t) : give_up;
}

/* `now` has reached the deadline. True when a window ends. */
static bool timeout(struct legal_tracker *t, const struct legal_view *v, struct legal_cut *cut)
{
    if (t->locked || t->time.now_q16 >= t->time.search_q16 + t->patience_q16)
        search(t, v);
    int64_t end = window_end(t);
    if (t->time.now_q16 < end)
        return false;
    cut->time_q16 = end < t->time.now_q16 - 65536 ? t->time.now_q16 : end;
    cut->alpha_q16 = cut->time_q16 - (t->time.now_q16 - 65536);
    cut->flags = LEGAL_WINDOW_NO_FREQ;
    return true;
}

bool legal_tracker_next(struct legal_tracker *t, const struct legal_view *v, uint32_t *seek,
                        uint32_t n, struct legal_cut *cut)
{
    while (*seek < n) {
        const int32_t *x = v->x[AFE_U1 + t->ref] ? v->x[AFE_U1 + t->ref] : legal_silence;
        int64_t quiet = (deadline(t) - t->time.now_q16 + 65535) >> 16;
        uint32_t most = quiet < 1 ? 1 : quiet < n - *seek ? (uint32_t)quiet : n - *seek;
        int32_t before = 0;
        uint32_t k = filter(t, x + *seek, most, &before);
        bool crossed = k < most;
        cut->at = *seek + (crossed ? k : most - 1);
        t->time.now_q16 += (int64_t)(cut->at + 1 - *seek) * 65536;
        *seek = cut->at + 1;
        if (crossed) {
            cut->alpha_q16 = zero_between(t, before, t->y[2]);
            if (crossing(t, cut))
                return true;
        }
        if (t->time.now_q16 >= deadline(t) && timeout(t, v, cut))
            return true;
    }
    return false;
}

void legal_tracker_cut(struct legal_tracker *t, const struct legal_cut *cut)
{
    if (cut->flags == 0)
        t->period_q16 = ((uint64_t)cut->time_q16 + t->cycles_per_window / 2) / t->cycles_per_window;
    t->time.now_q16 -= cut->time_q16;
    t->time.cross_q16 -= cut->time_q16;
    t->time.search_q16 -= cut->time_q16;
    if (t->locked)
        t->cycles = 0;
}

/* The first known direct component moves the crossings, so the lock is taken anew unless it is
 * below 0.05 % of Un (arm >> 11); later ones are followed slowly. */
void legal_tracker_dc(struct legal_tracker *t, int32_t dc)
{
    int32_t change = dc - t->dc, limit = t->arm[t->ref] >> 11;
    if (t->dc_known) {
        t->dc += change / 4;
        return;
    }
    t->dc_known = true;
    t->dc = dc;
    if (change > limit || change < -limit) {
        t->locked = false;
        t->cycles = 0;
        t->time.search_q16 = t->time.now_q16;
    }
}
