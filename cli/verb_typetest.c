/* `ferraris typetest`: the accuracy bench over the tables of the standards, for one model or one
 * after the other for all. The measuring is in sim/typetest.c; here are options, the files and the
 * progress bar. */
#include "cli/cli.h"
#include "cli/typetest_page.h"
#include "sim/typetest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct wish {
    const char *model, *order, *only, *tables, *html;
    bool ideal, json, text, all;
    uint64_t seed, every;
    double rate_hz;
};
struct sitting { /* a run, or the at-th of several */
    const struct cli_verb *verb;
    const struct wish *wish;
    const struct model_meter *model;
    size_t at, of;
    size_t n_points, n_failed; /* of all so far */
};

static void on_progress(void *context, size_t done, size_t of, const char *what)
{
    const struct sitting *s = context;
    char text[64];
    snprintf(text, sizeof text, "%s %s", s->model->name, what);
    cli_progress(text, ((double)s->at + (double)done / (double)of) / (double)s->of);
}

static void set_date(struct typetest_report *r)
{
    time_t now = time(NULL);
    struct tm day;
    if (gmtime_r(&now, &day))
        strftime(r->date, sizeof r->date, "%Y-%m-%d", &day);
}

static int answer(const struct sitting *s, const struct typetest_page *page,
                  struct typetest_report *r)
{
    const struct wish *w = s->wish;
    enum err err = ERR_OK;
    set_date(r);
    int code = w->html ? typetest_page_write(s->verb, page, r) : CLI_DONE;
    if (code != CLI_DONE)
        return code;
    if (w->json && w->all)
        fputs(s->at == 0 ? "[" : ",", stdout);
    if (w->json)
        err = typetest_json(r, stdout);
    if (!err && (w->text || (!w->json && !w->html)))
        err = typetest_text(r, stdout);
    if (w->json && s->at + 1 == s->of && w->all)
        fputs("]\n", stdout);
    else if (w->all && !w->json && (w->text || !w->html))
        putchar('\n');
    return err ? cli_fail(s->verb, CLI_NO, "%s", err_text(err)) : CLI_DONE;
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

static int bench(struct sitting *s)
{
    const struct wish *w = s->wish;
    char message[600] = "";
    struct typetest_report report;
    struct typetest_page page;
    const struct typetest_options o = {.model = s->model,
                                       .order = w->order,
                                       .ideal = w->ideal,
                                       .every = (unsigned)w->every,
                                       .seed = w->seed,
                                       .rate_hz = w->rate_hz,
                                       .tables = w->tables,
                                       .only = w->only,
                                       .progress = on_progress,
                                       .context = s};
    int code = w->html ? typetest_page_open(s->verb, w->html, w->all ? s->model->name : NULL, &page)
                       : CLI_DONE; /* before minutes of work */
    if (code != CLI_DONE)
        return code;
    enum err err = typetest_run(&o, &report, &(struct fault){message, sizeof message});
    cli_progress_end();
    if (err)
        return cli_fail(s->verb, code_of(err), "%s", message[0] ? message : err_text(err));
    s->n_points += report.n;
    s->n_failed += report.n_failed;
    code = answer(s, &page, &report);
    typetest_free(&report);
    return code;
}

static int benches(const struct cli_verb *v, const struct wish *w, const struct model_meter *one)
{
    struct sitting s = {.verb = v, .wish = w, .model = one, .of = 1};
    if (w->all)
        for (s.of = 0; model_meter_at(s.of);)
            s.of++;
    for (; s.at < s.of; s.at++) {
        if (w->all)
            s.model = model_meter_at(s.at);
        int code = bench(&s);
        if (code != CLI_DONE)
            return code;
    }
    if (s.n_points == 0)
        return cli_fail(v, CLI_NO, "no point of the tables is for this model and these tests");
    return s.n_failed ? CLI_NO : CLI_DONE;
}

static int no_model(const struct cli_verb *v, const char *name)
{
    char names[200] = "";
    size_t len = 0;
    for (size_t i = 0; model_meter_at(i); i++)
        len += (size_t)snprintf(names + len, sizeof names - len, " %s,", model_meter_at(i)->name);
    return cli_fail(v, CLI_USAGE, "there is no model %s; there are%s all", name, names);
}

/* The model as ordered; for all of them there is nothing to do. */
static int choose(const struct cli_verb *v, const struct wish *w, struct model_meter *ordered)
{
    size_t bad_at = 0;
    if (w->all)
        return w->order[0] ? cli_fail(v, CLI_USAGE, "--order is for one model") : CLI_DONE;
    const struct model_meter *row = model_meter_find(w->model);
    if (!row)
        return no_model(v, w->model);
    enum err err = model_order(row, w->order, ordered, &bad_at);
    if (err)
        return cli_fail(
            v, CLI_USAGE, "--order: \"%s\" %s; ferraris meter --model %s --datasheet lists them",
            w->order + bad_at,
            err == ERR_STATE ? "contradicts a word before it" : "is not a word of this model",
            w->model);
    return CLI_DONE;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct wish w = {.order = "", .seed = 1, .every = 1, .rate_hz = 8000};
    struct model_meter ordered;
    size_t n = 0;
    const struct cli_option options[] = {
        {"model", CLI_TEXT, &w.model, "NAME", "the meter: MT371, SM402D ...; all: each of them"},
        {"order", CLI_TEXT, &w.order, "WORDS", "as ordered: 10(120),class2 ..."},
        {"ideal", CLI_FLAG, &w.ideal, NULL, "ideal converter: the algorithm alone"},
        {"seed", CLI_UINT, &w.seed, "N", "the individual front end and its noise (1)"},
        {"rate", CLI_REAL, &w.rate_hz, "HZ", "samples per second, 4000 to 32 000 (8000)"},
        {"every", CLI_UINT, &w.every, "N", "each N-th point of a test only"},
        {"only", CLI_TEXT, &w.only, "TESTS", "load,starting ...: these tests only"},
        {"tables", CLI_TEXT, &w.tables, "DIR", "CSV files in place of the built-in ones"},
        {"html", CLI_TEXT, &w.html, "FILE",
         "writes the report for print; of all models a folder of them"},
        {"json", CLI_FLAG, &w.json, NULL, "JSON on the standard output, an array of all models"},
        {"text", CLI_FLAG, &w.text, NULL, "the table, also beside --html"},
    };
    int code = cli_parse(v, options, sizeof options / sizeof *options, argc, argv, NULL, 0, &n);
    if (code >= 0)
        return code;
    if (!w.model)
        return cli_fail(v, CLI_USAGE, "--model is wanted; see ferraris typetest --help");
    if (w.json && w.text)
        return cli_fail(v, CLI_USAGE, "--json or --text: both go to the standard output");
    if (!(w.rate_hz >= 4000 && w.rate_hz <= 32000) || w.every > 100000)
        return cli_fail(v, CLI_USAGE, "--rate is 4000 to 32000, --every at most 100000");
    w.all = strcasecmp(w.model, "all") == 0;
    code = choose(v, &w, &ordered);
    return code == CLI_DONE ? benches(v, &w, &ordered) : code;
}

const struct cli_verb verb_typetest = {
    .name = "typetest",
    .summary = "the accuracy bench over the tables of the standards",
    .usage = "ferraris typetest --model NAME [OPTION]...",
    .example = "ferraris typetest --model ST402D --html st402d.html\n"
               "ferraris typetest --model SM307 --only load,starting --json\n"
               "ferraris typetest --model all --html reports",
    .run = run};
