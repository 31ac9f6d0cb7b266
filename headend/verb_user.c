/* `ferraris headend user NAME`: adds a user or sets a new password. Passwords never come from the
 * command line, where every process of the machine could read them. */
#include "headend/data_dir.h"
#include "headend/people.h"
#include "headend/verbs.h"

#include <stdio.h>

static int get_password(const struct cli_verb *v, const char *file, char password[PASSWORD_MAX + 1])
{
    return file != NULL ? people_from_file(v, file, password) : people_ask(v, password);
}

static int set(const struct cli_verb *v, const char *dir, const char *name, const char *password,
               bool generate)
{
    struct data_dir d;
    char made[PASSWORD_MAX + 1] = "";
    int code = data_dir_open(&d, v, dir, DATA_STORE);
    if (code >= 0)
        return code;
    code =
        generate ? people_generate(v, d.store, name, made) : people_set(v, d.store, name, password);
    data_dir_close(&d);
    if (code < 0 && generate)
        printf("%s password: %s (shown once)\n", name, made);
    wipe(made, sizeof made);
    return code < 0 ? CLI_DONE : code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    const char *dir = NULL, *file = NULL, *name = NULL;
    bool generate = false;
    const struct cli_option options[] = {
        {"data", CLI_TEXT, &dir, "DIR", "the head-end's data directory"},
        {"generate", CLI_FLAG, &generate, NULL, "draw a password and print it once"},
        {"password-file", CLI_TEXT, &file, "FILE", "take the first line of FILE instead of asking"},
    };
    size_t n;
    int code = cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, &name, 1, &n);
    if (code >= 0)
        return code;
    if (n == 0 || dir == NULL)
        return cli_fail(v, CLI_USAGE, "a NAME and --data DIR are needed; usage: %s", v->usage);
    if (!people_name_check(name))
        return cli_fail(v, CLI_USAGE, "a name has 1 to 32 letters, digits, '.', '-', '_' or '@'");
    if (generate && file != NULL)
        return cli_fail(v, CLI_USAGE, "--generate and --password-file exclude each other");
    char password[PASSWORD_MAX + 1] = "";
    code = generate ? -1 : get_password(v, file, password);
    if (code < 0)
        code = set(v, dir, name, password, generate);
    wipe(password, sizeof password);
    return code;
}

const struct cli_verb verb_user = {
    .name = "headend user",
    .summary = "adds a user or sets a password; the user's sessions end",
    .usage = "ferraris headend user --data DIR [OPTION]... NAME",
    .example = "ferraris headend user --data /var/lib/ferraris --generate admin",
    .run = run,
};
