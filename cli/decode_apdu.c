/* APDUs to JSON: the plain forms through the codecs of lib/dlms, the ciphered ones opened first.
 *
 * A failed tag is reported but the text is still tried without it: with the right guek and a wrong
 * gak a person wants to see both facts. Nothing here trusts a length of the input. */
#include "cli/decode_apdu.h"
#include "cli/client_value.h"
#include "cli/decode_values.h"

#include "lib/cosem/obis.h"
#include "lib/cosem/results.h"
#include "lib/crypto/crypto.h"
#include "lib/dlms/acse.h"
#include "lib/dlms/apdu.h"
#include "lib/dlms/datetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint8_t tag;
    const char *name;
} names[] = {
    {DLMS_INITIATE_REQUEST, "initiate-request"},
    {DLMS_INITIATE_RESPONSE, "initiate-response"},
    {DLMS_CONFIRMED_SERVICE_ERROR, "confirmed-service-error"},
    {DLMS_DATA_NOTIFICATION, "data-notification"},
    {DLMS_AARQ, "aarq"},
    {DLMS_AARE, "aare"},
    {DLMS_RLRQ, "rlrq"},
    {DLMS_RLRE, "rlre"},
    {DLMS_GET_REQUEST, "get-request"},
    {DLMS_SET_REQUEST, "set-request"},
    {DLMS_EVENT_NOTIFICATION, "event-notification-request"},
    {DLMS_ACTION_REQUEST, "action-request"},
    {DLMS_GET_RESPONSE, "get-response"},
    {DLMS_SET_RESPONSE, "set-response"},
    {DLMS_ACTION_RESPONSE, "action-response"},
    {DLMS_EXCEPTION_RESPONSE, "exception-response"},
    {DLMS_ACCESS_REQUEST, "access-request"},
    {DLMS_ACCESS_RESPONSE, "access-response"},
    {DLMS_GENERAL_GLO, "general-glo-ciphering"},
    {DLMS_GENERAL_DED, "general-ded-ciphering"},
    {DLMS_GENERAL_CIPHERING, "general-ciphering"},
    {DLMS_GENERAL_SIGNING, "general-signing"},
    {DLMS_GENERAL_BLOCK, "general-block-transfer"},
};

static const char *name_of(uint8_t tag)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].tag == tag)
            return names[i].name;
    return NULL;
}

static json_t *hex(struct bytes b)
{
    char text[2 * 64 + 1];
    const size_t n = b.len < 64 ? b.len : 64;
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02X", b.p[i]);
    text[2 * n] = '\0';
    return json_string(text);
}

static enum decode_result malformed(json_t *entry, size_t at, const char *what)
{
    char text[160];
    snprintf(text, sizeof text, "octet %zu: %s", at, what);
    json_object_set_new(entry, "error", json_string(text));
    return DECODE_MALFORMED;
}

/* ---- plain APDUs ---- */

static enum decode_result decode_notification(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    (void)rd_u8(&r);
    const uint32_t invoke = rd_u32(&r);
    size_t n = rd_u8(&r);
    if (n == AXDR_OCTETS && rd_left(&r) > 0 && r.p[r.pos] == DATETIME_LEN)
        n = rd_u8(&r); /* some meters tag the date-time as data */
    if (n != 0 && n != DATETIME_LEN)
        return malformed(entry, r.pos - 1, "the date-time has neither 0 nor 12 octets");
    const struct bytes time = rd_bytes(&r, n);
    json_object_set_new(entry, "invoke_id", json_integer(invoke & 0xFFFFFF));
    struct datetime d;
    if (!r.err && n == DATETIME_LEN && datetime_decode(time.p, &d) == ERR_OK) {
        char text[DATETIME_TEXT];
        datetime_text(&d, text);
        json_object_set_new(entry, "date_time", json_string(text));
    }
    json_t *tree = r.err ? NULL : value_tree(&r);
    if (tree == NULL)
        return malformed(entry, r.err ? r.err_pos : r.pos, err_text(r.err));
    json_object_set_new(entry, "values", decode_values(tree));
    json_object_set_new(entry, "tree", tree);
    return rd_left(&r) > 0 ? malformed(entry, r.pos, "octets behind the value") : DECODE_OK;
}

static json_t *attr_json(const struct apdu_attr *a)
{
    char name[OBIS_TEXT];
    obis_print(a->ln, name);
    json_t *out = json_pack("{s:i, s:s, s:i}", "class", a->class_id, "obis", name, "id", a->id);
    if (a->selector != 0)
        json_object_set_new(out, "selector", json_integer(a->selector));
    if (a->parameter.len > 0) {
        struct rd r = rd_of(a->parameter.p, a->parameter.len);
        json_t *tree = value_tree(&r);
        json_object_set_new(out, "parameter", tree != NULL ? tree : json_null());
    }
    return out;
}

static enum decode_result decode_request(json_t *entry, struct bytes apdu)
{
    struct apdu_request q = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_request(&r, &q);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    json_t *tree = json_pack("{s:i, s:i}", "kind", q.type, "invoke_id", q.invoke & 0x0F);
    const bool list = (q.tag == DLMS_GET_REQUEST && q.type == DLMS_GET_LIST) ||
                      (q.tag == DLMS_SET_REQUEST && q.type == DLMS_SET_LIST);
    if (list) {
        json_t *targets = json_array();
        struct rd at = rd_of(q.list.p, q.list.len);
        for (uint32_t i = 0; i < q.n_list && !at.err; i++) {
            struct apdu_attr a = {0};
            apdu_get_attr(&at, &a);
            json_array_append_new(targets, attr_json(&a));
        }
        json_object_set_new(tree, "targets", targets);
    } else if (q.target.class_id != 0) {
        json_object_set_new(tree, "target", attr_json(&q.target));
    } else {
        json_object_set_new(tree, "block", json_integer(q.block));
    }
    if (q.data.len > 0 && q.tag == DLMS_SET_REQUEST && q.type == DLMS_SET_NORMAL) {
        struct rd at = rd_of(q.data.p, q.data.len);
        json_object_set_new(tree, "data", value_tree(&at));
    }
    json_object_set_new(entry, "tree", tree);
    return DECODE_OK;
}

static void put_response_data(json_t *tree, const struct apdu_response *a)
{
    if (a->tag == DLMS_GET_RESPONSE && a->type == DLMS_GETRES_BLOCK) {
        json_object_set_new(tree, "block", json_integer(a->block));
        json_object_set_new(tree, "last", json_boolean(a->last));
        json_object_set_new(tree, "octets", json_integer((json_int_t)a->data.len));
        return;
    }
    if (!a->has_data) {
        json_object_set_new(tree, "result",
                            json_string(cosem_result_text((enum cosem_result)a->result)));
        return;
    }
    struct rd r = rd_of(a->data.p, a->data.len);
    json_t *data = value_tree(&r);
    json_object_set_new(tree, "data", data != NULL ? data : json_null());
}

static enum decode_result decode_response(json_t *entry, struct bytes apdu)
{
    struct apdu_response a = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_response(&r, &a);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    json_t *tree = json_pack("{s:i}", "kind", a.type);
    if (a.tag == DLMS_EXCEPTION_RESPONSE || a.tag == DLMS_CONFIRMED_SERVICE_ERROR) {
        json_object_set_new(tree, "state_error", json_integer(a.state_error));
        json_object_set_new(tree, "service_error", json_integer(a.service_error));
        if (a.tag == DLMS_EXCEPTION_RESPONSE)
            json_object_set_new(tree, "text", json_string(apdu_exception_text(a.service_error)));
    } else if (a.tag == DLMS_GET_RESPONSE && a.type == DLMS_GETRES_LIST) {
        json_t *items = json_array();
        struct rd at = rd_of(a.data.p, a.data.len);
        for (uint32_t i = 0; i < a.n_list && !at.err; i++) {
            struct bytes data = {0};
            uint8_t result = 0;
            apdu_get_result(&at, &data, &result);
            struct rd value = rd_of(data.p, data.len);
            json_array_append_new(
                items, data.len > 0 ? value_tree(&value)
                                    : json_string(cosem_result_text((enum cosem_result)result)));
        }
        json_object_set_new(tree, "items", items);
    } else {
        json_object_set_new(tree, "invoke_id", json_integer(a.invoke & 0x0F));
        put_response_data(tree, &a);
    }
    json_object_set_new(entry, "tree", tree);
    return DECODE_OK;
}

static void keep_title(struct bytes title, bool *has, uint8_t kept[DLMS_TITLE_LEN])
{
    if (title.len != DLMS_TITLE_LEN)
        return;
    memcpy(kept, title.p, DLMS_TITLE_LEN);
    *has = true;
}

static enum decode_result decode_initiate(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct dlms_initiate i = {0};
    char conformance[16];
    if (apdu.p[0] == DLMS_INITIATE_REQUEST)
        initiate_get_request(&r, &i);
    else
        initiate_get_response(&r, &i);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    snprintf(conformance, sizeof conformance, "0x%06X", i.conformance);
    json_object_set_new(entry, "tree",
                        json_pack("{s:i, s:s, s:i, s:b}", "version", i.version, "conformance",
                                  conformance, "max_pdu", i.max_pdu, "dedicated_key",
                                  i.dedicated_key.len > 0));
    return DECODE_OK;
}

static enum decode_result decode_any(json_t *entry, struct bytes apdu, struct decode_keys *k);

/* The InitiateRequest or -Response within an association APDU, as an entry of its own. */
static enum decode_result decode_user_info(json_t *tree, struct bytes user_info,
                                           struct decode_keys *k)
{
    uint8_t copy[256];
    if (user_info.len == 0 || user_info.len > sizeof copy)
        return DECODE_OK;
    memcpy(copy, user_info.p, user_info.len);
    json_t *inner = json_object();
    const enum decode_result result = decode_apdu(inner, copy, user_info.len, k);
    json_object_set_new(tree, "user_information", inner);
    return result;
}

static enum decode_result decode_aarq(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aarq a = {0};
    acse_get_aarq(&r, &a);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    keep_title(a.title, &k->has_client, k->client);
    json_t *tree = json_pack("{s:i, s:i, s:o}", "application_context", a.context, "mechanism",
                             a.has_mechanism ? a.mechanism : 0, "system_title",
                             a.title.len > 0 ? hex(a.title) : json_null());
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, k);
}

static enum decode_result decode_aare(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aare a = {0};
    acse_get_aare(&r, &a);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    keep_title(a.title, &k->has_server, k->server);
    json_t *tree =
        json_pack("{s:i, s:i, s:i, s:s, s:o}", "application_context", a.context, "result", a.result,
                  "diagnostic", a.diagnostic, "text", acse_diagnostic_text(a.source, a.diagnostic),
                  "system_title", a.title.len > 0 ? hex(a.title) : json_null());
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, k);
}

static enum decode_result decode_release(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_release a = {0};
    acse_get_release(&r, apdu.p[0], &a);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    json_t *tree =
        json_pack("{s:o}", "reason", a.has_reason ? json_integer(a.reason) : json_null());
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, k);
}

static enum decode_result decode_plain(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    switch (apdu.p[0]) {
    case DLMS_INITIATE_REQUEST:
    case DLMS_INITIATE_RESPONSE:
        return decode_initiate(entry, apdu);
    case DLMS_DATA_NOTIFICATION:
        return decode_notification(entry, apdu);
    case DLMS_AARQ:
        return decode_aarq(entry, apdu, k);
    case DLMS_AARE:
        return decode_aare(entry, apdu, k);
    case DLMS_RLRQ:
    case DLMS_RLRE:
        return decode_release(entry, apdu, k);
    case DLMS_GET_REQUEST:
    case DLMS_SET_REQUEST:
    case DLMS_ACTION_REQUEST:
        return decode_request(entry, apdu);
    case DLMS_GET_RESPONSE:
    case DLMS_SET_RESPONSE:
    case DLMS_ACTION_RESPONSE:
    case DLMS_EXCEPTION_RESPONSE:
    case DLMS_CONFIRMED_SERVICE_ERROR:
        return decode_response(entry, apdu);
    default:
        return malformed(entry, 0, "this kind of APDU is not decoded");
    }
}

/* ---- ciphered APDUs ---- */

struct sealed {
    uint8_t *body; /* SC first */
    size_t len;
    const uint8_t *title; /* NULL: not known */
    bool dedicated;
};

static json_t *security_json(const struct sealed *s)
{
    char control[8];
    struct rd r = rd_of(s->body, s->len);
    const uint8_t sc = rd_u8(&r);
    snprintf(control, sizeof control, "0x%02X", sc);
    json_t *title = s->title != NULL ? hex((struct bytes){s->title, DLMS_TITLE_LEN}) : json_null();
    return json_pack("{s:s, s:i, s:b, s:b, s:o, s:I, s:s}", "control", control, "suite", sc & 15,
                     "encrypted", (sc & DLMS_SC_ENC) != 0, "authenticated",
                     (sc & DLMS_SC_AUTH) != 0, "system_title", title, "invocation_counter",
                     (json_int_t)rd_u32(&r), "tag", (sc & DLMS_SC_AUTH) != 0 ? "no key" : "absent");
}

static enum decode_result insecure(json_t *entry, const char *tag, const char *why)
{
    json_object_set_new(json_object_get(entry, "security"), "tag", json_string(tag));
    json_object_set_new(entry, "error", json_string(why));
    return DECODE_SECURITY;
}

/* The text without its tag's word for it: decrypted when it is encrypted. False: no key or title.
 */
static bool reveal(const struct sealed *s, const struct decode_keys *k, const uint8_t *key,
                   struct bytes *text)
{
    const uint8_t sc = s->body[0];
    const size_t tag_len = (sc & DLMS_SC_AUTH) != 0 ? CRYPTO_GCM_TAG : 0;
    uint8_t iv[CRYPTO_GCM_IV];
    (void)k;
    if (s->len < DLMS_HEAD_LEN + tag_len)
        return false;
    *text = (struct bytes){s->body + DLMS_HEAD_LEN, s->len - DLMS_HEAD_LEN - tag_len};
    if ((sc & DLMS_SC_ENC) == 0)
        return true;
    if (key == NULL || s->title == NULL)
        return false;
    memcpy(iv, s->title, DLMS_TITLE_LEN);
    memcpy(iv + DLMS_TITLE_LEN, s->body + 1, 4);
    return crypto_gcm_crypt(key, iv, s->body + DLMS_HEAD_LEN, text->len) == ERR_OK;
}

static const uint8_t *key_for(const struct sealed *s, const struct decode_keys *k)
{
    if (s->dedicated)
        return k->has_dedicated ? k->dedicated : NULL;
    return k->keys.has_guek ? k->keys.guek : NULL;
}

/* After the tag failed or could not be checked: shows the text where it makes sense. */
static enum decode_result decode_doubtful(json_t *entry, const struct sealed *s,
                                          struct decode_keys *k, const char *tag, const char *why)
{
    struct bytes text;
    json_t *attempt = json_object();
    if (reveal(s, k, key_for(s, k), &text) && text.len > 0 &&
        decode_any(attempt, text, k) == DECODE_OK)
        json_object_update(entry, attempt);
    json_decref(attempt);
    return insecure(entry, tag, why);
}

static enum decode_result decode_sealed(json_t *entry, const struct sealed *s,
                                        struct decode_keys *k)
{
    if (s->len < DLMS_HEAD_LEN)
        return malformed(entry, 0, "a ciphered APDU has at least five octets behind its length");
    json_object_set_new(entry, "security", security_json(s));
    const uint8_t *key = key_for(s, k);
    const bool authentic = (s->body[0] & DLMS_SC_AUTH) != 0;
    if (s->title == NULL)
        return insecure(entry, authentic ? "no key" : "absent",
                        "the system title is not known: give --client-title and --server-title");
    if (key == NULL)
        return decode_doubtful(entry, s, k, authentic ? "no key" : "absent",
                               s->dedicated ? "no dedicated key" : "no key: give --keys or --guek");
    if (authentic && !k->keys.has_gak)
        return decode_doubtful(entry, s, k, "no key", "the tag is not checked: no gak");
    uint8_t *copy = malloc(s->len), *text, sc;
    uint32_t counter;
    size_t text_len;
    if (copy == NULL)
        return malformed(entry, 0, err_text(ERR_MEMORY));
    memcpy(copy, s->body, s->len);
    const enum err err =
        dlms_open(key, k->keys.gak, s->title, copy, s->len, &sc, &counter, &text, &text_len);
    enum decode_result result;
    if (err == ERR_TAG) {
        result = decode_doubtful(entry, s, k, "bad",
                                 "the tag does not match: wrong guek, gak or system title, or "
                                 "altered octets");
    } else if (err != ERR_OK) {
        result = malformed(entry, 0, err_text(err));
    } else {
        json_object_set_new(json_object_get(entry, "security"), "tag",
                            json_string(authentic ? "ok" : "absent"));
        result = text_len > 0 ? decode_any(entry, (struct bytes){text, text_len}, k)
                              : malformed(entry, 0, "the deciphered text is empty");
        if (result == DECODE_MALFORMED && !authentic)
            result = insecure(entry, "absent",
                              "the deciphered text is no APDU: wrong guek or system title");
    }
    free(copy);
    return result;
}

/* glo- and ded- services: requests are the client's, responses the server's. */
static const uint8_t *title_for(uint8_t plain_tag, const struct decode_keys *k)
{
    const bool client = plain_tag == DLMS_INITIATE_REQUEST || plain_tag == DLMS_GET_REQUEST ||
                        plain_tag == DLMS_SET_REQUEST || plain_tag == DLMS_ACTION_REQUEST;
    if (client)
        return k->has_client ? k->client : NULL;
    return k->has_server ? k->server : NULL;
}

static enum decode_result decode_ciphered(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    struct sealed s = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    const uint8_t tag = rd_u8(&r);
    const uint8_t plain_tag = apdu_plain_tag(tag, &s.dedicated);
    if (tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED) {
        const struct bytes title = rd_bytes(&r, rd_length(&r));
        s.dedicated = tag == DLMS_GENERAL_DED;
        s.title = title.len == DLMS_TITLE_LEN ? title.p : NULL;
    } else {
        s.title = title_for(plain_tag, k);
    }
    s.len = rd_length(&r);
    const size_t at = r.pos;
    (void)rd_bytes(&r, s.len);
    if (r.err)
        return malformed(entry, r.err_pos, err_text(r.err));
    if (rd_left(&r) > 0)
        return malformed(entry, r.pos, "octets behind the ciphered text");
    if (k->nesting == DECODE_NESTING_MAX)
        return malformed(entry, 0, "ciphered inside ciphered, too deep");
    s.body = (uint8_t *)apdu.p + at; /* the caller's own buffer, see decode_apdu */
    json_object_set_new(entry, "apdu",
                        json_string(name_of(tag) != NULL ? name_of(tag) : name_of(plain_tag)));
    k->nesting++;
    const enum decode_result result = decode_sealed(entry, &s, k);
    k->nesting--;
    return result;
}

static enum decode_result decode_any(json_t *entry, struct bytes apdu, struct decode_keys *k)
{
    bool dedicated;
    const uint8_t tag = apdu.p[0];
    if (tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED || apdu_plain_tag(tag, &dedicated) != 0)
        return decode_ciphered(entry, apdu, k);
    if (name_of(tag) == NULL)
        return malformed(entry, 0, "no APDU of DLMS begins with this octet");
    json_object_set_new(entry, "apdu", json_string(name_of(tag)));
    return decode_plain(entry, apdu, k);
}

enum decode_result decode_apdu(json_t *entry, uint8_t *apdu, size_t len, struct decode_keys *k)
{
    json_object_set_new(entry, "security", json_null());
    json_object_set_new(entry, "apdu", json_null());
    json_object_set_new(entry, "date_time", json_null());
    json_object_set_new(entry, "values", json_array());
    json_object_set_new(entry, "tree", json_null());
    json_object_set_new(entry, "error", json_null());
    if (len == 0)
        return malformed(entry, 0, "no octets");
    return decode_any(entry, (struct bytes){apdu, len}, k);
}
