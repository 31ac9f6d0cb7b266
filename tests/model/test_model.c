/* The data of the models: rows sorted and unique, every object of every meter readable in process,
 * what a meter lacks is not there. */
#include "tests/firmware/meter/rig.h"

#include "lib/cosem/obis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OBJECTS_MAX 640

static int compare(uint16_t class_a, const uint8_t *a, uint16_t class_b, const uint8_t *b)
{
    if (class_a != class_b)
        return class_a < class_b ? -1 : 1;
    return memcmp(a, b, 6);
}

static struct rig *rig_of(const struct model_meter *m)
{
    return rig_new(m->name, "2026-05-01T22:00:00",
                   m->n_phases == 1 ? "synth:phases=1,u=230,i=3,in=0.5"
                                    : "synth:phases=3,u=110,i=3,in=0.5");
}

static void rows_are_sorted_and_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < model_n_rows; i++) {
        const struct cosem_row *row = &model_rows[i];
        const struct cosem_class *class = cosem_class_find(row->kind->class_id, row->kind->version);
        assert_non_null(class);
        assert_non_null(row->kind->binding);
        assert_non_null(row->name);
        for (size_t k = 0; k < COSEM_N_ROLES; k++) {
            assert_int_equal(row->kind->rights->read[k] >> class->n_attrs, 0);
            assert_int_equal(row->kind->rights->write[k] >> class->n_attrs, 0);
            assert_int_equal(row->kind->rights->invoke[k] >> class->n_methods, 0);
            if (row->kind->rights->write[k] != 0)
                assert_non_null(row->kind->binding->set);
            if (row->kind->rights->invoke[k] != 0)
                assert_non_null(row->kind->binding->invoke);
        }
        if (i > 0)
            assert_true(compare(row[-1].kind->class_id, row[-1].ln, row->kind->class_id, row->ln) <=
                        0);
    }
}

static size_t objects_of(const struct rig *r, struct cosem_ref *out)
{
    uint32_t at = 0;
    size_t n = 0;
    while (cosem_next(&r->meter.device, &at, &out[n])) {
        n++;
        assert_true(n < OBJECTS_MAX);
    }
    return n;
}

static void objects_are_unique_and_found_by_name(void **state)
{
    (void)state;
    static struct cosem_ref o[OBJECTS_MAX];
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        struct rig *r = rig_of(model_meter_at(i));
        size_t n = objects_of(r, o);
        for (size_t a = 0; a < n; a++) {
            struct cosem_ref found;
            assert_true(cosem_find(&r->meter.device, o[a].row->kind->class_id, o[a].ln, &found));
            assert_ptr_equal(found.row, o[a].row);
            assert_int_equal(found.i, o[a].i);
            for (size_t b = a + 1; b < n; b++)
                assert_int_not_equal(
                    compare(o[a].row->kind->class_id, o[a].ln, o[b].row->kind->class_id, o[b].ln),
                    0);
        }
        rig_free(r);
    }
}

/* A client sees the association object of another only as the manager. */
static bool hidden(const struct rig *r, const struct cosem_ref *o, uint16_t sap, uint8_t attr)
{
    bool other = o->row->kind->class_id == 15 && o->i > 0 && r->meter.clients[o->i - 1].sap != sap;
    return other && attr > 1 && sap != METER_SAP_MANAGER;
}

/* Reads every attribute the role may; the answers must have the type the class says. */
static size_t read_all(struct rig *r, uint16_t sap, enum cosem_role role)
{
    static struct cosem_ref o[OBJECTS_MAX];
    size_t n = objects_of(r, o), n_read = 0;
    assert_true(rig_connect(r, sap));
    for (size_t k = 0; k < n; k++) {
        const struct cosem_class *class =
            cosem_class_find(o[k].row->kind->class_id, o[k].row->kind->version);
        struct apdu_attr a = {.class_id = class->id};
        memcpy(a.ln, o[k].ln, 6);
        for (a.id = 1; a.id <= class->n_attrs; a.id++) {
            bool may = (o[k].row->kind->rights->read[role] >> (a.id - 1) & 1u) != 0 &&
                       !hidden(r, &o[k], sap, a.id);
            bool got = rig_get(r, &a);
            char name[OBIS_TEXT];
            obis_print(a.ln, name);
            if (got != may)
                print_error("%s %s class %u attribute %u role %d: %s\n", r->config.model->name,
                            name, class->id, a.id, (int)role, cosem_result_text(r->result));
            assert_int_equal(got, may);
            if (!got)
                continue;
            struct rd rd = rd_of(r->answer, r->answer_len);
            axdr_check(&rd, cosem_attr_type(&class->attrs[a.id - 1]));
            assert_int_equal(rd.err, ERR_OK);
            assert_int_equal(rd_left(&rd), 0);
            n_read++;
        }
    }
    rig_release(r);
    return n_read;
}

static void every_object_of_every_meter_is_readable_as_its_rights_say(void **state)
{
    (void)state;
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        struct rig *r = rig_of(model_meter_at(i));
        rig_live(r, 1800);
        size_t public = read_all(r, METER_SAP_PUBLIC, COSEM_PUBLIC);
        size_t reader = read_all(r, METER_SAP_READER, COSEM_READER);
        size_t ciphered = read_all(r, METER_SAP_READER_HLS, COSEM_READER);
        size_t manager = read_all(r, METER_SAP_MANAGER, COSEM_MANAGER);
        printf("%s: %zu attributes public, %zu reader\n", r->config.model->name, public, reader);
        assert_true(public > 0 && public < reader);
        assert_int_equal(ciphered, reader);
        assert_true(manager > reader); /* sees the other associations */
        rig_free(r);
    }
}

static bool has(const char *model, uint32_t without, uint16_t class_id, const char *obis)
{
    const struct model_meter *m = model_meter_find(model);
    uint8_t ln[6];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    const struct cosem_device all = {.rows = model_rows, .n_rows = model_n_rows};
    struct cosem_ref o;
    return cosem_find(&all, class_id, ln, &o) && model_present(m, m->features & ~without, &o);
}

static void objects_follow_the_functions_of_the_meter(void **state)
{
    (void)state;
    assert_true(has("ST402D", 0, 3, "1-0:21.8.0.255"));
    assert_true(has("ST402D", 0, 3, "1-0:72.7.0.255"));
    assert_true(has("SM402D", 0, 3, "1-0:32.7.0.255"));
    assert_false(has("SM402D", 0, 3, "1-0:52.7.0.255"));
    assert_false(has("SM402D", 0, 3, "1-0:41.8.0.255"));
    assert_false(has("SM402D", 0, 3, "1-0:21.7.0.255"));
    assert_true(has("MT371", 0, 3, "1-0:3.8.0.255"));
    assert_false(has("MT371", MODEL_REACTIVE, 3, "1-0:3.8.0.255"));
    assert_false(has("MT371", MODEL_REACTIVE, 3, "1-0:3.7.0.255"));
    assert_false(has("MT371", 0, 3, "1-0:5.8.0.255"));
    assert_true(has("AD11A", 0, 3, "1-0:91.7.0.255"));
    assert_false(has("SM307", 0, 3, "1-0:91.7.0.255"));
    assert_true(has("SM307", 0, 3, "1-0:81.7.26.255"));
    assert_false(has("SM307", 0, 3, "1-0:81.7.27.255"));
    assert_null(model_meter_find("ST402"));
    assert_ptr_equal(model_meter_find("smartesox-p"), model_meter_find("SMARTESOX-P"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_known),
        cmocka_unit_test(objects_are_unique_and_found_by_name),
        cmocka_unit_test(every_object_of_every_meter_is_readable_as_its_rights_say),
        cmocka_unit_test(objects_follow_the_functions_of_the_meter),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
