/* COMTRADE in memory and in a temporary folder: every data format, rate table, and way to be
 * broken. */
#include "sim/comtrade.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#define N 40 /* sample-sets of the recordings written here */

static char message[300];
static const struct fault fault = {message, sizeof message};

struct file {
    char p[8000];
    size_t len;
};

static void put(struct file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct file *f, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    f->len += (size_t)vsnprintf(f->p + f->len, sizeof f->p - f->len, format, ap);
    va_end(ap);
}

static void put_little(struct file *f, uint32_t v, size_t n)
{
    for (size_t k = 0; k < n; k++, v >>= 8)
        f->p[f->len++] = (char)v;
}

/* Two analog channels and 17 digital ones (two words), values that every format can hold. */
static int raw(size_t channel, size_t k)
{
    return (int)((k * 7919 + channel * 1237) % 4000) - 2000;
}

static double value(size_t channel, size_t k)
{
    return channel ? 0.25 * raw(1, k) - 3 : 0.5 * raw(0, k) + 1;
}

static void put_cfg(struct file *f, int year, const char *rates, const char *format)
{
    put(f, year == 1991 ? "station,7\r\n" : "station,7,%d\r\n", year);
    put(f, " 19, 2A, 17D\r\n");
    put(f, "1,VA,A,,V,0.5,1,0,-99999,99998%s\r\n", year == 1991 ? "" : ",100.0,1.0,S");
    put(f, "2, IA ,A,,kA,2.5E-1,-3,0,-99999,99998%s\r\n", year == 1991 ? "" : ",200,5,p");
    for (int k = 1; k <= 17; k++)
        put(f, "%d,D%d,,,0\r\n", k, k);
    put(f, "50\r\n%s", rates);
    put(f, "01/02/2020,03:04:05.000000\r\n01/02/2020,03:04:05.000100\r\n%s\r\n", format);
    if (year != 1991)
        put(f, "1\r\n");
}

static void put_digitals(struct file *f)
{
    for (int k = 0; k < 17; k++)
        put(f, ",%d", k % 2);
}

static void put_ascii(struct file *f, bool stamps)
{
    for (size_t k = 0; k < N; k++) {
        if (stamps)
            put(f, "%zu,%zu,%d,%d", k + 1, k * 500, raw(0, k), raw(1, k));
        else
            put(f, "%zu,,%d, %d", k + 1, raw(0, k), raw(1, k));
        put_digitals(f);
        put(f, "\r\n");
    }
}

static void put_binary(struct file *f, const char *format)
{
    for (uint32_t k = 0; k < N; k++) {
        put_little(f, k + 1, 4);
        put_little(f, UINT32_MAX - 5000 + 500 * k, 4); /* wraps on the way */
        for (size_t c = 0; c < 2; c++) {
            int v = raw(c, k);
            uint32_t bits = (uint32_t)v;
            float x = (float)v;
            if (strcmp(format, "FLOAT32") == 0)
                memcpy(&bits, &x, sizeof bits);
            put_little(f, bits, strcmp(format, "BINARY") == 0 ? 2 : 4);
        }
        put_little(f, 0xAAAA, 2);
        put_little(f, 1, 2);
    }
}

static enum err parse(const struct file *cfg, const struct file *dat, struct recording *r)
{
    struct comtrade_parts p = {.cfg_name = "x.cfg",
                               .dat_name = "x.dat",
                               .cfg = cfg->p,
                               .cfg_len = cfg->len,
                               .dat = dat->p,
                               .dat_len = dat->len};
    message[0] = '\0';
    return comtrade_parse(&p, r, &fault);
}

static void assert_values(const struct recording *r)
{
    assert_int_equal(r->n_channels, 2);
    assert_int_equal(r->n, N);
    for (size_t c = 0; c < 2; c++)
        for (size_t k = 0; k < N; k++)
            assert_true(fabs(r->channel[c].sample[k] - value(c, k)) < 1e-9);
}

static void comtrade_gives_every_value_in_each_format_and_edition(void **state)
{
    (void)state;
    static const struct {
        int year;
        const char *format;
    } cases[] = {{1991, "ASCII"}, {1991, "binary"}, {1999, "ascii"},    {1999, "BINARY"},
                 {2013, "ASCII"}, {2013, "BINARY"}, {2013, "BINARY32"}, {2013, "FLOAT32"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        static struct file cfg, dat;
        struct recording r;
        cfg.len = dat.len = 0;
        put_cfg(&cfg, cases[k].year, "1\r\n2000,40\r\n", cases[k].format);
        if (strcasecmp(cases[k].format, "ascii") == 0)
            put_ascii(&dat, false);
        else
            put_binary(&dat, cases[k].format[0] == 'b' ? "BINARY" : cases[k].format);
        assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
        assert_values(&r);
        assert_int_equal(r.n_rates, 1);
        assert_true(r.rate[0].hz == 2000 && r.line_hz == 50);
        assert_string_equal(r.channel[1].name, "IA");
        assert_string_equal(r.channel[1].unit, "kA");
        assert_int_equal(r.channel[0].side, cases[k].year == 1991 ? 0 : 'S');
        assert_true(r.channel[1].primary == (cases[k].year == 1991 ? 0 : 200));
        recording_free(&r);
    }
}

static void comtrade_takes_rates_from_the_table_or_the_stamps(void **state)
{
    (void)state;
    static struct file cfg, dat, bin;
    struct recording r;
    put_ascii(&dat, true);
    put_binary(&bin, "BINARY");
    put_cfg(&cfg, 1999, "3\r\n1000,10\r\n2000,30\r\n4000,40\r\n", "ASCII");
    assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
    assert_int_equal(r.n_rates, 3);
    assert_true(fabs(recording_time(&r, 40) - (0.01 + 0.01 + 0.0025)) < 1e-12);
    assert_true(fabs(recording_time(&r, 15) - (0.01 + 0.0025)) < 1e-12);
    recording_free(&r);
    const char *rates[] = {"0\r\n0,40\r\n", "1\r\n0,40\r\n"};
    for (int k = 0; k < 4; k++) {
        cfg.len = 0;
        put_cfg(&cfg, 1999, rates[k % 2], k < 2 ? "ASCII" : "BINARY");
        assert_int_equal(parse(&cfg, k < 2 ? &dat : &bin, &r), ERR_OK);
        assert_int_equal(r.n_rates, 1);
        assert_true(fabs(r.rate[0].hz - 2000) < 1e-6);
        recording_free(&r);
    }
}

static void comtrade_refuses_uneven_stamps_where_no_rate_is_given(void **state)
{
    (void)state;
    static struct file cfg, dat;
    struct recording r;
    put_cfg(&cfg, 1999, "0\r\n0,40\r\n", "ASCII");
    put_ascii(&dat, true);
    char *at = strstr(dat.p, "\n21,10000,");
    assert_non_null(at);
    memcpy(at, "\n21,10400,", 10);
    assert_int_equal(parse(&cfg, &dat, &r), ERR_FORMAT);
    assert_non_null(strstr(message, "x.dat sample-set 21"));
    recording_free(&r);
}

static void comtrade_accepts_dos_end_blank_lines_and_a_missing_last_newline(void **state)
{
    (void)state;
    static struct file cfg, dat, blank;
    struct recording r;
    put_cfg(&cfg, 1999, "1\r\n2000,40\r\n", "ASCII");
    put_ascii(&dat, false);
    put(&dat, "\x1A\r\n");
    assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
    assert_values(&r);
    assert_string_equal(r.note, "");
    recording_free(&r);
    dat.len -= 5; /* the 0x1A, its line end and that of the last sample-set */
    assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
    assert_values(&r);
    recording_free(&r);
    for (size_t k = 0; k < dat.len; k++) {
        blank.p[blank.len++] = dat.p[k];
        if (dat.p[k] == '\n')
            put(&blank, "\n");
    }
    assert_int_equal(parse(&cfg, &blank, &r), ERR_OK);
    assert_values(&r);
    recording_free(&r);
}

static void comtrade_names_the_place_when_cut_at_any_line(void **state)
{
    (void)state;
    static struct file cfg, dat;
    struct recording r;
    put_cfg(&cfg, 1999, "1\r\n2000,40\r\n", "ASCII");
    put_ascii(&dat, false);
    size_t lines = 0, whole = cfg.len;
    for (size_t k = 0; k < whole; k++) {
        if (k && cfg.p[k - 1] != '\n')
            continue;
        cfg.len = k;
        enum err err = parse(&cfg, &dat, &r);
        char place[40];
        snprintf(place, sizeof place, "x.cfg line %zu:", ++lines);
        if (lines < 28) { /* the last line is the stamp multiplier, which may be missing */
            assert_int_equal(err, ERR_TRUNCATED);
            assert_non_null(strstr(message, place));
        }
        recording_free(&r);
    }
    cfg.len = whole;
    assert_int_equal(lines, 28);
    lines = 0;
    for (size_t k = 0; k < dat.len; k++) {
        if (k && dat.p[k - 1] != '\n')
            continue;
        struct file cut = dat;
        cut.len = k;
        char place[80];
        snprintf(place, sizeof place, "x.dat line %zu: the data end after %zu of 40", lines + 1,
                 lines);
        assert_int_equal(parse(&cfg, &cut, &r), ERR_TRUNCATED);
        assert_non_null(strstr(message, place));
        recording_free(&r);
        lines++;
    }
    assert_int_equal(lines, N);
}

static void comtrade_tells_expected_and_found_when_binary_data_are_short(void **state)
{
    (void)state;
    static struct file cfg, dat;
    struct recording r;
    put_cfg(&cfg, 1999, "1\r\n2000,40\r\n", "BINARY");
    put_binary(&dat, "BINARY");
    assert_int_equal(dat.len, N * 16);
    dat.len -= 1;
    assert_int_equal(parse(&cfg, &dat, &r), ERR_TRUNCATED);
    assert_non_null(
        strstr(message, "x.dat byte 639: the data end after 39 of 40 sample-sets of 16"));
    recording_free(&r);
}

static void comtrade_notes_more_data_than_promised(void **state)
{
    (void)state;
    static struct file cfg, dat;
    struct recording r;
    put_cfg(&cfg, 1999, "1\r\n2000,30\r\n", "ASCII");
    put_ascii(&dat, false);
    assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
    assert_int_equal(r.n, 30);
    assert_non_null(strstr(r.note, "more than the promised 30"));
    recording_free(&r);
}

static void comtrade_refuses_nan_and_infinity_with_their_place(void **state)
{
    (void)state;
    static const char *const bad[] = {" NaN", "-inf", "1e999", "1.#QNAN", "0x10", "abc"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        static struct file cfg, dat;
        struct recording r;
        cfg.len = dat.len = 0;
        put_cfg(&cfg, 2013, "1\r\n2000,2\r\n", "ASCII");
        put(&dat,
            "1,,5,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n2,,7,%s,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n",
            bad[k]);
        assert_int_equal(parse(&cfg, &dat, &r), ERR_FORMAT);
        assert_non_null(strstr(message, "x.dat line 2 field 4"));
        recording_free(&r);
    }
    static struct file cfg, dat;
    struct recording r;
    put_cfg(&cfg, 2013, "1\r\n2000,40\r\n", "FLOAT32");
    put_binary(&dat, "FLOAT32");
    memcpy(dat.p + 20 * 7 + 12, "\x00\x00\xC0\x7F", 4);
    assert_int_equal(parse(&cfg, &dat, &r), ERR_FORMAT);
    assert_non_null(strstr(message, "x.dat byte 152: sample-set 8 of channel IA"));
    recording_free(&r);
}

static void comtrade_makes_gaps_of_missing_values(void **state)
{
    (void)state;
    static struct file cfg, dat, bin, bin_cfg;
    struct recording r;
    size_t filled, bad;
    put_cfg(&cfg, 1999, "1\r\n2000,3\r\n", "ASCII");
    static const char *const values[] = {"10,99999", "99999,", "30,7"};
    for (size_t k = 0; k < 3; k++) {
        put(&dat, "%zu,,%s", k + 1, values[k]);
        put_digitals(&dat);
        put(&dat, "\n");
    }
    assert_int_equal(parse(&cfg, &dat, &r), ERR_OK);
    assert_true(isnan(r.channel[0].sample[1]) && isnan(r.channel[1].sample[0]));
    assert_int_equal(recording_fill_gaps(&r, 0, &filled, &bad), ERR_OK);
    assert_true(filled == 1 && fabs(r.channel[0].sample[1] - (0.5 * 20 + 1)) < 1e-12);
    assert_int_equal(recording_fill_gaps(&r, 1, &filled, &bad), ERR_FORMAT);
    assert_int_equal(bad, 0);
    recording_free(&r);
    put_cfg(&bin_cfg, 1999, "1\r\n2000,40\r\n", "BINARY");
    put_binary(&bin, "BINARY");
    memcpy(bin.p + 16 * 3 + 8, "\x00\x80", 2);
    assert_int_equal(parse(&bin_cfg, &bin, &r), ERR_OK);
    assert_true(isnan(r.channel[0].sample[3]) && !isnan(r.channel[0].sample[4]));
    recording_free(&r);
}

static void comtrade_says_what_is_wrong_in_a_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *said;
    } cases[] = {{" 2A", " 2X", "line 2: expected channel counts"},
                 {" 2A", " 0A", "line 2: no analog channels"},
                 {",0.5,", ",0,5x,", "line 3: expected a finite number, found '5x'"},
                 {",0.5,", ",nan,", "line 3: expected a finite number, found 'nan'"},
                 {"2000,40", "-2000,40", "line 24: expected a sample rate"},
                 {"2000,40", "2000,0", "line 24: expected a last sample above"},
                 {"ASCII", "ASKII", "line 27: expected ASCII, BINARY"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        static struct file cfg, dat, changed;
        struct recording r;
        cfg.len = dat.len = changed.len = 0;
        put_cfg(&cfg, 1999, "1\r\n2000,40\r\n", "ASCII");
        put_ascii(&dat, false);
        char *at = strstr(cfg.p, cases[k].from);
        put(&changed, "%.*s%s%s", (int)(at - cfg.p), cfg.p, cases[k].to,
            at + strlen(cases[k].from));
        assert_int_not_equal(parse(&changed, &dat, &r), ERR_OK);
        if (!strstr(message, cases[k].said))
            fail_msg("'%s' does not say '%s'", message, cases[k].said);
        recording_free(&r);
    }
}

static void write_file(const char *path, const struct file *f)
{
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(f->p, 1, f->len, to), f->len);
    fclose(to);
}

static void comtrade_finds_the_companion_in_either_case_and_reads_a_single_file(void **state)
{
    (void)state;
    static struct file cfg, dat, cff;
    char folder[] = "/tmp/comtrade-XXXXXX", path[3][64];
    struct recording r;
    assert_non_null(mkdtemp(folder));
    snprintf(path[0], sizeof path[0], "%s/a.CFG", folder);
    snprintf(path[1], sizeof path[1], "%s/a.dat", folder);
    snprintf(path[2], sizeof path[2], "%s/a.cff", folder);
    put_cfg(&cfg, 2013, "1\r\n2000,40\r\n", "BINARY32");
    put_binary(&dat, "BINARY32");
    write_file(path[0], &cfg);
    assert_int_equal(comtrade_load(path[0], &r, &fault), ERR_IO);
    assert_non_null(strstr(message, "dat file is missing"));
    write_file(path[1], &dat);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(comtrade_load(path[k], &r, &fault), ERR_OK);
        assert_values(&r);
        recording_free(&r);
    }
    put(&cff, "--- file type: CFG ---\r\n%s--- file type: INF ---\r\n\r\n", cfg.p);
    put(&cff, "--- file type: DAT BINARY32: %zu ---\r\n", dat.len);
    memcpy(cff.p + cff.len, dat.p, dat.len);
    cff.len += dat.len;
    write_file(path[2], &cff);
    assert_int_equal(comtrade_load(path[2], &r, &fault), ERR_OK);
    assert_values(&r);
    recording_free(&r);
    cff.len -= 30;
    write_file(path[2], &cff);
    assert_int_equal(comtrade_load(path[2], &r, &fault), ERR_TRUNCATED);
    recording_free(&r);
    for (int k = 0; k < 3; k++)
        unlink(path[k]);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comtrade_gives_every_value_in_each_format_and_edition),
        cmocka_unit_test(comtrade_takes_rates_from_the_table_or_the_stamps),
        cmocka_unit_test(comtrade_refuses_uneven_stamps_where_no_rate_is_given),
        cmocka_unit_test(comtrade_accepts_dos_end_blank_lines_and_a_missing_last_newline),
        cmocka_unit_test(comtrade_names_the_place_when_cut_at_any_line),
        cmocka_unit_test(comtrade_tells_expected_and_found_when_binary_data_are_short),
        cmocka_unit_test(comtrade_notes_more_data_than_promised),
        cmocka_unit_test(comtrade_refuses_nan_and_infinity_with_their_place),
        cmocka_unit_test(comtrade_makes_gaps_of_missing_values),
        cmocka_unit_test(comtrade_says_what_is_wrong_in_a_configuration),
        cmocka_unit_test(comtrade_finds_the_companion_in_either_case_and_reads_a_single_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
