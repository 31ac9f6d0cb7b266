/* Types as text, see type_text.h. */
#include "tools/type_text.h"

#include <stdio.h>
#include <string.h>

struct described {
    struct axdr_type type;
    const struct cosem_limit *limits;
    uint8_t n_limits;
};

void text_append(struct text *t, const char *more)
{
    size_t n = strlen(t->s);
    snprintf(t->s + n, sizeof t->s - n, "%s", more);
}

static const char *counted(uint8_t tag)
{
    switch (tag) {
    case AXDR_OCTETS:
        return " octets";
    case AXDR_TEXT:
    case AXDR_UTF8:
        return " characters";
    case AXDR_BITS:
        return " bits";
    case AXDR_ARRAY:
        return " elements";
    default:
        return "";
    }
}

/* " (1..7)", " (6, 8 octets)" */
static void append_limits(struct text *t, const struct described *d, uint8_t at)
{
    bool any = false;
    for (uint8_t i = 0; i < d->n_limits; i++) {
        char one[48];
        const struct cosem_limit *l = &d->limits[i];
        if (l->at != at)
            continue;
        snprintf(one, sizeof one, l->min == l->max ? "%s%ld" : "%s%ld..%ld", any ? ", " : " (",
                 (long)l->min, (long)l->max);
        text_append(t, one);
        any = true;
    }
    if (any) {
        text_append(t, counted(d->type.code[at]));
        text_append(t, ")");
    }
}

/* One type in prefix order from code[*at]; the depth is that of the descriptors, a few levels. */
static void append_type(struct text *t, const struct described *d, uint8_t *at)
{
    if (*at >= d->type.len) {
        text_append(t, "?");
        return;
    }
    uint8_t place = (*at)++, tag = d->type.code[place];
    text_append(t, axdr_tag_name(tag) ? axdr_tag_name(tag) : "?");
    append_limits(t, d, place);
    if (tag == AXDR_ARRAY) {
        text_append(t, " of ");
        append_type(t, d, at);
    } else if (tag == AXDR_STRUCT && *at < d->type.len) {
        uint8_t n = d->type.code[(*at)++];
        text_append(t, " {");
        for (uint8_t i = 0; i < n; i++) {
            text_append(t, i ? ", " : "");
            append_type(t, d, at);
        }
        text_append(t, "}");
    }
}

struct text type_text(struct axdr_type type, const struct cosem_limit *limits, uint8_t n_limits)
{
    struct described d = {type, limits, n_limits};
    struct text t = {""};
    uint8_t at = 0;
    append_type(&t, &d, &at);
    return t;
}
