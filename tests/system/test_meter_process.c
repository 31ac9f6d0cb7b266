/* A meter as a process: killed and started again, switched off by the panel, refused a port, a
 * flash, a model. */
#include "tests/cli/command.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define KILLS 6

static struct command c;
static char dir[64], flash[96], keys[96], panel[112], url[96];

#define SECURE "--auth", "hls5", "--keys", keys

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/ferraris-meter-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(flash, sizeof flash, "%s/flash", dir);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    snprintf(panel, sizeof panel, "unix:%s/panel", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char line[160];
    snprintf(line, sizeof line, "rm -r %s", dir);
    return system(line);
}

static void expect(int code, const char *on_out, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_out != NULL && strstr(c.out, on_out) == NULL)
        fail_msg("'%s' is not in the output:\n%s", on_out, c.out);
    if (on_err != NULL && strstr(c.err, on_err) == NULL)
        fail_msg("'%s' is not in the message:\n%s", on_err, c.err);
}

static pid_t start(const char *speed)
{
    return command_meter((const char *const[]){"meter", "--model", "ST402D", "--listen",
                                               "127.0.0.1:0", "--level", "window", "--flash", flash,
                                               "--keys", keys, "--panel", panel, "--speed", speed,
                                               "--start", "2026-03-28T00:00:00Z", NULL},
                         url, sizeof url);
}

static double import_wh(void)
{
    COMMAND(&c, NULL, "read", SECURE, "--json", url, "1-0:1.8.0.255");
    expect(0, NULL, NULL);
    json_t *a = json_loads(c.out, 0, NULL);
    assert_non_null(a);
    double wh = json_number_value(json_object_get(json_array_get(a, 0), "scaled"));
    json_decref(a);
    return wh;
}

/* Sum of the interval energies and the last register of the profile. */
static size_t profile_sum(double *sum, double *last)
{
    COMMAND(&c, NULL, "profile", SECURE, "--json", url, "1-0:99.1.0.255");
    expect(0, NULL, NULL);
    json_t *a = json_loads(c.out, 0, NULL);
    assert_non_null(a);
    json_t *rows = json_object_get(a, "rows");
    size_t n = json_array_size(rows);
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array_get(rows, i);
        *sum += json_number_value(json_array_get(row, 6));
        *last = json_number_value(json_array_get(row, 2));
    }
    json_decref(a);
    return n;
}

static void meter_loses_nothing_told_when_killed(void **state)
{
    (void)state;
    double told = 0, sum, last = 0;
    size_t rows = 0;
    for (unsigned k = 0; k < KILLS; k++) {
        pid_t meter = start("7200"); /* two hours a second: rows and snapshots all the time */
        double wh = import_wh();
        assert_true(wh >= told);
        usleep(100000 + 37000 * k);
        size_t n = profile_sum(&sum, &last);
        assert_true(n >= rows);
        assert_true(sum - last < 0.001 && last - sum < 0.001);
        rows = n;
        told = import_wh();
        assert_true(told > wh);
        assert_int_equal(kill(meter, SIGKILL), 0);
        assert_int_equal(waitpid(meter, NULL, 0), meter);
    }
    assert_true(rows > KILLS);
    pid_t meter = start("0");
    assert_true(import_wh() >= told);
    assert_true(profile_sum(&sum, &last) >= rows);
    command_stop(meter);
}

static void meter_obeys_the_panel(void **state)
{
    (void)state;
    pid_t meter = start("3600");
    usleep(200000);
    COMMAND(&c, NULL, "panel", panel, "status");
    expect(0, "mains on", NULL);
    double before = import_wh();
    COMMAND(&c, NULL, "panel", panel, "mains", "off");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "status");
    expect(0, "mains off", NULL);
    COMMAND(&c, NULL, "read", url, "0-0:42.0.0.255");
    expect(3, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "mains", "on");
    expect(0, NULL, NULL);
    assert_true(import_wh() >= before);
    COMMAND(&c, NULL, "panel", panel, "phase", "2", "off");
    expect(0, NULL, NULL);
    usleep(200000);
    COMMAND(&c, NULL, "read", SECURE, url, "1-0:52.7.0.255");
    expect(0, " 0.00 V", NULL);
    COMMAND(&c, NULL, "panel", "--warn", panel, "mains", "off");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "mains", "on");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "events"); /* also those of before the cut */
    expect(0, "standard: power up\n", NULL);
    expect(0, "power quality: missing voltage L2", NULL);
    COMMAND(&c, NULL, "panel", panel, "phase", "4", "off");
    expect(1, NULL, "not a command");
    COMMAND(&c, NULL, "panel", panel, "mains", "sideways");
    expect(1, NULL, "not a command");
    command_stop(meter);
    COMMAND(&c, NULL, "panel", panel, "status");
    expect(3, NULL, NULL);
}

/* The factory's parameters at the panel: closed under the seal, kept over a cut, each try told. */
static void meter_takes_parameters_at_the_panel_while_the_seal_is_open(void **state)
{
    (void)state;
    pid_t meter = start("60");
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM");
    expect(0, "SUM 0..2, under the seal\nSUM[0] 0\n", NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM", "1");
    expect(1, NULL, "SUM is sealed");
    COMMAND(&c, NULL, "panel", panel, "parameter", "PULSE_PER_KWH", "500");
    expect(1, NULL, "the owner's");
    COMMAND(&c, NULL, "panel", panel, "seal", "open");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "sum", "1");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM", "3");
    expect(1, NULL, "SUM takes 0..2");
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM", "one");
    expect(1, NULL, "no whole number");
    COMMAND(&c, NULL, "panel", panel, "parameter", "DELAY_NS[6]", "-500");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "DELAY_NS", "-500");
    expect(1, NULL, "DELAY_NS[0..6]");
    COMMAND(&c, NULL, "panel", panel, "parameter", "DELAY_NS[7]", "-500");
    expect(1, NULL, "not a parameter: U_LSB_FV[0..2]");
    COMMAND(&c, NULL, "panel", panel, "seal", "close");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "mains", "off");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM");
    expect(1, NULL, "while the mains are off");
    COMMAND(&c, NULL, "panel", panel, "mains", "on");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "SUM[0]");
    expect(0, "SUM[0] 1\n", NULL);
    COMMAND(&c, NULL, "panel", panel, "parameter", "DELAY_NS");
    expect(0, "DELAY_NS[5] 0\nDELAY_NS[6] -500\n", NULL);
    COMMAND(&c, NULL, "panel", panel, "audit");
    expect(0, "refused SUM[0] 0 -> 1\n", NULL);
    expect(0, "changed SUM[0] 0 -> 1\n", NULL);
    expect(0, "changed DELAY_NS[6] 0 -> -500\n", NULL);
    command_stop(meter);
}

static void meter_says_what_is_taken_or_wrong(void **state)
{
    (void)state;
    struct stat s;
    pid_t meter = start("1");
    assert_int_equal(stat(keys, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    const char *address = url + strlen("tcp://");
    COMMAND(&c, NULL, "meter", "--listen", address);
    expect(3, NULL, "address already in use: 127.0.0.1:");
    expect(3, NULL, "by ferraris (process ");
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--flash", flash);
    expect(1, NULL, "flash");
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--panel", panel);
    expect(3, NULL, "another meter answers");
    command_stop(meter);
    /* the same size of flash, another meter */
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--flash", flash, "--model", "ST402C");
    expect(4, NULL, "another model");
    assert_int_equal(truncate(flash, 4096), 0);
    COMMAND(&c, NULL, "meter", "--listen", "127.0.0.1:0", "--flash", flash);
    expect(4, NULL, "flash");
    COMMAND(&c, NULL, "meter", "--model", "ST999");
    expect(2, NULL, "SMARTESOX-P");
    static const struct {
        const char *option, *value;
    } wrong[] = {
        {"--start", "2026-02-30T00:00"},
        {"--start", "2026-03-01T00:00+1:00"},
        {"--start", "1999-12-31T23:59Z"},
        {"--start", "2000-01-01T00:00+01:00"},
        {"--start", "2300-01-01"},
        {"--listen", "nowhere"},
        {"--listen", "127.0.0.1:70000"},
        {"--listen", "127.0.0.1:dlms"},
        {"--speed", ""},
        {"--speed", "-inf"},
        {"--run", "-1"},
        {"--panel", "unix:"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        COMMAND(&c, NULL, "meter", wrong[i].option, wrong[i].value);
        expect(2, NULL, i < 5 ? "--start" : "");
    }
    COMMAND(&c, NULL, "meter", "--source", "synth:volts=3");
    expect(4, NULL, "volts");
    COMMAND(&c, NULL, "meter", "--model", "sm307", "--datasheet");
    expect(0, "10000 imp/kWh", NULL);
}

static void meter_starts_at_local_times(void **state)
{
    (void)state;
    char out[128];
    pid_t meter = command_meter((const char *const[]){"meter", "--listen", "127.0.0.1:0", "--panel",
                                                      panel, "--speed", "0", "--start",
                                                      "2026-03-29T03:30:00+02:00", NULL},
                                out, sizeof out);
    COMMAND(&c, NULL, "panel", panel, "status");
    expect(0, "time 2026-03-29T03:30:00+02:00", NULL);
    command_stop(meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_loses_nothing_told_when_killed),
        cmocka_unit_test(meter_obeys_the_panel),
        cmocka_unit_test(meter_takes_parameters_at_the_panel_while_the_seal_is_open),
        cmocka_unit_test(meter_says_what_is_taken_or_wrong),
        cmocka_unit_test(meter_starts_at_local_times),
    };
    return cmocka_run_group_tests_name("meter_process", tests, set_up, tear_down);
}
