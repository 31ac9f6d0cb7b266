/* The snapshot: everything of a meter that changes by itself, as one record of a ring.
 *
 * Its size follows from the model: phases, rates, losses and averages are there only where the
 * model has them. What the model does not have is zero after a restart. Parameters that only
 * clients change have records of their own. */
#include "firmware/meter/meter_store.h"

#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_field.h"
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
    (METER_SNAPSHOT_LATER + CLOCK_SIZE + LEGAL_SIZE + 4 * ENERGIES_SIZE +                          \
     8 * 8 * LEGAL_N_ENERGIES + 12 * LEGAL_N_LOSSES + DEMAND_SIZE +                                \
     MODEL_N_PROFILES * PROFILE_SIZE + 4 * METER_N_INTERVALS + COUNTERS_SIZE +                     \
     METER_N_AVERAGES * AVERAGE_SIZE(3) + METER_LOG_STATE_SIZE)

size_t meter_snapshot_size(const struct model_meter *m)
{
    m = model_row(m);
    size_t size = METER_SNAPSHOT_LATER + CLOCK_SIZE + LEGAL_SIZE + DEMAND_SIZE + COUNTERS_SIZE +
                  METER_LOG_STATE_SIZE;
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

/* ---- fields ---- */

#define F(member, n) METER_FIELD(meter_clock, member, n)
static const struct meter_field clock_fields[] = {
    F(base_ns, 8), F(offset_ns, 8), F(doubt, 1), F(rate_ppb, 4), /* the last not in format 2 */
};
#undef F
#define F(member, n) METER_FIELD(legal_snapshot, member, n)
static const struct meter_field total_fields[] = {F(energy.total[0], 8), F(total_rest[0], 4)};
static const struct meter_field phase_fields[] = {F(energy.phase[0][0], 8), F(phase_rest[0][0], 4)};
static const struct meter_field rate_fields[] = {F(energy.rate[0][0], 8)};
static const struct meter_field loss_fields[] = {F(energy.loss[0], 8), F(loss_rest[0], 4)};
static const struct meter_field legal_fields[] = {
    F(pulses_active, 8),
    F(pulses_reactive, 8),
    F(audit_sequence, 4),
    F(rate, 1),
    METER_FIELD_BOOL(legal_snapshot, sealed),
};
#undef F
#define F(member, n) METER_FIELD(meter_average, member, n)
static const struct meter_field average_fields[] = {
    F(start_ns, 8), F(due_s, 8), F(start_uwh[0], 8), F(start_uwh[1], 8),
    F(ms, 4),       F(end_s, 8), F(p_dw[0], 4),      F(p_dw[1], 4),
};
static const struct meter_field average_of_phase_fields[] = {
    F(u_mvms[0], 8),
    F(i_uams[0], 8),
    F(u_mv[0], 4),
    F(i_ua[0], 4),
};
#undef F
#define F(member, n) METER_FIELD(meter_demand, member, n)
static const struct meter_field demand_fields[] = {
    F(period_s, 4), F(start_s, 8), F(due_s, 8), F(start_uwh, 8),  F(last_dw, 4),
    F(last_s, 8),   F(max_dw, 4),  F(max_s, 8), F(last_doubt, 1), F(max_doubt, 1),
};
#undef F
#define F(member, n) METER_FIELD(meter_profile, member, n)
static const struct meter_field profile_fields[] = {
    F(due_s, 4),        F(base[0], 4),        F(base[1], 4),           F(last.number, 4),
    F(last.utc_s, 4),   F(last.deviation, 2), F(last.clock_status, 1), F(last.status, 1),
    F(ordered_from, 4), F(marks, 1),
};
#undef F
#define F(member, n) METER_FIELD(meter, member, n)
static const struct meter_field later_fields[] = {
    F(tells, 1),
    F(log.refill_ns, 8),
    F(log.hours, 1),
};
static const struct meter_field room_fields[] = {F(log.left[0], 1)};
#undef F
static const struct meter_field number_fields[] = {{0, 4, 4}}; /* an array of uint32_t */

#define FIELDS(io, of, table, times) meter_fields(io, of, table, METER_N_FIELDS(table), times)

/* ---- both ways ---- */

static void legal(const struct meter_io *io, const struct model_meter *m, struct legal_snapshot *s)
{
    m = model_row(m);
    const unsigned n_losses = (m->features & MODEL_LOSSES) != 0 ? LEGAL_N_LOSSES : 0;
    FIELDS(io, s, total_fields, LEGAL_N_ENERGIES);
    FIELDS(io, s, phase_fields, m->n_phases * LEGAL_N_ENERGIES);
    FIELDS(io, s, rate_fields, m->n_rates * LEGAL_N_ENERGIES);
    FIELDS(io, s, loss_fields, n_losses);
    FIELDS(io, s, legal_fields, 1);
}

#define IS_OWED  0x01u
#define IS_FRESH 0x02u

/* Of a ring that was made anew since, only the numbers of its rows go on. */
static void profile(const struct meter_io *io, struct meter *m, enum model_profile_id p)
{
    static const struct meter_field generation = {0, sizeof(uint16_t), 2}, octet = {0, 1, 1};
    struct meter_profile *x = &m->profile[p];
    const uint16_t now = meter_generation(m, p);
    uint16_t of = now;
    uint8_t flags = (uint8_t)((x->is_owed ? IS_OWED : 0) | (x->is_fresh ? IS_FRESH : 0));
    meter_fields(io, &of, &generation, 1, 1);
    FIELDS(io, x, profile_fields, 1);
    meter_fields(io, &flags, &octet, 1, 1);
    x->is_owed = of == now && (flags & IS_OWED) != 0;
    x->is_fresh = (flags & IS_FRESH) != 0;
    if (of != now)
        x->due_s = METER_PROFILE_UNKNOWN;
}

static void profiles(const struct meter_io *io, struct meter *m)
{
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0)
            profile(io, m, (enum model_profile_id)p);
    }
    FIELDS(io, m->interval, number_fields, METER_N_INTERVALS);
}

static void averages(const struct meter_io *io, struct meter *m)
{
    for (unsigned k = 0; k < METER_N_AVERAGES && (meter_model(m)->features & MODEL_AVERAGES) != 0;
         k++) {
        FIELDS(io, &m->average[k], average_fields, 1);
        FIELDS(io, &m->average[k], average_of_phase_fields, meter_model(m)->n_phases);
    }
}

static void later(const struct meter_io *io, struct meter *m)
{
    FIELDS(io, m, later_fields, 1);
    FIELDS(io, m, room_fields, sizeof m->log.left);
}

enum err meter_store_snapshot(struct meter *m)
{
    uint8_t buf[SNAPSHOT_MAX];
    struct legal_snapshot s;
    legal_snapshot_get(&m->legal, &s);
    struct wr w = wr_of(buf, sizeof buf);
    const struct meter_io io = {.w = &w};
    wr_u8(&w, SNAPSHOT_FORMAT);
    FIELDS(&io, &m->clock, clock_fields, 1);
    legal(&io, m->model, &s);
    FIELDS(&io, &m->demand, demand_fields, 1);
    profiles(&io, m);
    averages(&io, m);
    meter_log_state(&io, m);
    wr_u32(&w, m->server.tx.limit);
    meter_put_floors(&w, m);
    later(&io, m);
    if (w.err || w.len != meter_snapshot_size(m->model))
        return ERR_RANGE;
    enum err err = nv_append(&m->nv, METER_RING_SNAPSHOT, buf);
    if (!err)
        m->told = s.energy;
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

/* Behind the format's octet. Format 2 had one profile and no logs; its profile goes to `old`. What
 * comes later is as delivered where it is missing. */
static enum err restore_from(struct meter *m, struct rd *r, uint8_t format, struct bytes *old)
{
    struct legal_snapshot s; /* of a start: zeros but for what the audit trail says */
    legal_snapshot_get(&m->legal, &s);
    const uint32_t sequence = s.audit_sequence;
    const bool sealed = s.sealed;
    const struct meter_io io = {.r = r};
    meter_fields(&io, &m->clock, clock_fields, METER_N_FIELDS(clock_fields) - (format == 2), 1);
    legal(&io, m->model, &s);
    FIELDS(&io, &m->demand, demand_fields, 1);
    if (format > 2)
        profiles(&io, m);
    else
        *old = rd_bytes(r, METER_OLD_PROFILE_SIZE);
    averages(&io, m);
    if (format > 2)
        meter_log_state(&io, m);
    meter_raise_tx(m, rd_u32(r));
    meter_raise_floors(r, m);
    if (rd_left(r) > 0)
        later(&io, m);
    if (r->err)
        return r->err;
    if (s.audit_sequence < sequence) /* the trail knows of changes after the snapshot */
        s.audit_sequence = sequence;
    s.sealed = sealed;
    m->told = s.energy;
    return legal_snapshot_set(&m->legal, &s);
}

enum err meter_snapshot_take_2(struct meter *m, struct bytes snapshot, struct bytes *profile)
{
    struct rd r = rd_of(snapshot.p, snapshot.len);
    return rd_u8(&r) == 2 ? restore_from(m, &r, 2, profile) : ERR_VERSION;
}

enum err meter_snapshot_read(struct meter *m)
{
    uint8_t buf[SNAPSHOT_MAX];
    enum err err = read_newest(m, buf);
    if (err)
        return err;
    struct rd r = rd_of(buf, m->rings[METER_RING_SNAPSHOT].record_size);
    if (rd_u8(&r) != SNAPSHOT_FORMAT)
        return ERR_VERSION;
    return restore_from(m, &r, SNAPSHOT_FORMAT, NULL);
}

enum err meter_store_restore(struct meter *m)
{
    enum err err = m->is_old ? meter_migrate_run(m) : meter_snapshot_read(m);
    if (m->nv.n_corrupt > 0 && m->server.tx.limit <= UINT32_MAX - COUNTER_JUMP)
        meter_raise_tx(m, m->server.tx.limit + COUNTER_JUMP);
    return err;
}
