/* Class descriptors against their vector files, one file a class in tests/vectors/cosem with a part
 * for each version: every value passes the check of its attribute, prints as the file says and is
 * as long as its octets; one of another type and one outside the limits are told apart. Every
 * attribute of every version of every class must have a vector. */
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
    "ic0006_register_activation",
    "ic0007_profile_generic",
    "ic0008_clock",
    "ic0009_script_table",
    "ic0010_schedule",
    "ic0011_special_days",
    "ic0012_association_sn",
    "ic0015_association",
    "ic0017_sap_assignment",
    "ic0019_local_port",
    "ic0020_activity_calendar",
    "ic0021_register_monitor",
    "ic0022_single_action_schedule",
    "ic0023_hdlc_setup",
    "ic0027_modem_configuration",
    "ic0028_auto_answer",
    "ic0029_auto_connect",
    "ic0040_push_setup",
    "ic0041_tcp_udp_setup",
    "ic0042_ipv4_setup",
    "ic0043_mac_address",
    "ic0044_ppp_setup",
    "ic0045_gprs_modem",
    "ic0046_smtp_setup",
    "ic0047_gsm_diagnostic",
    "ic0048_ipv6_setup",
    "ic0061_register_table",
    "ic0062_compact_data",
    "ic0063_status_mapping",
    "ic0064_security_setup",
    "ic0065_parameter_monitor",
    "ic0068_arbitrator",
    "ic0070_disconnect_control",
    "ic0071_limiter",
    "ic0072_mbus_client",
    "ic0074_mbus_master_port",
    "ic0077_mbus_diagnostic",
};

struct line {
    enum cosem_result want;
    bool is_method;
    unsigned id;
    uint8_t octets[512];
    size_t len;
    char text[512];
};

/* "[bad |out ]attr|method N HEX [= TEXT]"; hex may hold spaces. */
static void parse(char *s, struct line *l)
{
    char *equals = strchr(s, '=');
    int used = 0;
    char word[8];
    bool bad = strncmp(s, "bad ", 4) == 0, out = strncmp(s, "out ", 4) == 0;
    l->want = bad ? COSEM_TYPE_UNMATCHED : out ? COSEM_OTHER_REASON : COSEM_SUCCESS;
    s += bad || out ? 4 : 0;
    assert_int_equal(sscanf(s, "%7s %u %n", word, &l->id, &used), 2);
    l->is_method = strcmp(word, "method") == 0;
    assert_true(l->is_method || strcmp(word, "attr") == 0);
    assert_int_equal(bad || out, equals == NULL);
    snprintf(l->text, sizeof l->text, "%s", equals ? equals + 2 : "");
    if (equals)
        *equals = 0;
    l->len = hex_octets(s + used, l->octets, sizeof l->octets);
}

static enum cosem_result result_of(const struct cosem_class *ic, const struct line *l, size_t len)
{
    struct bytes value = {l->octets, len};
    return l->is_method ? cosem_check_param(&ic->methods[l->id - 1], value)
                        : cosem_check_value(&ic->attrs[l->id - 1], value);
}

static bool check(const struct cosem_class *ic, const struct line *l)
{
    char got[512];
    assert_true(l->id >= 1 && l->id <= (l->is_method ? ic->n_methods : ic->n_attrs));
    if (result_of(ic, l, l->len) != l->want)
        return false;
    if (l->want)
        return true;
    struct rd r = rd_of(l->octets, l->len);
    struct wr w = wr_of(got, sizeof got - 1);
    axdr_text(&r, &w);
    assert_int_equal(w.err, ERR_OK);
    got[w.len] = 0;
    assert_string_equal(got, l->text);
    /* one octet less is no value; of a parameter that may be left out, nothing is one */
    return r.pos == l->len && (l->len == 1 || result_of(ic, l, l->len - 1) != COSEM_SUCCESS);
}

static void check_seen(const struct cosem_class *ic, unsigned seen)
{
    for (unsigned id = 1; ic && id <= ic->n_attrs; id++) /* the secret of class 15 is never told */
        assert_true(seen >> id & 1u || (ic->id == 15 && id == 7));
}

/* Gives the number of classes in the file. */
static size_t run_file(const char *name)
{
    char path[512], s[2048];
    const struct cosem_class *ic = NULL;
    unsigned seen = 0, id, version;
    size_t n = 0;
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/cosem/%s.vec", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(s, sizeof s, f)) {
        struct line l;
        s[strcspn(s, "\n")] = 0;
        if (s[0] == '#' || s[0] == 0)
            continue;
        if (sscanf(s, "class %u %u", &id, &version) == 2) {
            check_seen(ic, seen);
            ic = cosem_class_find((uint16_t)id, (uint8_t)version);
            assert_non_null(ic);
            n++;
            seen = 0;
            continue;
        }
        assert_non_null(ic);
        parse(s, &l);
        if (!check(ic, &l))
            fail_msg("%s: %s", name, s);
        if (!l.is_method && !l.want)
            seen |= 1u << l.id;
    }
    fclose(f);
    assert_non_null(ic);
    check_seen(ic, seen);
    return n;
}

static void class_vectors_pass(void **state)
{
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        n += run_file(files[i]);
    assert_null(cosem_class_at(n)); /* every version of every class is in a file */
    assert_non_null(cosem_class_at(n - 1));
}

/* A limit stands at a place of the type that has something to limit. */
static void check_limits(struct axdr_type type, const struct cosem_limit *limits, uint8_t n)
{
    for (uint8_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < limits[i].at)
            at += type.code[at] == AXDR_STRUCT ? 2 : 1;
        assert_int_equal(at, limits[i].at);
        assert_true(at < type.len && limits[i].min <= limits[i].max);
        assert_int_not_equal(type.code[at], AXDR_STRUCT);
        assert_true(type.code[at] < AXDR_ANY || type.code[at] == AXDR_INTEGER);
    }
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
        for (size_t i = 0; i < ic->n_attrs; i++) {
            struct axdr_type type = cosem_attr_type(&ic->attrs[i]);
            assert_true(ic->attrs[i].name && type.len > 0);
            assert_int_equal(axdr_type_end(type, 0), type.len);
            check_limits(type, ic->attrs[i].limits, ic->attrs[i].n_limits);
        }
        for (size_t i = 0; i < ic->n_methods; i++) {
            struct axdr_type type = ic->methods[i].param;
            assert_true(ic->methods[i].name && axdr_type_end(type, 0) == type.len);
            check_limits(type, ic->methods[i].limits, ic->methods[i].n_limits);
        }
    }
    assert_int_equal(n, cosem_n_classes);
    assert_null(cosem_class_find(7, 0));
    assert_null(cosem_class_find(2, 0));
    assert_null(cosem_class_find(UINT16_MAX, UINT8_MAX));
}

static void class_near_finds_another_edition(void **state)
{
    (void)state;
    assert_int_equal(cosem_class_near(15, 9)->version, 3);
    assert_int_equal(cosem_class_near(7, 0)->version, 1);
    assert_int_equal(cosem_class_near(28, 1)->version, 0);
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
