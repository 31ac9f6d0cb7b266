/* The proofs of HLS 2 to 6. This file is compiled twice: as the library is built, and with the weak
 * hashes of HLS 3 and 4.
 *
 * Sources: HLS 5: Green Book, Ed. 8, table 43, as quoted in the unit tests of jDLMS and dlms-cosem
 * (u9n), and one association recorded between the Gurux Python client and the Gurux C server. HLS
 * 3, 4 and 6 have formulas only (Green Book 9.2.7.4); their values here are the digests of those
 * octets made with Python's hashlib. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/hls.h"
#include "tests/lib/hex.h"

static const uint8_t title_c[8] = {0x4D, 0x4D, 0x4D, 0, 0, 0, 0, 1};
static const uint8_t title_s[8] = {0x4D, 0x4D, 0x4D, 0, 0, 0xBC, 0x61, 0x4E};
static const struct bytes ctos = {(const uint8_t *)"K56iVagY", 8};
static const struct bytes stoc = {(const uint8_t *)"P6wRJ21F", 8};

/* The client's proof; the server's where server_proves. */
static struct dlms_hls proof_of(bool server_proves)
{
    return (struct dlms_hls){.secret = {(const uint8_t *)"an HLS secret", 13},
                             .challenge = server_proves ? ctos : stoc,
                             .own_challenge = server_proves ? stoc : ctos,
                             .prover = server_proves ? title_s : title_c,
                             .verifier = server_proves ? title_c : title_s};
}

/* m makes `want`, takes it, and nothing that differs in a bit or in length. */
static void expect_proof(const struct dlms_hls_method *m, struct dlms_hls *h, const char *want)
{
    uint8_t f[DLMS_HLS_MAX + 1] = {0}, right[DLMS_HLS_MAX];
    size_t len = 0, n = hex_octets(want, right, sizeof right);
    assert_int_equal(m->make(h, f, &len), ERR_OK);
    assert_int_equal(len, n);
    assert_memory_equal(f, right, n);
    assert_int_equal(m->check(h, (struct bytes){f, n}), ERR_OK);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        f[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(m->check(h, (struct bytes){f, n}), ERR_TAG);
        f[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t k = 0; k <= n + 1; k++) {
        if (k != n)
            assert_int_equal(m->check(h, (struct bytes){f, k}), ERR_TAG);
    }
}

static void hls6_hashes_secret_titles_and_challenges_in_order(void **state)
{
    (void)state;
    struct dlms_hls client = proof_of(false), server = proof_of(true);
    expect_proof(&dlms_hls6, &client,
                 "ee61b0437b8e417ce71012c83798002d0870afa64f7805edb236f0ece112f11e");
    expect_proof(&dlms_hls6, &server,
                 "d742e77815b3605f7926b9f05505c88904dea9c33c95bd8402a2ab9364af9894");
}

static void hls3_and_4_hash_challenge_and_secret(void **state)
{
    (void)state;
    struct dlms_hls client = proof_of(false), server = proof_of(true);
#ifdef CRYPTO_WITH_WEAK_HASH
    expect_proof(&dlms_hls3, &client, "6ec448ba465c92982919d3f802c48bbc");
    expect_proof(&dlms_hls3, &server, "b7d79b683a1de9b706117461972e4f04");
    expect_proof(&dlms_hls4, &client, "dd6728c2f236e4ae197751bb9d9fdb2880b5dad0");
    expect_proof(&dlms_hls4, &server, "fdd6f3324ab87b07d8940ef3659d648dba996339");
#else
    uint8_t f[DLMS_HLS_MAX];
    size_t len;
    assert_int_equal(dlms_hls3.make(&client, f, &len), ERR_UNSUPPORTED);
    assert_int_equal(dlms_hls4.make(&server, f, &len), ERR_UNSUPPORTED);
    assert_int_equal(dlms_hls3.check(&client, (struct bytes){f, 16}), ERR_UNSUPPORTED);
    assert_int_equal(dlms_hls4.check(&server, (struct bytes){f, 20}), ERR_UNSUPPORTED);
#endif
}

static const struct {
    const char *title, *challenge, *f;
} gmac[] = {
    {"4D4D4D0000000001", "503677524A323146", "10000000011A52FE7DD3E72748973C1E28"},
    {"4D4D4D0000BC614E", "4B35366956616759", "1001234567FE1466AFB3DBCD4F9389E2B7"},
    {"4775727578313233", "70389CCE67B359AC56AB552A158A4522", "10000000039B7160E66A6400C66A70A53A"},
    {"4142434445464748", "FB29C0CB11FDEE33FBFCD0D0BE345484", "10000000029E9A0F9FC5EE4D97EC97285F"},
};

static void hls5_makes_and_takes_the_published_proofs(void **state)
{
    (void)state;
    uint8_t ek[16], ak[16], title[8], challenge[16], f[17];
    struct crypto_gcm gcm = {.ready = false};
    hex_octets("000102030405060708090A0B0C0D0E0F", ek, 16);
    hex_octets("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF", ak, 16);
    assert_int_equal(crypto_gcm_key(&gcm, ek), ERR_OK);
    for (size_t i = 0; i < sizeof gmac / sizeof gmac[0]; i++) {
        hex_octets(gmac[i].title, title, sizeof title);
        size_t n = hex_octets(gmac[i].challenge, challenge, sizeof challenge);
        hex_octets(gmac[i].f, f, sizeof f);
        uint32_t counter = (uint32_t)f[1] << 24 | (uint32_t)f[2] << 16 | (uint32_t)f[3] << 8 | f[4];
        struct dlms_hls h = {.challenge = {challenge, n},
                             .prover = title,
                             .gcm = &gcm,
                             .ak = ak,
                             .counter = counter};
        expect_proof(&dlms_hls5, &h, gmac[i].f);
        h.counter = 0;
        assert_int_equal(dlms_hls5.check(&h, (struct bytes){f, sizeof f}), ERR_OK);
        assert_int_equal(h.counter, counter);
    }
    crypto_gcm_end(&gcm);
}

/* A toy in place of a manufacturer's algorithm: each octet of the challenge plus the secret's. */
static enum err toy(void *context, struct bytes secret, struct bytes challenge, uint8_t *out,
                    size_t *len)
{
    *len = challenge.len;
    for (size_t i = 0; i < challenge.len; i++)
        out[i] = (uint8_t)(challenge.p[i] + secret.p[i % secret.len]);
    return *(enum err *)context;
}

static void hls2_asks_the_callers_algorithm_and_refuses_without(void **state)
{
    (void)state;
    uint8_t f[DLMS_HLS_MAX], long_one[DLMS_HLS_MAX + 1] = {0};
    size_t len;
    enum err err = ERR_OK;
    struct dlms_hls h = proof_of(false);
    assert_int_equal(dlms_hls2.make(&h, f, &len), ERR_UNSUPPORTED);
    assert_int_equal(dlms_hls2.check(&h, (struct bytes){f, 8}), ERR_UNSUPPORTED);
    h.algorithm = toy;
    h.context = &err;
    h.secret = (struct bytes){(const uint8_t *)"\x01", 1};
    expect_proof(&dlms_hls2, &h,
                 "51377853"
                 "4B333247");
    err = ERR_IO;
    assert_int_equal(dlms_hls2.make(&h, f, &len), ERR_IO);
    err = ERR_OK;
    h.challenge = (struct bytes){long_one, 0};
    assert_int_equal(dlms_hls2.make(&h, f, &len), ERR_RANGE);
}

static void hls_says_key_when_something_is_missing(void **state)
{
    (void)state;
    const struct dlms_hls_method *const methods[] = {&dlms_hls2, &dlms_hls3, &dlms_hls4, &dlms_hls5,
                                                     &dlms_hls6};
    enum err err = ERR_OK;
    uint8_t f[DLMS_HLS_MAX];
    size_t len;
    for (size_t i = 0; i < 5; i++) {
        struct dlms_hls h = proof_of(false);
        h.algorithm = toy;
        h.context = &err;
        h.secret.len = 0;
        assert_int_equal(methods[i]->make(&h, f, &len), ERR_KEY);
        if (methods[i]->needs_titles) {
            h = proof_of(false);
            h.prover = NULL;
            assert_int_equal(methods[i]->make(&h, f, &len), ERR_KEY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hls6_hashes_secret_titles_and_challenges_in_order),
        cmocka_unit_test(hls3_and_4_hash_challenge_and_secret),
        cmocka_unit_test(hls5_makes_and_takes_the_published_proofs),
        cmocka_unit_test(hls2_asks_the_callers_algorithm_and_refuses_without),
        cmocka_unit_test(hls_says_key_when_something_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
