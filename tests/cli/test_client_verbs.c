/* The client verbs against a virtual meter in a process of its own, and against servers that
 * misbehave. The meter has lived two days over the change to summer time. */
#include "tests/cli/command.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static struct command c;
static char dir[64], flash[96], keys[96], bad_keys[96], password[96], url[96];
static pid_t meter;

#define SECURE "--auth", "hls5", "--keys", keys

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    fclose(f);
}

static void start_meter(const char *listen)
{
    meter = command_meter((const char *const[]){"meter", "--model", "ST402D", "--listen", listen,
                                                "--level", "window", "--flash", flash, "--keys",
                                                keys, "--start", "2026-03-28T00:00:00Z",
                                                "--fast-forward", "2d", "--seed", "7", NULL},
                          url, sizeof url);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/ferraris-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(flash, sizeof flash, "%s/flash", dir);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    snprintf(bad_keys, sizeof bad_keys, "%s/bad", dir);
    snprintf(password, sizeof password, "%s/password", dir);
    write_file(bad_keys, "guek = 00112233445566778899AABBCCDDEEFF\n"
                         "gak = 00112233445566778899AABBCCDDEEFF\n");
    write_file(password, "surely not\n");
    start_meter("127.0.0.1:0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char line[160];
    command_stop(meter);
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

static json_t *parsed(void)
{
    json_error_t error;
    json_t *out = json_loads(c.out, 0, &error);
    if (out == NULL)
        fail_msg("no JSON: %s\n%s", error.text, c.out);
    return out;
}

static void read_gives_value_scaler_and_unit_when_json(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", SECURE, "--json", url, "1-0:1.8.0.255", "1-0:1.8.0.255:3");
    expect(0, NULL, NULL);
    json_t *out = parsed();
    const json_t *e = json_array_get(out, 0);
    assert_int_equal(json_integer_value(json_object_get(e, "class")), 3);
    assert_string_equal(json_string_value(json_object_get(e, "unit")), "Wh");
    const double raw = (double)json_integer_value(json_object_get(e, "value"));
    assert_true(raw > 0);
    const int scaler = (int)json_integer_value(json_object_get(e, "scaler"));
    double scaled = raw;
    for (int i = 0; i > scaler; i--)
        scaled /= 10;
    assert_true(json_number_value(json_object_get(e, "scaled")) == scaled);
    assert_int_equal(json_array_size(json_object_get(json_array_get(out, 1), "value")), 2);
    json_decref(out);
}

static void read_says_no_when_object_is_not_there(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", SECURE, url, "1-0:77.7.7.255");
    expect(1, NULL, "no object 1-0:77.7.7.255");
    COMMAND(&c, NULL, "read", SECURE, "--class", "3", url, "1-0:77.7.7.255");
    expect(1, NULL, "object-undefined");
}

static void read_says_security_when_secret_is_wrong(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--auth", "lls", "--password-file", password, url, "1-0:1.8.0");
    expect(5, NULL, "authentication");
    COMMAND(&c, NULL, "read", "--auth", "hls5", "--keys", bad_keys, url, "1-0:1.8.0");
    expect(5, NULL, "wrong key");
    COMMAND(&c, NULL, "read", SECURE, url, "1-0:1.8.0"); /* the right one still gets in */
    expect(0, "Wh", NULL);
    COMMAND(&c, NULL, "read", "--auth", "lls", "--keys", keys, url, "1-0:1.8.0");
    expect(0, "Wh", NULL);
}

static void read_uses_no_counter_twice_when_processes_follow_each_other(void **state)
{
    (void)state;
    unsigned long last = 0, now = 0;
    char path[112], line[64];
    snprintf(path, sizeof path, "%s.state", keys);
    for (int i = 0; i < 3; i++) {
        COMMAND(&c, NULL, "read", SECURE, url, "1-0:1.8.0");
        expect(0, NULL, NULL);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        while (fgets(line, sizeof line, f) != NULL)
            (void)sscanf(line, "counter = %lu", &now);
        fclose(f);
        assert_true(now > last);
        last = now;
    }
}

static void browse_lists_objects_when_public_or_manager(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "browse", url);
    expect(0, "Logical device name", NULL);
    assert_null(strstr(c.out, "1-0:1.8.0.255"));
    COMMAND(&c, NULL, "browse", SECURE, "--values", "--json", url);
    expect(0, NULL, NULL);
    json_t *out = parsed();
    assert_true(json_array_size(out) > 40);
    json_decref(out);
}

static int64_t cell(const json_t *rows, size_t row, size_t column)
{
    return json_integer_value(json_array_get(json_array_get(rows, row), column));
}

static size_t column_of(const json_t *profile, const char *obis)
{
    size_t i;
    json_t *column;
    json_array_foreach(
        json_object_get(profile, "columns"), i,
        column) if (strcmp(json_string_value(json_object_get(column, "obis")), obis) == 0) return i;
    fail_msg("no column %s", obis);
    return 0;
}

static void profile_sums_equal_register_difference_when_read(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "profile", SECURE, "--json", "--max-pdu", "256", url, "1-0:99.1.0.255");
    expect(0, NULL, NULL);
    json_t *profile = parsed();
    const json_t *rows = json_object_get(profile, "rows");
    const size_t n = json_array_size(rows), total = column_of(profile, "1-0:1.8.0.255"),
                 interval = column_of(profile, "1-0:1.29.0.255");
    assert_int_equal(json_integer_value(json_object_get(profile, "capture_period_s")), 900);
    assert_in_range(n, 190, 193);
    int64_t sum = 0;
    for (size_t i = 1; i < n; i++)
        sum += cell(rows, i, interval);
    assert_true(sum > 0);
    assert_int_equal(sum, cell(rows, n - 1, total) - cell(rows, 0, total));
    json_decref(profile);
}

static size_t rows_of(const char *option, const char *value, const char *option2,
                      const char *value2)
{
    COMMAND(&c, NULL, "profile", SECURE, "--json", option, value, option2, value2, url,
            "1-0:99.1.0.255");
    expect(0, NULL, NULL);
    json_t *profile = parsed();
    const size_t n = json_array_size(json_object_get(profile, "rows"));
    json_decref(profile);
    return n;
}

static void profile_selects_rows_when_asked(void **state)
{
    (void)state;
    assert_int_equal(rows_of("--last", "7", "--timeout", "10"), 7);
    assert_int_equal(rows_of("--entries", "3..12", "--timeout", "10"), 10);
    /* the hour from 2 to 3 does not exist on this day */
    assert_int_equal(rows_of("--from", "2026-03-29T01:30:00+01:00", "--to", "2026-03-29T03:15"), 4);
    assert_non_null(strstr(c.out, "2026-03-29T03:15:00+02:00"));
    assert_int_equal(rows_of("--from", "2030-01-01", "--to", "2030-01-02"), 0);
}

static void profile_draws_curve_when_asked(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "profile", SECURE, "--curve", url, "1-0:99.1.0.255");
    expect(0, "█", NULL);
    assert_non_null(strstr(c.out, "1-0:1.29.0.255"));
    COMMAND(&c, NULL, "profile", SECURE, "--curve", "--column", "1-0:7.7.7", url, "1-0:99.1.0.255");
    expect(2, NULL, "no column");
}

static void clock_shows_and_sets_time_when_allowed(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "clock", url);
    expect(0, "2026-03-30T", NULL);
    COMMAND(&c, NULL, "clock", "--set", "2026-03-30T02:30:00+02:00", url);
    expect(1, NULL, "refused");
    COMMAND(&c, NULL, "clock", SECURE, "--set", "2026-03-30T02:30:00+02:00", url);
    expect(0, "2026-03-30T02:30:0", NULL);
}

/* Far off: set, with both events. In step: nothing is sent, and nobody is refused anything. */
static void clock_is_synchronised_when_it_is_off(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "clock", "--sync", url);
    expect(1, NULL, "refused");
    COMMAND(&c, NULL, "clock", SECURE, "--sync", "--set", "now", url);
    expect(2, NULL, "not both");
    COMMAND(&c, NULL, "clock", SECURE, "--sync", "--json", url);
    expect(0, "difference_s", NULL);
    const char *difference = strstr(c.out, "difference_s");
    double s = strtod(difference + strcspn(difference, "-0123456789"), NULL);
    assert_true(s > -2 && s < 2);
    COMMAND(&c, NULL, "clock", "--sync", url);
    expect(0, "difference", NULL);
    COMMAND(&c, NULL, "clock", SECURE, "--set", "2026-03-30T02:30:00+02:00", url);
    expect(0, "2026-03-30T02:30:0", NULL);
}

static void write_and_call_tell_refusal_when_not_allowed(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:1.8.0.255:2", "u32", "1");
    expect(1, NULL, "read-write-denied");
    COMMAND(&c, NULL, "call", SECURE, url, "1-0:1.8.0.255:1");
    expect(1, NULL, "refused");
    COMMAND(&c, NULL, "write", SECURE, url, "0-0:1.0.0.255:3", "lang", "-60");
    expect(2, NULL, "'lang -60' has an unknown type");
    COMMAND(&c, NULL, "write", SECURE, url, "0-0:1.0.0.255:3", "long", "-60");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "write", SECURE, url, "0-0:1.0.0.255:3", "i16", "-60");
    expect(0, NULL, NULL);
}

#define CLOCK "0-0:1.0.0.255:2,0-0:96.10.1.255:2"

/* Columns by name, their classes from the object list; refused ones leave the profile as it is. */
static void write_chooses_the_columns_of_a_profile(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:99.1.0.255:3", "columns", "1-0:1.8.0.255");
    expect(2, NULL, "wants columns like");
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:99.1.0.255:3", "columns", CLOCK ",1-0:77.7.7.7:2");
    expect(1, NULL, "no object 1-0:77.7.7.7");
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:99.1.0.255:3", "columns", "1-0:1.8.0.255:2");
    expect(1, NULL, "refused");
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:99.1.0.255:3", "axdr", "0101");
    expect(2, NULL, "no whole A-XDR value");
    COMMAND(&c, NULL, "profile", SECURE, url, "1-0:99.1.0.255", "--last", "1");
    expect(0, "1.29.0", NULL);
    COMMAND(&c, NULL, "write", SECURE, url, "1-0:99.1.0.255:3", "columns",
            CLOCK ",1-0:32.7.0.255:2");
    expect(0, NULL, NULL);
    COMMAND(&c, NULL, "profile", SECURE, url, "1-0:99.1.0.255");
    expect(0, "status  32.7.0\n", NULL);
}

/* ---- servers that misbehave ---- */

struct answer {
    const void *p;
    size_t n;
};

/* Accepts one connection, sends an answer after each request, then hangs up or waits. */
static pid_t serve_answers(const struct answer *answers, size_t n, int hang_up, char to_url[96])
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    uint8_t request[512];
    const int s = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s, 1), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&a, &len), 0);
    snprintf(to_url, 96, "tcp://127.0.0.1:%u", ntohs(a.sin_port));
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed leaves nobody behind */
        const int line = accept(s, NULL, NULL);
        for (size_t i = 0; i < n; i++)
            if (read(line, request, sizeof request) < 0 ||
                write(line, answers[i].p, answers[i].n) != (ssize_t)answers[i].n)
                _exit(1);
        if (!hang_up)
            pause();
        _exit(0);
    }
    close(s);
    return child;
}

static pid_t bad_server(const uint8_t *answer, size_t n, int hang_up, char to_url[96])
{
    return serve_answers(&(struct answer){answer, n}, 1, hang_up, to_url);
}

static void end_server(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void read_says_lost_when_server_hangs_up_or_is_silent(void **state)
{
    (void)state;
    static const uint8_t half[] = {0, 1, 0, 1, 0, 16, 0, 43, 0x61, 0x29, 0xA1};
    char bad_url[96];
    pid_t child = bad_server(half, sizeof half, 1, bad_url);
    COMMAND(&c, NULL, "read", bad_url, "1-0:1.8.0");
    expect(3, NULL, "closed the connection");
    end_server(child);
    child = bad_server(half, sizeof half, 0, bad_url);
    COMMAND(&c, NULL, "read", "--timeout", "1", bad_url, "1-0:1.8.0");
    expect(3, NULL, "did not answer in time");
    end_server(child);
}

static void read_says_what_was_asked_when_the_meter_knows_no_such_address(void **state)
{
    (void)state;
    char bad_url[96], hdlc_url[112];
    COMMAND(&c, NULL, "read", "--server", "5", url, "1-0:1.8.0");
    expect(1, NULL, "logical device 5 (--server)");
    pid_t child = serve_answers(NULL, 0, 0, bad_url);
    snprintf(hdlc_url, sizeof hdlc_url, "hdlc+%s", bad_url);
    COMMAND(&c, NULL, "read", "--timeout", "1", "--hdlc-address", "18", hdlc_url, "1-0:1.8.0");
    expect(3, NULL, "HDLC address 18 (--hdlc-address)");
    end_server(child);
}

static void read_says_bad_data_when_server_talks_garbage(void **state)
{
    (void)state;
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    static const uint8_t apdu[] = {0, 1, 0, 1, 0, 16, 0, 3, 0x61, 0x7F, 0x00};
    char bad_url[96];
    pid_t child = bad_server((const uint8_t *)http, sizeof http - 1, 0, bad_url);
    COMMAND(&c, NULL, "read", bad_url, "1-0:1.8.0");
    expect(4, NULL, "not a wrapper frame");
    end_server(child);
    child = bad_server(apdu, sizeof apdu, 0, bad_url);
    COMMAND(&c, NULL, "read", bad_url, "1-0:1.8.0");
    expect(4, NULL, "octet");
    end_server(child);
}

/* A public client's association, then the counter object: nothing of that is protected. */
static void counter_is_not_burnt_when_the_public_answer_lies(void **state)
{
    (void)state;
    static const char aare[] = "\0\1\0\1\0\x10\0\x2B\x61\x29\xA1\x09\x06\x07\x60\x85\x74\x05\x08"
                               "\x01\x01\xA2\x03\x02\x01\x00\xA3"
                               "\x05\xA1\x03\x02\x01\x00\xBE\x10\x04\x0E\x08\x00\x06\x5F\x1F\x04"
                               "\x00\x00\x1A\x1D\x08\x00\x00\x07";
    static const char lie[] = "\0\1\0\1\0\x10\0\x09\xC4\x01\xC1\x00\x06\xFF\xFF\xFF\x00";
    const struct answer answers[] = {{aare, sizeof aare - 1}, {lie, sizeof lie - 1}};
    char bad_url[96], path[112], line[64];
    unsigned long stored = 0;
    const pid_t child = serve_answers(answers, 2, 0, bad_url);
    COMMAND(&c, NULL, "read", "--auth", "hls5", "--keys", bad_keys, "--counter", "read",
            "--timeout", "1", bad_url, "1-0:1.8.0");
    expect(3, NULL, "--counter 4294967040");
    end_server(child);
    snprintf(path, sizeof path, "%s.state", bad_keys);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "counter = %lu", &stored);
    fclose(f);
    assert_in_range(stored, 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_gives_value_scaler_and_unit_when_json),
        cmocka_unit_test(read_says_no_when_object_is_not_there),
        cmocka_unit_test(read_says_security_when_secret_is_wrong),
        cmocka_unit_test(read_uses_no_counter_twice_when_processes_follow_each_other),
        cmocka_unit_test(browse_lists_objects_when_public_or_manager),
        cmocka_unit_test(profile_sums_equal_register_difference_when_read),
        cmocka_unit_test(profile_selects_rows_when_asked),
        cmocka_unit_test(profile_draws_curve_when_asked),
        cmocka_unit_test(clock_shows_and_sets_time_when_allowed),
        cmocka_unit_test(clock_is_synchronised_when_it_is_off),
        cmocka_unit_test(write_and_call_tell_refusal_when_not_allowed),
        cmocka_unit_test(write_chooses_the_columns_of_a_profile),
        cmocka_unit_test(read_says_lost_when_server_hangs_up_or_is_silent),
        cmocka_unit_test(read_says_what_was_asked_when_the_meter_knows_no_such_address),
        cmocka_unit_test(read_says_bad_data_when_server_talks_garbage),
        cmocka_unit_test(counter_is_not_burnt_when_the_public_answer_lies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
