#include "headend/api/store_pool.h"

#include <string.h>

enum err store_pool_open(struct store_pool *p, size_t n, const struct store_options *o, char *why,
                         size_t why_size)
{
    enum err e = ERR_OK;
    memset(p, 0, sizeof *p);
    if (n > STORE_POOL_MAX)
        return ERR_RANGE;
    if (pthread_mutex_init(&p->lock, NULL) != 0)
        return ERR_MEMORY;
    if (pthread_cond_init(&p->returned, NULL) != 0) {
        pthread_mutex_destroy(&p->lock);
        return ERR_MEMORY;
    }
    while (e == ERR_OK && p->n < n) {
        e = store_open(&p->all[p->n], o, why, why_size);
        if (e == ERR_OK)
            p->idle[p->n_idle++] = p->all[p->n++];
    }
    if (e != ERR_OK && p->n > 0)
        store_pool_close(p);
    return e;
}

struct store *store_pool_take(struct store_pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->n_idle == 0)
        pthread_cond_wait(&p->returned, &p->lock);
    struct store *s = p->idle[--p->n_idle];
    pthread_mutex_unlock(&p->lock);
    return s;
}

void store_pool_give(struct store_pool *p, struct store *s)
{
    pthread_mutex_lock(&p->lock);
    p->idle[p->n_idle++] = s;
    pthread_cond_signal(&p->returned);
    pthread_mutex_unlock(&p->lock);
}

void store_pool_close(struct store_pool *p)
{
    if (p->n == 0)
        return;
    for (size_t i = 0; i < p->n; i++)
        store_close(p->all[i]);
    pthread_cond_destroy(&p->returned);
    pthread_mutex_destroy(&p->lock);
    p->n = p->n_idle = 0;
}
