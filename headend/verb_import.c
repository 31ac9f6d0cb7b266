/* `ferraris headend import FILE.csv`: adds meters before the head-end runs. */
#include "headend/data_dir.h"
#include "headend/keys/meter_csv.h"
#include "headend/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u * 1024u * 1024u) /* some 400,000 meters */

struct table_file {
    uint8_t *p;
    size_t len, size;
};

static void table_file_free(struct table_file *f)
{
    if (f->p != NULL)
        wipe(f->p, f->len);
    free(f->p);
}

/* Not by realloc: it would leave copies of keys behind. */
static bool grow(struct table_file *f)
{
    const size_t size = f->size == 0 ? 64 * 1024 : 2 * f->size;
    uint8_t *p = size <= FILE_MAX ? malloc(size) : NULL;
    if (p == NULL) {
        errno = EFBIG;
        return false;
    }
    if (f->len > 0)
        memcpy(p, f->p, f->len);
    table_file_free(f);
    f->p = p;
    f->size = size;
    return true;
}

static bool read_all(int fd, struct table_file *f)
{
    for (;;) {
        if (f->len == f->size && !grow(f))
            return false;
        const ssize_t n = read(fd, f->p + f->len, f->size - f->len);
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0)
            return true;
        f->len += n > 0 ? (size_t)n : 0;
    }
}

/* "-" is standard input. */
static int load(const struct cli_verb *v, const char *path, struct table_file *f)
{
    const int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct stat s;
    if (fd < 0)
        return cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && (s.st_mode & S_IROTH) != 0)
        fprintf(stderr, "ferraris %s: warning: everybody may read %s; it may hold keys\n", v->name,
                path);
    const bool good = read_all(fd, f);
    const int number = errno;
    close(fd);
    return good ? -1 : cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(number));
}

static void print_row(void *context, const struct meter_csv_row *row)
{
    const char *path = context;
    if (!row->ok)
        fprintf(stderr, "%s:%u: %s%s%s\n", path, row->line, row->name,
                row->name[0] != '\0' ? ": " : "", row->message);
}

static int import(const struct cli_verb *v, const char *dir, const char *path, bool dry_run)
{
    struct data_dir d;
    struct table_file f = {0};
    struct meter_csv_result result;
    char why[DATA_DIR_WHY];
    int code = load(v, path, &f);
    if (code < 0)
        code = data_dir_open(&d, v, dir, DATA_KEY | DATA_OWN);
    if (code < 0) {
        const struct meter_csv_options o = {.store = d.store,
                                            .key = &d.key,
                                            .clock = &d.clock,
                                            .dry_run = dry_run,
                                            .row = print_row,
                                            .context = (void *)(uintptr_t)path};
        const enum err err =
            meter_csv_import(&o, (struct bytes){f.p, f.len}, &result, why, sizeof why);
        if (err)
            code = cli_fail(v, err == ERR_FORMAT ? CLI_BAD_DATA : CLI_LOST, "%s: %s", path, why);
        data_dir_close(&d);
    }
    table_file_free(&f);
    if (code >= 0)
        return code;
    printf("%s %u, refused %u\n", dry_run ? "would add" : "added", result.n_added,
           result.n_refused);
    return result.n_refused == 0 ? CLI_DONE : CLI_NO;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    const char *dir = NULL, *path = NULL;
    bool dry_run = false;
    const struct cli_option options[] = {
        {"data", CLI_TEXT, &dir, "DIR", "the head-end's data directory"},
        {"dry-run", CLI_FLAG, &dry_run, NULL, "judge the rows, add nothing"},
    };
    size_t n;
    const int code =
        cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, &path, 1, &n);
    if (code >= 0)
        return code;
    if (n == 0 || dir == NULL)
        return cli_fail(v, CLI_USAGE, "a FILE and --data DIR are needed; usage: %s", v->usage);
    return import(v, dir, path, dry_run);
}

const struct cli_verb verb_import = {
    .name = "headend import",
    .summary = "adds the meters of a CSV file; exit code 1 when rows were refused",
    .usage = "ferraris headend import --data DIR [--dry-run] FILE.csv",
    .example = "ferraris headend import --data /var/lib/ferraris meters.csv",
    .run = run,
};
