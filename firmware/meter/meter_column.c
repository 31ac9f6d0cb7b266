/* See meter_column.h. */
#include "firmware/meter/meter_column.h"

#include "firmware/meter/meter.h"

#include <string.h>

#define STRING_MAX 12

unsigned meter_columns_first(const struct model_meter *m, enum model_profile_id p)
{
    m = model_row(m);
    unsigned n = 0;
    for (unsigned k = 0; k < (unsigned)p; k++)
        n += m->profile[k].n_values > 0 ? METER_COLUMNS_OF(m->profile[k].n_values) : 0;
    return n;
}

static const struct cosem_row *row_of(const struct meter_column *c)
{
    return &model_rows[c->row];
}

static struct cosem_ref ref_of(const struct meter_column *c)
{
    const struct cosem_row *row = row_of(c);
    struct cosem_ref o = {.row = row, .i = c->i, .j = c->j};
    memcpy(o.ln, row->ln, sizeof o.ln);
    for (unsigned k = 0; k < 2; k++) {
        const struct cosem_range *r = &row->kind->range[k];
        if (r->n > 0)
            o.ln[r->group] = (uint8_t)(row->ln[r->group] + r->step * (k == 0 ? c->i : c->j));
    }
    return o;
}

void meter_column_object(const struct meter_column *c, struct profile_column *out)
{
    const struct cosem_ref o = ref_of(c);
    *out = (struct profile_column){.class_id = o.row->kind->class_id, .attribute = c->attribute};
    memcpy(out->ln, o.ln, sizeof out->ln);
}

bool meter_column_at(const struct cosem_device *d, const struct profile_column *want,
                     struct meter_column *out)
{
    struct cosem_ref o;
    if (!cosem_find(d, want->class_id, want->ln, &o))
        return false;
    *out = (struct meter_column){
        .row = (uint16_t)(o.row - model_rows), .i = o.i, .j = o.j, .attribute = want->attribute};
    return true;
}

unsigned meter_column_among(const struct meter_column *c, unsigned n,
                            const struct meter_column *want)
{
    unsigned k = 0;
    while (k < n && memcmp(&c[k], want, offsetof(struct meter_column, size)) != 0)
        k++;
    return k;
}

bool meter_column_is_clock(const struct meter_column *c)
{
    return row_of(c)->kind->class_id == 8 && c->attribute == 2;
}

bool meter_column_is_status(const struct meter_column *c, enum model_profile_id p)
{
    const struct cosem_ref o = {.row = row_of(c), .i = c->i};
    return o.row->kind->class_id == 1 && MODEL_QUANTITY(o.row->arg) == MODEL_PROFILE_STATUS &&
           MODEL_PROFILE_OF(&o) == p && c->attribute == 2;
}

int meter_column_interval(const struct meter_column *c)
{
    if (row_of(c)->kind->class_id != 3 || c->attribute != 2)
        return -1;
    switch (MODEL_QUANTITY(row_of(c)->arg)) {
    case MODEL_A_IMPORT_INTERVAL:
        return 0;
    case MODEL_A_EXPORT_INTERVAL:
        return 1;
    default:
        return -1;
    }
}

bool meter_column_momentary(const struct meter_column *c)
{
    enum model_quantity q = MODEL_QUANTITY(row_of(c)->arg);
    if (row_of(c)->kind->class_id == 8)
        return true;
    return (q >= MODEL_P_IMPORT && q <= MODEL_THD_I) || q == MODEL_PRESENT || q == MODEL_ERRORS;
}

/* Those of lib/cosem answer for the association that asks; a capture has none. */
static bool needs_session(const struct cosem_row *row)
{
    return row->kind->binding == &cosem_binding_association ||
           row->kind->binding == &cosem_binding_sap ||
           row->kind->binding == &cosem_binding_security ||
           row->kind->binding == &cosem_binding_counter;
}

static enum cosem_result get(struct meter *m, const struct meter_column *c, struct wr *out)
{
    const struct cosem_ref o = ref_of(c);
    const struct cosem_call call = {.context = m, .role = COSEM_MANAGER, .device = &m->device};
    const struct cosem_select whole = {0};
    struct cosem_gen g = {0};
    if (c->attribute != 1)
        return o.row->kind->binding->get(&call, &o, c->attribute, &whole, &g, out);
    axdr_put_octets(out, o.ln, sizeof o.ln);
    return COSEM_SUCCESS;
}

void meter_column_read(struct meter *m, const struct meter_column *c, struct wr *out)
{
    const struct wr before = *out;
    if (get(m, c, out) != COSEM_SUCCESS || out->err || out->len - before.len > c->size) {
        *out = before;
        axdr_put_null(out);
    }
}

/* Octets of a value of fixed size, tag included; 0 where it is none. */
static uint8_t fixed_size(struct bytes value)
{
    if (value.len == 0)
        return 0;
    const uint8_t tag = value.p[0], content = axdr_content_size(tag);
    if (tag == AXDR_OCTETS && value.len <= 2 + STRING_MAX)
        return (uint8_t)value.len;
    if (tag == AXDR_NULL || content >= AXDR_SIZE_OTHER || 1u + content > METER_CELL_MAX)
        return 0;
    return (uint8_t)(1 + content);
}

enum cosem_result meter_column_find(struct meter *m, enum model_profile_id p, enum cosem_role role,
                                    const struct profile_column *want, struct meter_column *out)
{
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    if (want->data_index != 0 || want->attribute == 0 || want->attribute > 16 ||
        !meter_column_at(&m->device, want, out))
        return COSEM_OBJECT_UNDEFINED;
    if (needs_session(row_of(out)) ||
        (row_of(out)->kind->rights->read[role] >> (want->attribute - 1) & 1) == 0)
        return COSEM_READ_WRITE_DENIED;
    if (meter_column_is_clock(out) || meter_column_is_status(out, p))
        return COSEM_SUCCESS;
    if (get(m, out, &w) != COSEM_SUCCESS || w.err)
        return COSEM_TYPE_UNMATCHED;
    out->size = fixed_size((struct bytes){octets, w.len});
    return out->size > 0 ? COSEM_SUCCESS : COSEM_TYPE_UNMATCHED;
}
