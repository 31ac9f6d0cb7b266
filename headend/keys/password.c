/* See password.h. */
#include "headend/keys/password.h"
#include "headend/keys/entropy.h"
#include "lib/base/cursor.h"

#include <argon2.h>
#include <stdio.h>
#include <string.h>

#define PASSES     2
#define MEMORY_KIB 19456 /* 19 MiB: OWASP password storage cheat sheet, argon2id */
#define LANES      1
#define SALT       16
#define DIGEST     32

/* A hash in the store may be older than these numbers, but a forged one must not take the machine.
 */
#define MEMORY_MAX_KIB 65536
#define PASSES_MAX     10

enum err password_hash(const char *password, char hash[PASSWORD_HASH])
{
    uint8_t salt[SALT];
    const size_t n = strlen(password);
    if (n < PASSWORD_MIN || n > PASSWORD_MAX)
        return ERR_RANGE;
    if (entropy_fill(salt, sizeof salt))
        return ERR_RNG;
    const int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, n, salt, sizeof salt,
                                         DIGEST, hash, PASSWORD_HASH);
    return rc == ARGON2_OK ? ERR_OK : ERR_MEMORY;
}

static bool is_bearable(const char *hash)
{
    unsigned memory, passes, lanes;
    return strnlen(hash, PASSWORD_HASH) < PASSWORD_HASH &&
           sscanf(hash, "$argon2id$v=19$m=%9u,t=%9u,p=%9u$", &memory, &passes, &lanes) == 3 &&
           memory <= MEMORY_MAX_KIB && passes <= PASSES_MAX && lanes == LANES;
}

/* Takes as long as a check: the time of an answer does not tell which names exist. */
static void spend(const char *password, size_t n)
{
    static const uint8_t salt[SALT];
    uint8_t digest[DIGEST];
    if (argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, password, n, salt, sizeof salt, digest,
                          sizeof digest) == ARGON2_OK)
        wipe(digest, sizeof digest);
}

bool password_check(const char *password, const char *hash)
{
    const size_t n = strnlen(password, PASSWORD_MAX + 1);
    if (n > PASSWORD_MAX)
        return false; /* nobody has such a one, whatever the name */
    if (hash == NULL || !is_bearable(hash)) {
        spend(password, n);
        return false;
    }
    return argon2id_verify(hash, password, n) == ARGON2_OK;
}

enum err password_make(char out[25])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz3456789"; /* no i l o, no 0 1 2 */
    enum { N = sizeof letters - 1, FAIR = 256 / N * N };
    for (size_t at = 0; at < 24;) {
        uint8_t random;
        if (entropy_fill(&random, 1)) {
            wipe(out, 25);
            return ERR_RNG;
        }
        if (at % 5 == 4)
            out[at++] = '-';
        else if (random < FAIR)
            out[at++] = letters[random % N];
    }
    out[24] = '\0';
    return ERR_OK;
}
