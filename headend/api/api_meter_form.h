/* A meter's settings as they come in a request: JSON to a row of the store.
 *
 * Pure: no store, no key, no clock; the fuzz target calls it. What a value may be is judged by
 * meter_check.h, here only that each member is known and of its JSON type. */
#ifndef FERRARIS_HEADEND_API_METER_FORM_H
#define FERRARIS_HEADEND_API_METER_FORM_H

#include "headend/keys/meter_check.h"

#include <jansson.h>

struct meter_form_fault {
    bool unknown; /* no such member, else its value is wrong */
    char field[64];
    char message[160]; /* a sentence */
};

/* Lays the members of `object` over *m and *secret; what is not there stays as it is. keys and
 * password: null forgets. Then meter_check() on the whole. need_name_url: both must be there.
 * *secret_given: keys or password were among them. False: *fault. */
bool meter_form_read(const json_t *object, bool need_name_url, struct store_meter *m,
                     struct meter_secret *secret, bool *secret_given,
                     struct meter_form_fault *fault);

#endif
