/* The dispatcher of `ferraris-headend`: lists the verbs and hands over. */
#include "headend/verbs.h"

#include <stdio.h>
#include <string.h>

static const struct cli_verb *const verbs[] = {&verb_run, &verb_import, &verb_user, &verb_verify};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

/* A verb's name is "headend run", so that messages say what was typed. */
static const char *short_name(const struct cli_verb *v)
{
    return strchr(v->name, ' ') + 1;
}

static void print_usage(FILE *to)
{
    fprintf(to, "The head-end: reads meters, stores what they measured, shows it in a browser.\n\n"
                "usage: ferraris headend VERB [OPTION]... [WORD]...\n\n");
    for (size_t i = 0; i < N_VERBS; i++)
        fprintf(to, "  %-10s %s\n", short_name(verbs[i]), verbs[i]->summary);
    fprintf(to, "\n`ferraris headend VERB --help` shows a verb's options and an example.\n");
}

static int run_verb(int argc, char **argv)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(short_name(verbs[i]), argv[0]) == 0)
            return verbs[i]->run(verbs[i], argc, argv);
    fprintf(stderr, "ferraris headend: unknown verb '%s'; see ferraris headend --help\n", argv[0]);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    static const char program[] = "ferraris headend";
    if (argc < 2) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ferraris-headend %s\n", FERRARIS_VERSION);
        return cli_finish(program, CLI_DONE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return cli_finish(program, CLI_DONE);
    }
    return cli_finish(program, run_verb(argc - 1, argv + 1));
}
