/* An image's own object table, without the rows its model lacks, is what the table of all models
 * shows of that model: an option of rows.h that disagrees with the model's row is found here. */
#include "tests/model/image_objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern const struct image_objects model_mt371_image, model_sm402d_image, model_st402d_image,
    model_st402c_image, model_smartesox_p_image, model_sm307_image, model_ad11a_image,
    model_ad13a_image;
static const struct image_objects *const images[] = {
    &model_mt371_image,       &model_sm402d_image, &model_st402d_image, &model_st402c_image,
    &model_smartesox_p_image, &model_sm307_image,  &model_ad11a_image,  &model_ad13a_image};
#define N_IMAGES (sizeof images / sizeof images[0])

static bool shown_by_all(void *context, const struct cosem_ref *o)
{
    const struct model_meter *m = context;
    return model_present(m, m->features, o);
}

static bool shown_by_image(void *context, const struct cosem_ref *o)
{
    const struct image_objects *image = context;
    return image->present(image->model, image->model->features, o);
}

static void assert_same(const struct cosem_ref *a, const struct cosem_ref *b)
{
    const struct cosem_kind *x = a->row->kind, *y = b->row->kind;
    assert_memory_equal(a->ln, b->ln, sizeof a->ln);
    assert_int_equal(a->i, b->i);
    assert_int_equal(a->j, b->j);
    assert_int_equal(a->row->arg, b->row->arg);
    assert_string_equal(a->row->name, b->row->name);
    assert_int_equal(x->class_id, y->class_id);
    assert_int_equal(x->version, y->version);
    assert_int_equal(x->flags, y->flags);
    assert_memory_equal(x->range, y->range, sizeof x->range);
    assert_memory_equal(x->rights, y->rights, sizeof *x->rights);
    assert_ptr_equal(x->binding, y->binding);
}

static void rows_of_an_image_are_those_its_model_has(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_IMAGES; k++) {
        struct image_objects image = *images[k];
        struct model_meter model = *image.model;
        const struct cosem_device all = {
            .rows = model_rows, .n_rows = model_n_rows, .present = shown_by_all, .context = &model};
        const struct cosem_device own = {.rows = image.rows,
                                         .n_rows = image.n_rows,
                                         .present = shown_by_image,
                                         .context = &image};
        struct cosem_ref a, b;
        uint32_t at_all = 0, at_own = 0;
        size_t n = 0;
        for (; cosem_next(&all, &at_all, &a); n++) {
            assert_true(cosem_next(&own, &at_own, &b));
            assert_same(&a, &b);
        }
        assert_false(cosem_next(&own, &at_own, &b));
        printf("%s: %zu objects, %zu rows\n", model.name, n, image.n_rows);
        assert_true(n > image.n_rows && image.n_rows < model_n_rows);
    }
}

static void rows_of_every_model_are_looked_at(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_IMAGES; k++)
        assert_ptr_equal(images[k]->model, model_meter_at(k));
    assert_null(model_meter_at(N_IMAGES));
}

static void a_model_that_has_mbus_profiles_says_so(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        for (unsigned p = MODEL_MBUS_1; p <= MODEL_MBUS_4; p++)
            assert_int_equal(m->profile[p].n_values > 0, (m->features & MODEL_MBUS) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_an_image_are_those_its_model_has),
        cmocka_unit_test(rows_of_every_model_are_looked_at),
        cmocka_unit_test(a_model_that_has_mbus_profiles_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
