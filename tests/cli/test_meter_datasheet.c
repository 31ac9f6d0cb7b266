/* A datasheet of every model and of rows that were changed: each field that is printed is printed
 * from the row. */
#include "cli/meter_datasheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* To be freed. */
static char *printed(const struct model_meter *m)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    meter_datasheet(f, m);
    fclose(f);
    return text;
}

/* A line "  label  value" has this value. */
static void assert_line(const char *text, const char *label, const char *value)
{
    char start[40];
    snprintf(start, sizeof start, "\n  %-20s", label);
    const char *at = strstr(text, start);
    if (at == NULL)
        fail_msg("no line '%s' in\n%s", label, text);
    at += strlen(start);
    if (strncmp(at, value, strlen(value)) != 0)
        fail_msg("'%s' is not '%s' but %.60s", label, value, at);
}

static size_t columns(const char *line, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)line[i] & 0xC0u) != 0x80; /* not the rest of a letter */
    return count;
}

static void datasheet_fits_80_columns(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        char *text = printed(model_meter_at(k));
        for (const char *line = text; *line != '\0';) {
            const char *end = strchr(line, '\n');
            assert_non_null(end);
            if (columns(line, (size_t)(end - line)) > 80)
                fail_msg("%s: too wide: %.*s", model_meter_at(k)->name, (int)(end - line), line);
            assert_true(end == line || end[-1] != ' ');
            line = end + 1;
        }
        free(text);
    }
}

static void datasheet_tells_what_was_printed_of_the_meters(void **state)
{
    (void)state;
    char *text = printed(model_meter_find("MT371"));
    assert_line(text, "Nominal voltage", "3 x 230/400 V\n");
    assert_line(text, "Current", "5(85) A direct\n");
    assert_line(text, "Load profile 2", "1-0:99.2.0  16  60 min    3456 rows of 6: 144 days\n");
    assert_line(text, "Intervals", "15 min, 30 min, 60 min, 1 day\n");
    assert_line(text, "standard", "64 events");
    assert_line(text, "Accuracy", "0.493 s a day, 3.00 min a year");
    assert_line(text, "Reserve", "super-capacitor, 10 days\n");
    assert_line(text, "5(85)", "In 5 A, Imax 85 A, direct (standard)\n");
    assert_null(strstr(text, "Load profile 3"));
    free(text);
    text = printed(model_meter_find("SM307"));
    assert_line(text, "Load profile 1", "1-0:99.1.0  16  15 min    9600 rows of 16: 100 days\n");
    assert_line(text, "Intervals", "1 to 60 min in whole minutes\n");
    assert_line(text, "  reactive", "4 mA\n");
    free(text);
    text = printed(model_meter_find("AD11A"));
    assert_line(text, "Intervals", "1 min, 5 min, 10 min, 15 min, 20 min, 30 min, 60 min\n");
    assert_line(text, "Load profile 1", "1-0:99.1.0  16  15 min    6048 rows of 6: 63 days\n");
    assert_line(text, "Load profile 2", "1-0:99.2.0  16  60 min     312 rows of 6: 13 days\n");
    assert_line(text, "Monthly values", "0-0:98.1.0  16  month      110 rows of 6\n");
    assert_line(text, "Capacity", "of one profile can be given to another\n");
    assert_null(strstr(text, "TO ORDER"));
    free(text);
}

/* Numbers of a row that the datasheet shows wherever they are not 0. */
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct model_meter, name), sizeof((struct model_meter *)0)->name           \
    }
static const struct {
    const char *name;
    size_t at, size;
} fields[] = {
    FIELD(un_mv),
    FIELD(f_mhz),
    FIELD(in_ma),
    FIELD(imax_ma),
    FIELD(ist_ua),
    FIELD(ist_reactive_ua),
    FIELD(u_min_permille),
    FIELD(u_max_permille),
    FIELD(t_min_c),
    FIELD(t_max_c),
    FIELD(pulse_per_kwh),
    FIELD(kwh_digits),
    FIELD(n_rates),
    FIELD(periods),
    FIELD(log_depth[MODEL_LOG_STANDARD]),
    FIELD(log_depth[MODEL_LOG_FRAUD]),
    FIELD(log_depth[MODEL_LOG_DISCONNECTOR]),
    FIELD(log_depth[MODEL_LOG_QUALITY]),
    FIELD(log_depth[MODEL_LOG_COMMUNICATION]),
    FIELD(log_depth[MODEL_LOG_LOAD]),
    FIELD(log_depth[MODEL_LOG_CONFIGURATION]),
    FIELD(log_depth[MODEL_LOG_SECURITY]),
    FIELD(log_depth[MODEL_LOG_OUTAGE]),
    FIELD(reserve_s),
    FIELD(clock_ppb),
    FIELD(clock_c),
    FIELD(long_outage_s),
    FIELD(features),
};

/* The number at this place halved: of no field of a row is that the same thing in print. */
static bool halve(struct model_meter *m, size_t at, size_t size)
{
    uint8_t *octets = (uint8_t *)m + at;
    uint32_t value = 0;
    if (size == 1) {
        value = *octets;
        *octets = (uint8_t)(value / 2);
    } else if (size == 2) {
        uint16_t x;
        memcpy(&x, octets, 2);
        value = x;
        x = (uint16_t)(x / 2);
        memcpy(octets, &x, 2);
    } else {
        memcpy(&value, octets, 4);
        const uint32_t x = value / 2;
        memcpy(octets, &x, 4);
    }
    return value > 1;
}

static void assert_prints_otherwise(const struct model_meter *m, const struct model_meter *changed,
                                    const char *field)
{
    char *before = printed(m), *after = printed(changed);
    if (strcmp(before, after) == 0)
        fail_msg("%s: %s is not printed", m->name, field);
    free(before);
    free(after);
}

static void datasheet_follows_every_field_of_the_row(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            struct model_meter changed = *m;
            if (!halve(&changed, fields[i].at, fields[i].size))
                continue;
            assert_prints_otherwise(m, &changed, fields[i].name);
            n++;
        }
    }
    printf("%zu numbers of rows are printed from them\n", n);
    assert_true(n > 150);
}

static void datasheet_follows_every_profile(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        for (size_t p = 0; p < MODEL_N_PROFILES; p++) {
            struct model_meter changed = *m;
            if (m->profile[p].n_values == 0)
                continue;
            changed.profile[p].n_values--;
            assert_prints_otherwise(m, &changed, "n_values");
            changed = *m;
            changed.profile[p].depth_values--;
            assert_prints_otherwise(m, &changed, "depth_values");
            changed = *m;
            changed.profile[p].depth++;
            assert_prints_otherwise(m, &changed, "depth");
            changed = *m;
            changed.profile[p].period_s10 = (uint16_t)(changed.profile[p].period_s10 + 12);
            if (p < MODEL_DAILY)
                assert_prints_otherwise(m, &changed, "period_s10");
        }
    }
}

static void datasheet_of_an_order_shows_it(void **state)
{
    (void)state;
    struct model_meter m;
    assert_int_equal(model_order(model_meter_find("MT371"), "ct,60hz,dsmr", &m, NULL), ERR_OK);
    char *text = printed(&m);
    assert_memory_equal(text, "MT371 ct,60hz,dsmr\n", 19);
    assert_line(text, "Current", "5(6) A through transformers\n");
    assert_line(text, "Nominal frequency", "60 Hz\n");
    assert_line(text, "Numbers of events", "as DSMR has them\n");
    assert_line(text, "60hz", "60 Hz\n");
    free(text);
    assert_int_equal(model_order(model_meter_find("SMARTESOX-P"), "3wire,58v", &m, NULL), ERR_OK);
    text = printed(&m);
    assert_line(text, "Nominal voltage", "3 x 100 V, three wires\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datasheet_fits_80_columns),
        cmocka_unit_test(datasheet_tells_what_was_printed_of_the_meters),
        cmocka_unit_test(datasheet_follows_every_field_of_the_row),
        cmocka_unit_test(datasheet_follows_every_profile),
        cmocka_unit_test(datasheet_of_an_order_shows_it),
    };
    return cmocka_run_group_tests_name("meter_datasheet", tests, NULL, NULL);
}
