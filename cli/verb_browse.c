/* `ferraris browse`: the objects of a meter with the names of classes, objects and attributes. */
#include "cli/client_object.h"
#include "cli/client_words.h"

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

static json_t *entry_json(const struct object_entry *e)
{
    char ln[OBIS_TEXT], label[96];
    const struct cosem_class *c = cosem_class_find(e->class_id, e->version);
    obis_print(e->ln, ln);
    json_t *attrs = json_array(), *methods = json_array();
    for (size_t i = 0; i < e->n_attrs; i++) {
        char room[16];
        json_array_append_new(attrs, json_pack("{s:i, s:s, s:i}", "id", e->attrs[i].id, "name",
                                               attr_name(c, e->attrs[i].id, room), "access",
                                               e->attrs[i].mode));
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

static void print_value(const struct object_entry *e, uint8_t id, const json_t *value,
                        const char *error)
{
    char room[16];
    const struct cosem_class *c = cosem_class_find(e->class_id, e->version);
    printf("    %2u %-26s ", id, attr_name(c, id, room));
    if (error != NULL)
        printf("(%s)", error);
    else
        json_dumpf(value, stdout, VALUE_JSON_FLAGS);
    putchar('\n');
}

/* A load profile's buffer is left to `profile`: here it would flood the answer. */
static bool is_bulk(const struct object_entry *e, uint8_t attr)
{
    return (e->class_id == 7 || e->class_id == 15) && attr == 2;
}

static int read_values(struct link *l, const struct object_list *list, const struct object_entry *e,
                       json_t *out)
{
    struct blob value = {0};
    int code = LINK_OK;
    for (size_t i = 0; i < e->n_attrs && code == LINK_OK; i++) {
        struct apdu_attr attr = {.class_id = e->class_id, .id = e->attrs[i].id};
        enum cosem_result result = COSEM_OTHER_REASON;
        memcpy(attr.ln, e->ln, sizeof attr.ln);
        if (attr.id == 1 || is_bulk(e, attr.id) || !object_readable(list, e, attr.id))
            continue;
        code = link_get(l, &attr, &value, &result, NULL);
        struct rd r = rd_of(value.p, value.len);
        json_t *v = result == COSEM_SUCCESS ? value_json(&r) : NULL;
        const char *error = result == COSEM_SUCCESS ? NULL : cosem_result_text(result);
        if (code == LINK_OK && out == NULL)
            print_value(e, attr.id, v, error);
        json_t *row = out == NULL ? NULL : json_array_get(json_object_get(out, "attributes"), i);
        if (row != NULL && v != NULL)
            json_object_set(row, "value", v);
        if (row != NULL && error != NULL)
            json_object_set_new(row, "error", json_string(error));
        json_decref(v);
    }
    blob_free(&value);
    return code;
}

static int browse(struct link *l, bool values, json_t *out)
{
    struct object_list list = {0};
    int code = object_list_read(l, &list);
    for (size_t i = 0; i < list.n && code == LINK_OK; i++) {
        json_t *row = out != NULL ? entry_json(&list.entry[i]) : NULL;
        if (out != NULL)
            json_array_append_new(out, row);
        else
            print_entry(&list.entry[i]);
        if (values) {
            cli_progress("browse", (double)i / (double)list.n);
            code = read_values(l, &list, &list.entry[i], row);
        }
    }
    cli_progress_end();
    if (code == LINK_OK && out == NULL)
        printf("%zu objects\n", list.n);
    object_list_free(&list);
    return code == LINK_OK ? CLI_DONE : code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    bool json = false, values = false;
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"values", CLI_FLAG, &values, NULL, "read every readable attribute but profile buffers"},
        {"json", CLI_FLAG, &json, NULL, "one JSON array on stdout"}};
    const char *words[1];
    struct link l;
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
    json_t *out = json ? json_array() : NULL;
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = browse(&l, values, out);
    link_close(&l);
    if (out != NULL && code == CLI_DONE)
        value_print_json(out, stdout);
    json_decref(out);
    return code;
}

const struct cli_verb verb_browse = {
    .name = "browse",
    .summary = "list the objects of a meter",
    .usage = "ferraris browse [OPTION]... URL",
    .example = "ferraris browse tcp://127.0.0.1:4059\n"
               "ferraris browse --auth hls5 --keys meter.keys --values tcp://127.0.0.1:4059",
    .run = run,
};
