/* What other threads ask of the collector, and see of it. Their calls only touch what lies under
 * the table's lock; what they wish is done in the loop, which uv_async_send() wakes. */
#include "headend/collect/collect_plan.h"
#include "headend/collect/collect_turn.h"
#include "headend/collect/collector_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- loop thread ---- */

static void take_wish(struct collector *c, struct collect_meter *m)
{
    uv_mutex_lock(&c->table.lock);
    const bool load = m->asked_load, read = m->asked_read;
    m->asked_load = m->asked_read = false;
    uv_mutex_unlock(&c->table.lock);
    if (load && m->conn != NULL) {
        m->load = true;
        if (m->conn->step == CONN_KEPT)
            turn_release(m->conn);
    } else if (load) {
        plan_load(c, m->row.id);
    }
    if (read && m->conn != NULL && m->conn->step != CONN_KEPT)
        m->again = true;
    else if (read)
        plan_now(c, m);
}

void collector_take_wishes(struct collector *c)
{
    uv_mutex_lock(&c->table.lock);
    int64_t *unknown = c->table.unknown;
    const size_t n = c->table.n_unknown;
    c->table.unknown = NULL;
    c->table.n_unknown = c->table.unknown_size = 0;
    const bool wishes = c->table.wishes;
    c->table.wishes = false;
    uv_mutex_unlock(&c->table.lock);
    for (size_t i = 0; i < n && !c->stopping; i++)
        plan_load(c, unknown[i]);
    free(unknown);
    for (size_t i = 0; wishes && i < c->table.n && !c->stopping; i++)
        take_wish(c, c->table.meter[i]);
}

/* ---- any thread ---- */

static void hook_changed(void *context, int64_t meter)
{
    struct collector *c = context;
    collect_table_ask(&c->table, meter, true);
    (void)uv_async_send(&c->async);
}

static void hook_read(void *context, int64_t meter)
{
    struct collector *c = context;
    collect_table_ask(&c->table, meter, false);
    (void)uv_async_send(&c->async);
}

static bool hook_state(void *context, int64_t meter, struct meter_state *out)
{
    struct collector *c = context;
    uv_mutex_lock(&c->table.lock);
    const struct collect_meter *m = collect_table_find(&c->table, meter);
    if (m != NULL)
        *out = m->state;
    uv_mutex_unlock(&c->table.lock);
    return m != NULL;
}

static void hook_totals(void *context, struct collector_totals *out)
{
    struct collector *c = context;
    memset(out, 0, sizeof *out);
    uv_mutex_lock(&c->table.lock);
    for (size_t i = 0; i < c->table.n; i++) {
        const struct meter_state *s = &c->table.meter[i]->state;
        if (s->activity == METER_DISABLED)
            continue;
        out->n_meters++;
        out->n_up_to_date += s->up_to_date;
        out->n_failing += s->n_failed > 0;
        out->n_connections += s->activity == METER_READING || s->activity == METER_CONNECTING;
    }
    out->n_rows = c->n_rows;
    out->n_values = c->n_values;
    out->store_failing = c->store_failing;
    snprintf(out->reason, sizeof out->reason, "%s", c->reason);
    uv_mutex_unlock(&c->table.lock);
}

struct collector_hooks collector_hooks(struct collector *c)
{
    return (struct collector_hooks){.context = c,
                                    .meter_changed = hook_changed,
                                    .read_now = hook_read,
                                    .state = hook_state,
                                    .totals = hook_totals};
}
