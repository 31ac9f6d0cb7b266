/* The COMTRADE configuration: header, channels, rates, stamps, data format. See comtrade_cfg.h.
 *
 * Read line by line in the order of the standard (C37.111-1999 clause 5); a line that is not what
 * its place demands is refused with its number, what was expected and what stood there. */
#include "sim/comtrade_cfg.h"
#include "sim/text.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 40 /* characters of a wrong field in a message */

struct cfg { /* the parser's place */
    const struct comtrade_parts *p;
    const struct fault *f;
    struct text t;
    struct comtrade_config *c;
    struct recording *out;
};

/* "FILE line N: expected WHAT, found 'FIELD'" */
static enum err refuse(const struct cfg *g, const char *expected, struct span found)
{
    char shown[SHOWN + 1];
    text_copy(shown, sizeof shown, found);
    return fault_set(g->f, ERR_FORMAT, "%s line %zu: expected %s, found '%s'", g->p->cfg_name,
                     g->p->cfg_line0 + g->t.line, expected, shown);
}

static enum err next_line(struct cfg *g, const char *expected, struct span *line)
{
    if (text_line_filled(&g->t, line))
        return ERR_OK;
    return fault_set(g->f, ERR_TRUNCATED, "%s line %zu: the file ends where %s should stand",
                     g->p->cfg_name, g->p->cfg_line0 + g->t.line + 1, expected);
}

static enum err read_header(struct cfg *g)
{
    struct span line, field = {NULL, 0};
    uint64_t year = 0;
    enum err err = next_line(g, "station, device and revision year", &line);
    if (err)
        return err;
    if (!text_count(line, ','))
        return refuse(g, "station, device and revision year", line);
    for (int k = 0; k < 3 && text_field(&line, ',', &field); k++)
        year = k == 2 && text_uint(field, 9999, &year) ? year : 0;
    g->c->edition = year >= 2013 ? 2013 : year >= 1997 ? 1999 : 1991;
    return ERR_OK;
}

/* "8A" or "15D" */
static bool read_count(struct span field, char letter, uint64_t max, size_t *out)
{
    uint64_t v;
    if (!field.len || (field.p[field.len - 1] & ~0x20) != letter)
        return false;
    field.len--;
    if (!text_uint(text_trim(field), max, &v))
        return false;
    *out = (size_t)v;
    return true;
}

static enum err read_counts(struct cfg *g)
{
    const char *expected = "channel counts like 12,8A,4D (no more than the file has lines for)";
    struct span line, field;
    size_t n_analog;
    enum err err = next_line(g, expected, &line);
    if (err)
        return err;
    struct span whole = line;
    if (!text_field(&line, ',', &field) || !text_field(&line, ',', &field) ||
        !read_count(field, 'A', g->t.len, &n_analog) || !text_field(&line, ',', &field) ||
        !read_count(field, 'D', g->t.len, &g->c->n_digital))
        return refuse(g, expected, whole);
    if (!n_analog)
        return fault_set(g->f, ERR_UNSUPPORTED, "%s line %zu: no analog channels", g->p->cfg_name,
                         g->p->cfg_line0 + g->t.line);
    g->c->scale = calloc(n_analog, sizeof *g->c->scale);
    if (!g->c->scale)
        return ERR_MEMORY;
    return recording_alloc(g->out, n_analog);
}

/* Number fields of an analog line; an absent or empty one keeps its default. */
static bool read_optional(struct span field, double *out)
{
    double v;
    enum text_number n = text_real(field, &v);
    if (n == TEXT_NUMBER)
        *out = v;
    return n == TEXT_NUMBER || n == TEXT_EMPTY;
}

/* An,ch_id,ph,ccbm,uu,a,b,skew,min,max[,primary,secondary,PS] */
static enum err read_analog(struct cfg *g, size_t index)
{
    struct recording_channel *ch = &g->out->channel[index];
    struct comtrade_scale *s = &g->c->scale[index];
    struct span line, field[13] = {{NULL, 0}};
    double skew = 0;
    size_t n = 0;
    enum err err = next_line(g, "an analog channel", &line);
    if (err)
        return err;
    while (n < 13 && text_field(&line, ',', &field[n]))
        n++;
    if (n < 7)
        return refuse(g, "an analog channel of at least 7 fields", field[0]);
    text_copy(ch->name, sizeof ch->name, field[1]);
    text_copy(ch->phase, sizeof ch->phase, field[2]);
    text_copy(ch->unit, sizeof ch->unit, field[4]);
    s->a = 1;
    double *number[13] = {[5] = &s->a,   [6] = &s->b,         [7] = &skew,
                          [9] = &s->max, [10] = &ch->primary, [11] = &ch->secondary};
    for (size_t k = 5; k < n; k++)
        if (number[k] && !read_optional(field[k], number[k]))
            return refuse(g, "a finite number", field[k]);
    if (field[12].len)
        ch->side = field[12].p[0] & ~0x20;
    ch->skew_s = skew * 1e-6;
    return ERR_OK;
}

static enum err read_channels(struct cfg *g)
{
    struct span line;
    enum err err = ERR_OK;
    for (size_t k = 0; k < g->out->n_channels && !err; k++)
        err = read_analog(g, k);
    for (size_t k = 0; k < g->c->n_digital && !err; k++)
        err = next_line(g, "a digital channel", &line);
    return err;
}

/* "samp,endsamp" */
static enum err read_rate(struct cfg *g, size_t k)
{
    struct span line, field;
    struct recording_rate *r = &g->out->rate[k];
    size_t before = k ? g->out->rate[k - 1].end : 0;
    uint64_t end;
    enum err err = next_line(g, "a sample rate and its last sample", &line);
    if (err)
        return err;
    struct span whole = line;
    if (!text_field(&line, ',', &field) || text_real(field, &r->hz) != TEXT_NUMBER || r->hz < 0 ||
        !text_field(&line, ',', &field) || !text_uint(field, UINT32_MAX, &end))
        return refuse(g, "a sample rate and its last sample", whole);
    if (end <= before)
        return refuse(g, "a last sample above the one before", whole);
    r->end = (size_t)end;
    if (r->hz == 0)
        g->c->rate_from_stamps = true;
    return ERR_OK;
}

static enum err read_rates(struct cfg *g)
{
    struct span line;
    uint64_t n;
    enum err err = next_line(g, "the line frequency", &line);
    if (err)
        return err;
    if (text_real(text_trim(line), &g->out->line_hz) == TEXT_NO_NUMBER)
        return refuse(g, "the line frequency", line);
    if ((err = next_line(g, "the number of sample rates", &line)))
        return err;
    if (!text_uint(text_trim(line), g->t.len, &n))
        return refuse(g, "the number of sample rates", line);
    g->c->rate_from_stamps = n == 0;
    n = n ? n : 1; /* nrates 0 is followed by one line "0,endsamp" */
    g->out->rate = calloc((size_t)n, sizeof *g->out->rate);
    if (!g->out->rate)
        return ERR_MEMORY;
    g->out->n_rates = (size_t)n;
    for (size_t k = 0; k < n && !err; k++)
        err = read_rate(g, k);
    g->c->n = g->out->rate[n - 1].end;
    return err;
}

/* 2013: time stamps count nanoseconds when the dates are written with more than 6 decimals. */
static bool is_nanoseconds(struct span date)
{
    const char *dot = memchr(date.p, '.', date.len);
    return dot && text_trim((struct span){dot, (size_t)(date.p + date.len - dot)}).len > 7;
}

static enum err read_dates(struct cfg *g)
{
    static const char *const expected[2] = {"the date and time of the first sample",
                                            "the date and time of the trigger"};
    struct span line;
    for (int k = 0; k < 2; k++) {
        enum err err = next_line(g, expected[k], &line);
        if (err)
            return err;
        if (text_count(line, ',') != 1)
            return refuse(g, expected[k], line);
        if (g->c->edition == 2013 && is_nanoseconds(line))
            g->c->stamp_unit = 1e-9;
    }
    return ERR_OK;
}

static enum err read_format(struct cfg *g)
{
    static const char *const names[] = {[COMTRADE_ASCII] = "ASCII",
                                        [COMTRADE_BINARY] = "BINARY",
                                        [COMTRADE_BINARY32] = "BINARY32",
                                        [COMTRADE_FLOAT32] = "FLOAT32"};
    struct span line;
    double factor;
    enum err err = next_line(g, "the data format", &line);
    if (err)
        return err;
    size_t k = 0;
    while (k < 4 && !text_is(text_trim(line), names[k]))
        k++;
    if (k == 4)
        return refuse(g, "ASCII, BINARY, BINARY32 or FLOAT32", line);
    g->c->format = (enum comtrade_format)k;
    if (!text_line_filled(&g->t, &line)) /* 1991 ends here, and so do some later files */
        return ERR_OK;
    if (text_real(text_trim(line), &factor) != TEXT_NUMBER || factor <= 0)
        return refuse(g, "the time stamp multiplier", line);
    g->c->stamp_unit *= factor;
    return ERR_OK;
}

enum err comtrade_cfg_parse(const struct comtrade_parts *p, struct comtrade_config *c,
                            struct recording *out, const struct fault *f)
{
    struct cfg g = {.p = p, .f = f, .t = text_of(p->cfg, p->cfg_len), .c = c, .out = out};
    enum err (*const step[])(struct cfg *) = {read_header, read_counts, read_channels,
                                              read_rates,  read_dates,  read_format};
    *c = (struct comtrade_config){.stamp_unit = 1e-6};
    enum err err = ERR_OK;
    for (size_t k = 0; k < sizeof step / sizeof *step && !err; k++)
        err = step[k](&g);
    return err;
}
