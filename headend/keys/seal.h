/* Secrets at rest: AES-256-GCM under the data directory's own key.
 *
 * The key lies in DIR/master.key (32 octets in hex, mode 0600), made at first start; whoever has
 * both it and the database has the meters' keys, so backups keep them apart. The place of a secret
 * (which meter, which kind) is authenticated with it: a sealed secret moved to another row does not
 * open. */
#ifndef FERRARIS_HEADEND_SEAL_H
#define FERRARIS_HEADEND_SEAL_H

#include "lib/base/cursor.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seal_key {
    uint8_t octets[32];
};
/* Reads DIR/master.key or makes it. Refuses one that others may read or write or that is another
 * user's (ERR_ACCESS), no plain file or no key (ERR_FORMAT), a link (ERR_IO). Also ERR_FULL,
 * ERR_RNG. *why: the sentence. */
MUST_CHECK enum err seal_key_open(struct seal_key *key, const char *dir, char *why,
                                  size_t why_size);
void seal_key_wipe(struct seal_key *key);

#define SEAL_OVERHEAD (1 + 12 + 16) /* version, nonce, tag */

/* to: plain.len + SEAL_OVERHEAD octets. `place` names the row, e.g. "meter 7". ERR_FULL, ERR_RNG,
 * ERR_MEMORY (backend). */
MUST_CHECK enum err seal_close(const struct seal_key *key, const char *place, struct bytes plain,
                               uint8_t *to, size_t size, size_t *len);
/* ERR_TAG: wrong key, other place or damaged. ERR_FORMAT, ERR_VERSION, ERR_FULL,
 * ERR_MEMORY. After an error nothing of the text is left in `to`. */
MUST_CHECK enum err seal_open(const struct seal_key *key, const char *place, struct bytes sealed,
                              uint8_t *to, size_t size, size_t *len);

#endif
