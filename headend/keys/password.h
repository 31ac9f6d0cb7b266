/* Passwords of people: argon2id, 19 MiB, 2 passes, 1 lane (OWASP's first choice), 16 octets of
 * salt.
 *
 * One check costs some 20 ms and 19 MiB, so the API runs them in struct hash_pool, never in its own
 * thread. */
#ifndef FERRARIS_HEADEND_PASSWORD_H
#define FERRARIS_HEADEND_PASSWORD_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSWORD_MIN  10
#define PASSWORD_MAX  128
#define PASSWORD_HASH 160 /* room for the string with its parameters */

/* ERR_RANGE (PASSWORD_MIN to PASSWORD_MAX octets), ERR_RNG, ERR_MEMORY. */
MUST_CHECK enum err password_hash(const char *password, char hash[PASSWORD_HASH]);
/* False also for a malformed hash. Constant time in the digest. With hash NULL (no such user) it
 * costs as much and gives false. */
bool password_check(const char *password, const char *hash);
/* A fresh one for people to type: five groups of four letters and digits without look-alikes
 * (about 98 bits). ERR_RNG. */
MUST_CHECK enum err password_make(char out[25]);

#endif
