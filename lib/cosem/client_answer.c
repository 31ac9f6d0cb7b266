/* What an answer of the meter means: protection, association, values.
 *
 * Every path ends in client_fail(), client_become() or the next request; on_frame in client.c calls
 * in with one whole APDU, which lies at the front of buf and is deciphered in place. */
#include "lib/cosem/client_items.h"
#include "lib/cosem/client_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

#define SC_SUITE 0x0Fu

static const uint8_t current_association[6] = {0, 0, 40, 0, 0, 255};

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

/* ERR_REFUSED, or what in fact went wrong: a security error must not look like a refusal. */
static enum err exception_err(uint8_t service_error)
{
    if (service_error == DLMS_EXC_DECIPHERING_ERROR)
        return ERR_TAG;
    return service_error == DLMS_EXC_COUNTER_ERROR ? ERR_REPLAY : ERR_REFUSED;
}

void client_on_exception(struct cosem_client *c, struct bytes apdu)
{
    struct apdu_response a = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_response(&r, &a);
    if (r.err) {
        client_fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return;
    }
    const bool keep = cosem_client_waiting(c) && c->state >= CLIENT_GETTING &&
                      c->state <= CLIENT_ACTING && exception_err(a.service_error) == ERR_REFUSED;
    client_fail(c, exception_err(a.service_error),
                a.tag == DLMS_EXCEPTION_RESPONSE ? CLIENT_WHY_EXCEPTION : CLIENT_WHY_INITIATE,
                a.service_error);
    c->failure.counter = a.counter;
    if (keep)
        client_become(c, CLIENT_READY);
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

static void on_hls_answer(struct cosem_client *c, const struct apdu_response *a)
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

static void end_refused(struct cosem_client *c, uint8_t result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, 0, (enum cosem_result)result);
    client_become(c, CLIENT_READY);
}

/* A GET refused, in one piece or in the midst of blocks. A success without a value is no answer. */
static void get_refused(struct cosem_client *c, uint8_t result)
{
    if (result == COSEM_SUCCESS)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_VALUE, c->block);
    else
        end_refused(c, result);
}

/* Octets of values; after the last the operation is over. False after a failure. */
static bool take_values(struct cosem_client *c, struct bytes part, bool last)
{
    enum err err = client_items_feed(c, part);
    if (!err && last && !client_items_complete(c))
        err = ERR_TRUNCATED;
    if (err) {
        client_fail(c, err, err == ERR_FULL ? CLIENT_WHY_SINK : CLIENT_WHY_VALUE, c->block);
        return false;
    }
    if (last)
        client_become(c, CLIENT_READY);
    return true;
}

static void on_block(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->block != c->block + 1) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_BLOCK, a->block);
        return;
    }
    if (!a->has_data) {
        get_refused(c, a->result);
        return;
    }
    if (c->block == 0)
        client_items_begin(c, c->n_list, true);
    c->block++;
    if (!take_values(c, a->data, a->last) || a->last)
        return;
    const struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                                   .type = DLMS_GET_NEXT,
                                   .invoke = (uint8_t)(0xC0 | c->invoke),
                                   .block = c->block};
    enum err err = client_send_request(c, now_ms, &q, CLIENT_GETTING);
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
}

static void on_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->type == DLMS_GETRES_BLOCK) {
        on_block(c, now_ms, a);
        return;
    }
    const bool list = a->type == DLMS_GETRES_LIST;
    if (c->block > 0 || list != (c->n_list > 0) || a->n_list != c->n_list) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a->tag);
        return;
    }
    if (!list && !a->has_data) {
        get_refused(c, a->result);
        return;
    }
    client_items_begin(c, c->n_list, false);
    (void)take_values(c, a->data, true);
}

static void on_action(struct cosem_client *c, const struct apdu_response *a)
{
    if (a->result != COSEM_SUCCESS || !a->has_data) {
        end_refused(c, a->result == COSEM_SUCCESS && a->has_return ? a->return_result : a->result);
        return;
    }
    client_items_begin(c, 0, false);
    (void)take_values(c, a->data, true);
}

void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r)
{
    struct apdu_response a = {0};
    apdu_get_response(r, &a);
    if (r->err) {
        client_fail(c, r->err, CLIENT_WHY_APDU, (uint32_t)r->err_pos);
        return;
    }
    if ((a.invoke & 0x0F) != c->invoke)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
    else if (c->state == CLIENT_GETTING && a.tag == DLMS_GET_RESPONSE)
        on_get(c, now_ms, &a);
    else if (c->state == CLIENT_SETTING && a.tag == DLMS_SET_RESPONSE &&
             a.type == DLMS_SETRES_NORMAL)
        end_refused(c, a.result);
    else if (c->state == CLIENT_ACTING && a.tag == DLMS_ACTION_RESPONSE)
        on_action(c, &a);
    else if (c->state == CLIENT_AUTHENTICATING && a.tag == DLMS_ACTION_RESPONSE)
        on_hls_answer(c, &a);
    else
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
}
