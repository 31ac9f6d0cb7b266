/* `ferraris typetest`: answers, files and exit codes. What the bench measures is tested in
 * tests/sim/test_typetest.c, the page in test_typetest_html.c. */
#include "tests/cli/command.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static struct command c;
static char folder[] = "/tmp/ferraris-typetest-XXXXXX";

static void expect(int code, const char *on_out, const char *on_err)
{
    if (c.code != code)
        fail_msg("exit code %d, not %d; %s", c.code, code, c.err);
    if (on_out && !strstr(c.out, on_out))
        fail_msg("'%s' is not in the output:\n%s", on_out, c.out);
    if (on_err && !strstr(c.err, on_err))
        fail_msg("'%s' is not in the message:\n%s", on_err, c.err);
}

static const char *in(const char *name)
{
    static char path[2][200];
    static unsigned k;
    k = !k;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void begins_with(const char *path, const char *text)
{
    char have[40] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(have, sizeof have, f));
    fclose(f);
    assert_memory_equal(have, text, strlen(text));
}

static size_t n_files(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

#define FEW "--only", "fifth", "--ideal", "--every", "99" /* seconds of signal */

static void typetest_takes_all_models_and_gives_an_array(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "typetest", "--model", "all", FEW, "--json", "--html", in("all"));
    expect(0, NULL, NULL);
    json_t *all = json_loads(c.out, 0, NULL);
    assert_int_equal(json_array_size(all), 8);
    assert_int_equal(n_files(in("all")), 8);
    size_t k, n = 0;
    json_t *one;
    json_array_foreach(all, k, one)
    {
        char page[60];
        snprintf(page, sizeof page, "all/%s.html",
                 json_string_value(json_object_get(one, "model")));
        for (char *p = page; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
        begins_with(in(page), "<!DOCTYPE html>");
        n += json_array_size(json_object_get(one, "points"));
        assert_int_equal(json_integer_value(json_object_get(one, "failed")), 0);
    }
    assert_true(n >= 8);
    json_decref(all);
}

static void typetest_says_only_what_it_measured(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", FEW, "--json");
    expect(0, NULL, NULL);
    json_t *one = json_loads(c.out, 0, NULL);
    static const char *const curves[] = {"worst_pf1_pct", "worst_pf05_pct", "worst_q1_pct",
                                         "worst_q05_pct"};
    for (size_t k = 0; k < 4; k++)
        assert_true(json_is_null(json_object_get(one, curves[k])));
    assert_true(json_is_real(json_object_get(one, "worst_margin_pct")));
    json_decref(one);
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", FEW);
    expect(0, "passes the limits of 50470-3", NULL);
    assert_null(strstr(c.out, "load curves"));
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--only", "load", "--ideal", "--every",
            "999");
    expect(0, "load curves, greatest error: P at PF 1 0.0", NULL);
    assert_null(strstr(c.out, "sin 1 0.0000 %, Q at sin 0.5"));
}

/* One phase has no other to lose. */
static void typetest_without_a_point_is_no_pass(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--ideal", "--only", "lost_phases", "--html",
            in("none.html"));
    expect(1, NULL, "no point of the tables");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--ideal", "--only", "lost_phases", "--json");
    expect(1, "\"points\":[\n],", "no point of the tables");
}

static void typetest_ends_with_1_when_a_point_fails(void **state)
{
    (void)state;
    mkdir(in("tables"), 0777);
    write_file(in("tables/62053-21.csv"), "fifth,1/2,any,P,all,Ib,Ib,1,,0.0000001,M\n");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--tables", in("tables"), "--only", "fifth",
            "--ideal");
    expect(1, "does NOT pass the limits of 50470-3, 62053-21", NULL);
}

static void typetest_leaves_what_stood_there_when_it_cannot_end(void **state)
{
    (void)state;
    write_file(in("kept.html"), "kept\n");
    mkdir(in("empty"), 0777);
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--tables", in("empty"), "--html",
            in("kept.html"));
    expect(4, NULL, "no table");
    begins_with(in("kept.html"), "kept");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", FEW, "--html", in("kept.html"));
    expect(0, NULL, NULL);
    begins_with(in("kept.html"), "<!DOCTYPE html>");
    assert_int_equal(access(in("kept.html.part"), F_OK), -1);
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", FEW, "--html", "/dev/full");
    expect(1, NULL, "No space left on device");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", FEW, "--html", "/dev/stdout");
    expect(0, "<!DOCTYPE html>", NULL);
}

static void typetest_names_what_it_cannot_do(void **state)
{
    (void)state;
    COMMAND(&c, NULL, "typetest");
    expect(2, NULL, "--model");
    COMMAND(&c, NULL, "typetest", "--model", "X1");
    expect(2, NULL, "there is no model X1; there are MT371, ");
    COMMAND(&c, NULL, "typetest", "--model", "all", "--order", "1a");
    expect(2, NULL, "--order is for one model");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--order", "nonsense");
    expect(2, NULL, "\"nonsense\" is not a word of this model");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--only", "nonsense");
    expect(2, NULL, "\"nonsense\" is no test; there are load one_phase");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--html", "/nowhere/x.html");
    expect(1, NULL, "/nowhere/x.html: No such file");
    COMMAND(&c, NULL, "typetest", "--model", "AD11A", "--html", folder);
    expect(1, NULL, "Is a directory");
    COMMAND(&c, NULL, "typetest", "--model", "all", "--html", "/dev/null");
    expect(1, NULL, "Not a directory");
    COMMAND(&c, NULL, "typetest", "--help");
    expect(0, "example:\n  ferraris typetest", NULL);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char line[100];
    snprintf(line, sizeof line, "rm -r %s", folder);
    return system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typetest_takes_all_models_and_gives_an_array),
        cmocka_unit_test(typetest_says_only_what_it_measured),
        cmocka_unit_test(typetest_without_a_point_is_no_pass),
        cmocka_unit_test(typetest_ends_with_1_when_a_point_fails),
        cmocka_unit_test(typetest_leaves_what_stood_there_when_it_cannot_end),
        cmocka_unit_test(typetest_names_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
