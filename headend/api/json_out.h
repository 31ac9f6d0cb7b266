/* JSON, written into one growing buffer with a limit.
 *
 * The first error sticks (ERR_FULL at the limit, ERR_MEMORY) and is asked once at the end. Commas
 * are put by the writer; that braces pair up and members have names is the caller's job. Text is
 * made valid whatever it holds: octets that are no UTF-8 become U+FFFD, control characters and
 * < > & are escaped, so that the answer is harmless also where it is pasted into a page.
 *
 * The same buffer takes plain text (CSV), by json_out_raw. */
#ifndef FERRARIS_HEADEND_JSON_OUT_H
#define FERRARIS_HEADEND_JSON_OUT_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_out {
    char *p; /* not terminated by a zero; free with json_out_free */
    size_t len, size, limit;
    enum err err;
    bool comma; /* before the next value */
};

/* Takes no memory yet. */
void json_out_init(struct json_out *j, size_t limit);
void json_out_free(struct json_out *j);

void json_out_open(struct json_out *j, char bracket);  /* '{' or '[' */
void json_out_close(struct json_out *j, char bracket); /* '}' or ']' */
void json_out_key(struct json_out *j, const char *key);
void json_out_null(struct json_out *j);
void json_out_bool(struct json_out *j, bool v);
void json_out_int(struct json_out *j, int64_t v);
void json_out_text(struct json_out *j, const char *text); /* zero-terminated */
/* Milliseconds since 1970 as "2026-11-21T06:15:00Z". */
void json_out_time(struct json_out *j, int64_t utc_ms);
/* json_out_time, but null for 0. */
void json_out_time_or_null(struct json_out *j, int64_t utc_ms);

/* A number raw * 10^scaler * num / den. */
struct json_decimal {
    int64_t raw;
    int scaler;
    uint32_t num, den; /* den 0 counts as 1 */
};
#define JSON_DECIMAL_TEXT 72
/* As text for JSON and CSV: exact where the number is a finite decimal of at most six places more
 * than the scaler gives, else rounded there, halves away from zero. Scalers beyond -30..30 are
 * written with an exponent. Returns the length. */
size_t json_decimal_text(const struct json_decimal *d, char to[JSON_DECIMAL_TEXT]);
void json_out_decimal(struct json_out *j, const struct json_decimal *d);

/* As it is. */
void json_out_raw(struct json_out *j, const char *text, size_t len);

#endif
