/* Protection of requests and answers in one association. Order of the checks on a request: key
 * there, bits at least the policy, tag, then the counter: only an authenticated APDU may move the
 * floor as it likes, or anybody could lock a client out. */
#include "lib/cosem/server_parts.h"

#include <string.h>

/* How far encryption alone may move the floor at once, and only where HLS has proven a counter: far
 * enough for a client that lost answers, too short a step to use the numbers up. */
#define LEAP_UNPROVEN UINT32_C(0x10000)

uint8_t security_required(const struct cosem_session *s)
{
    uint8_t bits = s->client->security;
    if (s->context == DLMS_CONTEXT_LN_CIPHERED)
        bits |= (uint8_t)(s->server->policy << 4); /* 1 authenticated = 10, 2 encrypted = 20 */
    return bits & (DLMS_SC_AUTH | DLMS_SC_ENC);
}

uint32_t *security_floor(struct cosem_session *s)
{
    return &s->server->rx_floor[s->client - s->server->config.clients];
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

/* Whether a counter is acceptable; without a tag only not too far above the last one. */
static bool counter_fresh(const struct cosem_session *s, uint8_t sc, uint32_t counter,
                          uint32_t floor)
{
    if (counter < floor || counter == UINT32_MAX)
        return false;
    return (sc & DLMS_SC_AUTH) || s->state != SESSION_ASSOCIATED || counter - floor < LEAP_UNPROVEN;
}

bool security_follows(uint32_t counter, uint32_t proven)
{
    return counter > proven && counter - proven < LEAP_UNPROVEN;
}

enum err security_open(struct cosem_session *s, uint8_t tag, uint8_t *body, size_t len,
                       bool dedicated, struct bytes *plain)
{
    const struct dlms_keys *k = &s->server->keys;
    uint8_t sc, *text;
    uint32_t counter;
    size_t text_len;
    s->request_dedicated = dedicated;
    if (s->context != DLMS_CONTEXT_LN_CIPHERED)
        return ERR_ACCESS;
    if (!s->has_title || !k->has_gak || !(dedicated ? s->has_dedicated : k->has_guek))
        return ERR_KEY;
    if (len == 0 || !bits_allowed(s, body[0]))
        return ERR_ACCESS;
    enum err err = dlms_open(dedicated ? s->dedicated_key : k->guek, k->gak, s->client_title, body,
                             len, &sc, &counter, &text, &text_len);
    if (err)
        return err;
    uint32_t *floor = dedicated ? &s->dedicated_floor : security_floor(s);
    if (!counter_fresh(s, sc, counter, *floor))
        return ERR_REPLAY;
    s->request_floor = *floor;
    s->request_counter = counter;
    if (sc & DLMS_SC_AUTH)
        *floor = counter + 1;
    if (text_len == 0 || (tag != 0 && text[0] != tag))
        return ERR_ACCESS;
    if (s->state == SESSION_ASSOCIATED)
        *floor = counter + 1;
    s->request_sc = sc & (DLMS_SC_AUTH | DLMS_SC_ENC);
    *plain = (struct bytes){text, text_len};
    return ERR_OK;
}

enum err security_seal(struct cosem_session *s, uint8_t *buf, size_t plain_len, size_t size,
                       size_t *out_len)
{
    struct cosem_server *server = s->server;
    bool dedicated = s->request_dedicated;
    uint32_t counter;
    enum err err = dlms_counter_take(dedicated ? &s->dedicated_tx : &server->tx, &counter);
    if (err)
        return err;
    return dlms_seal(dedicated ? s->dedicated_key : server->keys.guek, server->keys.gak,
                     server->config.title, s->request_sc, counter, buf, plain_len, size, out_len);
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

void security_refuse(struct cosem_session *s, enum err err)
{
    uint8_t why = err == ERR_REPLAY        ? DLMS_EXC_COUNTER_ERROR
                  : err == ERR_FORMAT      ? DLMS_EXC_OTHER_REASON
                  : err == ERR_UNSUPPORTED ? DLMS_EXC_SERVICE_NOT_SUPPORTED
                                           : DLMS_EXC_DECIPHERING_ERROR;
    reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, why);
}

uint32_t security_expected(struct cosem_session *s)
{
    return s->request_dedicated ? s->dedicated_floor : *security_floor(s);
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
