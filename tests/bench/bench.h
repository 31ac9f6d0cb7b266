/* What the benches share: the clock, figures one to a line, and the line about the machine, without
 * which a figure means little.
 *
 * A line has the figure's name, its median, its unit, and in brackets the spread and how many runs
 * or requests there were; all names begin in the same column, all figures end in the same one. */
#ifndef FERRARIS_TESTS_BENCH_H
#define FERRARIS_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

double bench_now_s(void); /* of a clock that is not set */
/* Ends the program with the sentence: what measures must also work. */
void bench_must(bool good, const char *what);

/* "name: 2 cores, load average 0.12". Comes first. */
void bench_begin(const char *name);
/* The same, and what a head-end depends on: how many files may be open, and the time of one append
 * of 4 kB with fdatasync in the directory of bench_dir_make. */
void bench_begin_headend(const char *name);

/* Median, least and greatest. The values are put in order. */
void bench_runs(const char *what, const char *unit, double *value, size_t n);
/* Seconds that n requests took each: 95th percentile, median and greatest, in ms. */
void bench_times(const char *what, double *seconds, size_t n);
/* One figure that does not vary: a size. */
void bench_size(const char *what, const char *unit, double value);

/* A directory of its own under $TMPDIR or /tmp; and its end, with the files in it. */
#define BENCH_DIR 64
void bench_dir_make(char dir[BENCH_DIR]);
void bench_dir_remove(const char *dir);

#endif
