/* See hash_pool.h. One mutex, one condition, a ring of jobs that is allocated once. */
#include "headend/keys/hash_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct job {
    hash_pool_fn *run;
    void *job;
};

struct hash_pool {
    pthread_mutex_t lock; /* over all below */
    pthread_cond_t changed;
    bool stopping;
    unsigned first, n_waiting, queue, n_threads;
    struct job *ring;  /* queue of them */
    pthread_t *thread; /* n_threads, not under the lock: set before and used after all runs */
};

/* False: the pool ends and nothing is left to do. */
static bool next_job(struct hash_pool *p, struct job *out)
{
    pthread_mutex_lock(&p->lock);
    while (p->n_waiting == 0 && !p->stopping)
        pthread_cond_wait(&p->changed, &p->lock);
    const bool found = p->n_waiting > 0;
    if (found) {
        *out = p->ring[p->first];
        p->first = (p->first + 1) % p->queue;
        p->n_waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void *work(void *context)
{
    struct job j;
    while (next_job(context, &j))
        j.run(j.job);
    return NULL;
}

static void free_pool(struct hash_pool *p)
{
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p->thread);
    free(p->ring);
    free(p);
}

static struct hash_pool *make_pool(unsigned n_threads, unsigned queue)
{
    struct hash_pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    pthread_mutex_init(&p->lock, NULL); /* cannot fail on Linux, nor can the next */
    pthread_cond_init(&p->changed, NULL);
    p->queue = queue;
    p->ring = calloc(queue, sizeof *p->ring);
    p->thread = calloc(n_threads, sizeof *p->thread);
    if (p->ring == NULL || p->thread == NULL) {
        free_pool(p);
        return NULL;
    }
    return p;
}

enum err hash_pool_start(struct hash_pool **out, unsigned n_threads, unsigned queue)
{
    *out = NULL;
    if (n_threads == 0 || queue == 0)
        return ERR_RANGE;
    struct hash_pool *p = make_pool(n_threads, queue);
    if (p == NULL)
        return ERR_MEMORY;
    for (; p->n_threads < n_threads; p->n_threads++) {
        if (pthread_create(&p->thread[p->n_threads], NULL, work, p) != 0) {
            hash_pool_stop(p);
            return ERR_MEMORY;
        }
    }
    *out = p;
    return ERR_OK;
}

enum err hash_pool_add(struct hash_pool *p, hash_pool_fn *run, void *job)
{
    pthread_mutex_lock(&p->lock);
    const bool room = p->n_waiting < p->queue && !p->stopping;
    if (room) {
        p->ring[(p->first + p->n_waiting) % p->queue] = (struct job){run, job};
        p->n_waiting++;
        pthread_cond_signal(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return room ? ERR_OK : ERR_FULL;
}

void hash_pool_stop(struct hash_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->thread[i], NULL);
    free_pool(p);
}
