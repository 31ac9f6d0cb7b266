/* The portable backend against the OpenSSL one on random input: neither has seen the other's code.
 *
 * The generator is a fixed xorshift, so a failure repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/crypto/crypto.h"
#include "tests/lib/crypto/portable_api.h"

#define ROUNDS 500
#define SIZE   300

static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void fill(uint32_t *x, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next(x) >> 11);
}

struct input {
    uint8_t key[16], iv[12], aad[SIZE], text[SIZE];
    size_t aad_len, cut, len, tag_len;
    struct bytes views[2];
};

static void draw(struct input *in, uint32_t *x)
{
    fill(x, in->key, sizeof in->key);
    fill(x, in->iv, sizeof in->iv);
    fill(x, in->aad, sizeof in->aad);
    fill(x, in->text, sizeof in->text);
    in->aad_len = next(x) % SIZE;
    in->cut = next(x) % (in->aad_len + 1);
    in->len = next(x) % SIZE;
    in->tag_len = CRYPTO_GCM_TAG_MIN + next(x) % 13;
    in->views[0] = (struct bytes){in->aad, in->cut};
    in->views[1] = (struct bytes){in->aad + in->cut, in->aad_len - in->cut};
}

static void portable_gcm_agrees_with_openssl_when_input_is_random(void **state)
{
    (void)state;
    uint32_t x = 0x62056u;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct input in;
        uint8_t a[SIZE], b[SIZE], tag_a[16], tag_b[16];
        draw(&in, &x);
        memcpy(a, in.text, SIZE);
        memcpy(b, in.text, SIZE);
        assert_int_equal(crypto_gcm_seal(in.key, in.iv, in.views, 2, a, in.len, tag_a, in.tag_len),
                         ERR_OK);
        assert_int_equal(
            portable_gcm_seal(in.key, in.iv, in.views, 2, b, in.len, tag_b, in.tag_len), ERR_OK);
        assert_memory_equal(a, b, SIZE); /* also nothing behind len was touched */
        assert_memory_equal(tag_a, tag_b, in.tag_len);
        assert_int_equal(
            portable_gcm_open(in.key, in.iv, in.views, 2, a, in.len, tag_a, in.tag_len), ERR_OK);
        assert_memory_equal(a, in.text, SIZE);
        assert_int_equal(portable_gcm_crypt(in.key, in.iv, a, in.len), ERR_OK);
        assert_memory_equal(a, b, SIZE);
        assert_int_equal(crypto_gcm_crypt(in.key, in.iv, a, in.len), ERR_OK);
        assert_memory_equal(a, in.text, SIZE);
    }
}

/* The same text in random pieces to one, in one piece to the other, each with a cipher that has
 * sealed before. */
static void portable_gcm_in_parts_agrees_with_openssl_when_input_is_random(void **state)
{
    (void)state;
    uint32_t x = 0x13A5;
    struct crypto_gcm openssl = {.ready = false}, portable = {.ready = false};
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct input in;
        uint8_t a[SIZE], b[SIZE], tag_a[16], tag_b[16];
        draw(&in, &x);
        memcpy(a, in.text, SIZE);
        memcpy(b, in.text, SIZE);
        assert_int_equal(crypto_gcm_key(&openssl, in.key), ERR_OK);
        assert_int_equal(portable_gcm_key(&portable, in.key), ERR_OK);
        assert_int_equal(portable_gcm_begin(&portable, in.iv, in.views, 2), ERR_OK);
        for (size_t at = 0, n; at < in.len; at += n) {
            n = 1 + next(&x) % (in.len - at);
            assert_int_equal(portable_gcm_seal_part(&portable, b + at, n), ERR_OK);
        }
        assert_int_equal(portable_gcm_finish(&portable, tag_b, 16), ERR_OK);
        assert_int_equal(crypto_gcm_seal_with(&openssl, in.iv, in.views, 2, a, in.len, tag_a, 16),
                         ERR_OK);
        assert_memory_equal(a, b, SIZE);
        assert_memory_equal(tag_a, tag_b, 16);
    }
    crypto_gcm_end(&openssl);
    portable_gcm_end(&portable);
}

static void portable_digest_agrees_with_openssl_when_input_is_random(void **state)
{
    (void)state;
    uint32_t x = 0x256;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct input in;
        uint8_t a[32], b[32];
        draw(&in, &x);
        assert_int_equal(crypto_digest(CRYPTO_SHA256, in.views, 2, a), ERR_OK);
        assert_int_equal(portable_digest(CRYPTO_SHA256, in.views, 2, b), ERR_OK);
        assert_memory_equal(a, b, 32);
    }
}

static void portable_key_wrap_agrees_with_openssl_when_input_is_random(void **state)
{
    (void)state;
    uint32_t x = 0x3394u;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t kek[16], key[64], a[72], b[72], back[64];
        size_t len = CRYPTO_WRAP_MIN + 8 * (next(&x) % 7);
        fill(&x, kek, sizeof kek);
        fill(&x, key, sizeof key);
        assert_int_equal(crypto_key_wrap(kek, key, len, a), ERR_OK);
        assert_int_equal(portable_key_wrap(kek, key, len, b), ERR_OK);
        assert_memory_equal(a, b, len + 8);
        assert_int_equal(portable_key_unwrap(kek, a, len + 8, back), ERR_OK);
        assert_memory_equal(back, key, len);
        a[next(&x) % (len + 8)] ^= 0x10;
        assert_int_equal(portable_key_unwrap(kek, a, len + 8, back), ERR_TAG);
        assert_int_equal(crypto_key_unwrap(kek, a, len + 8, back), ERR_TAG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_gcm_agrees_with_openssl_when_input_is_random),
        cmocka_unit_test(portable_gcm_in_parts_agrees_with_openssl_when_input_is_random),
        cmocka_unit_test(portable_digest_agrees_with_openssl_when_input_is_random),
        cmocka_unit_test(portable_key_wrap_agrees_with_openssl_when_input_is_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
