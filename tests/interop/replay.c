/* See replay.h. What the meter says now (is) and what was recorded (was) are taken apart by the
 * same code into APDUs; a recorded one asks for its counterpart when it is whole. */
#include "tests/interop/replay.h"

#include "lib/dlms/apdu_access.h"
#include "lib/wire/dlms.h"
#include "tests/interop/dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define APDUS 16 /* that wait for their counterpart */

/* Octets of one side, taken apart. */
struct side {
    struct hdlc_rx rx;
    uint8_t frame[HDLC_FRAME_MAX];
    size_t n, len[APDUS];
    uint8_t apdu[APDUS][DIALOGUE_OCTETS];
    size_t part;  /* octets of apdu[n], which is not whole */
    bool asks;    /* the last frame left the word to the other side, in the middle of an APDU */
    uint8_t next; /* N(S) that comes next */
};

struct replay {
    const char *file;
    size_t line, n_connections, n_requests, n_renumbered;
    char model[32];
    struct dialogue *d;
    struct side is, was;
    struct hdlc_rx client_rx;
    uint8_t client_frame[HDLC_FRAME_MAX];
    struct hdlc_address client, server; /* of the last frame of the client */
    uint8_t ns;                         /* of its next frame, as the meter sees it now */
};

/* ---- what an answer is ---- */

static const uint8_t *key_of(const struct replay *p, uint8_t tag)
{
    bool dedicated = (tag >= 0xD0 && tag <= 0xD7) || tag == 0xDC;
    return dedicated ? p->d->rig->session.dedicated_key : p->d->rig->meter.server.keys.guek;
}

/* The plain APDU, deciphered in place where it is ciphered. */
static struct bytes plain_of(const struct replay *p, uint8_t *apdu, size_t len)
{
    const struct cosem_server *server = &p->d->rig->meter.server;
    const uint8_t tag = apdu[0];
    struct rd in = rd_of(apdu + 1, len - 1);
    uint8_t sc, *plain;
    uint32_t counter;
    size_t plain_len;
    if (tag == 0xDB || tag == 0xDC) /* names the sender */
        (void)rd_bytes(&in, rd_length(&in));
    else if (tag < 0xC8 || (tag > 0xCF && tag < 0xD0) || tag > 0xD7)
        return (struct bytes){apdu, len};
    size_t n = rd_length(&in);
    assert_int_equal(in.err, ERR_OK);
    assert_int_equal(n, rd_left(&in));
    assert_int_equal(dlms_open(key_of(p, tag), server->keys.gak, server->config.title,
                               apdu + 1 + in.pos, n, &sc, &counter, &plain, &plain_len),
                     ERR_OK);
    return (struct bytes){plain, plain_len};
}

/* AARE result: BER tag A2, length 03, INTEGER length 1, value. */
static uint32_t association_result(struct bytes aare)
{
    for (size_t i = 0; i + 5 <= aare.len; i++)
        if (aare.p[i] == 0xA2 && aare.p[i + 1] == 3 && aare.p[i + 2] == 2 && aare.p[i + 3] == 1)
            return aare.p[i + 4];
    fail_msg("an AARE without a result");
    return 0;
}

static uint32_t refused_accesses(struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct apdu_access a;
    uint8_t choice, result;
    uint32_t refused = 0;
    access_get_response(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    r = rd_of(a.results.p, a.results.len);
    for (uint32_t i = 0; i < a.n; i++) {
        access_get_result(&r, &choice, &result);
        refused += result != 0;
    }
    return refused;
}

/* Tag, type and, where the type has one, the choice or result after the invoke-id. Blocks count as
 * data of a plain answer: the length of a value decides about them. */
static uint32_t kind_of(struct bytes apdu)
{
    assert_true(apdu.len >= 4 || (apdu.p[0] == 0xD8 && apdu.len == 3));
    switch (apdu.p[0]) {
    case 0x61:
        return 0x610000u | association_result(apdu);
    case 0xC4: {
        bool data = apdu.p[1] == 2 || apdu.p[1] == 3 || apdu.p[3] == 0;
        return data ? 0xC40000u : 0xC40100u | apdu.p[4];
    }
    case 0xC5:
    case 0xC7:
        return (uint32_t)apdu.p[0] << 8 | apdu.p[3];
    case 0xD8:
        return 0xD80000u | (uint32_t)apdu.p[1] << 8 | apdu.p[2];
    case 0xDA:
        return 0xDA0000u | refused_accesses(apdu);
    default:
        return apdu.p[0];
    }
}

/* ---- taking apart ---- */

static void add_part(struct side *s, struct bytes part)
{
    assert_true(s->n < APDUS && s->part + part.len <= DIALOGUE_OCTETS);
    memcpy(s->apdu[s->n] + s->part, part.p, part.len);
    s->part += part.len;
}

static void add_frame(struct side *s, const struct hdlc_frame *f)
{
    if ((f->control & 1) != 0)
        return;
    if ((f->control >> 1 & 7) != s->next)
        fail_msg("a frame with N(S) %u instead of %u", f->control >> 1 & 7u, s->next);
    s->next = (uint8_t)((s->next + 1) & 7);
    add_part(s, s->part == 0 ? (struct bytes){f->info.p + 3, f->info.len - 3} : f->info);
    s->asks = f->segmented && (f->control & HDLC_PF) != 0;
    if (f->segmented)
        return;
    s->len[s->n++] = s->part;
    s->part = 0;
}

/* The next frame of p; false at its end. */
static bool next_frame(struct hdlc_rx *rx, const uint8_t **p, size_t *n, struct hdlc_frame *out)
{
    enum hdlc_rx_event event = HDLC_RX_MORE;
    size_t at, used = hdlc_rx_feed(rx, *p, *n, &event);
    *p += used;
    *n -= used;
    if (event == HDLC_RX_MORE)
        return false;
    assert_int_equal(event, HDLC_RX_FRAME);
    assert_int_equal(hdlc_frame_decode((struct bytes){rx->buf, rx->len}, out, &at), ERR_OK);
    return true;
}

static void take_apart(struct side *s, bool is_hdlc, const uint8_t *p, size_t n)
{
    struct hdlc_frame f;
    s->asks = false;
    if (is_hdlc) {
        while (next_frame(&s->rx, &p, &n, &f))
            add_frame(s, &f);
        return;
    }
    while (n > 0) {
        assert_true(n > WRAPPER_HEAD_LEN);
        size_t len = (size_t)p[6] << 8 | p[7];
        assert_true(n - WRAPPER_HEAD_LEN >= len);
        add_part(s, (struct bytes){p + WRAPPER_HEAD_LEN, len});
        s->len[s->n++] = s->part;
        s->part = 0;
        p += WRAPPER_HEAD_LEN + len;
        n -= WRAPPER_HEAD_LEN + len;
    }
}

static void side_reset(struct side *s)
{
    hdlc_rx_reset(&s->rx, s->frame, sizeof s->frame);
    s->n = s->part = 0;
    s->asks = false;
    s->next = 0;
}

/* ---- the client's part ---- */

/* Octets to the meter; what it says is taken apart. */
static void say(struct replay *p, const uint8_t *octets, size_t n)
{
    static uint8_t answer[8 * DIALOGUE_OCTETS];
    n = dialogue_say(p->d, octets, n, answer, sizeof answer);
    take_apart(&p->is, p->d->is_hdlc, answer, n);
}

static void say_frame(struct replay *p, const struct hdlc_frame *f)
{
    uint8_t octets[HDLC_FRAME_MAX + 2];
    struct wr w = wr_of(octets, sizeof octets);
    hdlc_frame_put(&w, f);
    assert_int_equal(w.err, ERR_OK);
    say(p, octets, w.len);
}

static void say_rr(struct replay *p)
{
    const struct hdlc_frame rr = {.destination = p->server,
                                  .source = p->client,
                                  .control =
                                      (uint8_t)(HDLC_RR | HDLC_PF | (unsigned)p->is.next << 5)};
    say_frame(p, &rr);
}

static void say_information(struct replay *p, const struct hdlc_frame *recorded)
{
    struct hdlc_frame f = *recorded;
    f.control =
        (uint8_t)((recorded->control & HDLC_PF) | (unsigned)p->is.next << 5 | (unsigned)p->ns << 1);
    p->n_renumbered += f.control != recorded->control;
    p->ns = (uint8_t)((p->ns + 1) & 7);
    p->is.n = 0;
    say_frame(p, &f);
    while (p->is.asks)
        say_rr(p);
}

static void replay_frame(struct replay *p, const struct hdlc_frame *f)
{
    p->client = f->source;
    p->server = f->destination;
    if ((f->control & 1) == 0) {
        say_information(p, f);
    } else if ((f->control & 3) == 3) { /* SNRM, DISC */
        side_reset(&p->is);
        side_reset(&p->was);
        p->ns = 0;
        say_frame(p, f);
    }
}

static void replay_client(struct replay *p, const uint8_t *octets, size_t n)
{
    struct hdlc_frame f;
    if (p->d->is_hdlc) {
        while (next_frame(&p->client_rx, &octets, &n, &f))
            replay_frame(p, &f);
    } else {
        p->is.n = 0;
        say(p, octets, n);
    }
}

/* One recorded answer beside what the meter says now. */
static void compare(struct replay *p, size_t i)
{
    if (i >= p->is.n && p->d->is_hdlc)
        say_rr(p); /* an answer of several APDUs: a window of blocks */
    while (p->is.asks)
        say_rr(p);
    if (i >= p->is.n)
        fail_msg("%s line %zu: no answer", p->file, p->line);
    uint32_t is = kind_of(plain_of(p, p->is.apdu[i], p->is.len[i]));
    uint32_t was = kind_of(plain_of(p, p->was.apdu[i], p->was.len[i]));
    if (is != was)
        fail_msg("%s line %zu: answered %06X, recorded %06X", p->file, p->line, is, was);
    p->n_requests += i == 0;
}

static void replay_meter(struct replay *p, const uint8_t *octets, size_t n)
{
    size_t before = p->was.n;
    take_apart(&p->was, p->d->is_hdlc, octets, n);
    for (size_t i = before; i < p->was.n; i++)
        compare(p, i);
}

static void replay_connection(struct replay *p)
{
    dialogue_connect(p->d);
    side_reset(&p->is);
    side_reset(&p->was);
    hdlc_rx_reset(&p->client_rx, p->client_frame, sizeof p->client_frame);
    p->n_connections++;
}

static void replay_line(struct replay *p, const char *text)
{
    uint8_t octets[DIALOGUE_OCTETS];
    if (strncmp(text, "model ", 6) == 0) {
        snprintf(p->model, sizeof p->model, "%.31s", text + 6);
    } else if (strcmp(text, "link hdlc") == 0) {
        p->d = dialogue_new(p->model, true);
    } else if (strncmp(text, "connection", 10) == 0) {
        if (p->d == NULL)
            p->d = dialogue_new(p->model, false);
        replay_connection(p);
    } else if (p->n_connections == 0) {
        fail_msg("%s does not begin with its model", p->file);
    } else if (text[0] == '>') {
        p->was.n = 0;
        replay_client(p, octets, hex_octets(text + 1, octets, sizeof octets));
    } else if (text[0] == '<') {
        replay_meter(p, octets, hex_octets(text + 1, octets, sizeof octets));
    }
}

void replay_file(const char *name, size_t at_least)
{
    static char text[2 * DIALOGUE_OCTETS + 16];
    static struct replay p;
    char path[400];
    memset(&p, 0, sizeof p);
    p.file = name;
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/interop/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(text, sizeof text, f) != NULL) {
        text[strcspn(text, "\r\n")] = '\0';
        p.line++;
        replay_line(&p, text);
    }
    fclose(f);
    assert_non_null(p.d);
    print_message("%s: %zu connections, %zu requests answered as recorded, %zu frames renumbered\n",
                  name, p.n_connections, p.n_requests, p.n_renumbered);
    assert_true(p.n_requests >= at_least);
    dialogue_free(p.d);
}
