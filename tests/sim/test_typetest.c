/* All eight models on the bench: a sample of the points of each, all of them with `full`; `direct`
 * and `ct` are halves of the sample, for two processors.
 *
 * Prints what `ferraris typetest` would: points for each test, failed ones, the worst. */
#include "sim/typetest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SAMPLE 48 /* each so manieth point of a test, the first one always */

static bool full, want_direct = true, want_ct = true;

static struct typetest_report run(const char *model, const char *order, bool ideal, unsigned every)
{
    static struct model_meter ordered;
    struct typetest_report report;
    char message[300] = "";
    assert_int_equal(model_order(model_meter_find(model), order, &ordered, NULL), ERR_OK);
    const struct typetest_options o = {
        .model = &ordered, .order = order, .ideal = ideal, .every = full ? 1 : every, .seed = 1};
    enum err err = typetest_run(&o, &report, &(struct fault){message, sizeof message});
    if (err)
        fail_msg("%s: %s (%s)", model, message, err_text(err));
    return report;
}

/* A sample of the points may have none of a curve: NaN. */
static bool keeps(double worst_pct, double limit_pct)
{
    return full ? worst_pct <= limit_pct : !(worst_pct > limit_pct);
}

static void check(const char *model, const char *order, bool ideal)
{
    struct typetest_report r = run(model, order, ideal, ideal ? 4 * SAMPLE : SAMPLE);
    assert_int_equal(typetest_text(&r, stdout), ERR_OK);
    assert_true(r.n > 400 / (full ? 1 : ideal ? 4 * SAMPLE : SAMPLE));
    assert_int_equal(r.n_failed, 0);
    assert_int_equal(r.n_missed, 0);
    assert_true(keeps(r.worst_pf1_pct, ideal ? 0.005 : 0.02));
    assert_true(keeps(r.worst_q1_pct, ideal ? 0.005 : 0.02));
    assert_true(keeps(r.worst_pf05_pct, ideal ? 0.005 : 0.04));
    assert_true(keeps(r.worst_q05_pct, ideal ? 0.005 : 0.04));
    typetest_free(&r);
}

static bool wanted(const char *model)
{
    return model_meter_find(model)->is_ct ? want_ct : want_direct;
}

#define MODEL(test, name)                                                                          \
    static void typetest_passes_##test(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        if (!wanted(name))                                                                         \
            skip();                                                                                \
        check(name, "", false);                                                                    \
    }
MODEL(mt371, "MT371")
MODEL(sm402d, "SM402D")
MODEL(st402d, "ST402D")
MODEL(st402c, "ST402C")
MODEL(smartesox_p, "SMARTESOX-P")
MODEL(sm307, "SM307")
MODEL(ad11a, "AD11A")
MODEL(ad13a, "AD13A")

static void typetest_passes_with_an_ideal_converter(void **state)
{
    (void)state;
    if (!full && !want_ct)
        skip();
    for (size_t i = 0; full && i < 8; i++)
        if (wanted(model_meter_at(i)->name))
            check(model_meter_at(i)->name, "", true);
    if (!full)
        check("ST402C", "", true);
}

/* One order of each kind that changes what is measured. */
static void typetest_passes_ordered_otherwise(void **state)
{
    (void)state;
    static const char *const orders[][2] = {{"MT371", "10(120),class2,60hz"},
                                            {"MT371", "ct"},
                                            {"SMARTESOX-P", "3wire"},
                                            {"ST402C", "class1"}};
    if (!full)
        skip();
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (wanted(orders[i][0]))
            check(orders[i][0], orders[i][1], false);
}

static void write_table(const char *folder, const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s.csv", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void remove_tables(const char *folder)
{
    static const char *const names[] = {"62053-22", "62053-24", "target"};
    char path[100];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s.csv", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* The bench sees what is wrong: a meter that misses a limit by a little fails there and nowhere
 * else. */
static void typetest_fails_where_a_limit_is_missed(void **state)
{
    (void)state;
    char folder[] = "/tmp/typetest-XXXXXX", message[300] = "";
    assert_non_null(mkdtemp(folder));
    write_table(folder, "62053-24", "# nothing\n");
    /* says how fine the measurement has to be */
    write_table(folder, "target", "load,calibrated,CT,P,all,0.2In,0.2In,0.25i|0.25c,,0.08,own\n");
    write_table(folder, "62053-22",
                "load,0.5S,CT,P,all,0.2In,0.2In,0.25i,,0.5,M\n"
                "load,0.5S,CT,P,all,0.2In,0.2In,0.25c,,0.0001,M\n");
    const struct typetest_options o = {.model = model_meter_find("SM307"),
                                       .order = "",
                                       .seed = 1,
                                       .only = "load",
                                       .tables = folder};
    struct typetest_report r;
    enum err err = typetest_run(&o, &r, &(struct fault){message, sizeof message});
    remove_tables(folder);
    if (err)
        fail_msg("%s", message);
    assert_int_equal(r.n, 8); /* two tables, both directions */
    assert_int_equal(r.n_failed, 2);
    assert_true(r.result[0].pass && r.result[1].pass);
    assert_true(!r.result[2].pass && !r.result[3].pass);
    assert_true(fabs(r.result[2].error_pct) > 0.0001 && fabs(r.result[2].error_pct) < 0.1);
    assert_true(r.worst_margin_pct < 0);
    typetest_free(&r);
}

static void typetest_gives_the_same_figures_in_any_selection(void **state)
{
    (void)state;
    const char *only[] = {"sequence", "voltage,sequence"};
    double error[2];
    for (size_t k = 0; k < 2; k++) {
        const struct typetest_options o = {.model = model_meter_find("ST402C"),
                                           .order = "",
                                           .seed = 7,
                                           .every = 20,
                                           .only = only[k]};
        struct typetest_report r;
        assert_int_equal(typetest_run(&o, &r, &(struct fault){NULL, 0}), ERR_OK);
        for (size_t i = 0; i < r.n; i++) {
            if (r.result[i].point.test == TYPETEST_SEQUENCE)
                error[k] = r.result[i].error_pct;
        }
        typetest_free(&r);
    }
    assert_true(error[0] == error[1] && error[0] != 0);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        full |= strcmp(argv[i], "full") == 0;
        want_direct &= strcmp(argv[i], "ct") != 0;
        want_ct &= strcmp(argv[i], "direct") != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typetest_fails_where_a_limit_is_missed),
        cmocka_unit_test(typetest_gives_the_same_figures_in_any_selection),
        cmocka_unit_test(typetest_passes_mt371),
        cmocka_unit_test(typetest_passes_sm402d),
        cmocka_unit_test(typetest_passes_st402d),
        cmocka_unit_test(typetest_passes_st402c),
        cmocka_unit_test(typetest_passes_smartesox_p),
        cmocka_unit_test(typetest_passes_sm307),
        cmocka_unit_test(typetest_passes_ad11a),
        cmocka_unit_test(typetest_passes_ad13a),
        cmocka_unit_test(typetest_passes_with_an_ideal_converter),
        cmocka_unit_test(typetest_passes_ordered_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
