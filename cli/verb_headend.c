/* `ferraris headend ...`: becomes `ferraris-headend`, a program of its own, so that a reader or a
 * virtual meter needs no database. It lies beside this program, or else in PATH.
 *
 * Understands none of the words that follow; the other program does. */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "ferraris-headend"

/* "/usr/local/bin/" of this executable; "" when it cannot be told. */
static void own_folder(char *to, size_t size)
{
    const ssize_t n = readlink("/proc/self/exe", to, size - 1);
    to[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(to, '/');
    to[slash != NULL ? slash - to + 1 : 0] = '\0';
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    char folder[4096], path[sizeof folder + sizeof PROGRAM];
    (void)argc;
    own_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s" PROGRAM, folder);
    argv[0] = PROGRAM;
    if (folder[0] != '\0')
        execv(path, argv);
    if (folder[0] == '\0' || errno == ENOENT)
        execvp(PROGRAM, argv);
    if (errno == ENOENT)
        return cli_fail(v, CLI_LOST,
                        "the program " PROGRAM " is not installed: it is neither in %s nor in PATH",
                        folder[0] != '\0' ? folder : "the folder of ferraris");
    return cli_fail(v, CLI_LOST, "%s: %s", path, strerror(errno));
}

const struct cli_verb verb_headend = {
    .name = "headend",
    .summary = "reads meters, stores what they measured, shows it in a browser",
    .usage = "ferraris headend VERB [OPTION]... (run, import, user, verify)",
    .example = "ferraris headend run --data /var/lib/ferraris",
    .run = run,
};
