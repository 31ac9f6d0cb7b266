/* Runs the command `ferraris` in tests and keeps what it said. */
#ifndef FERRARIS_TESTS_CLI_COMMAND_H
#define FERRARIS_TESTS_CLI_COMMAND_H

#include <stddef.h>
#include <sys/types.h>

struct command {
    int code;          /* exit code; -1: ended by a signal */
    char out[1048576]; /* standard output, zero-terminated, cut where it is longer */
    char err[8192];
};

/* Words up to NULL; `input` for standard input, NULL for none. At most 60 seconds. */
void command_run(struct command *c, const char *input, const char *const words[]);
#define COMMAND(c, input, ...) command_run(c, input, (const char *const[]){__VA_ARGS__, NULL})

/* A meter in the background: starts `ferraris meter` with the words, waits for its address and
 * writes "tcp://..." to url. */
pid_t command_meter(const char *const words[], char *url, size_t url_size);
/* The same for a meter with n ports: the addresses in the order it prints them. */
#define COMMAND_URL 96
pid_t command_meter_ports(const char *const words[], char url[][COMMAND_URL], size_t n);
void command_stop(pid_t meter);

#endif
