/* Fuzz target of the power-up: the input lays itself over a snapshot that a meter has made, as
 * damaged storage would.
 *
 * The snapshot is refused and the meter stays as it was, or it is taken and comes back as it is,
 * to the last bit; whatever was taken, counting goes on from there and gives another that is. */
#include "firmware/legal/legal_state.h"
#include "tests/fuzz/legal_choice.h"

#include <stdlib.h>
#include <string.h>

static struct legal_config config_of(uint8_t choice)
{
    struct legal_config c = legal_choice(choice & 1 ? 2 : 1);
    c.pulse_per_kwh = 1000;
    c.sum = (enum legal_sum)(choice >> 1 & 3) % 3;
    c.n_rates = choice >> 3;
    return c;
}

static void count(struct legal *l)
{
    struct legal_window w = {.n_q16 = UINT64_C(500) << 16,
                             .rate_uhz = UINT64_C(500000000),
                             .frequency_uhz = 50000000,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        w.phase[p] = (struct legal_window_phase){.uu = INT64_C(1) << 50,
                                                 .ii = INT64_C(1) << 42,
                                                 .ui = (p == 1 ? -1 : 1) * (INT64_C(1) << 46),
                                                 .u_re = INT64_C(1) << 28,
                                                 .i_im = INT64_C(1) << 25};
    CHECK(legal_feed_window(l, &w) == ERR_OK);
}

/* Octets of (place, mask); a decoder of storage never makes a bool of anything but 0 and 1. */
static void damage(struct legal_snapshot *s, const uint8_t *data, size_t size)
{
    bool sealed = s->sealed;
    for (size_t k = 0; k + 3 <= size; k += 3) {
        size_t at = ((size_t)data[k] << 8 | data[k + 1]) % sizeof *s;
        ((uint8_t *)s)[at] ^= data[k + 2];
    }
    uint8_t octet;
    memcpy(&octet, (uint8_t *)s + offsetof(struct legal_snapshot, sealed), 1);
    s->sealed = sealed != ((octet & 1) != 0);
}

static bool same(const struct legal_snapshot *a, const struct legal_snapshot *b)
{
    return memcmp(&a->energy, &b->energy, sizeof a->energy) == 0 &&
           memcmp(a->total_rest, b->total_rest, sizeof a->total_rest) == 0 &&
           memcmp(a->phase_rest, b->phase_rest, sizeof a->phase_rest) == 0 &&
           memcmp(a->loss_rest, b->loss_rest, sizeof a->loss_rest) == 0 &&
           a->pulses_active == b->pulses_active && a->pulses_reactive == b->pulses_reactive &&
           a->audit_sequence == b->audit_sequence && a->rate == b->rate && a->sealed == b->sealed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct legal meter, next;
    if (size < 2)
        return 0;
    struct legal_config c = config_of(data[0]);
    struct legal_snapshot s, back, before;
    CHECK(legal_init(&meter, &c) == ERR_OK);
    for (unsigned k = 0; k < (data[1] & 7); k++) {
        if (c.n_rates)
            CHECK(legal_rate_set(&meter, (uint8_t)(k % c.n_rates)) == ERR_OK);
        count(&meter);
    }
    legal_snapshot_get(&meter, &s);
    damage(&s, data + 2, size - 2);
    CHECK(legal_init(&next, &c) == ERR_OK);
    legal_snapshot_get(&next, &before);
    enum err err = legal_snapshot_set(&next, &s);
    legal_snapshot_get(&next, &back);
    CHECK(err == ERR_OK || err == ERR_CORRUPT);
    CHECK(same(&back, err ? &before : &s));
    count(&next);
    if (err)
        return 0;
    CHECK(legal_snapshot_set(&next, &s) == ERR_STATE); /* counting has begun */
    legal_snapshot_get(&next, &back);
    CHECK(back.energy.total[LEGAL_S_IMPORT] - s.energy.total[LEGAL_S_IMPORT] < UINT64_C(1) << 40);
    return 0;
}
