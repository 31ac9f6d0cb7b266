/* READER_CHECK: is it still the meter, and are these still the columns, that the objects say? And
 * what a profile claims that has no end. */
#include "tests/headend/collect/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NAME    "0-0:42.0.0.255"
#define PROFILE "1-0:99.1.0.255"
#define NOON    "09 0C 07EA 03 01 07 0C 00 00 00 FFC4 00"
/* class, logical name, attribute, data index */
#define COLUMN(class_hex, ln_hex) "02 04 12 " class_hex " 09 06 " ln_hex " 0F 02 12 0000 "
#define CLOCK_COLUMN              COLUMN("0008", "0000010000FF")
#define IMPORT                    "0100010800FF"
#define EXPORT                    "0100020800FF"
#define AGAIN                     (READER_REGISTERS | READER_PROFILES | READER_CHECK)

static struct scripted s;

static void expect_ready(void)
{
    if (s.x.reader.state != READER_READY)
        fail_msg("state %d: %s", s.x.reader.state, s.x.reader.failure);
}

/* A meter with a profile of two columns and a row, identified. */
static int start(void **state)
{
    (void)state;
    scripted_init(&s);
    scripted_value(&s, 1, NAME, 2, "09 03 414243");
    scripted_value(&s, 8, "0-0:1.0.0.255", 2, NOON);
    scripted_value(&s, 15, "0-0:40.0.0.255", 2,
                   "01 01 02 04 12 0007 11 01 09 06 0100630100FF 02 02 01 00 01 00");
    scripted_value(&s, 7, PROFILE, 3, "01 02 " CLOCK_COLUMN COLUMN("0003", IMPORT));
    scripted_value(&s, 7, PROFILE, 4, "06 00000384");
    scripted_value(&s, 7, PROFILE, 2, "01 01 02 02 " NOON " 06 00000064");
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    assert_string_equal(s.x.objects.device_name, "ABC");
    return 0;
}

static void expect_changed(const char *part)
{
    scripted_read(&s, AGAIN);
    assert_int_equal(s.x.reader.state, READER_FAILED);
    assert_true(s.x.reader.changed);
    assert_int_equal(s.x.n_rows, 0);
    if (strstr(s.x.reader.failure, part) == NULL)
        fail_msg("'%s' does not say '%s'", s.x.reader.failure, part);
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    scripted_read(&s, AGAIN);
    expect_ready();
    assert_false(s.x.reader.changed);
    assert_int_equal(s.x.n_rows, 1);
}

static void check_finds_nothing_when_all_is_as_before(void **state)
{
    (void)state;
    scripted_read(&s, AGAIN);
    expect_ready();
    assert_false(s.x.reader.changed);
    assert_int_equal(s.x.n_rows, 1);
    /* associate; name; clock; columns, period, rows */
    assert_int_equal(s.n_requests, 6);
    reading_begin(&s.x, AGAIN); /* in the same association it is the same meter */
    scripted_run(&s);
    expect_ready();
    assert_int_equal(s.n_requests, 10);
}

static void check_finds_another_meter(void **state)
{
    (void)state;
    scripted_value(&s, 1, NAME, 2, "09 03 584243");
    scripted_read(&s, READER_REGISTERS | READER_CHECK);
    assert_int_equal(s.x.reader.state, READER_FAILED);
    assert_int_equal(s.x.n_clock, 0);
    expect_changed("another meter answers at this address: XBC instead of ABC");
}

static void check_takes_a_name_that_is_not_told_for_no_other(void **state)
{
    (void)state;
    scripted_refuse(&s, 1, NAME, 2, COSEM_READ_WRITE_DENIED);
    scripted_read(&s, AGAIN);
    expect_ready();
    scripted_read(&s, READER_IDENTIFY);
    scripted_value(&s, 1, NAME, 2, "09 03 584243");
    scripted_read(&s, AGAIN);
    expect_ready();
    assert_int_equal(s.x.n_rows, 1);
}

static void check_finds_other_columns(void **state)
{
    (void)state;
    scripted_value(&s, 7, PROFILE, 3, "01 02 " CLOCK_COLUMN COLUMN("0003", EXPORT));
    expect_changed("the columns of profile 1-0:99.1.0.255 changed");
    scripted_value(&s, 7, PROFILE, 3, "01 02 " CLOCK_COLUMN COLUMN("0004", EXPORT));
    expect_changed("the columns of profile 1-0:99.1.0.255 changed");
    scripted_value(&s, 7, PROFILE, 3, "01 02 " COLUMN("0003", EXPORT) CLOCK_COLUMN);
    scripted_value(&s, 7, PROFILE, 2, "01 01 02 02 06 00000064 " NOON);
    expect_changed("the columns of profile 1-0:99.1.0.255 changed");
}

static void check_finds_another_period(void **state)
{
    (void)state;
    scripted_value(&s, 7, PROFILE, 4, "06 0000012C");
    expect_changed("the period of profile 1-0:99.1.0.255 changed");
    scripted_refuse(&s, 7, PROFILE, 4, COSEM_READ_WRITE_DENIED);
    expect_changed("the period of profile 1-0:99.1.0.255 changed");
}

static void profile_is_refused_when_it_claims_rows_without_end(void **state)
{
    char hex[8000] = "01 84 FFFFFFFF ";
    (void)state;
    for (unsigned i = 0; i < 70; i++) /* more than one block, so that they are seen one by one */
        strcat(hex, "02 02 " NOON " 06 00000064 ");
    scripted_value(&s, 7, PROFILE, 2, hex);
    scripted_read(&s, AGAIN);
    assert_int_equal(s.x.reader.state, READER_FAILED);
    assert_false(s.x.reader.changed);
    assert_int_equal(s.x.n_rows, 0);
    if (strstr(s.x.reader.failure, "no end") == NULL)
        fail_msg("%s", s.x.reader.failure);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, start)
    const struct CMUnitTest tests[] = {
        CASE(check_finds_nothing_when_all_is_as_before),
        CASE(check_finds_another_meter),
        CASE(check_takes_a_name_that_is_not_told_for_no_other),
        CASE(check_finds_other_columns),
        CASE(check_finds_another_period),
        CASE(profile_is_refused_when_it_claims_rows_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
