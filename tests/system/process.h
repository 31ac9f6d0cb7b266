/* The real executable under test: runs of `ferraris` to their end, and meters that live on.
 *
 * Everything happens in a folder of the test's own. Failures of the harness itself (fork, pipe, a
 * meter that does not come up) fail the test that asked; a wrong exit code is the test's to judge.
 * Nothing here waits longer than PROCESS_PATIENCE_S for the end of a process, or ten times that for
 * a meter to come up: it may have hours of samples to live through first. */
#ifndef FERRARIS_TEST_PROCESS_H
#define FERRARIS_TEST_PROCESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PROCESS_PATIENCE_S 100 /* under sanitizers, on a busy machine */
#define PROCESS_WORDS      40

/* Makes a folder below /tmp and goes there; the end removes it with all files in it. */
void folder_enter(void);
void folder_leave(void);
/* Writes a file in the present folder. */
void folder_write(const char *name, const void *p, size_t n);
/* A file of the shared facts: its path in `path`; false where this machine does not have it. */
bool shared_path(char *path, size_t size, const char *name);

/* One finished run. Texts are terminated; ended_by_signal gives codes of 128 and above. */
struct outcome {
    int code;
    char *out, *err;
    size_t out_len;
};
/* Runs `ferraris` with these words, the last one NULL, and waits for its end. */
struct outcome ferraris(const char *word, ...) __attribute__((sentinel));
struct outcome ferraris_words(const char *const *words);
void outcome_free(struct outcome *o);
/* Fails with the whole of stderr shown unless the exit code is `code` and, where not NULL, `in_err`
 * stands in stderr. A sanitizer's report is a failure whatever the code. */
void outcome_expect(const struct outcome *o, int code, const char *in_err);

/* The building blocks of what serves: `words` (ended by NULL) run as `ferraris`, stdout into the
 * pipe *out, stderr into the file; a line of that pipe (false at its end or when patience is over);
 * the end of the process awaited, its code as in struct outcome; fails when stderr holds a
 * sanitizer's report. */
pid_t process_spawn(const char *const *words, int *out, const char *err_name);
bool process_line(int out, char *line, size_t size);
int process_end(pid_t pid, int out, const char *err_name);
/* The whole of a file, terminated; the caller frees it. */
char *file_text(const char *name);

/* A meter that serves. */
struct meter_process {
    pid_t pid;
    int out;          /* its stdout */
    char address[64]; /* HOST:PORT from its "listening on" */
    char url[80];     /* tcp://HOST:PORT */
    uint16_t port;
    char err_name[32]; /* file its stderr goes to */
};
/* `ferraris meter --listen 127.0.0.1:0` with these words more, the last one NULL; returns when it
 * listens. */
void meter_start(struct meter_process *m, const char *word, ...) __attribute__((sentinel));
/* The same in steps: started only; then awaited, false when it ended before. */
void meter_spawn(struct meter_process *m, const char *word, ...) __attribute__((sentinel));
bool meter_await(struct meter_process *m);
/* Waits for its end, which something else brought about; gives the code as in struct outcome. */
int meter_end(struct meter_process *m);
/* SIGTERM; fails unless it ends with exit code 0 and nothing was leaked. */
void meter_stop(struct meter_process *m);
/* After a failed test: makes sure that it is gone. Nothing when it ended before or never began. */
void meter_drop(struct meter_process *m);
/* Fails unless the process is still alive. */
void meter_alive(const struct meter_process *m);

/* A connected TCP socket to the port on 127.0.0.1, with a receive timeout of 10 s. */
int line_open(uint16_t port);
/* Sends all; false when the other side is gone. */
bool line_send(int fd, const void *p, size_t n);

#endif
