/* Fuzz target of the client: the input chooses an operation and gives the meter's answers.
 *
 * Octet 0: 01, 02 and 10 the operation; 04 ciphered; 08 the AARE, too, comes from the input; 20
 * general block transfer; 40 a link of datagrams; 80 the meter agrees on no lists. Then frames: a
 * length octet and an APDU, put behind a right wrapper header, and in a ciphered association sealed
 * with the right keys; a length of 0xFE lets time pass; of 0xFF makes the rest raw octets of the
 * line.
 *
 * The same happens whether octets come at once or one by one; a value that was called complete is
 * one well-formed A-XDR value; a failed client takes and sends nothing more. */
#include "lib/cosem/client.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 8192
#define N_LIST    2
#define LONG      100 /* octets of values that go out: more than the meter's PDU */

enum {
    OPERATION = 0x13,
    CIPHERED = 0x04,
    OWN_AARE = 0x08,
    GENERAL = 0x20,
    DATAGRAMS = 0x40,
    NO_LISTS = 0x80
};

struct result {
    struct cosem_client client;
    struct dlms_counter counter;
    struct wrapper_link link;
    uint8_t link_buffer[COSEM_CLIENT_PDU_MAX];
    uint64_t now_ms;
    uint32_t sealed; /* invocation counter of the meter */
    bool ciphered, datagrams;
    unsigned n_notices;
    uint8_t out[2 * (LONG + 2)]; /* what is written, borrowed by the client */
    struct apdu_attr attrs[N_LIST];
    uint8_t value[VALUE_MAX];
    size_t len, start; /* of the item under way */
    unsigned n_done, n_good;
    enum cosem_result last;
};

static bool take_part(void *context, uint32_t index, struct bytes part)
{
    struct result *r = context;
    CHECK(index < N_LIST);
    if (part.len > VALUE_MAX - r->len)
        return false;
    memcpy(r->value + r->len, part.p, part.len);
    r->len += part.len;
    return true;
}

static void take_done(void *context, uint32_t index, enum cosem_result result)
{
    struct result *r = context;
    CHECK(index < N_LIST);
    r->n_done++;
    r->last = result;
    if (result == COSEM_SUCCESS && r->len > r->start) {
        struct rd value = rd_of(r->value + r->start, r->len - r->start);
        axdr_skip(&value);
        /* what the scan lets pass and the walk does not: depth counts differently in type
         * descriptions of compact arrays */
        CHECK(value.err == ERR_OK || value.err == ERR_DEPTH || value.err == ERR_FORMAT);
        CHECK(value.err != ERR_OK || rd_left(&value) == 0);
        r->n_good++;
    }
    r->start = r->len;
}

static void notified(void *context, const struct cosem_client_notice *notice)
{
    struct result *r = context;
    const struct bytes v = notice->is_event ? notice->event.value : notice->data.body;
    struct rd value = rd_of(v.p, v.len);
    axdr_skip(&value);
    CHECK(!value.err && rd_left(&value) == 0);
    r->n_notices++;
}

static size_t drain(struct result *r)
{
    uint8_t out[2200];
    size_t taken = 0, got;
    while ((got = cosem_client_take(&r->client, out, sizeof out)) > 0)
        taken += got;
    return taken;
}

static void feed(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    for (size_t at = 0; at < n && r->client.state != CLIENT_FAILED;) {
        const size_t give = n - at < piece ? n - at : piece;
        const size_t used = cosem_client_feed(&r->client, r->now_ms, p + at, give);
        CHECK(used <= give);
        at += used;
        const size_t taken = drain(r);
        CHECK(used > 0 || taken > 0 || r->client.state == CLIENT_FAILED);
    }
}

static void feed_frame(struct result *r, const uint8_t *apdu, size_t n, size_t piece)
{
    uint8_t frame[WRAPPER_HEAD_LEN + 400];
    struct wr w = wr_of(frame, sizeof frame);
    wrapper_put_head(&w, 1, r->client.config.client_sap, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    feed(r, frame, w.len, piece);
}

/* ---- the meter's side of a ciphered association ---- */

static const struct dlms_keys keys = {.guek = {1}, .gak = {2}, .has_guek = true, .has_gak = true};
static const uint8_t title[8] = "FER METR";

/* SC, IC, text, tag of n octets in `to`. */
static struct bytes seal(struct result *r, uint8_t *to, size_t size, const uint8_t *p, size_t n)
{
    size_t len;
    memcpy(to + DLMS_HEAD_LEN, p, n);
    CHECK(dlms_seal(keys.guek, keys.gak, title, DLMS_SC_AUTH | DLMS_SC_ENC, r->sealed++, to, n,
                    size, &len) == ERR_OK);
    return (struct bytes){to, len};
}

static void put_sealed(struct result *r, struct wr *w, uint8_t tag, const uint8_t *p, size_t n)
{
    uint8_t body[300];
    const struct bytes b = seal(r, body, sizeof body, p, n);
    wr_u8(w, tag != 0 ? tag : DLMS_GENERAL_GLO);
    if (tag == 0) {
        wr_u8(w, sizeof title);
        wr_bytes(w, title, sizeof title);
    }
    wr_length(w, b.len);
    wr_bytes(w, b.p, b.len);
}

static void feed_apdu(struct result *r, const uint8_t *apdu, size_t n, size_t piece)
{
    uint8_t out[400];
    struct wr w = wr_of(out, sizeof out);
    if (!r->ciphered || n == 0 || apdu[0] == DLMS_GENERAL_BLOCK ||
        apdu[0] == DLMS_EXCEPTION_RESPONSE) {
        feed_frame(r, apdu, n, piece);
        return;
    }
    put_sealed(r, &w, apdu_ciphered_tag(apdu[0], false), apdu, n);
    CHECK(!w.err);
    feed_frame(r, out, w.len, piece);
}

static void accept(struct result *r, uint8_t how, size_t piece)
{
    const struct dlms_initiate i = {.version = DLMS_VERSION,
                                    .conformance =
                                        0x203E5D & ~(how & NO_LISTS ? DLMS_CONF_MULTIPLE : 0),
                                    .max_pdu = 80,
                                    .vaa = DLMS_VAA_LN};
    uint8_t plain[64], ciphered[128], out[256];
    struct wr w = wr_of(plain, sizeof plain), info = wr_of(ciphered, sizeof ciphered);
    struct acse_aare a = {.context = DLMS_CONTEXT_LN, .source = ACSE_SOURCE_USER};
    initiate_put_response(&w, &i);
    a.user_info = (struct bytes){plain, w.len};
    if (r->ciphered) {
        put_sealed(r, &info, DLMS_GLO_INITIATE_RESPONSE, plain, w.len);
        a.user_info = (struct bytes){ciphered, info.len};
        a.context = DLMS_CONTEXT_LN_CIPHERED;
        a.title = (struct bytes){title, sizeof title};
    }
    w = wr_of(out, sizeof out);
    acse_put_aare(&w, &a);
    CHECK(!w.err);
    feed_frame(r, out, w.len, piece);
    CHECK(r->client.state == CLIENT_READY);
}

/* ---- operations ---- */

static void fill_values(struct result *r)
{
    struct wr w = wr_of(r->out, sizeof r->out);
    const uint8_t zeros[LONG] = {0};
    for (int i = 0; i < 2; i++) {
        wr_u8(&w, AXDR_OCTETS);
        wr_length(&w, LONG);
        wr_bytes(&w, zeros, LONG);
    }
    r->attrs[0] = (struct apdu_attr){.class_id = 7, .id = 2};
    r->attrs[1] = (struct apdu_attr){.class_id = 1, .id = 2};
    for (int i = 0; i < N_LIST; i++)
        r->attrs[i].parameter = (struct bytes){r->out, LONG + 2};
}

static enum err begin(struct result *r, uint8_t operation)
{
    const struct cosem_client_sink sink = {.context = r, .data = take_part, .done = take_done};
    const struct bytes one = {r->out, LONG + 2}, both = {r->out, sizeof r->out};
    static const uint8_t nothing[2] = {AXDR_NULL, AXDR_NULL};
    const struct access_spec specs[N_LIST] = {
        {.choice = DLMS_ACCESS_GET, .target = {.class_id = 1, .id = 2}},
        {.choice = DLMS_ACCESS_ACTION, .target = {.class_id = 9, .id = 1}}};
    struct cosem_client *c = &r->client;
    switch (operation) {
    case 0:
        return cosem_client_get(c, 0, &r->attrs[0], &sink);
    case 1:
        return cosem_client_get_list(c, 0, r->attrs, N_LIST, &sink);
    case 2:
        return cosem_client_set(c, 0, &r->attrs[1], one, &sink);
    case 3:
        return cosem_client_action(c, 0, &r->attrs[1], &sink);
    case 0x10:
        return cosem_client_release(c, 0);
    case 0x11:
        return cosem_client_set_list(c, 0, r->attrs, N_LIST, both, &sink);
    case 0x12:
        return cosem_client_action_list(c, 0, r->attrs, N_LIST, &sink);
    default:
        return cosem_client_access(c, 0, specs, N_LIST, (struct bytes){nothing, 2}, &sink);
    }
}

static void connect(struct result *r, uint8_t how)
{
    struct cosem_client_config k = {.client_sap = 16,
                                    .server_sap = 1,
                                    .timeout_ms = 1000,
                                    .keys = &keys,
                                    .counter = &r->counter,
                                    .notified = notified,
                                    .notified_context = r};
    cosem_client_end(&r->client); /* of the last input */
    memset(r, 0, sizeof *r);
    r->ciphered = (how & CIPHERED) != 0;
    r->datagrams = (how & DATAGRAMS) != 0;
    k.security = r->ciphered ? DLMS_SC_AUTH | DLMS_SC_ENC : 0;
    k.gbt_window = how & GENERAL ? 3 : 0;
    if (r->datagrams) {
        wrapper_link_init_datagrams(&r->link, false, r->link_buffer, sizeof r->link_buffer);
        k.link = &r->link.link;
    }
    CHECK(cosem_client_init(&r->client, &k) == ERR_OK);
    CHECK(cosem_client_connect(&r->client, 0) == ERR_OK);
    CHECK(drain(r) > 0);
}

static void run(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    connect(r, p[0]);
    fill_values(r);
    if ((p[0] & OWN_AARE) == 0) {
        accept(r, p[0], piece);
        CHECK(begin(r, p[0] & OPERATION) == ERR_OK);
        (void)drain(r);
    }
    for (size_t at = 1; at < n;) {
        const size_t len = p[at++];
        if (len == 0xFF) {
            feed(r, p + at, n - at, piece);
            return;
        }
        if (len == 0xFE) {
            r->now_ms += 350;
            (void)cosem_client_poll(&r->client, r->now_ms);
            (void)drain(r);
            continue;
        }
        const size_t some = len < n - at ? len : n - at;
        if ((p[0] & OWN_AARE) != 0)
            feed_frame(r, p + at, some, piece);
        else
            feed_apdu(r, p + at, some, piece);
        at += some;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, single;
    char text[256];
    if (size < 2)
        return 0;
    run(&whole, data, size, SIZE_MAX);
    if (!whole.datagrams) {
        run(&single, data, size, 1);
        CHECK(whole.client.state == single.client.state && whole.len == single.len);
        CHECK(memcmp(whole.value, single.value, whole.len) == 0 && whole.n_done == single.n_done);
        CHECK(whole.client.failure.why == single.client.failure.why);
        CHECK(whole.n_notices == single.n_notices);
    }
    CHECK(cosem_client_explain(&whole.client, text, sizeof text) == strlen(text));
    if (whole.client.state == CLIENT_FAILED) {
        CHECK(whole.client.failure.err != ERR_OK && text[0] != '\0');
        CHECK(cosem_client_take(&whole.client, (uint8_t *)text, sizeof text) == 0);
    }
    return 0;
}
