/* See wire.h. */
#include "tests/system/wire.h"
#include "tests/system/process.h"

#include <setjmp.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAG_AARE            0x61
#define TAG_GLO_FIRST       0xC8
#define TAG_GLO_LAST        0xCF
#define TAG_GLO_ACTION      0xCF
#define TAG_GLO_INITIATE    0x28
#define TAG_EXCEPTION       0xD8
#define HLS_PROOF_LEN       17
#define USER_INFORMATION    0xBE
#define USER_INFORMATION_AT 5 /* BE len 04 len 28: octets before the ciphered initiate's length */

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    return getrandom(to, n, 0) == (ssize_t)n ? ERR_OK : ERR_RNG;
}

void wire_init(struct wire *w, const char *keys_file)
{
    char line[256];
    FILE *f = fopen(keys_file, "r");
    assert_non_null(f);
    memset(w, 0, sizeof *w);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strncmp(line, "guek = ", 7) == 0)
            w->keys.has_guek = hex_octets(line + 7, w->keys.guek, 16) == 16;
        else if (strncmp(line, "gak = ", 6) == 0)
            w->keys.has_gak = hex_octets(line + 6, w->keys.gak, 16) == 16;
    }
    fclose(f);
    assert_true(w->keys.has_guek && w->keys.has_gak);
    w->counter = (struct dlms_counter){.next = 1, .limit = UINT32_MAX};
    w->rng.fill = fill;
    w->fd = -1;
}

/* ---- counters ---- */

static void note_counter(struct wire *w, const uint8_t *p)
{
    const uint32_t n = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    assert_true(n < WIRE_COUNTER_MAX);
    if (w->seen[n / 8] >> n % 8 & 1)
        fail_msg("the meter used the invocation counter %u twice", n);
    w->seen[n / 8] |= (uint8_t)(1u << n % 8);
    w->n_counters++;
}

/* At the length of SC || IC || ...; gives the place of SC. */
static const uint8_t *after_length(const uint8_t *p)
{
    return p[0] < 0x80 ? p + 1 : p + 1 + (p[0] & 0x7F);
}

/* The proof of HLS pass 4 carries a counter of the same key inside the ciphered answer. */
static void note_proof(struct wire *w, const uint8_t *body, size_t len)
{
    uint8_t copy[sizeof w->frame], sc, *plain;
    uint32_t counter;
    size_t n;
    assert_true(len <= sizeof copy);
    memcpy(copy, body, len);
    assert_int_equal(dlms_open(w->keys.guek, w->keys.gak, w->client.server_title, copy, len, &sc,
                               &counter, &plain, &n),
                     ERR_OK);
    assert_true(n > HLS_PROOF_LEN);
    const uint8_t *proof = plain + n - HLS_PROOF_LEN;
    assert_int_equal(proof[-2], 0x09); /* octet-string(17) */
    assert_int_equal(proof[-1], HLS_PROOF_LEN);
    note_counter(w, proof + 1);
}

static void note_frame(struct wire *w)
{
    const uint8_t *p = w->frame, *end = p + w->rx.len;
    assert_true(w->rx.len > 8);
    if (p[0] == TAG_AARE) {
        while (p + USER_INFORMATION_AT + 6 < end &&
               (p[0] != USER_INFORMATION || p[2] != 0x04 || p[4] != TAG_GLO_INITIATE))
            p++;
        assert_true(p + USER_INFORMATION_AT + 6 < end);
        note_counter(w, after_length(p + USER_INFORMATION_AT) + 1);
        return;
    }
    if (p[0] < TAG_GLO_FIRST || p[0] > TAG_GLO_LAST)
        fail_msg("the meter answers with tag %02X", p[0]);
    const uint8_t *body = after_length(p + 1);
    note_counter(w, body + 1);
    if (p[0] == TAG_GLO_ACTION)
        note_proof(w, body, (size_t)(end - body));
}

/* ---- the line ---- */

static bool send_waiting(struct wire *w)
{
    uint8_t out[1024];
    size_t n;
    while ((n = cosem_client_take(&w->client, out, sizeof out)) > 0)
        if (!line_send(w->fd, out, n))
            return false;
    return true;
}

static void feed(struct wire *w, const uint8_t *p, size_t n)
{
    enum wrapper_event event = WRAPPER_MORE;
    for (size_t at = 0; at < n;) {
        const size_t used = wrapper_feed(&w->rx, p + at, n - at, &event);
        for (size_t fed = 0; fed < used;)
            fed += cosem_client_feed(&w->client, 0, p + at + fed, used - fed);
        at += used;
        assert_true(event == WRAPPER_MORE || event == WRAPPER_FRAME);
        if (event == WRAPPER_FRAME)
            note_frame(w);
    }
}

/* The operation under way to its end. False: the line broke off. */
static bool run(struct wire *w)
{
    while (cosem_client_waiting(&w->client)) {
        uint8_t in[1024];
        ssize_t n = -1;
        if (send_waiting(w))
            do
                n = recv(w->fd, in, sizeof in, 0);
            while (n < 0 && errno == EINTR);
        if (n <= 0) {
            if (n < 0 && errno == EAGAIN)
                fail_msg("the meter is silent");
            wire_hang_up(w);
            return false;
        }
        feed(w, in, (size_t)n);
    }
    if (w->client.state == CLIENT_FAILED) {
        char why[256];
        cosem_client_explain(&w->client, why, sizeof why);
        fail_msg("%s", why);
    }
    return true;
}

static int try_connect(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_sec = 20};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

bool wire_connect(struct wire *w, uint16_t port)
{
    const struct cosem_client_config c = {.client_sap = 1,
                                          .server_sap = 1,
                                          .mechanism = DLMS_MECHANISM_HLS5,
                                          .security = DLMS_SC_AUTH | DLMS_SC_ENC,
                                          .max_pdu = 256,
                                          .title = "TSTWIRE",
                                          .keys = &w->keys,
                                          .counter = &w->counter,
                                          .rng = &w->rng};
    wire_hang_up(w);
    w->fd = try_connect(port);
    if (w->fd < 0)
        return false;
    wrapper_reset(&w->rx, w->frame, sizeof w->frame);
    assert_int_equal(cosem_client_init(&w->client, &c), ERR_OK);
    assert_int_equal(cosem_client_connect(&w->client, 0), ERR_OK);
    return run(w);
}

void wire_hang_up(struct wire *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    cosem_client_end(&w->client);
}

/* ---- operations ---- */

static bool receive(void *context, uint32_t index, struct bytes part)
{
    struct wire *w = context;
    (void)index;
    assert_true(part.len <= sizeof w->answer - w->answer_len);
    if (part.len > 0)
        memcpy(w->answer + w->answer_len, part.p, part.len);
    w->answer_len += part.len;
    return true;
}

static void receive_end(void *context, uint32_t index, enum cosem_result result)
{
    struct wire *w = context;
    (void)index;
    w->result = result;
    assert_int_equal(result, COSEM_SUCCESS);
}

static struct cosem_client_sink begin(struct wire *w)
{
    w->answer_len = 0;
    return (struct cosem_client_sink){.context = w, .data = receive, .done = receive_end};
}

static struct apdu_attr attribute(uint16_t class_id, const uint8_t ln[6], uint8_t id)
{
    struct apdu_attr a = {.class_id = class_id, .id = id};
    memcpy(a.ln, ln, 6);
    return a;
}

bool wire_get(struct wire *w, uint16_t class_id, const uint8_t ln[6], uint8_t id)
{
    const struct cosem_client_sink sink = begin(w);
    const struct apdu_attr a = attribute(class_id, ln, id);
    assert_int_equal(cosem_client_get(&w->client, 0, &a, &sink), ERR_OK);
    return run(w);
}

bool wire_set(struct wire *w, uint16_t class_id, const uint8_t ln[6], uint8_t id,
              struct bytes value)
{
    const struct cosem_client_sink sink = begin(w);
    const struct apdu_attr a = attribute(class_id, ln, id);
    assert_int_equal(cosem_client_set(&w->client, 0, &a, value, &sink), ERR_OK);
    return run(w);
}
