/* Fuzz target of the server: conversations of hostile APDUs with two sessions of one server of the
 * example device, one fed with wrapper frames, the other through a line with the wrapper's link.
 *
 * The first octet chooses the association the conversation begins in (none, public, LLS, HLS 5
 * plain or ciphered), the size of its APDUs, and whether the second session is associated, too.
 * Then come APDUs, each as a length octet and its octets. A length of 7E, 7F or FE, FF is a
 * command: 7E waits as long as the next octet says (seconds), 7F sends the rest of it by general
 * block transfer in blocks of the size that the next octet says, FE pushes a notification, FF gives
 * the next octets as an APDU to the second session. Otherwise, with the high bit of the length set,
 * the APDU is protected with the right keys first, so that what is behind the security is reached.
 *
 * Whatever comes: the sessions answer with whole frames no longer than agreed, or close; they never
 * speak without end, locks end with their sessions, and an honest client is served afterwards. */
#include "tests/lib/cosem/example.h"

#include "lib/cosem/line.h"
#include "lib/dlms/wrapper_link.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define WAIT     0x7E
#define BLOCKS   0x7F
#define PUSH     0xFE
#define SECOND   0xFF
#define TALK_MAX 200 /* frames in answer to one: more than any window */

static struct example x;
static struct peer p, other;
static struct cosem_session second;
static struct wrapper_link link;
static uint8_t link_buf[COSEM_PDU_MAX];
static struct cosem_line line;
static uint64_t now_ms;

/* All frames that came back: each whole, from the server, to the client, not too long. */
static void check_answers(const struct peer *q, const struct cosem_session *s)
{
    struct rd r = rd_of(q->frame, q->frame_len);
    unsigned n = 0;
    while (rd_left(&r) > 0) {
        CHECK(rd_u16(&r) == WRAPPER_VERSION && rd_u16(&r) == 1 && rd_u16(&r) == q->sap);
        size_t len = rd_u16(&r);
        struct bytes apdu = rd_bytes(&r, len);
        CHECK(!r.err && apdu.len > 0 && ++n < TALK_MAX);
        uint8_t tag = apdu.p[0];
        if (s->state == SESSION_ASSOCIATED && tag != DLMS_AARE && tag != DLMS_RLRE)
            CHECK(apdu.len <= s->max_pdu);
    }
}

static void tell_first(const uint8_t *apdu, size_t n, bool protect)
{
    uint8_t sealed[256];
    if (protect && n > 0 && p.sc) {
        size_t len = peer_protect(&p, apdu, n, sealed, sizeof sealed);
        (void)peer_raw(&p, sealed, len);
    } else {
        (void)peer_raw(&p, apdu, n);
    }
    check_answers(&p, &x.session);
}

/* The APDU, sealed where the association is, in blocks of general block transfer. */
static void tell_by_blocks(const uint8_t *apdu, size_t n, size_t block)
{
    uint8_t whole[256], out[300];
    size_t len = n;
    if (n == 0)
        return;
    memcpy(whole, apdu, n);
    if (p.sc)
        len = peer_protect(&p, apdu, n, whole, sizeof whole);
    for (size_t at = 0, i = 1; at < len; i++) {
        size_t part = len - at < block ? len - at : block;
        struct wr w = wr_of(out, sizeof out);
        gbt_put(&w, &(struct gbt_block){.last = at + part == len,
                                        .window = (uint8_t)(block & GBT_WINDOW),
                                        .number = (uint16_t)i,
                                        .data = {whole + at, part}});
        tell_first(out, w.len, false);
        at += part;
    }
}

static void tell_second(const uint8_t *apdu, size_t n)
{
    uint8_t frame[WRAPPER_HEAD_LEN + 256];
    struct wr w = wr_of(frame, sizeof frame);
    size_t used = 0, got;
    wrapper_put_head(&w, other.sap, 1, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    other.frame_len = 0;
    for (unsigned i = 0; i < TALK_MAX && used < w.len; i++) {
        used += line_feed(&line, now_ms, frame + used, w.len - used);
        while ((got = line_take(&line, now_ms, other.frame + other.frame_len,
                                sizeof other.frame - other.frame_len)) > 0)
            other.frame_len += got;
    }
    CHECK(used == w.len || line_closed(&line));
    check_answers(&other, &second);
}

static void push(unsigned kind)
{
    static const uint8_t value[] = {0x11, 7};
    const struct session_push to = {.client_sap = kind & 1 ? SAP_MANAGER : 0,
                                    .server_sap = 1,
                                    .confirm_ms = kind & 2 ? 100 : 0};
    struct apdu_notification n = {.invoke = kind, .body = {value, sizeof value}};
    struct apdu_event e = {.target = {.class_id = 3, .id = 2}, .value = {value, sizeof value}};
    if (kind & 4)
        (void)!session_notify_event(&x.session, &to, &e);
    else
        (void)!session_notify_data(&x.session, now_ms, &to, &n);
    while (session_take(&x.session, p.frame, sizeof p.frame) > 0) {
    }
}

static void wait_s(unsigned s)
{
    now_ms += s * 1000u;
    (void)session_poll(&x.session, now_ms);
    (void)line_poll(&line, now_ms);
    if (session_closed(&x.session)) {
        session_close(&x.session);
        session_init(&x.session, &x.server);
    }
    if (line_closed(&line))
        line_reset(&line);
}

/* One step of the conversation; gives the octets it took. */
static size_t step(const uint8_t *data, size_t size)
{
    const uint8_t kind = data[0], first = size > 1 ? data[1] : 0;
    size_t n = kind & 0x7F;
    if (kind == WAIT) {
        wait_s(first);
        return 2;
    }
    if (kind == PUSH) {
        push(first);
        return 2;
    }
    if (kind == BLOCKS || kind == SECOND) {
        n = first & 0x7F;
        n = size < 3 ? 0 : n < size - 3 ? n : size - 3;
        if (kind == SECOND)
            tell_second(data + 2, n);
        else
            tell_by_blocks(data + 3, n, 1 + (size > 2 ? data[2] % 64u : 0));
        return 3 + n;
    }
    n = n < size - 1 ? n : size - 1;
    tell_first(data + 1, n, kind & 0x80);
    return 1 + n;
}

static void begin(uint8_t how)
{
    static const uint16_t saps[] = {SAP_PUBLIC, SAP_READER, SAP_WRITER, SAP_MANAGER};
    struct acse_aare aare;
    example_init(&x);
    x.rows = 40;
    x.server.config.inactivity_ms = 60000;
    now_ms = 0;
    peer_init(&p, &x, saps[how >> 1 & 3]);
    p.max_pdu = how & 8 ? 96 : 512;
    p.general = how & 32;
    if (how & 64)
        p.conformance &= ~DLMS_CONF_BLOCK_GET;
    if (how & 1)
        CHECK(peer_connect(&p, &aare) == ACSE_ACCEPTED);
    session_init(&second, &x.server);
    wrapper_link_init_stream(&link, true, link_buf, sizeof link_buf);
    line_init(&line, &link.link, &second);
    peer_init(&other, &x, SAP_PUBLIC);
    if (how & 16)
        tell_second((const uint8_t *)"\x60\x1D\xA1\x09\x06\x07\x60\x85\x74\x05\x08\x01\x01\xBE\x10"
                                     "\x04\x0E\x01\x00\x00\x00\x06\x5F\x1F\x04\x00\xFF\xFF\xFF\x00"
                                     "\xC8",
                    31);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct peer honest;
    struct acse_aare aare;
    if (size < 1 || size > 4096)
        return 0;
    begin(data[0]);
    for (size_t at = 1; at < size;)
        at += step(data + at, size - at);
    CHECK(!session_closed(&x.session));
    session_close(&second);
    now_ms += 61000; /* whoever was held back after failures is let in again */
    (void)session_poll(&x.session, now_ms);
    session_close(&x.session);
    CHECK(!x.server.writers);
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        CHECK(x.server.n_associated[i] == 0);
    session_init(&x.session, &x.server);
    peer_init(&honest, &x, SAP_READER);
    CHECK(peer_connect(&honest, &aare) == ACSE_ACCEPTED);
    session_close(&x.session);
    cosem_server_end(&x.server);
    return 0;
}
