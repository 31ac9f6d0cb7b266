/* ferraris panel: the hands on a virtual meter. Sends one command over the meter's panel socket. */
#include "cli/cli.h"
#include "firmware/ports/posix/panel_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 5

static int run(const struct cli_verb *v, int argc, char **argv)
{
    bool warn = false;
    const struct cli_option options[] = {
        {"warn", CLI_FLAG, &warn, NULL,
         "mains off: the meter is warned and stores what it counted"}};
    const char *words[WORDS_MAX];
    size_t n;
    char line[PANEL_LINE_MAX] = "", answer[PANEL_ANSWER_MAX];
    int code = cli_parse(v, options, 1, argc, argv, words, WORDS_MAX, &n);
    if (code >= 0)
        return code;
    if (n < 2 || strncmp(words[0], "unix:", 5) != 0)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    for (size_t i = 1; i < n; i++) {
        size_t len = strlen(line);
        if (len + strlen(words[i]) + sizeof " warn" + 1 > sizeof line)
            return cli_fail(v, CLI_USAGE, "the command is too long");
        snprintf(line + len, sizeof line - len, "%s%s", i > 1 ? " " : "", words[i]);
    }
    if (warn)
        strcat(line, " warn");
    if (panel_ask(words[0] + 5, line, answer, sizeof answer) != ERR_OK)
        return cli_fail(v, CLI_LOST, "%s: %s", words[0], strerror(errno));
    if (strncmp(answer, "error ", 6) == 0) {
        answer[strcspn(answer, "\n")] = '\0';
        return cli_fail(v, CLI_NO, "%s", answer + 6);
    }
    if (strcmp(answer, "ok\n") != 0) /* "ok" alone says nothing a person does not see */
        fputs(answer + 3, stdout);
    return CLI_DONE;
}

const struct cli_verb verb_panel = {
    .name = "panel",
    .summary = "switch the mains or a phase of a virtual meter, show its state and events",
    .usage = "ferraris panel unix:PATH status | mains on|off [--warn] | wait 11d | "
             "phase 1..3 on|off | temperature CELSIUS | pulse minute|hour | events | audit | seal "
             "open|close | parameter NAME [VALUE]",
    .example = "ferraris panel unix:/tmp/m1.panel mains off --warn\n"
               "ferraris panel unix:/tmp/m1.panel wait 11d\n"
               "ferraris panel unix:/tmp/m1.panel phase 2 off\n"
               "ferraris panel unix:/tmp/m1.panel seal open\n"
               "ferraris panel unix:/tmp/m1.panel parameter SUM 1",
    .words = "wait   time that passes at once while the mains are off: 90s, 15m, 2h, 11d\n"
             "pulse  of a master clock, at the minute or the hour\n"
             "NAME   a parameter of the factory, NAME[INDEX] where it has more than one\n"
             "       SUM: how the total follows from the phases, 0 vector, 1 per phase, 2 absolute",
    .run = run,
};
