/* What a client was told: values and profile rows, parsed from the --json answers of `ferraris
 * read` and `ferraris profile` over HLS 5 with the keys file "keys". */
#ifndef FERRARIS_TEST_ANSWERS_H
#define FERRARIS_TEST_ANSWERS_H

#include <jansson.h>
#include <stdint.h>

#define SECURE "--auth", "hls5", "--keys", "keys"

/* A register's raw value. */
int64_t told_value(const char *url, const char *obis);
double told_scaled(const char *url, const char *obis);

/* Load profile 1: the document; json_decref() it. */
json_t *told_profile(const char *url);
/* Cell (row, column with that logical name) as a number; n_rows by json_array_size(told_rows()). */
const json_t *told_rows(const json_t *profile);
int64_t told_cell(const json_t *profile, size_t row, const char *obis);
/* The row's stamp in seconds since 1970. */
int64_t told_stamp(const json_t *profile, size_t row);

#endif
