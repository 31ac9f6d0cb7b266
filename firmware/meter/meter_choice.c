/* See meter_choice.h. Octets under the keys: docs/SPEC-storage.md. */
#include "firmware/meter/meter_choice.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_field.h"
#include "firmware/meter/meter_migrate.h"
#include "firmware/meter/meter_store.h"
#include "lib/base/crc.h"

#include <string.h>

#define LAYOUT_FORMAT 1
#define IS_LIFO       0x01u
#define IS_CHOSEN     0x02u /* columns under their key; else as delivered */
#define PROFILE_SIZE  (1 + 4 + 4)
#define RING_SIZE     (2 + 2 + 2 + 2 + 1 + 4 * NV_MORE_MAX)
#define LAYOUT_SIZE   (2 + MODEL_N_PROFILES * PROFILE_SIZE + METER_RINGS_MAX * RING_SIZE)
#define COLUMN_SIZE   (2 + 6 + 1 + 1)
#define COLUMNS_SIZE  (1 + METER_COLUMNS_EACH_MAX * COLUMN_SIZE)
_Static_assert(LAYOUT_SIZE <= NV_VALUE_MAX && COLUMNS_SIZE <= NV_VALUE_MAX, "values of keys");

uint16_t meter_generation(const struct meter *m, enum model_profile_id p)
{
    return m->rings[meter_ring(m->model, p)].generation;
}

static struct nv_ring_layout *ring_of(struct meter *m, enum model_profile_id p)
{
    return &m->rings[meter_ring(m->model, p)];
}

static unsigned columns_key(struct meter *m, enum model_profile_id p)
{
    return METER_KEY_COLUMNS + 2u * p + meter_generation(m, p) % 2;
}

/* ---- the layout's key ---- */

#define F(member, n) METER_FIELD(meter_profile, member, n)
static const struct meter_field profile_fields[] = {F(period_s, 4), F(entries, 4)};
#undef F
#define F(member) METER_FIELD(nv_ring_layout, member, 2)
static const struct meter_field ring_fields[] = {
    F(generation),
    F(record_size),
    F(first_sector),
    F(n_sectors),
    METER_FIELD(nv_ring_layout, n_more, 1),
    F(more[0].first_sector),
    F(more[0].n_sectors),
    F(more[1].first_sector),
    F(more[1].n_sectors),
    F(more[2].first_sector),
    F(more[2].n_sectors),
};
_Static_assert(NV_MORE_MAX == 3, "extents of a ring");
#undef F

static void profile(const struct meter_io *io, struct meter_profile *x)
{
    static const struct meter_field octet = {0, 1, 1};
    uint8_t flags = (uint8_t)((x->is_lifo ? IS_LIFO : 0) | (x->is_chosen ? IS_CHOSEN : 0));
    meter_fields(io, &flags, &octet, 1, 1);
    meter_fields(io, x, profile_fields, METER_N_FIELDS(profile_fields), 1);
    x->is_lifo = (flags & IS_LIFO) != 0;
    x->is_chosen = (flags & IS_CHOSEN) != 0;
}

/* The audit trail lies where it lies for ever. */
static bool is_laid(uint8_t ring)
{
    return ring != METER_RING_AUDIT;
}

/* Behind the format's octet, both ways. */
static void layout(const struct meter_io *io, struct meter *m)
{
    static const struct meter_field tells_null = METER_FIELD_BOOL(meter, tells_null);
    meter_fields(io, m, &tells_null, 1, 1);
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0)
            profile(io, &m->profile[p]);
    }
    for (uint8_t i = 0; i < meter_n_rings(m->model); i++) {
        if (is_laid(i))
            meter_fields(io, &m->rings[i], ring_fields, METER_N_FIELDS(ring_fields), 1);
    }
}

enum err meter_choices_store(struct meter *m)
{
    uint8_t buf[LAYOUT_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    const struct meter_io io = {.w = &w};
    wr_u8(&w, LAYOUT_FORMAT);
    layout(&io, m);
    return meter_store_put(m, METER_KEY_LAYOUT, &w);
}

/* ---- the columns' keys ---- */

static enum err get_column(struct meter *m, struct rd *r, struct meter_column *out)
{
    struct profile_column want = {.class_id = rd_u16(r)};
    rd_copy(r, want.ln, sizeof want.ln);
    want.attribute = rd_u8(r);
    const uint8_t size = rd_u8(r);
    if (r->err || size > METER_CELL_MAX || !meter_column_at(&m->device, &want, out))
        return ERR_CORRUPT;
    out->size = size;
    return ERR_OK;
}

static enum err load_columns(struct meter *m, enum model_profile_id p)
{
    uint8_t buf[COLUMNS_SIZE];
    struct rd r;
    struct meter_profile *x = &m->profile[p];
    struct meter_column *c = meter_profile_pool(m, p);
    enum err err = meter_store_get(m, columns_key(m, p), buf, sizeof buf, &r);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    x->n_columns = rd_u8(&r);
    if (x->n_columns == 0 || x->n_columns > METER_COLUMNS_OF(meter_model(m)->profile[p].n_values))
        return ERR_CORRUPT;
    for (unsigned k = 0; k < x->n_columns && !err; k++)
        err = get_column(m, &r, &c[k]);
    return err;
}

static void put_column(struct wr *w, const struct meter_column *c)
{
    struct profile_column object;
    meter_column_object(c, &object);
    wr_u16(w, object.class_id);
    wr_bytes(w, object.ln, sizeof object.ln);
    wr_u8(w, object.attribute);
    wr_u8(w, c->size);
}

enum err meter_columns_store(struct meter *m, enum model_profile_id p)
{
    const struct meter_column *c = meter_profile_columns(m, p);
    const uint8_t n = m->profile[p].n_columns;
    uint8_t buf[COLUMNS_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, n);
    for (unsigned k = 0; k < n; k++)
        put_column(&w, &c[k]);
    return meter_store_put(m, columns_key(m, p), &w);
}

/* ---- loading ---- */

/* Odd and even have keys each. 0 is for rings as delivered: their records do not name it. */
static uint16_t later(uint16_t generation, uint16_t by)
{
    generation = (uint16_t)(generation + by);
    return generation == 0 ? 2 : generation;
}

/* Where the keys lost a sector this may be a layout of before, whose next generation was used. */
enum err meter_ring_renew(struct meter *m, enum model_profile_id p)
{
    struct nv_ring_layout *ring = ring_of(m, p);
    bool unused = false;
    enum err err = ERR_OK;
    ring->generation = later(ring->generation, 1);
    for (uint32_t k = 0; k <= meter_ring_sectors(ring) && !err && !unused; k++) {
        err = nv_ring_unused(&m->nv, m->rings, meter_ring(m->model, p), &unused);
        if (!unused)
            ring->generation = later(ring->generation, 2);
    }
    return err;
}

void meter_ring_fit(struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    struct nv_ring_layout *ring = ring_of(m, p);
    ring->record_size = meter_profile_row_size(m, p);
    const uint32_t kept = meter_rows_kept(meter_ring_sectors(ring), ring->record_size);
    x->entries = x->entries < kept ? x->entries : kept;
}

/* The owner's columns are lost: those as delivered, in a ring that begins anew. */
static enum err deliver_columns(struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    x->n_columns = (uint8_t)meter_columns_default(m, p, meter_profile_pool(m, p));
    x->is_chosen = false;
    meter_ring_fit(m, p);
    enum err err = meter_ring_renew(m, p);
    return err ? err : meter_choices_store(m);
}

static void deliver(struct meter *m)
{
    (void)meter_layout(m->model, m->rings);
    meter_profiles_reset(m);
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0)
            meter_ring_fit(m, (enum model_profile_id)p);
    }
}

/* Whose rows change only with the program. */
static bool is_fixed(const struct meter *m, uint8_t ring)
{
    return ring != METER_RING_PROFILE && ring < meter_log_ring(m->model, MODEL_N_LOGS);
}

/* Behind the format's octet; widths that only another program can have are refused. */
static enum err get_layout(struct meter *m, struct rd *r)
{
    uint16_t size[METER_RINGS_MAX];
    const struct meter_io io = {.r = r};
    for (unsigned i = 0; i < METER_RINGS_MAX; i++)
        size[i] = m->rings[i].record_size;
    layout(&io, m);
    for (uint8_t i = 0; i < meter_n_rings(m->model); i++) {
        if (is_fixed(m, i) && m->rings[i].record_size != size[i] && !meter_migrate_reads(m, i))
            return ERR_VERSION;
    }
    return r->err ? ERR_CORRUPT : ERR_OK;
}

static enum err look_round(const struct hal_flash *flash, struct meter_seen *out)
{
    *out = (struct meter_seen){0};
    for (uint32_t s = METER_FIRST_RING_SECTOR; s < flash->n_sectors; s++) {
        uint8_t head[32];
        enum err err = flash->read(flash, s * flash->sector_size, head, sizeof head);
        if (err)
            return err;
        struct rd crc = rd_of(head + 28, 4);
        if (rd_u32(&crc) != crc32_update(0, head, 28))
            continue;
        const uint16_t g = (uint16_t)(head[14] << 8 | head[15]);
        out->generation = g > out->generation ? g : out->generation;
        out->is_format_1 = out->is_format_1 || (head[4] == 0 && head[5] == 1);
        out->is_moved = out->is_moved || (g > 0 && head[6] == 1 + METER_RING_SNAPSHOT);
    }
    return ERR_OK;
}

/* A meter that was taken over and then lost its layout's key to damage: its snapshots would not be
 * found, or the old ones again, and the registers would go back. */
static bool is_lost(const struct meter *m, const struct meter_seen *seen)
{
    const bool keys_damaged = (m->nv.damaged & 1u) != 0;
    return (keys_damaged && seen->is_moved) || seen->generation == UINT16_MAX;
}

/* No layout: a new flash, or one of the version before. */
static enum err first_layout(struct meter *m)
{
    struct meter_seen seen;
    enum err err = look_round(m->nv.config.flash, &seen);
    if (!err)
        err = is_lost(m, &seen) ? ERR_CORRUPT : meter_migrate_plan(m, &seen, &m->is_old);
    return err || m->is_old ? err : meter_choices_store(m);
}

/* A row of other columns than the ring was laid for would be read and written past its end. */
static bool fits(struct meter *m, enum model_profile_id p)
{
    return m->profile[p].n_columns == 0 ||
           ring_of(m, p)->record_size == meter_profile_row_size(m, p);
}

enum err meter_choices_load(struct meter *m)
{
    uint8_t buf[LAYOUT_SIZE];
    struct rd r;
    deliver(m);
    enum err err = meter_store_get(m, METER_KEY_LAYOUT, buf, sizeof buf, &r);
    if (err == ERR_NOT_FOUND)
        return first_layout(m);
    if (err)
        return err;
    if (rd_u8(&r) != LAYOUT_FORMAT)
        return ERR_VERSION;
    err = get_layout(m, &r);
    if (!err && nv_check_rings(&m->nv, m->rings, meter_n_rings(m->model)) != ERR_OK)
        err = ERR_CORRUPT; /* before anything looks for a sector by it */
    for (unsigned p = 0; p < MODEL_N_PROFILES && !err; p++) {
        if (m->profile[p].is_chosen)
            err = load_columns(m, (enum model_profile_id)p);
        if (!err && !fits(m, (enum model_profile_id)p))
            err = ERR_CORRUPT;
        if (err == ERR_CORRUPT)
            err = deliver_columns(m, (enum model_profile_id)p);
    }
    return err;
}
