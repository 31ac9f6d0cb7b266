/* Ciphered APDUs: glo-, ded-, general-glo-, general-ded-, general-ciphering. Green Book 9.2.
 *
 * Suites 0 and 1 cipher alike (AES-GCM-128); suite 2 has longer keys and is not opened. A failed
 * tag is reported but the text is still tried without it: with the right guek and a wrong gak a
 * person wants to see both facts. When nothing fits, other system titles of the conversation are
 * tried, to tell a wrong title from a wrong key. */
#include "cli/decode_apdu.h"

#include "lib/crypto/crypto.h"
#include "lib/dlms/apdu.h"

#include <stdio.h>
#include <string.h>

#define SC_SUITE      0x0Fu
#define SC_COMPRESSED 0x80u

struct sealed {
    struct bytes body;    /* SC first */
    const uint8_t *title; /* NULL: not known */
    bool dedicated;
    const uint8_t *key;
    struct bytes extra; /* general-ciphering: what its tag covers besides; empty otherwise */
    uint8_t unwrapped[16];
};

static uint8_t control_of(const struct sealed *s)
{
    return s->body.p[0];
}

static bool is_authentic(const struct sealed *s)
{
    return (control_of(s) & DLMS_SC_AUTH) != 0;
}

static uint32_t counter_of(const struct sealed *s)
{
    struct rd r = rd_of(s->body.p + 1, s->body.len - 1);
    return rd_u32(&r);
}

static json_t *security_json(const struct sealed *s)
{
    char control[8];
    const uint8_t sc = control_of(s);
    snprintf(control, sizeof control, "0x%02X", sc);
    json_t *title =
        s->title != NULL ? decode_hex((struct bytes){s->title, DLMS_TITLE_LEN}) : json_null();
    return json_pack("{s:s, s:i, s:b, s:b, s:s, s:o, s:I, s:s}", "control", control, "suite",
                     sc & SC_SUITE, "encrypted", (sc & DLMS_SC_ENC) != 0, "authenticated",
                     is_authentic(s), "key",
                     s->dedicated                    ? "dedicated"
                     : (sc & DLMS_SC_BROADCAST) != 0 ? "global broadcast"
                                                     : "global unicast",
                     "system_title", title, "invocation_counter", (json_int_t)counter_of(s), "tag",
                     is_authentic(s) ? "no key" : "absent");
}

static enum decode_result insecure(json_t *entry, const char *tag, const char *why)
{
    json_object_set_new(json_object_get(entry, "security"), "tag", json_string(tag));
    json_object_set_new(entry, "error", json_string(why));
    return DECODE_SECURITY;
}

static void note(json_t *entry, const char *text)
{
    json_object_set_new(json_object_get(entry, "security"), "note", json_string(text));
}

static void make_iv(const struct sealed *s, uint8_t iv[CRYPTO_GCM_IV])
{
    memcpy(iv, s->title, DLMS_TITLE_LEN);
    memcpy(iv + DLMS_TITLE_LEN, s->body.p + 1, 4);
}

/* The text alone, without its tag's word for it; tag_len octets at the end are left out. False: no
 * key or title, or too short. */
static bool reveal(const struct sealed *s, size_t tag_len, struct octets *text)
{
    uint8_t iv[CRYPTO_GCM_IV];
    octets_free(text);
    if (s->body.len <= DLMS_HEAD_LEN + tag_len)
        return false;
    octets_add(text, s->body.p + DLMS_HEAD_LEN, s->body.len - DLMS_HEAD_LEN - tag_len);
    if ((control_of(s) & DLMS_SC_ENC) == 0)
        return true;
    if (s->key == NULL || s->title == NULL)
        return false;
    make_iv(s, iv);
    return crypto_gcm_crypt(s->key, iv, text->p, text->len) == ERR_OK;
}

/* Text and tag together. ERR_TAG, ERR_TRUNCATED. */
static enum err open_sealed(const struct sealed *s, const uint8_t *gak, struct octets *text)
{
    uint8_t iv[CRYPTO_GCM_IV];
    const bool encrypted = (control_of(s) & DLMS_SC_ENC) != 0;
    octets_free(text);
    if (s->body.len < DLMS_HEAD_LEN + CRYPTO_GCM_TAG)
        return ERR_TRUNCATED;
    const size_t n = s->body.len - DLMS_HEAD_LEN - CRYPTO_GCM_TAG;
    octets_add(text, s->body.p + DLMS_HEAD_LEN, n);
    make_iv(s, iv);
    const struct bytes aad[4] = {
        {s->body.p, 1}, {gak, CRYPTO_KEY128}, s->extra, {text->p, encrypted ? 0 : n}};
    return crypto_gcm_open(s->key, iv, aad, 4, encrypted ? text->p : NULL, encrypted ? n : 0,
                           s->body.p + DLMS_HEAD_LEN + n, CRYPTO_GCM_TAG);
}

static bool is_apdu(const struct octets *text)
{
    return text->len > 0 && decode_shape((struct bytes){text->p, text->len}) == DECODE_WHOLE;
}

static enum decode_result show(json_t *entry, const struct octets *text, struct decode_talk *t)
{
    return decode_any(entry, (struct bytes){text->p, text->len}, t);
}

/* The text behind what could not be proven, where it is an APDU; false where it is none. */
static bool show_doubtful(json_t *entry, const struct sealed *s, size_t tag_len,
                          struct decode_talk *t)
{
    struct octets text = {0};
    const bool readable = reveal(s, tag_len, &text) && is_apdu(&text);
    if (readable)
        (void)show(entry, &text, t);
    octets_free(&text);
    return readable;
}

/* Other titles that were seen in this conversation, for the one that fits. */
static bool fits_other_title(const struct sealed *s, const struct decode_talk *t, uint8_t found[8])
{
    struct octets text = {0};
    struct sealed other = *s;
    bool fits = false;
    for (unsigned i = 0; i < t->n_senders + 2 && !fits; i++) {
        other.title = i < t->n_senders     ? t->sender[i].title
                      : i == t->n_senders  ? (t->keys.has_client ? t->keys.client : NULL)
                      : t->keys.has_server ? t->keys.server
                                           : NULL;
        if (other.title == NULL || memcmp(other.title, s->title, DLMS_TITLE_LEN) == 0)
            continue;
        fits = is_authentic(s) && t->keys.keys.has_gak
                   ? open_sealed(&other, t->keys.keys.gak, &text) == ERR_OK
                   : reveal(&other, 0, &text) && is_apdu(&text);
        if (fits)
            memcpy(found, other.title, DLMS_TITLE_LEN);
    }
    octets_free(&text);
    return fits;
}

static const char *wrong_title(const uint8_t title[DLMS_TITLE_LEN], char room[120])
{
    char hex[2 * DLMS_TITLE_LEN + 1];
    for (size_t i = 0; i < DLMS_TITLE_LEN; i++)
        snprintf(hex + 2 * i, 3, "%02X", title[i]);
    snprintf(room, 120, "wrong system title: the key fits with the title %s", hex);
    return room;
}

/* Why the tag failed. */
static enum decode_result explain_tag(json_t *entry, const struct sealed *s, struct decode_talk *t)
{
    uint8_t other[DLMS_TITLE_LEN];
    char room[120];
    const bool encrypted = (control_of(s) & DLMS_SC_ENC) != 0;
    if (fits_other_title(s, t, other))
        return insecure(entry, "bad", wrong_title(other, room));
    if (show_doubtful(entry, s, CRYPTO_GCM_TAG, t))
        return insecure(entry, "bad",
                        encrypted ? "the tag does not match, but the guek opens the text: wrong "
                                    "gak, or a tag that was altered"
                                  : "the tag does not match: wrong guek, gak or system title, or "
                                    "altered octets");
    if (encrypted && show_doubtful(entry, s, 0, t))
        return insecure(entry, "absent",
                        "security control says authenticated, but there is no tag behind the text");
    return insecure(entry, "bad",
                    "the tag does not match: wrong guek, gak or system title, or altered octets");
}

static enum decode_result decode_unproven(json_t *entry, const struct sealed *s,
                                          struct decode_talk *t)
{
    const bool authentic = is_authentic(s);
    const char *tag = authentic ? "no key" : "absent";
    const bool shown = show_doubtful(entry, s, authentic ? CRYPTO_GCM_TAG : 0, t);
    if (s->key == NULL)
        return insecure(entry, tag,
                        s->dedicated ? "no dedicated key: give --dedicated, or the initiate-request"
                                     : "no key: give --keys or --guek");
    if (shown)
        return insecure(entry, tag, "the tag is not checked: no gak");
    if (authentic && show_doubtful(entry, s, 0, t))
        return insecure(entry, "absent",
                        "security control says authenticated, but there is no tag behind the text");
    return insecure(entry, tag, "the deciphered text is no APDU: wrong guek or system title");
}

/* Encryption alone: nothing proves the text but that it is an APDU, or that so many values stand in
 * front of its fault. */
#define PROOF 3
static enum decode_result decode_untagged(json_t *entry, const struct sealed *s,
                                          struct decode_talk *t)
{
    struct octets text = {0};
    uint8_t other[DLMS_TITLE_LEN];
    char room[120];
    enum decode_result result = DECODE_SECURITY;
    if (!reveal(s, 0, &text))
        result = decode_malformed(entry, DLMS_HEAD_LEN, "the ciphered text is empty");
    else if (!is_apdu(&text) && decode_shape((struct bytes){text.p, text.len}) == DECODE_NONE &&
             fits_other_title(s, t, other))
        result = insecure(entry, "absent", wrong_title(other, room));
    else
        result = show(entry, &text, t);
    if (result == DECODE_MALFORMED && json_array_size(json_object_get(entry, "values")) < PROOF) {
        json_object_set_new(entry, "tree", json_null());
        json_object_set_new(entry, "values", json_array());
        json_object_set_new(entry, "date_time", json_null());
        result =
            insecure(entry, "absent", "the deciphered text is no APDU: wrong guek or system title");
    }
    octets_free(&text);
    return result;
}

static enum decode_result decode_tagged(json_t *entry, const struct sealed *s,
                                        struct decode_talk *t)
{
    struct octets text = {0};
    const enum err err = open_sealed(s, t->keys.keys.gak, &text);
    enum decode_result result;
    if (err == ERR_TAG || (err == ERR_TRUNCATED && s->body.len > DLMS_HEAD_LEN)) {
        result = explain_tag(entry, s, t);
    } else if (err != ERR_OK) {
        result = decode_malformed(entry, 0, err_text(err));
    } else {
        json_object_set_new(json_object_get(entry, "security"), "tag", json_string("ok"));
        result = text.len > 0 ? show(entry, &text, t)
                              : decode_malformed(entry, 0, "the deciphered text is empty");
    }
    octets_free(&text);
    return result;
}

/* A receiver would refuse a counter that is not above the last: told, for a capture may well hold
 * one frame twice. */
static void watch_counter(json_t *entry, const struct sealed *s, struct decode_talk *t)
{
    char text[80];
    const uint32_t counter = counter_of(s);
    unsigned i = 0;
    while (i < t->n_senders && (t->sender[i].dedicated != s->dedicated ||
                                memcmp(t->sender[i].title, s->title, DLMS_TITLE_LEN) != 0))
        i++;
    if (i < t->n_senders && counter <= t->sender[i].counter) {
        snprintf(text, sizeof text, "stale counter: %u came before", t->sender[i].counter);
        note(entry, text);
        return;
    }
    if (i == DECODE_SENDERS_MAX)
        i = 0;
    else if (i == t->n_senders)
        t->n_senders++;
    memcpy(t->sender[i].title, s->title, DLMS_TITLE_LEN);
    t->sender[i].dedicated = s->dedicated;
    t->sender[i].counter = counter;
}

static enum decode_result decode_sealed(json_t *entry, struct sealed *s, struct decode_talk *t)
{
    const uint8_t sc = s->body.len > 0 ? control_of(s) : 0;
    if (s->body.len < DLMS_HEAD_LEN)
        return decode_malformed(entry, 0,
                                "a ciphered APDU has at least five octets behind its length");
    json_object_set_new(entry, "security", security_json(s));
    if ((sc & SC_COMPRESSED) != 0)
        return decode_malformed(entry, 0, "compressed text (security control 80) is not decoded");
    if ((sc & SC_SUITE) > 1)
        return insecure(entry, is_authentic(s) ? "no key" : "absent",
                        "this security suite has keys of 256 bits: not opened");
    if (s->title == NULL)
        return insecure(entry, is_authentic(s) ? "no key" : "absent",
                        "the system title is not known: give --client-title and --server-title");
    watch_counter(entry, s, t);
    if ((sc & (DLMS_SC_AUTH | DLMS_SC_ENC)) == 0) {
        (void)show_doubtful(entry, s, 0, t);
        return insecure(entry, "absent", "neither encrypted nor authenticated");
    }
    if (s->key == NULL || (is_authentic(s) && !t->keys.keys.has_gak))
        return decode_unproven(entry, s, t);
    return is_authentic(s) ? decode_tagged(entry, s, t) : decode_untagged(entry, s, t);
}

/* ---- the heads of the kinds ---- */

/* glo- and ded- services: requests are the client's, responses the server's. */
static const uint8_t *title_for(uint8_t plain_tag, const struct decode_talk *t)
{
    const bool client = plain_tag == DLMS_INITIATE_REQUEST || plain_tag == DLMS_GET_REQUEST ||
                        plain_tag == DLMS_SET_REQUEST || plain_tag == DLMS_ACTION_REQUEST;
    if (client)
        return t->keys.has_client ? t->keys.client : NULL;
    return t->keys.has_server ? t->keys.server : NULL;
}

/* general-glo- and -ded- may leave the title out: whose it is shows in what opens. */
static const uint8_t *title_left_out(const struct sealed *s, const struct decode_talk *t)
{
    const uint8_t *server = t->keys.has_server ? t->keys.server : NULL;
    const uint8_t *client = t->keys.has_client ? t->keys.client : NULL;
    struct octets text = {0};
    struct sealed probe = *s;
    if (server == NULL || client == NULL)
        return server != NULL ? server : client;
    probe.title = client;
    if (s->body.len >= DLMS_HEAD_LEN && s->key != NULL &&
        reveal(&probe, is_authentic(s) ? CRYPTO_GCM_TAG : 0, &text) && is_apdu(&text))
        server = client;
    octets_free(&text);
    return server;
}

void decode_skip_key_info(struct rd *r)
{
    const uint8_t choice = rd_u8(r);
    if (choice == 0) { /* identified: key-id */
        (void)rd_u8(r);
    } else if (choice == 1) { /* wrapped: kek-id, key */
        (void)rd_u8(r);
        (void)rd_bytes(r, rd_length(r));
    } else if (choice == 2) { /* agreed: parameters, data */
        (void)rd_bytes(r, rd_length(r));
        (void)rd_bytes(r, rd_length(r));
    } else {
        rd_fail(r, ERR_FORMAT);
    }
}

static const char *take_key_info(struct rd *r, struct sealed *s, const struct decode_talk *t)
{
    struct rd head = *r;
    decode_skip_key_info(r);
    const uint8_t choice = rd_u8(&head);
    if (r->err || choice == 0)
        return NULL;
    s->key = NULL;
    if (choice == 2)
        return "the key is agreed upon (suites 1 and 2): not opened";
    (void)rd_u8(&head);
    const struct bytes wrapped = rd_bytes(&head, rd_length(&head));
    if (!t->keys.keys.has_kek)
        return "the key is wrapped: give --kek";
    if (wrapped.len != sizeof s->unwrapped + 8 ||
        crypto_key_unwrap(t->keys.keys.kek, wrapped.p, wrapped.len, s->unwrapped) != ERR_OK)
        return "the wrapped key does not open: wrong kek";
    s->key = s->unwrapped;
    return NULL;
}

/* DD: transaction-id, titles, date-time, other information, key-info, then the text. */
static void get_general_ciphering(struct rd *r, struct sealed *s, const char **trouble,
                                  const struct decode_talk *t)
{
    const size_t from = r->pos;
    (void)rd_bytes(r, rd_length(r));
    const struct bytes title = rd_bytes(r, rd_length(r));
    for (int i = 0; i < 3; i++)
        (void)rd_bytes(r, rd_length(r));
    s->title = title.len == DLMS_TITLE_LEN ? title.p : NULL;
    if (!r->err)
        s->extra = (struct bytes){r->p + from, r->pos - from};
    if (rd_u8(r) != 0)
        *trouble = take_key_info(r, s, t);
}

enum decode_result decode_ciphered(json_t *entry, struct bytes apdu, struct decode_talk *t)
{
    struct sealed s = {.dedicated = false};
    struct rd r = rd_of(apdu.p, apdu.len);
    const char *trouble = NULL;
    const uint8_t tag = rd_u8(&r);
    const uint8_t plain_tag = apdu_plain_tag(tag, &s.dedicated);
    const bool general = tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED;
    s.dedicated = tag == DLMS_GENERAL_DED || (plain_tag != 0 && s.dedicated);
    s.key = s.dedicated ? (t->keys.has_dedicated ? t->keys.dedicated : NULL)
                        : (t->keys.keys.has_guek ? t->keys.keys.guek : NULL);
    if (general) {
        const struct bytes title = rd_bytes(&r, rd_length(&r));
        s.title = title.len == DLMS_TITLE_LEN ? title.p : NULL;
    } else if (tag == DLMS_GENERAL_CIPHERING) {
        get_general_ciphering(&r, &s, &trouble, t);
    } else {
        s.title = title_for(plain_tag, t);
    }
    s.body = rd_bytes(&r, rd_length(&r));
    const char *name = decode_name(tag) != NULL ? decode_name(tag) : decode_name(plain_tag);
    json_object_set_new(entry, "apdu", json_string(name));
    if (general && !r.err && s.title == NULL)
        s.title = title_left_out(&s, t);
    enum decode_result result =
        r.err ? decode_malformed(entry, r.err_pos, err_text(r.err)) : decode_sealed(entry, &s, t);
    wipe(s.unwrapped, sizeof s.unwrapped);
    if (r.err)
        return result;
    if (result == DECODE_SECURITY && trouble != NULL)
        json_object_set_new(entry, "error", json_string(trouble));
    if (result == DECODE_OK && rd_left(&r) > 0)
        result = decode_malformed(entry, r.pos, "octets behind the ciphered text");
    return result;
}
