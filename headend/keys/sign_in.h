/* Who may come in: slows down guessing, per user name and per address.
 *
 * After 3 failures each further attempt waits: 1 s, 2 s, 4 s ... 15 minutes; a success clears the
 * name's count. A fixed table; the oldest entries give way, the ones that wait longest last. No
 * clock of its own. Not thread-safe: the API calls it under its lock. */
#ifndef FERRARIS_HEADEND_SIGN_IN_H
#define FERRARIS_HEADEND_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#define SIGN_IN_ENTRIES 1024

struct sign_in_entry {
    uint64_t key; /* hash of the name or address with a random secret; 0: free */
    uint32_t n_failed;
    uint64_t until_ms; /* monotonic */
};
struct sign_in {
    uint64_t secret;
    struct sign_in_entry entry[SIGN_IN_ENTRIES];
};
void sign_in_init(struct sign_in *s, uint64_t secret);
/* Milliseconds to wait before this attempt may be checked; 0: go on. */
uint64_t sign_in_wait_ms(const struct sign_in *s, const char *user, const char *address,
                         uint64_t now_ms);
void sign_in_failed(struct sign_in *s, const char *user, const char *address, uint64_t now_ms);
void sign_in_succeeded(struct sign_in *s, const char *user, const char *address);

#endif
