/* The room's front: configuration, the way of a block, time, and the events that wait. */
#include "firmware/pq/pq_parts.h"

#include <string.h>

#define RATE_MIN_UHZ UINT64_C(500000000)
#define RATE_MAX_UHZ UINT64_C(64000000000)
#define FS_IN_S      UINT64_C(1000000000000000)
#define UN_MAX_MV    UINT32_C(2000000000)
#define DAY_MS       UINT32_C(86400000)

static uint32_t phases_of(const struct pq_config *c)
{
    uint32_t all = legal_wiring_phases(c->wiring);
    return c->phases_used ? all & c->phases_used : all;
}

/* A limit below nominal must be able to end below nominal, one above it above. */
static bool limits_valid(const struct pq_config *c)
{
    for (unsigned k = 0; k < PQ_N_KINDS; k++) {
        const struct pq_limit *l = &c->limit[k];
        if (l->on_ppm > 10000000 || l->hysteresis_ppm > 1000000 || l->on_ms > DAY_MS ||
            l->off_ms > DAY_MS)
            return false;
    }
    const struct pq_limit *dip = &c->limit[PQ_DIP], *swell = &c->limit[PQ_SWELL];
    if (dip->on_ppm && dip->on_ppm + dip->hysteresis_ppm > 1000000)
        return false;
    return swell->on_ppm == 0 || swell->on_ppm >= 1000000 + swell->hysteresis_ppm;
}

enum err pq_init(struct pq *p, const struct pq_config *c)
{
    memset(p, 0, sizeof *p);
    if (c->wiring > LEGAL_3P3W || c->wiring != legal_wiring(c->wiring) ||
        c->n_phases != (c->wiring == LEGAL_1P2W ? 1 : 3) || phases_of(c) == 0)
        return ERR_RANGE;
    if (c->f_nominal_mhz < PQ_F_MIN_MHZ || c->f_nominal_mhz > PQ_F_MAX_MHZ)
        return ERR_RANGE;
    if (c->un_mv == 0 || c->un_mv > UN_MAX_MV || c->imax_ma > UINT32_MAX / 1000 || !limits_valid(c))
        return ERR_RANGE;
    p->config = *c;
    p->phases = phases_of(c);
    pq_dips_init(p);
    return ERR_OK;
}

enum err pq_limit_set(struct pq *p, enum pq_kind kind, const struct pq_limit *limit)
{
    if ((unsigned)kind >= PQ_N_KINDS)
        return ERR_RANGE;
    const struct pq_limit before = p->config.limit[kind];
    p->config.limit[kind] = *limit;
    if (!limits_valid(&p->config)) {
        p->config.limit[kind] = before;
        return ERR_RANGE;
    }
    pq_dips_init(p);
    return ERR_OK;
}

void pq_limit_get(const struct pq *p, enum pq_kind kind, struct pq_limit *out)
{
    *out = p->config.limit[(unsigned)kind % PQ_N_KINDS];
}

void pq_observe(struct pq *p, pq_half_fn fn, void *context)
{
    p->observe = fn;
    p->observe_context = context;
}

static bool in_range(const struct afe_block *b)
{
    return b->rate_uhz >= RATE_MIN_UHZ && b->rate_uhz <= RATE_MAX_UHZ && b->n > 0 &&
           b->n <= AFE_BLOCK_MAX;
}

/* Exact as long as the rate stays: the rest of the division is carried. */
static void pass_time(struct pq *p, uint32_t n)
{
    uint64_t fs = n * FS_IN_S + p->rest;
    p->now_ns += fs / p->rate_uhz;
    p->rest = fs % p->rate_uhz;
}

__attribute__((noinline)) enum err pq_feed(struct pq *p, const struct afe_block *b,
                                           const struct legal_wave *wave)
{
    if (!in_range(b))
        return ERR_RANGE;
    pq_half_rate(p, b->rate_uhz);
    if (p->rate_uhz != b->rate_uhz)
        p->rest = 0;
    p->rate_uhz = b->rate_uhz;
    bool tracked = pq_half_step(p, wave, b->n);
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        bool there = (p->phases & b->present) >> k & 1;
        if (p->phases >> k & 1)
            pq_half_run(p, k, there ? b->sample[AFE_U1 + k] : NULL, b->n, wave->u_lsb_fv[k]);
    }
    pass_time(p, b->n);
    if (tracked)
        pq_half_follow(p, wave);
    p->fed = true;
    return ERR_OK;
}

/* --- events --------------------------------------------------------------------------------- */

static bool before(const struct pq_event *a, const struct pq_event *b)
{
    return (a->ended ? a->end_us : a->begin_us) < (b->ended ? b->end_us : b->begin_us);
}

/* Dips and the like go in by their times: a block comes one phase after the other. */
void pq_event_put(struct pq *p, const struct pq_event *e)
{
    if (p->n_events == PQ_EVENTS_MAX) {
        p->lost++;
        return;
    }
    unsigned n = p->n_events++;
    for (; n > 0 && e->kind <= PQ_INTERRUPTION; n--) {
        const struct pq_event *last = &p->event[(p->first + n - 1) % PQ_EVENTS_MAX];
        if (last->kind > PQ_INTERRUPTION || !before(e, last))
            break;
        p->event[(p->first + n) % PQ_EVENTS_MAX] = *last;
    }
    p->event[(p->first + n) % PQ_EVENTS_MAX] = *e;
}

bool pq_event_take(struct pq *p, struct pq_event *out)
{
    if (p->n_events == 0)
        return false;
    *out = p->event[p->first];
    p->first = (uint8_t)((p->first + 1) % PQ_EVENTS_MAX);
    p->n_events--;
    return true;
}

uint32_t pq_present(const struct pq *p)
{
    uint32_t bits = pq_watch_present(p);
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        bits |= (uint32_t)p->dip[k].active << PQ_DIP;
        bits |= (uint32_t)p->swell[k].active << PQ_SWELL;
    }
    return bits | (uint32_t)p->interruption.active << PQ_INTERRUPTION;
}

uint32_t pq_lost(const struct pq *p)
{
    return p->lost;
}
