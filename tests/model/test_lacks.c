/* The meter refuses what its model does not have: objects of the other models, periods that are not
 * in the row, a column too many, columns it lacks. Asked by a client, over the wire, of all eight.
 */
#include "tests/firmware/meter/rig.h"

#include "lib/cosem/obis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OBJECTS_MAX 4000

static bool full;

/* Of the profiles a model has: one or two, other ones of other models. */
static bool is_tried(const struct model_meter *m, size_t model, unsigned p)
{
    return m->profile[p].n_values > 0 && (full || (p + model) % 5 == 0);
}

static struct rig *rig_of(const struct model_meter *m)
{
    return rig_new(m->name, "2026-05-01T22:00:00",
                   m->n_phases == 1 ? "synth:phases=1,u=230,i=3,in=0.5"
                                    : "synth:phases=3,u=110,i=3,in=0.5");
}

/* Every object that any of the models has, once. */
static size_t all_objects(struct cosem_ref *out)
{
    const struct cosem_device all = {.rows = model_rows, .n_rows = model_n_rows};
    struct cosem_ref o;
    uint32_t at = 0;
    size_t n = 0;
    while (cosem_next(&all, &at, &o)) {
        bool somewhere = false;
        for (size_t k = 0; model_meter_at(k) != NULL && !somewhere; k++)
            somewhere = model_present(model_meter_at(k), model_meter_at(k)->features, &o);
        assert_true(n < OBJECTS_MAX);
        if (somewhere)
            out[n++] = o;
    }
    return n;
}

static bool has(const struct rig *r, const struct cosem_ref *o)
{
    struct cosem_ref found;
    return cosem_find(&r->meter.device, o->row->kind->class_id, o->ln, &found);
}

/* GET, SET and, where the class has one, method 1. */
static void assert_undefined(struct rig *r, const struct cosem_ref *o)
{
    const struct cosem_class *class =
        cosem_class_find(o->row->kind->class_id, o->row->kind->version);
    const uint8_t one[2] = {AXDR_U8, 1};
    struct apdu_attr a = {.class_id = class->id, .id = 2};
    char name[OBIS_TEXT];
    memcpy(a.ln, o->ln, sizeof a.ln);
    obis_print(a.ln, name);
    enum cosem_result result[3] = {COSEM_OBJECT_UNDEFINED, COSEM_OBJECT_UNDEFINED,
                                   COSEM_OBJECT_UNDEFINED};
    assert_false(rig_get(r, &a));
    result[0] = r->result;
    assert_false(rig_set(r, &a, (struct bytes){one, sizeof one}));
    result[1] = r->result;
    a.id = 1;
    if (class->n_methods > 0) {
        assert_false(rig_call(r, &a));
        result[2] = r->result;
    }
    for (size_t i = 0; i < 3; i++) {
        if (result[i] != COSEM_OBJECT_UNDEFINED)
            fail_msg("%s, class %u %s, service %zu: %s", r->config.model->name, class->id, name, i,
                     cosem_result_text(result[i]));
    }
}

static void objects_of_other_models_are_undefined(void **state)
{
    (void)state;
    static struct cosem_ref o[OBJECTS_MAX];
    const size_t n = all_objects(o);
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        struct rig *r = rig_of(model_meter_at(k));
        size_t n_lacking = 0;
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        for (size_t i = 0; i < n; i++) {
            if (has(r, &o[i]))
                continue;
            assert_undefined(r, &o[i]);
            n_lacking++;
        }
        rig_release(r);
        printf("%s: %zu of %zu objects of all models are not there\n", r->config.model->name,
               n_lacking, n);
        assert_true(n_lacking > 0);
        rig_free(r);
    }
}

static struct apdu_attr profile_attr(enum model_profile_id p, uint8_t id)
{
    struct apdu_attr a = {.class_id = 7, .id = id};
    model_profile_ln(p, a.ln);
    return a;
}

static uint32_t period_of(struct rig *r, enum model_profile_id p)
{
    const struct apdu_attr a = profile_attr(p, 4);
    assert_true(rig_get(r, &a));
    assert_int_equal(r->answer_len, 5);
    struct rd rd = rd_of(r->answer + 1, 4);
    return rd_u32(&rd);
}

static bool set_period(struct rig *r, enum model_profile_id p, uint32_t period_s)
{
    const struct apdu_attr a = profile_attr(p, 4);
    uint8_t octets[5];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, period_s);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

static void periods_outside_the_row_are_refused(void **state)
{
    (void)state;
    static const uint32_t tried[] = {0,    1,    30,   59,    60,    61,         90,        120,
                                     300,  420,  600,  899,   900,   1200,       1800,      2700,
                                     3540, 3600, 3660, 43200, 86400, UINT32_MAX, 0x80000384};
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        struct rig *r = rig_of(m);
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        for (unsigned i = 0; i < MODEL_DAILY; i++) {
            const enum model_profile_id p = (enum model_profile_id)i;
            if (!is_tried(m, k, i))
                continue;
            for (size_t t = 0; t < sizeof tried / sizeof tried[0]; t++) {
                const uint32_t before = period_of(r, p);
                const bool taken = set_period(r, p, tried[t]);
                assert_int_equal(taken, model_period_allowed(m->periods, tried[t]));
                assert_int_equal(period_of(r, p), taken ? tried[t] : before);
            }
        }
        for (unsigned p = MODEL_DAILY; p < MODEL_N_PROFILES; p++)
            assert_false(set_period(r, (enum model_profile_id)p, 3600));
        rig_release(r);
        rig_free(r);
    }
}

/* ---- columns ---- */

static void put_column(struct wr *w, uint16_t class_id, const uint8_t ln[6], uint8_t attribute)
{
    axdr_put_struct(w, 4);
    axdr_put_u16(w, class_id);
    axdr_put_octets(w, ln, 6);
    axdr_put_i8(w, (int8_t)attribute);
    axdr_put_u16(w, 0);
}

/* Clock, status and so many registers of the meter. */
static bool set_columns(struct rig *r, enum model_profile_id p, unsigned n_values)
{
    static uint8_t octets[4000];
    const struct apdu_attr a = profile_attr(p, 3);
    struct wr w = wr_of(octets, sizeof octets);
    struct cosem_ref o;
    uint8_t ln[6];
    uint32_t at = 0;
    axdr_put_array(&w, n_values + 2);
    put_column(&w, 8, model_ln_clock, 2);
    model_profile_status_ln(p, ln);
    put_column(&w, 1, ln, 2);
    while (n_values > 0 && cosem_next(&r->meter.device, &at, &o)) {
        if (o.row->kind->class_id != 3)
            continue;
        put_column(&w, 3, o.ln, 2);
        n_values--;
    }
    assert_int_equal(n_values, 0);
    assert_int_equal(w.err, ERR_OK);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

static unsigned columns_of(struct rig *r, enum model_profile_id p)
{
    const struct apdu_attr a = profile_attr(p, 3);
    assert_true(rig_get(r, &a));
    assert_int_equal(r->answer[0], AXDR_ARRAY);
    return r->answer[1]; /* below 128 */
}

static void one_column_more_than_the_row_has_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        struct rig *r = rig_of(m);
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        for (unsigned i = 0; i < MODEL_N_PROFILES; i++) {
            const enum model_profile_id p = (enum model_profile_id)i;
            const uint8_t n = m->profile[p].n_values;
            if (!is_tried(m, k, i))
                continue;
            const unsigned before = columns_of(r, p);
            assert_false(set_columns(r, p, n + 1u));
            assert_int_equal(columns_of(r, p), before);
            assert_true(set_columns(r, p, n));
            assert_int_equal(columns_of(r, p), n + 2u);
        }
        rig_release(r);
        rig_free(r);
    }
}

/* Of every object that another model has and this one lacks. */
static void columns_of_other_models_are_refused(void **state)
{
    (void)state;
    static struct cosem_ref o[OBJECTS_MAX];
    const size_t n = all_objects(o);
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        struct rig *r = rig_of(model_meter_at(k));
        const struct apdu_attr a = profile_attr(MODEL_LP1, 3);
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        const unsigned before = columns_of(r, MODEL_LP1);
        for (size_t i = k; i < n; i += full ? 1 : 29) {
            uint8_t octets[64];
            struct wr w = wr_of(octets, sizeof octets);
            if (has(r, &o[i]))
                continue;
            axdr_put_array(&w, 2);
            put_column(&w, 8, model_ln_clock, 2);
            put_column(&w, o[i].row->kind->class_id, o[i].ln, 2);
            assert_false(rig_set(r, &a, (struct bytes){octets, w.len}));
        }
        assert_int_equal(columns_of(r, MODEL_LP1), before);
        rig_release(r);
        rig_free(r);
    }
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_of_other_models_are_undefined),
        cmocka_unit_test(periods_outside_the_row_are_refused),
        cmocka_unit_test(one_column_more_than_the_row_has_is_refused),
        cmocka_unit_test(columns_of_other_models_are_refused),
    };
    return cmocka_run_group_tests_name("lacks", tests, NULL, NULL);
}
