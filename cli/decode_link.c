/* Segments of HDLC by pairs of addresses, of M-Bus by the codec's own joiner; the prefixes between
 * link and APDU. */
#include "cli/decode_link.h"

#include "lib/dlms/gateway.h"
#include "lib/dlms/llc_link.h"
#include "lib/dlms/wrapper.h"
#include "lib/wire/dlms.h"

#include <stdio.h>
#include <string.h>

#define LLC_LEN 3 /* E6 E6 00 and E6 E7 00 of HDLC, 90 and two SAPs of IEC 61334-4-32 */

/* ---- prefixes ---- */

static bool has_hdlc_llc(struct bytes b)
{
    return b.len >= LLC_LEN && b.p[0] == 0xE6 && (b.p[1] == 0xE6 || b.p[1] == 0xE7) && b.p[2] == 0;
}

/* Takes what stands between link and APDU off; what it says goes into `link` (NULL: nowhere). */
static struct bytes strip(struct bytes b, json_t *link)
{
    struct gateway_prefix prefix;
    struct bytes inner;
    if (has_hdlc_llc(b))
        return (struct bytes){b.p + LLC_LEN, b.len - LLC_LEN};
    if (b.len > LLC_HEAD_LEN && b.p[0] == LLC_CONTROL) {
        if (link != NULL)
            json_object_set_new(link, "llc",
                                json_pack("{s:i, s:i}", "destination", b.p[1], "source", b.p[2]));
        return (struct bytes){b.p + LLC_HEAD_LEN, b.len - LLC_HEAD_LEN};
    }
    if (!gateway_is_prefixed(b) || gateway_decode(b, &prefix, &inner) != ERR_OK)
        return b;
    if (link != NULL)
        json_object_set_new(
            link, "gateway",
            json_pack("{s:i, s:o}", "network", prefix.network, "address",
                      decode_hex((struct bytes){prefix.address, prefix.address_len})));
    return inner;
}

enum decode_shape decode_link_shape(struct bytes b)
{
    return decode_shape(strip(b, NULL));
}

bool decode_link_can_begin(uint8_t octet)
{
    const struct bytes one = {&octet, 1};
    return octet == LLC_CONTROL || octet == GATEWAY_REQUEST || octet == GATEWAY_RESPONSE ||
           decode_shape(one) != DECODE_NONE;
}

/* ---- entries ---- */

static json_t *new_link(struct decode_stream *s)
{
    json_t *link = s->origin != NULL ? json_deep_copy(s->origin) : json_object();
    if (s->n_junk > 0)
        json_object_set_new(link, "skipped", json_integer((json_int_t)s->n_junk));
    s->n_junk = 0;
    return link;
}

static void give_lost(struct decode_stream *s, const char *transport)
{
    size_t i;
    json_t *text, *lost = s->talk->blocks.lost;
    s->talk->blocks.lost = NULL;
    json_array_foreach(lost, i, text)
        decode_refuse(&s->sink, transport, s->origin, json_string_value(text));
    json_decref(lost);
}

/* Takes `link`. `trouble`: what is wrong with the frame, NULL nothing. */
static bool give_apdu(struct decode_stream *s, const char *transport, json_t *link,
                      struct bytes apdu, const char *trouble)
{
    json_t *entry = json_pack("{s:s, s:o}", "transport", transport, "link", link);
    const struct bytes inner = strip(apdu, link);
    enum decode_result result = decode_apdu(entry, inner.p, inner.len, s->talk);
    if (json_object_size(link) == 0)
        json_object_set_new(entry, "link", json_null());
    if (trouble != NULL && result != DECODE_MORE) {
        char text[320];
        const char *error = json_string_value(json_object_get(entry, "error"));
        snprintf(text, sizeof text, "%s%s%s", trouble, error != NULL ? "; " : "",
                 error != NULL ? error : "");
        json_object_set_new(entry, "error", json_string(text));
        result = DECODE_MALFORMED;
    }
    give_lost(s, transport);
    if (result == DECODE_MORE)
        json_decref(entry);
    else
        s->sink.give(s->sink.context, entry, result);
    return true;
}

static uint64_t way_of(const struct decode_stream *s, uint64_t a, uint64_t b)
{
    return (s->way * 0x9E3779B97F4A7C15u) ^ (a << 32) ^ b;
}

bool decode_link_bare(struct decode_stream *s, struct bytes b)
{
    s->talk->way = way_of(s, 0, 0);
    return give_apdu(s, "apdu", new_link(s), b, NULL);
}

bool decode_link_wrapper(struct decode_stream *s, struct bytes frame)
{
    struct rd r = rd_of(frame.p, frame.len);
    (void)rd_u16(&r);
    const uint16_t source = rd_u16(&r), destination = rd_u16(&r), length = rd_u16(&r);
    json_t *link = new_link(s);
    json_object_set_new(link, "source", json_integer(source));
    json_object_set_new(link, "destination", json_integer(destination));
    json_object_set_new(link, "length", json_integer(length));
    s->talk->way = way_of(s, source, destination);
    return give_apdu(s, "wrapper", link, rd_bytes(&r, rd_left(&r)), NULL);
}

/* ---- HDLC ---- */

static void put_address(json_t *link, const char *name, const struct hdlc_address *a)
{
    char lower[24];
    json_object_set_new(link, name, json_integer(a->upper));
    if (a->size == 1)
        return;
    snprintf(lower, sizeof lower, "%s_lower", name);
    json_object_set_new(link, lower, json_integer(a->lower));
}

static json_t *hdlc_link(struct decode_stream *s, const struct hdlc_frame *f, unsigned n_frames)
{
    json_t *link = new_link(s);
    put_address(link, "source", &f->source);
    put_address(link, "destination", &f->destination);
    json_object_set_new(link, "control", json_string(hdlc_control_text(f->control)));
    if (n_frames > 0)
        json_object_set_new(link, "frames", json_integer(n_frames));
    return link;
}

static uint64_t packed(const struct hdlc_address *a)
{
    return (uint64_t)a->upper << 16 | a->lower;
}

static void flow_cut(struct decode_stream *s, struct stream_flow *f, const char *why)
{
    char text[160];
    if (f->n_frames > 0) {
        snprintf(text, sizeof text, "cut: %u segments came (%zu octets), %s", f->n_frames,
                 f->data.len, why);
        decode_refuse(&s->sink, "hdlc", s->origin, text);
    }
    octets_cut(&f->data, 0);
    f->n_frames = 0;
    f->doubtful = false;
}

static struct stream_flow *flow_of(struct decode_stream *s, uint64_t way)
{
    for (unsigned i = 0; i < s->n_flows; i++)
        if (s->flow[i].way == way)
            return &s->flow[i];
    if (s->n_flows == STREAM_FLOWS_MAX) {
        flow_cut(s, &s->flow[0], "too many others were open");
        octets_free(&s->flow[0].data);
        octets_free(&s->flow[0].last);
        memmove(&s->flow[0], &s->flow[1], (STREAM_FLOWS_MAX - 1) * sizeof s->flow[0]);
        s->n_flows--;
    }
    struct stream_flow *f = &s->flow[s->n_flows++];
    *f = (struct stream_flow){.way = way, .last_ns = -1};
    return f;
}

/* An I frame with the number of the one before and the same octets is a retransmission; not so in
 * pushes without a connection, which some meters send as I frames that all have number 0. */
static bool is_repeated(const struct decode_stream *s, struct stream_flow *flow,
                        const struct hdlc_frame *f)
{
    if ((f->control & 1) != 0 || !s->connected)
        return false;
    const int ns = f->control >> 1 & 7;
    const bool same = flow->last_ns == ns && flow->last.len == f->info.len &&
                      (f->info.len == 0 || memcmp(flow->last.p, f->info.p, f->info.len) == 0);
    flow->last_ns = ns;
    octets_cut(&flow->last, 0);
    octets_add(&flow->last, f->info.p, f->info.len);
    return same;
}

/* SNRM, UA, DISC, DM, FRMR: entries without an APDU. */
static bool give_unnumbered(struct decode_stream *s, const struct hdlc_frame *f)
{
    struct hdlc_parameters p;
    const uint8_t control = (uint8_t)(f->control & ~HDLC_PF);
    json_t *link = hdlc_link(s, f, 0), *tree = json_null();
    for (unsigned i = 0; i < s->n_flows; i++)
        s->flow[i].last_ns = -1; /* numbers begin anew */
    if ((control == HDLC_SNRM || control == HDLC_UA) &&
        hdlc_parameters_decode(f->info, &p) == ERR_OK)
        tree = json_pack("{s:i, s:i, s:i, s:i}", "max_info_tx", p.max_info_tx, "max_info_rx",
                         p.max_info_rx, "window_tx", p.window_tx, "window_rx", p.window_rx);
    json_t *entry =
        json_pack("{s:s, s:o, s:n, s:n, s:n, s:[], s:o, s:n}", "transport", "hdlc", "link", link,
                  "security", "apdu", "date_time", "values", "tree", tree, "error");
    s->sink.give(s->sink.context, entry, DECODE_OK);
    return true;
}

bool decode_link_hdlc(struct decode_stream *s, const struct hdlc_frame *f, bool sums_right)
{
    const uint8_t control = (uint8_t)(f->control & ~HDLC_PF);
    const bool supervisory = (f->control & 3) == 1;
    s->connected |= supervisory || control == HDLC_SNRM || control == HDLC_UA;
    if (supervisory)
        return true;
    if ((f->control & 1) != 0 && control != HDLC_UI)
        return give_unnumbered(s, f);
    const uint64_t way = way_of(s, packed(&f->source), packed(&f->destination));
    struct stream_flow *flow = flow_of(s, way);
    if (is_repeated(s, flow, f))
        return true;
    if (flow->n_frames > 0 && has_hdlc_llc(f->info))
        flow_cut(s, flow, "then an APDU began anew");
    octets_add(&flow->data, f->info.p, f->info.len);
    flow->n_frames++;
    flow->doubtful |= !sums_right;
    if (f->segmented)
        return true;
    struct octets whole = flow->data;
    json_t *link = hdlc_link(s, f, flow->n_frames);
    const char *trouble = flow->doubtful ? "the check sum (FCS) of a frame is wrong" : NULL;
    flow->data = (struct octets){0};
    flow->n_frames = 0;
    flow->doubtful = false;
    s->talk->way = way;
    const bool given = give_apdu(s, "hdlc", link, (struct bytes){whole.p, whole.len}, trouble);
    octets_free(&whole);
    return given;
}

/* ---- M-Bus ---- */

static const char *join_trouble(enum err err)
{
    switch (err) {
    case ERR_STATE:
        return "a segment is missing before this one";
    case ERR_TRUNCATED:
        return "cut before the two SAPs";
    case ERR_FULL:
        return "more segments than an APDU has";
    default:
        return "no segment of an APDU: M-Bus data of its own (EN 13757-3)";
    }
}

/* The segment that is waited for, but with other SAPs: taken as if it had the right ones. False:
 * it is none. */
static bool other_saps(struct decode_stream *s, const struct mbus_frame *f, struct octets *copy)
{
    const struct mbus_join *j = &s->join;
    if (!j->open || j->next == 0 || (f->ci & MBUS_CI_SEGMENT) != j->next || f->data.len < 2 ||
        f->ci > MBUS_CI_APDU_MAX || (f->data.p[0] == j->stsap && f->data.p[1] == j->dtsap))
        return false;
    snprintf(s->join_trouble, sizeof s->join_trouble,
             "segment %u has other SAPs (%u, %u) than the first", j->next + 1u, f->data.p[0],
             f->data.p[1]);
    octets_add(copy, f->data.p, f->data.len);
    copy->p[0] = j->stsap;
    copy->p[1] = j->dtsap;
    return true;
}

/* A first segment while others are waited for, and not the one that came already. */
static bool breaks_off(const struct mbus_join *j, const struct mbus_frame *f)
{
    if (!j->open || j->next == 0 || (f->ci & ~MBUS_CI_LAST) != 0 || f->data.len < 2)
        return false;
    return j->len != f->data.len - 2 || memcmp(j->buf, f->data.p + 2, j->len) != 0;
}

static enum err join(struct decode_stream *s, const struct mbus_frame *f, bool *whole)
{
    struct octets copy = {0};
    struct mbus_frame mended = *f;
    if (breaks_off(&s->join, f))
        decode_refuse(&s->sink, "mbus", s->origin,
                      "cut: the next APDU began before the last segment");
    if ((f->ci & MBUS_CI_SEGMENT) == 0)
        s->join_trouble[0] = '\0';
    if (other_saps(s, f, &copy))
        mended.data = (struct bytes){copy.p, copy.len};
    const enum err err = mbus_join_add(&s->join, &mended, whole);
    octets_free(&copy);
    return err;
}

bool decode_link_mbus(struct decode_stream *s, const struct mbus_frame *f)
{
    enum { JOIN_MAX = 16 * MBUS_FRAME_MAX };
    static const uint8_t nothing[JOIN_MAX] = {0};
    char text[120];
    bool whole = false;
    if (f->kind != MBUS_LONG)
        return true;
    if (s->join_room.p == NULL) {
        octets_add(&s->join_room, nothing, sizeof nothing);
        mbus_join_reset(&s->join, s->join_room.p, s->join_room.len);
    }
    const enum err err = join(s, f, &whole);
    if (err != ERR_OK) {
        snprintf(text, sizeof text, "CI %02X: %s", f->ci, join_trouble(err));
        decode_refuse(&s->sink, "mbus", s->origin, text);
        return true;
    }
    if (!whole)
        return true;
    json_t *link = new_link(s);
    json_object_set_new(link, "address", json_integer(f->address));
    json_object_set_new(link, "source", json_integer(s->join.stsap));
    json_object_set_new(link, "destination", json_integer(s->join.dtsap));
    json_object_set_new(link, "frames", json_integer((f->ci & MBUS_CI_SEGMENT) + 1));
    s->talk->way = way_of(s, s->join.stsap, s->join.dtsap);
    return give_apdu(s, "mbus", link, (struct bytes){s->join.buf, s->join.len},
                     s->join_trouble[0] != '\0' ? s->join_trouble : NULL);
}

void decode_link_end(struct decode_stream *s)
{
    for (unsigned i = 0; i < s->n_flows; i++)
        flow_cut(s, &s->flow[i], "the last one did not");
    if (s->join.open)
        decode_refuse(&s->sink, "mbus", s->origin, "cut: the last segment of an APDU did not come");
    s->join.open = false;
    blocks_end(&s->talk->blocks);
    give_lost(s, "apdu");
}
