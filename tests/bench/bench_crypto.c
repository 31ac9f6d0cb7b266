/* How many small ciphered APDUs a second one core seals and opens; linked once with each backend.
 *
 * BACKEND is its name. */
#include "lib/crypto/crypto.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#define N_RUNS   7
#define RUN_S    0.1
#define TEXT_MAX 1024

static enum err seal(uint8_t *text, size_t len, uint8_t tag[12])
{
    static const uint8_t key[16] = {1}, iv[12] = {2}, ak_and_control[17] = {3};
    struct bytes aad[2] = {{ak_and_control, 1}, {ak_and_control + 1, 16}};
    return crypto_gcm_seal(key, iv, aad, 2, text, len, tag, 12);
}

static enum err open_sealed(uint8_t *text, size_t len, const uint8_t tag[12])
{
    static const uint8_t key[16] = {1}, iv[12] = {2}, ak_and_control[17] = {3};
    struct bytes aad[2] = {{ak_and_control, 1}, {ak_and_control + 1, 16}};
    return crypto_gcm_open(key, iv, aad, 2, text, len, tag, 12);
}

/* Seals and opens for RUN_S seconds; returns operations a second (a pair is two). */
static double run(size_t len)
{
    static uint8_t text[TEXT_MAX];
    uint8_t tag[12];
    unsigned n = 0;
    double begin = bench_now_s(), spent = 0;
    while (spent < RUN_S) {
        for (unsigned i = 0; i < 64; i++, n += 2)
            if (seal(text, len, tag) != ERR_OK || open_sealed(text, len, tag) != ERR_OK)
                abort();
        spent = bench_now_s() - begin;
    }
    return n / spent;
}

int main(void)
{
    static const size_t lens[] = {16, 64, 256, 1024};
    bench_begin("bench_crypto_" BACKEND);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        double per_s[N_RUNS];
        char what[40];
        for (unsigned k = 0; k < N_RUNS; k++)
            per_s[k] = run(lens[i]);
        snprintf(what, sizeof what, "seal or open %zu octets", lens[i]);
        bench_runs(what, "/s", per_s, N_RUNS);
    }
    return 0;
}
