/* The value store and the rules of its classes: scripts of writes, methods and reads in
 * tests/vectors/cosem/rules_*.vec run over the device of all_classes.h; and what a script cannot
 * say. The binding is called as the server calls it, behind the check of the descriptor. */
#include "lib/cosem/values.h"

#include "lib/cosem/disconnect.h"
#include "lib/dlms/axdr_text.h"
#include "tests/lib/cosem/all_classes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static struct all_classes all;

static struct cosem_call call_of(void)
{
    return (struct cosem_call){.context = &all, .role = COSEM_MANAGER, .device = &all.device};
}

static struct cosem_ref object_of(unsigned class_id, unsigned version)
{
    struct cosem_ref o;
    uint32_t at = 0;
    while (cosem_next(&all.device, &at, &o)) {
        if (o.row->kind->class_id == class_id && o.row->kind->version == version)
            return o;
    }
    fail_msg("no object of class %u version %u", class_id, version);
    return o;
}

static const struct cosem_class *class_of(const struct cosem_ref *o)
{
    return cosem_class_find(o->row->kind->class_id, o->row->kind->version);
}

static enum cosem_result set_value(const struct cosem_ref *o, unsigned id, struct bytes value)
{
    struct cosem_call call = call_of();
    enum cosem_result result = cosem_check_value(&class_of(o)->attrs[id - 1], value);
    struct rd r = rd_of(value.p, value.len);
    return result ? result : o->row->kind->binding->set(&call, o, (uint8_t)id, &r);
}

static enum cosem_result invoke(const struct cosem_ref *o, unsigned id, struct bytes param)
{
    uint8_t room[16];
    struct wr reply = wr_of(room, sizeof room);
    struct cosem_call call = call_of();
    enum cosem_result result = cosem_check_param(&class_of(o)->methods[id - 1], param);
    struct rd r = rd_of(param.p, param.len);
    return result ? result : o->row->kind->binding->invoke(&call, o, (uint8_t)id, &r, &reply);
}

static enum cosem_result get_value(const struct cosem_ref *o, unsigned id, struct wr *w)
{
    struct cosem_call call = call_of();
    struct cosem_gen g = {.item = 0};
    const struct cosem_select all_of_it = {.selector = 0};
    enum cosem_result result;
    do {
        g.more = false;
        result = o->row->kind->binding->get(&call, o, (uint8_t)id, &all_of_it, &g, w);
        g.item++;
    } while (result == COSEM_SUCCESS && g.more);
    return result;
}

/* The attribute as text, or "!" and why it cannot be read. */
static void value_text(const struct cosem_ref *o, unsigned id, char out[1024])
{
    uint8_t room[1024];
    struct wr w = wr_of(room, sizeof room), text = wr_of(out, 1023);
    enum cosem_result result = get_value(o, id, &w);
    struct rd r = rd_of(room, w.len);
    if (result) {
        snprintf(out, 1024, "!%s", cosem_result_text(result));
        return;
    }
    axdr_text(&r, &text);
    assert_int_equal(text.err, ERR_OK);
    out[text.len] = 0;
}

/* A line with an octet string or none, and what it must give. */
static bool run_write(const struct cosem_ref *o, const char *verb, char *rest)
{
    uint8_t octets[512];
    unsigned id;
    int used = 0;
    char *want = strstr(rest, " = ");
    assert_non_null(want);
    *want = 0;
    assert_int_equal(sscanf(rest, "%u %n", &id, &used), 1);
    size_t n = rest[used] == '-' ? 0 : hex_octets(rest + used, octets, sizeof octets);
    struct bytes b = {octets, n};
    enum cosem_result got = verb[0] == 's' ? set_value(o, id, b) : invoke(o, id, b);
    return strcmp(cosem_result_text(got), want + 3) == 0;
}

static bool run_read(const struct cosem_ref *o, const char *rest)
{
    char text[1024];
    unsigned id;
    int used = 0;
    assert_int_equal(sscanf(rest, "%u = %n", &id, &used), 1);
    value_text(o, id, text);
    return strcmp(text, rest + used) == 0;
}

static bool run_number(unsigned got, const char *rest)
{
    unsigned want;
    return sscanf(rest, "%u", &want) == 1 && got == want;
}

/* False: something else came out than the line says. */
static bool run_line(char *s, struct cosem_ref *o)
{
    char verb[8] = "";
    unsigned id, version;
    int used = 0;
    assert_true(sscanf(s, "%7s %n", verb, &used) == 1);
    char *rest = s + used;
    if (strcmp(verb, "new") == 0)
        return all_classes_init(&all);
    if (strcmp(verb, "set") == 0 || strcmp(verb, "do") == 0)
        return run_write(o, verb, rest);
    if (strcmp(verb, "read") == 0)
        return run_read(o, rest);
    if (strcmp(verb, "acts") == 0)
        return run_number(all.n_act, rest);
    if (strcmp(verb, "keep") == 0)
        return run_number((unsigned)all.last_n, rest);
    if (strcmp(verb, "fail") == 0) {
        all.keep = strcmp(rest, "io") == 0 ? ERR_IO : ERR_OK;
        return true;
    }
    assert_string_equal(verb, "class");
    assert_int_equal(sscanf(rest, "%u %u", &id, &version), 2);
    *o = object_of(id, version);
    return true;
}

static void run_file(const char *stem)
{
    char path[512], s[2048];
    struct cosem_ref o;
    unsigned n = 0;
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/cosem/rules_%s.vec", stem);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(s, sizeof s, f)) {
        s[strcspn(s, "\n")] = 0;
        n++;
        if (s[0] == '#' || s[0] == 0)
            continue;
        if (!run_line(s, &o))
            fail_msg("rules_%s.vec, line %u", stem, n);
    }
    fclose(f);
}

static void tariff_rules_hold(void **state)
{
    (void)state;
    run_file("tariff");
}
static void calendar_rules_hold(void **state)
{
    (void)state;
    run_file("calendar");
}
static void network_rules_hold(void **state)
{
    (void)state;
    run_file("network");
}
static void control_rules_hold(void **state)
{
    (void)state;
    run_file("control");
}
static void compact_rules_hold(void **state)
{
    (void)state;
    run_file("compact");
}

/* The table of the Blue Book written out another way: mode by mode, the letters it has. */
static void disconnect_follows_the_table(void **state)
{
    static const char *const letters[DISCONNECT_MODES] = {"",      "bcfgde",  "bcfgae", "bcgde",
                                                          "bcgae", "bcfgdeh", "bcgdeh", "bcgaieh"};
    static const struct {
        char letter;
        enum disconnect_event event;
        uint8_t from, to;
    } moves[] = {
        {'a', DISCONNECT_REMOTE_ON, 0, 1},  {'b', DISCONNECT_REMOTE_OFF, 1, 0},
        {'c', DISCONNECT_REMOTE_OFF, 2, 0}, {'d', DISCONNECT_REMOTE_ON, 0, 2},
        {'e', DISCONNECT_MANUAL_ON, 2, 1},  {'f', DISCONNECT_MANUAL_OFF, 1, 2},
        {'g', DISCONNECT_LOCAL_OFF, 1, 2},  {'h', DISCONNECT_LOCAL_ON, 2, 1},
        {'i', DISCONNECT_REMOTE_ON, 2, 1},
    };
    (void)state;
    for (uint8_t mode = 0; mode < 255; mode++) {
        for (uint8_t from = 0; from < 4; from++) {
            for (int e = DISCONNECT_REMOTE_OFF; e <= DISCONNECT_LOCAL_ON; e++) {
                uint8_t want = from;
                for (size_t i = 0; i < sizeof moves / sizeof moves[0] && mode < 8; i++) {
                    if ((int)moves[i].event == e && moves[i].from == from &&
                        strchr(letters[mode], moves[i].letter))
                        want = moves[i].to;
                }
                assert_int_equal(disconnect_next(mode, from, (enum disconnect_event)e), want);
            }
        }
    }
}

static void disconnect_takes_local_commands(void **state)
{
    struct cosem_ref o;
    char text[1024];
    const uint8_t mode_6[] = {AXDR_ENUM, 6};
    (void)state;
    assert_true(all_classes_init(&all));
    o = object_of(70, 0);
    assert_int_equal(set_value(&o, 4, (struct bytes){mode_6, 2}), COSEM_SUCCESS);
    assert_int_equal(values_disconnect(&all.values, o.ln, DISCONNECT_LOCAL_OFF), COSEM_SUCCESS);
    value_text(&o, 3, text);
    assert_string_equal(text, "enum 2");
    assert_int_equal(values_disconnect(&all.values, o.ln, DISCONNECT_MANUAL_ON), COSEM_SUCCESS);
    value_text(&o, 3, text);
    assert_string_equal(text, "enum 1");
    assert_int_equal(values_disconnect(&all.values, object_of(71, 0).ln, DISCONNECT_LOCAL_ON),
                     COSEM_OBJECT_UNAVAILABLE);
}

static void monitor_notes_listed_parameters(void **state)
{
    struct apdu_attr zone = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .id = 3};
    const uint8_t value[] = {AXDR_I16, 0xFF, 0x88};
    const uint8_t now[12] = {0x07, 0xEA, 11, 21, 6, 10, 0, 0, 0, 0xFF, 0xC4, 0};
    char text[1024];
    (void)state;
    assert_true(all_classes_init(&all));
    struct cosem_ref o = object_of(65, 0);
    zone.id = 5;
    assert_int_equal(values_note_parameter(&all.values, o.ln, &zone, (struct bytes){value, 3}, now),
                     COSEM_SUCCESS);
    assert_int_equal(all.n_keep, 0);
    zone.id = 3;
    assert_int_equal(values_note_parameter(&all.values, o.ln, &zone, (struct bytes){value, 3}, now),
                     COSEM_SUCCESS);
    assert_int_equal(all.last_n, 2);
    value_text(&o, 2, text);
    assert_string_equal(text, "{u16 8, os 0000010000FF, i8 3, i16 -120}");
    value_text(&o, 3, text);
    assert_string_equal(text, "os 07EA0B15060A000000FFC400");
}

/* ---- the store itself ---- */

static const uint8_t ln_a[6] = {0, 0, 96, 1, 0, 255}, ln_b[6] = {0, 0, 25, 0, 0, 255};
static const struct values_slot two_slots[] = {
    {.class_id = 1, .ln = {0, 0, 96, 1, 0, 255}, .attr = 2, .max = 2000, VALUES_INITIAL(0x11, 7)},
    {.class_id = 41, .ln = {0, 0, 25, 0, 0, 255}, .attr = 2, .max = 3, VALUES_INITIAL(0x12, 0, 1)},
};
static uint8_t memory[2 + 2000 + 2 + 3 + 2000 + 4];

static struct values two_values(void)
{
    return (struct values){
        .slots = two_slots, .n_slots = 2, .arena = memory, .arena_size = sizeof memory};
}

static void values_begin_as_the_table_says(void **state)
{
    struct values v = two_values();
    (void)state;
    assert_int_equal(values_need(two_slots, 2), sizeof memory);
    assert_int_equal(values_init(&v), ERR_OK);
    assert_int_equal(values_find(&v, 41, ln_b, 2), 1);
    assert_int_equal(values_find(&v, 41, ln_a, 2), -1);
    assert_int_equal(values_find(&v, 41, ln_b, 3), -1);
    assert_memory_equal(values_get(&v, 1).p, two_slots[1].initial, 3);
    assert_int_equal(values_get(&v, -1).len, 0);
    v.arena_size--;
    assert_int_equal(values_init(&v), ERR_FULL);
}

static void values_refuse_tables_that_cannot_be(void **state)
{
    struct values_slot s = two_slots[1];
    struct values v = two_values();
    (void)state;
    v.slots = &s;
    v.n_slots = 1;
    s.max = 2;
    assert_int_equal(values_init(&v), ERR_FULL);
    s.max = 3;
    s.attr = 7;
    assert_int_equal(values_init(&v), ERR_NOT_FOUND);
    s.attr = 3;
    assert_int_equal(values_init(&v), ERR_TYPE);
    s = two_slots[1];
    s.class_id = 2;
    assert_int_equal(values_init(&v), ERR_NOT_FOUND);
}

static void values_load_checks_what_was_kept(void **state)
{
    struct values v = two_values();
    const uint8_t good[] = {AXDR_U16, 0x10, 0x00}, bad[] = {AXDR_U8, 1};
    (void)state;
    assert_int_equal(values_init(&v), ERR_OK);
    assert_int_equal(values_load(&v, 1, (struct bytes){good, 3}), ERR_OK);
    assert_int_equal(values_load(&v, 1, (struct bytes){bad, 2}), ERR_TYPE);
    assert_int_equal(values_load(&v, 1, (struct bytes){good, 2}), ERR_TYPE);
    assert_int_equal(values_load(&v, 2, (struct bytes){good, 3}), ERR_NOT_FOUND);
    assert_memory_equal(values_get(&v, 1).p, good, 3);
}

/* One bad value of several and none is written. */
static void values_put_is_all_or_nothing(void **state)
{
    struct values v = two_values();
    const uint8_t a[] = {AXDR_U8, 9}, b[] = {AXDR_U16, 0x20, 0x00}, bad[] = {AXDR_U32, 0, 0, 0, 1};
    struct values_change changes[VALUES_CHANGES_MAX + 1] = {{0, {a, 2}}, {1, {bad, 5}}};
    (void)state;
    assert_int_equal(values_init(&v), ERR_OK);
    assert_int_equal(values_put(&v, changes, 2),
                     COSEM_TEMPORARY_FAILURE); /* longer than the slot */
    assert_int_equal(values_get(&v, 0).p[1], 7);
    changes[1].value = (struct bytes){a, 2};
    assert_int_equal(values_put(&v, changes, 2), COSEM_TYPE_UNMATCHED);
    assert_int_equal(values_get(&v, 0).p[1], 7);
    changes[1].value = (struct bytes){b, 3};
    assert_int_equal(values_put(&v, changes, VALUES_CHANGES_MAX + 1), COSEM_OTHER_REASON);
    assert_int_equal(values_put(&v, changes, 2), COSEM_SUCCESS);
    assert_int_equal(values_get(&v, 0).p[1], 9);
    assert_memory_equal(values_get(&v, 1).p, b, 3);
}

/* A value longer than an item goes in parts; one that changes on the way ends the read. */
/* Whoever may write can choose a short value with the digest of a long one. */
static void values_end_a_read_beyond_what_is_there(void **state)
{
    static const uint8_t brief[] = {AXDR_OCTETS, 2, 0x12, 0x34};
    struct values v = two_values();
    struct cosem_device device = {.values = &v};
    struct cosem_call call = {.device = &device};
    const struct cosem_row row = {.ln = {0, 0, 96, 1, 0, 255}, .kind = COSEM_KIND(.class_id = 1)};
    struct cosem_ref o = {.row = &row, .ln = {0, 0, 96, 1, 0, 255}};
    uint8_t room[COSEM_ITEM_MAX];
    struct wr w = wr_of(room, sizeof room);
    uint32_t digest = UINT32_C(2166136261);
    (void)state;
    for (size_t i = 0; i < sizeof brief; i++)
        digest = (digest ^ brief[i]) * UINT32_C(16777619);
    assert_int_equal(values_init(&v), ERR_OK);
    assert_int_equal(values_load(&v, 0, (struct bytes){brief, sizeof brief}), ERR_OK);
    struct cosem_gen g = {.item = 2, .word = {COSEM_ITEM_MAX, digest}};
    assert_int_equal(values_binding.get(&call, &o, 2, NULL, &g, &w), COSEM_LONG_GET_ABORTED);
    assert_int_equal(w.len, 0);
}

static void values_are_read_in_parts(void **state)
{
    static uint8_t value[1500], room[1500];
    struct values v = two_values();
    struct cosem_device device = {.values = &v};
    struct cosem_call call = {.device = &device};
    const struct cosem_row row = {.ln = {0, 0, 96, 1, 0, 255}, .kind = COSEM_KIND(.class_id = 1)};
    struct cosem_ref o = {.row = &row, .ln = {0, 0, 96, 1, 0, 255}};
    struct wr w = wr_of(value, sizeof value);
    (void)state;
    wr_u8(&w, AXDR_OCTETS);
    wr_length(&w, sizeof value - 4);
    memset(value + w.len, 0xA5, sizeof value - w.len);
    for (unsigned change = 0; change < 2; change++) {
        struct cosem_gen g = {.item = 0};
        assert_int_equal(values_init(&v), ERR_OK);
        assert_int_equal(values_load(&v, 0, (struct bytes){value, sizeof value}), ERR_OK);
        w = wr_of(room, COSEM_ITEM_MAX);
        assert_int_equal(values_binding.get(&call, &o, 2, NULL, &g, &w), COSEM_SUCCESS);
        assert_true(g.more && w.len == COSEM_ITEM_MAX);
        memory[2 + 1000] ^= (uint8_t)change;
        for (size_t at = w.len; g.more; at += w.len) {
            g.item++;
            w = wr_of(room + at, COSEM_ITEM_MAX);
            enum cosem_result result = values_binding.get(&call, &o, 2, NULL, &g, &w);
            assert_int_equal(result, change ? COSEM_LONG_GET_ABORTED : COSEM_SUCCESS);
            if (result)
                break;
        }
    }
    assert_memory_equal(room, value, COSEM_ITEM_MAX);
}

/* Rows without a store, attributes without a slot, methods without a hook. */
static void values_without_support_are_refused(void **state)
{
    struct values v = two_values();
    struct cosem_device device = {.values = NULL};
    struct cosem_call call = {.device = &device};
    const struct cosem_row row = {.ln = {0, 0, 25, 0, 0, 255}, .kind = COSEM_KIND(.class_id = 41)};
    struct cosem_ref o = {.row = &row, .ln = {0, 0, 25, 0, 0, 255}};
    struct cosem_gen g = {.item = 0};
    uint8_t room[16], port[] = {AXDR_U16, 1, 2};
    struct wr w = wr_of(room, sizeof room);
    struct rd r = rd_of(port, sizeof port);
    (void)state;
    assert_int_equal(values_init(&v), ERR_OK);
    assert_int_equal(values_binding.get(&call, &o, 2, NULL, &g, &w), COSEM_OBJECT_UNAVAILABLE);
    assert_int_equal(values_binding.set(&call, &o, 2, &r), COSEM_READ_WRITE_DENIED);
    assert_int_equal(values_binding.invoke(&call, &o, 1, &r, &w), COSEM_OBJECT_UNAVAILABLE);
    device.values = &v;
    assert_int_equal(values_binding.get(&call, &o, 3, NULL, &g, &w), COSEM_OBJECT_UNAVAILABLE);
    assert_int_equal(values_binding.set(&call, &o, 3, &r), COSEM_READ_WRITE_DENIED);
    assert_int_equal(values_binding.invoke(&call, &o, 1, &r, &w), COSEM_READ_WRITE_DENIED);
    const struct cosem_select range = {.selector = 1};
    assert_int_equal(values_binding.get(&call, &o, 2, &range, &g, &w),
                     COSEM_SCOPE_OF_ACCESS_VIOLATED);
}

static const struct cosem_rights everybody = {.read = {0xFFFF, 0xFFFF, 0xFFFF}};
static const struct cosem_rights manager = {.read = {0, 0, 0xFFFF}};
static const struct cosem_row compact_rows[] = {
    {.ln = {0, 0, 96, 1, 0, 255},
     .kind = COSEM_KIND(.class_id = 1, .rights = &manager, .binding = &values_binding)},
    {.ln = {0, 0, 66, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 62, .rights = &everybody, .binding = &values_binding)}};
#define COMPACT_SLOT(id, size, ...)                                                                \
    {                                                                                              \
        .class_id = 62, .ln = {0, 0, 66, 0, 0, 255}, .attr = id, .max = size,                      \
        VALUES_INITIAL(__VA_ARGS__)                                                                \
    }
static const struct values_slot compact_slots[] = {
    {.class_id = 1, .ln = {0, 0, 96, 1, 0, 255}, .attr = 2, .max = 2, VALUES_INITIAL(0x11, 7)},
    COMPACT_SLOT(2, 20, 9, 0),
    COMPACT_SLOT(3, 20, 1, 1, 2, 4, 0x12, 0, 1, 9, 6, 0, 0, 96, 1, 0, 255, 0x0F, 2, 0x12, 0, 0),
    COMPACT_SLOT(4, 2, 0x11, 5),
    COMPACT_SLOT(6, 2, 0x16, 1)};

/* Compact data gives nobody what the captured object itself would not. */
static void compact_data_keeps_the_rights_of_its_objects(void **state)
{
    const struct cosem_select whole = {.selector = 0};
    uint8_t room[64];
    struct values v = {
        .slots = compact_slots, .n_slots = 5, .arena = memory, .arena_size = sizeof memory};
    struct cosem_device device = {.rows = compact_rows, .n_rows = 2, .values = &v};
    struct cosem_ref o = {.row = &compact_rows[1], .ln = {0, 0, 66, 0, 0, 255}};
    (void)state;
    assert_int_equal(values_init(&v), ERR_OK);
    for (int role = COSEM_PUBLIC; role < COSEM_N_ROLES; role++) {
        struct cosem_call call = {.role = (enum cosem_role)role, .device = &device};
        struct cosem_gen g = {.item = 0};
        struct wr w = wr_of(room, sizeof room);
        assert_int_equal(values_binding.get(&call, &o, 2, &whole, &g, &w),
                         role == COSEM_MANAGER ? COSEM_SUCCESS : COSEM_READ_WRITE_DENIED);
        assert_int_equal(w.len, role == COSEM_MANAGER ? 4 : 0);
    }
    assert_memory_equal(room, "\x09\x02\x05\x07", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tariff_rules_hold),
        cmocka_unit_test(calendar_rules_hold),
        cmocka_unit_test(network_rules_hold),
        cmocka_unit_test(control_rules_hold),
        cmocka_unit_test(compact_rules_hold),
        cmocka_unit_test(disconnect_follows_the_table),
        cmocka_unit_test(disconnect_takes_local_commands),
        cmocka_unit_test(monitor_notes_listed_parameters),
        cmocka_unit_test(values_begin_as_the_table_says),
        cmocka_unit_test(values_refuse_tables_that_cannot_be),
        cmocka_unit_test(values_load_checks_what_was_kept),
        cmocka_unit_test(values_put_is_all_or_nothing),
        cmocka_unit_test(values_are_read_in_parts),
        cmocka_unit_test(values_end_a_read_beyond_what_is_there),
        cmocka_unit_test(values_without_support_are_refused),
        cmocka_unit_test(compact_data_keeps_the_rights_of_its_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
