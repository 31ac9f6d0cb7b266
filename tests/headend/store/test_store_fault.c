/* The store on a disk that fails, is full, or loses power, at every operation in turn.
 *
 * A script of transactions is run once undisturbed, and after each the state (every row of every
 * table) is remembered as a number. In a disturbed run a step that failed must leave the state
 * before it, a step acknowledged the state after it, and the step tried again once the disk is well
 * must work. After a power cut the store must be in a state not older than the last durable
 * acknowledgement. Without "full" every third operation is tried, each way from another start. */
#include "headend/store/store_parts.h"
#include "lib/base/crc.h"
#include "tests/headend/store/fault_vfs.h"
#include "tests/headend/store/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define N_COLUMNS 4

static bool full;
static struct rig base; /* a store with a meter, copied for each run */
static struct store_layout the_layout;

/* ---- the script ---- */

static enum err put_rows(struct store *s, int64_t day, uint32_t from, uint32_t n, uint32_t seed)
{
    struct day_row rows[RIG_PER_DAY];
    struct store_put put;
    rig_rows(rows, day, from, n, N_COLUMNS, seed);
    return store_rows_put(s, &the_layout, rows, n, &put);
}

static enum err put_part(struct store *s)
{
    return put_rows(s, RIG_DAY, 0, 30, 0);
}

static enum err put_much(struct store *s)
{
    struct store_register reg = {.ln = {1, 0, 1, 8, 0, 255},
                                 .class_id = 3,
                                 .attribute = 2,
                                 .mul_num = 1,
                                 .mul_den = 1,
                                 .valid = true,
                                 .value = 12345,
                                 .at_ms = RIG_NOW_MS};
    enum err err = store_begin(s);
    if (err != ERR_OK)
        return err;
    err = put_rows(s, RIG_DAY, 30, 40, 0);
    if (err == ERR_OK)
        err = put_rows(s, RIG_DAY + 1, 0, 96, 0);
    if (err == ERR_OK)
        err = store_registers_define(s, 1, &reg, 1);
    if (err == ERR_OK)
        err = store_registers_put(s, 1, &reg, 1);
    if (err == ERR_OK)
        err = store_profile_mark(s, the_layout.profile, 77, 78, false);
    if (err == ERR_OK)
        return store_commit(s, true);
    store_rollback(s);
    return err;
}

static enum err put_backlog(struct store *s)
{
    enum err err = store_begin(s);
    for (int64_t d = 2; err == ERR_OK && d < 8; d++)
        err = put_rows(s, RIG_DAY + d, 0, 96, 0);
    if (err != ERR_OK) {
        store_rollback(s);
        return err;
    }
    return store_commit(s, false);
}

static enum err correct(struct store *s)
{
    return put_rows(s, RIG_DAY + 1, 7, 1, 5);
}

static enum err reserve(struct store *s)
{
    uint32_t first;
    return store_counter_reserve(s, 1, 3, 1000, 100, &first);
}

static enum err add_meter(struct store *s)
{
    struct store_meter m = rig_meter("another");
    return store_meter_add(s, &m);
}

static enum err add_user(struct store *s)
{
    return store_user_put(s, "admin", "hash");
}

static enum err raise_floor(struct store *s)
{
    return store_rx_floor_put(s, 1, 3, 99);
}

static const struct step {
    enum err (*run)(struct store *s);
    bool durable;
} script[] = {{put_part, true}, {put_much, true},   {put_backlog, false},
              {put_part, true}, /* nothing new: but the backlog is to be down with it */
              {reserve, true},  {add_meter, true},  {correct, true},
              {add_user, true}, {raise_floor, true}};
#define N_STEPS (sizeof script / sizeof script[0])
static uint32_t state_after[N_STEPS + 1]; /* [0]: before the first */

/* ---- states ---- */

static uint32_t number_of(struct store *s)
{
    static const char *const table[] = {"meter",  "counter",       "register", "profile",
                                        "layout", "layout_column", "lp_block", "user"};
    uint32_t crc = 0;
    for (unsigned t = 0; t < sizeof table / sizeof table[0]; t++) {
        char text[48];
        snprintf(text, sizeof text, "SELECT * FROM %s", table[t]);
        struct ask a = ask_text_of(s, text);
        while (ask_row(&a)) {
            for (int c = 0; c < sqlite3_column_count(a.st); c++) {
                struct bytes b = ask_get_blob(&a);
                crc = crc32_update(crc, &b.len, sizeof b.len);
                crc = crc32_update(crc, b.p, b.len);
            }
        }
        assert_int_equal(ask_end(&a), ERR_OK);
    }
    return crc;
}

static void copy_base(struct rig *r)
{
    char from[128], to[128];
    rig_make(r);
    FILE *in = fopen(rig_path(&base, STORE_FILE, from), "rb"),
         *out = fopen(rig_path(r, STORE_FILE, to), "wb");
    assert_true(in && out);
    for (int c; (c = fgetc(in)) != EOF;)
        fputc(c, out);
    fclose(in);
    fclose(out);
}

/* A connection that folds its log in as often as it can. */
static void open_copy(struct rig *r)
{
    copy_base(r);
    fault_reset();
    rig_open(r);
    assert_int_equal(store_exec(r->s, "PRAGMA wal_autocheckpoint=6"), ERR_OK);
    fault.n_ops = 0;
}

static int make_base(void **state)
{
    (void)state;
    fault_install();
    rig_make(&base);
    rig_open(&base);
    the_layout = rig_layout(base.s, "meter", N_COLUMNS);
    store_close(base.s);
    base.s = NULL;
    return 0;
}

static int remove_base(void **state)
{
    (void)state;
    rig_remove(&base);
    fault_reset();
    return 0;
}

/* How many operations the script takes undisturbed; fills state_after. */
static long run_undisturbed(void)
{
    struct rig r;
    open_copy(&r);
    state_after[0] = number_of(r.s);
    for (unsigned k = 0; k < N_STEPS; k++) {
        assert_int_equal(script[k].run(r.s), ERR_OK);
        state_after[k + 1] = number_of(r.s);
    }
    long n = fault.n_ops;
    rig_verify(r.s);
    rig_remove(&r);
    return n;
}

/* ---- failing operations ---- */

static void heal(void)
{
    fault.fail_at = 0;
    fault.hit = false;
}

static void run_step(struct rig *r, unsigned k, enum err want)
{
    enum err err = script[k].run(r->s);
    for (unsigned tries = 0; err != ERR_OK; tries++) {
        if (err != want || !fault.hit || tries > 0)
            fail_msg("step %u: %s", k, store_why(r->s));
        assert_int_equal(number_of(r->s), state_after[k]); /* readable while the disk is ill */
        heal();
        err = script[k].run(r->s);
    }
    assert_int_equal(number_of(r->s), state_after[k + 1]);
}

static void run_failing(long fail_at, int code, bool stuck)
{
    struct rig r;
    open_copy(&r);
    fault.fail_at = fail_at;
    fault.code = code;
    fault.stuck = stuck;
    for (unsigned k = 0; k < N_STEPS; k++)
        run_step(&r, k, code == SQLITE_FULL ? ERR_FULL : ERR_IO);
    heal();
    rig_verify(r.s);
    store_close(r.s);
    rig_open(&r);
    assert_int_equal(number_of(r.s), state_after[N_STEPS]);
    rig_verify(r.s);
    rig_remove(&r);
}

static void every_operation(long start, void (*run)(long fail_at))
{
    long n = run_undisturbed();
    assert_true(n > 50);
    for (long k = full ? 1 : start; k <= n; k += full ? 1 : 3)
        run(k);
}

static void full_and_stays(long k)
{
    run_failing(k, SQLITE_FULL, true);
}
static void fails_and_stays(long k)
{
    run_failing(k, SQLITE_IOERR_WRITE, true);
}
static void fails_once(long k)
{
    run_failing(k, SQLITE_IOERR_WRITE, false);
}

static void full_disk_costs_only_the_step_under_way(void **state)
{
    (void)state;
    every_operation(1, full_and_stays);
}
static void failing_disk_costs_only_the_step_under_way(void **state)
{
    (void)state;
    every_operation(2, fails_and_stays);
}
static void single_failure_costs_only_the_step_under_way(void **state)
{
    (void)state;
    every_operation(3, fails_once);
}

/* The disk has room for a while, then none, then again: what small devices do all day. */
static void small_disk_is_full_and_is_given_room(void **state)
{
    (void)state;
    struct rig r;
    bool was_full = false;
    run_undisturbed();
    open_copy(&r);
    fault.quota = 100000;
    for (unsigned k = 0; k < N_STEPS; k++) {
        while (script[k].run(r.s) != ERR_OK) {
            assert_non_null(strstr(store_why(r.s), "no room left"));
            assert_int_equal(number_of(r.s), state_after[k]);
            was_full = true;
            fault.quota += 8192;
        }
        assert_int_equal(number_of(r.s), state_after[k + 1]);
    }
    assert_true(was_full);
    fault.quota = 0;
    rig_verify(r.s);
    rig_remove(&r);
}

static void opening_that_fails_can_be_repeated(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        bool opened = false;
        for (long k = 1; !opened; k += full ? 1 : 3) {
            struct rig r;
            char why[200] = "";
            rig_make(&r);
            fault_reset();
            fault.fail_at = k;
            fault.stuck = true;
            fault.code = way ? SQLITE_FULL : SQLITE_IOERR_WRITE;
            struct store_options o = {.dir = r.dir, .clock = &r.clock};
            enum err err = store_open(&r.s, &o, why, sizeof why);
            opened = err == ERR_OK && !fault.hit;
            assert_true(err == ERR_OK || err == (way ? ERR_FULL : ERR_IO));
            assert_true(err == ERR_OK || why[0] != 0);
            heal();
            store_close(r.s);
            rig_open(&r);
            (void)rig_layout(r.s, "meter", 1);
            rig_verify(r.s);
            rig_remove(&r);
        }
    }
}

/* ---- power cuts ---- */

static void check_image(struct rig *r, unsigned oldest, unsigned newest, enum fault_cut cut,
                        uint32_t seed)
{
    struct rig after;
    rig_make(&after);
    fault_image(r->dir, after.dir, STORE_FILE, cut, seed);
    fault_image(r->dir, after.dir, STORE_FILE "-wal", cut, seed + 1);
    fault.plain = true;
    rig_open(&after);
    uint32_t number = number_of(after.s);
    unsigned k = oldest;
    while (k <= newest && number != state_after[k])
        k++;
    if (k > newest)
        fail_msg("cut %d: not a state from %u to %u", (int)cut, oldest, newest);
    rig_verify(after.s);
    rig_remove(&after);
    fault.plain = false;
}

static void run_until_cut(long cut_at)
{
    struct rig r;
    unsigned durable = 0, k = 0;
    open_copy(&r);
    fault.fail_at = cut_at;
    fault.code = SQLITE_IOERR_WRITE;
    fault.stuck = true;
    while (k < N_STEPS && script[k].run(r.s) == ERR_OK && !fault.hit) {
        k++;
        durable = script[k - 1].durable ? k : durable;
    }
    unsigned newest = k < N_STEPS ? k + 1 : k;
    check_image(&r, durable, newest, CUT_SYNCED, 0);
    check_image(&r, k, newest, CUT_WRITTEN, 0);
    for (uint32_t seed = 0; seed < (full ? 4 : 1); seed++)
        check_image(&r, durable, newest, CUT_MIXED, (uint32_t)cut_at * 16 + seed);
    heal();
    rig_remove(&r);
}

static void power_cut_keeps_what_was_durable(void **state)
{
    (void)state;
    every_operation(2, run_until_cut);
}

/* What the layer of store_vfs.h is for: a backlog does not wait for the disk, the rest does. */
static void commits_wait_for_the_disk_when_durable_only(void **state)
{
    (void)state;
    struct rig r;
    open_copy(&r);
    assert_int_equal(put_part(r.s), ERR_OK);
    assert_int_equal(store_exec(r.s, "PRAGMA wal_autocheckpoint=0"), ERR_OK);
    assert_int_equal(add_user(r.s), ERR_OK); /* past the sync of the log's head */
    long before = fault.n_syncs_of_log;
    assert_int_equal(put_backlog(r.s), ERR_OK);
    assert_int_equal(fault.n_syncs_of_log, before);
    assert_int_equal(store_sync(r.s), ERR_OK);
    assert_int_equal(fault.n_syncs_of_log, before + 1);
    assert_int_equal(reserve(r.s), ERR_OK);
    assert_int_equal(fault.n_syncs_of_log, before + 2);
    assert_int_equal(correct(r.s), ERR_OK);
    assert_int_equal(put_part(r.s), ERR_OK); /* nothing new, and yet acknowledged as durable */
    assert_int_equal(fault.n_syncs_of_log, before + 4);
    fault.fail_at = fault.n_ops + 1;
    fault.code = SQLITE_IOERR_FSYNC;
    assert_int_equal(store_sync(r.s), ERR_IO);
    assert_non_null(strstr(store_why(r.s), "synced"));
    rig_remove(&r);
}

/* Callers go on after an error at times: none of it may become a transaction of its own. */
static void doomed_transaction_takes_nothing_more(void **state)
{
    (void)state;
    struct rig r;
    struct store_meter m;
    uint32_t floor;
    run_undisturbed();
    open_copy(&r);
    assert_int_equal(store_exec(r.s, "PRAGMA cache_size=1; PRAGMA cache_spill=1"), ERR_OK);
    assert_int_equal(store_begin(r.s), ERR_OK);
    fault.fail_at = 1; /* reached as soon as the cache overflows into the log */
    fault.code = SQLITE_FULL;
    enum err err = ERR_OK;
    for (int64_t d = 0; d < 200 && err == ERR_OK; d++)
        err = put_rows(r.s, RIG_DAY + d, 0, 96, 0);
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(put_part(r.s), ERR_FULL);
    assert_int_equal(add_user(r.s), ERR_FULL);
    assert_int_equal(store_meter_get(r.s, 1, &m), ERR_FULL);
    assert_int_equal(store_rx_floor_get(r.s, 1, 3, &floor), ERR_FULL);
    assert_int_equal(store_commit(r.s, true), ERR_FULL);
    assert_int_equal(number_of(r.s), state_after[0]);
    assert_int_equal(put_part(r.s), ERR_OK);
    assert_int_equal(number_of(r.s), state_after[1]);
    rig_remove(&r);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_wait_for_the_disk_when_durable_only),
        cmocka_unit_test(full_disk_costs_only_the_step_under_way),
        cmocka_unit_test(failing_disk_costs_only_the_step_under_way),
        cmocka_unit_test(single_failure_costs_only_the_step_under_way),
        cmocka_unit_test(small_disk_is_full_and_is_given_room),
        cmocka_unit_test(opening_that_fails_can_be_repeated),
        cmocka_unit_test(doomed_transaction_takes_nothing_more),
        cmocka_unit_test(power_cut_keeps_what_was_durable),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
