/* GET/s of the server in process, plain and ciphered, and profile rows/s through a PDU of 256
 * octets: the example device of the tests behind session_feed and session_take, no socket. */
#include "tests/bench/bench.h"
#include "tests/lib/cosem/example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 7

static struct example x;
static struct peer p;

static void connect_as(uint16_t sap, uint16_t max_pdu)
{
    struct acse_aare aare;
    peer_init(&p, &x, sap);
    p.max_pdu = max_pdu;
    p.counter = x.server.rx_floor[2] + 1;
    if (peer_connect(&p, &aare) != ACSE_ACCEPTED)
        exit(1);
}

/* The server alone: one fixed frame in, its answer out. */
static double plain_gets(unsigned n)
{
    uint8_t frame[64], answer[256];
    static const uint8_t get[] = {0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0};
    struct wr w = wr_of(frame, sizeof frame);
    wrapper_put_head(&w, p.sap, 1, sizeof get);
    wr_bytes(&w, get, sizeof get);
    double start = bench_now_s();
    for (unsigned i = 0; i < n; i++) {
        if (session_feed(&x.session, frame, w.len) != w.len ||
            session_take(&x.session, answer, sizeof answer) != WRAPPER_HEAD_LEN + 9)
            exit(1);
    }
    return n / (bench_now_s() - start);
}

/* Client's and server's protection together: each request needs a counter of its own. */
static double ciphered_gets(unsigned n)
{
    static const uint8_t get[] = {0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0};
    double start = bench_now_s();
    for (unsigned i = 0; i < n; i++) {
        if (peer_ask(&p, get, sizeof get).len != 9)
            exit(1);
    }
    return n / (bench_now_s() - start);
}

static double profile_rows(unsigned n)
{
    size_t len;
    unsigned n_blocks;
    double start = bench_now_s();
    for (unsigned i = 0; i < n; i++) {
        if (peer_get(&p, 7, example_profile, 2, NULL, NULL, 0, &len, &n_blocks) != 0)
            exit(1);
    }
    return n * (double)x.rows / (bench_now_s() - start);
}

static void bench(const char *what, double (*run)(unsigned n), unsigned n)
{
    double rate[RUNS];
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = run(n);
    bench_runs(what, "/s", rate, RUNS);
}

int main(void)
{
    bench_begin("bench_server");
    example_init(&x);
    connect_as(SAP_READER, 1024);
    bench("GET register, plain, server alone", plain_gets, 200000);
    connect_as(SAP_MANAGER, 1024);
    bench("GET register, ciphered, both ends", ciphered_gets, 20000);
    connect_as(SAP_READER, 256);
    bench("profile rows of 18 columns, PDU 256, plain", profile_rows, 5);
    connect_as(SAP_MANAGER, 256);
    bench("profile rows of 18 columns, PDU 256, ciphered", profile_rows, 2);
    bench_size("session", "octets", sizeof(struct cosem_session));
    bench_size("server", "octets", sizeof(struct cosem_server));
    return 0;
}
