/* Both backends of crypto.h against published vectors; this file is linked once with each.
 *
 * Sources: Wycheproof aes_gcm_test.json (128-bit keys, 96-bit IVs) and aes_wrap_test.json (128-bit
 * keys), NIST key wrap vectors as Mbed TLS ships them (nist_kw.data), RFC 3394 4.1, FIPS 197 and
 * SP 800-38D test case 4 of the GCM submission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/crypto.h"
#include "tests/lib/hex.h"

#define CRYPTO_DIR SHARED_DIR "/vectors/crypto/"

/* Skips the calling test where the vectors are not beside the repository. */
static json_t *load(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    if (!root) {
        print_message("skipped: %s: %s\n", path, error.text);
        skip();
    }
    return root;
}

static size_t field(const json_t *test, const char *name, uint8_t *out, size_t size)
{
    return hex_octets(json_string_value(json_object_get(test, name)), out, size);
}

struct gcm_case {
    uint8_t key[16], iv[12], aad[1024], text[1024], cipher[1024], tag[16];
    size_t aad_len, len;
};

static void gcm_case_read(struct gcm_case *c, const json_t *test)
{
    assert_int_equal(field(test, "key", c->key, sizeof c->key), 16);
    assert_int_equal(field(test, "iv", c->iv, sizeof c->iv), 12);
    assert_int_equal(field(test, "tag", c->tag, sizeof c->tag), 16);
    c->aad_len = field(test, "aad", c->aad, sizeof c->aad);
    c->len = field(test, "msg", c->text, sizeof c->text);
    assert_int_equal(field(test, "ct", c->cipher, sizeof c->cipher), c->len);
}

/* One cipher for all cases, so that each begins with what the last one left. */
static struct crypto_gcm ready;

static void gcm_case_cached(struct gcm_case *c)
{
    struct bytes aad = {c->aad, c->aad_len};
    uint8_t work[1024], tag[16];
    memcpy(work, c->text, c->len);
    assert_int_equal(crypto_gcm_key(&ready, c->key), ERR_OK);
    for (unsigned again = 0; again < 2; again++) {
        assert_int_equal(crypto_gcm_seal_with(&ready, c->iv, &aad, 1, work, c->len, tag, 16), 0);
        assert_memory_equal(work, c->cipher, c->len);
        assert_memory_equal(tag, c->tag, 16);
        assert_int_equal(crypto_gcm_open_with(&ready, c->iv, &aad, 1, work, c->len, c->tag, 16), 0);
        assert_memory_equal(work, c->text, c->len);
        assert_int_equal(crypto_gcm_crypt_with(&ready, c->iv, work, c->len), ERR_OK);
        assert_memory_equal(work, c->cipher, c->len);
        memcpy(work, c->text, c->len);
    }
}

/* Text and additional data in pieces of 1, 2, 5, 16, 33 octets and in one. */
static void gcm_case_parts(struct gcm_case *c)
{
    static const size_t piece[] = {1, 2, 5, 16, 33, 1024};
    uint8_t work[1024], tag[16];
    for (size_t k = 0; k < sizeof piece / sizeof piece[0]; k++) {
        memcpy(work, c->text, c->len);
        assert_int_equal(crypto_gcm_begin(&ready, c->iv, NULL, 0), ERR_OK);
        for (size_t at = 0; at < c->aad_len; at += piece[k]) {
            size_t left = c->aad_len - at, n = left < piece[k] ? left : piece[k];
            assert_int_equal(crypto_gcm_auth_part(&ready, c->aad + at, n), ERR_OK);
        }
        for (size_t at = 0; at < c->len; at += piece[k]) {
            size_t left = c->len - at, n = left < piece[k] ? left : piece[k];
            assert_int_equal(crypto_gcm_seal_part(&ready, work + at, n), ERR_OK);
        }
        assert_int_equal(crypto_gcm_finish(&ready, tag, 16), ERR_OK);
        assert_memory_equal(work, c->cipher, c->len);
        assert_memory_equal(tag, c->tag, 16);
    }
}

static void gcm_case_valid(struct gcm_case *c)
{
    struct bytes aad = {c->aad, c->aad_len};
    uint8_t work[1024], tag[16];
    memcpy(work, c->text, c->len);
    assert_int_equal(crypto_gcm_crypt(c->key, c->iv, work, c->len), ERR_OK);
    assert_memory_equal(work, c->cipher, c->len);
    gcm_case_cached(c);
    gcm_case_parts(c);
    for (size_t tag_len = CRYPTO_GCM_TAG_MIN; tag_len <= CRYPTO_GCM_TAG_MAX; tag_len++) {
        memcpy(work, c->text, c->len);
        assert_int_equal(crypto_gcm_seal(c->key, c->iv, &aad, 1, work, c->len, tag, tag_len), 0);
        assert_memory_equal(work, c->cipher, c->len);
        assert_memory_equal(tag, c->tag, tag_len);
        assert_int_equal(crypto_gcm_open(c->key, c->iv, &aad, 1, work, c->len, c->tag, tag_len), 0);
        assert_memory_equal(work, c->text, c->len);
    }
}

static void gcm_case_invalid(struct gcm_case *c)
{
    static const uint8_t zero[1024];
    struct bytes aad = {c->aad, c->aad_len};
    uint8_t copy[1024];
    memcpy(copy, c->cipher, c->len);
    assert_int_equal(crypto_gcm_key(&ready, c->key), ERR_OK);
    assert_int_equal(crypto_gcm_open_with(&ready, c->iv, &aad, 1, copy, c->len, c->tag, 16),
                     ERR_TAG);
    assert_memory_equal(copy, zero, c->len);
    assert_int_equal(crypto_gcm_open(c->key, c->iv, &aad, 1, c->cipher, c->len, c->tag, 16),
                     ERR_TAG);
    assert_memory_equal(c->cipher, zero, c->len);
}

static void crypto_gcm_agrees_with_wycheproof(void **state)
{
    (void)state;
    json_t *root = load(CRYPTO_DIR "wycheproof/aes_gcm_test.json");
    json_t *group, *test;
    size_t i, j, n_valid = 0, n_invalid = 0;
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        if (json_integer_value(json_object_get(group, "keySize")) != 128 ||
            json_integer_value(json_object_get(group, "ivSize")) != 96)
            continue;
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            struct gcm_case c;
            gcm_case_read(&c, test);
            bool valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");
            valid ? gcm_case_valid(&c) : gcm_case_invalid(&c);
            n_valid += valid;
            n_invalid += !valid;
        }
    }
    json_decref(root);
    assert_int_equal(n_valid, 40);
    assert_int_equal(n_invalid, 27);
}

/* Lengths DLMS has no use for (a key of 8 or 384 octets) must be refused, whatever the vector says.
 */
static void wrap_case(const json_t *test, size_t *n_run)
{
    uint8_t kek[16], key[512], wrapped[512], out[512];
    size_t key_len = field(test, "msg", key, sizeof key);
    size_t wrapped_len = field(test, "ct", wrapped, sizeof wrapped);
    bool valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");
    bool in_range = key_len >= 16 && key_len <= 64 && key_len % 8 == 0;
    assert_int_equal(field(test, "key", kek, sizeof kek), 16);
    enum err made = crypto_key_wrap(kek, key, key_len, out);
    assert_int_equal(made, in_range ? ERR_OK : ERR_RANGE);
    if (valid && in_range)
        assert_memory_equal(out, wrapped, wrapped_len);
    enum err opened = crypto_key_unwrap(kek, wrapped, wrapped_len, out);
    if (valid && in_range) {
        assert_int_equal(opened, ERR_OK);
        assert_memory_equal(out, key, key_len);
    } else {
        bool len_valid = wrapped_len >= 24 && wrapped_len <= 72 && wrapped_len % 8 == 0;
        assert_int_equal(opened, len_valid ? ERR_TAG : ERR_RANGE);
    }
    ++*n_run;
}

static void crypto_key_wrap_agrees_with_wycheproof(void **state)
{
    (void)state;
    json_t *root = load(CRYPTO_DIR "wycheproof/aes_wrap_test.json");
    json_t *group, *test;
    size_t i, j, n_run = 0;
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        if (json_integer_value(json_object_get(group, "keySize")) != 128)
            continue;
        json_array_foreach(json_object_get(group, "tests"), j, test) wrap_case(test, &n_run);
    }
    json_decref(root);
    assert_int_equal(n_run, 42);
}

/* One line of nist_kw.data: FUNCTION:MODE:"kek":"in":"out"[:result]; false for other lines. */
static bool nist_wrap_line(char *line)
{
    static const char wrap[] = "mbedtls_nist_kw_wrap:MBEDTLS_KW_MODE_KW:\"";
    static const char unwrap[] = "mbedtls_nist_kw_unwrap:MBEDTLS_KW_MODE_KW:\"";
    bool wraps = !strncmp(line, wrap, sizeof wrap - 1);
    if (!wraps && strncmp(line, unwrap, sizeof unwrap - 1) != 0)
        return false;
    uint8_t kek[32], in[768], want[768], out[768];
    char *kek_text = strchr(line, '"') + 1;
    char *in_text = strstr(kek_text, "\":\"") + 3;
    char *out_text = strstr(in_text, "\":\"") + 3;
    size_t in_len = hex_octets(in_text, in, sizeof in);
    if (hex_octets(kek_text, kek, sizeof kek) != 16 || in_len > CRYPTO_WRAP_MAX + 8)
        return false;
    size_t want_len = hex_octets(out_text, want, sizeof want);
    if (wraps) {
        assert_int_equal(crypto_key_wrap(kek, in, in_len, out), ERR_OK);
    } else {
        bool bad = strstr(out_text, "INVALID_SIGNATURE") != NULL;
        assert_int_equal(crypto_key_unwrap(kek, in, in_len, out), bad ? ERR_TAG : ERR_OK);
    }
    assert_memory_equal(out, want, want_len);
    return true;
}

static void crypto_key_wrap_agrees_with_nist(void **state)
{
    (void)state;
    char line[8192];
    size_t n_run = 0;
    FILE *f = fopen(CRYPTO_DIR "nist/nist_kw.data", "r");
    if (!f) {
        print_message("skipped: nist_kw.data is not here\n");
        skip();
        return;
    }
    while (fgets(line, sizeof line, f))
        n_run += nist_wrap_line(line);
    fclose(f);
    assert_int_equal(n_run, 14);
}

/* Test case 4 of McGrew and Viega's GCM submission (also quoted for SP 800-38D). */
static const char gcm4_key[] = "feffe9928665731c6d6a8f9467308308";
static const char gcm4_iv[] = "cafebabefacedbaddecaf888";
static const char gcm4_aad[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
static const char gcm4_text[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char gcm4_cipher[] = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                                  "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091";
static const char gcm4_tag[] = "5bc94fbc3221a5db94fae95ae7121a47";

static void gcm4(struct gcm_case *c)
{
    hex_octets(gcm4_key, c->key, 16);
    hex_octets(gcm4_iv, c->iv, 12);
    hex_octets(gcm4_tag, c->tag, 16);
    c->aad_len = hex_octets(gcm4_aad, c->aad, sizeof c->aad);
    c->len = hex_octets(gcm4_text, c->text, sizeof c->text);
    assert_int_equal(hex_octets(gcm4_cipher, c->cipher, sizeof c->cipher), c->len);
}

static void crypto_gcm_seals_and_opens_a_published_case(void **state)
{
    (void)state;
    struct gcm_case c;
    gcm4(&c);
    gcm_case_valid(&c);
}

static void crypto_gcm_takes_additional_data_in_any_pieces(void **state)
{
    (void)state;
    struct gcm_case c;
    gcm4(&c);
    for (size_t a = 0; a <= c.aad_len; a++) {
        struct bytes aad[4] = {{c.aad, a}, {NULL, 0}, {c.aad + a, 0}, {c.aad + a, c.aad_len - a}};
        uint8_t work[64], tag[16];
        memcpy(work, c.text, c.len);
        assert_int_equal(crypto_gcm_seal(c.key, c.iv, aad, 4, work, c.len, tag, 16), ERR_OK);
        assert_memory_equal(tag, c.tag, 16);
    }
}

static void crypto_gcm_open_refuses_and_wipes_when_any_bit_differs(void **state)
{
    (void)state;
    static const uint8_t zero[64];
    struct gcm_case c;
    gcm4(&c);
    size_t n_bits = 8 * (12 + c.aad_len + c.len);
    for (size_t bit = 0; bit < n_bits; bit++) {
        struct gcm_case d = c;
        struct bytes aad = {d.aad, d.aad_len};
        size_t at = bit / 8;
        uint8_t *octet = at < 12               ? &d.tag[at]
                         : at < 12 + c.aad_len ? &d.aad[at - 12]
                                               : &d.cipher[at - 12 - c.aad_len];
        *octet ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(crypto_gcm_open(d.key, d.iv, &aad, 1, d.cipher, d.len, d.tag, 12),
                         ERR_TAG);
        assert_memory_equal(d.cipher, zero, d.len);
    }
}

static void crypto_gcm_makes_a_tag_of_no_text(void **state)
{
    (void)state;
    struct gcm_case c;
    gcm4(&c);
    struct bytes aad = {c.aad, c.aad_len};
    uint8_t tag[16];
    assert_int_equal(crypto_gcm_seal(c.key, c.iv, &aad, 1, NULL, 0, tag, 16), ERR_OK);
    assert_int_equal(crypto_gcm_open(c.key, c.iv, &aad, 1, NULL, 0, tag, 16), ERR_OK);
    c.aad[0] ^= 1;
    assert_int_equal(crypto_gcm_open(c.key, c.iv, &aad, 1, NULL, 0, tag, 16), ERR_TAG);
    assert_int_equal(crypto_gcm_crypt(c.key, c.iv, NULL, 0), ERR_OK);
}

static void crypto_gcm_refuses_when_the_tag_length_is_out_of_range(void **state)
{
    (void)state;
    struct gcm_case c;
    gcm4(&c);
    static const size_t lens[] = {0, 3, 17};
    for (size_t i = 0; i < 3; i++) {
        uint8_t tag[17] = {0};
        uint8_t work[64];
        memcpy(work, c.text, c.len);
        assert_int_equal(crypto_gcm_seal(c.key, c.iv, NULL, 0, work, c.len, tag, lens[i]),
                         ERR_RANGE);
        assert_int_equal(crypto_gcm_open(c.key, c.iv, NULL, 0, work, c.len, tag, lens[i]),
                         ERR_RANGE);
        assert_memory_equal(work, c.text, c.len);
    }
}

/* RFC 3394 4.1; the same octets are the Green Book's example of a wrapped key. */
static void crypto_key_wrap_agrees_with_rfc3394(void **state)
{
    (void)state;
    uint8_t kek[16], key[16], want[24], out[24];
    hex_octets("000102030405060708090A0B0C0D0E0F", kek, sizeof kek);
    hex_octets("00112233445566778899AABBCCDDEEFF", key, sizeof key);
    hex_octets("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5", want, sizeof want);
    assert_int_equal(crypto_key_wrap(kek, key, sizeof key, out), ERR_OK);
    assert_memory_equal(out, want, sizeof want);
    assert_int_equal(crypto_key_unwrap(kek, want, sizeof want, out), ERR_OK);
    assert_memory_equal(out, key, sizeof key);
}

static void crypto_key_unwrap_wipes_when_any_bit_differs(void **state)
{
    (void)state;
    static const uint8_t zero[16];
    uint8_t kek[16] = {7}, key[16] = {1, 2, 3}, wrapped[24], out[16];
    assert_int_equal(crypto_key_wrap(kek, key, sizeof key, wrapped), ERR_OK);
    for (size_t bit = 0; bit < 8 * sizeof wrapped; bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(out, 0xEE, sizeof out);
        assert_int_equal(crypto_key_unwrap(kek, wrapped, sizeof wrapped, out), ERR_TAG);
        assert_memory_equal(out, zero, sizeof out);
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void crypto_gcm_says_key_or_state_when_called_out_of_order(void **state)
{
    (void)state;
    struct crypto_gcm g = {.ready = false};
    uint8_t key[16] = {1}, iv[12] = {2}, text[4] = {3}, tag[16];
    assert_int_equal(crypto_gcm_begin(&g, iv, NULL, 0), ERR_KEY);
    assert_int_equal(crypto_gcm_seal_with(&g, iv, NULL, 0, text, 4, tag, 12), ERR_KEY);
    assert_int_equal(crypto_gcm_open_with(&g, iv, NULL, 0, text, 4, tag, 12), ERR_KEY);
    assert_int_equal(crypto_gcm_crypt_with(&g, iv, text, 4), ERR_KEY);
    assert_int_equal(crypto_gcm_seal_part(&g, text, 4), ERR_STATE);
    assert_int_equal(crypto_gcm_key(&g, key), ERR_OK);
    assert_int_equal(crypto_gcm_seal_part(&g, text, 4), ERR_STATE);
    assert_int_equal(crypto_gcm_auth_part(&g, text, 4), ERR_STATE);
    assert_int_equal(crypto_gcm_finish(&g, tag, 12), ERR_STATE);
    assert_int_equal(crypto_gcm_begin(&g, iv, NULL, 0), ERR_OK);
    assert_int_equal(crypto_gcm_seal_part(&g, text, 4), ERR_OK);
    assert_int_equal(crypto_gcm_auth_part(&g, text, 4), ERR_STATE);
    assert_int_equal(crypto_gcm_finish(&g, tag, 3), ERR_RANGE);
    assert_int_equal(crypto_gcm_finish(&g, tag, 12), ERR_OK);
    assert_int_equal(crypto_gcm_finish(&g, tag, 12), ERR_STATE);
    crypto_gcm_end(&g);
    assert_int_equal(crypto_gcm_begin(&g, iv, NULL, 0), ERR_KEY);
}

/* FIPS 180-4 examples (NIST, SHA256.pdf), the empty text, and a million times "a". */
static void crypto_digest_agrees_with_nist_when_sha256(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    uint8_t want[32], got[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *text = (const uint8_t *)cases[i].text;
        size_t len = strlen(cases[i].text);
        hex_octets(cases[i].digest, want, sizeof want);
        for (size_t cut = 0; cut <= len; cut++) {
            const struct bytes parts[] = {{text, cut}, {NULL, 0}, {text + cut, len - cut}};
            assert_int_equal(crypto_digest(CRYPTO_SHA256, parts, 3, got), ERR_OK);
            assert_memory_equal(got, want, sizeof want);
        }
    }
    static uint8_t many[1000];
    static struct bytes parts[1000];
    memset(many, 'a', sizeof many);
    for (size_t i = 0; i < 1000; i++)
        parts[i] = (struct bytes){many, sizeof many};
    hex_octets("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", want, 32);
    assert_int_equal(crypto_digest(CRYPTO_SHA256, parts, 1000, got), ERR_OK);
    assert_memory_equal(got, want, sizeof want);
}

static void crypto_digest_has_no_weak_hash_unless_the_build_asks(void **state)
{
    (void)state;
#ifdef CRYPTO_WITH_WEAK_HASH
    const enum err wanted = ERR_OK;
#else
    const enum err wanted = ERR_UNSUPPORTED;
#endif
    uint8_t out[CRYPTO_HASH_MAX];
    assert_int_equal(crypto_digest(CRYPTO_MD5, NULL, 0, out), wanted);
    assert_int_equal(crypto_digest(CRYPTO_SHA1, NULL, 0, out), wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypto_gcm_agrees_with_wycheproof),
        cmocka_unit_test(crypto_key_wrap_agrees_with_wycheproof),
        cmocka_unit_test(crypto_key_wrap_agrees_with_nist),
        cmocka_unit_test(crypto_gcm_seals_and_opens_a_published_case),
        cmocka_unit_test(crypto_gcm_takes_additional_data_in_any_pieces),
        cmocka_unit_test(crypto_gcm_open_refuses_and_wipes_when_any_bit_differs),
        cmocka_unit_test(crypto_gcm_makes_a_tag_of_no_text),
        cmocka_unit_test(crypto_gcm_refuses_when_the_tag_length_is_out_of_range),
        cmocka_unit_test(crypto_gcm_says_key_or_state_when_called_out_of_order),
        cmocka_unit_test(crypto_digest_agrees_with_nist_when_sha256),
        cmocka_unit_test(crypto_digest_has_no_weak_hash_unless_the_build_asks),
        cmocka_unit_test(crypto_key_wrap_agrees_with_rfc3394),
        cmocka_unit_test(crypto_key_unwrap_wipes_when_any_bit_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
