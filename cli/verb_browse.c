/* `ferraris browse`: the objects of a meter with the names of classes, objects and attributes, what
 * the client may do with them, and how they differ from a companion list. */
#include "cli/client_object.h"
#include "cli/client_words.h"
#include "cli/companion.h"

#include "lib/cosem/model.h"
#include "lib/cosem/obis.h"

#include <stdio.h>
#include <string.h>

static const char *attr_name(const struct cosem_class *c, uint8_t id, char room[16])
{
    if (c != NULL && id >= 1 && id <= c->n_attrs)
        return c->attrs[id - 1].name;
    snprintf(room, 16, "attribute %u", id);
    return room;
}

/* "rw", "r", "w", "" */
static const char *rights_text(const struct object_list *list, uint8_t mode)
{
    static const char *const text[] = {"", "r", "w", "rw"};
    return text[object_rights(list, mode) & 3];
}

static json_t *entry_json(const struct object_list *list, const struct object_entry *e)
{
    char ln[OBIS_TEXT], label[96];
    const struct cosem_class *c = cosem_class_find(e->class_id, e->version);
    obis_print(e->ln, ln);
    json_t *attrs = json_array(), *methods = json_array();
    for (size_t i = 0; i < e->n_attrs; i++) {
        char room[16];
        json_array_append_new(attrs, json_pack("{s:i, s:s, s:i, s:s}", "id", e->attrs[i].id, "name",
                                               attr_name(c, e->attrs[i].id, room), "access",
                                               e->attrs[i].mode, "rights",
                                               rights_text(list, e->attrs[i].mode)));
    }
    for (size_t i = 0; i < e->n_methods; i++) {
        const uint8_t id = e->methods[i].id;
        const bool known = c != NULL && id >= 1 && id <= c->n_methods;
        json_array_append_new(methods, json_pack("{s:i, s:s, s:i}", "id", id, "name",
                                                 known ? c->methods[id - 1].name : "", "access",
                                                 e->methods[i].mode));
    }
    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o}", "obis", ln, "class", e->class_id,
                     "version", e->version, "class_name", c != NULL ? c->name : "", "name",
                     object_name(e->class_id, e->ln, label), "attributes", attrs, "methods",
                     methods);
}

static void print_entry(const struct object_entry *e)
{
    char ln[OBIS_TEXT], label[96], number[16];
    const struct cosem_class *c = cosem_class_find(e->class_id, e->version);
    obis_print(e->ln, ln);
    snprintf(number, sizeof number, "class %u", e->class_id);
    printf("%-20s %-20s %s\n", ln, c != NULL ? c->name : number,
           object_name(e->class_id, e->ln, label));
}

/* One attribute of the object: what it may be asked for and what it said. */
struct reading {
    uint8_t id;
    const char *rights;
    json_t *value; /* NULL: refused */
    const char *error;
    struct value_unit unit;
};

static void print_value(const struct object_entry *e, const struct reading *r)
{
    char room[16];
    const struct cosem_class *c = cosem_class_find(e->class_id, e->version);
    printf("    %2u %-2s %-26s ", r->id, r->rights, attr_name(c, r->id, room));
    json_t *scaled = r->unit.known ? value_scaled(r->value, r->unit.scaler) : NULL;
    if (r->error != NULL)
        printf("(%s)", r->error);
    else
        json_dumpf(scaled != NULL ? scaled : r->value, stdout, VALUE_JSON_FLAGS);
    if (scaled != NULL)
        printf(" %s", value_unit_text(r->unit.unit, room));
    json_decref(scaled);
    putchar('\n');
}

static void put_value(json_t *row, const struct reading *r)
{
    char room[16];
    json_t *scaled = r->unit.known ? value_scaled(r->value, r->unit.scaler) : NULL;
    if (r->value != NULL)
        json_object_set(row, "value", r->value);
    if (r->error != NULL)
        json_object_set_new(row, "error", json_string(r->error));
    if (scaled == NULL)
        return;
    json_object_set_new(row, "scaled", scaled);
    json_object_set_new(row, "unit", json_string(value_unit_text(r->unit.unit, room)));
}

/* A load profile's buffer is left to `profile`: here it would flood the answer. */
static bool is_bulk(const struct object_entry *e, uint8_t attr)
{
    return (e->class_id == 7 || e->class_id == 15) && attr == 2;
}

static int read_value(struct link *l, const struct object_entry *e, struct reading *r)
{
    struct blob value = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    struct apdu_attr attr = {.class_id = e->class_id, .id = r->id};
    memcpy(attr.ln, e->ln, sizeof attr.ln);
    int code = link_get(l, &attr, &value, &result, NULL);
    struct rd rd = rd_of(value.p, value.len);
    r->value = code == LINK_OK && result == COSEM_SUCCESS ? value_json(&rd) : NULL;
    r->error = result == COSEM_SUCCESS ? NULL : cosem_result_text(result);
    if (code == LINK_OK && r->value != NULL)
        code = object_unit(l, &attr, &r->unit);
    blob_free(&value);
    return code;
}

static int read_values(struct link *l, const struct object_list *list, const struct object_entry *e,
                       json_t *out)
{
    int code = LINK_OK;
    for (size_t i = 0; i < e->n_attrs && code == LINK_OK; i++) {
        struct reading r = {.id = e->attrs[i].id, .rights = rights_text(list, e->attrs[i].mode)};
        if (r.id == 1 || is_bulk(e, r.id) || !object_readable(list, e, r.id))
            continue;
        code = read_value(l, e, &r);
        if (code == LINK_OK && out == NULL)
            print_value(e, &r);
        else if (code == LINK_OK)
            put_value(json_array_get(json_object_get(out, "attributes"), i), &r);
        json_decref(r.value);
    }
    return code;
}

struct browsing {
    bool values;
    json_t *out;                       /* objects; NULL: printed */
    const struct companion *companion; /* NULL: none */
    json_t *comparison;                /* out, where there is a companion */
};

static int browse(struct link *l, struct browsing *b)
{
    struct object_list list = {0};
    int code = object_list_read(l, &list);
    for (size_t i = 0; i < list.n && code == LINK_OK; i++) {
        json_t *row = b->out != NULL ? entry_json(&list, &list.entry[i]) : NULL;
        if (row != NULL)
            json_array_append_new(b->out, row);
        else if (b->companion == NULL || b->values)
            print_entry(&list.entry[i]);
        if (b->values) {
            cli_progress("browse", (double)i / (double)list.n);
            code = read_values(l, &list, &list.entry[i], row);
        }
    }
    cli_progress_end();
    if (code == LINK_OK && b->out == NULL)
        printf("%zu objects\n", list.n);
    if (code == LINK_OK && b->companion != NULL)
        b->comparison = companion_compare(b->companion, &list);
    object_list_free(&list);
    return code == LINK_OK ? CLI_DONE : code;
}

/* What was found, and the exit code: 1 where the companion list does not hold. */
static int answer(struct browsing *b)
{
    if (b->comparison == NULL) {
        if (b->out != NULL)
            value_print_json(b->out, stdout);
        return CLI_DONE;
    }
    const bool holds = companion_holds(b->comparison);
    if (b->out != NULL) {
        json_t *both = json_pack("{s:O, s:O}", "objects", b->out, "companion", b->comparison);
        value_print_json(both, stdout);
        json_decref(both);
    } else {
        companion_print(b->comparison, stdout);
    }
    return holds ? CLI_DONE : CLI_NO;
}

static int browse_url(const struct cli_verb *v, const char *url, const struct link_options *o,
                      struct browsing *b)
{
    struct link l;
    int code = link_open(&l, v, url, o);
    if (code == LINK_OK)
        code = browse(&l, b);
    link_close(&l);
    if (code == CLI_DONE)
        code = answer(b);
    json_decref(b->comparison);
    return code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    bool json = false, values = false;
    const char *list = NULL, *meter_type = NULL;
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"values", CLI_FLAG, &values, NULL, "read every readable attribute but profile buffers"},
        {"companion", CLI_TEXT, &list, "FILE", "compare with a list of demanded objects"},
        {"meter-type", CLI_TEXT, &meter_type, "TYPE", "of the list, objects for this type (as PP)"},
        {"json", CLI_FLAG, &json, NULL, "one JSON array on stdout; with --companion an object"}};
    const char *words[1];
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n != 1)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    struct companion companion = {.n = 0};
    char error[640];
    struct browsing b = {.values = values, .companion = list != NULL ? &companion : NULL};
    if (list != NULL && !companion_read(&companion, list, meter_type, error, sizeof error)) {
        companion_free(&companion);
        return cli_fail(v, CLI_BAD_DATA, "%s", error);
    }
    if (companion.warning[0] != '\0')
        (void)cli_fail(v, CLI_DONE, "%s: %s", list, companion.warning);
    b.out = json ? json_array() : NULL;
    code = browse_url(v, words[0], &o, &b);
    json_decref(b.out);
    companion_free(&companion);
    return code;
}

const struct cli_verb verb_browse = {
    .name = "browse",
    .summary = "list the objects of a meter",
    .usage = "ferraris browse [OPTION]... URL",
    .example = "ferraris browse tcp://127.0.0.1:4059\n"
               "ferraris browse --auth hls5 --keys meter.keys --values tcp://127.0.0.1:4059\n"
               "ferraris browse --companion smr52.json --meter-type PP tcp://127.0.0.1:4059",
    .words = LINK_WORDS,
    .run = run,
};
