/* The server alone in process: GET of a 16-octet Data through session_feed and session_take, plain
 * and ciphered. The ciphered requests were made before: what is measured is one side's work. No
 * socket; memory asked for per request is counted. */
#include "tests/bench/alloc_count.h"
#include "tests/bench/bench.h"
#include "tests/lib/cosem/example.h"

#include <stdlib.h>
#include <string.h>

#define RUNS     9
#define N_PLAIN  1000000
#define N_SEALED 100000
#define FRAME    64

static const uint8_t get[] = {0xC0, 1, 0xC1, 0, 1, 0, 0, 42, 0, 0, 255, 2, 0};
#define ANSWER (4 + 2 + 16) /* C4 01 invoke 00, octet-string of 16 */

static struct example x;
static struct peer p;
static uint8_t sealed[N_SEALED][FRAME];
static size_t sealed_len;

static void connect_as(uint16_t sap)
{
    struct acse_aare aare;
    uint32_t counter = p.counter;
    peer_init(&p, &x, sap);
    p.counter = counter ? counter : 1;
    bench_must(peer_connect(&p, &aare) == ACSE_ACCEPTED, "no association");
}

static size_t frame_of(const void *apdu, size_t len, uint8_t frame[FRAME])
{
    struct wr w = wr_of(frame, FRAME);
    wrapper_put_head(&w, p.sap, 1, (uint16_t)len);
    wr_bytes(&w, apdu, len);
    bench_must(!w.err, "the request is too long");
    return w.len;
}

static double plain_gets(void)
{
    uint8_t frame[FRAME], answer[256];
    size_t len = frame_of(get, sizeof get, frame);
    double start = bench_now_s();
    for (unsigned i = 0; i < N_PLAIN; i++) {
        if (session_feed(&x.session, frame, len) != len ||
            session_take(&x.session, answer, sizeof answer) != WRAPPER_HEAD_LEN + ANSWER)
            exit(1);
    }
    return N_PLAIN / (bench_now_s() - start);
}

static double ciphered_gets(void)
{
    uint8_t apdu[FRAME], answer[256];
    for (unsigned i = 0; i < N_SEALED; i++) {
        size_t n = peer_protect(&p, get, sizeof get, apdu, sizeof apdu);
        sealed_len = frame_of(apdu, n, sealed[i]);
    }
    double start = bench_now_s();
    for (unsigned i = 0; i < N_SEALED; i++) {
        if (session_feed(&x.session, sealed[i], sealed_len) != sealed_len ||
            session_take(&x.session, answer, sizeof answer) <= WRAPPER_HEAD_LEN + ANSWER)
            exit(1);
    }
    return N_SEALED / (bench_now_s() - start);
}

static void bench(const char *what, double (*run)(void))
{
    double rate[RUNS];
    (void)run();
    unsigned long before = alloc_count();
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = run();
    double asked = (double)(alloc_count() - before);
    bench_runs(what, "/s", rate, RUNS);
    bench_size("  memory asked for", "times", asked);
}

int main(void)
{
    bench_begin("bench_server");
    example_init(&x);
    connect_as(SAP_READER);
    bench("GET of 16 octets, server alone, plain", plain_gets);
    connect_as(SAP_MANAGER);
    bench("GET of 16 octets, server alone, ciphered", ciphered_gets);
    bench_size("session", "octets", sizeof(struct cosem_session));
    bench_size("server", "octets", sizeof(struct cosem_server));
    return 0;
}
