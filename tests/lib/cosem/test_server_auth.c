/* Client and server in one process: every mechanism, key and form of protection, the back-off after
 * failed authentications, the window of counters, secrets that change. Compiled twice: as the
 * library is built, and with the weak mechanisms HLS 3 and 4. */
#include "lib/cosem/client.h"
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"
#include "tests/lib/cosem/example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECRET    "a secret of HLS"
#define SAP_HLS   5
#define BOTH      (DLMS_SC_AUTH | DLMS_SC_ENC)
#define N_ENTRIES 3

static struct example x;
static struct cosem_client c;
static struct cosem_client_entry entries[N_ENTRIES];
static struct dlms_keys keys;
static struct dlms_counter counter;
static struct hal_rng rng;
static struct cosem_rights rights;
static uint8_t answer[512];
static size_t answer_len;
static int result;
static uint8_t first_up, first_down; /* tag of the last APDU each way */
static char secret[65];
static enum err secret_stored;
static uint64_t now_ms;

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    static uint8_t v;
    (void)r;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = v = (uint8_t)(v * 5 + 17);
    return ERR_OK;
}

/* In place of a manufacturer's algorithm. */
static enum err toy(void *context, struct bytes s, struct bytes challenge, uint8_t *out,
                    size_t *len)
{
    (void)context;
    *len = challenge.len;
    for (size_t i = 0; i < challenge.len; i++)
        out[i] = challenge.p[i] ^ s.p[i % s.len];
    return ERR_OK;
}

static enum err change_secret(void *context, size_t index, struct bytes s)
{
    (void)context;
    if (secret_stored)
        return secret_stored;
    memcpy(secret, s.p, s.len);
    secret[s.len] = '\0';
    entries[index].password = secret;
    return ERR_OK;
}

static int start(void **state)
{
    (void)state;
    cosem_client_end(&c);
    example_init(&x);
    entries[0] = (struct cosem_client_entry){.sap = SAP_PUBLIC, .role = COSEM_PUBLIC};
    entries[1] = (struct cosem_client_entry){
        .sap = SAP_HLS, .role = COSEM_MANAGER, .mechanism = COSEM_AUTH_HLS6, .password = SECRET};
    entries[2] = (struct cosem_client_entry){.sap = SAP_READER,
                                             .role = COSEM_READER,
                                             .mechanism = COSEM_AUTH_LLS,
                                             .password = EXAMPLE_PASSWORD};
    x.server.config.clients = entries;
    x.server.config.n_clients = N_ENTRIES;
    x.server.config.hls2 = toy;
    x.server.config.change_secret = change_secret;
    keys = x.server.keys;
    counter = (struct dlms_counter){.next = 1, .limit = UINT32_MAX};
    rng.fill = fill;
    secret_stored = ERR_OK;
    now_ms = 1000000;
    return 0;
}

static struct cosem_client_config config_of(uint8_t mechanism, uint8_t security)
{
    struct cosem_client_config k = {.client_sap = SAP_HLS,
                                    .server_sap = 1,
                                    .mechanism = mechanism,
                                    .security = security,
                                    .keys = &keys,
                                    .counter = &counter,
                                    .password = SECRET,
                                    .rng = &rng,
                                    .hls2 = toy};
    memcpy(k.title, example_client_title, 8);
    return k;
}

/* Octets both ways until nothing moves. */
static void converse(void)
{
    uint8_t buf[4096];
    size_t n, moved = 1;
    while (moved > 0) {
        moved = 0;
        while ((n = cosem_client_take(&c, buf, sizeof buf)) > 0) {
            moved += n;
            first_up = buf[WRAPPER_HEAD_LEN];
            assert_int_equal(session_feed(&x.session, buf, n), n);
        }
        while ((n = session_take(&x.session, buf, sizeof buf)) > 0) {
            moved += n;
            first_down = buf[WRAPPER_HEAD_LEN];
            (void)cosem_client_feed(&c, 0, buf, n);
        }
    }
}

static enum cosem_client_state connect_with(const struct cosem_client_config *k)
{
    cosem_client_end(&c);
    session_close(&x.session);
    session_init(&x.session, &x.server);
    (void)session_poll(&x.session, now_ms);
    assert_int_equal(cosem_client_init(&c, k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    converse();
    return c.state;
}

static bool take(void *context, uint32_t index, struct bytes part)
{
    (void)context, (void)index;
    assert_true(part.len <= sizeof answer - answer_len);
    if (part.len > 0)
        memcpy(answer + answer_len, part.p, part.len);
    answer_len += part.len;
    return true;
}

static void done(void *context, uint32_t index, enum cosem_result r)
{
    (void)context, (void)index;
    result = r;
}

static const struct cosem_client_sink sink = {.data = take, .done = done};

static int get_energy(void)
{
    struct apdu_attr a = {.class_id = 3, .id = 2};
    memcpy(a.ln, example_energy, 6);
    result = -1;
    answer_len = 0;
    assert_int_equal(cosem_client_get(&c, 0, &a, &sink), ERR_OK);
    converse();
    return c.state == CLIENT_READY ? result : -1;
}

static const uint8_t mechanisms[] = {DLMS_MECHANISM_HLS2,
#if COSEM_WITH_WEAK_HLS
                                     DLMS_MECHANISM_HLS3, DLMS_MECHANISM_HLS4,
#endif
                                     DLMS_MECHANISM_HLS5, DLMS_MECHANISM_HLS6};

static void expect_service(const struct cosem_client_config *k)
{
    assert_int_equal(get_energy(), COSEM_SUCCESS);
    assert_memory_equal(answer, "\x06\x00\x00\x03\xE8", 5);
    uint8_t up = k->security == 0 ? 0xC0 : k->dedicated ? 0xD0 : 0xC8;
    uint8_t down = k->security == 0 ? 0xC4 : k->dedicated ? 0xD4 : 0xCC;
    if (k->general && k->security)
        up = down = k->dedicated ? DLMS_GENERAL_DED : DLMS_GENERAL_GLO;
    assert_int_equal(first_up, up);
    assert_int_equal(first_down, down);
}

static void every_mechanism_serves_with_every_key_and_form(void **state)
{
    static const uint8_t security[] = {0, DLMS_SC_AUTH, BOTH, DLMS_SC_ENC};
    (void)state;
    for (size_t i = 0; i < sizeof mechanisms * 16; i++) {
        struct cosem_client_config k = config_of(mechanisms[i / 16], security[i / 4 % 4]);
        k.general = i & 1;
        k.dedicated = i & 2;
        /* without a tag nothing but HLS 5 proves a counter; a dedicated key wants both */
        if ((k.security == DLMS_SC_ENC && k.mechanism != DLMS_MECHANISM_HLS5) ||
            (k.dedicated && k.security != BOTH))
            continue;
        entries[1].mechanism = (enum cosem_mechanism)k.mechanism;
        entries[1].security = k.security;
        assert_int_equal(connect_with(&k), CLIENT_READY);
        assert_int_equal(x.session.has_dedicated, k.dedicated);
        expect_service(&k);
        uint32_t global = x.server.rx_floor[1];
        expect_service(&k);
        assert_int_equal(x.server.rx_floor[1] - global, k.security != 0 && !k.dedicated);
        assert_int_equal(cosem_client_release(&c, 0), ERR_OK);
        converse();
        assert_int_equal(c.state, CLIENT_CLOSED);
        assert_int_equal(x.session.state, SESSION_IDLE);
    }
}

static void wrong_secret_is_found_out_by_each_side(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mechanisms; i++) {
        struct cosem_client_config k = config_of(mechanisms[i], 0);
        entries[1].mechanism = (enum cosem_mechanism)k.mechanism;
        unsigned bad = x.n_auth_bad;
        k.password = "another secret.";
        keys.gak[5] ^= 1;
        assert_int_equal(connect_with(&k), CLIENT_FAILED);
        assert_int_equal(c.failure.why, CLIENT_WHY_HLS);
        assert_int_equal(x.session.state, SESSION_IDLE);
        assert_int_equal(x.n_auth_bad, bad + 1);
        keys.gak[5] ^= 1;
        x.server.n_failed[1] = 0;
    }
}

/* The server's challenge is our own: its answer would be the proof we ask for. */
static void client_refuses_its_own_challenge_come_back(void **state)
{
    (void)state;
    uint8_t buf[256];
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS6, 0);
    assert_int_equal(cosem_client_init(&c, &k), ERR_OK);
    assert_int_equal(cosem_client_connect(&c, 0), ERR_OK);
    size_t n = cosem_client_take(&c, buf, sizeof buf);
    assert_true(n > 0);
    assert_int_equal(session_feed(&x.session, buf, n), n);
    n = session_take(&x.session, buf, sizeof buf);
    uint8_t *ours = NULL;
    for (size_t at = 0; at + 16 <= n && !ours; at++) {
        if (memcmp(buf + at, x.session.challenge, 16) == 0)
            ours = buf + at;
    }
    assert_non_null(ours);
    memcpy(ours, c.ctos, 16);
    (void)cosem_client_feed(&c, 0, buf, n);
    assert_int_equal(c.state, CLIENT_FAILED);
    assert_int_equal(c.failure.why, CLIENT_WHY_NO_TITLE);
}

static void mechanism_is_refused_when_the_build_or_the_binding_has_it_not(void **state)
{
    (void)state;
    struct acse_aare aare;
    struct peer p;
    struct acse_aarq a = {.context = DLMS_CONTEXT_LN,
                          .has_mechanism = true,
                          .secret = {(const uint8_t *)"0123456789ABCDEF", 16}};
    uint8_t absent[] = {
        DLMS_MECHANISM_HLS2,
#if !COSEM_WITH_WEAK_HLS
        DLMS_MECHANISM_HLS3,
        DLMS_MECHANISM_HLS4,
#endif
        7
    };
    x.server.config.hls2 = NULL;
    for (size_t i = 0; i < sizeof absent; i++) {
        struct cosem_client_config k = config_of(absent[i], 0);
        k.hls2 = NULL;
        cosem_client_end(&c);
        assert_int_equal(cosem_client_init(&c, &k), absent[i] == 7 ? ERR_RANGE : ERR_UNSUPPORTED);
        peer_init(&p, &x, SAP_HLS);
        entries[1].mechanism = (enum cosem_mechanism)absent[i];
        a.mechanism = absent[i];
        assert_int_equal(peer_aarq(&p, &a, &aare), ACSE_REJECTED_PERMANENT);
        assert_int_equal(aare.diagnostic, ACSE_DIAG_MECHANISM_UNKNOWN);
    }
}

static void client_says_key_when_secret_or_rng_is_missing(void **state)
{
    (void)state;
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS6, 0);
    k.password = NULL;
    assert_int_equal(cosem_client_init(&c, &k), ERR_KEY);
    k = config_of(DLMS_MECHANISM_HLS6, 0);
    k.rng = NULL;
    assert_int_equal(cosem_client_init(&c, &k), ERR_KEY);
    k = config_of(DLMS_MECHANISM_LLS, BOTH);
    k.dedicated = true;
    k.rng = NULL;
    assert_int_equal(cosem_client_init(&c, &k), ERR_KEY);
    k = config_of(DLMS_MECHANISM_HLS5, DLMS_SC_AUTH);
    k.dedicated = true; /* a key that is not encrypted is none */
    assert_int_equal(cosem_client_init(&c, &k), ERR_RANGE);
}

/* ---- back-off ---- */

/* Result of an AARQ of the reader with this password. */
static uint8_t try_password(const char *password)
{
    struct acse_aare aare;
    struct peer p;
    peer_init(&p, &x, SAP_READER);
    p.password = password;
    (void)session_poll(&x.session, now_ms);
    return peer_connect(&p, &aare);
}

static void failed_passwords_hold_the_entry_back_longer_and_longer(void **state)
{
    (void)state;
    static const uint32_t wait_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    for (unsigned i = 0; i < COSEM_FREE_FAILURES; i++)
        assert_int_equal(try_password("wrong"), ACSE_REJECTED_PERMANENT);
    for (size_t i = 0; i < sizeof wait_s / sizeof wait_s[0]; i++) {
        assert_int_equal(try_password("wrong"), ACSE_REJECTED_PERMANENT);
        assert_int_equal(session_poll(&x.session, now_ms), now_ms + wait_s[i] * 1000);
        now_ms += wait_s[i] * 1000 - 1;
        unsigned bad = x.n_auth_bad;
        assert_int_equal(try_password(EXAMPLE_PASSWORD), ACSE_REJECTED_TRANSIENT);
        assert_int_equal(x.n_auth_bad, bad); /* not looked at */
        now_ms++;
    }
    assert_int_equal(try_password(EXAMPLE_PASSWORD), ACSE_ACCEPTED);
    assert_int_equal(try_password("wrong"), ACSE_REJECTED_PERMANENT);
    assert_int_equal(try_password(EXAMPLE_PASSWORD), ACSE_ACCEPTED); /* counted from the start */
}

static void other_clients_get_in_while_one_is_held_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= COSEM_FREE_FAILURES; i++)
        assert_int_equal(try_password("wrong"), ACSE_REJECTED_PERMANENT);
    assert_int_equal(try_password(EXAMPLE_PASSWORD), ACSE_REJECTED_TRANSIENT);
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS6, 0);
    assert_int_equal(connect_with(&k), CLIENT_READY);
    k = config_of(DLMS_MECHANISM_NONE, 0);
    k.client_sap = SAP_PUBLIC;
    assert_int_equal(connect_with(&k), CLIENT_READY);
}

static void failed_proofs_hold_the_entry_back(void **state)
{
    (void)state;
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS6, 0);
    k.password = "another secret.";
    for (unsigned i = 0; i <= COSEM_FREE_FAILURES; i++)
        assert_int_equal(connect_with(&k), CLIENT_FAILED);
    k.password = SECRET;
    assert_int_equal(connect_with(&k), CLIENT_FAILED);
    assert_int_equal(c.failure.why, CLIENT_WHY_REFUSED);
    now_ms += 1000;
    assert_int_equal(connect_with(&k), CLIENT_READY);
}

/* Bad proofs for it cost a stranger nothing: they must not keep the owner of the keys out. */
static void who_proves_a_key_is_never_held_back(void **state)
{
    (void)state;
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS5, 0);
    struct dlms_keys wrong = keys;
    struct acse_aare aare;
    struct peer p;
    entries[1].mechanism = COSEM_AUTH_HLS5;
    wrong.gak[0] ^= 1;
    k.keys = &wrong;
    for (unsigned i = 0; i < 10; i++) {
        struct acse_aarq too_short = {.context = DLMS_CONTEXT_LN,
                                      .has_mechanism = true,
                                      .mechanism = DLMS_MECHANISM_HLS5,
                                      .title = {example_client_title, 8},
                                      .secret = {(const uint8_t *)"1234567", 7}};
        peer_init(&p, &x, SAP_HLS);
        assert_int_equal(peer_aarq(&p, &too_short, &aare), ACSE_REJECTED_PERMANENT);
        assert_int_equal(connect_with(&k), CLIENT_FAILED);
    }
    assert_true(x.n_auth_bad >= 20); /* they are told to the event log all the same */
    k.keys = &keys;
    assert_int_equal(connect_with(&k), CLIENT_READY);
}

static void nobody_is_held_back_without_a_clock(void **state)
{
    (void)state;
    now_ms = 0;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(try_password("wrong"), ACSE_REJECTED_PERMANENT);
    assert_int_equal(try_password(EXAMPLE_PASSWORD), ACSE_ACCEPTED);
}

/* ---- counters and forms ---- */

static const uint8_t get_request[] = {0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0};

/* A peer with an authenticated and encrypted association. */
static void open_manager(struct peer *p)
{
    struct acse_aare aare;
    entries[1].sap = SAP_MANAGER;
    entries[1].mechanism = COSEM_AUTH_HLS5;
    entries[1].security = BOTH;
    peer_init(p, &x, SAP_MANAGER);
    assert_int_equal(peer_connect(p, &aare), ACSE_ACCEPTED);
}

static void requests_that_overtake_are_served_once_each(void **state)
{
    (void)state;
    struct peer p;
    uint8_t sealed[3][64];
    size_t n[3];
    open_manager(&p);
    for (unsigned i = 0; i < 3; i++)
        n[i] = peer_protect(&p, get_request, sizeof get_request, sealed[i], 64);
    static const unsigned order[] = {2, 0, 1};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t copy[64];
        memcpy(copy, sealed[order[i]], 64);
        assert_int_equal(peer_raw(&p, copy, n[order[i]]).p[0], 0xCC);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_memory_equal(peer_raw(&p, sealed[i], n[i]).p, "\xD8\x01\x06", 3);
}

/* The durable part of the window is the floor alone. */
static void passed_over_counters_are_lost_in_a_restart(void **state)
{
    (void)state;
    struct peer p;
    uint8_t early[64], late[64];
    open_manager(&p);
    size_t n = peer_protect(&p, get_request, sizeof get_request, early, 64);
    size_t m = peer_protect(&p, get_request, sizeof get_request, late, 64);
    assert_int_equal(peer_raw(&p, late, m).p[0], 0xCC);
    memset(x.server.rx_open, 0, sizeof x.server.rx_open);
    assert_memory_equal(peer_raw(&p, early, n).p, "\xD8\x01\x06", 3);
}

/* GET as general-glo-ciphering with this title. */
static struct bytes ask_general(struct peer *p, const uint8_t *title, size_t title_len)
{
    uint8_t sealed[64], apdu[96];
    size_t n = peer_protect(p, get_request, sizeof get_request, sealed, sizeof sealed);
    struct wr w = wr_of(apdu, sizeof apdu);
    wr_u8(&w, DLMS_GENERAL_GLO);
    wr_length(&w, title_len);
    wr_bytes(&w, title, title_len);
    wr_bytes(&w, sealed + 1, n - 1); /* length and body as they are */
    return peer_raw(p, apdu, w.len);
}

static void general_ciphering_checks_title_and_agreement(void **state)
{
    (void)state;
    struct peer p;
    open_manager(&p);
    struct bytes b = ask_general(&p, p.title, 8);
    assert_memory_equal(b.p, "\xDB\x08", 2);
    assert_memory_equal(b.p + 2, example_server_title, 8);
    assert_int_equal(ask_general(&p, p.title, 0).p[0], DLMS_GENERAL_GLO); /* known already */
    assert_memory_equal(ask_general(&p, example_server_title, 8).p, "\xD8\x01\x05", 3);
    assert_memory_equal(ask_general(&p, p.title, 7).p, "\xD8\x01\x05", 3);
    x.session.conformance &= ~DLMS_CONF_GENERAL_PROT;
    assert_memory_equal(ask_general(&p, p.title, 8).p, "\xD8\x01\x02", 3);
}

static void general_ded_needs_a_dedicated_key(void **state)
{
    (void)state;
    struct peer p;
    open_manager(&p);
    uint8_t apdu[] = {
        DLMS_GENERAL_DED, 0, 5 + 12 + 1, BOTH, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_memory_equal(peer_raw(&p, apdu, sizeof apdu).p, "\xD8\x01\x05", 3);
}

/* An answer sealed in parts is the one sealed at once, counter and all. */
static void answer_in_parts_opens_as_a_whole(void **state)
{
    (void)state;
    static const uint8_t controls[] = {BOTH, DLMS_SC_AUTH, DLMS_SC_ENC};
    struct crypto_gcm g = {.ready = false};
    struct peer p;
    open_manager(&p);
    for (unsigned i = 0; i < 6; i++) {
        uint8_t text[700], out[SECURITY_HEAD_MAX + DLMS_HEAD_LEN + sizeof text + CRYPTO_GCM_TAG];
        uint8_t sc, *plain, tag[CRYPTO_GCM_TAG];
        size_t plain_len, tag_len;
        uint32_t used;
        x.session.request_sc = controls[i / 2];
        x.session.request_general = i & 1;
        for (size_t k = 0; k < sizeof text; k++)
            text[k] = (uint8_t)(k * 7);
        text[0] = DLMS_GET_RESPONSE;
        struct wr w = wr_of(out, sizeof out);
        assert_int_equal(security_seal_begin(&x.session, &g, DLMS_GET_RESPONSE, sizeof text, &w),
                         ERR_OK);
        assert_int_equal(out[0], i & 1 ? DLMS_GENERAL_GLO : 0xCC);
        size_t body = w.len - DLMS_HEAD_LEN;
        for (size_t at = 0, n; at < sizeof text; at += n) {
            n = sizeof text - at < 117 ? sizeof text - at : 117;
            assert_int_equal(security_seal_part(&g, controls[i / 2], text + at, n), ERR_OK);
            wr_bytes(&w, text + at, n);
        }
        assert_int_equal(security_seal_end(&g, controls[i / 2], tag, &tag_len), ERR_OK);
        wr_bytes(&w, tag, tag_len);
        assert_int_equal(dlms_open(p.guek, p.gak, example_server_title, out + body, w.len - body,
                                   &sc, &used, &plain, &plain_len),
                         ERR_OK);
        assert_int_equal(plain_len, sizeof text);
        for (size_t k = 1; k < plain_len; k++)
            assert_int_equal(plain[k], (uint8_t)(k * 7));
    }
    crypto_gcm_end(&g);
    uint8_t head[32];
    struct wr w = wr_of(head, sizeof head);
    x.session.request_general = false;
    assert_int_equal(security_seal_begin(&x.session, &g, DLMS_ACCESS_RESPONSE, 9, &w),
                     ERR_UNSUPPORTED); /* has a general form only */
}

/* ---- secrets ---- */

/* change_HLS_secret of the association `instance`. */
static int change_to(uint8_t instance, const char *fresh)
{
    uint8_t param[80];
    struct wr w = wr_of(param, sizeof param);
    axdr_put_octets(&w, fresh, strlen(fresh));
    const struct apdu_attr method = {
        .class_id = 15, .ln = {0, 0, 40, 0, instance, 255}, .id = 2, .parameter = {param, w.len}};
    result = -1;
    assert_int_equal(cosem_client_action(&c, 0, &method, &sink), ERR_OK);
    converse();
    return result;
}

/* The example's rights let nobody change secrets. */
static void allow_changes(void)
{
    static struct cosem_row rows[64];
    static struct cosem_kind kind;
    const struct cosem_device *d = &x.device[0];
    assert_true(d->n_rows <= 64);
    memcpy(rows, d->rows, d->n_rows * sizeof rows[0]);
    for (size_t i = 0; i < d->n_rows; i++) {
        if (rows[i].kind->class_id != 15)
            continue;
        rights = *rows[i].kind->rights;
        rights.write[COSEM_READER] = rights.write[COSEM_MANAGER] = 1u << 6;
        rights.invoke[COSEM_READER] = rights.invoke[COSEM_MANAGER] = 3;
        kind = *rows[i].kind;
        kind.rights = &rights;
        rows[i].kind = &kind;
    }
    x.device[0].rows = rows;
}

static void hls_secret_changes_when_it_comes_encrypted(void **state)
{
    (void)state;
    allow_changes();
    struct cosem_client_config k = config_of(DLMS_MECHANISM_HLS6, 0);
    assert_int_equal(connect_with(&k), CLIENT_READY);
    assert_int_equal(change_to(0, "a new secret"), COSEM_READ_WRITE_DENIED); /* in the clear */
    k.security = BOTH;
    assert_int_equal(connect_with(&k), CLIENT_READY);
    assert_int_equal(change_to(0, ""), COSEM_OTHER_REASON);
    secret_stored = ERR_IO;
    assert_int_not_equal(change_to(0, "a new secret"), COSEM_SUCCESS);
    secret_stored = ERR_OK;
    assert_int_equal(change_to(0, "a new secret"), COSEM_SUCCESS);
    assert_int_equal(connect_with(&k), CLIENT_FAILED);
    k.password = "a new secret";
    assert_int_equal(connect_with(&k), CLIENT_READY);
    assert_int_equal(change_to(3, "another"), COSEM_READ_WRITE_DENIED); /* LLS: attribute 7 */
}

static void lls_password_changes_through_attribute_7(void **state)
{
    (void)state;
    allow_changes();
    struct cosem_client_config k = config_of(DLMS_MECHANISM_LLS, 0);
    k.client_sap = SAP_READER;
    k.password = EXAMPLE_PASSWORD;
    assert_int_equal(connect_with(&k), CLIENT_READY);
    const struct apdu_attr attr = {.class_id = 15, .ln = {0, 0, 40, 0, 0, 255}, .id = 7};
    const struct bytes value = {(const uint8_t *)"\x09\x08new word", 10};
    assert_int_equal(cosem_client_set(&c, 0, &attr, value, &sink), ERR_OK);
    converse();
    assert_int_equal(result, COSEM_SUCCESS);
    assert_int_equal(connect_with(&k), CLIENT_FAILED);
    k.password = "new word";
    assert_int_equal(connect_with(&k), CLIENT_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_mechanism_serves_with_every_key_and_form, start),
        cmocka_unit_test_setup(wrong_secret_is_found_out_by_each_side, start),
        cmocka_unit_test_setup(client_refuses_its_own_challenge_come_back, start),
        cmocka_unit_test_setup(mechanism_is_refused_when_the_build_or_the_binding_has_it_not,
                               start),
        cmocka_unit_test_setup(client_says_key_when_secret_or_rng_is_missing, start),
        cmocka_unit_test_setup(failed_passwords_hold_the_entry_back_longer_and_longer, start),
        cmocka_unit_test_setup(other_clients_get_in_while_one_is_held_back, start),
        cmocka_unit_test_setup(failed_proofs_hold_the_entry_back, start),
        cmocka_unit_test_setup(who_proves_a_key_is_never_held_back, start),
        cmocka_unit_test_setup(nobody_is_held_back_without_a_clock, start),
        cmocka_unit_test_setup(requests_that_overtake_are_served_once_each, start),
        cmocka_unit_test_setup(passed_over_counters_are_lost_in_a_restart, start),
        cmocka_unit_test_setup(general_ciphering_checks_title_and_agreement, start),
        cmocka_unit_test_setup(general_ded_needs_a_dedicated_key, start),
        cmocka_unit_test_setup(answer_in_parts_opens_as_a_whole, start),
        cmocka_unit_test_setup(hls_secret_changes_when_it_comes_encrypted, start),
        cmocka_unit_test_setup(lls_password_changes_through_attribute_7, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
