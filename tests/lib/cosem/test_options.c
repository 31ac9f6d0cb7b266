/* The fingerprint of the options: equal to itself, and each option moves it. */
#include "lib/cosem/options.h"

#include "lib/base/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void options_fit_when_they_are_the_same(void **state)
{
    (void)state;
    assert_true(cosem_options_fit(COSEM_OPTIONS));
}

/* The file is compiled a second time with one option changed (CMakeLists.txt): other_options. */
extern const uint32_t other_options;

static void options_do_not_fit_when_one_differs(void **state)
{
    (void)state;
    assert_false(cosem_options_fit(other_options));
}

static void version_fits_itself_and_no_other_break(void **state)
{
    (void)state;
    assert_true(ferraris_version_fits(FERRARIS_VERSION));
    assert_int_equal(ferraris_version(), FERRARIS_VERSION);
    assert_false(ferraris_version_fits(FERRARIS_VERSION + 1)); /* newer than the library */
    assert_false(ferraris_version_fits(FERRARIS_VERSION + 0x100));
    assert_false(ferraris_version_fits(FERRARIS_VERSION + 0x10000));
    assert_string_equal(ferraris_version_text(), FERRARIS_VERSION_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_fit_when_they_are_the_same),
        cmocka_unit_test(options_do_not_fit_when_one_differs),
        cmocka_unit_test(version_fits_itself_and_no_other_break),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
