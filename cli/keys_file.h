/* The keys of one meter in a text file, shared by `ferraris meter --keys` and the client verbs.
 *
 * Lines `name = value`; empty lines and lines that begin with # are skipped:
 *     guek = 32 hex digits        global unicast encryption key
 *     gak = 32 hex digits         authentication key
 *     kek = 32 hex digits         master key
 *     password = text             secret of low-level security, 1..64 octets
 *     title = 16 hex digits       the client's own system title (client verbs only; optional)
 * Every name is optional and stands at most once. The file should be readable by its owner only;
 * keys_file_read says in `warning` when it is not.
 *
 * The client keeps what must not repeat in FILE.state: its system title (drawn at random unless the
 * keys file names one) and the limit of the invocation counters reserved so far. Two processes may
 * use one file: each reserves its own block under a lock. */
#ifndef FERRARIS_CLI_KEYS_FILE_H
#define FERRARIS_CLI_KEYS_FILE_H

#include "lib/dlms/security.h"

#define KEYS_FILE_PASSWORD_MAX 64

struct keys_file {
    char path[512]; /* empty: nothing was read */
    struct dlms_keys keys;
    char password[KEYS_FILE_PASSWORD_MAX + 1]; /* empty: none */
    uint8_t title[DLMS_TITLE_LEN];
    bool has_title;
    char warning[128]; /* empty: none */
};

/* ERR_IO (cannot open), ERR_FORMAT (line and reason in `error`), ERR_RANGE (path too long). */
MUST_CHECK enum err keys_file_read(struct keys_file *k, const char *path, char *error,
                                   size_t error_size);
/* Draws new keys and a password of 20 characters and writes them to a new file, mode 0600, durable
 * before return. ERR_IO (also when the file exists), ERR_RNG. */
MUST_CHECK enum err keys_file_create(struct keys_file *k, const char *path, char *error,
                                     size_t error_size);

/* Counters that never repeat, also not after a crash: a struct dlms_counter_store over FILE.state.
 * The struct keys_file must outlive it. */
struct keys_state {
    const struct keys_file *file;
    uint8_t title[DLMS_TITLE_LEN]; /* of the client */
    bool known;                    /* a counter was stored before */
    struct dlms_counter counter;
    struct dlms_counter_store store;
};
/* Opens or creates the state and reserves nothing yet. ERR_IO, ERR_FORMAT, ERR_RNG. */
MUST_CHECK enum err keys_state_open(struct keys_state *s, const struct keys_file *k, char *error,
                                    size_t error_size);
/* Goes on above `used`, the highest counter the meter has seen. Never goes back. */
void keys_state_raise(struct keys_state *s, uint32_t used);

/* n octets from 2n hex digits; false for anything else. */
bool keys_hex(const char *text, uint8_t *out, size_t n);

#endif
