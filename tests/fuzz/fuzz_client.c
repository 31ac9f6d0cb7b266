/* Fuzz target of the client: the input chooses an operation and gives the meter's answers.
 *
 * Octet 0: operation and whether the association is ciphered. Then frames: a length octet and an
 * APDU, put behind a right wrapper header; a length of 0xFF makes the rest raw octets of the line.
 * The same happens whether octets come at once or one by one; a value that was called complete is
 * one well-formed A-XDR value; a failed client takes and sends nothing more. */
#include "lib/cosem/client.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define VALUE_MAX 8192
#define N_LIST    2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t public_aare[] = {
    0x61, 0x29, 0xA1, 0x09, 0x06, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08, 0x01, 0x01, 0xA2, 0x03,
    0x02, 0x01, 0x00, 0xA3, 0x05, 0xA1, 0x03, 0x02, 0x01, 0x00, 0xBE, 0x10, 0x04, 0x0E, 0x08,
    0x00, 0x06, 0x5F, 0x1F, 0x04, 0x00, 0x00, 0x1E, 0x1D, 0x04, 0xC8, 0x00, 0x07};

struct result {
    struct cosem_client client;
    struct dlms_counter counter;
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

static void feed(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    uint8_t out[512];
    for (size_t at = 0; at < n && r->client.state != CLIENT_FAILED;) {
        const size_t give = n - at < piece ? n - at : piece;
        const size_t used = cosem_client_feed(&r->client, 0, p + at, give);
        CHECK(used <= give);
        at += used;
        size_t taken = 0, got;
        while ((got = cosem_client_take(&r->client, out, sizeof out)) > 0)
            taken += got;
        CHECK(used > 0 || taken > 0 || r->client.state == CLIENT_FAILED);
    }
}

static void feed_frame(struct result *r, const uint8_t *apdu, size_t n, size_t piece)
{
    uint8_t frame[WRAPPER_HEAD_LEN + 256];
    struct wr w = wr_of(frame, sizeof frame);
    wrapper_put_head(&w, 1, r->client.config.client_sap, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    feed(r, frame, w.len, piece);
}

static void begin(struct result *r, uint8_t operation)
{
    const struct cosem_client_sink sink = {.context = r, .data = take_part, .done = take_done};
    const uint8_t value[] = {AXDR_U8, 1};
    const struct apdu_attr attrs[N_LIST] = {{.class_id = 7, .id = 2}, {.class_id = 1, .id = 2}};
    enum err err;
    if (operation == 0)
        err = cosem_client_get(&r->client, 0, &attrs[0], &sink);
    else if (operation == 1)
        err = cosem_client_get_list(&r->client, 0, attrs, N_LIST, &sink);
    else if (operation == 2)
        err = cosem_client_set(&r->client, 0, &attrs[1], (struct bytes){value, 2}, &sink);
    else
        err = cosem_client_action(&r->client, 0, &attrs[1], &sink);
    CHECK(err == ERR_OK);
}

static void run(struct result *r, const uint8_t *p, size_t n, size_t piece)
{
    static const struct dlms_keys keys = {.has_guek = true, .has_gak = true};
    const bool ciphered = (p[0] & 4) != 0;
    const struct cosem_client_config k = {.client_sap = 16,
                                          .server_sap = 1,
                                          .security = ciphered ? DLMS_SC_ENC : 0,
                                          .keys = &keys,
                                          .counter = &r->counter};
    uint8_t drop[512];
    cosem_client_end(&r->client); /* of the last input */
    memset(r, 0, sizeof *r);
    CHECK(cosem_client_init(&r->client, &k) == ERR_OK);
    CHECK(cosem_client_connect(&r->client, 0) == ERR_OK);
    while (cosem_client_take(&r->client, drop, sizeof drop) > 0)
        continue;
    if (!ciphered && (p[0] & 8) == 0) { /* else the AARE, too, comes from the input */
        feed_frame(r, public_aare, sizeof public_aare, piece);
        CHECK(r->client.state == CLIENT_READY);
        begin(r, p[0] & 3);
        while (cosem_client_take(&r->client, drop, sizeof drop) > 0)
            continue;
    }
    for (size_t at = 1; at < n;) {
        const size_t len = p[at++];
        if (len == 0xFF) {
            feed(r, p + at, n - at, piece);
            return;
        }
        const size_t some = len < n - at ? len : n - at;
        feed_frame(r, p + at, some, piece);
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
    run(&single, data, size, 1);
    CHECK(whole.client.state == single.client.state && whole.len == single.len);
    CHECK(memcmp(whole.value, single.value, whole.len) == 0 && whole.n_done == single.n_done);
    CHECK(whole.client.failure.why == single.client.failure.why);
    CHECK(cosem_client_explain(&whole.client, text, sizeof text) == strlen(text));
    if (whole.client.state == CLIENT_FAILED) {
        CHECK(whole.client.failure.err != ERR_OK && text[0] != '\0');
        CHECK(cosem_client_take(&whole.client, (uint8_t *)text, sizeof text) == 0);
    }
    return 0;
}
