/* Packets to conversations: link layers, IP, TCP's order, UDP. Checksums of IP and TCP are not
 * looked at: captures on the sender's machine have them wrong. */
#include "cli/decode_pcap.h"

#include "lib/base/civil.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DLMS_PORT 4059
#define HEAD_MAX                                                                                   \
    4096 /* octets of a conversation looked at for a frame, where its port says nothing */

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW_A = 12, LINK_RAW_B = 14 };
enum { LINK_PPP_HDLC = 50, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113, LINK_USER = 147 };
enum { LINK_USER_LAST = 162, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_RTAC = 250, LINK_SLL2 = 276 };

enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_LINE = 255 };

struct net_end {
    uint8_t ip[16];
    uint16_t port;
};
struct packet { /* what is known of one */
    uint64_t time_ns;
    uint8_t proto;
    bool v6;
    struct net_end from, to;
};

struct held { /* a segment that came before its turn */
    uint32_t seq;
    struct octets data;
};
struct net_side { /* one direction */
    struct decode_stream stream;
    bool started;
    uint32_t next; /* sequence number of the octet that is due */
    struct held *held;
    size_t n_held;
    struct octets head; /* while it is not known whether this is DLMS */
};
struct net_talk {
    struct net_talk *in_bucket, *after;
    uint8_t proto;
    bool v6;
    struct net_end end[2];
    enum { TALK_UNKNOWN, TALK_DLMS, TALK_OTHER } kind;
    struct decode_talk talk;
    struct net_side side[2]; /* side[0]: from end[0] */
};

/* ---- conversations ---- */

static unsigned hash_of(const struct packet *p)
{
    unsigned h = p->proto; /* the same both ways */
    for (size_t i = 0; i < 16; i++)
        h += (unsigned)(p->from.ip[i] + p->to.ip[i]) * (unsigned)(i * 7 + 1);
    return (h + (unsigned)p->from.port + p->to.port) % 256;
}

static bool is_end(const struct net_end *a, const struct net_end *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static struct net_talk *talk_new(struct decode_net *net, const struct packet *p, unsigned bucket)
{
    struct net_talk *t = calloc(1, sizeof *t);
    if (t == NULL) {
        fprintf(stderr, "ferraris: %s\n", err_text(ERR_MEMORY));
        exit(70);
    }
    t->proto = p->proto;
    t->v6 = p->v6;
    t->end[0] = p->from;
    t->end[1] = p->to;
    t->talk.keys = net->keys;
    if (p->proto == PROTO_LINE || p->from.port == DLMS_PORT || p->to.port == DLMS_PORT)
        t->kind = TALK_DLMS;
    for (uint64_t i = 0; i < 2; i++)
        t->side[i].stream =
            (struct decode_stream){.talk = &t->talk, .sink = net->sink, .way = i + 1};
    t->in_bucket = net->bucket[bucket];
    net->bucket[bucket] = t;
    if (net->last != NULL)
        net->last->after = t;
    else
        net->first = t;
    net->last = t;
    return t;
}

static struct net_talk *talk_of(struct decode_net *net, const struct packet *p, unsigned *side)
{
    const unsigned bucket = hash_of(p);
    for (struct net_talk *t = net->bucket[bucket]; t != NULL; t = t->in_bucket) {
        if (t->proto != p->proto || t->v6 != p->v6)
            continue;
        for (*side = 0; *side < 2; (*side)++)
            if (is_end(&t->end[*side], &p->from) && is_end(&t->end[1 - *side], &p->to))
                return t;
    }
    *side = 0;
    return talk_new(net, p, bucket);
}

/* ---- what every link of an entry says ---- */

static json_t *time_json(uint64_t ns)
{
    char text[64];
    const struct civil c = civil_from_seconds((int64_t)(ns / 1000000000u));
    snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ", (int)c.year,
             (unsigned)c.month, (unsigned)c.day, (unsigned)c.hour, (unsigned)c.minute,
             (unsigned)c.second, (unsigned)(ns % 1000000000u / 1000));
    return json_string(text);
}

static json_t *end_json(const struct net_end *e, bool v6)
{
    char ip[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];
    (void)inet_ntop(v6 ? AF_INET6 : AF_INET, e->ip, ip, sizeof ip);
    snprintf(text, sizeof text, v6 ? "[%s]:%u" : "%s:%u", ip, e->port);
    return json_string(text);
}

static void set_origin(struct decode_stream *s, const struct packet *p)
{
    json_decref(s->origin);
    s->origin = json_object();
    if (p->time_ns != 0)
        json_object_set_new(s->origin, "time", time_json(p->time_ns));
    if (p->proto == PROTO_LINE)
        return;
    json_object_set_new(s->origin, "from", end_json(&p->from, p->v6));
    json_object_set_new(s->origin, "to", end_json(&p->to, p->v6));
}

/* ---- TCP ---- */

/* A frame at the beginning, or one with right check sums somewhere. */
static bool looks_like_dlms(struct bytes b)
{
    if (decode_frame_at(b) > 0 || (b.len >= 2 && b.p[0] == '/' && b.p[1] == '?'))
        return true;
    for (size_t i = 1; i < b.len; i++)
        if ((b.p[i] == 0x7E || b.p[i] == 0x68) &&
            decode_frame_at((struct bytes){b.p + i, b.len - i}) > 0)
            return true;
    return false;
}

static void feed_side(struct net_talk *t, struct net_side *side, struct bytes data)
{
    if (t->kind == TALK_OTHER)
        return;
    if (t->kind == TALK_DLMS && side->head.len == 0) {
        decode_stream_feed(&side->stream, data.p, data.len);
        return;
    }
    octets_add(&side->head, data.p, data.len);
    const struct bytes head = {side->head.p, side->head.len};
    if (t->kind == TALK_UNKNOWN && looks_like_dlms(head))
        t->kind = TALK_DLMS;
    else if (t->kind == TALK_UNKNOWN && head.len > HEAD_MAX)
        t->kind = TALK_OTHER;
    if (t->kind == TALK_UNKNOWN)
        return;
    if (t->kind == TALK_DLMS)
        decode_stream_feed(&side->stream, head.p, head.len);
    octets_free(&side->head);
}

/* Takes what is due or was sent before; false: it comes too early. */
static bool take_segment(struct net_talk *t, struct net_side *side, uint32_t seq, struct bytes data)
{
    const uint32_t ahead = seq - side->next;
    if (ahead != 0 && ahead < 0x80000000u)
        return false;
    const uint32_t known = side->next - seq;
    if (known < data.len) {
        side->next = seq + (uint32_t)data.len;
        feed_side(t, side, (struct bytes){data.p + known, data.len - known});
    }
    return true;
}

static void take_held(struct net_talk *t, struct net_side *side)
{
    for (size_t i = 0; i < side->n_held;) {
        struct held h = side->held[i];
        if (!take_segment(t, side, h.seq, (struct bytes){h.data.p, h.data.len})) {
            i++;
            continue;
        }
        octets_free(&h.data);
        side->held[i] = side->held[--side->n_held];
        i = 0;
    }
}

/* Octets that the capture does not have: told, then on with what comes behind them. */
static void skip_gap(struct net_talk *t, struct net_side *side)
{
    char why[80];
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < side->n_held; i++)
        if (side->held[i].seq - side->next < nearest)
            nearest = side->held[i].seq - side->next;
    if (side->n_held == 0)
        return;
    if (t->kind == TALK_DLMS) {
        decode_stream_flush(&side->stream);
        snprintf(why, sizeof why, "%u octets of the connection are missing in the capture",
                 nearest);
        decode_refuse(&side->stream.sink, "tcp", side->stream.origin, why);
    }
    side->next += nearest;
    take_held(t, side);
}

static void hold(struct net_talk *t, struct net_side *side, uint32_t seq, struct bytes data)
{
    if (t->kind == TALK_OTHER)
        return;
    if (side->n_held == PCAP_HELD_MAX)
        skip_gap(t, side);
    if (side->held == NULL)
        side->held = calloc(PCAP_HELD_MAX, sizeof *side->held);
    if (side->held == NULL || take_segment(t, side, seq, data))
        return;
    struct held *h = &side->held[side->n_held++];
    *h = (struct held){.seq = seq};
    octets_add(&h->data, data.p, data.len);
}

static void drain_side(struct net_talk *t, struct net_side *side)
{
    while (side->n_held > 0)
        skip_gap(t, side);
    free(side->held);
    side->held = NULL;
    octets_free(&side->head);
    if (t->kind == TALK_DLMS)
        decode_stream_flush(&side->stream);
}

static void end_side(struct net_talk *t, struct net_side *side)
{
    drain_side(t, side);
    if (t->kind == TALK_DLMS)
        decode_stream_end(&side->stream);
    decode_stream_free(&side->stream);
    side->started = false;
}

#define TCP_SYN 0x02u

static void take_tcp(struct decode_net *net, struct packet *p, struct bytes segment)
{
    struct rd r = rd_of(segment.p, segment.len);
    unsigned which;
    p->from.port = rd_u16(&r);
    p->to.port = rd_u16(&r);
    uint32_t seq = rd_u32(&r);
    (void)rd_u32(&r);
    const size_t head = (size_t)(rd_u8(&r) >> 4) * 4;
    const uint8_t flags = rd_u8(&r);
    if (r.err || head < 20 || head > segment.len)
        return;
    const struct bytes data = {segment.p + head, segment.len - head};
    struct net_talk *t = talk_of(net, p, &which);
    struct net_side *side = &t->side[which];
    set_origin(&side->stream, p);
    if ((flags & TCP_SYN) != 0) {
        if (side->started && side->next != seq + 1)
            end_side(t, side); /* the ports are used again */
        seq++;
    }
    if (!side->started)
        side->next = seq;
    side->started = true;
    if (data.len == 0)
        return;
    if (take_segment(t, side, seq, data))
        take_held(t, side);
    else
        hold(t, side, seq, data);
}

/* ---- UDP and lines ---- */

static void take_udp(struct decode_net *net, struct packet *p, struct bytes datagram)
{
    struct rd r = rd_of(datagram.p, datagram.len);
    unsigned which;
    p->from.port = rd_u16(&r);
    p->to.port = rd_u16(&r);
    const size_t len = rd_u16(&r);
    (void)rd_u16(&r);
    if (r.err)
        return;
    const struct bytes data =
        rd_bytes(&r, len >= 8 && len - 8 < rd_left(&r) ? len - 8 : rd_left(&r));
    struct net_talk *t = talk_of(net, p, &which);
    if (t->kind == TALK_UNKNOWN && decode_frame_at(data) == data.len && data.len > 0)
        t->kind = TALK_DLMS;
    if (t->kind != TALK_DLMS || data.len == 0)
        return;
    set_origin(&t->side[which].stream, p);
    decode_stream_unit(&t->side[which].stream, data.p, data.len);
    decode_stream_flush(&t->side[which].stream);
}

static void take_line(struct decode_net *net, struct packet *p, struct bytes data)
{
    unsigned which;
    p->proto = PROTO_LINE;
    struct net_talk *t = talk_of(net, p, &which);
    set_origin(&t->side[0].stream, p);
    decode_stream_unit(&t->side[0].stream, data.p, data.len);
}

/* ---- IP ---- */

static void refuse(struct decode_net *net, const struct packet *p, const char *why)
{
    json_t *origin = json_pack("{s:o}", "time", time_json(p->time_ns));
    decode_refuse(&net->sink, "pcap", origin, why);
    json_decref(origin);
}

static void take_transport(struct decode_net *net, struct packet *p, struct bytes data)
{
    if (p->proto == PROTO_TCP)
        take_tcp(net, p, data);
    else if (p->proto == PROTO_UDP)
        take_udp(net, p, data);
}

static void take_ipv4(struct decode_net *net, struct packet *p, struct rd r)
{
    const struct bytes all = {r.p + r.pos, rd_left(&r)};
    const size_t head = (size_t)(rd_u8(&r) & 15) * 4;
    (void)rd_u8(&r);
    const size_t len = rd_u16(&r);
    (void)rd_u16(&r);
    const uint16_t fragment = rd_u16(&r);
    (void)rd_u8(&r);
    p->proto = rd_u8(&r);
    (void)rd_u16(&r);
    rd_copy(&r, p->from.ip, 4);
    rd_copy(&r, p->to.ip, 4);
    if (r.err || head < 20 || head > all.len)
        return;
    if ((fragment & 0x3FFF) != 0) {
        refuse(net, p, "a fragment of an IP packet: fragments are not put together");
        return;
    }
    const size_t end = len >= head && len < all.len ? len : all.len; /* behind it: padding */
    take_transport(net, p, (struct bytes){all.p + head, end - head});
}

static bool is_extension(uint8_t next)
{
    return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
}

static void take_ipv6(struct decode_net *net, struct packet *p, struct rd r)
{
    p->v6 = true;
    (void)rd_u32(&r);
    const size_t len = rd_u16(&r);
    uint8_t next = rd_u8(&r);
    (void)rd_u8(&r);
    rd_copy(&r, p->from.ip, 16);
    rd_copy(&r, p->to.ip, 16);
    const size_t end = r.pos + (len > 0 && len < rd_left(&r) ? len : rd_left(&r));
    while (is_extension(next) && !r.err) {
        const uint8_t this = next;
        next = rd_u8(&r);
        const uint8_t size = rd_u8(&r);
        const size_t rest = this == 44   ? 6
                            : this == 51 ? (size_t)size * 4 + 6
                                         : (size_t)size * 8 + 6;
        const struct bytes body = rd_bytes(&r, rest);
        if (this == 44 && !r.err && ((body.p[0] << 8 | body.p[1]) & 0xFFF9) != 0) {
            refuse(net, p, "a fragment of an IP packet: fragments are not put together");
            return;
        }
    }
    p->proto = next;
    if (!r.err && r.pos <= end)
        take_transport(net, p, (struct bytes){r.p + r.pos, end - r.pos});
}

static void take_ip(struct decode_net *net, struct packet *p, struct rd r)
{
    const uint8_t version = rd_left(&r) > 0 ? r.p[r.pos] >> 4 : 0;
    if (version == 4)
        take_ipv4(net, p, r);
    else if (version == 6)
        take_ipv6(net, p, r);
}

/* ---- link layers ---- */

static void take_ethertype(struct decode_net *net, struct packet *p, uint16_t type, struct rd r)
{
    while (type == 0x8100 || type == 0x88A8 || type == 0x9100) { /* VLANs */
        (void)rd_u16(&r);
        type = rd_u16(&r);
    }
    if (type == 0x8864) { /* PPPoE: head, then PPP's protocol */
        (void)rd_bytes(&r, 6);
        const uint16_t ppp = rd_u16(&r);
        type = ppp == 0x0021 ? 0x0800 : ppp == 0x0057 ? 0x86DD : 0;
    }
    if (!r.err && (type == 0x0800 || type == 0x86DD))
        take_ip(net, p, r);
}

static void take_ppp(struct decode_net *net, struct packet *p, struct rd r)
{
    if (rd_left(&r) > 2 && r.p[r.pos] == 0xFF && r.p[r.pos + 1] == 0x03)
        (void)rd_u16(&r);
    const uint16_t protocol = rd_u16(&r);
    if (protocol == 0x0021 || protocol == 0x0057)
        take_ip(net, p, r);
}

void decode_net_packet(struct decode_net *net, unsigned link_type, uint64_t time_ns,
                       struct bytes packet)
{
    struct packet p = {.time_ns = time_ns};
    struct rd r = rd_of(packet.p, packet.len);
    char why[80];
    uint16_t type;
    switch (link_type) {
    case LINK_ETHERNET:
        (void)rd_bytes(&r, 12);
        type = rd_u16(&r);
        take_ethertype(net, &p, type, r);
        return;
    case LINK_SLL:
        (void)rd_bytes(&r, 14);
        type = rd_u16(&r);
        take_ethertype(net, &p, type, r);
        return;
    case LINK_SLL2:
        type = rd_u16(&r);
        (void)rd_bytes(&r, 18);
        take_ethertype(net, &p, type, r);
        return;
    case LINK_NULL:
    case LINK_LOOP:
        (void)rd_u32(&r);
        take_ip(net, &p, r);
        return;
    case LINK_PPP:
    case LINK_PPP_HDLC:
        take_ppp(net, &p, r);
        return;
    case LINK_RAW_A:
    case LINK_RAW_B:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        take_ip(net, &p, r);
        return;
    case LINK_RTAC:
        (void)rd_bytes(&r, 12);
        take_line(net, &p, rd_bytes(&r, rd_left(&r)));
        return;
    default:
        break;
    }
    if (link_type >= LINK_USER && link_type <= LINK_USER_LAST) {
        take_line(net, &p, packet);
    } else if (!net->link_refused) {
        net->link_refused = true;
        snprintf(why, sizeof why, "packets of link type %u are not read", link_type);
        refuse(net, &p, why);
    }
}

void decode_net_end(struct decode_net *net)
{
    for (struct net_talk *t = net->first, *after; t != NULL; t = after) {
        after = t->after;
        net->n_passed += t->kind != TALK_DLMS;
        drain_side(t, &t->side[0]);
        drain_side(t, &t->side[1]);
        end_side(t, &t->side[0]);
        end_side(t, &t->side[1]);
        decode_talk_end(&t->talk);
        free(t);
    }
    memset(net->bucket, 0, sizeof net->bucket);
    net->first = net->last = NULL;
    wipe(&net->keys, sizeof net->keys);
}
