/* The command line without a meter: help, wrong words, decode, exit codes. */
#include "lib/cosem/options.h"
#include "tests/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define GUEK "000102030405060708090A0B0C0D0E0F"
#define GAK  "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
/* Green Book, table 40: GET of the clock's time, authenticated and encrypted */
#define TABLE_40 "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"
#define TITLE    "4D4D4D0000BC614E"
/* one {name, value, {scaler, unit}} in a push */
#define PUSH "0F40000000000101020309060100010700FF060000011802020F00161B"

static struct command c;

static void expect(int code, const char *on_out, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_out != NULL && strstr(c.out, on_out) == NULL)
        fail_msg("'%s' is not in the output:\n%s", on_out, c.out);
    if (on_err != NULL && strstr(c.err, on_err) == NULL)
        fail_msg("'%s' is not in the message:\n%s", on_err, c.err);
}

static void cli_lists_verbs_when_asked_for_help(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "--help");
    expect(0, "profile", NULL);
    assert_non_null(strstr(c.out, "decode"));
    COMMAND(&c, NULL, "--version");
    expect(0, "ferraris ", NULL);
    command_run(&c, NULL, (const char *const[]){NULL});
    expect(2, NULL, "usage:");
}

static void cli_shows_options_and_example_when_a_verb_is_asked_for_help(void **state)
{
    (void)state;
    static const char *const verbs[] = {"browse",  "read",  "write",  "call",
                                        "profile", "clock", "decode", "demo"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        COMMAND(&c, NULL, verbs[i], "--help");
        expect(0, "usage: ferraris ", NULL);
        assert_non_null(strstr(c.out, "example:\n  "));
        COMMAND(&c, NULL, "help", verbs[i]);
        expect(0, "usage: ferraris ", NULL);
    }
}

static void cli_says_what_its_words_stand_for_when_a_client_verb_is_asked_for_help(void **state)
{
    (void)state;
    static const char *const verbs[] = {"browse", "read", "write", "call", "profile", "clock"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        COMMAND(&c, NULL, verbs[i], "--help");
        expect(0, "hdlc+tcp://HOST", NULL);
        expect(0, "serial:///dev/ttyUSB0?baud=9600", NULL);
    }
    COMMAND(&c, NULL, "write", "--help");
    expect(0, "TYPE    i8 u8", NULL);
}

static void cli_names_nearest_when_a_word_is_wrong(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "brwose");
    expect(2, NULL, "did you mean 'browse'");
    COMMAND(&c, NULL, "read", "--securty", "auth", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(2, NULL, "did you mean --security");
    COMMAND(&c, NULL, "read", "--client", "x", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(2, NULL, "whole number");
    COMMAND(&c, NULL, "read", "--client");
    expect(2, NULL, "--client wants SAP");
    COMMAND(&c, NULL, "read", "--json=yes", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(2, NULL, "takes no value");
}

static void cli_says_usage_when_address_or_object_is_wrong(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "127.0.0.1:4059", "1-0:1.8.0");
    expect(2, NULL, "tcp://HOST:PORT");
    COMMAND(&c, NULL, "read", "tcp://[::1:4059", "1-0:1.8.0");
    expect(2, NULL, "']'");
    COMMAND(&c, NULL, "read", "tcp://127.0.0.1:port", "1-0:1.8.0");
    expect(2, NULL, "no usable port");
    COMMAND(&c, NULL, "read", "tcp://127.0.0.1", "1.8.0");
    expect(2, NULL, "is no object");
    COMMAND(&c, NULL, "write", "tcp://127.0.0.1", "0-0:1.0.0.255:3", "i16", "40000");
    expect(2, NULL, "range");
    COMMAND(&c, NULL, "profile", "--last", "3", "--entries", "1..2", "tcp://h", "1-0:99.1.0");
    expect(2, NULL, "choose one");
    COMMAND(&c, NULL, "profile", "--from", "yesterday", "tcp://h", "1-0:99.1.0");
    expect(2, NULL, "is no time");
    COMMAND(&c, NULL, "profile", "--from", "2026-02-29", "tcp://h", "1-0:99.1.0");
    expect(2, NULL, "is no time");
}

static void cli_says_why_an_authentication_cannot_be_had(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--auth", "hls7", "tcp://h", "1-0:1.8.0");
    expect(2, NULL, "not supported yet");
    COMMAND(&c, NULL, "read", "--auth", "hls2", "tcp://h", "1-0:1.8.0");
    expect(2, NULL, "maker's secret algorithm");
    if (!COSEM_WITH_WEAK_HLS) {
        COMMAND(&c, NULL, "read", "--auth", "hls4", "tcp://h", "1-0:1.8.0");
        expect(2, NULL, "COSEM_WITH_WEAK_HLS");
    }
    COMMAND(&c, NULL, "read", "--auth", "md5", "tcp://h", "1-0:1.8.0");
    expect(2, NULL, "not 'md5'");
}

/* What came back tells what to look at: addresses on HDLC, the port on UDP. */
static void cli_says_what_to_look_at_when_nobody_answers(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--timeout", "1", "udp://127.0.0.1:1", "1-0:1.8.0");
    expect(3, NULL, "listen on UDP");
    COMMAND(&c, NULL, "read", "tcp://name.invalid", "1-0:1.8.0");
    expect(3, NULL, "cannot find name.invalid");
}

static void cli_says_lost_when_nobody_listens(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(3, NULL, "cannot reach 127.0.0.1 port 1: ");
}

static void cli_says_security_when_secrets_are_missing(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "read", "--auth", "lls", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(5, NULL, "no password");
    COMMAND(&c, NULL, "read", "--auth", "hls5", "tcp://127.0.0.1:1", "1-0:1.8.0");
    expect(5, NULL, "--keys");
    COMMAND(&c, NULL, "read", "--auth", "hls5", "--keys", "/nowhere/keys", "tcp://127.0.0.1:1",
            "1-0:1.8.0");
    expect(4, NULL, "/nowhere/keys: ");
}

/* ---- decode ---- */

static json_t *decoded(void)
{
    json_error_t error;
    json_t *out = json_loads(c.out, 0, &error);
    if (out == NULL)
        fail_msg("no JSON: %s\n%s", error.text, c.out);
    return out;
}

static const char *text_at(json_t *array, size_t i, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(array, i), key));
    return text != NULL ? text : "";
}

static void decode_opens_apdu_when_keys_are_right(void **state)
{
    (void)state;
    COMMAND(&c, TABLE_40 "\n", "decode", "--json", "--guek", GUEK, "--gak", GAK, "--client-title",
            TITLE);
    expect(0, NULL, NULL);
    json_t *out = decoded();
    const json_t *security = json_object_get(json_array_get(out, 0), "security");
    assert_string_equal(text_at(out, 0, "transport"), "apdu");
    assert_string_equal(text_at(out, 0, "apdu"), "get-request");
    assert_string_equal(json_string_value(json_object_get(security, "tag")), "ok");
    assert_string_equal(json_string_value(json_object_get(security, "control")), "0x30");
    assert_int_equal(json_integer_value(json_object_get(security, "invocation_counter")),
                     0x01234567);
    assert_non_null(strstr(c.out, "0-0:1.0.0.255"));
    json_decref(out);
}

static void decode_says_why_when_it_cannot_open(void **state)
{
    (void)state;
    COMMAND(&c, TABLE_40, "decode", "--json", "--guek", GUEK, "--gak", GUEK, "--client-title",
            TITLE);
    expect(5, "\"bad\"", NULL);
    assert_non_null(strstr(c.out, "0-0:1.0.0.255")); /* the guek is right: the text is shown */
    COMMAND(&c, TABLE_40, "decode", "--json", "--guek", GAK, "--gak", GAK, "--client-title", TITLE);
    expect(5, "\"bad\"", NULL);
    assert_null(strstr(c.out, "0-0:1.0.0.255"));
    COMMAND(&c, TABLE_40, "decode", "--json", "--client-title", TITLE);
    expect(5, "\"no key\"", NULL);
    COMMAND(&c, TABLE_40, "decode", "--json", "--guek", GUEK, "--gak", GAK);
    expect(5, "system title is not known", NULL);
}

static void decode_pairs_names_and_values_when_pushed(void **state)
{
    (void)state;
    COMMAND(&c, PUSH "\n", "decode", "--json");
    expect(0, NULL, NULL);
    json_t *out = decoded();
    const json_t *v = json_array_get(json_object_get(json_array_get(out, 0), "values"), 0);
    assert_string_equal(json_string_value(json_object_get(v, "obis")), "1-0:1.7.0.255");
    assert_string_equal(json_string_value(json_object_get(v, "unit")), "W");
    assert_int_equal(json_integer_value(json_object_get(v, "value")), 280);
    json_decref(out);
}

static void decode_goes_on_when_a_line_is_bad(void **state)
{
    (void)state;
    COMMAND(&c, "zz\n\n" PUSH "\n0001000100100009C401\n# no frame\n", "decode", "--json");
    expect(4, NULL, NULL);
    json_t *out = decoded();
    assert_int_equal(json_array_size(out), 3);
    assert_non_null(strstr(text_at(out, 0, "error"), "line 1, column 1"));
    assert_string_equal(text_at(out, 1, "apdu"), "data-notification");
    assert_non_null(strstr(text_at(out, 2, "error"), "9 octets"));
    json_decref(out);
}

static void decode_says_where_when_truncated_anywhere(void **state)
{
    (void)state;
    char lines[8192] = "";
    const size_t n = strlen(PUSH) / 2;
    size_t at = 0;
    for (size_t cut = 1; cut < n; cut++)
        at += (size_t)snprintf(lines + at, sizeof lines - at, "%.*s\n", (int)(2 * cut), PUSH);
    assert_true(at < sizeof lines);
    COMMAND(&c, lines, "decode", "--json");
    expect(4, NULL, NULL);
    json_t *out = decoded();
    assert_int_equal(json_array_size(out), n - 1);
    for (size_t i = 0; i < n - 1; i++)
        assert_non_null(strstr(text_at(out, i, "error"), "octet "));
    json_decref(out);
}

/* Octets of the input choose how deep ciphered APDUs lie in each other: not the stack. */
static void decode_bears_any_depth_of_ciphered_in_ciphered(void **state)
{
    enum { LEVELS = 30000, HEAD = 20 };
    char *line = malloc(2 * LEVELS * HEAD + 2);
    size_t at = 0;
    (void)state;
    assert_non_null(line);
    for (unsigned left = LEVELS; left > 0; left--) /* general-glo, title, length, SC, counter */
        at += (size_t)sprintf(line + at,
                              "DB084142434445464748"
                              "84%08X"
                              "0000000001",
                              (left - 1) * HEAD + 5);
    COMMAND(&c, line, "decode", "--json");
    free(line);
    expect(5, NULL, NULL);
    json_t *out = decoded();
    assert_int_equal(json_array_size(out), 1);
    json_decref(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cli_lists_verbs_when_asked_for_help),
        cmocka_unit_test(cli_shows_options_and_example_when_a_verb_is_asked_for_help),
        cmocka_unit_test(cli_says_what_its_words_stand_for_when_a_client_verb_is_asked_for_help),
        cmocka_unit_test(cli_names_nearest_when_a_word_is_wrong),
        cmocka_unit_test(cli_says_usage_when_address_or_object_is_wrong),
        cmocka_unit_test(cli_says_why_an_authentication_cannot_be_had),
        cmocka_unit_test(cli_says_what_to_look_at_when_nobody_answers),
        cmocka_unit_test(cli_says_lost_when_nobody_listens),
        cmocka_unit_test(cli_says_security_when_secrets_are_missing),
        cmocka_unit_test(decode_opens_apdu_when_keys_are_right),
        cmocka_unit_test(decode_says_why_when_it_cannot_open),
        cmocka_unit_test(decode_pairs_names_and_values_when_pushed),
        cmocka_unit_test(decode_goes_on_when_a_line_is_bad),
        cmocka_unit_test(decode_says_where_when_truncated_anywhere),
        cmocka_unit_test(decode_bears_any_depth_of_ciphered_in_ciphered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
