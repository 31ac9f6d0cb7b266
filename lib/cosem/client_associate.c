/* Associating and releasing, the client's side: AARQ, AARE, the passes of HLS, RLRQ. Green
 * Book 9.4.
 *
 * Nothing of an AARE is kept before it is accepted as a whole; a server with our own system title
 * is refused, for it could be our own requests coming back. */
#include "lib/cosem/client_parts.h"
#include "lib/cosem/mechanisms.h"
#include "lib/dlms/axdr.h"

#include <string.h>

/* The mechanism of HLS of this configuration; NULL: none. */
static const struct dlms_hls_method *method_of(const struct cosem_client_config *k)
{
    if (k->mechanism == DLMS_MECHANISM_HLS2 && !k->hls2)
        return NULL;
    return mechanism_find(k->mechanism);
}

enum err client_check_secrets(const struct cosem_client_config *k)
{
    const struct dlms_hls_method *m = method_of(k);
    const bool needs_password = k->mechanism == DLMS_MECHANISM_LLS || (m && m->needs_secret);
    if (k->mechanism > DLMS_MECHANISM_HLS6 ||
        (k->dedicated && k->security != (DLMS_SC_AUTH | DLMS_SC_ENC)))
        return ERR_RANGE;
    if (k->mechanism > DLMS_MECHANISM_LLS && !m)
        return ERR_UNSUPPORTED;
    if (client_uses_keys(k) && (!k->keys || !k->counter || !k->keys->has_guek || !k->keys->has_gak))
        return ERR_KEY;
    return ((m || k->dedicated) && !k->rng) || (needs_password && !k->password) ? ERR_KEY : ERR_OK;
}

static const uint8_t current_association[6] = {0, 0, 40, 0, 0, 255};

/* Writes the InitiateRequest, ciphered where the association is; *out views `room`. `key`: a
 * dedicated key to propose, or empty. */
#define INITIATE_SIZE 64
static enum err put_initiate(struct cosem_client *c, struct bytes key, uint8_t room[INITIATE_SIZE],
                             struct bytes *out)
{
    const struct dlms_initiate i = {.dedicated_key = key,
                                    .response_allowed = true,
                                    .version = DLMS_VERSION,
                                    .conformance = client_conformance(&c->config),
                                    .max_pdu = c->config.max_pdu};
    const size_t start = 2 + DLMS_HEAD_LEN;
    struct wr w = wr_of(room + start, INITIATE_SIZE - start - CLIENT_TAG_LEN);
    initiate_put_request(&w, &i);
    *out = (struct bytes){room + start, w.len};
    if (w.err || c->config.security == 0)
        return w.err;
    struct dlms_body b = {.buf = room + 2, .size = INITIATE_SIZE - 2, .text_len = w.len};
    enum err err = client_seal(c, false, &b);
    if (err) {
        wipe(room, INITIATE_SIZE); /* the key still stands in it */
        return err;
    }
    room[0] = DLMS_GLO_INITIATE_REQUEST;
    room[1] = (uint8_t)b.len; /* below 64 */
    *out = (struct bytes){room, b.len + 2};
    return ERR_OK;
}

/* A dedicated key for the association about to begin, where the configuration asks for one. */
static enum err draw_dedicated(struct cosem_client *c, struct bytes *key)
{
    c->has_dedicated = false;
    *key = (struct bytes){NULL, 0};
    if (!c->config.dedicated)
        return ERR_OK;
    enum err err = c->config.rng->fill(c->config.rng, c->dedicated_key, sizeof c->dedicated_key);
    if (err)
        return err;
    c->has_dedicated = true;
    c->dedicated_tx = (struct dlms_counter){.next = 0, .limit = UINT32_MAX, .store = NULL};
    c->dedicated_rx = (struct dlms_replay){0, 0};
    *key = (struct bytes){c->dedicated_key, sizeof c->dedicated_key};
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
    const struct dlms_hls_method *m = method_of(k);
    request->context = k->security != 0 ? DLMS_CONTEXT_LN_CIPHERED : DLMS_CONTEXT_LN;
    request->mechanism = k->mechanism;
    request->has_mechanism = k->mechanism != DLMS_MECHANISM_NONE;
    if (client_uses_keys(k) || (m && m->needs_titles))
        request->title = (struct bytes){k->title, DLMS_TITLE_LEN};
    if (k->mechanism == DLMS_MECHANISM_LLS)
        request->secret = text_bytes(k->password);
    if (!m)
        return ERR_OK;
    request->secret = (struct bytes){c->ctos, sizeof c->ctos};
    return k->rng->fill(k->rng, c->ctos, sizeof c->ctos);
}

enum err client_send_aarq(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t room[INITIATE_SIZE];
    struct acse_aarq request = {0};
    struct bytes key;
    c->has_server_title = false;
    c->server_max_pdu = 0;
    c->rx_floor = c->config.rx_floor;
    c->rx_open = 0;
    enum err err = fill_aarq(c, &request);
    if (!err)
        err = draw_dedicated(c, &key);
    if (!err)
        err = put_initiate(c, key, room, &request.user_info);
    if (err)
        return err;
    struct wr w = client_plain_writer(c);
    acse_put_aarq(&w, &request);
    return client_send(c, now_ms, &w, CLIENT_ASSOCIATING, false);
}

enum err client_send_rlrq(struct cosem_client *c, uint64_t now_ms)
{
    const struct bytes no_key = {NULL, 0};
    uint8_t room[INITIATE_SIZE];
    struct acse_release request = {.has_reason = true, .reason = ACSE_RELEASE_NORMAL};
    enum err err = ERR_OK;
    if (c->config.security != 0)
        err = put_initiate(c, no_key, room, &request.user_info);
    if (err)
        return err;
    struct wr w = client_plain_writer(c);
    acse_put_release(&w, DLMS_RLRQ, &request);
    return client_send(c, now_ms, &w, CLIENT_RELEASING, false);
}

/* What the proof of one side is made of. */
static enum err fill_hls(struct cosem_client *c, bool server_proves, struct dlms_hls *h)
{
    const struct cosem_client_config *k = &c->config;
    const struct bytes ctos = {c->ctos, sizeof c->ctos}, stoc = {c->stoc, c->stoc_len};
    *h = (struct dlms_hls){.challenge = server_proves ? ctos : stoc,
                           .own_challenge = server_proves ? stoc : ctos,
                           .prover = server_proves ? c->server_title : k->title,
                           .verifier = server_proves ? k->title : c->server_title,
                           .algorithm = k->hls2,
                           .context = k->hls2_context};
    if (k->password)
        h->secret = text_bytes(k->password);
    if (k->mechanism != DLMS_MECHANISM_HLS5)
        return ERR_OK;
    h->gcm = &c->gcm;
    h->ak = k->keys->gak;
    return crypto_gcm_key(&c->gcm, k->keys->guek);
}

/* Pass 3: f(StoC) as the parameter of reply_to_HLS_authentication. */
static enum err put_proof(struct cosem_client *c, struct wr *parameter)
{
    uint8_t f[DLMS_HLS_MAX];
    size_t len = 0;
    struct dlms_hls h;
    enum err err = fill_hls(c, false, &h);
    if (!err && c->config.mechanism == DLMS_MECHANISM_HLS5)
        err = dlms_counter_take(c->config.counter, &h.counter);
    if (!err)
        err = method_of(&c->config)->make(&h, f, &len);
    if (!err)
        axdr_put_octets(parameter, f, len);
    return err ? err : parameter->err;
}

static void send_hls_proof(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t octets[2 + DLMS_HLS_MAX];
    struct wr parameter = wr_of(octets, sizeof octets);
    enum err err = put_proof(c, &parameter);
    struct apdu_request q = {
        .tag = DLMS_ACTION_REQUEST,
        .type = DLMS_ACTION_NORMAL,
        .invoke = client_next_invoke(c),
        .target = {.class_id = 15, .id = 1, .parameter = {octets, parameter.len}}};
    memcpy(q.target.ln, current_association, sizeof current_association);
    if (!err)
        err = client_send_request(c, now_ms, &q, CLIENT_AUTHENTICATING);
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
}

/* Pass 4: the server's f(CtoS). */
static enum err check_proof(struct cosem_client *c, struct bytes proof)
{
    struct dlms_hls h;
    enum err err = fill_hls(c, true, &h);
    if (!err)
        err = method_of(&c->config)->check(&h, proof);
    if (err || c->config.mechanism != DLMS_MECHANISM_HLS5)
        return err;
    struct dlms_replay w = {c->rx_floor, c->rx_open};
    dlms_replay_use(&w, h.counter);
    c->rx_floor = w.next;
    c->rx_open = w.open;
    return ERR_OK;
}

void client_on_hls_answer(struct cosem_client *c, const struct apdu_response *a)
{
    struct rd r = rd_of(a->data.p, a->data.len);
    enum err err = a->result == COSEM_SUCCESS && a->has_data ? ERR_OK : ERR_TAG;
    const struct bytes proof = axdr_get_octets(&r);
    if (!err)
        err = r.err;
    if (!err)
        err = check_proof(c, proof);
    if (err)
        client_fail(c, ERR_TAG, CLIENT_WHY_HLS, a->result);
    else
        client_become(c, CLIENT_READY);
}

/* A challenge of the right length that is not our own come back: the answer to that would be the
 * proof we ask for. */
static bool good_challenge(const struct cosem_client *c, struct bytes stoc)
{
    return stoc.len >= 8 && stoc.len <= sizeof c->stoc &&
           (stoc.len != sizeof c->ctos || memcmp(stoc.p, c->ctos, sizeof c->ctos) != 0);
}

/* Title and challenge, kept for the association. False after a failure. */
static bool keep_server(struct cosem_client *c, const struct acse_aare *a)
{
    const struct dlms_hls_method *m = method_of(&c->config);
    const bool needs_title = client_uses_keys(&c->config) || (m && m->needs_titles);
    const bool good_title =
        a->title.len == DLMS_TITLE_LEN && memcmp(a->title.p, c->config.title, DLMS_TITLE_LEN) != 0;
    if ((needs_title && !good_title) || (m && !good_challenge(c, a->secret))) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_NO_TITLE, 0);
        return false;
    }
    if (good_title)
        memcpy(c->server_title, a->title.p, DLMS_TITLE_LEN);
    c->has_server_title = good_title;
    if (m) {
        memcpy(c->stoc, a->secret.p, a->secret.len);
        c->stoc_len = (uint8_t)a->secret.len;
    }
    return true;
}

/* The InitiateResponse in an accepted AARE. False after a failure. */
static bool take_initiate(struct cosem_client *c, uint8_t *apdu, const struct acse_aare *a)
{
    struct rd r = rd_of(a->user_info.p, a->user_info.len);
    struct dlms_initiate i = {0};
    const uint8_t tag = a->user_info.len > 0 ? a->user_info.p[0] : 0;
    const bool good = c->config.security == 0
                          ? tag == DLMS_INITIATE_RESPONSE
                          : tag == DLMS_GLO_INITIATE_RESPONSE || tag == DLMS_GENERAL_GLO;
    if (!good) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, tag);
        return false;
    }
    uint8_t *info = apdu + (a->user_info.p - apdu); /* a view of it, deciphered in place */
    if (c->config.security != 0 && !client_unprotect_apdu(c, info, a->user_info.len, &r))
        return false;
    initiate_get_response(&r, &i);
    if (r.err || rd_left(&r) > 0 || i.version != DLMS_VERSION) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_APDU, (uint32_t)r.pos);
        return false;
    }
    c->conformance = i.conformance & client_conformance(&c->config);
    c->server_max_pdu = i.max_pdu;
    return true;
}

void client_on_aare(struct cosem_client *c, uint64_t now_ms, uint8_t *apdu, size_t len)
{
    struct rd r = rd_of(apdu, len);
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
    if (!keep_server(c, &a) || !take_initiate(c, apdu, &a))
        return;
    client_wipe_buf(c); /* the password stood in the AARQ; `a`, too, views what is gone now */
    if (method_of(&c->config))
        send_hls_proof(c, now_ms);
    else
        client_become(c, CLIENT_READY);
}
