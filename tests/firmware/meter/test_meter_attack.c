/* What clients may not do to a meter: every attribute that is writable gets values of wrong types,
 * wrong lengths and beyond the limits, every method wrong parameters. What is refused changes
 * nothing, what is taken is there after a restart, and nothing clears the audit trail. */
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"
#define LOAD3 "synth:phases=3,u=230,i=4,pf=0.8"
#define LOAD1 "synth:phases=1,u=230,i=4,pf=0.8"

struct octets {
    uint8_t n, p[22];
};
/* Empty, unknown tags, cut short, too long, lengths beyond the end, nested deep, and the ends of
 * every integer type. */
static const struct octets nasty[] = {
    {0, {0}},
    {1, {0}},
    {1, {255}},
    {2, {200, 1}},
    {2, {3, 0}},
    {2, {3, 1}},
    {2, {3, 0xFF}},
    {2, {15, 0x7F}},
    {2, {15, 0x80}},
    {3, {16, 0x7F, 0xFF}},
    {3, {16, 0x80, 0}},
    {5, {5, 0x7F, 0xFF, 0xFF, 0xFF}},
    {5, {5, 0x80, 0, 0, 0}},
    {5, {5, 0xFF, 0xFF, 0xFF, 0xFF}},
    {9, {20, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
    {9, {20, 0x80, 0, 0, 0, 0, 0, 0, 0}},
    {2, {17, 0}},
    {2, {17, 0xFF}},
    {3, {18, 0, 0}},
    {3, {18, 0xFF, 0xFF}},
    {5, {6, 0, 0, 0, 0}},
    {5, {6, 0, 0, 0, 1}},
    {5, {6, 0, 0x98, 0x96, 0x81}}, /* ten millions and one */
    {5, {6, 0x7F, 0xFF, 0xFF, 0xFF}},
    {5, {6, 0xFF, 0xFF, 0xFF, 0xFF}},
    {9, {21, 0, 0, 0, 0, 0, 0, 0, 1}},
    {9, {21, 0, 0, 0, 1, 0, 0, 0, 60}}, /* 60 in the lower half */
    {9, {21, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
    {2, {22, 1}},
    {2, {13, 0x12}},
    {5, {23, 0x7F, 0xC0, 0, 0}}, /* not a number */
    {9, {24, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0}},
    {4, {6, 0, 0, 1}}, /* short of an octet */
    {6, {6, 0, 0, 0, 1, 0}},
    {7, {6, 0, 0, 0, 1, 17, 1}},
    {2, {9, 0}},
    {6, {9, 4, '1', '0', '0', '0'}},
    {3, {9, 12, 1}},
    {6, {9, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}},
    {3, {10, 1, '1'}},
    {3, {4, 8, 0x80}},
    {2, {1, 0}},
    {7, {1, 1, 6, 0, 0, 0, 1}},
    {2, {2, 0}},
    {7, {2, 1, 6, 0, 0, 0, 1}},
    {6, {2, 0x84, 0xFF, 0xFF, 0xFF, 0xFF}},
    {20, {2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1}},
    /* dates: the 13th month, all open, before 2000, in 2106 */
    {14, {9, 12, 0x07, 0xEA, 13, 1, 0xFF, 0, 0, 0, 0, 0x80, 0, 0}},
    {14, {9, 12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0, 0xFF}},
    {14, {9, 12, 0x07, 0xB2, 1, 1, 0xFF, 0, 0, 0, 0, 0, 0, 0}},
    {14, {9, 12, 0x08, 0x3A, 12, 31, 0xFF, 23, 59, 59, 99, 0, 0, 0}},
};
#define N_NASTY (sizeof nasty / sizeof nasty[0])

/* Everything that a write may change, as the flash would have it. */
struct state {
    struct legal_config config;
    struct meter_ratio ratio;
    struct meter_clock clock;
    uint32_t demand_s, profile_s;
    uint8_t rate;
    struct meter_limits limits;
    uint32_t in_force[PQ_N_KINDS][METER_N_LIMITS];
    struct dlms_keys keys;
    char password[METER_PASSWORD_MAX + 1];
};

static void state_of(const struct rig *r, struct state *s)
{
    const struct meter *m = &r->meter;
    memset(s, 0, sizeof *s); /* the gaps, too */
    legal_config_get(&m->legal, &s->config);
    s->ratio = m->ratio;
    memcpy(&s->clock, &m->clock, sizeof s->clock);
    s->demand_s = m->demand.period_s;
    s->profile_s = m->profile[MODEL_LP1].period_s;
    s->rate = meter_rate(m);
    memcpy(&s->limits, &m->watch.limits, sizeof s->limits);
    for (unsigned k = 0; k < PQ_N_KINDS * METER_N_LIMITS; k++)
        s->in_force[k / METER_N_LIMITS][k % METER_N_LIMITS] =
            meter_limit(m, k / METER_N_LIMITS, k % METER_N_LIMITS);
    s->keys = m->server.keys;
    memcpy(s->password, m->password, sizeof s->password);
}

static bool connected(struct rig *r, uint16_t sap)
{
    return r->client.state == CLIENT_READY || rig_connect(r, sap);
}

static struct apdu_attr target(const struct cosem_ref *o, uint8_t id)
{
    struct apdu_attr a = {.class_id = o->row->kind->class_id, .id = id};
    memcpy(a.ln, o->ln, sizeof a.ln);
    return a;
}

struct value { /* up to the columns of a profile */
    size_t n;
    uint8_t p[COSEM_ITEM_MAX];
};

static struct value read(struct rig *r, const struct apdu_attr *a)
{
    struct value v = {0};
    assert_true(connected(r, METER_SAP_MANAGER));
    assert_true(rig_get(r, a));
    assert_true(r->answer_len <= sizeof v.p);
    v.n = r->answer_len;
    memcpy(v.p, r->answer, v.n);
    return v;
}

static bool equal(const struct value *a, const struct value *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The clock's own time goes on in steps of the test, not by itself; a stored parameter is the same
 * after a restart. */
static void check_restart(struct rig *r, const struct apdu_attr *a)
{
    struct value before = read(r, a);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    r->client.state = CLIENT_CLOSED;
    struct value after = read(r, a);
    assert_true(equal(&before, &after));
}

static unsigned attack_attribute(struct rig *r, const struct apdu_attr *a)
{
    unsigned n_taken = 0;
    for (size_t k = 0; k < N_NASTY; k++) {
        struct value before = read(r, a);
        struct state was, is;
        state_of(r, &was);
        bool taken = rig_set(r, a, (struct bytes){nasty[k].p, nasty[k].n});
        state_of(r, &is);
        if (!taken && memcmp(&was, &is, sizeof is) != 0)
            fail_msg("class %u attribute %u value %zu: refused, but changed", a->class_id, a->id,
                     k);
        struct value after = read(r, a);
        assert_int_equal(after.p[0], before.p[0]); /* its type is what it was */
        if (!taken)
            assert_true(equal(&before, &after));
        else if (after.p[0] != nasty[k].p[0])
            fail_msg("class %u attribute %u takes type %u for %u", a->class_id, a->id,
                     nasty[k].p[0], after.p[0]);
        n_taken += taken;
    }
    assert_int_equal(r->meter.fault, ERR_OK);
    check_restart(r, a);
    return n_taken;
}

static unsigned attack_model(const char *model)
{
    struct rig *r = rig_new(model, START, model_meter_find(model)->n_phases == 1 ? LOAD1 : LOAD3);
    struct cosem_ref o;
    unsigned n_taken = 0, n_attacked = 0;
    rig_live(r, 120);
    for (uint32_t at = 0; cosem_next(&r->meter.device, &at, &o);) {
        for (uint8_t id = 1; id <= 16; id++) {
            if ((o.row->kind->rights->write[COSEM_MANAGER] >> (id - 1) & 1u) == 0 || o.i % 7 != 0)
                continue; /* of long ranges some */
            struct apdu_attr a = target(&o, id);
            n_taken += attack_attribute(r, &a);
            n_attacked++;
        }
    }
    print_message("%s: %u attributes, %u of %zu values taken\n", model, n_attacked, n_taken,
                  n_attacked * N_NASTY);
    rig_live(r, 120);
    rig_free(r);
    return n_attacked;
}

static void refused_write_changes_nothing(void **state)
{
    (void)state;
    assert_in_range(attack_model("AD11A"), 40, 50);
    /* with LED constants, ratios; losses */
    assert_in_range(attack_model("ST402C"), 50, 65);
    assert_in_range(attack_model("SMARTESOX-P"), 50, 65);
}

static void wrong_parameter_of_a_method_does_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", START, "synth:phases=3,u=110,i=4");
    struct apdu_attr script = rig_attr(9, "0-0:10.0.100.255", 1);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_equal(meter_rate_set(&r->meter, 2), ERR_OK);
    for (size_t k = 0; k < N_NASTY; k++) {
        script.parameter = (struct bytes){nasty[k].p, nasty[k].n};
        bool done = rig_call(r, &script);
        assert_true(!done || (nasty[k].p[0] == AXDR_U16 && nasty[k].p[1] == 0));
        assert_int_equal(meter_rate(&r->meter), 2);
        assert_true(connected(r, METER_SAP_MANAGER));
    }
    static const struct octets beyond = {3, {18, 0, 5}}, last = {3, {18, 0, 4}};
    script.parameter = (struct bytes){beyond.p, beyond.n};
    assert_false(rig_call(r, &script));
    script.parameter = (struct bytes){last.p, last.n};
    assert_true(rig_call(r, &script));
    assert_int_equal(meter_rate(&r->meter), 3);
    rig_free(r);
}

/* Each limit from both sides, with the answer on the wire. */
static void limits_are_told_as_such(void **state)
{
    (void)state;
    static const struct {
        const char *obis;
        uint16_t class_id;
        uint32_t value;
        enum cosem_result result;
    } cases[] = {
        {"1-0:0.3.0.255", 3, 0, COSEM_OTHER_REASON},
        {"1-0:0.3.0.255", 3, 1, COSEM_SUCCESS},
        {"1-0:0.3.0.255", 3, 100000, COSEM_SUCCESS},
        {"1-0:0.3.0.255", 3, 100001, COSEM_OTHER_REASON},
        {"1-0:0.3.1.255", 3, 100001, COSEM_OTHER_REASON},
        {"1-0:0.4.2.255", 1, 0, COSEM_OTHER_REASON},
        {"1-0:0.4.2.255", 1, 10001, COSEM_OTHER_REASON}, /* the ratio above 10 000 */
        {"1-0:0.4.2.255", 1, 10000, COSEM_SUCCESS},
        {"1-0:0.4.5.255", 1, 0, COSEM_OTHER_REASON},
        {"1-0:0.4.5.255", 1, 1001, COSEM_OTHER_REASON},
        {"1-0:0.4.5.255", 1, 1000, COSEM_SUCCESS},
        {"1-0:0.4.2.255", 1, 1000000, COSEM_SUCCESS},
        {"1-0:0.4.2.255", 1, 1000001, COSEM_OTHER_REASON},
        {"1-0:0.4.5.255", 1, 99, COSEM_OTHER_REASON}, /* 1 000 000 to 99 */
        {"1-0:0.4.3.255", 1, UINT32_MAX, COSEM_OTHER_REASON},
        {"0-0:96.129.3.255", 1, 10000000, COSEM_SUCCESS},
        {"0-0:96.129.3.255", 1, 10000001, COSEM_OTHER_REASON},
        {"0-0:96.130.3.255", 1, 1000001, COSEM_OTHER_REASON},
        {"0-0:96.131.3.255", 1, 86400000, COSEM_SUCCESS},
        {"0-0:96.132.3.255", 1, 86400001, COSEM_OTHER_REASON},
        {"0-0:96.129.0.255", 1, 990000, COSEM_OTHER_REASON}, /* a dip that ends above Un */
        {"0-0:96.129.1.255", 1, 1010000, COSEM_OTHER_REASON},
        {"1-0:0.6.0.255", 3, 110000, COSEM_READ_WRITE_DENIED}, /* Un is no parameter */
        {"1-0:1.8.0.255", 3, 0, COSEM_READ_WRITE_DENIED},
        {"0-0:96.14.0.255", 1, 1, COSEM_READ_WRITE_DENIED},
        {"0-0:97.97.0.255", 1, 0, COSEM_READ_WRITE_DENIED},
    };
    struct rig *r = rig_new("ST402C", START, LOAD3);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct apdu_attr a = rig_attr(cases[k].class_id, cases[k].obis, 2);
        uint8_t v[5];
        struct wr w = wr_of(v, sizeof v);
        axdr_put_u32(&w, cases[k].value);
        (void)rig_set(r, &a, (struct bytes){v, w.len});
        if (r->result != cases[k].result)
            fail_msg("%s = %u: %d", cases[k].obis, cases[k].value, r->result);
    }
    rig_free(r);
}

/* Every method of every object, by clients that may call none of the meter's. */
static void readers_change_nothing(void **state)
{
    (void)state;
    static const uint16_t saps[] = {METER_SAP_PUBLIC, METER_SAP_READER, METER_SAP_READER_HLS};
    static const uint8_t one[] = {18, 0, 1};
    struct rig *r = rig_new("SMARTESOX-P", START, LOAD3);
    uint64_t newest = meter_audit_newest(&r->meter);
    for (size_t k = 0; k < sizeof saps / sizeof saps[0]; k++) {
        struct cosem_ref o;
        struct state was, is;
        state_of(r, &was);
        assert_true(rig_connect(r, saps[k]));
        for (uint32_t at = 0; cosem_next(&r->meter.device, &at, &o);) {
            if (o.row->kind->class_id == 15)
                continue; /* the association's own reply */
            for (uint8_t id = 1; id <= 9; id++) {
                struct apdu_attr a = target(&o, id);
                assert_false(rig_set(r, &a, (struct bytes){one, sizeof one}));
                a.parameter = (struct bytes){one, sizeof one};
                assert_false(rig_call(r, &a));
            }
        }
        rig_release(r);
        state_of(r, &is);
        assert_memory_equal(&was, &is, sizeof is);
        assert_int_equal(meter_audit_newest(&r->meter), newest);
    }
    rig_free(r);
}

static void trail_is_not_cleared_and_keeps_the_newest(void **state)
{
    (void)state;
    struct rig *r = rig_new("SMARTESOX-P", START, LOAD3);
    struct apdu_attr record = rig_attr(1, "0-0:96.128.0.255", 2);
    uint64_t first = meter_audit_newest(&r->meter);
    const uint32_t n = 400; /* more than the ring has */
    for (uint32_t k = 1; k <= n; k++)
        assert_int_equal(meter_ratio_set(&r->meter, METER_SAP_MANAGER, METER_CT_NUM, k), ERR_OK);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    for (uint8_t method = 1; method <= 4; method++) {
        struct apdu_attr a = rig_attr(7, "0-0:99.98.128.255", method);
        static const uint8_t zero[] = {15, 0};
        a.parameter = (struct bytes){zero, sizeof zero};
        assert_false(rig_call(r, &a));
        assert_false(rig_set(r, &a, (struct bytes){zero, sizeof zero}));
    }
    assert_false(rig_set(r, &record, (struct bytes){nasty[1].p, 1}));
    rig_release(r);
    assert_int_equal(rig_power_up(r, 60), ERR_OK);
    assert_int_equal(meter_audit_count(&r->meter), METER_AUDIT_KEPT);
    assert_int_equal(meter_audit_newest(&r->meter), first + n);
    for (uint32_t k = 0; k < METER_AUDIT_KEPT; k++) {
        struct meter_audit a;
        assert_int_equal(meter_audit_read(&r->meter, first + n - k, &a), ERR_OK);
        assert_int_equal(a.legal.after, n - k);
        assert_int_equal(a.legal.before, n - k > 1 ? n - k - 1 : 1);
        assert_int_equal(a.client_sap, METER_SAP_MANAGER);
    }
    rig_free(r);
}

/* The flash fails: what the trail cannot take is not done. */
static void nothing_is_changed_without_a_trail(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402C", START, LOAD3);
    struct legal_status status;
    struct state was, is;
    state_of(r, &was);
    flash_emu_power(&r->emu, 1, TEAR_NOTHING);
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_IO);
    legal_status_get(&r->meter.legal, &status);
    assert_true(status.sealed);
    assert_int_equal(meter_parameter_set(&r->meter, 1, LEGAL_PARAMETER_PULSE_PER_KWH, 0, 5000),
                     ERR_IO);
    assert_int_equal(meter_ratio_set(&r->meter, 1, METER_CT_NUM, 50), ERR_IO);
    assert_int_equal(meter_limit_set(&r->meter, 1, PQ_DIP, METER_LIMIT_ON, 0), ERR_IO);
    assert_int_equal(meter_rate_set(&r->meter, 3), ERR_IO);
    state_of(r, &is);
    assert_memory_equal(&was, &is, sizeof is);
    assert_int_equal(meter_errors(&r->meter), METER_ERROR_FLASH);
    flash_emu_power(&r->emu, 0, TEAR_NOTHING);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    legal_status_get(&r->meter.legal, &status);
    assert_true(status.sealed);
    assert_int_equal(meter_audit_count(&r->meter), 1);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_write_changes_nothing),
        cmocka_unit_test(wrong_parameter_of_a_method_does_nothing),
        cmocka_unit_test(limits_are_told_as_such),
        cmocka_unit_test(readers_change_nothing),
        cmocka_unit_test(trail_is_not_cleared_and_keeps_the_newest),
        cmocka_unit_test(nothing_is_changed_without_a_trail),
    };
    return cmocka_run_group_tests_name("meter_attack", tests, NULL, NULL);
}
