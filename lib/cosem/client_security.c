/* Keys of the client's association: sealing what goes out, opening what comes in.
 *
 * An answer must be protected at least as asked, its tag and counter are checked before anything
 * else looks at it; it may use the global or the dedicated key and any form. Which keys there are
 * and how the association began is not judged here. */
#include "lib/cosem/client_parts.h"

#include <string.h>

#define SC_SUITE  0x0Fu
#define SEALED_AT (CLIENT_PLAIN_AT - DLMS_HEAD_LEN)
#define HEAD_MAX  (APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN)

bool client_uses_keys(const struct cosem_client_config *k)
{
    return k->security != 0 || k->mechanism == DLMS_MECHANISM_HLS5;
}

/* General ciphering: once the server has agreed to it; and for what has no other form, as ACCESS
 * and confirmations. */
static bool uses_general(const struct cosem_client *c, uint8_t tag)
{
    return apdu_ciphered_tag(tag, false) == 0 ||
           (c->config.general && (c->conformance & DLMS_CONF_GENERAL_PROT));
}

size_t client_overhead(const struct cosem_client *c, uint8_t tag)
{
    if (c->config.security == 0)
        return 0;
    const size_t head = uses_general(c, tag) ? HEAD_MAX : APDU_CIPHER_HEAD_MAX;
    return head + DLMS_HEAD_LEN + (c->config.security & DLMS_SC_AUTH ? CLIENT_TAG_LEN : 0);
}

/* The cipher of one direction, ready for the global or the dedicated key. */
static enum err begin_cipher(struct cosem_client *c, bool dedicated, const uint8_t *title,
                             struct dlms_cipher *out)
{
    struct crypto_gcm *g = dedicated ? &c->dedicated_gcm : &c->gcm;
    *out = (struct dlms_cipher){g, c->config.keys->gak, title};
    return crypto_gcm_key(g, dedicated ? c->dedicated_key : c->config.keys->guek);
}

enum err client_seal(struct cosem_client *c, bool dedicated, struct dlms_body *b)
{
    struct dlms_cipher cipher;
    enum err err = dlms_counter_take(dedicated ? &c->dedicated_tx : c->config.counter, &b->counter);
    b->sc = c->config.security;
    if (!err)
        err = begin_cipher(c, dedicated, c->config.title, &cipher);
    return err ? err : dlms_seal_with(&cipher, b);
}

/* Puts what stands before SC in front of the body at SEALED_AT; gives where the APDU begins. */
static size_t put_cipher_head(struct cosem_client *c, uint8_t plain_tag, bool dedicated, size_t len)
{
    uint8_t head[HEAD_MAX];
    struct wr w = wr_of(head, sizeof head);
    if (uses_general(c, plain_tag)) {
        wr_u8(&w, dedicated ? DLMS_GENERAL_DED : DLMS_GENERAL_GLO);
        wr_length(&w, DLMS_TITLE_LEN);
        wr_bytes(&w, c->config.title, DLMS_TITLE_LEN);
    } else {
        wr_u8(&w, apdu_ciphered_tag(plain_tag, dedicated));
    }
    wr_length(&w, len);
    memcpy(c->buf + SEALED_AT - w.len, head, w.len);
    return SEALED_AT - w.len;
}

enum err client_protect(struct cosem_client *c, size_t *at, size_t *len)
{
    const uint8_t tag = c->buf[CLIENT_PLAIN_AT]; /* soon ciphered itself */
    const bool dedicated = c->has_dedicated && c->state >= CLIENT_READY;
    struct dlms_body b = {
        .buf = c->buf + SEALED_AT, .size = sizeof c->buf - SEALED_AT, .text_len = *len};
    enum err err = client_seal(c, dedicated, &b);
    if (err)
        return err;
    *at = put_cipher_head(c, tag, dedicated, b.len);
    *len = SEALED_AT + b.len - *at;
    return ERR_OK;
}

/* Whether the counter of an opened APDU is fresh; then it counts as used. */
static bool use_counter(struct cosem_client *c, bool dedicated, const struct dlms_body *b)
{
    struct dlms_replay w = {c->rx_floor, c->rx_open};
    if (dedicated)
        w = c->dedicated_rx;
    const bool proven = (b->sc & DLMS_SC_AUTH) != 0;
    /* what nothing proves may only go on, or one forged push would make all to come look old; the
     * first of an association has nothing to follow */
    const uint32_t leap = c->state == CLIENT_ASSOCIATING ? UINT32_MAX : DLMS_REPLAY_LEAP;
    if (!dlms_replay_fresh(&w, b->counter) ||
        (!proven && (b->counter < w.next || b->counter - w.next >= leap)))
        return false;
    dlms_replay_use(&w, b->counter);
    if (!proven)
        w.open = 0;
    if (dedicated) {
        c->dedicated_rx = w;
    } else {
        c->rx_floor = w.next;
        c->rx_open = w.open;
    }
    return true;
}

/* What stands before SC of a ciphered APDU. */
struct head {
    bool general, dedicated;
    struct bytes title;
    size_t body, body_len;
};

static enum err read_head(const uint8_t *apdu, size_t len, struct head *h)
{
    struct rd r = rd_of(apdu, len);
    uint8_t tag = rd_u8(&r);
    *h = (struct head){.dedicated = tag == DLMS_GENERAL_DED};
    h->general = h->dedicated || tag == DLMS_GENERAL_GLO;
    if (h->general)
        h->title = rd_bytes(&r, rd_length(&r));
    else if (apdu_plain_tag(tag, &h->dedicated) == 0)
        return ERR_FORMAT;
    h->body_len = rd_length(&r);
    h->body = r.pos;
    return r.err || h->body_len != rd_left(&r) ? ERR_FORMAT : ERR_OK;
}

/* Why an APDU was not opened. */
struct objection {
    enum err err;
    enum cosem_client_why why;
    uint32_t detail;
};
static const struct objection none;

/* The body in place, authentic as far as asked; its text in b. */
static struct objection open_body(struct cosem_client *c, const struct head *h, struct dlms_body *b)
{
    const uint8_t wanted = c->config.security;
    struct dlms_cipher cipher;
    if (b->len == 0 || (b->buf[0] & ~SC_SUITE & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0 ||
        (b->buf[0] & wanted) != wanted)
        return (struct objection){ERR_ACCESS, CLIENT_WHY_WEAK, b->len == 0 ? 0 : b->buf[0]};
    const bool other_title =
        h->title.len != DLMS_TITLE_LEN || memcmp(h->title.p, c->server_title, DLMS_TITLE_LEN) != 0;
    enum err err =
        (h->title.len > 0 && other_title) || (h->dedicated && !c->has_dedicated) ? ERR_KEY : ERR_OK;
    if (!err)
        err = begin_cipher(c, h->dedicated, c->server_title, &cipher);
    if (!err)
        err = dlms_open_with(&cipher, b);
    if (err)
        return (struct objection){err, CLIENT_WHY_DECIPHER, 0};
    if (!use_counter(c, h->dedicated, b))
        return (struct objection){ERR_REPLAY, CLIENT_WHY_COUNTER, b->counter};
    return none;
}

static struct objection open_apdu(struct cosem_client *c, uint8_t *apdu, size_t len,
                                  struct rd *plain)
{
    struct head h;
    if (read_head(apdu, len, &h) != ERR_OK)
        return (struct objection){ERR_FORMAT, CLIENT_WHY_APDU, 0};
    struct dlms_body b = {.buf = apdu + h.body, .len = h.body_len};
    const struct objection o = open_body(c, &h, &b);
    if (o.err)
        return o;
    *plain = rd_of(b.text, b.text_len);
    /* the outer tag is not covered by the authentication: the inner one decides */
    if (b.text_len > 0 && (h.general || apdu_ciphered_tag(b.text[0], h.dedicated) == apdu[0]))
        return none;
    return (struct objection){ERR_FORMAT, CLIENT_WHY_UNEXPECTED, apdu[0]};
}

bool client_unprotect_apdu(struct cosem_client *c, uint8_t *apdu, size_t len, struct rd *plain)
{
    const struct objection o = open_apdu(c, apdu, len, plain);
    if (o.err)
        client_fail(c, o.err, o.why, o.detail);
    return o.err == ERR_OK;
}

bool client_open_unasked(struct cosem_client *c, uint8_t *apdu, size_t len, struct rd *plain)
{
    return open_apdu(c, apdu, len, plain).err == ERR_OK;
}

void client_wipe_buf(struct cosem_client *c)
{
    if (!c->link || !dlms_link_sending(c->link)) /* else it is the link's */
        wipe(c->buf, sizeof c->buf);
}

void client_release_ciphers(struct cosem_client *c)
{
    client_wipe_buf(c);
    crypto_gcm_end(&c->gcm);
    crypto_gcm_end(&c->dedicated_gcm);
    wipe(c->dedicated_key, sizeof c->dedicated_key);
    c->has_dedicated = false;
}

void cosem_client_end(struct cosem_client *c)
{
    client_release_ciphers(c);
    wipe(c->ctos, sizeof c->ctos);
    wipe(c->buf, sizeof c->buf);
    c->state = CLIENT_CLOSED;
}
