/* A companion list against a meter's object list. */
#include "cli/companion.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned object_rights(const struct object_list *list, uint8_t mode)
{
    if (list->association_version >= 3) /* a bit field */
        return mode & 3u;
    return mode <= 3 ? mode : mode <= 6 ? mode - 3u : 0; /* 4..6: authenticated */
}

static const char *rights_text(unsigned rights)
{
    static const char *const text[] = {"none", "R", "W", "RW"};
    return text[rights & 3];
}

static bool has_name(const struct companion_object *o, const uint8_t ln[6])
{
    for (int g = 0; g < 6; g++)
        if ((o->any >> g & 1) == 0 && o->ln[g] != ln[g])
            return false;
    return true;
}

/* As it stands in the list: "0-x:24.1.0.255". */
static void name_text(const struct companion_object *o, char out[40])
{
    static const char marks[] = "-:...";
    size_t n = 0;
    for (int g = 0; g < 6; g++) {
        n += (size_t)((o->any >> g & 1) != 0 ? snprintf(out + n, 40 - n, "x")
                                             : snprintf(out + n, 40 - n, "%u", o->ln[g]));
        if (g < 5)
            out[n++] = marks[g];
    }
    out[n] = '\0';
}

static const struct object_right *right_of(const struct object_entry *e, uint8_t id)
{
    for (size_t i = 0; i < e->n_attrs; i++)
        if (e->attrs[i].id == id)
            return &e->attrs[i];
    return NULL;
}

struct comparison {
    const struct object_list *meter;
    json_t *missing, *wrong, *beyond, *extra;
    size_t n_matched;
};

static json_t *item(const uint8_t ln[6], uint16_t class_id, const char *name)
{
    char obis[OBIS_TEXT], label[96];
    obis_print(ln, obis);
    return json_pack("{s:s, s:i, s:s}", "obis", obis, "class", class_id, "name",
                     name[0] != '\0' ? name : object_name(class_id, ln, label));
}

static void tell(json_t *list, const struct object_entry *e, const struct companion_object *o,
                 const char *problem)
{
    json_t *entry = item(e->ln, e->class_id, o->name);
    json_object_set_new(entry, "problem", json_string(problem));
    json_array_append_new(list, entry);
}

static void compare_rights(struct comparison *c, const struct companion_object *o,
                           const struct object_entry *e)
{
    char text[120];
    for (uint8_t id = 1; id < COMPANION_ATTRS; id++) {
        const struct object_right *r = right_of(e, id);
        const unsigned has = r != NULL ? object_rights(c->meter, r->mode) : 0;
        const unsigned wants = o->access[id];
        if (!o->listed[id] || (r != NULL && has == wants))
            continue;
        if (r == NULL)
            snprintf(text, sizeof text, "attribute %u is missing", id);
        else
            snprintf(text, sizeof text, "attribute %u has access %s, the list wants %s", id,
                     rights_text(has), rights_text(wants));
        tell((wants & ~has) != 0 || r == NULL ? c->wrong : c->beyond, e, o, text);
    }
}

static void compare_entry(struct comparison *c, const struct companion_object *o,
                          const struct object_entry *e)
{
    char text[120];
    if (o->version >= 0 && o->version != e->version) {
        snprintf(text, sizeof text, "version %u, the list wants %d", e->version, o->version);
        tell(c->wrong, e, o, text);
    }
    compare_rights(c, o, e);
}

static void compare_object(struct comparison *c, const struct companion_object *o, bool *listed)
{
    const struct object_entry *other = NULL;
    bool found = false;
    char name[40], text[120];
    for (size_t i = 0; i < c->meter->n; i++) {
        const struct object_entry *e = &c->meter->entry[i];
        if (!has_name(o, e->ln))
            continue;
        other = e;
        if (e->class_id != o->class_id)
            continue;
        listed[i] = true;
        found = true;
        compare_entry(c, o, e);
    }
    c->n_matched += found;
    if (found)
        return;
    if (other != NULL) {
        snprintf(text, sizeof text, "class %u, the list wants %u", other->class_id, o->class_id);
        tell(c->wrong, other, o, text);
        listed[other - c->meter->entry] = true;
        return;
    }
    name_text(o, name);
    json_array_append_new(c->missing, json_pack("{s:s, s:i, s:s}", "obis", name, "class",
                                                o->class_id, "name", o->name));
}

json_t *companion_compare(const struct companion *c, const struct object_list *meter)
{
    struct comparison k = {meter, json_array(), json_array(), json_array(), json_array(), 0};
    bool *listed = calloc(meter->n + 1, sizeof *listed);
    for (size_t i = 0; i < c->n && listed != NULL; i++)
        compare_object(&k, &c->object[i], listed);
    for (size_t i = 0; i < meter->n && listed != NULL; i++)
        if (!listed[i])
            json_array_append_new(k.extra, item(meter->entry[i].ln, meter->entry[i].class_id, ""));
    free(listed);
    return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "title", c->title, "listed", (int)c->n,
                     "matched", (int)k.n_matched, "missing", k.missing, "wrong", k.wrong, "beyond",
                     k.beyond, "extra", k.extra);
}

bool companion_holds(const json_t *comparison)
{
    return json_array_size(json_object_get(comparison, "missing")) == 0 &&
           json_array_size(json_object_get(comparison, "wrong")) == 0;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static void print_list(const json_t *comparison, const char *key, const char *heading, FILE *to)
{
    size_t i;
    json_t *o;
    const json_t *list = json_object_get(comparison, key);
    if (json_array_size(list) == 0)
        return;
    fprintf(to, "%s (%zu)\n", heading, json_array_size(list));
    json_array_foreach(list, i, o)
    {
        fprintf(to, "  %-18s class %-3d  %s%s%s\n", text_at(o, "obis"),
                (int)json_integer_value(json_object_get(o, "class")), text_at(o, "problem"),
                text_at(o, "problem")[0] != '\0' && text_at(o, "name")[0] != '\0' ? "; " : "",
                text_at(o, "name"));
    }
}

void companion_print(const json_t *c, FILE *to)
{
    fprintf(to, "compared with %s: %d of %d objects are there\n", text_at(c, "title"),
            (int)json_integer_value(json_object_get(c, "matched")),
            (int)json_integer_value(json_object_get(c, "listed")));
    print_list(c, "missing", "missing", to);
    print_list(c, "wrong", "not as listed", to);
    print_list(c, "beyond", "more rights than listed", to);
    print_list(c, "extra", "not in the list", to);
}
