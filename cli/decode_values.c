/* Walks over typed trees that decode_tree.c made; their depth is bounded. */
#include "cli/decode_values.h"
#include "cli/client_value.h"
#include "cli/decode_lists.h"
#include "cli/object_name.h"

#include "lib/base/hex.h"

#include "lib/cosem/obis.h"

#include <string.h>

struct pairing {
    json_t *values;
    json_t *last; /* borrowed: the entry a scaler may still follow */
    bool named;   /* ln waits for its value */
    uint8_t ln[6];
};

static const char *type_of(const json_t *node)
{
    const char *type = json_string_value(json_object_get(node, "type"));
    return type != NULL ? type : "";
}

static bool is_list(const json_t *node)
{
    return json_is_array(json_object_get(node, "value"));
}

static const json_t *member(const json_t *node, size_t i)
{
    return json_array_get(json_object_get(node, "value"), i);
}

static size_t n_members(const json_t *node)
{
    return json_array_size(json_object_get(node, "value"));
}

/* A leaf of six octets that can be a logical name. */
static bool get_name(const json_t *node, uint8_t ln[6])
{
    const char *hex = json_string_value(json_object_get(node, "hex"));
    return hex != NULL && strcmp(type_of(node), "octet-string") == 0 && strlen(hex) == 12 &&
           hex_decode(hex, ln, 6) && ln[0] <= 15;
}

static bool is_integer(const json_t *node)
{
    return json_is_integer(json_object_get(node, "value")) && strcmp(type_of(node), "enum") != 0;
}

/* {integer scaler, enum unit} */
static bool is_scaler_unit(const json_t *node)
{
    return strcmp(type_of(node), "structure") == 0 && n_members(node) == 2 &&
           is_integer(member(node, 0)) && strcmp(type_of(member(node, 1)), "enum") == 0;
}

void decode_set_scaler(json_t *value, int scaler, unsigned char unit)
{
    char room[16];
    json_t *scaled = value_scaled(json_object_get(value, "raw"), scaler);
    if (scaled != NULL)
        json_object_set_new(value, "value", scaled);
    json_object_set_new(value, "scaler", json_integer(scaler));
    json_object_set_new(value, "unit", json_string(value_unit_text(unit, room)));
}

static void set_scaler(json_t *entry, const json_t *node)
{
    decode_set_scaler(entry, (int)json_integer_value(json_object_get(member(node, 0), "value")),
                      (unsigned char)json_integer_value(json_object_get(member(node, 1), "value")));
}

static json_t *plain(const json_t *node)
{
    if (!is_list(node))
        return json_deep_copy(json_object_get(node, "value"));
    json_t *list = json_array();
    for (size_t i = 0; i < n_members(node); i++)
        json_array_append_new(list, plain(member(node, i)));
    return list;
}

/* Other channels (B) of electricity mean the same. */
static const char *name_of(const uint8_t ln[6], char label[96])
{
    uint8_t first[6];
    const char *name = object_name(0, ln, label);
    if (name[0] != '\0' || ln[0] != 1)
        return name;
    memcpy(first, ln, sizeof first);
    first[1] = 0;
    return object_name(0, first, label);
}

json_t *decode_add_value(json_t *values, const unsigned char ln[6], const json_t *node)
{
    char name[OBIS_TEXT], label[96];
    obis_print(ln, name);
    json_t *raw = plain(node);
    json_t *entry = json_pack("{s:s, s:s, s:O, s:n, s:o, s:i}", "obis", name, "name",
                              name_of(ln, label), "value", raw, "unit", "raw", raw, "scaler", 0);
    json_array_append_new(values, entry);
    return entry;
}

static void add_value(struct pairing *p, const uint8_t ln[6], const json_t *node)
{
    p->last = decode_add_value(p->values, ln, node);
    p->named = false;
}

/* {class, obis, id}: an attribute-descriptor, or a target that was asked for */
static json_t *add_described(json_t *values, const json_t *target, const json_t *node)
{
    uint8_t ln[6];
    const char *obis = json_string_value(json_object_get(target, "obis"));
    if (obis == NULL || obis_parse(obis, ln) != ERR_OK || node == NULL)
        return NULL;
    json_t *entry = decode_add_value(values, ln, node);
    json_object_set(entry, "class", json_object_get(target, "class"));
    json_object_set(entry, "attribute", json_object_get(target, "id"));
    return entry;
}

/* The tree came from a value of bounded depth. */
static void walk(struct pairing *p, const json_t *node)
{
    uint8_t ln[6];
    if (is_scaler_unit(node)) {
        if (p->last != NULL)
            set_scaler(p->last, node);
        p->last = NULL;
    } else if (is_list(node)) {
        const json_t *first = member(node, 0);
        const bool described = strcmp(type_of(first), "attribute-descriptor") == 0;
        if (described)
            p->last = add_described(p->values, json_object_get(first, "value"), member(node, 1));
        for (size_t i = described ? 2 : 0; i < n_members(node); i++)
            walk(p, member(node, i));
    } else if (get_name(node, ln) && (!p->named || ln[5] == 0xFF)) {
        memcpy(p->ln, ln, sizeof p->ln);
        p->named = true;
        p->last = NULL;
    } else if (p->named) {
        add_value(p, p->ln, node);
    }
}

/* {class, logical name, attribute, data index, ...} */
static bool get_definition(const json_t *node, uint16_t *class_id, uint8_t ln[6], int *attribute)
{
    if (strcmp(type_of(node), "structure") != 0 || n_members(node) < 4 ||
        !is_integer(member(node, 0)) || !get_name(member(node, 1), ln) ||
        !is_integer(member(node, 2)) || !is_integer(member(node, 3)))
        return false;
    *class_id = (uint16_t)json_integer_value(json_object_get(member(node, 0), "value"));
    *attribute = (int)json_integer_value(json_object_get(member(node, 2), "value"));
    return true;
}

static bool all_definitions(const json_t *list)
{
    uint16_t class_id;
    uint8_t ln[6];
    int attribute;
    if (!is_list(list) || n_members(list) == 0)
        return false;
    for (size_t i = 0; i < n_members(list); i++)
        if (!get_definition(member(list, i), &class_id, ln, &attribute))
            return false;
    return true;
}

/* The entry of the same object, for a scaler that is a column of its own. */
static json_t *find_entry(const json_t *values, const uint8_t ln[6])
{
    char name[OBIS_TEXT];
    size_t i;
    json_t *e;
    obis_print(ln, name);
    json_array_foreach(values, i, e) if (strcmp(json_string_value(json_object_get(e, "obis")),
                                                name) == 0) return e;
    return NULL;
}

static void pair_by_list(struct pairing *p, const json_t *tree)
{
    const json_t *list = member(tree, 0);
    uint16_t class_id;
    uint8_t ln[6];
    int attribute;
    /* the list usually begins with itself; then members and definitions run in step */
    const bool itself =
        get_definition(member(list, 0), &class_id, ln, &attribute) && class_id == 40;
    for (size_t i = itself ? 1 : 0; i < n_members(list); i++) {
        const json_t *value = member(tree, itself ? i : i + 1);
        if (value == NULL || !get_definition(member(list, i), &class_id, ln, &attribute))
            return;
        json_t *known = is_scaler_unit(value) ? find_entry(p->values, ln) : NULL;
        if (known != NULL)
            set_scaler(known, value);
        else if (attribute != 1)
            add_value(p, ln, value);
    }
}

void decode_put_values(json_t *entry, const json_t *tree)
{
    struct pairing p = {.values = json_array()};
    const char *list = NULL;
    if (is_list(tree) && n_members(tree) > 1 && all_definitions(member(tree, 0)))
        pair_by_list(&p, tree);
    else if (tree != NULL && (list = decode_known_list(p.values, tree)) == NULL)
        walk(&p, tree);
    if (tree != NULL && list == NULL)
        list = decode_known_scalers(p.values, tree);
    if (list != NULL)
        json_object_set_new(entry, "list", json_string(list));
    json_object_set_new(entry, "values", p.values);
}

void decode_put_named(json_t *entry, const json_t *target, const json_t *tree)
{
    json_t *values = json_object_get(entry, "values");
    if (json_is_array(values) && json_is_object(target) && json_is_object(tree))
        (void)add_described(values, target, tree);
}
