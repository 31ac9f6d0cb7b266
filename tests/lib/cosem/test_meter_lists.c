/* Class descriptors against the object lists of real meters in ../shared/vectors/object-lists:
 * exports of a client (gxc), profiles of the Dutch companion standard (smr), the object list of one
 * meter as it stood in the answer (kamstrup). Every class of this library that occurs there is
 * known in its version or in a near one, and no attribute, method, name or type contradicts the
 * descriptor. Where a list is known to be wrong or short, it stands in a table here with the
 * reason. */
#include "lib/cosem/model.h"

#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define LISTS SHARED_DIR "/vectors/object-lists"

static size_t n_wrong;
/* One list, or one object of it. */
struct seen {
    const char *file;
    uint16_t id;
    uint8_t version;
};

static void wrong(const struct seen *s, unsigned at, const char *what)
{
    print_error("%s: class %u v%u, %u: %s\n", s->file, (unsigned)s->id, (unsigned)s->version, at,
                what);
    n_wrong++;
}

/* The classes this library promises. */
static bool is_ours(unsigned id)
{
    static const uint8_t ours[] = {1,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 15, 17, 19,
                                   20, 21, 22, 23, 27, 28, 29, 40, 41, 42, 43, 44, 45, 47,
                                   48, 61, 62, 63, 64, 65, 68, 70, 71, 72, 74, 77};
    return id <= UINT8_MAX && memchr(ours, (int)id, sizeof ours) != NULL;
}

/* Versions that occur and have no descriptor of their own. */
static const struct {
    uint16_t id;
    uint8_t version;
} only_near[] = {
    {19, 0}, /* Landis+Gyr E650, E850: exported without a single attribute */
};

static const struct cosem_class *class_of(const struct seen *s)
{
    const struct cosem_class *ic = cosem_class_find(s->id, s->version);
    for (size_t i = 0; !ic && i < sizeof only_near / sizeof only_near[0]; i++) {
        if (only_near[i].id == s->id && only_near[i].version == s->version)
            ic = cosem_class_near(s->id, s->version);
    }
    if (!ic)
        wrong(s, 0, "no such class");
    return ic;
}

/* ---- gxc ---- */

static const struct {
    const char *name;
    uint16_t id;
} gxc_classes[] = {
    {"Data", 1},
    {"Register", 3},
    {"ExtendedRegister", 4},
    {"DemandRegister", 5},
    {"RegisterActivation", 6},
    {"ProfileGeneric", 7},
    {"Clock", 8},
    {"ScriptTable", 9},
    {"SpecialDaysTable", 11},
    {"AssociationShortName", 12},
    {"AssociationLogicalName", 15},
    {"SapAssignment", 17},
    {"ImageTransfer", 18},
    {"IECLocalPortSetup", 19},
    {"ActivityCalendar", 20},
    {"RegisterMonitor", 21},
    {"ActionSchedule", 22},
    {"HdlcSetup", 23},
    {"ModemConfiguration", 27},
    {"AutoAnswer", 28},
    {"AutoConnect", 29},
    {"PushSetup", 40},
    {"TcpUdpSetup", 41},
    {"Ip4Setup", 42},
    {"MacAddressSetup", 43},
    {"PppSetup", 44},
    {"GprsSetup", 45},
    {"GSMDiagnostic", 47},
    {"CompactData", 62},
    {"SecuritySetup", 64},
    {"DisconnectControl", 70},
    {"Limiter", 71},
    {"MBusClient", 72},
    {"WirelessModeQchannel", 73},
    {"MBusMasterPortSetup", 74},
    {"G3PlcMacLayerCounters", 90},
    {"G3PlcMacSetup", 91},
    {"G3Plc6LoWPan", 92},
    {"NtpSetup", 100},
    {"TokenGateway", 115},
};

/* Highest attribute of a class in all lists, where it is not the descriptor's; 0: the objects are
 * exported without attributes. */
static const struct {
    uint16_t id;
    uint8_t version, attrs;
} gxc_short[] = {
    {12, 0, 0}, /* Landis+Gyr E650, E850 */
    {12, 3, 4}, /* the client that wrote the list leaves out user_list and current_user */
    {19, 0, 0}, {23, 0, 0}, {62, 0, 5}, /* Meter Italia: capture_method is not in the export */
};

static uint8_t type_of_gxc(const char *name)
{
    static const struct {
        const char *name;
        uint8_t tag;
    } types[] = {
        {"Array", AXDR_ARRAY}, {"Structure", AXDR_STRUCT},   {"Boolean", AXDR_BOOL},
        {"Int8", AXDR_I8},     {"Int16", AXDR_I16},          {"Int32", AXDR_I32},
        {"UInt8", AXDR_U8},    {"UInt16", AXDR_U16},         {"UInt32", AXDR_U32},
        {"Enum", AXDR_ENUM},   {"OctetString", AXDR_OCTETS}, {"String", AXDR_TEXT},
        {"Int64", AXDR_I64},   {"BitString", AXDR_BITS},     {"UInt64", AXDR_U64},
        {"None", AXDR_NULL},   {"DateTime", AXDR_DATE_TIME},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].tag;
    }
    fail_msg("type %s", name);
    return 0;
}

/* Whether a value of the tag can be of the type. */
static bool tag_fits(struct axdr_type type, uint8_t tag)
{
    switch (type.code[0]) {
    case AXDR_ANY:
        return true;
    case AXDR_SIMPLE:
        return tag != AXDR_ARRAY && tag != AXDR_STRUCT && tag != AXDR_COMPACT;
    case AXDR_OS4:
    case AXDR_OS5:
    case AXDR_OS6:
    case AXDR_OS12:
    case AXDR_OS16:
        return tag == AXDR_OCTETS;
    default:
        return type.code[0] == tag;
    }
}

/* Text between > and <, or false. */
static bool element(const char *line, const char *name, char *text, size_t size)
{
    char begin[32];
    snprintf(begin, sizeof begin, "<%s>", name);
    const char *p = strstr(line, begin);
    const char *end = p ? strchr(p + strlen(begin), '<') : NULL;
    if (!end)
        return false;
    snprintf(text, size, "%.*s", (int)(end - p - (long)strlen(begin)), p + strlen(begin));
    return true;
}

/* Highest attribute seen of class and version, over all files. */
static uint8_t attrs_seen[UINT8_MAX + 1][4];
static bool class_seen[UINT8_MAX + 1][4];

static uint16_t gxc_class(const char *line)
{
    static const char mark[] = "xsi:type=\"GXDLMS";
    const char *p = strstr(line, mark);
    if (!p)
        return 0;
    p += strlen(mark);
    for (size_t i = 0; i < sizeof gxc_classes / sizeof gxc_classes[0]; i++) {
        size_t n = strlen(gxc_classes[i].name);
        if (strncmp(p, gxc_classes[i].name, n) == 0 && p[n] == '"')
            return gxc_classes[i].id;
    }
    fail_msg("class %s", p);
    return 0;
}

enum part { NOTHING, ATTRIBUTES, METHODS };

/* Of the object whose members stand `indent` columns in; objects inside it stand deeper. */
static enum part part_of(const char *line, size_t indent, enum part now)
{
    if (strspn(line, " ") != indent)
        return now;
    if (strstr(line, "<Attributes>"))
        return ATTRIBUTES;
    if (strstr(line, "<Methods>"))
        return METHODS;
    return strstr(line, "</Attributes>") || strstr(line, "</Methods>") ? NOTHING : now;
}

static void check_index(const struct seen *s, const struct cosem_class *ic, enum part part,
                        unsigned index)
{
    if (index == 0 || index > (part == METHODS ? ic->n_methods : ic->n_attrs))
        wrong(s, index, part == METHODS ? "no such method" : "no such attribute");
    else if (part == ATTRIBUTES && index > attrs_seen[s->id][s->version])
        attrs_seen[s->id][s->version] = (uint8_t)index;
}

/* Number of our objects in the file. */
static size_t check_gxc(FILE *f, const char *name)
{
    static char line[1 << 16];
    char text[64];
    struct seen s = {.file = name};
    const struct cosem_class *ic = NULL;
    enum part part = NOTHING;
    unsigned index = 0;
    size_t n = 0, indent = 0;
    while (fgets(line, sizeof line, f)) {
        if (strstr(line, "<GXDLMSObject ")) {
            s.id = gxc_class(line);
            indent = strspn(line, " ") + 2;
            ic = NULL;
            part = NOTHING;
        } else if (part == NOTHING && !ic && is_ours(s.id) &&
                   element(line, "Version", text, sizeof text)) {
            s.version = (uint8_t)atoi(text);
            assert_true(s.version < 4);
            ic = class_of(&s);
            class_seen[s.id][s.version] = true;
            n++;
        }
        part = part_of(line, indent, part);
        if (!ic || part == NOTHING)
            continue;
        if (element(line, "Index", text, sizeof text)) {
            index = (unsigned)atoi(text);
            check_index(&s, ic, part, index);
        } else if (part == ATTRIBUTES && index >= 1 && index <= ic->n_attrs &&
                   element(line, "Type", text, sizeof text) &&
                   !tag_fits(cosem_attr_type(&ic->attrs[index - 1]), type_of_gxc(text))) {
            wrong(&s, index, text);
        }
    }
    return n;
}

static void check_highest(unsigned id, unsigned version)
{
    const struct seen s = {"all lists", (uint16_t)id, (uint8_t)version};
    const struct cosem_class *ic = class_of(&s);
    uint8_t want = ic ? ic->n_attrs : 0;
    for (size_t i = 0; i < sizeof gxc_short / sizeof gxc_short[0]; i++) {
        if (gxc_short[i].id == id && gxc_short[i].version == version)
            want = gxc_short[i].attrs;
    }
    if (attrs_seen[id][version] != want)
        wrong(&s, attrs_seen[id][version], "another number of attributes");
}

static void exported_lists_agree_with_the_classes(void **state)
{
    size_t n = 0;
    (void)state;
    DIR *dir = opendir(LISTS "/gxc");
    if (!dir) {
        print_message("no object lists in " LISTS "\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/gxc/%s", LISTS, e->d_name);
        FILE *f = e->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (f) {
            n += check_gxc(f, e->d_name);
            fclose(f);
        }
    }
    closedir(dir);
    for (unsigned id = 0; id <= UINT8_MAX; id++) {
        for (unsigned version = 0; version < 4; version++) {
            if (class_seen[id][version])
                check_highest(id, version);
        }
    }
    assert_int_equal(n_wrong, 0);
    assert_true(n > 4000);
}

/* ---- smr ---- */

/* The profile's own names of types. */
static uint8_t type_of_smr(const char *name)
{
    static const struct {
        const char *name;
        uint8_t tag;
    } types[] = {
        {"object_list_type", AXDR_ARRAY},
        {"associated_partners_type", AXDR_STRUCT},
        {"context_name_type", AXDR_STRUCT},
        {"xDLMS_context_type", AXDR_STRUCT},
        {"mechanism_name_type", AXDR_STRUCT},
        {"scal_unit_type", AXDR_STRUCT},
        {"object_definition", AXDR_STRUCT},
        {"cell_info_type", AXDR_STRUCT},
        {"clock_status", AXDR_U8},
    };
    for (unsigned tag = 0; tag <= AXDR_TIME; tag++) {
        const char *known = axdr_tag_name((uint8_t)tag);
        if (known && strcmp(known, name) == 0)
            return (uint8_t)tag;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].tag;
    }
    fail_msg("type %s", name);
    return 0;
}

/* What the profiles say against the descriptors, and why they are not followed. */
static const struct {
    uint16_t id;
    uint8_t version, attr;
} smr_wrong[] = {
    {72, 0, 13}, /* DSMR 4.2.2 has the attributes of version 1 under version 0 */
    {72, 0, 14},
};

static bool known_wrong(const struct seen *s, unsigned attr)
{
    for (size_t i = 0; i < sizeof smr_wrong / sizeof smr_wrong[0]; i++) {
        if (smr_wrong[i].id == s->id && smr_wrong[i].version == s->version &&
            smr_wrong[i].attr == attr)
            return true;
    }
    return false;
}

/* Letters and digits only, small. */
static void plain(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (; *name && n + 1 < size; name++) {
        if (isalnum((unsigned char)*name))
            out[n++] = (char)tolower((unsigned char)*name);
    }
    out[n] = 0;
}

/* Words of the profiles for a name of the standard. */
static bool same_name(const char *ours, const char *theirs)
{
    static const char *const words[][2] = {
        {"scalerunit", "scalarunit"},
        {"captureperiod", "captureperiodinsec"},
    };
    char a[64], b[64];
    plain(ours, a, sizeof a);
    plain(theirs, b, sizeof b);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], a) == 0 && strcmp(words[i][1], b) == 0)
            return true;
    }
    return strcmp(a, b) == 0;
}

/* The text of `"key": "text"`. */
static bool member(const char *line, const char *key, char *text, size_t size)
{
    char begin[32];
    snprintf(begin, sizeof begin, "\"%s\": \"", key);
    const char *p = strstr(line, begin);
    if (!p)
        return false;
    snprintf(text, size, "%s", p + strlen(begin));
    text[strcspn(text, "\"")] = 0;
    return true;
}

static size_t check_smr(FILE *f, const char *name)
{
    char line[1024], text[128];
    struct seen s = {.file = name};
    const struct cosem_class *ic = NULL;
    const struct cosem_attr *attr = NULL;
    unsigned value = 0, id = 0;
    size_t n = 0;
    while (fgets(line, sizeof line, f)) {
        if (member(line, "tag", text, sizeof text)) {
            ic = NULL;
            attr = NULL;
            s.id = 0;
        } else if (sscanf(line, " \"class-id\": %u", &value) == 1) {
            s.id = (uint16_t)value;
        } else if (is_ours(s.id) && sscanf(line, " \"version\": %u", &value) == 1) {
            s.version = (uint8_t)value;
            ic = class_of(&s);
            n++;
        } else if (ic && sscanf(line, " \"id\": %u", &id) == 1) {
            attr = id >= 1 && id <= ic->n_attrs ? &ic->attrs[id - 1] : NULL;
            if (!attr && !known_wrong(&s, id))
                wrong(&s, id, "no such attribute");
        } else if (attr && member(line, "description", text, sizeof text)) {
            if (!same_name(attr->name, text))
                wrong(&s, id, text);
        } else if (attr && member(line, "datatype", text, sizeof text)) {
            if (!tag_fits(cosem_attr_type(attr), type_of_smr(text)))
                wrong(&s, id, text);
        }
    }
    return n;
}

static void profile_lists_agree_with_the_classes(void **state)
{
    static const char *const names[] = {"dsmr422", "smr43", "smr500", "smr52"};
    size_t n = 0;
    (void)state;
    n_wrong = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/smr/dlmsprofile-%s.json", LISTS, names[i]);
        FILE *f = fopen(path, "rb");
        if (!f) {
            print_message("no %s\n", path);
            skip();
        }
        n += check_smr(f, names[i]);
        fclose(f);
    }
    assert_int_equal(n_wrong, 0);
    assert_true(n > 200);
}

/* ---- kamstrup ---- */

static size_t read_hex(const char *path, uint8_t *out, size_t size)
{
    char line[1024];
    size_t n = 0;
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        n += hex_octets(line, out + n, size - n);
    }
    fclose(f);
    return n;
}

/* One element: class, version and name, then attributes and methods with their modes. */
static void check_element(struct rd *r)
{
    struct seen s = {.file = "kamstrup"};
    axdr_get_struct(r, 4);
    s.id = (uint16_t)axdr_get_uint(r);
    s.version = (uint8_t)axdr_get_uint(r);
    (void)axdr_get_octets(r);
    const struct cosem_class *ic = is_ours(s.id) ? class_of(&s) : NULL;
    axdr_get_struct(r, 2);
    for (unsigned part = 0; part < 2; part++) {
        for (size_t n = axdr_get_array(r); n > 0 && !r->err; n--) {
            axdr_get_struct(r, part == 0 ? 3 : 2);
            int64_t id = axdr_get_int(r);
            axdr_skip(r);
            if (part == 0)
                axdr_skip(r);
            if (ic && id > (part == 0 ? ic->n_attrs : ic->n_methods))
                wrong(&s, (unsigned)id, part == 0 ? "no such attribute" : "no such method");
        }
    }
}

static void list_of_a_meter_agrees_with_the_classes(void **state)
{
    static uint8_t octets[16384];
    size_t len =
        read_hex(LISTS "/kamstrup_association_object_list_get_response.txt", octets, sizeof octets);
    (void)state;
    n_wrong = 0;
    if (len == 0) {
        print_message("no object lists in " LISTS "\n");
        skip();
    }
    struct rd whole = rd_of(octets, len), r = whole;
    axdr_check(&whole, cosem_attr_type(&cosem_class_find(15, 1)->attrs[1]));
    assert_int_equal(whole.err, ERR_OK);
    assert_int_equal(whole.pos, len);
    size_t n = axdr_get_array(&r);
    assert_int_equal(n, 123);
    while (n-- > 0)
        check_element(&r);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exported_lists_agree_with_the_classes),
        cmocka_unit_test(profile_lists_agree_with_the_classes),
        cmocka_unit_test(list_of_a_meter_agrees_with_the_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
