/* The life of a virtual meter: from windows to samples nothing is lost and nothing counted twice,
 * and the load follows the crystal, not the calls. */
#include "cli/meter_life.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START_NS (INT64_C(1795017600) * METER_NS) /* 2026-11-18T16:00:00Z */
#define HOUR_NS  (3600 * METER_NS)

static uint8_t *octets;
static struct hal_flash flash;
static struct life life; /* large */

static enum err ram_read(const struct hal_flash *f, uint32_t addr, void *to, size_t n)
{
    (void)f;
    memcpy(to, octets + addr, n);
    return ERR_OK;
}

static enum err ram_program(const struct hal_flash *f, uint32_t addr, const void *from, size_t n)
{
    (void)f;
    memcpy(octets + addr, from, n);
    return ERR_OK;
}

static enum err ram_erase(const struct hal_flash *f, uint32_t sector)
{
    memset(octets + sector * f->sector_size, 0xFF, f->sector_size);
    return ERR_OK;
}

static enum err no_randomness(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    (void)to;
    (void)n;
    return ERR_RNG;
}

static const struct hal_rng rng = {.fill = no_randomness};

static void begin_with(const char *model, const char *source, bool window, double ppm)
{
    struct life_options o = {.model = model_meter_find(model),
                             .source = source,
                             .window = window,
                             .seed = 7,
                             .start_ns = START_NS,
                             .serial = "0000000007",
                             .flash = &flash,
                             .rng = &rng,
                             .has_crystal = ppm != 0,
                             .crystal_ppm = ppm};
    flash = (struct hal_flash){.sector_size = METER_SECTOR_SIZE,
                               .n_sectors = meter_n_sectors(o.model),
                               .read = ram_read,
                               .program = ram_program,
                               .erase = ram_erase};
    octets = malloc((size_t)METER_SECTOR_SIZE * flash.n_sectors);
    assert_non_null(octets);
    memset(octets, 0xFF, (size_t)METER_SECTOR_SIZE * flash.n_sectors);
    if (life_begin(&life, &o) != ERR_OK)
        fail_msg("%s", life.why);
}

static void begin(const char *model, const char *source, bool window)
{
    begin_with(model, source, window, 0);
}

static void end(void)
{
    life_end(&life);
    free(octets);
}

static void run_to(int64_t ns)
{
    if (life_run(&life, ns) != ERR_OK)
        fail_msg("%s", life.why);
    assert_int_equal(life.meter.fault, ERR_OK);
}

static double import_wh(void)
{
    struct legal_energies e;
    legal_energies_get(&life.meter.legal, &e);
    return (double)e.total[LEGAL_A_IMPORT] / LEGAL_ENERGY_PER_WH;
}

static const struct meter_row_head *newest(void)
{
    return &life.meter.profile[MODEL_LP1].last;
}

/* The register at the newest row. */
static uint32_t import_units(void)
{
    return life.meter.profile[MODEL_LP1].base[0];
}

/* Sums of the rows as they come: interval energies against registers. */
static void live_by_quarters(int64_t to, uint64_t *rows, uint64_t *sum)
{
    for (int64_t ns = life.now_ns; ns < to;) {
        ns += 900 * METER_NS;
        run_to(ns);
        assert_int_equal(newest()->number, ++*rows);
        *sum += life.meter.interval[0];
        assert_int_equal(import_units(), *sum);
    }
}

static void life_loses_and_doubles_nothing_when_it_goes_over_to_samples(void **state)
{
    (void)state;
    static const char load[] = "load:household,rate=1000";
    uint64_t rows = 0, sum = 0;
    begin("ST402D", load, true);
    live_by_quarters(START_NS + HOUR_NS, &rows, &sum);
    double before = import_wh();
    run_to(START_NS + HOUR_NS + 20 * METER_NS); /* in the middle of a minute */
    life_samples(&life);
    assert_false(life.window);
    run_to(START_NS + HOUR_NS + 900 * METER_NS);
    double both = import_wh() - before;
    assert_int_equal(newest()->number, rows + 1);
    sum += life.meter.interval[0];
    assert_int_equal(import_units(), sum);
    assert_int_equal(newest()->status & METER_ROW_DNV, 0);
    assert_in_range(life.now_ns, START_NS + HOUR_NS + 900 * METER_NS,
                    START_NS + HOUR_NS + 902 * METER_NS);
    end();

    begin("ST402D", load, true);
    run_to(START_NS + HOUR_NS);
    assert_true(fabs(import_wh() - before) < 1e-9);
    run_to(START_NS + HOUR_NS + 900 * METER_NS);
    double windows = import_wh() - before;
    end();
    print_message("quarter of an hour: %.3f Wh by windows, %.3f Wh with the change\n", windows,
                  both);
    assert_true(windows > 50);
    /* what the kernel holds of its last window and block is still to come */
    assert_true(fabs(both - windows) < 0.001 * windows);
}

static void load_of_an_instant_is_the_same_however_one_gets_there(void **state)
{
    (void)state;
    begin("AD11A", "load:household", true);
    for (unsigned k = 1; k <= 240; k++) /* odd steps: windows that end anywhere */
        run_to(START_NS + k * (30 * METER_NS + 125 * METER_NS / 1000));
    double odd = import_wh();
    int64_t to = life.now_ns;
    end();
    begin("AD11A", "load:household", true);
    run_to(to);
    print_message("two hours: %.4f Wh in odd steps, %.4f Wh at once\n", odd, import_wh());
    assert_true(fabs(odd - import_wh()) < 0.0001 * odd);
    end();
}

static void meter_has_a_load_that_fits_it_when_none_is_named(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        begin(m->name, NULL, true);
        run_to(START_NS + 4 * HOUR_NS);
        double most = 4.0 * m->n_phases * m->un_mv / 1e3 * m->imax_ma / 1e3;
        assert_true(import_wh() > 0.001 * most && import_wh() < 0.75 * most);
        end();
    }
}

static double clock_error_s(void)
{
    return (double)(meter_clock_ns(&life.meter.clock) - life.now_ns) * 1e-9;
}

static void dark_for(int64_t days)
{
    assert_int_equal(life_mains_off(&life, true), ERR_OK);
    life_wait(&life, days * 24 * HOUR_NS);
    if (life_mains_on(&life) != ERR_OK)
        fail_msg("%s", life.why);
}

/* A tuning fork of 50 ppm in the cold, by windows and by samples; a super-capacitor of ten days. */
static void clock_lives_from_its_crystal_and_reserve(void **state)
{
    (void)state;
    begin_with("MT371", "synth:phases=3,u=230,i=1", true, 50);
    life_temperature(&life, -10);
    run_to(START_NS + 2 * HOUR_NS);
    assert_true(fabs(clock_error_s()) < 0.01); /* 0.36 s without its word, 0.3 s by temperature */
    dark_for(9);
    assert_int_equal(life.meter.clock.doubt, 0);
    assert_true(fabs(clock_error_s()) < 0.01);
    assert_int_equal(life.skipped_ns, 9 * 24 * HOUR_NS);
    run_to(life.now_ns + HOUR_NS);
    life_wait(&life, HOUR_NS); /* not while the mains are on */
    assert_int_equal(life.skipped_ns, 9 * 24 * HOUR_NS);
    life_samples(&life);
    run_to(life.now_ns + 10 * METER_NS);
    assert_true(fabs(clock_error_s()) < 0.3); /* a block, and what the kernel holds */
    dark_for(9);                              /* it has had an hour to charge */
    assert_int_equal(life.meter.clock.doubt, DATETIME_INVALID);
    assert_true(clock_error_s() < -8.9 * 24 * 3600);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_loses_and_doubles_nothing_when_it_goes_over_to_samples),
        cmocka_unit_test(load_of_an_instant_is_the_same_however_one_gets_there),
        cmocka_unit_test(meter_has_a_load_that_fits_it_when_none_is_named),
        cmocka_unit_test(clock_lives_from_its_crystal_and_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
