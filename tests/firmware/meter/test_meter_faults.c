/* Faults of the signal as a reader of the meter sees them: error register, alarm register, events;
 * they begin with the fault and end with it. */
#include "firmware/meter/meter.h"
#include "tests/firmware/meter/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:10"
#define BLOCK 800

/* What is done to a block of samples. */
typedef void (*spoil_fn)(struct afe_block *b);

static int32_t spoilt[BLOCK];

static int32_t *own(struct afe_block *b, unsigned channel)
{
    memcpy(spoilt, b->sample[channel], b->n * sizeof *spoilt);
    b->sample[channel] = spoilt;
    return spoilt;
}

static void stick(struct afe_block *b)
{
    int32_t *x = own(b, AFE_I2);
    for (uint32_t k = 0; k < b->n; k++)
        x[k] = 12345;
}

static void take_away(struct afe_block *b)
{
    b->sample[AFE_U3] = NULL;
    b->present &= ~(1u << AFE_U3);
}

static void tear(struct afe_block *b)
{
    int32_t *x = own(b, AFE_I1);
    for (uint32_t k = 0; k < b->n; k++)
        x[k] = (k & 1 ? 8300000 : -8300000);
}

static void clip(struct afe_block *b)
{
    own(b, AFE_U1)[17] = -AFE_FULL_SCALE;
}

static void tell_half_the_rate(struct afe_block *b)
{
    b->rate_uhz /= 2;
}

static void live(struct rig *r, unsigned seconds, spoil_fn spoil)
{
    for (unsigned k = 0; k < seconds * 8000 / BLOCK; k++) {
        struct afe_block b;
        assert_true(source_next(r->source, BLOCK, &b));
        if (spoil)
            spoil(&b);
        assert_int_equal(meter_samples(&r->meter, &b), ERR_OK);
    }
}

static void faults_are_read_at_the_meter_and_end(void **state)
{
    (void)state;
    static const struct {
        spoil_fn spoil;
        uint32_t fault, channels;
    } cases[] = {
        {stick, LEGAL_FAULT_STUCK, 1u << AFE_I2},
        {take_away, LEGAL_FAULT_MISSING, 1u << AFE_U3},
        {tear, LEGAL_FAULT_SLEW, 1u << AFE_I1},
        {clip, LEGAL_FAULT_CLIP, 1u << AFE_U1},
        {tell_half_the_rate, LEGAL_FAULT_RATE, 7u << AFE_U1},
    };
    const uint32_t alarm = 1u << PQ_DISTORTED_INPUT;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4,f=49.9");
        live(r, 3, NULL);
        assert_int_equal(rig_value(r, 1, "0-0:97.97.0.255", 2), 0);
        assert_int_equal(rig_value(r, 1, "0-0:97.98.9.255", 2) & alarm, 0);
        live(r, 4, cases[k].spoil);
        int64_t errors = rig_value(r, 1, "0-0:97.97.0.255", 2);
        if ((errors & cases[k].fault) == 0)
            print_error("case %zu: errors %llx\n", k, (unsigned long long)errors);
        assert_int_equal(errors & 0xFF & cases[k].fault, cases[k].fault);
        assert_int_equal(errors >> METER_ERROR_CHANNELS & 0x7F, cases[k].channels);
        assert_int_equal(rig_value(r, 1, "0-0:97.98.9.255", 2) & alarm, alarm);
        assert_int_equal(entries_of(r, MODEL_EVENT_DISTORTED), 1);
        assert_int_equal(entries_of(r, MODEL_EVENT_DISTORTED_OVER), 0);
        const uint32_t own = LEGAL_FAULT_STUCK | LEGAL_FAULT_MISSING | LEGAL_FAULT_RATE;
        assert_int_equal(entries_of(r, MODEL_EVENT_MEASUREMENT_ERROR), (errors & own) != 0);
        live(r, 14, NULL);
        assert_int_equal(rig_value(r, 1, "0-0:97.97.0.255", 2), 0);
        assert_int_equal(rig_value(r, 1, "0-0:97.98.9.255", 2) & alarm, 0);
        assert_int_equal(entries_of(r, MODEL_EVENT_DISTORTED_OVER), 1);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_read_at_the_meter_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
