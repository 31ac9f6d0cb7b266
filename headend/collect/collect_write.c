/* See collect_write.h. Functions marked "worker" run in the commit queue's thread: of the
 * connection they read only what the loop leaves alone while n_jobs is not 0, and write only
 * adjusted, refused, spoiled, first_counter, rx_floor and, in DEFINE, the profiles. */
#include "headend/collect/collect_write.h"

#include "headend/collect/collector_parts.h"
#include "headend/store/ratio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 16u

/* ---- worker: rows, registers, marks ---- */

static bool is_adjusted(const struct collect_write *w)
{
    for (uint32_t i = 0; i < w->n_rows && w->put.n_new > 0; i++)
        if ((w->row[i].status & SCHEDULE_CLOCK_ADJUSTED) != 0 &&
            w->row[i].stamp_s >= w->put.from_s && w->row[i].stamp_s <= w->put.to_s)
            return true;
    return false;
}

static void add_put(struct store_put *sum, const struct store_put *one)
{
    if (one->n_new == 0)
        return;
    if (sum->n_new == 0 || one->from_s < sum->from_s)
        sum->from_s = one->from_s;
    if (sum->n_new == 0 || one->to_s > sum->to_s)
        sum->to_s = one->to_s;
    sum->n_new += one->n_new;
    sum->n_blocks += one->n_blocks;
}

/* The store does not take them all: the days that it takes. */
static enum err put_good_days(struct collect_write *w, struct store *s)
{
    enum err err = ERR_OK;
    struct store_put put;
    memset(&w->put, 0, sizeof w->put);
    for (uint32_t from = 0, to; from < w->n_rows && !err; from = to) {
        const int64_t day = w->row[from].stamp_s / DAY_S;
        for (to = from + 1; to < w->n_rows && w->row[to].stamp_s / DAY_S == day;)
            to++;
        err = store_rows_put(s, &w->profile->layout, w->row + from, to - from, &put);
        add_put(&w->put, &put);
        if (err == ERR_RANGE) {
            snprintf(w->refused, sizeof w->refused, "%s", store_why(s));
            err = ERR_OK;
        }
    }
    return err;
}

static enum err put_rows(struct collect_write *w, struct store *s)
{
    struct collect_conn *conn = w->conn;
    struct collect_profile *p = w->profile;
    const size_t k = (size_t)(p - conn->m->profile);
    enum err err = ERR_OK;
    memset(&w->put, 0, sizeof w->put);
    if (w->n_rows > 0)
        err = store_rows_put(s, &p->layout, w->row, w->n_rows, &w->put);
    if (err == ERR_RANGE) { /* some rows' own fault: the others and the registers are good */
        err = put_good_days(w, s);
        conn->refused[k] = true;
    }
    if (!err && is_adjusted(w))
        conn->adjusted[k] = true;
    if (err || !w->ended || conn->refused[k]) /* no mark: they are asked for again */
        return err;
    /* a reading of everything has seen whatever the clock did; else it is the next one's task */
    w->reread = conn->from_s[k] != SCHEDULE_ALL && conn->adjusted[k];
    return store_profile_mark(s, p->at.id, conn->clock_s, conn->clock_utc_ms, w->reread);
}

static enum err work_write(struct commit_job *job, struct store *s)
{
    struct collect_write *w = (struct collect_write *)job;
    struct collect_conn *conn = w->conn;
    const struct store_meter *m = &conn->m->row;
    enum err err = ERR_OK;
    if (w->profile != NULL)
        err = put_rows(w, s);
    if (!err && w->registers)
        err = store_registers_put(s, m->id, conn->reg, conn->n_registers);
    if (!err && w->last && w->rx_floor != 0)
        err = store_rx_floor_put(s, m->id, m->client_sap, w->rx_floor);
    return err;
}

/* ---- loop: rows ---- */

static void free_write(struct collect_write *w)
{
    if (w != NULL)
        free(w->row);
    free(w);
}

static void done_write(struct commit_job *job)
{
    struct collect_write *w = (struct collect_write *)job;
    struct collect_conn *conn = w->conn;
    struct collector *c = conn->c;
    conn->n_jobs--;
    c->rows_waiting -= w->n_rows;
    turn_written(conn, w);
    free_write(w);
    collector_resume(c);
}

static struct collect_write *new_write(struct collect_conn *conn)
{
    struct collect_write *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->conn = conn;
        w->job.work = work_write;
        w->job.done = done_write;
        w->job.spoiled = &conn->spoiled;
    }
    return w;
}

static void submit(struct collect_conn *conn, struct collect_write *w)
{
    if (!conn->registers_sent && conn->n_registers > 0) {
        w->registers = true;
        conn->registers_sent = true;
    }
    conn->n_jobs++;
    conn->c->rows_waiting += w->n_rows;
    commit_queue_put(&conn->c->queue, &w->job);
}

static void hold(struct collect_conn *conn, struct collect_write *w)
{
    struct collect_write **end = &conn->held;
    while (*end != NULL) /* at most one a profile */
        end = &(*end)->next;
    *end = w;
}

static void submit_held(struct collect_conn *conn)
{
    while (conn->held != NULL) {
        struct collect_write *w = conn->held;
        conn->held = w->next;
        submit(conn, w);
    }
}

static bool has_room(struct collect_write *w)
{
    if (w->n_rows < w->size)
        return true;
    const uint32_t size = w->size == 0 ? FIRST_ROWS : w->size * 4;
    struct day_row *p = realloc(w->row, size * sizeof *p);
    if (p == NULL)
        return false;
    w->row = p;
    w->size = size;
    return true;
}

/* The piece of this profile that is being filled. */
static struct collect_write *piece(struct collect_conn *conn, size_t profile)
{
    if (conn->open == NULL)
        conn->open = new_write(conn);
    if (conn->open != NULL)
        conn->open->profile = &conn->m->profile[profile];
    return conn->open;
}

/* A piece ends with a day: a merge keeps the greater number of equal rows, so a row that the meter
 * wrote twice stays twice only if both come in one put. A day of more rows than the store takes
 * ends it, too: memory is bounded whatever the meter sends. */
static bool is_full(const struct collect_write *w, int64_t stamp_s)
{
    if (w == NULL || w->n_rows < COLLECTOR_CHUNK_ROWS)
        return false;
    return w->n_rows >= DAY_ROWS_MAX || w->row[w->n_rows - 1].stamp_s / DAY_S != stamp_s / DAY_S;
}

static void submit_open(struct collect_conn *conn)
{
    struct collect_write *w = conn->open;
    conn->open = NULL;
    submit_held(conn);
    submit(conn, w);
    commit_queue_start(&conn->c->queue);
}

bool write_row(struct collect_conn *conn, size_t profile, const struct profile_row *row)
{
    if (is_full(conn->open, row->stamp_s))
        submit_open(conn);
    struct collect_write *w = piece(conn, profile);
    if (w == NULL || !has_room(w))
        return false;
    struct day_row *to = &w->row[w->n_rows++];
    to->stamp_s = row->stamp_s;
    to->zone = DAY_ZONE(row->deviation_min, row->clock_status);
    to->status = row->status;
    _Static_assert(sizeof to->value == sizeof row->value, "the same columns");
    memcpy(to->value, row->value, sizeof to->value);
    return true;
}

void write_registers(struct collect_conn *conn)
{
    struct collect_write *w = NULL;
    if (conn->n_registers > 0 && !conn->registers_sent)
        w = new_write(conn);
    if (w == NULL) /* no memory: they go with the rows */
        return;
    submit(conn, w);
    commit_queue_start(&conn->c->queue);
}

bool write_profile_end(struct collect_conn *conn, size_t profile, bool complete)
{
    if (conn->open == NULL && !complete)
        return true;
    struct collect_write *w = piece(conn, profile);
    if (w == NULL)
        return false;
    w->ended = complete;
    conn->open = NULL;
    hold(conn, w);
    return true;
}

bool write_turn_end(struct collect_conn *conn)
{
    if (conn->open != NULL) /* the line broke within it */
        hold(conn, conn->open);
    conn->open = NULL;
    struct collect_write *w = new_write(conn);
    submit_held(conn);
    if (w != NULL) {
        w->last = w->job.durable = true;
        if (conn->reader.client.rx_floor > conn->m->rx_floor)
            w->rx_floor = conn->reader.client.rx_floor;
        submit(conn, w);
    }
    commit_queue_start(&conn->c->queue);
    return w != NULL;
}

void write_drop(struct collect_conn *conn)
{
    while (conn->held != NULL) {
        struct collect_write *w = conn->held;
        conn->held = w->next;
        free_write(w);
    }
    free_write(conn->open);
    conn->open = NULL;
}

/* ---- definition ---- */

static enum err define_registers(struct collect_conn *conn, struct store *s)
{
    const struct reader_objects *o = conn->m->objects;
    struct store_register list[READER_REGISTERS_MAX];
    enum err err = ERR_OK;
    memset(list, 0, sizeof list);
    for (size_t i = 0; i < o->n_registers && !err; i++) {
        struct ratio ratio;
        err = ratio_of_unit(&conn->m->row, o->reg[i].unit, &ratio);
        memcpy(list[i].ln, o->reg[i].ln, sizeof list[i].ln);
        list[i].class_id = o->reg[i].class_id;
        list[i].attribute = o->reg[i].attribute;
        list[i].scaler = o->reg[i].scaler;
        list[i].unit = o->reg[i].unit;
        list[i].mul_num = ratio.num;
        list[i].mul_den = ratio.den;
    }
    return err ? err : store_registers_define(s, conn->m->row.id, list, o->n_registers);
}

/* False: the profile has no stamps, so its rows cannot be kept by day. */
static bool fill_layout(const struct store_meter *m, const struct reader_profile *from,
                        struct store_layout *to, enum err *err)
{
    bool clock = false;
    for (size_t i = 0; i < from->n_columns && !*err; i++) {
        const struct reader_column *column = &from->column[i];
        struct ratio ratio = {1, 1};
        clock = clock || column->role == PROFILE_ROWS_CLOCK;
        if (column->role != PROFILE_ROWS_VALUE || to->n_columns == DAY_COLUMNS_MAX)
            continue;
        *err = ratio_of_unit(m, column->unit, &ratio);
        struct store_column *c = &to->column[to->n_columns++];
        memcpy(c->ln, column->ln, sizeof c->ln);
        c->class_id = column->class_id;
        c->attribute = column->attribute;
        c->unit = column->unit;
        c->scaler = column->scaler;
        c->mul_num = ratio.num;
        c->mul_den = ratio.den;
    }
    to->period_s = from->period_s;
    return clock;
}

static enum err define_profile(struct collect_conn *conn, struct store *s, size_t k)
{
    const struct reader_profile *from = &conn->m->objects->profile[k];
    struct collect_profile *p = &conn->m->profile[k];
    const struct collect_profile before = *p;
    enum err err = ERR_OK;
    memset(p, 0, sizeof *p);
    if (!fill_layout(&conn->m->row, from, &p->layout, &err) || err)
        return err;
    p->at.meter = conn->m->row.id;
    p->at.period_s = from->period_s;
    memcpy(p->at.ln, from->ln, sizeof p->at.ln);
    err = store_profile_find(s, &p->at);
    p->layout.profile = p->at.id;
    if (!err)
        err = store_layout_find(s, &p->layout);
    p->known = !err;
    if (before.known && before.at.id == p->at.id) {
        p->read_here = before.read_here;
        p->read_mono_ms = before.read_mono_ms;
    }
    return err;
}

static enum err work_define(struct commit_job *job, struct store *s)
{
    struct collect_conn *conn = job->owner;
    const struct reader_objects *o = conn->m->objects;
    enum err err = store_meter_identity(s, conn->m->row.id, o->device_name, o->serial);
    if (!err)
        err = define_registers(conn, s);
    for (size_t k = 0; k < o->n_profiles && !err; k++)
        err = define_profile(conn, s, k);
    return err;
}

static void done_define(struct commit_job *job)
{
    struct collect_conn *conn = job->owner;
    conn->n_jobs--;
    turn_defined(conn);
}

static void put_own_job(struct collect_conn *conn, struct commit_job *job)
{
    job->owner = conn;
    conn->n_jobs++;
    commit_queue_put(&conn->c->queue, job);
    commit_queue_start(&conn->c->queue);
}

void write_define(struct collect_conn *conn)
{
    conn->define = (struct commit_job){.work = work_define, .done = done_define, .durable = true};
    put_own_job(conn, &conn->define);
}

/* ---- counters ---- */

static enum err work_counter(struct commit_job *job, struct store *s)
{
    struct collect_conn *conn = job->owner;
    const struct store_meter *m = &conn->m->row;
    enum err err = store_rx_floor_get(s, m->id, m->client_sap, &conn->rx_floor);
    if (!err)
        err = store_counter_reserve(s, m->id, m->client_sap, conn->counter_floor,
                                    COLLECTOR_COUNTER_BLOCK, &conn->first_counter);
    return err;
}

static void done_counter(struct commit_job *job)
{
    struct collect_conn *conn = job->owner;
    conn->n_jobs--;
    conn->counting = false;
    turn_counted(conn);
}

void write_counter(struct collect_conn *conn, uint32_t floor)
{
    conn->counter_floor = floor;
    conn->counter = (struct commit_job){.work = work_counter, .done = done_counter, .alone = true};
    conn->counting = true;
    put_own_job(conn, &conn->counter);
}
