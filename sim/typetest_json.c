/* The report as one JSON document for other programs (docs: the verb's page).
 *
 * Written straight to the stream: names are the bench's own words, texts are escaped, a figure that
 * was not measured is null. */
#include "sim/typetest.h"

#include <math.h>

static void text(FILE *to, const char *key, const char *s)
{
    fprintf(to, "\"%s\":\"", key);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c < 0x20)
            fprintf(to, "\\u%04x", c);
        else
            fputc(c, to);
    }
    fputc('"', to);
}

static void number(FILE *to, const char *key, double x)
{
    if (isfinite(x))
        fprintf(to, ",\"%s\":%.10g", key, x);
    else
        fprintf(to, ",\"%s\":null", key);
}

static void truth(FILE *to, const char *key, bool x)
{
    fprintf(to, ",\"%s\":%s", key, x ? "true" : "false");
}

static void point(FILE *to, const struct typetest_result *r)
{
    const struct typetest_point *p = &r->point;
    const char quantity[2] = {p->quantity, '\0'};
    fputs("{", to);
    text(to, "table", p->table);
    fputc(',', to);
    text(to, "test", typetest_test_name(p->test));
    fputc(',', to);
    text(to, "quantity", quantity);
    fputc(',', to);
    text(to, "phases", p->phases);
    fputc(',', to);
    text(to, "direction", p->exported ? "export" : "import");
    number(to, "i_rel", p->i_rel);
    number(to, "i_a", p->i_a);
    number(to, "pf", p->pf);
    fputc(',', to);
    text(to, "pf_kind", p->pf_kind);
    number(to, "u_rel", p->u_rel);
    number(to, "f_hz", p->f_hz);
    number(to, "celsius", p->celsius);
    number(to, "error_pct", r->error_pct);
    number(to, "register_pct", r->register_pct);
    number(to, "limit_pct", p->limit_pct);
    number(to, "target_pct", p->target_pct > 0 ? p->target_pct : NAN);
    truth(to, "limit_certain", p->certain);
    number(to, "noise_pct", r->noise_pct);
    number(to, "seconds", r->seconds);
    number(to, "pulses", r->pulses);
    truth(to, "pass", r->pass);
    fputc(',', to);
    text(to, "note", r->note);
    fputs("}", to);
}

static void head(FILE *to, const struct typetest_report *r)
{
    text(to, "model", r->model->name);
    fputc(',', to);
    text(to, "order", r->order);
    fputs(",\"class\":{", to);
    text(to, "active", r->active);
    fputc(',', to);
    text(to, "reactive", r->reactive);
    fputs("},", to);
    text(to, "version", r->version);
    truth(to, "ideal", r->ideal);
    fprintf(to, ",\"seed\":%llu", (unsigned long long)r->seed);
    number(to, "rate_hz", r->rate_hz);
    number(to, "every", r->every > 1 ? r->every : 1);
    fputc(',', to);
    text(to, "only", r->only);
}

enum err typetest_json(const struct typetest_report *r, FILE *to)
{
    fputc('{', to);
    head(to, r);
    fputs(",\"points\":[\n", to);
    for (size_t i = 0; i < r->n; i++) {
        point(to, &r->result[i]);
        fputs(i + 1 < r->n ? ",\n" : "\n", to);
    }
    fprintf(to, "],\"failed\":%zu,\"missed_targets\":%zu", r->n_failed, r->n_missed);
    number(to, "worst_margin_pct", r->worst_margin_pct);
    number(to, "worst_pf1_pct", r->worst_pf1_pct);
    number(to, "worst_pf05_pct", r->worst_pf05_pct);
    number(to, "worst_q1_pct", r->worst_q1_pct);
    number(to, "worst_q05_pct", r->worst_q05_pct);
    number(to, "signal_s", r->seconds);
    fputc(',', to);
    text(to, "not_simulated", r->beyond);
    fputs("}\n", to);
    return fflush(to) == 0 && !ferror(to) ? ERR_OK : ERR_IO;
}
