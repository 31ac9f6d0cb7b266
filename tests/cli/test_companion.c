/* Companion lists: reading both kinds, and what differs between a list and a meter. */
#include "cli/companion.h"
#include "tests/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];
static char error[640];

static void write_list(const char *text)
{
    strcpy(path, "/tmp/ferraris-companion-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
}

static void expect_refusal(const char *text, const char *why)
{
    struct companion c;
    write_list(text);
    assert_false(companion_read(&c, path, NULL, error, sizeof error));
    companion_free(&c);
    if (strstr(error, why) == NULL)
        fail_msg("'%s' does not say '%s'", error, why);
    unlink(path);
}

static void companion_says_where_when_a_list_is_wrong(void **state)
{
    (void)state;
    expect_refusal("3\t0\t1-0:1.8.0\n3\t0\t1-0:1.8\n", "line 2: the logical name is none");
    expect_refusal("# c\nx\t0\t1-0:1.8.0\n", "line 2: the class is no number");
    expect_refusal("3\t0\n", "line 1: class, version and logical name");
    expect_refusal("3\t0\t1-0:1.8.0\t2:Z\n", "line 1: attributes");
    expect_refusal("{\"objects\": [{\"class-id\": 3}]}", "object 1: obis");
    expect_refusal("{\"objects\": [{\"obis\": \"1.0.1.8.0.255\"}]}", "object 1: class-id");
    expect_refusal("{\"objects\": 1}", "no array");
    expect_refusal("{,", "line 1");
    struct companion c;
    assert_false(companion_read(&c, "/nowhere/list.tsv", NULL, error, sizeof error));
    assert_non_null(strstr(error, "No such file"));
}

static struct object_entry entry(uint16_t class_id, uint8_t version, const uint8_t ln[6],
                                 uint8_t mode)
{
    struct object_entry e = {.class_id = class_id, .version = version, .n_attrs = 2};
    memcpy(e.ln, ln, 6);
    e.attrs[0] = (struct object_right){1, 1};
    e.attrs[1] = (struct object_right){2, mode};
    return e;
}

static size_t count(const json_t *comparison, const char *key)
{
    return json_array_size(json_object_get(comparison, key));
}

static const char *problem(const json_t *comparison, const char *key, size_t i)
{
    const json_t *item = json_array_get(json_object_get(comparison, key), i);
    const char *text = json_string_value(json_object_get(item, "problem"));
    return text != NULL ? text : "";
}

static void companion_tells_each_difference(void **state)
{
    static const uint8_t energy[6] = {1, 0, 1, 8, 0, 255}, clock[6] = {0, 0, 1, 0, 0, 255},
                         gas1[6] = {0, 1, 24, 2, 1, 255}, gas2[6] = {0, 2, 24, 2, 1, 255},
                         other[6] = {1, 0, 2, 8, 0, 255};
    (void)state;
    struct object_entry entries[] = {
        entry(3, 0, energy, 3),                                  /* the list wants R */
        entry(8, 1, clock, 1),                                   /* another version; wants RW */
        entry(4, 0, gas1, 1),                                    /* x: both are meant */
        entry(4, 0, gas2, 0),                                    /* not readable */
        entry(1, 0, other, 1),                                   /* another class */
        entry(1, 0, (const uint8_t[6]){0, 0, 96, 1, 0, 255}, 1), /* not in the list */
    };
    const struct object_list meter = {.entry = entries, .n = 6, .association_version = 1};
    write_list("3\t0\t1-0:1.8.0\t2:R\tenergy\n"
               "8\t0\t0.0.1.0.0.255\t2:RW 3:R\tclock\n"
               "4\t*\t0-x:24.2.1\t2:R\tgas\n"
               "3\t0\t1-0:2.8.0\n"
               "3\t0\t1-0:3.8.0\t\treactive\n");
    struct companion c;
    assert_true(companion_read(&c, path, NULL, error, sizeof error));
    unlink(path);
    assert_int_equal(c.n, 5);
    json_t *k = companion_compare(&c, &meter);
    assert_false(companion_holds(k));
    assert_int_equal(json_integer_value(json_object_get(k, "matched")), 3);
    assert_int_equal(count(k, "missing"), 1);
    assert_int_equal(count(k, "extra"), 1);
    assert_int_equal(count(k, "beyond"), 1);
    assert_string_equal(problem(k, "beyond", 0), "attribute 2 has access RW, the list wants R");
    assert_int_equal(count(k, "wrong"), 5);
    assert_string_equal(problem(k, "wrong", 0), "version 1, the list wants 0");
    assert_string_equal(problem(k, "wrong", 1), "attribute 2 has access R, the list wants RW");
    assert_string_equal(problem(k, "wrong", 2), "attribute 3 is missing");
    assert_string_equal(problem(k, "wrong", 3), "attribute 2 has access none, the list wants R");
    assert_string_equal(problem(k, "wrong", 4), "class 1, the list wants 3");
    json_decref(k);
    companion_free(&c);
}

static void companion_reads_published_lists(void **state)
{
    (void)state;
    static const char name[] = SHARED_DIR "/vectors/object-lists/smr/dlmsprofile-smr43.json";
    struct companion all, single;
    if (access(name, R_OK) != 0) {
        print_message("no %s\n", name);
        skip();
    }
    if (!companion_read(&all, name, NULL, error, sizeof error))
        fail_msg("%s", error);
    assert_string_equal(all.title, "SMR 4.3");
    assert_string_equal(all.warning, "");
    assert_true(all.n >= 86); /* two of its own, the others of DSMR 4.2.2 beside it */
    assert_true(companion_read(&single, name, "SP", error, sizeof error));
    assert_true(single.n < all.n);
    companion_free(&all);
    companion_free(&single);
    /* inherits SMR 5.1, which was not published with it */
    assert_true(companion_read(&all, SHARED_DIR "/vectors/object-lists/smr/dlmsprofile-smr52.json",
                               NULL, error, sizeof error));
    assert_non_null(strstr(all.warning, "SMR 5.1"));
    companion_free(&all);
}

static void browse_compares_a_meter_when_a_list_is_given(void **state)
{
    static struct command c;
    char url[96];
    (void)state;
    const char *const words[] = {"meter", "--model", "ST402D", "--listen", "127.0.0.1:0", NULL};
    const pid_t meter = command_meter(words, url, sizeof url);
    write_list("1\t0\t0-0:42.0.0\t2:R\tdevice name\n");
    COMMAND(&c, NULL, "browse", "--companion", path, url);
    assert_int_equal(c.code, 0);
    assert_non_null(strstr(c.out, "1 of 1 objects are there"));
    assert_non_null(strstr(c.out, "not in the list"));
    unlink(path);
    write_list("1\t0\t0-0:42.0.0\t2:R\n3\t0\t1-0:99.99.99\t2:R\tnowhere\n");
    COMMAND(&c, NULL, "browse", "--companion", path, "--json", url);
    assert_int_equal(c.code, 1);
    json_t *out = json_loads(c.out, 0, NULL);
    assert_non_null(out);
    assert_true(json_array_size(json_object_get(out, "objects")) > 3);
    assert_int_equal(count(json_object_get(out, "companion"), "missing"), 1);
    json_decref(out);
    unlink(path);
    COMMAND(&c, NULL, "browse", "--companion", "/nowhere", url);
    assert_int_equal(c.code, 4);
    command_stop(meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(companion_says_where_when_a_list_is_wrong),
        cmocka_unit_test(companion_tells_each_difference),
        cmocka_unit_test(companion_reads_published_lists),
        cmocka_unit_test(browse_compares_a_meter_when_a_list_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
