/* What the claims about accuracy share: a meter as ordered, calibrated as a factory would and
 * measured on the bench; and questions to its report.
 *
 * "In class" is not left to the bench alone: the limits of each class at its two ends are stated
 * here once more and compared with the tables, and the registers are given the time they need to
 * tell a fifth of the limit, which a load curve at the LED does not wait for. One meter at a time.
 */
#ifndef FERRARIS_TEST_CLAIMS_BENCH_H
#define FERRARIS_TEST_CLAIMS_BENCH_H

#include "sim/typetest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BENCH_NEAR 0.001

extern struct model_meter bench_meter; /* as ordered */
extern struct typetest_report bench_report;

/* Orders, measures the tests named in `only` at each `every`-th of their points: every point must
 * be within its limit, registers and LED together. bench_forget() the report. */
void bench_measure(const char *model, const char *words, const char *only, unsigned every);
/* The same without reactive energy (of classes of IEC 62053-23). */
void bench_measure_active(const char *model, const char *words, const char *only, unsigned every);
void bench_forget(void);

bool bench_is(const struct typetest_point *p, const char *table, enum typetest_test test);
/* The load curve of active or reactive energy went from the lowest current of the meter's class to
 * Imax, by the reference current, in both directions, with the limits of the class; each phase
 * alone where `one_phase` was measured. */
void bench_curve_is_whole(char quantity);
/* Of another class that is printed beside the meter's own. */
void bench_active_curve_is_whole_in(const char *table, const char *class_name);
void bench_phases_are_whole(char quantity);
/* Under an influence (voltage: of Un; frequency: Hz) points of P, and of Q where measured, were
 * taken at PF 1 at the reference and maximum currents and at PF 0.5, and their whole error, that of
 * the curve and the variation, is within the class. The load curve must be in the report. */
void bench_holds_at(const char *table, enum typetest_test test, double where);
/* Registers over DLMS after so long a time that their unit is a fifth of the limit: at the lowest,
 * the reference and the maximum current, both directions, PF (sin phi) 1 and 0.5. */
void bench_registers_hold(const char *model, const char *words, const char *quantities);

/* main of the programs: with an argument only the rows of that product. */
int bench_main(int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t n);

#endif
