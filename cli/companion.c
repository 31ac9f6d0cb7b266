/* Reading of companion lists. */
#include "cli/companion.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct companion *c;
    const char *path;
    const char *meter_type;
    char *error;
    size_t error_size;
};

static bool fail(struct reader *r, const char *where, const char *why)
{
    snprintf(r->error, r->error_size, "%s: %s: %s", r->path, where, why);
    return false;
}

/* "0.x.24.1.0.255", "0-x:24.1.0.255": groups that are x are any. */
static bool parse_name(const char *text, struct companion_object *o)
{
    int group = 0;
    o->any = 0;
    for (const char *p = text; group < 6; group++) {
        char *end;
        if (*p == 'x' || *p == 'X') {
            o->any |= (uint8_t)(1u << group);
            p++;
        } else {
            const unsigned long v = strtoul(p, &end, 10);
            if (end == p || v > 255)
                return false;
            o->ln[group] = (uint8_t)v;
            p = end;
        }
        if (group == 5)
            return *p == '\0';
        if (*p == '\0' && group == 4) { /* F left out */
            o->ln[5] = 255;
            return true;
        }
        if (strchr(".-:*", *p) == NULL || *p == '\0')
            return false;
        p++;
    }
    return false;
}

static bool parse_access(const char *text, uint8_t *access)
{
    *access = 0;
    for (; *text != '\0'; text++) {
        if (*text == 'R' || *text == 'r')
            *access |= COMPANION_READ;
        else if (*text == 'W' || *text == 'w')
            *access |= COMPANION_WRITE;
        else if (*text != '-')
            return false;
    }
    return true;
}

static bool is_same(const struct companion_object *a, const struct companion_object *b)
{
    return a->class_id == b->class_id && a->any == b->any && memcmp(a->ln, b->ln, 6) == 0;
}

/* A list that inherits replaces what has the same class and name. */
static void add(struct companion *c, const struct companion_object *o)
{
    for (size_t i = 0; i < c->n; i++)
        if (is_same(&c->object[i], o)) {
            c->object[i] = *o;
            return;
        }
    struct companion_object *grown = realloc(c->object, (c->n + 1) * sizeof *grown);
    if (grown == NULL) {
        fprintf(stderr, "ferraris: %s\n", err_text(ERR_MEMORY));
        exit(CLI_BUG);
    }
    c->object = grown;
    c->object[c->n++] = *o;
}

/* ---- JSON ---- */

static bool is_for_type(const struct reader *r, const json_t *object)
{
    size_t i;
    json_t *type;
    const json_t *types = json_object_get(object, "meterTypes");
    if (r->meter_type == NULL || !json_is_array(types))
        return true;
    json_array_foreach(types, i, type)
    {
        const char *text = json_string_value(type);
        if (text != NULL && strcmp(text, r->meter_type) == 0)
            return true;
    }
    return false;
}

static bool read_attributes(struct reader *r, const json_t *object, struct companion_object *o,
                            const char *where)
{
    size_t i;
    json_t *a;
    json_array_foreach(json_object_get(object, "attributes"), i, a)
    {
        const json_int_t id = json_integer_value(json_object_get(a, "id"));
        const char *access = json_string_value(json_object_get(a, "access"));
        if (id < 1 || id >= COMPANION_ATTRS)
            return fail(r, where, "the id of an attribute is none");
        if (access != NULL && !parse_access(access, &o->access[id]))
            return fail(r, where, "access wants R, W, RW or -");
        o->listed[id] = true;
    }
    return true;
}

static bool read_object(struct reader *r, const json_t *object, size_t number)
{
    struct companion_object o = {.version = -1};
    char where[64];
    const json_t *class_id = json_object_get(object, "class-id");
    const json_t *version = json_object_get(object, "version");
    const char *obis = json_string_value(json_object_get(object, "obis"));
    const char *name = json_string_value(json_object_get(object, "description"));
    snprintf(where, sizeof where, "object %zu", number + 1);
    if (!json_is_integer(class_id) || json_integer_value(class_id) < 0 ||
        json_integer_value(class_id) > 0xFFFF)
        return fail(r, where, "class-id is none");
    if (obis == NULL || !parse_name(obis, &o))
        return fail(r, where, "obis is no logical name");
    o.class_id = (uint16_t)json_integer_value(class_id);
    if (json_is_integer(version))
        o.version = (int)json_integer_value(version);
    snprintf(o.name, sizeof o.name, "%s", name != NULL ? name : "");
    if (!read_attributes(r, object, &o, where))
        return false;
    if (is_for_type(r, object))
        add(r->c, &o);
    return true;
}

static bool is_list(const json_t *list, const json_t *wanted)
{
    return json_equal(json_object_get(list, "profile"), json_object_get(wanted, "profile")) &&
           json_equal(json_object_get(list, "version"), json_object_get(wanted, "version"));
}

/* The list `wanted` names, among the files beside this one; NULL: not there. */
static json_t *find_list(const char *path, const json_t *wanted)
{
    char folder[1024], name[2048];
    const char *slash = strrchr(path, '/');
    const size_t n = slash != NULL ? (size_t)(slash - path) : 1;
    json_t *found = NULL;
    if (n >= sizeof folder)
        return NULL;
    memcpy(folder, slash != NULL ? path : ".", n);
    folder[n] = '\0';
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir != NULL && found == NULL && (e = readdir(dir)) != NULL;) {
        const size_t len = strlen(e->d_name);
        if (len < 5 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        json_t *list = json_load_file(name, 0, NULL);
        if (is_list(list, wanted))
            found = list;
        else
            json_decref(list);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

static bool read_list(struct reader *r, const json_t *list)
{
    size_t i;
    json_t *object;
    const json_t *objects = json_object_get(list, "objects");
    if (!json_is_array(objects))
        return fail(r, "JSON", "there is no array `objects`");
    json_array_foreach(objects, i, object) if (!read_object(r, object, i)) return false;
    return true;
}

static const char *text_of(const json_t *list, const char *key)
{
    const char *text = json_string_value(json_object_get(list, key));
    return text != NULL ? text : "";
}

/* The lists above first, the one asked for last. Takes `list`. */
static bool read_chain(struct reader *r, json_t *list)
{
    json_t *chain[COMPANION_INHERITS] = {list};
    size_t n = 1;
    bool good = true;
    snprintf(r->c->title, sizeof r->c->title, "%s %s", text_of(list, "profile"),
             text_of(list, "version"));
    for (;;) {
        const json_t *above = json_object_get(chain[n - 1], "inherit");
        if (!json_is_object(above))
            break;
        json_t *found = n < COMPANION_INHERITS ? find_list(r->path, above) : NULL;
        if (found == NULL) {
            snprintf(r->c->warning, sizeof r->c->warning,
                     "it inherits %s %s, which is not beside it: those objects are not compared",
                     text_of(above, "profile"), text_of(above, "version"));
            break;
        }
        chain[n++] = found;
    }
    while (n > 0) {
        n--;
        good = good && read_list(r, chain[n]);
        json_decref(chain[n]);
    }
    return good;
}

/* ---- text ---- */

/* "2:R 3:RW" */
static bool parse_attributes(char *text, struct companion_object *o)
{
    for (char *word; (word = strsep(&text, " ,;")) != NULL;) {
        char *end;
        if (*word == '\0')
            continue;
        const unsigned long id = strtoul(word, &end, 10);
        if (end == word || id < 1 || id >= COMPANION_ATTRS || (*end != ':' && *end != '\0') ||
            !parse_access(*end == ':' ? end + 1 : "R", &o->access[id]))
            return false;
        o->listed[id] = true;
    }
    return true;
}

static const char *parse_line(char *line, struct companion_object *o)
{
    char *field[5] = {NULL}, *end;
    for (size_t i = 0; i < 5 && line != NULL; i++)
        field[i] = strsep(&line, "\t");
    const unsigned long class_id = strtoul(field[0], &end, 10);
    if (end == field[0] || *end != '\0' || class_id > 0xFFFF)
        return "the class is no number";
    o->class_id = (uint16_t)class_id;
    if (field[1] == NULL || field[2] == NULL)
        return "class, version and logical name are wanted, between tabs";
    o->version = -1;
    if (strcmp(field[1], "*") != 0) {
        o->version = (int)strtoul(field[1], &end, 10);
        if (end == field[1] || *end != '\0' || o->version > 255)
            return "the version is no number and not *";
    }
    if (!parse_name(field[2], o))
        return "the logical name is none";
    if (field[3] != NULL && !parse_attributes(field[3], o))
        return "attributes want the form 2:R 3:RW";
    snprintf(o->name, sizeof o->name, "%s", field[4] != NULL ? field[4] : "");
    return NULL;
}

static bool read_lines(struct reader *r, FILE *f)
{
    char *line = NULL, where[32];
    size_t size = 0;
    bool good = true;
    const char *name = strrchr(r->path, '/');
    snprintf(r->c->title, sizeof r->c->title, "%s", name != NULL ? name + 1 : r->path);
    for (unsigned n = 1; good && getline(&line, &size, f) >= 0; n++) {
        struct companion_object o = {.class_id = 0};
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
            continue;
        const char *why = parse_line(line, &o);
        snprintf(where, sizeof where, "line %u", n);
        if (why != NULL)
            good = fail(r, where, why);
        else
            add(r->c, &o);
    }
    free(line);
    return good;
}

bool companion_read(struct companion *c, const char *path, const char *meter_type, char *error,
                    size_t error_size)
{
    struct reader r = {c, path, meter_type, error, error_size};
    json_error_t json_error;
    *c = (struct companion){.n = 0};
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return false;
    }
    int first = getc(f);
    while (first == ' ' || first == '\n' || first == '\r' || first == '\t')
        first = getc(f);
    rewind(f);
    bool good;
    if (first == '{') {
        json_t *list = json_loadf(f, 0, &json_error);
        char where[32];
        snprintf(where, sizeof where, "line %d", json_error.line);
        good = list != NULL ? read_chain(&r, list) : fail(&r, where, json_error.text);
    } else {
        good = read_lines(&r, f);
    }
    fclose(f);
    return good;
}

void companion_free(struct companion *c)
{
    free(c->object);
    *c = (struct companion){.n = 0};
}
