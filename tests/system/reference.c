/* See reference.h. */
#include "tests/system/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI      3.14159265358979323846
#define ROW_MAX 1024

static void waves_alloc(struct waves *w, size_t n_channels, size_t n)
{
    assert_true(n_channels <= REFERENCE_CHANNELS && n > 0);
    w->n_channels = n_channels;
    w->n = n;
    for (size_t c = 0; c < n_channels; c++) {
        w->x[c] = calloc(n, sizeof *w->x[c]);
        assert_non_null(w->x[c]);
    }
}

void waves_free(struct waves *w)
{
    for (size_t c = 0; c < w->n_channels; c++)
        free(w->x[c]);
    memset(w, 0, sizeof *w);
}

/* The text after the k-th comma. */
static const char *field(const char *row, int k)
{
    for (; k > 0; k--) {
        row = strchr(row, ',');
        assert_non_null(row);
        row++;
    }
    return row;
}

static FILE *open_or_fail(const char *path)
{
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    return f;
}

void waves_read_comtrade(struct waves *w, const char *cfg, const char *dat)
{
    char row[ROW_MAX];
    double a[REFERENCE_CHANNELS], b[REFERENCE_CHANNELS];
    size_t n_channels = 0, n = 0;
    FILE *f = open_or_fail(cfg);
    assert_non_null(fgets(row, sizeof row, f));
    assert_non_null(fgets(row, sizeof row, f));
    n_channels = (size_t)atoi(row);
    assert_true(n_channels <= REFERENCE_CHANNELS);
    for (size_t c = 0; c < n_channels; c++) {
        assert_non_null(fgets(row, sizeof row, f));
        a[c] = atof(field(row, 5));
        b[c] = atof(field(row, 6));
    }
    for (int skip = 0; skip < 3; skip++) /* line frequency, number of rates, the rate */
        assert_non_null(fgets(row, sizeof row, f));
    w->rate = atof(row);
    n = (size_t)atol(field(row, 1));
    fclose(f);
    waves_alloc(w, n_channels, n);
    f = open_or_fail(dat);
    for (size_t k = 0; k < n; k++) {
        assert_non_null(fgets(row, sizeof row, f));
        for (size_t c = 0; c < n_channels; c++)
            w->x[c][k] = a[c] * atof(field(row, (int)c + 2)) + b[c];
    }
    fclose(f);
}

void waves_read_csv(struct waves *w, const char *path, double rate)
{
    char row[ROW_MAX];
    size_t n = 0, n_channels = 0;
    FILE *f = open_or_fail(path);
    assert_non_null(fgets(row, sizeof row, f));
    for (const char *at = strchr(row, ','); at != NULL; at = strchr(at + 1, ','))
        n_channels++;
    while (fgets(row, sizeof row, f) != NULL)
        n++;
    rewind(f);
    assert_non_null(fgets(row, sizeof row, f));
    waves_alloc(w, n_channels, n);
    w->rate = rate;
    for (size_t k = 0; k < n; k++) {
        assert_non_null(fgets(row, sizeof row, f));
        for (size_t c = 0; c < n_channels; c++)
            w->x[c][k] = atof(field(row, (int)c + 1));
    }
    fclose(f);
}

/* Mean of x*y over the span. */
static double mean_of(const double *x, const double *y, double span)
{
    double sum = 0;
    for (size_t k = 0; (double)k < span; k++)
        sum += x[k] * (y ? y[k] : 1) * fmin(1, span - (double)k);
    return sum / span;
}

/* rms phasor of line h. */
static void line_of(const double *x, double span, double cycles, int h, double *re, double *im)
{
    *re = *im = 0;
    for (size_t k = 0; (double)k < span; k++) {
        double angle = 2 * PI * cycles * h * (double)k / span;
        double part = x[k] * fmin(1, span - (double)k) * sqrt(2) / span;
        *re += part * cos(angle);
        *im -= part * sin(angle);
    }
}

static double thd_of(const double *x, double span, double cycles)
{
    double re, im, one, rest = 0;
    line_of(x, span, cycles, 1, &re, &im);
    one = re * re + im * im;
    for (int h = 2; h <= 40; h++) {
        line_of(x, span, cycles, h, &re, &im);
        rest += re * re + im * im;
    }
    return 100 * sqrt(rest / one);
}

void reference_of(const double *u, const double *i, double span, double cycles,
                  struct reference *out)
{
    double u_dc = mean_of(u, NULL, span), i_dc = mean_of(i, NULL, span);
    double u_re, u_im, i_re, i_im;
    out->u = sqrt(mean_of(u, u, span) - u_dc * u_dc);
    out->i = sqrt(mean_of(i, i, span) - i_dc * i_dc);
    out->p = mean_of(u, i, span) - u_dc * i_dc;
    out->s = out->u * out->i;
    line_of(u, span, cycles, 1, &u_re, &u_im);
    line_of(i, span, cycles, 1, &i_re, &i_im);
    out->q1 = u_im * i_re - u_re * i_im;
    out->thd_u = thd_of(u, span, cycles);
    out->thd_i = thd_of(i, span, cycles);
}

/* Power that a sine of `f` explains in x: projection on 1, cos, sin (normal equations). */
static double explained(const double *x, size_t n, double f)
{
    double m[3][4] = {{0}};
    for (size_t k = 0; k < n; k++) {
        double row[4] = {1, cos(2 * PI * f * (double)k), sin(2 * PI * f * (double)k), x[k]};
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 4; c++)
                m[r][c] += row[r] * row[c];
    }
    const double right[3] = {m[0][3], m[1][3], m[2][3]};
    for (int p = 0; p < 3; p++)
        for (int r = 0; r < 3; r++) {
            double by = r == p ? 0 : m[r][p] / m[p][p];
            for (int c = p; c < 4; c++)
                m[r][c] -= by * m[p][c];
        }
    double power = 0;
    for (int r = 0; r < 3; r++)
        power += right[r] * m[r][3] / m[r][r];
    return power;
}

double reference_frequency(const double *x, size_t n, double guess)
{
    double low = guess * 0.99, high = guess * 1.01;
    for (int k = 0; k < 60; k++) { /* ternary search: one hump within a lobe */
        double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (explained(x, n, a) < explained(x, n, b))
            low = a;
        else
            high = b;
    }
    return (low + high) / 2;
}

double percent(double a, double b, double scale)
{
    return 100 * fabs(a - b) / fabs(scale);
}
