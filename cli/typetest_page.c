/* The page of `ferraris typetest`, whole or not at all. See typetest_page.h. */
#include "cli/typetest_page.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(const struct cli_verb *v, const char *path)
{
    return cli_fail(v, CLI_NO, "%s: %s", path, strerror(errno));
}

/* The page of a model in a folder: its name in lower case. False where the folder cannot be. */
static bool in_folder(const char *folder, const char *model, char out[PATH_MAX])
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return false;
    int n = snprintf(out, PATH_MAX, "%s/%s.html", folder, model);
    if (n < 0 || n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *c = out + strlen(folder); *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

/* Behind links: not the link is replaced but what it names. */
static bool place(const char *path, struct typetest_page *out)
{
    char real[PATH_MAX];
    struct stat s;
    bool there = stat(path, &s) == 0, straight = there && !S_ISREG(s.st_mode);
    if (there && !straight && (access(path, W_OK) != 0 || !realpath(path, real)))
        return false;
    int n = snprintf(out->path, sizeof out->path, "%s", there && !straight ? real : path);
    if (n < 0 || (size_t)n >= sizeof out->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    out->part[0] = '\0';
    if (!straight)
        snprintf(out->part, sizeof out->part, "%s.part", out->path);
    return true;
}

int typetest_page_open(const struct cli_verb *v, const char *where, const char *model,
                       struct typetest_page *out)
{
    char path[PATH_MAX];
    if (model && !in_folder(where, model, path))
        return refuse(v, where);
    if (!place(model ? path : where, out))
        return refuse(v, model ? path : where);
    if (!out->part[0]) { /* a pipe is not opened twice */
        struct stat s;
        errno = EISDIR;
        return stat(out->path, &s) == 0 && S_ISDIR(s.st_mode) ? refuse(v, out->path) : CLI_DONE;
    }
    FILE *to = fopen(out->part, "w");
    if (!to)
        return refuse(v, out->path);
    fclose(to);
    remove(out->part);
    return CLI_DONE;
}

int typetest_page_write(const struct cli_verb *v, const struct typetest_page *p,
                        const struct typetest_report *r)
{
    FILE *to = fopen(p->part[0] ? p->part : p->path, "w");
    if (!to)
        return refuse(v, p->path);
    bool done = typetest_html(r, to) == ERR_OK;
    done = fclose(to) == 0 && done;
    if (done && p->part[0])
        done = rename(p->part, p->path) == 0;
    if (done)
        return CLI_DONE;
    int code = refuse(v, p->path);
    if (p->part[0])
        remove(p->part);
    return code;
}
