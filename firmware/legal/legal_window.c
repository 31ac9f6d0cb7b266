/* The way of the samples: blocks in, windows closed, each window on to values and ledger.
 *
 * The first partial window after start is held back until direct components are known: from the
 * first whole window, or, when none comes, from the sums of it and the next partial one. Else the
 * product of the direct components would be counted as energy until the first lock.
 *
 * A block is cut at the borders the tracker finds; between borders only the kernel runs. A new
 * sample rate does not break the window: sums and times are carried over to the new rate. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define RATE_MIN_UHZ UINT64_C(500000000)
#define RATE_MAX_UHZ UINT64_C(64000000000)
#define PLAIN_Q16    32768 /* a plain cut lies half a sample behind the last one */
/* Of the second entrance */
#define WINDOW_MAX_Q16 (UINT64_C(61) << 16) /* seconds: a minute and its rounding */
#define SQUARES_MAX    (INT64_C(1) << 62)

enum err legal_init(struct legal *l, const struct legal_config *config)
{
    memset(l, 0, sizeof *l);
    legal_kernel_init(&l->kernel);
    return legal_config_set(l, config);
}

void legal_observe(struct legal *l, legal_window_fn fn, void *context)
{
    l->observe = fn;
    l->observe_context = context;
}

/* --- windows -------------------------------------------------------------------------------- */

static void book_window(struct legal *l, const struct legal_window *w)
{
    struct legal_cleaned clean;
    legal_clean_window(l, w, &clean);
    legal_ledger_add(&l->ledger, &l->config, w, clean.phase);
    legal_average_add(l, w, &clean);
}

static void book_held(struct legal *l)
{
    if (l->held.n_q16 == 0)
        return;
    book_window(l, &l->held);
    l->held.n_q16 = 0;
}

static void take_window(struct legal *l, const struct legal_window *w)
{
    l->faults.status.windows++;
    l->average.no_cycle |= l->config.without_thd;
    if (l->observe)
        l->observe(l->observe_context, w);
    if (!(w->flags & LEGAL_WINDOW_PARTIAL)) {
        legal_dc_take(l, w);
    } else if (!l->dc_known && l->held.n_q16 == 0) {
        l->held = *w;
        return;
    } else if (!l->dc_known) {
        legal_dc_guess(l, w, &l->held);
    }
    book_held(l);
    book_window(l, w);
}

/* Nothing more comes: the held window's own mean must do. */
static void release_held(struct legal *l)
{
    if (l->held.n_q16 == 0)
        return;
    legal_dc_guess(l, &l->held, NULL);
    book_held(l);
}

static void close_window(struct legal *l, const struct legal_cut *cut)
{
    struct legal_window w = {.n_q16 = (uint64_t)cut->time_q16, .rate_uhz = l->rate_uhz};
    legal_tracker_cut(&l->tracker, cut);
    w.frequency_uhz = legal_tracker_uhz(&l->tracker, l->rate_uhz);
    w.flags = legal_faults_window(l, cut->flags);
    legal_kernel_window(&l->kernel, &w);
    legal_faults_frequency(l, &w);
    if (cut->flags == 0)
        legal_wave_keep(l, &w,
                        legal_kernel_sharpen(&w, l->kernel.step, l->tracker.cycles_per_window));
    else
        legal_wave_lost(l);
    if (!(w.flags & LEGAL_WINDOW_PARTIAL)) {
        int64_t mean = mul_div_i64(w.phase[l->tracker.ref].u, 65536, w.n_q16);
        legal_tracker_dc(&l->tracker, (int32_t)mean);
    }
    take_window(l, &w);
    legal_kernel_clear(&l->kernel);
    legal_kernel_tune(&l->kernel, legal_tracker_step(&l->tracker));
}

/* NULL: none is wanted. */
static struct legal_cycle *cycle_of(struct legal *l)
{
    return l->config.without_thd || !legal_has(LEGAL_HARMONICS) ? NULL : &l->cycle;
}

static void cut_window(struct legal *l, const struct legal_view *v, const struct legal_cut *cut)
{
    int32_t next[AFE_N_CHANNELS];
    struct legal_cycle *cycle = cycle_of(l);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        next[c] = v->x[c] ? v->x[c][cut->at] : 0;
    legal_kernel_end(&l->kernel, cycle, next, cut->alpha_q16);
    close_window(l, cut);
    legal_pulse_border(l, cut);
    legal_kernel_begin(&l->kernel, cycle, next, cut->alpha_q16);
}

void legal_flush(struct legal *l)
{
    struct legal_cut cut = {.flags = LEGAL_WINDOW_PARTIAL,
                            .time_q16 = l->tracker.time.now_q16 + PLAIN_Q16};
    if (cut.time_q16 <= 0) {
        release_held(l);
        legal_pulse_flush(l);
        return;
    }
    if (!l->tracker.locked)
        cut.flags |= LEGAL_WINDOW_NO_FREQ;
    if (l->values.sequence == 0)
        legal_average_publish(l);
    close_window(l, &cut);
    release_held(l);
    legal_pulse_flush(l);
    legal_average_clear(l);
    l->kernel.turn = l->kernel.step / 2;
    l->tracker.locked = false;
    l->tracker.cycles = 0;
}

/* --- samples -------------------------------------------------------------------------------- */

static void set_rate(struct legal *l, uint64_t rate_uhz)
{
    uint64_t from = l->rate_uhz;
    if (from == rate_uhz)
        return;
    legal_tracker_rate(&l->tracker, &l->config, rate_uhz, from);
    if (from) {
        legal_kernel_rescale(&l->kernel, rate_uhz, from);
        legal_cycle_rescale(&l->cycle, rate_uhz, from);
        legal_pulse_rescale(&l->pulses, rate_uhz, from);
    }
    legal_kernel_tune(&l->kernel, legal_tracker_step(&l->tracker));
    l->rate_uhz = rate_uhz;
}

static struct legal_view view_of(const struct legal *l, const struct afe_block *b)
{
    struct legal_view v;
    uint32_t phases = legal_wiring_phases(l->config.wiring);
    uint32_t wanted = phases << AFE_U1 | phases << AFE_I1;
    if (legal_wiring(l->config.wiring) != LEGAL_3P3W && legal_has(LEGAL_NEUTRAL))
        wanted |= 1u << AFE_IN;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        v.x[c] = (b->present & wanted) >> c & 1 ? b->sample[c] : NULL;
    return v;
}

__attribute__((noinline)) enum err legal_feed(struct legal *l, const struct afe_block *block)
{
    if (block->rate_uhz < RATE_MIN_UHZ || block->rate_uhz > RATE_MAX_UHZ)
        return ERR_RANGE;
    if (block->n == 0 || block->n > AFE_BLOCK_MAX)
        return ERR_RANGE;
    struct legal_view v = view_of(l, block);
    enum err err = legal_faults_look(l, &v, block->n);
    if (err)
        return err;
    set_rate(l, block->rate_uhz);
    uint32_t pos = 0, seek = 0, end;
    do {
        struct legal_cut cut;
        bool found = legal_tracker_next(&l->tracker, &v, &seek, block->n, &cut);
        end = found ? cut.at : block->n;
        legal_faults_run(l, &v, pos, end);
        legal_kernel_run(&l->kernel, cycle_of(l), &v, pos, end);
        if (found)
            cut_window(l, &v, &cut);
        pos = end;
    } while (seek < block->n || pos < block->n);
    legal_pulse_block(l, block->n);
    return ERR_OK;
}

#if LEGAL_WINDOW_ENTRANCE
static bool within(int64_t a, int64_t most)
{
    return a >= -most && a <= most;
}

/* `one` and `square`: the most that a sum of counts and of their products can be. */
static bool phase_possible(const struct legal_window_phase *w, int64_t one, int64_t square)
{
    return w->uu >= 0 && w->uu <= square && w->ii >= 0 && w->ii <= square &&
           within(w->ui, square) && within(w->u, one) && within(w->i, one) &&
           within(w->u_re, one) && within(w->u_im, one) && within(w->i_re, one) &&
           within(w->i_im, one);
}

static bool sums_possible(const struct legal_window *w)
{
    int64_t n = (int64_t)(w->n_q16 >> 16) + 1, one = n * AFE_FULL_SCALE; /* with the edges */
    int64_t square = one > SQUARES_MAX / AFE_FULL_SCALE ? SQUARES_MAX : one * AFE_FULL_SCALE;
    bool ok = w->in_in >= 0 && w->in_in <= square && within(w->in_sum, one) &&
              within(w->in_re, one) && within(w->in_im, one);
    for (unsigned k = 0; k < 6; k++)
        ok &= within(w->cross[k], square);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        ok &= phase_possible(&w->phase[p], one, square);
    return ok;
}

enum err legal_feed_window(struct legal *l, const struct legal_window *w)
{
    if (w->rate_uhz == 0 || w->rate_uhz > RATE_MAX_UHZ || w->n_q16 == 0)
        return ERR_RANGE;
    if (mul_div_u64(w->n_q16, 1000000, w->rate_uhz) > WINDOW_MAX_Q16 || !sums_possible(w))
        return ERR_RANGE;
    l->average.no_cycle = true;
    take_window(l, w);
    legal_pulse_flush(l);
    return ERR_OK;
}
#endif
