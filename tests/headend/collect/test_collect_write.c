/* What a turn hands to the store, without a meter: where pieces end, and what that leaves of rows
 * that the meter wrote twice. */
#include "headend/collect/collect_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "headend/collect/collector_parts.h"
#include "tests/headend/store/store_rig.h"

#define DAY_0  (RIG_DAY * INT64_C(86400))
#define MINUTE 60
#define A_DAY  1440 /* rows */

/* A turn in the middle of its first profile, and the queue its writes go into. */
struct turn {
    struct rig rig;
    uv_loop_t loop;
    struct collector c;
    struct collect_conn conn;
    struct collect_meter m;
    struct collect_profile profile[READER_PROFILES_MAX];
};

static struct turn *turn_new(void)
{
    char why[160];
    struct turn *t = calloc(1, sizeof *t);
    rig_make(&t->rig);
    rig_open(&t->rig);
    const struct store_options o = {.dir = t->rig.dir, .clock = &t->rig.clock};
    assert_int_equal(uv_loop_init(&t->loop), 0);
    assert_int_equal(collect_table_init(&t->c.table), ERR_OK);
    assert_int_equal(commit_queue_open(&t->c.queue, &t->loop, &o, why, sizeof why), ERR_OK);
    t->c.o.clock = &t->rig.clock;
    t->conn.c = &t->c;
    t->conn.m = &t->m;
    t->conn.step = CONN_READ;
    t->conn.clock_s = DAY_0;
    t->conn.clock_utc_ms = DAY_0 * 1000;
    t->m.profile = t->profile;
    t->m.row.id = 1;
    t->profile[0].known = true;
    t->profile[0].layout = rig_layout(t->rig.s, "A", 1);
    t->profile[0].at.id = t->profile[0].layout.profile;
    return t;
}

static void turn_free(struct turn *t)
{
    write_drop(&t->conn);
    commit_queue_close(&t->c.queue);
    collect_table_free(&t->c.table);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    rig_remove(&t->rig);
    free(t);
}

static void put(struct turn *t, int64_t stamp_s, int64_t value)
{
    const struct profile_row row = {.stamp_s = stamp_s, .value = {value}};
    assert_true(write_row(&t->conn, 0, &row));
}

static void put_minutes(struct turn *t, uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++)
        put(t, DAY_0 + (int64_t)i * MINUTE, i);
}

/* The profile is read; waits for the store and gives its rows. */
static uint64_t finish(struct turn *t)
{
    assert_true(write_profile_end(&t->conn, 0, true));
    assert_true(write_turn_end(&t->conn));
    assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(t->conn.n_jobs, 0);
    assert_int_equal(t->c.rows_waiting, 0);
    return rig_verify(t->rig.s).n_rows;
}

static void piece_ends_with_a_day(void **state)
{
    (void)state;
    struct turn *t = turn_new();
    put_minutes(t, 0, 3 * A_DAY);
    assert_int_equal(t->conn.n_jobs, 0); /* more than a piece holds, but the day may go on */
    assert_int_equal(t->c.rows_waiting, 0);
    put_minutes(t, 3 * A_DAY, 1);
    assert_int_equal(t->conn.n_jobs, 1);
    assert_int_equal(t->c.rows_waiting, 3 * A_DAY);
    assert_int_equal(finish(t), 3 * A_DAY + 1);
    turn_free(t);
}

/* As the 4096th and the next row, and again after the clock was set back within that day. */
static void rows_written_twice_stay_twice_wherever_a_piece_is_full(void **state)
{
    (void)state;
    struct turn *t = turn_new();
    put_minutes(t, 0, COLLECTOR_CHUNK_ROWS);
    put_minutes(t, COLLECTOR_CHUNK_ROWS - 1, 1);
    put_minutes(t, COLLECTOR_CHUNK_ROWS - 60, 30);
    put_minutes(t, 3 * A_DAY, 1);
    assert_int_equal(finish(t), COLLECTOR_CHUNK_ROWS + 1 + 30 + 1);
    turn_free(t);
}

/* A failed write keeps the later ones of its turn from counting, and the turn is on the disk when
 * its last one is. */
static void jobs_of_a_turn_share_their_fate_and_the_last_is_durable(void **state)
{
    (void)state;
    struct turn *t = turn_new();
    unsigned n = 0;
    put_minutes(t, 0, 3 * A_DAY + 1);
    assert_true(write_profile_end(&t->conn, 0, true));
    assert_true(write_turn_end(&t->conn));
    for (const struct commit_job *j = t->c.queue.waiting; j != NULL; j = j->next) {
        assert_ptr_equal(j->spoiled, &t->conn.spoiled);
        assert_int_equal(j->durable, j->next == NULL);
        n++;
    }
    assert_int_equal(n, 2); /* and one at work */
    assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
    turn_free(t);
}

/* The store refuses such a day; a meter without end must not take the memory. */
static void piece_ends_when_a_day_has_too_many_rows(void **state)
{
    (void)state;
    struct turn *t = turn_new();
    for (uint32_t i = 0; i < DAY_ROWS_MAX; i++)
        put(t, DAY_0, i);
    assert_int_equal(t->conn.n_jobs, 0);
    put(t, DAY_0, DAY_ROWS_MAX);
    assert_int_equal(t->conn.n_jobs, 1);
    assert_int_equal(t->c.rows_waiting, DAY_ROWS_MAX);
    write_drop(&t->conn);
    assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
    turn_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(piece_ends_with_a_day),
        cmocka_unit_test(rows_written_twice_stay_twice_wherever_a_piece_is_full),
        cmocka_unit_test(jobs_of_a_turn_share_their_fate_and_the_last_is_durable),
        cmocka_unit_test(piece_ends_when_a_day_has_too_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
