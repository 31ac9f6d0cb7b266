/* `ferraris calibrate`: the factory's calibration of one meter with its own front end. The work is
 * in sim/calibrate.c; here are options, the table and the JSON. The sealed parameters go to the
 * output and not into a flash file: `ferraris meter` lives from sources without these errors, and
 * would be wrong by what is corrected here. */
#include "cli/cli.h"
#include "firmware/legal/legal_state.h"
#include "firmware/meter/meter.h"
#include "sim/calibrate.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wish {
    const char *model, *order, *fault;
    uint64_t seed;
    bool ideal, json;
};

struct work { /* large: on the heap */
    struct model_meter model;
    struct front_end_spec spec;
    struct legal legal;
    struct calibrate_result result;
    char why[200];
};

/* --- mistakes of production ----------------------------------------------------------------- */

static const char *const channels[AFE_N_CHANNELS] = {"u1", "u2", "u3", "i1", "i2", "i3", "in"};

static int channel_of(const char *text, size_t n)
{
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        if (strlen(channels[c]) == n && strncmp(channels[c], text, n) == 0)
            return c;
    return -1;
}

/* "dead:u2", "reversed:i1", "swapped:i1,i2". False for anything else. */
static bool parse_fault(const char *text, struct front_end_spec *s)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return false;
    size_t word = (size_t)(colon - text), first = strcspn(colon + 1, ",");
    int a = channel_of(colon + 1, first);
    const char *rest = colon + 1 + first;
    int b = *rest == ',' ? channel_of(rest + 1, strlen(rest + 1)) : -1;
    if (a < 0)
        return false;
    if (word == 4 && strncmp(text, "dead", word) == 0 && *rest == '\0')
        s->dead = 1u << a;
    else if (word == 8 && strncmp(text, "reversed", word) == 0 && *rest == '\0')
        s->reversed = 1u << a;
    else if (word == 7 && strncmp(text, "swapped", word) == 0 && b >= 0 && a / 3 == b / 3)
        s->swap[0] = (uint8_t)a, s->swap[1] = (uint8_t)b;
    else
        return false;
    return true;
}

/* --- table ---------------------------------------------------------------------------------- */

/* Without the sign of what rounds to nothing. */
static double plain(double x, int decimals)
{
    double least = decimals == 4 ? 5e-5 : 5e-3;
    return x < 0 && x > -least ? 0 : x;
}

static void print_figures(const struct calibrate_point *p)
{
    bool percent = p->unit[0] == '%';
    int width = percent ? 10 : 8, d = percent ? 4 : 2;
    printf("  %*.*f %s  %*.*f %s", width, d, plain(p->before, d), p->unit, width - 1, d,
           plain(p->after, d), p->unit);
}

static void print_table(const struct wish *w, const struct work *k)
{
    const struct calibrate_result *r = &k->result;
    printf("%s, individual %llu%s\n\n  %-22s%14s%13s%11s%12s\n", k->model.name,
           (unsigned long long)w->seed, w->ideal ? ", ideal converter" : "", "point", "before",
           "sealed", "before", "sealed");
    for (size_t n = 0; n < r->n_points; n++) {
        const struct calibrate_point *p = &r->point[n];
        printf("  %-22s", p->what);
        print_figures(p);
        if (n + 1 < r->n_points && strcmp(p[1].what, p->what) == 0) {
            print_figures(p + 1);
            n++;
        }
        putchar('\n');
    }
    printf("\n  %%: error of the voltage, the current or the apparent power; ': minutes of arc by\n"
           "  which the current is late. %.0f min %.0f s of signal, %u changes audited, sealed.\n",
           r->seconds < 60 ? 0.0 : (double)(long)(r->seconds / 60),
           r->seconds - 60 * (double)(long)(r->seconds / 60), r->n_audits);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static json_t *points_json(const struct calibrate_result *r)
{
    json_t *a = json_array();
    for (size_t n = 0; n < r->n_points; n++) {
        const struct calibrate_point *p = &r->point[n];
        json_array_append_new(a, json_pack("{s:s, s:s, s:f, s:f}", "point", p->what, "unit",
                                           p->unit, "before", p->before, "sealed", p->after));
    }
    return a;
}

/* Every parameter that is not 0, under its name; arrays by index. */
static json_t *parameters_json(const struct legal *l)
{
    json_t *o = json_object();
    for (int id = LEGAL_PARAMETER_REFERENCE_MC; id < LEGAL_N_PARAMETERS; id++) {
        const struct legal_parameter_row *row = legal_parameter_row((enum legal_parameter)id);
        json_t *values = json_array();
        bool used = false;
        for (unsigned n = 0; n < row->count; n++) {
            int64_t value = 0;
            if (legal_parameter_get(l, (enum legal_parameter)id, n, &value) == ERR_OK)
                json_array_append_new(values, json_integer(value));
            used |= value != 0;
        }
        if (used)
            json_object_set_new(o, row->name, values);
        else
            json_decref(values);
    }
    return o;
}

static void print_json(const struct wish *w, const struct work *k, bool sealed)
{
    const struct calibrate_result *r = &k->result;
    json_t *j = json_pack("{s:s, s:s, s:I, s:b, s:b, s:f, s:i}", "model", k->model.name, "order",
                          w->order, "seed", (json_int_t)w->seed, "ideal", w->ideal, "sealed",
                          sealed, "seconds", r->seconds, "audits", (int)r->n_audits);
    if (!sealed)
        json_object_set_new(j, "refused", json_string(k->why));
    json_object_set_new(j, "points", points_json(r));
    json_object_set_new(j, "parameters", parameters_json(&k->legal));
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    putchar('\n');
    json_decref(j);
}

/* --- the verb ------------------------------------------------------------------------------- */

static void on_progress(void *context, double fraction, const char *what)
{
    (void)context;
    cli_progress(what, fraction);
}

static enum err calibrate(struct work *k)
{
    struct front_end *f = front_end_new(&k->spec);
    struct legal_config c;
    if (!f)
        return ERR_MEMORY;
    meter_legal_config(&k->model, front_end_u_lsb_fv(f), front_end_i_lsb_fa(f), &c);
    const struct calibrate_job job = {
        .legal = &k->legal, .model = &k->model, .front_end = f, .progress = on_progress};
    enum err err = legal_init(&k->legal, &c);
    if (!err)
        err = calibrate_meter(&job, &k->result, k->why, sizeof k->why);
    cli_progress_end();
    front_end_free(f);
    return err;
}

static int answer(const struct cli_verb *v, const struct wish *w, struct work *k)
{
    enum err err = calibrate(k);
    if (err && k->why[0] == '\0')
        return cli_fail(v, CLI_BUG, "%s", err_text(err));
    if (w->json)
        print_json(w, k, !err);
    else if (!err)
        print_table(w, k);
    return err ? cli_fail(v, CLI_NO, "refused: %s", k->why) : CLI_DONE;
}

static int prepare(const struct cli_verb *v, const struct wish *w, struct work *k)
{
    size_t bad_at = 0;
    const struct model_meter *row = model_meter_find(w->model);
    if (!row)
        return cli_fail(v, CLI_USAGE, "there is no model %s", w->model);
    enum err err = model_order(row, w->order, &k->model, &bad_at);
    if (err)
        return cli_fail(
            v, CLI_USAGE, "--order: \"%s\" %s; ferraris meter --model %s --datasheet lists them",
            w->order + bad_at,
            err == ERR_STATE ? "contradicts a word before it" : "is not a word of this model",
            w->model);
    front_end_spec_of(&k->model, w->seed, w->ideal, &k->spec);
    if (w->fault && !parse_fault(w->fault, &k->spec))
        return cli_fail(v, CLI_USAGE,
                        "--fault is dead:u2, reversed:i1 or swapped:i1,i2, not \"%s\"", w->fault);
    return -1;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct wish w = {.order = "", .seed = 1};
    size_t n = 0;
    const struct cli_option options[] = {
        {"model", CLI_TEXT, &w.model, "NAME", "the meter: MT371, SM402D ..."},
        {"order", CLI_TEXT, &w.order, "WORDS", "as ordered: 10(120),class2 ..."},
        {"seed", CLI_UINT, &w.seed, "N", "the individual front end and its noise (1)"},
        {"ideal", CLI_FLAG, &w.ideal, NULL, "a front end without errors"},
        {"fault", CLI_TEXT, &w.fault, "WHAT:INPUT", "dead:u2, reversed:i1 or swapped:i1,i2"},
        {"json", CLI_FLAG, &w.json, NULL, "one JSON document, with the sealed parameters"},
    };
    int code = cli_parse(v, options, sizeof options / sizeof *options, argc, argv, NULL, 0, &n);
    if (code >= 0)
        return code;
    if (!w.model)
        return cli_fail(v, CLI_USAGE, "--model is wanted; see ferraris calibrate --help");
    struct work *k = calloc(1, sizeof *k);
    if (!k)
        return cli_fail(v, CLI_BUG, "%s", err_text(ERR_MEMORY));
    code = prepare(v, &w, k);
    if (code < 0)
        code = answer(v, &w, k);
    free(k);
    return code;
}

const struct cli_verb verb_calibrate = {.name = "calibrate",
                                        .summary = "calibrates and seals a new meter, as a factory",
                                        .usage = "ferraris calibrate --model NAME [OPTION]...",
                                        .example =
                                            "ferraris calibrate --model ST402D --seed 7\n"
                                            "ferraris calibrate --model SM307 --json\n"
                                            "ferraris calibrate --model ST402D --fault dead:u2",
                                        .run = run};
