/* Opening and releasing associations. Green Book 9.4.
 *
 * An AARQ is judged in a fixed order: who calls whom, context, mechanism, secret, InitiateRequest.
 * The first objection answers; nothing of a refused association stays. A dedicated key is taken
 * only from an InitiateRequest both encrypted and authenticated: replayed, it would make this side
 * begin anew with counters the key has seen. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/acse.h"
#include "lib/dlms/axdr.h"

#include <string.h>

/* Why an AARQ is refused: an ACSE diagnostic, or an initiate error of xDLMS (then not 0). */
struct verdict {
    uint8_t result;
    uint8_t diagnostic;
    uint8_t initiate_error;
};
static const struct verdict accepted = {.result = ACSE_ACCEPTED};

static struct verdict refused(uint8_t diagnostic)
{
    return (struct verdict){.result = ACSE_REJECTED_PERMANENT, .diagnostic = diagnostic};
}

static struct verdict refused_initiate(uint8_t error)
{
    return (struct verdict){.result = ACSE_REJECTED_PERMANENT,
                            .diagnostic = ACSE_DIAG_NO_REASON,
                            .initiate_error = error};
}

static void report(struct cosem_session *s, bool ok)
{
    const struct cosem_server_config *c = &s->server->config;
    if (c->authenticated)
        c->authenticated(c->context, s->client_sap, ok);
}

/* Finds device and client entry of the SAPs called. */
static struct verdict judge_saps(struct cosem_session *s)
{
    const struct cosem_server_config *c = &s->server->config;
    for (size_t i = 0; i < c->n_devices; i++) {
        if (c->devices[i]->sap == s->server_sap)
            s->device = c->devices[i];
    }
    for (size_t i = 0; i < c->n_clients && i < COSEM_CLIENTS_MAX; i++) {
        if (c->clients[i].sap == s->client_sap)
            s->client = &c->clients[i];
    }
    return s->device && s->client ? accepted : refused(ACSE_DIAG_NO_REASON);
}

static struct verdict judge_context(struct cosem_session *s, const struct acse_aarq *a)
{
    const struct dlms_keys *k = &s->server->keys;
    bool ciphered = a->context == DLMS_CONTEXT_LN_CIPHERED;
    if (a->context != DLMS_CONTEXT_LN && !ciphered)
        return refused(ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    if (ciphered ? !k->has_guek || !k->has_gak : s->client->security != 0)
        return refused(ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    s->context = a->context;
    if (a->title.len == DLMS_TITLE_LEN) {
        memcpy(s->client_title, a->title.p, DLMS_TITLE_LEN);
        /* a peer with our own title could send our protected APDUs back to us */
        s->has_title = memcmp(a->title.p, s->server->config.title, DLMS_TITLE_LEN) != 0;
    }
    bool needs_title = ciphered || s->client->mechanism == COSEM_AUTH_HLS5;
    return needs_title && !s->has_title ? refused(ACSE_DIAG_CALLING_TITLE_UNKNOWN) : accepted;
}

/* Compares in a time that depends on the length of the right password only. */
static bool password_matches(const char *password, struct bytes given)
{
    uint8_t padded[COSEM_CHALLENGE_MAX] = {0};
    if (!password)
        return false;
    size_t n = strlen(password);
    if (n == 0 || n > sizeof padded)
        return false;
    if (given.len > 0)
        memcpy(padded, given.p, given.len < n ? given.len : n);
    bool same = ct_equal(padded, password, n);
    wipe(padded, sizeof padded);
    return same && given.len == n;
}

static struct verdict judge_secret(struct cosem_session *s, const struct acse_aarq *a)
{
    const struct hal_rng *rng = s->server->config.rng;
    uint8_t mechanism = a->has_mechanism ? a->mechanism : DLMS_MECHANISM_NONE;
    if (mechanism != s->client->mechanism)
        return refused(mechanism == DLMS_MECHANISM_NONE ? ACSE_DIAG_AUTHENTICATION_REQUIRED
                                                        : ACSE_DIAG_MECHANISM_UNKNOWN);
    if (mechanism == DLMS_MECHANISM_LLS && !password_matches(s->client->password, a->secret))
        return refused(ACSE_DIAG_AUTHENTICATION_FAILURE);
    if (mechanism != DLMS_MECHANISM_HLS5)
        return accepted;
    if (a->secret.len < 8 || a->secret.len > COSEM_CHALLENGE_MAX)
        return refused(ACSE_DIAG_AUTHENTICATION_FAILURE);
    memcpy(s->client_challenge, a->secret.p, a->secret.len);
    s->client_challenge_len = (uint8_t)a->secret.len;
    if (!rng || rng->fill(rng, s->challenge, sizeof s->challenge))
        return (struct verdict){.result = ACSE_REJECTED_TRANSIENT,
                                .diagnostic = ACSE_DIAG_NO_REASON};
    return (struct verdict){.result = ACSE_ACCEPTED,
                            .diagnostic = ACSE_DIAG_AUTHENTICATION_REQUIRED};
}

/* The InitiateRequest in the clear, deciphered in place where it came ciphered. */
static enum err open_user_info(struct cosem_session *s, struct bytes info, uint8_t *apdu,
                               struct bytes *plain)
{
    struct rd r = rd_of(info.p, info.len);
    uint8_t tag = rd_u8(&r);
    if (tag == DLMS_INITIATE_REQUEST) {
        *plain = info;
        return security_required(s) ? ERR_ACCESS : ERR_OK;
    }
    size_t n = rd_length(&r);
    if (tag != DLMS_GLO_INITIATE_REQUEST || r.err || n != rd_left(&r))
        return ERR_FORMAT;
    if (s->context != DLMS_CONTEXT_LN_CIPHERED)
        return ERR_ACCESS;
    uint8_t *body = apdu + (size_t)(info.p - apdu) + r.pos; /* same octets, writable */
    return security_open(s, DLMS_INITIATE_REQUEST, body, n, false, plain);
}

static struct verdict judge_initiate(struct cosem_session *s, struct bytes plain)
{
    struct dlms_initiate i;
    struct rd r = rd_of(plain.p, plain.len);
    initiate_get_request(&r, &i);
    if (r.err)
        return refused_initiate(DLMS_INITIATE_REFUSED);
    if (i.version < DLMS_VERSION)
        return refused_initiate(DLMS_INITIATE_VERSION_TOO_LOW);
    s->conformance = i.conformance & security_conformance(s->context);
    if ((s->conformance & (DLMS_CONF_GET | DLMS_CONF_SET | DLMS_CONF_ACTION)) == 0)
        return refused_initiate(DLMS_INITIATE_INCOMPATIBLE_CONFORMANCE);
    if (i.max_pdu != 0 && i.max_pdu < COSEM_PDU_MIN)
        return refused_initiate(DLMS_INITIATE_PDU_TOO_SHORT);
    bool limited = i.max_pdu != 0 && i.max_pdu < COSEM_PDU_MAX;
    s->max_pdu = limited ? i.max_pdu : COSEM_PDU_MAX;
    bool sealed = s->request_sc == (DLMS_SC_AUTH | DLMS_SC_ENC);
    if (i.dedicated_key.len == sizeof s->dedicated_key && sealed) {
        memcpy(s->dedicated_key, i.dedicated_key.p, sizeof s->dedicated_key);
        s->has_dedicated = true;
        s->dedicated_floor = 0;
        s->dedicated_tx = (struct dlms_counter){.next = 0, .limit = UINT32_MAX, .store = NULL};
    }
    return accepted;
}

static struct verdict judge(struct cosem_session *s, const struct acse_aarq *a, uint8_t *apdu)
{
    struct bytes plain;
    struct verdict v = judge_saps(s);
    if (v.result == ACSE_ACCEPTED)
        v = judge_context(s, a);
    if (v.result == ACSE_ACCEPTED)
        v = judge_secret(s, a);
    if (v.result != ACSE_ACCEPTED)
        return v;
    if (open_user_info(s, a->user_info, apdu, &plain))
        return refused(ACSE_DIAG_AUTHENTICATION_FAILURE);
    struct verdict initiate = judge_initiate(s, plain);
    return initiate.result == ACSE_ACCEPTED ? v : initiate;
}

/* InitiateResponse, sealed where the request was: tag, length, body. *len 0 when sealing failed. */
#define INITIATE_SIZE 64
static struct bytes make_initiate_response(struct cosem_session *s, uint8_t out[INITIATE_SIZE])
{
    struct dlms_initiate i = {.version = DLMS_VERSION,
                              .conformance = s->conformance,
                              .max_pdu = COSEM_PDU_MAX,
                              .vaa = DLMS_VAA_LN};
    size_t body_len;
    size_t head = s->request_sc ? 2 + DLMS_HEAD_LEN : 0;
    struct wr w = wr_of(out + head, INITIATE_SIZE - head);
    initiate_put_response(&w, &i);
    if (s->request_sc == 0)
        return (struct bytes){out, w.len};
    if (security_seal(s, out + 2, w.len, INITIATE_SIZE - 2, &body_len))
        return (struct bytes){NULL, 0};
    out[0] = DLMS_GLO_INITIATE_RESPONSE;
    out[1] = (uint8_t)body_len; /* 31 at most: short form */
    return (struct bytes){out, 2 + body_len};
}

static void reply_aare(struct cosem_session *s, const struct acse_aare *aare)
{
    struct wr w = reply_begin(s);
    acse_put_aare(&w, aare);
    reply_send_plain(s, REPLY_START, w.len);
}

static void refuse(struct cosem_session *s, uint8_t context, struct verdict v)
{
    const uint8_t error[] = {DLMS_CONFIRMED_SERVICE_ERROR, DLMS_CSE_INITIATE, DLMS_SE_INITIATE,
                             v.initiate_error};
    struct acse_aare aare = {.context = context ? context : DLMS_CONTEXT_LN,
                             .result = v.result,
                             .source = ACSE_SOURCE_USER,
                             .diagnostic = v.diagnostic};
    if (v.initiate_error)
        aare.user_info = (struct bytes){error, sizeof error};
    association_end(s);
    reply_aare(s, &aare);
    if (v.diagnostic == ACSE_DIAG_AUTHENTICATION_FAILURE)
        report(s, false);
}

static void set_associated(struct cosem_session *s)
{
    s->state = SESSION_ASSOCIATED;
    s->server->n_associated[s->client - s->server->config.clients]++;
    if (s->client->mechanism != COSEM_AUTH_NONE)
        report(s, true);
}

void association_open(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    struct acse_aarq a;
    uint8_t initiate[INITIATE_SIZE];
    struct rd r = rd_of(apdu, len);
    association_end(s);
    acse_get_aarq(&r, &a);
    struct verdict v = r.err ? refused(ACSE_DIAG_NO_REASON) : judge(s, &a, apdu);
    if (v.result != ACSE_ACCEPTED) {
        refuse(s, a.context, v);
        return;
    }
    bool hls = s->client->mechanism == COSEM_AUTH_HLS5;
    struct acse_aare aare = {.context = s->context,
                             .result = ACSE_ACCEPTED,
                             .source = ACSE_SOURCE_USER,
                             .diagnostic = v.diagnostic,
                             .has_mechanism = hls,
                             .mechanism = DLMS_MECHANISM_HLS5,
                             .user_info = make_initiate_response(s, initiate)};
    if (aare.user_info.len == 0) {
        v = refused(ACSE_DIAG_NO_REASON);
        v.result = ACSE_REJECTED_TRANSIENT;
        refuse(s, a.context, v);
        return;
    }
    if (hls)
        aare.secret = (struct bytes){s->challenge, sizeof s->challenge};
    if (hls || s->context == DLMS_CONTEXT_LN_CIPHERED)
        aare.title = (struct bytes){s->server->config.title, DLMS_TITLE_LEN};
    if (hls)
        s->state = SESSION_PENDING;
    else
        set_associated(s);
    reply_aare(s, &aare);
}

void association_release(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    struct acse_release q, a = {.has_reason = true, .reason = ACSE_RELEASE_NORMAL};
    uint8_t initiate[INITIATE_SIZE];
    struct bytes plain;
    struct rd r = rd_of(apdu, len);
    acse_get_release(&r, DLMS_RLRQ, &q);
    if (r.err) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
        return;
    }
    /* Without user information any RLRQ releases: many clients send no more than that, and closing
     * the line would do the same. */
    if (q.user_info.len > 0 && open_user_info(s, q.user_info, apdu, &plain))
        a.reason = ACSE_RELEASE_NOT_FINISHED;
    else if (q.user_info.len > 0)
        a.user_info = make_initiate_response(s, initiate);
    if (a.reason == ACSE_RELEASE_NORMAL)
        association_end(s);
    struct wr w = reply_begin(s);
    acse_put_release(&w, DLMS_RLRE, &a);
    reply_send_plain(s, REPLY_START, w.len);
}

/* f(StoC) is genuine and its counter fresh. The counter shares the key's number space with ciphered
 * APDUs: it must not be below what was accepted before this request, nor that of the request. */
static bool hls_proof_ok(struct cosem_session *s, struct bytes f)
{
    uint32_t counter;
    uint32_t *floor = security_floor(s);
    struct bytes challenge = {s->challenge, sizeof s->challenge};
    if (dlms_hls5_check(&s->server->keys, s->client_title, challenge, f, &counter))
        return false;
    bool global = s->request_sc && !s->request_dedicated;
    uint32_t lowest = global ? s->request_floor : *floor;
    if (counter < lowest || counter == UINT32_MAX || (global && counter == s->request_counter))
        return false;
    if (counter >= *floor)
        *floor = counter + 1;
    if (global && security_follows(s->request_counter, counter) && s->request_counter >= *floor)
        *floor = s->request_counter + 1; /* pass 3 itself, where it was encrypted only */
    return true;
}

enum cosem_result association_hls_reply(struct cosem_session *s, struct rd *param, struct wr *reply)
{
    uint8_t f[DLMS_GMAC_LEN];
    uint32_t counter;
    struct bytes theirs = axdr_get_octets(param);
    if (s->state != SESSION_PENDING)
        return COSEM_READ_WRITE_DENIED;
    if (param->err || !hls_proof_ok(s, theirs)) {
        report(s, false);
        return COSEM_OTHER_REASON;
    }
    struct bytes challenge = {s->client_challenge, s->client_challenge_len};
    if (dlms_counter_take(&s->server->tx, &counter) ||
        dlms_hls5_make(&s->server->keys, s->server->config.title, counter, challenge, f))
        return COSEM_TEMPORARY_FAILURE;
    axdr_put_octets(reply, f, sizeof f);
    set_associated(s);
    return COSEM_SUCCESS;
}
