/* The printed report: well-formed, complete, escaped, the same twice, and plain about a failure.
 *
 * With the name of a file it writes the sample page there, for the eye. */
#include "sim/typetest.h"
#include "sim/typetest_svg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POINTS_MAX 2000

/* ---- a report as the bench would give it ---- */

static struct typetest_result results[POINTS_MAX];
static struct typetest_report report;

static double draw(void) /* -1..1, the same each time */
{
    static uint64_t state;
    state = report.n == 0 ? 1 : state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)state / 9.3e18;
}

static struct typetest_result *add(struct typetest_point p, double error, double limit)
{
    struct typetest_result *r = &results[report.n++];
    p.i_rel = p.i_a / (report.model->in_ma * 1e-3);
    p.u_rel = p.u_rel > 0 ? p.u_rel : 1;
    p.f_hz = p.f_hz > 0 ? p.f_hz : 50;
    p.celsius = p.celsius != 0 ? p.celsius : 23;
    p.limit_pct = limit;
    p.certain = p.test == TYPETEST_COMPOSITE;
    p.target_pct = p.test == TYPETEST_VOLTAGE ? limit / 4 : 0;
    *r = (struct typetest_result){.point = p,
                                  .error_pct = error,
                                  .register_pct = error + 0.0004 * draw(),
                                  .noise_pct = 0.001 + 0.002 * 0.01 / (p.i_a + 0.001),
                                  .seconds = 12,
                                  .pulses = 77,
                                  .pass = fabs(error) <= limit};
    report.n_failed += !r->pass;
    report.seconds += r->seconds;
    return r;
}

static void point(const char *table, enum typetest_test test, char quantity, const char *phases,
                  bool exported, double i, double pf, const char *kind, double limit)
{
    struct typetest_point p = {
        .test = test, .quantity = quantity, .exported = exported, .i_a = i, .pf = pf};
    snprintf(p.table, sizeof p.table, "%s", table);
    snprintf(p.phases, sizeof p.phases, "%s", phases);
    snprintf(p.pf_kind, sizeof p.pf_kind, "%s", kind);
    add(p, (0.004 + 0.012 * sqrt(1 - pf * pf)) * (0.4 + draw()) + 0.0003 / (i + 0.001) * draw(),
        limit);
}

static void loads(const char *table, char quantity, enum typetest_test test, const char *phases)
{
    static const double current[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 6};
    static const struct {
        double pf;
        const char *kind;
        double limit;
    } factors[] = {{1, "", 0.5}, {0.5, "ind", 0.6}, {0.8, "cap", 0.6}, {0.25, "ind", 1.0}};
    for (size_t f = 0; f < (test == TYPETEST_LOAD ? 4 : 2); f++) {
        for (size_t k = 0; k < 2 * sizeof current / sizeof current[0]; k++) {
            double i = current[k / 2];
            if (i >= (f == 0 ? 0 : f == 3 ? 0.5 : 0.1))
                point(table, test, quantity, phases, k % 2 != 0, i, factors[f].pf, factors[f].kind,
                      i < (f == 0 ? 0.25 : 0.5) ? 2 * factors[f].limit : factors[f].limit);
        }
    }
}

static void influences(void)
{
    static const double voltage[] = {0.8, 0.9, 1.1, 1.15};
    for (unsigned t = TYPETEST_VOLTAGE; t < TYPETEST_TEMPERATURE; t++) {
        for (unsigned k = 0; k < (t == TYPETEST_VOLTAGE ? 8 : 2); k++) {
            struct typetest_point p = {.table = "62053-22",
                                       .test = t,
                                       .quantity = 'P',
                                       .phases = "123",
                                       .i_a = 5,
                                       .pf = k % 2 ? 0.5 : 1,
                                       .u_rel = t == TYPETEST_VOLTAGE ? voltage[k / 2] : 1,
                                       .f_hz = t == TYPETEST_FREQUENCY ? 49 + 2 * k : 50};
            snprintf(p.pf_kind, sizeof p.pf_kind, "%s", k % 2 ? "ind" : "");
            add(p, 0.02 * draw(), 0.2);
        }
    }
    for (unsigned k = 0; k < 12; k++) {
        struct typetest_point p = {.table = "62053-22",
                                   .test = TYPETEST_TEMPERATURE,
                                   .quantity = 'P',
                                   .phases = "123",
                                   .i_a = 5,
                                   .pf = k % 2 ? 0.5 : 1,
                                   .celsius = -40 + 20.0 * (k / 2)};
        snprintf(p.pf_kind, sizeof p.pf_kind, "%s", k % 2 ? "ind" : "");
        add(p, 0.002 * draw(), k % 2 ? 0.05 : 0.03);
    }
}

static void make(const char *model)
{
    report = (struct typetest_report){.model = model_meter_find(model),
                                      .order = "5(6)",
                                      .active = "0.5S (C)",
                                      .reactive = "2",
                                      .seed = 7,
                                      .rate_hz = 8000,
                                      .result = results,
                                      .worst_margin_pct = 93.2,
                                      .worst_pf1_pct = 0.0123,
                                      .beyond = "magnetic field, radio field",
                                      .version = "1.0"};
    loads("62053-22", 'P', TYPETEST_LOAD, "123");
    loads("50470-3", 'P', TYPETEST_LOAD, "123");
    loads("62053-23", 'Q', TYPETEST_LOAD, "123");
    loads("62053-22", 'P', TYPETEST_ONE_PHASE, "1");
    loads("62053-22", 'P', TYPETEST_ONE_PHASE, "2");
    loads("62053-22", 'P', TYPETEST_ONE_PHASE, "3");
    loads("MID", 'P', TYPETEST_COMPOSITE, "123");
    point("62053-22", TYPETEST_STARTING, 'P', "123", false, 0.005, 1, "", 50);
    point("62053-22", TYPETEST_NO_LOAD, 'P', "123", false, 0, 1, "", 1);
    influences();
}

/* ---- what was written ---- */

static char *page;

static void write_page(void)
{
    size_t size = 0;
    free(page);
    FILE *to = open_memstream(&page, &size);
    assert_non_null(to);
    assert_int_equal(typetest_html(&report, to), ERR_OK);
    fclose(to);
}

static size_t count(const char *what)
{
    size_t n = 0;
    for (const char *p = page; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* Every tag is closed in its order and every ampersand begins an entity. */
static void check_well_formed(void)
{
    static char open[64][16];
    size_t depth = 0;
    for (const char *p = strchr(page, '>') + 1; *p != '\0'; p++) {
        if (*p == '&')
            assert_true(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
                        strncmp(p, "&gt;", 4) == 0 || strncmp(p, "&quot;", 6) == 0);
        if (*p != '<')
            continue;
        const char *end = strchr(p, '>');
        assert_non_null(end);
        assert_int_equal(memchr(p + 1, '<', (size_t)(end - p - 1)) != NULL, 0);
        size_t name = strcspn(p + (p[1] == '/' ? 2 : 1), " />\n");
        if (p[1] == '/') {
            assert_true(depth > 0);
            depth--;
            if (strlen(open[depth]) != name || strncmp(open[depth], p + 2, name) != 0)
                fail_msg("%s closed by %.*s", open[depth], (int)name, p + 2);
        } else if (end[-1] != '/') {
            assert_true(depth < 64 && name < 16);
            snprintf(open[depth++], 16, "%.*s", (int)name, p + 1);
        }
        p = end;
    }
    assert_int_equal(depth, 0);
}

/* ---- tests ---- */

static void html_is_well_formed_and_small(void **state)
{
    (void)state;
    make("ST402C");
    write_page();
    check_well_formed();
    assert_true(report.n > 200 && strlen(page) < 500000);
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, ">nan"));
    assert_null(strstr(page, ">inf"));
}

static void html_shows_every_point(void **state)
{
    (void)state;
    make("ST402C");
    for (size_t i = 0; i < report.n; i++) /* an error that only this point has */
        results[i].register_pct = 100 + (double)i / 1000;
    write_page();
    for (size_t i = 0; i < report.n; i++) {
        char shown[40];
        snprintf(shown, sizeof shown, "<td>+%.4f</td>", results[i].register_pct);
        assert_int_equal(count(shown), 1);
    }
}

static void html_passes_says_so_with_its_reserve(void **state)
{
    (void)state;
    make("ST402C");
    write_page();
    assert_int_equal(report.n_failed, 0);
    assert_non_null(strstr(page, "Passes the limits of</b> IEC 62053-22 class 0.5S (active), EN "
                                 "50470-3 class C (active), IEC 62053-23 class 2 (reactive)"));
    assert_non_null(strstr(page, "2014/32/EU (MID) annex V class C"));
    assert_non_null(strstr(page, "from memory"));
    assert_non_null(strstr(page, "magnetic field, radio field"));
    assert_non_null(strstr(page, "<td>0.2 <i>m</i></td>"));
    assert_non_null(strstr(page, "8 of 8 points keep the project's own"));
    assert_non_null(strstr(page, "no conformity assessment"));
    assert_null(strstr(page, "omplies"));
    assert_int_equal(count("class=\"f\""), 0);
    assert_int_equal(count("class=\"x\""), 0);
}

static void html_fails_cannot_be_overlooked(void **state)
{
    (void)state;
    make("ST402C");
    struct typetest_result *r = &results[5];
    r->error_pct = -2.5;
    r->pass = false;
    snprintf(r->note, sizeof r->note, "LED stopped");
    report.n_failed = 1;
    write_page();
    check_well_formed();
    assert_non_null(strstr(page, "class=\"mark no\""));
    assert_non_null(strstr(page, "Fails the limits of"));
    assert_null(strstr(page, "Passes"));
    assert_int_equal(count("class=\"f\""), 3); /* summary, list of failures, the point itself */
    assert_int_equal(count("class=\"x\""), 2); /* in both scales of its figure */
    assert_int_equal(count("LED stopped"), 2);
    assert_non_null(strstr(page, "\xE2\x88\x92"
                                 "2.5000"));
}

/* What we ask of ourselves is told apart from what a standard asks. */
static void html_tells_targets_from_limits(void **state)
{
    (void)state;
    make("ST402C");
    point("target", TYPETEST_LOAD, 'P', "123", false, 0.5, 1, "", 0.02);
    results[report.n - 1].pass = false;
    results[report.n - 1].error_pct = 0.03;
    report.n_failed = report.n_missed = 1;
    write_page();
    check_well_formed();
    assert_non_null(strstr(page, "class=\"mark ok\""));
    assert_non_null(strstr(page, "Passes the limits of"));
    assert_non_null(strstr(page, "8 of 9 points keep the project's own"));
    assert_null(strstr(page, "target class"));
}

static void html_of_nothing_passes_nothing(void **state)
{
    (void)state;
    make("SM402D");
    report.n = report.n_failed = 0;
    write_page();
    check_well_formed();
    assert_null(strstr(page, "asses the"));
    assert_non_null(strstr(page, "nothing can be said"));
}

static void html_says_what_was_left_out(void **state)
{
    (void)state;
    make("ST402C");
    write_page();
    assert_int_equal(count("note warn"), 0);
    report.ideal = true;
    report.every = 12;
    snprintf(report.only, sizeof report.only, "load,voltage");
    snprintf(report.date, sizeof report.date, "2026-02-03");
    write_page();
    assert_int_equal(count("note warn"), 3);
    assert_non_null(strstr(page, "A sample: each 12. point"));
    assert_non_null(strstr(page, "load,voltage"));
    assert_non_null(strstr(page, "No statement about a meter"));
    assert_non_null(strstr(page, "<dd>2026-02-03</dd>"));
}

static void html_escapes_all_words(void **state)
{
    (void)state;
    make("ST402C");
    snprintf(report.order, sizeof report.order, "<b>\"a\"&b\x01");
    snprintf(results[0].note, sizeof results[0].note, "U < 0.8 & \"low\"");
    snprintf(results[3].point.pf_kind, sizeof results[3].point.pf_kind, "<&");
    write_page();
    check_well_formed();
    assert_non_null(strstr(page, "&lt;b&gt;&quot;a&quot;&amp;b?"));
    assert_non_null(strstr(page, "U &lt; 0.8 &amp; &quot;low&quot;"));
    assert_null(strstr(page, "<b>\"a"));
}

static void html_stands_values_without_a_number(void **state)
{
    (void)state;
    make("ST402C");
    for (size_t i = 0; i < report.n; i += 7)
        results[i].register_pct = results[i].error_pct = (double)NAN;
    results[1].error_pct = HUGE_VAL;
    results[2].point.limit_pct = 0;
    write_page();
    check_well_formed();
    assert_null(strstr(page, ">nan"));
    assert_null(strstr(page, ">inf"));
}

static void html_is_the_same_twice(void **state)
{
    (void)state;
    make("ST402C");
    write_page();
    char *first = strdup(page);
    write_page();
    assert_string_equal(first, page);
    free(first);
}

static void html_tells_a_full_disk(void **state)
{
    (void)state;
    FILE *to = fopen("/dev/full", "w");
    if (to == NULL)
        skip();
    make("ST402C");
    assert_int_equal(typetest_html(&report, to), ERR_IO);
    fclose(to);
}

/* ---- ticks ---- */

static void svg_ticks_go_by_one_two_five(void **state)
{
    (void)state;
    struct svg_tick t[SVG_TICKS_MAX];
    struct svg_axis a = {-0.5, 0.5, false, ""};
    char text[24];
    size_t n = svg_ticks(&a, 190, t);
    assert_int_equal(n, 5);
    assert_true(fabs(t[0].at + 0.4) < 1e-12);
    svg_tick_text(&a, t, n, t[0].at, text);
    assert_string_equal(text, "\xE2\x88\x92"
                              "0.4");
    svg_tick_text(&a, t, n, t[2].at, text);
    assert_string_equal(text, "0");
    a = (struct svg_axis){0, 0.00037, false, ""};
    n = svg_ticks(&a, 120, t);
    svg_tick_text(&a, t, n, t[1].at, text);
    assert_string_equal(text, "0.0001");
}

static void svg_ticks_of_decades_leave_room(void **state)
{
    (void)state;
    struct svg_tick t[SVG_TICKS_MAX];
    struct svg_axis a = {0.01, 100, true, ""};
    size_t n = svg_ticks(&a, 400, t), labelled = 0;
    assert_int_equal(n, 13); /* 1 2 5 of four decades and the last */
    for (size_t k = 0; k < n; k++)
        labelled += t[k].labelled;
    assert_int_equal(labelled, 13);
    n = svg_ticks(&a, 120, t);
    labelled = 0;
    for (size_t k = 0; k < n; k++)
        labelled += t[k].labelled;
    assert_int_equal(labelled, 5); /* the powers of ten alone */
    a = (struct svg_axis){0.00095, 7.8, true, ""};
    n = svg_ticks(&a, 364, t);
    labelled = 0;
    for (size_t k = 0; k < n; k++)
        labelled += t[k].labelled;
    assert_int_equal(labelled, 4); /* 0.001 and 0.002 would touch */
}

static void svg_axis_rounds_outwards(void **state)
{
    (void)state;
    struct svg_axis a = {-0.0131, 0.0131, false, ""};
    svg_axis_round(&a);
    assert_true(fabs(a.lo + 0.015) < 1e-12 && fabs(a.hi - 0.015) < 1e-12);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_is_well_formed_and_small),
        cmocka_unit_test(html_shows_every_point),
        cmocka_unit_test(html_passes_says_so_with_its_reserve),
        cmocka_unit_test(html_fails_cannot_be_overlooked),
        cmocka_unit_test(html_tells_targets_from_limits),
        cmocka_unit_test(html_of_nothing_passes_nothing),
        cmocka_unit_test(html_says_what_was_left_out),
        cmocka_unit_test(html_escapes_all_words),
        cmocka_unit_test(html_stands_values_without_a_number),
        cmocka_unit_test(html_is_the_same_twice),
        cmocka_unit_test(html_tells_a_full_disk),
        cmocka_unit_test(svg_ticks_go_by_one_two_five),
        cmocka_unit_test(svg_ticks_of_decades_leave_room),
        cmocka_unit_test(svg_axis_rounds_outwards),
    };
    int failed = cmocka_run_group_tests_name("typetest_html", tests, NULL, NULL);
    if (argc > 1) {
        FILE *to = fopen(argv[1], "w");
        make("ST402C");
        failed += to == NULL || typetest_html(&report, to) != ERR_OK || fclose(to) != 0;
    }
    free(page);
    return failed;
}
