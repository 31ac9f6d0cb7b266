/* Fuzz target of the parameters: the input is a list of orders to a meter, from whomever.
 *
 * Every order counts in the audit. What is refused changes nothing, what is done is what can be
 * read; nothing of the factory's goes through a closed seal. The configuration is valid at any
 * time: another meter takes it whole, and counting with it wraps nothing (the sanitizers look). */
#include "firmware/legal/legal_parts.h"
#include "tests/fuzz/legal_choice.h"

#include <stdlib.h>
#include <string.h>

#define ORDER   11 /* octets: what, index, wideness of the value, value */
#define SAMPLES 400

static struct legal_config first_config(uint8_t choice)
{
    struct legal_config c = legal_choice(choice);
    c.pulse_per_kwh = 1000;
    c.n_rates = choice >> 3;
    return c;
}

/* A value: the octets, or an end of the row's range and a little beside it. */
static int64_t value_of(enum legal_parameter id, const uint8_t *at)
{
    const struct legal_parameter_row *row = legal_parameter_row(id);
    int64_t value;
    memcpy(&value, at + 1, sizeof value);
    if (!row || at[0] & 1)
        return value;
    return (at[0] & 2 ? row->min : row->max) + (value & 7) - 4;
}

static void order(struct legal *l, const uint8_t *at)
{
    enum legal_parameter id = (enum legal_parameter)(at[0] & 31);
    struct legal_config before, after;
    struct legal_snapshot s;
    struct legal_audit a;
    int64_t value = value_of(id, at + 2), read;
    legal_config_get(l, &before);
    legal_snapshot_get(l, &s);
    enum err err = legal_parameter_set(l, id, at[1], value, &a);
    legal_config_get(l, &after);
    CHECK(a.sequence == s.audit_sequence + 1 && a.after == value);
    CHECK((a.change == LEGAL_CHANGE_DONE) == (err == ERR_OK) && (a.reason == 0) == (err == ERR_OK));
    CHECK(legal_config_valid(&after));
    if (err) {
        CHECK(memcmp(&before, &after, sizeof before) == 0);
        return;
    }
    CHECK(legal_parameter_get(l, id, at[1], &read) == ERR_OK && read == value);
    CHECK(!s.sealed || legal_parameter_row(id)->level == LEGAL_LEVEL_OWNER);
}

/* Full scale, the worst that the parameters can meet. */
static void live(struct legal *l, uint8_t how)
{
    static int32_t x[SAMPLES];
    struct afe_block b = {.rate_uhz = UINT64_C(4000000000), .n = SAMPLES, .present = 0x7F};
    for (unsigned k = 0; k < SAMPLES; k++)
        x[k] = k / 40 % 2 ? AFE_FULL_SCALE - 1 : -AFE_FULL_SCALE;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        b.sample[c] = x;
    legal_temperature_set(l, how & 1 ? INT32_MAX : how & 2 ? INT32_MIN : how);
    for (unsigned k = 0; k < (how >> 4); k++)
        CHECK(legal_feed(l, &b) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct legal meter, other;
    if (size < 1)
        return 0;
    struct legal_config c = first_config(data[0]);
    CHECK(legal_init(&meter, &c) == ERR_OK);
    for (size_t at = 1; at + ORDER <= size && at < 60 * ORDER; at += ORDER) {
        if (data[at] < 0xE0)
            order(&meter, data + at);
        else if (data[at] < 0xF0)
            live(&meter, data[at + 1]);
        else if (data[at] < 0xF8)
            legal_seal(&meter, NULL);
        else
            legal_unseal(&meter, NULL);
    }
    live(&meter, 0x30);
    legal_flush(&meter);
    legal_config_get(&meter, &c);
    CHECK(legal_init(&other, &c) == ERR_OK);
    live(&other, 0x31);
    return 0;
}
