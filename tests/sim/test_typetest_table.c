/* The tables of limits: the built-in ones are whole, and a wrong word is refused with its line. */
#include "sim/typetest_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct typetest_row *find(const struct typetest_rows *rows, const char *table,
                                       const char *class_name, enum typetest_test test)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct typetest_row *r = &rows->row[i];
        if (strcmp(r->table, table) == 0 && strcmp(r->class_name, class_name) == 0 &&
            r->test == test)
            return r;
    }
    return NULL;
}

static void typetest_table_holds_every_class_and_test(void **state)
{
    (void)state;
    struct typetest_rows rows;
    char message[300] = "";
    bool seen[TYPETEST_N_TESTS + 1] = {false};
    assert_int_equal(typetest_rows_load(NULL, &rows, &(struct fault){message, sizeof message}),
                     ERR_OK);
    for (size_t i = 0; i < rows.n; i++)
        seen[rows.row[i].test] = true;
    for (int t = 0; t <= TYPETEST_N_TESTS; t++)
        assert_true(seen[t]);
    static const char *const classes[][2] = {
        {"62053-21", "1"},       {"62053-21", "2"}, {"62053-22", "0.2S"}, {"62053-22", "0.5S"},
        {"62053-23", "2"},       {"62053-23", "3"}, {"62053-24", "1"},    {"62053-24", "0.5S"},
        {"50470-3", "A"},        {"50470-3", "B"},  {"50470-3", "C"},     {"target", "ideal"},
        {"target", "calibrated"}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        assert_non_null(find(&rows, classes[i][0], classes[i][1], TYPETEST_LOAD));
    assert_non_null(find(&rows, "MID", "B", TYPETEST_COMPOSITE));
    typetest_rows_free(&rows);
}

static void typetest_table_reads_ranges_and_limits_of_a_row(void **state)
{
    (void)state;
    struct typetest_rows rows;
    assert_int_equal(typetest_rows_load(NULL, &rows, &(struct fault){NULL, 0}), ERR_OK);
    const struct typetest_row *r = find(&rows, "62053-22", "0.5S", TYPETEST_LOAD);
    assert_true(r->ct && !r->direct && r->quantity == 'P' && !r->one_phase);
    assert_true(r->from.of == TYPETEST_IB && r->from.factor == 0.01 && r->to.factor == 0.05);
    assert_true(r->limit == 1.0 && r->n_pf == 1 && r->pf[0].pf == 1);
    r = find(&rows, "MID", "C", TYPETEST_COMPOSITE);
    assert_true(r->place[0].value == 5 && r->place[0].to == 30 && r->limit == 1.0 && r->certain);
    r = find(&rows, "50470-3", "B", TYPETEST_NO_LOAD);
    assert_true(r->place[0].value == 240e3 && r->place[0].current == TYPETEST_IST);
    r = find(&rows, "62053-21", "1", TYPETEST_LOST_PHASES);
    assert_true(r->n_places == 6 && r->place[3].phases == 3);
    typetest_rows_free(&rows);
}

/* Loads a folder whose 62053-21.csv has a good line and this one. */
static enum err load_line(const char *line, char message[300])
{
    char folder[] = "/tmp/typetest-XXXXXX", path[100];
    struct typetest_rows rows;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/62053-21.csv", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "# a comment\nload,1,direct,P,all,0.05Ib,0.1Ib,1,,1.5,M\n%s\n", line);
    fclose(f);
    message[0] = '\0';
    enum err err = typetest_rows_load(folder, &rows, &(struct fault){message, 300});
    typetest_rows_free(&rows);
    unlink(path);
    rmdir(folder);
    return err;
}

static void typetest_table_refuses_a_wrong_word_with_its_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "lod,1,direct,P,all,0.05Ib,0.1Ib,1,,1.5,M",
        "load,7,direct,P,all,0.05Ib,0.1Ib,1,,1.5,M",
        "load,1,indirect,P,all,0.05Ib,0.1Ib,1,,1.5,M",
        "load,1,direct,W,all,0.05Ib,0.1Ib,1,,1.5,M",
        "load,1,direct,P,two,0.05Ib,0.1Ib,1,,1.5,M",
        "load,1,direct,P,all,0.05Ix,0.1Ib,1,,1.5,M",
        "load,1,direct,P,all,0.05Ib,-1Ib,1,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1.2,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,0.5,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1i,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,0.5x,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,,,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,0.9,1.5,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,x,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,0,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,nan,M",
        "load,1/2,direct,P,all,0.05Ib,0.1Ib,1,,1/2/3,M",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,1.5,X",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,1.5",
        "load,1,direct,P,all,0.05Ib,0.1Ib,1,,1.5,M,",
        "voltage,1,direct,P,all,Ib,Ib,1,,1.5,M",
        "voltage,1,direct,P,all,Ib,Ib,1,9,1.5,M",
        "lost_phases,1,any,P,all,Ib,Ib,1,123,1.5,M",
        "lost_phases,1,any,P,all,Ib,Ib,1,4,1.5,M",
        "fast_load,1,any,P,all,Ib,Ib,1,10,1.5,M",
        "no_load,1,any,P,all,,,1,600e6/Itr,1,M",
        "no_load,1,any,P,all,Ib,,1,600e6/Imax,1,M",
        "composite,B,any,P,all,Ib,Ib,1,30..5,1,M",
        "composite,B,any,P,all,Ib,Ib,1,-300..5,1,M",
        "load,1,direct,P,all,0.2Ib,0.1Ib,1,,1.5,M",
        "load,1,direct,P,all,0.05Ib,1e9Ib,1,,1.5,M",
        "fast_load,1,any,P,all,Ib,Ib,1,1e9/5,1.5,M",
        "no_load,1,any,P,all,,,1,1e300/Imax,1,M",
        ",,,,,,,,,,",
        "\x01\xff",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char message[300];
        enum err err = load_line(lines[i], message);
        if (err != ERR_FORMAT || !strstr(message, "62053-21.csv:3: "))
            fail_msg("%s: %s, \"%s\"", lines[i], err_text(err), message);
        if (strstr(message, "not known") && !strstr(message, "wanted is "))
            fail_msg("%s: what would be right? \"%s\"", lines[i], message);
    }
}

static void typetest_table_of_a_folder_stands_in_for_the_built_in(void **state)
{
    (void)state;
    char message[300];
    struct typetest_rows rows;
    assert_int_equal(load_line("load,1,direct,P,all,0.1Ib,Imax,1,,0.9,M", message), ERR_OK);
    assert_int_equal(
        typetest_rows_load("/nonexistent", &rows, &(struct fault){message, sizeof message}),
        ERR_IO);
    assert_non_null(strstr(message, "/nonexistent"));
    typetest_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typetest_table_holds_every_class_and_test),
        cmocka_unit_test(typetest_table_reads_ranges_and_limits_of_a_row),
        cmocka_unit_test(typetest_table_refuses_a_wrong_word_with_its_line),
        cmocka_unit_test(typetest_table_of_a_folder_stands_in_for_the_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
