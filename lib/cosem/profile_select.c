/* Selectors of class 7. The from and to values stay octets: their type is that of the restricting
 * column, which only the owner of the buffer knows. */
#include "lib/cosem/profile_select.h"

#include <string.h>

/* An integer or enum 0..max; ERR_RANGE. */
static uint32_t get_number(struct rd *r, uint32_t max)
{
    uint64_t v = axdr_get_uint(r);
    if (v > max)
        rd_fail(r, ERR_RANGE);
    return (uint32_t)v;
}

void profile_get_column(struct rd *r, struct profile_column *out)
{
    axdr_get_struct(r, 4);
    out->class_id = (uint16_t)get_number(r, UINT16_MAX);
    struct bytes ln = axdr_get_octets(r);
    if (ln.len == sizeof out->ln)
        memcpy(out->ln, ln.p, sizeof out->ln);
    else
        rd_fail(r, ERR_RANGE);
    out->attribute = (uint8_t)get_number(r, INT8_MAX);
    out->data_index = (uint16_t)get_number(r, UINT16_MAX);
    if (r->err)
        *out = (struct profile_column){.class_id = 0};
}

void profile_put_column(struct wr *w, const struct profile_column *c)
{
    axdr_put_struct(w, 4);
    axdr_put_u16(w, c->class_id);
    axdr_put_octets(w, c->ln, sizeof c->ln);
    axdr_put_i8(w, (int8_t)c->attribute);
    axdr_put_u16(w, c->data_index);
}

bool profile_column_equal(const struct profile_column *a, const struct profile_column *b)
{
    return a->class_id == b->class_id && memcmp(a->ln, b->ln, sizeof a->ln) == 0 &&
           a->attribute == b->attribute && a->data_index == b->data_index;
}

static struct bytes get_value(struct rd *r)
{
    size_t start = r->pos;
    axdr_skip(r);
    return r->err ? (struct bytes){NULL, 0} : (struct bytes){r->p + start, r->pos - start};
}

enum cosem_result profile_range_parse(struct bytes parameter, struct profile_range *out)
{
    struct rd r = rd_of(parameter.p, parameter.len);
    *out = (struct profile_range){.n_columns = 0};
    axdr_get_struct(&r, 4);
    profile_get_column(&r, &out->by);
    out->from = get_value(&r);
    out->to = get_value(&r);
    out->n_columns = axdr_get_array(&r);
    size_t start = r.pos;
    for (size_t i = 0; i < out->n_columns && !r.err; i++) {
        struct profile_column c;
        profile_get_column(&r, &c);
    }
    if (r.err || rd_left(&r) > 0)
        return COSEM_TYPE_UNMATCHED;
    out->columns = (struct bytes){r.p + start, r.pos - start};
    return COSEM_SUCCESS;
}

enum cosem_result profile_entries_parse(struct bytes parameter, struct profile_entries *out)
{
    struct rd r = rd_of(parameter.p, parameter.len);
    axdr_get_struct(&r, 4);
    out->from = get_number(&r, UINT32_MAX);
    out->to = get_number(&r, UINT32_MAX);
    out->from_column = (uint16_t)get_number(&r, UINT16_MAX);
    out->to_column = (uint16_t)get_number(&r, UINT16_MAX);
    if (r.err || rd_left(&r) > 0)
        return COSEM_TYPE_UNMATCHED;
    return out->from == 0 || (out->to != 0 && out->to < out->from) ? COSEM_OTHER_REASON
                                                                   : COSEM_SUCCESS;
}

void profile_put_range(struct wr *w, const struct profile_range *p)
{
    axdr_put_struct(w, 4);
    profile_put_column(w, &p->by);
    wr_bytes(w, p->from.p, p->from.len);
    wr_bytes(w, p->to.p, p->to.len);
    axdr_put_array(w, p->n_columns);
    wr_bytes(w, p->columns.p, p->columns.len);
}

void profile_put_entries(struct wr *w, const struct profile_entries *p)
{
    axdr_put_struct(w, 4);
    axdr_put_u32(w, p->from);
    axdr_put_u32(w, p->to);
    axdr_put_u16(w, p->from_column);
    axdr_put_u16(w, p->to_column);
}
