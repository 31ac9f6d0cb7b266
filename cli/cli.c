/* Options, messages and the progress bar: one behaviour for all verbs.
 *
 * Refuses to guess: an unknown option is an error that names the nearest known one, a number must
 * be a number to its last character. */
#include "cli/cli.h"
#include "cli/cli_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int cli_fail(const struct cli_verb *v, int code, const char *format, ...)
{
    va_list args;
    cli_progress_end();
    fprintf(stderr, "ferraris %s: ", v->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int cli_finish(const char *program, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "%s: the answer could not be written to standard output\n", program);
    return code == CLI_DONE ? CLI_LOST : code;
}

static void print_option(const struct cli_option *o)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg != NULL ? " " : "",
             o->arg != NULL ? o->arg : "");
    printf("  %-34s %s\n", left, o->help);
}

/* A heading, and lines set in by two. */
static void print_lines(const char *heading, const char *lines)
{
    printf("\n%s:\n", heading);
    for (const char *line = lines; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        printf("  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n' ? 1 : 0);
    }
}

static void print_help(const struct cli_verb *v, const struct cli_option *options, size_t n_options)
{
    printf("%s\n\nusage: %s\n", v->summary, v->usage);
    if (v->words != NULL)
        print_lines("words", v->words);
    if (n_options > 0)
        printf("\noptions:\n");
    for (size_t i = 0; i < n_options; i++)
        print_option(&options[i]);
    print_lines("example", v->example);
}

static const struct cli_option *find_option(const struct cli_option *options, size_t n,
                                            const char *name, size_t name_len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == name_len && memcmp(options[i].name, name, name_len) == 0)
            return &options[i];
    return NULL;
}

static int unknown_option(const struct cli_verb *v, const struct cli_option *options, size_t n,
                          const char *word)
{
    const char *best = NULL;
    unsigned best_distance = 4; /* further away is no help */
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (size_t i = 0; i < n; i++) {
        const unsigned d = cli_distance(name, options[i].name);
        if (d < best_distance) {
            best_distance = d;
            best = options[i].name;
        }
    }
    if (best != NULL)
        return cli_fail(v, CLI_USAGE, "unknown option --%s; did you mean --%s?", name, best);
    return cli_fail(v, CLI_USAGE, "unknown option --%s; see ferraris %s --help", name, v->name);
}

static bool parse_uint(const char *text, uint64_t *out)
{
    char *end;
    const int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, base);
    return errno == 0 && *end == '\0';
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && *out - *out == 0; /* finite */
}

int cli_set(const struct cli_verb *v, const struct cli_option *o, const char *text)
{
    if (o->kind == CLI_TEXT) {
        *(const char **)o->out = text;
    } else if (o->kind == CLI_LIST) {
        struct cli_list *list = o->out;
        if (list->n == CLI_LIST_MAX)
            return cli_fail(v, CLI_USAGE, "--%s more than %d times", o->name, CLI_LIST_MAX);
        list->item[list->n++] = text;
    } else if (o->kind == CLI_UINT) {
        uint64_t n;
        if (!parse_uint(text, &n))
            return cli_fail(v, CLI_USAGE, "--%s wants a whole number, not '%s'", o->name, text);
        *(uint64_t *)o->out = n;
    } else {
        double x;
        if (!parse_real(text, &x))
            return cli_fail(v, CLI_USAGE, "--%s wants a number, not '%s'", o->name, text);
        *(double *)o->out = x;
    }
    return -1;
}

/* One --option at argv[*at]; moves *at over its value. */
static int parse_option(const struct cli_verb *v, const struct cli_option *options, size_t n,
                        int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    const char *value = strchr(word, '=');
    const size_t len = strcspn(word + 2, "=");
    const struct cli_option *o = find_option(options, n, word + 2, len);
    if (o == NULL)
        return unknown_option(v, options, n, word);
    if (o->kind == CLI_FLAG) {
        if (value != NULL)
            return cli_fail(v, CLI_USAGE, "--%s takes no value", o->name);
        *(bool *)o->out = true;
        return -1;
    }
    if (value != NULL)
        return cli_set(v, o, value + 1);
    if (*at + 1 >= argc)
        return cli_fail(v, CLI_USAGE, "--%s wants %s", o->name, o->arg);
    *at += 1;
    return cli_set(v, o, argv[*at]);
}

int cli_parse(const struct cli_verb *v, const struct cli_option *options, size_t n_options,
              int argc, char **argv, const char **words, size_t max, size_t *n_words)
{
    bool only_words = false;
    *n_words = 0;
    for (int i = 1; i < argc; i++) {
        const bool option = !only_words && strncmp(argv[i], "--", 2) == 0;
        if (option && argv[i][2] == '\0') {
            only_words = true;
        } else if (option && strcmp(argv[i], "--help") == 0) {
            print_help(v, options, n_options);
            return CLI_DONE;
        } else if (option) {
            const int code = parse_option(v, options, n_options, argc, argv, &i);
            if (code >= 0)
                return code;
        } else if (*n_words >= max) {
            return cli_fail(v, CLI_USAGE, "'%s' is one word too many; usage: %s", argv[i],
                            v->usage);
        } else {
            words[(*n_words)++] = argv[i];
        }
    }
    return -1;
}

/* The bar's own memory: a process has one terminal. */
static struct {
    double started; /* seconds, monotonic; 0: no bar */
    double drawn;
    bool visible;
} bar;

static double monotonic_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cli_progress(const char *what, double fraction)
{
    enum { WIDTH = 30 };
    const double now = monotonic_seconds();
    if (bar.started == 0)
        bar.started = now;
    if (now - bar.started < 1.0 || now - bar.drawn < 0.1 || !isatty(STDERR_FILENO))
        return;
    fraction = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    const int full = (int)(fraction * WIDTH);
    fprintf(stderr, "\r\033[K%s [", what);
    for (int i = 0; i < WIDTH; i++)
        fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3d %%", (int)(fraction * 100));
    fflush(stderr);
    bar.drawn = now;
    bar.visible = true;
}

void cli_progress_end(void)
{
    if (bar.visible)
        fputs("\r\033[K", stderr);
    memset(&bar, 0, sizeof bar);
}
