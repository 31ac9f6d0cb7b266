/* Class descriptors against their vector files, one file a class in tests/vectors/cosem: every
 * value passes the type check of its attribute, prints as the file says and is as long as its
 * octets; every bad one fails. Every attribute of every class must have a vector. */
#include "lib/cosem/model.h"
#include "lib/dlms/axdr_text.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static const char *const files[] = {
    "ic0001_data",
    "ic0003_register",
    "ic0004_extended_register",
    "ic0005_demand_register",
    "ic0007_profile_generic",
    "ic0008_clock",
    "ic0015_association",
    "ic0017_sap_assignment",
    "ic0064_security_setup",
};

struct line {
    bool bad, is_method;
    unsigned id;
    uint8_t octets[512];
    size_t len;
    char text[512];
};

/* "[bad ]attr|method N HEX [= TEXT]"; hex may hold spaces. */
static void parse(char *s, struct line *l)
{
    char *equals = strchr(s, '=');
    int used = 0;
    char word[8];
    l->bad = strncmp(s, "bad ", 4) == 0;
    s += l->bad ? 4 : 0;
    assert_int_equal(sscanf(s, "%7s %u %n", word, &l->id, &used), 2);
    l->is_method = strcmp(word, "method") == 0;
    assert_true(l->is_method || strcmp(word, "attr") == 0);
    assert_int_equal(l->bad, equals == NULL);
    snprintf(l->text, sizeof l->text, "%s", equals ? equals + 2 : "");
    if (equals)
        *equals = 0;
    l->len = hex_octets(s + used, l->octets, sizeof l->octets);
}

static void check(const struct cosem_class *ic, const struct line *l)
{
    char got[512];
    assert_true(l->id >= 1 && l->id <= (l->is_method ? ic->n_methods : ic->n_attrs));
    struct axdr_type type = l->is_method ? ic->methods[l->id - 1].param : ic->attrs[l->id - 1].type;
    struct rd r = rd_of(l->octets, l->len);
    axdr_check(&r, type);
    if (l->bad) {
        assert_int_equal(r.err, ERR_TYPE);
        return;
    }
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.pos, l->len);
    r = rd_of(l->octets, l->len);
    struct wr w = wr_of(got, sizeof got - 1);
    axdr_text(&r, &w);
    assert_int_equal(w.err, ERR_OK);
    got[w.len] = 0;
    assert_string_equal(got, l->text);
}

static void run_file(const char *name)
{
    char path[512], s[2048];
    const struct cosem_class *ic = NULL;
    unsigned seen = 0;
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/cosem/%s.vec", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(s, sizeof s, f)) {
        unsigned id, version;
        struct line l;
        s[strcspn(s, "\n")] = 0;
        if (s[0] == '#' || s[0] == 0)
            continue;
        if (sscanf(s, "class %u %u", &id, &version) == 2) {
            ic = cosem_class_find((uint16_t)id, (uint8_t)version);
            assert_non_null(ic);
            continue;
        }
        assert_non_null(ic);
        parse(s, &l);
        check(ic, &l);
        if (!l.is_method && !l.bad)
            seen |= 1u << l.id;
    }
    fclose(f);
    assert_non_null(ic);
    for (unsigned id = 1; id <= ic->n_attrs; id++) /* the secret of class 15 is never told */
        assert_true(seen >> id & 1u || (ic->id == 15 && id == 7));
}

static void class_vectors_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        run_file(files[i]);
}

static void class_list_is_sorted_and_whole(void **state)
{
    const struct cosem_class *before = NULL, *ic;
    size_t n = 0;
    (void)state;
    for (; (ic = cosem_class_at(n)) != NULL; n++, before = ic) {
        assert_true(!before || before->id < ic->id ||
                    (before->id == ic->id && before->version < ic->version));
        assert_ptr_equal(cosem_class_find(ic->id, ic->version), ic);
        assert_string_equal(ic->attrs[0].name, "logical_name");
        for (size_t i = 0; i < ic->n_attrs; i++)
            assert_true(ic->attrs[i].name && ic->attrs[i].type.len > 0);
    }
    assert_int_equal(n, sizeof files / sizeof files[0]); /* a vector file for each */
    assert_null(cosem_class_find(7, 0));
    assert_null(cosem_class_find(2, 0));
}

static void class_near_finds_another_edition(void **state)
{
    (void)state;
    assert_int_equal(cosem_class_near(15, 3)->version, 1);
    assert_int_equal(cosem_class_near(15, 0)->version, 1);
    assert_int_equal(cosem_class_near(3, 0)->id, 3);
    assert_null(cosem_class_near(2, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_vectors_pass),
        cmocka_unit_test(class_list_is_sorted_and_whole),
        cmocka_unit_test(class_near_finds_another_edition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
