/* Meters' clocks set by the head-end, over loopback: which of them, how well, and what is told. */
#include "tests/headend/collect/town.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FROM_S 5
#define TO_S   300
#define HOUR_S 3600

/* How far the meter's clock is ahead, ms. */
static int64_t ahead_ms(const struct town *t, const struct station *s)
{
    return meter_clock_ns(&s->rig->meter.clock) / (METER_NS / 1000) - t->utc_ms;
}

static void move_clock(struct station *s, int64_t by_ms)
{
    struct meter *m = &s->rig->meter;
    assert_int_equal(meter_clock_change(m, meter_clock_ns(&m->clock) + by_ms * (METER_NS / 1000)),
                     ERR_OK);
}

/* A town whose log is kept. */
static struct town *town_that_sets(void)
{
    struct town *t = town_new();
    t->log.to = tmpfile();
    assert_non_null(t->log.to);
    t->log.level = LOG_INFO;
    t->clock_from_s = FROM_S;
    t->clock_to_s = TO_S;
    t->as_manager = true;
    return t;
}

static void end(struct town *t)
{
    FILE *log = t->log.to;
    town_free(t);
    fclose(log);
}

/* Lines of the log with this text. */
static unsigned n_logged(struct town *t, const char *text)
{
    char line[500];
    unsigned n = 0;
    rewind(t->log.to);
    while (fgets(line, sizeof line, t->log.to) != NULL)
        n += strstr(line, text) != NULL;
    return n;
}

static void assert_read(struct town *t, int64_t meter)
{
    const struct meter_state s = town_state(t, meter);
    assert_string_equal(s.error, "");
    assert_true(s.up_to_date);
}

/* Off either way, also by parts of a second: right to a hundredth afterwards, all rows read once,
 * what the meter remembers of it included. */
static void clock_is_set(const char *model)
{
    static const int64_t off_ms[] = {7310, -61500, 250000};
    struct town *t = town_that_sets();
    struct station *s = town_plain_station(t, model);
    town_sleep(t, HOUR_S);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    for (size_t i = 0; i < sizeof off_ms / sizeof off_ms[0]; i++) {
        assert_int_equal(n_logged(t, "and is set"), i);
        move_clock(s, off_ms[i]);
        town_live(t, 2 * HOUR_S, HOUR_S);
        assert_in_range(ahead_ms(t, s) + 1000, 990, 1001); /* hundredths are cut off */
        assert_read(t, id);
        town_check_rows(t, s, id);
    }
    assert_int_equal(n_logged(t, "7.310 s ahead and is set"), 1);
    assert_int_equal(n_logged(t, "61.500 s behind and is set"), 1);
    assert_int_equal(n_logged(t, "cannot be set"), 0);
    end(t);
}

static void claim_SIMS_TIMESYNC(void **state)
{
    (void)state;
    static const char *const models[] = {"MT371",       "SM402D", "ST402D", "ST402C",
                                         "SMARTESOX-P", "SM307",  "AD11A",  "AD13A"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        clock_is_set(models[i]);
}

static void clock_within_or_beyond_the_limits_is_left_alone(void **state)
{
    (void)state;
    struct town *t = town_that_sets();
    struct station *s = town_plain_station(t, "AD11A");
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    move_clock(s, 4900);
    town_start(t);
    town_live(t, 2 * HOUR_S, 1800);
    assert_int_equal(ahead_ms(t, s), 4900);
    move_clock(s, -4900 - 302000);
    town_live(t, 150 * 60, 1800);
    assert_int_equal(ahead_ms(t, s), -302000);
    assert_read(t, id);
    assert_int_equal(n_logged(t, "302.000 s behind and is left alone"), 3); /* once an hour */
    assert_int_equal(n_logged(t, "is set"), 0);
    end(t);
}

static void clock_is_left_alone_unless_asked_for(void **state)
{
    (void)state;
    struct town *t = town_that_sets();
    struct station *s = town_plain_station(t, "AD11A");
    t->clock_from_s = t->clock_to_s = 0;
    (void)town_add(t, s, STORE_AUTH_HLS5);
    move_clock(s, 60000);
    town_start(t);
    town_live(t, HOUR_S, 1800);
    assert_int_equal(ahead_ms(t, s), 60000);
    assert_int_equal(n_logged(t, "its clock"), 0);
    end(t);
}

/* The head-end reads as a client that may not: the readings go on, and it says so once an hour. */
static void clock_that_may_not_be_set_is_told_of(void **state)
{
    (void)state;
    struct town *t = town_that_sets();
    struct station *s = town_plain_station(t, "ST402D");
    t->as_manager = false;
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    move_clock(s, 60000);
    town_start(t);
    town_live(t, 2 * HOUR_S, 1800);
    assert_int_equal(ahead_ms(t, s), 60000);
    assert_read(t, id);
    town_check_rows(t, s, id);
    assert_in_range(n_logged(t, "cannot be set: "), 2, 3);
    end(t);
}

/* A clock that says it is not valid is set though it is hardly off, and is valid then. */
static void invalid_clock_is_set(void **state)
{
    (void)state;
    struct town *t = town_that_sets();
    struct station *s = town_plain_station(t, "MT371");
    (void)town_add(t, s, STORE_AUTH_HLS5);
    s->rig->meter.clock.doubt = DATETIME_INVALID;
    town_start(t);
    town_live(t, 1200, 600);
    assert_int_equal(s->rig->meter.clock.doubt, 0);
    assert_in_range(ahead_ms(t, s) + 1000, 990, 1001);
    assert_int_equal(n_logged(t, "0.000 s ahead and is set"), 1);
    end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SIMS_TIMESYNC),
        cmocka_unit_test(clock_within_or_beyond_the_limits_is_left_alone),
        cmocka_unit_test(clock_is_left_alone_unless_asked_for),
        cmocka_unit_test(clock_that_may_not_be_set_is_told_of),
        cmocka_unit_test(invalid_clock_is_set),
    };
    return cmocka_run_group_tests_name("collector_clock", tests, NULL, NULL);
}
