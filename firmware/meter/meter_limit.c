/* Limits of the supervision that clients set: thresholds and times, each a number of its own, so
 * that a change is one record of the audit trail and is done or not.
 *
 *     try -> audit record in the ring (durable) -> chosen values under a key -> acknowledged
 *
 * Kept are only values that were chosen: the others follow the model, the starting current and the
 * firmware. It refuses to let a choice keep the meter from starting: one that contradicts the
 * others of its kind after an update does not count. */
#include "firmware/meter/meter_store.h"

#define LIMITS_FORMAT 1
#define LIMITS_SIZE   (1 + 5 * PQ_N_KINDS * METER_N_LIMITS)

static uint32_t *part(struct pq_limit *l, unsigned which)
{
    uint32_t *const field[METER_N_LIMITS] = {&l->on_ppm, &l->hysteresis_ppm, &l->on_ms, &l->off_ms};
    return field[which % METER_N_LIMITS];
}

static bool is_chosen(const struct meter_limits *l, unsigned kind, unsigned which)
{
    return ((unsigned)l->chosen[kind] >> which & 1u) != 0;
}

/* False: there is no such limit. */
static bool choose(struct meter_limits *l, unsigned kind, unsigned which, uint32_t value)
{
    if (kind >= PQ_N_KINDS || which >= METER_N_LIMITS)
        return false;
    l->chosen[kind] |= (uint8_t)(1u << which);
    *part(&l->value[kind], which) = value;
    return true;
}

uint32_t meter_limit(const struct meter *m, unsigned kind, unsigned which)
{
    struct pq_limit l;
    pq_limit_get(&m->watch.pq, (enum pq_kind)kind, &l);
    return *part(&l, which);
}

/* ---- in the flash ---- */

enum err meter_limits_store(struct meter *m)
{
    uint8_t buf[LIMITS_SIZE];
    struct meter_limits *l = &m->watch.limits;
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, LIMITS_FORMAT);
    for (unsigned n = 0; n < PQ_N_KINDS * METER_N_LIMITS; n++) {
        const unsigned kind = n / METER_N_LIMITS, which = n % METER_N_LIMITS;
        if (!is_chosen(l, kind, which))
            continue;
        wr_u8(&w, (uint8_t)n);
        wr_u32(&w, *part(&l->value[kind], which));
    }
    return meter_store_put(m, METER_KEY_LIMITS, &w);
}

enum err meter_limits_load(struct meter *m)
{
    uint8_t buf[LIMITS_SIZE];
    struct rd r;
    enum err err = meter_store_get(m, METER_KEY_LIMITS, buf, sizeof buf, &r);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (rd_u8(&r) != LIMITS_FORMAT)
        return ERR_VERSION;
    while (rd_left(&r) > 0 && !r.err) {
        unsigned n = rd_u8(&r);
        uint32_t value = rd_u32(&r);
        if (r.err || !choose(&m->watch.limits, n / METER_N_LIMITS, n % METER_N_LIMITS, value))
            return ERR_CORRUPT;
    }
    return ERR_OK;
}

void meter_limits_redo(struct meter *m, const struct legal_audit *a)
{
    /* another parameter's number is no kind */
    (void)choose(&m->watch.limits, (unsigned)a->parameter - METER_AUDIT_LIMIT, a->index,
                 (uint32_t)a->after);
}

void meter_limits_apply(struct meter *m)
{
    struct meter_limits *chosen = &m->watch.limits;
    for (unsigned kind = 0; kind < PQ_N_KINDS; kind++) {
        struct pq_limit l;
        pq_limit_get(&m->watch.pq, (enum pq_kind)kind, &l);
        for (unsigned which = 0; which < METER_N_LIMITS; which++) {
            if (is_chosen(chosen, kind, which))
                *part(&l, which) = *part(&chosen->value[kind], which);
        }
        if (pq_limit_set(&m->watch.pq, (enum pq_kind)kind, &l) != ERR_OK)
            continue; /* contradicts: the model's stay */
    }
}

/* ---- changes ---- */

enum err meter_limit_set(struct meter *m, uint16_t client_sap, unsigned kind, unsigned which,
                         uint32_t value)
{
    if (kind >= PQ_N_KINDS || which >= METER_N_LIMITS)
        return ERR_RANGE;
    struct pq_limit before, after;
    pq_limit_get(&m->watch.pq, (enum pq_kind)kind, &before);
    after = before;
    *part(&after, which) = value;
    enum err refused = pq_limit_set(&m->watch.pq, (enum pq_kind)kind, &after);
    struct legal_audit audit = {.change = refused ? LEGAL_CHANGE_REFUSED : LEGAL_CHANGE_DONE,
                                .parameter = (uint8_t)(METER_AUDIT_LIMIT + kind),
                                .index = (uint8_t)which,
                                .before = *part(&before, which),
                                .after = value};
    enum err err = meter_keep(m, meter_audit_other(m, client_sap, &audit));
    if (err && !refused) /* no trail, no change */
        return pq_limit_set(&m->watch.pq, (enum pq_kind)kind, &before) ? ERR_STATE : err;
    if (refused || err)
        return refused ? refused : err;
    choose(&m->watch.limits, kind, which, value);
    meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return meter_keep(m, meter_limits_store(m));
}
