/* A recorded waveform, looped through a meter for two hours of its time: the profile's sums equal
 * the register difference to the last unit, and both the energy computed in double from the same
 * samples. With `full` every sample is counted, without only whole windows. */
#include "firmware/meter/meter_energy.h"
#include "tests/firmware/meter/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORD   SHARED_DIR "/waveforms/ion7650/keating_1999.CFG"
#define HOURS    2
#define LIMIT    0.0005
#define MAX_ROWS 64

static bool every_sample;

/* Mean active power of one loop, DC removed, W; vector sum of the phases. */
static double reference_w(struct source *s, const struct source_info *info)
{
    double ui[3] = {0}, u[3] = {0}, i[3] = {0}, n = (double)info->samples, p = 0;
    for (uint64_t left = info->samples; left > 0;) {
        struct afe_block b;
        assert_true(source_next(s, left < AFE_BLOCK_MAX ? (uint32_t)left : AFE_BLOCK_MAX, &b));
        for (unsigned k = 0; k < 3; k++) {
            for (uint32_t x = 0; x < b.n; x++) {
                double a = b.sample[AFE_U1 + k][x], c = b.sample[AFE_I1 + k][x];
                ui[k] += a * c;
                u[k] += a;
                i[k] += c;
            }
        }
        left -= b.n;
    }
    for (unsigned k = 0; k < 3; k++)
        p +=
            (ui[k] - u[k] * i[k] / n) / n * (double)info->u_lsb_fv * (double)info->i_lsb_fa * 1e-30;
    return p;
}

static void live_samples(struct rig *r, int64_t seconds)
{
    int64_t to = meter_crystal_ns(&r->meter) + seconds * METER_NS;
    while (meter_crystal_ns(&r->meter) < to) {
        struct afe_block b;
        assert_true(source_next(r->source, AFE_BLOCK_MAX, &b));
        assert_int_equal(meter_samples(&r->meter, &b), ERR_OK);
    }
}

static void meter_counts_a_recording_for_two_hours(void **state)
{
    (void)state;
    if (access(RECORD, R_OK) != 0) {
        print_message("%s is not here\n", RECORD);
        skip();
    }
    struct rig *r = rig_new("ST402C", "2026-03-29T00:00:00", RECORD);
    struct source_info info;
    struct meter_row rows[MAX_ROWS];
    source_info_get(r->source, &info);
    double watt = reference_w(r->source, &info);
    if (every_sample)
        live_samples(r, HOURS * 3600);
    else
        rig_live(r, HOURS * 3600);
    size_t n = rig_rows(r, rows, MAX_ROWS);
    assert_int_equal(n, HOURS * 4);
    rig_check_rows(r);
    size_t reg = watt >= 0 ? 0 : 1; /* import or export */
    uint64_t sum = 0;
    for (size_t k = 1; k < n; k++)
        sum += rows[k].interval[reg];
    assert_int_equal(sum, rows[n - 1].reg[reg] - rows[0].reg[reg]);
    int64_t shown = rig_value(r, 3, reg == 0 ? "1-0:1.8.0.255" : "1-0:2.8.0.255", 2);
    assert_true((uint64_t)shown >= rows[n - 1].reg[reg]);
    double wh = (double)rows[n - 1].reg[reg] * 0.01, want = fabs(watt) * HOURS;
    printf("%.3f Wh, reference %.3f Wh: %+.4f %%\n", wh, want, (wh / want - 1) * 100);
    assert_true(fabs(wh / want - 1) < LIMIT);
    rig_free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_counts_a_recording_for_two_hours),
    };
    every_sample = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests_name("meter_recording", tests, NULL, NULL);
}
