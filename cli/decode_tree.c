/* One recursive walk, at most AXDR_DEPTH_MAX deep; `quiet` only moves the cursor. Leaves are
 * printed by value_tree(). */
#include "cli/decode_tree.h"
#include "cli/client_value.h"
#include "cli/decode_octets.h"

#include "lib/cosem/obis.h"

#include <string.h>

struct walk {
    bool quiet, lenient;
    unsigned depth;
    size_t nodes;
};

#define DESCRIPTOR_LEN 9 /* class 2, logical name 6, attribute 1 */

static json_t *read_any(struct walk *w, struct rd *r);

static json_t *node_of(const struct walk *w, const char *type, json_t *value)
{
    return w->quiet ? NULL : json_pack("{s:s, s:o}", "type", type, "value", value);
}

static bool enter(struct walk *w, struct rd *r)
{
    if (w->depth == AXDR_DEPTH_MAX)
        rd_fail(r, ERR_DEPTH);
    if (++w->nodes > TREE_NODES_MAX)
        rd_fail(r, ERR_FULL);
    return r->err == ERR_OK;
}

/* Bare octets that make sense as class, logical name and attribute, where a null-data would be the
 * strict reading. A part of them does, too: more may follow. */
static bool is_descriptor(const struct rd *r)
{
    static const uint8_t least[DESCRIPTOR_LEN] = {0, 1, 0, 0, 0, 0, 0, 0xFF, 1},
                         most[DESCRIPTOR_LEN] = {0, 0xFF, 15, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 64};
    const uint8_t *p = r->p + r->pos;
    const size_t left = rd_left(r), n = left < DESCRIPTOR_LEN ? left : DESCRIPTOR_LEN;
    for (size_t i = 0; i < n; i++)
        if (p[i] < least[i] || p[i] > most[i])
            return false;
    return true;
}

static json_t *read_descriptor(const struct walk *w, struct rd *r)
{
    char name[OBIS_TEXT];
    const uint16_t class_id = rd_u16(r);
    const struct bytes ln = rd_bytes(r, 6);
    const uint8_t id = rd_u8(r);
    if (w->quiet || r->err)
        return NULL;
    obis_print(ln.p, name);
    return json_pack("{s:s, s:{s:i, s:s, s:i}}", "type", "attribute-descriptor", "value", "class",
                     class_id, "obis", name, "id", id);
}

static json_t *read_list(struct walk *w, struct rd *r)
{
    const uint8_t tag = rd_u8(r);
    const size_t n = rd_length(r);
    json_t *list = w->quiet ? NULL : json_array();
    w->depth++;
    for (size_t i = 0; i < n && !r->err; i++) {
        const bool bare = w->lenient && i == 0 && n > 1 && tag == AXDR_STRUCT &&
                          axdr_peek(r) == 0 && is_descriptor(r);
        json_t *member = bare ? read_descriptor(w, r) : read_any(w, r);
        if (member != NULL)
            json_array_append_new(list, member);
    }
    w->depth--;
    return node_of(w, axdr_tag_name(tag), list);
}

/* Texts padded with zeros, as serial numbers often are: the text without them. */
static void trim_zeros(json_t *node, struct bytes octets)
{
    size_t n = octets.len;
    while (n > 0 && octets.p[n - 1] == 0)
        n--;
    for (size_t i = 0; i < n; i++)
        if (octets.p[i] < 0x20 || octets.p[i] > 0x7E)
            return;
    if (n > 0 && n < octets.len)
        json_object_set_new(node, "value", json_stringn((const char *)octets.p, n));
}

static json_t *read_leaf(struct walk *w, struct rd *r)
{
    const uint8_t tag = axdr_peek(r);
    struct rd again = *r;
    if (w->quiet) {
        axdr_skip(r);
        return NULL;
    }
    json_t *node = value_tree(r);
    if (node != NULL && (tag == AXDR_OCTETS || tag == AXDR_TEXT))
        trim_zeros(node, axdr_get_octets(&again));
    return node;
}

/* ---- compact-array: one type, then contents without tags ---- */

static void skip_type(struct rd *type, unsigned depth)
{
    const uint8_t tag = rd_u8(type);
    if (depth == AXDR_DEPTH_MAX)
        rd_fail(type, ERR_DEPTH);
    if (tag == AXDR_ARRAY) {
        (void)rd_u16(type);
        skip_type(type, depth + 1);
    } else if (tag == AXDR_STRUCT) {
        for (size_t n = rd_length(type); n > 0 && !type->err; n--)
            skip_type(type, depth + 1);
    }
}

/* A leaf's contents with its tag put back in front. */
static json_t *read_content_leaf(struct walk *w, uint8_t tag, struct rd *r)
{
    const size_t start = r->pos, size = axdr_content_size(tag);
    struct octets copy = {0};
    if (tag == AXDR_BITS) {
        const size_t n = rd_length(r);
        (void)rd_bytes(r, n / 8 + (n % 8 != 0));
    } else if (size == AXDR_SIZE_PREFIXED) {
        (void)rd_bytes(r, rd_length(r));
    } else if (size == AXDR_SIZE_OTHER) {
        rd_fail(r, ERR_FORMAT);
    } else {
        (void)rd_bytes(r, size);
    }
    if (r->err || w->quiet)
        return NULL;
    octets_add(&copy, &tag, 1);
    octets_add(&copy, r->p + start, r->pos - start);
    struct rd leaf = rd_of(copy.p, copy.len);
    json_t *node = value_tree(&leaf);
    octets_free(&copy);
    if (leaf.err)
        rd_fail(r, leaf.err);
    return node;
}

/* type is by value: each element reads it from the beginning. */
static json_t *read_content(struct walk *w, struct rd *type, struct rd *r)
{
    const uint8_t tag = rd_u8(type);
    if (!enter(w, r) || type->err)
        return NULL;
    if (tag != AXDR_ARRAY && tag != AXDR_STRUCT)
        return read_content_leaf(w, tag, r);
    const size_t n = tag == AXDR_ARRAY ? rd_u16(type) : rd_length(type);
    const struct rd element = *type;
    json_t *list = w->quiet ? NULL : json_array();
    w->depth++;
    for (size_t i = 0; i < n && !r->err && !type->err; i++) {
        if (tag == AXDR_ARRAY)
            *type = element;
        json_t *member = read_content(w, type, r);
        if (member != NULL)
            json_array_append_new(list, member);
    }
    if (tag == AXDR_ARRAY && n == 0)
        skip_type(type, w->depth);
    w->depth--;
    return node_of(w, axdr_tag_name(tag), list);
}

static json_t *read_compact(struct walk *w, struct rd *r)
{
    (void)rd_u8(r);
    const size_t start = r->pos;
    skip_type(r, w->depth);
    struct rd type = rd_of(r->p + start, r->err ? 0 : r->pos - start);
    const size_t len = rd_length(r), at = r->pos;
    const struct bytes all = rd_bytes(r, len);
    struct rd contents = rd_of(all.p, all.len);
    json_t *list = w->quiet ? NULL : json_array();
    w->depth++;
    while (!r->err && !contents.err && rd_left(&contents) > 0) {
        const size_t before = contents.pos;
        struct rd element = type;
        json_t *member = read_content(w, &element, &contents);
        if (member != NULL)
            json_array_append_new(list, member);
        if (element.err || contents.pos == before)
            rd_fail(&contents, ERR_FORMAT); /* elements of no octets would never end */
    }
    w->depth--;
    if (contents.err && !r->err) {
        r->pos = at + contents.err_pos;
        rd_fail(r, contents.err);
    }
    return node_of(w, axdr_tag_name(AXDR_COMPACT), list);
}

static json_t *read_any(struct walk *w, struct rd *r)
{
    if (!enter(w, r))
        return NULL;
    switch (axdr_peek(r)) {
    case AXDR_ARRAY:
    case AXDR_STRUCT:
        return read_list(w, r);
    case AXDR_COMPACT:
        return read_compact(w, r);
    default:
        return read_leaf(w, r);
    }
}

static struct rd probed(const struct rd *r, bool lenient)
{
    struct rd probe = *r;
    struct walk w = {.quiet = true, .lenient = lenient};
    (void)read_any(&w, &probe);
    return probe;
}

/* Strictly, unless only the other way reads all or gets further. */
static bool wants_lenience(const struct rd *r)
{
    const struct rd strict = probed(r, false);
    if (!strict.err && rd_left(&strict) == 0)
        return false;
    const struct rd lenient = probed(r, true);
    if (strict.err && lenient.err)
        return lenient.err_pos > strict.err_pos;
    if (lenient.err == ERR_TRUNCATED)
        return true; /* strictly there are octets behind the value */
    return !lenient.err && (strict.err || rd_left(&lenient) == 0);
}

json_t *tree_read(struct rd *r)
{
    struct walk w = {.lenient = wants_lenience(r)};
    return read_any(&w, r);
}

void tree_skip(struct rd *r)
{
    struct walk w = {.quiet = true, .lenient = wants_lenience(r)};
    (void)read_any(&w, r);
}
