/* Random values from the descriptors of classes: what a client may write, and what lies just
 * outside. */
#ifndef FERRARIS_TESTS_LIB_COSEM_RANDOM_VALUE_H
#define FERRARIS_TESTS_LIB_COSEM_RANDOM_VALUE_H

#include "lib/cosem/model.h"

struct random_value {
    uint32_t state; /* of the generator; not 0 */
    struct axdr_type type;
    const struct cosem_limit *limits;
    uint8_t n_limits;
    int outside; /* place in the type whose limits are broken, -1: none */
    bool broken; /* it was */
};

/* Writes one value of the type. Arrays and strings are short. */
void random_value_put(struct random_value *g, struct wr *w);

#endif
