/* The client: alone against a fixed answer; with the server in one process; and over loopback,
 * beside a bare echo of the same octets through the same event loop. With one request in flight
 * the line's latency is measured, with 16 the work. Profiles go through ciphered APDUs of 256
 * octets, by the blocks of GET and by general block transfer, without null-data. */
#include "lib/cosem/client.h"
#include "tests/bench/alloc_count.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS       7
#define N_ALONE    500000
#define N_INSIDE   50000
#define N_LOOPBACK 4000
#define IN_FLIGHT  16
#define BUFFER     65536

static struct example x;
static struct cosem_client client;
static struct dlms_keys keys;
static struct dlms_counter counter;
static unsigned n_values;
static size_t n_octets;
static const struct bench_line inside = {.fd = -1};
static const struct apdu_attr name_attr = {.class_id = 1, .ln = {0, 0, 42, 0, 0, 255}, .id = 2};
static const struct apdu_attr profile_attr = {.class_id = 7, .ln = {1, 0, 99, 1, 0, 255}, .id = 2};

static void done(void *context, uint32_t index, enum cosem_result result)
{
    (void)context;
    (void)index;
    n_values += result == COSEM_SUCCESS;
}

static bool data(void *context, uint32_t index, struct bytes part)
{
    (void)context;
    (void)index;
    n_octets += part.len;
    return true;
}

static const struct cosem_client_sink sink = {.data = data, .done = done};

/* One step: what the client says goes out, else what came is handed to it, else more comes in. A
 * client that has something to say takes nothing more before that has gone. */
static void step(struct bench_line l, struct bench_echo *size)
{
    static uint8_t in[4096];
    static size_t at, len;
    uint8_t out[4096];
    const size_t n = cosem_client_take(&client, out, sizeof out);
    if (n > 0) {
        size->in = n;
        if (l.fd >= 0)
            bench_line_send(l, out, n);
        else
            bench_must(session_feed(&x.session, out, n) == n, "the session stopped");
    } else if (at < len) {
        at += cosem_client_feed(&client, 0, in + at, len - at);
    } else {
        at = 0;
        len = l.fd >= 0 ? bench_line_receive(l, in, sizeof in)
                        : session_take(&x.session, in, sizeof in);
        bench_must(len > 0, "no answer");
        size->out = len;
        at = cosem_client_feed(&client, 0, in, len);
    }
}

static struct bench_echo finish(struct bench_line l)
{
    struct bench_echo size = {0, 0};
    while (cosem_client_waiting(&client))
        step(l, &size);
    char why[160];
    (void)cosem_client_explain(&client, why, sizeof why);
    bench_must(client.state == CLIENT_READY, why);
    return size;
}

/* gbt: general block transfer, the answer put together in `whole`. */
static void associate(struct bench_line l, bool ciphered, uint16_t max_pdu, bool gbt)
{
    static uint8_t whole[1 << 20];
    struct cosem_client_config k = {.client_sap = ciphered ? SAP_MANAGER : SAP_READER,
                                    .server_sap = 1,
                                    .mechanism =
                                        ciphered ? DLMS_MECHANISM_HLS5 : DLMS_MECHANISM_LLS,
                                    .security = ciphered ? DLMS_SC_AUTH | DLMS_SC_ENC : 0,
                                    .max_pdu = max_pdu,
                                    .keys = &keys,
                                    .counter = &counter,
                                    .password = EXAMPLE_PASSWORD,
                                    .rng = &x.rng,
                                    .gbt_window = gbt ? GBT_WINDOW_MAX : 0,
                                    .gbt_buffer = gbt ? whole : NULL,
                                    .gbt_size = gbt ? sizeof whole : 0};
    memcpy(k.title, example_client_title, sizeof k.title);
    bench_must(cosem_client_init(&client, &k) == ERR_OK, "bad configuration");
    bench_must(cosem_client_connect(&client, 0) == ERR_OK, "cannot begin");
    (void)finish(l);
}

static void begin(void)
{
    example_init(&x);
    counter = (struct dlms_counter){.next = 1};
}

/* ---- what is measured, each a rate ---- */

static double gets(struct bench_line l, unsigned n, struct bench_echo *size)
{
    const double start = bench_now_s();
    n_values = 0;
    for (unsigned i = 0; i < n; i++) {
        bench_must(cosem_client_get(&client, 0, &name_attr, &sink) == ERR_OK, "cannot begin");
        *size = finish(l);
    }
    bench_must(n_values == n, "a value is missing");
    return n / (bench_now_s() - start);
}

/* Encode a request, decode its answer: the other side is one fixed frame with the invoke-id put
 * in. */
static double alone(unsigned n)
{
    uint8_t out[64];
    uint8_t in[] = {0,   1,   0,   1,   0,   SAP_READER, 0,   22,  0xC4, 1,
                    0,   0,   9,   16,  'F', 'E',        'R', '0', '0',  '0',
                    '0', '0', '0', '0', '0', '0',        '0', '0', '0',  '1'};
    const double start = bench_now_s();
    n_values = 0;
    for (unsigned i = 0; i < n; i++) {
        if (cosem_client_get(&client, 0, &name_attr, &sink) != ERR_OK ||
            cosem_client_take(&client, out, sizeof out) == 0)
            exit(1);
        in[WRAPPER_HEAD_LEN + 2] = out[WRAPPER_HEAD_LEN + 2];
        (void)cosem_client_feed(&client, 0, in, sizeof in);
    }
    bench_must(n_values == n && client.state == CLIENT_READY, "a value is missing");
    return n / (bench_now_s() - start);
}

static double rows(struct bench_line l)
{
    const double start = bench_now_s();
    n_values = 0;
    n_octets = 0;
    bench_must(cosem_client_get(&client, 0, &profile_attr, &sink) == ERR_OK, "cannot begin");
    (void)finish(l);
    bench_must(n_values == 1 && n_octets > (size_t)EXAMPLE_ROWS * EXAMPLE_ROW_SIZE, "rows missing");
    return EXAMPLE_ROWS / (bench_now_s() - start);
}

static double echoes(struct bench_line l, unsigned n, const struct bench_echo *size)
{
    uint8_t octets[4096] = {0};
    const double start = bench_now_s();
    for (unsigned i = 0; i < n; i++) {
        bench_line_send(l, octets, size->in);
        for (size_t got = 0; got < size->out;)
            got += bench_line_receive(l, octets, sizeof octets);
    }
    return n / (bench_now_s() - start);
}

/* Frames of GET requests, invoke-ids 0, 1 ... 15, 0 ... */
static size_t put_gets(uint8_t *to, size_t size, unsigned n)
{
    struct wr w = wr_of(to, size);
    for (unsigned i = 0; i < n; i++) {
        struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                                 .type = DLMS_GET_NORMAL,
                                 .invoke = (uint8_t)(0xC0 | (i & 0x0F)),
                                 .target = name_attr};
        struct wr count = wr_counter();
        apdu_put_request(&count, &q);
        wrapper_put_head(&w, SAP_READER, 1, (uint16_t)count.len);
        apdu_put_request(&w, &q);
    }
    bench_must(!w.err, "no room");
    return w.len;
}

/* Takes octets; gives how many whole, good answers they completed. */
static unsigned count_answers(struct wrapper_rx *rx, const uint8_t *p, size_t n)
{
    unsigned whole = 0;
    for (size_t at = 0; at < n;) {
        enum wrapper_event event;
        at += wrapper_feed(rx, p + at, n - at, &event);
        if (event != WRAPPER_FRAME)
            continue;
        struct rd r = rd_of(rx->buf, rx->len);
        struct apdu_response a;
        apdu_get_response(&r, &a);
        bench_must(!r.err && a.has_data && a.data.len == 18, "not the value");
        whole++;
    }
    return whole;
}

/* IN_FLIGHT requests are always out: as many go as answers came. */
static double many_gets(struct bench_line l, unsigned n)
{
    static uint8_t octets[BUFFER], frame[1024];
    struct wrapper_rx rx;
    unsigned sent = IN_FLIGHT, got = 0;
    wrapper_reset(&rx, frame, sizeof frame);
    const double start = bench_now_s();
    bench_line_send(l, octets, put_gets(octets, sizeof octets, IN_FLIGHT));
    while (got < n) {
        unsigned more = count_answers(&rx, octets, bench_line_receive(l, octets, sizeof octets));
        got += more;
        more = sent + more <= n ? more : n - sent;
        sent += more;
        if (more > 0)
            bench_line_send(l, octets, put_gets(octets, sizeof octets, more));
    }
    return n / (bench_now_s() - start);
}

/* ---- the runs ---- */

static void bench_alone(void)
{
    double rate[RUNS];
    begin();
    associate(inside, false, 0, false);
    const unsigned long before = alloc_count();
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = alone(N_ALONE);
    const double asked = (double)(alloc_count() - before);
    bench_runs("client alone, encode and decode", "/s", rate, RUNS);
    bench_size("  memory asked for", "times", asked);
}

static void bench_inside(const char *what, bool ciphered)
{
    double rate[RUNS];
    struct bench_echo size;
    begin();
    associate(inside, ciphered, 0, false);
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = gets(inside, N_INSIDE, &size);
    bench_runs(what, "/s", rate, RUNS);
}

/* What an echo makes of the octets of one exchange, in turn with it: a busy machine slows both. */
static void bench_loopback(const char *what, bool ciphered)
{
    double rate[RUNS], bare[RUNS], share[RUNS];
    struct bench_echo size;
    begin();
    struct bench_line server = bench_line_open(&x, NULL);
    associate(server, ciphered, 0, false);
    (void)gets(server, 1, &size);
    struct bench_line parrot = bench_line_open(&x, &size);
    for (unsigned i = 0; i < RUNS; i++) {
        rate[i] = gets(server, N_LOOPBACK, &size);
        bare[i] = echoes(parrot, N_LOOPBACK, &size);
        share[i] = 100 * rate[i] / bare[i];
    }
    bench_line_close(server);
    bench_line_close(parrot);
    bench_runs(what, "/s", rate, RUNS);
    bench_runs("  the same octets echoed", "/s", bare, RUNS);
    bench_runs("  of the echo's rate", "%", share, RUNS);
    bench_size("  octets out and back", "octets", (double)(size.in + size.out));
}

static void bench_in_flight(void)
{
    double one[RUNS], many[RUNS], times[RUNS];
    struct bench_echo size;
    begin();
    struct bench_line server = bench_line_open(&x, NULL);
    associate(server, false, 0, false);
    for (unsigned i = 0; i < RUNS; i++) {
        one[i] = gets(server, N_LOOPBACK, &size);
        many[i] = many_gets(server, N_LOOPBACK * 8);
        times[i] = many[i] / one[i];
    }
    bench_line_close(server);
    bench_runs("GET over loopback, 16 in flight", "/s", many, RUNS);
    bench_runs("  times one in flight", "", times, RUNS);
}

static void bench_rows(const char *what, bool loopback, bool ciphered, bool gbt)
{
    double rate[RUNS];
    begin();
    struct bench_line l = loopback ? bench_line_open(&x, NULL) : inside;
    associate(l, ciphered, 256, gbt);
    const unsigned long before = alloc_count();
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = rows(l);
    const double asked = (double)(alloc_count() - before);
    if (loopback)
        bench_line_close(l);
    bench_runs(what, "rows/s", rate, RUNS);
    bench_size("  memory asked for", "times", asked);
}

int main(void)
{
    bench_begin("bench_client");
    memcpy(keys.guek, example_guek, sizeof keys.guek);
    memcpy(keys.gak, example_gak, sizeof keys.gak);
    keys.has_guek = keys.has_gak = true;
    bench_alone();
    bench_inside("GET, both in one process, plain", false);
    bench_inside("GET, both in one process, ciphered", true);
    bench_rows("profile, both in one process, plain", false, false, false);
    bench_rows("profile, both in one process, ciphered", false, true, false);
    bench_rows("profile, one process, ciphered, general blocks", false, true, true);
    bench_loopback("GET over loopback, plain", false);
    bench_loopback("GET over loopback, ciphered", true);
    bench_in_flight();
    bench_rows("profile over loopback, ciphered", true, true, false);
    bench_rows("profile over loopback, ciphered, general blocks", true, true, true);
    bench_size("client", "octets", sizeof(struct cosem_client));
    return 0;
}
