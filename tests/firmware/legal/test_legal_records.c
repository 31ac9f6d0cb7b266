/* Recordings of real networks against a double reference computed from the same samples. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_N 8000
#define PI    3.14159265358979323846

struct record {
    uint32_t n;
    int cycles;                /* in n samples */
    double rate, u_lsb, i_lsb; /* volt and ampere per count */
    int32_t sample[6][MAX_N];
};

static struct record record;
static struct legal meter;

/* --- reading -------------------------------------------------------------------------------- */

/* columns[c] is the text column of channel c, 0 first; a, b its scale. */
static bool read_columns(const char *path, int skip, const int *columns, const double *a,
                         const double *b)
{
    char line[1024];
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    for (record.n = 0; record.n < MAX_N && fgets(line, sizeof line, f);) {
        if (skip-- > 0)
            continue;
        if (!strchr(line, ',')) /* the end-of-file mark */
            break;
        char *at = line;
        for (int column = 0; at; column++) {
            for (int c = 0; c < 6; c++)
                if (columns[c] == column) {
                    double lsb = c < 3 ? record.u_lsb : record.i_lsb;
                    record.sample[c][record.n] =
                        (int32_t)lround((strtod(at, NULL) * a[c] + b[c]) / lsb);
                }
            at = strchr(at, ',');
            at = at ? at + 1 : NULL;
        }
        record.n++;
    }
    fclose(f);
    return record.n > 0;
}

/* Scales of the analogue channels 1..8 of a COMTRADE configuration. */
static bool read_scales(const char *path, double a[8], double b[8])
{
    char line[256];
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    for (int k = 0; k < 10 && fgets(line, sizeof line, f); k++)
        if (k >= 2 &&
            sscanf(line, "%*d,%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf", &a[k - 2], &b[k - 2]) != 2)
            break;
    fclose(f);
    return a[7] != 0;
}

static bool read_keating(void)
{
    static const int columns[6] = {6, 7, 8, 2, 3, 4};
    static const char *base = SHARED_DIR "/waveforms/ion7650/keating_1999";
    char path[512];
    double a[8] = {0}, b[8] = {0}, ca[6], cb[6];
    snprintf(path, sizeof path, "%s.CFG", base);
    if (!read_scales(path, a, b))
        return false;
    for (int c = 0; c < 6; c++) {
        ca[c] = a[columns[c] - 2];
        cb[c] = b[columns[c] - 2];
    }
    record.u_lsb = 1e-4;
    record.i_lsb = 5e-5;
    record.rate = 30707.244140625;
    record.cycles = 4;
    snprintf(path, sizeof path, "%s.DAT", base);
    return read_columns(path, 0, columns, ca, cb);
}

static bool read_mhkit(void)
{
    static const int columns[6] = {1, 2, 3, 4, 5, 6};
    static const double one[6] = {1, 1, 1, 1, 1, 1}, zero[6] = {0};
    record.u_lsb = 1.5e-3;
    record.i_lsb = 5e-6;
    record.rate = 50000;
    record.cycles = 9;
    bool ok = read_columns(SHARED_DIR "/waveforms/mhkit/2020224_181521_PowRaw.csv", 1, columns, one,
                           zero);
    record.n = 7504; /* nine cycles at 59.97 Hz */
    return ok;
}

/* --- reference ------------------------------------------------------------------------------ */

struct reference {
    double u, i, p, q, thd_u, thd_i;
};

static void line(const int32_t *x, double lsb, int h, double *re, double *im)
{
    *re = *im = 0;
    for (uint32_t k = 0; k < record.n; k++) {
        double angle = 2 * PI * fmod((double)h * record.cycles * k / record.n, 1.0);
        *re += lsb * x[k] * cos(angle);
        *im -= lsb * x[k] * sin(angle);
    }
    *re *= sqrt(2) / record.n; /* root mean square */
    *im *= sqrt(2) / record.n;
}

static double thd(const int32_t *x)
{
    double re, im, sum = 0;
    for (int h = 2; h <= 40; h++) {
        line(x, 1, h, &re, &im);
        sum += re * re + im * im;
    }
    line(x, 1, 1, &re, &im);
    return 100 * sqrt(sum / (re * re + im * im));
}

static struct reference reference_of(unsigned p)
{
    const int32_t *u = record.sample[p], *i = record.sample[p + 3];
    double n = record.n, su = 0, si = 0, uu = 0, ii = 0, ui = 0;
    for (uint32_t k = 0; k < record.n; k++) {
        double a = record.u_lsb * u[k], b = record.i_lsb * i[k];
        su += a;
        si += b;
        uu += a * a;
        ii += b * b;
        ui += a * b;
    }
    struct reference r = {.u = sqrt(uu / n - su / n * su / n),
                          .i = sqrt(ii / n - si / n * si / n),
                          .p = ui / n - su / n * si / n,
                          .thd_u = thd(u),
                          .thd_i = thd(i)};
    double ur, um, ir, im;
    line(u, record.u_lsb, 1, &ur, &um);
    line(i, record.i_lsb, 1, &ir, &im);
    r.q = um * ir - ur * im;
    return r;
}

/* --- playing -------------------------------------------------------------------------------- */

static void start(uint32_t un_mv)
{
    struct legal_config c = signal_config();
    c.f_nominal_mhz = 60000;
    c.un_mv = un_mv;
    for (unsigned p = 0; p <= 3; p++) {
        c.u_lsb_fv[p % 3] = (uint64_t)(record.u_lsb * 1e15 + 0.5);
        c.i_lsb_fa[p] = (uint64_t)(record.i_lsb * 1e15 + 0.5);
    }
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
}

static void play(unsigned loops)
{
    for (unsigned k = 0; k < loops; k++)
        for (uint32_t at = 0, n; at < record.n; at += n) {
            n = record.n - at < 1000 ? record.n - at : 1000;
            struct afe_block b = {
                .rate_uhz = (uint64_t)(record.rate * 1e6 + 0.5), .n = n, .present = 0x3F};
            for (unsigned c = 0; c < 6; c++)
                b.sample[c] = record.sample[c] + at;
            assert_int_equal(legal_feed(&meter, &b), ERR_OK);
        }
}

/* Prints and gives the worst deviation of U, I, P; Q and THD through pointers. */
static double compare(const char *name, double *q, double *distortion)
{
    struct legal_values v;
    double worst = 0;
    legal_values_get(&meter, &v);
    *q = *distortion = 0;
    printf("  %s f %.6f Hz\n", name, v.frequency_uhz * 1e-6);
    for (unsigned p = 0; p < 3; p++) {
        const struct legal_phase_values *x = &v.phase[p];
        struct reference r = reference_of(p);
        double du = 100 * (x->u_mv * 1e-3 / r.u - 1), di = 100 * (x->i_ua * 1e-6 / r.i - 1);
        double dp = 100 * ((double)x->p_mw * 1e-3 / r.p - 1);
        double dq = 100 * ((double)x->q_mvar * 1e-3 - r.q) / (r.u * r.i);
        double tu = x->thd_u_ppm * 1e-4 - r.thd_u, ti = x->thd_i_ppm * 1e-4 - r.thd_i;
        printf("  L%u U %.2f %+.5f%% I %.3f %+.5f%% P %.0f %+.5f%% Q1 %.0f %+.5f%%S THD U %.3f "
               "%+.4f I %.3f %+.4f\n",
               p + 1, r.u, du, r.i, di, r.p, dp, r.q, dq, r.thd_u, tu, r.thd_i, ti);
        worst = fmax(worst, fmax(fabs(du), fmax(fabs(di), fabs(dp))));
        *q = fmax(*q, fabs(dq));
        *distortion = fmax(*distortion, fmax(fabs(tu), fabs(ti)));
    }
    return worst;
}

static void records_ion7650_matches_reference(void **state)
{
    (void)state;
    double q, distortion;
    if (!read_keating()) {
        print_message("recording not present\n");
        skip();
    }
    assert_int_equal(record.n, 2048);
    start(347000);
    play(160); /* 10.7 s */
    assert_true(compare("ion7650", &q, &distortion) < 0.02);
    assert_true(q < 0.05);
    assert_true(distortion < 0.05);
    struct legal_values v;
    legal_values_get(&meter, &v);
    assert_true(fabs(v.frequency_uhz * 1e-6 - 30707.244140625 / 512) < 1e-3);
}

static void records_ion7650_energy_is_power_times_time(void **state)
{
    (void)state;
    struct legal_energies e;
    if (!read_keating())
        skip();
    start(347000);
    play(300);
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    double hours = 300.0 * record.n / record.rate / 3600;
    for (unsigned p = 0; p < 3; p++) {
        struct reference r = reference_of(p);
        double wh = (double)e.phase[p][LEGAL_A_IMPORT] / LEGAL_ENERGY_PER_WH;
        printf("  L%u %.3f Wh %+.5f %%\n", p + 1, wh, 100 * (wh / (r.p * hours) - 1));
        assert_true(fabs(wh / (r.p * hours) - 1) < 2e-4);
        assert_int_equal(e.phase[p][LEGAL_A_EXPORT], 0);
    }
}

static void records_mhkit_matches_reference_and_exports(void **state)
{
    (void)state;
    double q, distortion;
    struct legal_energies e;
    if (!read_mhkit()) {
        print_message("recording not present\n");
        skip();
    }
    start(7620000);
    play(70);
    assert_true(compare("mhkit", &q, &distortion) < 0.1);
    assert_true(q < 0.1);
    legal_energies_get(&meter, &e);
    assert_int_equal(e.total[LEGAL_A_IMPORT], 0);
    assert_true(e.total[LEGAL_A_EXPORT] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_ion7650_matches_reference),
        cmocka_unit_test(records_ion7650_energy_is_power_times_time),
        cmocka_unit_test(records_mhkit_matches_reference_and_exports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
