/* A meter's past: how long it is, when it ends, what a parent process is told of it. */
#include "tests/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static struct command c;

static void expect(int code, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_err != NULL && strstr(c.err, on_err) == NULL)
        fail_msg("'%s' is not in the message:\n%s", on_err, c.err);
}

static void meter_refuses_words_that_contradict(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "meter", "--until", "now", "--start", "now");
    expect(2, "--until says the end");
    COMMAND(&c, NULL, "meter", "--until", "tomorrow");
    expect(2, "a time like");
    COMMAND(&c, NULL, "meter", "--until", "2000-01-02T00:00:00Z", "--fast-forward", "3d");
    expect(2, "2000 to 2099");
    COMMAND(&c, NULL, "meter", "--live-level", "window");
    expect(2, "from samples");
    COMMAND(&c, NULL, "meter", "--level", "window", "--live-level", "minute");
    expect(2, "sample or window");
    COMMAND(&c, NULL, "meter", "--source", "load:castle", "--listen", "127.0.0.1:0");
    expect(4, "household");
}

/* "lived 0.10", "lived 0.20" ... "listening on": rising, and nothing else. */
static void meter_tells_its_parent_how_far_it_is(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--level", "window", "--start",
            "2026-10-01T00:00:00Z", "--fast-forward", "20d", "--progress", "--run", "0.01");
    expect(0, NULL);
    double before = -1, lived;
    unsigned n = 0;
    char *line = c.out, *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (sscanf(line, "lived %lf", &lived) != 1)
            break;
        assert_true(lived >= before && lived >= 0 && lived <= 1);
        before = lived;
        n++;
    }
    assert_true(n > 0);
    assert_memory_equal(line, "listening on 127.0.0.1:", 23);
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--level", "window", "--fast-forward",
            "1d", "--run", "0.01");
    assert_null(strstr(c.out, "lived")); /* nobody asked */
}

static time_t time_of(const char *text)
{
    struct tm t = {0};
    int zone_h;
    assert_non_null(text);
    assert_int_equal(sscanf(text, "%d-%d-%dT%d:%d:%d%d", &t.tm_year, &t.tm_mon, &t.tm_mday,
                            &t.tm_hour, &t.tm_min, &t.tm_sec, &zone_h),
                     7);
    t.tm_year -= 1900;
    t.tm_mon--;
    return timegm(&t) - zone_h * 3600;
}

static json_t *answer(void)
{
    expect(0, NULL);
    json_t *o = json_loads(c.out, 0, NULL);
    assert_non_null(o);
    return o;
}

/* Two days at window level with one sync at their end; then live at sample level, and now is now.
 */
static void meter_is_in_the_present_when_its_past_ends_now(void **state)
{
    (void)state;
    char dir[] = "/tmp/ferraris-past-XXXXXX", flash[64], keys[64], url[64], line[80];
    assert_non_null(mkdtemp(dir));
    snprintf(flash, sizeof flash, "%s/flash", dir);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    const char *const words[] = {"meter",       "--model", "AD11A",  "--listen",
                                 "127.0.0.1:0", "--level", "window", "--live-level",
                                 "sample",      "--until", "now",    "--fast-forward",
                                 "2d",          "--flash", flash,    "--sync",
                                 "--keys",      keys,      NULL};
    pid_t meter = command_meter(words, url, sizeof url);
    COMMAND(&c, NULL, "clock", "--json", url);
    const time_t now = time(NULL);
    json_t *o = answer();
    const time_t shown = time_of(json_string_value(json_object_get(o, "meter")));
    if (shown > now || now - shown > 3)
        fail_msg("the meter is %ld s behind", (long)(now - shown));
    json_decref(o);
    COMMAND(&c, NULL, "profile", "--auth", "hls5", "--keys", keys, "--json", url, "1-0:99.1.0.255");
    o = answer();
    const json_t *rows = json_object_get(o, "rows");
    const size_t n = json_array_size(rows);
    assert_in_range(n, 191, 194);
    const json_t *last = json_array_get(rows, n - 1);
    const time_t stamp = time_of(json_string_value(json_array_get(last, 0)));
    assert_true(stamp % 900 == 0 && now - stamp >= -1 && now - stamp <= 905);
    json_decref(o);
    command_stop(meter);
    snprintf(line, sizeof line, "rm -r %s", dir);
    assert_int_equal(system(line), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_refuses_words_that_contradict),
        cmocka_unit_test(meter_tells_its_parent_how_far_it_is),
        cmocka_unit_test(meter_is_in_the_present_when_its_past_ends_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
