/* How often this process has asked for memory: what runs per request must not.
 *
 * A program that links alloc_count.c has malloc, calloc and realloc counted, those of its libraries
 * too. glibc only. */
#ifndef FERRARIS_TESTS_BENCH_ALLOC_COUNT_H
#define FERRARIS_TESTS_BENCH_ALLOC_COUNT_H

unsigned long alloc_count(void); /* calls since the start */

#endif
