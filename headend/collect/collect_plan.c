/* See collect_plan.h. */
#include "headend/collect/collect_plan.h"

#include "headend/collect/collect_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INCOMPLETE_MS 60000    /* until a profile that could not be read well is asked for again */
#define CLOCK_MS      3600000u /* until a clock is set, or told of, again */

/* ---- the store's failures ---- */

static const char *store_trouble(enum err err)
{
    if (err == ERR_FULL)
        return "no space left: nothing is stored until there is room; the meters keep their "
               "readings";
    if (err == ERR_BUSY)
        return "the database is locked by another program: nothing is stored until it lets go";
    return "the database cannot be written: nothing is stored; the meters keep their readings";
}

static void store_fails(struct collector *c, enum err err, const char *why)
{
    uv_mutex_lock(&c->table.lock);
    const bool news = !c->store_failing;
    c->store_failing = true;
    snprintf(c->reason, sizeof c->reason, "%.60s: %s", c->o.dir, store_trouble(err));
    uv_mutex_unlock(&c->table.lock);
    if (news)
        server_log(c->o.log, LOG_ERROR, "%s (%s)", c->reason, why);
    c->store_wait_ms = news ? SCHEDULE_FAIL_MS : c->store_wait_ms * 2;
    if (c->store_wait_ms > COLLECTOR_STORE_MAX_MS)
        c->store_wait_ms = COLLECTOR_STORE_MAX_MS;
    c->store_retry_ms = collector_mono(c) + c->store_wait_ms;
}

void plan_store_result(struct collector *c, enum err err, const char *why)
{
    if (err && commit_is_store_failure(err)) {
        /* the failures of one batch count once */
        if (!c->store_failing || collector_mono(c) >= c->store_retry_ms || c->store_probing)
            store_fails(c, err, why);
        c->store_probing = false;
        return;
    }
    if (err)
        server_log(c->o.log, LOG_ERROR, "%s: %s", c->o.dir, why);
    if (err || !c->store_failing)
        return;
    uv_mutex_lock(&c->table.lock);
    c->store_failing = c->store_probing = false;
    c->reason[0] = '\0';
    uv_mutex_unlock(&c->table.lock);
    server_log(c->o.log, LOG_INFO, "%s: readings are stored again", c->o.dir);
    (void)uv_async_send(&c->async);
}

/* ---- the next turn ---- */

void plan_now(struct collector *c, struct collect_meter *m)
{
    m->due_ms = m->registers_due_ms = m->profiles_due_ms = collector_mono(c);
}

static uint64_t profiles_wait(const struct collect_meter *m, int64_t meter_ms)
{
    uint64_t wait = schedule_profile_wait(0, m->row.id, meter_ms);
    for (size_t k = 0; m->objects != NULL && k < m->objects->n_profiles; k++) {
        const uint64_t one =
            schedule_profile_wait(m->objects->profile[k].period_s, m->row.id, meter_ms);
        wait = one < wait ? one : wait;
    }
    return wait;
}

static void plan_after_success(struct collect_conn *conn, uint64_t now)
{
    struct collect_meter *m = conn->m;
    const int64_t meter_ms = conn->clock_s * 1000 + (int64_t)(now - conn->clock_mono_ms);
    if (conn->want & READER_REGISTERS) {
        m->registers_due_ms =
            schedule_next(m->registers_due_ms, (uint64_t)m->row.register_period_s * 1000, now);
        m->registers_read = true;
    }
    if (conn->want & READER_PROFILES) {
        const uint64_t wait = profiles_wait(m, meter_ms);
        m->profiles_read = !conn->incomplete;
        m->profiles_due_ms =
            now + (m->profiles_read || wait > INCOMPLETE_MS ? wait : INCOMPLETE_MS);
        snprintf(m->profiles_error, sizeof m->profiles_error, "%s",
                 conn->incomplete ? conn->error : "");
    }
    m->due_ms = m->registers_due_ms < m->profiles_due_ms ? m->registers_due_ms : m->profiles_due_ms;
    m->counter_retried = m->counter_doubted = false;
}

static void plan_after_failure(struct collect_conn *conn, uint32_t n_failed, uint64_t now)
{
    struct collector *c = conn->c;
    struct collect_meter *m = conn->m;
    if (conn->retry)
        m->due_ms = now;
    else if (conn->not_stored && c->store_failing) /* nothing begins before it works: collector.c */
        m->due_ms = now + 1000;
    else
        m->due_ms = now + schedule_backoff(n_failed, conn->security, collector_random(c));
    if (conn->want & READER_REGISTERS)
        m->registers_read = false;
    if (conn->want & READER_PROFILES)
        m->profiles_read = false;
}

/* ---- what others see ---- */

static void set_error(const struct collect_conn *conn, struct meter_state *s)
{
    const struct collect_meter *twin = conn->m->twin;
    snprintf(s->error, sizeof s->error, "%s",
             conn->error[0] != '\0' ? conn->error : conn->m->profiles_error);
    if (s->error[0] == '\0' && twin != NULL && twin->row.enabled &&
        strcmp(twin->row.device_name, conn->m->row.device_name) == 0)
        snprintf(s->error, sizeof s->error, "the same meter %s is also read as \"%s\"",
                 twin->row.device_name, twin->row.name);
}

static void log_result(const struct collect_conn *conn, const struct meter_state *before, bool good)
{
    struct collect_meter *m = conn->m;
    const struct server_log *log = conn->c->o.log;
    const long long id = m->row.id;
    if (good && (!m->told || before->n_failed > 0)) {
        server_log(log, LOG_INFO, "meter %lld (%s): %s", id, m->row.name,
                   m->told ? "is read again" : "is read");
        m->told = true;
    } else if (!good && !conn->retry &&
               (before->n_failed == 0 || strcmp(before->error, conn->error) != 0)) {
        server_log(log, LOG_WARNING, "meter %lld (%s): %s", id, m->row.name, conn->error);
    } else {
        server_log(log, LOG_DEBUG, "meter %lld: %s", id, good ? "read" : conn->error);
    }
}

/* ---- the meter's clock ---- */

bool plan_clock_due(const struct collect_conn *conn)
{
    return conn->c->o.clock_to_s > 0 && collector_mono(conn->c) >= conn->m->clock_set_ms;
}

static void log_clock(struct collect_conn *conn, enum server_log_level level, int64_t off_ms,
                      const char *what)
{
    const struct collect_meter *m = conn->m;
    const int64_t ms = off_ms < 0 ? -off_ms : off_ms;
    server_log(conn->c->o.log, level, "meter %lld (%s): its clock was %lld.%03d s %s and %s",
               (long long)m->row.id, m->row.name, (long long)(ms / 1000), (int)(ms % 1000),
               off_ms < 0 ? "behind" : "ahead", what);
    conn->m->clock_set_ms = collector_mono(conn->c) + CLOCK_MS;
}

void plan_clock_told(struct collect_conn *conn)
{
    const int64_t off_ms = conn->clock_s * 1000 - conn->clock_utc_ms;
    const int64_t to_ms = (int64_t)conn->c->o.clock_to_s * 1000;
    if (plan_clock_due(conn) && (off_ms < -to_ms - 1000 || off_ms > to_ms))
        log_clock(conn, LOG_WARNING, off_ms, "is left alone: beyond the limit");
}

void plan_clock_set(struct collect_conn *conn, int64_t off_ms, enum cosem_result result)
{
    char text[100];
    snprintf(text, sizeof text, "cannot be set: %s", cosem_result_text(result));
    if (result == COSEM_SUCCESS)
        log_clock(conn, LOG_INFO, off_ms, "is set");
    else
        log_clock(conn, LOG_WARNING, off_ms, text);
}

static bool is_kept(const struct collect_conn *conn, bool good, uint64_t now)
{
    const struct collect_meter *m = conn->m;
    return good && !conn->ended && conn->connected && !conn->c->stopping && !m->load && !m->again &&
           conn->c->answering.first == NULL && conn->reader.state == READER_READY &&
           m->due_ms <= now + SCHEDULE_KEEP_MS;
}

static void show(struct collect_conn *conn, bool good, uint64_t now)
{
    struct collector *c = conn->c;
    struct collect_meter *m = conn->m;
    struct meter_state *s = collector_state_begin(c, m);
    const struct meter_state before = *s;
    s->activity = m->row.enabled ? METER_WAITING : METER_DISABLED;
    s->rows_done = s->rows_expected = 0;
    if (good)
        s->n_failed = 0;
    else if (!conn->retry)
        s->n_failed++;
    if (good)
        s->last_ok_ms = collector_utc(c);
    if (good)
        plan_after_success(conn, now);
    else
        plan_after_failure(conn, s->n_failed, now);
    set_error(conn, s);
    s->up_to_date = good && m->registers_read && m->profiles_read;
    s->next_ms = collector_utc(c) + (int64_t)(m->due_ms - now);
    collector_state_end(c, m);
    log_result(conn, &before, good);
}

void plan_turn_over(struct collect_conn *conn)
{
    struct collector *c = conn->c;
    struct collect_meter *m = conn->m;
    const uint64_t now = collector_mono(c);
    const bool good = !conn->failed && !conn->not_stored;
    write_drop(conn);
    show(conn, good, now);
    if (is_kept(conn, good, now)) {
        conn->step = CONN_KEPT;
    } else if (good && conn->connected && !conn->ended && conn->reader.state == READER_READY) {
        turn_release(conn);
    } else {
        collect_conn_close(conn);
    }
    if (m->again)
        plan_now(c, m);
    m->again = false;
}

/* ---- identity, rows of the store ---- */

/* What the pages cannot show, nobody would miss there: so the log says it. */
static void warn_left_out(const struct collector *c, const struct collect_meter *m)
{
    const struct reader_objects *o = m->objects;
    const long long id = m->row.id;
    if (o->registers_left_out > 0)
        server_log(c->o.log, LOG_WARNING,
                   "meter %lld (%s): has %u registers; %u are read, the other %u are not", id,
                   m->row.name, o->n_registers + o->registers_left_out, o->n_registers,
                   o->registers_left_out);
    if (o->profiles_left_out > 0)
        server_log(c->o.log, LOG_WARNING,
                   "meter %lld (%s): has %u load profiles; %u are read, the other %u are not", id,
                   m->row.name, o->n_profiles + o->profiles_left_out, o->n_profiles,
                   o->profiles_left_out);
}

void plan_identified(struct collector *c, struct collect_meter *m)
{
    uv_mutex_lock(&c->table.lock);
    snprintf(m->row.device_name, sizeof m->row.device_name, "%s", m->objects->device_name);
    snprintf(m->row.serial, sizeof m->row.serial, "%s", m->objects->serial);
    uv_mutex_unlock(&c->table.lock);
    warn_left_out(c, m);
    m->twin = NULL;
    for (size_t i = 0; i < c->table.n && m->row.device_name[0] != '\0'; i++) {
        const struct collect_meter *other = c->table.meter[i];
        if (other != m && other->row.enabled && other->row.id < m->row.id &&
            strcmp(other->row.device_name, m->row.device_name) == 0)
            m->twin = other;
    }
}

struct load {
    struct commit_job job;
    struct collector *c;
    int64_t id;
    bool had_row;
    struct store_meter before, row;
};

/* Answers from there bear numbers that have nothing to do with those before. */
static bool is_other_line(const struct store_meter *a, const struct store_meter *b)
{
    return strcmp(a->url, b->url) != 0 || a->secret_len != b->secret_len ||
           memcmp(a->secret, b->secret, a->secret_len) != 0;
}

static enum err work_load(struct commit_job *job, struct store *s)
{
    struct load *l = (struct load *)job;
    enum err err = store_meter_get(s, l->id, &l->row);
    if (err || !l->had_row || !is_other_line(&l->before, &l->row))
        return err;
    err = store_rx_floor_clear(s, l->id);
    if (err || strcmp(l->before.url, l->row.url) == 0)
        return err;
    /* the user says that this row now means what answers there */
    l->row.device_name[0] = l->row.serial[0] = '\0';
    return store_meter_identity(s, l->id, "", "");
}

static void take_row(struct collector *c, struct collect_meter *m, const struct store_meter *row)
{
    if (m->row.client_sap != row->client_sap) {
        m->counter = (struct dlms_counter){0};
        m->counter_floor = m->rx_floor = 0;
        m->counter_checked = false;
    }
    if (is_other_line(&m->row, row)) {
        m->rx_floor = 0;
        m->counter_checked = false;
    }
    struct meter_state *s = collector_state_begin(c, m);
    m->row = *row;
    s->activity = row->enabled ? METER_WAITING : METER_DISABLED;
    s->n_failed = 0;
    s->error[0] = '\0';
    s->next_ms = 0;
    s->up_to_date = false;
    collector_state_end(c, m);
    m->identify = true;
    m->registers_read = m->profiles_read = m->counter_retried = m->counter_doubted = false;
    plan_now(c, m);
}

static void done_load(struct commit_job *job)
{
    struct load *l = (struct load *)job;
    struct collector *c = l->c;
    struct collect_meter *m = collect_table_find(&c->table, l->id);
    if (job->err) {
        server_log(c->o.log, LOG_ERROR, "meter %lld: %s", (long long)l->id, job->why);
    } else if (m == NULL) {
        m = collect_table_add(&c->table, &l->row);
        server_log(c->o.log, m != NULL ? LOG_INFO : LOG_ERROR, "meter %lld (%s): %s",
                   (long long)l->id, l->row.name, m != NULL ? "added" : "no memory for it");
        if (m != NULL)
            plan_now(c, m);
    } else if (m->conn != NULL) {
        m->load = true; /* a turn began meanwhile: after it */
        if (m->conn->step == CONN_KEPT)
            turn_release(m->conn);
    } else {
        take_row(c, m, &l->row);
    }
    free(l);
    (void)uv_async_send(&c->async);
}

void plan_load(struct collector *c, int64_t id)
{
    const struct collect_meter *m = collect_table_find(&c->table, id);
    struct load *l = calloc(1, sizeof *l);
    if (l == NULL) {
        server_log(c->o.log, LOG_ERROR, "meter %lld: no memory to load it", (long long)id);
        return;
    }
    l->c = c;
    l->id = id;
    l->had_row = m != NULL;
    if (m != NULL)
        l->before = m->row;
    l->job.work = work_load;
    l->job.done = done_load;
    l->job.alone = true;
    commit_queue_put(&c->queue, &l->job);
    commit_queue_start(&c->queue);
}
