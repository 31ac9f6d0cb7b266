/* Prints the object model of the eight meters: `objects md` for people, `objects json` for
 * programs.
 *
 * Problem: a list of objects written by hand is wrong after the next change. This one is printed
 * from the tables the server runs on (lib/cosem classes, model/ rows). It shows which meter has an
 * object and who may do what with it; it refuses to show values, which only a meter has. */
#include "model/objects.h"
#include "lib/cosem/obis.h"
#include "model/names.h"
#include "tools/type_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const roles[COSEM_N_ROLES] = {"public", "reader", "manager"};

/* Bits as numbers: 0x17 gives "1-3,5". */
static void append_numbers(struct text *t, unsigned bits)
{
    bool first = true;
    for (unsigned from = 0; from < 16; from++) {
        if (!(bits >> from & 1u)) {
            continue;
        }
        unsigned to = from;
        while (to < 15 && bits >> (to + 1) & 1u) {
            to++;
        }
        char number[16];
        snprintf(number, sizeof number, to > from ? "%s%u-%u" : "%s%u", first ? "" : ",", from + 1,
                 to + 1);
        text_append(t, number);
        first = false;
        from = to;
    }
}

/* "r 1-3, w 2, x 1": attributes read and written, methods invoked. */
static struct text rights_text(const struct cosem_rights *rights, int role)
{
    struct text t = {""};
    const uint16_t bits[] = {rights->read[role], rights->write[role], rights->invoke[role]};
    for (size_t k = 0; k < 3; k++) {
        if (bits[k]) {
            text_append(&t, t.s[0] ? ", " : "");
            text_append(&t, (const char *const[]){"r ", "w ", "x "}[k]);
            append_numbers(&t, bits[k]);
        }
    }
    return t;
}

static bool has(const struct model_meter *m, const struct cosem_ref *o)
{
    return model_present(m, m->features, o);
}

/* The word of an order that brings the object to a meter; NULL: none does. */
static const char *ordered_by(const struct model_meter *m, const struct cosem_ref *o)
{
    const struct model_choice *c;
    for (size_t i = 0; (c = model_choice_at(m, i)) != NULL; i++) {
        struct model_meter with;
        if (model_order(m, c->word, &with, NULL) == ERR_OK && has(&with, o))
            return c->word;
    }
    return NULL;
}

/* "" where no meter has it. */
static struct text meters_text(const struct cosem_ref *o)
{
    struct text t = {""};
    bool all = true;
    for (size_t i = 0; model_meter_at(i); i++) {
        const struct model_meter *m = model_meter_at(i);
        const bool plain = has(m, o);
        const char *word = plain ? NULL : ordered_by(m, o);
        all = all && plain;
        if (!plain && word == NULL)
            continue;
        text_append(&t, t.s[0] ? ", " : "");
        text_append(&t, m->name);
        text_append(&t, plain ? "" : " ordered ");
        text_append(&t, plain ? "" : word);
    }
    return all ? (struct text){"all"} : t;
}

static struct text name_text(const struct cosem_ref *o)
{
    struct text t = {""};
    char name[MODEL_NAME_MAX];
    model_name(o, name, sizeof name);
    text_append(&t, name);
    return t;
}

/* The next object that some meter can have. */
static bool next(const struct cosem_device *d, uint32_t *at, struct cosem_ref *o)
{
    while (cosem_next(d, at, o)) {
        if (meters_text(o).s[0] != '\0')
            return true;
    }
    return false;
}

/* A bar would end the cell of a table. */
static struct text cell(const char *s)
{
    struct text t = {""};
    for (; *s; s++) {
        text_append(&t, *s == '|' ? "\\|" : (const char[]){*s, 0});
    }
    return t;
}

static void class_head_md(const struct cosem_class *c)
{
    printf("\n## %s (class %u, version %u)\n\n", c->name, (unsigned)c->id, (unsigned)c->version);
    printf("| attribute | name | type |\n|---|---|---|\n");
    for (uint8_t i = 0; i < c->n_attrs; i++) {
        printf("| %u | %s | %s |\n", i + 1u, c->attrs[i].name,
               type_text(cosem_attr_type(&c->attrs[i]), NULL, 0).s);
    }
    if (c->n_methods) {
        printf("\n| method | name | parameter |\n|---|---|---|\n");
    }
    for (uint8_t i = 0; i < c->n_methods; i++) {
        struct axdr_type param = c->methods[i].param;
        printf("| %u | %s | %s |\n", i + 1u, c->methods[i].name,
               param.len ? type_text(param, NULL, 0).s : "");
    }
    printf("\n| object | name | meters | public | reader | manager |\n|---|---|---|---|---|---|\n");
}

static int print_md(const struct cosem_device *d)
{
    const struct cosem_class *head = NULL;
    struct cosem_ref o;
    uint32_t at = 0;
    printf("# Objects of the meters\n\nPrinted by `make docs` from the tables of `model/` and "
           "`lib/cosem`. Rights: r read and w write these attributes, x invoke these methods.\n");
    while (next(d, &at, &o)) {
        const struct cosem_class *c = cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        if (!c) {
            fprintf(stderr, "objects: class %u has no descriptor\n",
                    (unsigned)o.row->kind->class_id);
            return 1;
        }
        if (c != head) {
            class_head_md(c);
            head = c;
        }
        char ln[OBIS_TEXT];
        obis_print(o.ln, ln);
        printf("| %s | %s | %s |", ln, cell(name_text(&o).s).s, meters_text(&o).s);
        for (int role = 0; role < COSEM_N_ROLES; role++) {
            printf(" %s |", rights_text(o.row->kind->rights, role).s);
        }
        printf("\n");
    }
    return 0;
}

/* {"public": [1, 2], ...}: the attributes or methods each role has. */
static json_t *rights_json(const uint16_t bits[COSEM_N_ROLES])
{
    json_t *all = json_object();
    for (int role = 0; role < COSEM_N_ROLES; role++) {
        json_t *list = json_array();
        for (int i = 0; i < 16; i++) {
            if (bits[role] >> i & 1) {
                json_array_append_new(list, json_integer(i + 1));
            }
        }
        json_object_set_new(all, roles[role], list);
    }
    return all;
}

static json_t *object_json(const struct cosem_ref *o)
{
    char ln[OBIS_TEXT];
    obis_print(o->ln, ln);
    json_t *meters = json_array();
    for (size_t i = 0; model_meter_at(i); i++) {
        if (has(model_meter_at(i), o)) {
            json_array_append_new(meters, json_string(model_meter_at(i)->name));
        }
    }
    const struct cosem_rights *r = o->row->kind->rights;
    return json_pack("{s:s, s:i, s:i, s:s, s:o, s:o, s:o, s:o}", "obis", ln, "class",
                     (int)o->row->kind->class_id, "version", (int)o->row->kind->version, "name",
                     name_text(o).s, "meters", meters, "read", rights_json(r->read), "write",
                     rights_json(r->write), "invoke", rights_json(r->invoke));
}

static json_t *class_json(const struct cosem_class *c)
{
    json_t *attrs = json_array();
    json_t *methods = json_array();
    for (uint8_t i = 0; i < c->n_attrs; i++) {
        json_array_append_new(attrs, json_pack("{s:s, s:s, s:b}", "name", c->attrs[i].name, "type",
                                               type_text(cosem_attr_type(&c->attrs[i]), NULL, 0).s,
                                               "static", (int)c->attrs[i].is_static));
    }
    for (uint8_t i = 0; i < c->n_methods; i++) {
        json_array_append_new(methods, json_pack("{s:s}", "name", c->methods[i].name));
    }
    return json_pack("{s:i, s:i, s:s, s:o, s:o}", "id", (int)c->id, "version", (int)c->version,
                     "name", c->name, "attributes", attrs, "methods", methods);
}

static int print_json(const struct cosem_device *d)
{
    json_t *classes = json_array();
    json_t *objects = json_array();
    struct cosem_ref o;
    uint32_t at = 0;
    for (size_t i = 0; cosem_class_at(i); i++) {
        json_array_append_new(classes, class_json(cosem_class_at(i)));
    }
    while (next(d, &at, &o)) {
        json_array_append_new(objects, object_json(&o));
    }
    json_t *all = json_pack("{s:o, s:o}", "classes", classes, "objects", objects);
    int failed = !all || json_dumpf(all, stdout, JSON_INDENT(1)) != 0;
    printf("\n");
    json_decref(all);
    return failed;
}

int main(int argc, char **argv)
{
    const struct cosem_device device = {
        .sap = 1, .name = "", .rows = model_rows, .n_rows = model_n_rows};
    if (argc == 2 && strcmp(argv[1], "md") == 0) {
        return print_md(&device);
    }
    if (argc == 2 && strcmp(argv[1], "json") == 0) {
        return print_json(&device);
    }
    fprintf(stderr, "usage: objects md|json\n");
    return 2;
}
