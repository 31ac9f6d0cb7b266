/* All that breaks between a meter and the head-end's disk, at random points of a fast life: a meter
 * lives ten hours a second, the head-end reads it without pause over a line that breaks off in
 * each connection; kill -9 hits meter, head-end or both, and the disk is full for a while.
 *
 * In the end the head-end must hold every interval that the meter holds, with its status and
 * values, once; what its API told before must still be there after; and the meter never refused a
 * counter as used (that would stand in its state as a failure that does not go away). Clocks that
 * jump: test_headend_clock.c.
 *
 * `full` breaks 24 times, else 4. The meter has one load profile: over lines that break off after
 * some kilobytes one with four is hardly ever read to its end. SYS-COMPLETE; without root there is
 * no disk to fill, which proves only the rest: skipped at its end. */
#define _GNU_SOURCE /* unshare */
#include "tests/system/answers.h"
#include "tests/system/cutter.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static unsigned n_breaks = 4;
static bool mounted;

static int enter(void **state)
{
    (void)state;
    folder_enter();
    assert_int_equal(mkdir("data", 0700), 0);
    mounted = unshare(CLONE_NEWNS) == 0 &&
              mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
              mount("tmpfs", "data", "tmpfs", 0, "size=16m,mode=0700") == 0;
    return 0;
}

static int leave(void **state)
{
    (void)state;
    if (mounted)
        assert_int_equal(umount2("data", MNT_DETACH), 0);
    folder_leave();
    return 0;
}

static void meter_up(struct meter_process *m, uint16_t port, const char *speed)
{
    char at[32];
    snprintf(at, sizeof at, "127.0.0.1:%u", port);
    meter_start(m, "--model", "SM307", "--listen", at, "--level", "window", "--flash", "flash",
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
    print_message("%u breaks: %zu rows, each once\n", n_breaks, n);
    assert_true(n > 20u * n_breaks);
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

/* Every connection may break off, so somebody asks again and again. */
static void await(struct head_end *h, int64_t id)
{
    const time_t end = time(NULL) + PROCESS_PATIENCE_S;
    bool done = false;
    while (!done && time(NULL) < end) {
        head_end_read(h, id);
        usleep(100000);
        json_t *meter = head_end_meter(h, id);
        done = json_is_true(json_object_get(meter, "up_to_date"));
        json_decref(meter);
    }
    assert_true(done);
}

/* Whose end it is; or nobody's, but the disk has no room for a while. */
enum victim { METER, HEAD_END, BOTH, DISK, N_VICTIMS };

static void kill_them(struct head_end *h, struct meter_process *m, enum victim who)
{
    const uint16_t port = m->port;
    if (who != HEAD_END) {
        kill(m->pid, SIGKILL);
        assert_int_equal(meter_end(m), 128 + SIGKILL);
    }
    if (who != METER)
        head_end_kill(h);
    if (who != HEAD_END)
        meter_up(m, port, "36000");
    if (who != METER)
        head_end_start(h, "data", NULL);
}

static bool is_degraded(struct head_end *h)
{
    json_t *health = http_json(&h->api, "GET", "/health", NULL, 200);
    const bool is = strcmp(json_string_value(json_object_get(health, "status")), "degraded") == 0;
    json_decref(health);
    return is;
}

static void fill_disk(struct head_end *h, int64_t id, json_t **told)
{
    static const char zeros[4096];
    if (!mounted)
        return;
    const int fd = open("data/filler", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
    close(fd);
    const time_t end = time(NULL) + PROCESS_PATIENCE_S;
    bool degraded = false;
    while (!degraded && time(NULL) < end) {
        live_a_while(h, id, told);
        degraded = is_degraded(h);
    }
    assert_true(degraded);
    live_a_while(h, id, told);
    assert_int_equal(unlink("data/filler"), 0);
}

static void break_some(struct head_end *h, struct meter_process *m, int64_t id)
{
    json_t *told = NULL;
    for (unsigned k = 0; k < n_breaks; k++) {
        const enum victim who = (enum victim)(k % N_VICTIMS);
        live_a_while(h, id, &told);
        if (who == DISK)
            fill_disk(h, id, &told);
        else
            kill_them(h, m, who);
        await(h, id);
    }
    json_decref(told);
}

static void claim_SYS_COMPLETE(void **state)
{
    struct meter_process m;
    struct cutter line;
    struct head_end h = {0};
    (void)state;
    srand(20260329);
    meter_up(&m, 0, "36000");
    cutter_start(&line, m.port, 20260329);
    head_end_start(&h, "data", NULL);
    const int64_t id = head_end_add(&h, "mortal", line.url, "keys", NULL);
    await(&h, id);
    break_some(&h, &m, id);
    const uint16_t port = m.port;
    meter_stop(&m);
    meter_up(&m, port, "0"); /* it stands still */
    head_end_stop(&h);
    *line.cuts = false;
    head_end_start(&h, "data", NULL);
    await(&h, id);
    compare(&h, id, &m);
    print_message("%u lines broke off\n", *line.n);
    assert_true(*line.n > n_breaks);
    head_end_stop(&h);
    cutter_stop(&line);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    meter_stop(&m);
    if (!mounted)
        skip(); /* not root */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SYS_COMPLETE),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        n_breaks = 24;
    return cmocka_run_group_tests(tests, enter, leave);
}
