/* One real waveform through the whole house: two hours of the ION 7650 record in front of a meter,
 * read by the client over DLMS. What the profile says, what the registers say and what the samples
 * hold must be one and the same.
 *
 * Without arguments two hours at window level and five minutes at sample level; with `full`
 * the two hours at sample level, too: 221 million sample-sets. */
#include "tests/system/answers.h"
#include "tests/system/process.h"
#include "tests/system/reference.h"

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#define IMPORT   "1-0:1.8.0.255"
#define INTERVAL "1-0:1.29.0.255"
#define RAW_WH   0.01          /* of the registers of a meter behind transformers */
#define LAG_H    (0.21 / 3600) /* a window of 12 cycles under way is counted when it ends */

static bool full;

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

/* Mean power of the record in watt, of all phases, DC removed. */
static double record_watts(char *path, size_t size)
{
    char dat[512];
    struct waves waves;
    struct reference r;
    double watts = 0;
    if (!shared_path(path, size, "waveforms/ion7650/keating_1999.CFG") ||
        !shared_path(dat, sizeof dat, "waveforms/ion7650/keating_1999.DAT"))
        skip();
    waves_read_comtrade(&waves, path, dat);
    for (size_t p = 0; p < 3; p++) {
        reference_of(waves.x[4 + p], waves.x[p], (double)waves.n, 4, &r);
        watts += r.p;
    }
    waves_free(&waves);
    return watts;
}

struct life {
    double wh;          /* of the profile's intervals together */
    double register_wh; /* at the end of the time, as read */
    size_t rows;
};

/* A new meter lives through `duration`, then stands still and is read. The currents come through
 * transformers of 40 to 1. */
static struct life live(const char *source, const char *level, const char *start,
                        const char *duration)
{
    struct meter_process m;
    struct life l = {0};
    int64_t sum = 0, last = 0;
    meter_start(&m, "--model", "ST402C", "--source", source, "--ct", "40", "--level", level,
                "--start", start, "--fast-forward", duration, "--speed", "0", "--keys", "keys",
                NULL);
    json_t *profile = told_profile(m.url);
    l.rows = json_array_size(told_rows(profile));
    for (size_t k = 0; k < l.rows; k++) {
        sum += told_cell(profile, k, INTERVAL);
        last = told_cell(profile, k, IMPORT);
        assert_int_equal(sum, last); /* to the last unit, at each row: the registers began at 0 */
    }
    l.wh = (double)sum * RAW_WH;
    int64_t now = told_value(m.url, IMPORT);
    assert_true(now >= last);
    l.register_wh = (double)now * RAW_WH;
    assert_int_equal(told_value(m.url, "1-0:2.8.0.255"), 0);
    json_decref(profile);
    meter_stop(&m);
    return l;
}

/* `lag`: Wh that may be under way. */
static void check(const char *name, const struct life *l, double wh, double lag)
{
    print_message("%s: %zu rows, profile %.5f %%, register %.5f %% from the samples' energy\n",
                  name, l->rows, percent(l->wh, wh, wh), percent(l->register_wh, wh, wh));
    assert_true(fabs(l->wh - wh) < 0.0005 * wh + lag);
    assert_true(fabs(l->register_wh - wh) < 0.0005 * wh + lag);
}

static void meter_counts_what_the_samples_hold_when_it_lives_two_hours(void **state)
{
    char path[512];
    double watts = record_watts(path, sizeof path) / 40;
    (void)state;
    struct life l = live(path, "window", "2026-01-01T00:00:00Z", "2h");
    assert_int_equal(l.rows, 8);
    check("two hours of windows", &l, watts * 2, 0);
    assert_true(l.register_wh - l.wh < RAW_WH / 2); /* nothing beyond the last row */
}

static void levels_agree(const char *start, const char *duration, double hours, double lag_h)
{
    char path[512];
    double watts = record_watts(path, sizeof path) / 40, lag = lag_h * watts;
    struct life samples = live(path, "sample", start, duration);
    struct life windows = live(path, "window", start, duration);
    assert_true(samples.rows > 0);
    assert_int_equal(samples.rows, windows.rows);
    check("samples", &samples, watts * hours, lag);
    check("windows", &windows, watts * hours, 0);
    print_message("levels differ by %.5f %%\n", percent(samples.wh, windows.wh, windows.wh));
    assert_true(fabs(samples.wh - windows.wh) < hours * 0.0001 * watts + lag);
    assert_true(fabs(samples.register_wh - windows.register_wh) < hours * 0.0001 * watts + lag);
}

static void meter_counts_alike_at_both_levels(void **state)
{
    (void)state;
    if (full)
        levels_agree("2026-01-01T00:00:00Z", "2h", 2, 0);
    else
        levels_agree("2026-01-01T00:10:00Z", "5m", 5 / 60., LAG_H);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_counts_what_the_samples_hold_when_it_lives_two_hours),
        cmocka_unit_test(meter_counts_alike_at_both_levels),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests(tests, enter, leave);
}
