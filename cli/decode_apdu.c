/* Which kind of APDU, and what all kinds share. */
#include "cli/decode_apdu.h"
#include "cli/decode_tree.h"
#include "cli/decode_values.h"

#include "lib/base/hex.h"
#include "lib/dlms/acse.h"
#include "lib/dlms/apdu_access.h"
#include "lib/dlms/apdu_notify.h"
#include "lib/dlms/datetime.h"
#include "lib/dlms/gbt.h"

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
    {DLMS_DATA_NOTIFICATION_CONFIRM, "data-notification-confirm"},
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
    {DLMS_GENERAL_BLOCK, "general-block-transfer"},
};

const char *decode_name(uint8_t tag)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].tag == tag)
            return names[i].name;
    return NULL;
}

json_t *decode_hex(struct bytes b)
{
    char *text = malloc(2 * b.len + 1);
    if (text == NULL)
        return json_null();
    hex_encode(b.p, b.len, text);
    for (size_t i = 0; i < 2 * b.len; i++)
        if (text[i] >= 'a')
            text[i] = (char)(text[i] - 'a' + 'A');
    json_t *out = json_stringn(text, 2 * b.len);
    free(text);
    return out;
}

enum decode_result decode_malformed(json_t *entry, size_t at, const char *what)
{
    char text[200];
    snprintf(text, sizeof text, "octet %zu: %s", at, what);
    json_object_set_new(entry, "error", json_string(text));
    return DECODE_MALFORMED;
}

/* ---- the body of a push alone ---- */

static bool is_data(struct bytes apdu)
{
    return apdu.p[0] == AXDR_STRUCT || apdu.p[0] == AXDR_ARRAY;
}

/* Array and InitiateRequest begin alike. */
static bool is_initiate(struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct dlms_initiate i;
    if (apdu.p[0] != DLMS_INITIATE_REQUEST)
        return false;
    initiate_get_request(&r, &i);
    if (!r.err && rd_left(&r) == 0)
        return true;
    struct rd data = rd_of(apdu.p, apdu.len);
    tree_skip(&data);
    return data.err && r.err_pos >= data.err_pos;
}

/* Other values than lists are taken for data only where nothing else can be meant. */
static bool is_whole_value(struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    tree_skip(&r);
    return apdu.len > 1 && apdu.p[0] != AXDR_NULL && !r.err && rd_left(&r) == 0;
}

static enum decode_result decode_body(json_t *entry, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    json_object_set_new(entry, "apdu", json_string("data"));
    json_t *tree = tree_read(&r);
    decode_put_values(entry, tree);
    if (tree != NULL)
        json_object_set_new(entry, "tree", tree);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    return rd_left(&r) > 0 ? decode_malformed(entry, r.pos, "octets behind the value") : DECODE_OK;
}

/* ---- general block transfer ---- */

static enum decode_result decode_general_block(json_t *entry, struct bytes apdu,
                                               struct decode_talk *t)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct gbt_block b;
    gbt_get(&r, &b);
    if (r.err)
        return decode_malformed(entry, r.err_pos, err_text(r.err));
    if (b.data.len == 0)
        return DECODE_MORE; /* an acknowledgement */
    const struct blocks_part part = {
        .kind = BLOCKS_GENERAL, .way = t->way, .number = b.number, .last = b.last, .data = b.data};
    struct blocks_transfer *whole = blocks_add(&t->blocks, &part);
    if (whole == NULL)
        return DECODE_MORE;
    struct octets joined = whole->data;
    const uint32_t n = whole->n;
    whole->data = (struct octets){0};
    blocks_done(&t->blocks, whole);
    if (json_is_object(json_object_get(entry, "link")))
        json_object_set_new(json_object_get(entry, "link"), "blocks", json_integer(n));
    const enum decode_result result = decode_any(entry, (struct bytes){joined.p, joined.len}, t);
    octets_free(&joined);
    return result;
}

/* ---- any ---- */

static bool is_ciphered(uint8_t tag)
{
    bool dedicated;
    return tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED || tag == DLMS_GENERAL_CIPHERING ||
           apdu_plain_tag(tag, &dedicated) != 0;
}

/* P1 ports of some countries seal the telegram of IEC 62056-21 as if it were an APDU. It has the
 * maker's letters and a line at least. */
#define TELEGRAM_LEAST 24
static bool is_telegram(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if ((b.p[i] < 0x20 && b.p[i] != '\r' && b.p[i] != '\n') || b.p[i] > 0x7E)
            return false;
    return b.len >= TELEGRAM_LEAST && b.p[0] == '/';
}

static enum decode_result decode_telegram(json_t *entry, struct bytes b)
{
    json_object_set_new(entry, "apdu", json_string("telegram"));
    json_object_set_new(entry, "tree",
                        json_pack("{s:s, s:o}", "type", "visible-string", "value",
                                  json_stringn((const char *)b.p, b.len)));
    return DECODE_OK;
}

static enum decode_result decode_nested(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    if (is_ciphered(apdu.p[0]))
        return decode_ciphered(entry, apdu, t);
    if (apdu.p[0] == DLMS_GENERAL_BLOCK)
        return decode_general_block(entry, apdu, t);
    if (is_data(apdu) && !is_initiate(apdu))
        return decode_body(entry, apdu);
    const char *name = decode_name(apdu.p[0]);
    if (name == NULL && is_whole_value(apdu))
        return decode_body(entry, apdu);
    if (name == NULL && is_telegram(apdu))
        return decode_telegram(entry, apdu);
    if (name == NULL)
        return decode_malformed(entry, 0, "no APDU of DLMS begins with this octet");
    json_object_set_new(entry, "apdu", json_string(name));
    switch (apdu.p[0]) {
    case DLMS_INITIATE_REQUEST:
    case DLMS_INITIATE_RESPONSE:
    case DLMS_AARQ:
    case DLMS_AARE:
    case DLMS_RLRQ:
    case DLMS_RLRE:
        return decode_acse(entry, apdu, t);
    default:
        return decode_service(entry, apdu, t);
    }
}

enum decode_result decode_any(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    if (apdu.len == 0)
        return decode_malformed(entry, 0, "no octets");
    if (t->nesting == DECODE_NESTING_MAX) /* the input chooses the depth, not our stack */
        return decode_malformed(entry, 0, "ciphered inside ciphered, too deep");
    t->nesting++;
    const enum decode_result result = decode_nested(entry, apdu, t);
    t->nesting--;
    return result;
}

enum decode_result decode_apdu(json_t *entry, const uint8_t *apdu, size_t len,
                               struct decode_talk *t)
{
    static const char *const keys[] = {"security", "apdu", "date_time", "tree", "error"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_object_set_new(entry, keys[i], json_null());
    json_object_set_new(entry, "values", json_array());
    return decode_any(entry, (struct bytes){apdu, len}, t);
}

void decode_talk_end(struct decode_talk *t)
{
    blocks_free(&t->blocks);
    for (size_t i = 0; i < sizeof t->asked / sizeof t->asked[0]; i++)
        json_decref(t->asked[i]);
    json_decref(t->accessed);
    wipe(t, sizeof *t);
}

/* ---- shape ---- */

static void skip_sealed(struct rd *r, uint8_t tag)
{
    const size_t texts = tag == DLMS_GENERAL_CIPHERING                        ? 5
                         : tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED ? 1
                                                                              : 0;
    (void)rd_u8(r);
    for (size_t i = 0; i < texts; i++)
        (void)rd_bytes(r, rd_length(r));
    if (tag == DLMS_GENERAL_CIPHERING && rd_u8(r) != 0)
        decode_skip_key_info(r);
    (void)rd_bytes(r, rd_length(r));
}

static void skip_acse(struct rd *r, uint8_t tag)
{
    union {
        struct acse_aarq q;
        struct acse_aare a;
        struct acse_release e;
        struct dlms_initiate i;
    } u;
    switch (tag) {
    case DLMS_INITIATE_REQUEST:
        initiate_get_request(r, &u.i);
        break;
    case DLMS_INITIATE_RESPONSE:
        initiate_get_response(r, &u.i);
        break;
    case DLMS_AARQ:
        acse_get_aarq(r, &u.q);
        break;
    case DLMS_AARE:
        acse_get_aare(r, &u.a);
        break;
    default:
        acse_get_release(r, tag, &u.e);
        break;
    }
}

static void skip_notification(struct rd *r)
{
    struct bytes time;
    (void)rd_bytes(r, 5);
    decode_get_time(r, &time);
    tree_skip(r);
}

static void skip_service(struct rd *r, uint8_t tag)
{
    struct apdu_request q;
    struct apdu_response a;
    struct apdu_notification n;
    struct apdu_event e;
    struct apdu_access access;
    switch (tag) {
    case DLMS_DATA_NOTIFICATION:
        skip_notification(r);
        break;
    case DLMS_DATA_NOTIFICATION_CONFIRM:
        notify_get_data(r, tag, &n);
        break;
    case DLMS_EVENT_NOTIFICATION:
        notify_get_event(r, &e);
        break;
    case DLMS_ACCESS_REQUEST:
        access_get_request(r, &access);
        break;
    case DLMS_ACCESS_RESPONSE:
        access_get_response(r, &access);
        break;
    case DLMS_GET_REQUEST:
    case DLMS_SET_REQUEST:
    case DLMS_ACTION_REQUEST:
        apdu_get_request(r, &q);
        break;
    default:
        apdu_get_response(r, &a);
        break;
    }
}

enum decode_shape decode_shape(struct bytes apdu)
{
    struct gbt_block b;
    struct rd r = rd_of(apdu.p, apdu.len);
    const uint8_t tag = apdu.len > 0 ? apdu.p[0] : 0;
    if (apdu.len == 0)
        return DECODE_SHORT;
    if (is_telegram(apdu))
        return DECODE_WHOLE;
    if (is_ciphered(tag))
        skip_sealed(&r, tag);
    else if (tag == DLMS_GENERAL_BLOCK)
        gbt_get(&r, &b);
    else if (is_data(apdu) && !is_initiate(apdu))
        tree_skip(&r);
    else if (tag == DLMS_INITIATE_REQUEST || tag == DLMS_INITIATE_RESPONSE ||
             (tag >= DLMS_AARQ && tag <= DLMS_RLRE))
        skip_acse(&r, tag);
    else if (decode_name(tag) != NULL)
        skip_service(&r, tag);
    else
        return DECODE_NONE;
    if (r.err)
        return r.err == ERR_TRUNCATED ? DECODE_SHORT : DECODE_NONE;
    return rd_left(&r) == 0 ? DECODE_WHOLE : DECODE_NONE;
}
