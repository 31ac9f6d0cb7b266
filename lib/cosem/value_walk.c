/* A-XDR octet by octet, with a count a level instead of recursion.
 *
 *     TAG -> LENGTH -> LENGTH_MORE -> CONTENT -> TAG ... -> END
 *
 * Facts: count[d] and index[d] describe the container of depth d, d < depth, and index[d] <
 * count[d] between calls; a container without elements ends at once. */
#include "lib/cosem/value_walk.h"

#include <string.h>

enum { STATE_TAG, STATE_LENGTH, STATE_LENGTH_MORE, STATE_CONTENT, STATE_END };

void value_walk_init(struct value_walk *w)
{
    memset(w, 0, sizeof *w);
}

bool value_walk_complete(const struct value_walk *w)
{
    return !w->err && w->state == STATE_END;
}

static enum err hand_on(const struct value_walk *w, const struct value_walk_sink *sink,
                        struct value_part *part)
{
    part->depth = w->depth;
    part->index = w->index;
    return sink->part(sink->context, part);
}

/* An element is complete: goes on to the next, and ends the containers it was the last of. */
static enum err end_element(struct value_walk *w, const struct value_walk_sink *sink)
{
    w->state = STATE_TAG;
    while (w->depth > 0) {
        const uint8_t top = (uint8_t)(w->depth - 1);
        if (++w->index[top] < w->count[top])
            return ERR_OK;
        w->depth = top;
        struct value_part part = {.tag = w->kind[top], .n = w->count[top], .end = true};
        enum err err = hand_on(w, sink, &part);
        if (err)
            return err;
    }
    w->state = STATE_END;
    return ERR_OK;
}

static enum err begin_container(struct value_walk *w, const struct value_walk_sink *sink)
{
    struct value_part part = {.tag = w->tag, .n = w->length};
    if (w->depth == AXDR_DEPTH_MAX && w->length > 0) /* an empty one takes no level: axdr_skip */
        return ERR_DEPTH;
    enum err err = hand_on(w, sink, &part);
    if (err)
        return err;
    if (w->length == 0) {
        part.end = true;
        err = hand_on(w, sink, &part);
        return err ? err : end_element(w, sink);
    }
    w->kind[w->depth] = w->tag;
    w->count[w->depth] = w->length;
    w->index[w->depth] = 0;
    w->depth++;
    w->state = STATE_TAG;
    return ERR_OK;
}

static enum err end_content(struct value_walk *w, const struct value_walk_sink *sink)
{
    struct value_part part = {.tag = w->tag, .n = w->length, .content = {w->content, w->n_content}};
    enum err err = hand_on(w, sink, &part);
    return err ? err : end_element(w, sink);
}

/* The size of the simple value is known. */
static enum err begin_content(struct value_walk *w, const struct value_walk_sink *sink)
{
    const bool bits = w->tag == AXDR_BITS;
    w->left = bits ? w->length / 8 + (w->length % 8 != 0) : w->length;
    w->n_content = 0;
    w->state = STATE_CONTENT;
    return w->left == 0 ? end_content(w, sink) : ERR_OK;
}

static bool is_counted(uint8_t tag)
{
    return tag == AXDR_ARRAY || tag == AXDR_STRUCT || tag == AXDR_BITS;
}

static enum err take_tag(struct value_walk *w, uint8_t tag, const struct value_walk_sink *sink)
{
    const uint8_t size = axdr_content_size(tag);
    w->tag = tag;
    w->length = size;
    if (size == AXDR_SIZE_OTHER && !is_counted(tag))
        return tag == AXDR_COMPACT ? ERR_UNSUPPORTED : ERR_FORMAT;
    if (size < AXDR_SIZE_OTHER)
        return begin_content(w, sink);
    w->state = STATE_LENGTH;
    return ERR_OK;
}

static enum err have_length(struct value_walk *w, const struct value_walk_sink *sink)
{
    if (w->tag == AXDR_ARRAY || w->tag == AXDR_STRUCT)
        return begin_container(w, sink);
    return begin_content(w, sink);
}

static enum err take_length(struct value_walk *w, uint8_t octet, const struct value_walk_sink *sink)
{
    if (w->state == STATE_LENGTH_MORE) {
        w->length = w->length << 8 | octet;
        return --w->length_octets == 0 ? have_length(w, sink) : ERR_OK;
    }
    if (octet < 0x80) {
        w->length = octet;
        return have_length(w, sink);
    }
    w->length = 0;
    w->length_octets = octet & 0x7F;
    w->state = STATE_LENGTH_MORE;
    return w->length_octets >= 1 && w->length_octets <= 4 ? ERR_OK : ERR_FORMAT;
}

static size_t take_content(struct value_walk *w, const uint8_t *p, size_t n)
{
    const size_t used = n < w->left ? n : w->left;
    const size_t room = sizeof w->content - w->n_content;
    const size_t keep = used < room ? used : room;
    memcpy(w->content + w->n_content, p, keep);
    w->n_content = (uint8_t)(w->n_content + keep);
    w->left -= (uint32_t)used;
    return used;
}

enum err value_walk_feed(struct value_walk *w, struct bytes part,
                         const struct value_walk_sink *sink)
{
    for (size_t at = 0; at < part.len && !w->err;) {
        switch (w->state) {
        case STATE_TAG:
            w->err = take_tag(w, part.p[at++], sink);
            break;
        case STATE_LENGTH:
        case STATE_LENGTH_MORE:
            w->err = take_length(w, part.p[at++], sink);
            break;
        case STATE_CONTENT:
            at += take_content(w, part.p + at, part.len - at);
            if (w->left == 0)
                w->err = end_content(w, sink);
            break;
        default:
            w->err = ERR_FORMAT;
            break;
        }
    }
    return w->err;
}

bool value_part_int(const struct value_part *part, int64_t *out)
{
    uint8_t octets[1 + 8];
    if (part->content.len == 0 || part->content.len > 8)
        return false;
    octets[0] = part->tag;
    memcpy(octets + 1, part->content.p, part->content.len);
    struct rd r = rd_of(octets, 1 + part->content.len);
    *out = axdr_get_int(&r);
    return !r.err;
}
