/* The other side of a TCP connection, in a process of its own: the example server, or a bare echo
 * of octets through the same event loop. What of the time is ours and what the kernel's. */
#ifndef FERRARIS_TESTS_BENCH_LINE_H
#define FERRARIS_TESTS_BENCH_LINE_H

#include "tests/lib/cosem/example.h"

#include <sys/types.h>

struct bench_echo { /* answers each `in` octets with `out` octets of 0 */
    size_t in, out;
};
struct bench_line {
    int fd;
    pid_t child;
};

/* Connects to a copy of `x` that serves its session; echo not NULL: to an echo. */
struct bench_line bench_line_open(struct example *x, const struct bench_echo *echo);
void bench_line_close(struct bench_line l);
void bench_line_send(struct bench_line l, const uint8_t *p, size_t n);
size_t bench_line_receive(struct bench_line l, uint8_t *to, size_t size); /* at least one octet */

#endif
