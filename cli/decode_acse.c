/* Association control and the initiate APDUs in it. Titles and dedicated keys are learnt here. */
#include "cli/decode_apdu.h"

#include "lib/dlms/acse.h"

#include <stdio.h>
#include <string.h>

static void keep_title(struct bytes title, bool *has, uint8_t kept[DLMS_TITLE_LEN])
{
    if (title.len != DLMS_TITLE_LEN)
        return;
    memcpy(kept, title.p, DLMS_TITLE_LEN);
    *has = true;
}

static json_t *hex_or_null(struct bytes b)
{
    return b.len > 0 ? decode_hex(b) : json_null();
}

static const char *const services[24] = {
    [0] = "reserved-zero",
    [1] = "general-protection",
    [2] = "general-block-transfer",
    [3] = "read",
    [4] = "write",
    [5] = "unconfirmed-write",
    [6] = "delta-value-encoding",
    [8] = "attribute0-supported-with-set",
    [9] = "priority-mgmt-supported",
    [10] = "attribute0-supported-with-get",
    [11] = "block-transfer-with-get-or-read",
    [12] = "block-transfer-with-set-or-write",
    [13] = "block-transfer-with-action",
    [14] = "multiple-references",
    [15] = "information-report",
    [16] = "data-notification",
    [17] = "access",
    [18] = "parameterized-access",
    [19] = "get",
    [20] = "set",
    [21] = "selective-access",
    [22] = "event-notification",
    [23] = "action",
};

static json_t *service_names(uint32_t conformance)
{
    json_t *out = json_array();
    for (unsigned bit = 0; bit < 24; bit++)
        if ((conformance & DLMS_CONF(bit)) != 0 && services[bit] != NULL)
            json_array_append_new(out, json_string(services[bit]));
    return out;
}

static enum decode_result decode_initiate(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct dlms_initiate i = {0};
    char conformance[16];
    if (apdu.p[0] == DLMS_INITIATE_REQUEST)
        initiate_get_request(&r, &i);
    else
        initiate_get_response(&r, &i);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    if (i.dedicated_key.len == sizeof t->keys.dedicated) {
        memcpy(t->keys.dedicated, i.dedicated_key.p, sizeof t->keys.dedicated);
        t->keys.has_dedicated = true;
    }
    snprintf(conformance, sizeof conformance, "0x%06X", i.conformance);
    json_object_set_new(entry, "tree",
                        json_pack("{s:i, s:s, s:o, s:i, s:b}", "version", i.version, "conformance",
                                  conformance, "services", service_names(i.conformance), "max_pdu",
                                  i.max_pdu, "dedicated_key", i.dedicated_key.len > 0));
    return DECODE_OK;
}

/* The InitiateRequest or -Response within an association APDU, as an entry of its own. */
static enum decode_result decode_user_info(json_t *tree, struct bytes user_info,
                                           struct decode_talk *t, json_t *entry)
{
    if (user_info.len == 0)
        return DECODE_OK;
    json_t *inner = json_object();
    const enum decode_result result = decode_apdu(inner, user_info.p, user_info.len, t);
    json_object_set_new(tree, "user_information", inner);
    const json_t *security = json_object_get(inner, "security");
    if (json_is_object(security))
        json_object_set(entry, "security", json_object_get(inner, "security"));
    const char *error = json_string_value(json_object_get(inner, "error"));
    if (error != NULL) {
        char text[240];
        snprintf(text, sizeof text, "user-information: %s", error);
        json_object_set_new(entry, "error", json_string(text));
    }
    return result == DECODE_MORE ? DECODE_OK : result;
}

static const char *const contexts[] = {"unknown", "logical names", "short names",
                                       "logical names, ciphered", "short names, ciphered"};
static const char *const mechanisms[] = {"none",           "lls",          "hls2",
                                         "hls3 (MD5)",     "hls4 (SHA-1)", "hls5 (GMAC)",
                                         "hls6 (SHA-256)", "hls7 (ECDSA)"};

static json_t *context_json(uint8_t context)
{
    return json_pack("{s:i, s:s}", "id", context, "name", contexts[context <= 4 ? context : 0]);
}

static json_t *mechanism_json(bool has, uint8_t mechanism)
{
    const uint8_t id = has ? mechanism : 0;
    return json_pack("{s:i, s:s}", "id", id, "name", id <= 7 ? mechanisms[id] : "unknown");
}

static enum decode_result decode_aarq(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aarq a = {0};
    acse_get_aarq(&r, &a);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    keep_title(a.title, &t->keys.has_client, t->keys.client);
    json_t *tree =
        json_pack("{s:o, s:o, s:o, s:o}", "application_context", context_json(a.context),
                  "mechanism", mechanism_json(a.has_mechanism, a.mechanism), "system_title",
                  hex_or_null(a.title), "authentication_value", hex_or_null(a.secret));
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, t, entry);
}

static enum decode_result decode_aare(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    static const char *const results[] = {"accepted", "rejected-permanent", "rejected-transient"};
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aare a = {0};
    acse_get_aare(&r, &a);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    keep_title(a.title, &t->keys.has_server, t->keys.server);
    json_t *tree =
        json_pack("{s:o, s:s, s:i, s:s, s:o, s:o, s:o}", "application_context",
                  context_json(a.context), "result", a.result <= 2 ? results[a.result] : "unknown",
                  "diagnostic", a.diagnostic, "text", acse_diagnostic_text(a.source, a.diagnostic),
                  "mechanism", mechanism_json(a.has_mechanism, a.mechanism), "system_title",
                  hex_or_null(a.title), "authentication_value", hex_or_null(a.secret));
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, t, entry);
}

static enum decode_result decode_release(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_release a = {0};
    acse_get_release(&r, apdu.p[0], &a);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    json_t *tree =
        json_pack("{s:o}", "reason", a.has_reason ? json_integer(a.reason) : json_null());
    json_object_set_new(entry, "tree", tree);
    return decode_user_info(tree, a.user_info, t, entry);
}

enum decode_result decode_acse(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    switch (apdu.p[0]) {
    case DLMS_AARQ:
        return decode_aarq(entry, apdu, t);
    case DLMS_AARE:
        return decode_aare(entry, apdu, t);
    case DLMS_RLRQ:
    case DLMS_RLRE:
        return decode_release(entry, apdu, t);
    default:
        return decode_initiate(entry, apdu, t);
    }
}
