/* Opening and releasing associations. Green Book 9.4.
 *
 * An AARQ is judged in a fixed order: who calls whom, context, mechanism, secret, InitiateRequest.
 * The first objection answers; nothing of a refused association stays. A dedicated key is taken
 * only from an InitiateRequest both encrypted and authenticated: replayed, it would make this side
 * begin anew with counters the key has seen. */
#include "lib/cosem/mechanisms.h"
#include "lib/cosem/server_parts.h"
#include "lib/dlms/acse.h"
#include "lib/dlms/axdr.h"

#include <string.h>

/* What becomes of an AARQ, in a word: diagnostic of ACSE | result << 8 | initiate error of xDLMS <<
 * 16 (0: none). */
#define ACCEPTED            0u
#define PROVE               ((uint32_t)ACSE_DIAG_AUTHENTICATION_REQUIRED) /* accepted: now pass 3 */
#define REFUSED(diagnostic) ((uint32_t)ACSE_REJECTED_PERMANENT << 8 | (uint32_t)(diagnostic))
#define REFUSED_INITIATE(e) ((uint32_t)(e) << 16 | REFUSED(ACSE_DIAG_NO_REASON))
#define LATER               ((uint32_t)ACSE_REJECTED_TRANSIENT << 8 | ACSE_DIAG_NO_REASON)

static bool is_refusal(uint32_t verdict)
{
    return verdict >> 8 != ACSE_ACCEPTED;
}

/* Ways of HLS to prove a secret; HLS 5 proves the keys. */
#define WITH_HLS_SECRET (COSEM_WITH_HLS2 || COSEM_WITH_HLS6 || COSEM_WITH_WEAK_HLS)

/* Of a client that proves itself by HLS: whether by the keys. */
static bool proves_keys(const struct cosem_session *s)
{
    return !WITH_HLS_SECRET || s->client->mechanism == COSEM_AUTH_HLS5;
}

/* How this client proves itself; NULL: not by HLS, or not in this build. */
static const struct dlms_hls_method *method_of(const struct cosem_session *s)
{
    if (COSEM_WITH_HLS2 && s->client->mechanism == COSEM_AUTH_HLS2 && !s->server->config.hls2)
        return NULL;
    return mechanism_find((uint8_t)s->client->mechanism);
}

static struct bytes secret_of(const struct cosem_client_entry *e)
{
    size_t len = e->password ? strlen(e->password) : 0;
    if (len == 0 || len > COSEM_CHALLENGE_MAX)
        return (struct bytes){NULL, 0};
    return (struct bytes){(const uint8_t *)e->password, len};
}

static void report(struct cosem_session *s, bool ok)
{
    const struct cosem_server_config *c = &s->server->config;
    backoff_note(s, ok);
    if (c->authenticated)
        c->authenticated(c->context, s->client_sap, ok);
}

/* Finds device and client entry of the SAPs called. */
static uint32_t judge_saps(struct cosem_session *s)
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
    return s->device && s->client ? ACCEPTED : REFUSED(ACSE_DIAG_NO_REASON);
}

static uint32_t judge_context(struct cosem_session *s, const struct acse_aarq *a)
{
    const struct dlms_keys *k = &s->server->keys;
    bool ciphered = a->context == DLMS_CONTEXT_LN_CIPHERED;
    if (a->context != DLMS_CONTEXT_LN && !ciphered)
        return REFUSED(ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    if (ciphered ? !k->has_guek || !k->has_gak : s->client->security != 0)
        return REFUSED(ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    s->context = a->context;
    if (a->title.len == DLMS_TITLE_LEN) {
        memcpy(s->client_title, a->title.p, DLMS_TITLE_LEN);
        /* a peer with our own title could send our protected APDUs back to us */
        s->has_title = memcmp(a->title.p, s->server->config.title, DLMS_TITLE_LEN) != 0;
    }
    const struct dlms_hls_method *m = method_of(s);
    bool needs_title = ciphered || (m && m->needs_titles);
    return needs_title && !s->has_title ? REFUSED(ACSE_DIAG_CALLING_TITLE_UNKNOWN) : ACCEPTED;
}

/* Compares in a time that depends on the length of the right password only. */
static bool password_matches(struct bytes right, struct bytes given)
{
    uint8_t padded[COSEM_CHALLENGE_MAX] = {0};
    if (right.len == 0)
        return false;
    if (given.len > 0)
        memcpy(padded, given.p, given.len < right.len ? given.len : right.len);
    bool same = ct_equal(padded, right.p, right.len);
    wipe(padded, sizeof padded);
    return same && given.len == right.len;
}

/* HLS passes 1 and 2: keeps the client's challenge, draws ours. */
static uint32_t begin_hls(struct cosem_session *s, const struct dlms_hls_method *m,
                          struct bytes challenge)
{
    const struct hal_rng *rng = s->server->config.rng;
    if (challenge.len < 8 || challenge.len > COSEM_CHALLENGE_MAX ||
        (WITH_HLS_SECRET && m->needs_secret && secret_of(s->client).len == 0))
        return REFUSED(ACSE_DIAG_AUTHENTICATION_FAILURE);
    memcpy(s->client_challenge, challenge.p, challenge.len);
    s->client_challenge_len = (uint8_t)challenge.len;
    if (!rng || rng->fill(rng, s->challenge, sizeof s->challenge))
        return LATER;
    return PROVE;
}

static uint32_t judge_secret(struct cosem_session *s, const struct acse_aarq *a)
{
    uint8_t mechanism = a->has_mechanism ? a->mechanism : DLMS_MECHANISM_NONE;
    const struct dlms_hls_method *m = method_of(s);
    if (mechanism != s->client->mechanism)
        return REFUSED(mechanism == DLMS_MECHANISM_NONE ? ACSE_DIAG_AUTHENTICATION_REQUIRED
                                                        : ACSE_DIAG_MECHANISM_UNKNOWN);
    if (mechanism == DLMS_MECHANISM_NONE)
        return ACCEPTED;
    if (mechanism != DLMS_MECHANISM_LLS && !m)
        return REFUSED(ACSE_DIAG_MECHANISM_UNKNOWN);
    if (backoff_refuses(s))
        return LATER;
    if (m)
        return begin_hls(s, m, a->secret);
    return password_matches(secret_of(s->client), a->secret)
               ? ACCEPTED
               : REFUSED(ACSE_DIAG_AUTHENTICATION_FAILURE);
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
    if (!security_is_ciphered(tag) || s->context != DLMS_CONTEXT_LN_CIPHERED)
        return ERR_ACCESS;
    uint8_t *body = apdu + (size_t)(info.p - apdu); /* same octets, writable */
    enum err err = security_open_apdu(s, body, info.len, plain);
    return !err && plain->p[0] != DLMS_INITIATE_REQUEST ? ERR_ACCESS : err;
}

static uint32_t judge_initiate(struct cosem_session *s, struct bytes plain)
{
    struct dlms_initiate i;
    struct rd r = rd_of(plain.p, plain.len);
    initiate_get_request(&r, &i);
    if (r.err)
        return REFUSED_INITIATE(DLMS_INITIATE_REFUSED);
    if (i.version < DLMS_VERSION)
        return REFUSED_INITIATE(DLMS_INITIATE_VERSION_TOO_LOW);
    s->conformance = i.conformance & security_conformance(s->context);
    if ((s->conformance & (DLMS_CONF_GET | DLMS_CONF_SET | DLMS_CONF_ACTION)) == 0)
        return REFUSED_INITIATE(DLMS_INITIATE_INCOMPATIBLE_CONFORMANCE);
    if (i.max_pdu != 0 && i.max_pdu < COSEM_PDU_MIN)
        return REFUSED_INITIATE(DLMS_INITIATE_PDU_TOO_SHORT);
    bool limited = i.max_pdu != 0 && i.max_pdu < COSEM_PDU_MAX;
    s->max_pdu = limited ? i.max_pdu : COSEM_PDU_MAX;
    bool sealed = s->request_sc == (DLMS_SC_AUTH | DLMS_SC_ENC);
    if (COSEM_WITH_DEDICATED && i.dedicated_key.len == sizeof s->dedicated_key && sealed) {
        memcpy(s->dedicated_key, i.dedicated_key.p, sizeof s->dedicated_key);
        s->has_dedicated = true;
        s->dedicated_rx = (struct dlms_replay){0, 0};
        s->dedicated_tx = (struct dlms_counter){.next = 0, .limit = UINT32_MAX, .store = NULL};
    }
    return ACCEPTED;
}

static uint32_t judge(struct cosem_session *s, const struct acse_aarq *a, uint8_t *apdu)
{
    struct bytes plain;
    uint32_t v = judge_saps(s);
    if (!is_refusal(v))
        v = judge_context(s, a);
    if (!is_refusal(v))
        v = judge_secret(s, a);
    if (is_refusal(v))
        return v;
    enum err err = open_user_info(s, a->user_info, apdu, &plain);
    security_report(s, err);
    if (err)
        return REFUSED(ACSE_DIAG_AUTHENTICATION_FAILURE);
    uint32_t initiate = judge_initiate(s, plain);
    return is_refusal(initiate) ? initiate : v;
}

/* InitiateResponse, sealed where and as the request was. Empty when sealing failed. */
#define INITIATE_SIZE 64
static struct bytes make_initiate_response(struct cosem_session *s, uint8_t out[INITIATE_SIZE])
{
    struct dlms_initiate i = {.version = DLMS_VERSION,
                              .conformance = s->conformance,
                              .max_pdu = COSEM_PDU_MAX,
                              .vaa = DLMS_VAA_LN};
    size_t start = SECURITY_HEAD_MAX + DLMS_HEAD_LEN;
    struct wr w = wr_of(out + start, INITIATE_SIZE - start);
    initiate_put_response(&w, &i);
    if (security_seal_apdu(s, out, INITIATE_SIZE, &start, &w.len))
        return (struct bytes){NULL, 0};
    return (struct bytes){out + start, w.len};
}

static void reply_aare(struct cosem_session *s, const struct acse_aare *aare)
{
    struct wr w = reply_begin(s);
    acse_put_aare(&w, aare);
    reply_send_plain(s, REPLY_START, w.len);
}

static void refuse(struct cosem_session *s, uint8_t context, uint32_t verdict)
{
    const uint8_t error[] = {DLMS_CONFIRMED_SERVICE_ERROR, DLMS_CSE_INITIATE, DLMS_SE_INITIATE,
                             (uint8_t)(verdict >> 16)};
    struct acse_aare aare = {.context = context ? context : DLMS_CONTEXT_LN,
                             .result = (uint8_t)(verdict >> 8),
                             .source = ACSE_SOURCE_USER,
                             .diagnostic = (uint8_t)verdict};
    if (verdict >> 16)
        aare.user_info = (struct bytes){error, sizeof error};
    if (aare.diagnostic == ACSE_DIAG_AUTHENTICATION_FAILURE)
        report(s, false);
    association_end(s);
    reply_aare(s, &aare);
}

static void set_associated(struct cosem_session *s)
{
    s->state = SESSION_ASSOCIATED;
    s->server->n_associated[server_entry(s)]++;
    if (s->client->mechanism != COSEM_AUTH_NONE)
        report(s, true);
}

__attribute__((noinline)) static void answer_aarq(struct cosem_session *s, uint8_t *apdu,
                                                  size_t len)
{
    struct acse_aarq a;
    uint8_t initiate[INITIATE_SIZE];
    struct rd r = rd_of(apdu, len);
    association_end(s);
    acse_get_aarq(&r, &a);
    uint32_t v = r.err ? REFUSED(ACSE_DIAG_NO_REASON) : judge(s, &a, apdu);
    if (is_refusal(v)) {
        refuse(s, a.context, v);
        return;
    }
    const struct dlms_hls_method *hls = method_of(s);
    struct acse_aare aare = {.context = s->context,
                             .result = ACSE_ACCEPTED,
                             .source = ACSE_SOURCE_USER,
                             .diagnostic = (uint8_t)v,
                             .has_mechanism = hls != NULL,
                             .mechanism = (uint8_t)s->client->mechanism,
                             .user_info = make_initiate_response(s, initiate)};
    if (aare.user_info.len == 0) {
        refuse(s, a.context, LATER);
        return;
    }
    if (hls)
        aare.secret = (struct bytes){s->challenge, sizeof s->challenge};
    if ((hls && hls->needs_titles) || s->context == DLMS_CONTEXT_LN_CIPHERED)
        aare.title = (struct bytes){s->server->config.title, DLMS_TITLE_LEN};
    if (hls)
        s->state = SESSION_PENDING;
    else
        set_associated(s);
    reply_aare(s, &aare);
}

void association_open(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    answer_aarq(s, apdu, len);
    wipe(apdu, len); /* a password or a dedicated key came in it */
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

/* What HLS 5 needs none of. */
static void fill_secret(const struct cosem_session *s, bool client_proves, struct dlms_hls *h)
{
    const struct cosem_server_config *c = &s->server->config;
    const struct bytes ours = {s->challenge, sizeof s->challenge};
    const struct bytes theirs = {s->client_challenge, s->client_challenge_len};
    h->secret = secret_of(s->client);
    h->own_challenge = client_proves ? theirs : ours;
    h->verifier = client_proves ? c->title : s->client_title;
    h->algorithm = c->hls2;
    h->context = c->context;
}

/* What the proof of one side is made of. ERR_KEY: a key of it is missing. */
static enum err fill_hls(struct cosem_session *s, bool client_proves, struct dlms_hls *h)
{
    struct cosem_server *server = s->server;
    const struct bytes ours = {s->challenge, sizeof s->challenge};
    const struct bytes theirs = {s->client_challenge, s->client_challenge_len};
    *h = (struct dlms_hls){.challenge = client_proves ? ours : theirs,
                           .prover = client_proves ? s->client_title : server->config.title,
                           .gcm = &server->gcm,
                           .ak = server->keys.gak};
    if (WITH_HLS_SECRET)
        fill_secret(s, client_proves, h);
    if (!proves_keys(s))
        return ERR_OK;
    if (!server->keys.has_guek || !server->keys.has_gak)
        return ERR_KEY;
    return crypto_gcm_key(&server->gcm, server->keys.guek);
}

/* The counter of a genuine f(StoC) shares the key's numbers with ciphered APDUs: it must be fresh,
 * and another than that of the request that carried it. */
static bool hls_counter_ok(struct cosem_session *s, uint32_t counter)
{
    struct dlms_replay w = security_window(s);
    bool global = s->request_sc && !s->request_dedicated;
    if (!dlms_replay_fresh(&w, counter) || (global && counter == s->request_counter))
        return false;
    dlms_replay_use(&w, counter);
    if (global && security_follows(s->request_counter, counter))
        dlms_replay_use(&w, s->request_counter); /* pass 3 itself, where it was encrypted only */
    security_set_window(s, &w);
    return true;
}

/* Pass 3. A challenge is good for one answer: the next try begins with an AARQ. */
static bool hls_proof_ok(struct cosem_session *s, const struct dlms_hls_method *m, struct bytes f)
{
    struct dlms_hls h;
    bool first = s->client_challenge_len > 0;
    bool good = first && !fill_hls(s, true, &h) && !m->check(&h, f);
    if (!good)
        s->client_challenge_len = 0;
    return good && (!proves_keys(s) || hls_counter_ok(s, h.counter));
}

/* Pass 4: our own proof as Data. */
static enum err put_own_proof(struct cosem_session *s, const struct dlms_hls_method *m,
                              struct wr *reply)
{
    uint8_t f[DLMS_HLS_MAX];
    size_t len = 0;
    struct dlms_hls h;
    enum err err = fill_hls(s, false, &h);
    if (!err && proves_keys(s))
        err = dlms_counter_take(&s->server->tx, &h.counter);
    if (!err)
        err = m->make(&h, f, &len);
    if (!err)
        axdr_put_octets(reply, f, len);
    return err;
}

enum cosem_result association_hls_reply(struct cosem_session *s, struct rd *param, struct wr *reply)
{
    struct bytes theirs = axdr_get_octets(param);
    if (s->state != SESSION_PENDING)
        return COSEM_READ_WRITE_DENIED;
    const struct dlms_hls_method *m = method_of(s);
    if (backoff_refuses(s))
        return COSEM_TEMPORARY_FAILURE;
    if (!m || param->err || !hls_proof_ok(s, m, theirs)) {
        report(s, false);
        return COSEM_OTHER_REASON;
    }
    if (put_own_proof(s, m, reply))
        return COSEM_TEMPORARY_FAILURE;
    set_associated(s);
    return COSEM_SUCCESS;
}
