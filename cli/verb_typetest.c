/* `ferraris typetest`: the accuracy bench over the tables of the standards. The measuring is in
 * sim/typetest.c; here are options, the files and the progress bar. */
#include "cli/cli.h"
#include "sim/typetest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct wish {
    const char *model, *order, *only, *tables, *html;
    bool ideal, json, text;
    uint64_t seed, every;
    double rate_hz;
};

static void on_progress(void *context, size_t done, size_t of, const char *what)
{
    (void)context;
    cli_progress(what, (double)done / (double)of);
}

static int write_html(const struct cli_verb *v, const char *path, FILE *to,
                      struct typetest_report *r)
{
    time_t now = time(NULL);
    struct tm day;
    if (gmtime_r(&now, &day))
        strftime(r->date, sizeof r->date, "%Y-%m-%d", &day);
    if (!(to = freopen(path, "w", to))) /* what stood there goes only now */
        return cli_fail(v, CLI_NO, "%s: %s", path, strerror(errno));
    enum err err = typetest_html(r, to);
    if (fclose(to) != 0 || err)
        return cli_fail(v, CLI_NO, "%s: %s", path, strerror(errno));
    return CLI_DONE;
}

/* Closes the page. */
static int answer(const struct cli_verb *v, const struct wish *w, FILE *page,
                  struct typetest_report *r)
{
    int code = page ? write_html(v, w->html, page, r) : CLI_DONE;
    enum err err = ERR_OK;
    if (code != CLI_DONE)
        return code;
    if (w->json)
        err = typetest_json(r, stdout);
    if (!err && (w->text || (!w->json && !w->html)))
        err = typetest_text(r, stdout);
    if (err)
        return cli_fail(v, CLI_NO, "%s", err_text(err));
    return r->n_failed ? CLI_NO : CLI_DONE;
}

static int code_of(enum err err)
{
    switch (err) {
    case ERR_FORMAT:
    case ERR_IO:
        return CLI_BAD_DATA;
    case ERR_RANGE:
    case ERR_NOT_FOUND:
        return CLI_USAGE;
    default:
        return CLI_BUG;
    }
}

static int bench(const struct cli_verb *v, const struct wish *w, const struct model_meter *m)
{
    char message[600] = "";
    struct typetest_report report;
    const struct typetest_options o = {.model = m,
                                       .order = w->order,
                                       .ideal = w->ideal,
                                       .every = (unsigned)w->every,
                                       .seed = w->seed,
                                       .rate_hz = w->rate_hz,
                                       .tables = w->tables,
                                       .only = w->only,
                                       .progress = on_progress};
    FILE *page = w->html ? fopen(w->html, "a") : NULL; /* before minutes of work */
    if (w->html && !page)
        return cli_fail(v, CLI_NO, "%s: %s", w->html, strerror(errno));
    enum err err = typetest_run(&o, &report, &(struct fault){message, sizeof message});
    cli_progress_end();
    if (err) {
        if (page)
            fclose(page);
        return cli_fail(v, code_of(err), "%s", message[0] ? message : err_text(err));
    }
    int code = answer(v, w, page, &report);
    typetest_free(&report);
    return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct wish w = {.order = "", .seed = 1, .every = 1, .rate_hz = 8000};
    size_t n = 0, bad_at = 0;
    const struct cli_option options[] = {
        {"model", CLI_TEXT, &w.model, "NAME", "the meter: MT371, SM402D ..."},
        {"order", CLI_TEXT, &w.order, "WORDS", "as ordered: 10(120),class2 ..."},
        {"ideal", CLI_FLAG, &w.ideal, NULL, "ideal converter: the algorithm alone"},
        {"seed", CLI_UINT, &w.seed, "N", "the individual front end and its noise (1)"},
        {"rate", CLI_REAL, &w.rate_hz, "HZ", "samples per second, 4000 to 32 000 (8000)"},
        {"every", CLI_UINT, &w.every, "N", "each N-th point of a test only"},
        {"only", CLI_TEXT, &w.only, "TESTS", "load,starting ...: these tests only"},
        {"tables", CLI_TEXT, &w.tables, "DIR", "CSV files in place of the built-in ones"},
        {"html", CLI_TEXT, &w.html, "FILE", "writes the printed report"},
        {"json", CLI_FLAG, &w.json, NULL, "one JSON document on the standard output"},
        {"text", CLI_FLAG, &w.text, NULL, "the table, also beside --html"},
    };
    int code = cli_parse(v, options, sizeof options / sizeof *options, argc, argv, NULL, 0, &n);
    if (code >= 0)
        return code;
    if (!w.model)
        return cli_fail(v, CLI_USAGE, "--model is wanted; see ferraris typetest --help");
    const struct model_meter *row = model_meter_find(w.model);
    if (!row)
        return cli_fail(v, CLI_USAGE, "there is no model %s", w.model);
    if (w.json && w.text)
        return cli_fail(v, CLI_USAGE, "--json or --text: both go to the standard output");
    if (!(w.rate_hz >= 4000 && w.rate_hz <= 32000) || w.every > 100000)
        return cli_fail(v, CLI_USAGE, "--rate is 4000 to 32000, --every at most 100000");
    struct model_meter ordered;
    enum err err = model_order(row, w.order, &ordered, &bad_at);
    if (err)
        return cli_fail(v, CLI_USAGE, "--order: \"%s\" %s", w.order + bad_at,
                        err == ERR_STATE ? "contradicts a word before it"
                                         : "is not a word of this model");
    return bench(v, &w, &ordered);
}

const struct cli_verb verb_typetest = {
    .name = "typetest",
    .summary = "the accuracy bench over the tables of the standards",
    .usage = "ferraris typetest --model NAME [OPTION]...",
    .example = "ferraris typetest --model ST402D --html st402d.html\n"
               "ferraris typetest --model SM307 --only load,starting --json",
    .run = run};
