#include "tests/headend/api/schema.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#define WHY 200

struct check {
    json_t *document;
    const char *where;
    char *why;
};

static bool wrong(const struct check *c, const char *what)
{
    snprintf(c->why, WHY, "%.100s: %.80s", c->where, what);
    return false;
}

json_t *schema_resolve(json_t *document, json_t *v)
{
    const char *ref = json_string_value(json_object_get(v, "$ref"));
    char part[100];
    if (ref == NULL)
        return v;
    v = document;
    for (ref += strcspn(ref, "/"); v != NULL && *ref == '/';) {
        const size_t n = strcspn(ref + 1, "/");
        snprintf(part, sizeof part, "%.*s", (int)n, ref + 1);
        v = json_object_get(v, part);
        ref += n + 1;
    }
    return v;
}

static bool is_type(const char *type, const json_t *v)
{
    return (strcmp(type, "object") == 0 && json_is_object(v)) ||
           (strcmp(type, "array") == 0 && json_is_array(v)) ||
           (strcmp(type, "string") == 0 && json_is_string(v)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(v)) ||
           (strcmp(type, "number") == 0 && json_is_number(v)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(v)) ||
           (strcmp(type, "null") == 0 && json_is_null(v));
}

typedef bool keyword_fn(const struct check *c, json_t *schema, json_t *k, json_t *v);
static bool check(const struct check *c, json_t *schema, json_t *v);

static bool k_type(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    size_t i;
    json_t *one;
    (void)schema;
    if (json_is_string(k))
        return is_type(json_string_value(k), v) || wrong(c, "is not of its type");
    json_array_foreach(k, i, one)
    {
        if (is_type(json_string_value(one), v))
            return true;
    }
    return wrong(c, "is of none of its types");
}

static bool k_enum(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(k, i, one)
    {
        if (json_equal(one, v))
            return true;
    }
    return wrong(c, "is none of the listed");
}

static bool k_required(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(k, i, one)
    {
        if (json_is_object(v) && json_object_get(v, json_string_value(one)) == NULL)
            return wrong(c, json_string_value(one));
    }
    return true;
}

static bool k_properties(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    const char *name;
    json_t *one;
    (void)schema;
    json_object_foreach(k, name, one)
    {
        json_t *value = json_object_get(v, name);
        const struct check inner = {c->document, name, c->why};
        if (value != NULL && !check(&inner, one, value))
            return false;
    }
    return true;
}

/* Only `false` is used. */
static bool k_additional(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    const char *name;
    json_t *one;
    if (!json_is_false(k))
        return wrong(c, "additionalProperties is not false");
    json_object_foreach(v, name, one)
    {
        if (json_object_get(json_object_get(schema, "properties"), name) == NULL)
            return wrong(c, name);
    }
    return true;
}

static bool k_items(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(v, i, one)
    {
        if (!check(c, k, one))
            return false;
    }
    return true;
}

static bool k_one_of(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    size_t i;
    unsigned n = 0;
    json_t *one;
    (void)schema;
    json_array_foreach(k, i, one) n += check(c, one, v);
    return n == 1 || wrong(c, "fits not exactly one of oneOf");
}

static bool k_bounds(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    (void)k;
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *most = json_object_get(schema, "maximum");
    if (!json_is_number(v))
        return true;
    const double x = json_number_value(v);
    if ((least != NULL && x < json_number_value(least)) ||
        (most != NULL && x > json_number_value(most)))
        return wrong(c, "is out of its bounds");
    return true;
}

static bool k_lengths(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    (void)k;
    const json_t *least = json_object_get(schema, json_is_array(v) ? "minItems" : "minLength");
    const json_t *most = json_object_get(schema, json_is_array(v) ? "maxItems" : "maxLength");
    const size_t n = json_is_array(v) ? json_array_size(v) : json_string_length(v);
    if (!json_is_array(v) && !json_is_string(v))
        return true;
    if ((least != NULL && n < (size_t)json_integer_value(least)) ||
        (most != NULL && n > (size_t)json_integer_value(most)))
        return wrong(c, "has the wrong length");
    return true;
}

static bool k_pattern(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    regex_t regex;
    (void)schema;
    if (!json_is_string(v))
        return true;
    if (regcomp(&regex, json_string_value(k), REG_EXTENDED | REG_NOSUB) != 0)
        return wrong(c, "has a bad pattern");
    const bool good = regexec(&regex, json_string_value(v), 0, NULL, 0) == 0;
    regfree(&regex);
    return good || wrong(c, "does not match its pattern");
}

static bool k_said(const struct check *c, json_t *schema, json_t *k, json_t *v)
{
    (void)c;
    (void)schema;
    (void)k;
    (void)v;
    return true;
}

static const struct {
    const char *name;
    keyword_fn *check;
} keywords[] = {
    {"type", k_type},
    {"enum", k_enum},
    {"required", k_required},
    {"properties", k_properties},
    {"additionalProperties", k_additional},
    {"items", k_items},
    {"oneOf", k_one_of},
    {"minimum", k_bounds},
    {"maximum", k_bounds},
    {"minLength", k_lengths},
    {"maxLength", k_lengths},
    {"minItems", k_lengths},
    {"maxItems", k_lengths},
    {"pattern", k_pattern},
    {"description", k_said},
    {"example", k_said},
    {"format", k_said}, /* each is with a pattern */
};

static bool check(const struct check *c, json_t *schema, json_t *v)
{
    const char *name;
    json_t *k;
    schema = schema_resolve(c->document, schema);
    if (!json_is_object(schema))
        return wrong(c, "has no schema");
    json_object_foreach(schema, name, k)
    {
        size_t i = 0;
        while (i < sizeof keywords / sizeof keywords[0] && strcmp(keywords[i].name, name) != 0)
            i++;
        if (i == sizeof keywords / sizeof keywords[0])
            return wrong(c, "uses a keyword that the test does not know");
        if (!keywords[i].check(c, schema, k, v))
            return false;
    }
    return true;
}

bool schema_check(json_t *document, json_t *schema, json_t *value, char *why)
{
    const struct check c = {document, "answer", why};
    return check(&c, schema, value);
}
