/* Opening, the lock, transactions, the schema's mechanism. */
#include "headend/store/store_parts.h"
#include "tests/headend/store/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct thread_of {
    struct store *s;
    unsigned n_seen;
    const char *dir;
    const struct server_clock *clock;
    enum err err;
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    rig_make(r);
    rig_open(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_remove(*state);
    free(*state);
    return 0;
}

static void add(struct store *s, const char *name, enum err want)
{
    struct store_meter m = rig_meter(name);
    assert_int_equal(store_meter_add(s, &m), want);
}

static bool count(void *context, const struct store_meter *m)
{
    (void)m;
    (*(unsigned *)context)++;
    return true;
}

static unsigned n_meters(struct store *s)
{
    unsigned n = 0;
    assert_int_equal(store_meter_each(s, count, &n), ERR_OK);
    return n;
}

static enum err open_with(const struct rig *r, const char *dir, bool read_only, char why[200])
{
    struct store *s;
    struct store_options o = {.dir = dir, .read_only = read_only, .clock = &r->clock};
    enum err err = store_open(&s, &o, why, 200);
    assert_true((err == ERR_OK) == (s != NULL));
    store_close(s);
    return err;
}

static void sql(const struct rig *r, const char *text)
{
    char path[128];
    sqlite3 *db;
    assert_int_equal(sqlite3_open(rig_path(r, STORE_FILE, path), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void open_makes_files_that_only_the_owner_reads(void **state)
{
    struct rig *r = *state, in;
    static const char *const name[] = {"ferraris.db", "ferraris.db-wal", "ferraris.db-shm", "lock"};
    char path[128];
    struct stat st;
    assert_int_equal(store_own(r->s), ERR_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(stat(rig_path(r, name[i], path), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    in = *r;
    snprintf(in.dir, sizeof in.dir, "%.50s/new", r->dir);
    rig_open(&in);
    assert_int_equal(stat(in.dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    rig_remove(&in);
}

static void open_says_why_it_cannot(void **state)
{
    struct rig *r = *state;
    char why[200] = "", path[128], long_name[600];
    assert_int_equal(open_with(r, rig_path(r, "no/where", path), false, why), ERR_IO);
    assert_non_null(strstr(why, "no/where"));
    assert_int_equal(open_with(r, rig_path(r, "nothing", path), true, why), ERR_NOT_FOUND);
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(open_with(r, long_name, false, why), ERR_RANGE);
}

static void open_refuses_what_is_no_store(void **state)
{
    struct rig *r = *state;
    char why[200] = "", path[128];
    store_close(r->s);
    r->s = NULL;
    FILE *f = fopen(rig_path(r, STORE_FILE, path), "w");
    for (unsigned i = 0; i < 8192; i++)
        fputc('#', f);
    fclose(f);
    assert_int_equal(open_with(r, r->dir, false, why), ERR_CORRUPT);
    unlink(path);
    sql(r, "CREATE TABLE other(a)");
    assert_int_equal(open_with(r, r->dir, false, why), ERR_CORRUPT);
    assert_non_null(strstr(why, "not a store"));
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM sqlite_schema"), 1);
    unlink(path);
    sql(r, "PRAGMA user_version=1"); /* no table yet, but somebody's */
    assert_int_equal(open_with(r, r->dir, false, why), ERR_CORRUPT);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM sqlite_schema"), 0);
}

static void open_refuses_a_newer_schema_and_leaves_it_alone(void **state)
{
    struct rig *r = *state;
    char why[200] = "";
    store_close(r->s);
    r->s = NULL;
    sql(r, "PRAGMA user_version=99");
    assert_int_equal(open_with(r, r->dir, false, why), ERR_VERSION);
    assert_non_null(strstr(why, "newer"));
    assert_int_equal(rig_sql(r, "PRAGMA user_version"), 99);
}

static void open_read_only_reads_and_does_not_write(void **state)
{
    struct rig *r = *state;
    struct store *s;
    char why[200] = "";
    add(r->s, "a", ERR_OK);
    struct store_options o = {.dir = r->dir, .read_only = true, .clock = &r->clock};
    assert_int_equal(store_open(&s, &o, why, sizeof why), ERR_OK);
    assert_int_equal(n_meters(s), 1);
    add(s, "b", ERR_IO);
    assert_int_equal(n_meters(s), 1);
    assert_int_equal(store_begin(s), ERR_OK);
    assert_int_equal(n_meters(s), 1);
    assert_int_equal(store_commit(s, false), ERR_OK);
    store_close(s);
    store_close(r->s);
    r->s = NULL;
    assert_int_equal(open_with(r, r->dir, true, why), ERR_OK); /* also where nobody else has it */
    sql(r, "PRAGMA user_version=0");
    assert_int_equal(open_with(r, r->dir, true, why), ERR_VERSION);
}

#define N_OPENERS 6

static void *open_in_thread(void *context)
{
    struct thread_of *t = context;
    char why[200] = "";
    struct store_options o = {.dir = t->dir, .clock = t->clock};
    t->err = store_open(&t->s, &o, why, sizeof why);
    if (t->err != ERR_OK)
        print_error("%s\n", why);
    return NULL;
}

static void open_of_a_new_store_by_many_at_once_works(void **state)
{
    struct rig *r = *state;
    for (unsigned round = 0; round < 4; round++) {
        struct rig in = *r;
        pthread_t thread[N_OPENERS];
        struct thread_of t[N_OPENERS] = {0};
        snprintf(in.dir, sizeof in.dir, "%.50s/new", r->dir);
        for (unsigned k = 0; k < N_OPENERS; k++) {
            t[k] = (struct thread_of){.dir = in.dir, .clock = &in.clock};
            assert_int_equal(pthread_create(&thread[k], NULL, open_in_thread, &t[k]), 0);
        }
        for (unsigned k = 0; k < N_OPENERS; k++)
            pthread_join(thread[k], NULL);
        for (unsigned k = 0; k < N_OPENERS; k++)
            assert_int_equal(t[k].err, ERR_OK);
        add(t[0].s, "a", ERR_OK);
        assert_int_equal(n_meters(t[N_OPENERS - 1].s), 1);
        for (unsigned k = 1; k < N_OPENERS; k++)
            store_close(t[k].s);
        in.s = t[0].s;
        rig_remove(&in);
    }
}

/* ---- schema ---- */

static const struct store_step *with_extra(const char *text)
{
    static struct store_step steps[8];
    assert_true(store_n_steps < 7);
    memcpy(steps, store_steps, store_n_steps * sizeof steps[0]);
    steps[store_n_steps] = (struct store_step){.sql = text};
    return steps;
}

static void migrate_takes_a_further_step_once(void **state)
{
    struct rig *r = *state;
    add(r->s, "a", ERR_OK);
    const struct store_step *steps =
        with_extra("ALTER TABLE meter ADD COLUMN note TEXT NOT NULL DEFAULT 'none';");
    assert_int_equal(store_migrate(r->s, steps, store_n_steps + 1), ERR_OK);
    assert_int_equal(store_migrate(r->s, steps, store_n_steps + 1), ERR_OK);
    assert_int_equal(rig_sql(r, "PRAGMA user_version"), store_n_steps + 1);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM meter WHERE note='none'"), 1);
    add(r->s, "b", ERR_OK);
    assert_int_equal(store_migrate(r->s, store_steps, store_n_steps), ERR_VERSION);
}

static void migrate_that_fails_leaves_the_old_schema(void **state)
{
    struct rig *r = *state;
    const struct store_step *steps = with_extra("CREATE TABLE t(a)STRICT;");
    assert_int_not_equal(store_migrate(r->s, steps, store_n_steps + 1), ERR_OK); /* type missing */
    steps = with_extra("CREATE TABLE t(a INTEGER)STRICT; INSERT INTO nowhere VALUES(1);");
    assert_int_not_equal(store_migrate(r->s, steps, store_n_steps + 1), ERR_OK);
    assert_int_equal(rig_sql(r, "PRAGMA user_version"), store_n_steps);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM sqlite_schema WHERE name='t'"), 0);
    add(r->s, "a", ERR_OK);
}

static void schema_2_knows_the_newest_of_schema_1(void **state)
{
    struct rig *r = *state;
    int64_t at;
    struct store_register g = {
        .ln = {1, 0, 1, 8, 0, 255}, .class_id = 3, .attribute = 2, .mul_num = 1, .mul_den = 1};
    add(r->s, "a", ERR_OK);
    assert_int_equal(store_registers_define(r->s, 1, &g, 1), ERR_OK);
    g.valid = true;
    g.at_ms = 6000;
    assert_int_equal(store_registers_put(r->s, 1, &g, 1), ERR_OK);
    store_close(r->s);
    sql(r, "DROP TABLE register_newest");
    sql(r, "PRAGMA user_version=1");
    rig_open(r);
    assert_int_equal(store_registers_newest(r->s, 1, &at), ERR_OK);
    assert_int_equal(at, 6000);
}

static void schema_has_strict_tables_only(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM pragma_table_list WHERE schema='main' AND "
                                "type='table' AND NOT strict AND name NOT LIKE 'sqlite_%'"),
                     0);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM pragma_table_list WHERE strict"), 11);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM unit WHERE code=30 AND symbol='Wh'"), 1);
}

/* ---- one owner ---- */

static void own_is_for_one_process_until_it_ends(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_connect(r);
    assert_int_equal(store_own(r->s), ERR_OK);
    assert_int_equal(store_own(r->s), ERR_OK);
    assert_int_equal(store_own(other), ERR_BUSY);
    assert_non_null(strstr(store_why(other), "another head-end"));
    store_close(r->s);
    r->s = other;
    assert_int_equal(store_own(other), ERR_OK);
}

/* ---- transactions ---- */

static void rollback_takes_all_back(void **state)
{
    struct rig *r = *state;
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(r->s, "a", ERR_OK);
    assert_int_equal(n_meters(r->s), 1);
    store_rollback(r->s);
    assert_int_equal(n_meters(r->s), 0);
    store_rollback(r->s);
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(r->s, "b", ERR_OK);
    store_close(r->s);
    rig_open(r);
    assert_int_equal(n_meters(r->s), 0);
}

static void commit_keeps_all_but_what_was_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(r->s, "a", ERR_OK);
    add(r->s, "a", ERR_REFUSED);
    assert_non_null(strstr(store_why(r->s), "named a"));
    add(r->s, "", ERR_RANGE);
    add(r->s, "b", ERR_OK);
    assert_int_equal(store_commit(r->s, true), ERR_OK);
    assert_int_equal(n_meters(r->s), 2);
}

static void begin_and_commit_go_in_pairs(void **state)
{
    struct rig *r = *state;
    assert_int_equal(store_commit(r->s, true), ERR_STATE);
    assert_int_equal(store_begin(r->s), ERR_OK);
    assert_int_equal(store_begin(r->s), ERR_STATE);
    assert_int_equal(store_commit(r->s, true), ERR_OK);
    assert_int_equal(store_commit(r->s, true), ERR_STATE);
}

static void connections_see_what_the_other_committed(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_connect(r);
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(r->s, "a", ERR_OK);
    assert_int_equal(n_meters(other), 0);
    assert_int_equal(store_commit(r->s, false), ERR_OK);
    assert_int_equal(n_meters(other), 1);
    add(other, "a", ERR_REFUSED);
    add(other, "b", ERR_OK);
    assert_int_equal(n_meters(r->s), 2);
    store_close(other);
}

static void writers_are_told_busy_when_the_other_goes_on(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_connect(r);
    sqlite3_busy_timeout(other->db, 20); /* instead of seconds */
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(other, "a", ERR_BUSY);
    assert_int_equal(store_begin(other), ERR_BUSY);
    assert_non_null(strstr(store_why(other), "busy"));
    assert_int_equal(store_commit(r->s, true), ERR_OK);
    add(other, "a", ERR_OK);
    store_close(other);
}

static void *count_in_thread(void *context)
{
    struct thread_of *t = context;
    t->n_seen = n_meters(t->s);
    return NULL;
}

static void transaction_keeps_other_threads_out(void **state)
{
    struct rig *r = *state;
    struct thread_of t = {.s = r->s, .n_seen = 99};
    pthread_t thread;
    assert_int_equal(store_begin(r->s), ERR_OK);
    add(r->s, "a", ERR_OK);
    assert_int_equal(pthread_create(&thread, NULL, count_in_thread, &t), 0);
    usleep(20000); /* time enough to look in, were the door open */
    add(r->s, "b", ERR_OK);
    assert_int_equal(store_commit(r->s, false), ERR_OK);
    pthread_join(thread, NULL);
    assert_int_equal(t.n_seen, 2);
}

struct nested {
    struct store *s;
    unsigned inner;
};

static bool ask_again(void *context, const struct store_meter *m)
{
    struct nested *n = context;
    struct store_meter same;
    assert_int_equal(store_meter_get(n->s, m->id, &same), ERR_OK);
    assert_string_equal(same.name, m->name);
    n->inner += n_meters(n->s);
    return true;
}

static void callbacks_may_ask_the_same_again(void **state)
{
    struct rig *r = *state;
    struct nested n = {.s = r->s};
    add(r->s, "a", ERR_OK);
    add(r->s, "b", ERR_OK);
    add(r->s, "c", ERR_OK);
    assert_int_equal(store_meter_each(r->s, ask_again, &n), ERR_OK);
    assert_int_equal(n.inner, 9);
}

static void log_stays_small(void **state)
{
    struct rig *r = *state;
    struct store_layout l = rig_layout(r->s, "a", 6);
    struct day_row rows[RIG_PER_DAY];
    struct store_put put;
    char path[128];
    struct stat st;
    for (int64_t day = 0; day < 200; day++) {
        rig_rows(rows, RIG_DAY + day, 0, RIG_PER_DAY, 6, 0);
        assert_int_equal(store_begin(r->s), ERR_OK);
        for (uint32_t part = 0; part < 8; part++)
            assert_int_equal(store_rows_put(r->s, &l, rows + 12 * part, 12, &put), ERR_OK);
        assert_int_equal(store_commit(r->s, false), ERR_OK);
    }
    assert_int_equal(stat(rig_path(r, "ferraris.db-wal", path), &st), 0);
    assert_true(st.st_size < 5 * 1000 * 1000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(open_makes_files_that_only_the_owner_reads),
        T(open_says_why_it_cannot),
        T(open_refuses_what_is_no_store),
        T(open_refuses_a_newer_schema_and_leaves_it_alone),
        T(open_read_only_reads_and_does_not_write),
        T(open_of_a_new_store_by_many_at_once_works),
        T(migrate_takes_a_further_step_once),
        T(migrate_that_fails_leaves_the_old_schema),
        T(schema_2_knows_the_newest_of_schema_1),
        T(schema_has_strict_tables_only),
        T(own_is_for_one_process_until_it_ends),
        T(rollback_takes_all_back),
        T(commit_keeps_all_but_what_was_refused),
        T(begin_and_commit_go_in_pairs),
        T(connections_see_what_the_other_committed),
        T(writers_are_told_busy_when_the_other_goes_on),
        T(transaction_keeps_other_threads_out),
        T(callbacks_may_ask_the_same_again),
        T(log_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
