/* 2000 event streams from one address, held at once; one event reaches all of them. */
#include "tests/headend/api/api_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define N 2000

static void listeners_two_thousand_hear_one_event(void **state)
{
    static int fd[N];
    struct rig r;
    struct rlimit l;
    char text[512];
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
    if (l.rlim_max < 2 * N + 1500) {
        print_message("only %lu descriptors: not run\n", (unsigned long)l.rlim_max);
        skip();
    }
    l.rlim_cur = l.rlim_max; /* both ends of each are in this process */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
    rig_start(&r, 0);
    assert_int_equal(rig_sign_in(&r, RIG_USER, RIG_PASSWORD), 200);
    for (int i = 0; i < N; i++)
        fd[i] = rig_listen(&r);
    const struct meter_event e = {METER_EVENT_REGISTERS, 5, 0, 0, 0};
    api_event(r.api, &e);
    for (int i = 0; i < N; i++) {
        (void)http_wait(fd[i], text, sizeof text, "{\"meter\":5}", 10000);
        assert_non_null(strstr(text, "event: registers\ndata: {\"meter\":5}\n\n"));
    }
    assert_int_equal(rig_status(&r, "GET", "/api/v1/session", NULL), 200);
    rig_stop(&r);
    for (int i = 0; i < N; i++) {
        assert_true(http_closed(fd[i], 1000));
        close(fd[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_two_thousand_hear_one_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
