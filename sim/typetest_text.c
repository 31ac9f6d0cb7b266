/* The report for a terminal: what failed, each test's worst point, the verdict.
 *
 * The verdict says which limits were passed, never that a meter complies: this is no conformity
 * assessment, and most limits are remembered, not read. */
#include "sim/typetest.h"

#include <math.h>
#include <string.h>

#define FAILED_MAX 40 /* lines of failed points */

static void print_head(FILE *to, const struct typetest_report *r)
{
    const struct model_meter *m = r->model;
    fprintf(to, "%s%s%s: %s\n", m->name, r->order[0] ? ", order " : "", r->order, m->kind);
    fprintf(to, "  class %s active, %s reactive; %.4g(%.4g) A, %.4g V, %.4g Hz, %u imp/kWh\n",
            r->active, r->reactive, m->in_ma / 1e3, m->imax_ma / 1e3, m->un_mv / 1e3,
            m->f_mhz / 1e3, (unsigned)m->pulse_per_kwh);
    fprintf(to, "  %s, %.6g samples per second, seed %llu, metrology %s\n\n",
            r->ideal ? "ideal converter" : "front end calibrated once", r->rate_hz,
            (unsigned long long)r->seed, r->version);
}

static void print_pf(FILE *to, const struct typetest_point *p)
{
    char s[16];
    snprintf(s, sizeof s, "%g%.1s", p->pf, p->pf_kind);
    fprintf(to, "%-6s", s);
}

static int decimals(const struct typetest_result *r)
{
    return r->point.test == TYPETEST_TEMPERATURE ? 6 : 4; /* %/K */
}

static void print_point(FILE *to, const struct typetest_result *r)
{
    const struct typetest_point *p = &r->point;
    fprintf(to, "  %-9s%-12s%c %-4s%-4s%9.4g A  ", p->table, typetest_test_name(p->test),
            p->quantity, p->phases, p->exported ? "exp" : "imp", p->i_a);
    print_pf(to, p);
    fprintf(to, "%5.3g Un %6.4g Hz %5.3g C  %+10.*f  of %g%s%s\n", p->u_rel, p->f_hz, p->celsius,
            decimals(r), r->error_pct, p->limit_pct, r->note[0] ? "  " : "", r->note);
}

static double margin(const struct typetest_result *r)
{
    double limit = r->point.limit_pct, m = 100 * (limit - fabs(r->error_pct)) / limit;
    return isnan(m) ? -100 : m;
}

static bool same_group(const struct typetest_point *a, const struct typetest_point *b)
{
    return a->test == b->test && a->quantity == b->quantity && strcmp(a->table, b->table) == 0;
}

/* One line for the points of a test in a table: those behind `first` belong to it, too. */
static void print_group(FILE *to, const struct typetest_report *r, size_t first)
{
    const struct typetest_point *p = &r->result[first].point;
    const struct typetest_result *worst = NULL;
    size_t n = 0, failed = 0;
    for (size_t i = first; i < r->n; i++) {
        const struct typetest_result *q = &r->result[i];
        if (!same_group(p, &q->point))
            continue;
        n++;
        failed += !q->pass;
        if (!worst || margin(q) < margin(worst))
            worst = q;
    }
    fprintf(to, "  %-9s%-13s%c %6zu %6zu %9.1f   %+.*f of %g at %.4g A, ", p->table,
            typetest_test_name(p->test), p->quantity, n, failed, margin(worst), decimals(worst),
            worst->error_pct, worst->point.limit_pct, worst->point.i_a);
    print_pf(to, &worst->point);
    fprintf(to, " %s\n", worst->point.phases);
}

static bool begins_group(const struct typetest_report *r, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (same_group(&r->result[i].point, &r->result[at].point))
            return false;
    }
    return true;
}

static void print_groups(FILE *to, const struct typetest_report *r)
{
    fprintf(to, "  %-9s%-13s%c %6s %6s %9s   %s\n", "table", "test", ' ', "points", "failed",
            "margin %", "worst: error or variation and its limit, %");
    for (size_t i = 0; i < r->n; i++) {
        if (begins_group(r, i))
            print_group(to, r, i);
    }
}

static void print_tables(FILE *to, const struct typetest_report *r)
{
    const char *last = "";
    for (size_t i = 0; i < r->n; i++) {
        const char *table = r->result[i].point.table;
        if (strcmp(table, last) != 0 && strcmp(table, "target") != 0)
            fprintf(to, "%s%s", last[0] ? ", " : "", table);
        if (strcmp(table, "target") != 0)
            last = table;
    }
}

/* The table "target" is no standard: its points never speak in the verdict. */
static void print_passed(FILE *to, const struct typetest_report *r)
{
    size_t n[2] = {0}, failed[2] = {0}; /* of standards, of our own */
    for (size_t i = 0; i < r->n; i++) {
        bool own = strcmp(r->result[i].point.table, "target") == 0;
        n[own]++;
        failed[own] += !r->result[i].pass;
    }
    if (n[0] > 0) {
        fprintf(to, "\n  %s %s the limits of ", r->model->name,
                failed[0] ? "does NOT pass" : "passes");
        print_tables(to, r);
        fprintf(to, " as this bench knows them.\n");
    } else {
        fprintf(to, "\n  No point of a standard was measured: nothing is said about %s.\n",
                r->model->name);
    }
    if (failed[1])
        fprintf(to, "  %zu points of our own table \"target\" failed.\n", failed[1]);
}

/* What was measured of them. */
static void print_curves(FILE *to, const struct typetest_report *r)
{
    const struct {
        const char *where;
        double pct;
    } worst[] = {{"P at PF 1", r->worst_pf1_pct},
                 {"P at PF 0.5", r->worst_pf05_pct},
                 {"Q at sin 1", r->worst_q1_pct},
                 {"Q at sin 0.5", r->worst_q05_pct}};
    const char *between = "\n  load curves, greatest error: ";
    for (size_t k = 0; k < sizeof worst / sizeof *worst; k++) {
        if (isnan(worst[k].pct))
            continue;
        fprintf(to, "%s%s %.*f %%", between, worst[k].where, r->ideal ? 6 : 4, worst[k].pct);
        between = ", ";
    }
    fputc('\n', to);
}

static void print_verdict(FILE *to, const struct typetest_report *r)
{
    print_curves(to, r);
    fprintf(to, "  %zu points, %zu failed, %zu beyond our own targets; ", r->n, r->n_failed,
            r->n_missed);
    if (!isnan(r->worst_margin_pct))
        fprintf(to, "worst margin %.1f %%; ", r->worst_margin_pct);
    fprintf(to, "%.1f h of signal in %.1f s\n", r->seconds / 3600, r->wall_s);
    if (r->beyond[0])
        fprintf(to, "  not simulated: %s\n", r->beyond);
    if (r->every > 1 || r->only[0])
        fprintf(to, "  a sample of the points only\n");
    print_passed(to, r);
    fprintf(to, "  No conformity assessment; most limits are from memory of the standards.\n");
}

enum err typetest_text(const struct typetest_report *r, FILE *to)
{
    print_head(to, r);
    if (r->n > 0)
        print_groups(to, r);
    if (r->n_failed > 0)
        fprintf(to, "\n  failed:\n");
    size_t shown = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->result[i].pass && shown++ < FAILED_MAX)
            print_point(to, &r->result[i]);
    }
    if (shown > FAILED_MAX)
        fprintf(to, "  ... and %zu more\n", shown - FAILED_MAX);
    print_verdict(to, r);
    return fflush(to) == 0 && !ferror(to) ? ERR_OK : ERR_IO;
}
