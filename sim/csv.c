/* Waveform tables as text. See csv.h.
 *
 * Two passes over the text in memory: the first finds separator, names, units and counts the rows,
 * the second reads the cells. */
#include "sim/csv.h"
#include "lib/base/civil.h"
#include "sim/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 1024
#define NO_COLUMN   SIZE_MAX

struct csv {
    const char *name;
    const struct fault *f;
    struct text t; /* after `start`: at the first row of data */
    char separator;
    bool decimal_comma;
    size_t n_columns, time_column;
    double time_unit; /* seconds, for numeric time */
    struct span names, units;
    int64_t day0; /* whole seconds of the first stamp, subtracted so that fractions keep digits */
    bool have_day0;
};

static bool is_digits(const char *p, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (p[k] < '0' || p[k] > '9')
            return false;
    return true;
}

static unsigned digits(const char *p, size_t n)
{
    unsigned v = 0;
    for (size_t k = 0; k < n; k++)
        v = v * 10 + (unsigned)(p[k] - '0');
    return v;
}

/* "HH:MM:SS[.f...]" at the front; seconds of the day, and what follows. */
static bool read_clock(struct span s, int64_t *whole, double *fraction, struct span *rest)
{
    if (s.len < 8 || !is_digits(s.p, 2) || s.p[2] != ':' || !is_digits(s.p + 3, 2) ||
        s.p[5] != ':' || !is_digits(s.p + 6, 2))
        return false;
    *whole = digits(s.p, 2) * 3600 + digits(s.p + 3, 2) * 60 + digits(s.p + 6, 2);
    *fraction = 0;
    size_t k = 8;
    if (k < s.len && (s.p[k] == '.' || s.p[k] == ','))
        for (double weight = 0.1; ++k < s.len && is_digits(s.p + k, 1); weight /= 10)
            *fraction += weight * (s.p[k] - '0');
    *rest = (struct span){s.p + k, s.len - k};
    return true;
}

/* "", "Z", "+hh", "+hhmm", "+hh:mm" */
static bool read_zone(struct span s, int64_t *offset)
{
    *offset = 0;
    if (!s.len || text_is(s, "Z") || text_is(s, " UTC"))
        return true;
    if ((s.p[0] != '+' && s.p[0] != '-') || s.len < 3 || s.len > 6 || !is_digits(s.p + 1, 2))
        return false;
    *offset = digits(s.p + 1, 2) * 3600;
    size_t at = s.len == 6 && s.p[3] == ':' ? 4 : 3;
    if (s.len > 3) {
        if (s.len != at + 2 || !is_digits(s.p + at, 2))
            return false;
        *offset += digits(s.p + at, 2) * 60;
    }
    if (s.p[0] == '-')
        *offset = -*offset;
    return true;
}

/* ISO 8601 date and time */
static bool read_date(struct span s, int64_t *whole, double *fraction)
{
    struct span rest;
    int64_t clock, zone;
    if (s.len < 19 || !is_digits(s.p, 4) || s.p[4] != '-' || !is_digits(s.p + 5, 2) ||
        s.p[7] != '-' || !is_digits(s.p + 8, 2) || (s.p[10] != ' ' && s.p[10] != 'T'))
        return false;
    struct civil c = {.year = (int32_t)digits(s.p, 4),
                      .month = (uint8_t)digits(s.p + 5, 2),
                      .day = (uint8_t)digits(s.p + 8, 2)};
    if (!civil_valid(&c) ||
        !read_clock((struct span){s.p + 11, s.len - 11}, &clock, fraction, &rest))
        return false;
    if (!read_zone(rest, &zone))
        return false;
    *whole = civil_to_seconds(&c) + clock - zone;
    return true;
}

static enum text_number read_number(const struct csv *g, struct span s, double *out)
{
    char copy[64];
    if (!g->decimal_comma || s.len >= sizeof copy || !memchr(s.p ? s.p : "", ',', s.len))
        return text_real(s, out);
    memcpy(copy, s.p, s.len);
    *(char *)memchr(copy, ',', s.len) = '.';
    return text_real((struct span){copy, s.len}, out);
}

/* One stamp in seconds; dates relative to the first one. */
static bool read_time(struct csv *g, struct span s, double *out)
{
    int64_t whole;
    double fraction;
    if (read_number(g, s, out) == TEXT_NUMBER) {
        *out *= g->time_unit;
        return true;
    }
    struct span rest;
    if (!read_date(s, &whole, &fraction) && (!read_clock(s, &whole, &fraction, &rest) || rest.len))
        return false;
    if (!g->have_day0) {
        g->day0 = whole;
        g->have_day0 = true;
    }
    *out = (double)(whole - g->day0) + fraction;
    return true;
}

static bool is_numeric_row(const struct csv *g, struct span line)
{
    struct span field;
    double v;
    int64_t whole;
    while (text_field(&line, g->separator, &field))
        if (read_number(g, field, &v) == TEXT_NO_NUMBER && !read_date(field, &whole, &v))
            return false;
    return true;
}

static bool begins_with_word(struct span s, const char *word)
{
    size_t n = strlen(word);
    if (s.len < n || !text_is((struct span){s.p, n}, word))
        return false;
    return s.len == n || !((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z'));
}

static bool names_time(struct span s)
{
    static const char *const words[] = {"time", "timestamp", "datetime", "date", "t",       "zeit",
                                        "cas",  "temps",     "seconds",  "sec",  "s",       "ms",
                                        "us",   "utc",       "epoch",    "unix", "unixtime"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (begins_with_word(s, words[k]))
            return true;
    return false;
}

/* Does `s` hold the word `unit` on its own: "Time (ms)", "time_ms", "ms"? */
static bool holds_unit(struct span s, const char *unit)
{
    size_t n = strlen(unit);
    for (size_t k = 0; k + n <= s.len; k++) {
        bool left = k == 0 || strchr(" ([_/,", s.p[k - 1]);
        bool right = k + n == s.len || strchr(" )],", s.p[k + n]);
        if (left && right && text_is((struct span){s.p + k, n}, unit))
            return true;
    }
    return false;
}

static double unit_of_time(struct span name)
{
    if (holds_unit(name, "ms"))
        return 1e-3;
    if (holds_unit(name, "us") || holds_unit(name, "\xC2\xB5s"))
        return 1e-6;
    return holds_unit(name, "ns") ? 1e-9 : 1;
}

static struct span column(const struct csv *g, struct span line, size_t index)
{
    struct span field = {"", 0};
    for (size_t k = 0; k <= index; k++)
        if (!text_field(&line, g->separator, &field))
            return (struct span){"", 0};
    return field;
}

static bool is_date_row(const struct csv *g, struct span line)
{
    int64_t whole;
    double fraction;
    return read_date(column(g, line, 0), &whole, &fraction);
}

static enum err no_time(const struct csv *g, const char *why)
{
    return fault_set(g->f, ERR_FORMAT, "%s line %zu: no column of time, so no sample rate: %s",
                     g->name, g->t.line, why);
}

static char find_separator(struct span line)
{
    static const char candidates[] = {';', '\t', ','};
    for (size_t k = 0; k < sizeof candidates; k++)
        if (text_count(line, candidates[k]))
            return candidates[k];
    return ',';
}

/* A row of units: in brackets, or a bare unit of time in its first column. */
static bool is_units_row(const struct csv *g, struct span line)
{
    struct span first = column(g, line, 0);
    return text_count(line, '(') || text_count(line, '[') || text_is(first, "s") ||
           text_is(first, "ms") || text_is(first, "us");
}

/* Reads names and units, finds the column of time; leaves g->t at the first row of data. */
static enum err start(struct csv *g)
{
    struct span line, next, field;
    do
        if (!text_line_filled(&g->t, &line))
            return fault_set(g->f, ERR_TRUNCATED, "%s line %zu: the file has no rows", g->name,
                             g->t.line + 1);
    while (text_trim(line).p[0] == '#');
    g->separator = find_separator(line);
    g->decimal_comma = g->separator != ',';
    g->n_columns = 0;
    for (next = line; text_field(&next, g->separator, &field);)
        g->n_columns++;
    if (g->n_columns > COLUMNS_MAX)
        return fault_set(g->f, ERR_FORMAT, "%s line %zu: over %d columns", g->name, g->t.line,
                         COLUMNS_MAX);
    struct text before = g->t;
    if (is_numeric_row(g, line)) {
        if (!is_date_row(g, line))
            return no_time(g, "the first row holds numbers where names should stand");
        g->t.pos = (size_t)(line.p - g->t.p);
        g->t.line--;
        g->names = g->units = (struct span){"", 0};
        g->time_column = 0;
        return ERR_OK;
    }
    g->names = line;
    before = g->t;
    if (text_line_filled(&g->t, &next) && !is_numeric_row(g, next) && is_units_row(g, next))
        g->units = next;
    else
        g->t = before;
    for (size_t k = 0; k < g->n_columns && g->time_column == NO_COLUMN; k++)
        if (names_time(column(g, g->names, k)))
            g->time_column = k;
    struct text peek = g->t;
    if (g->time_column == NO_COLUMN && text_line_filled(&peek, &next) && is_date_row(g, next))
        g->time_column = 0;
    return g->time_column == NO_COLUMN ? no_time(g, "no name says time") : ERR_OK;
}

static enum err refuse_cell(const struct csv *g, size_t index, struct span cell, const char *why)
{
    char shown[41], name[41];
    text_copy(shown, sizeof shown, cell);
    text_copy(name, sizeof name, column(g, g->names, index));
    return fault_set(g->f, ERR_FORMAT, "%s line %zu column %zu (%s): '%s' %s", g->name, g->t.line,
                     index + 1, name, shown, why);
}

/* A column without a unit that begins with words is one of remarks, and no channel. */
static bool is_remark(struct recording_channel *ch, size_t row)
{
    static const char mark[] = "text";
    if (row == 0 && !ch->unit[0])
        memcpy(ch->unit, mark, sizeof mark);
    return strcmp(ch->unit, mark) == 0;
}

static enum err read_row(struct csv *g, struct span line, size_t row, double *stamp,
                         struct recording *out)
{
    struct span cell;
    size_t index = 0;
    for (; text_field(&line, g->separator, &cell); index++) {
        if (index >= g->n_columns) {
            if (cell.len)
                return refuse_cell(g, index, cell, "is one column too many");
            continue;
        }
        if (index == g->time_column) {
            if (!read_time(g, cell, &stamp[row]))
                return refuse_cell(g, index, cell, "is no time");
            continue;
        }
        struct recording_channel *ch = &out->channel[index - (index > g->time_column)];
        double *to = &ch->sample[row];
        enum text_number is = read_number(g, cell, to);
        if (is == TEXT_NOT_FINITE)
            return refuse_cell(g, index, cell, "is not a finite number");
        if (is == TEXT_NO_NUMBER && !is_remark(ch, row))
            return refuse_cell(g, index, cell, "is no number");
        if (is == TEXT_EMPTY || is == TEXT_NO_NUMBER)
            *to = NAN;
    }
    if (index < g->n_columns)
        return fault_set(g->f, ERR_TRUNCATED, "%s line %zu: %zu of %zu columns", g->name, g->t.line,
                         index, g->n_columns);
    return ERR_OK;
}

/* The unit of a column: its cell in the row of units, or what its name ends in: "Va_V", "U (kV)".
 */
static struct span unit_of(struct span name, struct span unit)
{
    static const char *const known[] = {"kV", "mV", "V", "kA", "mA", "A", "I"};
    struct span s = unit.len ? unit : name;
    while (s.len && strchr(" )]", s.p[s.len - 1]))
        s.len--;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        size_t n = strlen(known[k]);
        if (s.len < n || memcmp(s.p + s.len - n, known[k], n) != 0)
            continue;
        if (s.len == n ? unit.len > 0 : strchr(" ([_/", s.p[s.len - n - 1]) != NULL)
            return text_is((struct span){known[k], n}, "I") ? (struct span){"A", 1}
                                                            : (struct span){known[k], n};
    }
    return (struct span){"", 0};
}

static void name_channels(const struct csv *g, struct recording *out)
{
    for (size_t k = 0; k < g->n_columns; k++) {
        if (k == g->time_column)
            continue;
        struct recording_channel *ch = &out->channel[k - (k > g->time_column)];
        struct span name = column(g, g->names, k);
        text_copy(ch->name, sizeof ch->name, name);
        text_copy(ch->unit, sizeof ch->unit, unit_of(name, column(g, g->units, k)));
    }
}

static enum err read_rows(struct csv *g, struct recording *out, double *stamp)
{
    struct text first = g->t;
    struct span line;
    enum err err = ERR_OK;
    for (size_t row = 0; row < out->n && !err; row++)
        err = text_line_filled(&g->t, &line) ? read_row(g, line, row, stamp, out) : ERR_TRUNCATED;
    if (err)
        return err;
    size_t bad;
    err = recording_rates_from_stamps(out, stamp, &bad);
    if (err != ERR_FORMAT)
        return err;
    for (size_t row = 0; row <= bad && text_line_filled(&first, &line);)
        row++;
    return fault_set(
        g->f, err, "%s line %zu: the time does not advance evenly here (by %g s, on average %g s)",
        g->name, first.line, bad ? stamp[bad] - stamp[bad - 1] : 0.0,
        (stamp[out->n - 1] - stamp[0]) / (double)(out->n - 1));
}

enum err csv_parse(const char *name, const void *p, size_t len, struct recording *out,
                   const struct fault *f)
{
    struct csv g = {.name = name,
                    .f = f,
                    .t = text_of(p, len),
                    .time_column = NO_COLUMN,
                    .names = {"", 0},
                    .units = {"", 0}};
    struct span line;
    size_t n = 0;
    *out = (struct recording){0};
    enum err err = start(&g);
    if (err)
        return err;
    struct text count = g.t;
    while (text_line_filled(&count, &line))
        n++;
    if (n < 2 || g.n_columns < 2)
        return fault_set(f, ERR_TRUNCATED, "%s line %zu: %s", name, count.line + 1,
                         n < 2 ? "fewer than two rows of data" : "only a column of time");
    if (n > len / g.n_columns + 1) /* then a row is short, and reading finds it among these */
        n = len / g.n_columns + 1;
    struct span time_name = column(&g, g.units.len ? g.units : g.names, g.time_column);
    g.time_unit = unit_of_time(time_name);
    double *stamp = calloc(n, sizeof *stamp);
    err = stamp ? recording_alloc(out, g.n_columns - 1) : ERR_MEMORY;
    if (!err)
        err = recording_alloc_samples(out, n);
    if (!err) {
        name_channels(&g, out);
        err = read_rows(&g, out, stamp);
    }
    free(stamp);
    return err == ERR_MEMORY ? fault_set(f, err, "%s: out of memory", name) : err;
}

enum err csv_load(const char *path, struct recording *out, const struct fault *f)
{
    char *all;
    size_t len;
    *out = (struct recording){0};
    enum err err = text_file(path, &all, &len);
    if (err)
        return fault_set(f, err, "%s: %s", path,
                         err == ERR_IO            ? strerror(errno)
                         : err == ERR_UNSUPPORTED ? "over 1 GiB"
                                                  : err_text(err));
    err = csv_parse(path, all, len, out, f);
    free(all);
    return err;
}
