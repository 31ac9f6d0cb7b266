/* The data directory on a tmpfs of 16 MB that fills up while a meter is read: the head-end says so,
 * goes on answering, loses nothing, and goes on reading when there is room again.
 *
 * Mounting needs root: skipped without. */
#define _GNU_SOURCE /* unshare */
#include "tests/system/answers.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

static void fill(void)
{
    static const char zeros[4096];
    const int fd = open("data/filler", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
    close(fd);
}

static size_t n_rows(struct head_end *h, int64_t id)
{
    json_t *profile = head_end_profile(h, id);
    const size_t n = json_array_size(json_object_get(profile, "t"));
    json_decref(profile);
    return n;
}

/* Asks for readings until /health has this status; the reason then stands in `reason`. */
static void await_health(struct head_end *h, int64_t id, const char *status, char reason[256])
{
    const time_t end = time(NULL) + PROCESS_PATIENCE_S;
    while (time(NULL) < end) {
        head_end_read(h, id);
        usleep(100000);
        json_t *health = http_json(&h->api, "GET", "/health", NULL, 200);
        const char *is = json_string_value(json_object_get(health, "status"));
        const char *why = json_string_value(json_object_get(health, "reason"));
        const bool there = strcmp(is, status) == 0;
        snprintf(reason, 256, "%s", why != NULL ? why : "");
        json_decref(health);
        if (there)
            return;
    }
    fail_msg("the health never was '%s'", status);
}

static void head_end_goes_on_when_there_is_room_again(void **state)
{
    struct meter_process m;
    struct head_end h = {0};
    char reason[256];
    (void)state;
    if (!mounted)
        skip(); /* not root */
    meter_start(&m, "--model", "AD13A", "--level", "window", "--fast-forward", "10d", "--keys",
                "keys", "--speed", "7200", NULL);
    head_end_start(&h, "data", NULL);
    const int64_t id = head_end_add(&h, "on a full disk", m.url, "keys", NULL);
    head_end_await(&h, id);
    const size_t before = n_rows(&h, id);
    assert_true(before >= 900);
    fill();
    await_health(&h, id, "degraded", reason);
    print_message("health on a full disk: %s\n", reason);
    assert_non_null(strstr(reason, "data")); /* where */
    assert_non_null(strstr(reason, "space"));
    assert_true(n_rows(&h, id) >= before); /* it answers, nothing is gone */
    char *log = file_text(h.err_name);
    assert_non_null(strstr(log, "space"));
    free(log);
    assert_int_equal(unlink("data/filler"), 0);
    await_health(&h, id, "ok", reason);
    head_end_await(&h, id);
    assert_true(n_rows(&h, id) > before);
    head_end_stop(&h);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    meter_stop(&m);
}

static void head_end_says_why_it_does_not_start_on_a_full_disk(void **state)
{
    (void)state;
    if (!mounted)
        skip();
    assert_int_equal(mkdir("data/new", 0700), 0);
    fill();
    struct outcome o =
        ferraris("headend", "run", "--data", "data/new", "--listen", "127.0.0.1:0", NULL);
    outcome_expect(&o, 3, "no room left on the disk of data/new");
    outcome_free(&o);
    assert_int_equal(unlink("data/filler"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_end_goes_on_when_there_is_room_again),
        cmocka_unit_test(head_end_says_why_it_does_not_start_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
