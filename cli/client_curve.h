/* A curve in the terminal, drawn with block characters. */
#ifndef FERRARIS_CLI_CLIENT_CURVE_H
#define FERRARIS_CLI_CLIENT_CURVE_H

#include <stddef.h>
#include <stdio.h>

/* Bars of n values over time; more values than columns are averaged. The labels stand below the
 * first and the last; NULL for none. */
void curve_print(const double *y, size_t n, const char *first, const char *last, FILE *to);

#endif
