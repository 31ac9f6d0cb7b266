/* Each field of a meter's row at its borders, and fields that do not belong together. */
#include "headend/keys/meter_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct store_meter m;
static struct meter_secret secret;
static struct meter_fault fault;

static int good_meter(void **state)
{
    (void)state;
    meter_defaults(&m);
    strcpy(m.name, "Mill Lane 12");
    strcpy(m.url, "tcp://127.0.0.1:4059");
    memset(&secret, 0, sizeof secret);
    memset(&fault, 0, sizeof fault);
    return 0;
}

static void expect_fault(const char *field)
{
    if (meter_check(&m, &secret, &fault))
        fail_msg("%s: nothing was found", field);
    assert_string_equal(fault.field, field);
    assert_true(fault.message[0] != '\0');
    good_meter(NULL);
}

static void meter_check_takes_the_defaults(void **state)
{
    (void)state;
    assert_true(meter_check(&m, &secret, &fault));
    assert_true(meter_check(&m, NULL, &fault));
    assert_int_equal(m.client_sap, 16);
    assert_true(m.enabled && m.ct_num == 1 && m.vt_den == 1 && m.timeout_ms == 10000);
}

static void meter_check_judges_texts(void **state)
{
    (void)state;
    m.name[0] = '\0';
    expect_fault("name");
    strcpy(m.name, " x");
    expect_fault("name");
    strcpy(m.name, "x ");
    expect_fault("name");
    strcpy(m.name, "a\nb");
    expect_fault("name");
    strcpy(m.name, "\xff");
    expect_fault("name");
    memset(m.name, 'x', sizeof m.name);
    expect_fault("name");
    strcpy(m.place, "a\tb");
    expect_fault("place");
    strcpy(m.url, "http://x");
    expect_fault("url");
    strcpy(m.name, "M\xc3\xbchle <b>&amp;'); DROP TABLE meter;--");
    strcpy(m.place, "\xf0\x9f\x8f\xa0");
    assert_true(meter_check(&m, &secret, &fault)); /* text is only text */
}

static void meter_check_judges_numbers(void **state)
{
    (void)state;
    m.client_sap = 0;
    expect_fault("client");
    m.server_sap = 0;
    expect_fault("server");
    m.timeout_ms = 0;
    expect_fault("timeout_s");
    m.timeout_ms = 999;
    expect_fault("timeout_s");
    m.timeout_ms = METER_TIMEOUT_MAX_S * 1000 + 1;
    expect_fault("timeout_s");
    m.register_period_s = 0;
    expect_fault("register_period_s");
    m.register_period_s = METER_PERIOD_MAX_S + 1;
    expect_fault("register_period_s");
    m.auth = STORE_N_AUTHS;
    expect_fault("auth");
    m.security = 0x40;
    expect_fault("security");
    m.security = 1;
    expect_fault("security");
}

static void meter_check_judges_ratios(void **state)
{
    (void)state;
    m.ct_den = 0;
    expect_fault("ct");
    m.vt_num = METER_RATIO_MAX + 1;
    expect_fault("vt");
    m.ct_num = m.vt_num = METER_RATIO_MAX;
    expect_fault("vt"); /* 10^12 */
    m.ct_num = 4000;
    m.ct_den = 5;
    m.vt_num = 400000;
    m.vt_den = 100;
    assert_true(meter_check(&m, &secret, &fault));
    m.ct_num = m.vt_num = m.ct_den = m.vt_den = METER_RATIO_MAX; /* reduced it is 1 */
    assert_true(meter_check(&m, &secret, &fault));
}

static void meter_check_wants_the_keys_that_are_used(void **state)
{
    (void)state;
    m.auth = STORE_AUTH_LLS;
    expect_fault("password");
    m.auth = STORE_AUTH_HLS5;
    expect_fault("guek");
    m.auth = STORE_AUTH_HLS5;
    secret.keys.has_guek = true;
    expect_fault("gak");
    m.security = DLMS_SC_ENC;
    expect_fault("guek");
    m.security = DLMS_SC_AUTH;
    secret.keys.has_guek = true;
    expect_fault("gak");
    memset(secret.password, 'x', sizeof secret.password);
    expect_fault("password");
    strcpy(secret.password, "a\x01");
    expect_fault("password");
    m.auth = STORE_AUTH_HLS5;
    m.security = DLMS_SC_AUTH | DLMS_SC_ENC;
    assert_true(meter_check(&m, NULL, &fault)); /* the secret is not judged */
    secret.keys.has_guek = secret.keys.has_gak = true;
    assert_true(meter_check(&m, &secret, &fault));
    m.security = DLMS_SC_ENC;
    m.auth = STORE_AUTH_NONE;
    secret.keys.has_gak = false;
    assert_true(meter_check(&m, &secret, &fault));
}

static void meter_text_check_knows_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "abc ~",
                                       "\xc2\xa0",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\x1f",
                                      "\x7f",
                                      "\xc2\x85",
                                      "a\rb"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(meter_text_check(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(meter_text_check(bad[i], strlen(bad[i])));
    assert_false(meter_text_check("a\0b", 3));
    assert_false(meter_text_check("\xe2\x82\xac", 2)); /* cut */
}

static void meter_words_go_both_ways(void **state)
{
    (void)state;
    enum store_auth auth;
    uint8_t security;
    for (unsigned i = 0; i < STORE_N_AUTHS; i++)
        assert_true(meter_auth_parse(meter_auth_word((enum store_auth)i), &auth) && auth == i);
    for (unsigned i = 0; i < 4; i++)
        assert_true(meter_security_parse(meter_security_word((uint8_t)(i << 4)), &security) &&
                    security == i << 4);
    assert_string_equal(meter_security_word(DLMS_SC_AUTH | DLMS_SC_ENC), "authenc");
    assert_string_equal(meter_security_word(DLMS_SC_AUTH), "auth");
    assert_string_equal(meter_security_word(0x40), "?");
    assert_string_equal(meter_auth_word(STORE_N_AUTHS), "?");
    assert_false(meter_auth_parse("HLS5", &auth));
    assert_false(meter_security_parse("", &security));
}

static void meter_key_parse_wants_32_digits(void **state)
{
    (void)state;
    uint8_t key[16];
    assert_true(meter_key_parse("000102030405060708090a0B0c0D0e0F", key));
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(key[i], i);
    assert_false(meter_key_parse("000102030405060708090a0b0c0d0e0", key));
    assert_false(meter_key_parse("000102030405060708090a0b0c0d0e0f0", key));
    assert_false(meter_key_parse("000102030405060708090a0b0c0d0e0g", key));
    assert_false(meter_key_parse("", key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(meter_check_takes_the_defaults, good_meter),
        cmocka_unit_test_setup(meter_check_judges_texts, good_meter),
        cmocka_unit_test_setup(meter_check_judges_numbers, good_meter),
        cmocka_unit_test_setup(meter_check_judges_ratios, good_meter),
        cmocka_unit_test_setup(meter_check_wants_the_keys_that_are_used, good_meter),
        cmocka_unit_test(meter_text_check_knows_utf8),
        cmocka_unit_test(meter_words_go_both_ways),
        cmocka_unit_test(meter_key_parse_wants_32_digits),
    };
    return cmocka_run_group_tests_name("keys/meter_check", tests, NULL, NULL);
}
