/* Delimiting of frames in a growing buffer; see the header. Links that were found whole are handled
 * in decode_link.c. */
#include "cli/decode_stream.h"
#include "cli/decode_link.h"

#include "lib/dlms/axdr.h"
#include "lib/dlms/wrapper.h"
#include "lib/wire/dlms.h"

#include <stdio.h>
#include <string.h>

#define MBUS_HEAD 4
#define MBUS_ENDS 6 /* octets of a long frame that its length does not count */

void decode_refuse(const struct decode_sink *sink, const char *transport, json_t *origin,
                   const char *why)
{
    json_t *entry =
        json_pack("{s:s, s:O?, s:n, s:n, s:n, s:[], s:n, s:s}", "transport", transport, "link",
                  origin, "security", "apdu", "date_time", "values", "tree", "error", why);
    if (origin == NULL)
        json_object_set_new(entry, "link", json_null());
    sink->give(sink->context, entry, DECODE_MALFORMED);
}

static void refuse(struct decode_stream *s, const char *transport, const char *why)
{
    s->given = true;
    decode_refuse(&s->sink, transport, s->origin, why);
}

/* ---- how long is what begins here: octets, 0 no frame of this kind, SIZE_MAX more is needed ----
 */

#define MORE SIZE_MAX

static size_t hdlc_length(struct bytes b)
{
    return b.len < 3 ? 0 : ((size_t)(b.p[1] & 7) << 8 | b.p[2]) + 1; /* with the opening flag */
}

static bool is_hdlc(struct bytes b)
{
    return b.len >= 3 && b.p[0] == HDLC_FLAG && (b.p[1] & 0xF0) == 0xA0 && hdlc_length(b) > 7;
}

static bool is_mbus(struct bytes b)
{
    return b.len >= MBUS_HEAD && b.p[0] == 0x68 && b.p[3] == 0x68 && b.p[1] == b.p[2];
}

static size_t wrapper_length(struct bytes b)
{
    return b.len < WRAPPER_HEAD_LEN ? 0 : WRAPPER_HEAD_LEN + ((size_t)b.p[6] << 8 | b.p[7]);
}

/* Version 1, ports that are not 0, and an APDU behind it. */
static bool is_wrapper(struct bytes b)
{
    return b.len > WRAPPER_HEAD_LEN && b.p[0] == 0 && b.p[1] == WRAPPER_VERSION &&
           (b.p[6] | b.p[7]) != 0 && (b.p[2] | b.p[3] | b.p[4] | b.p[5]) != 0 &&
           (decode_link_can_begin(b.p[WRAPPER_HEAD_LEN]));
}

/* The end of a long frame: L octets, or L + 256 where L overflowed. 0: neither fits. */
static size_t mbus_length(struct bytes b, struct mbus_frame *out)
{
    for (size_t len = (size_t)b.p[1] + MBUS_ENDS; len <= MBUS_FRAME_MAX && len <= b.len;
         len += 256) {
        size_t at;
        if (mbus_frame_decode((struct bytes){b.p, len}, out, &at) == ERR_OK)
            return len;
    }
    return 0;
}

size_t decode_frame_at(struct bytes b)
{
    size_t at;
    struct hdlc_frame hdlc;
    struct mbus_frame mbus;
    if (is_hdlc(b))
        return b.len >= hdlc_length(b) &&
                       hdlc_frame_decode((struct bytes){b.p + 1, hdlc_length(b) - 1}, &hdlc, &at) ==
                           ERR_OK
                   ? hdlc_length(b)
                   : 0;
    if (is_mbus(b))
        return mbus_length(b, &mbus);
    return is_wrapper(b) && wrapper_length(b) <= b.len ? wrapper_length(b) : 0;
}

/* The head of an HDLC frame with the right check sum: no accident, however the frame ends. */
static bool has_hdlc_head(struct bytes b)
{
    uint8_t whole[HDLC_FRAME_MAX + 1] = {0};
    struct hdlc_frame f;
    size_t at;
    if (!is_hdlc(b))
        return false;
    const size_t n = hdlc_length(b);
    memcpy(whole, b.p, b.len < n ? b.len : n);
    const enum err err = hdlc_frame_decode((struct bytes){whole + 1, n - 1}, &f, &at);
    return err == ERR_OK || f.info.len > 0;
}

/* Do these octets continue the bare APDU that is kept? */
static bool goes_on(const struct decode_stream *s, struct bytes b)
{
    struct octets both = {0};
    const struct bytes rest = {s->rest.p, s->rest.len};
    if (!s->at_unit || rest.p[0] == HDLC_FLAG || is_mbus(rest) || is_wrapper(rest))
        return false;
    octets_add(&both, rest.p, rest.len);
    octets_add(&both, b.p, b.len);
    const bool good = decode_link_shape((struct bytes){both.p, both.len}) != DECODE_NONE;
    octets_free(&both);
    return good;
}

/* Lines of a dump are by accident whole APDUs often enough to look closely. */
static bool begins_amid(const struct decode_stream *s, struct bytes b, bool strong)
{
    if (has_hdlc_head(b) || (b.len > 0 && b.p[0] != 0 && decode_frame_at(b) > 0))
        return true;
    if (strong || b.len == 0)
        return false;
    if (is_mbus(b) || decode_frame_at(b) > 0)
        return true;
    if (b.p[0] <= AXDR_TIME && b.p[0] != DLMS_DATA_NOTIFICATION)
        return false;
    return decode_link_shape(b) == DECODE_WHOLE && !goes_on(s, b);
}

bool decode_stream_begins(const struct decode_stream *s, struct bytes b, bool strong)
{
    if (s->rest.len > 1) /* one octet: a closing flag that may open a frame */
        return begins_amid(s, b, strong);
    if (decode_frame_at(b) > 0 || has_hdlc_head(b))
        return true;
    if (strong && b.len > 0 && (b.p[0] == AXDR_ARRAY || b.p[0] == AXDR_STRUCT))
        return false;
    return decode_link_shape(b) == DECODE_WHOLE;
}

/* ---- HDLC ---- */

static void refuse_hdlc(struct decode_stream *s, size_t announced, size_t there)
{
    char why[120];
    if (there < announced)
        snprintf(why, sizeof why, "octet %zu: cut: the frame announces %zu octets, %zu are there",
                 there, announced, there);
    else
        snprintf(why, sizeof why, "octet 0: a frame of %zu octets, but its check sums are wrong",
                 announced);
    refuse(s, "hdlc", why);
}

static size_t take_hdlc(struct decode_stream *s, struct bytes b, bool final)
{
    struct hdlc_frame f;
    size_t at;
    if (b.len < 3 && !final && (b.len < 2 || (b.p[1] & 0xF0) == 0xA0))
        return MORE;
    if (!is_hdlc(b))
        return 1; /* a flag between frames */
    const size_t n = hdlc_length(b);
    if (b.len < n && !final)
        return MORE;
    const bool whole = b.len >= n, closed = b.len > n && b.p[n] == HDLC_FLAG;
    const enum err err =
        hdlc_frame_decode((struct bytes){b.p + 1, whole ? n - 1 : b.len - 1}, &f, &at);
    if (err != ERR_OK && whole && b.len == n && !final)
        return MORE; /* a flag behind it would say that only the sum is wrong */
    if (err == ERR_OK || (whole && f.info.len > 0 && (closed || s->at_unit))) {
        s->given |= decode_link_hdlc(s, &f, err == ERR_OK || s->relaxed);
        return n;
    }
    if (s->at_unit || f.info.len > 0 || (b.len < n && has_hdlc_head(b)))
        refuse_hdlc(s, n, b.len);
    s->within_cut |= b.len < n;
    return 1;
}

/* ---- M-Bus ---- */

/* Masked octets change the sum: the frame with the sum they give. */
static size_t mend_mbus(struct bytes b, struct octets *copy, struct mbus_frame *out)
{
    const size_t n = (size_t)b.p[1] + MBUS_ENDS;
    if (b.len < n || b.p[n - 1] != 0x16)
        return 0;
    octets_add(copy, b.p, n);
    copy->p[n - 2] = 0;
    for (size_t i = MBUS_HEAD; i < n - 2; i++)
        copy->p[n - 2] = (uint8_t)(copy->p[n - 2] + b.p[i]);
    return mbus_length((struct bytes){copy->p, n}, out);
}

static size_t take_mbus(struct decode_stream *s, struct bytes b, bool final)
{
    struct mbus_frame f;
    struct octets copy = {0};
    char why[120];
    const size_t announced = (size_t)b.p[1] + MBUS_ENDS;
    size_t n = b.len >= announced ? mbus_length(b, &f) : 0;
    if (n == 0 && !final && b.len < announced + 256)
        return MORE;
    if (n == 0 && s->relaxed)
        n = mend_mbus(b, &copy, &f);
    if (n > 0) {
        s->given |= decode_link_mbus(s, &f);
    } else {
        if (b.len < announced)
            snprintf(why, sizeof why,
                     "octet %zu: cut: the frame announces %zu octets, %zu are there", b.len,
                     announced, b.len);
        else
            snprintf(why, sizeof why, "octet %zu: check sum or end octet is wrong", announced - 2);
        refuse(s, "mbus", why);
    }
    octets_free(&copy);
    return n > 0 ? n : 1;
}

/* ---- wrapper ---- */

static size_t take_wrapper(struct decode_stream *s, struct bytes b, bool final)
{
    char why[120];
    const size_t n = wrapper_length(b);
    if (b.len < WRAPPER_HEAD_LEN) {
        if (!final)
            return MORE;
        snprintf(why, sizeof why, "octet %zu: cut within the head of eight octets", b.len);
        refuse(s, "wrapper", why);
        return b.len;
    }
    if (b.len < n && !final)
        return MORE;
    if (b.len < n) {
        snprintf(why, sizeof why, "octet %zu: the frame announces %zu octets, %zu are there",
                 (size_t)WRAPPER_HEAD_LEN, n - WRAPPER_HEAD_LEN, b.len - WRAPPER_HEAD_LEN);
        refuse(s, "wrapper", why);
        return b.len;
    }
    s->given |= decode_link_wrapper(s, (struct bytes){b.p, n});
    return n;
}

/* ---- bare ---- */

/* Garbage in front of a frame: where that begins, or the length. */
static size_t find_frame(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (decode_frame_at((struct bytes){b.p + i, b.len - i}) > 0)
            return i;
    return b.len;
}

/* A frame whose flags were lost with the logger's pretty printing. */
static bool take_flagless(struct decode_stream *s, struct bytes b)
{
    struct hdlc_frame f;
    size_t at;
    if ((b.p[0] & 0xF0) != 0xA0 || hdlc_frame_decode(b, &f, &at) != ERR_OK)
        return false;
    s->given |= decode_link_hdlc(s, &f, true);
    return true;
}

/* A bare APDU that comes in lines is looked at with each of them, a very long one less often: it is
 * read from its beginning each time. */
#define LOOK_ALWAYS 16384

static size_t take_bare(struct decode_stream *s, struct bytes b, bool final)
{
    if (!final && b.len < s->look_at)
        return MORE;
    const enum decode_shape shape = decode_link_shape(b);
    if (shape == DECODE_SHORT && !final) {
        s->look_at = b.len < LOOK_ALWAYS ? 0 : b.len + b.len / 8;
        return MORE;
    }
    s->look_at = 0;
    if (shape != DECODE_WHOLE) {
        if (take_flagless(s, b))
            return b.len;
        const size_t at = find_frame(b);
        if (at < b.len) {
            s->n_junk += at;
            return at;
        }
    }
    s->given |= decode_link_bare(s, b);
    return b.len;
}

/* ---- the search ---- */

static size_t take(struct decode_stream *s, struct bytes b, bool final)
{
    const uint8_t first = b.p[0];
    if (first == HDLC_FLAG)
        return take_hdlc(s, b, final);
    if (is_mbus(b))
        return take_mbus(s, b, final);
    const bool whole = is_wrapper(b) && wrapper_length(b) <= b.len;
    if (whole || (!s->within_cut && is_wrapper(b)) ||
        (s->at_unit && b.len >= 2 && first == 0 && b.p[1] == WRAPPER_VERSION))
        return take_wrapper(s, b, final);
    if (s->at_unit)
        return take_bare(s, b, final);
    if (!final &&
        ((first == 0x68 && b.len < MBUS_HEAD) || (first == 0 && b.len <= WRAPPER_HEAD_LEN)))
        return MORE;
    s->n_junk++;
    return 1;
}

static void search(struct decode_stream *s, bool final)
{
    size_t at = 0;
    s->within_cut = false;
    while (at < s->rest.len) {
        const size_t used = take(s, (struct bytes){s->rest.p + at, s->rest.len - at}, final);
        if (used == MORE)
            break;
        at += used;
        s->at_unit = false;
    }
    octets_drop(&s->rest, at);
}

void decode_stream_feed(struct decode_stream *s, const uint8_t *p, size_t n)
{
    octets_add(&s->rest, p, n);
    search(s, false);
}

void decode_stream_flush(struct decode_stream *s)
{
    search(s, true);
    if (s->n_junk > 0 && !s->given) {
        char why[80];
        snprintf(why, sizeof why, "octet 0: no frame or APDU in %zu octets", s->n_junk);
        refuse(s, "apdu", why);
    }
    if (s->given)
        s->n_junk = 0;
}

/* Does the unit begin anew, though what is kept is not complete? Cut frames are often followed by
 * the next of the same kind. */
static bool begins_anew(const struct decode_stream *s, struct bytes unit)
{
    size_t n = s->rest.len < unit.len ? s->rest.len : unit.len;
    if (n > 4)
        n = 4;
    if (s->rest.len == 1 && s->rest.p[0] == HDLC_FLAG && unit.p[0] != HDLC_FLAG &&
        (unit.p[0] & 0xF0) != 0xA0)
        return true; /* it was a closing flag */
    return decode_stream_begins(s, unit, false) || memcmp(s->rest.p, unit.p, n) == 0;
}

void decode_stream_unit(struct decode_stream *s, const uint8_t *p, size_t n)
{
    if (n == 0)
        return;
    if (s->rest.len > 0 && begins_anew(s, (struct bytes){p, n}))
        decode_stream_flush(s);
    if (s->rest.len == 0) {
        s->at_unit = true;
        s->given = false;
    }
    octets_add(&s->rest, p, n);
    search(s, false);
}

void decode_stream_end(struct decode_stream *s)
{
    decode_stream_flush(s);
    decode_link_end(s);
    decode_stream_free(s);
}

void decode_stream_free(struct decode_stream *s)
{
    octets_free(&s->rest);
    for (unsigned i = 0; i < s->n_flows; i++) {
        octets_free(&s->flow[i].data);
        octets_free(&s->flow[i].last);
    }
    s->n_flows = 0;
    octets_free(&s->join_room);
    json_decref(s->origin);
    s->origin = NULL;
}
