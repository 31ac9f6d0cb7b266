/* The bench at the ends of the promised sample rates, 4 and 32 kHz, through the same front ends as
 * at 8 kHz: the same limits, the same targets. `full`: every eighth point of a direct and of a
 * transformer meter; otherwise a few. */
#include "sim/typetest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool full;

static void check(const char *model, double rate_hz, bool ideal)
{
    struct typetest_report r;
    char message[300] = "";
    const struct typetest_options o = {.model = model_meter_find(model),
                                       .order = "",
                                       .ideal = ideal,
                                       .every = full ? 8 : 100,
                                       .seed = 3,
                                       .rate_hz = rate_hz,
                                       .only = full ? NULL : "load,frequency,fifth,phase_fired"};
    enum err err = typetest_run(&o, &r, &(struct fault){message, sizeof message});
    if (err)
        fail_msg("%s at %g Hz: %s (%s)", model, rate_hz, message, err_text(err));
    assert_int_equal(typetest_text(&r, stdout), ERR_OK);
    assert_true(r.n > (full ? 50 : 8));
    assert_true(r.rate_hz == rate_hz);
    assert_int_equal(r.n_failed, 0);
    assert_int_equal(r.n_missed, 0);
    typetest_free(&r);
}

static void typetest_passes_at_4_khz(void **state)
{
    (void)state;
    check("ST402C", 4000, false);
    if (full)
        check("MT371", 4000, false);
    if (full)
        check("ST402C", 4000, true);
}

static void typetest_passes_at_32_khz(void **state)
{
    (void)state;
    check("ST402C", 32000, false);
    if (full)
        check("MT371", 32000, false);
    if (full)
        check("ST402C", 32000, true);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typetest_passes_at_4_khz),
        cmocka_unit_test(typetest_passes_at_32_khz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
