/* What clients change of the profiles (meter_choice.h).
 *
 * A change is made in memory, then decided by the write of the layout; when the flash refuses, the
 * memory goes back. Where a ring or its records become others, its generation does: that empties
 * it. Columns are under the key of the coming generation before the layout names that. */
#include "firmware/meter/meter.h"
#include "firmware/meter/meter_store.h"

#include <string.h>

static struct nv_ring_layout *ring_of(struct meter *m, enum model_profile_id p)
{
    return &m->rings[meter_ring(m->model, p)];
}

/* A change of profile p, and what was there before. */
struct change {
    struct meter *m;
    enum model_profile_id p;
    struct meter_profile profile;
    struct nv_ring_layout ring;
    struct meter_column column[METER_COLUMNS_EACH_MAX];
};

/* Gives the profile, to be changed in memory. */
static struct meter_profile *begin(struct change *c, struct meter *m, enum model_profile_id p)
{
    struct meter_profile *x = &m->profile[p];
    c->m = m;
    c->p = p;
    c->profile = *x;
    c->ring = *ring_of(m, p);
    memcpy(c->column, meter_profile_columns(m, p), x->n_columns * sizeof c->column[0]);
    return x;
}

static void go_back(const struct change *c)
{
    struct meter *m = c->m;
    m->profile[c->p] = c->profile;
    *ring_of(m, c->p) = c->ring;
    memcpy(meter_profile_pool(m, c->p), c->column, c->profile.n_columns * sizeof c->column[0]);
}

/* The next generation, and columns under its key: chosen ones stand under the key of each, those
 * that stay, too. */
static enum err renew(struct meter *m, enum model_profile_id p)
{
    enum err err = meter_ring_renew(m, p);
    return err || !m->profile[p].is_chosen ? err : meter_columns_store(m, p);
}

static enum err decide(const struct change *c, bool is_anew)
{
    struct meter *m = c->m;
    enum err err = nv_check_rings(&m->nv, m->rings, meter_n_rings(m->model));
    if (!err && is_anew)
        err = meter_keep(m, renew(m, c->p));
    if (!err)
        err = meter_keep(m, meter_choices_store(m));
    if (err)
        go_back(c);
    return err;
}

/* Makes the changed profile the one in force, with an empty ring. */
static enum err remake(const struct change *c)
{
    struct meter *m = c->m;
    enum err err = decide(c, true);
    if (err)
        return err;
    err = meter_keep(m, nv_mount_ring(&m->nv, meter_ring(m->model, c->p)));
    meter_profile_restart(m, c->p);
    meter_event_now(m, MODEL_EVENT_PROFILE_CLEARED);
    return err ? err : meter_commit(m);
}

/* A parameter: reported as such once it is in force. */
static enum err changed(struct meter *m, enum err err)
{
    if (err)
        return err;
    meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return meter_commit(m);
}

static bool period_valid(const struct meter *m, enum model_profile_id p, uint32_t period_s)
{
    if (p == MODEL_DAILY || p == MODEL_MONTHLY)
        return period_s == m->profile[p].period_s;
    return model_period_allowed(meter_model(m)->periods, period_s);
}

enum err meter_profile_period(struct meter *m, enum model_profile_id p, uint32_t period_s)
{
    struct change c;
    struct meter_profile *x = begin(&c, m, p);
    if (!period_valid(m, p, period_s))
        return ERR_RANGE;
    if (period_s == x->period_s)
        return ERR_OK;
    x->period_s = period_s;
    return changed(m, remake(&c));
}

enum err meter_profile_sort(struct meter *m, enum model_profile_id p, bool is_lifo)
{
    struct change c;
    struct meter_profile *x = begin(&c, m, p);
    if (is_lifo == x->is_lifo)
        return ERR_OK;
    x->is_lifo = is_lifo;
    return changed(m, decide(&c, false));
}

enum err meter_profile_entries(struct meter *m, enum model_profile_id p, uint32_t entries)
{
    struct change c;
    struct meter_profile *x = begin(&c, m, p);
    const uint32_t n = meter_ring_sectors(&c.ring);
    if (entries == x->entries)
        return ERR_OK;
    if (entries == 0 || entries > METER_ENTRIES_MAX)
        return ERR_RANGE;
    const uint32_t needed = meter_sectors_for(entries, c.ring.record_size);
    const bool is_moved = (meter_features(m) & MODEL_TRADE) != 0 && needed != n;
    if (!is_moved && needed > n)
        return ERR_RANGE;
    if (is_moved && !meter_layout_move(m->rings, meter_n_rings(m->model), meter_ring(m->model, p),
                                       m->nv.config.flash->n_sectors, needed))
        return ERR_RANGE;
    x->entries = entries;
    return changed(m, is_moved ? remake(&c) : decide(&c, false));
}

enum err meter_profiles_null(struct meter *m, bool on)
{
    const bool before = m->tells_null;
    if (on == before)
        return ERR_OK;
    m->tells_null = on;
    enum err err = meter_keep(m, meter_choices_store(m));
    if (err)
        m->tells_null = before;
    return changed(m, err);
}

/* ---- columns ---- */

/* Reads column k into its place; *n_values: how many there are beside clock and status. */
static enum cosem_result get_column(const struct change *c, enum cosem_role role, struct rd *value,
                                    unsigned k, unsigned *n_values)
{
    struct meter_column *column = meter_profile_pool(c->m, c->p);
    struct profile_column want;
    profile_get_column(value, &want);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    enum cosem_result r = meter_column_find(c->m, c->p, role, &want, &column[k]);
    if (r)
        return r;
    *n_values += column[k].size > 0;
    if ((k == 0) != meter_column_is_clock(&column[k]) ||
        meter_column_among(column, k, &column[k]) < k ||
        *n_values > meter_model(c->m)->profile[c->p].n_values)
        return COSEM_OTHER_REASON;
    return COSEM_SUCCESS;
}

enum cosem_result meter_profile_capture_set(struct meter *m, enum model_profile_id p,
                                            enum cosem_role role, struct rd *value)
{
    struct change c;
    struct meter_profile *x = begin(&c, m, p);
    enum cosem_result r = COSEM_SUCCESS;
    unsigned n_values = 0;
    const size_t n = axdr_get_array(value);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    if (n == 0 || n > METER_COLUMNS_OF(meter_model(m)->profile[p].n_values))
        return COSEM_OTHER_REASON;
    for (unsigned k = 0; k < n && !r; k++)
        r = get_column(&c, role, value, k, &n_values);
    if (r) {
        go_back(&c);
        return r;
    }
    x->n_columns = (uint8_t)n;
    x->is_chosen = true;
    meter_ring_fit(m, p);
    return cosem_result_of(changed(m, remake(&c)));
}

/* ---- methods ---- */

enum err meter_profile_clear(struct meter *m, enum model_profile_id p)
{
    struct change c;
    (void)begin(&c, m, p);
    return remake(&c);
}

enum err meter_profile_capture(struct meter *m, enum model_profile_id p)
{
    m->profile[p].is_fresh = false; /* asked for: no whole interval is waited for */
    meter_profile_close(m, p, meter_now_s(m));
    return meter_commit(m);
}
