/* The whole road in one run: two hours of the ION 7650 record -> meter -> DLMS -> head-end -> API.
 *
 * The meter stands behind transformers (40 to 1 and 11 to 10) and counts the secondary side; the
 * head-end knows the ratios. What the API says is the primary energy of the samples, once, and its
 * intervals sum up to the difference of the registers to the last unit.
 *
 * Without arguments at window level; with `full` every sample. */
#include "tests/system/head_end.h"
#include "tests/system/reference.h"

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#define IMPORT   "1-0:1.8.0.255"
#define INTERVAL "1-0:1.29.0.255"
#define N_ROWS   8 /* two hours of quarters */

static const char *level = "window";

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

/* What the record holds, DC removed: watts of all phases, volts and amperes of the first. */
struct primary {
    double watts, volts, amperes;
};

static struct primary primary_of(char *path, size_t size)
{
    char dat[512];
    struct waves waves;
    struct primary is = {0};
    if (!shared_path(path, size, "waveforms/ion7650/keating_1999.CFG") ||
        !shared_path(dat, sizeof dat, "waveforms/ion7650/keating_1999.DAT"))
        skip();
    waves_read_comtrade(&waves, path, dat);
    for (size_t p = 0; p < 3; p++) {
        struct reference r;
        reference_of(waves.x[4 + p], waves.x[p], (double)waves.n, 4, &r);
        is.watts += r.p;
        if (p == 0) {
            is.volts = r.u;
            is.amperes = r.i;
        }
    }
    waves_free(&waves);
    return is;
}

static double scaled(const json_t *column, double raw)
{
    return raw * pow(10, (double)json_integer_value(json_object_get(column, "scaler"))) *
           json_number_value(json_object_get(column, "multiplier"));
}

static void close_to(const char *what, double is, double should)
{
    print_message("%s: %.6g, the samples say %.6g: %.5f %%\n", what, is, should,
                  percent(is, should, should));
    assert_true(fabs(is - should) < 0.0005 * should);
}

static void check_profile(struct head_end *h, int64_t id, double wh)
{
    json_t *profile = head_end_profile(h, id), *all;
    const json_t *described;
    const json_t *import = head_end_column(profile, IMPORT, NULL);
    const json_t *interval = head_end_column(profile, INTERVAL, &described);
    int64_t sum = 0, last = 0;
    assert_int_equal(json_array_size(import), N_ROWS);
    for (size_t k = 0; k < N_ROWS; k++) {
        sum += json_integer_value(json_array_get(interval, k));
        last = json_integer_value(json_array_get(import, k));
        assert_int_equal(sum, last); /* at each row: the registers began at 0 */
    }
    close_to("profile's energy in Wh", scaled(described, (double)sum), wh);
    const json_t *now = head_end_register(h, id, IMPORT, &all);
    assert_int_equal(json_integer_value(json_object_get(now, "raw")), last);
    close_to("register in Wh", json_number_value(json_object_get(now, "value")), wh);
    json_decref(all);
    json_decref(profile);
}

static void check_value(struct head_end *h, int64_t id, const char *obis, double should)
{
    json_t *all;
    const json_t *now = head_end_register(h, id, obis, &all);
    close_to(obis, json_number_value(json_object_get(now, "value")), should);
    json_decref(all);
}

static void api_tells_the_energy_of_the_samples(void **state)
{
    char path[512];
    const struct primary is = primary_of(path, sizeof path);
    struct meter_process m;
    struct head_end h = {0};
    (void)state;
    meter_start(&m, "--model", "ST402C", "--source", path, "--ct", "40", "--vt", "1.1", "--level",
                level, "--start", "2026-01-01T00:00:00Z", "--fast-forward", "2h", "--speed", "0",
                "--keys", "keys", NULL);
    head_end_start(&h, "data", NULL);
    const int64_t id = head_end_add(&h, "feeder", m.url, "keys",
                                    json_pack("{s:[i,i],s:[i,i]}", "ct", 40, 1, "vt", 11, 10));
    head_end_await(&h, id);
    check_profile(&h, id, is.watts * 2);
    check_value(&h, id, "1-0:32.7.0.255", is.volts);
    check_value(&h, id, "1-0:31.7.0.255", is.amperes);
    check_value(&h, id, "1-0:1.7.0.255", is.watts);
    head_end_stop(&h);
    meter_stop(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(api_tells_the_energy_of_the_samples)};
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        level = "sample";
    return cmocka_run_group_tests(tests, enter, leave);
}
