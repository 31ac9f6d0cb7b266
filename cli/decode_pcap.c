/* The two file formats. Numbers are in the writer's order, which the file's first octets tell. */
#include "cli/decode_pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_PACKET = 6
};
#define ORDER_MAGIC    0x1A2B3C4Du
#define OPTION_TSRESOL 9
#define INTERFACES_MAX 256 /* of one section; packets of further ones are told as errors */

struct words { /* a cursor that knows the order of octets */
    struct rd r;
    bool little;
};

static uint32_t get_u32(struct words *w)
{
    const uint32_t v = rd_u32(&w->r);
    return w->little ? v >> 24 | (v >> 8 & 0xFF00) | (v << 8 & 0xFF0000) | v << 24 : v;
}

static uint16_t get_u16(struct words *w)
{
    const uint16_t v = rd_u16(&w->r);
    return w->little ? (uint16_t)((v & 0xFF) << 8 | v >> 8) : v;
}

static uint32_t first_word(struct bytes file, bool little)
{
    struct words w = {.r = rd_of(file.p, file.len), .little = little};
    return get_u32(&w);
}

/* ---- pcap ---- */

#define PCAP_MICRO 0xA1B2C3D4u
#define PCAP_NANO  0xA1B23C4Du

static bool is_classic(struct bytes file, bool *little, bool *nano)
{
    for (int i = 0; i < 2; i++) {
        const uint32_t magic = first_word(file, i == 1);
        *little = i == 1;
        *nano = magic == PCAP_NANO;
        if (magic == PCAP_MICRO || magic == PCAP_NANO)
            return true;
    }
    return false;
}

static void refuse_cut(struct decode_net *net, size_t at, const char *what)
{
    char why[120];
    snprintf(why, sizeof why, "octet %zu of the file: %s", at, what);
    decode_refuse(&net->sink, "pcap", NULL, why);
}

static void read_classic(struct decode_net *net, struct words *w, bool nano)
{
    (void)rd_bytes(&w->r, 20);
    const unsigned link_type = get_u32(w) & 0xFFFF; /* above: length of the FCS */
    while (!w->r.err && rd_left(&w->r) > 0) {
        const size_t at = w->r.pos;
        const uint64_t seconds = get_u32(w), part = get_u32(w);
        const uint32_t len = get_u32(w);
        (void)get_u32(w);
        const struct bytes packet = rd_bytes(&w->r, len);
        if (w->r.err)
            refuse_cut(net, at, "the packet is cut");
        else
            decode_net_packet(net, link_type, seconds * 1000000000u + part * (nano ? 1 : 1000),
                              packet);
    }
    if (w->r.err && w->r.pos < 24)
        refuse_cut(net, w->r.pos, "the head of the file is cut");
}

/* ---- pcapng ---- */

struct interface {
    unsigned link_type;
    uint64_t per_second; /* units of its times */
};

struct section {
    struct interface interface[INTERFACES_MAX];
    uint32_t n;
};

static uint64_t resolution(uint8_t v)
{
    uint64_t n = 1;
    if ((v & 0x80) != 0)
        return (v & 0x7F) < 63 ? 1ull << (v & 0x7F) : 1000000;
    for (unsigned i = 0; i < v && i < 18; i++)
        n *= 10;
    return n;
}

static void add_interface(struct section *s, struct words *w)
{
    struct interface i = {.per_second = 1000000};
    i.link_type = get_u16(w);
    (void)rd_bytes(&w->r, 6);
    while (rd_left(&w->r) >= 4 && !w->r.err) {
        const uint16_t code = get_u16(w), len = get_u16(w);
        const struct bytes value = rd_bytes(&w->r, (len + 3u) & ~3u);
        if (code == OPTION_TSRESOL && len == 1 && value.p != NULL)
            i.per_second = resolution(value.p[0]);
    }
    if (s->n < INTERFACES_MAX)
        s->interface[s->n] = i;
    s->n++;
}

static void give_packet(struct decode_net *net, const struct section *s, uint32_t interface,
                        uint64_t time, struct bytes packet)
{
    if (interface >= s->n || interface >= INTERFACES_MAX) {
        decode_refuse(&net->sink, "pcap", NULL, "a packet of an interface that is not described");
        return;
    }
    const struct interface *i = &s->interface[interface];
    const uint64_t rest = time % i->per_second;
    const uint64_t ns = i->per_second <= 1000000000u ? rest * (1000000000u / i->per_second)
                                                     : rest / (i->per_second / 1000000000u);
    decode_net_packet(net, i->link_type, time / i->per_second * 1000000000u + ns, packet);
}

static void read_packet(struct decode_net *net, const struct section *s, struct words *w, bool old)
{
    const uint32_t interface = old ? get_u16(w) : get_u32(w);
    if (old)
        (void)get_u16(w); /* packets dropped */
    const uint64_t high = get_u32(w), low = get_u32(w);
    const uint32_t len = get_u32(w);
    (void)get_u32(w);
    const struct bytes packet = rd_bytes(&w->r, len);
    if (w->r.err)
        decode_refuse(&net->sink, "pcap", NULL, "a packet longer than its block");
    else
        give_packet(net, s, interface, high << 32 | low, packet);
}

static void read_simple(struct decode_net *net, const struct section *s, struct words *w)
{
    const uint32_t original = get_u32(w);
    const size_t len = original < rd_left(&w->r) ? original : rd_left(&w->r);
    give_packet(net, s, 0, 0, rd_bytes(&w->r, len));
}

static void read_block(struct decode_net *net, struct section *s, uint32_t type, struct words *w)
{
    switch (type) {
    case BLOCK_INTERFACE:
        add_interface(s, w);
        break;
    case BLOCK_PACKET:
    case BLOCK_OLD_PACKET:
        read_packet(net, s, w, type == BLOCK_OLD_PACKET);
        break;
    case BLOCK_SIMPLE:
        read_simple(net, s, w);
        break;
    default: /* names, statistics, secrets */
        break;
    }
}

static void read_ng(struct decode_net *net, struct rd file)
{
    struct section *s = calloc(1, sizeof *s);
    struct words w = {.r = file};
    while (s != NULL && rd_left(&w.r) > 0 && !w.r.err) {
        const size_t at = w.r.pos;
        const uint32_t type = get_u32(&w);
        if (type == BLOCK_SECTION) { /* the same in both orders */
            struct words magic = w;
            magic.little = false;
            (void)get_u32(&magic);
            w.little = get_u32(&magic) != ORDER_MAGIC;
            s->n = 0;
        }
        const uint32_t len = get_u32(&w);
        const struct bytes body = rd_bytes(&w.r, len >= 12 ? len - 12 : SIZE_MAX);
        (void)get_u32(&w);
        if (w.r.err) {
            refuse_cut(net, at, "the block is cut");
            break;
        }
        struct words inner = {.r = rd_of(body.p, body.len), .little = w.little};
        read_block(net, s, type, &inner);
    }
    free(s);
}

bool decode_is_pcap(struct bytes file)
{
    bool little, nano;
    return file.len >= 4 &&
           (first_word(file, false) == BLOCK_SECTION || is_classic(file, &little, &nano));
}

void decode_pcap(struct decode_net *net, struct bytes file)
{
    bool nano;
    struct words w = {.r = rd_of(file.p, file.len)};
    if (is_classic(file, &w.little, &nano))
        read_classic(net, &w, nano);
    else
        read_ng(net, w.r);
}
