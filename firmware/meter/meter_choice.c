/* See meter_choice.h. Octets under the keys: docs/SPEC-storage.md. */
#include "firmware/meter/meter_choice.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_store.h"

#include <string.h>

#define LAYOUT_FORMAT 1
#define IS_LIFO       0x01u
#define IS_CHOSEN     0x02u /* columns under their key; else as delivered */
#define PROFILE_SIZE  (2 + 1 + 4 + 4 + 2 + 4 + 1 + 4 * NV_MORE_MAX)
#define LAYOUT_SIZE   (2 + MODEL_N_PROFILES * PROFILE_SIZE)
#define COLUMN_SIZE   (2 + 6 + 1 + 1)
#define COLUMNS_SIZE  (1 + METER_COLUMNS_EACH_MAX * COLUMN_SIZE)
_Static_assert(LAYOUT_SIZE <= NV_VALUE_MAX && COLUMNS_SIZE <= NV_VALUE_MAX, "values of keys");

static uint8_t columns_key(enum model_profile_id p, uint16_t generation)
{
    return (uint8_t)(METER_KEY_COLUMNS + 2 * p + generation % 2);
}

static struct nv_ring_layout *ring_of(struct meter *m, enum model_profile_id p)
{
    return &m->rings[meter_ring(m->model, p)];
}

/* ---- the layout's key ---- */

static void put_profile(struct wr *w, const struct meter_profile *x, const struct nv_ring_layout *r)
{
    wr_u16(w, x->generation);
    wr_u8(w, (uint8_t)((x->is_lifo ? IS_LIFO : 0) | (x->is_chosen ? IS_CHOSEN : 0)));
    wr_u32(w, x->period_s);
    wr_u32(w, x->entries);
    wr_u16(w, r->record_size);
    wr_u16(w, r->first_sector);
    wr_u16(w, r->n_sectors);
    wr_u8(w, r->n_more);
    for (unsigned k = 0; k < NV_MORE_MAX; k++) {
        wr_u16(w, r->more[k].first_sector);
        wr_u16(w, r->more[k].n_sectors);
    }
}

static void get_profile(struct rd *r, struct meter_profile *x, struct nv_ring_layout *ring)
{
    x->generation = rd_u16(r);
    const uint8_t flags = rd_u8(r);
    x->is_lifo = (flags & IS_LIFO) != 0;
    x->is_chosen = (flags & IS_CHOSEN) != 0;
    x->period_s = rd_u32(r);
    x->entries = rd_u32(r);
    *ring = (struct nv_ring_layout){.record_size = rd_u16(r)};
    ring->first_sector = rd_u16(r);
    ring->n_sectors = rd_u16(r);
    ring->n_more = rd_u8(r);
    ring->generation = x->generation;
    for (unsigned k = 0; k < NV_MORE_MAX; k++) {
        ring->more[k].first_sector = rd_u16(r);
        ring->more[k].n_sectors = rd_u16(r);
    }
}

static enum err store_layout(struct meter *m)
{
    uint8_t buf[LAYOUT_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, LAYOUT_FORMAT);
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        if (m->profile[p].n_columns > 0)
            put_profile(&w, &m->profile[p], ring_of(m, p));
    }
    return w.err ? w.err : nv_put(&m->nv, METER_KEY_LAYOUT, buf, w.len);
}

/* ---- the columns' keys ---- */

static enum err get_column(struct meter *m, struct rd *r, struct meter_column *out)
{
    struct profile_column want = {.class_id = rd_u16(r)};
    struct cosem_ref o;
    rd_copy(r, want.ln, sizeof want.ln);
    want.attribute = rd_u8(r);
    const uint8_t size = rd_u8(r);
    if (r->err || size > METER_CELL_MAX || !cosem_find(&m->device, want.class_id, want.ln, &o))
        return ERR_CORRUPT;
    *out = (struct meter_column){.row = (uint16_t)(o.row - model_rows),
                                 .i = o.i,
                                 .j = o.j,
                                 .attribute = want.attribute,
                                 .size = size};
    return ERR_OK;
}

static enum err load_columns(struct meter *m, enum model_profile_id p)
{
    uint8_t buf[COLUMNS_SIZE];
    size_t len;
    struct meter_profile *x = &m->profile[p];
    struct meter_column *c = &m->columns[meter_columns_first(m->model, p)];
    enum err err = nv_get(&m->nv, columns_key(p, x->generation), buf, sizeof buf, &len);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    struct rd r = rd_of(buf, len);
    x->n_columns = rd_u8(&r);
    if (x->n_columns == 0 || x->n_columns > METER_COLUMNS_OF(m->model->profile[p].n_values))
        return ERR_CORRUPT;
    for (unsigned k = 0; k < x->n_columns && !err; k++)
        err = get_column(m, &r, &c[k]);
    return err;
}

/* ---- loading ---- */

static void deliver(struct meter *m)
{
    (void)meter_layout(m->model, m->rings);
    meter_profiles_reset(m);
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        if (m->profile[p].n_columns > 0)
            ring_of(m, p)->record_size = meter_profile_row_size(m, p);
    }
}

enum err meter_choices_load(struct meter *m)
{
    uint8_t buf[LAYOUT_SIZE];
    size_t len;
    deliver(m);
    enum err err = nv_get(&m->nv, METER_KEY_LAYOUT, buf, sizeof buf, &len);
    if (err == ERR_NOT_FOUND)
        return store_layout(m);
    if (err)
        return err;
    struct rd r = rd_of(buf, len);
    if (rd_u8(&r) != LAYOUT_FORMAT)
        return ERR_VERSION;
    for (unsigned k = 0; k < MODEL_N_PROFILES && !err; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        if (m->profile[p].n_columns == 0)
            continue;
        get_profile(&r, &m->profile[p], ring_of(m, p));
        if (m->profile[p].is_chosen)
            err = load_columns(m, p);
    }
    return r.err ? ERR_CORRUPT : err;
}

/* ---- changes ---- */

/* A profile as it was, to go back to when the flash refuses a change. */
struct kept {
    struct meter_profile profile;
    struct nv_ring_layout ring;
};

static struct kept keep(struct meter *m, enum model_profile_id p)
{
    return (struct kept){m->profile[p], *ring_of(m, p)};
}

/* Makes the changed profile the one in force, with an empty ring. */
static enum err remake(struct meter *m, enum model_profile_id p, const struct kept *before)
{
    const uint8_t n = meter_n_rings(m->model);
    struct nv_ring_layout *ring = ring_of(m, p);
    ring->generation = m->profile[p].generation = (uint16_t)(before->profile.generation + 1);
    enum err err = nv_check_rings(&m->nv, m->rings, n);
    if (!err)
        err = meter_keep(m, store_layout(m));
    if (err) {
        m->profile[p] = before->profile;
        *ring = before->ring;
        return err;
    }
    err = meter_keep(m, nv_mount_rings(&m->nv, m->rings, n));
    meter_profile_restart(m, p);
    meter_event(m, MODEL_EVENT_PROFILE_CLEARED, meter_now_s(m));
    return err ? err : meter_commit(m);
}

static bool period_valid(const struct meter *m, enum model_profile_id p, uint32_t period_s)
{
    if (p == MODEL_DAILY || p == MODEL_MONTHLY)
        return period_s == m->profile[p].period_s;
    return model_period_allowed(m->model->periods, period_s);
}

enum err meter_profile_period(struct meter *m, enum model_profile_id p, uint32_t period_s)
{
    const struct kept before = keep(m, p);
    if (!period_valid(m, p, period_s))
        return ERR_RANGE;
    if (period_s == m->profile[p].period_s)
        return ERR_OK;
    m->profile[p].period_s = period_s;
    return remake(m, p, &before);
}

enum err meter_profile_clear(struct meter *m, enum model_profile_id p)
{
    const struct kept before = keep(m, p);
    return remake(m, p, &before);
}

enum err meter_profile_capture(struct meter *m, enum model_profile_id p)
{
    meter_profile_close(m, p, meter_now_s(m));
    return meter_commit(m);
}
