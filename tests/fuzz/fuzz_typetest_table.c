/* Fuzz target of the bench's tables: the input is one table.
 *
 * A failure names the table and a line; a success holds nothing that the bench could not run, and
 * written out again, a row a class, it reads as the same rows (round trip). */
#include "sim/typetest_table.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_MAX 800

static const char *current_name(enum typetest_current of)
{
    static const char *const names[] = {[TYPETEST_IB] = "Ib",
                                        [TYPETEST_ITR] = "Itr",
                                        [TYPETEST_IMIN] = "Imin",
                                        [TYPETEST_IMAX] = "Imax",
                                        [TYPETEST_IST] = "Ist"};
    return names[of];
}

static const char *laboratory(const char *what)
{
    static const char *const names[][2] = {{"auxiliary supply", "auxiliary"},
                                           {"direct magnetic field", "field_dc"},
                                           {"alternating magnetic field", "field_ac"},
                                           {"radio frequency fields", "radio"},
                                           {"fast transients", "transients"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(names[k][0], what) == 0)
            return names[k][1];
    abort();
}

static size_t write_place(const struct typetest_row *r, const struct typetest_place *p, char *to)
{
    switch (r->test) {
    case TYPETEST_LOST_PHASES:
        return (size_t)sprintf(to, "%s%s%s", p->phases & 1 ? "1" : "", p->phases & 2 ? "2" : "",
                               p->phases & 4 ? "3" : "");
    case TYPETEST_NO_LOAD:
        return (size_t)sprintf(to, "%.17g/%s", p->value, current_name(p->current));
    case TYPETEST_FAST_LOAD:
        return (size_t)sprintf(to, "%.17g/%.17g", p->value, p->to);
    case TYPETEST_COMPOSITE:
        return (size_t)sprintf(to, "%.17g..%.17g", p->value, p->to);
    default:
        return (size_t)(p->end ? sprintf(to, "%s", p->end < 0 ? "min" : "max")
                               : sprintf(to, "%.17g", p->value));
    }
}

static void write_row(const struct typetest_row *r, char *to)
{
    to += sprintf(to, "%s,%s,%s,%c,%s,",
                  r->beyond ? laboratory(r->beyond) : typetest_test_name(r->test), r->class_name,
                  r->direct ? r->ct ? "any" : "direct" : "CT", r->quantity,
                  r->one_phase ? "one" : "all");
    if (r->test != TYPETEST_NO_LOAD)
        to += sprintf(to, "%.17g%s,%.17g%s", r->from.factor, current_name(r->from.of), r->to.factor,
                      current_name(r->to.of));
    else
        *to++ = ',';
    for (size_t k = 0; k < r->n_pf; k++)
        to += sprintf(to, "%s%.17g%.1s", k ? "|" : ",", r->pf[k].pf, r->pf[k].kind);
    *to++ = ',';
    for (size_t k = 0; k < r->n_places; k++) {
        if (k)
            *to++ = '|';
        to += write_place(r, &r->place[k], to);
    }
    sprintf(to, ",%.17g,%s", r->limit, r->certain ? "V" : "M");
}

static bool same_pf(const struct typetest_row *a, const struct typetest_row *b)
{
    for (size_t k = 0; k < a->n_pf; k++)
        if (a->pf[k].pf != b->pf[k].pf || strcmp(a->pf[k].kind, b->pf[k].kind) != 0)
            return false;
    return a->n_pf == b->n_pf;
}

static bool same_places(const struct typetest_row *a, const struct typetest_row *b)
{
    for (size_t k = 0; k < a->n_places; k++) {
        const struct typetest_place *x = &a->place[k], *y = &b->place[k];
        if (x->value != y->value || x->to != y->to || x->end != y->end || x->phases != y->phases ||
            x->current != y->current)
            return false;
    }
    return a->n_places == b->n_places;
}

static bool same(const struct typetest_row *a, const struct typetest_row *b)
{
    return a->test == b->test && a->beyond == b->beyond &&
           strcmp(a->class_name, b->class_name) == 0 && a->direct == b->direct && a->ct == b->ct &&
           a->one_phase == b->one_phase && a->quantity == b->quantity && a->from.of == b->from.of &&
           a->from.factor == b->from.factor && a->to.of == b->to.of &&
           a->to.factor == b->to.factor && a->limit == b->limit && a->certain == b->certain &&
           same_pf(a, b) && same_places(a, b);
}

static void check_row(const struct typetest_row *r, const struct fault *f)
{
    char text[ROW_MAX];
    struct typetest_rows again = {0};
    CHECK(r->limit > 0 && isfinite(r->limit));
    CHECK(r->n_pf >= 1 && r->n_pf <= TYPETEST_LIST_MAX && r->n_places <= TYPETEST_LIST_MAX);
    CHECK(r->test == TYPETEST_NO_LOAD || (r->from.factor > 0 && r->to.factor > 0));
    write_row(r, text);
    CHECK(typetest_rows_parse("b", text, strlen(text), &again, f) == ERR_OK);
    CHECK(again.n == 1 && same(r, &again.row[0]));
    typetest_rows_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[300] = "";
    struct fault f = {message, sizeof message};
    struct typetest_rows rows = {0};
    char *copy = malloc(size ? size : 1);
    CHECK(copy);
    memcpy(copy, data, size);
    enum err err = typetest_rows_parse("a", copy, size, &rows, &f);
    CHECK(!err || strncmp(message, "a:", 2) == 0);
    for (size_t k = 0; !err && k < rows.n; k++)
        check_row(&rows.row[k], &f);
    typetest_rows_free(&rows);
    free(copy);
    return 0;
}
