/* A bounded pool of threads for password checks: at most N at once, at most QUEUE waiting; who
 * comes after that is refused at once, so that guessing cannot take the machine. */
#ifndef FERRARIS_HEADEND_HASH_POOL_H
#define FERRARIS_HEADEND_HASH_POOL_H

#include "lib/base/err.h"

#include <stddef.h>

struct hash_pool;
typedef void hash_pool_fn(void *job);

MUST_CHECK enum err hash_pool_start(struct hash_pool **p, unsigned n_threads, unsigned queue);
/* `run` is called in a thread of the pool. ERR_FULL: not taken. */
MUST_CHECK enum err hash_pool_add(struct hash_pool *p, hash_pool_fn *run, void *job);
/* Runs what is queued, then ends the threads. NULL is fine. */
void hash_pool_stop(struct hash_pool *p);

#endif
