/* Every capture in shared/vectors/dlms decodes to what its case.json, its source's decoded XML or
 * its source's own assertions expect, read at run time. Cases without any expectation must at least
 * decode without a complaint. What a capture cannot give is said in `limits`, and why. */
#include "tests/cli/decoder.h"

#include "lib/base/hex.h"
#include "lib/dlms/datetime.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DIR_NAME "vectors/dlms"

/* ---- what some captures cannot give ---- */

static const struct limit {
    const char *id;
    bool bad, insecure;
    size_t entries;   /* how many come; the last one is compared */
    const char *says; /* part of the first error */
} limits[] = {
    /* the meter's first push broke off after its second block, the next one is whole */
    {"ch_lg_e450_unencrypted_valid_data", true, false, 2, "a new transfer began"},
    /* block 3 comes behind the last one, from another push: nothing whole is in it */
    {"ch_lg_e450_unencrypted_invalid_data", true, false, 1, "blocks 1 to 3 came"},
    /* the source edited the octets: FCS wrong, "06 09" for "09 06" at the eighth element */
    {"hdlc_landis_gyr_zmf100", true, false, 1, "octet 166"},
    /* no key was published */
    {"ch_lg_e450_encrypted_data_no_pushlist", false, true, 1, "no key"},
    {"mbus_kmswest", false, true, 1, "no key"},
};

static const struct limit *limit_of(const char *id)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strcmp(limits[i].id, id) == 0)
            return &limits[i];
    return NULL;
}

/* ---- a case ---- */

struct capture {
    char id[128];
    json_t *json;
    struct decoded got;
    size_t at; /* the entry to compare */
};

static void take_key(const json_t *keys, const char *name, uint8_t to[16], bool *has)
{
    const char *hex = json_string_value(json_object_get(keys, name));
    *has = hex != NULL && strlen(hex) == 32 && hex_decode(hex, to, 16);
}

static struct decode_keys keys_of(const json_t *json)
{
    struct decode_keys k = {.has_dedicated = false};
    const json_t *keys = json_object_get(json, "keys");
    take_key(keys, "guek", k.keys.guek, &k.keys.has_guek);
    take_key(keys, "gak", k.keys.gak, &k.keys.has_gak);
    return k;
}

static struct decoded decode_frames(const json_t *json)
{
    size_t i, len = 1;
    json_t *frame;
    const json_t *frames = json_object_get(json, "frames");
    json_array_foreach(frames, i, frame) len += json_string_length(frame) + 1;
    char *text = calloc(1, len);
    assert_non_null(text);
    json_array_foreach(frames, i, frame)
    {
        strcat(text, json_string_value(frame));
        strcat(text, "\n");
    }
    const struct decode_keys keys = keys_of(json);
    const struct decoded d = decoder_text(text, &keys);
    free(text);
    return d;
}

static void check_outcome(struct capture *c)
{
    const struct limit *l = limit_of(c->id);
    const size_t n = json_array_size(c->got.entries);
    if (n != (l != NULL ? l->entries : 1))
        fail_msg("%s: %zu entries", c->id, n);
    const char *error = entry_text(&c->got, 0, "error");
    if (c->got.bad != (l != NULL && l->bad) || c->got.insecure != (l != NULL && l->insecure))
        fail_msg("%s: %s", c->id, error);
    if (l != NULL && strstr(error, l->says) == NULL)
        fail_msg("%s: says '%s'", c->id, error);
    c->at = n - 1;
}

/* ---- the collector's own decoding: {"date_time", "body"} ---- */

static bool same_leaf(const json_t *node, const json_t *want)
{
    const json_t *value = json_object_get(node, "value");
    const char *text = json_string_value(want);
    const char *hex = json_string_value(json_object_get(node, "hex"));
    const char *type = json_string_value(json_object_get(node, "type"));
    if (text != NULL && hex != NULL && strcmp(type, "octet-string") == 0)
        return text[0] == 'x' && strcasecmp(text + 1, hex) == 0;
    if (text != NULL)
        return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
    return json_equal(value, want) != 0;
}

static bool same_tree(const json_t *node, const json_t *want)
{
    const json_t *list = json_object_get(node, "value");
    if (!json_is_array(want))
        return same_leaf(node, want);
    if (!json_is_array(list) || json_array_size(list) != json_array_size(want))
        return false;
    for (size_t i = 0; i < json_array_size(want); i++)
        if (!same_tree(json_array_get(list, i), json_array_get(want, i)))
            return false;
    return true;
}

static void check_derived(const struct capture *c)
{
    const json_t *derived = json_object_get(c->json, "derived");
    const json_t *want = json_object_get(derived, "data_notification");
    const char *time = json_string_value(json_object_get(want, "date_time"));
    char text[DATETIME_TEXT] = "";
    uint8_t octets[DATETIME_LEN];
    struct datetime d;
    if (want == NULL)
        return;
    if (!same_tree(entry_field(&c->got, c->at, "tree"), json_object_get(want, "body")))
        fail_msg("%s: another body than derived", c->id);
    if (time != NULL && strlen(time) == 2 * DATETIME_LEN &&
        hex_decode(time, octets, DATETIME_LEN)) {
        assert_int_equal(datetime_decode(octets, &d), ERR_OK);
        datetime_text(&d, text);
    }
    assert_string_equal(entry_text(&c->got, c->at, "date_time"), text);
}

/* What was deciphered is what the published plain text says. */
static void check_plain(const struct capture *c)
{
    static const char *const keys[] = {"apdu", "date_time", "values", "tree", "error"};
    const char *plain =
        json_string_value(json_object_get(json_object_get(c->json, "derived"), "plain_apdu"));
    if (plain == NULL)
        return;
    struct decoded d = decoder_text(plain, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_equal(entry_field(&d, 0, keys[i]), entry_field(&c->got, c->at, keys[i])))
            fail_msg("%s: %s is not that of the plain text", c->id, keys[i]);
    json_decref(d.entries);
}

/* ---- the source's XML, leaf by leaf ---- */

static bool same_time(const char *ours, const char *xml)
{
    return strlen(ours) >= 19 && strlen(xml) >= 19 && strncmp(ours, xml, 10) == 0 &&
           strncmp(ours + 11, xml + 11, 8) == 0;
}

static bool same_dotted(const char *hex, const char *xml)
{
    char text[64] = "";
    uint8_t b[6];
    if (hex == NULL || strlen(hex) != 12 || !hex_decode(hex, b, 6))
        return false;
    snprintf(text, sizeof text, "%u.%u.%u.%u.%u.%u", b[0], b[1], b[2], b[3], b[4], b[5]);
    return strcmp(text, xml) == 0;
}

/* The XML cuts texts at their first zero and turns the sign of a deviation. */
static bool same_xml(const json_t *node, const char *xml)
{
    char text[64];
    const json_t *value = json_object_get(node, "value");
    if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        return strcmp(text, xml) == 0;
    }
    const char *ours = json_string_value(value);
    return ours != NULL && (strcmp(ours, xml) == 0 || same_time(ours, xml) ||
                            same_dotted(json_string_value(json_object_get(node, "hex")), xml));
}

/* The next leaf's value: what stands in Value="..."; false at the end. */
static bool next_xml(const char **at, char value[256])
{
    for (const char *p = strchr(*at, '<'); p != NULL; p = strchr(p + 1, '<')) {
        const char *end = strchr(p, '>');
        const char *v = strstr(p, " Value=\"");
        if (end == NULL)
            return false;
        if (strncmp(p, "<DateTime", 9) == 0 || v == NULL || v > end)
            continue;
        v += 8;
        const size_t n = strcspn(v, "\"");
        assert_true(n < 256);
        memcpy(value, v, n);
        value[n] = '\0';
        *at = end;
        return true;
    }
    return false;
}

static bool compare_xml(const json_t *node, const char **at, size_t *n);

static bool compare_descriptor(const json_t *d, const char **at, size_t *n)
{
    char value[256], want[256];
    for (int i = 0; i < 3; i++, (*n)++) {
        if (!next_xml(at, value))
            return false;
        if (i == 1) { /* "0-0:42.0.0.255" against "0.0.42.0.0.255" */
            snprintf(want, sizeof want, "%s", json_string_value(json_object_get(d, "obis")));
            want[strcspn(want, "-")] = '.';
            want[strcspn(want, ":")] = '.';
        } else {
            snprintf(want, sizeof want, i == 0 ? "%04X" : "%02X",
                     (unsigned)json_integer_value(json_object_get(d, i == 0 ? "class" : "id")));
        }
        if (strcmp(want, value) != 0)
            return false;
    }
    return true;
}

static bool compare_xml(const json_t *node, const char **at, size_t *n)
{
    char value[256];
    const json_t *list = json_object_get(node, "value");
    if (json_is_object(list))
        return compare_descriptor(list, at, n);
    if (json_is_array(list)) {
        for (size_t i = 0; i < json_array_size(list); i++)
            if (!compare_xml(json_array_get(list, i), at, n))
                return false;
        return true;
    }
    if (json_is_null(list))
        return true; /* no Value in the XML */
    (*n)++;
    return next_xml(at, value) && same_xml(node, value);
}

static void check_xml(const struct capture *c)
{
    char path[256], value[256];
    size_t n = 0;
    snprintf(path, sizeof path, DIR_NAME "/%s/original_decoded.xml", c->id);
    char *xml = shared_text(path);
    const char *body = xml != NULL ? strstr(xml, "<DateTime") : NULL;
    if (body == NULL) {
        free(xml);
        return;
    }
    const char *at = body;
    if (!compare_xml(entry_field(&c->got, c->at, "tree"), &at, &n))
        fail_msg("%s: leaf %zu differs from the source's XML", c->id, n);
    if (limit_of(c->id) == NULL && next_xml(&at, value))
        fail_msg("%s: the source's XML goes on with %s", c->id, value);
    assert_true(n > 10);
    free(xml);
}

/* ---- the source's assertions ---- */

static const struct {
    const char *type, *obis; /* "ACTIVE_POWER_P" and C.D.E.F */
} points[] = {
    {"ACTIVE_POWER_P", "1.7.0.255"},     {"ACTIVE_POWER_N", "2.7.0.255"},
    {"REACTIVE_POWER_P", "3.7.0.255"},   {"REACTIVE_POWER_N", "4.7.0.255"},
    {"ACTIVE_ENERGY_P", "1.8.0.255"},    {"ACTIVE_ENERGY_N", "2.8.0.255"},
    {"REACTIVE_ENERGY_P", "3.8.0.255"},  {"REACTIVE_ENERGY_N", "4.8.0.255"},
    {"REACTIVE_ENERGY_Q1", "5.8.0.255"}, {"REACTIVE_ENERGY_Q2", "6.8.0.255"},
    {"REACTIVE_ENERGY_Q3", "7.8.0.255"}, {"REACTIVE_ENERGY_Q4", "8.8.0.255"},
    {"VOLTAGE_L1", "32.7.0.255"},        {"VOLTAGE_L2", "52.7.0.255"},
    {"VOLTAGE_L3", "72.7.0.255"},        {"CURRENT_L1", "31.7.0.255"},
    {"CURRENT_L2", "51.7.0.255"},        {"CURRENT_L3", "71.7.0.255"},
    {"POWER_FACTOR", "13.7.0.255"},
};

static const char *obis_of(const char *type)
{
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        if (strcmp(points[i].type, type) == 0)
            return points[i].obis;
    return NULL;
}

static void check_point(const struct capture *c, const char *line)
{
    char type[64] = "";
    const char *name = strstr(line, "MeterDataPointTypes.");
    if (name == NULL || strstr(line, "assert") == NULL ||
        sscanf(name, "MeterDataPointTypes.%63[A-Z0-9_]", type) != 1)
        return;
    assert_non_null(obis_of(type));
    const json_t *value = entry_value(&c->got, c->at, obis_of(type));
    if (value == NULL)
        fail_msg("%s: no %s", c->id, type);
    const char *want = strstr(line, ") == ");
    if (want == NULL)
        return;
    want += strcspn(want, "0123456789");
    if (fabs(json_number_value(value) - strtod(want, NULL)) > 1e-9)
        fail_msg("%s: %s is %g, not %s", c->id, type, json_number_value(value), want);
}

/* The source's time is local or UTC, as day.month or month/day: any of these. */
static bool fits_time(const char *ours, const char *quoted, bool utc)
{
    int a, b, year, h, m, s, oh, om, year_o, month_o, day_o, h_o, m_o, s_o;
    char sign;
    const bool dots = sscanf(quoted, "\"%d.%d.%d %d:%d:%d", &a, &b, &year, &h, &m, &s) == 6;
    if (!dots && sscanf(quoted, "\"%d/%d/%d %d:%d:%d", &b, &a, &year, &h, &m, &s) != 6)
        return false;
    if (sscanf(ours, "%d-%d-%dT%d:%d:%d", &year_o, &month_o, &day_o, &h_o, &m_o, &s_o) != 6)
        return false;
    if (utc && sscanf(ours + 19, "%c%d:%d", &sign, &oh, &om) == 3)
        h_o -= sign == '+' ? oh : -oh;
    return year % 100 == year_o % 100 && b == month_o && a == day_o && h == h_o && m == m_o &&
           s == s_o;
}

static void check_time(const struct capture *c, const char *line)
{
    const char *quoted = strstr(line, "== \"");
    const char *clock = json_string_value(entry_value(&c->got, c->at, "1.0.0.255"));
    const char *header = entry_text(&c->got, c->at, "date_time");
    if (clock == NULL)
        clock = header;
    assert_non_null(quoted);
    for (int utc = 0; utc < 2; utc++)
        if (fits_time(clock, quoted + 3, utc) || fits_time(header, quoted + 3, utc))
            return;
    fail_msg("%s: %s is not %s", c->id, clock, quoted);
}

static void check_asserts(const struct capture *c)
{
    char path[256];
    snprintf(path, sizeof path, DIR_NAME "/%s/source_asserts.txt", c->id);
    char *text = shared_text(path), *rest = text;
    for (char *line; text != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        char source[64];
        check_point(c, line);
        if (strstr(line, "strftime") != NULL)
            check_time(c, line);
        if (sscanf(line, " assert data_bundle.source == \"%63[^\"]", source) == 1)
            assert_string_equal(json_string_value(entry_value(&c->got, c->at, "42.0.0.255")),
                                source);
    }
    free(text);
}

/* ---- all cases ---- */

static bool check_case(const char *id)
{
    char path[256];
    struct capture c = {.id = ""};
    snprintf(c.id, sizeof c.id, "%s", id);
    snprintf(path, sizeof path, DIR_NAME "/%s/case.json", id);
    char *text = shared_text(path);
    if (text == NULL)
        return false;
    c.json = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(c.json);
    c.got = decode_frames(c.json);
    check_outcome(&c);
    check_derived(&c);
    check_plain(&c);
    check_xml(&c);
    check_asserts(&c);
    json_decref(c.got.entries);
    json_decref(c.json);
    return true;
}

static void captures_decode_to_what_their_sources_expect(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *dir = opendir(SHARED_DIR "/" DIR_NAME);
    if (dir == NULL) {
        print_message("no captures in " SHARED_DIR "\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.' && check_case(e->d_name);
    closedir(dir);
    assert_true(n >= 29);
}

/* The logs as their sources wrote them: split over lines, with spaces, with a byte order mark. */
static void captures_read_from_original_files_too(void **state)
{
    static const struct {
        const char *path;
        const char *obis;
        double value;
    } row[] = {
        {"raw_egd_example/original.log", "1-0:1.8.0.255", 8},
        {"raw_energomera/original.log", "0-0:97.98.0.255", 16},
        {"raw_salzburg_netz/original.log", "1-0:32.7.0.255", 229.2},
        {"hdlc_iskra550/original.log", "1-0:31.7.0.255", 0.63},
        {"hdlc_landis_gyr_zmf100/original.log", "1-0:1.7.0.255", 560},
        {"hdlc_norway_han_1phase/original.log", "1-0:32.7.0.255", 250},
        {"ch_lg_e360_unencrypted_valid_data_cfg2026/original.txt", "1-0:31.7.0.255", 0.06},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, DIR_NAME "/%s", row[i].path);
        char *text = shared_text(path);
        if (text == NULL) {
            print_message("no %s\n", path);
            skip();
        }
        struct decoded d = decoder_text(text, NULL);
        if (json_array_size(d.entries) != 1)
            fail_msg("%s: %zu entries", path, json_array_size(d.entries));
        const json_t *value = entry_value(&d, 0, row[i].obis);
        assert_non_null(value);
        assert_true(fabs(json_number_value(value) - row[i].value) < 1e-9);
        json_decref(d.entries);
        free(text);
    }
}

/* ---- files of frames, one a line ---- */

static struct decoded decode_hex_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, DIR_NAME "/%s", name);
    char *text = shared_text(path);
    if (text == NULL) {
        print_message("no %s\n", path);
        skip();
    }
    const struct decoded d = decoder_text(text, NULL);
    free(text);
    return d;
}

static void captures_of_lists_give_power_and_time_in_each_frame(void **state)
{
    static const struct {
        const char *name;
        size_t frames;
        bool timed;
    } row[] = {
        {"no_kaifa_ma304h3e_capture_2017-09-15.hex", 245, true},
        {"no_kaifa_tn_3p.hex", 10, true},
        {"no_kamstrup_1p.hex", 3, true},
        {"se_kamstrup.hex", 1, true},
        {"no_aidon_tn_3p.hex", 3, false},
        {"no_aidon_hourly_series.hex", 4, false},
        {"no_lg_e350.hex", 19, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct decoded d = decode_hex_file(row[i].name);
        assert_int_equal(json_array_size(d.entries), row[i].frames);
        assert_false(d.bad || d.insecure);
        for (size_t k = 0; k < row[i].frames; k++) {
            assert_string_equal(entry_text(&d, k, "transport"), "hdlc");
            assert_true(json_is_integer(entry_value(&d, k, "1.7.0.255")));
            assert_int_equal(entry_text(&d, k, "date_time")[0] != '\0', row[i].timed);
        }
        json_decref(d.entries);
    }
}

/* Kaifa's lists have no names: the positions are those of the maker's description (the three-phase
 * capture's second frame; amsreader reads the same from it). */
static void captures_of_kaifa_get_names_by_position(void **state)
{
    (void)state;
    struct decoded d = decode_hex_file("no_kaifa_tn_3p.hex");
    assert_string_equal(json_string_value(entry_value(&d, 1, "0.2.129.255")), "KFM_001");
    assert_int_equal(json_integer_value(entry_value(&d, 1, "1-0:1.7.0.255")), 1036);
    assert_true(fabs(json_number_value(entry_value(&d, 1, "1-0:31.7.0.255")) - 1.985) < 1e-9);
    assert_true(fabs(json_number_value(entry_value(&d, 1, "1-0:72.7.0.255")) - 240.6) < 1e-9);
    json_decref(d.entries);
}

static void captures_without_a_key_tell_their_security(void **state)
{
    (void)state;
    char *text = shared_text(DIR_NAME "/dk_kamstrup_bornholm_pairs.json");
    if (text == NULL) {
        print_message("no dk_kamstrup_bornholm_pairs.json\n");
        skip();
    }
    json_t *pairs = json_loads(text, 0, NULL), *pair;
    size_t i;
    assert_int_equal(json_array_size(pairs), 16);
    json_array_foreach(pairs, i, pair)
    {
        struct decoded sealed =
            decoder_text(json_string_value(json_object_get(pair, "hdlc_frame")), NULL);
        const json_t *security = entry_field(&sealed, 0, "security");
        assert_true(sealed.insecure && !sealed.bad);
        assert_non_null(strstr(entry_text(&sealed, 0, "error"), "no key"));
        assert_int_equal(strcasecmp(json_string_value(json_object_get(security, "system_title")),
                                    json_string_value(json_object_get(pair, "system_title"))),
                         0);
        assert_int_equal(
            json_integer_value(json_object_get(security, "invocation_counter")),
            strtol(json_string_value(json_object_get(pair, "invocation_counter")), NULL, 16));
        struct decoded plain =
            decoder_text(json_string_value(json_object_get(pair, "published_plain_apdu")), NULL);
        assert_false(plain.bad);
        assert_true(
            same_tree(entry_field(&plain, 0, "tree"), json_object_get(pair, "derived_body")));
        /* five digits: 22199 is 221.99 V */
        assert_in_range((unsigned)json_number_value(entry_value(&plain, 0, "32.7.0.255")), 200,
                        250);
        json_decref(sealed.entries);
        json_decref(plain.entries);
    }
    json_decref(pairs);
    free(text);
}

/* A published plain text with comments in the source's way, one field a line. */
static void captures_with_comments_between_octets_are_read(void **state)
{
    (void)state;
    char *text = shared_text(DIR_NAME "/ch_lng_encrypted_published_plain.txt");
    if (text == NULL) {
        print_message("no ch_lng_encrypted_published_plain.txt\n");
        skip();
    }
    struct decoded d = decoder_text(text, NULL);
    const json_t *list = json_object_get(entry_field(&d, 0, "tree"), "value");
    assert_int_equal(json_array_size(d.entries), 1);
    assert_false(d.bad);
    assert_string_equal(entry_text(&d, 0, "date_time"), "2022-12-12T12:35:45");
    assert_int_equal(json_array_size(list), 14);
    /* "Accumulated import = 27881.149 kWh": a list of its maker's, without names */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 8), "value")),
                     27881149);
    json_decref(d.entries);
    free(text);
}

static void captures_of_bare_bodies_are_lists_of_their_maker(void **state)
{
    (void)state;
    char *text = shared_text(DIR_NAME "/si_iskra_am550_axdr_bodies.json");
    if (text == NULL) {
        print_message("no si_iskra_am550_axdr_bodies.json\n");
        skip();
    }
    json_t *bodies = json_loads(text, 0, NULL);
    for (size_t i = 0; i < json_array_size(bodies); i++) {
        const json_t *body = json_array_get(bodies, i), *want = json_object_get(body, "derived");
        struct decoded d = decoder_text(json_string_value(json_object_get(body, "axdr")), NULL);
        assert_false(d.bad);
        assert_true(same_tree(entry_field(&d, 0, "tree"), want));
        assert_int_equal(json_array_size(entry_field(&d, 0, "values")), json_array_size(want));
        json_decref(d.entries);
    }
    json_decref(bodies);
    free(text);
}

/* ---- single APDUs and frames of a library's tests ---- */

/* Octets that are an APDU or a frame as they stand. Left out, by what the context says: keys,
 * titles, inner parts, and inputs made wrong on purpose. */
static bool is_apdu(const char *context, const char *hex)
{
    static const char *const begins[] = {"60", "61", "63",  "c0",        "c1",
                                         "c4", "0f", "7ea", "0001000100"};
    if (strstr(context, "wrong") != NULL || strstr(context, "raises") != NULL ||
        strstr(context, "udp_header") != NULL || strstr(context, "global_") != NULL)
        return false;
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(hex, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

static size_t check_vectors(const char *name)
{
    char path[256];
    size_t i, n = 0;
    json_t *v;
    snprintf(path, sizeof path, DIR_NAME "/apdu-vectors/%s", name);
    char *text = shared_text(path);
    json_t *vectors = text != NULL ? json_loads(text, 0, NULL) : NULL;
    json_array_foreach(vectors, i, v)
    {
        const char *hex = json_string_value(json_object_get(v, "hex"));
        const char *context = json_string_value(json_object_get(v, "context"));
        if (!is_apdu(context, hex))
            continue;
        struct decoded d = decoder_text(hex, NULL);
        if (json_array_size(d.entries) != 1 || d.bad)
            fail_msg("%s, %s: %s", name, context, entry_text(&d, 0, "error"));
        json_decref(d.entries);
        n++;
    }
    json_decref(vectors);
    free(text);
    return n;
}

static void vectors_of_apdus_decode(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *dir = opendir(SHARED_DIR "/" DIR_NAME "/apdu-vectors");
    if (dir == NULL) {
        print_message("no apdu-vectors in " SHARED_DIR "\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (strstr(e->d_name, ".json") != NULL)
            n += check_vectors(e->d_name);
    closedir(dir);
    assert_true(n >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_decode_to_what_their_sources_expect),
        cmocka_unit_test(captures_read_from_original_files_too),
        cmocka_unit_test(captures_of_lists_give_power_and_time_in_each_frame),
        cmocka_unit_test(captures_of_kaifa_get_names_by_position),
        cmocka_unit_test(captures_without_a_key_tell_their_security),
        cmocka_unit_test(captures_with_comments_between_octets_are_read),
        cmocka_unit_test(captures_of_bare_bodies_are_lists_of_their_maker),
        cmocka_unit_test(vectors_of_apdus_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
