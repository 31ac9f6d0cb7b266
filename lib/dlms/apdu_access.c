/* ACCESS-request and ACCESS-response. Counts appear up to three times in one APDU and must agree:
 * each list is walked once here, so that a consumer may rely on n elements being there. */
#include "lib/dlms/apdu_access.h"

#include "lib/dlms/axdr.h"

static void get_date_time(struct rd *r, struct apdu_access *out)
{
    out->date_time = rd_bytes(r, rd_length(r));
    if (!r->err && out->date_time.len != 0 && out->date_time.len != 12)
        rd_fail(r, ERR_FORMAT);
}

static void put_prefixed(struct wr *w, struct bytes b)
{
    wr_length(w, b.len);
    wr_bytes(w, b.p, b.len);
}

static void put_counted(struct wr *w, uint32_t n, struct bytes list)
{
    wr_length(w, n);
    wr_bytes(w, list.p, list.len);
}

/* The view from `start` to where r stands. */
static struct bytes since(const struct rd *r, size_t start)
{
    return r->err ? (struct bytes){NULL, 0} : (struct bytes){r->p + start, r->pos - start};
}

/* A further list must count as the first did. */
static void check_count(struct rd *r, uint32_t n)
{
    if (rd_length(r) != n)
        rd_fail(r, ERR_FORMAT);
}

static struct bytes get_specs(struct rd *r, uint32_t n)
{
    struct access_spec one;
    size_t start = r->pos;
    for (uint32_t i = 0; i < n && !r->err; i++)
        access_get_spec(r, &one);
    return since(r, start);
}

static struct bytes get_values(struct rd *r, uint32_t n)
{
    size_t start = r->pos;
    for (uint32_t i = 0; i < n && !r->err; i++)
        axdr_skip(r);
    return since(r, start);
}

void access_get_request(struct rd *r, struct apdu_access *out)
{
    *out = (struct apdu_access){.n = 0};
    if (rd_u8(r) != DLMS_ACCESS_REQUEST)
        rd_fail(r, ERR_FORMAT);
    out->invoke = rd_u32(r);
    get_date_time(r, out);
    out->n = (uint32_t)rd_length(r);
    out->specifications = get_specs(r, out->n);
    check_count(r, out->n);
    out->data = get_values(r, out->n);
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void access_put_request(struct wr *w, const struct apdu_access *a)
{
    wr_u8(w, DLMS_ACCESS_REQUEST);
    wr_u32(w, a->invoke);
    put_prefixed(w, a->date_time);
    put_counted(w, a->n, a->specifications);
    put_counted(w, a->n, a->data);
}

void access_get_response(struct rd *r, struct apdu_access *out)
{
    uint8_t choice, result;
    *out = (struct apdu_access){.n = 0};
    if (rd_u8(r) != DLMS_ACCESS_RESPONSE)
        rd_fail(r, ERR_FORMAT);
    out->invoke = rd_u32(r);
    get_date_time(r, out);
    uint8_t has_specs = rd_u8(r);
    size_t n_specs = has_specs ? rd_length(r) : 0;
    out->specifications = get_specs(r, (uint32_t)n_specs);
    out->n = (uint32_t)rd_length(r);
    if (has_specs > 1 || (has_specs && n_specs != out->n))
        rd_fail(r, ERR_FORMAT);
    out->data = get_values(r, out->n);
    check_count(r, out->n);
    size_t start = r->pos;
    for (uint32_t i = 0; i < out->n && !r->err; i++)
        access_get_result(r, &choice, &result);
    out->results = since(r, start);
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void access_put_response(struct wr *w, const struct apdu_access *a)
{
    wr_u8(w, DLMS_ACCESS_RESPONSE);
    wr_u32(w, a->invoke);
    put_prefixed(w, a->date_time);
    wr_u8(w, a->specifications.len > 0);
    if (a->specifications.len > 0)
        put_counted(w, a->n, a->specifications);
    put_counted(w, a->n, a->data);
    put_counted(w, a->n, a->results);
}

static bool has_selection(uint8_t choice)
{
    return choice == DLMS_ACCESS_GET_SELECTED || choice == DLMS_ACCESS_SET_SELECTED;
}

void access_get_spec(struct rd *r, struct access_spec *out)
{
    *out = (struct access_spec){.choice = rd_u8(r)};
    if (out->choice < DLMS_ACCESS_GET || out->choice > DLMS_ACCESS_SET_SELECTED)
        rd_fail(r, ERR_FORMAT);
    apdu_get_attr_bare(r, &out->target);
    if (!has_selection(out->choice))
        return;
    out->target.selector = rd_u8(r);
    size_t start = r->pos;
    axdr_skip(r);
    out->target.parameter = since(r, start);
    if (out->target.selector == 0) /* as in apdu_get_attr: no class has a selector 0 */
        rd_fail(r, ERR_RANGE);
}

void access_put_spec(struct wr *w, const struct access_spec *s)
{
    wr_u8(w, s->choice);
    apdu_put_attr_bare(w, &s->target);
    if (!has_selection(s->choice))
        return;
    wr_u8(w, s->target.selector);
    wr_bytes(w, s->target.parameter.p, s->target.parameter.len);
}

void access_get_result(struct rd *r, uint8_t *choice, uint8_t *result)
{
    *choice = rd_u8(r);
    *result = rd_u8(r);
    if (*choice < DLMS_ACCESS_GET || *choice > DLMS_ACCESS_ACTION)
        rd_fail(r, ERR_FORMAT);
}

void access_put_result(struct wr *w, uint8_t choice, uint8_t result)
{
    wr_u8(w, choice);
    wr_u8(w, result);
}
