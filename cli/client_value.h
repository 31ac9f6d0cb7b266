/* A-XDR values as JSON, scaled numbers and words: what a person or a program sees of them. */
#ifndef FERRARIS_CLI_CLIENT_VALUE_H
#define FERRARIS_CLI_CLIENT_VALUE_H

#include "lib/dlms/axdr.h"

#include <jansson.h>
#include <stdio.h>

#define VALUE_JSON_FLAGS (JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY)

/* The next value of r as plain JSON: numbers, texts, arrays. Octet-strings are a date-time (12
 * octets that make one), a logical name (6 octets, F = 255), a text (printable ASCII) or hex
 * digits. Integers above 2^63-1 are texts. NULL on malformed input; r then says where. The caller
 * owns it.
 */
json_t *value_json(struct rd *r);
/* The same with types: {"type":"long-unsigned","value":230}; octet-strings also carry "hex". */
json_t *value_tree(struct rd *r);

/* raw x 10^scaler, exact to 15 digits; NULL when raw is not a number. */
json_t *value_scaled(const json_t *raw, int scaler);
double value_number(const json_t *v); /* 0 for what is no number */

struct value_unit {
    bool known;
    int8_t scaler;
    uint8_t unit;
};
/* {scaler, unit} from its A-XDR structure; known is false where it is none. */
struct value_unit value_unit_of(struct bytes axdr);
/* "Wh", "" for a count, "unit 99" where unknown; in `room` or constant. */
const char *value_unit_text(uint8_t unit, char room[16]);

/* One A-XDR value from words: type i8 u8 i16 u16 i32 u32 i64 u64 enum bool null os vs utf8 bits
 * time f32 f64 axdr or the Green Book's name ("long-unsigned"), value as text (os, axdr: hex
 * digits, of any value as it travels; time: ISO 8601, as octet-string). NULL, or what is wrong. */
const char *value_parse(const char *type, const char *text, struct wr *out);

/* ISO 8601 "2026-03-29[T03:15[:00]][Z|+02:00]" as 12 octets; without an offset the deviation stays
 * open. False for anything else. */
bool value_parse_time(const char *text, uint8_t out[12]);

void value_print_json(const json_t *v, FILE *to); /* indented, one document, newline */

#endif
