/* See typetest_figure.h. */
#include "sim/typetest_figure.h"

#include "sim/typetest_svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static const struct {
    const char *title, *unit;
} names[TYPETEST_N_TESTS] = {
    [TYPETEST_LOAD] = {"Error over load, balanced", "%"},
    [TYPETEST_ONE_PHASE] = {"One phase loaded", "%"},
    [TYPETEST_DIFFERENCE] = {"One phase loaded less balanced", "%"},
    [TYPETEST_STARTING] = {"Starting current", "%"},
    [TYPETEST_NO_LOAD] = {"No load", "pulses"},
    [TYPETEST_CONSTANT] = {"Meter constant: registers beside pulses", "%"},
    [TYPETEST_VOLTAGE] = {"Voltage", "%"},
    [TYPETEST_FREQUENCY] = {"Frequency", "%"},
    [TYPETEST_FIFTH] = {"5th harmonic in voltage and current", "%"},
    [TYPETEST_PHASE_FIRED] = {"Odd harmonics: phase-fired current", "%"},
    [TYPETEST_BURST] = {"Sub-harmonics: burst-fired current", "%"},
    [TYPETEST_HALF_WAVE] = {"Direct and even harmonics: half-wave current", "%"},
    [TYPETEST_SEQUENCE] = {"Reversed phase sequence", "%"},
    [TYPETEST_LOST_PHASES] = {"One or two phases lost", "%"},
    [TYPETEST_FAST_LOAD] = {"Fast load changes", "%"},
    [TYPETEST_TEMPERATURE] = {"Temperature coefficient", "%/K"},
    [TYPETEST_COMPOSITE] = {"Composite error", "%"},
};

const char *typetest_title(enum typetest_test t)
{
    return names[t].title;
}

const char *typetest_unit(enum typetest_test t)
{
    return names[t].unit;
}

const char *typetest_standard(const char *table, char out[64])
{
    const char *body = strncmp(table, "50470", 5) == 0  ? "EN "
                       : strncmp(table, "6205", 4) == 0 ? "IEC "
                                                        : "";
    if (strcmp(table, "MID") == 0)
        snprintf(out, 64, "2014/32/EU (MID) annex V");
    else if (strcmp(table, "target") == 0)
        snprintf(out, 64, "own target");
    else
        snprintf(out, 64, "%s%s", body, table);
    return out;
}

const char *typetest_pf(const struct typetest_point *p, char out[24])
{
    snprintf(out, 24, "%g%s%s", p->pf, p->pf_kind[0] != '\0' ? " " : "", p->pf_kind);
    return out;
}

const char *typetest_group_name(const struct typetest_group *g, char out[120])
{
    const struct typetest_point *p = &g->first->point;
    char standard[64], pf[24];
    int n =
        snprintf(out, 120, "%s \xE2\x80\x93 %s, %s energy", typetest_title(p->test),
                 typetest_standard(p->table, standard), p->quantity == 'Q' ? "reactive" : "active");
    if (g->by_pf)
        snprintf(out + n, 120 - (size_t)n, ", %s %s", p->quantity == 'Q' ? "sin" : "PF",
                 typetest_pf(p, pf));
    return out;
}

const char *typetest_number(double v, int decimals, bool sign, char out[40])
{
    char text[36];
    if (!isfinite(v))
        return memcpy(out, "\xE2\x80\x93", 4);
    snprintf(text, sizeof text, "%.*f", decimals, fabs(v));
    bool zero = strspn(text, "0.") == strlen(text);
    snprintf(out, 40, "%s%s", zero ? "" : v < 0 ? "\xE2\x88\x92" : sign ? "+" : "", text);
    return out;
}

int typetest_decimals(enum typetest_test t)
{
    return t == TYPETEST_NO_LOAD ? 0 : t == TYPETEST_TEMPERATURE ? 5 : 4;
}

double typetest_margin(const struct typetest_result *r)
{
    double limit = r->point.limit_pct;
    return limit > 0 ? (limit - fabs(r->error_pct)) / limit * 100 : (double)NAN;
}

/* ---- groups ---- */

static bool same_pf(const struct typetest_point *a, const struct typetest_point *b)
{
    return fabs(a->pf - b->pf) < 1e-9 && strcmp(a->pf_kind, b->pf_kind) == 0;
}

static bool same_group(const struct typetest_point *a, const struct typetest_point *b, bool by_pf)
{
    return a->test == b->test && a->quantity == b->quantity && strcmp(a->table, b->table) == 0 &&
           (!by_pf || same_pf(a, b));
}

const struct typetest_result *typetest_group_member(const struct typetest_group *g,
                                                    const struct typetest_result *r)
{
    const struct typetest_result *end = g->report->result + g->report->n;
    for (r = r == NULL ? g->first : r + 1; r < end; r++) {
        if (same_group(&g->first->point, &r->point, g->by_pf))
            return r;
    }
    return NULL;
}

static bool is_first(const struct typetest_group *g, const struct typetest_result *r)
{
    for (const struct typetest_result *b = g->report->result; b < r; b++) {
        if (same_group(&b->point, &r->point, g->by_pf))
            return false;
    }
    return true;
}

bool typetest_group_next(struct typetest_group *g, enum typetest_test test)
{
    size_t i = g->first == NULL ? 0 : (size_t)(g->first - g->report->result) + 1;
    for (; i < g->report->n; i++) {
        g->first = &g->report->result[i];
        if (g->first->point.test == test && is_first(g, g->first))
            return true;
    }
    return false;
}

/* ---- the x axis of a test ---- */

static bool over_current(enum typetest_test t)
{
    return t == TYPETEST_LOAD || t == TYPETEST_ONE_PHASE || t == TYPETEST_COMPOSITE;
}

static double x_of(const struct typetest_point *p)
{
    switch (p->test) {
    case TYPETEST_VOLTAGE:
        return p->u_rel * 100;
    case TYPETEST_FREQUENCY:
        return p->f_hz;
    case TYPETEST_TEMPERATURE:
        return p->celsius;
    default:
        return over_current(p->test) ? p->i_a : (double)NAN;
    }
}

static const char *x_title(enum typetest_test t)
{
    return t == TYPETEST_VOLTAGE       ? "voltage, % of Un"
           : t == TYPETEST_FREQUENCY   ? "frequency, Hz"
           : t == TYPETEST_TEMPERATURE ? "temperature, \xC2\xB0"
                                         "C"
                                       : "current, A";
}

/* ---- series: one curve ---- */

/* Style: what the marker and dash stand for; import is filled, export hollow. */
static bool same_style(const struct typetest_point *a, const struct typetest_point *b)
{
    bool same = same_pf(a, b) && strcmp(a->phases, b->phases) == 0;
    if (a->test != TYPETEST_TEMPERATURE)
        same = same && fabs(a->celsius - b->celsius) < 1e-9;
    return same && (over_current(a->test) || fabs(a->i_a - b->i_a) < 1e-9 * a->i_a);
}

static bool same_series(const struct typetest_point *a, const struct typetest_point *b)
{
    return same_style(a, b) && a->exported == b->exported;
}

struct figure {
    const struct typetest_result **member;
    size_t n;
    FILE *to;
    struct svg_xy *point; /* room for the longest series */
    double worst, limit;  /* greatest of the group */
    double least_limit;
    double x_lo, x_hi;
    bool many_phases, many_currents, many_temperatures; /* what legends must tell */
};

static bool leads_series(const struct figure *f, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (same_series(&f->member[k]->point, &f->member[i]->point))
            return false;
    }
    return true;
}

static size_t leader_of_style(const struct figure *f, size_t i)
{
    size_t k = 0;
    while (!same_style(&f->member[k]->point, &f->member[i]->point))
        k++;
    return k;
}

/* Counts the styles that appear before that of member i. */
static unsigned style_of(const struct figure *f, size_t i)
{
    unsigned style = 0;
    size_t leader = leader_of_style(f, i);
    for (size_t k = 0; k < leader; k++)
        style += leader_of_style(f, k) == k;
    return style;
}

static int by_x(const void *a, const void *b)
{
    double x = ((const struct svg_xy *)a)->x, y = ((const struct svg_xy *)b)->x;
    return (x > y) - (x < y);
}

/* The points of the series that member `lead` begins, errors or limits, sorted. */
static size_t series(struct figure *f, size_t lead, bool limits)
{
    size_t n = 0;
    for (size_t i = lead; i < f->n; i++) {
        const struct typetest_result *r = f->member[i];
        if (!same_series(&r->point, &f->member[lead]->point) || !isfinite(r->error_pct))
            continue;
        f->point[n++] = limits ? (struct svg_xy){.x = x_of(&r->point), .y = r->point.limit_pct}
                               : (struct svg_xy){.x = x_of(&r->point),
                                                 .y = r->error_pct,
                                                 .spread = r->noise_pct,
                                                 .bad = !r->pass};
    }
    qsort(f->point, n, sizeof *f->point, by_x);
    return n;
}

/* Over a current a limit holds up to the next one; of an influence it holds half the way to its
 * neighbours. */
static size_t limits(struct figure *f, size_t lead)
{
    size_t n = series(f, lead, true);
    if (n == 0 || over_current(f->member[lead]->point.test))
        return n;
    f->point[n] = f->point[n - 1];
    for (size_t k = n - 1; k > 0; k--)
        f->point[k].x = (f->point[k].x + f->point[k - 1].x) / 2;
    return n + 1;
}

static bool collect(struct figure *f, const struct typetest_group *g)
{
    f->point = malloc((g->report->n + 1) * sizeof *f->point);
    f->member = malloc(g->report->n * sizeof *f->member);
    if (f->point == NULL || f->member == NULL)
        return false;
    for (const struct typetest_result *r = NULL; (r = typetest_group_member(g, r)) != NULL;)
        f->member[f->n++] = r;
    return true;
}

/* ---- curves ---- */

static void measure(struct figure *f)
{
    const struct typetest_point *first = &f->member[0]->point;
    f->x_lo = HUGE_VAL;
    f->x_hi = -HUGE_VAL;
    f->least_limit = HUGE_VAL;
    for (size_t i = 0; i < f->n; i++) {
        const struct typetest_point *p = &f->member[i]->point;
        f->x_lo = fmin(f->x_lo, x_of(p));
        f->x_hi = fmax(f->x_hi, x_of(p));
        f->limit = fmax(f->limit, p->limit_pct);
        f->least_limit = fmin(f->least_limit, p->limit_pct);
        if (isfinite(f->member[i]->error_pct))
            f->worst = fmax(f->worst, fabs(f->member[i]->error_pct));
        f->many_phases |= strcmp(p->phases, first->phases) != 0;
        f->many_currents |= !over_current(p->test) && fabs(p->i_a - first->i_a) > 1e-9;
        f->many_temperatures |=
            p->test != TYPETEST_TEMPERATURE && fabs(p->celsius - first->celsius) > 1e-9;
    }
}

/* The scale of the limits shows the margin; a failing point may stretch it threefold. Magnified,
 * the errors fill the height. */
static double y_range(const struct figure *f, bool magnified)
{
    double most = f->limit > 0 ? 3 * f->limit : f->worst;
    if (magnified)
        return fmax(f->worst * 1.15, 1e-6); /* an ideal converter has 1e-5 */
    return fmax(fmin(fmax(f->limit, f->worst), most) * 1.12, 1e-4);
}

static const char *y_title(enum typetest_test t, bool magnified)
{
    if (t == TYPETEST_TEMPERATURE)
        return magnified ? "coefficient magnified, %/K" : "coefficient, %/K";
    if (over_current(t))
        return magnified ? "error magnified, %" : "error, %";
    return magnified ? "variation magnified, %" : "variation of the error, %";
}

static struct svg_plot plot_of(const struct figure *f, bool magnified)
{
    enum typetest_test t = f->member[0]->point.test;
    double y = y_range(f, magnified), more = (f->x_hi - f->x_lo) * 0.08;
    struct svg_plot p = {.to = f->to,
                         .left = magnified ? 528 : 52,
                         .top = 26,
                         .width = 364,
                         .height = 190,
                         .x = {f->x_lo - more, f->x_hi + more, false, x_title(t)},
                         .y = {-y, y, false, y_title(t, magnified)}};
    if (over_current(t))
        p.x = (struct svg_axis){f->x_lo / 1.3, f->x_hi * 1.3, true, x_title(t)};
    if (magnified)
        svg_axis_round(&p.y);
    return p;
}

/* Limits follow the power factor and the temperature: one band for all phases and directions. */
static bool same_band(const struct typetest_point *a, const struct typetest_point *b)
{
    return same_pf(a, b) &&
           (a->test == TYPETEST_TEMPERATURE || fabs(a->celsius - b->celsius) < 1e-9);
}

static bool leads_band(const struct figure *f, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (same_band(&f->member[k]->point, &f->member[i]->point))
            return false;
    }
    return true;
}

static void draw(struct figure *f, bool magnified, unsigned number)
{
    struct svg_plot p = plot_of(f, magnified);
    svg_plot_begin(&p, number);
    for (size_t i = 0; i < f->n; i++) { /* all bands lie below all curves */
        if (leads_band(f, i) && f->least_limit < p.y.hi)
            svg_band(&p, f->point, limits(f, i));
    }
    for (size_t i = 0; i < f->n; i++) {
        if (!leads_series(f, i))
            continue;
        size_t n = series(f, i, false);
        svg_curve(&p, style_of(f, i), f->member[i]->point.exported, f->point, n);
    }
}

static void legend_text(const struct figure *f, const struct typetest_point *p, char out[64])
{
    char pf[24];
    int n = snprintf(out, 64, "%s %s", p->quantity == 'Q' ? "sin" : "PF", typetest_pf(p, pf));
    if (f->many_phases)
        n += snprintf(out + n, 64 - (size_t)n, ", L%s", p->phases);
    if (f->many_currents)
        n += snprintf(out + n, 64 - (size_t)n, ", %.4g A", p->i_a);
    if (f->many_temperatures)
        n += snprintf(out + n, 64 - (size_t)n,
                      ", %.4g \xC2\xB0"
                      "C",
                      p->celsius);
    snprintf(out + n, 64 - (size_t)n, ", %s", p->exported ? "export" : "import");
}

#define LEGEND_COLUMNS 4u
#define LEGEND_TOP     278

/* Gives the number of rows. */
static unsigned legend(const struct figure *f, bool dry)
{
    unsigned k = 0;
    for (size_t i = 0; i < f->n; i++) {
        char text[64];
        if (!leads_series(f, i))
            continue;
        double x = 20 + 222 * (k % LEGEND_COLUMNS), y = LEGEND_TOP + 17.0 * (k / LEGEND_COLUMNS);
        k++;
        if (dry)
            continue;
        legend_text(f, &f->member[i]->point, text);
        svg_sample(f->to, x, y, style_of(f, i), f->member[i]->point.exported);
        svg_text(f->to, x + 32, y + 4, 's', "", text);
    }
    return (k + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
}

static bool has_curve(struct figure *f)
{
    for (size_t i = 0; i < f->n; i++) {
        size_t n = leads_series(f, i) ? series(f, i, false) : 0;
        if (n > 1 && f->point[n - 1].x > f->point[0].x)
            return true;
    }
    return false;
}

static void figure(struct figure *f, const char *name, unsigned *number)
{
    fputs("<figure>\n<figcaption>", f->to);
    svg_escape(f->to, name);
    fputs("</figcaption>\n", f->to);
    measure(f);
    svg_begin(f->to, 900, LEGEND_TOP - 8 + 17 * legend(f, true), name);
    draw(f, false, (*number)++);
    draw(f, true, (*number)++);
    (void)legend(f, false);
    svg_end(f->to);
    fputs("</figure>\n", f->to);
}

enum err typetest_curves(FILE *to, const struct typetest_group *g, unsigned *number)
{
    struct figure f = {.to = to};
    if (isnan(x_of(&g->first->point)))
        return ERR_OK;
    bool room = collect(&f, g);
    if (room && has_curve(&f)) {
        char name[120];
        figure(&f, typetest_group_name(g, name), number);
    }
    free(f.point);
    free(f.member);
    return room ? ERR_OK : ERR_MEMORY;
}

/* ---- bars ---- */

static const struct typetest_result *worst_of(const struct typetest_group *g)
{
    const struct typetest_result *worst = NULL;
    for (const struct typetest_result *r = NULL; (r = typetest_group_member(g, r)) != NULL;) {
        if (worst == NULL || !(typetest_margin(r) >= typetest_margin(worst)))
            worst = r;
    }
    return worst;
}

static unsigned n_bars(const struct typetest_report *r)
{
    unsigned n = 0;
    for (unsigned t = TYPETEST_VOLTAGE; t <= TYPETEST_TEMPERATURE; t++) {
        struct typetest_group g = {r, NULL, true};
        while (typetest_group_next(&g, t))
            n++;
    }
    return n;
}

#define BAR_LEFT  385.0
#define BAR_WIDTH 360.0
#define BAR_STEP  17.0

/* The track is what is allowed, from - limit to + limit. */
static void bar(FILE *to, const struct typetest_result *r, double y)
{
    const struct typetest_point *p = &r->point;
    double part = fmax(-1.01, fmin(1.01, r->error_pct / p->limit_pct));
    double middle = BAR_LEFT + BAR_WIDTH / 2, end = middle + part * BAR_WIDTH / 2;
    char text[120], pf[24], shown[40];
    snprintf(text, sizeof text, "%s, %s %s (%s)", typetest_title(p->test),
             p->quantity == 'Q' ? "sin" : "PF", typetest_pf(p, pf), p->table);
    svg_text(to, BAR_LEFT - 8, y + 4, 'e', "", text);
    fprintf(to, "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"10\"/>\n",
            BAR_LEFT, y - 5, BAR_WIDTH);
    if (isfinite(part))
        fprintf(to, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"6\"/>\n",
                r->pass ? "v" : "V", fmin(middle, end), y - 3, fmax(fabs(end - middle), 0.8));
    snprintf(text, sizeof text, "%s of %g %s",
             typetest_number(r->error_pct, typetest_decimals(p->test), true, shown), p->limit_pct,
             typetest_unit(p->test));
    svg_text(to, BAR_LEFT + BAR_WIDTH + 8, y + 4, 's', r->pass ? "" : "F", text);
}

void typetest_bars(FILE *to, const struct typetest_report *r)
{
    unsigned n = n_bars(r);
    double y = 30;
    if (n == 0)
        return;
    static const char name[] = "Worst variation of each influence against its limit";
    fprintf(to, "<h2>Influences</h2>\n<figure>\n<figcaption>%s</figcaption>\n", name);
    svg_begin(to, 900, y + BAR_STEP * n + 8, name);
    svg_text(to, BAR_LEFT, 14, 'm', "",
             "\xE2\x88\x92"
             "limit");
    svg_text(to, BAR_LEFT + BAR_WIDTH / 2, 14, 'm', "", "0");
    svg_text(to, BAR_LEFT + BAR_WIDTH, 14, 'm', "", "+limit");
    for (unsigned t = TYPETEST_VOLTAGE; t <= TYPETEST_TEMPERATURE; t++) {
        struct typetest_group g = {r, NULL, true};
        for (; typetest_group_next(&g, t); y += BAR_STEP)
            bar(to, worst_of(&g), y);
    }
    fprintf(to, "<path class=\"z\" d=\"M%.1f 20V%.1f\"/>\n", BAR_LEFT + BAR_WIDTH / 2, y - 6);
    svg_end(to);
    fputs("</figure>\n", to);
}
