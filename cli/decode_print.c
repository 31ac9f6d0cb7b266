/* A heading, what the link and security say, then the values in columns; the tree where no values
 * were found. */
#include "cli/decode_print.h"
#include "cli/client_value.h"

#include <string.h>

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text != NULL ? text : "";
}

static void print_value(const json_t *v, FILE *to)
{
    if (json_is_string(v))
        fputs(json_string_value(v), to);
    else
        json_dumpf(v, to, VALUE_JSON_FLAGS | JSON_COMPACT);
}

static bool is_typed(const json_t *node)
{
    return json_is_string(json_object_get(node, "type"));
}

static void print_tree(const json_t *node, int depth, FILE *to);

static void print_typed(const json_t *node, int depth, FILE *to)
{
    const json_t *value = json_object_get(node, "value");
    fputs(text_of(node, "type"), to);
    if (!json_is_array(value)) {
        fputc(' ', to);
        print_value(value, to);
        fputc('\n', to);
        return;
    }
    fprintf(to, " of %zu\n", json_array_size(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        fprintf(to, "%*s", 2 * (depth + 1), "");
        print_tree(json_array_get(value, i), depth + 1, to);
    }
}

static bool is_flat(const json_t *node)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)node, key, v)
    {
        if (json_is_object(v) || json_is_array(v))
            return false;
    }
    return true;
}

static void print_inline(const json_t *node, FILE *to)
{
    const char *key, *separator = "";
    json_t *v;
    json_object_foreach((json_t *)node, key, v)
    {
        fprintf(to, "%s%s ", separator, key);
        print_value(v, to);
        separator = ", ";
    }
    fputc('\n', to);
}

/* Fields of a service: one a line, nested ones indented. */
static void print_fields(const json_t *node, int depth, FILE *to)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)node, key, v)
    {
        if (json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0))
            continue;
        fprintf(to, "%*s%-20s ", 2 * depth, "", key);
        print_tree(v, depth + 1, to);
    }
}

/* The cursor stands behind the indentation or the key. */
static void print_tree(const json_t *node, int depth, FILE *to)
{
    if (is_typed(node)) {
        print_typed(node, depth, to);
    } else if (json_is_object(node) && is_flat(node)) {
        print_inline(node, to);
    } else if (json_is_object(node)) {
        fputc('\n', to);
        print_fields(node, depth, to);
    } else if (json_is_array(node) && json_is_object(json_array_get(node, 0))) {
        fputc('\n', to);
        for (size_t i = 0; i < json_array_size(node); i++) {
            fprintf(to, "%*s", 2 * depth, "");
            print_tree(json_array_get(node, i), depth, to);
        }
    } else {
        print_value(node, to);
        fputc('\n', to);
    }
}

static void print_security(const json_t *s, FILE *to)
{
    const bool encrypted = json_is_true(json_object_get(s, "encrypted"));
    const bool authenticated = json_is_true(json_object_get(s, "authenticated"));
    if (!json_is_object(s))
        return;
    fprintf(to, "  security  suite %d, %s%s%s, %s key, title %s, counter %lld, tag %s%s%s\n",
            (int)json_integer_value(json_object_get(s, "suite")), encrypted ? "encrypted" : "",
            encrypted && authenticated ? " and " : "", authenticated ? "authenticated" : "",
            text_of(s, "key"), text_of(s, "system_title"),
            (long long)json_integer_value(json_object_get(s, "invocation_counter")),
            text_of(s, "tag"), text_of(s, "note")[0] != '\0' ? "; " : "", text_of(s, "note"));
}

static void print_values(const json_t *values, FILE *to)
{
    size_t i;
    json_t *v;
    json_array_foreach((json_t *)values, i, v)
    {
        fprintf(to, "  %-18s ", text_of(v, "obis"));
        print_value(json_object_get(v, "value"), to);
        fprintf(to, "%s%s", text_of(v, "unit")[0] != '\0' ? " " : "", text_of(v, "unit"));
        if (text_of(v, "name")[0] != '\0')
            fprintf(to, "   %s", text_of(v, "name"));
        fputc('\n', to);
    }
}

static void print_root(const json_t *node, FILE *to)
{
    if (!is_typed(node)) {
        print_fields(node, 1, to);
        return;
    }
    fputs("  ", to);
    print_tree(node, 1, to);
}

void decode_print(const json_t *e, bool tree, FILE *to)
{
    const json_t *node = json_object_get(e, "tree"), *values = json_object_get(e, "values");
    fputs(text_of(e, "transport"), to);
    if (text_of(e, "apdu")[0] != '\0')
        fprintf(to, " %s", text_of(e, "apdu"));
    if (text_of(e, "date_time")[0] != '\0')
        fprintf(to, "  %s", text_of(e, "date_time"));
    if (text_of(e, "list")[0] != '\0')
        fprintf(to, "  (%s)", text_of(e, "list"));
    fputc('\n', to);
    if (json_is_object(json_object_get(e, "link"))) {
        fputs("  link      ", to);
        print_inline(json_object_get(e, "link"), to);
    }
    print_security(json_object_get(e, "security"), to);
    print_values(values, to);
    if (!json_is_null(node) && (tree || json_array_size(values) == 0))
        print_root(node, to);
    if (text_of(e, "error")[0] != '\0')
        fprintf(to, "  error     %s\n", text_of(e, "error"));
    fputc('\n', to);
}
