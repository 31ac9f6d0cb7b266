/* `ferraris write`: sets one attribute of a meter. */
#include "cli/client_object.h"
#include "cli/client_words.h"

#include <stdio.h>

static int write_one(struct link *l, struct apdu_attr *attr, uint64_t class_id, struct bytes value)
{
    struct object_list list = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    int code = object_class(l, &list, attr->ln, class_id, &attr->class_id);
    object_list_free(&list);
    if (code == LINK_OK)
        code = link_set(l, attr, value, &result);
    if (code != LINK_OK)
        return code;
    if (result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "the meter refused: %s", cosem_result_text(result));
    return CLI_DONE;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct link_options o = LINK_OPTIONS_DEFAULT;
    uint64_t class_id = 0;
    const struct cli_option options[] = {
        LINK_OPTION_ROWS(o),
        {"class", CLI_UINT, &class_id, "N", "class of the object (default: from the object list)"}};
    const char *words[4];
    uint8_t value[COSEM_CLIENT_PDU_MAX];
    struct wr w = wr_of(value, sizeof value);
    struct apdu_attr attr = {0};
    struct link l;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n != 4 || class_id > 0xFFFF)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    if (!object_word(words[1], attr.ln, &attr.id) || attr.id == 0)
        return cli_fail(v, CLI_USAGE, "'%s' is no object with attribute; write 0-0:1.0.0.255:3",
                        words[1]);
    const char *wrong = value_parse(words[2], words[3], &w);
    if (wrong != NULL || w.err)
        return cli_fail(v, CLI_USAGE, "'%s %s' %s", words[2], words[3],
                        w.err ? "is too long" : wrong);
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = write_one(&l, &attr, class_id, (struct bytes){value, w.len});
    link_close(&l);
    return code;
}

const struct cli_verb verb_write = {
    .name = "write",
    .summary = "write an attribute of a meter",
    .usage = "ferraris write [OPTION]... URL OBJECT:ATTRIBUTE TYPE VALUE",
    .example = "ferraris write --auth hls5 --keys meter.keys tcp://127.0.0.1:4059 "
               "0-0:1.0.0.255:3 i16 -60",
    .words = LINK_WORDS_TYPE,
    .run = run,
};
