/* The report of the bench as one page for people and for paper: HTML with its own style and charts,
 * nothing to load, no script, no clock; the same report gives the same octets.
 *
 * It says "passes the limits", never more: what was built into the tables and how sure that is
 * stands beside the verdict, and so does whatever was left out of the run. */
#include "sim/typetest_figure.h"
#include "sim/typetest_svg.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define CELS                                                                                       \
    "\xC2\xB0"                                                                                     \
    "C"

static const char style[] =
    "@page{size:A4;margin:14mm 13mm 16mm}\n"
    "@page{@bottom-right{content:counter(page) \" / \" counter(pages);"
    "font:8pt Helvetica,Arial,sans-serif}}\n"
    "*{box-sizing:border-box}\n"
    "body{font:10pt/1.4 Helvetica,Arial,\"Liberation Sans\",sans-serif;color:#111;background:#fff;"
    "max-width:190mm;margin:8mm auto;padding:0 4mm;font-variant-numeric:tabular-nums;"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    "header{display:flex;justify-content:space-between;align-items:flex-end;gap:8mm;"
    "border-bottom:1.2pt solid #111;padding-bottom:3mm}\n"
    "header p{margin:0}h1{font-size:22pt;line-height:1.1;margin:0}\n"
    ".over{letter-spacing:.08em;text-transform:uppercase;font-size:8pt;color:#444}\n"
    ".kind{color:#444;margin-top:1mm!important}\n"
    ".mark{border:1.5pt solid;padding:2mm 5mm;font-size:15pt;font-weight:bold;white-space:nowrap}\n"
    ".mark.ok{color:#0a5c36}.mark.no{color:#fff;background:#a4161a;border-color:#a4161a}\n"
    "h2{font-size:13pt;margin:7mm 0 2mm;border-bottom:.6pt solid #999;padding-bottom:1mm;"
    "break-after:avoid}\n"
    "h3{font-size:10pt;margin:4mm 0 1mm;break-after:avoid}\n"
    "dl{display:grid;grid-template-columns:auto 1fr auto 1fr;gap:.6mm 4mm;margin:4mm 0}\n"
    "dt{color:#555}dd{margin:0}\n"
    ".verdict{font-size:11.5pt;margin:3mm 0 2mm;padding:2.5mm 4mm;border-left:2.2mm solid #0a5c36;"
    "background:#f1f6f3}\n"
    ".verdict.no{border-color:#a4161a;background:#fbeeee}\n"
    ".note{font-size:8.5pt;color:#333;margin:1.5mm 0}\n"
    ".k{break-after:avoid}\n"
    ".warn{border:.8pt solid #111;padding:1.5mm 3mm;font-weight:bold}\n"
    "table{border-collapse:collapse;width:100%;font-size:8pt;line-height:1.25}\n"
    "thead{display:table-header-group}tr{break-inside:avoid}\n"
    "th{text-align:right;font-weight:bold;border-bottom:.8pt solid #111;padding:.6mm 1.2mm;"
    "vertical-align:bottom}\n"
    "td{text-align:right;padding:.35mm 1.2mm;border-bottom:.3pt solid #ddd;white-space:nowrap}\n"
    "tbody th{font-weight:normal;text-align:left;padding:.35mm 1.2mm;border-bottom:.3pt solid #ddd;"
    "white-space:nowrap;vertical-align:inherit}th.l,td.l{text-align:left}"
    "th.w,td.w{white-space:normal}td.n{min-width:42mm}table+table{margin-top:4mm}\n"
    "tr.f td{background:#f7d9d9;font-weight:bold}\n"
    ".p{color:#0a5c36}tr.f .p{color:#a4161a}\n"
    "section{break-inside:auto}figure{margin:2mm 0 3mm;break-inside:avoid}\n"
    "figcaption{font-size:8.5pt;font-weight:bold;margin-bottom:.5mm}\n"
    "svg{display:block;width:100%;height:auto;font:11px Helvetica,Arial,\"Liberation Sans\","
    "sans-serif}\n"
    "text{fill:#111}text.t{fill:#444}text.F{font-weight:bold;fill:#a4161a}\n"
    ".a{fill:none;stroke:#111;stroke-width:1}.g{stroke:#ddd;stroke-width:.7}"
    ".z{stroke:#555;stroke-width:1}\n"
    ".b{fill:#4a6fa5;fill-opacity:.13}.e{fill:none;stroke:#4a6fa5;stroke-width:1}\n"
    ".c,.l{stroke-width:1.3}.c.h,.l.h{stroke-width:.8}.w{stroke-width:.8;stroke-opacity:.6}\n"
    ".x{fill:none;stroke:#c00;stroke-width:2.4}.v{fill:#1b4d8a}.V{fill:#c00}\n"
    ".s0{stroke:#111;fill:#111}.s1{stroke:#0067a5;fill:#0067a5;stroke-dasharray:7 3}"
    ".s2{stroke:#b84a00;fill:#b84a00;stroke-dasharray:2 2}"
    ".s3{stroke:#00724e;fill:#00724e;stroke-dasharray:9 3 2 3}\n"
    ".s4{stroke:#8a3a80;fill:#8a3a80;stroke-dasharray:4 2}"
    ".s5{stroke:#5c5c5c;fill:#5c5c5c;stroke-dasharray:12 3}"
    ".s6{stroke:#7a5200;fill:#7a5200;stroke-dasharray:1 3}"
    ".s7{stroke:#00616b;fill:#00616b;stroke-dasharray:6 2 2 2 2 2}\n"
    "path.c,path.l{fill:none}path.w{stroke-dasharray:none}marker path{stroke-dasharray:none;"
    "stroke-width:1.1}marker.h path{fill:#fff}\n"
    ".c.s0{marker:url(#f0)}.c.s0.h{marker:url(#h0)}.c.s1{marker:url(#f1)}.c.s1.h{marker:u"
    "rl(#h1)}.c.s2{marker:url(#f2)}.c.s2.h{marker:url(#h2)}.c.s3{marker:url(#f3)}.c.s3.h{"
    "marker:url(#h3)}.c.s4{marker:url(#f4)}.c.s4.h{marker:url(#h4)}.c.s5{marker:url(#f5)}"
    ".c.s5.h{marker:url(#h5)}.c.s6{marker:url(#f6)}.c.s6.h{marker:url(#h6)}.c.s7{marker:u"
    "rl(#f7)}.c.s7.h{marker:url(#h7)}\n"
    "@media print{body{margin:0;padding:0;max-width:none}}\n"
    "@media screen{body{box-shadow:0 0 6mm #ccc;padding:10mm 12mm;max-width:210mm}"
    "html{background:#eee}}\n";

/* ---- small pieces ---- */

static void put(FILE *to, const char *before, const char *text, const char *after)
{
    fputs(before, to);
    svg_escape(to, text);
    fputs(after, to);
}

static void cell(FILE *to, double v, int decimals, bool sign)
{
    char text[40];
    fprintf(to, "<td>%s</td>", typetest_number(v, decimals, sign, text));
}

static void limit_cell(FILE *to, const struct typetest_point *p)
{
    fprintf(to, "<td>%g%s</td>", p->limit_pct, p->certain ? "" : " <i>m</i>");
}

static void fact(FILE *to, const char *what, const char *format, ...)
{
    char text[160];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put(to, "<dt>", what, "</dt>");
    put(to, "<dd>", text, "</dd>\n");
}

/* The table of what we ask of ourselves is no standard. */
static bool is_own(const struct typetest_point *p)
{
    return strcmp(p->table, "target") == 0;
}

struct outcome { /* of the standards' points */
    size_t n, n_failed;
    double margin; /* the least */
};

static struct outcome outcome_of(const struct typetest_report *r)
{
    struct outcome o = {.margin = HUGE_VAL};
    for (size_t i = 0; i < r->n; i++) {
        if (is_own(&r->result[i].point))
            continue;
        o.n++;
        o.n_failed += !r->result[i].pass;
        o.margin = fmin(o.margin, typetest_margin(&r->result[i]));
    }
    return o;
}

/* ---- head ---- */

static void head(const struct typetest_report *r, FILE *to)
{
    struct outcome o = outcome_of(r);
    bool passed = o.n > 0 && o.n_failed == 0;
    put(to,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>",
        r->model->name, " \xE2\x80\x93 accuracy</title>\n<style>\n");
    fputs(style, to);
    fputs("</style>\n</head>\n<body>\n<header>\n<div><p class=\"over\">Accuracy against the limits "
          "of the standards</p>\n",
          to);
    put(to, "<h1>", r->model->name, "</h1>\n");
    put(to, "<p class=\"kind\">", r->model->kind, "</p></div>\n");
    fprintf(to, "<p class=\"mark %s\">%s</p>\n</header>\n", passed ? "ok" : "no",
            passed     ? "\xE2\x9C\x93 passes"
            : o.n == 0 ? "no result"
                       : "\xE2\x9C\x97 fails");
}

static const char *connection(const struct model_meter *m)
{
    if (m->n_phases == 1)
        return "single-phase, two wires";
    return m->is_3wire ? "three-phase, three wires, two elements"
                       : "three-phase, four wires, three elements";
}

static void facts_of_meter(const struct typetest_report *r, FILE *to)
{
    const struct model_meter *m = r->model;
    fact(to, "Connection", "%s, %s", connection(m), m->is_ct ? "transformers" : "direct");
    fact(to, "Order", "%s", r->order[0] != '\0' ? r->order : "standard");
    fact(to, "Active class", "%s", r->active);
    fact(to, "Reactive class", "%s", r->reactive[0] != '\0' ? r->reactive : "none");
    fact(to, "Nominal voltage", "%.4g V%s", m->un_mv * 1e-3,
         m->n_phases > 1 ? " phase to neutral" : "");
    fact(to, "Frequency", "%g Hz", m->f_mhz * 1e-3);
    fact(to, "Current", "%g(%g) A", m->in_ma * 1e-3, m->imax_ma * 1e-3);
    fact(to, "Starting current", "%g mA", m->ist_ua * 1e-3);
    fact(to, "Constant", "%u imp/kWh", (unsigned)m->pulse_per_kwh);
}

static void facts_of_run(const struct typetest_report *r, FILE *to)
{
    fact(to, "Legal software", "%s", r->version);
    fact(to, "Individual", r->ideal ? "ideal converter" : "seed %llu", (unsigned long long)r->seed);
    fact(to, "Sampling", "%g kHz", r->rate_hz * 1e-3);
    fact(to, "Signal", "%.0f s in %zu points", r->seconds, r->n);
    if (r->date[0] != '\0')
        fact(to, "Date", "%s", r->date);
}

/* ---- verdict ---- */

/* Of "0.5S (C)": the letter for EN 50470-3 and the directive, the figure for IEC; for Q the
 * reactive class. Empty where the string has no such word. */
static void class_of(const struct typetest_report *r, const struct typetest_point *p, char out[24])
{
    bool letter = strncmp(p->table, "50470", 5) == 0 || strcmp(p->table, "MID") == 0;
    const char *s = p->quantity == 'Q' ? r->reactive : r->active;
    *out = '\0';
    while (*s != '\0') {
        size_t skip = strspn(s, " (),/"), len = strcspn(s + skip, " (),/");
        s += skip;
        if (len > 0 && len < 24 && (isalpha((unsigned char)*s) != 0) == letter) {
            memcpy(out, s, len);
            out[len] = '\0';
            return;
        }
        s += len;
    }
}

static bool table_named_before(const struct typetest_report *r, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(r->result[k].point.table, r->result[i].point.table) == 0 &&
            r->result[k].point.quantity == r->result[i].point.quantity)
            return true;
    }
    return false;
}

static void name_tables(const struct typetest_report *r, FILE *to)
{
    const char *between = "";
    for (size_t i = 0; i < r->n; i++) {
        const struct typetest_point *p = &r->result[i].point;
        char standard[64], class[24];
        if (is_own(p) || table_named_before(r, i))
            continue;
        class_of(r, p, class);
        put(to, between, typetest_standard(p->table, standard), "");
        if (*class != '\0')
            put(to, " class ", class, "");
        fputs(p->quantity == 'Q' ? " (reactive)" : " (active)", to);
        between = ", ";
    }
}

static void targets(const struct typetest_report *r, FILE *to)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->result[i].point.target_pct > 0 || is_own(&r->result[i].point);
    if (n > 0)
        fprintf(to,
                "<p class=\"note%s\">Beyond the class: %zu of %zu points keep the project's own, "
                "narrower target.</p>\n",
                r->n_missed > 0 ? " warn" : "", n - r->n_missed, n);
}

static void verdict(const struct typetest_report *r, FILE *to)
{
    struct outcome o = outcome_of(r);
    bool passed = o.n > 0 && o.n_failed == 0;
    fprintf(to, "<p class=\"verdict%s\">", passed ? "" : " no");
    if (o.n == 0) {
        fputs("No point of a standard was measured: nothing can be said about this meter.</p>\n",
              to);
        return;
    }
    fprintf(to, "<b>%s the limits of</b> ", passed ? "Passes" : "Fails");
    name_tables(r, to);
    if (passed)
        fprintf(to, ": all %zu points; least margin %.1f %% of the limit.</p>\n", o.n, o.margin);
    else
        fprintf(to, ": <b>%zu of %zu points beyond their limit</b>.</p>\n", o.n_failed, o.n);
    targets(r, to);
}

static void caveats(const struct typetest_report *r, FILE *to)
{
    if (r->ideal)
        fputs("<p class=\"note warn\">Ideal converter: the algorithm alone, without front end and "
              "calibration. No statement about a meter.</p>\n",
              to);
    if (r->every > 1)
        fprintf(to, "<p class=\"note warn\">A sample: each %u. point of a test only.</p>\n",
                r->every);
    if (r->only[0] != '\0')
        put(to, "<p class=\"note warn\">A selection of tests only: ", r->only, ".</p>\n");
    fputs(
        "<p class=\"note\">The front end is simulated; samples run through the meter's own legal "
        "software, and the error is that of its LED pulses against the exact energy of the "
        "signal. At every point the registers, read through DLMS, agree with the LED to a pulse; "
        "their own error stands where enough of their units passed. Margin is what is left of the "
        "limit. Noise is the standard deviation of the "
        "error that the noise of the front end alone explains.</p>\n"
        "<p class=\"note\">This is a measurement against limits, no conformity assessment. A limit "
        "marked <i>m</i> is written from memory: check it against a bought copy of the standard "
        "before relying on it.</p>\n",
        to);
    if (r->beyond[0] != '\0')
        put(to, "<p class=\"note\">Not shown, for no simulation can: ", r->beyond, ".</p>\n");
}

/* ---- conditions of a point ---- */

static void conditions(const struct typetest_point *p, char out[120])
{
    char pf[24];
    int n = snprintf(out, 120, "%.4g A, %s %s", p->i_a, p->quantity == 'Q' ? "sin" : "PF",
                     typetest_pf(p, pf));
    if (p->exported)
        n += snprintf(out + n, 120 - (size_t)n, ", export");
    if (p->test == TYPETEST_ONE_PHASE || p->test == TYPETEST_DIFFERENCE ||
        p->test == TYPETEST_LOST_PHASES)
        n += snprintf(out + n, 120 - (size_t)n, ", L%s", p->phases);
    if (fabs(p->u_rel - 1) > 1e-9)
        n += snprintf(out + n, 120 - (size_t)n, ", %g Un", p->u_rel);
    if (p->test == TYPETEST_FREQUENCY)
        n += snprintf(out + n, 120 - (size_t)n, ", %g Hz", p->f_hz);
    if (p->test == TYPETEST_TEMPERATURE || fabs(p->celsius - 23) > 1e-9)
        snprintf(out + n, 120 - (size_t)n, ", %.3g " CELS, p->celsius);
}

/* ---- summary ---- */

static void summary_row(const struct typetest_group *g, FILE *to)
{
    const struct typetest_result *worst = g->first, *r = NULL;
    const struct typetest_point *p = &g->first->point;
    size_t n = 0, failed = 0;
    while ((r = typetest_group_member(g, r)) != NULL) {
        n++;
        failed += !r->pass;
        if (!(typetest_margin(r) >= typetest_margin(worst)))
            worst = r;
    }
    char where[120];
    conditions(&worst->point, where);
    fprintf(to, "<tr%s><td class=\"l w\">", failed > 0 ? " class=\"f\"" : "");
    put(to, "", typetest_title(p->test), "</td>");
    put(to, "<td class=\"l\">", p->table, "</td>");
    fprintf(to, "<td class=\"l\">%c</td><td>%zu</td>", p->quantity, n);
    put(to, "<td class=\"l\">", where, "</td>");
    cell(to, worst->error_pct, typetest_decimals(p->test), p->test != TYPETEST_NO_LOAD);
    limit_cell(to, &worst->point);
    fprintf(to, "<td class=\"l\">%s</td>", typetest_unit(p->test));
    cell(to, typetest_margin(worst), 1, false);
    if (failed > 0)
        fprintf(to, "<td class=\"l p\">\xE2\x9C\x97 %zu fail</td></tr>\n", failed);
    else
        fputs("<td class=\"l p\">\xE2\x9C\x93</td></tr>\n", to);
}

static void summary(const struct typetest_report *r, FILE *to)
{
    fputs("<h2>Worst point of each test</h2>\n<table>\n<thead><tr><th class=\"l\">Test</th>"
          "<th class=\"l\">Table</th><th class=\"l\"></th><th>Points</th>"
          "<th class=\"l\">Worst at</th><th>Shown</th><th>Limit</th><th class=\"l\"></th>"
          "<th>Margin</th><th class=\"l\"></th></tr></thead>\n<tbody>\n",
          to);
    for (unsigned t = 0; t < TYPETEST_N_TESTS; t++) {
        struct typetest_group g = {r, NULL, false};
        while (typetest_group_next(&g, t))
            summary_row(&g, to);
    }
    fputs("</tbody>\n</table>\n", to);
    if (isnan(r->worst_pf1_pct) && isnan(r->worst_pf05_pct) && isnan(r->worst_q1_pct) &&
        isnan(r->worst_q05_pct))
        return;
    fputs("<table>\n<thead><tr><th class=\"l\">Greatest error of the load "
          "curves, balanced</th><th>P, PF 1</th><th>P, PF 0.5</th><th>Q, sin 1</th>"
          "<th>Q, sin 0.5</th></tr></thead>\n<tbody><tr><td class=\"l\">percent of the energy</td>",
          to);
    int decimals = r->ideal ? 6 : 4;
    cell(to, r->worst_pf1_pct, decimals, false);
    cell(to, r->worst_pf05_pct, decimals, false);
    cell(to, r->worst_q1_pct, decimals, false);
    cell(to, r->worst_q05_pct, decimals, false);
    fputs("</tr></tbody>\n</table>\n", to);
}

static void failures(const struct typetest_report *r, FILE *to)
{
    bool any = false;
    for (size_t i = 0; i < r->n; i++)
        any |= !r->result[i].pass;
    if (!any)
        return;
    fputs("<h2>Points beyond their limit</h2>\n<table>\n<thead><tr><th class=\"l\">Test</th>"
          "<th class=\"l\">Table</th><th class=\"l\"></th><th class=\"l\">At</th><th>Shown</th>"
          "<th>Limit</th><th class=\"l\"></th><th class=\"l\">Note</th></tr></thead>\n<tbody>\n",
          to);
    for (size_t i = 0; i < r->n; i++) {
        const struct typetest_point *p = &r->result[i].point;
        char where[120];
        if (r->result[i].pass)
            continue;
        conditions(p, where);
        put(to, "<tr class=\"f\"><td class=\"l\">", typetest_title(p->test), "</td>");
        put(to, "<td class=\"l\">", p->table, "</td>");
        fprintf(to, "<td class=\"l\">%c</td>", p->quantity);
        put(to, "<td class=\"l\">", where, "</td>");
        cell(to, r->result[i].error_pct, typetest_decimals(p->test), p->test != TYPETEST_NO_LOAD);
        limit_cell(to, p);
        fprintf(to, "<td class=\"l\">%s</td>", typetest_unit(p->test));
        put(to, "<td class=\"l w\">", r->result[i].note, "</td></tr>\n");
    }
    fputs("</tbody>\n</table>\n", to);
}

/* ---- points ---- */

/* Columns of conditions that differ within the group; what is the same needs none. */
struct columns {
    bool phases, direction, voltage, frequency, temperature, target, note;
};

static struct columns columns_of(const struct typetest_group *g)
{
    const struct typetest_point *first = &g->first->point;
    struct columns c = {.temperature = first->test == TYPETEST_TEMPERATURE,
                        .voltage = fabs(first->u_rel - 1) > 1e-9};
    for (const struct typetest_result *r = NULL; (r = typetest_group_member(g, r)) != NULL;) {
        const struct typetest_point *p = &r->point;
        c.phases |= strcmp(p->phases, first->phases) != 0;
        c.direction |= p->exported;
        c.voltage |= fabs(p->u_rel - first->u_rel) > 1e-9;
        c.frequency |= fabs(p->f_hz - first->f_hz) > 1e-9 || p->test == TYPETEST_FREQUENCY;
        c.temperature |= fabs(p->celsius - first->celsius) > 1e-9;
        c.target |= p->target_pct > 0;
        c.note |= r->note[0] != '\0';
    }
    return c;
}

static void points_head(const struct typetest_group *g, const struct columns *c, FILE *to)
{
    const struct typetest_point *p = &g->first->point;
    const char *unit = typetest_unit(p->test);
    fprintf(to, "<table>\n<thead><tr><th>I, A</th><th>of I%s</th><th class=\"l\">%s</th>",
            g->report->model->is_ct ? "n" : "ref", p->quantity == 'Q' ? "sin" : "PF");
    fputs(c->phases ? "<th class=\"l\">Phases</th>" : "", to);
    fputs(c->direction ? "<th class=\"l\">Direction</th>" : "", to);
    fputs(c->voltage ? "<th>U/Un</th>" : "", to);
    fputs(c->frequency ? "<th>f, Hz</th>" : "", to);
    fputs(c->temperature ? "<th>T, " CELS "</th>" : "", to);
    fprintf(to,
            "<th>LED, %s</th><th>Registers, %%</th><th>Noise, %%</th><th>Limit, %s</th>%s"
            "<th>Margin, %%</th><th>s</th><th>Pulses</th><th class=\"l\"></th>%s</tr></thead>\n"
            "<tbody>\n",
            unit, unit, c->target ? "<th>Target</th>" : "",
            c->note ? "<th class=\"l\">Note</th>" : "");
}

static void point_row(const struct typetest_result *r, const struct columns *c, FILE *to)
{
    const struct typetest_point *p = &r->point;
    char pf[24];
    fprintf(to, "<tr%s><td>%.4g</td><td>%.4g</td>", r->pass ? "" : " class=\"f\"", p->i_a,
            p->i_rel);
    put(to, "<th>", typetest_pf(p, pf), "</th>");
    if (c->phases)
        put(to, "<th>", p->phases, "</th>");
    if (c->direction)
        fprintf(to, "<th>%s</th>", p->exported ? "export" : "import");
    if (c->voltage)
        cell(to, p->u_rel, 3, false);
    if (c->frequency)
        cell(to, p->f_hz, 2, false);
    if (c->temperature)
        cell(to, p->celsius, 0, false);
    cell(to, r->error_pct, typetest_decimals(p->test), p->test != TYPETEST_NO_LOAD);
    cell(to, r->register_pct, 4, true);
    cell(to, r->noise_pct, 4, false);
    limit_cell(to, p);
    if (c->target)
        cell(to, p->target_pct > 0 ? p->target_pct : (double)NAN, 3, false);
    cell(to, typetest_margin(r), 1, false);
    cell(to, r->seconds, 1, false);
    fprintf(to, "<td>%u</td><td>%s</td>", (unsigned)r->pulses,
            r->pass ? "\xE2\x9C\x93" : "\xE2\x9C\x97 fails");
    if (c->note)
        put(to, "<td class=\"l w n\">", r->note, "</td>");
    fputs("</tr>\n", to);
}

static void points(const struct typetest_report *r, FILE *to)
{
    fputs("<h2>All points</h2>\n", to);
    for (unsigned t = 0; t < TYPETEST_N_TESTS; t++) {
        struct typetest_group g = {r, NULL, false};
        while (typetest_group_next(&g, t)) {
            struct columns c = columns_of(&g);
            char name[120];
            put(to, "<h3>", typetest_group_name(&g, name), "</h3>\n");
            points_head(&g, &c, to);
            for (const struct typetest_result *m = NULL;
                 (m = typetest_group_member(&g, m)) != NULL;)
                point_row(m, &c, to);
            fputs("</tbody>\n</table>\n", to);
        }
    }
}

/* ---- figures ---- */

static enum err curves(const struct typetest_report *r, const enum typetest_test *tests, size_t n,
                       unsigned *plot, FILE *to)
{
    for (size_t k = 0; k < n; k++) {
        struct typetest_group g = {
            r, NULL, tests[k] == TYPETEST_ONE_PHASE || tests[k] == TYPETEST_COMPOSITE};
        while (typetest_group_next(&g, tests[k])) {
            enum err e = typetest_curves(to, &g, plot);
            if (e != ERR_OK)
                return e;
        }
    }
    return ERR_OK;
}

static enum err figures(const struct typetest_report *r, FILE *to)
{
    static const enum typetest_test loads[] = {TYPETEST_LOAD, TYPETEST_ONE_PHASE,
                                               TYPETEST_COMPOSITE};
    static const enum typetest_test influences[] = {TYPETEST_VOLTAGE, TYPETEST_FREQUENCY,
                                                    TYPETEST_TEMPERATURE};
    unsigned plot = 0;
    fputs("<h2>Error curves</h2>\n<p class=\"note k\">Shaded: the limits, a band for each power "
          "factor, from each current up to the next. Filled markers: import; hollow: export. "
          "Whiskers: noise, one standard deviation. Right: the same, magnified.</p>\n",
          to);
    enum err e = curves(r, loads, 3, &plot, to);
    if (e != ERR_OK)
        return e;
    typetest_bars(to, r);
    return curves(r, influences, 3, &plot, to);
}

enum err typetest_html(const struct typetest_report *r, FILE *to)
{
    enum err e = ERR_OK;
    head(r, to);
    svg_markers(to);
    fputs("<dl>\n", to);
    facts_of_meter(r, to);
    facts_of_run(r, to);
    fputs("</dl>\n", to);
    verdict(r, to);
    caveats(r, to);
    if (r->n > 0) {
        summary(r, to);
        failures(r, to);
        e = figures(r, to);
        points(r, to);
    }
    fputs("</body>\n</html>\n", to);
    if (e != ERR_OK)
        return e;
    return ferror(to) != 0 || fflush(to) != 0 ? ERR_IO : ERR_OK;
}
