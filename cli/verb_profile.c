/* `ferraris profile`: a load profile or log as table, JSON or curve. */
#include "cli/client_profile.h"
#include "cli/client_words.h"

#include "lib/dlms/datetime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wishes { /* as they stand on the command line */
    const char *from, *to, *entries, *column;
    uint64_t last;
    bool curve, json;
};

/* "a..b" with a from 1, b empty for the last. */
static bool parse_entries(const char *text, struct profile_wish *wish)
{
    char *end;
    const unsigned long long first = strtoull(text, &end, 10);
    if (end == text || strncmp(end, "..", 2) != 0 || first == 0 || first > UINT32_MAX)
        return false;
    const char *rest = end + 2;
    const unsigned long long last = *rest != '\0' ? strtoull(rest, &end, 10) : 0;
    if ((*rest != '\0' && (*end != '\0' || last < first)) || last > UINT32_MAX)
        return false;
    wish->by_entry = true;
    wish->first = (uint32_t)first;
    wish->last = (uint32_t)last;
    return true;
}

static int parse_wishes(const struct cli_verb *v, const struct wishes *w, struct profile_wish *wish)
{
    const int kinds = (w->from != NULL || w->to != NULL) + (w->entries != NULL) + (w->last != 0);
    if (kinds > 1)
        return cli_fail(v, CLI_USAGE, "choose one of --from/--to, --last and --entries");
    if (w->last > UINT32_MAX)
        return cli_fail(v, CLI_USAGE, "--last is too large");
    wish->newest = (uint32_t)w->last;
    wish->by_time = w->from != NULL || w->to != NULL;
    if (!value_parse_time(w->from != NULL ? w->from : "1970-01-01", wish->from))
        return cli_fail(v, CLI_USAGE, "--from '%s' is no time like 2026-03-29T00:00", w->from);
    if (!value_parse_time(w->to != NULL ? w->to : "2399-12-31T23:59:59", wish->to))
        return cli_fail(v, CLI_USAGE, "--to '%s' is no time like 2026-03-29T00:00", w->to);
    if (w->entries != NULL && !parse_entries(w->entries, wish))
        return cli_fail(v, CLI_USAGE, "--entries '%s' is no range like 1..96", w->entries);
    return LINK_OK;
}

/* -1: choose; -2: not in this profile */
static int find_column(const struct profile_view *p, const char *word)
{
    uint8_t ln[6], id;
    if (word == NULL)
        return -1;
    if (!object_word(word, ln, &id))
        return -2;
    for (size_t i = 0; i < p->n_columns; i++)
        if (memcmp(p->column[i].ln, ln, 6) == 0 && (id == 0 || id == p->column[i].attribute))
            return (int)i;
    return -2;
}

static int show(const struct cli_verb *v, const struct profile_view *p, const struct wishes *w)
{
    if (w->json) {
        json_t *out = profile_json(p);
        value_print_json(out, stdout);
        json_decref(out);
        return CLI_DONE;
    }
    const int column = find_column(p, w->column);
    if (column == -2)
        return cli_fail(v, CLI_USAGE, "'%s' is no column of this profile", w->column);
    if (w->curve && !profile_curve(p, column, stdout))
        return cli_fail(v, CLI_NO, "nothing to draw: two rows and a column with a unit are needed");
    if (!w->curve)
        profile_print(p, 0, stdout);
    return CLI_DONE;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    struct wishes w = {0};
    struct profile_wish wish = {0};
    struct profile_view p = {0};
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"from", CLI_TEXT, &w.from, "TIME", "first instant, 2026-03-29T00:00[+02:00]"},
        {"to", CLI_TEXT, &w.to, "TIME", "last instant, included"},
        {"last", CLI_UINT, &w.last, "N", "the newest N rows"},
        {"entries", CLI_TEXT, &w.entries, "A..B", "rows by number, from 1; B may be left out"},
        {"curve", CLI_FLAG, &w.curve, NULL, "draw one column"},
        {"column", CLI_TEXT, &w.column, "OBJECT", "the column to draw"},
        {"json", CLI_FLAG, &w.json, NULL, "one JSON document; cells are raw, x 10^scaler"}};
    const char *words[2];
    struct link l;
    uint8_t ln[6], id;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n != 2)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    if (!object_word(words[1], ln, &id) || id > 2)
        return cli_fail(v, CLI_USAGE, "'%s' is no profile; write 1-0:99.1.0.255", words[1]);
    code = parse_wishes(v, &w, &wish);
    if (code != LINK_OK)
        return code;
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = profile_read(&l, ln, &wish, &p);
    link_close(&l);
    if (code == LINK_OK)
        code = show(v, &p, &w);
    profile_free(&p);
    return code;
}

const struct cli_verb verb_profile = {
    .name = "profile",
    .summary = "read a profile of a meter as table, JSON or curve",
    .usage = "ferraris profile [OPTION]... URL OBJECT",
    .example = "ferraris profile --auth hls5 --keys meter.keys --last 96 --curve "
               "tcp://127.0.0.1:4059 1-0:99.1.0.255",
    .words = LINK_WORDS_OBJECT,
    .run = run,
};
