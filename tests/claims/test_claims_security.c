/* Rows of the ledger about security, seen from the line: who gets in, what can be read on the way,
 * what an altered or repeated message does, who may do what. */
#define ERR_STATE openssl_err_state /* OpenSSL has a type of the name of one of our errors */
#include <openssl/evp.h>
#undef ERR_STATE

#include "lib/dlms/security.h"
#include "tests/claims/claims.h"

#define MAX_FRAMES 64
#define ZONE       -60 /* what the clock has from the factory */

/* Everything that passed on the line since ear_reset(). */
static struct ear {
    uint8_t octets[65536];
    size_t len, n;
    struct {
        size_t at, len;
        bool from_client;
    } frame[MAX_FRAMES];
    size_t alter; /* this frame is altered ... */
    size_t where; /* ... at this octet from its end, 0: nothing */
} ear;

static void ear_reset(void)
{
    memset(&ear, 0, sizeof ear);
}

static void listen(struct rig *r, bool from_client, uint8_t *octets, size_t n)
{
    (void)r;
    assert_true(ear.n < MAX_FRAMES && ear.len + n <= sizeof ear.octets);
    memcpy(ear.octets + ear.len, octets, n);
    ear.frame[ear.n].at = ear.len;
    ear.frame[ear.n].len = n;
    ear.frame[ear.n].from_client = from_client;
    ear.len += n;
    if (ear.n == ear.alter && ear.where > 0 && ear.where <= n)
        octets[n - ear.where] ^= 0x10;
    ear.n++;
}

static bool heard(const void *what, size_t len)
{
    for (size_t at = 0; at + len <= ear.len; at++) {
        if (memcmp(ear.octets + at, what, len) == 0)
            return true;
    }
    return false;
}

/* A meter with energy in its registers and an ear on its line. */
static struct rig *heard_meter(const char *model)
{
    struct rig *r = claim_meter(model, 0);
    struct claim_load l = claim_load(r, 0.7, 20);
    claim_live(r, &l, 1234);
    ear_reset();
    r->tap = listen;
    return r;
}

static struct apdu_attr energy_attr(void)
{
    return rig_attr(3, "1-0:1.8.0.255", 2);
}

static bool get_energy(struct rig *r)
{
    struct apdu_attr a = energy_attr();
    return rig_get(r, &a);
}

static bool set_zone(struct rig *r, int16_t zone)
{
    struct apdu_attr a = rig_attr(8, "0-0:1.0.0.255", 3);
    uint8_t octets[3];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_i16(&w, zone);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

/* ---- authentication ---- */

static void only_who_has_the_keys_gets_in(const char *model)
{
    struct rig *r = heard_meter(model);
    assert_true(rig_connect(r, METER_SAP_PUBLIC));
    assert_false(get_energy(r));
    assert_false(set_zone(r, -600));
    rig_release(r);
    uint8_t *const keys[] = {r->config.keys.guek, r->config.keys.gak};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < 16; i += 15) {
            keys[k][i] ^= 1; /* the meter keeps its own */
            assert_false(rig_connect(r, METER_SAP_MANAGER));
            assert_false(rig_connect(r, METER_SAP_READER_HLS));
            keys[k][i] ^= 1;
        }
    }
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(get_energy(r));
    rig_release(r);
    assert_int_equal(r->meter.clock.zone_min, ZONE);
    rig_free(r);
}

/* Associates, reads, writes. How far it got. */
static unsigned dialogue(struct rig *r)
{
    if (!rig_connect(r, METER_SAP_MANAGER))
        return 0;
    if (!get_energy(r))
        return 1;
    return set_zone(r, -600) ? 3 : 2;
}

/* Frames of the dialogue: AARQ, AARE, challenge both ways, get both ways, set both ways. Each but
 * the last is altered at some octets of its protected part: the dialogue breaks there, and the
 * meter does nothing. (An AARE is only protected in its user information, at its end.) */
static void an_altered_message_is_refused(const char *model)
{
    static const unsigned far[] = {0, 0, 0, 0, 1, 1, 2};
    static const size_t where[] = {1, 12, 13, 15};
    for (size_t frame = 0; frame < sizeof far / sizeof far[0]; frame++) {
        for (size_t k = 0; k < sizeof where / sizeof where[0]; k++) {
            struct rig *r = heard_meter(model);
            ear.alter = frame;
            ear.where = where[k];
            assert_int_equal(dialogue(r), far[frame]);
            assert_true(ear.n > frame);
            assert_int_equal(r->meter.clock.zone_min, ZONE);
            rig_free(r);
        }
    }
}

/* What was heard of a whole dialogue is sent again, word for word, on a new line. */
static void a_repeated_dialogue_is_refused(const char *model)
{
    struct rig *r = heard_meter(model);
    uint8_t buf[4096];
    assert_int_equal(dialogue(r), 3);
    assert_true(set_zone(r, ZONE));
    rig_release(r);
    assert_int_equal(r->meter.clock.zone_min, ZONE);
    session_init(&r->session, &r->meter.server);
    for (size_t k = 0; k < ear.n && !session_closed(&r->session); k++) {
        if (!ear.frame[k].from_client)
            continue;
        (void)session_feed(&r->session, ear.octets + ear.frame[k].at, ear.frame[k].len);
        while (session_take(&r->session, buf, sizeof buf) > 0)
            continue;
        assert_int_not_equal(r->session.state, SESSION_ASSOCIATED);
        assert_int_equal(r->meter.clock.zone_min, ZONE);
    }
    session_close(&r->session);
    rig_free(r);
}

static void authentication_holds(const char *model)
{
    only_who_has_the_keys_gets_in(model);
    an_altered_message_is_refused(model);
    a_repeated_dialogue_is_refused(model);
}

/* ---- encryption ---- */

static const uint8_t name_of_energy[] = {0x00, 0x03, 1, 0, 1, 8, 0, 255};

static void plain_sessions_show_what_is_read(struct rig *r, uint8_t value[9])
{
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(get_energy(r));
    assert_int_equal(r->answer_len, 9);
    memcpy(value, r->answer, 9);
    rig_release(r);
    assert_true(heard(name_of_energy, sizeof name_of_energy));
    assert_true(heard(value, 9));
}

/* Where the ciphering header (tag, length, control, counter) of an APDU ends; its control octet. */
static const uint8_t *cipher_head(const uint8_t *apdu, uint8_t *control)
{
    size_t skip = apdu[1] < 0x80 ? 2 : 2 + (apdu[1] & 0x7Fu);
    *control = apdu[skip];
    return apdu + skip;
}

/* Deciphers the last answer heard by OpenSSL's AES-128-GCM with the meter's title and the keys. */
static void aes_gcm_128_opens(const struct rig *r, size_t frame, const uint8_t value[9])
{
    const uint8_t *p = ear.octets + ear.frame[frame].at + 8;
    const uint8_t *end = ear.octets + ear.frame[frame].at + ear.frame[frame].len;
    uint8_t control, iv[12] = {'F', 'E', 'R', 0, 0x07, 0x5B, 0xCD, 0x15}; /* serial 0123456789 */
    uint8_t aad[17], tag[12], text[64];
    p = cipher_head(p, &control);
    memcpy(iv + 8, p + 1, 4);
    aad[0] = control;
    memcpy(aad + 1, r->config.keys.gak, 16);
    memcpy(tag, end - 12, 12);
    int n = (int)(end - 12 - (p + 5)), out = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_non_null(c);
    assert_true(n > 0 && (size_t)n <= sizeof text);
    assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, r->config.keys.guek, iv), 1);
    assert_int_equal(EVP_DecryptUpdate(c, NULL, &out, aad, sizeof aad), 1);
    assert_int_equal(EVP_DecryptUpdate(c, text, &out, p + 5, n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 12, tag), 1);
    assert_int_equal(EVP_DecryptFinal_ex(c, text + n, &out), 1);
    EVP_CIPHER_CTX_free(c);
    assert_memory_equal(text + n - 9, value, 9);
}

static void ciphered_sessions_hide_it(struct rig *r, uint16_t sap, const uint8_t value[9])
{
    size_t answer;
    ear_reset();
    assert_true(rig_connect(r, sap));
    size_t n_open = 2; /* AARQ and AARE tell titles and challenges in plain */
    assert_true(get_energy(r));
    assert_memory_equal(r->answer, value, 9);
    answer = ear.n - 1;
    for (size_t k = n_open; k < ear.n; k++) {
        const uint8_t *apdu = ear.octets + ear.frame[k].at + 8;
        uint8_t control;
        (void)cipher_head(apdu, &control);
        assert_true(apdu[0] >= 0xC8 && apdu[0] <= 0xCF); /* glo-... */
        assert_int_equal(control, DLMS_SC_AUTH | DLMS_SC_ENC);
    }
    rig_release(r);
    assert_false(heard(name_of_energy, sizeof name_of_energy));
    assert_false(heard(value, 9));
    assert_false(heard(r->config.keys.guek, 16));
    assert_false(heard(r->config.keys.gak, 16));
    aes_gcm_128_opens(r, answer, value);
}

/* A client with the right keys that does not encrypt, or does not authenticate, gets nothing. */
static void less_protection_is_refused(struct rig *r)
{
    static const uint8_t weak[] = {0, DLMS_SC_AUTH, DLMS_SC_ENC};
    for (size_t k = 0; k < sizeof weak; k++) {
        r->security = weak[k];
        assert_false(rig_connect(r, METER_SAP_MANAGER) && get_energy(r));
        assert_false(rig_connect(r, METER_SAP_READER_HLS) && get_energy(r));
    }
    r->security = DLMS_SC_AUTH | DLMS_SC_ENC;
}

static void encryption_holds(const char *model)
{
    struct rig *r = heard_meter(model);
    uint8_t value[9];
    plain_sessions_show_what_is_read(r, value);
    ciphered_sessions_hide_it(r, METER_SAP_MANAGER, value);
    ciphered_sessions_hide_it(r, METER_SAP_READER_HLS, value);
    assert_int_equal(rig_value(r, 64, "0-0:43.0.0.255", 3), 0); /* suite 0: AES-GCM-128 */
    less_protection_is_refused(r);
    rig_free(r);
}

static void claim_SX402_SECURITY_AUTH(void **state)
{
    (void)state;
    authentication_holds("SM402D");
    authentication_holds("ST402D");
    authentication_holds("ST402C");
}

static void claim_SX402_SECURITY_ENCRYPT(void **state)
{
    (void)state;
    encryption_holds("SM402D");
    encryption_holds("ST402D");
    encryption_holds("ST402C");
}

static void claim_AD1X_SECURITY_ENCRYPT(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        authentication_holds(models[i]);
        encryption_holds(models[i]);
    }
}

/* ---- rights ---- */

static void try_read(struct rig *r, const struct apdu_attr *a, bool may)
{
    if (rig_get(r, a) != may)
        fail_msg("class %u attribute %u: %s", a->class_id, a->id, cosem_result_text(r->result));
}

/* With its own value where it may be written; else with any: the answer must be a denial. */
static void try_write(struct rig *r, const struct apdu_attr *a, bool may)
{
    static const uint8_t null = 0;
    static uint8_t own[RIG_ANSWER_MAX]; /* columns of a profile are hundreds of octets */
    struct bytes value = {&null, 1};
    if (may) {
        assert_true(rig_get(r, a) && r->answer_len == r->answer_total);
        memcpy(own, r->answer, r->answer_len);
        value = (struct bytes){own, r->answer_len};
    }
    if (rig_set(r, a, value) != may)
        fail_msg("class %u attribute %u set: %s", a->class_id, a->id, cosem_result_text(r->result));
    assert_true(may || r->result == COSEM_READ_WRITE_DENIED);
}

/* One entry of the object list, as stated; gives how many attributes may be written. */
static unsigned try_object(struct rig *r, struct rd *list)
{
    struct apdu_attr a = {0};
    static const uint8_t zero[] = {AXDR_I8, 0};
    unsigned n_writable = 0;
    axdr_get_struct(list, 4);
    a.class_id = (uint16_t)axdr_get_uint(list);
    axdr_skip(list);
    struct bytes ln = axdr_get_octets(list);
    assert_int_equal(ln.len, 6);
    memcpy(a.ln, ln.p, 6);
    axdr_get_struct(list, 2);
    for (size_t n = axdr_get_array(list); n > 0; n--) {
        axdr_get_struct(list, 3);
        a.id = (uint8_t)axdr_get_int(list);
        uint64_t mode = axdr_get_uint(list);
        axdr_skip(list);
        assert_true(mode <= 3);
        try_read(r, &a, (mode & 1) != 0);
        try_write(r, &a, (mode & 2) != 0);
        n_writable += (mode & 2) != 0;
    }
    a.parameter = (struct bytes){zero, sizeof zero};
    for (size_t n = axdr_get_array(list); n > 0; n--) {
        axdr_get_struct(list, 2);
        a.id = (uint8_t)axdr_get_int(list);
        bool may = axdr_get_uint(list) != 0;
        if (may)
            continue; /* would do it */
        assert_false(rig_call(r, &a));
        assert_int_equal(r->result, COSEM_READ_WRITE_DENIED);
    }
    assert_int_equal(list->err, ERR_OK);
    return n_writable;
}

static unsigned rights_of(struct rig *r, uint16_t sap)
{
    static uint8_t copy[65536];
    struct apdu_attr list = rig_attr(15, "0-0:40.0.0.255", 2);
    unsigned n_writable = 0;
    assert_true(rig_connect(r, sap));
    assert_true(rig_get(r, &list) && r->answer_len <= sizeof copy);
    memcpy(copy, r->answer, r->answer_len);
    struct rd rd = rd_of(copy, r->answer_len);
    size_t n = axdr_get_array(&rd);
    assert_true(n > 3);
    for (size_t k = 0; k < n; k++)
        n_writable += try_object(r, &rd);
    assert_int_equal(rd_left(&rd), 0);
    /* what is not stated is not there: registers for the public client */
    assert_int_equal(get_energy(r), sap != METER_SAP_PUBLIC);
    rig_release(r);
    return n_writable;
}

/* Of each client the meter states its rights, attribute by attribute and method by method; what it
 * states is what it does. The manager's methods are called once: demand is forgotten. */
static void claim_AD1X_SECURITY_RIGHTS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        struct rig *r = claim_meter(models[i], 0);
        struct claim_load l = claim_load(r, 0.7, 20);
        struct legal_energies before, after;
        struct apdu_attr forget = rig_attr(4, "1-0:1.6.0.255", 1);
        static const uint8_t zero[] = {AXDR_I8, 0};
        claim_live(r, &l, 1800);
        legal_energies_get(&r->meter.legal, &before);
        assert_int_equal(rights_of(r, METER_SAP_PUBLIC), 0);
        assert_int_equal(rights_of(r, METER_SAP_READER), 0);
        assert_int_equal(rights_of(r, METER_SAP_READER_HLS), 0);
        assert_true(r->meter.demand.max_dw > 0);
        assert_true(rights_of(r, METER_SAP_MANAGER) > 5);
        forget.parameter = (struct bytes){zero, sizeof zero};
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        assert_true(rig_call(r, &forget));
        rig_release(r);
        assert_int_equal(r->meter.demand.max_dw, 0);
        legal_energies_get(&r->meter.legal, &after);
        assert_memory_equal(&after, &before, sizeof after);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SX402_SECURITY_AUTH),
        cmocka_unit_test(claim_SX402_SECURITY_ENCRYPT),
        cmocka_unit_test(claim_AD1X_SECURITY_ENCRYPT),
        cmocka_unit_test(claim_AD1X_SECURITY_RIGHTS),
    };
    return cmocka_run_group_tests_name("claims_security", tests, NULL, NULL);
}
