/* Protection of requests and answers in one association. Order of the checks on a request: key
 * there, bits at least the policy, tag, then the counter: only an authenticated APDU may move the
 * floor as it likes, or anybody could lock a client out. */
#include "lib/cosem/server_parts.h"

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
    return 1 + length_octets + DLMS_HEAD_LEN + tag;
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
    if (text_len == 0 || text[0] != tag)
        return ERR_FORMAT;
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
