/* The commit queue: what one job's failure costs the others, and in which order all happens. */
#include "headend/collect/collect_commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/headend/store/store_rig.h"

#define JOBS_MAX 100

struct line {
    struct rig rig;
    uv_loop_t loop;
    struct commit_queue queue;
    struct piece {
        struct commit_job job;
        struct line *line;
        enum err fails; /* after its writing */
        unsigned n_runs, done_as;
    } piece[JOBS_MAX];
    unsigned n_done;
};

static struct line *line_new(void)
{
    char why[COMMIT_WHY_MAX];
    struct line *l = calloc(1, sizeof *l);
    rig_make(&l->rig);
    rig_open(&l->rig);
    const struct store_options o = {.dir = l->rig.dir, .clock = &l->rig.clock};
    assert_int_equal(uv_loop_init(&l->loop), 0);
    assert_int_equal(commit_queue_open(&l->queue, &l->loop, &o, why, sizeof why), ERR_OK);
    return l;
}

static void line_free(struct line *l)
{
    commit_queue_close(&l->queue);
    assert_int_equal(uv_loop_close(&l->loop), 0);
    rig_remove(&l->rig);
    free(l);
}

/* Adds a meter named by the piece's number. */
static enum err work(struct commit_job *job, struct store *s)
{
    struct piece *p = (struct piece *)job;
    char name[16];
    snprintf(name, sizeof name, "%u", (unsigned)(p - p->line->piece));
    struct store_meter m = rig_meter(name);
    const enum err err = store_meter_add(s, &m);
    p->n_runs++;
    return err ? err : p->fails;
}

static void done(struct commit_job *job)
{
    struct piece *p = (struct piece *)job;
    p->done_as = ++p->line->n_done;
}

static struct piece *put(struct line *l, unsigned k, enum err fails)
{
    l->piece[k] = (struct piece){.job = {.work = work, .done = done}, .line = l, .fails = fails};
    commit_queue_put(&l->queue, &l->piece[k].job);
    return &l->piece[k];
}

static void run(struct line *l)
{
    commit_queue_start(&l->queue);
    assert_int_equal(uv_run(&l->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(l->queue.n_open, 0);
}

static int64_t n_meters(const struct line *l)
{
    return rig_sql(&l->rig, "SELECT count(*) FROM meter");
}

static void jobs_are_done_in_order_over_many_batches(void **state)
{
    (void)state;
    struct line *l = line_new();
    for (unsigned k = 0; k < JOBS_MAX; k++)
        put(l, k, ERR_OK);
    run(l);
    for (unsigned k = 0; k < JOBS_MAX; k++) {
        assert_int_equal(l->piece[k].job.err, ERR_OK);
        assert_int_equal(l->piece[k].done_as, k + 1);
        assert_int_equal(l->piece[k].n_runs, 1);
    }
    assert_int_equal(n_meters(l), JOBS_MAX);
    line_free(l);
}

static void job_that_fails_by_itself_costs_only_itself(void **state)
{
    (void)state;
    struct line *l = line_new();
    for (unsigned k = 0; k < 5; k++)
        put(l, k, k == 2 ? ERR_RANGE : ERR_OK);
    run(l);
    for (unsigned k = 0; k < 5; k++)
        assert_int_equal(l->piece[k].job.err, k == 2 ? ERR_RANGE : ERR_OK);
    assert_true(l->piece[2].job.why[0] != '\0');
    assert_int_equal(n_meters(l), 4);
    line_free(l);
}

static void batch_fails_with_the_store(void **state)
{
    (void)state;
    static const enum err faults[] = {ERR_FULL, ERR_IO, ERR_BUSY};
    for (size_t f = 0; f < 3; f++) {
        struct line *l = line_new();
        for (unsigned k = 0; k < 5; k++)
            put(l, k, k == 2 ? faults[f] : ERR_OK);
        run(l);
        for (unsigned k = 0; k < 5; k++) {
            assert_int_equal(l->piece[k].job.err, faults[f]);
            assert_true(l->piece[k].n_runs <= 1); /* none is tried once more, each alone */
        }
        assert_int_equal(n_meters(l), 0);
        line_free(l);
    }
}

static void job_is_not_run_after_another_spoiled_it(void **state)
{
    (void)state;
    struct line *l = line_new();
    bool spoiled = false, other = false;
    for (unsigned k = 0; k < 5; k++)
        put(l, k, k == 1 ? ERR_RANGE : ERR_OK)->job.spoiled = k == 3 ? &other : &spoiled;
    run(l);
    assert_true(spoiled);
    assert_false(other);
    assert_int_equal(l->piece[0].job.err, ERR_OK);
    assert_int_equal(l->piece[1].job.err, ERR_RANGE);
    assert_int_equal(l->piece[2].job.err, ERR_STATE);
    assert_int_equal(l->piece[3].job.err, ERR_OK);
    assert_int_equal(l->piece[4].job.err, ERR_STATE);
    assert_int_equal(n_meters(l), 2);
    line_free(l);
}

/* It makes transactions of its own, which would be refused within another. */
static enum err reserve(struct commit_job *job, struct store *s)
{
    uint32_t *first = job->owner;
    return store_counter_reserve(s, 1, 3, 0, 8, first);
}

static void job_runs_alone_when_it_asks(void **state)
{
    (void)state;
    struct line *l = line_new();
    uint32_t first = 99;
    put(l, 0, ERR_OK);
    run(l);
    put(l, 1, ERR_OK);
    struct piece *p = put(l, 2, ERR_OK);
    p->job.work = reserve;
    p->job.alone = true;
    p->job.owner = &first;
    put(l, 3, ERR_RANGE);
    run(l);
    assert_int_equal(p->job.err, ERR_OK);
    assert_int_equal(first, 0);
    assert_int_equal(l->piece[1].job.err, ERR_OK);
    assert_int_equal(rig_sql(&l->rig, "SELECT next FROM counter"), 8);
    line_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_done_in_order_over_many_batches),
        cmocka_unit_test(job_that_fails_by_itself_costs_only_itself),
        cmocka_unit_test(batch_fails_with_the_store),
        cmocka_unit_test(job_is_not_run_after_another_spoiled_it),
        cmocka_unit_test(job_runs_alone_when_it_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
