/* `ferraris connections`: the saved connections of the client verbs. */
#include "cli/client_words.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1024

/* The address in a saved connection; "-" where it has none. */
static void find_url(const char *text, char *out, size_t size)
{
    snprintf(out, size, "-");
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (sscanf(line, " url = %399[^\n]", out) == 1)
            return;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const struct cli_verb *v)
{
    static char text[CONNECTION_TEXT];
    char folder[512], url[400], *names[MANY];
    size_t n = 0;
    if (!client_words_folder(folder, sizeof folder))
        return cli_fail(v, CLI_USAGE, "no place for connections: HOME is not set");
    DIR *dir = opendir(folder);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL && n < MANY;
         e = readdir(dir))
        if (e->d_name[0] != '.')
            names[n++] = strdup(e->d_name);
    if (dir != NULL)
        closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    int code = CLI_DONE;
    for (size_t i = 0; i < n; i++) {
        if (client_words_read(v, names[i], text) == LINK_OK) {
            find_url(text, url, sizeof url);
            printf("%-20s %s\n", names[i], url);
        } else {
            code = CLI_BAD_DATA;
        }
        free(names[i]);
    }
    if (n == 0)
        fprintf(stderr, "none saved in %s; --save-profile NAME of a client verb saves one\n",
                folder);
    return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    static char text[CONNECTION_TEXT];
    const char *words[1];
    size_t n;
    int code = cli_parse(v, NULL, 0, argc, argv, words, 1, &n);
    if (code >= 0)
        return code;
    if (n == 0)
        return list(v);
    code = client_words_read(v, words[0], text);
    if (code != LINK_OK)
        return code;
    fputs(text, stdout);
    return CLI_DONE;
}

const struct cli_verb verb_connections = {
    .name = "connections",
    .summary = "the saved connections (--profile NAME of the client verbs)",
    .usage = "ferraris connections [NAME]",
    .example = "ferraris connections\n"
               "ferraris read --save-profile cellar --auth hls5 --keys meter.keys "
               "tcp://127.0.0.1:4059 1-0:1.8.0.255\n"
               "ferraris read --profile cellar 1-0:1.8.0.255",
    .run = run,
};
