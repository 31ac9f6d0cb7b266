/* `ferraris replay FILE`: a recorded waveform through the legal metrology, into quantities and
 * energies. The measuring is in replay_run.c; here are options, the table and the JSON. */
#include "cli/cli.h"
#include "cli/replay_run.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const energy_names[LEGAL_N_ENERGIES] = {
    [LEGAL_A_IMPORT] = "active_import_wh",    [LEGAL_A_EXPORT] = "active_export_wh",
    [LEGAL_R_QI] = "reactive_q1_varh",        [LEGAL_R_QII] = "reactive_q2_varh",
    [LEGAL_R_QIII] = "reactive_q3_varh",      [LEGAL_R_QIV] = "reactive_q4_varh",
    [LEGAL_S_IMPORT] = "apparent_import_vah", [LEGAL_S_EXPORT] = "apparent_export_vah"};

/* The rows of the table and the keys of a phase: one list for both. */
static const struct quantity {
    const char *name, *unit, *key;
    size_t offset; /* in struct replay_phase */
} quantities[] = {{"U", "V", "u_v", offsetof(struct replay_phase, u_v)},
                  {"I", "A", "i_a", offsetof(struct replay_phase, i_a)},
                  {"P", "W", "p_w", offsetof(struct replay_phase, p_w)},
                  {"Q1", "var", "q_var", offsetof(struct replay_phase, q_var)},
                  {"S", "VA", "s_va", offsetof(struct replay_phase, s_va)},
                  {"PF", "", "pf", offsetof(struct replay_phase, pf)},
                  {"phase", "deg", "phase_deg", offsetof(struct replay_phase, phase_deg)},
                  {"THD U", "%", "thd_u_pct", offsetof(struct replay_phase, thd_u_pct)},
                  {"THD I", "%", "thd_i_pct", offsetof(struct replay_phase, thd_i_pct)}};
#define N_QUANTITIES (sizeof quantities / sizeof *quantities)

static double value_of(const struct replay_phase *p, const struct quantity *q)
{
    double v;
    memcpy(&v, (const char *)p + q->offset, sizeof v);
    return v;
}

static json_t *phase_json(const struct replay_phase *p)
{
    json_t *j = json_object();
    for (size_t k = 0; k < N_QUANTITIES; k++)
        json_object_set_new(j, quantities[k].key, json_real(value_of(p, &quantities[k])));
    return j;
}

static const char *kind_of(const struct replay_event *e)
{
    return e->kind == PQ_DIP     ? "voltage_dip"
           : e->kind == PQ_SWELL ? "voltage_swell"
                                 : "voltage_interruption";
}

static json_t *events_json(const struct replay_result *r)
{
    json_t *events = json_array();
    for (unsigned k = 0; k < r->n_events; k++) {
        const struct replay_event *e = &r->event[k];
        json_array_append_new(events,
                              json_pack("{s:f, s:s, s:i, s:f, s:f, s:b}", "at_s", e->at_s, "kind",
                                        kind_of(e), "phase", (int)e->phase, "value", e->value_v,
                                        "duration_s", e->duration_s, "open", e->open));
    }
    return events;
}

static json_t *faults_json(const struct replay_result *r)
{
    json_t *faults = json_array();
    for (unsigned k = 0; k < r->n_faults; k++) {
        const struct replay_fault *f = &r->fault[k];
        json_array_append_new(
            faults, json_pack("{s:s, s:s, s:I, s:f, s:f}", "input", replay_input_name(f->channel),
                              "kind", replay_fault_name(f->kind), "samples", (json_int_t)f->samples,
                              "at_s", f->at_s, "value", f->value));
    }
    return faults;
}

static void print_json(const char *file, const char *note, const struct replay_result *r)
{
    json_t *phases = json_array(), *energy = json_object();
    for (unsigned p = 0; p < r->n_phases; p++)
        json_array_append_new(phases, phase_json(&r->phase[p]));
    for (int k = 0; k < LEGAL_N_ENERGIES; k++)
        json_object_set_new(energy, energy_names[k], json_real(r->energy[k]));
    json_t *j = json_pack("{s:s%, s:s, s:f, s:f, s:o, s:{s:f, s:f, s:f, s:f}, s:{s:f}, "
                          "s:{s:f, s:f}, s:o, s:f, s:s, s:o, s:o, s:s%}",
                          "file", file, strlen(file), "model", "reference", "seconds", r->seconds,
                          "frequency_hz", r->frequency_hz, "phases", phases, "total", "p_w", r->p_w,
                          "q_var", r->q_var, "s_va", r->s_va, "pf", r->pf, "neutral", "i_a",
                          r->in_a, "unbalance", "u2_pct", r->u2_pct, "u0_pct", r->u0_pct, "energy",
                          energy, "un_v", r->un_v, "un_from", r->un_from, "events", events_json(r),
                          "faults", faults_json(r), "note", note, strlen(note));
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(j);
}

/* Decimals that show six digits of the largest of a row, at most 6. */
static int decimals(double largest)
{
    int digits = largest >= 1 ? (int)floor(log10(largest)) + 1 : 0;
    return digits > 6 ? 0 : 6 - digits;
}

static void print_row(const struct replay_result *r, const struct quantity *q, const double *total)
{
    double largest = total ? fabs(*total) : 0;
    for (unsigned p = 0; p < r->n_phases; p++)
        largest = fmax(largest, fabs(value_of(&r->phase[p], q)));
    int d = decimals(largest);
    if (strcmp(q->unit, "%") == 0 || strcmp(q->unit, "deg") == 0)
        d = 3;
    printf("  %-6s%4s", q->name, q->unit);
    for (unsigned p = 0; p < r->n_phases; p++)
        printf("  %14.*f", d, value_of(&r->phase[p], q));
    if (total)
        printf("  %14.*f", d, *total);
    putchar('\n');
}

static void print_energy(const char *name, const char *unit, const double *value, int n)
{
    double largest = 0;
    for (int k = 0; k < n; k++)
        largest = fmax(largest, value[k]);
    printf("  %-9s%4s", name, unit);
    for (int k = 0; k < n; k++)
        printf("  %13.*f", decimals(largest), value[k]);
    putchar('\n');
}

static void print_events(const struct replay_result *r)
{
    static const char *const phases[] = {"all", "L1", "L2", "L3"};
    if (!(r->un_v > 0)) {
        printf("\n  events: none looked for, %s\n", r->un_from);
        return;
    }
    printf("\n  events by %.6g V declared (%s): %s\n", r->un_v, r->un_from,
           r->n_events ? "" : "none");
    if (r->n_events)
        printf("  %12s  %-20s  %5s  %10s  %7s  %10s\n", "at s", "", "", "V", "%", "for s");
    for (unsigned k = 0; k < r->n_events; k++) {
        const struct replay_event *e = &r->event[k];
        printf("  %12.4f  %-20s  %5s  %10.3f  %7.2f  %10.4f%s\n", e->at_s, kind_of(e),
               phases[e->phase & 3], e->value_v, 100 * e->value_v / r->un_v, e->duration_s,
               e->open ? " to the end" : "");
    }
    if (r->n_lost)
        printf("  and %u more\n", r->n_lost);
}

static void print_faults(const struct replay_result *r)
{
    char text[200];
    if (r->n_faults)
        printf("\n  faults of the signal, counted nevertheless:\n");
    for (unsigned k = 0; k < r->n_faults; k++) {
        replay_fault_text(&r->fault[k], text, sizeof text);
        printf("  %s\n", text);
    }
}

static void print_table(const char *file, const struct source_info *info,
                        const struct replay_result *r)
{
    const double *totals[N_QUANTITIES] = {
        [2] = &r->p_w, [3] = &r->q_var, [4] = &r->s_va, [5] = &r->pf};
    printf("%s\n  %.6g s at %.6g samples per second", file, r->seconds, info->rate_hz);
    if (r->frequency_hz > 0)
        printf(", %.4f Hz\n", r->frequency_hz);
    else
        printf(", no frequency found: values over all samples, no fundamental\n");
    if (info->note[0])
        printf("  note: %s\n", info->note);
    printf("\n            ");
    for (unsigned p = 0; p < r->n_phases; p++)
        printf("%14s%u ", "L", p + 1);
    printf("%s\n", r->n_phases > 1 ? "          total" : "");
    for (size_t k = 0; k < N_QUANTITIES; k++)
        print_row(r, &quantities[k], r->n_phases > 1 ? totals[k] : NULL);
    printf("\n  neutral %.6g A", r->in_a);
    if (r->n_phases > 1)
        printf(", voltage unbalance %.3f %% negative, %.3f %% zero sequence", r->u2_pct, r->u0_pct);
    printf("\n\n  %-13s  %13s  %13s\n", "energy", "import", "export");
    print_energy("active", "Wh", &r->energy[LEGAL_A_IMPORT], 2);
    print_energy("apparent", "VAh", &r->energy[LEGAL_S_IMPORT], 2);
    printf("  %-13s  %13s  %13s  %13s  %13s\n", "", "QI", "QII", "QIII", "QIV");
    print_energy("reactive", "varh", &r->energy[LEGAL_R_QI], 4);
    print_events(r);
    print_faults(r);
}

static int fail_open(const struct cli_verb *v, enum err err, const char *message)
{
    return cli_fail(v, err == ERR_RANGE ? CLI_USAGE : CLI_BAD_DATA, "%s", message);
}

struct replay_wish {
    double repeat_s, un_v;
    bool json;
};

static int replay(const struct cli_verb *v, const char *file, const struct source_options *o,
                  const struct replay_wish *wish)
{
    char error[1000];
    struct source *s;
    struct source_info info;
    struct replay_result result;
    enum err err = source_open(&s, file, o, error, sizeof error);
    if (err)
        return fail_open(v, err, error);
    source_info_get(s, &info);
    err = replay_run(s, wish->repeat_s, &result);
    if (!err)
        err = replay_events(s, wish->repeat_s, wish->un_v, &result);
    int code = CLI_DONE;
    replay_faults(&info, &result);
    if (err)
        code = cli_fail(v, CLI_BUG, "%s: %s", file, err_text(err));
    else if (wish->json)
        print_json(file, info.note, &result);
    else
        print_table(file, &info, &result);
    if (!err && wish->json && info.note[0])
        fprintf(stderr, "ferraris replay: note: %s\n", info.note);
    source_close(s);
    return code;
}

static bool is_ratio(double x)
{
    return x > 0 && isfinite(x);
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct source_options o = {.scale = 1, .ct = 1, .vt = 1};
    struct replay_wish wish = {0};
    const char *file[2];
    size_t n = 0;
    const struct cli_option options[] = {
        {"json", CLI_FLAG, &wish.json, NULL, "one JSON document instead of a table"},
        {"map", CLI_TEXT, &o.map, "u1=NAME,...",
         "channels of the inputs u1 u2 u3 i1 i2 i3 in; -NAME reverses, #N by number"},
        {"scale", CLI_REAL, &o.scale, "FACTOR", "multiplies all channels"},
        {"ct", CLI_REAL, &o.ct, "RATIO", "divides the currents: primary to secondary"},
        {"vt", CLI_REAL, &o.vt, "RATIO", "divides the voltages: primary to secondary"},
        {"repeat", CLI_REAL, &wish.repeat_s, "SECONDS", "loops the whole cycles that long"},
        {"un", CLI_REAL, &wish.un_v, "VOLT",
         "declared voltage of dips and swells; guessed from the first second if not given"},
    };
    int code = cli_parse(v, options, sizeof options / sizeof *options, argc, argv, file, 2, &n);
    if (code >= 0)
        return code;
    if (n != 1)
        return cli_fail(v, CLI_USAGE, "one FILE is wanted; see ferraris replay --help");
    if (!is_ratio(o.scale) || !is_ratio(o.ct) || !is_ratio(o.vt))
        return cli_fail(v, CLI_USAGE, "--scale, --ct and --vt must be above 0");
    if (!(wish.repeat_s >= 0 && wish.repeat_s <= 1e7))
        return cli_fail(v, CLI_USAGE, "--repeat must be 0 to 1e7 seconds");
    if (!(wish.un_v >= 0 && wish.un_v <= 2e6) || (wish.un_v > 0 && wish.un_v < 0.001))
        return cli_fail(v, CLI_USAGE, "--un must be 0.001 to 2e6 volts");
    return replay(v, file[0], &o, &wish);
}

const struct cli_verb verb_replay = {.name = "replay",
                                     .summary = "a recorded waveform through the legal metrology",
                                     .usage = "ferraris replay [OPTION]... FILE",
                                     .example =
                                         "ferraris replay --json --repeat 60 recording.cfg\n"
                                         "ferraris replay --map u1=VA,i1=IA --ct 100 fault.csv\n"
                                         "ferraris replay synth:u=230,i=5,pf=0.8,h5=6%,ih5=40%",
                                     .run = run};
