/* `ferraris write`: sets one attribute of a meter.
 *
 * The type `columns` is for capture_objects of a profile: logical names with attributes, whose
 * classes are those of the meter's object list. */
#include "cli/client_object.h"
#include "cli/client_words.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 100
#define SHOWN       60 /* octets of a wrong value in a message */

struct column {
    uint8_t ln[6], id;
};
struct to_write {
    struct apdu_attr attr;
    uint64_t class_id;
    struct wr value; /* not yet of columns */
    struct column column[COLUMNS_MAX];
    size_t n_columns;
};

/* "0-0:1.0.0.255:2,1-0:1.8.0.255:2". NULL, or what is wrong. */
static const char *parse_columns(const char *text, struct to_write *t)
{
    char word[32];
    for (const char *at = text;; at++) {
        const size_t n = strcspn(at, ",");
        struct column *c = &t->column[t->n_columns];
        if (t->n_columns == COLUMNS_MAX)
            return "wants at most 100 columns";
        snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : 0), at);
        if (!object_word(word, c->ln, &c->id) || c->id == 0)
            return "wants columns like 0-0:1.0.0.255:2,1-0:1.8.0.255:2";
        t->n_columns++;
        at += n;
        if (*at == '\0')
            return NULL;
    }
}

static int put_columns(struct link *l, struct object_list *list, struct to_write *t)
{
    axdr_put_array(&t->value, t->n_columns);
    for (size_t i = 0; i < t->n_columns; i++) {
        uint16_t class_id;
        const int code = object_class(l, list, t->column[i].ln, 0, &class_id);
        if (code != LINK_OK)
            return code;
        axdr_put_struct(&t->value, 4);
        axdr_put_u16(&t->value, class_id);
        axdr_put_octets(&t->value, t->column[i].ln, sizeof t->column[i].ln);
        axdr_put_i8(&t->value, (int8_t)t->column[i].id);
        axdr_put_u16(&t->value, 0);
    }
    return t->value.err ? cli_fail(l->verb, CLI_USAGE, "too many columns") : LINK_OK;
}

static int write_one(struct link *l, struct to_write *t, const uint8_t *octets)
{
    struct object_list list = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    int code = object_class(l, &list, t->attr.ln, t->class_id, &t->attr.class_id);
    if (code == LINK_OK && t->n_columns > 0)
        code = put_columns(l, &list, t);
    object_list_free(&list);
    if (code == LINK_OK)
        code = link_set(l, &t->attr, (struct bytes){octets, t->value.len}, &result);
    if (code != LINK_OK)
        return code;
    if (result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "the meter refused: %s", cosem_result_text(result));
    return CLI_DONE;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    struct to_write t = {0};
    const struct cli_option options[] = {LINK_OPTION_ROWS(o),
                                         {"class", CLI_UINT, &t.class_id, "N",
                                          "class of the object (default: from the object list)"}};
    const char *words[4];
    uint8_t value[COSEM_CLIENT_PDU_MAX];
    struct link l;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n != 4 || t.class_id > 0xFFFF)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    if (!object_word(words[1], t.attr.ln, &t.attr.id) || t.attr.id == 0)
        return cli_fail(v, CLI_USAGE, "'%s' is no object with attribute; write 0-0:1.0.0.255:3",
                        words[1]);
    t.value = wr_of(value, sizeof value);
    const char *wrong = strcmp(words[2], "columns") == 0
                            ? parse_columns(words[3], &t)
                            : value_parse(words[2], words[3], &t.value);
    if (wrong != NULL || t.value.err)
        return cli_fail(v, CLI_USAGE, "'%s %.*s%s' %s", words[2], SHOWN, words[3],
                        strlen(words[3]) > SHOWN ? "..." : "", t.value.err ? "is too long" : wrong);
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = write_one(&l, &t, value);
    link_close(&l);
    return code;
}

const struct cli_verb verb_write = {
    .name = "write",
    .summary = "write an attribute of a meter",
    .usage = "ferraris write [OPTION]... URL OBJECT:ATTRIBUTE TYPE VALUE",
    .example = "ferraris write --auth hls5 --keys meter.keys tcp://127.0.0.1:4059 "
               "0-0:1.0.0.255:3 i16 -60\n"
               "ferraris write --auth hls5 --keys meter.keys tcp://127.0.0.1:4059 "
               "1-0:99.1.0.255:3 columns 0-0:1.0.0.255:2,0-0:96.10.1.255:2,1-0:1.8.0.255:2",
    .words = LINK_WORDS_TYPE
    "        columns (0-0:1.0.0.255:2,1-0:1.8.0.255:2: capture_objects of a profile)\n",
    .run = run,
};
