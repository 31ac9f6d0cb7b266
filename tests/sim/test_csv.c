/* Tables of samples: separators, times and everything that must be refused. */
#include "sim/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char message[300];

static enum err parse(const char *text, struct recording *r)
{
    const struct fault f = {message, sizeof message};
    message[0] = '\0';
    return csv_parse("x.csv", text, strlen(text), r, &f);
}

static void csv_understands_separators_units_and_kinds_of_time(void **state)
{
    (void)state;
    static const char *const same[] = {
        "time,Ua_V,Ia [mA]\n0,1.5,2\n0.001,-3,4e1\n0.002,5,6\n",
        "\xEF\xBB\xBF# a scope\n\nTIME,Ua_V,Ia_mA\n12:00:00.999,1.5,2\n12:00:01.000,-3,40\n"
        "12:00:01.001,5,6\n",
        "Time (ms);Ua (V);Ia (mA)\r\n0,0;1,5;2\r\n1,0;-3;40\r\n2,0;5;6",
        "t\tUa\tIa\n(us)\t(V)\t(mA)\n1000\t1.5\t2\n2000\t-3\t40\n3000\t5\t6\n\n",
        "Ia_mA,Ua_V,Time_UTC\n2,1.5,2020-02-24 23:59:59.999\n40,-3,2020-02-25T00:00:00.000Z\n"
        "6,5,2020-02-25 00:00:00.001+00:00\n",
        "epoch,Ua,Ia\ns,V,mA\n1715.999,1.5,2\n1716.000,-3,40\n1716.001,5,6\n",
        "\"t, s\",\"Ua, _V\",\"Ia_mA\"\n0,1.5,2\n.001,-3,40\n.002,5,6\n",
        "clock,\"Ua_V\",\"Ia_mA\"\n2020-02-24 18:15:21.0,1.5,2\n2020-02-24 18:15:21.001,-3,40\n"
        "2020-02-24 18:15:21.002,5,6\n"};
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        struct recording r;
        assert_int_equal(parse(same[k], &r), ERR_OK);
        assert_int_equal(r.n_channels, 2);
        size_t u = r.channel[0].name[0] == 'U' ? 0 : 1;
        assert_true(r.n == 3 && r.channel[u].sample[0] == 1.5 && r.channel[u].sample[1] == -3);
        assert_true(r.channel[1 - u].sample[1] == 40);
        assert_string_equal(r.channel[u].unit, "V");
        assert_string_equal(r.channel[1 - u].unit, "mA");
        assert_true(r.n_rates == 1 && fabs(r.rate[0].hz - 1000) < 1e-3);
        recording_free(&r);
    }
}

static void csv_passes_a_column_of_words_over(void **state)
{
    (void)state;
    struct recording r;
    assert_int_equal(parse("time,Ua_V,note\n0,1,start\n1,2,\n2,3,7\n", &r), ERR_OK);
    assert_string_equal(r.channel[1].unit, "text");
    assert_true(isnan(r.channel[1].sample[0]) && r.channel[0].sample[2] == 3);
    recording_free(&r);
    assert_int_equal(parse("time,Ua_V\n0,start\n1,2\n2,3\n", &r), ERR_FORMAT);
    recording_free(&r);
}

static void csv_refuses_what_it_cannot_trust_and_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {{"", "line 1: the file has no rows"},
                 {"time,u\n", "fewer than two rows"},
                 {"time\n0\n1\n", "only a column of time"},
                 {"0\n0.1\n0.2\n", "line 1: no column of time"},
                 {"0,1,2\n0.1,3,4\n", "line 1: no column of time"},
                 {"u,i\n1,2\n3,4\n", "no name says time"},
                 {"time,u\n0,1\n0.1,nan\n", "line 3 column 2 (u): 'nan' is not a finite number"},
                 {"time,u\n0,1\n0.1,-Infinity\n", "line 3 column 2 (u)"},
                 {"time,u\n0,1\n0.1,x\n", "line 3 column 2 (u): 'x' is no number"},
                 {"time,u\n0,1\nlater,1\n", "line 3 column 1 (time): 'later' is no time"},
                 {"time,u,i\n0,1,2\n0.1,2\n", "line 3: 2 of 3 columns"},
                 {"time,u\n0,1\n0.1,2,3\n", "line 3 column 3"},
                 {"time,u\n0,1\n1,1\n2,1\n4,1\n5,1\n", "line 5: the time does not advance evenly"},
                 {"time,u\n0,1\n1,1\n1,1\n2,1\n", "line 4: the time does not advance evenly"},
                 {"time,u\n2020-02-30 00:00:00,1\n2020-02-30 00:00:01,1\n", "line 2 column 1"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct recording r;
        assert_int_not_equal(parse(cases[k].text, &r), ERR_OK);
        if (!strstr(message, cases[k].said) || strncmp(message, "x.csv line", 10) != 0)
            fail_msg("'%s' does not say '%s'", message, cases[k].said);
        recording_free(&r);
    }
}

static void csv_takes_an_empty_cell_as_missing(void **state)
{
    (void)state;
    struct recording r;
    size_t filled, bad;
    assert_int_equal(parse("time,u\n0,1\n1,\n2,\n3,4\n", &r), ERR_OK);
    assert_true(isnan(r.channel[0].sample[1]));
    assert_int_equal(recording_fill_gaps(&r, 0, &filled, &bad), ERR_OK);
    assert_true(filled == 2 && r.channel[0].sample[1] == 2 && r.channel[0].sample[2] == 3);
    recording_free(&r);
}

static void csv_splits_a_drifting_rate_into_stretches(void **state)
{
    (void)state;
    static char text[60000];
    size_t at = (size_t)snprintf(text, sizeof text, "time,u\n");
    double t = 0;
    for (int k = 0; k < 2000; k++) { /* 1000 Hz that becomes 1010 Hz */
        at += (size_t)snprintf(text + at, sizeof text - at, "%.7f,%d\n", t, k);
        t += 1 / (1000 + k * 0.005);
    }
    struct recording r;
    assert_int_equal(parse(text, &r), ERR_OK);
    assert_true(r.n_rates > 1);
    assert_true(fabs(recording_time(&r, r.n) - t) < 1e-4);
    assert_true(r.rate[0].hz < 1005 && r.rate[r.n_rates - 1].hz > 1005);
    recording_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_understands_separators_units_and_kinds_of_time),
        cmocka_unit_test(csv_passes_a_column_of_words_over),
        cmocka_unit_test(csv_refuses_what_it_cannot_trust_and_says_where),
        cmocka_unit_test(csv_takes_an_empty_cell_as_missing),
        cmocka_unit_test(csv_splits_a_drifting_rate_into_stretches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
