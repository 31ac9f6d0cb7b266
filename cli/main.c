/* The dispatcher of `ferraris`: lists the verbs and hands over. Nothing else is decided here. */
#include "cli/cli.h"
#include "cli/cli_words.h"

#include <stdio.h>
#include <string.h>

#define VERB(name) extern const struct cli_verb verb_##name;
#include "cli/verbs.def"
#undef VERB

static const struct cli_verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "cli/verbs.def"
#undef VERB
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_usage(FILE *to)
{
    fprintf(to, "Ferraris, an open smart-metering system.\n\n"
                "usage: ferraris VERB [OPTION]... [WORD]...\n\n");
    for (size_t i = 0; i < N_VERBS; i++)
        fprintf(to, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(to, "\n`ferraris VERB --help` shows a verb's options and an example.\n");
}

static const struct cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *best = verbs[0]->name;
    for (size_t i = 1; i < N_VERBS; i++)
        if (cli_distance(name, verbs[i]->name) < cli_distance(name, best))
            best = verbs[i]->name;
    fprintf(stderr, "ferraris: unknown verb '%s'; did you mean '%s'? See ferraris --help\n", name,
            best);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    static const char program[] = "ferraris";
    if (argc < 2) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ferraris %s\n", FERRARIS_VERSION);
        return cli_finish(program, CLI_DONE);
    }
    if (strcmp(argv[1], "--help") == 0 || (strcmp(argv[1], "help") == 0 && argc == 2)) {
        print_usage(stdout);
        return cli_finish(program, CLI_DONE);
    }
    if (strcmp(argv[1], "help") == 0) {
        char *help[] = {argv[2], "--help", NULL};
        const struct cli_verb *v = find_verb(argv[2]);
        return v == NULL ? unknown_verb(argv[2]) : cli_finish(program, v->run(v, 2, help));
    }
    const struct cli_verb *v = find_verb(argv[1]);
    if (v == NULL)
        return unknown_verb(argv[1]);
    return cli_finish(program, v->run(v, argc - 1, argv + 1));
}
