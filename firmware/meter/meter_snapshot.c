/* The snapshot: everything of a meter that changes by itself, as one record of a ring.
 *
 * Its size follows from the model: phases, rates, losses and averages are there only where the
 * model has them. What the model does not have is zero after a restart. Parameters that only
 * clients change have records of their own. */
#include "firmware/meter/meter_store.h"

#include "firmware/meter/meter_migrate.h"
#include "firmware/meter/meter_old.h"

#include <string.h>

#define SNAPSHOT_FORMAT 3
#define SNAPSHOT_TRIES  16 /* damaged newest records looked past */
/* After damage that no power cut explains the stored limit may be an old one; registers go on from
 * the snapshot, and counters from well above anything it can have missed. */
#define COUNTER_JUMP 0x10000u

#define ENERGIES_SIZE (12 * LEGAL_N_ENERGIES)
#define LEGAL_SIZE    (16 + 4 + 2) /* pulses, audit sequence, rate and seal */
#define CLOCK_SIZE    (1 + 8 + 8 + 1 + 4)
#define DEMAND_SIZE   54
#define PROFILE_SIZE  (2 + 4 + 4 * METER_N_INTERVALS + METER_ROW_HEAD + 4 + 2)
#define COUNTERS_SIZE (4 + 4 * COSEM_CLIENTS_MAX)
/* one average: 52 octets and, for each phase, sums and last values */
#define AVERAGE_SIZE(n_phases) (52u + 24u * (n_phases))
#define SNAPSHOT_MAX                                                                               \
    (CLOCK_SIZE + LEGAL_SIZE + 4 * ENERGIES_SIZE + 8 * 8 * LEGAL_N_ENERGIES +                      \
     12 * LEGAL_N_LOSSES + DEMAND_SIZE + MODEL_N_PROFILES * PROFILE_SIZE + 4 * METER_N_INTERVALS + \
     COUNTERS_SIZE + METER_N_AVERAGES * AVERAGE_SIZE(3) + METER_LOG_STATE_SIZE)

size_t meter_snapshot_size(const struct model_meter *m)
{
    size_t size = CLOCK_SIZE + LEGAL_SIZE + DEMAND_SIZE + COUNTERS_SIZE + METER_LOG_STATE_SIZE;
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++)
        size += m->profile[p].n_values > 0 ? PROFILE_SIZE : 0;
    size += 4 * METER_N_INTERVALS;
    size += (1u + m->n_phases) * ENERGIES_SIZE + 8u * m->n_rates * LEGAL_N_ENERGIES;
    if ((m->features & MODEL_LOSSES) != 0)
        size += 12 * LEGAL_N_LOSSES;
    if ((m->features & MODEL_AVERAGES) != 0)
        size += METER_N_AVERAGES * AVERAGE_SIZE(m->n_phases);
    return size;
}

static void put_energies(struct wr *w, const uint64_t *units, const uint32_t *rests)
{
    for (size_t i = 0; i < LEGAL_N_ENERGIES; i++) {
        wr_u64(w, units[i]);
        wr_u32(w, rests[i]);
    }
}

static void get_energies(struct rd *r, uint64_t *units, uint32_t *rests)
{
    for (size_t i = 0; i < LEGAL_N_ENERGIES; i++) {
        units[i] = rd_u64(r);
        rests[i] = rd_u32(r);
    }
}

static void put_legal(struct wr *w, const struct model_meter *m, const struct legal_snapshot *s)
{
    put_energies(w, s->energy.total, s->total_rest);
    for (size_t p = 0; p < m->n_phases; p++)
        put_energies(w, s->energy.phase[p], s->phase_rest[p]);
    for (size_t t = 0; t < m->n_rates; t++) {
        for (size_t e = 0; e < LEGAL_N_ENERGIES; e++)
            wr_u64(w, s->energy.rate[t][e]);
    }
    for (size_t k = 0; k < LEGAL_N_LOSSES && (m->features & MODEL_LOSSES) != 0; k++) {
        wr_u64(w, s->energy.loss[k]);
        wr_u32(w, s->loss_rest[k]);
    }
    wr_u64(w, s->pulses_active);
    wr_u64(w, s->pulses_reactive);
    wr_u32(w, s->audit_sequence);
    wr_u8(w, s->rate);
    wr_u8(w, s->sealed);
}

static void get_legal(struct rd *r, const struct model_meter *m, struct legal_snapshot *s)
{
    get_energies(r, s->energy.total, s->total_rest);
    for (size_t p = 0; p < m->n_phases; p++)
        get_energies(r, s->energy.phase[p], s->phase_rest[p]);
    for (size_t t = 0; t < m->n_rates; t++) {
        for (size_t e = 0; e < LEGAL_N_ENERGIES; e++)
            s->energy.rate[t][e] = rd_u64(r);
    }
    for (size_t k = 0; k < LEGAL_N_LOSSES && (m->features & MODEL_LOSSES) != 0; k++) {
        s->energy.loss[k] = rd_u64(r);
        s->loss_rest[k] = rd_u32(r);
    }
    s->pulses_active = rd_u64(r);
    s->pulses_reactive = rd_u64(r);
    s->audit_sequence = rd_u32(r);
    s->rate = rd_u8(r);
    s->sealed = rd_u8(r) != 0;
}

static void put_average(struct wr *w, const struct model_meter *m, const struct meter_average *a)
{
    wr_u64(w, (uint64_t)a->start_ns);
    wr_u64(w, (uint64_t)a->due_s);
    wr_u64(w, a->start_uwh[0]);
    wr_u64(w, a->start_uwh[1]);
    wr_u32(w, (uint32_t)a->ms);
    wr_u64(w, (uint64_t)a->end_s);
    wr_u32(w, a->p_dw[0]);
    wr_u32(w, a->p_dw[1]);
    for (size_t p = 0; p < m->n_phases; p++) {
        wr_u64(w, a->u_mvms[p]);
        wr_u64(w, a->i_uams[p]);
        wr_u32(w, a->u_mv[p]);
        wr_u32(w, a->i_ua[p]);
    }
}

static void get_average(struct rd *r, const struct model_meter *m, struct meter_average *a)
{
    a->start_ns = (int64_t)rd_u64(r);
    a->due_s = (int64_t)rd_u64(r);
    a->start_uwh[0] = rd_u64(r);
    a->start_uwh[1] = rd_u64(r);
    a->ms = rd_u32(r);
    a->end_s = (int64_t)rd_u64(r);
    a->p_dw[0] = rd_u32(r);
    a->p_dw[1] = rd_u32(r);
    for (size_t p = 0; p < m->n_phases; p++) {
        a->u_mvms[p] = rd_u64(r);
        a->i_uams[p] = rd_u64(r);
        a->u_mv[p] = rd_u32(r);
        a->i_ua[p] = rd_u32(r);
    }
}

static void put_demand(struct wr *w, const struct meter_demand *d)
{
    wr_u32(w, d->period_s);
    wr_u64(w, (uint64_t)d->start_s);
    wr_u64(w, (uint64_t)d->due_s);
    wr_u64(w, d->start_uwh);
    wr_u32(w, d->last_dw);
    wr_u64(w, (uint64_t)d->last_s);
    wr_u32(w, d->max_dw);
    wr_u64(w, (uint64_t)d->max_s);
    wr_u8(w, d->last_doubt);
    wr_u8(w, d->max_doubt);
}

static void get_demand(struct rd *r, struct meter_demand *d)
{
    d->period_s = rd_u32(r);
    d->start_s = (int64_t)rd_u64(r);
    d->due_s = (int64_t)rd_u64(r);
    d->start_uwh = rd_u64(r);
    d->last_dw = rd_u32(r);
    d->last_s = (int64_t)rd_u64(r);
    d->max_dw = rd_u32(r);
    d->max_s = (int64_t)rd_u64(r);
    d->last_doubt = rd_u8(r);
    d->max_doubt = rd_u8(r);
}

#define IS_OWED  0x01u
#define IS_FRESH 0x02u

static void put_profile(struct wr *w, const struct meter_profile *x)
{
    wr_u16(w, x->generation);
    wr_u32(w, (uint32_t)x->due_s);
    for (unsigned k = 0; k < METER_N_INTERVALS; k++)
        wr_u32(w, x->base[k]);
    meter_row_put_head(w, &x->last);
    wr_u32(w, x->ordered_from);
    wr_u8(w, x->marks);
    wr_u8(w, (uint8_t)((x->is_owed ? IS_OWED : 0) | (x->is_fresh ? IS_FRESH : 0)));
}

/* The state of a ring that was made anew since: only the numbers of its rows go on. */
static void get_profile(struct rd *r, struct meter_profile *x)
{
    const bool is_same = rd_u16(r) == x->generation;
    x->due_s = rd_u32(r);
    for (unsigned k = 0; k < METER_N_INTERVALS; k++)
        x->base[k] = rd_u32(r);
    meter_row_get_head(r, &x->last);
    x->ordered_from = rd_u32(r);
    x->marks = rd_u8(r);
    const uint8_t flags = rd_u8(r);
    x->is_owed = is_same && (flags & IS_OWED) != 0;
    x->is_fresh = (flags & IS_FRESH) != 0;
    if (!is_same)
        x->due_s = METER_PROFILE_UNKNOWN;
}

static void put_profiles(struct wr *w, const struct meter *m)
{
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0)
            put_profile(w, &m->profile[p]);
    }
    for (unsigned k = 0; k < METER_N_INTERVALS; k++)
        wr_u32(w, m->interval[k]);
}

static void get_profiles(struct rd *r, struct meter *m)
{
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0)
            get_profile(r, &m->profile[p]);
    }
    for (unsigned k = 0; k < METER_N_INTERVALS; k++)
        m->interval[k] = rd_u32(r);
}

enum err meter_store_snapshot(struct meter *m)
{
    uint8_t buf[SNAPSHOT_MAX];
    struct legal_snapshot legal;
    legal_snapshot_get(&m->legal, &legal);
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, SNAPSHOT_FORMAT);
    wr_u64(&w, (uint64_t)m->clock.base_ns);
    wr_u64(&w, (uint64_t)m->clock.offset_ns);
    wr_u8(&w, m->clock.doubt);
    wr_u32(&w, (uint32_t)m->clock.rate_ppb);
    put_legal(&w, m->model, &legal);
    put_demand(&w, &m->demand);
    put_profiles(&w, m);
    for (size_t k = 0; k < METER_N_AVERAGES && (m->model->features & MODEL_AVERAGES) != 0; k++)
        put_average(&w, m->model, &m->average[k]);
    meter_log_put(&w, m);
    wr_u32(&w, m->server.tx.limit);
    meter_put_floors(&w, m);
    if (w.err || w.len != meter_snapshot_size(m->model))
        return ERR_RANGE;
    enum err err = nv_append(&m->nv, METER_RING_SNAPSHOT, buf);
    if (!err)
        m->stored = legal.energy;
    return err;
}

/* The newest snapshot that is whole; damage is looked past, since an older one is still true. */
static enum err read_newest(const struct meter *m, uint8_t buf[SNAPSHOT_MAX])
{
    uint64_t newest = nv_newest(&m->nv, METER_RING_SNAPSHOT);
    enum err err = ERR_NOT_FOUND;
    for (uint64_t i = 0; i < SNAPSHOT_TRIES && i < nv_count(&m->nv, METER_RING_SNAPSHOT); i++) {
        err = nv_read(&m->nv, METER_RING_SNAPSHOT, newest - i, buf);
        if (err != ERR_CORRUPT)
            return err;
    }
    return err;
}

/* The audit trail knows of changes after the snapshot. */
static enum err restore_legal(struct meter *m, struct legal_snapshot *legal)
{
    struct legal_snapshot trail;
    legal_snapshot_get(&m->legal, &trail);
    if (trail.audit_sequence > legal->audit_sequence)
        legal->audit_sequence = trail.audit_sequence;
    legal->sealed = trail.sealed;
    m->stored = legal->energy;
    return legal_snapshot_set(&m->legal, legal);
}

/* Behind the format's octet. Format 2 had one profile and no logs; its profile goes to `old`. */
static enum err restore_from(struct meter *m, struct rd *r, uint8_t format, struct bytes *old)
{
    struct legal_snapshot legal = {0};
    m->clock.base_ns = (int64_t)rd_u64(r);
    m->clock.offset_ns = (int64_t)rd_u64(r);
    m->clock.doubt = rd_u8(r);
    if (format > 2)
        m->clock.rate_ppb = (int32_t)rd_u32(r);
    get_legal(r, m->model, &legal);
    get_demand(r, &m->demand);
    if (format > 2)
        get_profiles(r, m);
    else
        *old = rd_bytes(r, METER_OLD_PROFILE_SIZE);
    for (size_t k = 0; k < METER_N_AVERAGES && (m->model->features & MODEL_AVERAGES) != 0; k++)
        get_average(r, m->model, &m->average[k]);
    if (format > 2)
        meter_log_get(r, m);
    meter_raise_tx(m, rd_u32(r));
    meter_raise_floors(r, m);
    return r->err ? r->err : restore_legal(m, &legal);
}

enum err meter_snapshot_take_2(struct meter *m, struct bytes snapshot, struct bytes *profile)
{
    struct rd r = rd_of(snapshot.p, snapshot.len);
    return rd_u8(&r) == 2 ? restore_from(m, &r, 2, profile) : ERR_VERSION;
}

static enum err restore(struct meter *m)
{
    uint8_t buf[SNAPSHOT_MAX];
    enum err err = read_newest(m, buf);
    if (err)
        return err;
    struct rd r = rd_of(buf, meter_snapshot_size(m->model));
    if (rd_u8(&r) != SNAPSHOT_FORMAT)
        return ERR_VERSION;
    return restore_from(m, &r, SNAPSHOT_FORMAT, NULL);
}

enum err meter_store_restore(struct meter *m)
{
    enum err err = m->is_old ? meter_migrate_run(m) : restore(m);
    if (m->nv.n_corrupt > 0 && m->server.tx.limit <= UINT32_MAX - COUNTER_JUMP)
        meter_raise_tx(m, m->server.tx.limit + COUNTER_JUMP);
    return err;
}
