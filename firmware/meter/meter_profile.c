/* See meter_profile.h. When time passes: meter.c. How a client reads rows: meter_bind_profile.c.
 *
 * A row, from interval to ring:
 *
 *             meter_profile_close: its end, or the clock was set
 *     RUNNING --------------------------------------------------> OWED
 *       ^  ^                                                       |  \
 *       |  '-- drop: the flash refused; marks go to the next one --'   \ snapshot, append
 *       |                                                               v
 *       '-- the next interval, from the same instant                  IN THE RING
 *
 *     power-up: OWED --mend, the ring has it--> IN THE RING
 *               OWED --mend, it has not: append--> IN THE RING
 *
 * Facts: at most one row of a profile is owed, and its head is `last`; the snapshot has it before
 * the ring; `base` is the registers at the newest row in the ring, so a row dropped leaves its
 * energy to the next. While is_fresh no whole interval has begun: its end makes no row. */
#include "firmware/meter/meter_profile.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_store.h"

#include <string.h>

void meter_row_put_head(struct wr *w, const struct meter_row_head *h)
{
    wr_u32(w, h->number);
    wr_u32(w, h->utc_s);
    wr_u16(w, (uint16_t)h->deviation);
    wr_u8(w, h->clock_status);
    wr_u8(w, h->status);
}

void meter_row_get_head(struct rd *r, struct meter_row_head *h)
{
    h->number = rd_u32(r);
    h->utc_s = rd_u32(r);
    h->deviation = (int16_t)rd_u16(r);
    h->clock_status = rd_u8(r);
    h->status = rd_u8(r);
}

const struct meter_column *meter_profile_columns(const struct meter *m, enum model_profile_id p)
{
    return &m->columns[meter_columns_first(m->model, p)];
}

struct meter_column *meter_profile_pool(struct meter *m, enum model_profile_id p)
{
    return m->columns + (meter_profile_columns(m, p) - m->columns);
}

uint16_t meter_profile_row_size(const struct meter *m, enum model_profile_id p)
{
    const struct meter_column *c = meter_profile_columns(m, p);
    uint32_t size = METER_ROW_HEAD;
    for (unsigned k = 0; k < m->profile[p].n_columns; k++)
        size += c[k].size;
    return (uint16_t)size;
}

void meter_profiles_reset(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        const struct model_profile *row = &meter_model(m)->profile[p];
        m->profile[p] = (struct meter_profile){
            .period_s = p == MODEL_DAILY ? METER_DAY_S : row->period_s10 * 10u,
            .entries = row->depth,
            .n_columns = (uint8_t)meter_columns_default(m, p, meter_profile_pool(m, p))};
    }
}

/* ---- intervals ---- */

/* The end of the interval that runs at an instant. */
static uint32_t end_of(const struct meter *m, enum model_profile_id p, uint32_t after_s)
{
    const uint32_t period_s = m->profile[p].period_s;
    if (p == MODEL_MONTHLY)
        return meter_clock_month_end(&m->clock, after_s);
    if (p == MODEL_DAILY)
        return meter_clock_boundary(&m->clock, after_s, METER_DAY_S);
    return period_s == METER_PROFILE_NONE ? UINT32_MAX
                                          : meter_clock_boundary(&m->clock, after_s, period_s);
}

static bool begins_now(const struct meter *m, enum model_profile_id p)
{
    const uint32_t now_s = meter_now_s(m);
    return end_of(m, p, now_s - 1) == now_s;
}

static void get_low(const struct meter *m, uint32_t low[METER_N_INTERVALS])
{
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    low[0] = meter_energy_low(m->model, &e, MODEL_A_IMPORT);
    low[1] = meter_energy_low(m->model, &e, MODEL_A_EXPORT);
}

void meter_profile_restart(struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    x->due_s = end_of(m, p, meter_now_s(m));
    x->marks = 0;
    x->is_owed = false;
    x->is_fresh = !begins_now(m, p);
    get_low(m, x->base);
}

void meter_profiles_begin(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        struct meter_profile *x = &m->profile[k];
        meter_profile_restart(m, (enum model_profile_id)k);
        x->marks = x->is_fresh ? METER_ROW_PDN : 0;
        x->is_fresh = false;
    }
}

uint8_t meter_row_status(const struct meter *m, enum model_profile_id p, uint32_t stamp_s)
{
    uint8_t status = m->profile[p].marks;
    if (meter_clock_dst(&m->clock, stamp_s))
        status |= METER_ROW_DST;
    if ((m->clock.doubt & DATETIME_INVALID) != 0)
        status |= METER_ROW_CIV | METER_ROW_DNV;
    if (m->fault)
        status |= METER_ROW_ERR | METER_ROW_DNV;
    return status;
}

void meter_profile_close(struct meter *m, enum model_profile_id p, uint32_t stamp_s)
{
    struct meter_profile *x = &m->profile[p];
    if (x->is_fresh) {
        get_low(m, x->base);
        x->is_fresh = false;
    } else {
        if (stamp_s < x->last.utc_s)
            x->ordered_from = x->last.number + 1;
        x->last = (struct meter_row_head){.number = x->last.number + 1,
                                          .utc_s = stamp_s,
                                          .status = meter_row_status(m, p, stamp_s)};
        x->last.clock_status = meter_clock_stamp(&m->clock, stamp_s, &x->last.deviation);
        x->is_owed = true;
    }
    x->marks = 0;
}

uint32_t meter_profiles_due_s(const struct meter *m)
{
    uint32_t due_s = UINT32_MAX;
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (m->profile[p].n_columns > 0 && m->profile[p].due_s < due_s)
            due_s = m->profile[p].due_s;
    }
    return due_s;
}

bool meter_profiles_close_due(struct meter *m)
{
    const uint32_t now_s = meter_now_s(m);
    bool closed = false;
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        struct meter_profile *x = &m->profile[p];
        if (x->n_columns == 0 || now_s < x->due_s)
            continue;
        meter_profile_close(m, p, x->due_s);
        x->due_s = end_of(m, p, x->due_s);
        closed = true;
    }
    return closed;
}

void meter_profiles_mark(struct meter *m, uint8_t marks)
{
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++)
        m->profile[p].marks |= marks;
}

/* Rules 14 to 16. A day or month that goes on is one still: its only row is at its end, marked. */
void meter_profiles_clock_set(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        struct meter_profile *x = &m->profile[p];
        const uint32_t due_s = end_of(m, p, meter_now_s(m));
        const bool is_calendar = p == MODEL_DAILY || p == MODEL_MONTHLY;
        if (x->n_columns == 0)
            continue;
        if (!is_calendar || due_s > x->due_s) {
            const uint8_t marks = x->marks; /* with those of the clock as it was */
            meter_profile_close(m, p, x->due_s);
            if ((marks & METER_ROW_CIV) != 0)
                x->last.clock_status |= DATETIME_INVALID;
            x->marks = METER_ROW_CAD;
        }
        x->due_s = due_s;
    }
}

void meter_profiles_regrid(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        struct meter_profile *x = &m->profile[k];
        const uint32_t due_s = end_of(m, (enum model_profile_id)k, meter_now_s(m));
        if (due_s != x->due_s)
            x->marks |= METER_ROW_DNV; /* its length is another */
        x->due_s = due_s;
    }
}

void meter_profiles_resume(struct meter *m)
{
    const uint32_t now_s = meter_now_s(m);
    meter_profiles_mark(m, METER_ROW_PDN);
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        const enum model_profile_id p = (enum model_profile_id)k;
        struct meter_profile *x = &m->profile[p];
        if (x->n_columns > 0 && x->due_s == METER_PROFILE_UNKNOWN) {
            meter_profile_restart(m, p);
            meter_event(m, MODEL_EVENT_PROFILE_CLEARED, now_s);
        }
        if (x->n_columns == 0 || now_s < x->due_s)
            continue;
        if (!x->is_fresh)
            meter_profile_close(m, p, x->due_s);
        x->is_late = x->is_owed;
        x->marks = METER_ROW_PDN;
        x->due_s = end_of(m, p, now_s);
    }
}

/* ---- rows ---- */

static void put_interval(struct wr *w, uint32_t now, uint32_t before)
{
    axdr_put_u32(w, now - before); /* the low words wrap together */
}

/* One cell, filled up to its size. */
static void put_cell(struct meter *m, const struct meter_profile *x, const struct meter_column *c,
                     const uint32_t low[METER_N_INTERVALS], struct wr *w)
{
    static const uint8_t filling[METER_CELL_MAX] = {0};
    const size_t end = w->len + c->size;
    const int interval = meter_column_interval(c);
    if (interval >= 0)
        put_interval(w, low[interval], x->base[interval]);
    else
        meter_column_read(m, c, w);
    if (w->len < end)
        wr_bytes(w, filling, end - w->len);
}

static void put_row(struct meter *m, enum model_profile_id p, struct wr *w)
{
    static const uint8_t nothing[METER_CELL_MAX] = {AXDR_NULL};
    const struct meter_profile *x = &m->profile[p];
    const struct meter_column *c = meter_profile_columns(m, p);
    uint32_t low[METER_N_INTERVALS];
    get_low(m, low);
    meter_row_put_head(w, &x->last);
    for (unsigned k = 0; k < x->n_columns; k++) {
        if (x->is_late && meter_column_momentary(&c[k]))
            wr_bytes(w, nothing, c[k].size);
        else if (c[k].size > 0)
            put_cell(m, x, &c[k], low, w);
    }
}

/* The row is in the ring: the next interval counts from here. */
static void settle(struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    uint32_t low[METER_N_INTERVALS];
    get_low(m, low);
    for (unsigned k = 0; k < METER_N_INTERVALS; k++) {
        if (p == MODEL_LP1)
            m->interval[k] = low[k] - x->base[k];
        x->base[k] = low[k];
    }
    x->is_owed = x->is_late = false;
}

enum err meter_profile_read(const struct meter *m, enum model_profile_id p, uint64_t seq,
                            uint8_t *record)
{
    return nv_read(&m->nv, meter_ring(m->model, p), seq, record);
}

/* Head of the newest row in the ring; zeros where there is none to be read. */
static struct meter_row_head newest(const struct meter *m, enum model_profile_id p)
{
    uint8_t record[METER_ROW_MAX];
    struct meter_row_head head = {0};
    const uint8_t ring = meter_ring(m->model, p);
    if (nv_count(&m->nv, ring) == 0 ||
        nv_read(&m->nv, ring, nv_newest(&m->nv, ring), record) != ERR_OK)
        return head;
    struct rd r = rd_of(record, METER_ROW_HEAD);
    meter_row_get_head(&r, &head);
    return head;
}

/* The row is given up: what its status said is true of the next, whose interval holds this one. */
static void drop(struct meter_profile *x)
{
    x->marks |= x->last.status & (METER_ROW_CIV | METER_ROW_DNV | METER_ROW_CAD | METER_ROW_PDN);
    x->is_owed = x->is_late = false;
}

static enum err append(struct meter *m, enum model_profile_id p)
{
    uint8_t record[METER_ROW_MAX];
    struct wr w = wr_of(record, meter_profile_row_size(m, p));
    put_row(m, p, &w);
    enum err err = w.err ? w.err : nv_append(&m->nv, meter_ring(m->model, p), record);
    if (!err || newest(m, p).number == m->profile[p].last.number)
        settle(m, p);
    else
        drop(&m->profile[p]);
    return meter_keep(m, err);
}

enum err meter_profiles_complete(struct meter *m)
{
    enum err first = ERR_OK;
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        if (!m->profile[k].is_owed)
            continue;
        enum err err = append(m, (enum model_profile_id)k);
        first = first ? first : err;
    }
    return first;
}

void meter_profiles_drop(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        if (m->profile[k].is_owed)
            drop(&m->profile[k]);
    }
}

/* The row that the snapshot promises may already be there; after damage of the snapshots the ring
 * may be ahead, and what came since is in its rows. */
static void mend(struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    const struct meter_row_head head = newest(m, p);
    if (head.number > x->last.number) {
        x->last = head;
        x->ordered_from = head.number;
        x->marks |= METER_ROW_DNV;
        x->is_owed = false;
    }
    x->is_late = x->is_owed;
    if (!x->is_owed)
        return;
    if (head.number == x->last.number)
        settle(m, p);
    else
        (void)!append(m, p); /* kept in m->fault: the registers are more than a row */
}

void meter_profiles_mend(struct meter *m)
{
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        if (m->profile[k].n_columns > 0)
            mend(m, (enum model_profile_id)k);
    }
}
