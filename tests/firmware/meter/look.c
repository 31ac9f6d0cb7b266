/* See look.h. */
#include "tests/firmware/meter/look.h"

#include "lib/cosem/obis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void look_free(struct look *l)
{
    free(l->p);
    free(l->end);
    *l = (struct look){0};
}

struct bytes look_element(const struct look *l, uint32_t i)
{
    size_t start = i > 0 ? l->end[i - 1] : 0;
    assert_true(i < l->n);
    return (struct bytes){l->p + start, l->end[i] - start};
}

bool look_can(const struct cosem_ref *o)
{
    return o->row->kind->class_id != 15 && o->row->kind->class_id != 17 &&
           o->row->kind->class_id != 64 && o->row->kind->binding != &cosem_binding_counter;
}

uint8_t look_n_attrs(const struct cosem_ref *o)
{
    const struct cosem_class *ic = cosem_class_find(o->row->kind->class_id, o->row->kind->version);
    assert_non_null(ic);
    return ic->n_attrs;
}

/* How many elements the head promises, which is then dropped. */
static uint32_t drop_head(struct look *out, size_t len)
{
    struct rd r = rd_of(out->p, len);
    size_t n = axdr_get_array(&r);
    assert_int_equal(r.err, ERR_OK);
    memmove(out->p, out->p + r.pos, len - r.pos);
    out->len = len - r.pos;
    return (uint32_t)n;
}

/* Where each of the elements ends that came in one item or several. */
static void find_ends(struct look *out, uint32_t n)
{
    struct rd r = rd_of(out->p, out->len);
    out->n = n;
    out->end = calloc(n + 1u, sizeof *out->end);
    assert_non_null(out->end);
    for (uint32_t i = 0; i < n; i++) {
        axdr_skip(&r);
        out->end[i] = r.pos;
    }
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.pos, out->len); /* neither fewer nor more than promised */
}

enum cosem_result look_attr(struct meter *m, const struct cosem_ref *o, uint8_t attr, bool is_array,
                            struct look *out)
{
    static uint8_t scratch[LOOK_MAX];
    struct cosem_call call = {
        .context = m->device.context, .role = COSEM_MANAGER, .device = &m->device};
    struct cosem_select none = {0};
    struct cosem_gen g = {0};
    enum cosem_result result = COSEM_SUCCESS;
    look_free(out);
    struct wr w = wr_of(scratch, sizeof scratch);
    if (attr == 1)
        axdr_put_octets(&w, o->ln, sizeof o->ln);
    for (g.more = attr != 1; g.more; g.item++) {
        result = o->row->kind->binding->get(&call, o, attr, &none, &g, &w);
        g.more = g.more && result == COSEM_SUCCESS;
    }
    assert_int_equal(w.err, ERR_OK);
    out->p = malloc(w.len + 1);
    assert_non_null(out->p);
    memcpy(out->p, scratch, w.len);
    out->len = w.len;
    if (result == COSEM_SUCCESS && is_array)
        find_ends(out, drop_head(out, w.len));
    return result;
}

static bool find(struct meter *m, uint16_t class_id, const char *obis, struct cosem_ref *o)
{
    uint8_t ln[6];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    return cosem_find(&m->device, class_id, ln, o);
}

bool look_has(struct meter *m, uint16_t class_id, const char *obis)
{
    struct cosem_ref o;
    return find(m, class_id, obis, &o);
}

void look_named(struct meter *m, uint16_t class_id, const char *obis, uint8_t attr, bool is_array,
                struct look *out)
{
    struct cosem_ref o;
    if (!find(m, class_id, obis, &o))
        fail_msg("%s has no %s", m->model->name, obis);
    enum cosem_result result = look_attr(m, &o, attr, is_array, out);
    if (result != COSEM_SUCCESS)
        fail_msg("%s attribute %u: %s", obis, attr, cosem_result_text(result));
}

uint64_t look_uint(struct meter *m, uint16_t class_id, const char *obis, uint8_t attr)
{
    struct look l = {0};
    look_named(m, class_id, obis, attr, false, &l);
    struct rd r = rd_of(l.p, l.len);
    uint64_t value = axdr_get_uint(&r);
    assert_int_equal(r.err, ERR_OK);
    look_free(&l);
    return value;
}
