/* Object tables: finding by class and name through ranges, walking in order, presence; and the
 * small text helpers of the room: logical names, units, results, profile selectors. */
#include "lib/cosem/model.h"
#include "lib/cosem/obis.h"
#include "lib/cosem/profile_select.h"
#include "lib/cosem/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static const struct cosem_row rows[] = {
    {.ln = {0, 0, 42, 0, 0, 255}, .kind = COSEM_KIND(.class_id = 1)},
    {.ln = {1, 0, 1, 8, 0, 255}, .kind = COSEM_KIND(.class_id = 3, .range = {{4, 1, 5}})},
    {.ln = {1, 0, 21, 8, 0, 255},
     .kind = COSEM_KIND(.class_id = 3, .range = {{2, 20, 3}, {4, 1, 2}})},
    {.ln = {1, 0, 22, 8, 0, 255}, .kind = COSEM_KIND(.class_id = 3)},
    {.ln = {1, 0, 31, 4, 0, 255}, .kind = COSEM_KIND(.class_id = 5)},
    {.ln = {1, 0, 31, 4, 0, 255}, .kind = COSEM_KIND(.class_id = 21)},
};
static const struct cosem_device device = {.sap = 1, .rows = rows, .n_rows = 6};

static bool single_phase(void *context, const struct cosem_ref *o)
{
    (void)context;
    return o->row != &rows[2] || o->i == 0;
}

static bool find(const struct cosem_device *d, uint16_t class_id, const char *name,
                 struct cosem_ref *o)
{
    uint8_t ln[6];
    assert_int_equal(obis_parse(name, ln), ERR_OK);
    return cosem_find(d, class_id, ln, o);
}

static void find_resolves_instances_of_ranges(void **state)
{
    struct cosem_ref o;
    (void)state;
    assert_true(find(&device, 3, "1-0:1.8.4", &o));
    assert_ptr_equal(o.row, &rows[1]);
    assert_int_equal(o.i, 4);
    assert_true(find(&device, 3, "1-0:61.8.1", &o));
    assert_int_equal(o.i, 2);
    assert_int_equal(o.j, 1);
    assert_true(find(&device, 3, "1-0:22.8.0", &o));
    assert_ptr_equal(o.row, &rows[3]);
    assert_true(find(&device, 21, "1-0:31.4.0", &o));
    assert_int_equal(o.row->kind->class_id, 21);
    assert_true(find(&device, 5, "1-0:31.4.0", &o));
    assert_false(find(&device, 3, "1-0:1.8.5", &o));
    assert_false(find(&device, 3, "1-0:81.8.0", &o));
    assert_false(find(&device, 3, "1-0:31.8.0", &o));
    assert_false(find(&device, 3, "1-0:61.8.2", &o));
    assert_false(find(&device, 3, "1-0:1.8.0.254", &o));
    assert_false(find(&device, 4, "1-0:1.8.0", &o));
    assert_false(find(&device, 99, "1-0:1.8.0", &o));
}

static void next_walks_what_find_finds(void **state)
{
    struct cosem_ref o, again;
    uint32_t at = 0, n = 0;
    (void)state;
    while (cosem_next(&device, &at, &o)) {
        assert_true(cosem_find(&device, o.row->kind->class_id, o.ln, &again));
        assert_ptr_equal(again.row, o.row);
        assert_int_equal(again.i, o.i);
        assert_int_equal(again.j, o.j);
        n++;
    }
    assert_int_equal(n, 1 + 5 + 6 + 1 + 1 + 1);
    assert_false(cosem_next(&device, &at, &o));
}

static void present_hides_instances(void **state)
{
    struct cosem_device d = device;
    struct cosem_ref o;
    uint32_t at = 0, n = 0;
    (void)state;
    d.present = single_phase;
    while (cosem_next(&d, &at, &o))
        n++;
    assert_int_equal(n, 1 + 5 + 2 + 1 + 1 + 1);
    assert_true(find(&d, 3, "1-0:21.8.1", &o));
    assert_false(find(&d, 3, "1-0:41.8.0", &o));
    assert_false(cosem_find_name(&d, (const uint8_t[]){1, 0, 41, 8, 0, 255}, &o));
    assert_true(cosem_find_name(&d, (const uint8_t[]){1, 0, 31, 4, 0, 255}, &o));
}

static void obis_is_parsed_and_printed(void **state)
{
    static const uint8_t energy[6] = {1, 0, 1, 8, 0, 255};
    static const char *const same[] = {"1-0:1.8.0.255", "1-0:1.8.0*255", "1-0:1.8.0",
                                       "1.0.1.8.0.255"};
    static const char *const bad[] = {"",           "1-0:1.8",        "1.0.1.8.0",    "1-0:1.8.0.",
                                      "1-0:1.8.0x", "1-0:1.8.0.255.", "1.0:1.8.0",    "1-0-1.8.0",
                                      "a-0:1.8.0",  "1-0:1.8.0.255 ", "1.0.1.8.0*255"};
    char text[OBIS_TEXT];
    uint8_t ln[6];
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(obis_parse(same[i], ln), ERR_OK);
        assert_memory_equal(ln, energy, 6);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(obis_parse(bad[i], ln), ERR_FORMAT);
    assert_int_equal(obis_parse("1-0:1.8.0.256", ln), ERR_RANGE);
    obis_print(energy, text);
    assert_string_equal(text, "1-0:1.8.0.255");
    obis_print((const uint8_t[]){255, 255, 255, 255, 255, 255}, text);
    assert_string_equal(text, "255-255:255.255.255.255");
}

static void units_have_the_names_other_programs_expect(void **state)
{
    (void)state;
    assert_string_equal(cosem_unit_text(27), "W");
    assert_string_equal(cosem_unit_text(30), "Wh");
    assert_string_equal(cosem_unit_text(32), "varh");
    assert_string_equal(cosem_unit_text(44), "Hz");
    assert_string_equal(cosem_unit_text(8), "degrees");
    assert_string_equal(cosem_unit_text(56), "percent");
    assert_string_equal(cosem_unit_text(255), "");
    assert_null(cosem_unit_text(0));
    assert_null(cosem_unit_text(200));
}

static void results_map_from_errors(void **state)
{
    (void)state;
    assert_string_equal(cosem_result_text(COSEM_OBJECT_UNDEFINED), "object-undefined");
    assert_string_equal(cosem_result_text((enum cosem_result)99), "unknown");
    assert_int_equal(cosem_result_of(ERR_OK), COSEM_SUCCESS);
    assert_int_equal(cosem_result_of(ERR_TYPE), COSEM_TYPE_UNMATCHED);
    assert_int_equal(cosem_result_of(ERR_IO), COSEM_HARDWARE_FAULT);
    assert_int_equal(cosem_result_of(ERR_TAG), COSEM_OTHER_REASON);
}

/* The published range descriptor of a load profile. */
static void profile_range_survives_a_round_trip(void **state)
{
    uint8_t b[128], again[128];
    struct profile_range p;
    size_t n = hex_octets("0204020412000809060000010000FF0F02120000090C07E20601FF000300FFFF8880"
                          "090C07E50106FF000300FFFFC4000101 020412000309060100010800FF0F02120000",
                          b, sizeof b);
    struct wr w = wr_of(again, sizeof again);
    (void)state;
    assert_int_equal(profile_range_parse((struct bytes){b, n}, &p), COSEM_SUCCESS);
    assert_int_equal(p.by.class_id, 8);
    assert_int_equal(p.by.attribute, 2);
    assert_int_equal(p.from.len, 14);
    assert_int_equal(p.n_columns, 1);
    profile_put_range(&w, &p);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, b, n);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(profile_range_parse((struct bytes){b, k}, &p), COSEM_TYPE_UNMATCHED);
    b[n] = 0;
    assert_int_equal(profile_range_parse((struct bytes){b, n + 1}, &p), COSEM_TYPE_UNMATCHED);
}

static void profile_entries_are_checked(void **state)
{
    uint8_t b[64];
    struct profile_entries p;
    size_t n = hex_octets("0204 0600000001 0600000000 120001 120000", b, sizeof b);
    (void)state;
    assert_int_equal(profile_entries_parse((struct bytes){b, n}, &p), COSEM_SUCCESS);
    assert_int_equal(p.from, 1);
    assert_int_equal(p.to, 0);
    assert_int_equal(p.from_column, 1);
    n = hex_octets("0204 0600000000 0600000000 120001 120000", b, sizeof b);
    assert_int_equal(profile_entries_parse((struct bytes){b, n}, &p), COSEM_OTHER_REASON);
    n = hex_octets("0204 0600000005 0600000004 120001 120000", b, sizeof b);
    assert_int_equal(profile_entries_parse((struct bytes){b, n}, &p), COSEM_OTHER_REASON);
    n = hex_octets("0204 0600000005 0600000004 120001", b, sizeof b);
    assert_int_equal(profile_entries_parse((struct bytes){b, n}, &p), COSEM_TYPE_UNMATCHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_resolves_instances_of_ranges),
        cmocka_unit_test(next_walks_what_find_finds),
        cmocka_unit_test(present_hides_instances),
        cmocka_unit_test(obis_is_parsed_and_printed),
        cmocka_unit_test(units_have_the_names_other_programs_expect),
        cmocka_unit_test(results_map_from_errors),
        cmocka_unit_test(profile_range_survives_a_round_trip),
        cmocka_unit_test(profile_entries_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
