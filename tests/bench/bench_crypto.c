/* How many small ciphered APDUs a second one core seals and opens; linked once with each backend.
 *
 * BACKEND is its name. */
#include "lib/crypto/crypto.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#define N_RUNS   7
#define RUN_S    0.05
#define TEXT_MAX 1024

static const uint8_t key[16] = {1}, iv[12] = {2}, ak_and_control[17] = {3};
static const struct bytes aad[2] = {{ak_and_control, 1}, {ak_and_control + 1, 16}};

/* Each seals or opens the text once. */
static enum err seal_once(struct crypto_gcm *g, uint8_t *text, size_t len, uint8_t tag[12])
{
    (void)g;
    return crypto_gcm_seal(key, iv, aad, 2, text, len, tag, 12);
}

static enum err seal_cached(struct crypto_gcm *g, uint8_t *text, size_t len, uint8_t tag[12])
{
    return crypto_gcm_seal_with(g, iv, aad, 2, text, len, tag, 12);
}

static enum err both_cached(struct crypto_gcm *g, uint8_t *text, size_t len, uint8_t tag[12])
{
    enum err err = crypto_gcm_seal_with(g, iv, aad, 2, text, len, tag, 12);
    return err ? err : crypto_gcm_open_with(g, iv, aad, 2, text, len, tag, 12);
}

static const struct {
    const char *name;
    enum err (*run)(struct crypto_gcm *g, uint8_t *text, size_t len, uint8_t tag[12]);
} kinds[] = {{"seal, key set each time,", seal_once},
             {"seal, cached key,", seal_cached},
             {"seal and open, cached key,", both_cached}};

/* Works for RUN_S seconds; returns messages a second. */
static double run(size_t kind, size_t len)
{
    static uint8_t text[TEXT_MAX];
    struct crypto_gcm g = {.ready = false};
    uint8_t tag[12];
    unsigned n = 0;
    if (crypto_gcm_key(&g, key) != ERR_OK)
        abort();
    double begin = bench_now_s(), spent = 0;
    while (spent < RUN_S) {
        for (unsigned i = 0; i < 64; i++, n++)
            if (kinds[kind].run(&g, text, len, tag) != ERR_OK)
                abort();
        spent = bench_now_s() - begin;
    }
    crypto_gcm_end(&g);
    return n / spent;
}

/* One row: N_RUNS runs with texts of this length. */
static void row(size_t kind, size_t len)
{
    double per_s[N_RUNS];
    char what[64];
    for (unsigned k = 0; k < N_RUNS; k++)
        per_s[k] = run(kind, len);
    snprintf(what, sizeof what, "%s %zu octets", kinds[kind].name, len);
    bench_runs(what, "/s", per_s, N_RUNS);
}

int main(void)
{
    static const size_t lens[] = {16, 64, 256, 1024};
    bench_begin("bench_crypto_" BACKEND);
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
            row(kind, lens[i]);
    }
    return 0;
}
