/* The decoder in process, for tests: input to entries. */
#ifndef FERRARIS_TESTS_CLI_DECODER_H
#define FERRARIS_TESTS_CLI_DECODER_H

#include "cli/decode_stream.h"

struct decoded {
    json_t *entries;    /* the caller decrefs */
    bool bad, insecure; /* what gives exit codes 4 and 5 */
};
/* keys NULL: none. */
struct decoded decoder_text(const char *text, const struct decode_keys *keys);
struct decoded decoder_stream(const uint8_t *p, size_t n, size_t piece);
struct decoded decoder_pcap(const uint8_t *p, size_t n);

/* Fields of an entry; "" where there is none. */
const char *entry_text(const struct decoded *d, size_t i, const char *key);
json_t *entry_field(const struct decoded *d, size_t i, const char *key);
/* The value of the first entry of `values` whose name ends so ("1.8.0.255"); NULL: none. */
json_t *entry_value(const struct decoded *d, size_t i, const char *obis);

/* SHARED_DIR/path as text, zero-terminated; NULL where there is none. The caller frees. */
char *shared_text(const char *path);

#endif
