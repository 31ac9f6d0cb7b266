/* Protection: HLS 5, ciphered APDUs, policy, counters, replay, dedicated key, key transfer. */
#include "tests/lib/cosem/example.h"

#include "lib/crypto/crypto.h"
#include "lib/dlms/axdr_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static struct example x;
static struct peer p;
static struct acse_aare aare;
static uint8_t out[16384];
static size_t len;
static unsigned n_blocks;
static const uint8_t get_energy[] = {0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0};

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static void connect_as(uint16_t sap)
{
    peer_init(&p, &x, sap);
    p.counter = x.server.rx_floor[sap == SAP_MANAGER ? 2 : 3];
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
}

static int get(uint16_t class_id, const uint8_t ln[6], uint8_t attr)
{
    return peer_get(&p, class_id, ln, attr, NULL, out, sizeof out, &len, &n_blocks);
}

static void expect_plain(struct bytes b, const char *answer)
{
    uint8_t a[64];
    size_t m = hex_octets(answer, a, sizeof a);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
}

static void hls5_opens_ciphered_association(void **state)
{
    (void)state;
    connect_as(SAP_MANAGER);
    assert_int_equal(x.n_auth_ok, 1);
    assert_int_equal(get(3, example_energy, 2), 0);
    assert_memory_equal(out, "\x06\x00\x00\x03\xE8", 5);
    assert_int_equal(x.server.rx_floor[2], p.counter);
    assert_int_equal(get(15, (const uint8_t[]){0, 0, 40, 0, 0, 255}, 4), 0);
    assert_memory_equal(out, "\x09\x07\x60\x85\x74\x05\x08\x01\x03", 9);
}

static void hls5_opens_plain_association_where_nothing_more_is_asked(void **state)
{
    (void)state;
    connect_as(SAP_WRITER);
    assert_int_equal(get(3, example_energy, 2), 0);
}

static void hls5_serves_nothing_before_the_proof(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_WRITER);
    struct acse_aarq a = {.context = 1,
                          .title = {p.title, 8},
                          .has_mechanism = true,
                          .mechanism = 5,
                          .secret = {(const uint8_t *)"K56iVagY", 8}};
    assert_int_equal(peer_aarq(&p, &a, &aare), ACSE_ACCEPTED);
    assert_int_equal(aare.diagnostic, ACSE_DIAG_AUTHENTICATION_REQUIRED);
    assert_int_equal(aare.secret.len, COSEM_CHALLENGE_LEN);
    expect_plain(peer_ask(&p, get_energy, sizeof get_energy), "D80101");
    assert_true(peer_hls(&p));
    assert_int_equal(get(3, example_energy, 2), 0);
    assert_false(peer_hls(&p)); /* not a second time */
}

static void hls5_refuses_wrong_proof_and_drops_the_association(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_WRITER);
    p.guek[0] ^= 1;
    assert_int_equal(peer_connect(&p, &aare), 0xFF);
    assert_int_equal(x.session.state, SESSION_IDLE);
    assert_int_equal(x.n_auth_bad, 1);
    p.guek[0] ^= 1;
    x.server.rx_floor[3] = 100; /* a proof with an old counter: recorded somewhere */
    assert_int_equal(peer_connect(&p, &aare), 0xFF);
    assert_int_equal(x.session.state, SESSION_IDLE);
}

static void hls5_refuses_without_randomness(void **state)
{
    (void)state;
    x.rng_result = ERR_RNG;
    peer_init(&p, &x, SAP_WRITER);
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_TRANSIENT);
    assert_int_equal(x.session.state, SESSION_IDLE);
}

static void aarq_with_wrong_key_or_weak_context_is_refused(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_MANAGER);
    p.guek[3] ^= 0x80;
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    assert_int_equal(aare.diagnostic, ACSE_DIAG_AUTHENTICATION_FAILURE);
    peer_init(&p, &x, SAP_MANAGER);
    p.sc = DLMS_SC_ENC;
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    p.sc = 0; /* plain context */
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    assert_int_equal(aare.diagnostic, ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    peer_init(&p, &x, SAP_MANAGER);
    memcpy(p.title, example_server_title, 8); /* our own title */
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    assert_int_equal(aare.diagnostic, ACSE_DIAG_CALLING_TITLE_UNKNOWN);
    assert_int_equal(x.server.rx_floor[2], 0); /* nothing of that moved the floor */
}

static void plain_or_weaker_request_is_refused(void **state)
{
    uint8_t sealed[64];
    (void)state;
    connect_as(SAP_MANAGER);
    expect_plain(peer_raw(&p, get_energy, sizeof get_energy), "D80105");
    p.sc = DLMS_SC_AUTH;
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80105");
    p.sc = DLMS_SC_ENC;
    n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80105");
    p.sc = DLMS_SC_AUTH | DLMS_SC_ENC;
    n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    sealed[2] |= DLMS_SC_BROADCAST;
    expect_plain(peer_raw(&p, sealed, n), "D80105");
    assert_int_equal(get(3, example_energy, 2), 0);
}

static void any_flipped_bit_is_refused(void **state)
{
    uint8_t sealed[64], copy[64];
    (void)state;
    connect_as(SAP_MANAGER);
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    for (size_t bit = 8; bit < n * 8; bit++) { /* the first octet chooses the service */
        memcpy(copy, sealed, n);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct bytes b = peer_raw(&p, copy, n);
        assert_int_equal(b.len, 3);
        assert_int_equal(b.p[0], DLMS_EXCEPTION_RESPONSE);
    }
    assert_int_equal(x.server.rx_floor[2], p.counter - 1);
    assert_int_equal(peer_raw(&p, sealed, n).p[0], 0xCC); /* the genuine one passes */
}

static void replay_is_refused_with_the_counter_expected(void **state)
{
    uint8_t sealed[64], copy[64];
    (void)state;
    connect_as(SAP_MANAGER);
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    memcpy(copy, sealed, n);
    assert_int_equal(peer_raw(&p, sealed, n).p[0], 0xCC);
    struct bytes b = peer_raw(&p, copy, n);
    assert_int_equal(b.len, 7);
    assert_memory_equal(b.p, "\xD8\x01\x06\x00\x00\x00", 6);
    assert_int_equal(b.p[6], p.counter);
    p.counter = UINT32_MAX; /* the last number may never be used: the floor could not rise */
    n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    assert_int_equal(peer_raw(&p, sealed, n).p[2], 0x06);
}

static void other_service_inside_is_refused(void **state)
{
    uint8_t sealed[64];
    (void)state;
    connect_as(SAP_MANAGER);
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    sealed[0] = 0xC9; /* glo-set-request around a GET */
    expect_plain(peer_raw(&p, sealed, n), "D80105");
}

static void counters_of_two_clients_are_apart(void **state)
{
    (void)state;
    connect_as(SAP_WRITER);
    assert_int_equal(x.server.rx_floor[2], 0);
    uint32_t floor = x.server.rx_floor[3];
    assert_true(floor > 0);
    connect_as(SAP_MANAGER);
    assert_int_equal(x.server.rx_floor[3], floor);
    peer_init(&p, &x, SAP_PUBLIC);
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(get(1, (const uint8_t[]){0, 0, 43, 1, 1, 255}, 2), 0);
    assert_memory_equal(out, "\x06\x00\x00\x00", 4);
    assert_int_equal(out[4], x.server.rx_floor[2]);
    assert_int_equal(get(1, (const uint8_t[]){0, 0, 43, 1, 0, 255}, 2), 0);
    assert_int_equal(out[4], x.server.rx_floor[2]);
}

static void counter_exhausted_sends_no_value(void **state)
{
    uint8_t sealed[64];
    (void)state;
    connect_as(SAP_MANAGER);
    x.server.tx.next = x.server.tx.limit = UINT32_MAX;
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80101");
}

static void dedicated_key_protects_its_own_association(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_MANAGER);
    p.dedicated = true;
    memcpy(p.dedicated_key, "a dedicated key!", 16);
    struct acse_aarq a = {.context = 3,
                          .title = {p.title, 8},
                          .has_mechanism = true,
                          .mechanism = 5,
                          .secret = {(const uint8_t *)"K56iVagY", 8}};
    assert_int_equal(peer_aarq(&p, &a, &aare), ACSE_ACCEPTED);
    p.dedicated = false;
    assert_true(peer_hls(&p));
    p.dedicated = true;
    uint32_t floor = x.server.rx_floor[2];
    assert_int_equal(get(3, example_energy, 2), 0);
    assert_int_equal(get(7, example_profile, 4), 0);
    assert_int_equal(x.session.dedicated_rx.next, 2);
    assert_int_equal(x.server.rx_floor[2], floor);
    p.dedicated_counter = 0;
    uint8_t sealed[64];
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    assert_memory_equal(peer_raw(&p, sealed, n).p, "\xD8\x01\x06\x00\x00\x00\x02", 7);
}

static void release_ciphered_or_not(void **state)
{
    uint8_t apdu[128], sealed[64];
    struct acse_release a;
    (void)state;
    connect_as(SAP_MANAGER);
    size_t n = hex_octets("01000000065F1F0400007E1F04B0", apdu, sizeof apdu);
    struct acse_release q = {.has_reason = true};
    q.user_info = (struct bytes){sealed, peer_protect(&p, apdu, n, sealed, sizeof sealed)};
    struct wr w = wr_of(apdu, sizeof apdu);
    acse_put_release(&w, DLMS_RLRQ, &q);
    apdu[w.len - 1] ^= 1; /* forged */
    expect_plain(peer_raw(&p, apdu, w.len), "6303800101");
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
    apdu[w.len - 1] ^= 1;
    struct bytes b = peer_raw(&p, apdu, w.len);
    struct rd r = rd_of(b.p, b.len);
    acse_get_release(&r, DLMS_RLRE, &a);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.reason, 0);
    assert_int_equal(a.user_info.p[0], DLMS_GLO_INITIATE_RESPONSE);
    assert_int_equal(x.session.state, SESSION_IDLE);
    connect_as(SAP_MANAGER);
    expect_plain(peer_raw(&p, "\x62\x00", 2), "6303800100");
}

/* ACTION on the security setup; the action-result. */
static int call_security(uint8_t method, const uint8_t *param, size_t n)
{
    static const uint8_t setup[6] = {0, 0, 43, 0, 0, 255};
    struct apdu_request q = {.tag = DLMS_ACTION_REQUEST,
                             .type = DLMS_ACTION_NORMAL,
                             .invoke = 0xC1,
                             .target = {.class_id = 64, .id = method, .parameter = {param, n}}};
    struct apdu_response a;
    memcpy(q.target.ln, setup, 6);
    struct bytes b = peer_request(&p, &q);
    struct rd r = rd_of(b.p, b.len);
    apdu_get_response(&r, &a);
    return r.err || a.tag != DLMS_ACTION_RESPONSE ? -1 : a.result;
}

static int transfer(uint8_t id, const uint8_t key[16], const uint8_t kek[16])
{
    uint8_t param[64];
    struct wr w = wr_of(param, sizeof param);
    uint8_t wrapped[24];
    assert_int_equal(crypto_key_wrap(kek, key, 16, wrapped), ERR_OK);
    axdr_put_array(&w, 1);
    axdr_put_struct(&w, 2);
    axdr_put_enum(&w, id);
    axdr_put_octets(&w, wrapped, sizeof wrapped);
    return call_security(2, param, w.len);
}

static void key_transfer_takes_effect_after_the_answer(void **state)
{
    static const uint8_t fresh[16] = "sixteen octets..";
    (void)state;
    connect_as(SAP_MANAGER);
    assert_int_equal(transfer(0, fresh, example_gak), COSEM_OTHER_REASON); /* wrong KEK */
    assert_int_equal(transfer(1, fresh, example_kek), COSEM_OTHER_REASON); /* broadcast */
    assert_memory_equal(x.server.keys.guek, example_guek, 16);
    x.store = ERR_IO;
    assert_int_equal(transfer(0, fresh, example_kek), COSEM_TEMPORARY_FAILURE);
    assert_int_equal(get(3, example_energy, 2), 0); /* the old key still counts */
    x.store = ERR_OK;
    assert_int_equal(transfer(0, fresh, example_kek), 0); /* answered under the old key */
    assert_memory_equal(x.server.keys.guek, fresh, 16);
    uint8_t sealed[64];
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80105");
    memcpy(p.guek, fresh, 16);
    assert_int_equal(get(3, example_energy, 2), 0);
}

static void policy_is_only_strengthened(void **state)
{
    static const uint8_t setup[6] = {0, 0, 43, 0, 0, 255};
    (void)state;
    connect_as(SAP_MANAGER);
    assert_int_equal(call_security(1, (const uint8_t[]){AXDR_ENUM, 1}, 2), 0);
    assert_int_equal(x.server.policy, 1);
    assert_int_equal(call_security(1, (const uint8_t[]){AXDR_ENUM, 2}, 2), COSEM_READ_WRITE_DENIED);
    assert_int_equal(call_security(1, (const uint8_t[]){AXDR_ENUM, 4}, 2), COSEM_READ_WRITE_DENIED);
    assert_int_equal(call_security(1, (const uint8_t[]){AXDR_ENUM, 3}, 2), 0);
    assert_int_equal(call_security(1, (const uint8_t[]){AXDR_ENUM, 0}, 2), COSEM_READ_WRITE_DENIED);
    assert_int_equal(x.n_stored, 2);
    assert_int_equal(get(64, setup, 2), 0);
    assert_memory_equal(out, "\x16\x03", 2);
    assert_int_equal(get(64, setup, 4), 0);
    assert_memory_equal(out + 2, example_client_title, 8);
    assert_int_equal(get(64, setup, 5), 0);
    assert_memory_equal(out + 2, example_server_title, 8);
    assert_int_equal(get(64, setup, 3), 0);
    assert_memory_equal(out, "\x16\x00", 2);
}

static void policy_binds_ciphered_associations_only(void **state)
{
    uint8_t sealed[64];
    (void)state;
    x.server.policy = 3;
    peer_init(&p, &x, SAP_PUBLIC);
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED); /* counters stay readable */
    peer_init(&p, &x, SAP_WRITER);
    p.sc = DLMS_SC_AUTH;
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    p.sc = DLMS_SC_AUTH | DLMS_SC_ENC;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    p.sc = DLMS_SC_AUTH;
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80105");
}

static void authenticated_only_answers_stay_readable(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_WRITER);
    p.sc = DLMS_SC_AUTH;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    uint8_t sealed[64];
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    struct bytes b = peer_raw(&p, sealed, n);
    assert_int_equal(b.p[0], 0xCC);
    assert_int_equal(b.p[2], DLMS_SC_AUTH);
    assert_memory_equal(b.p + 7, "\xC4\x01\xC1\x00\x06\x00\x00\x03\xE8", 9);
}

/* An AARQ of the writer in the ciphered context, with user information that nobody could seal. */
static uint8_t aarq_with_forged_initiate(uint8_t sc, uint32_t counter)
{
    uint8_t apdu[128], forged[32] = {DLMS_GLO_INITIATE_REQUEST, 19, sc};
    struct wr w = wr_of(forged + 3, 4);
    wr_u32(&w, counter);
    struct acse_aarq a = {.context = 3,
                          .title = {p.title, 8},
                          .has_mechanism = true,
                          .mechanism = 5,
                          .secret = {(const uint8_t *)"K56iVagY", 8},
                          .user_info = {forged, 21}};
    w = wr_of(apdu, sizeof apdu);
    acse_put_aarq(&w, &a);
    struct bytes b = peer_raw(&p, apdu, w.len);
    struct rd r = rd_of(b.p, b.len);
    acse_get_aare(&r, &aare);
    return r.err ? 0xFF : aare.result;
}

static void forged_text_without_tag_moves_no_floor(void **state)
{
    uint8_t forged[] = {0xC8, 10, DLMS_SC_ENC, 0xFF, 0xFF, 0xFF, 0xFE, 1, 2, 3, 4, 5};
    (void)state;
    x.server.policy = 2; /* encryption alone is then enough */
    peer_init(&p, &x, SAP_WRITER);
    p.sc = DLMS_SC_ENC;
    assert_int_equal(aarq_with_forged_initiate(DLMS_SC_ENC, UINT32_MAX - 1),
                     ACSE_REJECTED_PERMANENT);
    assert_int_equal(x.server.rx_floor[3], 0);
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    uint32_t floor = x.server.rx_floor[3];
    struct bytes b = peer_raw(&p, forged, sizeof forged);
    assert_memory_equal(b.p, "\xD8\x01\x06", 3); /* too far above what was proven */
    assert_int_equal(x.server.rx_floor[3], floor);
    assert_int_equal(floor, p.counter); /* a client that asks for its counter gets a fresh one */
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
}

static void encryption_alone_is_fresh_within_its_association(void **state)
{
    uint8_t sealed[64], copy[64];
    (void)state;
    x.server.policy = 2;
    peer_init(&p, &x, SAP_WRITER);
    p.sc = DLMS_SC_ENC;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(get(3, example_energy, 2), 0);
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    memcpy(copy, sealed, n);
    assert_int_equal(peer_raw(&p, sealed, n).p[0], 0xCC);
    memcpy(sealed, copy, n);
    assert_int_equal(peer_raw(&p, sealed, n).p[2], 0x06); /* a replay */
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(peer_raw(&p, copy, n).p[2], 0x06); /* and in the next association */
    assert_int_equal(get(3, example_energy, 2), 0);
}

static void encryption_alone_needs_hls(void **state)
{
    uint8_t initiate[] = {DLMS_GLO_INITIATE_REQUEST, 6, DLMS_SC_ENC, 0, 0, 0, 9, 0};
    uint8_t apdu[128];
    (void)state;
    x.server.policy = 2;
    peer_init(&p, &x, SAP_PUBLIC);
    for (unsigned octet = 0; octet < 256; octet++) { /* one of them deciphers to the right tag */
        initiate[7] = (uint8_t)octet;
        struct acse_aarq a = {
            .context = 3, .title = {p.title, 8}, .user_info = {initiate, sizeof initiate}};
        struct wr w = wr_of(apdu, sizeof apdu);
        acse_put_aarq(&w, &a);
        struct bytes b = peer_raw(&p, apdu, w.len);
        struct rd r = rd_of(b.p, b.len);
        acse_get_aare(&r, &aare);
        assert_int_equal(aare.diagnostic, ACSE_DIAG_AUTHENTICATION_FAILURE);
    }
    assert_int_equal(x.server.rx_floor[0], 0);
}

static void dedicated_key_needs_a_proven_initiate(void **state)
{
    (void)state;
    x.server.policy = 2;
    peer_init(&p, &x, SAP_WRITER);
    p.sc = DLMS_SC_ENC;
    p.dedicated = true;
    memcpy(p.dedicated_key, "a dedicated key!", 16);
    struct acse_aarq a = {.context = 3,
                          .title = {p.title, 8},
                          .has_mechanism = true,
                          .mechanism = 5,
                          .secret = {(const uint8_t *)"K56iVagY", 8}};
    assert_int_equal(peer_aarq(&p, &a, &aare), ACSE_ACCEPTED);
    assert_false(x.session.has_dedicated); /* passed over */
    p.sc = DLMS_SC_ENC | DLMS_SC_AUTH;
    assert_int_equal(peer_aarq(&p, &a, &aare), ACSE_ACCEPTED);
    assert_true(x.session.has_dedicated);
}

static void secrets_of_an_association_are_gone_when_it_began_or_ended(void **state)
{
    static const char key[] = "a dedicated key!", password[] = "12345678";
    uint8_t none[sizeof x.session.gbt.store] = {0};
    (void)state;
    peer_init(&p, &x, SAP_MANAGER);
    p.sc = DLMS_SC_AUTH | DLMS_SC_ENC;
    p.dedicated = true;
    memcpy(p.dedicated_key, key, 16);
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_true(x.session.has_dedicated);
    for (size_t i = 0; i + 16 <= sizeof x.session.rx_buf; i++)
        assert_memory_not_equal(x.session.rx_buf + i, key, 16);
    memset(x.session.gbt.store, 0xAA, sizeof x.session.gbt.store); /* of a request by blocks */
    assert_int_equal(crypto_gcm_key(&x.session.gbt.seal, x.session.dedicated_key), ERR_OK);
    session_disconnect(&x.session);
    assert_false(x.session.gbt.seal.ready);
    assert_memory_equal(x.session.gbt.store, none, sizeof none);
    uint8_t aarq[128];
    struct acse_aarq a = {.context = DLMS_CONTEXT_LN,
                          .has_mechanism = true,
                          .mechanism = DLMS_MECHANISM_LLS,
                          .secret = {(const uint8_t *)password, 8},
                          .user_info = {(const uint8_t *)"\x01", 1}};
    struct wr w = wr_of(aarq, sizeof aarq);
    acse_put_aarq(&w, &a);
    session_apdu(&x.session, SAP_READER, 1, aarq, w.len);
    assert_true(session_answer(&x.session).len > 0);
    for (size_t i = 0; i + 8 <= w.len; i++)
        assert_memory_not_equal(aarq + i, password, 8);
}

static void ciphered_request_is_refused_in_the_plain_context(void **state)
{
    uint8_t sealed[64];
    (void)state;
    connect_as(SAP_WRITER);
    uint32_t floor = x.server.rx_floor[3];
    p.sc = DLMS_SC_AUTH | DLMS_SC_ENC;
    size_t n = peer_protect(&p, get_energy, sizeof get_energy, sealed, sizeof sealed);
    expect_plain(peer_raw(&p, sealed, n), "D80105");
    assert_int_equal(x.server.rx_floor[3], floor);
}

static void key_transfer_changes_nothing_when_it_cannot_be_told(void **state)
{
    static const uint8_t fresh[16] = "sixteen octets..";
    (void)state;
    connect_as(SAP_MANAGER);
    x.tell = ERR_IO;
    assert_int_equal(transfer(0, fresh, example_kek), COSEM_TEMPORARY_FAILURE);
    assert_int_equal(x.n_stored, 0);
    assert_memory_equal(x.server.keys.guek, example_guek, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hls5_opens_ciphered_association, start),
        cmocka_unit_test_setup(hls5_opens_plain_association_where_nothing_more_is_asked, start),
        cmocka_unit_test_setup(hls5_serves_nothing_before_the_proof, start),
        cmocka_unit_test_setup(hls5_refuses_wrong_proof_and_drops_the_association, start),
        cmocka_unit_test_setup(hls5_refuses_without_randomness, start),
        cmocka_unit_test_setup(aarq_with_wrong_key_or_weak_context_is_refused, start),
        cmocka_unit_test_setup(plain_or_weaker_request_is_refused, start),
        cmocka_unit_test_setup(any_flipped_bit_is_refused, start),
        cmocka_unit_test_setup(replay_is_refused_with_the_counter_expected, start),
        cmocka_unit_test_setup(other_service_inside_is_refused, start),
        cmocka_unit_test_setup(counters_of_two_clients_are_apart, start),
        cmocka_unit_test_setup(counter_exhausted_sends_no_value, start),
        cmocka_unit_test_setup(dedicated_key_protects_its_own_association, start),
        cmocka_unit_test_setup(release_ciphered_or_not, start),
        cmocka_unit_test_setup(key_transfer_takes_effect_after_the_answer, start),
        cmocka_unit_test_setup(policy_is_only_strengthened, start),
        cmocka_unit_test_setup(policy_binds_ciphered_associations_only, start),
        cmocka_unit_test_setup(authenticated_only_answers_stay_readable, start),
        cmocka_unit_test_setup(forged_text_without_tag_moves_no_floor, start),
        cmocka_unit_test_setup(encryption_alone_is_fresh_within_its_association, start),
        cmocka_unit_test_setup(encryption_alone_needs_hls, start),
        cmocka_unit_test_setup(dedicated_key_needs_a_proven_initiate, start),
        cmocka_unit_test_setup(secrets_of_an_association_are_gone_when_it_began_or_ended, start),
        cmocka_unit_test_setup(ciphered_request_is_refused_in_the_plain_context, start),
        cmocka_unit_test_setup(key_transfer_changes_nothing_when_it_cannot_be_told, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
