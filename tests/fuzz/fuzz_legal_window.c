/* Fuzz target of the load model's entrance: the input is windows, field by field.
 *
 * A window is refused and nothing has moved, or it is counted and no register went back; then its
 * sums were such as samples have, and the values hold no more than full scale on every channel. */
#include "firmware/legal/legal_state.h"
#include "tests/fuzz/legal_choice.h"

#include <stdlib.h>
#include <string.h>

#define WINDOWS_MAX 40

static struct legal_config config_of(uint8_t choice)
{
    struct legal_config c = legal_choice(choice);
    c.i_start_ua = choice & 8 ? 20000 : 0;
    c.pulse_per_kwh = 100000;
    c.sum = (enum legal_sum)((choice >> 4) % 3);
    c.n_rates = choice & 64 ? 2 : 0;
    c.loss = (struct legal_loss_config){1000, 1000, 1000, 1000};
    return c;
}

/* Fields of the last window whose numbers come up are overwritten, shifted down by some bits. */
static size_t change(struct legal_window *w, const uint8_t *at, size_t left)
{
    uint64_t value;
    if (left < 2 + sizeof value)
        return left;
    memcpy(&value, at + 2, sizeof value);
    value = (uint64_t)((int64_t)value >> (at[1] & 63));
    size_t field = at[0] % (sizeof *w / sizeof value);
    memcpy((char *)w + field * sizeof value, &value, sizeof value);
    return 2 + sizeof value;
}

static void check(const struct legal *l, const struct legal_energies *before, enum err err)
{
    struct legal_energies after;
    struct legal_values v;
    legal_energies_get(l, &after);
    legal_values_get(l, &v);
    CHECK(err == ERR_OK || err == ERR_RANGE);
    CHECK(!err || memcmp(before, &after, sizeof after) == 0);
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        CHECK(after.total[e] >= before->total[e]);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        CHECK(v.phase[p].u_mv <= 850000 && v.phase[p].i_ua <= 850000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct legal l;
    struct legal_window w = {.n_q16 = UINT64_C(500) << 16,
                             .rate_uhz = UINT64_C(500000000),
                             .frequency_uhz = 50000000,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    if (size == 0)
        return 0;
    struct legal_config c = config_of(data[0]);
    CHECK(legal_init(&l, &c) == ERR_OK);
    size_t at = 1;
    for (unsigned k = 0; k < WINDOWS_MAX && at < size; k++) {
        struct legal_energies before;
        unsigned n = data[at++] & 7;
        for (; n > 0 && at < size; n--)
            at += change(&w, data + at, size - at);
        legal_energies_get(&l, &before);
        enum err err = legal_feed_window(&l, &w);
        check(&l, &before, err);
    }
    legal_flush(&l);
    return 0;
}
