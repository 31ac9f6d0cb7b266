/* The events of a recording: its samples through legal part and power quality. See replay_run.h.
 *
 * The source has found the frequency before, so the cycles are right from the first sample on,
 * before the legal part has locked. The direct component stays in: a recording says nothing about
 * its converter, and the root mean square of IEC 61000-4-30 has it. */
#include "cli/cli.h"
#include "cli/replay_run.h"
#include "firmware/legal/legal_state.h"
#include "firmware/pq/pq_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENDLESS_S  10.0 /* of a source without an end: as replay_run() */
#define GUESS_S    1.0
#define GUESS_MAX  500 /* half cycles: 3 phases of 70 Hz */
#define NEAR_USUAL 0.05
#define UN_MAX_V   2e6 /* of struct pq_config */

struct run {
    struct legal legal;
    struct pq pq;
};

struct halves { /* of the first second */
    size_t n;
    uint32_t u_mv[GUESS_MAX];
};

static void take_half(void *context, const struct pq_half *h)
{
    struct halves *x = context;
    if (x->n < GUESS_MAX)
        x->u_mv[x->n++] = h->u_mv;
}

static enum err start(struct run *r, const struct source_info *info, double un_v)
{
    uint32_t u = info->present & 7u, others = 1u << AFE_U2 | 1u << AFE_U3;
    bool single = !(u & others);
    struct legal_config c = {.n_phases = single ? 1 : 3,
                             .wiring = single ? LEGAL_1P2W : LEGAL_3P4W,
                             .f_nominal_mhz = info->frequency_hz > 55 ? 60000 : 50000,
                             .un_mv = (uint32_t)fmax(1, un_v * 1e3),
                             .pulse_per_kwh = 1000};
    struct pq_config q;
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        c.u_lsb_fv[p] = info->u_lsb_fv;
    for (int p = 0; p <= LEGAL_N_PHASES; p++)
        c.i_lsb_fa[p] = info->i_lsb_fa;
    pq_config_default(&q, &c, 0);
    q.f_nominal_mhz = (uint32_t)lround(info->frequency_hz * 1e3);
    q.phases_used = (uint8_t)u;
    enum err err = legal_init(&r->legal, &c);
    return err ? err : pq_init(&r->pq, &q);
}

/* --- events --------------------------------------------------------------------------------- */

static void add_event(struct replay_result *out, const struct pq_event *e, double end_s)
{
    if (out->n_events == REPLAY_EVENTS_MAX) {
        out->n_lost++;
        return;
    }
    struct replay_event *to = &out->event[out->n_events++];
    double at = (double)e->begin_us * 1e-6;
    *to = (struct replay_event){.kind = e->kind,
                                .phase = e->phases == 4 ? 3u : e->phases,
                                .at_s = at,
                                .duration_s = (e->ended ? (double)e->end_us * 1e-6 : end_s) - at,
                                .value_v = e->extreme * 1e-3,
                                .open = !e->ended};
}

static void take_ended(struct pq *pq, struct replay_result *out)
{
    struct pq_event e;
    while (pq_event_take(pq, &e))
        if (e.ended)
            add_event(out, &e, 0);
}

static void add_open(const struct pq_dip *d, enum pq_kind kind, unsigned phases, double end_s,
                     struct replay_result *out)
{
    struct pq_event e = {.kind = (uint8_t)kind,
                         .phases = (uint8_t)phases,
                         .begin_us = d->begin_ns / 1000,
                         .extreme = d->extreme};
    if (d->active)
        add_event(out, &e, end_s);
}

static void take_open(const struct pq *pq, struct replay_result *out)
{
    double end_s = (double)pq->now_ns * 1e-9;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        add_open(&pq->dip[p], PQ_DIP, 1u << p, end_s, out);
        add_open(&pq->swell[p], PQ_SWELL, 1u << p, end_s, out);
    }
    add_open(&pq->interruption, PQ_INTERRUPTION, 0, end_s, out);
}

static int by_time(const void *a, const void *b)
{
    const struct replay_event *x = a, *y = b;
    if (x->at_s != y->at_s)
        return x->at_s < y->at_s ? -1 : 1;
    return x->phase < y->phase ? -1 : x->phase > y->phase;
}

/* --- running -------------------------------------------------------------------------------- */

/* A cycle a block, so that the boundaries follow the wave from its first lock on. */
static uint32_t block_of(const struct source_info *info, double left)
{
    double n = fmin(round(left * info->rate_hz), ceil(info->rate_hz / info->frequency_hz));
    return (uint32_t)fmax(1, fmin(AFE_BLOCK_MAX, n));
}

/* `seconds` 0: to the source's end. */
static enum err feed(struct source *s, struct run *r, const struct source_info *info,
                     double seconds, struct replay_result *out)
{
    struct afe_block b;
    struct legal_wave wave;
    double done = 0, most = seconds > 0 ? seconds : INFINITY;
    while (most - done > 0.5 / info->rate_hz && source_next(s, block_of(info, most - done), &b)) {
        enum err err = legal_feed(&r->legal, &b);
        if (err)
            return err;
        legal_wave_get(&r->legal, &wave);
        memset(wave.u_dc, 0, sizeof wave.u_dc);
        for (int p = 0; p < LEGAL_N_PHASES; p++)
            wave.u_lsb_fv[p] = info->u_lsb_fv;
        err = pq_feed(&r->pq, &b, &wave);
        if (err)
            return err;
        done += b.n / ((double)b.rate_uhz * 1e-6);
        if (out)
            take_ended(&r->pq, out);
        if (seconds > 0 && out)
            cli_progress("events", done / seconds);
    }
    cli_progress_end();
    return ERR_OK;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Phase voltages of networks and of transformers' secondaries, V. */
static double usual_near(double v)
{
    static const double usual[] = {57.735, 63.509, 69.282, 100, 110, 115, 120, 127,
                                   200,    220,    230,    240, 277, 347, 400, 480};
    double best = 0;
    for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
        if (fabs(usual[k] - v) < fabs(best - v))
            best = usual[k];
    return fabs(best - v) <= NEAR_USUAL * v ? best : 0;
}

static enum err guess(struct source *s, struct run *r, const struct source_info *info,
                      struct replay_result *out)
{
    struct halves x = {0};
    enum err err = start(r, info, fmin(info->u_rms, UN_MAX_V));
    pq_observe(&r->pq, take_half, &x);
    if (!err)
        err = feed(s, r, info, GUESS_S, NULL);
    if (err)
        return err;
    qsort(x.u_mv, x.n, sizeof *x.u_mv, by_size);
    double median = x.n ? x.u_mv[x.n / 2] * 1e-3 : 0, near = usual_near(median);
    out->un_v = near > 0 ? near : median;
    out->un_from = near > 0 ? "usual value nearest to the median of the first second"
                            : "median of the first second";
    if (!(median >= 1e-3))
        out->un_from = "no voltage in the first second";
    return ERR_OK;
}

static const char *refusal(const struct source_info *info)
{
    double mhz = info->frequency_hz * 1e3;
    if (!(info->present & 7u))
        return "no voltages";
    if (!(info->frequency_hz > 0))
        return "no frequency found";
    return mhz < PQ_F_MIN_MHZ || mhz > PQ_F_MAX_MHZ ? "the frequency is not 40 to 70 Hz" : NULL;
}

static enum err run_once(struct source *s, struct run *r, double repeat_s,
                         struct replay_result *out)
{
    struct source_info info;
    enum err err = source_restart(s, repeat_s > 0);
    source_info_get(s, &info);
    if (err)
        return err;
    out->un_from = refusal(&info);
    if (out->un_from) {
        out->un_v = 0;
        return ERR_OK;
    }
    if (out->un_v > 0)
        out->un_from = "given";
    else
        err = guess(s, r, &info, out);
    if (err || !(out->un_v > 0))
        return err;
    err = source_restart(s, repeat_s > 0);
    if (!err)
        err = start(r, &info, out->un_v);
    if (!err)
        err = feed(s, r, &info, repeat_s > 0 || info.seconds > 0 ? repeat_s : ENDLESS_S, out);
    if (err)
        return err;
    take_open(&r->pq, out);
    qsort(out->event, out->n_events, sizeof *out->event, by_time);
    return ERR_OK;
}

enum err replay_events(struct source *s, double repeat_s, double un_v, struct replay_result *out)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_MEMORY;
    out->un_v = un_v;
    out->n_events = out->n_lost = 0;
    enum err err = run_once(s, r, repeat_s, out);
    free(r);
    return err;
}
