/* Arrays as they stand in a slot: walked element by element, rebuilt in the scratch of the arena.
 * The octets were checked against the descriptor before, so lengths and tags can be trusted. */
#include "lib/cosem/values_parts.h"

#include <string.h>

struct list list_of(struct bytes array)
{
    struct list l = {.r = rd_of(array.p, array.len)};
    l.n = l.left = array.len > 0 ? axdr_get_array(&l.r) : 0;
    return l;
}

bool list_next(struct list *l, struct bytes *element)
{
    size_t start = l->r.pos;
    if (l->left == 0)
        return false;
    axdr_skip(&l->r);
    l->left--;
    *element = (struct bytes){l->r.p + start, l->r.pos - start};
    return !l->r.err;
}

size_t list_count(struct bytes array)
{
    return list_of(array).n;
}

struct rd key_of(struct bytes element)
{
    struct rd r = rd_of(element.p, element.len);
    if (axdr_peek(&r) == AXDR_STRUCT) {
        (void)rd_u8(&r);
        (void)rd_length(&r);
    }
    return r;
}

bool key_equal(struct bytes a, struct bytes b)
{
    struct rd ra = key_of(a), rb = key_of(b);
    if (axdr_peek(&ra) != AXDR_OCTETS)
        return axdr_get_uint(&ra) == axdr_get_uint(&rb) && !ra.err && !rb.err;
    struct bytes x = axdr_get_octets(&ra), y = axdr_get_octets(&rb);
    return !ra.err && !rb.err && x.len == y.len && memcmp(x.p, y.p, x.len) == 0;
}

bool list_has(struct bytes array, struct bytes like)
{
    struct list l = list_of(array);
    struct bytes e;
    while (list_next(&l, &e)) {
        if (key_equal(e, like))
            return true;
    }
    return false;
}

bool list_keys_differ(struct bytes array)
{
    struct list l = list_of(array);
    struct bytes e, later;
    while (list_next(&l, &e)) {
        struct list rest = l;
        while (list_next(&rest, &later)) {
            if (key_equal(e, later))
                return false;
        }
    }
    return true;
}

/* The elements stand behind the room for the longest head; list_store puts the head before them. */
struct list_new list_begin(struct values *v)
{
    struct list_new l = {.w = values_scratch(v)};
    wr_u32(&l.w, 0);
    return l;
}
_Static_assert(LIST_HEAD_MAX == sizeof(uint32_t), "list_begin leaves the room of one u32");

void list_add(struct list_new *l, struct bytes element)
{
    wr_bytes(&l->w, element.p, element.len);
    l->n++;
}

enum cosem_result list_store(const struct rule_call *k, uint8_t attr, struct list_new *l)
{
    uint8_t head[1 + 5];
    struct wr w = wr_of(head, sizeof head);
    axdr_put_array(&w, l->n);
    if (l->w.err || w.err || w.len > LIST_HEAD_MAX)
        return COSEM_TEMPORARY_FAILURE;
    uint8_t *start = l->w.p + LIST_HEAD_MAX - w.len;
    memcpy(start, head, w.len);
    return rule_change(k, attr, (struct bytes){start, l->w.len - LIST_HEAD_MAX + w.len});
}

enum cosem_result list_put(const struct rule_call *k, uint8_t attr, struct bytes element)
{
    struct list old = list_of(rule_value(k, attr));
    struct list_new l = list_begin(k->v);
    struct bytes e;
    bool replaced = false;
    while (list_next(&old, &e)) {
        bool same = key_equal(e, element);
        list_add(&l, same ? element : e);
        replaced |= same;
    }
    if (!replaced)
        list_add(&l, element);
    return list_store(k, attr, &l);
}

enum cosem_result list_remove(const struct rule_call *k, uint8_t attr, list_match *match,
                              const void *context)
{
    struct list old = list_of(rule_value(k, attr));
    struct list_new l = list_begin(k->v);
    struct bytes e;
    while (list_next(&old, &e)) {
        if (!match(context, e))
            list_add(&l, e);
    }
    return l.n < old.n ? list_store(k, attr, &l) : COSEM_OTHER_REASON;
}

bool list_match_key(const void *like, struct bytes element)
{
    return key_equal(*(const struct bytes *)like, element);
}

struct bytes param_octets(const struct rd *param)
{
    return (struct bytes){param->p + param->pos, rd_left(param)};
}
