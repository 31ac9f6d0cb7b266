/* Ciphered APDUs, HLS 5 and invocation counters of security suite 0.
 *
 * Sources: the examples of the Green Book (Ed. 8, tables 40 and 43) as they are quoted in the unit
 * tests of jDLMS, dlms-cosem (u9n) and Gurux; and one association recorded between the Gurux Python
 * client and the Gurux C server over the wrapper, with the Green Book's keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "lib/dlms/security.h"
#include "tests/lib/hex.h"

#define EK "000102030405060708090A0B0C0D0E0F"
#define AK "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

struct sealed {
    const char *what, *title, *plain, *body; /* body: SC || IC || text [|| tag] */
};

static const struct sealed sealed[] = {
    {"Green Book, GET clock, authenticated", "4D4D4D0000BC614E", "C0010000080000010000FF0200",
     "1001234567C0010000080000010000FF020006725D910F9221D263877516"},
    {"Green Book, GET clock, encrypted", "4D4D4D0000BC614E", "C0010000080000010000FF0200",
     "2001234567411312FF935A47566827C467BC"},
    {"Green Book, GET clock, both", "4D4D4D0000BC614E", "C0010000080000010000FF0200",
     "3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"},
    {"Green Book, glo-initiateRequest", "4D4D4D0000BC614E",
     "01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0",
     "3001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E35"
     "6855"},
    {"recorded, InitiateRequest", "4775727578313233", "01000000065F1F0400401E5DFFFF",
     "30000000028540A5CFBA5326D574615C6BAF4C65545C9A61B3B29D8623B2B3"},
    {"recorded, InitiateResponse", "4142434445464748", "0800065F1F0400001E1D02000007",
     "300000000016584D6F2BF43753196DDA5081772032C147D3DFA1E4C911852D"},
    {"recorded, reply_to_HLS", "4775727578313233",
     "C301C1000F0000280000FF0101091110000000039B7160E66A6400C66A70A53A",
     "30000000041D0F3815C11C8A2E2DDD274BE6D2099C5976F2498F3F29D470A78FBEC5F3F97DF2BAAD553670C2CC58"
     "5AEE64"},
    {"recorded, answer to reply_to_HLS", "4142434445464748",
     "C701C1000100091110000000029E9A0F9FC5EE4D97EC97285F",
     "30000000039F75D068ACA8595F4B1553F0B11E154E5E6C361DC3F154C281AF88A272DBF7783C205DB3B5"},
    {"recorded, GET object_list", "4775727578313233", "C001C1000F0000280000FF0200",
     "3000000005F6E21BC50858C6627E3AE492D6C83618FAD7B643553995F187"},
};
#define N_SEALED (sizeof sealed / sizeof sealed[0])

struct hls5 {
    const char *what, *title, *challenge, *f;
};

static const struct hls5 hls5[] = {
    {"Green Book, client answers P6wRJ21F", "4D4D4D0000000001", "503677524A323146",
     "10000000011A52FE7DD3E72748973C1E28"},
    {"Green Book, server answers K56iVagY", "4D4D4D0000BC614E", "4B35366956616759",
     "1001234567FE1466AFB3DBCD4F9389E2B7"},
    {"recorded, client", "4775727578313233", "70389CCE67B359AC56AB552A158A4522",
     "10000000039B7160E66A6400C66A70A53A"},
    {"recorded, server", "4142434445464748", "FB29C0CB11FDEE33FBFCD0D0BE345484",
     "10000000029E9A0F9FC5EE4D97EC97285F"},
};
#define N_HLS5 (sizeof hls5 / sizeof hls5[0])

struct fixture {
    struct dlms_keys keys;
    uint8_t title[8], plain[128], body[128];
    size_t plain_len, body_len;
};

static void set_up(struct fixture *f, const struct sealed *s)
{
    memset(f, 0, sizeof *f);
    hex_octets(EK, f->keys.guek, 16);
    hex_octets(AK, f->keys.gak, 16);
    f->keys.has_guek = f->keys.has_gak = true;
    hex_octets(s->title, f->title, 8);
    f->plain_len = hex_octets(s->plain, f->plain, sizeof f->plain);
    f->body_len = hex_octets(s->body, f->body, sizeof f->body);
}

static uint32_t counter_of(const uint8_t *body)
{
    struct rd r = rd_of(body + 1, 4);
    return rd_u32(&r);
}

static void dlms_seal_makes_the_published_octets(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SEALED; i++) {
        struct fixture f;
        uint8_t buf[128];
        size_t len = 0;
        set_up(&f, &sealed[i]);
        memcpy(buf + DLMS_HEAD_LEN, f.plain, f.plain_len);
        assert_int_equal(dlms_seal(f.keys.guek, f.keys.gak, f.title, f.body[0], counter_of(f.body),
                                   buf, f.plain_len, f.body_len, &len),
                         ERR_OK);
        assert_int_equal(len, f.body_len);
        assert_memory_equal(buf, f.body, len);
    }
}

static enum err open_body(struct fixture *f, uint8_t *sc, uint8_t **plain, size_t *plain_len)
{
    uint32_t counter;
    uint32_t sent = f->body_len >= 5 ? counter_of(f->body) : 0;
    enum err err = dlms_open(f->keys.guek, f->keys.gak, f->title, f->body, f->body_len, sc,
                             &counter, plain, plain_len);
    if (err == ERR_OK)
        assert_int_equal(counter, sent);
    return err;
}

static void dlms_open_gives_the_published_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SEALED; i++) {
        struct fixture f;
        uint8_t sc, *plain;
        size_t plain_len;
        set_up(&f, &sealed[i]);
        uint8_t sent = f.body[0];
        assert_int_equal(open_body(&f, &sc, &plain, &plain_len), ERR_OK);
        assert_int_equal(sc, sent);
        assert_int_equal(plain_len, f.plain_len);
        assert_memory_equal(plain, f.plain, plain_len);
    }
}

/* Every bit of every authenticated body: head, text, tag. */
static void dlms_open_refuses_and_wipes_when_any_bit_differs(void **state)
{
    (void)state;
    static const uint8_t zero[128];
    static const size_t which[] = {0, 2};
    for (size_t w = 0; w < 2; w++) {
        struct fixture f;
        set_up(&f, &sealed[which[w]]);
        size_t n_bits = 8 * f.body_len;
        for (size_t bit = 0; bit < n_bits; bit++) {
            uint8_t sc, *plain = f.body;
            size_t plain_len = 1;
            set_up(&f, &sealed[which[w]]);
            f.body[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (f.body[0] == DLMS_SC_ENC) /* now it does not claim to be authenticated */
                continue;
            enum err err = open_body(&f, &sc, &plain, &plain_len);
            bool odd_control = (f.body[0] & 0x8F) || !(f.body[0] & 0x30);
            assert_int_equal(err, odd_control ? ERR_UNSUPPORTED : ERR_TAG);
            assert_null(plain);
            assert_int_equal(plain_len, 0);
            if (err == ERR_TAG)
                assert_memory_equal(f.body + DLMS_HEAD_LEN, zero, f.plain_len);
        }
    }
}

static void dlms_open_refuses_when_key_title_or_authentication_key_differ(void **state)
{
    (void)state;
    for (unsigned change = 0; change < 3; change++) {
        struct fixture f;
        uint8_t sc, *plain;
        size_t plain_len;
        set_up(&f, &sealed[2]);
        uint8_t *secret[] = {f.keys.guek, f.keys.gak, f.title};
        secret[change][7] ^= 1;
        assert_int_equal(open_body(&f, &sc, &plain, &plain_len), ERR_TAG);
    }
}

static void dlms_open_says_truncated_when_there_is_no_room_for_head_and_tag(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fixture f;
        uint8_t sc, *plain;
        size_t plain_len;
        set_up(&f, &sealed[i]);
        size_t least = (f.body[0] & DLMS_SC_AUTH) ? 17 : 5;
        for (size_t len = 0; len < least; len++) {
            set_up(&f, &sealed[i]);
            f.body_len = len;
            assert_int_equal(open_body(&f, &sc, &plain, &plain_len), ERR_TRUNCATED);
            assert_null(plain);
        }
    }
}

static void dlms_security_refuses_when_the_control_octet_is_not_suite_0(void **state)
{
    (void)state;
    for (unsigned sc = 0; sc < 256; sc++) {
        struct fixture f;
        uint8_t got, *plain, buf[64] = {0};
        size_t len;
        bool good =
            sc == 0x10 || sc == 0x20 || sc == 0x30 || sc == 0x50 || sc == 0x60 || sc == 0x70;
        set_up(&f, &sealed[2]);
        enum err err =
            dlms_seal(f.keys.guek, f.keys.gak, f.title, (uint8_t)sc, 9, buf, 4, sizeof buf, &len);
        assert_int_equal(err, good ? ERR_OK : ERR_UNSUPPORTED);
        f.body[0] = (uint8_t)sc;
        err = open_body(&f, &got, &plain, &len);
        assert_true(good ? err == ERR_OK || err == ERR_TAG : err == ERR_UNSUPPORTED);
        assert_int_equal(got, sc);
    }
}

/* The bit is authenticated with the rest: a unicast APDU cannot be turned into a broadcast one. */
static void dlms_open_gives_the_broadcast_bit_and_authenticates_it(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t sc, *plain;
    set_up(&f, &sealed[2]);
    memcpy(f.body + DLMS_HEAD_LEN, f.plain, f.plain_len);
    assert_int_equal(dlms_seal(f.keys.guek, f.keys.gak, f.title, 0x70, 9, f.body, f.plain_len,
                               sizeof f.body, &f.body_len),
                     ERR_OK);
    uint8_t copy[128];
    memcpy(copy, f.body, sizeof copy);
    size_t len;
    assert_int_equal(open_body(&f, &sc, &plain, &len), ERR_OK);
    assert_int_equal(sc, 0x70);
    assert_memory_equal(plain, f.plain, f.plain_len);
    memcpy(f.body, copy, sizeof copy);
    f.body[0] = 0x30;
    assert_int_equal(open_body(&f, &sc, &plain, &len), ERR_TAG);
}

static void dlms_seal_says_full_when_the_tag_does_not_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fixture f;
        size_t len = 77;
        set_up(&f, &sealed[i]);
        for (size_t size = 0; size < f.body_len; size++) {
            uint8_t buf[128];
            memset(buf, 0xAB, sizeof buf);
            assert_int_equal(dlms_seal(f.keys.guek, f.keys.gak, f.title, f.body[0], 1, buf,
                                       f.plain_len, size, &len),
                             ERR_FULL);
            assert_int_equal(len, 77);
            for (size_t k = 0; k < sizeof buf; k++)
                assert_int_equal(buf[k], 0xAB);
        }
        assert_int_equal(dlms_seal(f.keys.guek, f.keys.gak, f.title, f.body[0], 1, f.body, SIZE_MAX,
                                   sizeof f.body, &len),
                         ERR_FULL);
    }
}

static void dlms_security_says_key_when_one_is_missing(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t sc, *plain, buf[64], out[DLMS_GMAC_LEN];
    uint32_t counter;
    size_t len;
    set_up(&f, &sealed[2]);
    assert_int_equal(dlms_seal(NULL, f.keys.gak, f.title, 0x30, 1, buf, 4, sizeof buf, &len),
                     ERR_KEY);
    assert_int_equal(dlms_seal(f.keys.guek, NULL, f.title, 0x30, 1, buf, 4, sizeof buf, &len),
                     ERR_KEY);
    assert_int_equal(
        dlms_open(f.keys.guek, NULL, f.title, f.body, f.body_len, &sc, &counter, &plain, &len),
        ERR_KEY);
    set_up(&f, &sealed[1]); /* encrypted only: needs no authentication key */
    assert_int_equal(
        dlms_open(f.keys.guek, NULL, f.title, f.body, f.body_len, &sc, &counter, &plain, &len),
        ERR_OK);
    f.keys.has_gak = false;
    assert_int_equal(dlms_hls5_make(&f.keys, f.title, 1, (struct bytes){buf, 8}, out), ERR_KEY);
}

/* The published octets again, through a cipher that is ready and in parts of 1, 7 and all octets.
 */
static void dlms_seal_with_and_in_parts_make_the_published_octets(void **state)
{
    (void)state;
    static const size_t piece[] = {1, 7, 128};
    struct crypto_gcm gcm = {.ready = false};
    for (size_t i = 0; i < 3 * N_SEALED; i++) {
        struct fixture f;
        uint8_t buf[128], tag[CRYPTO_GCM_TAG];
        size_t n = piece[i % 3], tag_len;
        set_up(&f, &sealed[i / 3]);
        const struct dlms_cipher c = {&gcm, f.keys.gak, f.title};
        struct dlms_body b = {.sc = f.body[0],
                              .counter = counter_of(f.body),
                              .buf = buf,
                              .size = f.body_len,
                              .text_len = f.plain_len};
        memcpy(buf + DLMS_HEAD_LEN, f.plain, f.plain_len);
        assert_int_equal(crypto_gcm_key(&gcm, f.keys.guek), ERR_OK);
        assert_int_equal(dlms_seal_with(&c, &b), ERR_OK);
        assert_int_equal(b.len, f.body_len);
        assert_memory_equal(buf, f.body, f.body_len);
        assert_int_equal(dlms_seal_begin(&c, b.sc, b.counter, buf), ERR_OK);
        for (size_t at = 0; at < f.plain_len; at += n)
            assert_int_equal(
                dlms_seal_part(&c, b.sc, f.plain + at, f.plain_len - at < n ? f.plain_len - at : n),
                ERR_OK);
        assert_int_equal(dlms_seal_end(&c, b.sc, tag, &tag_len), ERR_OK);
        assert_memory_equal(buf, f.body, DLMS_HEAD_LEN);
        assert_memory_equal(f.plain, f.body + DLMS_HEAD_LEN, f.plain_len);
        assert_int_equal(DLMS_HEAD_LEN + f.plain_len + tag_len, f.body_len);
        assert_memory_equal(tag, f.body + DLMS_HEAD_LEN + f.plain_len, tag_len);
        assert_int_equal(dlms_open_with(&c, &b), ERR_OK);
        assert_int_equal(b.counter, counter_of(f.body));
    }
    crypto_gcm_end(&gcm);
}

/* A vector of greenbook_suite0_ciphering.json: Green Book, Ed. 8, table 40, beside this folder. */
static void expect_vector(const json_t *root, const json_t *v)
{
    struct fixture f;
    uint8_t apdu[128], buf[128], ic[4];
    size_t len = 0;
    memset(&f, 0, sizeof f);
    hex_octets(json_string_value(json_object_get(root, "guek")), f.keys.guek, 16);
    hex_octets(json_string_value(json_object_get(root, "gak")), f.keys.gak, 16);
    hex_octets(json_string_value(json_object_get(root, "system_title_client")), f.title, 8);
    hex_octets(json_string_value(json_object_get(v, "ic")), ic, sizeof ic);
    const char *text = json_string_value(json_object_get(v, "plain_apdu"));
    const char *whole = json_string_value(json_object_get(v, "glo_apdu"));
    const char *tag = json_string_value(json_object_get(v, "tag"));
    uint8_t sc;
    hex_octets(json_string_value(json_object_get(v, "sc")), &sc, 1);
    f.plain_len = hex_octets(text, buf + DLMS_HEAD_LEN, sizeof buf - DLMS_HEAD_LEN);
    struct rd r = rd_of(ic, sizeof ic);
    assert_int_equal(dlms_seal(f.keys.guek, f.keys.gak, f.title, sc, rd_u32(&r), buf, f.plain_len,
                               sizeof buf, &len),
                     ERR_OK);
    size_t n = hex_octets(whole ? whole : tag, apdu, sizeof apdu);
    size_t head = whole ? 2 : 0; /* tag and length octet of the glo- APDU */
    assert_true(n - head <= len);
    assert_memory_equal(buf + len - (n - head), apdu + head, n - head);
}

static void dlms_seal_agrees_with_the_green_book_file(void **state)
{
    (void)state;
    json_error_t error;
    json_t *v, *root = json_load_file(SHARED_DIR "/vectors/crypto/greenbook_suite0_ciphering.json",
                                      0, &error);
    size_t i;
    if (!root) {
        print_message("skipped: greenbook_suite0_ciphering.json is not here\n");
        skip();
        return;
    }
    assert_int_equal(json_array_size(json_object_get(root, "vectors")), 4);
    json_array_foreach(json_object_get(root, "vectors"), i, v) expect_vector(root, v);
    json_decref(root);
}

static void dlms_hls5_makes_and_accepts_the_published_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_HLS5; i++) {
        struct fixture f;
        uint8_t challenge[64], want[DLMS_GMAC_LEN], out[DLMS_GMAC_LEN];
        uint32_t counter = 0;
        set_up(&f, &sealed[0]);
        hex_octets(hls5[i].title, f.title, 8);
        struct bytes c = {challenge, hex_octets(hls5[i].challenge, challenge, sizeof challenge)};
        assert_int_equal(hex_octets(hls5[i].f, want, sizeof want), sizeof want);
        assert_int_equal(dlms_hls5_make(&f.keys, f.title, counter_of(want), c, out), ERR_OK);
        assert_memory_equal(out, want, sizeof want);
        assert_int_equal(
            dlms_hls5_check(&f.keys, f.title, c, (struct bytes){want, sizeof want}, &counter),
            ERR_OK);
        assert_int_equal(counter, counter_of(want));
    }
}

static void dlms_hls5_check_refuses_when_anything_differs(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t challenge[8], answer[DLMS_GMAC_LEN + 1] = {0};
    uint32_t counter = 4711;
    set_up(&f, &sealed[0]);
    hex_octets(hls5[1].challenge, challenge, sizeof challenge);
    struct bytes c = {challenge, sizeof challenge};
    for (size_t bit = 0; bit < 8 * DLMS_GMAC_LEN; bit++) {
        hex_octets(hls5[1].f, answer, DLMS_GMAC_LEN);
        answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(
            dlms_hls5_check(&f.keys, f.title, c, (struct bytes){answer, DLMS_GMAC_LEN}, &counter),
            bit < 8 ? ERR_FORMAT : ERR_TAG);
    }
    hex_octets(hls5[1].f, answer, DLMS_GMAC_LEN);
    for (size_t len = 0; len <= DLMS_GMAC_LEN + 1; len++) {
        if (len == DLMS_GMAC_LEN)
            continue;
        assert_int_equal(
            dlms_hls5_check(&f.keys, f.title, c, (struct bytes){answer, len}, &counter),
            ERR_FORMAT);
    }
    challenge[3] ^= 1;
    assert_int_equal(
        dlms_hls5_check(&f.keys, f.title, c, (struct bytes){answer, DLMS_GMAC_LEN}, &counter),
        ERR_TAG);
    assert_int_equal(counter, 4711);
}

/* A store in two halves: what is durable, and what the running meter sees of it. `cut` counts down
 * the steps of reserve(): 0 before the write, 1 after it but before it is acknowledged. */
struct fake_store {
    uint32_t durable;
    int cut;      /* < 0: no cut */
    bool failing; /* answers an error and writes nothing */
    unsigned n_reserved;
};

static enum err fake_reserve(void *context, uint32_t limit)
{
    struct fake_store *s = context;
    if (s->failing)
        return ERR_IO;
    if (s->cut == 0)
        return ERR_IO; /* the power went; nobody sees this result */
    s->durable = limit;
    s->n_reserved++;
    return s->cut == 1 ? ERR_IO : ERR_OK;
}

/* Lives from restart to a cut after `n_take` counters and, when the next needs the store, at the
 * given step in it. Every counter given out must be above all before. */
static void one_life(struct fake_store *s, unsigned n_take, int cut, uint32_t *highest)
{
    struct dlms_counter_store store = {s, fake_reserve};
    struct dlms_counter c = {.next = s->durable, .limit = s->durable, .store = &store};
    uint32_t got;
    s->cut = -1;
    for (unsigned i = 0; i < n_take; i++) {
        assert_int_equal(dlms_counter_take(&c, &got), ERR_OK);
        assert_true(got > *highest);
        assert_true(got < s->durable);
        *highest = got;
    }
    s->cut = cut;
    if (c.next == c.limit)
        assert_int_equal(dlms_counter_take(&c, &got), ERR_IO);
}

static void dlms_counter_never_repeats_when_power_goes_at_any_point(void **state)
{
    (void)state;
    static const unsigned n_take[] = {0, 1, 2, 255, 256, 257, 511, 512, 513};
    struct fake_store s = {.durable = 1};
    uint32_t highest = 0;
    for (unsigned round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof n_take / sizeof n_take[0]; i++)
            for (int cut = 0; cut < 2; cut++)
                one_life(&s, n_take[(i + round) % 9], cut, &highest);
    assert_true(highest > 2 * 20 * 2000);
}

static void dlms_counter_asks_the_store_once_a_block(void **state)
{
    (void)state;
    struct fake_store s = {.durable = 1, .cut = -1};
    struct dlms_counter_store store = {&s, fake_reserve};
    struct dlms_counter c = {.next = 1, .limit = 1, .store = &store};
    uint32_t got;
    for (unsigned i = 0; i < 10 * DLMS_COUNTER_BLOCK; i++) {
        assert_int_equal(dlms_counter_take(&c, &got), ERR_OK);
        assert_int_equal(got, 1 + i);
    }
    assert_int_equal(s.n_reserved, 10);
}

static void dlms_counter_gives_nothing_when_the_store_fails(void **state)
{
    (void)state;
    struct fake_store s = {.durable = 1, .cut = -1};
    struct dlms_counter_store store = {&s, fake_reserve};
    struct dlms_counter c = {.next = 1, .limit = 1, .store = &store};
    uint32_t got = 0xDEAD;
    s.failing = true;
    assert_int_equal(dlms_counter_take(&c, &got), ERR_IO);
    assert_int_equal(dlms_counter_take(&c, &got), ERR_IO);
    assert_int_equal(got, 0xDEAD);
    s.failing = false;
    assert_int_equal(dlms_counter_take(&c, &got), ERR_OK);
    assert_int_equal(got, 1);
}

static void dlms_counter_ends_before_it_wraps(void **state)
{
    (void)state;
    struct fake_store s = {.durable = UINT32_MAX - 3, .cut = -1};
    struct dlms_counter_store store = {&s, fake_reserve};
    struct dlms_counter stored = {.next = UINT32_MAX - 3, .limit = UINT32_MAX - 3, .store = &store};
    struct dlms_counter loose = {.next = UINT32_MAX - 3};
    uint32_t got;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(dlms_counter_take(&stored, &got), ERR_OK);
        assert_int_equal(got, UINT32_MAX - 3 + i);
        assert_int_equal(dlms_counter_take(&loose, &got), ERR_OK);
        assert_int_equal(got, UINT32_MAX - 3 + i);
    }
    assert_int_equal(dlms_counter_take(&stored, &got), ERR_COUNTER);
    assert_int_equal(dlms_counter_take(&loose, &got), ERR_COUNTER);
    assert_int_equal(s.durable, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dlms_seal_with_and_in_parts_make_the_published_octets),
        cmocka_unit_test(dlms_seal_agrees_with_the_green_book_file),
        cmocka_unit_test(dlms_seal_makes_the_published_octets),
        cmocka_unit_test(dlms_open_gives_the_published_text),
        cmocka_unit_test(dlms_open_refuses_and_wipes_when_any_bit_differs),
        cmocka_unit_test(dlms_open_refuses_when_key_title_or_authentication_key_differ),
        cmocka_unit_test(dlms_open_says_truncated_when_there_is_no_room_for_head_and_tag),
        cmocka_unit_test(dlms_security_refuses_when_the_control_octet_is_not_suite_0),
        cmocka_unit_test(dlms_open_gives_the_broadcast_bit_and_authenticates_it),
        cmocka_unit_test(dlms_seal_says_full_when_the_tag_does_not_fit),
        cmocka_unit_test(dlms_security_says_key_when_one_is_missing),
        cmocka_unit_test(dlms_hls5_makes_and_accepts_the_published_answers),
        cmocka_unit_test(dlms_hls5_check_refuses_when_anything_differs),
        cmocka_unit_test(dlms_counter_never_repeats_when_power_goes_at_any_point),
        cmocka_unit_test(dlms_counter_asks_the_store_once_a_block),
        cmocka_unit_test(dlms_counter_gives_nothing_when_the_store_fails),
        cmocka_unit_test(dlms_counter_ends_before_it_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
