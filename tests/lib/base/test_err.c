/* The list of errors: every one has a value and a message of its own. */
#include "lib/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum err all[] = {
#define ERR(name, value, message) ERR_##name,
#include "lib/base/err.def"
#undef ERR
};
#define N_ALL (sizeof all / sizeof all[0])

static void err_values_are_negative_and_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ALL; i++) {
        assert_true(all[i] < 0);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(all[i], all[j]);
    }
}

static void err_text_differs_for_each(void **state)
{
    (void)state;
    assert_string_equal(err_text(ERR_OK), "done");
    assert_string_equal(err_text((enum err)1), "unknown error");
    assert_string_equal(err_text(ERR_TRUNCATED), "input ends too early");
    for (size_t i = 0; i < N_ALL; i++) {
        assert_string_not_equal(err_text(all[i]), "unknown error");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(err_text(all[i]), err_text(all[j]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_values_are_negative_and_differ),
        cmocka_unit_test(err_text_differs_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
