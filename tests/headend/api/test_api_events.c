/* The event stream: what comes when, how often, and when it ends. */
#include "headend/api/api_events.h"
#include "headend/api/api_session_life.h"
#include "tests/headend/api/api_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int begin(void **state)
{
    struct rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_start(r, 0);
    assert_int_equal(rig_meter(r, "One", 1), 1);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    *state = r;
    return 0;
}

static int end(void **state)
{
    rig_stop(*state);
    free(*state);
    return 0;
}

static void tell(struct rig *r, enum meter_event_kind kind, int64_t meter, int64_t from_s,
                 int64_t to_s)
{
    const struct meter_event e = {kind, meter, 1, from_s, to_s};
    api_event(r->api, &e);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    while ((text = strstr(text, what)) != NULL) {
        n++;
        text++;
    }
    return n;
}

static void events_come_with_what_they_are_about(void **state)
{
    struct rig *r = *state;
    char text[4096];
    const int fd = rig_listen(r);
    tell(r, METER_EVENT_STATE, 1, 0, 0);
    (void)http_wait(fd, text, sizeof text, "\n\n", 3000);
    assert_non_null(strstr(text, "event: meter\ndata: {\"meter\":1}\n\n"));
    tell(r, METER_EVENT_PROFILE, 1, 900, 1800);
    (void)http_wait(fd, text, sizeof text, "\n\n", 3000);
    assert_non_null(strstr(text, "event: profile\ndata: {\"meter\":1,\"obis\":\"1-0:99.1.0.255\","
                                 "\"from\":900,\"to\":1800}\n\n"));
    tell(r, METER_EVENT_PROFILE, 99, 900, 1800); /* no such profile: nobody is told */
    tell(r, METER_EVENT_REGISTERS, 2, 0, 0);
    (void)http_wait(fd, text, sizeof text, "registers", 3000);
    assert_null(strstr(text, "profile"));
    close(fd);
}

static void events_of_a_meter_waiting_are_sent_once(void **state)
{
    struct rig *r = *state;
    static char text[65536];
    const int fd = rig_listen(r);
    for (int i = 0; i < 500; i++) {
        tell(r, METER_EVENT_REGISTERS, 1, 0, 0);
        tell(r, METER_EVENT_PROFILE, 1, 1000 - i, 1000 + i);
    }
    tell(r, METER_EVENT_STATE, 7, 0, 0);
    (void)http_wait(fd, text, sizeof text, "{\"meter\":7}", 3000);
    const unsigned n = count(text, "event: registers");
    assert_true(n >= 1 && n <= 3); /* one at once, the rest a quarter of a second later */
    assert_non_null(strstr(text, "\"to\":1499}"));
    assert_true(count(text, "event: profile") <= 3);
    close(fd);
}

static void events_too_many_begin_anew(void **state)
{
    struct rig *r = *state;
    static char text[262144];
    const int fd = rig_listen(r);
    for (int i = 1; i <= HUB_PENDING * 3; i++)
        tell(r, METER_EVENT_STATE, i, 0, 0);
    (void)http_wait(fd, text, sizeof text, "event: hello", 3000);
    assert_non_null(strstr(text, "event: hello"));
    close(fd);
}

static void events_beat_every_fifteen_seconds(void **state)
{
    struct rig *r = *state;
    char text[1024];
    const int fd = rig_listen(r);
    rig_pass(r, HUB_BEAT_MS - 1);
    (void)http_wait(fd, text, sizeof text, ":\n\n", 600);
    assert_string_equal(text, "");
    rig_pass(r, 1);
    (void)http_wait(fd, text, sizeof text, ":\n\n", 3000);
    assert_non_null(strstr(text, ":\n\n"));
    close(fd);
}

static void events_end_with_the_session(void **state)
{
    struct rig *r = *state;
    const int a = rig_listen(r);
    assert_int_equal(rig_status(r, "DELETE", "/api/v1/session", NULL), 204);
    assert_true(http_closed(a, 3000));
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    const int b = rig_listen(r);
    rig_pass(r, SESSION_IDLE_MS);
    assert_true(http_closed(b, 3000));
    close(a);
    close(b);
}

static void events_of_one_who_left_are_no_harm(void **state)
{
    struct rig *r = *state;
    char text[1024];
    for (int i = 0; i < 20; i++)
        close(rig_listen(r));
    const int fd = rig_listen(r);
    for (int i = 0; i < 3; i++) {
        tell(r, METER_EVENT_STATE, 1, 0, 0);
        (void)http_wait(fd, text, sizeof text, "event: meter", 3000);
        assert_non_null(strstr(text, "event: meter"));
    }
    close(fd);
}

#define EVENTS(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVENTS(events_come_with_what_they_are_about),
        EVENTS(events_of_a_meter_waiting_are_sent_once),
        EVENTS(events_too_many_begin_anew),
        EVENTS(events_beat_every_fifteen_seconds),
        EVENTS(events_end_with_the_session),
        EVENTS(events_of_one_who_left_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
