/* Figures of the type-test report: which points belong together, and their curves and bars.
 *
 * Points are grouped by test, table and quantity in the order in which the report has them; it is
 * never sorted or copied as a whole. What a figure cannot show the page's tables do. */
#ifndef FERRARIS_SIM_TYPETEST_FIGURE_H
#define FERRARIS_SIM_TYPETEST_FIGURE_H

#include "sim/typetest.h"

/* Points of the same test, table and quantity as its first one; where by_pf, of the same power
 * factor as well. */
struct typetest_group {
    const struct typetest_report *report;
    const struct typetest_result *first;
    bool by_pf;
};
/* The group after g of this test, or the first one when g->first is NULL. False: no more. */
bool typetest_group_next(struct typetest_group *g, enum typetest_test test);
/* The member after r, or the first one for NULL; NULL past the last. */
const struct typetest_result *typetest_group_member(const struct typetest_group *g,
                                                    const struct typetest_result *r);

/* What a reader calls the test ("One phase loaded"), and what its error and limit are in ("%",
 * "%/K", "pulses", "periods"). */
const char *typetest_title(enum typetest_test t);
const char *typetest_unit(enum typetest_test t);
/* The standard a table was built from: "62053-22" is IEC 62053-22. */
const char *typetest_standard(const char *table, char out[64]);
/* "1", "0.5 ind"; for Q the sine of the angle. */
const char *typetest_pf(const struct typetest_point *p, char out[24]);
/* "One phase loaded - IEC 62053-22, active energy". */
const char *typetest_group_name(const struct typetest_group *g, char out[120]);
/* Fixed decimals, a true minus, no sign at zero; a dash where there is no number. */
const char *typetest_number(double v, int decimals, bool sign, char out[40]);
int typetest_decimals(enum typetest_test t);
/* (limit - |error|) / limit in percent; NaN without a limit. */
double typetest_margin(const struct typetest_result *r);

/* A figure: error curves of one group against its limits and magnified, over the current or the
 * influence; nothing where the test has no such axis or no curve has two points. `*number` counts
 * the plots of the page. ERR_MEMORY. */
MUST_CHECK enum err typetest_curves(FILE *to, const struct typetest_group *g, unsigned *number);
/* A chapter: the worst variation of each influence as a bar against its limit; nothing where no
 * influence was tried. */
void typetest_bars(FILE *to, const struct typetest_report *r);

#endif
