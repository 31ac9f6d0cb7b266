/* One store connection for each thread that answers requests, opened at start and lent for one
 * answer: SQLite reads run side by side, and no request waits for another's. */
#ifndef FERRARIS_HEADEND_STORE_POOL_H
#define FERRARIS_HEADEND_STORE_POOL_H

#include "headend/store/store.h"

#include <pthread.h>

#define STORE_POOL_MAX 16

struct store_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct store *all[STORE_POOL_MAX];
    struct store *idle[STORE_POOL_MAX];
    size_t n, n_idle;
};

/* n: as many as threads will ask. Errors of store_open, ERR_MEMORY. */
MUST_CHECK enum err store_pool_open(struct store_pool *p, size_t n, const struct store_options *o,
                                    char *why, size_t why_size);
/* Waits where all are lent; with one for each thread that does not happen. */
struct store *store_pool_take(struct store_pool *p);
void store_pool_give(struct store_pool *p, struct store *s);
/* Of one that was never opened (all zero) too. */
void store_pool_close(struct store_pool *p);

#endif
