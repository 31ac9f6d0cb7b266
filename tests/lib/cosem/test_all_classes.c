/* Every attribute of every class through the server: read, written back, written at random along
 * its type, refused where the type or the limits are not kept. The peer is the manager of the
 * example server, the device that of all_classes.h. */
#include "lib/cosem/model.h"
#include "tests/lib/cosem/all_classes.h"
#include "tests/lib/cosem/example.h"
#include "tests/lib/cosem/random_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS    20
#define READ_MAX  32768 /* the object list is the longest */
#define WRITE_MAX 1024  /* of a SET without blocks */

struct bench {
    struct example x;
    struct peer peer;
    struct all_classes all;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    *state = b;
    if (!b || !all_classes_init(&b->all))
        return -1;
    example_init(&b->x);
    b->x.device[0] = b->all.device;
    peer_init(&b->peer, &b->x, SAP_WRITER);
    struct acse_aare aare;
    return peer_connect(&b->peer, &aare) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    example_end(&b->x);
    free(b);
    return 0;
}

static enum cosem_result write_value(struct bench *b, const struct cosem_ref *o, uint8_t attr,
                                     struct bytes value)
{
    struct apdu_request q = {.tag = DLMS_SET_REQUEST,
                             .type = DLMS_SET_NORMAL,
                             .invoke = 0xC1,
                             .target = {.class_id = o->row->kind->class_id, .id = attr},
                             .data = value};
    struct apdu_response a;
    memcpy(q.target.ln, o->ln, 6);
    struct bytes answer = peer_request(&b->peer, &q);
    struct rd r = rd_of(answer.p, answer.len);
    apdu_get_response(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.tag, DLMS_SET_RESPONSE);
    return a.result;
}

/* Length of the value, 0 where it cannot be read. */
static size_t read_value(struct bench *b, const struct cosem_ref *o, uint8_t attr, uint8_t *out,
                         size_t size)
{
    const struct cosem_select all = {.selector = 0};
    size_t len = 0;
    unsigned n_blocks;
    int result =
        peer_get(&b->peer, o->row->kind->class_id, o->ln, attr, &all, out, size, &len, &n_blocks);
    return result == 0 ? len : 0;
}

static bool in_store(const struct cosem_ref *o)
{
    return o->row->kind->binding == &values_binding;
}

static bool writable(const struct cosem_ref *o, uint8_t attr)
{
    return o->row->kind->rights->write[COSEM_MANAGER] >> (attr - 1) & 1u;
}

static void device_has_every_class(void **state)
{
    struct bench *b = *state;
    const struct cosem_class *ic;
    for (size_t i = 0; (ic = cosem_class_at(i)) != NULL; i++) {
        unsigned n = 0;
        for (size_t k = 0; k < b->all.device.n_rows; k++)
            n += b->all.device.rows[k].kind->class_id == ic->id &&
                 b->all.device.rows[k].kind->version == ic->version;
        assert_int_equal(n, 1);
    }
    for (size_t k = 1; k < b->all.device.n_rows; k++) {
        const struct cosem_row *a = &b->all.device.rows[k - 1], *c = a + 1;
        assert_true(a->kind->class_id < c->kind->class_id ||
                    (a->kind->class_id == c->kind->class_id && memcmp(a->ln, c->ln, 6) < 0));
    }
}

/* Read, check, write back, read again: nothing has moved. */
static void each_attribute_survives_its_own_value(void **state)
{
    struct bench *b = *state;
    static uint8_t got[READ_MAX], again[READ_MAX];
    struct cosem_ref o;
    uint32_t at = 0;
    while (cosem_next(&b->all.device, &at, &o)) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        for (uint8_t id = 1; id <= ic->n_attrs; id++) {
            if (ic->id == 15 && id == 7) /* the secret */
                continue;
            size_t n = read_value(b, &o, id, got, sizeof got);
            if (n == 0)
                fail_msg("class %u version %u attribute %u", ic->id, ic->version, id);
            assert_int_equal(cosem_check_value(&ic->attrs[id - 1], (struct bytes){got, n}),
                             COSEM_SUCCESS);
            if (!in_store(&o) && n > WRITE_MAX) /* the object list */
                continue;
            enum cosem_result result = write_value(b, &o, id, (struct bytes){got, n});
            if (result != (writable(&o, id) ? COSEM_SUCCESS : COSEM_READ_WRITE_DENIED))
                fail_msg("class %u version %u attribute %u: %u", ic->id, ic->version, id, result);
            assert_int_equal(read_value(b, &o, id, again, sizeof again), n);
            assert_memory_equal(got, again, n);
        }
    }
    assert_true(b->all.n_keep > 200 && b->all.n_changed == b->all.n_keep);
}

/* What a random value along the type meets: it is taken and read again as it was, or the rule of
 * the class refuses it and nothing has changed. */
static void write_at_random(struct bench *b, const struct cosem_ref *o, uint8_t id,
                            const struct cosem_attr *attr, uint32_t seed)
{
    uint8_t value[2048], got[2048];
    static uint8_t before[sizeof b->all.arena];
    struct random_value g = {seed, cosem_attr_type(attr), attr->limits, attr->n_limits, -1, false};
    struct wr w = wr_of(value, sizeof value);
    random_value_put(&g, &w);
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(cosem_check_value(attr, (struct bytes){value, w.len}), COSEM_SUCCESS);
    if (!in_store(o) || !writable(o, id) || w.len > ALL_CLASSES_VALUE_MAX)
        return;
    int slot = values_find(&b->all.values, o->row->kind->class_id, o->ln, id);
    if (slot < 0)
        return;
    size_t n_values = sizeof b->all.arena - ALL_CLASSES_VALUE_MAX - 4; /* without the scratch */
    memcpy(before, b->all.arena, n_values);
    if (write_value(b, o, id, (struct bytes){value, w.len}) == COSEM_SUCCESS) {
        struct bytes kept = values_get(&b->all.values, slot);
        assert_int_equal(kept.len, w.len);
        assert_memory_equal(kept.p, value, w.len);
        if (o->row->kind->class_id != 62)
            assert_int_equal(read_value(b, o, id, got, sizeof got), w.len);
    } else {
        assert_memory_equal(before, b->all.arena, n_values);
    }
}

static void random_values_of_each_type_survive(void **state)
{
    struct bench *b = *state;
    struct cosem_ref o;
    uint32_t at = 0, seed = 1;
    while (cosem_next(&b->all.device, &at, &o)) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        for (uint8_t id = 2; id <= ic->n_attrs; id++) {
            for (unsigned k = 0; k < ROUNDS; k++)
                write_at_random(b, &o, id, &ic->attrs[id - 1], seed++);
        }
    }
}

/* Another type, an octet too many or too few, and each limit of each attribute broken. */
static void wrong_values_change_nothing(void **state)
{
    struct bench *b = *state;
    struct cosem_ref o;
    uint32_t at = 0, seed = 1;
    unsigned n_limits = 0;
    static uint8_t before[sizeof b->all.arena];
    memcpy(before, b->all.arena, sizeof before);
    while (cosem_next(&b->all.device, &at, &o)) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        for (uint8_t id = 2; id <= ic->n_attrs; id++) {
            const struct cosem_attr *attr = &ic->attrs[id - 1];
            uint8_t value[2048] = {AXDR_F64};
            if (!in_store(&o) || !writable(&o, id))
                continue;
            if (attr->code[0] != AXDR_ANY && attr->code[0] != AXDR_SIMPLE)
                assert_int_equal(write_value(b, &o, id, (struct bytes){value, 9}),
                                 COSEM_TYPE_UNMATCHED);
            for (uint8_t k = 0; k < attr->n_limits; k++) {
                struct random_value g = {seed++,         cosem_attr_type(attr), attr->limits,
                                         attr->n_limits, attr->limits[k].at,    false};
                struct wr w = wr_of(value, sizeof value);
                random_value_put(&g, &w);
                if (!g.broken) /* the type has no value outside: unsigned up to 255 */
                    continue;
                assert_int_equal(write_value(b, &o, id, (struct bytes){value, w.len}),
                                 COSEM_OTHER_REASON);
                n_limits++;
            }
        }
    }
    assert_memory_equal(before, b->all.arena, sizeof before);
    assert_int_equal(b->all.n_keep, 0);
    assert_true(n_limits > 50);
}

/* Where what was written cannot be made durable, nothing is written. */
static void failing_hook_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct cosem_ref o;
    uint32_t at = 0;
    static uint8_t before[sizeof b->all.arena];
    static uint8_t got[READ_MAX];
    memcpy(before, b->all.arena, sizeof before);
    b->all.keep = ERR_IO;
    while (cosem_next(&b->all.device, &at, &o)) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        for (uint8_t id = 2; id <= ic->n_attrs; id++) {
            size_t n = read_value(b, &o, id, got, sizeof got);
            if (n > 0 && in_store(&o) && writable(&o, id))
                assert_int_equal(write_value(b, &o, id, (struct bytes){got, n}),
                                 COSEM_HARDWARE_FAULT);
        }
    }
    assert_true(b->all.n_keep > 200);
    assert_int_equal(b->all.n_changed, 0);
    size_t n_values = sizeof before - ALL_CLASSES_VALUE_MAX - 4;
    for (size_t k = 0; k < ALL_CLASSES_SLOTS; k++) { /* computed ones may have been refreshed */
        bool computed = all_classes_slots[k].class_id == 62;
        size_t from = k * (2 + ALL_CLASSES_VALUE_MAX);
        assert_true(from < n_values);
        if (!computed)
            assert_memory_equal(before + from, b->all.arena + from, 2 + ALL_CLASSES_VALUE_MAX);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(device_has_every_class),
        CASE(each_attribute_survives_its_own_value),
        CASE(random_values_of_each_type_survive),
        CASE(wrong_values_change_nothing),
        CASE(failing_hook_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
