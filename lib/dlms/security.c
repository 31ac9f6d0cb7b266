/* Seals and opens ciphered APDUs of security suite 0 and deals out invocation counters.
 *
 * Facts that hold: no text leaves dlms_open() unless its tag matched, where a tag was asked for;
 * the security control octet is always part of what is authenticated; a counter is given out only
 * after the store made it count as used. This file does not choose keys, does not judge whether a
 * peer's counter is fresh and does not know the APDU tags around the body: the association does.
 *
 * Additional data is passed as views (Green Book 9.2.3.3.7: SC || AK, then the text when it is
 * authenticated only), so nothing is copied and no buffer here depends on the APDU's size. */
#include "lib/dlms/security.h"

#include <string.h>

#define SC_SUITE      0x0Fu
#define SC_COMPRESSED 0x80u

/* gcm_or_key: what must be there. */
static enum err check_control(uint8_t sc, const void *gcm_or_key, const uint8_t *ak)
{
    if ((sc & (SC_SUITE | SC_COMPRESSED)) != 0 || (sc & (DLMS_SC_AUTH | DLMS_SC_ENC)) == 0)
        return ERR_UNSUPPORTED;
    if (!gcm_or_key || ((sc & DLMS_SC_AUTH) && !ak))
        return ERR_KEY;
    return ERR_OK;
}

/* The nonce: system title of the sender, invocation counter (Green Book 9.2.3.3.7). */
static void put_iv(uint8_t iv[CRYPTO_GCM_IV], const uint8_t title[DLMS_TITLE_LEN], uint32_t counter)
{
    struct wr w = wr_of(iv, CRYPTO_GCM_IV);
    wr_bytes(&w, title, DLMS_TITLE_LEN);
    wr_u32(&w, counter);
}

enum err dlms_counter_take(struct dlms_counter *c, uint32_t *out)
{
    if (c->next == UINT32_MAX) /* the last number is never used: there is none after it */
        return ERR_COUNTER;
    if (c->store && c->next >= c->limit) {
        uint32_t room = UINT32_MAX - c->next;
        uint32_t n = room < DLMS_COUNTER_BLOCK ? room : DLMS_COUNTER_BLOCK;
        enum err err = c->store->reserve(c->store->context, c->next + n);
        if (err != ERR_OK)
            return err;
        if (n > UINT32_MAX - c->next) /* the store moved next up */
            return ERR_COUNTER;
        c->limit = c->next + n;
    }
    *out = c->next++;
    return ERR_OK;
}

static size_t tag_len_of(uint8_t sc)
{
    return (sc & DLMS_SC_AUTH) ? CRYPTO_GCM_TAG : 0;
}

/* Seals or opens in place what stands behind the head in b->buf, text_len octets, the tag behind
 * them. Additional data: SC, AK, and the text where it is not encrypted. */
static enum err apply(const struct dlms_cipher *c, const struct dlms_body *b, size_t text_len,
                      bool seal)
{
    uint8_t iv[CRYPTO_GCM_IV];
    uint8_t *text = b->buf + DLMS_HEAD_LEN, *tag = text + text_len;
    const struct bytes aad[] = {{b->buf, 1}, {c->ak, CRYPTO_KEY128}, {text, text_len}};
    bool encrypted = b->sc & DLMS_SC_ENC;
    size_t n_aad = encrypted ? 2 : 3, len = encrypted ? text_len : 0;
    put_iv(iv, c->title, b->counter);
    if (tag_len_of(b->sc) == 0)
        return crypto_gcm_crypt_with(c->gcm, iv, text, len);
    if (seal)
        return crypto_gcm_seal_with(c->gcm, iv, aad, n_aad, text, len, tag, CRYPTO_GCM_TAG);
    return crypto_gcm_open_with(c->gcm, iv, aad, n_aad, text, len, tag, CRYPTO_GCM_TAG);
}

enum err dlms_seal_with(const struct dlms_cipher *c, struct dlms_body *b)
{
    size_t tag_len = tag_len_of(b->sc);
    enum err err = check_control(b->sc, c->gcm, c->ak);
    if (err != ERR_OK)
        return err;
    if (b->size < DLMS_HEAD_LEN + tag_len || b->text_len > b->size - DLMS_HEAD_LEN - tag_len)
        return ERR_FULL;
    struct wr head = wr_of(b->buf, DLMS_HEAD_LEN);
    wr_u8(&head, b->sc);
    wr_u32(&head, b->counter);
    err = apply(c, b, b->text_len, true);
    if (err == ERR_OK)
        b->len = DLMS_HEAD_LEN + b->text_len + tag_len;
    return err;
}

/* Everything of a body that is known before its key is used. */
static enum err read_body(struct dlms_body *b)
{
    struct rd r = rd_of(b->buf, b->len);
    b->text = NULL;
    b->text_len = 0;
    b->sc = rd_u8(&r);
    b->counter = rd_u32(&r);
    if (r.err != ERR_OK)
        return r.err;
    return rd_left(&r) < tag_len_of(b->sc) ? ERR_TRUNCATED : ERR_OK;
}

enum err dlms_open_with(const struct dlms_cipher *c, struct dlms_body *b)
{
    enum err err = read_body(b), control = check_control(b->sc, c->gcm, c->ak);
    if (b->len >= DLMS_HEAD_LEN && control != ERR_OK)
        return control;
    if (err != ERR_OK)
        return err;
    size_t text_len = b->len - DLMS_HEAD_LEN - tag_len_of(b->sc);
    err = apply(c, b, text_len, false);
    if (err != ERR_OK) {
        wipe(b->buf + DLMS_HEAD_LEN, text_len); /* also the text that was never encrypted */
        return err;
    }
    b->text = b->buf + DLMS_HEAD_LEN;
    b->text_len = text_len;
    return ERR_OK;
}

enum err dlms_seal_begin(const struct dlms_cipher *c, uint8_t sc, uint32_t counter,
                         uint8_t head[DLMS_HEAD_LEN])
{
    struct wr w = wr_of(head, DLMS_HEAD_LEN);
    uint8_t iv[CRYPTO_GCM_IV];
    enum err err = check_control(sc, c->gcm, c->ak);
    if (err != ERR_OK)
        return err;
    wr_u8(&w, sc);
    wr_u32(&w, counter);
    put_iv(iv, c->title, counter);
    const struct bytes aad[2] = {{head, 1}, {c->ak, CRYPTO_KEY128}};
    return crypto_gcm_begin(c->gcm, iv, aad, tag_len_of(sc) > 0 ? 2 : 0);
}

enum err dlms_seal_part(const struct dlms_cipher *c, uint8_t sc, uint8_t *text, size_t len)
{
    return (sc & DLMS_SC_ENC) ? crypto_gcm_seal_part(c->gcm, text, len)
                              : crypto_gcm_auth_part(c->gcm, text, len);
}

enum err dlms_seal_end(const struct dlms_cipher *c, uint8_t sc, uint8_t tag[CRYPTO_GCM_TAG],
                       size_t *tag_len)
{
    *tag_len = tag_len_of(sc);
    return *tag_len > 0 ? crypto_gcm_finish(c->gcm, tag, *tag_len) : ERR_OK;
}

enum err dlms_seal(const uint8_t key[16], const uint8_t ak[16], const uint8_t title[DLMS_TITLE_LEN],
                   uint8_t sc, uint32_t counter, uint8_t *buf, size_t plain_len, size_t buf_size,
                   size_t *out_len)
{
    struct crypto_gcm gcm = {.ready = false};
    struct dlms_body b = {
        .sc = sc, .counter = counter, .buf = buf, .size = buf_size, .text_len = plain_len};
    enum err err = check_control(sc, key, ak);
    if (err == ERR_OK)
        err = crypto_gcm_key(&gcm, key);
    if (err == ERR_OK)
        err = dlms_seal_with(&(struct dlms_cipher){&gcm, ak, title}, &b);
    if (err == ERR_OK)
        *out_len = b.len;
    crypto_gcm_end(&gcm);
    return err;
}

enum err dlms_open(const uint8_t key[16], const uint8_t ak[16], const uint8_t title[DLMS_TITLE_LEN],
                   uint8_t *buf, size_t len, uint8_t *sc, uint32_t *counter, uint8_t **plain,
                   size_t *plain_len)
{
    struct crypto_gcm gcm = {.ready = false};
    struct dlms_body b = {.buf = buf, .len = len};
    enum err err = read_body(&b), control = check_control(b.sc, key, ak);
    if (len >= DLMS_HEAD_LEN && control != ERR_OK)
        err = control;
    if (err == ERR_OK)
        err = crypto_gcm_key(&gcm, key);
    if (err == ERR_OK)
        err = dlms_open_with(&(struct dlms_cipher){&gcm, ak, title}, &b);
    crypto_gcm_end(&gcm);
    *sc = b.sc;
    *counter = b.counter;
    *plain = err == ERR_OK ? b.text : NULL;
    *plain_len = err == ERR_OK ? b.text_len : 0;
    return err;
}

/* GMAC(SC || AK || challenge) with SC at head[0]; the tag of an empty text. */
static size_t hls5_aad(struct bytes aad[3], const struct dlms_keys *k, const uint8_t *sc,
                       struct bytes challenge)
{
    aad[0] = (struct bytes){sc, 1};
    aad[1] = (struct bytes){k->gak, CRYPTO_KEY128};
    aad[2] = challenge;
    return 3;
}

enum err dlms_hls5_make(const struct dlms_keys *k, const uint8_t title[DLMS_TITLE_LEN],
                        uint32_t counter, struct bytes challenge, uint8_t out[DLMS_GMAC_LEN])
{
    uint8_t iv[CRYPTO_GCM_IV];
    struct bytes aad[3];
    if (!k->has_guek || !k->has_gak)
        return ERR_KEY;
    struct wr w = wr_of(out, DLMS_GMAC_LEN);
    wr_u8(&w, DLMS_SC_AUTH);
    wr_u32(&w, counter);
    put_iv(iv, title, counter);
    size_t n = hls5_aad(aad, k, out, challenge);
    return crypto_gcm_seal(k->guek, iv, aad, n, NULL, 0, out + DLMS_HEAD_LEN, CRYPTO_GCM_TAG);
}

enum err dlms_hls5_check(const struct dlms_keys *k, const uint8_t title[DLMS_TITLE_LEN],
                         struct bytes challenge, struct bytes f, uint32_t *counter)
{
    uint8_t iv[CRYPTO_GCM_IV];
    struct bytes aad[3];
    struct rd r = rd_of(f.p, f.len);
    uint8_t sc = rd_u8(&r);
    uint32_t ic = rd_u32(&r);
    struct bytes tag = rd_bytes(&r, CRYPTO_GCM_TAG);
    if (r.err != ERR_OK || rd_left(&r) != 0 || sc != DLMS_SC_AUTH)
        return ERR_FORMAT;
    if (!k->has_guek || !k->has_gak)
        return ERR_KEY;
    put_iv(iv, title, ic);
    size_t n = hls5_aad(aad, k, &sc, challenge);
    enum err err = crypto_gcm_open(k->guek, iv, aad, n, NULL, 0, tag.p, tag.len);
    if (err == ERR_OK)
        *counter = ic;
    return err;
}
