/* Records of a table: RFC 4180's rules one by one, and what happens after a broken record. */
#include "headend/keys/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct table t;

static void begin(const char *text)
{
    table_begin(&t, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* The next record's fields joined by '|'. */
static void expect_record(unsigned line, const char *fields)
{
    char all[600] = "";
    const enum table_result result = table_next(&t);
    if (result != TABLE_RECORD)
        fail_msg("no record '%s': %s", fields, result == TABLE_END ? "end" : t.why);
    for (size_t i = 0; i < t.n; i++) {
        strcat(all, i > 0 ? "|" : "");
        strcat(all, t.field[i]);
    }
    assert_string_equal(all, fields);
    assert_int_equal(t.at_line, line);
}

static void expect_broken(unsigned line, const char *why)
{
    assert_int_equal(table_next(&t), TABLE_BROKEN);
    assert_non_null(strstr(t.why, why));
    assert_int_equal(t.at_line, line);
}

static void table_cuts_fields_and_lines(void **state)
{
    (void)state;
    begin("a,b,c\r\n1,,3\n,\"\",x\n \n,,\r\n\nlast");
    expect_record(1, "a|b|c");
    expect_record(2, "1||3");
    expect_record(3, "||x");
    expect_record(7, "last"); /* blank lines passed over */
    assert_int_equal(table_next(&t), TABLE_END);
    assert_int_equal(table_next(&t), TABLE_END);
    begin("");
    assert_int_equal(table_next(&t), TABLE_END);
    begin("a,");
    expect_record(1, "a|");
}

static void table_knows_quotes(void **state)
{
    (void)state;
    begin("\"a,b\",\"say \"\"so\"\"\",\"two\r\nlines\"\nnext,\"\"\"\"\n");
    expect_record(1, "a,b|say \"so\"|two\r\nlines");
    assert_true(t.quoted[0] && t.quoted[2]);
    expect_record(3, "next|\"");
    assert_false(t.quoted[0]);
    assert_int_equal(table_next(&t), TABLE_END);
}

static void table_finds_semicolons_and_skips_the_mark(void **state)
{
    (void)state;
    begin("\xEF\xBB\xBFname;url\nx,y;z\n");
    expect_record(1, "name|url");
    expect_record(2, "x,y|z");
    begin("name,a;b\n");
    expect_record(1, "name|a;b");
    begin("name\na;b,c");
    expect_record(1, "name");
    expect_record(2, "a;b|c");
}

static void table_goes_on_after_a_broken_record(void **state)
{
    (void)state;
    begin("a\"b,c\ngood,1\n\"x\"y,2\ngood,2\nr\rs\ngood,3\n\"open,\nmore\n");
    expect_broken(1, "quote stands inside");
    expect_record(2, "good|1");
    expect_broken(3, "behind a closing quote");
    expect_record(4, "good|2");
    expect_broken(5, "carriage return");
    expect_record(6, "good|3");
    expect_broken(7, "not closed");
    assert_int_equal(table_next(&t), TABLE_END);
}

static void table_refuses_zero_octets(void **state)
{
    (void)state;
    static const uint8_t text[] = "a\0b\nc\n";
    table_begin(&t, (struct bytes){text, sizeof text - 1});
    expect_broken(1, "zero");
    expect_record(2, "c");
}

static void table_bounds_rows(void **state)
{
    (void)state;
    static char text[3 * TABLE_ROOM];
    memset(text, 'x', sizeof text);
    strcpy(text + TABLE_ROOM - 1, "\n1");
    begin(text);
    assert_int_equal(table_next(&t), TABLE_RECORD);
    assert_int_equal(strlen(t.field[0]), TABLE_ROOM - 1);
    assert_int_equal(table_next(&t), TABLE_RECORD);
    memset(text, 'x', sizeof text);
    strcpy(text + TABLE_ROOM, "\n1");
    begin(text);
    expect_broken(1, "longer");
    expect_record(2, "1");
    memset(text, ',', TABLE_FIELDS_MAX);
    strcpy(text + TABLE_FIELDS_MAX, "x\ny\n");
    begin(text);
    expect_broken(1, "too many");
    expect_record(2, "y");
    memset(text, ',', TABLE_FIELDS_MAX - 1);
    strcpy(text + TABLE_FIELDS_MAX - 1, "x\n");
    begin(text);
    assert_int_equal(table_next(&t), TABLE_RECORD);
    assert_int_equal(t.n, TABLE_FIELDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_cuts_fields_and_lines),
        cmocka_unit_test(table_knows_quotes),
        cmocka_unit_test(table_finds_semicolons_and_skips_the_mark),
        cmocka_unit_test(table_goes_on_after_a_broken_record),
        cmocka_unit_test(table_refuses_zero_octets),
        cmocka_unit_test(table_bounds_rows),
    };
    return cmocka_run_group_tests_name("keys/table", tests, NULL, NULL);
}
