/* `ferraris calibrate`: the answers and exit codes. What calibration does to a meter is tested in
 * tests/sim/test_calibrate.c. */
#include "tests/cli/command.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static struct command c;

static void expect(int code, const char *on_out, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_out && !strstr(c.out, on_out))
        fail_msg("'%s' is not in the output:\n%s", on_out, c.out);
    if (on_err && !strstr(c.err, on_err))
        fail_msg("'%s' is not in the message:\n%s", on_err, c.err);
}

static void calibrate_gives_parameters_as_json(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "calibrate", "--model", "ST402C", "--ideal", "--json");
    expect(0, NULL, NULL);
    json_t *j = json_loads(c.out, 0, NULL), *points = json_object_get(j, "points");
    assert_true(json_is_true(json_object_get(j, "sealed")));
    assert_true(json_array_size(points) > 40);
    size_t k;
    json_t *point;
    json_array_foreach(points, k, point)
    {
        bool percent = strcmp(json_string_value(json_object_get(point, "unit")), "%") == 0;
        assert_true(fabs(json_number_value(json_object_get(point, "sealed"))) <
                    (percent ? 0.005 : 0.02)); /* or minutes of arc */
    }
    json_t *parameters = json_object_get(j, "parameters");
    assert_int_equal(json_array_size(json_object_get(parameters, "CT_I_UA")), 18);
    assert_int_equal(
        json_integer_value(json_array_get(json_object_get(parameters, "REFERENCE_MC"), 0)), 23000);
    assert_null(json_object_get(parameters, "DELAY_NS"));
    json_decref(j);
}

static void calibrate_prints_a_table(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "calibrate", "--model", "sm402d", "--ideal");
    expect(0, "gain i1", NULL);
    expect(0, "power 1 at 0.02 A", NULL);
    expect(0, "sealed.\n", NULL);
}

static void calibrate_says_no_when_a_meter_is_put_together_wrongly(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "calibrate", "--model", "MT371", "--fault", "dead:u2");
    expect(1, NULL, "refused: The voltage 2 input is dead");
    assert_string_equal(c.out, "");
    COMMAND(&c, NULL, "calibrate", "--model", "MT371", "--fault", "swapped:i1,i2", "--json");
    expect(1, "\"sealed\": false", "belongs to another phase");
    expect(1, "\"refused\": \"Current 1", NULL);
}

static void calibrate_names_what_it_cannot_read(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "calibrate");
    expect(2, NULL, "--model");
    COMMAND(&c, NULL, "calibrate", "--model", "X1");
    expect(2, NULL, "there is no model X1");
    COMMAND(&c, NULL, "calibrate", "--model", "MT371", "--order", "nonsense");
    expect(2, NULL, "\"nonsense\" is not a word of this model");
    static const char *const faults[] = {"dead", "dead:x", "swapped:i1", "swapped:i1,u1",
                                         "reversed:i1,i2"};
    for (size_t k = 0; k < sizeof faults / sizeof faults[0]; k++) {
        COMMAND(&c, NULL, "calibrate", "--model", "MT371", "--fault", faults[k]);
        expect(2, NULL, "--fault is dead:u2");
    }
    COMMAND(&c, NULL, "calibrate", "--help");
    expect(0, "example:\n  ferraris calibrate", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calibrate_gives_parameters_as_json),
        cmocka_unit_test(calibrate_prints_a_table),
        cmocka_unit_test(calibrate_says_no_when_a_meter_is_put_together_wrongly),
        cmocka_unit_test(calibrate_names_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
