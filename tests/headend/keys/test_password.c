/* Passwords: the right one and no other; bounds on what a hash may ask; what people are given. */
#include "headend/keys/password.h"

#include <argon2.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void password_check_takes_the_right_one_only(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH], again[PASSWORD_HASH];
    assert_int_equal(password_hash("correct horse", hash), ERR_OK);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    assert_true(password_check("correct horse", hash));
    assert_false(password_check("correct horsf", hash));
    assert_false(password_check("correct horse ", hash));
    assert_false(password_check("", hash));
    assert_int_equal(password_hash("correct horse", again), ERR_OK);
    assert_string_not_equal(hash, again); /* salted */
}

static void password_hash_refuses_lengths(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH], text[PASSWORD_MAX + 2];
    memset(text, 'x', sizeof text);
    text[PASSWORD_MAX + 1] = '\0';
    assert_int_equal(password_hash("123456789", hash), ERR_RANGE);
    assert_int_equal(password_hash(text, hash), ERR_RANGE);
    assert_false(password_check(text, NULL));
    text[PASSWORD_MAX] = '\0';
    assert_int_equal(password_hash(text, hash), ERR_OK);
    assert_true(password_check(text, hash));
}

/* From the reference implementation's own tests (phc-winner-argon2, src/test.c, argon2id v=19). */
static void password_check_agrees_with_the_reference(void **state)
{
    (void)state;
    assert_true(password_check(
        "password",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"));
    assert_true(password_check(
        "password",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"));
    assert_false(password_check(
        "passwore",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"));
}

/* RFC 9106, section 5.3: the library that is linked computes argon2id of version 13h. */
static void password_library_passes_rfc_9106(void **state)
{
    (void)state;
    static const uint8_t expected[32] = {0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c,
                                         0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
                                         0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e,
                                         0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59};
    uint8_t out[32], password[32], salt[16], secret[8], ad[12];
    memset(password, 1, sizeof password);
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(ad, 4, sizeof ad);
    argon2_context c = {.out = out,
                        .outlen = sizeof out,
                        .pwd = password,
                        .pwdlen = sizeof password,
                        .salt = salt,
                        .saltlen = sizeof salt,
                        .secret = secret,
                        .secretlen = sizeof secret,
                        .ad = ad,
                        .adlen = sizeof ad,
                        .t_cost = 3,
                        .m_cost = 32,
                        .lanes = 4,
                        .threads = 4,
                        .version = ARGON2_VERSION_13};
    assert_int_equal(argon2id_ctx(&c), ARGON2_OK);
    assert_memory_equal(out, expected, sizeof out);
}

/* A hash that somebody wrote into the database must not take gigabytes or minutes, nor confuse. */
static void password_check_refuses_forged_hashes(void **state)
{
    (void)state;
    static const char *const forged[] = {
        "",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=100000000,p=1$c29tZXNhbHQ$nf65EOgLrQMR/"
        "uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1000$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "$argon2id$v=19$m=256,t=2,p=1$$",
        "password",
    };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++)
        assert_false(password_check("password", forged[i]));
    assert_false(password_check("password", NULL));
}

static void password_make_is_for_people(void **state)
{
    (void)state;
    char a[25], b[25];
    for (int i = 0; i < 200; i++) {
        assert_int_equal(password_make(a), ERR_OK);
        assert_int_equal(strlen(a), 24);
        for (size_t k = 0; k < 24; k++) {
            assert_true(k % 5 == 4 ? a[k] == '-'
                                   : islower((unsigned char)a[k]) || isdigit((unsigned char)a[k]));
            assert_null(strchr("ilo012", a[k]));
        }
        assert_int_equal(password_make(b), ERR_OK);
        assert_string_not_equal(a, b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(password_check_takes_the_right_one_only),
        cmocka_unit_test(password_hash_refuses_lengths),
        cmocka_unit_test(password_check_agrees_with_the_reference),
        cmocka_unit_test(password_library_passes_rfc_9106),
        cmocka_unit_test(password_check_refuses_forged_hashes),
        cmocka_unit_test(password_make_is_for_people),
    };
    return cmocka_run_group_tests_name("keys/password", tests, NULL, NULL);
}
