/* See meter_migrate.h. */
#include "firmware/meter/meter_migrate.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_old.h"
#include "firmware/meter/meter_store.h"

#include <string.h>

#define FIRST_SECTOR METER_FIRST_RING_SECTOR
#define HEAD_SECTORS 3  /* of a ring: what its first records touch, and one more */
#define TRIES        16 /* damaged newest snapshots looked past */
#define SNAPSHOT_MAX 2048

/* ---- what the version before had ---- */

/* Its formulas, with the figures they had then. */
static uint32_t old_snapshot_size(const struct model_meter *m)
{
    const uint32_t n_energies = LEGAL_N_ENERGIES;
    uint32_t size = 18 + 22 + 54 + METER_OLD_PROFILE_SIZE + 4 + 4 * COSEM_CLIENTS_MAX;
    size += (1u + m->n_phases) * 12 * n_energies + 8u * m->n_rates * n_energies;
    if ((m->features & MODEL_LOSSES) != 0)
        size += 12 * LEGAL_N_LOSSES;
    if ((m->features & MODEL_AVERAGES) != 0)
        size += METER_N_AVERAGES * (52 + 24u * m->n_phases);
    return size;
}

uint32_t meter_migrate_n_sectors(const struct model_meter *m)
{
    const uint32_t slots = (METER_SECTOR_SIZE - 64) / (old_snapshot_size(m) + 13);
    const uint32_t records = slots - (slots >= 8 ? 2 : slots >= 3 ? 1 : 0);
    const uint32_t snapshots = (10519200u + records * 60000u - 1) / (records * 60000u);
    const uint32_t rows = (METER_SECTOR_SIZE - 64) / (METER_OLD_ROW_SIZE + 16);
    const uint32_t depth = m->profile[MODEL_LP1].depth;
    return FIRST_SECTOR + (snapshots > 64 ? snapshots : 64) + (depth + rows - 1) / rows + 3;
}

struct old {
    struct meter_old_ring snapshots, rows;
    bool has_rows; /* else `rows` is not set */
    uint32_t end;  /* the sector behind them */
};

/* ERR_NOT_FOUND: no flash of the version before. */
static enum err old_find(const struct hal_flash *flash, struct old *o)
{
    enum err err = meter_old_find(flash, METER_OLD_SNAPSHOTS, FIRST_SECTOR, &o->snapshots);
    if (err)
        return err;
    o->end = meter_old_end(&o->snapshots);
    err = meter_old_find(flash, METER_OLD_ROWS, o->end, &o->rows);
    o->has_rows = err == ERR_OK && o->rows.record_size == METER_OLD_ROW_SIZE;
    if (!err && meter_old_end(&o->rows) > o->end)
        o->end = meter_old_end(&o->rows);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* ---- the plan ---- */

struct space { /* sectors not given away yet */
    struct nv_extent old, behind;
};

static uint16_t take(struct nv_extent *from, uint32_t n, struct nv_extent *out)
{
    const uint16_t taken = (uint16_t)(n < from->n_sectors ? n : from->n_sectors);
    *out = (struct nv_extent){from->first_sector, taken};
    from->first_sector = (uint16_t)(from->first_sector + taken);
    from->n_sectors = (uint16_t)(from->n_sectors - taken);
    return taken;
}

/* The ring's first `head` sectors behind the old flash, then what there is in it, then behind. */
static enum err place(struct space *s, struct nv_ring_layout *ring, uint32_t head,
                      uint16_t generation)
{
    uint32_t n = ring->n_sectors;
    struct nv_extent first;
    head = head < n ? head : n;
    if (take(&s->behind, head, &first) < head)
        return ERR_FULL;
    *ring = (struct nv_ring_layout){.first_sector = first.first_sector,
                                    .n_sectors = first.n_sectors,
                                    .record_size = ring->record_size,
                                    .generation = generation};
    n -= head;
    for (unsigned k = 0; k < 2 && n > 0; k++) {
        struct nv_extent *more = &ring->more[ring->n_more];
        const uint16_t taken = take(k == 0 ? &s->old : &s->behind, n, more);
        n -= taken;
        ring->n_more = (uint8_t)(ring->n_more + (taken > 0));
    }
    return n == 0 ? ERR_OK : ERR_FULL;
}

/* Sectors of load profile 1 that its old rows go to. */
static uint32_t sectors_of_rows(const struct old *o, uint32_t record_size)
{
    const uint32_t rows =
        o->has_rows && o->rows.newest > 0 ? o->rows.newest - o->rows.oldest + 1 : 0;
    return meter_sectors_for(rows + 1, record_size) + 1;
}

enum err meter_migrate_plan(struct meter *m, const struct meter_seen *seen, bool *is_old)
{
    const struct hal_flash *flash = m->nv.config.flash;
    struct old o;
    enum err err = old_find(flash, &o);
    *is_old = err == ERR_OK && o.snapshots.newest > 0; /* else it never lived */
    if (err || !*is_old)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct space space = {
        .old = {FIRST_SECTOR, (uint16_t)(o.end - FIRST_SECTOR)},
        .behind = {(uint16_t)o.end, (uint16_t)(flash->n_sectors - o.end)},
    };
    for (uint8_t i = 0; i < meter_n_rings(m->model) && !err; i++) {
        struct nv_ring_layout *ring = &m->rings[i];
        const uint32_t head =
            i == METER_RING_PROFILE ? sectors_of_rows(&o, ring->record_size) : HEAD_SECTORS;
        if (i != METER_RING_AUDIT)
            err = place(&space, ring, head, (uint16_t)(seen->generation + 1));
    }
    return err;
}

/* ---- rows ---- */

struct old_row {
    struct meter_row_head head;
    uint64_t reg[4];      /* A+ A- R+ R- */
    uint32_t interval[2]; /* A+ A- */
};

static void get_row(struct rd *r, struct old_row *row)
{
    meter_row_get_head(r, &row->head);
    for (size_t i = 0; i < 4; i++)
        row->reg[i] = rd_u64(r);
    for (size_t i = 0; i < 2; i++)
        row->interval[i] = rd_u32(r);
}

static void put_cell(const struct old_row *row, const struct meter_column *c, struct wr *w)
{
    const size_t end = w->len + c->size;
    const int interval = meter_column_interval(c);
    struct profile_column object;
    meter_column_object(c, &object);
    const uint8_t code = object.ln[2]; /* C: 1..4 */
    if (interval >= 0)
        axdr_put_u32(w, row->interval[interval]);
    else if (object.ln[3] == 8 && object.ln[4] == 0 && code >= 1 && code <= 4)
        axdr_put_u64(w, row->reg[code - 1]);
    else
        axdr_put_null(w);
    for (size_t at = w->len; at < end; at++)
        wr_u8(w, 0);
}

static enum err append(struct meter *m, const struct old_row *row)
{
    uint8_t record[METER_ROW_MAX];
    const struct meter_column *c = meter_profile_columns(m, MODEL_LP1);
    struct wr w = wr_of(record, meter_profile_row_size(m, MODEL_LP1));
    meter_row_put_head(&w, &row->head);
    for (unsigned k = 0; k < m->profile[MODEL_LP1].n_columns; k++) {
        if (c[k].size > 0)
            put_cell(row, &c[k], &w);
    }
    if (w.err || wr_left(&w) > 0)
        return ERR_CORRUPT;
    return nv_append(&m->nv, METER_RING_PROFILE, record);
}

/* The rows of the ring, the unreadable ones left out. *newest: number of the last one, 0 none. */
static enum err copy_rows(struct meter *m, const struct meter_old_ring *rows, uint32_t *newest)
{
    *newest = 0;
    for (uint32_t seq = rows->oldest; seq <= rows->newest; seq++) {
        uint8_t octets[METER_OLD_ROW_SIZE];
        struct old_row row;
        enum err err = meter_old_read(rows, seq, octets);
        if (err == ERR_NOT_FOUND)
            continue;
        struct rd r = rd_of(octets, sizeof octets);
        get_row(&r, &row);
        if (!err)
            err = append(m, &row);
        if (err)
            return err;
        *newest = row.head.number;
    }
    return ERR_OK;
}

/* ---- the snapshot ---- */

struct old_profile {
    uint32_t period_s;
    uint32_t due_s;
    uint8_t marks;
    bool is_pending;  /* `last` may not be in the ring yet */
    bool is_clearing; /* the ring was to be emptied */
    struct old_row last;
};

static void get_profile(struct rd *r, struct old_profile *p)
{
    p->period_s = rd_u32(r);
    p->due_s = (uint32_t)rd_u64(r);
    p->marks = rd_u8(r);
    p->is_pending = rd_u8(r) != 0;
    p->is_clearing = rd_u8(r) != 0;
    get_row(r, &p->last);
}

/* Registers at the newest row, as the profile counts them: what was shown then may have rolled
 * over since. */
static uint32_t base_of(const struct meter *m, const struct legal_energies *e,
                        enum model_quantity q, uint64_t shown)
{
    const uint64_t now = meter_energy(m->model, e, q, 0);
    return meter_energy_low(m->model, e, q) - (uint32_t)meter_energy_since(m->model, now, shown);
}

static void take_profile(struct meter *m, const struct old_profile *old)
{
    struct meter_profile *x = &m->profile[MODEL_LP1];
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    x->period_s = old->period_s;
    x->due_s = old->due_s;
    x->marks = old->marks;
    x->last = old->last.head;
    x->is_owed = x->is_fresh = false;
    x->base[0] = base_of(m, &e, MODEL_A_IMPORT, old->last.reg[0]);
    x->base[1] = base_of(m, &e, MODEL_A_EXPORT, old->last.reg[1]);
    memcpy(m->interval, old->last.interval, sizeof m->interval);
}

/* The newest one that is whole. */
static enum err read_snapshot(const struct meter_old_ring *ring, uint8_t octets[SNAPSHOT_MAX])
{
    for (uint32_t i = 0; i < TRIES && i < ring->newest; i++) {
        enum err err = meter_old_read(ring, ring->newest - i, octets);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_CORRUPT;
}

static enum err take_snapshot(struct meter *m, const struct meter_old_ring *ring,
                              struct old_profile *profile)
{
    uint8_t octets[SNAPSHOT_MAX];
    struct bytes of_profile = {0};
    if (ring->record_size != old_snapshot_size(m->model))
        return ERR_VERSION;
    enum err err = read_snapshot(ring, octets);
    if (!err)
        err = meter_snapshot_take_2(m, (struct bytes){octets, ring->record_size}, &of_profile);
    struct rd r = rd_of(of_profile.p, of_profile.len);
    if (!err)
        get_profile(&r, profile);
    return err;
}

/* ---- all of it ---- */

/* Rows of the ring, and the one that was on its way there. Where the flash refuses the new ring
 * they are given up, as any row then is: a meter that counts is more than its history. */
static enum err take_rows(struct meter *m, const struct old *o, const struct old_profile *profile)
{
    uint32_t newest = 0;
    enum err err = o->has_rows && !profile->is_clearing ? copy_rows(m, &o->rows, &newest) : ERR_OK;
    if (!err && profile->is_pending && profile->last.head.number > newest)
        err = append(m, &profile->last);
    return err == ERR_STATE ? ERR_OK : err; /* the mount kept it in m->fault */
}

static enum err take_over(struct meter *m)
{
    struct old o;
    struct old_profile profile;
    enum err err = old_find(m->nv.config.flash, &o);
    if (!err)
        err = take_snapshot(m, &o.snapshots, &profile);
    if (!err)
        err = take_rows(m, &o, &profile);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    take_profile(m, &profile);
    err = meter_store_snapshot(m);
    return err ? err : meter_choices_store(m);
}

/* ---- shorter snapshots ---- */

bool meter_migrate_reads(struct meter *m, uint8_t ring)
{
    const size_t shorter = meter_snapshot_size(m->model) - METER_SNAPSHOT_LATER;
    m->is_old = ring == METER_RING_SNAPSHOT && m->rings[ring].record_size == shorter;
    return m->is_old;
}

/* Head sectors that no ring has, then those of the ring as it was. */
static enum err lay_behind(struct meter *m, struct nv_ring_layout *ring)
{
    const uint8_t n = meter_n_rings(m->model);
    struct nv_ring_layout rings[METER_RINGS_MAX + 1];
    struct nv_ring_layout *head = &rings[n];
    memcpy(rings, m->rings, sizeof m->rings);
    *head = (struct nv_ring_layout){0};
    if (!meter_layout_move(rings, n + 1, n, m->nv.config.flash->n_sectors, HEAD_SECTORS) ||
        head->n_more > 0 || ring->n_more == NV_MORE_MAX)
        return ERR_FULL;
    memmove(&ring->more[1], ring->more, ring->n_more * sizeof ring->more[0]);
    ring->more[0] = (struct nv_extent){ring->first_sector, ring->n_sectors};
    ring->n_more++;
    ring->first_sector = head->first_sector;
    ring->n_sectors = head->n_sectors;
    return ERR_OK;
}

/* A ring of today's snapshots; a start that was cut may have left one. */
static enum err renew_snapshots(struct meter *m)
{
    struct nv_ring_layout *ring = &m->rings[METER_RING_SNAPSHOT];
    bool unused = false;
    enum err err = lay_behind(m, ring);
    ring->record_size = (uint16_t)meter_snapshot_size(m->model);
    while (!err && !unused && ++ring->generation > 0)
        err = nv_ring_unused(&m->nv, m->rings, METER_RING_SNAPSHOT, &unused);
    if (!err && !unused)
        return ERR_FULL;
    return err ? err : nv_mount_ring(&m->nv, METER_RING_SNAPSHOT);
}

static enum err lengthen(struct meter *m)
{
    const enum err read = meter_snapshot_read(m);
    enum err err = read == ERR_NOT_FOUND ? ERR_OK : read;
    if (!err)
        err = renew_snapshots(m);
    if (!err && read == ERR_OK)
        err = meter_store_snapshot(m);
    if (!err)
        err = meter_choices_store(m);
    return err ? err : read;
}

enum err meter_migrate_run(struct meter *m)
{
    const bool has_layout =
        m->rings[METER_RING_SNAPSHOT].record_size != meter_snapshot_size(m->model);
    enum err err = has_layout ? lengthen(m) : take_over(m);
    m->is_old = err != ERR_OK && err != ERR_NOT_FOUND;
    return err;
}
