/* A reader whose events are kept, for tests: over a line to our own meter
 * (tests/firmware/meter/rig.h) or to a scripted one. */
#ifndef FERRARIS_TESTS_HEADEND_COLLECT_READING_H
#define FERRARIS_TESTS_HEADEND_COLLECT_READING_H

#include "headend/collect/reader.h"

#define READING_ROWS_MAX 2000

struct reading {
    struct reader reader;
    struct reader_objects objects;
    struct reader_plan plan; /* objects and from_s are set; want is the test's */
    uint64_t now_ms;
    int64_t from_s; /* given by from_s; INT64_MIN */
    /* what came, cleared by reading_begin */
    unsigned n_identified, n_clock, n_values, n_ends;
    int64_t clock_s, asked_now_s; /* asked_now_s: what from_s was told */
    int16_t deviation_min;
    bool clock_valid;
    enum cosem_result result[READER_REGISTERS_MAX];
    int64_t value[READER_REGISTERS_MAX];
    enum cosem_result end[READER_PROFILES_MAX];
    uint32_t end_rows[READER_PROFILES_MAX];
    uint32_t n_rows, rows_limit; /* of all profiles; row() says no beyond the limit */
    struct profile_row row[READING_ROWS_MAX];
};

void reading_init(struct reading *x, const struct cosem_client_config *k);
/* Begins with what `want` says; asserts that it could. */
void reading_begin(struct reading *x, uint8_t want);
/* The register of this name in the objects; fails the test when it is not there. */
size_t reading_register(const struct reading *x, const char *obis);

#endif
