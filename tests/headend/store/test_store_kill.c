/* A writer killed with -9 at moments of no choice: what it had been told is stored must be there,
 * once, and a counter it was given must never be given again. With "full" more often. */
#include "tests/headend/store/store_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N_COLUMNS 6
#define N_ROUNDS  (full ? 40 : 4)
#define COUNTERS  16

static bool full;

struct told {
    uint32_t n_rows;  /* stored so far, over all lives */
    uint32_t counter; /* first of COUNTERS */
};

static void die_unless(bool ok)
{
    if (!ok)
        _exit(1);
}

/* Interval by interval, now and then a day and a half at once, sometimes read twice. */
static void write_on(struct store *s, const struct store_layout *l, uint32_t at, int pipe)
{
    static struct day_row rows[2 * RIG_PER_DAY];
    for (uint32_t turn = 0;; turn++) {
        struct store_put put;
        struct told told;
        uint32_t n = turn % 5 == 4 ? 150 : 1, again = turn % 3 == 0 && at > 0;
        for (uint32_t i = 0; i < n + again; i++) {
            uint32_t k = at - again + i;
            rig_rows(&rows[i], RIG_DAY + k / RIG_PER_DAY, k % RIG_PER_DAY, 1, N_COLUMNS, 0);
        }
        die_unless(store_begin(s) == ERR_OK);
        die_unless(store_rows_put(s, l, rows, n + again, &put) == ERR_OK && put.n_new == n);
        die_unless(store_commit(s, turn % 4 == 0) == ERR_OK);
        at += n;
        die_unless(store_counter_reserve(s, 1, 3, 0, COUNTERS, &told.counter) == ERR_OK);
        told.n_rows = at;
        die_unless(write(pipe, &told, sizeof told) == sizeof told);
    }
}

static bool count(void *context, const struct store_block *b)
{
    assert_int_equal(b->version, 1);
    *(uint32_t *)context += b->n_rows;
    return true;
}

/* The rows are there without a hole or a double: as many as lead up to the newest. */
static uint32_t rows_held(struct store *s, const struct store_layout *l)
{
    uint32_t n = 0, n_profiles_rows = 0;
    struct store_profile p[STORE_PROFILES_MAX];
    size_t n_profiles;
    assert_int_equal(store_blocks_each(s, l->profile, 0, INT64_MAX, count, &n), ERR_OK);
    assert_int_equal(store_profiles_get(s, 1, p, STORE_PROFILES_MAX, &n_profiles), ERR_OK);
    if (p[0].last_s > 0)
        n_profiles_rows = (uint32_t)((p[0].last_s - (int64_t)RIG_DAY * DAY_S) / RIG_PERIOD + 1);
    assert_int_equal(n, n_profiles_rows);
    return n;
}

/* Lives for `us`, and some more until it has been told something; gives the last it was told. */
static struct told live_and_die(struct rig *r, const struct store_layout *l, uint32_t at,
                                useconds_t us, uint32_t *next_counter)
{
    int fd[2];
    struct told told = {.n_rows = at}, t;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    if (child == 0) {
        close(fd[0]);
        write_on(rig_connect(r), l, at, fd[1]);
    }
    assert_true(child > 0);
    close(fd[1]);
    for (bool killed = false; read(fd[0], &t, sizeof t) == sizeof t;) {
        assert_true(t.counter >= *next_counter);
        *next_counter = t.counter + COUNTERS;
        told = t;
        if (!killed) {
            usleep(us);
            kill(child, SIGKILL);
            killed = true;
        }
    }
    close(fd[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return told;
}

static void killed_writer_loses_nothing_it_was_told(void **state)
{
    (void)state;
    struct rig r;
    uint32_t held = 0, next_counter = 0, first;
    rig_make(&r);
    rig_open(&r);
    struct store_layout l = rig_layout(r.s, "meter", N_COLUMNS);
    store_close(r.s); /* no connection crosses the fork */
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        uint32_t before = held;
        struct told told = live_and_die(
            &r, &l, held, 1000 + (round * 7919 + (unsigned)getpid()) % 60000, &next_counter);
        rig_open(&r);
        held = rows_held(r.s, &l);
        assert_true(told.n_rows > before);
        assert_true(held >= told.n_rows && held <= told.n_rows + 150);
        rig_verify(r.s);
        assert_int_equal(store_counter_reserve(r.s, 1, 3, 0, 1, &first), ERR_OK);
        assert_true(first >= next_counter);
        next_counter = first + 1;
        store_close(r.s);
        r.s = NULL;
    }
    rig_remove(&r);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_writer_loses_nothing_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
