/* See collect_meter.h. */
#include "headend/collect/collect_meter.h"

#include <stdlib.h>
#include <string.h>

enum err collect_table_init(struct collect_table *t)
{
    memset(t, 0, sizeof *t);
    return uv_mutex_init(&t->lock) == 0 ? ERR_OK : ERR_MEMORY;
}

void collect_table_free(struct collect_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->meter[i]->objects);
        free(t->meter[i]->profile);
        free(t->meter[i]);
    }
    free(t->meter);
    free(t->unknown);
    uv_mutex_destroy(&t->lock);
    memset(t, 0, sizeof *t);
}

/* Place of the id, or where it would stand. */
static size_t place_of(const struct collect_table *t, int64_t id)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->meter[middle]->row.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct collect_meter *collect_table_find(const struct collect_table *t, int64_t id)
{
    const size_t at = place_of(t, id);
    return at < t->n && t->meter[at]->row.id == id ? t->meter[at] : NULL;
}

static bool grow(struct collect_table *t)
{
    const size_t size = t->size == 0 ? 64 : t->size * 2;
    struct collect_meter **p = realloc(t->meter, size * sizeof *p);
    if (p == NULL)
        return false;
    t->meter = p;
    t->size = size;
    return true;
}

struct collect_meter *collect_table_add(struct collect_table *t, const struct store_meter *row)
{
    struct collect_meter *m = collect_table_find(t, row->id);
    if (m != NULL)
        return m;
    m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->row = *row;
    m->state.activity = row->enabled ? METER_WAITING : METER_DISABLED;
    uv_mutex_lock(&t->lock);
    const bool fits = t->n < t->size || grow(t);
    if (fits) {
        const size_t at = place_of(t, row->id);
        memmove(t->meter + at + 1, t->meter + at, (t->n - at) * sizeof t->meter[0]);
        t->meter[at] = m;
        t->n++;
    }
    uv_mutex_unlock(&t->lock);
    if (!fits)
        free(m);
    return fits ? m : NULL;
}

static void ask_unknown(struct collect_table *t, int64_t id)
{
    if (t->n_unknown == t->unknown_size) {
        const size_t size = t->unknown_size == 0 ? 64 : t->unknown_size * 2;
        int64_t *p = realloc(t->unknown, size * sizeof *p);
        if (p == NULL)
            return;
        t->unknown = p;
        t->unknown_size = size;
    }
    t->unknown[t->n_unknown++] = id;
}

void collect_table_ask(struct collect_table *t, int64_t id, bool load)
{
    uv_mutex_lock(&t->lock);
    struct collect_meter *m = collect_table_find(t, id);
    if (m == NULL) {
        if (load)
            ask_unknown(t, id);
    } else {
        m->asked_load = m->asked_load || load;
        m->asked_read = m->asked_read || !load;
        t->wishes = true;
    }
    uv_mutex_unlock(&t->lock);
}
