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

/* ---- the meter's own rows ---- */

/* Both stand still now: row for row the same. */
static void compare(struct head_end *h, int64_t id, const struct meter_process *m)
{
    json_t *told = told_profile(m->url), *profile = head_end_profile(h, id);
    const size_t n = json_array_size(told_rows(told));
    assert_int_equal(json_array_size(json_object_get(profile, "t")), n);
    for (size_t k = 0; k < n; k++)
        head_end_row_is(profile, k, told, k);
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
    (void)head_end_still_told(*told, now);
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
