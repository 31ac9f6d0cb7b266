/* Tokens: one spelling each, base64url as RFC 4648 has it, SHA-256 of the octets. */
#include "headend/keys/token.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void token_text_is_base64url(void **state)
{
    (void)state;
    uint8_t octets[32];
    char text[TOKEN_TEXT];
    for (uint8_t i = 0; i < 32; i++)
        octets[i] = i;
    token_text(octets, text); /* base64 -w0 | tr '+/' '-_' | tr -d = */
    assert_string_equal(text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    memset(octets, 0xFB, sizeof octets);
    token_text(octets, text);
    assert_string_equal(text, "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
}

static void token_digest_is_sha256_of_the_octets(void **state)
{
    (void)state;
    uint8_t octets[32], expected[32], digest[32];
    for (uint8_t i = 0; i < 32; i++)
        octets[i] = i;
    SHA256(octets, sizeof octets, expected);
    assert_true(token_digest("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", digest));
    assert_memory_equal(digest, expected, 32);
}

static void token_make_gives_a_new_one_each_time(void **state)
{
    (void)state;
    char a[TOKEN_TEXT], b[TOKEN_TEXT];
    uint8_t da[32], db[32], again[32];
    assert_int_equal(token_make(a, da), ERR_OK);
    assert_int_equal(token_make(b, db), ERR_OK);
    assert_string_not_equal(a, b);
    assert_memory_not_equal(da, db, 32);
    assert_true(token_digest(a, again));
    assert_memory_equal(da, again, 32);
}

static void token_digest_refuses_what_is_no_token(void **state)
{
    (void)state;
    static const char good[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    char text[TOKEN_TEXT + 1];
    uint8_t digest[32];
    assert_false(token_digest("", digest));
    for (size_t n = 0; n < 43; n++) {
        snprintf(text, sizeof text, "%.*s", (int)n, good);
        assert_false(token_digest(text, digest));
    }
    snprintf(text, sizeof text, "%sA", good);
    assert_false(token_digest(text, digest));
    for (size_t i = 0; i < 43; i++) {
        snprintf(text, sizeof text, "%s", good);
        text[i] = "+/= .\x80%;"[i % 8];
        assert_false(token_digest(text, digest));
    }
    snprintf(text, sizeof text, "%s", good);
    text[42] = '9'; /* the spare bits: another spelling of the same octets */
    assert_false(token_digest(text, digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_text_is_base64url),
        cmocka_unit_test(token_digest_is_sha256_of_the_octets),
        cmocka_unit_test(token_make_gives_a_new_one_each_time),
        cmocka_unit_test(token_digest_refuses_what_is_no_token),
    };
    return cmocka_run_group_tests_name("keys/token", tests, NULL, NULL);
}
