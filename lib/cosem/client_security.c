/* Keys of the client's association: sealing what goes out, opening what comes in.
 *
 * An answer must be protected at least as asked, its tag and counter are checked before anything
 * else looks at it. Which keys there are and how the association began is not judged here. */
#include "lib/cosem/client_parts.h"

#include <string.h>

#define SC_SUITE 0x0Fu

bool client_uses_keys(const struct cosem_client_config *k)
{
    return k->security != 0 || k->mechanism == DLMS_MECHANISM_HLS5;
}

#define SEALED_AT (CLIENT_PLAIN_AT - DLMS_HEAD_LEN)

size_t client_overhead(const struct cosem_client *c)
{
    if (c->config.security == 0)
        return 0;
    return APDU_CIPHER_HEAD_MAX + DLMS_HEAD_LEN +
           (c->config.security & DLMS_SC_AUTH ? CLIENT_TAG_LEN : 0);
}

/* Puts tag and length in front of the sealed body at SEALED_AT; gives where the APDU begins. */
static size_t put_cipher_head(struct cosem_client *c, uint8_t tag, size_t len)
{
    uint8_t head[APDU_CIPHER_HEAD_MAX];
    struct wr w = wr_of(head, sizeof head);
    wr_u8(&w, tag);
    wr_length(&w, len);
    memcpy(c->buf + SEALED_AT - w.len, head, w.len);
    return SEALED_AT - w.len;
}

enum err client_protect(struct cosem_client *c, size_t *at, size_t *len)
{
    const struct cosem_client_config *k = &c->config;
    const uint8_t tag =
        apdu_ciphered_tag(c->buf[CLIENT_PLAIN_AT], false); /* soon ciphered itself */
    uint32_t counter;
    size_t sealed;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_seal(k->keys->guek, k->keys->gak, k->title, k->security, counter,
                        c->buf + SEALED_AT, *len, sizeof c->buf - SEALED_AT, &sealed);
    if (err)
        return err;
    *at = put_cipher_head(c, tag, sealed);
    *len = SEALED_AT + sealed - *at;
    return ERR_OK;
}

/* A ciphered body (SC first) in place; on success *plain is authentic as far as asked. */
static bool unprotect(struct cosem_client *c, uint8_t *body, size_t len, struct rd *plain)
{
    const struct cosem_client_config *k = &c->config;
    uint8_t sc, *text;
    uint32_t counter;
    size_t text_len;
    if (len == 0 || (body[0] & ~SC_SUITE & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0 ||
        (body[0] & k->security) != k->security) {
        client_fail(c, ERR_ACCESS, CLIENT_WHY_WEAK, len == 0 ? 0 : body[0]);
        return false;
    }
    enum err err = dlms_open(k->keys->guek, k->keys->gak, c->server_title, body, len, &sc, &counter,
                             &text, &text_len);
    if (err) {
        client_fail(c, err, CLIENT_WHY_DECIPHER, 0);
        return false;
    }
    if (counter < c->rx_floor || counter == UINT32_MAX) {
        client_fail(c, ERR_REPLAY, CLIENT_WHY_COUNTER, counter);
        return false;
    }
    c->rx_floor = counter + 1;
    *plain = rd_of(text, text_len);
    return true;
}

/* tag, length, body: the body must fill the rest. */
bool client_unprotect_apdu(struct cosem_client *c, struct bytes apdu, struct rd *plain)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    (void)rd_u8(&r);
    const size_t len = rd_length(&r);
    if (r.err || len != rd_left(&r)) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_APDU, (uint32_t)r.pos);
        return false;
    }
    /* apdu views either buf or a part of it, so that deciphering in place is ours to do */
    if (!unprotect(c, c->buf + (apdu.p - c->buf) + r.pos, len, plain))
        return false;
    /* the outer tag is not covered by the authentication: the inner one decides */
    if (rd_left(plain) > 0 && apdu_ciphered_tag(plain->p[plain->pos], false) == apdu.p[0])
        return true;
    client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, apdu.p[0]);
    return false;
}
