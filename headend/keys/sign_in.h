/* Who may come in: slows down guessing, per user name and per address.
 *
 * From the third failure on each further attempt waits: 1 s, 2 s, 4 s ... 15 minutes; a success
 * clears the name's count, 15 quiet minutes after the wait clear any. A fixed table; when more
 * names and addresses fail than it has entries, newcomers share entries and wait with them, so a
 * flood cannot wash a count away. No clock of its own. Not thread-safe: the API calls it under its
 * lock.
 */
#ifndef FERRARIS_HEADEND_SIGN_IN_H
#define FERRARIS_HEADEND_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#define SIGN_IN_ENTRIES     1024
#define SIGN_IN_WAIT_MAX_MS (15u * 60u * 1000u)
#define SIGN_IN_FORGET_MS   (15u * 60u * 1000u) /* after the end of the wait */

struct sign_in_entry {
    uint64_t key; /* keyed hash of the name or address (an IPv6 address: of its /64); 0: free */
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
