/* A meter's secret comes back from its row as it went in, and tells nothing else. */
#include "headend/keys/meter_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct seal_key key = {{7}};

static struct meter_secret example(void)
{
    struct meter_secret s = {.keys = {.has_guek = true, .has_gak = true}, .password = "12345678"};
    for (uint8_t i = 0; i < 16; i++) {
        s.keys.guek[i] = i;
        s.keys.gak[i] = (uint8_t)(0xD0 + i);
    }
    return s;
}

static void meter_secret_returns_what_was_put(void **state)
{
    (void)state;
    struct store_meter m = {0};
    struct meter_secret in = example(), out;
    assert_int_equal(meter_secret_put(&key, &m, &in), ERR_OK);
    assert_int_equal(meter_secret_get(&key, &m, &out), ERR_OK);
    assert_memory_equal(&in, &out, sizeof in);

    memset(&in, 0, sizeof in);
    in.keys.has_kek = true;
    memset(in.keys.kek, 0x5A, 16);
    memset(in.password, 'p', METER_SECRET_PASSWORD_MAX);
    assert_int_equal(meter_secret_put(&key, &m, &in), ERR_OK);
    assert_int_equal(meter_secret_get(&key, &m, &out), ERR_OK);
    assert_memory_equal(&in, &out, sizeof in);
}

static void meter_secret_is_empty_where_nothing_is(void **state)
{
    (void)state;
    struct store_meter m = {.secret_len = 9};
    const struct meter_secret none = {0};
    struct meter_secret out = example();
    assert_int_equal(meter_secret_put(&key, &m, &none), ERR_OK);
    assert_int_equal(m.secret_len, 0);
    assert_int_equal(meter_secret_get(&key, &m, &out), ERR_OK);
    assert_memory_equal(&out, &none, sizeof none);
}

/* Neither a password nor its length can be seen in the database, nor that two meters share one. */
static void meter_secret_hides_lengths_and_repetition(void **state)
{
    (void)state;
    struct store_meter a = {0}, b = {0};
    struct meter_secret s = example();
    assert_int_equal(meter_secret_put(&key, &a, &s), ERR_OK);
    assert_int_equal(meter_secret_put(&key, &b, &s), ERR_OK);
    assert_memory_not_equal(a.secret, b.secret, 16);
    assert_memory_not_equal(a.secret + 29, b.secret + 29, 100);
    s.password[1] = '\0';
    const uint8_t len = a.secret_len;
    assert_int_equal(meter_secret_put(&key, &a, &s), ERR_OK);
    assert_int_equal(a.secret_len, len);
}

static void meter_secret_refuses_damage(void **state)
{
    (void)state;
    struct store_meter m = {0};
    struct meter_secret s = example(), out;
    const struct meter_secret none = {0};
    assert_int_equal(meter_secret_put(&key, &m, &s), ERR_OK);
    for (size_t i = 0; i < m.secret_len; i++) {
        m.secret[i] ^= 0x10;
        assert_int_equal(meter_secret_get(&key, &m, &out), i == 16 ? ERR_VERSION : ERR_TAG);
        assert_memory_equal(&out, &none, sizeof none);
        m.secret[i] ^= 0x10;
    }
    m.secret_len--;
    assert_int_equal(meter_secret_get(&key, &m, &out), ERR_FORMAT);
    const struct seal_key other = {{8}};
    m.secret_len++;
    assert_int_equal(meter_secret_get(&other, &m, &out), ERR_TAG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_secret_returns_what_was_put),
        cmocka_unit_test(meter_secret_is_empty_where_nothing_is),
        cmocka_unit_test(meter_secret_hides_lengths_and_repetition),
        cmocka_unit_test(meter_secret_refuses_damage),
    };
    return cmocka_run_group_tests_name("keys/meter_secret", tests, NULL, NULL);
}
