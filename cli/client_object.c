/* Names and classes of objects: words to logical names, the meter's list, the model's names. */
#include "cli/client_object.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool object_word(const char *word, uint8_t ln[6], uint8_t *id)
{
    char name[OBIS_TEXT];
    const char *colon = strrchr(word, ':');
    *id = 0;
    if (obis_parse(word, ln) == ERR_OK)
        return true;
    if (colon == NULL || (size_t)(colon - word) >= sizeof name)
        return false;
    memcpy(name, word, (size_t)(colon - word));
    name[colon - word] = '\0';
    char *end;
    const long n = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || n < 1 || n > 127)
        return false;
    *id = (uint8_t)n;
    return obis_parse(name, ln) == ERR_OK;
}

/* access_mode is an enum, in version 0 a boolean for methods. */
static uint8_t get_mode(struct rd *r)
{
    if (axdr_peek(r) == AXDR_BOOL)
        return axdr_get_bool(r) ? 1 : 0;
    return (uint8_t)axdr_get_uint(r);
}

static uint8_t get_rights(struct rd *r, struct object_right *out, size_t n_members)
{
    uint8_t kept = 0;
    for (size_t n = axdr_get_array(r); n > 0 && !r->err; n--) {
        struct object_right right;
        axdr_get_struct(r, n_members);
        right.id = (uint8_t)axdr_get_int(r);
        right.mode = get_mode(r);
        if (n_members == 3)
            axdr_skip(r); /* access_selectors */
        if (kept < OBJECT_RIGHTS_MAX)
            out[kept++] = right;
    }
    return kept;
}

static void get_entry(struct rd *r, struct object_entry *e)
{
    memset(e, 0, sizeof *e);
    axdr_get_struct(r, 4);
    e->class_id = (uint16_t)axdr_get_uint(r);
    e->version = (uint8_t)axdr_get_uint(r);
    const struct bytes ln = axdr_get_octets(r);
    if (!r->err && ln.len != sizeof e->ln)
        rd_fail(r, ERR_TYPE);
    if (!r->err)
        memcpy(e->ln, ln.p, sizeof e->ln);
    axdr_get_struct(r, 2);
    e->n_attrs = get_rights(r, e->attrs, 3);
    e->n_methods = get_rights(r, e->methods, 2);
}

static int parse_list(struct link *l, struct bytes axdr, struct object_list *list)
{
    struct rd r = rd_of(axdr.p, axdr.len);
    const size_t n = axdr_get_array(&r);
    if (!r.err && n > axdr.len / 16) /* an entry has more octets than that */
        rd_fail(&r, ERR_RANGE);
    list->entry = r.err ? NULL : calloc(n + 1, sizeof *list->entry);
    for (size_t i = 0; i < n && list->entry != NULL && !r.err; i++) {
        struct object_entry *e = &list->entry[list->n];
        get_entry(&r, e);
        list->n += r.err ? 0 : 1;
        if (e->class_id == 15)
            list->association_version = e->version;
    }
    if (r.err)
        return cli_fail(l->verb, CLI_BAD_DATA, "object_list is malformed at octet %zu: %s",
                        r.err_pos, err_text(r.err));
    return LINK_OK;
}

int object_list_read(struct link *l, struct object_list *list)
{
    const struct apdu_attr attr = {.class_id = 15, .ln = {0, 0, 40, 0, 0, 255}, .id = 2};
    struct blob value = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    memset(list, 0, sizeof *list);
    int code = link_get(l, &attr, &value, &result, "object list");
    if (code == LINK_OK && result != COSEM_SUCCESS)
        code = cli_fail(l->verb, CLI_NO, "the meter does not give its object list: %s",
                        cosem_result_text(result));
    if (code == LINK_OK)
        code = parse_list(l, (struct bytes){value.p, value.len}, list);
    blob_free(&value);
    return code;
}

void object_list_free(struct object_list *list)
{
    free(list->entry);
    memset(list, 0, sizeof *list);
}

bool object_readable(const struct object_list *list, const struct object_entry *e, uint8_t attr)
{
    for (size_t i = 0; i < e->n_attrs; i++) {
        const uint8_t mode = e->attrs[i].mode;
        if (e->attrs[i].id != attr)
            continue;
        if (list->association_version >= 3) /* a bit field */
            return (mode & 1) != 0;
        return mode == 1 || mode == 3 || mode == 4 || mode == 6;
    }
    return false;
}

static int ambiguous(struct link *l, const struct object_list *list, const uint8_t ln[6])
{
    char name[OBIS_TEXT], classes[64] = "";
    obis_print(ln, name);
    for (size_t i = 0; i < list->n; i++)
        if (memcmp(list->entry[i].ln, ln, 6) == 0) {
            const size_t n = strlen(classes);
            snprintf(classes + n, sizeof classes - n, " %u", list->entry[i].class_id);
        }
    return cli_fail(l->verb, CLI_USAGE, "%s is there with classes%s: choose one with --class", name,
                    classes);
}

int object_class(struct link *l, struct object_list *list, const uint8_t ln[6], uint64_t given,
                 uint16_t *class_id)
{
    char name[OBIS_TEXT];
    size_t found = 0;
    *class_id = (uint16_t)given;
    if (given != 0)
        return LINK_OK;
    if (list->entry == NULL) {
        const int code = object_list_read(l, list);
        if (code != LINK_OK)
            return code;
    }
    for (size_t i = 0; i < list->n; i++)
        if (memcmp(list->entry[i].ln, ln, 6) == 0) {
            *class_id = list->entry[i].class_id;
            found++;
        }
    if (found == 1)
        return LINK_OK;
    if (found > 1)
        return ambiguous(l, list, ln);
    obis_print(ln, name);
    return cli_fail(l->verb, CLI_NO, "the meter has no object %s for this client", name);
}

uint8_t object_scaler_attr(uint16_t class_id, uint8_t attr)
{
    if ((class_id == 3 || class_id == 4) && attr == 2)
        return 3;
    return class_id == 5 && (attr == 2 || attr == 3) ? 4 : 0;
}

int object_unit(struct link *l, const struct apdu_attr *attr, struct value_unit *unit)
{
    struct apdu_attr scaler = {.class_id = attr->class_id,
                               .id = object_scaler_attr(attr->class_id, attr->id)};
    struct blob value = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    unit->known = false;
    if (scaler.id == 0)
        return LINK_OK;
    memcpy(scaler.ln, attr->ln, sizeof scaler.ln);
    const int code = link_get(l, &scaler, &value, &result, NULL);
    if (code == LINK_OK && result == COSEM_SUCCESS)
        *unit = value_unit_of((struct bytes){value.p, value.len});
    blob_free(&value);
    return code;
}
