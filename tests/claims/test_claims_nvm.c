/* Rows of the ledger about the non-volatile memory: what a meter knew before the power went is what
 * it knows after: RAM lost, and with no battery behind it the crystal stopped. */
#include "tests/claims/claims.h"

#define ANSWERS_MAX 2000

/* Everything a manager reads from one meter. */
struct reading {
    struct {
        struct apdu_attr attr;
        struct cosem_ref object;
        uint8_t *value;
        size_t len;
    } at[ANSWERS_MAX];
    size_t n;
};

static struct reading *read_everything(struct rig *r)
{
    struct reading *all = calloc(1, sizeof *all);
    struct cosem_ref o;
    uint32_t at = 0;
    assert_non_null(all);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    while (cosem_next(&r->meter.device, &at, &o)) {
        struct apdu_attr a = {.class_id = o.row->kind->class_id};
        memcpy(a.ln, o.ln, 6);
        for (a.id = 1; a.id <= cosem_class_find(a.class_id, o.row->kind->version)->n_attrs;
             a.id++) {
            if ((o.row->kind->rights->read[COSEM_MANAGER] >> (a.id - 1) & 1u) == 0)
                continue;
            assert_true(rig_get(r, &a) && all->n < ANSWERS_MAX);
            all->at[all->n].attr = a;
            all->at[all->n].object = o;
            all->at[all->n].len = r->answer_len;
            all->at[all->n].value = malloc(r->answer_len);
            assert_non_null(all->at[all->n].value);
            memcpy(all->at[all->n++].value, r->answer, r->answer_len);
        }
    }
    rig_release(r);
    return all;
}

static void forget(struct reading *all)
{
    for (size_t k = 0; k < all->n; k++)
        free(all->at[k].value);
    free(all);
}

/* Present values, the time, the interval and the period that the cut fell into, counters that only
 * rise: these alone may differ. The profile is looked at apart. */
static bool may_change(const struct cosem_ref *o, uint8_t attr)
{
    enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    /* the cut itself is counted and entered */
    if (q >= MODEL_OUTAGE_COUNT && q <= MODEL_OUTAGE_COUNTS)
        return q != MODEL_OUTAGE_LIMIT && q != MODEL_OUTAGE_COUNTS;
    if (o->row->kind->binding == &meter_binding_log ||
        o->row->kind->binding == &meter_binding_log_data)
        return q != MODEL_LOG_FILTER && (attr == 2 || attr == 7);
    switch (o->row->kind->class_id) {
    case 1:
        return q == MODEL_PROFILE_STATUS || q == MODEL_PRESENT ||
               o->row->kind->binding == &cosem_binding_counter;
    case 3:
        return attr == 2 && q >= MODEL_A_IMPORT_INTERVAL && q < MODEL_LOSS_ACTIVE;
    case 4:
        return attr == 4; /* status now */
    case 5:
        return attr >= 2 && attr <= 7 && attr != 4;
    case 7:
        return o->row->kind->binding == &meter_binding_profile && (attr == 2 || attr == 7);
    case 8:
        return attr == 2 || attr == 4;
    default:
        return false;
    }
}

static size_t compare(const struct rig *r, const struct reading *a, const struct reading *b)
{
    size_t n_same = 0;
    assert_int_equal(a->n, b->n);
    for (size_t k = 0; k < a->n; k++) {
        if (may_change(&a->at[k].object, a->at[k].attr.id))
            continue;
        if (a->at[k].len != b->at[k].len ||
            memcmp(a->at[k].value, b->at[k].value, a->at[k].len) != 0)
            fail_msg("%s: %s, attribute %u, was not kept", r->config.model->name,
                     a->at[k].object.row->name, a->at[k].attr.id);
        n_same++;
    }
    return n_same;
}

/* The rows of before are the first rows of after. */
static void compare_profiles(const struct reading *a, const struct reading *b, size_t n_rows)
{
    for (size_t k = 0; k < a->n; k++) {
        static const uint8_t ln[6] = {1, 0, 99, 1, 0, 255};
        if (memcmp(a->at[k].object.ln, ln, sizeof ln) != 0 || a->at[k].attr.id != 2)
            continue;
        struct rd x = rd_of(a->at[k].value, a->at[k].len);
        struct rd y = rd_of(b->at[k].value, b->at[k].len);
        size_t n = axdr_get_array(&x);
        assert_int_equal(n, n_rows);
        assert_true(axdr_get_array(&y) >= n);
        assert_true(rd_left(&y) >= rd_left(&x));
        assert_memory_equal(a->at[k].value + x.pos, b->at[k].value + y.pos, rd_left(&x));
        return;
    }
    fail_msg("there is no profile");
}

static void set(struct rig *r, struct apdu_attr a, const struct wr *value)
{
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &a, (struct bytes){value->p, value->len}));
    rig_release(r);
}

/* Energy in all quadrants, an hour of rows at 5 minutes, a demand maximum, settings of its own. */
static struct rig *meter_with_a_past(const char *model)
{
    static const double lags[] = {30, 150, -150, -30};
    struct rig *r = claim_meter(model, 0);
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, 300);
    set(r, rig_attr(7, "1-0:99.1.0.255", 4), &w);
    set(r, rig_attr(5, "1-0:1.4.0.255", 8), &w);
    w = wr_of(octets, sizeof octets);
    axdr_put_i16(&w, -120);
    set(r, rig_attr(8, "0-0:1.0.0.255", 3), &w);
    for (size_t k = 0; k < 4; k++) {
        struct claim_load l = claim_load(r, 0.3 + 0.1 * (double)k, lags[k]);
        claim_live(r, &l, 907);
    }
    assert_true(r->meter.demand.max_dw > 0);
    return r;
}

/* Power-up with the crystal back at the day it was made, and no factory values to fall back on:
 * keys and password are what the memory holds, or nobody gets in. */
static enum err dark_power_up(struct rig *r)
{
    struct meter_config blank = r->config;
    uint32_t before[MODEL_N_CLIENTS];
    memcpy(before, r->meter.server.rx_floor, sizeof before);
    blank.time_ns = rig_time("2026-01-01T00:00:00") * METER_NS;
    memset(&blank.keys, 0, sizeof blank.keys);
    memset(blank.password, 0, sizeof blank.password);
    meter_end(&r->meter);
    memset(&r->meter, 0xA5, sizeof r->meter);
    enum err err = meter_init(&r->meter, &blank);
    rig_follow_counter(r, before);
    return err;
}

static void nothing_is_lost_with_warning(const char *model)
{
    struct rig *r = meter_with_a_past(model);
    struct reading *before = read_everything(r);
    for (unsigned cut = 0; cut < 3; cut++) {
        assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
        assert_int_equal(cut == 0 ? rig_power_up(r, 86400) : dark_power_up(r), ERR_OK);
        struct reading *after = read_everything(r);
        assert_true(compare(r, before, after) > 100);
        compare_profiles(before, after, 12);
        forget(after);
    }
    forget(before);
    rig_free(r);
}

/* The power goes at any moment: what a client was told before it stays, and of the rest at most a
 * minute (METER_SNAPSHOT_S) is missing. */
static void told_is_kept_without_warning(const char *model)
{
    struct rig *r = meter_with_a_past(model);
    struct claim_load l = claim_load(r, 0.9, 20);
    for (uint32_t op = 1; op <= 12; op++) {
        struct legal_energies at_cut, back;
        struct claim_book minute = {0};
        claim_live(r, &l, 40);
        int64_t told = rig_value(r, 3, "1-0:1.8.0.255", 2);
        flash_emu_power(&r->emu, op, (enum tear)(op % N_TEARS));
        for (unsigned s = 0; s < 300 && !r->emu.dead; s++)
            claim_live(r, &l, 1);
        assert_true(r->emu.dead);
        legal_energies_get(&r->meter.legal, &at_cut);
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(dark_power_up(r), ERR_OK);
        legal_energies_get(&r->meter.legal, &back);
        claim_count(&minute, &l, claim_phases(r), METER_SNAPSHOT_S + 1);
        double lost = (double)(at_cut.total[LEGAL_A_IMPORT] - back.total[LEGAL_A_IMPORT]) * 1e-6;
        assert_true(lost <= minute.of[0].a[0] * 1.001);
        assert_true(rig_value(r, 3, "1-0:1.8.0.255", 2) >= told);
        rig_check_rows(r);
    }
    rig_free(r);
}

static void memory_holds(const char *model)
{
    nothing_is_lost_with_warning(model);
    told_is_kept_without_warning(model);
}

static void claim_SM307_NVM(void **state)
{
    (void)state;
    memory_holds("SM307");
}

static void claim_AD1X_NVM(void **state)
{
    (void)state;
    memory_holds("AD11A");
    memory_holds("AD13A");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SM307_NVM),
        cmocka_unit_test(claim_AD1X_NVM),
    };
    return cmocka_run_group_tests_name("claims_nvm", tests, NULL, NULL);
}
