#include "headend/api/obis_name.h"
#include "lib/cosem/model.h"
#include "lib/cosem/obis.h"
#include "model/names.h"
#include "model/objects.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void name(const char *obis, const char *want)
{
    uint8_t ln[6];
    char text[OBIS_NAME_TEXT];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    obis_name(ln, text);
    assert_string_equal(text, want);
}

static void obis_name_builds_names_from_groups(void **state)
{
    (void)state;
    name("1-0:1.8.0.255", "Active energy import");
    name("1-0:1.8.2.255", "Active energy import, tariff 2");
    name("1-0:21.8.0.255", "Active energy import, L1");
    name("1-0:62.7.0.255", "Active power export, L3");
    name("1-0:52.7.0.255", "Voltage, L2");
    name("1-0:31.7.0.255", "Current, L1");
    name("1-0:31.7.5.255", "Current, harmonic 5, L1");
    name("1-0:14.7.0.255", "Frequency");
    name("1-0:33.7.0.255", "Power factor, L1");
    name("1-0:1.29.0.255", "Active energy import, recording interval");
    name("1-0:3.6.1.255", "Maximum demand, reactive import, tariff 1");
    name("1-1:2.8.0.255", "Active energy export, channel 1");
    name("1-1:52.7.0.255", "Voltage, L2, channel 1");
    name("1-0:83.8.5.255", "Active losses of transformer and line, no-load, export");
    name("1-0:83.8.18.255", "Reactive losses of transformer and line, total, sum");
    name("1-0:1.15.0.255", "Active power import, last average 2");
    name("1-0:31.4.0.255", "Current, average, L1");
    name("1-0:32.32.0.255", "Voltage, times under limit, L1");
    name("1-0:12.35.0.255", "Voltage, threshold of over limit");
    name("1-0:155.7.0.255", "Reactive power, sqrt(S2 - P2), L1");
    name("1-0:99.1.0.255", "Load profile 1");
    name("0-0:1.0.0.255", "Clock");
}

static void obis_name_shows_what_it_does_not_know(void **state)
{
    (void)state;
    name("1-0:200.8.0.255", "1-0:200.8.0.255");
    name("1-0:1.99.0.255", "1-0:1.99.0.255");
    name("1-0:32.8.0.255", "1-0:32.8.0.255"); /* a voltage is no energy */
    name("1-0:83.8.21.255", "1-0:83.8.21.255");
    name("1-0:145.7.0.255", "1-0:145.7.0.255");
    name("1-0:151.7.0.255", "1-0:151.7.0.255");
    name("7-0:3.0.0.255", "7-0:3.0.0.255");
    name("1-0:1.8.0.1", "1-0:1.8.0.1"); /* an older billing period */
}

static void obis_kind_says_what_sums_and_what_counts(void **state)
{
    const uint8_t interval[] = {1, 0, 1, 29, 0, 255}, reg[] = {1, 0, 1, 8, 0, 255};
    const uint8_t voltage[] = {1, 0, 32, 7, 0, 255}, status[] = {0, 0, 96, 8, 0, 255};
    (void)state;
    assert_int_equal(obis_kind(interval), OBIS_INTERVAL);
    assert_int_equal(obis_kind(reg), OBIS_REGISTER);
    assert_int_equal(obis_kind(voltage), OBIS_INSTANT);
    assert_int_equal(obis_kind(status), OBIS_INSTANT);
}

/* The model's name without what stands in parentheses; "(L1)" and the like stay. */
static void plain(const char *from, char to[OBIS_NAME_TEXT])
{
    size_t n = 0;
    while (*from != '\0' && n + 1 < OBIS_NAME_TEXT) {
        if (strncmp(from, " (", 2) == 0)
            from = strchr(from, ')') + 1;
        else
            to[n++] = *from++;
    }
    to[n] = '\0';
}

static void obis_name_says_what_our_meters_object_list_says(void **state)
{
    unsigned n = 0;
    (void)state;
    const struct cosem_device all = {.rows = model_rows, .n_rows = model_n_rows};
    struct cosem_ref o;
    for (uint32_t at = 0; cosem_next(&all, &at, &o);) {
        char want[OBIS_NAME_TEXT], text[OBIS_NAME_TEXT], whole[MODEL_NAME_MAX];
        const uint16_t class_id = o.row->kind->class_id;
        const bool is_register = class_id >= 3 && class_id <= 5;
        if (o.ln[0] == 1 ? class_id == 1 : !is_register)
            continue;
        model_name(&o, whole, sizeof whole);
        plain(whole, want);
        obis_name(o.ln, text);
        assert_string_equal(text, want);
        n++;
    }
    assert_true(n > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obis_name_builds_names_from_groups),
        cmocka_unit_test(obis_name_shows_what_it_does_not_know),
        cmocka_unit_test(obis_kind_says_what_sums_and_what_counts),
        cmocka_unit_test(obis_name_says_what_our_meters_object_list_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
