/* Recorded waveforms through `ferraris replay`, against values worked out here from the same
 * samples (reference.h), and files that this test writes, against what they were made from. */
#include "tests/system/process.h"
#include "tests/system/reference.h"

#include <setjmp.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PI 3.14159265358979323846

struct worst {
    double u, i, p, q1, thd;
};

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

/* ---- answers ---- */

static json_t *replay(const char *file, const char *repeat)
{
    json_error_t e;
    struct outcome o = repeat != NULL ? ferraris("replay", "--json", "--repeat", repeat, file, NULL)
                                      : ferraris("replay", "--json", file, NULL);
    outcome_expect(&o, 0, NULL);
    json_t *j = json_loads(o.out, 0, &e);
    if (j == NULL)
        fail_msg("%s: line %d: %s", file, e.line, e.text);
    outcome_free(&o);
    return j;
}

static double number(const json_t *j, const char *object, const char *name)
{
    const json_t *in = object != NULL ? json_object_get(j, object) : j;
    const json_t *x = json_object_get(in, name);
    assert_true(json_is_number(x));
    return json_number_value(x);
}

static const json_t *phase_of(const json_t *j, size_t phase)
{
    const json_t *p = json_array_get(json_object_get(j, "phases"), phase);
    assert_non_null(p);
    return p;
}

static void compare(const json_t *j, size_t phase, const struct reference *r, struct worst *w)
{
    const json_t *p = phase_of(j, phase);
    w->u = fmax(w->u, percent(number(p, NULL, "u_v"), r->u, r->u));
    w->i = fmax(w->i, percent(number(p, NULL, "i_a"), r->i, r->i));
    w->p = fmax(w->p, percent(number(p, NULL, "p_w"), r->p, r->p));
    w->q1 = fmax(w->q1, percent(number(p, NULL, "q_var"), r->q1, r->s));
    w->thd = fmax(w->thd, fabs(number(p, NULL, "thd_u_pct") - r->thd_u));
    w->thd = fmax(w->thd, fabs(number(p, NULL, "thd_i_pct") - r->thd_i));
}

static void print(const char *name, const struct worst *w)
{
    print_message(
        "%-34s worst: U %.5f %%, I %.5f %%, P %.5f %%, Q1 %.5f %% of S, THD %.4f points\n", name,
        w->u, w->i, w->p, w->q1, w->thd);
}

/* ---- recordings of the shared facts ---- */

static void keating_agrees(const char *repeat, double seconds)
{
    char cfg[512], dat[512];
    struct waves waves;
    struct reference r[3];
    struct worst w = {0};
    double watts = 0;
    if (!shared_path(cfg, sizeof cfg, "waveforms/ion7650/keating_1999.CFG") ||
        !shared_path(dat, sizeof dat, "waveforms/ion7650/keating_1999.DAT"))
        skip();
    waves_read_comtrade(&waves, cfg, dat);
    json_t *j = replay(cfg, repeat);
    for (size_t p = 0; p < 3; p++) {
        reference_of(waves.x[4 + p], waves.x[p], (double)waves.n, 4, &r[p]);
        compare(j, p, &r[p], &w);
        watts += r[p].p;
    }
    print("keating_1999", &w);
    /* the bar is ten times that; a coherent record is to be repeated as it was sampled */
    assert_true(w.u < 0.002 && w.i < 0.002 && w.p < 0.002 && w.q1 < 0.005 && w.thd < 0.005);
    assert_true(fabs(number(j, NULL, "frequency_hz") - waves.rate / 512) < 0.0005);
    assert_true(fabs(number(j, NULL, "seconds") - seconds) < 1 / waves.rate);
    double error = percent(number(j, "energy", "active_import_wh"), watts * seconds / 3600,
                           watts * seconds / 3600);
    print_message("energy %.5f %%\n", error);
    assert_true(error < 0.05);
    assert_true(number(j, "energy", "active_export_wh") == 0);
    json_decref(j);
    waves_free(&waves);
}

static void replay_agrees_with_the_samples_when_a_record_is_repeated(void **state)
{
    (void)state;
    keating_agrees("6.66944276", 100 * 2048 / 30707.244140625);
}

static void replay_agrees_with_the_samples_when_a_record_is_played_once(void **state)
{
    (void)state;
    keating_agrees(NULL, 2048 / 30707.244140625);
}

static void mhkit_agrees(const char *repeat)
{
    char path[512];
    struct waves waves;
    struct reference r;
    struct worst w = {0};
    double watts = 0;
    if (!shared_path(path, sizeof path, "waveforms/mhkit/2020224_181521_PowRaw.csv"))
        skip();
    waves_read_csv(&waves, path, 49999.5);
    double f = reference_frequency(waves.x[0], waves.n, 59.97 / waves.rate);
    double cycles = floor((double)waves.n * f), span = cycles / f;
    json_t *j = replay(path, repeat);
    for (size_t p = 0; p < 3; p++) {
        reference_of(waves.x[p], waves.x[3 + p], span, cycles, &r);
        compare(j, p, &r, &w);
        watts += r.p;
    }
    print("mhkit", &w);
    assert_true(w.u < 0.1 && w.i < 0.1 && w.p < 0.1 && w.q1 < 0.1 && w.thd < 0.05);
    double wh = watts * number(j, NULL, "seconds") / 3600;
    double error = percent(-number(j, "energy", "active_export_wh"), wh, wh);
    print_message("%.4f Hz; energy %.5f %%\n", f * waves.rate, error);
    assert_true(error < 0.1);
    assert_true(number(j, "energy", "active_import_wh") == 0);
    json_decref(j);
    waves_free(&waves);
}

static void replay_counts_export_when_a_generator_feeds(void **state)
{
    (void)state;
    mhkit_agrees("6");
    mhkit_agrees(NULL);
}

static bool is_number_after(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    return at != NULL && at[strlen(word)] >= '0' && at[strlen(word)] <= '9';
}

/* Exit code 0 with a document, or 4 with file and reason. */
static void check_file(const char *path, unsigned *n_read, unsigned *n_refused)
{
    struct outcome o = ferraris("replay", "--json", path, NULL);
    if (o.code == 0) {
        json_t *j = json_loads(o.out, 0, NULL);
        assert_non_null(j);
        json_decref(j);
        ++*n_read;
    } else {
        outcome_expect(&o, 4, path);
        assert_true(is_number_after(o.err, " line ") || is_number_after(o.err, " byte ") ||
                    strstr(o.err, "by its ending") != NULL);
        ++*n_refused;
    }
    outcome_free(&o);
}

static void check_below(const char *path, unsigned *n_read, unsigned *n_refused)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char name[1024];
        struct stat s;
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        assert_int_equal(stat(name, &s), 0);
        if (S_ISDIR(s.st_mode))
            check_below(name, n_read, n_refused); /* two levels, ours */
        else
            check_file(name, n_read, n_refused);
    }
    closedir(d);
}

static void replay_reads_or_refuses_with_a_reason_when_given_any_file(void **state)
{
    char path[512];
    unsigned n_read = 0, n_refused = 0;
    (void)state;
    if (!shared_path(path, sizeof path, "waveforms"))
        skip();
    check_below(path, &n_read, &n_refused);
    print_message("%u files read, %u refused\n", n_read, n_refused);
    assert_true(n_read >= 9 && n_refused > 0);
}

/* ---- files written here ---- */

/* One phase: u, i with harmonics 1, 3, 5, 7, a direct component and noise. */
struct made {
    const char *name;
    enum { MADE_BINARY, MADE_ASCII, MADE_FLOAT32, MADE_CSV } format;
    double rate, hz, cycles;
    double start; /* of the first sample, in cycles */
    double lag;   /* of the current, in degrees */
    int top;      /* highest harmonic */
    double noise; /* of the peak */
};

static const int orders[] = {1, 3, 5, 7};
static const double u_part[] = {1, 0.03, 0.02, 0.01}, i_part[] = {1, 0.15, 0.08, 0.05};
#define U_PEAK (230 * 1.41421356237)
#define I_PEAK (8 * 1.41421356237)
#define U_DC   1.5
#define I_DC   0.6

static double wave(const struct made *m, bool current, double t)
{
    double x = 0;
    for (int k = 0; k < 4 && orders[k] <= m->top; k++) {
        double angle = 2 * PI * orders[k] * (m->hz * t + m->start) + 0.4 * k;
        x += current ? i_part[k] * sin(angle - orders[k] * m->lag * PI / 180)
                     : u_part[k] * sin(angle);
    }
    double noise = m->noise * (2.0 * rand() / RAND_MAX - 1);
    return (x + noise) * (current ? I_PEAK : U_PEAK) + (current ? I_DC : U_DC);
}

static void truth(const struct made *m, struct reference *r)
{
    double uu = 0, ii = 0;
    *r = (struct reference){0};
    for (int k = 0; k < 4 && orders[k] <= m->top; k++) {
        uu += u_part[k] * u_part[k];
        ii += i_part[k] * i_part[k];
        r->p += U_PEAK * I_PEAK / 2 * u_part[k] * i_part[k] * cos(orders[k] * m->lag * PI / 180);
    }
    r->u = U_PEAK * sqrt((uu + m->noise * m->noise / 3 * 2) / 2);
    r->i = I_PEAK * sqrt((ii + m->noise * m->noise / 3 * 2) / 2);
    r->s = r->u * r->i;
    r->q1 = U_PEAK * I_PEAK / 2 * sin(m->lag * PI / 180);
    r->thd_u = 100 * sqrt(uu - 1);
    r->thd_i = 100 * sqrt(ii - 1);
}

static void write_cfg(const struct made *m, unsigned n, double u_lsb, double i_lsb)
{
    static const char *const word[] = {"BINARY", "ASCII", "FLOAT32"};
    FILE *f = fopen("made.cfg", "w");
    assert_non_null(f);
    fprintf(f, "station,device,%d\r\n2,2A,0D\r\n", m->format == MADE_FLOAT32 ? 2013 : 1999);
    fprintf(f, "1,UA,A,,V,%.9g,0,0,-32767,32767,1,1,P\r\n", u_lsb);
    fprintf(f, "2,IA,A,,A,%.9g,0,0,-32767,32767,1,1,P\r\n", i_lsb);
    fprintf(f, "50\r\n1\r\n%.9g,%u\r\n", m->rate, n);
    fprintf(f, "01/01/2026,00:00:00.000000\r\n01/01/2026,00:00:00.000000\r\n%s\r\n1\r\n",
            word[m->format]);
    if (m->format == MADE_FLOAT32)
        fprintf(f, "0,0\r\n0,0\r\n");
    fclose(f);
}

static void write_dat(const struct made *m, unsigned n, double u_lsb, double i_lsb)
{
    FILE *f = fopen("made.dat", "wb");
    assert_non_null(f);
    for (unsigned k = 0; k < n; k++) {
        double t = k / m->rate, u = wave(m, false, t) / u_lsb, i = wave(m, true, t) / i_lsb;
        uint32_t head[2] = {k + 1, (uint32_t)lround(t * 1e6)};
        int16_t raw[2] = {(int16_t)lround(u), (int16_t)lround(i)};
        float real[2] = {(float)u, (float)i};
        if (m->format == MADE_ASCII) {
            fprintf(f, "%u,%u,%d,%d\r\n", head[0], head[1], raw[0], raw[1]);
            continue;
        }
        fwrite(head, sizeof head, 1, f);
        if (m->format == MADE_BINARY)
            fwrite(raw, sizeof raw, 1, f);
        else
            fwrite(real, sizeof real, 1, f);
    }
    fclose(f);
}

static void write_csv(const struct made *m, unsigned n)
{
    FILE *f = fopen("made.csv", "w");
    assert_non_null(f);
    fprintf(f, "time,ua,ia\n");
    for (unsigned k = 0; k < n; k++)
        fprintf(f, "%.9f,%.6f,%.7f\n", k / m->rate, wave(m, false, k / m->rate),
                wave(m, true, k / m->rate));
    fclose(f);
}

static const char *make(const struct made *m)
{
    unsigned n = (unsigned)lround(m->cycles * m->rate / m->hz);
    srand(7);
    if (m->format == MADE_CSV) {
        write_csv(m, n);
        return "made.csv";
    }
    bool real = m->format == MADE_FLOAT32;
    double u_lsb = real ? 1 : 1.3 * U_PEAK / 32000, i_lsb = real ? 1 : 1.4 * I_PEAK / 32000;
    write_cfg(m, n, u_lsb, i_lsb);
    write_dat(m, n, u_lsb, i_lsb);
    return "made.cfg";
}

static void made_agrees(const struct made *m, const char *repeat)
{
    struct reference r;
    struct worst w = {0};
    truth(m, &r);
    json_t *j = replay(make(m), repeat);
    compare(j, 0, &r, &w);
    print(m->name, &w);
    if (w.u > 0.1 || w.i > 0.1 || w.p > 0.1 || w.q1 > 0.1 || w.thd > 0.1)
        fail_msg("%s is off", m->name);
    json_decref(j);
}

static void replay_measures_what_a_file_was_made_from(void **state)
{
    static const struct made rows[] = {
        {"BINARY 8 kHz 49.7 Hz, 2 s", MADE_BINARY, 8000, 49.7, 99.4, 0.13, 30, 7, 0.001},
        {"ASCII 6.4 kHz 50.2 Hz, 1 s", MADE_ASCII, 6400, 50.2, 50.2, 0.7, 60, 7, 0},
        {"CSV 12.8 kHz 50.05 Hz, 0.5 s", MADE_CSV, 12800, 50.05, 25.025, 0.4, -45, 7, 0.001},
        {"FLOAT32 64 kHz 60.1 Hz, 0.3 s", MADE_FLOAT32, 64000, 60.1, 18.03, 0.9, 150, 7, 0},
        {"CSV 500 Hz 49.7 Hz, 4 s", MADE_CSV, 500, 49.7, 198.8, 0.25, 20, 3, 0},
    };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        made_agrees(&rows[k], NULL);
}

static void replay_is_right_over_whole_cycles_when_a_file_is_short(void **state)
{
    static const struct made rows[] = {
        {"4.4 cycles, 8 kHz 49.7 Hz", MADE_BINARY, 8000, 49.7, 4.4, 0.13, 30, 7, 0},
        {"5.0 cycles, 8 kHz 50.3 Hz", MADE_BINARY, 8000, 50.3, 5.0, 0.3, 30, 7, 0.001},
        {"7.7 cycles, 3.2 kHz 49.7 Hz", MADE_ASCII, 3200, 49.7, 7.7, 0.6, 60, 7, 0},
        {"9.99 cycles, 1 kHz 50.1 Hz", MADE_CSV, 1000, 50.1, 9.99, 0.8, 30, 7, 0},
        {"10 cycles, 12.8 kHz 50.7 Hz", MADE_CSV, 12800, 50.7, 10, 0.05, -30, 7, 0},
        {"4.2 cycles, 64 kHz 60.1 Hz", MADE_FLOAT32, 64000, 60.1, 4.2, 0.45, 150, 7, 0},
        {"8.3 cycles, 500 Hz 49.7 Hz", MADE_CSV, 500, 49.7, 8.3, 0.25, 20, 3, 0},
    };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        made_agrees(&rows[k], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_agrees_with_the_samples_when_a_record_is_repeated),
        cmocka_unit_test(replay_agrees_with_the_samples_when_a_record_is_played_once),
        cmocka_unit_test(replay_counts_export_when_a_generator_feeds),
        cmocka_unit_test(replay_reads_or_refuses_with_a_reason_when_given_any_file),
        cmocka_unit_test(replay_measures_what_a_file_was_made_from),
        cmocka_unit_test(replay_is_right_over_whole_cycles_when_a_file_is_short),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
