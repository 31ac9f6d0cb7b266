/* See client_words.h. The file is applied before the command line, whose words then overwrite it.
 */
#include "cli/client_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512

bool client_words_folder(char *out, size_t size)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = -1;
    if (config != NULL && config[0] != '\0')
        n = snprintf(out, size, "%s/ferraris/profiles", config);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(out, size, "%s/.config/ferraris/profiles", home);
    return n > 0 && (size_t)n < size;
}

/* A name that is one file in the folder, and no hidden one. */
static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const size_t n = strlen(name);
    return n > 0 && n < CONNECTION_NAME && name[0] != '.' && strspn(name, allowed) == n;
}

static int find_path(const struct cli_verb *v, const char *name, char path[PATH_SIZE])
{
    char folder[PATH_SIZE - CONNECTION_NAME - 1];
    if (!is_name(name))
        return cli_fail(v, CLI_USAGE,
                        "'%s' is no name of a connection: letters, digits, '-', '_' and '.'", name);
    if (!client_words_folder(folder, sizeof folder))
        return cli_fail(v, CLI_USAGE, "no place for connections: HOME is not set");
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return LINK_OK;
}

int client_words_read(const struct cli_verb *v, const char *name, char text[CONNECTION_TEXT])
{
    char path[PATH_SIZE];
    const int code = find_path(v, name, path);
    if (code != LINK_OK)
        return code;
    FILE *f = fopen(path, "re");
    if (f == NULL && errno == ENOENT)
        return cli_fail(v, CLI_USAGE, "no connection '%s' is saved (%s)", name, path);
    if (f == NULL)
        return cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    const size_t n = fread(text, 1, CONNECTION_TEXT, f);
    fclose(f);
    if (n == CONNECTION_TEXT || memchr(text, '\0', n) != NULL)
        return cli_fail(v, CLI_BAD_DATA, "%s: this is no saved connection", path);
    text[n] = '\0';
    return LINK_OK;
}

/* ---- reading ---- */

/* The row of an option that all client verbs have; NULL. Its value lies in the link_options. */
static const struct cli_option *find_row(const struct client_words *w, const char *name)
{
    const char *from = (const char *)w->o, *to = from + sizeof *w->o;
    for (size_t i = 0; i < w->n_options; i++) {
        const struct cli_option *o = &w->options[i];
        const char *at = o->out;
        if (strcmp(o->name, name) == 0 && at >= from && at < to)
            return o;
    }
    return NULL;
}

/* Options that are of one call and not of a connection. */
static bool is_passing(const char *name)
{
    return strcmp(name, "profile") == 0 || strcmp(name, "save-profile") == 0 ||
           strcmp(name, "counter") == 0;
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    for (size_t n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
        s[n - 1] = '\0';
    return s;
}

struct place { /* of a line, for messages */
    const char *name;
    unsigned line;
};

static int apply(const struct cli_verb *v, struct client_words *w, const struct place *at,
                 char *line)
{
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return cli_fail(v, CLI_BAD_DATA, "connection %s, line %u: not `name = value`", at->name,
                        at->line);
    *equals = '\0';
    const char *name = trim(line), *value = trim(equals + 1);
    const struct cli_option *o = find_row(w, name);
    if (strcmp(name, "url") == 0) {
        w->words[0] = value;
        w->n = 1;
        return LINK_OK;
    }
    if (o == NULL || is_passing(name))
        return cli_fail(v, CLI_BAD_DATA, "connection %s, line %u: unknown name '%s'", at->name,
                        at->line, name);
    if (o->kind != CLI_FLAG && cli_set(v, o, value) < 0)
        return LINK_OK;
    if (o->kind != CLI_FLAG)
        return cli_fail(v, CLI_BAD_DATA, "in connection %s, line %u", at->name, at->line);
    *(bool *)o->out = strcmp(value, "yes") == 0;
    if (*(bool *)o->out || strcmp(value, "no") == 0)
        return LINK_OK;
    return cli_fail(v, CLI_BAD_DATA, "connection %s, line %u: %s is yes or no", at->name, at->line,
                    name);
}

static int apply_saved(const struct cli_verb *v, struct client_words *w, const char *name)
{
    struct place at = {.name = name};
    int code = client_words_read(v, name, w->saved);
    char *next = w->saved;
    while (code == LINK_OK && next != NULL) {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        at.line++;
        line = trim(line);
        if (*line != '\0' && *line != '#')
            code = apply(v, w, &at, line);
    }
    return code;
}

/* The value of --profile, wherever it stands. NULL: not there. */
static const char *asked_for(int argc, char **argv)
{
    static const char option[] = "--profile";
    const size_t n = sizeof option - 1;
    const char *name = NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], option, n) != 0)
            continue;
        if (argv[i][n] == '=')
            name = argv[i] + n + 1;
        else if (argv[i][n] == '\0' && i + 1 < argc)
            name = argv[++i];
    }
    return name;
}

/* ---- writing ---- */

/* Differs from what an absent option means? The defaults lie as the values do. */
static bool is_set(const struct client_words *w, const struct cli_option *o)
{
    static const struct link_options defaults = LINK_OPTIONS_DEFAULT;
    const size_t offset = (size_t)((const char *)o->out - (const char *)w->o);
    const void *usual = (const char *)&defaults + offset;
    if (o->kind == CLI_UINT)
        return *(const uint64_t *)o->out != *(const uint64_t *)usual;
    if (o->kind == CLI_FLAG)
        return *(const bool *)o->out != *(const bool *)usual;
    const char *is = *(const char *const *)o->out, *was = *(const char *const *)usual;
    return is != NULL && (was == NULL || strcmp(is, was) != 0);
}

static void print_row(FILE *f, const struct cli_option *o)
{
    if (o->kind == CLI_UINT) {
        fprintf(f, "%s = %llu\n", o->name, (unsigned long long)*(const uint64_t *)o->out);
    } else if (o->kind == CLI_FLAG) {
        fprintf(f, "%s = yes\n", o->name);
    } else {
        const char *text = *(const char *const *)o->out;
        const bool file = strcmp(o->name, "keys") == 0 || strcmp(o->name, "password-file") == 0;
        char *whole = file ? realpath(text, NULL) : NULL; /* it will be read from elsewhere */
        fprintf(f, "%s = %s\n", o->name, whole != NULL ? whole : text);
        free(whole);
    }
}

/* Makes the folders of a path's file. */
static void make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0700); /* where it fails, so does the file */
        *at = '/';
    }
}

static int save(const struct cli_verb *v, const struct client_words *w)
{
    char path[PATH_SIZE], fresh[PATH_SIZE + 8];
    const int code = find_path(v, w->o->save_profile, path);
    if (code != LINK_OK)
        return code;
    if (w->n == 0)
        return cli_fail(v, CLI_USAGE, "--save-profile wants an address; usage: %s", v->usage);
    make_folders(path);
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    const int fd = mkstemp(fresh); /* mode 0600 */
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL)
        return cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    fprintf(f, "url = %s\n", w->words[0]);
    for (size_t i = 0; i < w->n_options; i++) {
        const struct cli_option *o = &w->options[i];
        if (find_row(w, o->name) == o && !is_passing(o->name) && is_set(w, o))
            print_row(f, o);
    }
    const bool written = !ferror(f);
    if (fclose(f) == 0 && written && rename(fresh, path) == 0)
        return LINK_OK;
    const int error = errno;
    unlink(fresh);
    return cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(error));
}

/* ---- both ---- */

int client_words(const struct cli_verb *v, struct client_words *w, int argc, char **argv)
{
    const char *name = asked_for(argc, argv), *url = NULL;
    w->n = 0;
    int code = name != NULL ? apply_saved(v, w, name) : LINK_OK;
    if (code != LINK_OK)
        return code;
    if (w->n > 0)
        url = w->words[0];
    code = cli_parse(v, w->options, w->n_options, argc, argv, w->words, w->max, &w->n);
    if (code >= 0)
        return code;
    if (url != NULL && (w->n == 0 || strstr(w->words[0], "://") == NULL)) {
        if (w->n == w->max)
            return cli_fail(v, CLI_USAGE, "'%s' is one word too many; usage: %s",
                            w->words[w->n - 1], v->usage);
        memmove(w->words + 1, w->words, w->n * sizeof *w->words);
        w->words[0] = url;
        w->n++;
    }
    return w->o->save_profile != NULL ? save(v, w) : LINK_OK;
}
