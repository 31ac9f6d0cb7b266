/* See collect_turn.h. */
#include "headend/collect/collect_turn.h"

#include "headend/collect/collect_ask.h"
#include "headend/collect/collect_plan.h"
#include "headend/collect/collect_write.h"
#include "headend/collect/collector_parts.h"
#include "lib/cosem/obis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUE_SLACK_MS 1000 /* what comes due so soon is read along */
#define RELEASE_MS   3000

static void begin_plan(struct collect_conn *conn);
static void over_if_idle(struct collect_conn *conn);

/* ---- small ---- */

static bool needs_counter(const struct store_meter *m)
{
    return m->auth == STORE_AUTH_HLS5 || m->security != 0;
}

static uint32_t counters_left(const struct collect_meter *m)
{
    return m->counter.limit - m->counter.next;
}

static void set_activity(struct collect_conn *conn, enum meter_activity activity)
{
    struct meter_state *s = collector_state_begin(conn->c, conn->m);
    s->activity = activity;
    s->next_ms = 0;
    collector_state_end(conn->c, conn->m);
}

static void note(struct collect_conn *conn, const char *sentence)
{
    if (sentence != conn->error)
        snprintf(conn->error, sizeof conn->error, "%s", sentence);
}

bool turn_must_wait(struct collect_conn *conn)
{
    if (conn->step != CONN_READ && conn->step != CONN_IDENTIFY)
        return false;
    if (needs_counter(&conn->m->row) && conn->counting &&
        counters_left(conn->m) < COLLECTOR_COUNTER_STOP)
        return true;
    return conn->c->rows_waiting > COLLECTOR_WAITING_ROWS;
}

/* ---- begin ---- */

static void reset_turn(struct collect_conn *conn)
{
    conn->failed = conn->security = conn->not_stored = conn->incomplete = false;
    conn->retry = conn->spoiled = conn->registers_sent = false;
    conn->error[0] = '\0';
    conn->clock_s = conn->clock_utc_ms = 0;
    conn->n_registers = 0;
    memset(conn->adjusted, 0, sizeof conn->adjusted);
    memset(conn->refused, 0, sizeof conn->refused);
}

static uint8_t choose_want(const struct collect_meter *m, uint64_t now)
{
    uint8_t want = 0;
    if (m->registers_due_ms <= now + DUE_SLACK_MS)
        want |= READER_REGISTERS;
    if (m->profiles_due_ms <= now + DUE_SLACK_MS)
        want |= READER_PROFILES;
    return want != 0 ? want : READER_REGISTERS;
}

static void go(struct collect_conn *conn)
{
    char text[sizeof conn->error];
    enum err err = ERR_OK;
    if (conn->connected) {
        begin_plan(conn);
        collect_conn_pump(conn);
        return;
    }
    err = meter_secret_get(conn->c->o.key, &conn->m->row, &conn->secret);
    if (!err) {
        collect_conn_dial(conn);
        return;
    }
    conn->security = true;
    snprintf(text, sizeof text, "the stored keys cannot be opened: %s", err_text(err));
    turn_fail(conn, text);
}

void turn_begin(struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    reset_turn(conn);
    conn->want = choose_want(m, collector_mono(conn->c));
    set_activity(conn, conn->connected ? METER_READING : METER_CONNECTING);
    conn->step = CONN_COUNTER;
    if (needs_counter(&m->row) && counters_left(m) < COLLECTOR_COUNTER_LOW)
        write_counter(conn, m->counter_floor);
    else
        go(conn);
}

static void not_stored(struct collect_conn *conn, const struct commit_job *job)
{
    char text[sizeof conn->error];
    conn->not_stored = true;
    snprintf(text, sizeof text, "not stored: %s", job->why);
    turn_fail(conn, text);
}

void turn_counted(struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    const struct commit_job *job = &conn->counter;
    plan_store_result(conn->c, job->err, job->why);
    if (!job->err) {
        if (conn->first_counter != m->counter.limit || m->counter.limit == 0)
            m->counter.next = conn->first_counter;
        m->counter.limit = conn->first_counter + COLLECTOR_COUNTER_BLOCK;
        if (m->rx_floor < conn->rx_floor)
            m->rx_floor = conn->rx_floor;
    }
    if (conn->step == CONN_CLOSING)
        collect_conn_close(conn);
    else if (conn->step == CONN_STORE)
        over_if_idle(conn);
    else if (job->err)
        not_stored(conn, job);
    else if (conn->step == CONN_COUNTER)
        go(conn);
    else
        collect_conn_pump(conn);
}

static enum err never_reserve(void *context, uint32_t limit)
{
    (void)context;
    (void)limit;
    return ERR_COUNTER; /* blocks come from write_counter() before they are needed */
}
static const struct dlms_counter_store no_more = {.reserve = never_reserve};

static struct cosem_client_config config_of(struct collect_conn *conn)
{
    static const uint8_t mechanism[STORE_N_AUTHS] = {[STORE_AUTH_NONE] = DLMS_MECHANISM_NONE,
                                                     [STORE_AUTH_LLS] = DLMS_MECHANISM_LLS,
                                                     [STORE_AUTH_HLS5] = DLMS_MECHANISM_HLS5};
    struct collect_meter *m = conn->m;
    struct cosem_client_config k = {.client_sap = m->row.client_sap,
                                    .server_sap = m->row.server_sap,
                                    .mechanism = mechanism[m->row.auth],
                                    .security = m->row.security,
                                    .timeout_ms = collect_conn_timeout(conn),
                                    .rx_floor = m->rx_floor,
                                    .keys = &conn->secret.keys,
                                    .counter = &m->counter,
                                    .password = conn->secret.password,
                                    .rng = conn->c->o.rng};
    memcpy(k.title, conn->c->title, sizeof k.title);
    for (size_t i = 0; i < 4; i++) /* numbers are dealt by row, and two rows may have one key */
        k.title[DLMS_TITLE_LEN - 1 - i] ^= (uint8_t)((uint64_t)m->row.id >> 8 * i);
    m->counter.store = &no_more;
    return k;
}

void turn_connected(struct collect_conn *conn)
{
    if (ask_is_due(conn->m)) {
        ask_begin(conn);
        return;
    }
    const struct cosem_client_config k = config_of(conn);
    char text[sizeof conn->error];
    const enum err err = reader_init(&conn->reader, &k);
    set_activity(conn, METER_READING);
    if (err) {
        conn->security = true;
        snprintf(text, sizeof text, "this meter cannot be read as configured: %s", err_text(err));
        turn_fail(conn, text);
        return;
    }
    begin_plan(conn);
    collect_conn_pump(conn);
}

/* ---- what the reader brings ---- */

static int64_t from_s(void *context, size_t profile, int64_t meter_now_s)
{
    struct collect_conn *conn = context;
    const struct collect_profile *p = &conn->m->profile[profile];
    const struct schedule_now now = {
        .meter_s = meter_now_s,
        .utc_ms = collector_utc(conn->c),
        .elapsed_s =
            p->read_here ? (int64_t)((collector_mono(conn->c) - p->read_mono_ms) / 1000) : -1};
    conn->from_s[profile] = p->known ? schedule_from(&p->at, &now) : meter_now_s;
    if (schedule_is_backlog(conn->from_s[profile], meter_now_s))
        write_registers(conn); /* the live values do not wait for its end */
    return conn->from_s[profile];
}

static int64_t utc_ms(void *context)
{
    const struct collect_conn *conn = context;
    return collector_utc(conn->c);
}

static void on_clock(void *context, int64_t utc_s, int16_t deviation_min, bool valid)
{
    struct collect_conn *conn = context;
    (void)deviation_min;
    (void)valid;
    conn->clock_s = utc_s;
    conn->clock_utc_ms = collector_utc(conn->c);
    conn->clock_mono_ms = collector_mono(conn->c);
    if (conn->step == CONN_READ)
        plan_clock_told(conn);
}

static void on_clock_set(void *context, int64_t off_ms, enum cosem_result result)
{
    struct collect_conn *conn = context;
    plan_clock_set(conn, off_ms, result);
}

static void on_value(void *context, size_t reg, enum cosem_result result, int64_t raw)
{
    struct collect_conn *conn = context;
    const struct reader_register *from = &conn->m->objects->reg[reg];
    if (conn->n_registers == READER_REGISTERS_MAX || conn->registers_sent)
        return;
    struct store_register *to = &conn->reg[conn->n_registers++];
    memset(to, 0, sizeof *to);
    memcpy(to->ln, from->ln, sizeof to->ln);
    to->class_id = from->class_id;
    to->attribute = from->attribute;
    to->scaler = from->scaler;
    to->unit = from->unit;
    to->mul_num = to->mul_den = 1; /* those of the definition stay */
    to->valid = result == COSEM_SUCCESS;
    to->value = raw;
    to->at_ms = collector_utc(conn->c);
    to->result = (uint8_t)result;
}

static bool on_row(void *context, size_t profile, const struct profile_row *row)
{
    struct collect_conn *conn = context;
    return !conn->m->profile[profile].known || write_row(conn, profile, row);
}

static void note_profile(struct collect_conn *conn, size_t profile, const char *why)
{
    char name[OBIS_TEXT], text[sizeof conn->error];
    obis_print(conn->m->objects->profile[profile].ln, name);
    snprintf(text, sizeof text, "profile %s: %s", name, why);
    note(conn, text);
    conn->incomplete = true;
}

static void on_profile_end(void *context, size_t profile, enum cosem_result result, uint32_t n_rows)
{
    struct collect_conn *conn = context;
    const char *problem = reader_profile_problem(&conn->m->objects->profile[profile]);
    (void)n_rows;
    if (result == COSEM_TYPE_UNMATCHED && problem == NULL)
        problem = "its rows do not fit its columns";
    if (result != COSEM_SUCCESS)
        note_profile(conn, profile, problem != NULL ? problem : cosem_result_text(result));
    if (!conn->m->profile[profile].known)
        return;
    if (!write_profile_end(conn, profile, result == COSEM_SUCCESS))
        conn->incomplete = true; /* no memory: no mark, read again */
}

/* ---- plans ---- */

static bool has_objects(struct collect_meter *m)
{
    if (m->objects == NULL)
        m->objects = calloc(1, sizeof *m->objects);
    if (m->profile == NULL)
        m->profile = calloc(READER_PROFILES_MAX, sizeof *m->profile);
    return m->objects != NULL && m->profile != NULL;
}

static bool must_identify(const struct collect_conn *conn)
{
    const struct collect_meter *m = conn->m;
    return !m->objects->known || m->identify ||
           collector_mono(conn->c) - m->identified_ms >= SCHEDULE_IDENTIFY_MS;
}

static void start_reader(struct collect_conn *conn, uint8_t want)
{
    struct reader_plan plan = {
        .want = want, .objects = conn->m->objects, .from_s = from_s, .context = conn};
    const struct reader_sink sink = {.context = conn,
                                     .clock = on_clock,
                                     .clock_set = on_clock_set,
                                     .value = on_value,
                                     .row = on_row,
                                     .profile_end = on_profile_end};
    if ((want & READER_IDENTIFY) == 0 && plan_clock_due(conn)) { /* it is the meter we mean */
        plan.utc_ms = utc_ms;
        plan.clock_from_s = conn->c->o.clock_from_s;
        plan.clock_to_s = conn->c->o.clock_to_s;
    }
    const enum err err = reader_begin(&conn->reader, collect_conn_now(conn), &plan, &sink);
    if (err)
        turn_fail(conn, conn->reader.failure[0] != '\0' ? conn->reader.failure : err_text(err));
}

static void begin_plan(struct collect_conn *conn)
{
    if (!has_objects(conn->m)) {
        turn_fail(conn, "out of memory");
        return;
    }
    const bool identify = must_identify(conn);
    conn->step = identify ? CONN_IDENTIFY : CONN_READ;
    start_reader(conn, identify ? READER_IDENTIFY : conn->want | READER_CHECK);
}

/* The row's data are those of one meter: another that answers at its address must not mix in. */
static bool is_same_meter(struct collect_conn *conn)
{
    const struct collect_meter *m = conn->m;
    char text[sizeof conn->error];
    if (m->row.device_name[0] == '\0' || m->objects->device_name[0] == '\0' ||
        strcmp(m->row.device_name, m->objects->device_name) == 0)
        return true;
    snprintf(text, sizeof text, "another meter answers at this address: %s instead of %s",
             m->objects->device_name, m->row.device_name);
    conn->m->identify = true;
    conn->security = true;
    turn_fail(conn, text);
    return false;
}

static void identified(struct collect_conn *conn)
{
    conn->m->identify = true; /* until the store has it */
    if (!is_same_meter(conn))
        return;
    conn->step = CONN_DEFINE;
    write_define(conn);
}

void turn_defined(struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    const struct commit_job *job = &conn->define;
    plan_store_result(conn->c, job->err, job->why);
    if (conn->step == CONN_CLOSING) {
        collect_conn_close(conn);
    } else if (job->err) {
        not_stored(conn, job);
    } else {
        m->identify = false;
        m->identified_ms = collector_mono(conn->c);
        plan_identified(conn->c, m);
        if (conn->ended) {
            turn_fail(conn, "the meter closed the connection");
            return;
        }
        conn->step = CONN_READ;
        start_reader(conn, conn->want);
        collect_conn_pump(conn);
    }
}

/* ---- course ---- */

static void reader_failed(struct collect_conn *conn)
{
    conn->security = conn->reader.security_failure;
    if (conn->step == CONN_IDENTIFY || conn->reader.changed)
        conn->m->identify = true;
    conn->retry = ask_after_refusal(conn);
    turn_fail(conn, conn->reader.failure);
}

static void more_counters(struct collect_conn *conn)
{
    if (!conn->counting && needs_counter(&conn->m->row) &&
        counters_left(conn->m) < COLLECTOR_COUNTER_LOW)
        write_counter(conn, conn->m->counter_floor);
}

static void step_reading(struct collect_conn *conn)
{
    const enum reader_state state = conn->reader.state;
    more_counters(conn);
    if (state == READER_FAILED) {
        reader_failed(conn);
    } else if (state == READER_READY && conn->step == CONN_IDENTIFY) {
        identified(conn);
    } else if (state == READER_READY) {
        conn->step = CONN_STORE;
        if (!write_turn_end(conn))
            turn_fail(conn, "out of memory");
    }
}

void turn_step(struct collect_conn *conn)
{
    const enum reader_state state = conn->reader.state;
    switch (conn->step) {
    case CONN_IDENTIFY:
    case CONN_READ:
        step_reading(conn);
        break;
    case CONN_ASK:
        ask_step(conn);
        break;
    case CONN_KEPT:
        if (state != READER_READY || conn->ended)
            collect_conn_close(conn);
        break;
    case CONN_RELEASE:
        if (state != READER_BUSY)
            collect_conn_close(conn);
        break;
    default:
        break;
    }
}

/* ---- end ---- */

void turn_fail(struct collect_conn *conn, const char *sentence)
{
    if (conn->failed || conn->step == CONN_CLOSING)
        return;
    conn->failed = true;
    note(conn, sentence);
    conn->step = CONN_STORE;
    collect_conn_hang_up(conn);
    if (conn->not_stored)
        write_drop(conn);
    else if (conn->held != NULL || conn->open != NULL || conn->n_registers > 0)
        (void)write_turn_end(conn);
    over_if_idle(conn);
}

static void take_mark(struct collect_conn *conn, const struct collect_write *w)
{
    struct collect_profile *p = w->profile;
    p->at.read_meter_s = conn->clock_s;
    p->at.read_ms = conn->clock_utc_ms;
    p->at.reread = w->reread;
    p->read_here = true;
    p->read_mono_ms = conn->clock_mono_ms;
}

static void tell_rows(struct collect_conn *conn, const struct collect_write *w)
{
    struct collect_profile *p = w->profile;
    const struct meter_event event = {.kind = METER_EVENT_PROFILE,
                                      .meter = conn->m->row.id,
                                      .profile = p->at.id,
                                      .from_s = w->put.from_s,
                                      .to_s = w->put.to_s};
    if (w->put.n_new == 0)
        return;
    if (p->at.last_s == 0 || p->at.last_s < w->put.to_s)
        p->at.last_s = w->put.to_s;
    collector_count(conn->c, w->put.n_new, (uint64_t)w->put.n_new * p->layout.n_columns);
    collector_event(conn->c, &event);
}

void turn_written(struct collect_conn *conn, const struct collect_write *w)
{
    const struct meter_event registers = {.kind = METER_EVENT_REGISTERS, .meter = conn->m->row.id};
    if (w->job.err != ERR_STATE) /* it only followed another's failure */
        plan_store_result(conn->c, w->job.err, w->job.why);
    if (w->job.err && !conn->not_stored) {
        conn->not_stored = true;
        snprintf(conn->error, sizeof conn->error, "not stored: %s", w->job.why);
    }
    if (!w->job.err && w->profile != NULL) {
        const size_t k = (size_t)(w->profile - conn->m->profile);
        tell_rows(conn, w);
        if (w->refused[0] != '\0')
            note_profile(conn, k, w->refused);
        if (w->ended && !conn->refused[k])
            take_mark(conn, w);
    }
    if (!w->job.err && w->registers) {
        uint64_t n = 0;
        for (size_t i = 0; i < conn->n_registers; i++)
            n += conn->reg[i].valid;
        collector_count(conn->c, 0, n);
        collector_event(conn->c, &registers);
    }
    if (!w->job.err && w->rx_floor > conn->m->rx_floor)
        conn->m->rx_floor = w->rx_floor;
    if (w->job.err && conn->step == CONN_READ)
        turn_fail(conn, conn->error);
    over_if_idle(conn);
}

static void over_if_idle(struct collect_conn *conn)
{
    if (conn->n_jobs > 0)
        return;
    if (conn->step == CONN_CLOSING)
        collect_conn_close(conn);
    else if (conn->step == CONN_STORE)
        plan_turn_over(conn);
}

void turn_release(struct collect_conn *conn)
{
    conn->step = CONN_RELEASE;
    conn->deadline_ms = collector_mono(conn->c) + RELEASE_MS;
    if (conn->ended || reader_release(&conn->reader, collect_conn_now(conn)) != ERR_OK)
        collect_conn_close(conn);
    else
        collect_conn_pump(conn);
}
