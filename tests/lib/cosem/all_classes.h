/* A logical device with one object of every version of every class, for tests, the fuzz target and
 * the matrix: values live in the store (values.h), the association, SAP list and security setup are
 * the server's own. Everybody may read all; the manager may write what a client may ever write. */
#ifndef FERRARIS_TESTS_LIB_COSEM_ALL_CLASSES_H
#define FERRARIS_TESTS_LIB_COSEM_ALL_CLASSES_H

#include "lib/cosem/server.h"
#include "lib/cosem/values.h"

#define ALL_CLASSES_SLOTS     310
#define ALL_CLASSES_VALUE_MAX 300

extern const struct values_slot all_classes_slots[ALL_CLASSES_SLOTS];

struct all_classes {
    struct cosem_device device;
    struct values values;
    struct values_hooks hooks;
    enum err keep; /* what the hook gives */
    unsigned n_keep, n_changed, n_act;
    size_t last_n; /* changes of the last call of keep */
    uint8_t arena[ALL_CLASSES_SLOTS * (2 + ALL_CLASSES_VALUE_MAX) + ALL_CLASSES_VALUE_MAX + 4];
};

/* SAP 1, values as in the table. False: a value of the table does not fit its descriptor. */
bool all_classes_init(struct all_classes *d);

#endif
