/* Rules of the classes 62 compact data and 63 status mapping. Blue Book 4.3.10, 4.3.8
 *
 * The buffer of class 62 is template_id and, behind it, the captured values without their tags and
 * without the counts of structures; template_description is the TypeDescription of a structure of
 * them. Both forms are provisional: no public source states them. Arrays are refused, for their
 * elements could differ in type, and so is another compact data object; restrictions and columns
 * (version 1) are not served. A new list of capture objects empties the buffer and counts
 * template_id up. */
#include "lib/cosem/values_parts.h"

#include <string.h>

enum { BUFFER = 2, CAPTURE_OBJECTS = 3, TEMPLATE_ID = 4, DESCRIPTION = 5, CAPTURE_METHOD = 6 };

struct capture {
    uint64_t class_id, data_index;
    uint8_t ln[6];
    int64_t attr;
};

/* False: a form that is not served. */
static bool capture_get(struct bytes element, struct capture *out)
{
    struct rd r = key_of(element);
    out->class_id = axdr_get_uint(&r);
    struct bytes ln = axdr_get_octets(&r);
    out->attr = axdr_get_int(&r);
    out->data_index = axdr_get_uint(&r);
    if (r.err || ln.len != sizeof out->ln)
        return false;
    memcpy(out->ln, ln.p, sizeof out->ln);
    if (rd_left(&r) > 0) { /* version 1 */
        axdr_get_struct(&r, 2);
        uint64_t restriction = axdr_get_uint(&r);
        axdr_skip(&r);
        if (restriction != 0 || axdr_get_array(&r) != 0)
            return false;
    }
    return !r.err && out->class_id != 62 && out->attr >= 1 && out->attr <= UINT8_MAX;
}

/* Reads what is captured, whole, into w. */
static enum cosem_result read_captured(const struct rule_call *k, const struct capture *c,
                                       struct wr *w)
{
    struct cosem_ref o;
    struct cosem_gen g = {.item = 0};
    const struct cosem_select all = {.selector = 0};
    enum cosem_result result = COSEM_SUCCESS;
    if (!cosem_find(k->call->device, (uint16_t)c->class_id, c->ln, &o) || !o.row->kind->binding)
        return COSEM_OBJECT_UNDEFINED;
    if (!o.row->kind->rights || c->attr > 16 ||
        !(o.row->kind->rights->read[k->call->role] >> (c->attr - 1) & 1u))
        return COSEM_READ_WRITE_DENIED; /* no way around the rights of the object itself */
    if (c->attr == 1) {
        axdr_put_octets(w, o.ln, sizeof o.ln);
        return COSEM_SUCCESS;
    }
    do {
        g.more = false;
        result = o.row->kind->binding->get(k->call, &o, (uint8_t)c->attr, &all, &g, w);
        g.item++;
    } while (g.more && result == COSEM_SUCCESS && !w->err);
    return result == COSEM_SUCCESS && w->err ? COSEM_OTHER_REASON : result;
}

/* Narrows the value to its member n, from 1; 0 is the whole. */
static bool pick(struct bytes *value, uint64_t n)
{
    struct rd r = rd_of(value->p, value->len);
    if (n == 0)
        return true;
    if (rd_u8(&r) != AXDR_STRUCT || rd_length(&r) < n)
        return false;
    while (--n > 0)
        axdr_skip(&r);
    size_t start = r.pos;
    axdr_skip(&r);
    *value = (struct bytes){value->p + start, r.pos - start};
    return !r.err;
}

/* One walk writes either the contents of the leaves or the types; TYPE_UNMATCHED: an array. */
static enum cosem_result put_flat(struct bytes value, bool types, struct wr *w)
{
    struct rd r = rd_of(value.p, value.len);
    for (size_t left = 1; left > 0 && !r.err; left--) {
        size_t start = r.pos;
        uint8_t tag = axdr_peek(&r);
        if (tag == AXDR_ARRAY || tag == AXDR_COMPACT)
            return COSEM_TYPE_UNMATCHED;
        if (types)
            wr_u8(w, tag);
        if (tag == AXDR_STRUCT) {
            (void)rd_u8(&r);
            size_t n = rd_length(&r);
            left += n;
            if (types)
                wr_length(w, n);
            continue;
        }
        axdr_skip(&r);
        if (!types && !r.err)
            wr_bytes(w, r.p + start + 1, r.pos - start - 1);
    }
    return r.err ? COSEM_OTHER_REASON : COSEM_SUCCESS;
}

/* The captured values (or their types) behind each other. */
static enum cosem_result put_captured(const struct rule_call *k, bool types, struct wr *w)
{
    struct list l = list_of(rule_value(k, CAPTURE_OBJECTS));
    struct bytes e;
    enum cosem_result result = COSEM_SUCCESS;
    if (types) {
        wr_u8(w, AXDR_STRUCT);
        wr_length(w, l.n);
    }
    while (result == COSEM_SUCCESS && list_next(&l, &e)) {
        uint8_t room[COSEM_ITEM_MAX];
        struct wr one = wr_of(room, sizeof room);
        struct capture c;
        result = capture_get(e, &c) ? read_captured(k, &c, &one) : COSEM_OTHER_REASON;
        struct bytes value = {room, one.len};
        if (result == COSEM_SUCCESS && !pick(&value, c.data_index))
            result = COSEM_OTHER_REASON;
        if (result == COSEM_SUCCESS)
            result = put_flat(value, types, w);
    }
    return result;
}

#define HEAD_MAX 4 /* tag and length of an octet-string of up to 65535 */

/* Buffer or description as an octet-string in the scratch. */
static enum cosem_result build(const struct rule_call *k, uint8_t attr, struct bytes *out)
{
    struct wr w = values_scratch(k->v);
    uint8_t head[1 + 5];
    struct wr h = wr_of(head, sizeof head);
    struct bytes id = rule_value(k, TEMPLATE_ID);
    wr_u32(&w, 0);
    if (attr == BUFFER)
        wr_u8(&w, id.len > 1 ? id.p[1] : 0);
    enum cosem_result result = put_captured(k, attr == DESCRIPTION, &w);
    if (result)
        return result;
    wr_u8(&h, AXDR_OCTETS);
    wr_length(&h, w.len - HEAD_MAX);
    if (w.err || h.err || h.len > HEAD_MAX)
        return COSEM_TEMPORARY_FAILURE;
    memcpy(w.p + HEAD_MAX - h.len, head, h.len);
    *out = (struct bytes){w.p + HEAD_MAX - h.len, w.len - HEAD_MAX + h.len};
    return COSEM_SUCCESS;
}

/* The description always, the buffer where it is captured on reading. */
static enum cosem_result read(const struct rule_call *k, uint8_t attr, struct wr *out)
{
    struct bytes value, method = rule_value(k, CAPTURE_METHOD);
    bool on_reading = method.len > 1 && method.p[1] == 1;
    (void)out;
    if (attr != DESCRIPTION && !(attr == BUFFER && on_reading))
        return RULE_STORED;
    enum cosem_result result = build(k, attr, &value);
    if (result == COSEM_SUCCESS)
        result = rule_refresh(k, attr, value);
    return result ? result : RULE_STORED;
}

static const uint8_t empty[] = {AXDR_OCTETS, 0};

static enum cosem_result invoke_compact(const struct rule_call *k, uint8_t method, struct rd *param,
                                        struct wr *reply)
{
    struct bytes value = {empty, sizeof empty};
    (void)param, (void)reply;
    enum cosem_result result = method == 2 ? build(k, BUFFER, &value) : COSEM_SUCCESS;
    return result ? result : rule_change(k, BUFFER, value);
}

static enum cosem_result check_compact(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    struct list l = list_of(value);
    struct bytes e, old = rule_value(k, CAPTURE_OBJECTS), id = rule_value(k, TEMPLATE_ID);
    struct capture c;
    if (attr == BUFFER || attr == DESCRIPTION)
        return COSEM_READ_WRITE_DENIED;
    if (attr != CAPTURE_OBJECTS)
        return COSEM_SUCCESS;
    while (list_next(&l, &e)) {
        if (!capture_get(e, &c))
            return COSEM_OTHER_REASON;
    }
    int id_slot = rule_slot(k, TEMPLATE_ID), buffer = rule_slot(k, BUFFER);
    if ((value.len == old.len && memcmp(value.p, old.p, old.len) == 0) || id_slot < 0 || buffer < 0)
        return COSEM_SUCCESS;
    const uint8_t next[] = {AXDR_U8, (uint8_t)(id.p[1] + 1u)};
    struct values_change changes[] = {{(uint16_t)rule_slot(k, attr), value},
                                      {(uint16_t)id_slot, {next, sizeof next}},
                                      {(uint16_t)buffer, {empty, sizeof empty}}};
    enum cosem_result result = values_change(k->v, changes, 3);
    return result ? result : RULE_STORED;
}

const struct values_rule rule_compact_data = {
    .class_id = 62, .check = check_compact, .invoke = invoke_compact, .read = read};

/* ---- 63 ---- */

/* {table, first entry} or {table, array of entries}, long-unsigned both */
static bool mapping_fits(struct bytes value)
{
    struct rd r = key_of(value);
    (void)axdr_get_uint(&r);
    struct bytes entries = param_octets(&r), e;
    struct list l = list_of(entries);
    if (entries.len > 0 && entries.p[0] == AXDR_U16)
        return true;
    while (list_next(&l, &e)) {
        if (e.p[0] != AXDR_U16)
            return false;
    }
    return entries.len > 0 && entries.p[0] == AXDR_ARRAY;
}

static bool is_status_word(uint8_t tag)
{
    return tag == AXDR_BITS || tag == AXDR_OCTETS || tag == AXDR_U8 || tag == AXDR_U16 ||
           tag == AXDR_U32 || tag == AXDR_U64;
}

static enum cosem_result check_mapping(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k;
    return (attr == 2 ? is_status_word(value.p[0]) : mapping_fits(value)) ? COSEM_SUCCESS
                                                                          : COSEM_TYPE_UNMATCHED;
}

const struct values_rule rule_status_mapping = {.class_id = 63, .check = check_mapping};
