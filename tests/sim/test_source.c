/* Sources: the guess of channels, the seam of a loop, scaling, windows against samples, the
 * synthesised spectrum, and every recording at hand. */
#include "sim/channels.h"
#include "sim/source.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static char message[1000];

static struct source *open_source(const char *spec, const struct source_options *o)
{
    struct source *s;
    if (source_open(&s, spec, o, message, sizeof message))
        fail_msg("%s", message);
    return s;
}

/* --- guess ---------------------------------------------------------------------------------- */

struct named {
    const char *name, *phase, *unit;
};

static enum err map_of(const struct named *names, size_t n, const char *map,
                       struct channel_map *out)
{
    struct recording r = {0};
    struct fault f = {message, sizeof message};
    assert_int_equal(recording_alloc(&r, n), ERR_OK);
    for (size_t k = 0; k < n; k++) {
        snprintf(r.channel[k].name, sizeof r.channel[k].name, "%s", names[k].name);
        snprintf(r.channel[k].phase, sizeof r.channel[k].phase, "%s", names[k].phase);
        snprintf(r.channel[k].unit, sizeof r.channel[k].unit, "%s", names[k].unit);
    }
    enum err err = channels_map(&r, map, out, &f);
    recording_free(&r);
    return err;
}

static void channels_are_guessed_from_names_units_and_phases(void **state)
{
    (void)state;
    static const struct {
        struct named names[8];
        int expected[AFE_N_CHANNELS];
    } cases[] = {{{{"VA", "", ""},
                   {"VB", "", ""},
                   {"VC", "", ""},
                   {"IA", "", ""},
                   {"IB", "", ""},
                   {"IC", "", ""},
                   {"IN", "", ""}},
                  {0, 1, 2, 3, 4, 5, 6}},
                 {{{"L1 Voltage", "", "V"},
                   {"L2 Voltage", "", "V"},
                   {"L3 Voltage", "", "V"},
                   {"L1 Current", "", "A"},
                   {"UL12", "", "V"}},
                  {0, 1, 2, 3, -1, -1, -1}},
                 {{{"W1", "R", "kV"},
                   {"W2", "S", "kV"},
                   {"W3", "T", "kV"},
                   {"W4", "N", "A"},
                   {"W5", "R", "A"}},
                  {0, 1, 2, 4, -1, -1, 3}},
                 {{{"VAB", "", "V"}, {"UA Mag", "", "V"}, {"UA Angle", "", "deg"}, {"Ua", "", "V"}},
                  {3, -1, -1, -1, -1, -1, -1}},
                 {{{"Voltage", "", "V"}, {"Current", "", "A"}}, {0, -1, -1, 1, -1, -1, -1}},
                 {{{"VT", "", "V"}, {"IT", "", "A"}}, {0, -1, -1, 1, -1, -1, -1}},
                 {{{"Line Vr_V", "", ""}, {"Line Ir_A", "", ""}, {"temperature", "", "C"}},
                  {0, -1, -1, 1, -1, -1, -1}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct channel_map m;
        size_t n = 0;
        while (n < 8 && cases[k].names[n].name)
            n++;
        assert_int_equal(map_of(cases[k].names, n, NULL, &m), ERR_OK);
        for (int c = 0; c < AFE_N_CHANNELS; c++)
            if (m.index[c] != cases[k].expected[c])
                fail_msg("case %zu input %d: %d", k, c, m.index[c]);
    }
}

static void channels_are_understood_in_vendors_styles(void **state)
{
    (void)state;
    static const struct named names[][6] = {{{"VR", "", "V"},
                                             {"VY", "", "V"},
                                             {"VB", "", "V"},
                                             {"IR", "", "A"},
                                             {"IY", "", "A"},
                                             {"IB", "", "A"}},
                                            {{"VT1", "", "V"},
                                             {"PT2", "", "Vrms"},
                                             {"VT3", "C", "[V]"},
                                             {"CT1", "", "A"},
                                             {"CT2", "", "A"},
                                             {"CT3", "", "A"}},
                                            {{"VA1", "", "V"},
                                             {"V phB", "", "V"},
                                             {"VCY", "", "V"},
                                             {"Ia (A)", "", "A"},
                                             {"Ib (A)", "", "A"},
                                             {"ICW", "", "A"}}};
    static const struct named lines[] = {
        {"VA-VB", "", "V"}, {"U L1-L2", "", "V"}, {"U2-3", "", "V"}, {"Ia_2", "", "A"}};
    struct channel_map m;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        assert_int_equal(map_of(names[k], 6, NULL, &m), ERR_OK);
        for (int c = 0; c < 6; c++)
            assert_int_equal(m.index[c], c);
    }
    assert_int_equal(map_of(lines, 4, NULL, &m), ERR_OK);
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        assert_int_equal(m.index[c], c == AFE_I1 ? 3 : -1);
}

static void channels_are_listed_when_no_guess_is_possible(void **state)
{
    (void)state;
    static const struct named names[] = {{"CH1", "", "V"}, {"CH2", "", "V"}, {"P", "", "W"}};
    struct channel_map m;
    assert_int_equal(map_of(names, 3, NULL, &m), ERR_NOT_FOUND);
    assert_non_null(strstr(message, "#1=CH1 [V], #2=CH2 [V], #3=P [W]"));
    assert_non_null(strstr(message, "--map u1=NAME"));
}

static void channels_follow_a_map(void **state)
{
    (void)state;
    static const struct named names[] = {{"CH1", "", "kV"}, {"x=y", "", "mA"}, {"-q", "", ""}};
    struct channel_map m;
    assert_int_equal(map_of(names, 3, "u1=ch1, i1=-x=y ,in=#3,u2=-#3,u3=-q", &m), ERR_OK);
    assert_true(m.index[AFE_U1] == 0 && m.factor[AFE_U1] == 1e3);
    assert_true(m.index[AFE_I1] == 1 && m.factor[AFE_I1] == -1e-3);
    assert_true(m.index[AFE_IN] == 2 && m.factor[AFE_IN] == 1);
    assert_true(m.index[AFE_U2] == 2 && m.factor[AFE_U2] == -1);
    assert_true(m.index[AFE_U3] == 2 && m.factor[AFE_U3] == 1 && m.index[AFE_I2] == -1);
    assert_int_equal(map_of(names, 3, "u4=CH1", &m), ERR_RANGE);
    assert_non_null(strstr(message, "u1 u2 u3 i1 i2 i3 in"));
    assert_int_equal(map_of(names, 3, "u1", &m), ERR_RANGE);
    assert_int_equal(map_of(names, 3, "u1=CH9", &m), ERR_RANGE);
    assert_non_null(strstr(message, "no channel 'CH9'"));
}

/* --- recordings ----------------------------------------------------------------------------- */

/* A table of `cycles` of a voltage with a third harmonic and DC, and a current, at 5 kHz. */
static void write_waveform(const char *path, double hz, double cycles)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "time,U1_V,I1_A\n");
    for (int k = 0; k < (int)(cycles / hz * 5000 + 0.5); k++) {
        double a = 2 * PI * hz * k / 5000 + 0.4;
        fprintf(f, "%.6f,%.6f,%.6f\n", k / 5000., 325 * sin(a) + 20 * sin(3 * a + 1) + 5,
                7 * sin(a - 0.5));
    }
    fclose(f);
}

static void source_repeats_without_a_seam(void **state)
{
    (void)state;
    static const struct {
        double hz, cycles;
        size_t whole;
    } cases[] = {{50, 10, 10}, {49.87, 10.6, 10}, {61.3, 3.4, 3},   {50.2, 25.3, 25},
                 {47, 2.3, 2}, {60, 2.992, 2},    {60, 10.004, 10}, {60.04, 4.0032, 4}};
    char path[] = "/tmp/source-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    close(fd);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct source_options o = {.repeat = true};
        struct source_info info;
        struct afe_block b;
        write_waveform(path, cases[c].hz, cases[c].cycles);
        struct source *s = open_source(path, &o);
        source_info_get(s, &info);
        assert_true(fabs(info.frequency_hz - cases[c].hz) < (cases[c].cycles < 4 ? 0.02 : 0.001));
        assert_int_equal((int)info.cycles, cases[c].whole);
        assert_true(fabs(info.seconds - info.cycles / info.frequency_hz) < 1e-9);
        double lsb = (double)info.u_lsb_fv * 1e-15;
        /* A loop ends between two samples and is fitted; what the frequency is found wrong by makes
         * it slip, far less than the half sample of a cut. */
        for (uint64_t k = 0; k < 3 * info.samples; k++) {
            assert_true(source_next(s, 1, &b));
            double a = 2 * PI * cases[c].hz * (double)k / info.rate_hz + 0.4;
            double expected = 325 * sin(a) + 20 * sin(3 * a + 1) + 5;
            double turns = 0.1 * cases[c].hz / 5000 * floor((double)k / (double)info.samples);
            double slip = 2 * PI * turns * (325 + 60) * 1.1 + 0.05;
            assert_true(fabs(b.sample[AFE_U1][0] * lsb - expected) < slip);
        }
        source_close(s);
    }
    unlink(path);
}

static void source_clips_when_the_caller_fixes_the_scale(void **state)
{
    (void)state;
    struct source_options o = {.u_lsb_fv = 30000000000}; /* full scale 251.7 V */
    struct afe_block b;
    int32_t high = 0, low = 0;
    struct source *s = open_source("synth:u=230", &o);
    assert_true(source_next(s, 160, &b));
    for (uint32_t k = 0; k < b.n; k++) {
        high = b.sample[AFE_U1][k] > high ? b.sample[AFE_U1][k] : high;
        low = b.sample[AFE_U1][k] < low ? b.sample[AFE_U1][k] : low;
    }
    assert_true(high == AFE_FULL_SCALE - 1 && low == -AFE_FULL_SCALE);
    source_close(s);
}

static void source_switches_a_phase_off_and_on(void **state)
{
    (void)state;
    struct source_options o = {0};
    struct afe_block b;
    struct legal_window w;
    struct source *s = open_source("synth:", &o);
    source_phase_set(s, 1, false);
    assert_true(source_next(s, 100, &b));
    assert_true(b.present & 1u << AFE_U2);
    for (uint32_t k = 0; k < b.n; k++)
        assert_true(b.sample[AFE_U2][k] == 0 && b.sample[AFE_I2][k] == 0);
    assert_int_equal(source_window(s, 1, &w), ERR_OK);
    assert_true(w.phase[1].uu == 0 && w.phase[1].i_re == 0 && w.phase[0].uu > 0);
    source_phase_set(s, 1, true);
    assert_true(source_next(s, 100, &b) && b.sample[AFE_U2][10] != 0);
    source_close(s);
}

/* Sums over samples as the kernel would form them, in volt, ampere and seconds. */
struct sums {
    double uu[3], ii[3], ui[3], seconds;
};

static void sum_samples(struct source *s, double seconds, struct sums *out)
{
    struct afe_block b;
    *out = (struct sums){0};
    while (out->seconds < seconds - 1e-9 && source_next(s, 100, &b)) {
        double dt = 1e6 / (double)b.rate_uhz;
        for (uint32_t k = 0; k < b.n; k++)
            for (int p = 0; p < 3; p++) {
                double u = b.sample[p] ? b.sample[p][k] : 0;
                double i = b.sample[AFE_I1 + p] ? b.sample[AFE_I1 + p][k] : 0;
                out->uu[p] += u * u * dt;
                out->ii[p] += i * i * dt;
                out->ui[p] += u * i * dt;
            }
        out->seconds += b.n * dt;
    }
}

static void assert_near(double a, double b, double off)
{
    if (fabs(a - b) > off)
        fail_msg("%.9g is not %.9g (within %g)", a, b, off);
}

static void windows_hold_the_energy_of_the_samples(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        double off; /* relative */
    } specs[] = {{"synth:u=230,i=5,pf=0.5", 1e-6},
                 {"synth:u=230,i=5,pf=0.8,lead,phases=1", 1e-6},
                 {"synth:u=230,pf=-0.3,h3=10%@40,ih3=30%@10,ih5=8%,idc=0.4", 1e-6},
                 {"synth:noise=20%", 5e-3}, /* which is 4 % of U squared, in 32 000 samples */
                 {"synth:dip=L1@0.5s/0.25s/40%,dip=L23@2s/300ms/115%", 1e-4},
                 /* within one ramp, which part of the cycle is larger depends on the phase */
                 {"synth:ramp=u@1s/1s/90%,ramp=i@1.5/2/150%", 5e-4},
                 {"synth:f=49,ramp=f@0/2/51", 1e-4}};
    for (size_t c = 0; c < sizeof specs / sizeof *specs; c++) {
        struct source_options o = {.seed = 3};
        struct source *by_sample = open_source(specs[c].spec, &o),
                      *by_window = open_source(specs[c].spec, &o);
        struct sums sums, got = {0};
        sum_samples(by_sample, 4, &sums);
        for (int k = 0; k < 8; k++) {
            struct legal_window w;
            assert_int_equal(source_window(by_window, 0.5, &w), ERR_OK);
            double rate = (double)w.rate_uhz * 1e-6;
            for (int p = 0; p < 3; p++) {
                got.uu[p] += (double)w.phase[p].uu / rate;
                got.ii[p] += (double)w.phase[p].ii / rate;
                got.ui[p] += (double)w.phase[p].ui / rate;
            }
            got.seconds += (double)w.n_q16 / 65536 / rate;
        }
        assert_near(got.seconds, sums.seconds, 1e-9);
        for (int p = 0; p < 3; p++) {
            assert_near(got.uu[p], sums.uu[p], specs[c].off * sums.uu[p]);
            assert_near(got.ii[p], sums.ii[p], specs[c].off * sums.ii[p]);
            assert_near(got.ui[p], sums.ui[p], specs[c].off * sqrt(sums.uu[p] * sums.ii[p]));
        }
        source_close(by_sample);
        source_close(by_window);
    }
}

static void windows_say_phase_and_frequency(void **state)
{
    (void)state;
    struct source_options o = {0};
    struct source_info info;
    struct legal_window w;
    struct source *s = open_source("synth:u=230,i=5,phi=60,f=50.5", &o);
    source_info_get(s, &info);
    assert_int_equal(source_window(s, 60, &w), ERR_OK);
    assert_int_equal(w.frequency_uhz, 50500000);
    double scale = (double)info.u_lsb_fv * (double)info.i_lsb_fa * 1e-30;
    double n = (double)w.n_q16 / 65536;
    for (int p = 0; p < 3; p++) {
        const struct legal_window_phase *q = &w.phase[p];
        double im = (double)q->u_re * (double)q->i_im - (double)q->u_im * (double)q->i_re;
        assert_near(2 * im * scale / n / n, 1150 * sin(PI / 3), 1e-3); /* lagging: positive */
    }
    double u1 = atan2((double)w.phase[0].u_im, (double)w.phase[0].u_re);
    double u2 = atan2((double)w.phase[1].u_im, (double)w.phase[1].u_re);
    assert_near(u2 - u1, 2 * PI / 3, 1e-6); /* L2 comes later */
    assert_int_equal(source_window(s, 61, &w), ERR_RANGE);
    source_close(s);
}

/* --- synth ---------------------------------------------------------------------------------- */

/* rms of one line of a channel over `cycles` cycles of 160 samples. */
static double line_rms(const int32_t *x, uint32_t n, double turns, double lsb)
{
    double re = 0, im = 0;
    for (uint32_t k = 0; k < n; k++) {
        re += x[k] * cos(2 * PI * turns * k / n);
        im += x[k] * sin(2 * PI * turns * k / n);
    }
    return hypot(re, im) * sqrt(2) / n * lsb;
}

static void synth_has_the_spectrum_it_was_told(void **state)
{
    (void)state;
    struct source_options o = {0};
    struct source_info info;
    struct afe_block b;
    struct source *s =
        open_source("synth:u=230,u2=115,i=5,h3=5%,h5=3%@30,ih5=10%,ih49=1%,in=0.5", &o);
    source_info_get(s, &info);
    assert_true(source_next(s, 800, &b) && b.n == 800);
    double lsb_u = (double)info.u_lsb_fv * 1e-15, lsb_i = (double)info.i_lsb_fa * 1e-15;
    static const double u[] = {[1] = 230, [3] = 11.5, [5] = 6.9, [49] = 0};
    static const double i[] = {[1] = 5, [5] = 0.5, [49] = 0.05};
    for (int h = 0; h <= 49; h++) {
        assert_true(fabs(line_rms(b.sample[AFE_U1], 800, 5 * h, lsb_u) - u[h]) < 230e-6);
        assert_true(fabs(line_rms(b.sample[AFE_U2], 800, 5 * h, lsb_u) - u[h] / 2) < 230e-6);
        assert_true(fabs(line_rms(b.sample[AFE_I3], 800, 5 * h, lsb_i) - i[h]) < 5e-6);
    }
    assert_true(fabs(line_rms(b.sample[AFE_IN], 800, 5, lsb_i) - 0.5) < 5e-6);
    source_close(s);
}

static void synth_does_not_depend_on_block_lengths(void **state)
{
    (void)state;
    struct source_options o = {.seed = 42};
    const char *spec = "synth:noise=1%,f=50.3,dip=L1@0.01/0.02/40%,ramp=f@0/1/52";
    struct source *a = open_source(spec, &o), *b = open_source(spec, &o);
    struct afe_block whole, piece;
    assert_true(source_next(a, 1000, &whole));
    for (uint32_t at = 0; at < 1000; at += piece.n) {
        assert_true(source_next(b, 1 + at % 37, &piece));
        for (uint32_t k = 0; k < piece.n && at + k < 1000; k++)
            for (int c = 0; c < AFE_IN; c++)
                assert_int_equal(piece.sample[c][k], whole.sample[c][at + k]);
    }
    source_close(a);
    source_close(b);
}

static void synth_ends_after_its_seconds_unless_repeated(void **state)
{
    (void)state;
    struct source_options o = {0};
    struct afe_block b;
    struct source *s = open_source("synth:seconds=0.1,rate=4000", &o);
    uint32_t n = 0;
    while (source_next(s, 300, &b))
        n += b.n;
    assert_int_equal(n, 400);
    assert_int_equal(source_restart(s, true), ERR_OK);
    for (n = 0; n < 1000; n += b.n)
        assert_true(source_next(s, 300, &b));
    source_close(s);
}

static void synth_names_the_wrong_word(void **state)
{
    (void)state;
    static const char *const words[] = {"foo=1",        "u=abc",         "u",
                                        "f=99",         "h1=5%",         "h51=1%",
                                        "phases=2",     "dip=L4@0/1/0%", "dip=L1",
                                        "ramp=x@0/1/1", "ramp=f@0/1/90", "pf=1.2",
                                        "h3=x",         "u=nan",         "ramp=u@0/1/1/1"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        char spec[64];
        struct source *s;
        struct source_options o = {0};
        snprintf(spec, sizeof spec, "synth:i=5,%s,pf=0.9", words[k]);
        assert_int_equal(source_open(&s, spec, &o, message, sizeof message), ERR_RANGE);
        assert_null(s);
        if (!strstr(message, words[k]))
            fail_msg("'%s' does not name '%s'", message, words[k]);
    }
}

/* --- the recordings at hand ----------------------------------------------------------------- */

struct walk {
    int read, refused;
};

static void try_file(const char *path, struct walk *w)
{
    struct source_options o = {.repeat = true};
    struct source_info info;
    struct legal_window window;
    struct source *s;
    if (source_open(&s, path, &o, message, sizeof message)) {
        assert_null(s);
        if (!strstr(message, path) || strlen(message) < strlen(path) + 10)
            fail_msg("%s: refused without a reason: '%s'", path, message);
        w->refused++;
        return;
    }
    source_info_get(s, &info);
    assert_true(info.cycles >= 2 && info.frequency_hz > 45 && info.frequency_hz < 65);
    assert_int_equal(source_window(s, 1, &window), ERR_OK);
    assert_true(window.phase[0].uu > 0);
    w->read++;
    source_close(s);
}

static void try_folder(const char *path, int depth, struct walk *w)
{
    DIR *d = opendir(path);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char name[1024];
        struct stat st;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (e->d_name[0] == '.' || stat(name, &st) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            try_file(name, w);
        else if (depth > 0)
            try_folder(name, depth - 1, w);
    }
    if (d)
        closedir(d);
}

static void every_recording_is_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    struct walk w = {0};
    try_folder(SHARED_DIR "/waveforms", 3, &w);
    if (w.read + w.refused == 0) {
        print_message("no recordings beside the source tree: skipped\n");
        skip();
    }
    assert_int_equal(w.read, 9); /* ion7650, two of wisp, comtradehandler by either file; mhkit */
    assert_true(w.refused > 30);
}

static void coherent_recording_is_repeated_as_a_whole(void **state)
{
    (void)state;
    static const char path[] = SHARED_DIR "/waveforms/ion7650/keating_1999.CFG";
    if (access(path, R_OK) != 0) {
        print_message("no recordings beside the source tree: skipped\n");
        skip();
    }
    struct source_options o = {.repeat = true};
    struct source_info info;
    struct source *s = open_source(path, &o);
    source_info_get(s, &info);
    assert_int_equal(info.samples, 2048);
    assert_true(info.cycles == 4 && fabs(info.frequency_hz - 59.975) < 0.001);
    assert_int_equal(info.present, 0x7F);
    source_close(s);
}

/* Channel `c` (from 0) of the 24 analog channels, sample-set k, of wisp/3's binary data. */
static double wisp_value(const char *data, size_t k, int c)
{
    int16_t v;
    memcpy(&v, data + k * 64 + 8 + 2 * c, sizeof v);
    return v;
}

/* The relay wrote its own phasors (kV primary and degrees) beside the samples: the ratio of the
 * voltages and the angles between them must agree with the fundamentals of our channels. */
static void fault_recording_agrees_with_the_relays_own_phasors(void **state)
{
    (void)state;
    static const char cfg[] = SHARED_DIR "/waveforms/wisp/3.cfg";
    static char data[87040];
    FILE *f = fopen(SHARED_DIR "/waveforms/wisp/3.dat", "rb");
    if (!f) {
        print_message("no recordings beside the source tree: skipped\n");
        skip();
    }
    assert_int_equal(fread(data, 1, sizeof data, f), sizeof data);
    fclose(f);
    struct source_options o = {0};
    struct source_info info;
    struct afe_block b;
    struct source *s = open_source(cfg, &o);
    source_info_get(s, &info);
    assert_true(source_next(s, 320, &b) && b.n == 320); /* 20 cycles of 16 samples before it */
    double angle[3];
    for (int p = 0; p < 3; p++) {
        double re = 0, im = 0;
        for (uint32_t k = 0; k < b.n; k++) {
            re += b.sample[p][k] * cos(2 * PI * k / 16);
            im -= b.sample[p][k] * sin(2 * PI * k / 16);
        }
        angle[p] = atan2(im, re) * 180 / PI;
        double rms = hypot(re, im) * sqrt(2) / b.n * (double)info.u_lsb_fv * 1e-15;
        double relay_kv = wisp_value(data, 160, 8 + 2 * p) * 4.028324e-2;
        assert_true(fabs(rms * 190740 / 57.8 * 1e-3 / relay_kv - 1) < 0.01);
        double relay = (wisp_value(data, 160, 9 + 2 * p) - wisp_value(data, 160, 9)) * 5.493164e-3;
        double between = remainder(angle[p] - angle[0] - relay, 360);
        assert_true(fabs(between) < 1);
    }
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_guessed_from_names_units_and_phases),
        cmocka_unit_test(channels_are_understood_in_vendors_styles),
        cmocka_unit_test(channels_are_listed_when_no_guess_is_possible),
        cmocka_unit_test(channels_follow_a_map),
        cmocka_unit_test(source_repeats_without_a_seam),
        cmocka_unit_test(source_clips_when_the_caller_fixes_the_scale),
        cmocka_unit_test(source_switches_a_phase_off_and_on),
        cmocka_unit_test(windows_hold_the_energy_of_the_samples),
        cmocka_unit_test(windows_say_phase_and_frequency),
        cmocka_unit_test(synth_has_the_spectrum_it_was_told),
        cmocka_unit_test(synth_does_not_depend_on_block_lengths),
        cmocka_unit_test(synth_ends_after_its_seconds_unless_repeated),
        cmocka_unit_test(synth_names_the_wrong_word),
        cmocka_unit_test(every_recording_is_read_or_refused_with_a_reason),
        cmocka_unit_test(coherent_recording_is_repeated_as_a_whole),
        cmocka_unit_test(fault_recording_agrees_with_the_relays_own_phasors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
