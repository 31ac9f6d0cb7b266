/* The store's writer of the collector: jobs go in from the loop, a worker thread runs them, many in
 * one transaction, and their owners hear of it in the loop again.
 *
 * One batch at a time: while it runs, further jobs gather and go together in the next one (group
 * commit), so that under load the number of transactions follows the disk's pace and not the
 * meters'. Jobs run in the order they were put in. A job that fails by its own content costs only
 * itself: the batch is then done again, each job in a transaction of its own. A disk that is full
 * or broken fails the whole batch. Jobs are the caller's and must stay until `done`. */
#ifndef FERRARIS_HEADEND_COLLECT_COMMIT_H
#define FERRARIS_HEADEND_COLLECT_COMMIT_H

#include "headend/store/store.h"

#include <uv.h>

#define COMMIT_BATCH_MAX 64 /* jobs in one transaction */
#define COMMIT_WHY_MAX   160

struct commit_job {
    /* Worker thread. May run twice for one commit, so it must not count in memory. */
    enum err (*work)(struct commit_job *job, struct store *s);
    void (*done)(struct commit_job *job); /* loop thread; the job is the caller's again */
    bool alone;   /* calls that make transactions of their own; not within the batch's */
    bool durable; /* the batch it is in is synced */
    /* Of several jobs: set when one of them fails; later ones with the same are not run. */
    bool *spoiled;
    void *owner;  /* the caller's */
    enum err err; /* for done() */
    char why[COMMIT_WHY_MAX];
    struct commit_job *next; /* private */
};

struct commit_queue {
    uv_loop_t *loop;
    uint32_t n_open; /* jobs put in and not done */
    /* private */
    struct store *store;
    uv_work_t work;
    bool running;
    struct commit_job *waiting, **tail, *batch;
};

/* Opens a connection to the store of its own. Errors of store_open. */
MUST_CHECK enum err commit_queue_open(struct commit_queue *q, uv_loop_t *loop,
                                      const struct store_options *o, char *why, size_t why_size);
void commit_queue_put(struct commit_queue *q, struct commit_job *job);
/* Lets the worker begin with what was put in, unless it is at work: jobs put in before one call
 * come into one batch. */
void commit_queue_start(struct commit_queue *q);
/* With n_open 0 and the loop empty. */
void commit_queue_close(struct commit_queue *q);
/* The fault is the place's (disk full, I/O, locked), not the job's. */
bool commit_is_store_failure(enum err err);

#endif
