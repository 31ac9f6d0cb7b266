/* See collector.h. This file has the table of connections, the tick that finds what is due, and the
 * queue of meters that wait for a connection; the calls of other threads are in collector_hooks.c.
 */
#include "headend/collect/collector.h"

#include "headend/collect/collect_plan.h"
#include "headend/collect/collect_turn.h"
#include "headend/collect/collect_write.h"

#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONNECTIONS 256
#define RESERVE_PART        4  /* of the lines: for meters that answer */
#define STOP_TICKS          30 /* then lines that do not release are closed */

/* ---- small ---- */

uint64_t collector_mono(const struct collector *c)
{
    return server_clock_mono_ms(c->o.clock);
}

int64_t collector_utc(const struct collector *c)
{
    return server_clock_utc_ms(c->o.clock);
}

uint32_t collector_random(struct collector *c)
{
    uint32_t x = 0;
    return c->o.rng->fill(c->o.rng, &x, sizeof x) == ERR_OK ? x : 0;
}

struct meter_state *collector_state_begin(struct collector *c, struct collect_meter *m)
{
    uv_mutex_lock(&c->table.lock);
    return &m->state;
}

void collector_state_end(struct collector *c, struct collect_meter *m)
{
    uv_mutex_unlock(&c->table.lock);
    m->event_waiting = true;
}

void collector_event(struct collector *c, const struct meter_event *event)
{
    if (c->o.event != NULL)
        c->o.event(c->o.event_context, event);
}

void collector_count(struct collector *c, uint64_t n_rows, uint64_t n_values)
{
    uv_mutex_lock(&c->table.lock);
    c->n_rows += n_rows;
    c->n_values += n_values;
    uv_mutex_unlock(&c->table.lock);
}

void collector_resume(struct collector *c)
{
    for (uint32_t i = 0; i < c->n_conns && c->rows_waiting < COLLECTOR_WAITING_ROWS / 2; i++)
        if (c->conn[i].paused_at != 0)
            collect_conn_pump(&c->conn[i]);
}

/* ---- the end ---- */

static void close_if_over(struct collector *c)
{
    if (!c->stopping || c->closed || c->n_free < c->n_conns || c->queue.n_open > 0)
        return;
    c->closed = true;
    uv_close((uv_handle_t *)&c->timer, NULL);
    uv_close((uv_handle_t *)&c->async, NULL);
}

void collector_conn_free(struct collect_conn *conn)
{
    struct collector *c = conn->c;
    struct collect_meter *m = conn->m;
    write_drop(conn);
    wipe(&conn->secret, sizeof conn->secret);
    conn->step = CONN_FREE;
    conn->m = NULL;
    conn->next_free = c->free;
    c->free = conn;
    c->n_free++;
    m->conn = NULL;
    if (m->load) {
        m->load = false;
        plan_load(c, m->row.id);
    }
    (void)uv_async_send(&c->async); /* the next one begins from the loop, not from within */
}

static void stop_conn(struct collect_conn *conn)
{
    switch (conn->step) {
    case CONN_KEPT:
        turn_release(conn);
        break;
    case CONN_FREE:
    case CONN_STORE: /* its commit counts still */
    case CONN_RELEASE:
    case CONN_CLOSING:
        break;
    default:
        write_drop(conn); /* without its mark: it is read again */
        collect_conn_close(conn);
        break;
    }
}

/* ---- who is next ---- */

/* Did its last attempt succeed? When thousands fall silent at once, each of them holds a line for
 * a time-out; those that answer must not wait behind them. */
static bool is_answering(const struct collect_meter *m)
{
    return m->state.last_ok_ms != 0 && m->state.n_failed == 0;
}

static void make_ready(struct collector *c, struct collect_meter *m)
{
    struct collect_queue *q = is_answering(m) ? &c->answering : &c->silent;
    m->ready = true;
    m->next_ready = NULL;
    *q->end = m;
    q->end = &m->next_ready;
}

static struct collect_meter *pop_ready(struct collect_queue *q)
{
    struct collect_meter *m = q->first;
    q->first = m->next_ready;
    if (q->first == NULL)
        q->end = &q->first;
    m->ready = false;
    return m;
}

static bool may_hold_a_line(const struct collector *c, const struct collect_meter *silent)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n_conns; i++)
        n += c->conn[i].m != NULL && !is_answering(c->conn[i].m);
    return silent->conn != NULL || n < c->n_conns - c->n_conns / RESERVE_PART;
}

/* Whose turn it is, by turns where both wait; NULL: nobody's. */
static struct collect_queue *next_queue(struct collector *c)
{
    const bool silent = c->silent.first != NULL && may_hold_a_line(c, c->silent.first);
    if (silent && (c->answering.first == NULL || c->silent_next))
        return &c->silent;
    return c->answering.first != NULL ? &c->answering : NULL;
}

static bool is_due(const struct collect_meter *m, uint64_t now)
{
    return m->row.enabled && !m->ready && m->due_ms <= now &&
           (m->conn == NULL || m->conn->step == CONN_KEPT);
}

/* Somebody waits: a line that is only kept makes room, best one whose meter does not wait, too. */
static void release_one(struct collector *c)
{
    struct collect_conn *kept = NULL;
    for (uint32_t i = 0; i < c->n_conns; i++) {
        struct collect_conn *conn = &c->conn[i];
        if (conn->step == CONN_RELEASE)
            return;
        if (conn->step == CONN_KEPT && (kept == NULL || kept->m->ready))
            kept = conn;
    }
    if (kept != NULL)
        turn_release(kept);
}

static bool is_idle(const struct collector *c)
{
    for (uint32_t i = 0; i < c->n_conns; i++)
        if (c->conn[i].step != CONN_FREE && c->conn[i].step != CONN_KEPT)
            return false;
    return true;
}

/* While the store fails, one meter at a time tries whether it works again. */
static bool may_begin(struct collector *c)
{
    if (c->stopping)
        return false;
    if (!c->store_failing)
        return true;
    if (collector_mono(c) < c->store_retry_ms || !is_idle(c))
        return false;
    c->store_probing = true;
    return true;
}

static void begin(struct collector *c, struct collect_meter *m)
{
    if (m->conn == NULL) {
        struct collect_conn *conn = c->free;
        c->free = conn->next_free;
        c->n_free--;
        conn->m = m;
        m->conn = conn;
    }
    turn_begin(m->conn);
}

static void dispatch(struct collector *c)
{
    struct collect_queue *q;
    while ((q = next_queue(c)) != NULL && may_begin(c)) {
        if (q->first->conn == NULL && c->free == NULL) {
            release_one(c);
            return;
        }
        struct collect_meter *m = pop_ready(q);
        c->silent_next = q == &c->answering;
        if (m->row.enabled && (m->conn == NULL || m->conn->step == CONN_KEPT))
            begin(c, m);
    }
}

/* ---- tick ---- */

static void tell_state(struct collector *c, struct collect_meter *m, uint64_t now)
{
    const struct meter_event event = {.kind = METER_EVENT_STATE, .meter = m->row.id};
    m->event_waiting = false;
    m->event_ms = now;
    collector_event(c, &event);
}

static void look_at_meters(struct collector *c, uint64_t now)
{
    for (size_t i = 0; i < c->table.n; i++) {
        struct collect_meter *m = c->table.meter[i];
        if (is_due(m, now) && m->conn != NULL && !c->store_failing)
            turn_begin(m->conn); /* it has its line: it need not wait */
        else if (is_due(m, now))
            make_ready(c, m);
        if (m->event_waiting && now - m->event_ms >= COLLECTOR_EVENT_MS)
            tell_state(c, m, now);
    }
}

static void show_progress(struct collector *c, struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    if (conn->step != CONN_READ || (m->state.rows_done == conn->reader.rows_done &&
                                    m->state.rows_expected == conn->reader.rows_expected))
        return;
    struct meter_state *s = collector_state_begin(c, m);
    s->rows_done = conn->reader.rows_done;
    s->rows_expected = conn->reader.rows_expected;
    collector_state_end(c, m);
}

static void tick(struct collector *c)
{
    const uint64_t now = collector_mono(c);
    if (!c->stopping)
        look_at_meters(c, now);
    for (uint32_t i = 0; i < c->n_conns; i++) {
        struct collect_conn *conn = &c->conn[i];
        if (conn->step == CONN_FREE)
            continue;
        collect_conn_poll(conn, now);
        show_progress(c, conn);
        if (c->stopping && c->stop_ticks > STOP_TICKS && conn->step == CONN_RELEASE)
            collect_conn_close(conn);
    }
    dispatch(c);
    close_if_over(c);
}

static void on_timer(uv_timer_t *timer)
{
    struct collector *c = timer->data;
    if (c->stopping)
        c->stop_ticks++;
    tick(c);
}

static void on_async(uv_async_t *async)
{
    struct collector *c = async->data;
    collector_take_wishes(c);
    tick(c);
}

/* ---- begin ---- */

struct loading {
    struct collector *c;
    enum err err;
};

static bool load_one(void *context, const struct store_meter *row)
{
    struct loading *l = context;
    if (collect_table_add(&l->c->table, row) == NULL)
        l->err = ERR_MEMORY;
    return l->err == ERR_OK;
}

struct fresh {
    struct collect_meter *m;
    int64_t at_ms;
};

static int newest_first(const void *a, const void *b)
{
    const int64_t x = ((const struct fresh *)a)->at_ms, y = ((const struct fresh *)b)->at_ms;
    return (x < y) - (x > y);
}

/* All are due at once; those read last come first, since they are up to date again soonest. */
static enum err queue_all(struct collector *c)
{
    struct fresh *list = calloc(c->table.n + 1, sizeof *list);
    enum err err = list != NULL ? ERR_OK : ERR_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < c->table.n && !err; i++) {
        struct collect_meter *m = c->table.meter[i];
        if (!m->row.enabled)
            continue;
        list[n].m = m;
        err = store_registers_newest(c->queue.store, m->row.id, &list[n++].at_ms);
    }
    if (!err)
        qsort(list, n, sizeof *list, newest_first);
    for (size_t i = 0; i < n && !err; i++) {
        plan_now(c, list[i].m);
        make_ready(c, list[i].m);
    }
    free(list);
    return err;
}

static enum err load_meters(struct collector *c)
{
    struct loading l = {.c = c};
    enum err err = store_meter_each(c->queue.store, load_one, &l);
    if (!err)
        err = l.err;
    return err ? err : queue_all(c);
}

/* Our system title: of this data directory, so that two head-ends with the same meter's keys never
 * share nonces; from the directory's own key, so that it stays. */
static void make_title(struct collector *c)
{
    static const char label[] = "ferraris head-end system title";
    uint8_t text[sizeof label + sizeof c->o.key->octets], digest[32];
    memcpy(text, label, sizeof label);
    memcpy(text + sizeof label, c->o.key->octets, sizeof c->o.key->octets);
    (void)SHA256(text, sizeof text, digest); /* of a given buffer: cannot fail */
    wipe(text, sizeof text);
    memcpy(c->title, "FRH", 3);
    memcpy(c->title + 3, digest, DLMS_TITLE_LEN - 3);
}

static enum err make_conns(struct collector *c)
{
    c->n_conns = c->o.max_connections != 0 ? c->o.max_connections : DEFAULT_CONNECTIONS;
    c->conn = calloc(c->n_conns, sizeof *c->conn);
    if (c->conn == NULL)
        return ERR_MEMORY;
    for (uint32_t i = c->n_conns; i-- > 0;) {
        c->conn[i].c = c;
        c->conn[i].next_free = c->free;
        c->free = &c->conn[i];
    }
    c->n_free = c->n_conns;
    return ERR_OK;
}

static enum err prepare(struct collector *c, char *why, size_t why_size)
{
    const struct store_options o = {.dir = c->o.dir, .clock = c->o.clock};
    enum err err = commit_queue_open(&c->queue, c->loop, &o, why, why_size);
    if (err)
        return err;
    make_title(c);
    err = make_conns(c);
    if (!err)
        err = load_meters(c);
    if (err)
        snprintf(why, why_size, "%s: %s", c->o.dir, err_text(err));
    return err;
}

static enum err start_handles(struct collector *c)
{
    c->timer.data = c->async.data = c;
    if (uv_async_init(c->loop, &c->async, on_async) != 0)
        return ERR_IO;
    (void)uv_timer_init(c->loop, &c->timer); /* these two cannot fail */
    (void)uv_timer_start(&c->timer, on_timer, 0, COLLECTOR_TICK_MS);
    return ERR_OK;
}

enum err collector_start(struct collector **out, const struct collector_options *o, char *why,
                         size_t why_size)
{
    struct collector *c = calloc(1, sizeof *c);
    if (c == NULL) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    c->o = *o;
    c->loop = o->loop;
    c->answering.end = &c->answering.first;
    c->silent.end = &c->silent.first;
    (void)signal(SIGPIPE, SIG_IGN); /* a meter that resets costs its connection only */
    enum err err = collect_table_init(&c->table);
    if (err) {
        free(c);
        snprintf(why, why_size, "out of memory");
        return err;
    }
    err = prepare(c, why, why_size);
    if (!err && (err = start_handles(c)) != ERR_OK)
        snprintf(why, why_size, "no event handle");
    if (err) {
        collector_free(c);
        return err;
    }
    *out = c;
    return ERR_OK;
}

void collector_stop(struct collector *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    for (uint32_t i = 0; i < c->n_conns; i++)
        stop_conn(&c->conn[i]);
    close_if_over(c);
}

void collector_free(struct collector *c)
{
    commit_queue_close(&c->queue);
    collect_table_free(&c->table);
    free(c->conn);
    free(c);
}
