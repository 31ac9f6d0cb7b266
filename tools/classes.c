/* Prints the interface classes of lib/cosem as a page: attributes, methods, types, limits, and
 * which versions have them.
 *
 * Problem: a table of classes written by hand says something else than the server checks. This one
 * is printed from the descriptors the server checks with. It refuses to say which objects a meter
 * has: docs/OBJECTS.md does. */
#include "tools/type_text.h"

#include <stdio.h>
#include <string.h>

/* A row of an attribute or method as one version has it. */
struct entry {
    struct text name, type;
    bool is_static;
};

static bool entry_of(const struct cosem_class *c, unsigned id, bool method, struct entry *out)
{
    memset(out, 0, sizeof *out);
    if (id > (method ? c->n_methods : c->n_attrs))
        return false;
    if (method) {
        const struct cosem_method *m = &c->methods[id - 1];
        text_append(&out->name, m->name);
        if (m->param.len > 0)
            out->type = type_text(m->param, m->limits, m->n_limits);
    } else {
        const struct cosem_attr *a = &c->attrs[id - 1];
        text_append(&out->name, a->name);
        out->type = type_text(cosem_attr_type(a), a->limits, a->n_limits);
        out->is_static = a->is_static;
    }
    return true;
}

static bool entry_equal(const struct entry *a, const struct entry *b)
{
    return strcmp(a->name.s, b->name.s) == 0 && strcmp(a->type.s, b->type.s) == 0 &&
           a->is_static == b->is_static;
}

static void print_entry(unsigned id, bool method, const struct entry *e, const char *versions)
{
    printf("| %u | %s | %s |", id, e->name.s, e->type.s);
    if (!method)
        printf(" %s |", e->is_static ? "s" : "d");
    printf(" %s |\n", versions);
}

/* The versions first..end have this id in one form or several: a row for each form. */
static void print_id(size_t first, size_t end, unsigned id, bool method)
{
    struct text versions = {""};
    struct entry last, e;
    bool open = false;
    for (size_t i = first; i < end; i++) {
        const struct cosem_class *c = cosem_class_at(i);
        bool has = entry_of(c, id, method, &e);
        if (open && (!has || !entry_equal(&last, &e))) {
            print_entry(id, method, &last, versions.s);
            open = false;
        }
        if (!has)
            continue;
        char number[8];
        snprintf(number, sizeof number, open ? ", %u" : "%u", (unsigned)c->version);
        if (!open)
            versions = (struct text){""};
        text_append(&versions, number);
        last = e;
        open = true;
    }
    if (open)
        print_entry(id, method, &last, versions.s);
}

static unsigned most(size_t first, size_t end, bool methods)
{
    unsigned n = 0;
    for (size_t i = first; i < end; i++) {
        const struct cosem_class *c = cosem_class_at(i);
        unsigned of_class = methods ? c->n_methods : c->n_attrs;
        n = of_class > n ? of_class : n;
    }
    return n;
}

/* All versions of one class. */
static void print_class(size_t first, size_t end)
{
    const struct cosem_class *c = cosem_class_at(first);
    unsigned n_attrs = most(first, end, false), n_methods = most(first, end, true);
    printf("\n## %u %s\n\n| attribute | name | type | | version |\n|---|---|---|---|---|\n",
           (unsigned)c->id, c->name);
    for (unsigned id = 1; id <= n_attrs; id++)
        print_id(first, end, id, false);
    if (n_methods > 0)
        printf("\n| method | name | parameter | version |\n|---|---|---|---|\n");
    for (unsigned id = 1; id <= n_methods; id++)
        print_id(first, end, id, true);
}

int main(void)
{
    size_t first = 0;
    printf("# Interface classes\n\nPrinted by `make docs` from the descriptors in `lib/cosem`. "
           "s: static, d: dynamic. Behind a type stand the values, lengths or numbers of elements "
           "the server accepts. An octet-string of 4, 5 or 12 is a time, a date or both and may "
           "come with its own tag; its fields must be in range. A method without a parameter takes "
           "integer 0, anything else, or nothing.\n");
    for (size_t i = 0; cosem_class_at(i); i++) {
        const struct cosem_class *next = cosem_class_at(i + 1);
        if (next && next->id == cosem_class_at(i)->id)
            continue;
        print_class(first, i + 1);
        first = i + 1;
    }
    return 0;
}
