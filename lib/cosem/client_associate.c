/* Associating and releasing, the client's side: AARQ, AARE, the passes of HLS, RLRQ. Green
 * Book 9.4.
 *
 * Nothing of an AARE is kept before it is accepted as a whole; a server with our own system title
 * is refused, for it could be our own requests coming back. */
#include "lib/cosem/client_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

static const uint8_t current_association[6] = {0, 0, 40, 0, 0, 255};

/* Writes the InitiateRequest, ciphered where the association is; *out views `room`. */
static enum err put_initiate(struct cosem_client *c, uint8_t room[64], struct bytes *out)
{
    const struct dlms_initiate i = {.response_allowed = true,
                                    .version = DLMS_VERSION,
                                    .conformance = CLIENT_CONFORMANCE,
                                    .max_pdu = c->config.max_pdu};
    const struct cosem_client_config *k = &c->config;
    struct wr w = wr_of(room + 2 + DLMS_HEAD_LEN, 64 - 2 - DLMS_HEAD_LEN - CLIENT_TAG_LEN);
    uint32_t counter;
    size_t sealed;
    initiate_put_request(&w, &i);
    *out = (struct bytes){room + 2 + DLMS_HEAD_LEN, w.len};
    if (w.err || k->security == 0)
        return w.err;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_seal(k->keys->guek, k->keys->gak, k->title, k->security, counter, room + 2,
                        w.len, 62, &sealed);
    if (err)
        return err;
    room[0] = DLMS_GLO_INITIATE_REQUEST;
    room[1] = (uint8_t)sealed; /* below 64 */
    *out = (struct bytes){room, sealed + 2};
    return ERR_OK;
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* `request` views this side's title, secret and user_info, which the caller keeps. */
static enum err fill_aarq(struct cosem_client *c, struct acse_aarq *request)
{
    const struct cosem_client_config *k = &c->config;
    request->context = k->security != 0 ? DLMS_CONTEXT_LN_CIPHERED : DLMS_CONTEXT_LN;
    request->mechanism = k->mechanism;
    request->has_mechanism = k->mechanism != DLMS_MECHANISM_NONE;
    if (client_uses_keys(k))
        request->title = (struct bytes){k->title, DLMS_TITLE_LEN};
    if (k->mechanism == DLMS_MECHANISM_LLS)
        request->secret = text_bytes(k->password);
    if (k->mechanism != DLMS_MECHANISM_HLS5)
        return ERR_OK;
    request->secret = (struct bytes){c->ctos, sizeof c->ctos};
    return k->rng->fill(k->rng, c->ctos, sizeof c->ctos);
}

enum err client_send_aarq(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t room[64];
    struct acse_aarq request = {0};
    c->has_server_title = false;
    c->server_max_pdu = 0;
    c->rx_floor = c->config.rx_floor;
    enum err err = fill_aarq(c, &request);
    if (!err)
        err = put_initiate(c, room, &request.user_info);
    if (err)
        return err;
    struct wr w = client_plain_writer(c);
    acse_put_aarq(&w, &request);
    return client_send(c, now_ms, &w, CLIENT_ASSOCIATING, false);
}

enum err client_send_rlrq(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t room[64];
    struct acse_release request = {.has_reason = true, .reason = ACSE_RELEASE_NORMAL};
    enum err err = ERR_OK;
    if (c->config.security != 0)
        err = put_initiate(c, room, &request.user_info);
    if (err)
        return err;
    struct wr w = client_plain_writer(c);
    acse_put_release(&w, DLMS_RLRQ, &request);
    return client_send(c, now_ms, &w, CLIENT_RELEASING, false);
}

static void send_hls_proof(struct cosem_client *c, uint64_t now_ms)
{
    const struct cosem_client_config *k = &c->config;
    uint8_t parameter[2 + DLMS_GMAC_LEN] = {AXDR_OCTETS, DLMS_GMAC_LEN};
    uint32_t counter;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_hls5_make(k->keys, k->title, counter, (struct bytes){c->stoc, c->stoc_len},
                             parameter + 2);
    struct apdu_request q = {
        .tag = DLMS_ACTION_REQUEST,
        .type = DLMS_ACTION_NORMAL,
        .invoke = client_next_invoke(c),
        .target = {.class_id = 15, .id = 1, .parameter = {parameter, sizeof parameter}}};
    memcpy(q.target.ln, current_association, sizeof current_association);
    if (!err)
        err = client_send_request(c, now_ms, &q, CLIENT_AUTHENTICATING);
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
}

void client_on_hls_answer(struct cosem_client *c, const struct apdu_response *a)
{
    struct rd r = rd_of(a->data.p, a->data.len);
    uint32_t counter;
    enum err err = a->result == COSEM_SUCCESS && a->has_data ? ERR_OK : ERR_TAG;
    const struct bytes proof = axdr_get_octets(&r);
    if (!err)
        err = r.err;
    if (!err)
        err = dlms_hls5_check(c->config.keys, c->server_title,
                              (struct bytes){c->ctos, sizeof c->ctos}, proof, &counter);
    if (err) {
        client_fail(c, ERR_TAG, CLIENT_WHY_HLS, a->result);
        return;
    }
    if (counter >= c->rx_floor && counter < UINT32_MAX)
        c->rx_floor = counter + 1;
    client_become(c, CLIENT_READY);
}

/* Title and challenge, kept for the association. False after a failure. */
static bool keep_server(struct cosem_client *c, const struct acse_aare *a)
{
    const bool hls = c->config.mechanism == DLMS_MECHANISM_HLS5;
    if (!client_uses_keys(&c->config))
        return true;
    const bool good_title =
        a->title.len == DLMS_TITLE_LEN && memcmp(a->title.p, c->config.title, DLMS_TITLE_LEN) != 0;
    const bool good_challenge = a->secret.len >= 8 && a->secret.len <= sizeof c->stoc;
    if (!good_title || (hls && !good_challenge)) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_NO_TITLE, 0);
        return false;
    }
    memcpy(c->server_title, a->title.p, DLMS_TITLE_LEN);
    c->has_server_title = true;
    if (hls) {
        memcpy(c->stoc, a->secret.p, a->secret.len);
        c->stoc_len = (uint8_t)a->secret.len;
    }
    return true;
}

/* The InitiateResponse in an accepted AARE. False after a failure. */
static bool take_initiate(struct cosem_client *c, const struct acse_aare *a)
{
    const uint8_t wanted =
        c->config.security != 0 ? DLMS_GLO_INITIATE_RESPONSE : DLMS_INITIATE_RESPONSE;
    struct rd r = rd_of(a->user_info.p, a->user_info.len);
    struct dlms_initiate i = {0};
    if (a->user_info.len == 0 || a->user_info.p[0] != wanted) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED,
                    a->user_info.len > 0 ? a->user_info.p[0] : 0);
        return false;
    }
    if (c->config.security != 0 && !client_unprotect_apdu(c, a->user_info, &r))
        return false;
    initiate_get_response(&r, &i);
    if (r.err || rd_left(&r) > 0 || i.version != DLMS_VERSION) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_APDU, (uint32_t)r.pos);
        return false;
    }
    c->conformance = i.conformance & CLIENT_CONFORMANCE;
    c->server_max_pdu = i.max_pdu;
    return true;
}

void client_on_aare(struct cosem_client *c, uint64_t now_ms, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aare a = {0};
    acse_get_aare(&r, &a);
    if (r.err) {
        client_fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return;
    }
    if (a.result != ACSE_ACCEPTED) {
        const bool secret =
            a.source == ACSE_SOURCE_USER && (a.diagnostic == ACSE_DIAG_AUTHENTICATION_FAILURE ||
                                             a.diagnostic == ACSE_DIAG_AUTHENTICATION_REQUIRED);
        const bool initiate =
            a.user_info.len == 4 && a.user_info.p[0] == DLMS_CONFIRMED_SERVICE_ERROR && !secret;
        client_fail(c, secret ? ERR_TAG : ERR_REFUSED,
                    initiate ? CLIENT_WHY_INITIATE : CLIENT_WHY_REFUSED,
                    initiate ? a.user_info.p[3] : a.diagnostic);
        c->failure.source = a.source;
        return;
    }
    if (!keep_server(c, &a) || !take_initiate(c, &a))
        return;
    if (c->config.mechanism == DLMS_MECHANISM_HLS5)
        send_hls_proof(c, now_ms);
    else
        client_become(c, CLIENT_READY);
}
