/* `ferraris read`: attributes of a meter, with scaler and unit. */
#include "cli/client_object.h"
#include "cli/client_words.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <string.h>

#define MAX_WORDS 1024 /* objects of one meter, and to spare */

/* One attribute and what is known of it, as JSON. */
static json_t *entry_json(const struct apdu_attr *attr, const struct blob *value,
                          const struct value_unit *unit)
{
    char name[OBIS_TEXT], room[16];
    struct rd r = rd_of(value->p, value->len);
    obis_print(attr->ln, name);
    json_t *raw = value_json(&r);
    json_t *e = json_pack("{s:s, s:i, s:i, s:O}", "obis", name, "class", attr->class_id,
                          "attribute", attr->id, "value", raw);
    if (unit->known) {
        json_object_set_new(e, "scaler", json_integer(unit->scaler));
        json_object_set_new(e, "unit", json_string(value_unit_text(unit->unit, room)));
        json_t *scaled = value_scaled(raw, unit->scaler);
        json_object_set_new(e, "scaled", scaled != NULL ? scaled : json_null());
    }
    json_decref(raw);
    return e;
}

static void print_entry(const struct apdu_attr *attr, const json_t *e)
{
    char label[96];
    const char *name = object_name(attr->class_id, attr->ln, label);
    printf("%-20s ", json_string_value(json_object_get(e, "obis")));
    const json_t *scaled = json_object_get(e, "scaled");
    if (scaled != NULL && !json_is_null(scaled)) {
        const int scaler = (int)json_integer_value(json_object_get(e, "scaler"));
        printf("%14.*f %-8s", scaler < 0 ? -scaler : 0, json_number_value(scaled),
               json_string_value(json_object_get(e, "unit")));
    } else {
        json_dumpf(json_object_get(e, "value"), stdout, VALUE_JSON_FLAGS);
    }
    printf("  %s\n", name);
}

/* Reads one word's attribute; appends to `out` or prints. *refused is set when the meter says no.
 */
static int read_one(struct link *l, const struct apdu_attr *attr, json_t *out, bool *refused)
{
    struct blob value = {0};
    struct value_unit unit = {0};
    char name[OBIS_TEXT];
    enum cosem_result result = COSEM_OTHER_REASON;
    obis_print(attr->ln, name);
    int code = link_get(l, attr, &value, &result, name);
    if (code == LINK_OK && result == COSEM_SUCCESS)
        code = object_unit(l, attr, &unit);
    if (code == LINK_OK && result != COSEM_SUCCESS) {
        *refused = true;
        cli_fail(l->verb, CLI_NO, "%s attribute %u: %s", name, attr->id, cosem_result_text(result));
        if (out != NULL)
            json_array_append_new(out, json_pack("{s:s, s:i, s:i, s:s}", "obis", name, "class",
                                                 attr->class_id, "attribute", attr->id, "error",
                                                 cosem_result_text(result)));
    } else if (code == LINK_OK) {
        json_t *e = entry_json(attr, &value, &unit);
        if (out == NULL)
            print_entry(attr, e);
        else
            json_array_append(out, e);
        json_decref(e);
    }
    blob_free(&value);
    return code;
}

static int read_all(struct link *l, const char **words, size_t n, uint64_t class_id, json_t *out)
{
    struct object_list list = {0};
    bool refused = false;
    int code = LINK_OK;
    for (size_t i = 0; i < n && code == LINK_OK; i++) {
        struct apdu_attr attr = {.id = 2};
        uint8_t id;
        (void)object_word(words[i], attr.ln, &id);
        if (id != 0)
            attr.id = id;
        code = object_class(l, &list, attr.ln, class_id, &attr.class_id);
        if (code == LINK_OK)
            code = read_one(l, &attr, out, &refused);
    }
    object_list_free(&list);
    return code == LINK_OK ? (refused ? CLI_NO : CLI_DONE) : code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    uint64_t class_id = 0;
    bool json = false;
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"class", CLI_UINT, &class_id, "N", "class of the objects (default: from the object list)"},
        {"json", CLI_FLAG, &json, NULL, "one JSON array on stdout"}};
    const char *words[MAX_WORDS + 1];
    struct link l;
    uint8_t ln[6], id;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n < 2 || class_id > 0xFFFF)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    for (size_t i = 1; i < c.n; i++)
        if (!object_word(words[i], ln, &id))
            return cli_fail(v, CLI_USAGE, "'%s' is no object; write 1-0:1.8.0.255 or 1-0:1.8.0:3",
                            words[i]);
    json_t *out = json ? json_array() : NULL;
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = read_all(&l, words + 1, c.n - 1, class_id, out);
    link_close(&l);
    if (out != NULL && (code == CLI_DONE || code == CLI_NO))
        value_print_json(out, stdout);
    json_decref(out);
    return code;
}

const struct cli_verb verb_read = {
    .name = "read",
    .summary = "read attributes of a meter",
    .usage = "ferraris read [OPTION]... URL OBJECT[:ATTRIBUTE]...",
    .example = "ferraris read tcp://127.0.0.1:4059 0-0:42.0.0.255\n"
               "ferraris read --auth hls5 --keys meter.keys --json tcp://127.0.0.1:4059 "
               "1-0:1.8.0.255 1-0:32.7.0.255",
    .words = LINK_WORDS_OBJECT,
    .run = run,
};
