/* A-XDR scanning octet by octet: a stack of element counts instead of recursion.
 *
 * Facts: left[d] counts values (or, in a TYPE level, type descriptions) of level d not yet
 * complete, including the one in progress; level 0 stands for the one value scanned. A compact
 * array opens CONTENT and, above it, TYPE; when TYPE closes, the length of the content follows. */
#include "lib/cosem/client_scan.h"

#include <string.h>

enum { STATE_TAG, STATE_LENGTH, STATE_LENGTH_MORE, STATE_SKIP };
enum { KIND_VALUE, KIND_TYPE, KIND_CONTENT };

void client_scan_init(struct client_scan *s)
{
    memset(s, 0, sizeof *s);
    s->depth = 1;
    s->left[0] = 1;
}

bool client_scan_complete(const struct client_scan *s)
{
    return s->depth == 0;
}

uint32_t client_scan_elements_left(const struct client_scan *s)
{
    return s->depth > 1 && s->kind[1] == KIND_VALUE ? s->left[1] : 0;
}

static enum err open_level(struct client_scan *s, uint8_t kind, uint32_t n)
{
    if (s->depth >= CLIENT_SCAN_LEVELS)
        return ERR_DEPTH;
    s->kind[s->depth] = kind;
    s->left[s->depth] = n;
    s->depth++;
    s->state = STATE_TAG;
    return ERR_OK;
}

/* One value or type description ended: closes the levels that end with it. */
static void end_value(struct client_scan *s)
{
    s->state = STATE_TAG;
    while (s->depth > 0) {
        const uint8_t top = (uint8_t)(s->depth - 1);
        if (--s->left[top] > 0)
            return;
        s->depth = top;
        if (top > 0 && s->kind[top] == KIND_TYPE && s->kind[top - 1] == KIND_CONTENT) {
            s->tag = AXDR_COMPACT;
            s->state = STATE_LENGTH;
            return;
        }
    }
}

static void skip_or_end(struct client_scan *s, uint32_t n)
{
    s->skip = n;
    s->state = STATE_SKIP;
    if (n == 0)
        end_value(s);
}

/* Octets of content of the tags with fixed size; 0xFF: has a length; 0xFE: unknown. */
static uint8_t fixed_size(uint8_t tag)
{
    static const uint8_t size[] = {
        [AXDR_NULL] = 0,    [AXDR_ARRAY] = 0xFF,   [AXDR_STRUCT] = 0xFF, [AXDR_BOOL] = 1,
        [AXDR_BITS] = 0xFF, [AXDR_I32] = 4,        [AXDR_U32] = 4,       [7] = 0xFE,
        [8] = 0xFE,         [AXDR_OCTETS] = 0xFF,  [AXDR_TEXT] = 0xFF,   [11] = 0xFE,
        [AXDR_UTF8] = 0xFF, [AXDR_BCD] = 1,        [14] = 0xFE,          [AXDR_I8] = 1,
        [AXDR_I16] = 2,     [AXDR_U8] = 1,         [AXDR_U16] = 2,       [AXDR_COMPACT] = 0xFF,
        [AXDR_I64] = 8,     [AXDR_U64] = 8,        [AXDR_ENUM] = 1,      [AXDR_F32] = 4,
        [AXDR_F64] = 8,     [AXDR_DATE_TIME] = 12, [AXDR_DATE] = 5,      [AXDR_TIME] = 4,
    };
    return tag < sizeof size ? size[tag] : 0xFE;
}

static enum err take_type_tag(struct client_scan *s, uint8_t tag)
{
    if (tag == AXDR_ARRAY) { /* u16 count, then the element's description */
        s->tag = tag;
        s->length = 0;
        s->length_octets = 2;
        s->state = STATE_LENGTH_MORE;
    } else if (tag == AXDR_STRUCT) {
        s->tag = tag;
        s->state = STATE_LENGTH;
    } else {
        end_value(s);
    }
    return fixed_size(tag) == 0xFE ? ERR_FORMAT : ERR_OK;
}

static enum err take_tag(struct client_scan *s, uint8_t tag)
{
    const uint8_t size = fixed_size(tag);
    if (s->kind[s->depth - 1] == KIND_TYPE)
        return take_type_tag(s, tag);
    if (size == 0xFE)
        return ERR_FORMAT;
    if (tag == AXDR_COMPACT) {
        enum err err = open_level(s, KIND_CONTENT, 1);
        return err ? err : open_level(s, KIND_TYPE, 1);
    }
    s->tag = tag;
    if (size == 0xFF)
        s->state = STATE_LENGTH;
    else
        skip_or_end(s, size);
    return ERR_OK;
}

/* The length of the value s->tag is known. */
static enum err take_length(struct client_scan *s)
{
    const bool type = s->kind[s->depth - 1] == KIND_TYPE;
    const uint8_t kind = type ? KIND_TYPE : KIND_VALUE;
    if (s->tag == AXDR_ARRAY && type)
        return open_level(s, kind, 1);
    if ((s->tag == AXDR_ARRAY || s->tag == AXDR_STRUCT) && s->length > 0)
        return open_level(s, kind, s->length);
    if (s->tag == AXDR_ARRAY || s->tag == AXDR_STRUCT)
        end_value(s);
    else if (s->tag == AXDR_BITS)
        skip_or_end(s, s->length / 8 + (s->length % 8 != 0));
    else
        skip_or_end(s, s->length);
    return ERR_OK;
}

static enum err take_length_octet(struct client_scan *s, uint8_t octet)
{
    if (s->state == STATE_LENGTH_MORE) {
        s->length = s->length << 8 | octet;
        return --s->length_octets == 0 ? take_length(s) : ERR_OK;
    }
    s->length = 0;
    s->length_octets = octet & 0x7F;
    s->state = STATE_LENGTH_MORE;
    if (octet < 0x80) {
        s->length = octet;
        return take_length(s);
    }
    return s->length_octets >= 1 && s->length_octets <= 4 ? ERR_OK : ERR_FORMAT;
}

enum err client_scan_feed(struct client_scan *s, struct bytes part, size_t *used)
{
    enum err err = ERR_OK;
    size_t at = 0;
    while (at < part.len && s->depth > 0 && !err) {
        if (s->state == STATE_SKIP) {
            const size_t rest = part.len - at;
            const uint32_t n = rest < s->skip ? (uint32_t)rest : s->skip;
            at += n;
            s->skip -= n;
            if (s->skip == 0)
                end_value(s);
        } else if (s->state == STATE_TAG) {
            err = take_tag(s, part.p[at++]);
        } else {
            err = take_length_octet(s, part.p[at++]);
        }
    }
    *used = at;
    return err;
}
