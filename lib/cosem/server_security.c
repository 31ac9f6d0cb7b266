/* Protection of requests and answers in one association. Order of the checks on a request: key
 * there, bits at least the policy, tag, then the counter: only an authenticated APDU may move the
 * floor as it likes, or anybody could lock a client out. */
#include "lib/cosem/server_parts.h"

#include <string.h>

uint8_t security_required(const struct cosem_session *s)
{
    uint8_t bits = s->client->security;
    if (s->context == DLMS_CONTEXT_LN_CIPHERED)
        bits |= (uint8_t)(s->server->policy << 4); /* 1 authenticated = 10, 2 encrypted = 20 */
    return bits & (DLMS_SC_AUTH | DLMS_SC_ENC);
}

struct dlms_replay security_window(const struct cosem_session *s)
{
    size_t i = server_entry(s);
    return (struct dlms_replay){s->server->rx_floor[i], s->server->rx_open[i]};
}

void security_set_window(struct cosem_session *s, const struct dlms_replay *w)
{
    size_t i = server_entry(s);
    s->server->rx_floor[i] = w->next;
    s->server->rx_open[i] = w->open;
}

static struct crypto_gcm *gcm_of(struct cosem_session *s, bool dedicated)
{
#if COSEM_WITH_DEDICATED
    if (dedicated)
        return &s->dedicated_gcm;
#endif
    (void)dedicated;
    return &s->server->gcm;
}

/* The cipher of one direction, its key made ready in g. */
static enum err begin_cipher(struct cosem_session *s, struct crypto_gcm *g, const uint8_t *title,
                             struct dlms_cipher *c)
{
    const struct dlms_keys *k = &s->server->keys;
    *c = (struct dlms_cipher){g, k->gak, title};
    return crypto_gcm_key(g, s->request_dedicated ? s->dedicated_key : k->guek);
}

void security_end(struct cosem_session *s)
{
    s->has_dedicated = false;
    wipe(s->dedicated_key, sizeof s->dedicated_key);
#if COSEM_WITH_DEDICATED
    crypto_gcm_end(&s->dedicated_gcm);
#endif
}

void cosem_server_end(struct cosem_server *server)
{
    crypto_gcm_end(&server->gcm);
    wipe(&server->keys, sizeof server->keys);
}

size_t security_overhead(const struct cosem_session *s, size_t total)
{
    if (s->request_sc == 0)
        return 0;
    size_t length_octets = total < 0x80 ? 1 : total < 0x100 ? 2 : 3;
    size_t tag = s->request_sc & DLMS_SC_AUTH ? CRYPTO_GCM_TAG : 0;
    size_t title = s->request_general ? 1 + DLMS_TITLE_LEN : 0;
    return 1 + title + length_octets + DLMS_HEAD_LEN + tag;
}

/* Whether these bits satisfy the policy. Without authentication nothing proves the counter, so that
 * is taken only where the policy asks for encryption alone and HLS proves one. */
static bool bits_allowed(const struct cosem_session *s, uint8_t sc)
{
    uint8_t required = security_required(s);
    if ((sc & DLMS_SC_BROADCAST) || (sc & required) != required)
        return false;
    return (sc & DLMS_SC_AUTH) ||
           (required == DLMS_SC_ENC && s->client->mechanism == COSEM_AUTH_HLS5);
}

/* Whether a counter is acceptable; without a tag only above all others and not too far. */
static bool counter_fresh(const struct cosem_session *s, uint8_t sc, uint32_t counter,
                          const struct dlms_replay *w)
{
    if (sc & DLMS_SC_AUTH)
        return dlms_replay_fresh(w, counter);
    if (counter < w->next || counter == UINT32_MAX)
        return false;
    return s->state != SESSION_ASSOCIATED || counter - w->next < DLMS_REPLAY_LEAP;
}

bool security_follows(uint32_t counter, uint32_t proven)
{
    return counter > proven && counter - proven < DLMS_REPLAY_LEAP;
}

/* The counter of an opened request counts as used. What was not authenticated leaves nothing below
 * acceptable. */
static void use_counter(struct cosem_session *s, const struct dlms_body *b, struct dlms_replay *w)
{
    if (b->sc & DLMS_SC_AUTH)
        dlms_replay_use(w, b->counter);
    else
        *w = (struct dlms_replay){.next = b->counter + 1};
    if (s->request_dedicated)
        s->dedicated_rx = *w;
    else
        security_set_window(s, w);
}

/* Opens the body, judges its counter and what is inside: `tag`, or anything where that is 0. */
static enum err open_body(struct cosem_session *s, uint8_t tag, struct dlms_body *b)
{
    struct dlms_cipher c;
    enum err err = begin_cipher(s, gcm_of(s, s->request_dedicated), s->client_title, &c);
    if (!err)
        err = dlms_open_with(&c, b);
    if (err)
        return err;
    struct dlms_replay w = s->request_dedicated ? s->dedicated_rx : security_window(s);
    bool expected = b->text_len > 0 && (tag == 0 || b->text[0] == tag);
    if (!counter_fresh(s, b->sc, b->counter, &w))
        return ERR_REPLAY;
    /* without a tag only what makes sense from a client that has proven itself */
    if ((b->sc & DLMS_SC_AUTH) || (expected && s->state == SESSION_ASSOCIATED))
        use_counter(s, b, &w);
    return expected ? ERR_OK : ERR_ACCESS;
}

enum err security_open(struct cosem_session *s, uint8_t tag, uint8_t *body, size_t len,
                       bool dedicated, struct bytes *plain)
{
    const struct dlms_keys *k = &s->server->keys;
    struct dlms_body b = {.buf = body, .len = len};
    s->request_dedicated = dedicated;
    if (s->context != DLMS_CONTEXT_LN_CIPHERED)
        return ERR_ACCESS;
    if (!s->has_title || !k->has_gak || !(dedicated ? s->has_dedicated : k->has_guek))
        return ERR_KEY;
    if (len == 0 || !bits_allowed(s, body[0]))
        return ERR_ACCESS;
    enum err err = open_body(s, tag, &b);
    if (err)
        return err;
    s->request_counter = b.counter;
    s->request_sc = b.sc & (DLMS_SC_AUTH | DLMS_SC_ENC);
    *plain = (struct bytes){b.text, b.text_len};
    return ERR_OK;
}

/* The next counter of the key the answer is sealed with. */
static enum err take_counter(struct cosem_session *s, uint32_t *counter)
{
    return dlms_counter_take(s->request_dedicated ? &s->dedicated_tx : &s->server->tx, counter);
}

enum err security_seal(struct cosem_session *s, uint8_t *buf, size_t plain_len, size_t size,
                       size_t *out_len)
{
    struct dlms_body b = {.sc = s->request_sc, .buf = buf, .size = size, .text_len = plain_len};
    struct dlms_cipher c;
    enum err err = take_counter(s, &b.counter);
    if (!err)
        err = begin_cipher(s, gcm_of(s, s->request_dedicated), s->server->config.title, &c);
    if (!err)
        err = dlms_seal_with(&c, &b);
    *out_len = b.len;
    return err;
}

uint32_t security_conformance(uint8_t context)
{
    return context == DLMS_CONTEXT_LN_CIPHERED ? SERVER_CONFORMANCE
                                               : SERVER_CONFORMANCE & ~DLMS_CONF_GENERAL_PROT;
}

bool security_is_ciphered(uint8_t tag)
{
    bool dedicated;
    return tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED ||
           apdu_plain_tag(tag, &dedicated) != 0;
}

/* The title in a general-glo or -ded APDU: the one of the AARQ, or left out. */
static bool title_matches(const struct cosem_session *s, struct bytes title)
{
    return title.len == 0 || (title.len == DLMS_TITLE_LEN && s->has_title &&
                              memcmp(title.p, s->client_title, DLMS_TITLE_LEN) == 0);
}

enum err security_open_apdu(struct cosem_session *s, uint8_t *apdu, size_t len, struct bytes *plain)
{
    struct rd r = rd_of(apdu, len);
    uint8_t tag = rd_u8(&r), inner = 0;
    bool dedicated = tag == DLMS_GENERAL_DED;
    bool general = dedicated || tag == DLMS_GENERAL_GLO;
    struct bytes title = {NULL, 0};
    if (general)
        title = rd_bytes(&r, rd_length(&r));
    else
        inner = apdu_plain_tag(tag, &dedicated);
    size_t n = rd_length(&r);
    if (r.err || n != rd_left(&r) || (!general && inner == 0))
        return ERR_FORMAT;
    if (general && s->state == SESSION_ASSOCIATED && !(s->conformance & DLMS_CONF_GENERAL_PROT))
        return ERR_UNSUPPORTED;
    if (general && !title_matches(s, title))
        return ERR_KEY;
    enum err err = security_open(s, inner, apdu + r.pos, n, dedicated, plain);
    s->request_general = !err && general;
    return err;
}

void security_report(struct cosem_session *s, enum err err)
{
    const struct cosem_server_config *c = &s->server->config;
    const bool protection =
        err == ERR_REPLAY || err == ERR_TAG || err == ERR_KEY || err == ERR_ACCESS;
    if (protection && c->refused)
        c->refused(c->context, s->client_sap, err);
}

void security_refuse(struct cosem_session *s, enum err err)
{
    security_report(s, err);
    uint8_t why = err == ERR_REPLAY        ? DLMS_EXC_COUNTER_ERROR
                  : err == ERR_FORMAT      ? DLMS_EXC_OTHER_REASON
                  : err == ERR_UNSUPPORTED ? DLMS_EXC_SERVICE_NOT_SUPPORTED
                                           : DLMS_EXC_DECIPHERING_ERROR;
    reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, why);
}

uint32_t security_expected(struct cosem_session *s)
{
    return s->request_dedicated ? s->dedicated_rx.next : security_window(s).next;
}

/* What stands before SC of a body of body_len octets, in the form the request had. */
static void put_head(const struct cosem_session *s, struct wr *w, uint8_t plain_tag,
                     size_t body_len)
{
    if (s->request_general) {
        wr_u8(w, s->request_dedicated ? DLMS_GENERAL_DED : DLMS_GENERAL_GLO);
        wr_length(w, DLMS_TITLE_LEN);
        wr_bytes(w, s->server->config.title, DLMS_TITLE_LEN);
    } else {
        wr_u8(w, apdu_ciphered_tag(plain_tag, s->request_dedicated));
    }
    wr_length(w, body_len);
}

enum err security_seal_apdu(struct cosem_session *s, uint8_t *buf, size_t size, size_t *start,
                            size_t *len)
{
    uint8_t head[SECURITY_HEAD_MAX];
    size_t at = *start - DLMS_HEAD_LEN, body_len;
    uint8_t tag = buf[*start]; /* soon ciphered itself */
    if (s->request_sc == 0)
        return ERR_OK;
    if (!s->request_general && apdu_ciphered_tag(tag, s->request_dedicated) == 0)
        return ERR_UNSUPPORTED;
    enum err err = security_seal(s, buf + at, *len, size - at, &body_len);
    if (err)
        return err;
    struct wr w = wr_of(head, sizeof head);
    put_head(s, &w, tag, body_len);
    memcpy(buf + at - w.len, head, w.len);
    *start = at - w.len;
    *len = w.len + body_len;
    return ERR_OK;
}

enum err security_seal_begin(struct cosem_session *s, struct crypto_gcm *g, uint8_t plain_tag,
                             size_t total, struct wr *head)
{
    uint8_t sc_and_counter[DLMS_HEAD_LEN];
    size_t tag_len = s->request_sc & DLMS_SC_AUTH ? CRYPTO_GCM_TAG : 0;
    struct dlms_cipher c;
    uint32_t counter;
    if (!s->request_general && apdu_ciphered_tag(plain_tag, s->request_dedicated) == 0)
        return ERR_UNSUPPORTED;
    enum err err = take_counter(s, &counter);
    if (!err)
        err = begin_cipher(s, g, s->server->config.title, &c);
    if (!err)
        err = dlms_seal_begin(&c, s->request_sc, counter, sc_and_counter);
    if (err)
        return err;
    put_head(s, head, plain_tag, DLMS_HEAD_LEN + total + tag_len);
    wr_bytes(head, sc_and_counter, sizeof sc_and_counter);
    return head->err;
}

enum err security_seal_part(struct crypto_gcm *g, uint8_t sc, uint8_t *p, size_t len)
{
    return dlms_seal_part(&(struct dlms_cipher){.gcm = g}, sc, p, len);
}

enum err security_seal_end(struct crypto_gcm *g, uint8_t sc, uint8_t tag[CRYPTO_GCM_TAG],
                           size_t *tag_len)
{
    return dlms_seal_end(&(struct dlms_cipher){.gcm = g}, sc, tag, tag_len);
}
