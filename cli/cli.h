/* What the verbs of `ferraris` share: the verb table's row, options, exit codes, messages.
 *
 * A verb is one file cli/verb_NAME.c with one `const struct cli_verb verb_NAME`. cli/main.c lists
 * them. */
#ifndef FERRARIS_CLI_H
#define FERRARIS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_exit { /* docs/CLI: the same for every verb */
                CLI_DONE = 0,
                CLI_NO = 1, /* the answer is no: a check failed, an object refused */
                CLI_USAGE = 2,
                CLI_LOST = 3,     /* could not reach, or lost, the other side */
                CLI_BAD_DATA = 4, /* says file, line or byte, and why */
                CLI_SECURITY = 5, /* wrong key, stale counter, tag */
                CLI_BUG = 70
};

struct cli_verb {
    const char *name;
    const char *summary; /* one line for `ferraris --help` */
    const char *usage;   /* "ferraris replay [OPTION]... FILE" */
    const char *example; /* one or more whole command lines, newline separated */
    const char *words;   /* what the words of `usage` stand for, lines as `example`; NULL: clear */
    int (*run)(const struct cli_verb *v, int argc,
               char **argv); /* argv[0] is the verb; gives an exit code */
};

enum cli_kind {
    CLI_FLAG,
    CLI_TEXT,
    CLI_UINT,
    CLI_REAL,
    CLI_LIST
}; /* out: bool*, const char**, uint64_t*, double*, struct cli_list* */

#define CLI_LIST_MAX 16
struct cli_list { /* an option that may stand more than once */
    const char *item[CLI_LIST_MAX];
    size_t n;
};

struct cli_option {
    const char *name; /* "listen" for --listen */
    enum cli_kind kind;
    void *out;       /* keeps its default when the option is absent */
    const char *arg; /* "HOST:PORT"; NULL for a flag */
    const char *help;
};

/* Parses options (--name VALUE or --name=VALUE, `--` ends them) and collects the other words in
 * `words` (at most max, count in *n_words). Gives -1 to go on, or an exit code: CLI_DONE after
 * --help, CLI_USAGE with a message that names the wrong word and the nearest right one. */
int cli_parse(const struct cli_verb *v, const struct cli_option *options, size_t n_options,
              int argc, char **argv, const char **words, size_t max, size_t *n_words);
/* Sets an option that takes a value, as the command line would. -1, or CLI_USAGE after a message.
 */
int cli_set(const struct cli_verb *v, const struct cli_option *o, const char *text);
/* "ferraris replay: " + message + newline on stderr; gives `code` so that `return cli_fail(...)`
 * reads well. */
int cli_fail(const struct cli_verb *v, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Before a program ends: an answer that did not reach its reader (disk full, closed pipe) is no
 * success. Gives the exit code. */
int cli_finish(const char *program, int code);
/* A progress bar on stderr when that is a terminal and more than a second has gone by; fraction
 * 0..1. */
void cli_progress(const char *what, double fraction);
void cli_progress_end(void);

#endif
