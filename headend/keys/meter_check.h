/* What a meter's row may hold: the same judgement for the API, the CSV import and the tests.
 *
 * Fields are named as in the REST contract and the CSV header: name url place client server auth
 * security timeout_s register_period_s ct vt guek gak password. */
#ifndef FERRARIS_HEADEND_METER_CHECK_H
#define FERRARIS_HEADEND_METER_CHECK_H

#include "headend/keys/meter_secret.h"
#include "headend/store/store.h"

#include <stdbool.h>
#include <stddef.h>

#define METER_TIMEOUT_MAX_S 120
#define METER_PERIOD_MAX_S  86400
#define METER_RATIO_MAX     1000000 /* numerator or denominator of ct and vt */

struct meter_fault {
    const char *field; /* constant */
    char message[120]; /* begins with what is wrong: "has no port", "is not 1 to 120" */
};

/* A meter before anybody said anything: client 16, server 1, no authentication, no security, 10 s,
 * registers each 60 s, ratios 1/1, enabled; the rest zero. */
void meter_defaults(struct store_meter *m);
/* True when all fields are good and belong together. secret: what is (or will be) sealed in
 * m->secret; NULL: not known, its part is not judged. m->id, times and what the meter said of
 * itself are not looked at. False: *fault names the first wrong field. */
bool meter_check(const struct store_meter *m, const struct meter_secret *secret,
                 struct meter_fault *fault);
/* Octets of n at p: whole UTF-8 (shortest forms, no surrogates) without control characters. */
bool meter_text_check(const char *p, size_t n);

/* "none lls hls5", "none auth enc authenc" and back. False: no such word. The *_word functions give
 * "?" for a value that has none. */
bool meter_auth_parse(const char *word, enum store_auth *auth);
const char *meter_auth_word(enum store_auth auth);
bool meter_security_parse(const char *word, uint8_t *security);
const char *meter_security_word(uint8_t security);
/* 32 hex digits, nothing else. */
bool meter_key_parse(const char *text, uint8_t key[16]);

#endif
