/* Frames of the wired M-Bus: decoder, encoder, receiver, and the joiner of segments.
 *
 * Facts that hold between calls of the receiver: frame_len <= len <= size; while frame_len is not 0
 * the frame stands at the head of buf. Whatever was dropped is never looked at again, so each octet
 * is dropped once and the search ends. */
#include "lib/mbus/mbus_frame.h"

#include <string.h>

#define START_SHORT 0x10u
#define START_LONG  0x68u
#define START_CHAR  0xE5u
#define END         0x16u
#define SHORT_LEN   5u
#define LONG_EXTRA  6u /* 68 L L 68 before, CS 16 behind what L counts */
#define L_MIN       3u /* C, A, CI */
#define L_OVERFLOW  256u

static uint8_t sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0;
    while (n-- > 0)
        s = (uint8_t)(s + *p++);
    return s;
}

/* Are the last two of `total` octets the sum of what begins at `from`, and the end? */
static bool ends_well(const uint8_t *p, size_t from, size_t total)
{
    return p[total - 1] == END && p[total - 2] == sum(p + from, total - from - 2);
}

/* ---- one frame ---- */

static enum err wrong(size_t *at, size_t position)
{
    *at = position;
    return ERR_FORMAT;
}

static enum err decode_short(struct bytes raw, struct mbus_frame *out, size_t *at)
{
    if (raw.len < SHORT_LEN) {
        *at = raw.len;
        return ERR_TRUNCATED;
    }
    if (raw.len > SHORT_LEN)
        return wrong(at, SHORT_LEN);
    if (!ends_well(raw.p, 1, SHORT_LEN))
        return wrong(at, raw.p[SHORT_LEN - 1] != END ? SHORT_LEN - 1 : SHORT_LEN - 2);
    *out = (struct mbus_frame){.kind = MBUS_SHORT, .control = raw.p[1], .address = raw.p[2]};
    return ERR_OK;
}

static enum err decode_long(struct bytes raw, struct mbus_frame *out, size_t *at)
{
    static const size_t head[] = {0, 1, 1, 0}; /* each octet's twin */
    for (size_t i = 1; i < 4; i++) {
        if (i == raw.len) {
            *at = i;
            return ERR_TRUNCATED;
        }
        if (raw.p[i] != raw.p[head[i]])
            return wrong(at, i);
    }
    size_t total = raw.p[1] + LONG_EXTRA;
    const bool overflow = raw.p[1] < L_MIN || raw.len == total + L_OVERFLOW;
    if (overflow)
        total += L_OVERFLOW;
    if (raw.len < total) {
        *at = raw.len;
        return ERR_TRUNCATED;
    }
    if (raw.len > total)
        return wrong(at, total);
    if (!ends_well(raw.p, 4, total))
        return wrong(at, raw.p[total - 1] != END ? total - 1 : total - 2);
    *out = (struct mbus_frame){.kind = MBUS_LONG,
                               .control = raw.p[4],
                               .address = raw.p[5],
                               .ci = raw.p[6],
                               .data = {raw.p + 7, total - 9},
                               .overflow = overflow};
    return ERR_OK;
}

enum err mbus_frame_decode(struct bytes raw, struct mbus_frame *out, size_t *at)
{
    *at = 0;
    if (raw.len == 0)
        return ERR_TRUNCATED;
    if (raw.p[0] == START_SHORT)
        return decode_short(raw, out, at);
    if (raw.p[0] == START_LONG)
        return decode_long(raw, out, at);
    if (raw.p[0] != START_CHAR)
        return ERR_FORMAT;
    if (raw.len > 1)
        return wrong(at, 1);
    *out = (struct mbus_frame){.kind = MBUS_CHAR};
    return ERR_OK;
}

static void put_long(struct wr *w, const struct mbus_frame *f)
{
    if (f->data.len > MBUS_DATA_MAX) {
        wr_fail(w, ERR_RANGE);
        return;
    }
    const uint8_t l = (uint8_t)(f->data.len + L_MIN);
    wr_u8(w, START_LONG);
    wr_u8(w, l);
    wr_u8(w, l);
    wr_u8(w, START_LONG);
    wr_u8(w, f->control);
    wr_u8(w, f->address);
    wr_u8(w, f->ci);
    wr_bytes(w, f->data.p, f->data.len);
    const uint8_t head = (uint8_t)(f->control + f->address + f->ci);
    wr_u8(w, (uint8_t)(head + sum(f->data.p, f->data.len)));
    wr_u8(w, END);
}

void mbus_frame_put(struct wr *w, const struct mbus_frame *f)
{
    if (f->kind == MBUS_LONG) {
        put_long(w, f);
    } else if (f->kind == MBUS_SHORT) {
        wr_u8(w, START_SHORT);
        wr_u8(w, f->control);
        wr_u8(w, f->address);
        wr_u8(w, (uint8_t)(f->control + f->address));
        wr_u8(w, END);
    } else {
        wr_u8(w, START_CHAR);
    }
}

/* ---- receiver ---- */

void mbus_rx_reset(struct mbus_rx *r, uint8_t *buf, size_t size)
{
    *r = (struct mbus_rx){.buf = buf, .size = size};
}

static void drop(struct mbus_rx *r, size_t n)
{
    memmove(r->buf, r->buf + n, r->len - n);
    r->len -= n;
}

/* Octets that the long frame at the head needs as far as can be told now: more than len, or the
 * whole frame's length, or 0: no frame begins here. */
static size_t long_needs(const struct mbus_rx *r)
{
    const uint8_t *p = r->buf;
    if ((r->len > 2 && p[2] != p[1]) || (r->len > 3 && p[3] != START_LONG))
        return 0;
    if (r->len < 4)
        return 4;
    const size_t total = p[1] + LONG_EXTRA, longer = total + L_OVERFLOW;
    if (p[1] >= L_MIN && total > r->size)
        return 0;
    if (p[1] >= L_MIN && (r->len < total || ends_well(p, 4, total)))
        return total;
    if (longer > r->size)
        return 0;
    return r->len < longer || ends_well(p, 4, longer) ? longer : 0;
}

static size_t needs(const struct mbus_rx *r)
{
    if (r->len == 0)
        return 1;
    if (r->buf[0] == START_LONG)
        return long_needs(r);
    if (r->buf[0] == START_SHORT)
        return r->len < SHORT_LEN || ends_well(r->buf, 1, SHORT_LEN) ? SHORT_LEN : 0;
    return r->buf[0] == START_CHAR && !r->lost ? 1 : 0;
}

/* Drops the head and goes on to the next octet that a frame could begin with. */
static void search(struct mbus_rx *r)
{
    size_t n = 1;
    while (n < r->len && r->buf[n] != START_LONG && r->buf[n] != START_SHORT)
        n++;
    r->lost = true;
    drop(r, n);
}

size_t mbus_rx_feed(struct mbus_rx *r, const uint8_t *p, size_t n, enum mbus_rx_event *event)
{
    size_t used = 0;
    drop(r, r->frame_len);
    r->frame_len = 0;
    for (;;) {
        const size_t need = needs(r);
        if (r->len == 0 && r->silent)
            r->silent = r->lost = false;
        if (need > r->size || need == 0 || (r->silent && need > r->len)) {
            search(r);
            *event = MBUS_RX_BAD;
            return used;
        }
        if (need <= r->len) {
            r->frame_len = need;
            r->lost = false;
            *event = MBUS_RX_FRAME;
            return used;
        }
        if (used == n)
            break;
        const size_t take = need - r->len < n - used ? need - r->len : n - used;
        memcpy(r->buf + r->len, p + used, take);
        r->len += take;
        used += take;
    }
    *event = MBUS_RX_MORE;
    return used;
}

void mbus_rx_silent(struct mbus_rx *r)
{
    r->silent = true;
}

/* ---- segments ---- */

void mbus_join_reset(struct mbus_join *j, uint8_t *buf, size_t size)
{
    *j = (struct mbus_join){.buf = buf, .size = size};
}

enum err mbus_join_add(struct mbus_join *j, const struct mbus_frame *f, bool *whole)
{
    *whole = false;
    if (f->kind != MBUS_LONG || f->ci > MBUS_CI_APDU_MAX)
        return ERR_TYPE;
    struct rd r = rd_of(f->data.p, f->data.len);
    const uint8_t stsap = rd_u8(&r), dtsap = rd_u8(&r), number = f->ci & MBUS_CI_SEGMENT;
    const struct bytes piece = rd_bytes(&r, rd_left(&r));
    if (r.err)
        return r.err;
    const bool same = j->open && stsap == j->stsap && dtsap == j->dtsap;
    if (number == 0 && !(same && j->next == 0)) {
        *j = (struct mbus_join){
            .buf = j->buf, .size = j->size, .stsap = stsap, .dtsap = dtsap, .open = true};
    } else if (same && number == ((j->next - 1u) & MBUS_CI_SEGMENT)) {
        return ERR_OK; /* sent again */
    } else if (!same || number != j->next) {
        j->open = false;
        return ERR_STATE;
    }
    if (piece.len > j->size - j->len) {
        j->open = false;
        return ERR_FULL;
    }
    if (piece.len > 0)
        memcpy(j->buf + j->len, piece.p, piece.len);
    j->len += piece.len;
    *whole = (f->ci & MBUS_CI_LAST) != 0;
    j->open = !*whole;
    j->next = (number + 1u) & MBUS_CI_SEGMENT;
    return ERR_OK;
}
