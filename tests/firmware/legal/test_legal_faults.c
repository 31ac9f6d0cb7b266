/* Faults of the signal: what is refused, what is flagged, and that nothing sound is. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI   3.14159265358979323846
#define FULL ((double)AFE_FULL_SCALE)
#define I_PEAK                                                                                     \
    (60 * 1.41421356 / ((double)I_LSB_FA * 1e-15)) /* counts of 60 A, this meter's Imax */

static struct legal meter;
static int32_t samples[AFE_N_CHANNELS][AFE_BLOCK_MAX];

/* A meter of 60 A: torn is what moves by more than the peaks of 1.3 Un and of Imax are apart. */
static struct legal_config watched(void)
{
    struct legal_config c = signal_config();
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
        c.slew_limit[ch] =
            (uint32_t)(ch <= AFE_U3 ? 2.828 * 299 / ((double)U_LSB_FV * 1e-15) : 2 * I_PEAK);
    return c;
}

static void start(const struct legal_config *c)
{
    assert_int_equal(legal_init(&meter, c), ERR_OK);
}

/* What a channel shows at sample k; NAN: the balanced network of 5 A. */
typedef double (*shape_fn)(unsigned channel, uint64_t k, double t, double rate);

struct run {
    double rate, seconds, f;
    uint32_t present;
    shape_fn shape;
};

static double network(unsigned c, double t, double f)
{
    double turn = f * t - (c % 3) / 3.0;
    double peak =
        c <= AFE_U3 ? 325.27 / ((double)U_LSB_FV * 1e-15) : 7.071 / ((double)I_LSB_FA * 1e-15);
    return c == AFE_IN ? 0 : peak * sin(2 * PI * (turn - floor(turn)));
}

static void feed(const struct run *r, uint64_t from)
{
    struct afe_block b = {.rate_uhz = (uint64_t)llround(r->rate * 1e6), .present = r->present};
    uint64_t end = from + (uint64_t)llround(r->rate * r->seconds);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        b.sample[c] = samples[c];
    for (uint64_t at = from; at < end; at += b.n) {
        b.n = (uint32_t)(end - at < 500 ? end - at : 500);
        for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
            for (uint32_t k = 0; k < b.n; k++) {
                double t = (double)(at + k) / r->rate;
                double x = r->shape ? r->shape(c, at + k, t, r->rate) : (double)NAN;
                x = isnan(x) ? network(c, t, r->f) : x;
                samples[c][k] = (int32_t)lround(fmax(-FULL, fmin(FULL - 1, x)));
            }
        assert_int_equal(legal_feed(&meter, &b), ERR_OK);
    }
}

static unsigned faults_of(unsigned channel)
{
    struct legal_status s;
    legal_status_get(&meter, &s);
    return s.fault[channel];
}

static unsigned any_fault(void)
{
    unsigned all = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        all |= faults_of(c);
    return all;
}

static unsigned counted(const struct legal_status *s)
{
    unsigned n = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        n += s->clipped[c] + s->slew[c];
    return n;
}

/* --- sound signals -------------------------------------------------------------------------- */

static double quarter(double t) /* of the half cycle, 0..1 */
{
    return 100 * t - floor(100 * t);
}

/* Imax rms, fired at 90 degrees: its crests are root two higher than a sine's. */
static double phase_fired(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    double x = 1.41421356 * I_PEAK * sin(2 * PI * 50 * t);
    return c < AFE_I1 || c == AFE_IN ? (double)NAN : quarter(t) < 0.5 ? 0 : x;
}

static double burst(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    return c == AFE_I1 ? (fmod(t, 0.08) < 0.04 ? I_PEAK * sin(2 * PI * 50 * t) : 0) : (double)NAN;
}

static double half_wave(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    return c == AFE_I2 ? fmax(0, I_PEAK * sin(2 * PI * 50 * t)) : (double)NAN;
}

/* Switched on at the crest of the voltage, with a direct part that dies away. */
static double inrush(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    double x = 2 * I_PEAK * (1 - cos(2 * PI * 50 * (t - 0.505))) * exp(-(t - 0.505) / 0.1) / 2;
    return c == AFE_I3 ? (t < 0.505 ? 0 : x) : (double)NAN;
}

/* Voltage rings at 900 Hz after a capacitor was switched at the crest. */
static double capacitor(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    double peak = 325.27 / ((double)U_LSB_FV * 1e-15), since = t - 0.405;
    double ring = since < 0 ? 0 : -peak * exp(-since / 0.01) * cos(2 * PI * 900 * since);
    return c == AFE_U1 ? network(c, t, 50) + ring : (double)NAN;
}

static double dips(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate; /* one a window, each at another place of the cycle, to nothing */
    double place = floor(t * 4) / 16 * 0.02, in = fmod(t, 0.25) - place;
    return c <= AFE_U3 && in > 0.02 && in < 0.07 ? 0 : (double)NAN;
}

static double no_current(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)t, (void)rate;
    return c >= AFE_I1 ? 0 : (double)NAN;
}

static void sound_signals_are_not_flagged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        shape_fn shape;
        double f;
    } sound[] = {{"network", NULL, 50},
                 {"60 Hz", NULL, 60},
                 {"phase-fired", phase_fired, 50},
                 {"burst", burst, 50},
                 {"half-wave", half_wave, 50},
                 {"inrush", inrush, 50},
                 {"capacitor", capacitor, 50},
                 {"dips", dips, 50},
                 {"no current", no_current, 50}};
    static const double rates[] = {4000, 8000, 16000};
    for (size_t n = 0; n < sizeof sound / sizeof *sound; n++)
        for (size_t r = 0; r < 3; r++) {
            struct legal_config c = watched();
            struct legal_status s;
            start(&c);
            struct run run = {rates[r], 0.1, sound[n].f, 0x7F, sound[n].shape};
            for (double t = 0; t < 1.45; t += 0.1) {
                feed(&run, (uint64_t)llround(t * run.rate));
                if (any_fault())
                    print_error("%s at %g Hz: %x\n", sound[n].what, run.rate, any_fault());
                assert_int_equal(any_fault(), 0);
            }
            legal_status_get(&meter, &s);
            assert_int_equal(counted(&s), 0);
        }
}

/* --- torn ----------------------------------------------------------------------------------- */

/* A current of 1.2 times the range, wrapped as two's complement does. */
static double wrapped(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)rate;
    double x = 1.2 * FULL * sin(2 * PI * 50 * t);
    return c == AFE_I1 ? x - 2 * FULL * floor((x + FULL) / (2 * FULL)) : (double)NAN;
}

/* One sample has lost its bits. A wrong one within the span of a sound signal looks like one. */
static double bit_error(unsigned c, uint64_t k, double t, double rate)
{
    (void)rate;
    double x = network(c, t, 50);
    return c == AFE_U2 && k == (uint64_t)(0.505 * rate) ? (x < 0 ? FULL - 2 : 1 - FULL)
                                                        : (double)NAN;
}

/* What an input gives that is driven from one end of its range to the other. */
static double driven(unsigned c, uint64_t k, double t, double rate)
{
    (void)t, (void)rate;
    return c == AFE_IN ? (k / 20 % 2 ? 0.99 : -0.99) * FULL : (double)NAN;
}

static void torn_samples_are_flagged_where_they_are(void **state)
{
    (void)state;
    static const struct {
        shape_fn shape;
        unsigned channel;
    } torn[] = {{wrapped, AFE_I1}, {bit_error, AFE_U2}, {driven, AFE_IN}};
    static const double rates[] = {4000, 8000, 16000};
    for (size_t n = 0; n < 3; n++)
        for (size_t r = 0; r < 3; r++) {
            struct legal_config c = watched();
            struct legal_status s;
            start(&c);
            unsigned seen = 0, elsewhere = 0;
            for (unsigned k = 0; k < 13; k++) {
                struct run run = {rates[r], 0.1, 50, 0x7F, torn[n].shape};
                feed(&run, (uint64_t)llround(0.1 * k * run.rate));
                for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
                    *(ch == torn[n].channel ? &seen : &elsewhere) |= faults_of(ch);
            }
            legal_status_get(&meter, &s);
            assert_true(seen & LEGAL_FAULT_SLEW);
            assert_int_equal(elsewhere, 0);
            assert_true(s.slew[torn[n].channel] >= (torn[n].shape == bit_error ? 2 : 20));
        }
}

/* --- a fault of one window, told once a second ---------------------------------------------- */

static double spike(unsigned c, uint64_t k, double t, double rate)
{
    (void)t, (void)rate;
    return c == AFE_I2 && k == 16000 + 1700 ? FULL - 1 : (double)NAN;
}

static void fault_of_one_window_is_told_with_the_values_that_hold_it(void **state)
{
    (void)state;
    struct legal_config c = watched();
    struct legal_values v;
    unsigned told = 0, later = 0;
    uint32_t sequence = 0;
    start(&c);
    for (unsigned k = 0; k < 50; k++) { /* as the meter does: it looks when new values came */
        struct run run = {8000, 0.1, 50, 0x7F, spike};
        feed(&run, 800 * k);
        legal_values_get(&meter, &v);
        if (v.sequence == sequence)
            continue;
        sequence = v.sequence;
        told += faults_of(AFE_I2) == LEGAL_FAULT_CLIP;
        later = any_fault();
    }
    assert_int_equal(told, 1);
    assert_int_equal(later, 0);
}

/* --- stuck, missing ------------------------------------------------------------------------- */

static double stuck_at(unsigned c, uint64_t k, double t, double rate)
{
    (void)t;
    return c == AFE_I3 && k > rate ? 4711 : (double)NAN;
}

static double stuck_voltages(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)t, (void)rate;
    return c <= AFE_U3 ? 1000 + c : (double)NAN;
}

static double direct(unsigned c, uint64_t k, double t, double rate)
{
    (void)t, (void)rate; /* with the noise that every converter has */
    return c == AFE_I1 ? 90000 + (double)(k * 2654435761u % 7) : (double)NAN;
}

static void stuck_channel_is_flagged_and_direct_current_is_not(void **state)
{
    (void)state;
    struct legal_config c = watched();
    start(&c);
    feed(&(struct run){8000, 1, 50, 0x7F, stuck_at}, 0);
    assert_int_equal(any_fault(), 0);
    feed(&(struct run){8000, 1, 50, 0x7F, stuck_at}, 8000);
    assert_int_equal(faults_of(AFE_I3), LEGAL_FAULT_STUCK);
    feed(&(struct run){8000, 2, 50, 0x7F, NULL}, 16000);
    assert_int_equal(any_fault(), 0);
    start(&c); /* nothing to lock to: windows end all the same */
    feed(&(struct run){8000, 2, 50, 0x7F, stuck_voltages}, 0);
    assert_int_equal(faults_of(AFE_U1) & faults_of(AFE_U2) & faults_of(AFE_U3), LEGAL_FAULT_STUCK);
    start(&c);
    feed(&(struct run){8000, 2, 50, 0x7F, direct}, 0);
    assert_int_equal(any_fault(), 0);
}

static void missing_channel_is_flagged_when_the_wiring_needs_it(void **state)
{
    (void)state;
    struct legal_config c = watched();
    start(&c);
    feed(&(struct run){8000, 2, 50, 0x3F, NULL}, 0);
    assert_int_equal(any_fault(), 0); /* a neutral that never was */
    feed(&(struct run){8000, 2, 50, 0x7F, NULL}, 16000);
    assert_int_equal(any_fault(), 0);
    feed(&(struct run){8000, 2, 50, 0x2F, NULL}, 32000);
    assert_int_equal(faults_of(AFE_I2), LEGAL_FAULT_MISSING);
    assert_int_equal(faults_of(AFE_IN), LEGAL_FAULT_MISSING); /* it was there */
    assert_int_equal(faults_of(AFE_U2) | faults_of(AFE_I1), 0);
    feed(&(struct run){8000, 3, 50, 0x7F, NULL}, 48000);
    assert_int_equal(any_fault(), 0);
    feed(&(struct run){8000, 2, 50, 0, NULL}, 72000);
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
        assert_int_equal(faults_of(ch), LEGAL_FAULT_MISSING);
    c.n_phases = 1;
    c.wiring = LEGAL_1P2W;
    start(&c);
    feed(&(struct run){8000, 2, 50, 0x09, NULL}, 0);
    assert_int_equal(any_fault(), 0); /* phases that a single-phase meter has not */
}

/* --- the wrong rate ------------------------------------------------------------------------- */

static double only_third(unsigned c, uint64_t k, double t, double rate)
{
    (void)k, (void)t, (void)rate;
    return c == AFE_U1 || c == AFE_U2 ? 0 : (double)NAN;
}

static void voltage_without_a_frequency_is_flagged(void **state)
{
    (void)state;
    struct legal_config c = watched();
    for (unsigned k = 0; k < 2; k++) { /* 50 Hz, told at half and at twice their rate */
        start(&c);
        feed(&(struct run){8000, 3, k ? 100 : 25, 0x7F, NULL}, 0);
        assert_int_equal(faults_of(AFE_U1) & faults_of(AFE_U3), LEGAL_FAULT_RATE);
        assert_int_equal(faults_of(AFE_I1), 0);
        feed(&(struct run){8000, 3, 50, 0x7F, NULL}, 24000);
        assert_int_equal(any_fault(), 0);
    }
    start(&c); /* found late, for two voltages are not there */
    for (unsigned k = 0; k < 20; k++) {
        feed(&(struct run){8000, 0.1, 50, 0x7F, only_third}, 800 * k);
        assert_int_equal(any_fault(), 0);
    }
    start(&c); /* none there: nothing to find */
    feed(&(struct run){8000, 3, 50, 0x78, no_current}, 0);
    assert_int_equal(any_fault() & LEGAL_FAULT_RATE, 0);
}

/* --- refused -------------------------------------------------------------------------------- */

static void block_beyond_the_range_is_refused_and_not_counted(void **state)
{
    (void)state;
    static const int32_t wrong[] = {INT32_MIN, INT32_MAX, AFE_FULL_SCALE + 1, -AFE_FULL_SCALE - 1};
    static const uint64_t rates[] = {0, 499999999, UINT64_C(64000000001), UINT64_MAX};
    struct legal_config c = watched();
    struct legal_energies before, after;
    start(&c);
    feed(&(struct run){8000, 1, 50, 0x7F, NULL}, 0);
    struct legal *copy = malloc(sizeof *copy);
    assert_non_null(copy);
    legal_energies_get(&meter, &before);
    struct afe_block b = {.rate_uhz = UINT64_C(8000000000), .n = 16, .present = 0x7F};
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
        b.sample[ch] = samples[ch];
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
            int32_t kept = samples[ch][7];
            samples[ch][7] = wrong[k];
            assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
            samples[ch][7] = kept;
        }
    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        b.rate_uhz = rates[k];
        assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
    }
    b.rate_uhz = UINT64_C(8000000000);
    for (unsigned k = 0; k < 2; k++) {
        b.n = k ? AFE_BLOCK_MAX + 1 : 0;
        assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
    }
    legal_energies_get(&meter, &after);
    assert_memory_equal(&before, &after, sizeof before);
    b.n = 16;
    assert_int_equal(legal_feed(&meter, &b), ERR_OK); /* as if nothing had been */
    free(copy);
}

static struct legal_window sound_window(void)
{
    struct legal_window w = {.n_q16 = UINT64_C(500) << 16,
                             .rate_uhz = UINT64_C(500000000),
                             .frequency_uhz = 50000000,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        w.phase[p] = (struct legal_window_phase){.uu = 500 * INT64_C(1000000),
                                                 .ii = 500 * INT64_C(1000000),
                                                 .ui = 500 * INT64_C(1000000),
                                                 .u_re = 500 * 707,
                                                 .i_re = 500 * 707};
    return w;
}

static void impossible_window(struct legal_window w)
{
    struct legal_energies before, after;
    legal_energies_get(&meter, &before);
    assert_int_equal(legal_feed_window(&meter, &w), ERR_RANGE);
    legal_energies_get(&meter, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

static void window_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct legal_config c = watched();
    start(&c);
    struct legal_window w = sound_window();
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    const int64_t wrong[] = {INT64_MIN, INT64_MAX, -501 * (INT64_C(1) << 46) - 1,
                             501 * (INT64_C(1) << 46) + 1};
    for (size_t k = 0; k < 4; k++)
        for (size_t n = 0; n < sizeof w.phase[1] / sizeof(int64_t); n++) {
            w = sound_window();
            memcpy((char *)&w.phase[1] + n * sizeof(int64_t), &wrong[k], sizeof wrong[k]);
            impossible_window(w);
        }
    w = sound_window(), w.phase[0].uu = -1, impossible_window(w);
    w = sound_window(), w.phase[2].ii = -1, impossible_window(w);
    w = sound_window(), w.in_in = -1, impossible_window(w);
    w = sound_window(), w.in_sum = INT64_MIN, impossible_window(w);
    w = sound_window(), w.cross[5] = INT64_MAX, impossible_window(w);
    w = sound_window(), w.n_q16 = 0, impossible_window(w);
    w = sound_window(), w.n_q16 = UINT64_MAX, impossible_window(w);
    w = sound_window(), w.n_q16 = UINT64_C(500 * 62) << 16, impossible_window(w);
    w = sound_window(), w.rate_uhz = 0, impossible_window(w);
    w = sound_window(), w.rate_uhz = 1, impossible_window(w); /* 500 samples are sixteen years */
    w = sound_window(), w.rate_uhz = UINT64_MAX, impossible_window(w);
    w = sound_window();
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
}

/* --- extremes ------------------------------------------------------------------------------- */

/* Every gain at its end, full scale on all channels, a day and a night of 32 kHz as seen by the
 * window's length: nothing may wrap (the sanitizers look), no register may go back. */
static void extremes_wrap_nothing(void **state)
{
    (void)state;
    static const int32_t ends[2] = {AFE_FULL_SCALE - 1, -AFE_FULL_SCALE};
    for (unsigned kind = 0; kind < 4; kind++) {
        struct legal_config c = watched();
        struct legal_energies e, before = {.total = {0}};
        for (unsigned p = 0; p <= LEGAL_N_PHASES; p++) {
            c.i_lsb_fa[p] = UINT64_C(1000000000000000);
            if (p < LEGAL_N_PHASES)
                c.u_lsb_fv[p] = UINT64_C(1000000000000000);
        }
        for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
            c.calibration.channel[ch] = (struct legal_channel_calibration){
                200000000, 8388607, 250000, 1000000, 10000000, UINT32_MAX};
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            c.calibration.phase[p] = (struct legal_phase_calibration){
                INT32_MIN, INT32_MAX, 1000000, 1, {{1, 100000000, -100000000}}};
        c.loss = (struct legal_loss_config){UINT32_MAX, UINT32_MAX, 1, 1};
        c.pulse_per_kwh = 100000;
        start(&c);
        legal_temperature_set(&meter, kind & 1 ? INT32_MAX : INT32_MIN);
        struct afe_block b = {
            .rate_uhz = UINT64_C(32000000000), .n = AFE_BLOCK_MAX, .present = 0x7F};
        for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
            b.sample[ch] = samples[ch];
            for (unsigned k = 0; k < AFE_BLOCK_MAX; k++)
                samples[ch][k] = ends[kind < 2 ? kind : k / (kind == 2 ? 320 : 1) % 2];
        }
        for (unsigned k = 0; k < 100; k++) {
            assert_int_equal(legal_feed(&meter, &b), ERR_OK);
            legal_energies_get(&meter, &e);
            for (unsigned n = 0; n < LEGAL_N_ENERGIES; n++)
                assert_true(e.total[n] >= before.total[n]);
            before = e;
        }
        legal_flush(&meter);
    }
}

/* Sums of the kernel over the longest window that 32 kHz and a lost frequency give. */
static void see_sums(void *context, const struct legal_window *w)
{
    unsigned *n = context;
    double most = ((double)w->n_q16 / 65536 + 1) * FULL * FULL;
    assert_true((double)w->phase[0].uu > 0 && (double)w->phase[0].uu <= most);
    assert_true((double)w->phase[0].ui > 0 && (double)w->phase[0].ui <= most);
    ++*n;
}

static void full_scale_for_long_keeps_every_sum(void **state)
{
    (void)state;
    struct legal_config c = watched();
    struct legal_status s;
    unsigned n = 0;
    c.without_thd = true;
    start(&c);
    legal_observe(&meter, see_sums, &n);
    struct afe_block b = {.rate_uhz = UINT64_C(32000000000), .n = AFE_BLOCK_MAX, .present = 0x7F};
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
        b.sample[ch] = samples[ch];
        for (unsigned k = 0; k < AFE_BLOCK_MAX; k++)
            samples[ch][k] = -AFE_FULL_SCALE;
    }
    for (unsigned k = 0; k < 500; k++)
        assert_int_equal(legal_feed(&meter, &b), ERR_OK);
    legal_status_get(&meter, &s);
    assert_int_equal(s.clipped[AFE_IN], 500 * AFE_BLOCK_MAX);
    assert_true(n > 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_signals_are_not_flagged),
        cmocka_unit_test(torn_samples_are_flagged_where_they_are),
        cmocka_unit_test(fault_of_one_window_is_told_with_the_values_that_hold_it),
        cmocka_unit_test(stuck_channel_is_flagged_and_direct_current_is_not),
        cmocka_unit_test(missing_channel_is_flagged_when_the_wiring_needs_it),
        cmocka_unit_test(voltage_without_a_frequency_is_flagged),
        cmocka_unit_test(block_beyond_the_range_is_refused_and_not_counted),
        cmocka_unit_test(window_that_cannot_be_is_refused),
        cmocka_unit_test(extremes_wrap_nothing),
        cmocka_unit_test(full_scale_for_long_keeps_every_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
