/* Class 7, the profiles: what the owner changes and asks; their buffers are lists (meter_list.h).
 * Beside them 0-0:96.134.0: whether equal cells are null-data. */
#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_list.h"

#define SORT_FIFO 1
#define SORT_LIFO 2

/* A cell says itself how long its value is. */
static void put_cell(const uint8_t *record, size_t at, uint8_t size, struct wr *out)
{
    struct rd r = rd_of(record + at, size);
    axdr_skip(&r);
    if (r.err)
        axdr_put_null(out);
    else
        wr_bytes(out, r.p, r.pos);
}

static enum cosem_result get_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    const struct meter *m = meter_of(c);
    const enum model_profile_id p = MODEL_PROFILE_OF(o);
    const struct meter_profile *x = &m->profile[p];
    const struct meter_list list = {.m = m,
                                    .column = meter_profile_columns(m, p),
                                    .put = put_cell,
                                    .period_s = x->period_s, /* 0: a month */
                                    .entries = x->entries,
                                    .ordered_from = x->ordered_from,
                                    .generation = meter_generation(m, p),
                                    .ring = meter_ring(m->model, p),
                                    .n_columns = x->n_columns,
                                    .is_lifo = x->is_lifo,
                                    .tells_null = m->tells_null};
    return meter_list_get(&list, attr, sel, g, out);
}

static enum cosem_result set_sort(struct meter *m, enum model_profile_id p, uint32_t sort)
{
    if (sort != SORT_FIFO && sort != SORT_LIFO)
        return COSEM_OTHER_REASON;
    return cosem_result_of(meter_profile_sort(m, p, sort == SORT_LIFO));
}

static enum cosem_result set_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, struct rd *value)
{
    struct meter *m = meter_of(c);
    const enum model_profile_id p = MODEL_PROFILE_OF(o);
    if ((attr == 3 || attr == 8) && (meter_features(m) & MODEL_COLUMNS_SET) == 0)
        return COSEM_READ_WRITE_DENIED;
    if (attr == 3)
        return meter_profile_capture_set(m, p, c->role, value);
    const uint32_t n = (uint32_t)axdr_get_uint(value);
    if (attr == 5)
        return set_sort(m, p, n);
    return cosem_result_of(attr == 4 ? meter_profile_period(m, p, n)
                                     : meter_profile_entries(m, p, n));
}

static enum cosem_result invoke_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                        uint8_t method, struct rd *param, struct wr *reply)
{
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    const enum model_profile_id p = MODEL_PROFILE_OF(o);
    return cosem_result_of(method == 1 ? meter_profile_clear(m, p) : meter_profile_capture(m, p));
}

const struct cosem_binding meter_binding_profile = {
    .get = get_profile, .set = set_profile, .invoke = invoke_profile};

/* ---- 0-0:96.134.0 ---- */

static enum cosem_result get_null(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    (void)o;
    (void)sel;
    g->more = false;
    if (attr != 2)
        return COSEM_OBJECT_UNDEFINED;
    axdr_put_bool(out, meter_of(c)->tells_null);
    return COSEM_SUCCESS;
}

static enum cosem_result set_null(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    (void)o;
    (void)attr;
    const bool on = axdr_get_bool(value);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    return cosem_result_of(meter_profiles_null(meter_of(c), on));
}

const struct cosem_binding meter_binding_null = {.get = get_null, .set = set_null};
