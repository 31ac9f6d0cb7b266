/* Values against the type and the limits of a class descriptor.
 *
 * axdr_check says whether the type is right; the walk here goes along value and type together and
 * looks at each leaf that has a limit, and at each date. It refuses to judge what only several
 * attributes together can say: that is for the binding. Blue Book 4.1.5, 4.1.6.1 */
#include "lib/cosem/model.h"
#include "lib/dlms/datetime.h"

#include <string.h>

struct axdr_type cosem_attr_type(const struct cosem_attr *attr)
{
    return (struct axdr_type){attr->code, attr->len};
}

/* All octets are one value of the type. */
static bool has_type(struct axdr_type type, struct bytes value)
{
    struct rd r = rd_of(value.p, value.len);
    axdr_check(&r, type);
    return !r.err && rd_left(&r) == 0;
}

#if COSEM_WITH_LIMITS
struct limit_walk {
    struct axdr_type type;
    const struct cosem_limit *limits;
    uint8_t n_limits;
    struct {
        size_t left;
        size_t at; /* type of the next element */
        bool is_array;
    } level[AXDR_DEPTH_MAX];
    unsigned depth;
};

/* Whether the limits of this place allow n; a place without limits allows all. */
static bool allowed(const struct limit_walk *w, size_t at, int64_t n)
{
    bool limited = false;
    for (uint8_t i = 0; i < w->n_limits; i++) {
        const struct cosem_limit *l = &w->limits[i];
        if (l->at != at)
            continue;
        if (n >= l->min && n <= l->max)
            return true;
        limited = true;
    }
    return !limited;
}

/* What a limit counts of the leaf before r. */
static int64_t measure(struct rd *r)
{
    switch (axdr_peek(r)) {
    case AXDR_BITS:
        (void)rd_u8(r);
        return (int64_t)rd_length(r);
    case AXDR_OCTETS:
    case AXDR_TEXT:
    case AXDR_UTF8:
        return (int64_t)axdr_get_octets(r).len;
    default:
        return axdr_get_int(r);
    }
}

/* Time, date or both: what is missing counts as not specified. */
static bool date_is_valid(struct rd *r)
{
    uint8_t whole[DATETIME_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0x80, 0,    0xFF};
    struct datetime d;
    struct bytes b = axdr_get_octets(r);
    if (r->err)
        return false;
    memcpy(whole + (b.len == 4 ? 5 : 0), b.p, b.len < sizeof whole ? b.len : sizeof whole);
    return datetime_decode(whole, &d) == ERR_OK;
}

static enum cosem_result check_leaf(const struct limit_walk *w, size_t at, struct rd *r)
{
    struct rd leaf = *r;
    axdr_skip(r);
    switch (w->type.code[at]) {
    case AXDR_OS4:
    case AXDR_OS5:
    case AXDR_OS12:
    case AXDR_DATE_TIME:
    case AXDR_DATE:
    case AXDR_TIME:
        return date_is_valid(&leaf) ? COSEM_SUCCESS : COSEM_TYPE_UNMATCHED;
    case AXDR_NULL:
    case AXDR_BOOL:
    case AXDR_ANY:
    case AXDR_SIMPLE:
    case AXDR_F32:
    case AXDR_F64:
        return COSEM_SUCCESS;
    default:
        return allowed(w, at, measure(&leaf)) && !leaf.err ? COSEM_SUCCESS : COSEM_OTHER_REASON;
    }
}

/* Goes into an array or structure; *empty where there is nothing to go into. */
static enum cosem_result enter(struct limit_walk *w, size_t at, struct rd *r, bool *empty)
{
    bool is_array = rd_u8(r) == AXDR_ARRAY;
    size_t n = rd_length(r);
    *empty = n == 0;
    if (n > 0) {
        w->level[w->depth].left = n;
        w->level[w->depth].at = at + (is_array ? 1 : 2);
        w->level[w->depth].is_array = is_array;
        w->depth++;
    }
    return is_array && !allowed(w, at, (int64_t)n) ? COSEM_OTHER_REASON : COSEM_SUCCESS;
}

/* A value is complete: the place of the next one, in the innermost level that has one. */
static size_t next_place(struct limit_walk *w)
{
    while (w->depth > 0) {
        unsigned d = w->depth - 1;
        if (!w->level[d].is_array)
            w->level[d].at = axdr_type_end(w->type, w->level[d].at);
        if (--w->level[d].left > 0)
            return w->level[d].at;
        w->depth--;
    }
    return 0;
}

/* The type was checked: depth and counts are those of the type. */
static enum cosem_result check_limits(struct limit_walk *w, struct rd *r)
{
    enum cosem_result result;
    size_t at = 0;
    do {
        uint8_t code = w->type.code[at];
        bool empty = true;
        if (code == AXDR_ARRAY || code == AXDR_STRUCT)
            result = enter(w, at, r, &empty);
        else
            result = check_leaf(w, at, r);
        at = empty ? next_place(w) : w->level[w->depth - 1].at;
    } while (w->depth > 0 && result == COSEM_SUCCESS && !r->err);
    return result;
}

static enum cosem_result check(struct limit_walk *w, struct bytes value)
{
    struct rd r = rd_of(value.p, value.len);
    if (!has_type(w->type, value))
        return COSEM_TYPE_UNMATCHED;
    return w->type.len == 0 ? COSEM_SUCCESS : check_limits(w, &r);
}

enum cosem_result cosem_check_value(const struct cosem_attr *attr, struct bytes value)
{
    struct limit_walk w = {
        .type = cosem_attr_type(attr), .limits = attr->limits, .n_limits = attr->n_limits};
    return check(&w, value);
}

enum cosem_result cosem_check_param(const struct cosem_method *method, struct bytes param)
{
    struct limit_walk w = {
        .type = method->param, .limits = method->limits, .n_limits = method->n_limits};
    if (method->param.len == 0 && param.len == 0)
        return COSEM_SUCCESS;
    return check(&w, param);
}

#else
enum cosem_result cosem_check_value(const struct cosem_attr *attr, struct bytes value)
{
    return has_type(cosem_attr_type(attr), value) ? COSEM_SUCCESS : COSEM_TYPE_UNMATCHED;
}

enum cosem_result cosem_check_param(const struct cosem_method *method, struct bytes param)
{
    if (method->param.len == 0 && param.len == 0)
        return COSEM_SUCCESS;
    return has_type(method->param, param) ? COSEM_SUCCESS : COSEM_TYPE_UNMATCHED;
}
#endif
