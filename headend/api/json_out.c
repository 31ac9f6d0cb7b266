#include "headend/api/json_out.h"

#include "headend/api/time_text.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

__extension__ typedef unsigned __int128 wide; /* 64-bit value times 32-bit ratio times 10^6 */

void json_out_init(struct json_out *j, size_t limit)
{
    memset(j, 0, sizeof *j);
    j->limit = limit;
}

void json_out_free(struct json_out *j)
{
    free(j->p);
    j->p = NULL;
    j->len = j->size = 0;
}

static bool room(struct json_out *j, size_t n)
{
    if (j->err != ERR_OK)
        return false;
    if (n <= j->size - j->len)
        return true;
    if (n > j->limit - j->len) {
        j->err = ERR_FULL;
        return false;
    }
    size_t size = j->size == 0 ? FIRST_SIZE : j->size * 2;
    if (size < j->len + n)
        size = j->len + n;
    if (size > j->limit)
        size = j->limit;
    char *p = realloc(j->p, size);
    if (p == NULL) {
        j->err = ERR_MEMORY;
        return false;
    }
    j->p = p;
    j->size = size;
    return true;
}

void json_out_raw(struct json_out *j, const char *text, size_t len)
{
    if (len == 0 || !room(j, len))
        return;
    memcpy(j->p + j->len, text, len);
    j->len += len;
}

static void put(struct json_out *j, char c)
{
    json_out_raw(j, &c, 1);
}

/* Before each value. */
static void separate(struct json_out *j)
{
    if (j->comma)
        put(j, ',');
    j->comma = true;
}

void json_out_open(struct json_out *j, char bracket)
{
    separate(j);
    put(j, bracket);
    j->comma = false;
}

void json_out_close(struct json_out *j, char bracket)
{
    put(j, bracket);
    j->comma = true;
}

void json_out_null(struct json_out *j)
{
    separate(j);
    json_out_raw(j, "null", 4);
}

void json_out_bool(struct json_out *j, bool v)
{
    separate(j);
    json_out_raw(j, v ? "true" : "false", v ? 4 : 5);
}

/* Digits of v, most significant first; returns how many. */
static size_t digits_of(wide v, char *to)
{
    char reversed[40];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v != 0);
    for (size_t i = 0; i < n; i++)
        to[i] = reversed[n - 1 - i];
    return n;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* From its end, so that it is copied once: long lists of raw values are most of what the API
 * writes. */
void json_out_int(struct json_out *j, int64_t v)
{
    char text[24], *const end = text + sizeof text, *p = end;
    uint64_t left = magnitude(v);
    do {
        *--p = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left != 0);
    if (v < 0)
        *--p = '-';
    if (j->comma)
        *--p = ',';
    json_out_raw(j, p, (size_t)(end - p));
    j->comma = true;
}

/* ---- text ---- */

/* Octets of the UTF-8 character at p (of n octets), or 0 where there is none: only shortest forms,
 * no surrogates, nothing above U+10FFFF (RFC 3629). */
static size_t character(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char first, last, second_least, second_most, len;
    } form[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
                {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    if (p[0] < 0x80)
        return 1;
    for (size_t f = 0; f < sizeof form / sizeof form[0]; f++) {
        if (p[0] < form[f].first || p[0] > form[f].last)
            continue;
        if (n < form[f].len || p[1] < form[f].second_least || p[1] > form[f].second_most)
            return 0;
        for (size_t i = 2; i < form[f].len; i++) {
            if (p[i] < 0x80 || p[i] > 0xBF)
                return 0;
        }
        return form[f].len;
    }
    return 0;
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* Of what is not plain. */
static void put_ascii(struct json_out *j, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char escaped[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    const char quoted[2] = {'\\', (char)c};
    if (c == '"' || c == '\\')
        json_out_raw(j, quoted, 2);
    else
        json_out_raw(j, escaped, 6);
}

/* One character that is not plain; returns its octets. */
static size_t put_other(struct json_out *j, const unsigned char *p, size_t n)
{
    const size_t k = character(p, n);
    if (k == 1)
        put_ascii(j, *p);
    else if (k == 0)
        json_out_raw(j, "\xEF\xBF\xBD", 3);
    else
        json_out_raw(j, (const char *)p, k);
    return k == 0 ? 1 : k;
}

/* Most text is plain from end to end: that goes out at once. */
static void put_string(struct json_out *j, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *const end = p + strlen(text);
    put(j, '"');
    while (p < end) {
        const unsigned char *from = p;
        while (p < end && plain(*p))
            p++;
        json_out_raw(j, (const char *)from, (size_t)(p - from));
        if (p < end)
            p += put_other(j, p, (size_t)(end - p));
    }
    put(j, '"');
}

void json_out_text(struct json_out *j, const char *text)
{
    separate(j);
    put_string(j, text);
}

void json_out_key(struct json_out *j, const char *key)
{
    separate(j);
    put_string(j, key);
    put(j, ':');
    j->comma = false;
}

void json_out_time(struct json_out *j, int64_t utc_ms)
{
    char text[TIME_TEXT];
    time_text(utc_ms, text);
    json_out_text(j, text);
}

void json_out_time_or_null(struct json_out *j, int64_t utc_ms)
{
    if (utc_ms == 0)
        json_out_null(j);
    else
        json_out_time(j, utc_ms);
}

/* ---- decimals ---- */

/* value = v / den, as whole * 10^-*places with at most six places. */
static wide divide(wide v, uint32_t den, int *places)
{
    *places = 0;
    while (v % den != 0 && *places < 6) {
        v *= 10;
        ++*places;
    }
    const wide rest = v % den;
    wide whole = v / den;
    if (rest * 2 >= den) /* halves away from zero; v is a magnitude */
        whole++;
    while (*places > 0 && whole % 10 == 0) {
        whole /= 10;
        --*places;
    }
    return whole;
}

static size_t with_exponent(const char *digits, size_t n, int scaler, char *to)
{
    size_t len = n;
    memcpy(to, digits, n);
    to[len++] = 'e';
    if (scaler < 0)
        to[len++] = '-';
    return len + digits_of(magnitude(scaler), to + len);
}

/* digits with the point `places` from the right, without zeros that say nothing. */
static size_t with_point(const char *digits, size_t n, size_t places, char *to)
{
    size_t len = 0;
    while (places > 0 && n > 1 && digits[n - 1] == '0') {
        n--;
        places--;
    }
    if (n <= places) {
        to[len++] = '0';
    } else {
        memcpy(to, digits, n - places);
        len = n - places;
    }
    if (places == 0)
        return len;
    to[len++] = '.';
    for (size_t i = n; i < places; i++)
        to[len++] = '0';
    const size_t fraction = n < places ? n : places;
    memcpy(to + len, digits + n - fraction, fraction);
    return len + fraction;
}

size_t json_decimal_text(const struct json_decimal *d, char to[JSON_DECIMAL_TEXT])
{
    char digits[40];
    int places;
    size_t len = 0;
    const wide v = divide((wide)magnitude(d->raw) * d->num, d->den == 0 ? 1 : d->den, &places);
    if (v == 0) {
        to[0] = '0';
        return 1;
    }
    if (d->raw < 0)
        to[len++] = '-';
    size_t n = digits_of(v, digits);
    const int scaler = d->scaler - places;
    if (scaler < -30 || scaler > 30)
        return len + with_exponent(digits, n, scaler, to + len);
    if (scaler <= 0)
        return len + with_point(digits, n, (size_t)-scaler, to + len);
    memcpy(to + len, digits, n);
    memset(to + len + n, '0', (size_t)scaler);
    return len + n + (size_t)scaler;
}

void json_out_decimal(struct json_out *j, const struct json_decimal *d)
{
    char text[JSON_DECIMAL_TEXT];
    separate(j);
    json_out_raw(j, text, json_decimal_text(d, text));
}
