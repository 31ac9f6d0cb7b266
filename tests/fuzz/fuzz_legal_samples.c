/* Fuzz target of the sample entrance: the input is what a front end gone mad hands over - lengths,
 * rates, channels and samples of any kind.
 *
 * A block is refused whole, and nothing has moved; or it is counted, and then no register went
 * back, what reached the end of the range is told, the same samples in smaller blocks give the same
 * books, and the snapshot is one that a new meter takes. */
#include "firmware/legal/legal_state.h"
#include "tests/fuzz/legal_choice.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MAX 60

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->p++;
}

static struct legal_config config_of(uint8_t choice)
{
    struct legal_config c = legal_choice(choice);
    c.i_start_ua = choice & 8 ? 20000 : 0;
    c.pulse_per_kwh = 10000;
    c.sum = (enum legal_sum)((choice >> 4) % 3);
    c.n_rates = choice & 64 ? 2 : 0;
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
        c.slew_limit[n] = choice & 128 ? 9000000 : 0;
    return c;
}

/* Samples of a channel: something like a wave, nothing, the ends, or what the octets say. */
static void fill(struct input *in, int32_t *x, uint32_t n, uint64_t at)
{
    uint8_t kind = take(in);
    int32_t top = (int32_t)((uint32_t)take(in) << 15);
    for (uint32_t k = 0; k < n; k++) {
        int32_t saw = (int32_t)((at + k) % 80) - 40;
        x[k] = kind & 1 ? top / 40 * saw : kind & 2 ? top : 0;
    }
    for (unsigned more = kind >> 5; more > 0; more--) {
        uint32_t place = (uint32_t)take(in) << 2, value = 0;
        for (unsigned k = 0; k < 4; k++)
            value = value << 8 | take(in);
        x[place % n] = kind & 4 ? (int32_t)value : (int32_t)value >> 8;
    }
}

static uint64_t rate_of(struct input *in)
{
    static const uint64_t rates[] = {8000000000, 4000000000, 500000000,   64000000000,
                                     0,          499999999,  64000000001, UINT64_MAX};
    uint8_t choice = take(in);
    if (choice < 128)
        return rates[choice & 7 ? 0 : choice >> 3 & 7];
    return 500000000 + ((uint64_t)choice << 28) + take(in);
}

static void feed_in_parts(struct legal *l, const struct afe_block *b, uint32_t part)
{
    for (uint32_t at = 0; at < b->n; at += part) {
        struct afe_block piece = *b;
        piece.n = b->n - at < part ? b->n - at : part;
        for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
            piece.sample[c] = b->sample[c] + at;
        CHECK(legal_feed(l, &piece) == ERR_OK);
    }
}

static void check_forward(const struct legal_energies *a, const struct legal_energies *b)
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        CHECK(b->total[e] >= a->total[e]);
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            CHECK(b->phase[p][e] >= a->phase[p][e]);
    }
}

static bool reaches_end(const struct legal *l, const struct afe_block *b)
{
    const struct legal_config *c = &l->config;
    uint32_t phases = c->n_phases == 1 ? 1 : c->wiring == LEGAL_3P3W ? 5 : 7;
    for (unsigned ch = 0; ch < AFE_IN; ch++)
        for (uint32_t k = 0; k < b->n && (phases >> ch % 3 & 1) && (b->present >> ch & 1); k++)
            if (b->sample[ch][k] >= AFE_FULL_SCALE - 1 || b->sample[ch][k] <= -AFE_FULL_SCALE)
                return true;
    return false;
}

static uint32_t clipped(const struct legal *l)
{
    struct legal_status s;
    uint32_t n = 0;
    legal_status_get(l, &s);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        n += s.clipped[c];
    return n;
}

static void block(struct input *in, struct legal *whole, struct legal *parts, uint64_t *at)
{
    static int32_t x[AFE_N_CHANNELS][2 * AFE_BLOCK_MAX];
    struct legal_energies before, after;
    struct afe_block b = {.rate_uhz = rate_of(in), .present = take(in)};
    b.n = (uint32_t)take(in) * 5;
    uint32_t part = (uint32_t)take(in) + 1;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        fill(in, x[c], b.n ? b.n : 1, *at);
        b.sample[c] = x[c];
    }
    legal_energies_get(whole, &before);
    uint32_t clips = clipped(whole);
    enum err err = legal_feed(whole, &b);
    legal_energies_get(whole, &after);
    CHECK(err == ERR_OK || err == ERR_RANGE);
    check_forward(&before, &after);
    if (err) {
        CHECK(memcmp(&before, &after, sizeof before) == 0);
        return;
    }
    CHECK(!reaches_end(whole, &b) || clipped(whole) > clips);
    feed_in_parts(parts, &b, part);
    *at += b.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct legal whole, parts;
    struct input in = {data, size};
    struct legal_config c = config_of(take(&in));
    struct legal_snapshot a, b;
    uint64_t at = 0;
    CHECK(legal_init(&whole, &c) == ERR_OK && legal_init(&parts, &c) == ERR_OK);
    for (unsigned k = 0; k < BLOCKS_MAX && in.left > 0; k++)
        block(&in, &whole, &parts, &at);
    legal_flush(&whole);
    legal_flush(&parts);
    legal_snapshot_get(&whole, &a);
    legal_snapshot_get(&parts, &b);
    CHECK(memcmp(&a.energy, &b.energy, sizeof a.energy) == 0);
    CHECK(a.pulses_active == b.pulses_active && a.pulses_reactive == b.pulses_reactive);
    CHECK(legal_init(&parts, &c) == ERR_OK && legal_snapshot_set(&parts, &a) == ERR_OK);
    return 0;
}
