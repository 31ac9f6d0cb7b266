/* See answers.h. */
#include "tests/system/answers.h"
#include "tests/system/process.h"

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/base/civil.h"

static json_t *parse(struct outcome *o)
{
    outcome_expect(o, 0, NULL);
    json_t *j = json_loads(o->out, 0, NULL);
    if (j == NULL)
        fail_msg("not JSON: %.200s", o->out);
    outcome_free(o);
    return j;
}

static double told(const char *url, const char *obis, const char *key)
{
    struct outcome o = ferraris("read", SECURE, "--json", url, obis, NULL);
    json_t *j = parse(&o);
    const json_t *x = json_object_get(json_array_get(j, 0), key);
    if (!json_is_number(x))
        fail_msg("%s of %s is no number", key, obis);
    double value = json_number_value(x);
    json_decref(j);
    return value;
}

int64_t told_value(const char *url, const char *obis)
{
    return (int64_t)told(url, obis, "value");
}

double told_scaled(const char *url, const char *obis)
{
    return told(url, obis, "scaled");
}

json_t *told_profile(const char *url)
{
    struct outcome o = ferraris("profile", SECURE, "--json", url, "1-0:99.1.0.255", NULL);
    return parse(&o);
}

const json_t *told_rows(const json_t *profile)
{
    return json_object_get(profile, "rows");
}

static size_t column_of(const json_t *profile, const char *obis)
{
    const json_t *columns = json_object_get(profile, "columns");
    for (size_t k = 0; k < json_array_size(columns); k++) {
        const json_t *name = json_object_get(json_array_get(columns, k), "obis");
        if (strcmp(json_string_value(name), obis) == 0)
            return k;
    }
    fail_msg("the profile has no column %s", obis);
    return 0;
}

int64_t told_cell(const json_t *profile, size_t row, const char *obis)
{
    const json_t *cell =
        json_array_get(json_array_get(told_rows(profile), row), column_of(profile, obis));
    assert_true(json_is_integer(cell));
    return json_integer_value(cell);
}

int64_t told_stamp(const json_t *profile, size_t row)
{
    const char *iso = json_string_value(json_array_get(json_array_get(told_rows(profile), row), 0));
    int y, mo, d, h, mi, s, oh, om;
    char sign;
    assert_int_equal(
        sscanf(iso, "%d-%d-%dT%d:%d:%d%c%d:%d", &y, &mo, &d, &h, &mi, &s, &sign, &oh, &om), 9);
    const struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, (uint8_t)s};
    return civil_to_seconds(&c) - (sign == '-' ? -1 : 1) * (oh * 3600 + om * 60);
}
