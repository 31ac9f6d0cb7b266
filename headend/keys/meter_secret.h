/* What it takes to talk to one meter, as one sealed secret of its row in the store.
 *
 * Its place is a random tag of the secret's own, kept beside the sealed octets in the same field,
 * since the row's id is not known before it is stored. So two secrets never mix, but a whole field
 * that somebody copies to another row opens there: whoever can write the database could as well
 * change that row's address. */
#ifndef FERRARIS_HEADEND_METER_SECRET_H
#define FERRARIS_HEADEND_METER_SECRET_H

#include "headend/keys/seal.h"
#include "headend/store/store.h"
#include "lib/dlms/security.h"

#define METER_SECRET_PASSWORD_MAX 64

struct meter_secret {
    struct dlms_keys keys;                        /* has_guek etc. say what is there */
    char password[METER_SECRET_PASSWORD_MAX + 1]; /* "" none */
};
/* Into m->secret. ERR_FULL, ERR_RNG. */
MUST_CHECK enum err meter_secret_put(const struct seal_key *key, struct store_meter *m,
                                     const struct meter_secret *secret);
/* An empty field gives an empty secret. ERR_TAG, ERR_FORMAT. Wipe *secret after use. */
MUST_CHECK enum err meter_secret_get(const struct seal_key *key, const struct store_meter *m,
                                     struct meter_secret *secret);

#endif
