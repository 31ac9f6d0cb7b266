/* See scripted.h. */
#include "tests/headend/collect/scripted.h"

#include "lib/cosem/obis.h"
#include "lib/dlms/acse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define BLOCK 1000u

static const uint8_t notification[] = {0, 1, 0, 1, 0, 16,       0, 7, DLMS_DATA_NOTIFICATION,
                                       0, 0, 0, 1, 0, AXDR_NULL};

void scripted_init(struct scripted *s)
{
    const struct cosem_client_config k = {.client_sap = 16, .server_sap = 1, .timeout_ms = 1000};
    memset(s, 0, sizeof *s);
    s->conformance = DLMS_CONF_GET | DLMS_CONF_BLOCK_GET | DLMS_CONF_MULTIPLE | DLMS_CONF_SELECTIVE;
    s->mute_after = UINT32_MAX;
    reading_init(&s->x, &k);
    scripted_value(s, 15, "0-0:40.0.0.255", 2, "01 00");
}

static struct script_rule *find(struct scripted *s, uint16_t class_id, const uint8_t ln[6],
                                uint8_t id)
{
    for (size_t i = 0; i < s->n_rules; i++) {
        struct script_rule *r = &s->rule[i];
        if (r->class_id == class_id && memcmp(r->ln, ln, 6) == 0 && r->id == id)
            return r;
    }
    return NULL;
}

static struct script_rule *rule_of(struct scripted *s, uint16_t class_id, const char *obis,
                                   uint8_t id)
{
    uint8_t ln[6];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    struct script_rule *r = find(s, class_id, ln, id);
    if (r != NULL)
        return r;
    assert_true(s->n_rules < SCRIPT_RULES);
    r = &s->rule[s->n_rules++];
    *r = (struct script_rule){.class_id = class_id, .id = id};
    memcpy(r->ln, ln, sizeof ln);
    return r;
}

void scripted_octets(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                     struct bytes value)
{
    struct script_rule *r = rule_of(s, class_id, obis, id);
    assert_true(value.len <= sizeof s->octets - s->n_octets);
    memcpy(s->octets + s->n_octets, value.p, value.len);
    r->value = (struct bytes){s->octets + s->n_octets, value.len};
    r->result = COSEM_SUCCESS;
    s->n_octets += value.len;
}

void scripted_value(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                    const char *hex)
{
    uint8_t octets[2000];
    scripted_octets(s, class_id, obis, id,
                    (struct bytes){octets, hex_octets(hex, octets, sizeof octets)});
}

void scripted_refuse(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                     uint8_t result)
{
    rule_of(s, class_id, obis, id)->result = result;
}

/* ---- answers ---- */

static void put_aare(const struct scripted *s, struct wr *w)
{
    uint8_t initiate[32];
    struct wr i = wr_of(initiate, sizeof initiate);
    const struct dlms_initiate response = {.version = DLMS_VERSION,
                                           .conformance = s->conformance,
                                           .max_pdu = s->max_pdu,
                                           .vaa = DLMS_VAA_LN};
    initiate_put_response(&i, &response);
    const struct acse_aare a = {.context = DLMS_CONTEXT_LN,
                                .result = ACSE_ACCEPTED,
                                .source = ACSE_SOURCE_USER,
                                .user_info = {initiate, i.len}};
    acse_put_aare(w, &a);
}

static void put_exception(struct wr *w)
{
    const struct apdu_response a = {
        .tag = DLMS_EXCEPTION_RESPONSE, .state_error = 1, .service_error = 4};
    apdu_put_response(w, &a);
}

static void put_refusal(struct wr *w, uint8_t invoke, uint8_t result)
{
    const struct apdu_response a = {
        .tag = DLMS_GET_RESPONSE, .type = DLMS_GETRES_NORMAL, .invoke = invoke, .result = result};
    apdu_put_response(w, &a);
}

/* The next block of s->open. */
static void put_block(struct scripted *s, struct wr *w, uint8_t invoke)
{
    const bool last = !s->empty_blocks && s->open.len <= BLOCK;
    const size_t n = s->empty_blocks ? 0 : last ? s->open.len : BLOCK;
    const struct apdu_response a = {.tag = DLMS_GET_RESPONSE,
                                    .type = DLMS_GETRES_BLOCK,
                                    .invoke = invoke,
                                    .last = last,
                                    .block = ++s->block,
                                    .has_data = true,
                                    .data = {s->open.p, n}};
    apdu_put_response(w, &a);
    if (!s->endless_text)
        s->open = (struct bytes){s->open.p + n, s->open.len - n};
}

static void answer_get(struct scripted *s, struct wr *w, const struct apdu_request *q)
{
    static const uint8_t text[2 * BLOCK] = {AXDR_TEXT, 0x84, 0x7F, 0xFF, 0xFF, 0xFF};
    const struct script_rule *r = find(s, q->target.class_id, q->target.ln, q->target.id);
    s->n_singles++;
    s->n_ranges += q->target.selector != 0;
    if (q->target.selector != 0) {
        s->range_len = q->target.parameter.len;
        assert_true(s->range_len <= sizeof s->range);
        memcpy(s->range, q->target.parameter.p, s->range_len);
    }
    s->block = 0;
    if (q->target.selector != 0 && s->except_ranges) {
        put_exception(w);
    } else if ((q->target.selector != 0 && s->refuse_ranges) || r == NULL || r->result != 0) {
        put_refusal(w, q->invoke, r != NULL && r->result != 0 ? r->result : COSEM_OBJECT_UNDEFINED);
    } else if (s->empty_blocks || s->endless_text || r->value.len > BLOCK) {
        s->open = s->endless_text ? (struct bytes){text, sizeof text} : r->value;
        put_block(s, w, q->invoke);
    } else {
        const struct apdu_response a = {.tag = DLMS_GET_RESPONSE,
                                        .type = DLMS_GETRES_NORMAL,
                                        .invoke = q->invoke,
                                        .has_data = true,
                                        .data = r->value};
        apdu_put_response(w, &a);
    }
}

static void answer_list(struct scripted *s, struct wr *w, const struct apdu_request *q)
{
    uint8_t results[2000];
    struct wr list = wr_of(results, sizeof results);
    struct rd r = rd_of(q->list.p, q->list.len);
    s->n_lists++;
    if (s->list_max != 0 && q->n_list > s->list_max) {
        put_exception(w);
        return;
    }
    if (s->list_as_normal) {
        put_refusal(w, q->invoke, COSEM_OTHER_REASON);
        return;
    }
    for (uint32_t i = 0; i < q->n_list; i++) {
        struct apdu_attr a;
        apdu_get_attr(&r, &a);
        const struct script_rule *rule = find(s, a.class_id, a.ln, a.id);
        const uint8_t result = rule == NULL ? COSEM_OBJECT_UNDEFINED : rule->result;
        wr_u8(&list, result != COSEM_SUCCESS);
        if (result != COSEM_SUCCESS)
            wr_u8(&list, result);
        else
            wr_bytes(&list, rule->value.p, rule->value.len);
    }
    assert_int_equal(r.err, ERR_OK);
    const struct apdu_response a = {.tag = DLMS_GET_RESPONSE,
                                    .type = DLMS_GETRES_LIST,
                                    .invoke = q->invoke,
                                    .n_list = q->n_list,
                                    .data = {results, list.len}};
    apdu_put_response(w, &a);
}

void scripted_answer(struct scripted *s, struct wr *w, struct bytes apdu)
{
    const struct acse_release released = {.has_reason = true};
    struct apdu_request q;
    struct rd r = rd_of(apdu.p, apdu.len);
    s->n_requests++;
    if (s->n_requests > s->mute_after || (apdu.p[0] == DLMS_RLRQ && s->no_release))
        return;
    if (apdu.p[0] == DLMS_AARQ) {
        put_aare(s, w);
    } else if (apdu.p[0] == DLMS_RLRQ) {
        acse_put_release(w, DLMS_RLRE, &released);
    } else {
        apdu_get_request(&r, &q);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(q.tag, DLMS_GET_REQUEST);
        if (q.type == DLMS_GET_NEXT)
            put_block(s, w, q.invoke);
        else if (q.type == DLMS_GET_LIST)
            answer_list(s, w, &q);
        else
            answer_get(s, w, &q);
    }
    assert_int_equal(w->err, ERR_OK);
}

static void feed(struct scripted *s, const uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t used = reader_feed(&s->x.reader, s->x.now_ms, p + at, n - at);
        assert_true(used > 0 || s->x.reader.state == READER_FAILED);
        at = used > 0 ? at + used : n;
    }
}

void scripted_run(struct scripted *s)
{
    const size_t half = sizeof notification / 2;
    uint8_t request[4096];
    size_t n;
    while ((n = reader_take(&s->x.reader, request, sizeof request)) > 0) {
        struct wr w = wr_of(s->reply + WRAPPER_HEAD_LEN, sizeof s->reply - WRAPPER_HEAD_LEN - 32);
        assert_true(n > WRAPPER_HEAD_LEN);
        assert_true(s->max_pdu == 0 || n - WRAPPER_HEAD_LEN <= s->max_pdu ||
                    request[WRAPPER_HEAD_LEN] == DLMS_AARQ);
        scripted_answer(s, &w, (struct bytes){request + WRAPPER_HEAD_LEN, n - WRAPPER_HEAD_LEN});
        if (w.len == 0)
            return;
        struct wr head = wr_of(s->reply, WRAPPER_HEAD_LEN);
        wrapper_put_head(&head, 1, 16, (uint16_t)w.len);
        n = WRAPPER_HEAD_LEN + w.len;
        if (s->notifies)
            memcpy(s->reply + n, notification, half);
        feed(s, s->reply, s->notifies ? n + half : n);
        if (s->notifies)
            feed(s, notification + half, sizeof notification - half);
    }
}

void scripted_read(struct scripted *s, uint8_t want)
{
    reader_lost(&s->x.reader);
    s->n_requests = s->n_lists = s->n_singles = s->n_ranges = 0;
    reading_begin(&s->x, want);
    scripted_run(s);
}
