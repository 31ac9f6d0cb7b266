/* The limits of the standards as rows, read from CSV (columns: head of each file in sim/tables).
 *
 * The files are compiled in; a folder may hold others of the same names in their place. Not for
 * other rooms: the bench is sim/typetest.h. */
#ifndef FERRARIS_SIM_TYPETEST_TABLE_H
#define FERRARIS_SIM_TYPETEST_TABLE_H

#include "sim/typetest.h"

#define TYPETEST_LIST_MAX 6 /* power factors or places of a row at most */

/* A current as the tables write it: a factor of one that the model names. */
enum typetest_current { TYPETEST_IB, TYPETEST_ITR, TYPETEST_IMIN, TYPETEST_IMAX, TYPETEST_IST };
struct typetest_current_of {
    enum typetest_current of;
    double factor;
};
struct typetest_pf {
    double pf;
    char kind[4]; /* "", "ind", "cap" */
};
/* Where an influence is tested; which fields, the test says. */
struct typetest_place {
    double value, to; /* of Un or fn; degrees from, to; seconds on, off; minutes (no-load) */
    int8_t end;       /* -1, 1: the end of the range that the model prints; 0: value */
    uint8_t phases;   /* bits of lost phases */
    enum typetest_current current; /* no-load: whose power the time goes by */
};
struct typetest_row {
    const char *table;       /* "62053-21": of a constant list */
    enum typetest_test test; /* TYPETEST_N_TESTS: what no simulation shows, `beyond` says what */
    const char *beyond;      /* "magnetic field", NULL otherwise */
    char class_name[12];     /* one class: rows of several are taken apart */
    bool direct, ct;         /* connections it holds for */
    bool one_phase;
    char quantity;
    struct typetest_current_of from, to;
    size_t n_pf, n_places;
    struct typetest_pf pf[TYPETEST_LIST_MAX];
    struct typetest_place place[TYPETEST_LIST_MAX];
    double limit;
    bool certain; /* read in a public text, not remembered */
};
struct typetest_rows {
    struct typetest_row *row; /* n, by files in the order of the list, then by lines */
    size_t n, size;
};

/* Reads the built-in tables, or those of `folder` where it has them. ERR_FORMAT (file and line in
 * `f`), ERR_IO (no such folder, no table in it), ERR_MEMORY. Freeing is right after a failure, too.
 */
MUST_CHECK enum err typetest_rows_load(const char *folder, struct typetest_rows *out,
                                       const struct fault *f);
void typetest_rows_free(struct typetest_rows *r);
/* Adds the rows of one text; `table` must outlive them. ERR_FORMAT with "table:line: ..." in `f`;
 * ERR_MEMORY. */
MUST_CHECK enum err typetest_rows_parse(const char *table, const char *text, size_t len,
                                        struct typetest_rows *to, const struct fault *f);

/* The built-in files; made by sim/tables/embed.cmake. NULL name at the end. */
struct typetest_file {
    const char *name; /* "62053-21" */
    const char *text;
};
extern const struct typetest_file typetest_files[];

#endif
