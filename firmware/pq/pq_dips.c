/* Dips, swells and interruptions out of Urms(1/2) (IEC 61000-4-30, 5.4 and 5.5).
 *
 * Of each phase:            U < dip                          of all together:
 *    normal -----------------------------------> dip             all phases U < interruption
 *      ^  '--- U > swell ---> swell                \          none ----------------> interruption
 *      '-- U <= swell - h ------'                  |            '<-- any phase U >= ... + h --'
 *      '------------------- U >= dip + h ----------'
 *
 * Dips and swells are events of one phase each, since meters tell them per phase;
 * pq_polyphase_add() makes of them what the standard calls a polyphase event. During an
 * interruption the phases' dips are under way as well and are told, too: who counts by EN 50160
 * leaves out the dips that an interruption of the same time covers.
 *
 * Begin and end are the middles of the first cycle beyond and of the first one that is back. A step
 * of the voltage is so met within about half a cycle for deep dips, a cycle for shallow ones,
 * and the duration neither gains nor loses by the cycle that the root mean square takes.
 * It refuses the sliding reference: Udin is the declared voltage. */
#include "firmware/pq/pq_parts.h"

/* Out of line: its copies would be larger than the calls. */
__attribute__((noinline)) static uint32_t part_of(uint32_t un_mv, uint32_t ppm)
{
    uint64_t mv = (uint64_t)un_mv * ppm / 1000000;
    return mv >> 32 ? UINT32_MAX : (uint32_t)mv;
}

void pq_dips_init(struct pq *p)
{
    uint32_t un = p->config.un_mv;
    for (unsigned k = PQ_DIP; k <= PQ_INTERRUPTION; k++) {
        const struct pq_limit *l = &p->config.limit[k];
        uint32_t on = part_of(un, l->on_ppm), h = part_of(un, l->hysteresis_ppm);
        p->border[k].on = on;
        p->border[k].back = k != PQ_SWELL ? on + h : on > h ? on - h : 0;
        if (on == 0) /* not watched: what is under way ends */
            p->border[k].back = k != PQ_SWELL ? 0 : UINT32_MAX;
    }
    p->low_mv = part_of(un, 900000);
    p->high_mv = part_of(un, 1100000);
}

/* Begins (end_ns 0) or ends. */
static void put(struct pq *p, enum pq_kind kind, uint32_t phases, struct pq_dip *d, uint64_t end_ns)
{
    struct pq_event e = {.kind = (uint8_t)kind,
                         .phases = (uint8_t)phases,
                         .ended = end_ns != 0,
                         .begin_us = d->begin_ns / 1000,
                         .end_us = end_ns / 1000,
                         .extreme = d->extreme};
    d->active = !e.ended;
    pq_event_put(p, &e);
}

bool pq_dips_normal(const struct pq *p, uint32_t u_mv)
{
    return u_mv >= p->low_mv && u_mv <= p->high_mv;
}

/* A dip or a swell. */
static void take(struct pq *p, enum pq_kind kind, unsigned phase, uint32_t u_mv, uint64_t ns)
{
    bool below = kind == PQ_DIP;
    struct pq_dip *d = below ? &p->dip[phase] : &p->swell[phase];
    const struct pq_border *b = &p->border[kind];
    if (!d->active) {
        if (below ? u_mv >= b->on : b->on == 0 || u_mv <= b->on)
            return;
        *d = (struct pq_dip){.begin_ns = ns, .extreme = u_mv};
        put(p, kind, 1u << phase, d, 0);
    } else if (below ? u_mv >= b->back : u_mv <= b->back) {
        put(p, kind, 1u << phase, d, ns);
    } else if (below ? u_mv < d->extreme : u_mv > d->extreme) {
        d->extreme = u_mv;
    }
}

/* Of all phases, since the last one to fall need not be the worst. */
static uint32_t lowest(const struct pq *p, uint32_t u_mv)
{
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        if ((p->phases >> k & 1) && p->cycle[k].measured && p->cycle[k].u_mv < u_mv)
            u_mv = p->cycle[k].u_mv;
    return u_mv;
}

static void take_interruption(struct pq *p, unsigned phase, uint32_t u_mv, uint64_t ns)
{
    struct pq_dip *d = &p->interruption;
    if (u_mv < p->border[PQ_INTERRUPTION].on)
        p->dead |= 1u << phase;
    else if (u_mv >= p->border[PQ_INTERRUPTION].back || !d->active)
        p->dead &= ~(1u << phase);
    if (d->active && u_mv < d->extreme)
        d->extreme = u_mv;
    if (d->active && p->dead != p->phases) {
        put(p, PQ_INTERRUPTION, 0, d, ns);
    } else if (!d->active && p->dead == p->phases) {
        *d = (struct pq_dip){.begin_ns = ns, .extreme = lowest(p, u_mv)};
        put(p, PQ_INTERRUPTION, 0, d, 0);
    }
}

void pq_dips_take(struct pq *p, unsigned phase, uint32_t u_mv, uint64_t middle_ns)
{
    take(p, PQ_DIP, phase, u_mv, middle_ns);
    take(p, PQ_SWELL, phase, u_mv, middle_ns);
    take_interruption(p, phase, u_mv, middle_ns);
}

/* --- polyphase events ----------------------------------------------------------------------- */

static void widen(struct pq_polyphase *y, const struct pq_event *e)
{
    bool lower = e->extreme < y->event.extreme;
    if (y->event.phases == 0 || lower == (e->kind == PQ_DIP))
        y->event.extreme = e->extreme;
    y->event.phases |= e->phases;
}

bool pq_polyphase_add(struct pq_polyphase *y, const struct pq_event *e, struct pq_event *out)
{
    if ((e->kind != PQ_DIP && e->kind != PQ_SWELL) || (y->open && e->kind != y->event.kind))
        return false;
    if (!e->ended && y->open == 0)
        y->event = (struct pq_event){.kind = e->kind, .begin_us = e->begin_us};
    if (!e->ended) {
        y->open |= e->phases;
        return false;
    }
    if (!(y->open & e->phases))
        return false;
    widen(y, e);
    y->open &= (uint8_t)~e->phases;
    if (y->open)
        return false;
    y->event.ended = true;
    y->event.end_us = e->end_us;
    *out = y->event;
    return true;
}
