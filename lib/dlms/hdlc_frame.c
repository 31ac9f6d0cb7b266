/* Finds, checks, reads and writes HDLC frames; see hdlc_frame.h.
 *
 * Octets of a frame on the line (IEC 13239 frame format type 3; Green Book 8.4.1):
 *
 *     7E | 1010 S LLL  LLLLLLLL | destination | source | control | HCS | info ... | FCS | 7E
 *          S: more segments       1, 2 or 4     1, 2, 4            CRC-16/X-25, low octet first
 *          L: octets between      bit 0 of an octet of an address is set in its last one
 *          the flags              HCS is there only with info
 *
 * The flag is not escaped inside a frame: the length tells the end. So a receiver that trusted a
 * length could be led astray by one bit; it keeps what it took for a frame until both sums are
 * right, and begins again behind the first flag inside when they are not.
 *
 * Receiver, facts between calls: buf[0 .. have) are octets behind a flag, none of them looked at by
 * the caller but in TOLD.
 *
 *     HUNT --flag--> HEAD --HCS right--> BODY --FCS right--> TOLD --next call--> HEAD
 *       ^             |                   |
 *       +-------------+-------------------+  failed and no flag inside; with one: HEAD
 *
 * It refuses other format types, addresses of 3 octets, and knows no escaping. */
#include "lib/dlms/hdlc_frame.h"

#include "lib/base/crc.h"

#include <string.h>

enum { HUNT, HEAD, BODY, TOLD };
enum { FRAME_MIN = 7, N_ADDRESS_MAX = 4 };

static uint16_t up_to_a_frame(size_t size)
{
    return size < HDLC_FRAME_MAX ? (uint16_t)size : HDLC_FRAME_MAX;
}

void hdlc_rx_reset(struct hdlc_rx *r, uint8_t *buf, size_t size)
{
    *r = (struct hdlc_rx){.buf = buf, .size = up_to_a_frame(size)};
}

static bool sum_right(const uint8_t *p, size_t n)
{
    return crc16_x25_update(0, p, n) == (p[n] | p[n + 1] << 8);
}

static size_t frame_length(const uint8_t *p)
{
    return (size_t)(p[0] & 7u) << 8 | p[1];
}

/* Octets from the format field to the control field; 0: not all there yet, above n; an address that
 * does not end within 4 octets ends here with the fifth, which no caller takes. */
static size_t head_length(const uint8_t *p, size_t n)
{
    size_t i = 2;
    for (int address = 0; address < 2; address++) {
        size_t last = i + N_ADDRESS_MAX;
        while (i < n && i < last && (p[i] & 1) == 0)
            i++;
        i++;
    }
    return i + 1 <= n ? i + 1 : 0;
}

static void drop(struct hdlc_rx *r, size_t n)
{
    r->have = (uint16_t)(r->have - n);
    memmove(r->buf, r->buf + n, r->have);
}

/* What the octets in buf amount to, as far as the HCS. */
static enum hdlc_rx_event examine_head(struct hdlc_rx *r)
{
    size_t flags = 0;
    while (flags < r->have && r->buf[flags] == HDLC_FLAG)
        flags++;
    drop(r, flags);
    r->need = 0;
    if (r->have == 0)
        return HDLC_RX_MORE;
    if ((r->buf[0] & 0xF0) != 0xA0)
        return HDLC_RX_BAD_LENGTH;
    if (r->have < 2)
        return HDLC_RX_MORE;
    r->need = (uint16_t)frame_length(r->buf);
    if (r->need < FRAME_MIN)
        return HDLC_RX_BAD_LENGTH;
    size_t head = head_length(r->buf, r->have);
    if (head != 0 && r->need != head + 2 && r->need < head + 4)
        return HDLC_RX_BAD_LENGTH;
    if (head == 0 || r->have < head + 2)
        return r->have < r->need ? HDLC_RX_MORE : HDLC_RX_BAD_LENGTH;
    if (!sum_right(r->buf, head))
        return HDLC_RX_BAD_HCS;
    r->state = BODY;
    return r->need <= r->size ? HDLC_RX_MORE : HDLC_RX_BAD_LENGTH;
}

static enum hdlc_rx_event examine(struct hdlc_rx *r)
{
    enum hdlc_rx_event event = HDLC_RX_MORE;
    if (r->state == HEAD)
        event = examine_head(r);
    if (event == HDLC_RX_MORE && r->state == BODY && r->have >= r->need)
        event = sum_right(r->buf, r->need - 2u) ? HDLC_RX_FRAME : HDLC_RX_BAD_FCS;
    if (event == HDLC_RX_MORE && r->have == r->size)
        event = HDLC_RX_BAD_LENGTH;
    return event;
}

void hdlc_rx_cut(struct hdlc_rx *r)
{
    if (r->state == TOLD || r->have == 0)
        return;
    const uint8_t *flag = memchr(r->buf + 1, HDLC_FLAG, r->have - 1u);
    drop(r, flag ? (size_t)(flag - r->buf) + 1 : r->have);
    r->state = flag ? HEAD : HUNT;
}

bool hdlc_rx_inside(const struct hdlc_rx *r)
{
    return (r->state == HEAD || r->state == BODY) && r->have > 0;
}

/* The told frame is dealt with. */
static void next_frame(struct hdlc_rx *r)
{
    if (r->state != TOLD)
        return;
    drop(r, r->len);
    r->len = 0;
    r->state = HEAD;
}

void hdlc_rx_move(struct hdlc_rx *r, uint8_t *buf, size_t size)
{
    next_frame(r);
    bool lost = r->have > size || (r->state == BODY && r->need > size);
    if (lost) {
        r->have = 0;
        r->state = HUNT;
    }
    memmove(buf, r->buf, r->have);
    r->buf = buf;
    r->size = up_to_a_frame(size);
}

size_t hdlc_rx_feed(struct hdlc_rx *r, const uint8_t *p, size_t n, enum hdlc_rx_event *event)
{
    size_t used = 0;
    *event = HDLC_RX_MORE;
    if (r->size < FRAME_MIN)
        return n;
    next_frame(r);
    for (;;) {
        *event = r->state == HUNT ? HDLC_RX_MORE : examine(r);
        if (*event != HDLC_RX_MORE || used == n)
            break;
        if (r->state == HUNT) {
            const uint8_t *flag = memchr(p + used, HDLC_FLAG, n - used);
            used = flag ? (size_t)(flag - p) + 1 : n;
            r->state = flag ? HEAD : HUNT;
            continue;
        }
        size_t want = r->state == BODY ? (size_t)(r->need - r->have) : 1;
        want = want < n - used ? want : n - used;
        memcpy(r->buf + r->have, p + used, want);
        r->have = (uint16_t)(r->have + want);
        used += want;
    }
    if (*event == HDLC_RX_FRAME) {
        r->len = r->need;
        r->state = TOLD;
    } else if (*event != HDLC_RX_MORE) {
        hdlc_rx_cut(r);
    }
    return used;
}

/* Bits of the lower address; the upper one stands above them. */
static unsigned lower_bits(size_t n_octets)
{
    return n_octets > 1 ? 7 * (unsigned)n_octets / 2 : 0;
}

static void get_address(struct rd *r, struct hdlc_address *a)
{
    uint32_t v = 0;
    uint8_t octet;
    size_t n = 0;
    do {
        octet = rd_u8(r);
        v = v << 7 | octet >> 1;
        n++;
    } while (!r->err && (octet & 1) == 0 && n < N_ADDRESS_MAX);
    if (n == 3 || (octet & 1) == 0)
        rd_fail(r, ERR_FORMAT);
    unsigned bits = lower_bits(n);
    a->upper = (uint16_t)(v >> bits);
    a->lower = (uint16_t)(v & ((1u << bits) - 1));
    a->size = (uint8_t)n;
}

static void get_head(struct rd *r, struct hdlc_frame *out)
{
    get_address(r, &out->destination);
    get_address(r, &out->source);
    out->control = rd_u8(r);
}

enum err hdlc_frame_told(const struct hdlc_rx *rx, struct hdlc_frame *out)
{
    struct rd r = rd_of(rx->buf, rx->len - 2u);
    *out = (struct hdlc_frame){.segmented = (rd_u16(&r) & 0x800u) != 0};
    get_head(&r, out);
    if (rd_left(&r) > 0)
        (void)rd_u16(&r); /* HCS */
    out->info = rd_bytes(&r, rd_left(&r));
    return r.err;
}

enum err hdlc_frame_decode(struct bytes raw, struct hdlc_frame *out, size_t *at)
{
    struct rd r = rd_of(raw.p, raw.len);
    *out = (struct hdlc_frame){0};
    unsigned format = rd_u16(&r);
    size_t length = format & 0x7FFu;
    out->segmented = (format & 0x800u) != 0;
    if (!r.err && ((format & 0xF000u) != 0xA000u || length < FRAME_MIN || length < raw.len)) {
        *at = 0;
        return ERR_FORMAT;
    }
    get_head(&r, out);
    size_t head = r.pos;
    if (!r.err && length > raw.len) {
        r.pos = raw.len;
        rd_fail(&r, ERR_TRUNCATED);
    }
    bool hcs = length > head + 2;
    if (!r.err && hcs && (length < head + 4 || !sum_right(raw.p, head)))
        rd_fail(&r, ERR_FORMAT);
    if (!r.err && hcs) {
        r.pos = head + 2;
        out->info = rd_bytes(&r, length - 2 - r.pos);
    }
    if (!r.err && (length < head + 2 || !sum_right(raw.p, length - 2)))
        rd_fail(&r, ERR_FORMAT);
    *at = r.err ? r.err_pos : raw.len;
    return r.err;
}

static void put_address(struct wr *w, const struct hdlc_address *a)
{
    bool right = a->size == 1 || a->size == 2 || a->size == 4;
    unsigned size = right ? a->size : 1, bits = lower_bits(size);
    uint32_t v = (uint32_t)a->upper << bits | a->lower;
    if (!right || a->lower >> bits || v >> 7 * size) {
        wr_fail(w, ERR_RANGE);
        return;
    }
    while (size-- > 0)
        wr_u8(w, (uint8_t)((v >> 7 * size & 0x7Fu) << 1 | (size == 0)));
}

static void put_sum(struct wr *w, size_t from)
{
    uint16_t sum = w->p && !w->err ? crc16_x25_update(0, w->p + from, w->len - from) : 0;
    wr_u8(w, (uint8_t)sum);
    wr_u8(w, (uint8_t)(sum >> 8));
}

void hdlc_head_put(struct wr *w, const struct hdlc_frame *f, size_t info_len)
{
    size_t start = w->len;
    size_t addresses = (size_t)f->destination.size + f->source.size;
    size_t length = 2 + addresses + 1 + 2 + (info_len ? 2 + info_len : 0);
    if (info_len > HDLC_INFO_MAX) {
        wr_fail(w, ERR_RANGE);
        return;
    }
    wr_u16(w, (uint16_t)(0xA000u | (f->segmented ? 0x800u : 0) | length));
    put_address(w, &f->destination);
    put_address(w, &f->source);
    wr_u8(w, f->control);
    if (info_len)
        put_sum(w, start);
}

void hdlc_frame_put(struct wr *w, const struct hdlc_frame *f)
{
    wr_u8(w, HDLC_FLAG);
    size_t start = w->len;
    hdlc_head_put(w, f, f->info.len);
    wr_bytes(w, f->info.p, f->info.len);
    put_sum(w, start);
    wr_u8(w, HDLC_FLAG);
}

const char *hdlc_control_text(uint8_t control)
{
    static const struct {
        uint8_t control;
        char text[5];
    } names[] = {{HDLC_SNRM, "SNRM"}, {HDLC_DISC, "DISC"}, {HDLC_UA, "UA"},
                 {HDLC_DM, "DM"},     {HDLC_FRMR, "FRMR"}, {HDLC_UI, "UI"}};
    if ((control & 1) == HDLC_I)
        return "I";
    if ((control & 0x0F) == HDLC_RR)
        return "RR";
    if ((control & 0x0F) == HDLC_RNR)
        return "RNR";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((control & ~HDLC_PF) == names[i].control)
            return names[i].text;
    }
    return "?";
}

/* Format identifier, group identifier, group length; then parameters: identifier, length, value. */
enum { FORMAT_ID = 0x81, GROUP_ID = 0x80, INFO_TX = 5, INFO_RX, WINDOW_TX, WINDOW_RX };
enum { N_PARAMETERS = WINDOW_RX - INFO_TX + 1 };

static const struct {
    uint16_t preset, min, max;
} ranges[N_PARAMETERS] = {{128, 32, HDLC_INFO_MAX}, {128, 32, HDLC_INFO_MAX}, {1, 1, 7}, {1, 1, 7}};

static uint32_t get_number(struct rd *r)
{
    uint8_t n = rd_u8(r);
    uint32_t v = 0;
    if (n < 1 || n > 4)
        rd_fail(r, ERR_FORMAT);
    for (; n > 0 && !r->err; n--)
        v = v << 8 | rd_u8(r);
    return v;
}

static void get_group(struct rd *r, uint16_t value[N_PARAMETERS])
{
    while (!r->err && rd_left(r) > 0) {
        unsigned i = (unsigned)rd_u8(r) - INFO_TX;
        uint32_t v = get_number(r);
        if (r->err || i >= N_PARAMETERS)
            continue;
        if (v < ranges[i].min)
            rd_fail(r, ERR_RANGE);
        value[i] = v > ranges[i].max ? ranges[i].max : (uint16_t)v;
    }
}

static void get_parameters(struct rd *r, uint16_t value[N_PARAMETERS])
{
    uint8_t format = rd_u8(r), group_id = rd_u8(r);
    if (format != FORMAT_ID || group_id != GROUP_ID)
        rd_fail(r, ERR_FORMAT);
    struct bytes group = rd_bytes(r, rd_u8(r));
    struct rd inner = rd_of(group.p, group.len);
    get_group(&inner, value);
    if (inner.err)
        rd_fail(r, inner.err);
}

enum err hdlc_parameters_decode(struct bytes info, struct hdlc_parameters *out)
{
    uint16_t value[N_PARAMETERS];
    struct rd r = rd_of(info.p, info.len);
    for (unsigned i = 0; i < N_PARAMETERS; i++)
        value[i] = ranges[i].preset;
    if (info.len > 0)
        get_parameters(&r, value);
    *out = (struct hdlc_parameters){value[0], value[1], (uint8_t)value[2], (uint8_t)value[3]};
    return r.err;
}

static void put_number(struct wr *w, uint8_t id, unsigned n_octets, uint32_t v)
{
    wr_u8(w, id);
    wr_u8(w, (uint8_t)n_octets);
    while (n_octets-- > 0)
        wr_u8(w, (uint8_t)(v >> (8 * n_octets)));
}

void hdlc_parameters_put(struct wr *w, const struct hdlc_parameters *p)
{
    unsigned n_tx = p->max_info_tx > 0xFF ? 2 : 1, n_rx = p->max_info_rx > 0xFF ? 2 : 1;
    wr_u8(w, FORMAT_ID);
    wr_u8(w, GROUP_ID);
    wr_u8(w, (uint8_t)(16 + n_tx + n_rx));
    put_number(w, INFO_TX, n_tx, p->max_info_tx);
    put_number(w, INFO_RX, n_rx, p->max_info_rx);
    put_number(w, WINDOW_TX, 4, p->window_tx);
    put_number(w, WINDOW_RX, 4, p->window_rx);
}
