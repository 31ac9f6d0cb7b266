/* The client engine over its public calls: recorded and scripted answers, hostile ones, and our own
 * server in the same process. The recording is of another maker's client and server (suite 0, HLS 5
 * over the wrapper; the Green Book's example keys). */
#include "lib/cosem/client.h"
#include "tests/lib/cosem/example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define RECORDED_AARE                                                                              \
    "6169A109060760857405080103A203020100A305A10302010EA40A04084142434445464748880207808907608574" \
    "05"                                                                                           \
    "080205AA12801070389CCE67B359AC56AB552A158A4522BE230421281F300000000016584D6F2BF43753196DDA50" \
    "81"                                                                                           \
    "772032C147D3DFA1E4C911852D"
#define RECORDED_PROOF                                                                             \
    "CF2A30000000039F75D068ACA8595F4B1553F0B11E154E5E6C361DC3F154C281AF88A272DBF7783C205DB3B5"
#define RECORDED_CTOS "FB29C0CB11FDEE33FBFCD0D0BE345484"
#define PUBLIC_AARE                                                                                \
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D04C80007"

static struct cosem_client c;
static struct dlms_keys keys;
static struct dlms_counter counter;
static struct example x;

/* What the sink got. */
static uint8_t got[65536];
static size_t got_len, got_limit;
static unsigned n_done;
static uint32_t last_index;
static enum cosem_result last_result;

static bool take_part(void *context, uint32_t index, struct bytes part)
{
    (void)context;
    last_index = index;
    if (got_len + part.len > got_limit)
        return false;
    memcpy(got + got_len, part.p, part.len);
    got_len += part.len;
    return true;
}

static void take_done(void *context, uint32_t index, enum cosem_result result)
{
    (void)context;
    last_index = index;
    last_result = result;
    n_done++;
}

static const struct cosem_client_sink sink = {.data = take_part, .done = take_done};

static enum err recorded_random(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    assert_int_equal(n, 16);
    assert_int_equal(hex_octets(RECORDED_CTOS, to, n), n);
    return ERR_OK;
}

static enum err no_random(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    (void)to;
    (void)n;
    return ERR_RNG;
}

static const struct hal_rng recorded_rng = {.fill = recorded_random};
static const struct hal_rng broken_rng = {.fill = no_random};

/* The client of the last test may be in the midst of an association. */
static enum err client_init(const struct cosem_client_config *k)
{
    cosem_client_end(&c);
    return cosem_client_init(&c, k);
}

static int start(void **state)
{
    (void)state;
    got_len = n_done = 0;
    got_limit = sizeof got;
    counter = (struct dlms_counter){.next = 1};
    keys.has_guek = keys.has_gak = true;
    hex_octets("000102030405060708090A0B0C0D0E0F", keys.guek, 16);
    hex_octets("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF", keys.gak, 16);
    return 0;
}

static struct cosem_client_config public_config(void)
{
    return (struct cosem_client_config){.client_sap = 16, .server_sap = 1, .timeout_ms = 1000};
}

static struct cosem_client_config recorded_config(void)
{
    struct cosem_client_config k = {.client_sap = 1,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_HLS5,
                                    .security = DLMS_SC_AUTH | DLMS_SC_ENC,
                                    .keys = &keys,
                                    .counter = &counter,
                                    .rng = &recorded_rng};
    hex_octets("4775727578313233", k.title, sizeof k.title);
    return k;
}

/* Takes what goes out; gives the APDU behind the wrapper header. */
static struct bytes sent(void)
{
    static uint8_t out[4096];
    const size_t n = cosem_client_take(&c, out, sizeof out);
    assert_true(n > WRAPPER_HEAD_LEN);
    assert_int_equal((size_t)out[6] << 8 | out[7], n - WRAPPER_HEAD_LEN);
    return (struct bytes){out + WRAPPER_HEAD_LEN, n - WRAPPER_HEAD_LEN};
}

static void answer_octets(const uint8_t *apdu, size_t n)
{
    uint8_t frame[4096];
    struct wr w = wr_of(frame, sizeof frame);
    wrapper_put_head(&w, c.config.server_sap, c.config.client_sap, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    assert_int_equal(w.err, ERR_OK);
    (void)cosem_client_feed(&c, 0, frame, w.len);
}

static void answer(const char *hex)
{
    uint8_t apdu[2048];
    answer_octets(apdu, hex_octets(hex, apdu, sizeof apdu));
}

static void connect_public(void)
{
    const struct cosem_client_config k = public_config();
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(PUBLIC_AARE);
    assert_int_equal(c.state, CLIENT_READY);
}

static void begin_get(void)
{
    const struct apdu_attr attr = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    connect_public();
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_OK);
    (void)sent();
}

static void expect_failure(enum err err, enum cosem_client_why why)
{
    assert_int_equal(c.failure.why, why);
    assert_int_equal(c.failure.err, err);
    assert_int_equal(c.state, CLIENT_FAILED);
}

static void expect_explanation(const char *part)
{
    char text[256];
    const size_t n = cosem_client_explain(&c, text, sizeof text);
    assert_int_equal(n, strlen(text));
    if (strstr(text, part) == NULL)
        fail_msg("'%s' does not say '%s'", text, part);
}

static void expect_got(const char *hex)
{
    uint8_t wanted[256];
    const size_t n = hex_octets(hex, wanted, sizeof wanted);
    assert_int_equal(got_len, n);
    assert_memory_equal(got, wanted, n);
}

/* ---- association ---- */

static void client_asks_for_logical_names_when_public(void **state)
{
    (void)state;
    const struct cosem_client_config k = public_config();
    struct acse_aarq a = {0};
    struct dlms_initiate i = {0};
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    const struct bytes apdu = sent();
    struct rd r = rd_of(apdu.p, apdu.len);
    acse_get_aarq(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.context, DLMS_CONTEXT_LN);
    assert_false(a.has_mechanism);
    assert_int_equal(a.title.len, 0);
    r = rd_of(a.user_info.p, a.user_info.len);
    initiate_get_request(&r, &i);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(i.max_pdu, COSEM_CLIENT_PDU_MAX);
    assert_true((i.conformance & DLMS_CONF_GET) != 0);
}

static void client_sends_password_when_lls(void **state)
{
    (void)state;
    struct cosem_client_config k = public_config();
    struct acse_aarq a = {0};
    k.mechanism = DLMS_MECHANISM_LLS;
    assert_int_equal(client_init(&k), ERR_KEY);
    k.password = "Gurux";
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    const struct bytes apdu = sent();
    struct rd r = rd_of(apdu.p, apdu.len);
    acse_get_aarq(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.mechanism, DLMS_MECHANISM_LLS);
    assert_int_equal(a.secret.len, 5);
    assert_memory_equal(a.secret.p, "Gurux", 5);
}

static void client_follows_recorded_hls5_when_replayed(void **state)
{
    (void)state;
    const struct cosem_client_config k = recorded_config();
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(RECORDED_AARE);
    assert_int_equal(c.state, CLIENT_AUTHENTICATING);
    assert_memory_equal(c.server_title, "ABCDEFGH", 8);
    assert_int_equal(c.server_max_pdu, 512);
    assert_int_equal(sent().p[0], DLMS_ACTION_REQUEST + DLMS_GLO_OFFSET);
    answer(RECORDED_PROOF);
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(c.rx_floor, 4);
}

static void client_fails_when_recorded_answer_has_a_bit_flipped(void **state)
{
    (void)state;
    uint8_t apdu[128];
    const size_t n = hex_octets(RECORDED_PROOF, apdu, sizeof apdu);
    const struct cosem_client_config k = recorded_config();
    for (size_t bit = 0; bit < 8 * n; bit++) {
        uint8_t bad[128];
        memcpy(bad, apdu, n);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        counter.next = 1;
        assert_int_equal(client_init(&k), ERR_OK);
        assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
        (void)sent();
        answer(RECORDED_AARE);
        (void)sent();
        answer_octets(bad, n);
        assert_int_not_equal(c.state, CLIENT_READY);
    }
}

static void client_fails_when_server_does_not_know_the_challenge(void **state)
{
    (void)state;
    /* right keys, right form, but the proof of another challenge: the recorded one, replayed */
    const struct cosem_client_config k = recorded_config();
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(RECORDED_AARE);
    (void)sent();
    c.ctos[0] ^= 1;
    answer(RECORDED_PROOF);
    expect_failure(ERR_TAG, CLIENT_WHY_HLS);
    expect_explanation("authentication: ");
}

static void client_fails_when_counter_of_server_goes_back(void **state)
{
    (void)state;
    struct cosem_client_config k = recorded_config();
    k.rx_floor = 1; /* the recorded AARE has 0 */
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(RECORDED_AARE);
    expect_failure(ERR_REPLAY, CLIENT_WHY_COUNTER);
}

static void client_refuses_own_title_when_server_mirrors_it(void **state)
{
    (void)state;
    struct cosem_client_config k = recorded_config();
    memcpy(k.title, "ABCDEFGH", 8);
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(RECORDED_AARE);
    expect_failure(ERR_FORMAT, CLIENT_WHY_NO_TITLE);
}

static void client_refuses_plain_answer_when_protection_was_asked(void **state)
{
    (void)state;
    const struct cosem_client_config k = recorded_config();
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer(RECORDED_AARE);
    (void)sent();
    answer("C701C1000100091110000000029E9A0F9FC5EE4D97EC97285F"); /* the plain text of the proof */
    expect_failure(ERR_ACCESS, CLIENT_WHY_WEAK);
}

static void client_says_authentication_when_password_is_wrong(void **state)
{
    (void)state;
    const struct cosem_client_config k = public_config();
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    (void)sent();
    answer("6117A109060760857405080101A203020101A305A10302010D");
    expect_failure(ERR_TAG, CLIENT_WHY_REFUSED);
    expect_explanation("authentication-failure");
}

static void client_sends_nothing_when_randomness_fails(void **state)
{
    (void)state;
    uint8_t out[16];
    struct cosem_client_config k = recorded_config();
    k.rng = &broken_rng;
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_RNG);
    assert_int_equal(c.state, CLIENT_CLOSED);
    assert_int_equal(cosem_client_take(&c, out, sizeof out), 0);
}

static void client_never_succeeds_when_aare_is_truncated(void **state)
{
    (void)state;
    uint8_t apdu[256];
    const char *const recordings[] = {PUBLIC_AARE, RECORDED_AARE};
    for (int i = 0; i < 2; i++) {
        const struct cosem_client_config k = i == 0 ? public_config() : recorded_config();
        const size_t n = hex_octets(recordings[i], apdu, sizeof apdu);
        for (size_t cut = 1; cut < n; cut++) { /* a frame without an APDU is dropped */
            assert_int_equal(client_init(&k), ERR_OK);
            assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
            (void)sent();
            answer_octets(apdu, cut);
            assert_int_equal(c.state, CLIENT_FAILED);
        }
    }
}

/* ---- GET ---- */

static void client_hands_on_value_when_answer_is_normal(void **state)
{
    (void)state;
    begin_get();
    answer("C401C1000600003039");
    assert_int_equal(c.state, CLIENT_READY);
    expect_got("0600003039");
    assert_int_equal(n_done, 1);
    assert_int_equal(last_result, COSEM_SUCCESS);
}

static void client_reads_alike_when_fed_octet_by_octet(void **state)
{
    (void)state;
    uint8_t frame[64];
    begin_get();
    const size_t n = hex_octets("0001000100100009C401C1000600003039", frame, sizeof frame);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(cosem_client_feed(&c, 0, frame + i, 1), 1);
    expect_got("0600003039");
    assert_int_equal(c.state, CLIENT_READY);
}

static void client_never_succeeds_when_answer_is_truncated(void **state)
{
    (void)state;
    uint8_t apdu[64];
    const size_t n = hex_octets("C401C1000202090601000108 00FF0600003039", apdu, sizeof apdu);
    for (size_t cut = 1; cut < n; cut++) { /* a frame without an APDU is dropped */
        begin_get();
        answer_octets(apdu, cut);
        assert_int_equal(c.state, CLIENT_FAILED);
        assert_int_equal(n_done, 0);
    }
}

static void client_refuses_answer_when_octets_follow_the_value(void **state)
{
    (void)state;
    begin_get();
    answer("C401C100060000303900");
    assert_int_equal(c.state, CLIENT_FAILED);
}

static void client_tells_refusal_when_object_is_undefined(void **state)
{
    (void)state;
    begin_get();
    answer("C401C10104");
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(n_done, 1);
    assert_int_equal(last_result, COSEM_OBJECT_UNDEFINED);
    assert_int_equal(got_len, 0);
}

static void client_refuses_success_without_a_value(void **state)
{
    (void)state;
    begin_get();
    answer("C401C10100");
    assert_int_equal(c.failure.why, CLIENT_WHY_VALUE);
    assert_int_equal(n_done, 0);
    begin_get();
    answer("C402C1000000000100030102 09");
    (void)sent();
    answer("C402C100000000020100"); /* the second block: data-access-result success */
    assert_int_equal(c.state, CLIENT_FAILED);
    assert_int_equal(c.failure.why, CLIENT_WHY_VALUE);
    assert_int_equal(n_done, 0);
}

static void client_joins_blocks_when_value_is_long(void **state)
{
    (void)state;
    begin_get();
    answer("C402C1000000000100030102 09"); /* the length of the octet-string comes with the next */
    assert_int_equal(c.state, CLIENT_GETTING);
    const struct bytes next = sent();
    assert_int_equal(next.len, 7);
    assert_memory_equal(next.p, "\xC0\x02\xC1\x00\x00\x00\x01", 7);
    answer("C402C10000000002000403AABBCC");
    (void)sent();
    answer("C402C10100000003000400020102"); /* ... array of two: os, then not yet ended */
    assert_int_equal(c.state, CLIENT_FAILED);
    assert_int_equal(c.failure.why, CLIENT_WHY_VALUE);
}

static void client_ends_when_last_block_ends_the_value(void **state)
{
    (void)state;
    begin_get();
    answer("C402C10000000001000301 0209");
    (void)sent();
    answer("C402C1000000000200 0403AABBCC");
    (void)sent();
    answer("C402C1010000000300020F05");
    assert_int_equal(c.state, CLIENT_READY);
    expect_got("01020903AABBCC0F05");
    assert_int_equal(n_done, 1);
}

static void client_fails_when_block_is_repeated_or_skipped(void **state)
{
    (void)state;
    static const char *const bad[] = {"C402C1000000000100010F", "C402C1000000000300010F",
                                      "C402C1000000000000010F", "C402C100000000020000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin_get();
        answer("C402C10000000001000101");
        (void)sent();
        answer(bad[i]);
        expect_failure(ERR_FORMAT, CLIENT_WHY_BLOCK);
    }
}

static void client_fails_when_meter_hangs_up_mid_block(void **state)
{
    (void)state;
    begin_get();
    answer("C402C10000000001000301 0209");
    (void)sent();
    cosem_client_lost(&c);
    expect_failure(ERR_CLOSED, CLIENT_WHY_CLOSED);
    expect_explanation("reading: the meter closed");
    assert_int_equal(n_done, 0);
}

static void client_stops_when_sink_has_no_room(void **state)
{
    (void)state;
    begin_get();
    got_limit = 2;
    answer("C401C1000600003039");
    expect_failure(ERR_FULL, CLIENT_WHY_SINK);
}

static void client_reads_list_when_some_are_refused(void **state)
{
    (void)state;
    const struct apdu_attr attrs[3] = {
        {.class_id = 1, .id = 2}, {.class_id = 1, .id = 3}, {.id = 1}};
    connect_public();
    assert_int_equal(cosem_client_get_list(&c, 0, attrs, 3, &sink), ERR_OK);
    (void)sent();
    answer("C403C103 001105 0103 00120006");
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(n_done, 3);
    expect_got("1105120006");
}

static void client_reads_list_when_it_comes_in_blocks(void **state)
{
    (void)state;
    const struct apdu_attr attrs[2] = {{.class_id = 1, .id = 2}, {.class_id = 1, .id = 3}};
    connect_public();
    assert_int_equal(cosem_client_get_list(&c, 0, attrs, 2, &sink), ERR_OK);
    (void)sent();
    answer("C402C1000000000100 03 020011");
    (void)sent();
    answer("C402C1010000000200 03 050103");
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(n_done, 2);
    assert_int_equal(last_result, COSEM_READ_WRITE_DENIED);
    expect_got("1105");
}

static void client_fails_when_list_has_another_length(void **state)
{
    (void)state;
    const struct apdu_attr attrs[2] = {{.class_id = 1, .id = 2}, {.class_id = 1, .id = 3}};
    connect_public();
    assert_int_equal(cosem_client_get_list(&c, 0, attrs, 2, &sink), ERR_OK);
    (void)sent();
    answer("C403C101 001105");
    assert_int_equal(c.state, CLIENT_FAILED);
}

/* ---- SET, ACTION, line ---- */

static void client_tells_result_when_set_is_answered(void **state)
{
    (void)state;
    const struct apdu_attr attr = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .id = 3};
    const uint8_t value[] = {0x10, 0xFF, 0xC4};
    connect_public();
    assert_int_equal(cosem_client_set(&c, 0, &attr, (struct bytes){value, 3}, &sink), ERR_OK);
    const struct bytes apdu = sent();
    assert_memory_equal(apdu.p, "\xC1\x01\xC1\x00\x08\x00\x00\x01\x00\x00\xFF\x03\x00\x10\xFF\xC4",
                        16);
    answer("C501C103");
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(last_result, COSEM_READ_WRITE_DENIED);
}

static void client_hands_on_return_value_when_method_gives_one(void **state)
{
    (void)state;
    const struct apdu_attr method = {.class_id = 9, .ln = {0, 0, 10, 0, 0, 255}, .id = 1};
    connect_public();
    assert_int_equal(cosem_client_action(&c, 0, &method, &sink), ERR_OK);
    (void)sent();
    answer("C701C1000100 0902AABB");
    assert_int_equal(c.state, CLIENT_READY);
    expect_got("0902AABB");
    assert_int_equal(last_result, COSEM_SUCCESS);
    assert_int_equal(n_done, 1);
}

static void client_stays_associated_when_service_is_refused(void **state)
{
    (void)state;
    begin_get();
    answer("D80102");
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(c.failure.err, ERR_REFUSED);
    expect_explanation("exception");
    assert_int_equal(n_done, 0);
}

static void client_fails_when_no_answer_comes_in_time(void **state)
{
    (void)state;
    begin_get();
    assert_int_equal(cosem_client_poll(&c, 999), 1000);
    assert_int_equal(c.state, CLIENT_GETTING);
    assert_int_equal(cosem_client_poll(&c, 1000), UINT64_MAX);
    expect_failure(ERR_TIMEOUT, CLIENT_WHY_TIMEOUT);
}

static void client_connects_again_when_it_failed(void **state)
{
    (void)state;
    begin_get();
    (void)cosem_client_poll(&c, 5000);
    assert_int_equal(cosem_client_connect(&c, 5000), ERR_OK);
    (void)sent();
    answer(PUBLIC_AARE);
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(c.failure.err, ERR_OK);
}

static void client_ignores_notification_when_waiting(void **state)
{
    (void)state;
    begin_get();
    answer("0F0000000100 1105");
    assert_int_equal(c.state, CLIENT_GETTING);
    answer("C401C1001105");
    assert_int_equal(c.state, CLIENT_READY);
    expect_got("1105");
}

static void client_fails_when_frame_is_for_others_or_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"0001000100110004C401C104", "0002000100100004C401C104",
                                      "00010001001009FF"};
    uint8_t frame[32];
    for (int i = 0; i < 3; i++) {
        begin_get();
        (void)cosem_client_feed(&c, 0, frame, hex_octets(bad[i], frame, sizeof frame));
        expect_failure(ERR_FORMAT, CLIENT_WHY_FRAME);
    }
}

static void client_refuses_operation_when_not_associated(void **state)
{
    (void)state;
    const struct cosem_client_config k = public_config();
    const struct apdu_attr attr = {.class_id = 1, .id = 2};
    assert_int_equal(client_init(&k), ERR_OK);
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_STATE);
    begin_get();
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_STATE);
}

static void client_refuses_request_when_meter_cannot_take_it(void **state)
{
    (void)state;
    const struct apdu_attr attr = {.class_id = 1, .id = 2};
    uint8_t value[1300] = {0x09, 0x82, 0x05, 0x10};
    connect_public();                      /* the meter takes 1224 octets ... */
    c.conformance &= ~DLMS_CONF_BLOCK_SET; /* ... and no blocks */
    assert_int_equal(cosem_client_set(&c, 0, &attr, (struct bytes){value, 1300}, &sink), ERR_FULL);
    assert_int_equal(c.state, CLIENT_READY);
    value[2] = 4; /* 1040 octets of content: fits */
    assert_int_equal(cosem_client_set(&c, 0, &attr, (struct bytes){value, 1044}, &sink), ERR_OK);
}

/* ---- with our own server ---- */

/* Moves octets both ways until neither side has any. */
static void converse(void)
{
    uint8_t out[512];
    size_t n;
    for (bool moved = true; moved;) {
        moved = false;
        while ((n = cosem_client_take(&c, out, sizeof out)) > 0) {
            assert_int_equal(session_feed(&x.session, out, n), n);
            moved = true;
        }
        while ((n = session_take(&x.session, out, sizeof out)) > 0) {
            (void)cosem_client_feed(&c, 0, out, n);
            moved = true;
        }
    }
}

static struct cosem_client_config manager_config(void)
{
    struct cosem_client_config k = {.client_sap = SAP_MANAGER,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_HLS5,
                                    .security = DLMS_SC_AUTH | DLMS_SC_ENC,
                                    .keys = &keys,
                                    .counter = &counter};
    memcpy(k.title, example_client_title, sizeof k.title);
    memcpy(keys.guek, example_guek, 16);
    memcpy(keys.gak, example_gak, 16);
    k.rng = &x.rng;
    return k;
}

static void connect_server(const struct cosem_client_config *k)
{
    assert_int_equal(client_init(k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    converse();
}

static void client_reads_whole_profile_when_pdu_is_small(void **state)
{
    (void)state;
    const struct apdu_attr attr = {
        .class_id = 7, .ln = {1, 0, 99, 1, 0, 255}, .id = 2, .selector = 0};
    example_init(&x);
    x.rows = 600;
    struct cosem_client_config k = manager_config();
    k.max_pdu = 256;
    connect_server(&k);
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_OK);
    converse();
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(last_result, COSEM_SUCCESS);
    assert_int_equal(got_len, 4 + 600 * EXAMPLE_ROW_SIZE); /* 01 82 02 58 and the rows */
    assert_true(c.block > 200);
    assert_int_equal(cosem_client_release(&c, 0), ERR_OK);
    converse();
    assert_int_equal(c.state, CLIENT_CLOSED);
}

static void client_reads_with_password_when_lls(void **state)
{
    (void)state;
    const struct apdu_attr attr = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 3};
    struct cosem_client_config k = public_config();
    example_init(&x);
    k.client_sap = SAP_READER;
    k.mechanism = DLMS_MECHANISM_LLS;
    k.password = EXAMPLE_PASSWORD;
    connect_server(&k);
    assert_int_equal(c.state, CLIENT_READY);
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_OK);
    converse();
    assert_int_equal(last_result, COSEM_SUCCESS);
    example_init(&x);
    k.password = "guess";
    connect_server(&k);
    expect_failure(ERR_TAG, CLIENT_WHY_REFUSED);
}

static void client_says_security_when_a_key_is_wrong(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        example_init(&x);
        const struct cosem_client_config k = manager_config();
        (i == 0 ? keys.guek : keys.gak)[3] ^= 1;
        connect_server(&k);
        assert_int_equal(c.state, CLIENT_FAILED);
        assert_int_equal(c.failure.err, ERR_TAG);
    }
}

static void client_says_replay_when_its_counter_is_old(void **state)
{
    (void)state;
    const struct apdu_attr attr = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    example_init(&x);
    const struct cosem_client_config k = manager_config();
    counter.next = 100;
    connect_server(&k);
    assert_int_equal(c.state, CLIENT_READY);
    counter.next = 30; /* below the server's window */
    assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_OK);
    converse();
    expect_failure(ERR_REPLAY, CLIENT_WHY_EXCEPTION);
    assert_int_equal(c.failure.counter, 103); /* 100 AARQ, 101 proof, 102 its APDU */
    expect_explanation("the meter expects at least 103");
}

static void client_uses_counter_once_when_many_requests_are_sent(void **state)
{
    (void)state;
    const struct apdu_attr attr = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    example_init(&x);
    const struct cosem_client_config k = manager_config();
    connect_server(&k);
    uint32_t last = 0;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(cosem_client_get(&c, 0, &attr, &sink), ERR_OK);
        uint8_t out[128];
        const size_t n = cosem_client_take(&c, out, sizeof out);
        struct rd r = rd_of(out + WRAPPER_HEAD_LEN + 3, n - WRAPPER_HEAD_LEN - 3);
        const uint32_t now = rd_u32(&r); /* behind tag, length and SC */
        assert_true(now > last);
        last = now;
        assert_int_equal(session_feed(&x.session, out, n), n);
        converse();
        assert_int_equal(c.state, CLIENT_READY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(client_asks_for_logical_names_when_public, start),
        cmocka_unit_test_setup(client_sends_password_when_lls, start),
        cmocka_unit_test_setup(client_follows_recorded_hls5_when_replayed, start),
        cmocka_unit_test_setup(client_fails_when_recorded_answer_has_a_bit_flipped, start),
        cmocka_unit_test_setup(client_fails_when_server_does_not_know_the_challenge, start),
        cmocka_unit_test_setup(client_fails_when_counter_of_server_goes_back, start),
        cmocka_unit_test_setup(client_refuses_own_title_when_server_mirrors_it, start),
        cmocka_unit_test_setup(client_refuses_plain_answer_when_protection_was_asked, start),
        cmocka_unit_test_setup(client_says_authentication_when_password_is_wrong, start),
        cmocka_unit_test_setup(client_sends_nothing_when_randomness_fails, start),
        cmocka_unit_test_setup(client_never_succeeds_when_aare_is_truncated, start),
        cmocka_unit_test_setup(client_hands_on_value_when_answer_is_normal, start),
        cmocka_unit_test_setup(client_reads_alike_when_fed_octet_by_octet, start),
        cmocka_unit_test_setup(client_never_succeeds_when_answer_is_truncated, start),
        cmocka_unit_test_setup(client_refuses_answer_when_octets_follow_the_value, start),
        cmocka_unit_test_setup(client_tells_refusal_when_object_is_undefined, start),
        cmocka_unit_test_setup(client_refuses_success_without_a_value, start),
        cmocka_unit_test_setup(client_joins_blocks_when_value_is_long, start),
        cmocka_unit_test_setup(client_ends_when_last_block_ends_the_value, start),
        cmocka_unit_test_setup(client_fails_when_block_is_repeated_or_skipped, start),
        cmocka_unit_test_setup(client_fails_when_meter_hangs_up_mid_block, start),
        cmocka_unit_test_setup(client_stops_when_sink_has_no_room, start),
        cmocka_unit_test_setup(client_reads_list_when_some_are_refused, start),
        cmocka_unit_test_setup(client_reads_list_when_it_comes_in_blocks, start),
        cmocka_unit_test_setup(client_fails_when_list_has_another_length, start),
        cmocka_unit_test_setup(client_tells_result_when_set_is_answered, start),
        cmocka_unit_test_setup(client_hands_on_return_value_when_method_gives_one, start),
        cmocka_unit_test_setup(client_stays_associated_when_service_is_refused, start),
        cmocka_unit_test_setup(client_fails_when_no_answer_comes_in_time, start),
        cmocka_unit_test_setup(client_connects_again_when_it_failed, start),
        cmocka_unit_test_setup(client_ignores_notification_when_waiting, start),
        cmocka_unit_test_setup(client_fails_when_frame_is_for_others_or_none, start),
        cmocka_unit_test_setup(client_refuses_operation_when_not_associated, start),
        cmocka_unit_test_setup(client_refuses_request_when_meter_cannot_take_it, start),
        cmocka_unit_test_setup(client_reads_whole_profile_when_pdu_is_small, start),
        cmocka_unit_test_setup(client_reads_with_password_when_lls, start),
        cmocka_unit_test_setup(client_says_security_when_a_key_is_wrong, start),
        cmocka_unit_test_setup(client_says_replay_when_its_counter_is_old, start),
        cmocka_unit_test_setup(client_uses_counter_once_when_many_requests_are_sent, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
