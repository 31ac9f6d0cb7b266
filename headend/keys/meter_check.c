/* See meter_check.h. */
#include "headend/keys/meter_check.h"

#include "headend/keys/meter_url.h"
#include "headend/store/ratio.h"
#include "lib/base/hex.h"
#include "lib/base/utf8.h"
#include "lib/cosem/units.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

static const char *const auth_words[STORE_N_AUTHS] = {"none", "lls", "hls5"};
static const char *const security_words[4] = {"none", "auth", "enc", "authenc"};
_Static_assert(DLMS_SC_AUTH == 0x10 && DLMS_SC_ENC == 0x20, "security >> 4 is the word's place");

static bool find_word(const char *const *words, size_t n, const char *word, size_t *at)
{
    for (*at = 0; *at < n; ++*at)
        if (strcmp(words[*at], word) == 0)
            return true;
    return false;
}

bool meter_auth_parse(const char *word, enum store_auth *auth)
{
    size_t at;
    const bool found = find_word(auth_words, STORE_N_AUTHS, word, &at);
    if (found)
        *auth = (enum store_auth)at;
    return found;
}

const char *meter_auth_word(enum store_auth auth)
{
    return (unsigned)auth < STORE_N_AUTHS ? auth_words[auth] : "?";
}

bool meter_security_parse(const char *word, uint8_t *security)
{
    size_t at;
    const bool found = find_word(security_words, 4, word, &at);
    if (found)
        *security = (uint8_t)(at << 4);
    return found;
}

const char *meter_security_word(uint8_t security)
{
    const bool known = (security & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) == 0;
    return known ? security_words[security >> 4] : "?";
}

bool meter_key_parse(const char *text, uint8_t key[16])
{
    return strlen(text) == 32 && hex_decode(text, key, 16);
}

/* ---- text ---- */

static bool is_control(const uint8_t *p)
{
    return p[0] < 0x20 || p[0] == 0x7F || (p[0] == 0xC2 && p[1] < 0xA0);
}

bool meter_text_check(const char *text, size_t n)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t at = 0, len; at < n; at += len) {
        len = utf8_sequence(p + at, n - at);
        if (len == 0 || is_control(p + at))
            return false;
    }
    return true;
}

/* ---- the row ---- */

void meter_defaults(struct store_meter *m)
{
    *m = (struct store_meter){.client_sap = 16, /* the public client, Green Book 4.6.4 */
                              .server_sap = 1,
                              .timeout_ms = 10000,
                              .register_period_s = 60,
                              .ct_num = 1,
                              .ct_den = 1,
                              .vt_num = 1,
                              .vt_den = 1,
                              .enabled = true};
}

static bool wrong(struct meter_fault *f, const char *field, const char *message)
{
    f->field = field;
    snprintf(f->message, sizeof f->message, "%s", message);
    return false;
}

static bool wrong_range(struct meter_fault *f, const char *field, uint32_t max)
{
    f->field = field;
    snprintf(f->message, sizeof f->message, "is not a whole number from 1 to %u", max);
    return false;
}

static bool check_text(const char *field, const char *text, size_t size, struct meter_fault *f)
{
    const size_t n = strnlen(text, size);
    if (n == size)
        return wrong(f, field, "is too long");
    if (!meter_text_check(text, n))
        return wrong(f, field, "is not UTF-8 text without control characters");
    if (n > 0 && (text[0] == ' ' || text[n - 1] == ' '))
        return wrong(f, field, "begins or ends with a space");
    return true;
}

static bool check_names(const struct store_meter *m, struct meter_fault *f)
{
    if (m->name[0] == '\0')
        return wrong(f, "name", "is empty");
    if (!check_text("name", m->name, sizeof m->name, f) ||
        !check_text("place", m->place, sizeof m->place, f) ||
        !check_text("url", m->url, sizeof m->url, f))
        return false;
    const char *url = meter_url_check(m->url, NULL);
    return url == NULL || wrong(f, "url", url);
}

static bool check_numbers(const struct store_meter *m, struct meter_fault *f)
{
    if (m->client_sap == 0)
        return wrong_range(f, "client", UINT16_MAX);
    if (m->server_sap == 0)
        return wrong_range(f, "server", UINT16_MAX);
    if (m->timeout_ms < 1000 || m->timeout_ms > METER_TIMEOUT_MAX_S * 1000)
        return wrong_range(f, "timeout_s", METER_TIMEOUT_MAX_S);
    if (m->register_period_s == 0 || m->register_period_s > METER_PERIOD_MAX_S)
        return wrong_range(f, "register_period_s", METER_PERIOD_MAX_S);
    return true;
}

static bool check_ratio(const char *field, uint32_t num, uint32_t den, struct meter_fault *f)
{
    if (num == 0 || den == 0 || num > METER_RATIO_MAX || den > METER_RATIO_MAX)
        return wrong(f, field, "is not two whole numbers from 1 to 1000000");
    return true;
}

/* Energy has the product of both, and that as two 32-bit numbers. */
static bool check_ratios(const struct store_meter *m, struct meter_fault *f)
{
    struct ratio both;
    return check_ratio("ct", m->ct_num, m->ct_den, f) &&
           check_ratio("vt", m->vt_num, m->vt_den, f) &&
           (ratio_of_unit(m, COSEM_UNIT_WH, &both) == ERR_OK ||
            wrong(f, "vt", "and ct have a product that is too large"));
}

static bool check_security(const struct store_meter *m, struct meter_fault *f)
{
    if ((unsigned)m->auth >= STORE_N_AUTHS)
        return wrong(f, "auth", "is not one of none, lls, hls5");
    if ((m->security & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0)
        return wrong(f, "security", "is not one of none, auth, enc, authenc");
    return true;
}

static bool check_secret(const struct store_meter *m, const struct meter_secret *s,
                         struct meter_fault *f)
{
    const size_t n = strnlen(s->password, sizeof s->password);
    const bool needs_guek = m->auth == STORE_AUTH_HLS5 || m->security != 0;
    const bool needs_gak = m->auth == STORE_AUTH_HLS5 || (m->security & DLMS_SC_AUTH) != 0;
    if (n == sizeof s->password)
        return wrong(f, "password", "is too long");
    if (!meter_text_check(s->password, n))
        return wrong(f, "password", "is not UTF-8 text without control characters");
    if (m->auth == STORE_AUTH_LLS && n == 0)
        return wrong(f, "password", "is missing: auth lls needs one");
    if (needs_guek && !s->keys.has_guek)
        return wrong(f, "guek", "is missing: this auth and security need the encryption key");
    if (needs_gak && !s->keys.has_gak)
        return wrong(f, "gak", "is missing: this auth and security need the authentication key");
    return true;
}

bool meter_check(const struct store_meter *m, const struct meter_secret *secret,
                 struct meter_fault *fault)
{
    return check_names(m, fault) && check_numbers(m, fault) && check_security(m, fault) &&
           check_ratios(m, fault) && (secret == NULL || check_secret(m, secret, fault));
}
