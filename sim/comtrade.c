/* COMTRADE data files and the pairing of files. See comtrade.h; the configuration is read by
 * comtrade_cfg.c. */
#include "sim/comtrade.h"
#include "sim/comtrade_cfg.h"
#include "sim/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MISSING_ASCII 99999.0
#define PATH_LENGTH   4096
#define STAMPS_OFF    0.005 /* of the time between the first and the last */

struct dat { /* one reading of a data part */
    const struct comtrade_parts *p;
    const struct comtrade_config *c;
    struct recording *out;
    const struct fault *f;
    double *stamp;      /* seconds; NULL when the rates are known */
    double first, last; /* stamps then, in the file's unit; last 0: none */
};

static bool is_missing_ascii(const struct comtrade_config *c, size_t channel, double x)
{
    if (c->edition == 2013 && c->scale[channel].max >= MISSING_ASCII)
        return false; /* 2013 allows larger numbers, and an empty field for a missing one */
    return x == MISSING_ASCII;
}

static enum err refuse_field(const struct dat *d, size_t line, size_t field, struct span found,
                             const char *why)
{
    char shown[41];
    text_copy(shown, sizeof shown, found);
    return fault_set(d->f, ERR_FORMAT, "%s line %zu field %zu: '%s' %s", d->p->dat_name,
                     d->p->dat_line0 + line, field + 1, shown, why);
}

static enum err read_ascii_value(const struct dat *d, const struct text *t, size_t k, size_t field,
                                 struct span text)
{
    size_t ch = field - 2;
    double x;
    enum text_number is = text_real(text, &x);
    if (is == TEXT_NOT_FINITE)
        return refuse_field(d, t->line, field, text, "is not a finite number");
    if (is == TEXT_NO_NUMBER)
        return refuse_field(d, t->line, field, text, "is no number");
    bool missing = is == TEXT_EMPTY || is_missing_ascii(d->c, ch, x);
    d->out->channel[ch].sample[k] = missing ? NAN : d->c->scale[ch].a * x + d->c->scale[ch].b;
    return ERR_OK;
}

static void take_stamp(struct dat *d, size_t k, struct span field)
{
    double x;
    if (text_real(field, &x) == TEXT_NUMBER)
        *(k == 0 ? &d->first : &d->last) = x;
}

/* n,timestamp,A1..Ak,D1..Dm */
static enum err read_ascii_line(struct dat *d, const struct text *t, size_t k, struct span line)
{
    size_t n_fields = 2 + d->out->n_channels + d->c->n_digital, n = 0;
    struct span field;
    while (text_field(&line, ',', &field)) {
        enum err err = ERR_OK;
        if (n == 1 && !d->stamp)
            take_stamp(d, k, field);
        else if (n == 1 && text_real(field, &d->stamp[k]) != TEXT_NUMBER)
            err = refuse_field(d, t->line, n, field,
                               "is no time stamp, and the configuration gives no sample rate");
        else if (n >= 2 && n < 2 + d->out->n_channels)
            err = read_ascii_value(d, t, k, n, field);
        else if (n >= n_fields && field.len)
            err = refuse_field(d, t->line, n, field, "is one field too many");
        if (err)
            return err;
        n++;
    }
    if (n < n_fields)
        return fault_set(d->f, ERR_TRUNCATED, "%s line %zu: %zu of %zu fields", d->p->dat_name,
                         d->p->dat_line0 + t->line, n, n_fields);
    if (d->stamp)
        d->stamp[k] *= d->c->stamp_unit;
    return ERR_OK;
}

static enum err read_ascii(struct dat *d)
{
    struct text t = text_of(d->p->dat, d->p->dat_len);
    struct span line;
    for (size_t k = 0; k < d->out->n; k++) {
        if (!text_line_filled(&t, &line))
            return fault_set(d->f, ERR_TRUNCATED,
                             "%s line %zu: the data end after %zu of %zu sample-sets",
                             d->p->dat_name, d->p->dat_line0 + t.line + 1, k, d->c->n);
        enum err err = read_ascii_line(d, &t, k, line);
        if (err)
            return err;
    }
    if (text_line_filled(&t, &line))
        recording_note(d->out,
                       "%s holds more than the promised %zu sample-sets, the rest is unused",
                       d->p->dat_name, d->out->n);
    return ERR_OK;
}

static uint32_t little32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static size_t width(enum comtrade_format format)
{
    return format == COMTRADE_BINARY ? 2 : 4;
}

static size_t record_size(const struct dat *d)
{
    return 8 + d->out->n_channels * width(d->c->format) + (d->c->n_digital + 15) / 16 * 2;
}

/* One value as a number, NaN when marked as missing; infinite or NaN floats stay what they are. */
static double binary_value(enum comtrade_format format, const uint8_t *p)
{
    if (format == COMTRADE_BINARY) {
        int16_t v = (int16_t)(uint16_t)(p[0] | p[1] << 8);
        return v == INT16_MIN ? (double)NAN : (double)v;
    }
    uint32_t bits = little32(p);
    if (format == COMTRADE_BINARY32)
        return bits == 0x80000000u ? (double)NAN : (double)(int32_t)bits;
    float x;
    memcpy(&x, &bits, sizeof x);
    return (double)x;
}

static enum err read_binary_record(const struct dat *d, size_t k, const uint8_t *p)
{
    size_t w = width(d->c->format);
    for (size_t ch = 0; ch < d->out->n_channels; ch++) {
        const uint8_t *at = p + 8 + ch * w;
        double x = binary_value(d->c->format, at);
        if (d->c->format == COMTRADE_FLOAT32 && !isfinite(x))
            return fault_set(d->f, ERR_FORMAT,
                             "%s byte %zu: sample-set %zu of channel %s is not a finite number",
                             d->p->dat_name,
                             d->p->dat_byte0 + (size_t)(at - (const uint8_t *)d->p->dat), k + 1,
                             d->out->channel[ch].name);
        d->out->channel[ch].sample[k] = d->c->scale[ch].a * x + d->c->scale[ch].b;
    }
    return ERR_OK;
}

/* Stamps are 32 bits wide and wrap: 4.3 s of nanoseconds are soon over. */
static void read_binary_stamp(const struct dat *d, size_t k, const uint8_t *p)
{
    uint32_t now = little32(p + 4);
    if (k == 0) {
        d->stamp[k] = 0;
        return;
    }
    uint32_t before = little32(p + 4 - record_size(d));
    d->stamp[k] = d->stamp[k - 1] + (double)(uint32_t)(now - before) * d->c->stamp_unit;
}

static enum err read_binary(struct dat *d)
{
    size_t size = record_size(d);
    const uint8_t *p = d->p->dat;
    for (size_t k = 0; k < d->out->n; k++, p += size) {
        enum err err = read_binary_record(d, k, p);
        if (err)
            return err;
        if (d->stamp)
            read_binary_stamp(d, k, p);
        else if (k == 0 || k + 1 == d->out->n)
            *(k == 0 ? &d->first : &d->last) = little32(p + 4);
    }
    if (d->p->dat_len - d->out->n * size >= size)
        recording_note(d->out,
                       "%s holds more than the promised %zu sample-sets, the rest is unused",
                       d->p->dat_name, d->out->n);
    return ERR_OK;
}

/* Before memory is taken: can the data part hold what the configuration promises? For ASCII the
 * sets are only limited to what fits, so that reading finds the line where the data end. */
static enum err check_size(const struct dat *d, size_t *n)
{
    *n = d->c->n;
    if (d->c->format == COMTRADE_ASCII) {
        size_t least = 1 + d->out->n_channels + d->c->n_digital; /* separators of a line */
        if (*n > d->p->dat_len / least + 1)
            *n = d->p->dat_len / least + 1;
        return ERR_OK;
    }
    size_t size = record_size(d), found = d->p->dat_len / size;
    if (found >= d->c->n)
        return ERR_OK;
    return fault_set(d->f, ERR_TRUNCATED,
                     "%s byte %zu: the data end after %zu of %zu sample-sets of %zu bytes "
                     "(%zu bytes expected)",
                     d->p->dat_name, d->p->dat_byte0 + d->p->dat_len, found, d->c->n, size,
                     d->c->n * size);
}

/* A rate that the stamps contradict makes every energy wrong by as much. Files without stamps have
 * zeros there; those of 32 bits may have wrapped. */
static void compare_stamps(const struct dat *d)
{
    size_t n = d->out->n;
    double span = (d->last - d->first) * d->c->stamp_unit, steps = (double)n - 1;
    double told = recording_time(d->out, n - 1);
    bool wraps = told > UINT32_MAX * d->c->stamp_unit;
    if (n < 2 || wraps || !(span > 0) || fabs(span - told) <= STAMPS_OFF * told + 2 * told / steps)
        return;
    recording_note(d->out,
                   "the time stamps say %.6g samples per second, the configuration, which counts, "
                   "%.6g",
                   steps / span, steps / told);
}

static enum err read_data(struct dat *d)
{
    size_t n;
    enum err err = check_size(d, &n);
    if (!err)
        err = recording_alloc_samples(d->out, n);
    if (!err && d->c->rate_from_stamps)
        err = (d->stamp = calloc(n, sizeof *d->stamp)) ? ERR_OK : ERR_MEMORY;
    if (!err)
        err = d->c->format == COMTRADE_ASCII ? read_ascii(d) : read_binary(d);
    if (!err && d->stamp) {
        size_t bad;
        err = recording_rates_from_stamps(d->out, d->stamp, &bad);
        if (err == ERR_FORMAT)
            fault_set(d->f, err,
                      "%s sample-set %zu: the time stamps do not advance evenly, and the "
                      "configuration gives no sample rate",
                      d->p->dat_name, bad + 1);
    }
    if (!err && !d->stamp)
        compare_stamps(d);
    free(d->stamp);
    return err;
}

enum err comtrade_parse(const struct comtrade_parts *p, struct recording *out,
                        const struct fault *f)
{
    struct comtrade_config c;
    *out = (struct recording){0};
    enum err err = comtrade_cfg_parse(p, &c, out, f);
    struct dat d = {.p = p, .c = &c, .out = out, .f = f};
    if (!err)
        err = read_data(&d);
    free(c.scale);
    if (err == ERR_MEMORY)
        fault_set(f, err, "%s: out of memory", p->dat_name);
    return err;
}

static enum err load_part(const char *path, char **p, size_t *len, const struct fault *f)
{
    enum err err = text_file(path, p, len);
    if (err == ERR_IO)
        return fault_set(f, err, "%s: %s", path, strerror(errno));
    if (err)
        return fault_set(f, err, "%s: %s", path,
                         err == ERR_UNSUPPORTED ? "over 1 GiB" : err_text(err));
    return ERR_OK;
}

/* Replaces the last three characters by `ext` in the case of the given name first, then others. */
static bool companion(char *path, const char *ext)
{
    char *at = path + strlen(path) - 3;
    bool upper = isupper((unsigned char)at[0]) != 0;
    for (int form = 0; form < 3; form++) {
        for (int k = 0; k < 3; k++) {
            bool up = form == 2 ? k == 0 : (form == 0) == upper;
            at[k] = (char)(up ? toupper((unsigned char)ext[k]) : ext[k]);
        }
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static enum err load_pair(const char *path, struct recording *out, const struct fault *f)
{
    char cfg[PATH_LENGTH], dat[PATH_LENGTH];
    struct comtrade_parts p = {.cfg_name = cfg, .dat_name = dat};
    size_t n = strlen(path);
    if (n >= sizeof cfg)
        return fault_set(f, ERR_UNSUPPORTED, "the path is too long");
    memcpy(cfg, path, n + 1);
    memcpy(dat, path, n + 1);
    bool is_dat = strcasecmp(path + n - 3, "dat") == 0;
    char *cfg_text = NULL, *dat_text = NULL;
    if (access(path, R_OK) != 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (is_dat ? !companion(cfg, "cfg") : !companion(dat, "dat"))
        return fault_set(f, ERR_IO, "%s: its %s file is missing", path, is_dat ? "cfg" : "dat");
    enum err err = load_part(cfg, &cfg_text, &p.cfg_len, f);
    if (!err)
        err = load_part(dat, &dat_text, &p.dat_len, f);
    p.cfg = cfg_text;
    p.dat = dat_text;
    if (!err)
        err = comtrade_parse(&p, out, f);
    free(cfg_text);
    free(dat_text);
    return err;
}

/* A section line "--- file type: DAT BINARY: 1234 ---" in a CFF; `is` is what follows the colon. */
static bool section_is(struct span line, const char *is)
{
    static const char mark[] = "--- file type:";
    if (line.len < sizeof mark - 1 || strncasecmp(line.p, mark, sizeof mark - 1) != 0)
        return false;
    struct span rest =
        text_trim((struct span){line.p + sizeof mark - 1, line.len - (sizeof mark - 1)});
    return rest.len >= strlen(is) && strncasecmp(rest.p, is, strlen(is)) == 0;
}

/* CFF, clause 6 of C37.111-2013: CFG, INF and HDR as text, then DAT to the end of the file. */
static enum err load_single(const char *path, struct recording *out, const struct fault *f)
{
    struct comtrade_parts p = {.cfg_name = path, .dat_name = path};
    char *all;
    size_t len;
    enum err err = load_part(path, &all, &len, f);
    if (err)
        return err;
    struct text t = text_of(all, len);
    struct span line;
    bool in_cfg = false;
    while (!p.dat && text_line(&t, &line)) {
        if (in_cfg && section_is(line, ""))
            p.cfg_len = (size_t)(line.p - (const char *)p.cfg);
        in_cfg = section_is(line, "CFG") || (in_cfg && !section_is(line, ""));
        size_t at = t.pos < len ? t.pos : len;
        if (section_is(line, "CFG")) {
            p.cfg = all + at;
            p.cfg_line0 = t.line;
        } else if (section_is(line, "DAT")) {
            p.dat = all + at;
            p.dat_len = len - at;
            p.dat_line0 = t.line;
            p.dat_byte0 = at;
        }
    }
    if (p.cfg && p.dat)
        err = comtrade_parse(&p, out, f);
    else
        err = fault_set(f, ERR_FORMAT, "%s: no %s section (--- file type: %s ---)", path,
                        p.cfg ? "DAT" : "CFG", p.cfg ? "DAT" : "CFG");
    free(all);
    return err;
}

enum err comtrade_load(const char *path, struct recording *out, const struct fault *f)
{
    size_t n = strlen(path);
    *out = (struct recording){0};
    if (n > 4 && strcasecmp(path + n - 4, ".cff") == 0)
        return load_single(path, out, f);
    if (n > 4 && (strcasecmp(path + n - 4, ".cfg") == 0 || strcasecmp(path + n - 4, ".dat") == 0))
        return load_pair(path, out, f);
    return fault_set(f, ERR_UNSUPPORTED, "%s: not a .cfg, .dat or .cff file", path);
}
