/* kill -9 of meter and head-end at random points of a fast life: a meter lives ten hours a second,
 * the head-end reads it without pause, and one of the two (or both) dies again and again.
 *
 * In the end the head-end must hold every interval that the meter holds, with its status and
 * values, once; what its API told before a kill must still be there after it; and the meter never
 * refused a counter as used (that would stand in its state as a failure that does not go away).
 *
 * `full` gives 20 kills, else 3. SYS-COMPLETE. */
#include "tests/system/answers.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/civil.h"

static unsigned n_kills = 3;

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

static void meter_up(struct meter_process *m, uint16_t port, const char *speed)
{
    char at[32];
    snprintf(at, sizeof at, "127.0.0.1:%u", port);
    meter_start(m, "--model", "ST402D", "--listen", at, "--level", "window", "--flash", "flash",
                "--keys", "keys", "--start", "2026-03-28T00:00:00Z", "--speed", speed, NULL);
}

/* ---- what the API told ---- */

static bool same_row(const json_t *a, size_t i, const json_t *b, size_t k)
{
    const json_t *va = json_object_get(a, "values"), *vb = json_object_get(b, "values");
    if (!json_equal(json_array_get(json_object_get(a, "t"), i),
                    json_array_get(json_object_get(b, "t"), k)) ||
        !json_equal(json_array_get(json_object_get(a, "status"), i),
                    json_array_get(json_object_get(b, "status"), k)) ||
        json_array_size(va) != json_array_size(vb))
        return false;
    for (size_t c = 0; c < json_array_size(va); c++) {
        if (!json_equal(json_array_get(json_array_get(va, c), i),
                        json_array_get(json_array_get(vb, c), k)))
            return false;
    }
    return true;
}

/* Every row of `before` stands in `after`, in the same order. Gives the number of rows after. */
static size_t still_told(const json_t *before, const json_t *after)
{
    const size_t n = json_array_size(json_object_get(after, "t"));
    size_t at = 0;
    for (size_t i = 0; before != NULL && i < json_array_size(json_object_get(before, "t")); i++) {
        while (at < n && !same_row(before, i, after, at))
            at++;
        if (at++ >= n)
            fail_msg("row %zu that the API told is gone", i);
    }
    return n;
}

/* ---- the meter's own rows ---- */

static int64_t stamp_of(const char *iso)
{
    int y, mo, d, h, mi, s, oh, om;
    char sign;
    assert_int_equal(
        sscanf(iso, "%d-%d-%dT%d:%d:%d%c%d:%d", &y, &mo, &d, &h, &mi, &s, &sign, &oh, &om), 9);
    const struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, (uint8_t)s};
    return civil_to_seconds(&c) - (sign == '-' ? -1 : 1) * (oh * 3600 + om * 60);
}

static void row_is(const json_t *told, size_t k, const json_t *profile, size_t i)
{
    static const char *const columns[] = {"1-0:1.8.0.255", "1-0:2.8.0.255", "1-0:1.29.0.255",
                                          "1-0:2.29.0.255"};
    const json_t *row = json_array_get(told_rows(told), k);
    const int64_t stamp = stamp_of(json_string_value(json_array_get(row, 0)));
    const int64_t got = json_integer_value(json_array_get(json_object_get(profile, "t"), i));
    if (stamp != got)
        fail_msg("row %zu: the meter has %lld, the head-end %lld", k, (long long)stamp,
                 (long long)got);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(profile, "status"), i)),
                     told_cell(told, k, "0-0:96.10.1.255"));
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
        assert_int_equal(
            json_integer_value(json_array_get(head_end_column(profile, columns[c], NULL), i)),
            told_cell(told, k, columns[c]));
}

/* Both stand still now: row for row the same. */
static void compare(struct head_end *h, int64_t id, const struct meter_process *m)
{
    json_t *told = told_profile(m->url), *profile = head_end_profile(h, id);
    const size_t n = json_array_size(told_rows(told));
    assert_int_equal(json_array_size(json_object_get(profile, "t")), n);
    for (size_t k = 0; k < n; k++)
        row_is(told, k, profile, k);
    print_message("%u kills: %zu rows, each once\n", n_kills, n);
    assert_true(n > 20u * n_kills);
    json_decref(told);
    json_decref(profile);
}

/* ---- the life ---- */

static void live_a_while(struct head_end *h, int64_t id, json_t **told)
{
    const unsigned ms = 300 + (unsigned)rand() % 1200;
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    head_end_read(h, id);
    nanosleep(&pause, NULL);
    json_t *now = head_end_profile(h, id);
    still_told(*told, now);
    json_decref(*told);
    *told = now;
}

static void kill_one(struct head_end *h, struct meter_process *m, unsigned k)
{
    const uint16_t port = m->port;
    const int which = (int)(k % 3);
    if (which != 1) {
        kill(m->pid, SIGKILL);
        assert_int_equal(meter_end(m), 128 + SIGKILL);
    }
    if (which != 0)
        head_end_kill(h);
    if (which != 1)
        meter_up(m, port, "36000");
    if (which != 0)
        head_end_start(h, "data", NULL);
}

static void claim_SYS_COMPLETE(void **state)
{
    struct meter_process m;
    struct head_end h = {0};
    json_t *told = NULL;
    (void)state;
    srand(20260329);
    meter_up(&m, 0, "36000");
    head_end_start(&h, "data", NULL);
    const int64_t id = head_end_add(&h, "mortal", m.url, "keys", NULL);
    head_end_await(&h, id);
    for (unsigned k = 0; k < n_kills; k++) {
        live_a_while(&h, id, &told);
        kill_one(&h, &m, k);
        head_end_await(&h, id);
    }
    json_decref(told);
    const uint16_t port = m.port;
    meter_stop(&m);
    meter_up(&m, port, "0"); /* it stands still */
    head_end_stop(&h);
    head_end_start(&h, "data", NULL);
    head_end_await(&h, id);
    compare(&h, id, &m);
    head_end_stop(&h);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    meter_stop(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SYS_COMPLETE),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        n_kills = 20;
    return cmocka_run_group_tests(tests, enter, leave);
}
