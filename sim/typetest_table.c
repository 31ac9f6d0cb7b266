/* The tables of limits: CSV into rows, every wrong word refused with its file and line.
 *
 * A row of a file names several classes with a limit for each; it becomes one row per class. The
 * order of files is the order of the report. */
#include "sim/typetest_table.h"
#include "sim/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST, CLASS, CONN, QUANTITY, PHASES, FROM, TO, PF, AT, LIMIT, MARK, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {
    "test", "class", "conn", "quantity", "phases", "i_from", "i_to", "pf", "at", "limit", "mark"};
#define FACTOR_MAX    1000 /* of a current */
#define SECONDS_MAX   3600 /* on, off */
#define NO_LOAD_MAX   1e12 /* numerator: 900e6 is the standards' largest */
#define CELSIUS_LEAST (-273.15)
#define CELSIUS_MOST  1000

static const char *const test_names[TYPETEST_N_TESTS] = {
    [TYPETEST_LOAD] = "load",
    [TYPETEST_ONE_PHASE] = "one_phase",
    [TYPETEST_DIFFERENCE] = "difference",
    [TYPETEST_STARTING] = "starting",
    [TYPETEST_NO_LOAD] = "no_load",
    [TYPETEST_CONSTANT] = "constant",
    [TYPETEST_VOLTAGE] = "voltage",
    [TYPETEST_FREQUENCY] = "frequency",
    [TYPETEST_FIFTH] = "fifth",
    [TYPETEST_PHASE_FIRED] = "phase_fired",
    [TYPETEST_BURST] = "burst",
    [TYPETEST_HALF_WAVE] = "half_wave",
    [TYPETEST_SEQUENCE] = "sequence",
    [TYPETEST_LOST_PHASES] = "lost_phases",
    [TYPETEST_FAST_LOAD] = "fast_load",
    [TYPETEST_TEMPERATURE] = "temperature",
    [TYPETEST_COMPOSITE] = "composite",
};
/* Rows that stand in the tables for completeness: they need a laboratory. */
static const struct {
    const char *name, *what;
} laboratory[] = {{"auxiliary", "auxiliary supply"},
                  {"field_dc", "direct magnetic field"},
                  {"field_ac", "alternating magnetic field"},
                  {"radio", "radio frequency fields"},
                  {"transients", "fast transients"}};

static const char *const known_classes[] = {"0.1S", "0.2S", "0.5S", "1S", "0.5",        "1",    "2",
                                            "3",    "A",    "B",    "C",  "calibrated", "ideal"};

const char *typetest_test_name(enum typetest_test t)
{
    return t < TYPETEST_N_TESTS ? test_names[t] : "laboratory";
}

struct reader { /* one file */
    const struct typetest_file *file;
    const char *path; /* for messages */
    size_t line;
    const struct fault *fault;
    struct span field[N_COLUMNS];
};

static enum err bad(const struct reader *r, int column)
{
    static const char *const wanted[N_COLUMNS] = {
        [TEST] = "load, one_phase, starting, no_load, voltage ...",
        [CLASS] = "0.2S, 0.5S, 1, 2, A, B, C ..., with / between",
        [CONN] = "direct, CT or any",
        [QUANTITY] = "P or Q",
        [PHASES] = "all or one",
        [FROM] = "like 0.05Ib, Itr, Imax; nothing for no_load",
        [TO] = "like 0.05Ib, Itr, Imax; nothing for no_load",
        [PF] = "like 1|0.5i|0.8c, 6 at most",
        [AT] = "what this test takes: the head of the built-in tables says it",
        [LIMIT] = "above 0, or - for none, with / between",
        [MARK] = "V, M, M? or own"};
    const struct span *s = &r->field[column];
    return fault_set(r->fault, ERR_FORMAT, "%s:%zu: %s \"%.*s\" is not known; wanted is %s",
                     r->path, r->line, column_names[column], (int)s->len, s->p ? s->p : "",
                     wanted[column]);
}

/* --- single fields -------------------------------------------------------------------------- */

static bool take_test(struct span s, struct typetest_row *out)
{
    for (int t = 0; t < TYPETEST_N_TESTS; t++) {
        if (text_is(s, test_names[t])) {
            out->test = (enum typetest_test)t;
            return true;
        }
    }
    out->test = TYPETEST_N_TESTS;
    for (size_t i = 0; i < sizeof laboratory / sizeof *laboratory; i++) {
        if (text_is(s, laboratory[i].name))
            out->beyond = laboratory[i].what;
    }
    return out->beyond != NULL;
}

/* A number in front; the rest of the word stays in *s. */
static bool take_number(struct span *s, double *out)
{
    size_t n = 0;
    while (n < s->len && (strchr("+-.", s->p[n]) || (s->p[n] >= '0' && s->p[n] <= '9') ||
                          (s->p[n] == 'e' && n > 0))) {
        if (s->p[n] == '.' && n + 1 < s->len && s->p[n + 1] == '.')
            break; /* a range: 5..30 */
        n++;
    }
    if (n == 0 || text_real((struct span){s->p, n}, out) != TEXT_NUMBER)
        return false;
    *s = (struct span){s->p + n, s->len - n};
    return true;
}

static bool take_current(struct span s, struct typetest_current_of *out)
{
    static const struct {
        const char *name;
        enum typetest_current of;
    } names[] = {{"Ib", TYPETEST_IB},   {"In", TYPETEST_IB},     {"Iref", TYPETEST_IB},
                 {"Itr", TYPETEST_ITR}, {"Imin", TYPETEST_IMIN}, {"Imax", TYPETEST_IMAX},
                 {"Ist", TYPETEST_IST}};
    out->factor = 1;
    if (s.len > 0 && s.p[0] != 'I' &&
        (!take_number(&s, &out->factor) || !(out->factor > 0 && out->factor <= FACTOR_MAX)))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text_is(s, names[i].name)) {
            out->of = names[i].of;
            return true;
        }
    }
    return false;
}

static bool take_pf(struct span s, struct typetest_pf *out)
{
    if (!take_number(&s, &out->pf) || !(out->pf > 0 && out->pf <= 1))
        return false;
    const char *kind = text_is(s, "i") ? "ind" : text_is(s, "c") ? "cap" : "";
    memcpy(out->kind, kind, strlen(kind) + 1);
    return out->pf == 1 ? s.len == 0 : kind[0] != '\0';
}

static bool take_phases(struct span s, struct typetest_place *out)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '1' || s.p[i] > '3')
            return false;
        out->phases |= (uint8_t)(1u << (s.p[i] - '1'));
    }
    return out->phases != 0 && out->phases != 7;
}

/* "A..B" (degrees), "A/B" (seconds), "A/Imax" (minutes). */
static bool take_pair(enum typetest_test test, struct span s, struct typetest_place *out)
{
    const char *between = test == TYPETEST_COMPOSITE ? ".." : "/";
    size_t n = strlen(between);
    if (!take_number(&s, &out->value) || s.len <= n || memcmp(s.p, between, n) != 0)
        return false;
    s = (struct span){s.p + n, s.len - n};
    if (test == TYPETEST_NO_LOAD) {
        struct typetest_current_of c;
        out->current = TYPETEST_IMAX;
        if (!take_current(s, &c) || c.factor != 1 || !(out->value > 0 && out->value <= NO_LOAD_MAX))
            return false;
        out->current = c.of;
        return c.of == TYPETEST_IMAX || c.of == TYPETEST_IST;
    }
    if (!take_number(&s, &out->to) || s.len > 0)
        return false;
    if (test == TYPETEST_COMPOSITE)
        return out->to > out->value && out->value >= CELSIUS_LEAST && out->to <= CELSIUS_MOST;
    return out->value > 0 && out->value <= SECONDS_MAX && out->to > 0 && out->to <= SECONDS_MAX;
}

static bool take_place(enum typetest_test test, struct span s, struct typetest_place *out)
{
    switch (test) {
    case TYPETEST_VOLTAGE:
    case TYPETEST_FREQUENCY:
        if (text_is(s, "min") || text_is(s, "max")) {
            out->end = text_is(s, "min") ? -1 : 1;
            return true;
        }
        return take_number(&s, &out->value) && s.len == 0 && out->value >= 0.1 && out->value <= 2;
    case TYPETEST_LOST_PHASES:
        return take_phases(s, out);
    case TYPETEST_NO_LOAD:
    case TYPETEST_FAST_LOAD:
    case TYPETEST_COMPOSITE:
        return take_pair(test, s, out);
    default:
        return false;
    }
}

/* --- a row ---------------------------------------------------------------------------------- */

static enum err take_pfs(struct reader *r, struct typetest_row *row)
{
    struct span rest = r->field[PF], s;
    while (text_field(&rest, '|', &s)) {
        if (row->n_pf == TYPETEST_LIST_MAX || !take_pf(s, &row->pf[row->n_pf++]))
            return bad(r, PF);
    }
    return ERR_OK;
}

static enum err take_places(struct reader *r, struct typetest_row *row)
{
    struct span rest = r->field[AT], s;
    bool wants = row->test == TYPETEST_VOLTAGE || row->test == TYPETEST_FREQUENCY ||
                 row->test == TYPETEST_LOST_PHASES || row->test == TYPETEST_NO_LOAD ||
                 row->test == TYPETEST_FAST_LOAD || row->test == TYPETEST_COMPOSITE;
    if (rest.len == 0)
        return wants ? bad(r, AT) : ERR_OK;
    while (text_field(&rest, '|', &s)) {
        if (row->n_places == TYPETEST_LIST_MAX ||
            !take_place(row->test, s, &row->place[row->n_places++]))
            return bad(r, AT);
    }
    return ERR_OK;
}

static enum err take_words(struct reader *r, struct typetest_row *row)
{
    const struct span *s = r->field;
    if (!take_test(s[TEST], row))
        return bad(r, TEST);
    row->direct = text_is(s[CONN], "direct") || text_is(s[CONN], "any");
    row->ct = text_is(s[CONN], "CT") || text_is(s[CONN], "any");
    if (!row->direct && !row->ct)
        return bad(r, CONN);
    if (!text_is(s[QUANTITY], "P") && !text_is(s[QUANTITY], "Q"))
        return bad(r, QUANTITY);
    row->quantity = text_is(s[QUANTITY], "P") ? 'P' : 'Q';
    row->one_phase = text_is(s[PHASES], "one");
    if (!row->one_phase && !text_is(s[PHASES], "all"))
        return bad(r, PHASES);
    row->certain = text_is(s[MARK], "V") || text_is(s[MARK], "own");
    if (!row->certain && !text_is(s[MARK], "M") && !text_is(s[MARK], "M?"))
        return bad(r, MARK);
    if (row->test == TYPETEST_NO_LOAD)
        return s[FROM].len + s[TO].len == 0 ? ERR_OK : bad(r, FROM);
    if (!take_current(s[FROM], &row->from))
        return bad(r, FROM);
    if (!take_current(s[TO], &row->to))
        return bad(r, TO);
    if (row->to.of == row->from.of && row->to.factor < row->from.factor)
        return fault_set(r->fault, ERR_FORMAT,
                         "%s:%zu: i_to is below i_from: no point lies between", r->path, r->line);
    return ERR_OK;
}

static bool known_class(struct span s, char out[12])
{
    for (size_t i = 0; i < sizeof known_classes / sizeof *known_classes; i++) {
        if (text_is(s, known_classes[i])) {
            memcpy(out, known_classes[i], strlen(known_classes[i]) + 1);
            return true;
        }
    }
    return false;
}

static enum err push(struct typetest_rows *to, const struct typetest_row *row)
{
    if (to->n == to->size) {
        size_t size = to->size ? 2 * to->size : 256;
        struct typetest_row *p = realloc(to->row, size * sizeof *p);
        if (!p)
            return ERR_MEMORY;
        to->row = p;
        to->size = size;
    }
    to->row[to->n++] = *row;
    return ERR_OK;
}

/* One row for each class that has a limit. */
static enum err push_classes(struct reader *r, struct typetest_row *row, struct typetest_rows *to)
{
    struct span classes = r->field[CLASS], limits = r->field[LIMIT], class_name, limit;
    size_t n_classes = text_count(classes, '/') + 1, n_limits = text_count(limits, '/') + 1;
    if (n_limits != 1 && n_limits != n_classes)
        return fault_set(r->fault, ERR_FORMAT, "%s:%zu: %zu classes but %zu limits", r->path,
                         r->line, n_classes, n_limits);
    for (size_t i = 0; text_field(&classes, '/', &class_name); i++) {
        if (!known_class(class_name, row->class_name))
            return bad(r, CLASS);
        if ((i == 0 || n_limits > 1) && !text_field(&limits, '/', &limit))
            return bad(r, LIMIT);
        if (text_is(limit, "-"))
            continue;
        if (text_real(limit, &row->limit) != TEXT_NUMBER || !(row->limit > 0))
            return bad(r, LIMIT);
        enum err err = push(to, row);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err take_line(struct reader *r, struct span line, struct typetest_rows *to)
{
    struct typetest_row row = {.table = r->file->name};
    size_t n = 0;
    for (struct span rest = line, s; text_field(&rest, ',', &s); n++) {
        if (n < N_COLUMNS)
            r->field[n] = s;
    }
    if (n != N_COLUMNS)
        return fault_set(r->fault, ERR_FORMAT, "%s:%zu: %zu columns, %d are wanted", r->path,
                         r->line, n, (int)N_COLUMNS);
    enum err err = take_words(r, &row);
    if (!err)
        err = take_pfs(r, &row);
    if (!err)
        err = take_places(r, &row);
    return err ? err : push_classes(r, &row, to);
}

static enum err take_file(struct reader *r, const char *text, size_t len, struct typetest_rows *to)
{
    struct text t = text_of(text, len);
    struct span line;
    while (text_line_filled(&t, &line)) {
        if (line.p[0] == '#')
            continue;
        r->line = t.line;
        enum err err = take_line(r, line, to);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* --- files ---------------------------------------------------------------------------------- */

static enum err load_one(const struct typetest_file *file, const char *folder, bool *found,
                         struct typetest_rows *out, const struct fault *f)
{
    char path[600], *text;
    size_t len;
    struct reader r = {.file = file, .path = path, .fault = f};
    snprintf(path, sizeof path, "%s%s%s.csv", folder ? folder : "", folder ? "/" : "", file->name);
    if (!folder)
        return take_file(&r, file->text, strlen(file->text), out);
    enum err err = text_file(path, &text, &len);
    if (err == ERR_IO && errno == ENOENT)
        return take_file(&r, file->text, strlen(file->text), out);
    if (err)
        return fault_set(f, err, "%s: %s", path, err == ERR_IO ? strerror(errno) : err_text(err));
    *found = true;
    err = take_file(&r, text, len, out);
    free(text);
    return err;
}

enum err typetest_rows_parse(const char *table, const char *text, size_t len,
                             struct typetest_rows *to, const struct fault *f)
{
    const struct typetest_file file = {.name = table, .text = text};
    struct reader r = {.file = &file, .path = table, .fault = f};
    return take_file(&r, text, len, to);
}

enum err typetest_rows_load(const char *folder, struct typetest_rows *out, const struct fault *f)
{
    bool found = false;
    *out = (struct typetest_rows){0};
    for (const struct typetest_file *file = typetest_files; file->name; file++) {
        enum err err = load_one(file, folder, &found, out, f);
        if (err)
            return err;
    }
    if (folder && !found)
        return fault_set(f, ERR_IO, "%s: no table (62053-21.csv ...) is there", folder);
    return ERR_OK;
}

void typetest_rows_free(struct typetest_rows *r)
{
    free(r->row);
    *r = (struct typetest_rows){0};
}
