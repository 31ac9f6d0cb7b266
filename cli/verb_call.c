/* `ferraris call`: invokes a method of a meter's object and prints what it returns. */
#include "cli/client_object.h"
#include "cli/client_words.h"

#include <stdio.h>
#include <string.h>

static int call_one(struct link *l, struct apdu_attr *method, uint64_t class_id)
{
    struct object_list list = {0};
    struct blob reply = {0};
    enum cosem_result result = COSEM_OTHER_REASON;
    int code = object_class(l, &list, method->ln, class_id, &method->class_id);
    object_list_free(&list);
    if (code == LINK_OK)
        code = link_action(l, method, &reply, &result);
    if (code == LINK_OK && result != COSEM_SUCCESS)
        code = cli_fail(l->verb, CLI_NO, "the meter refused: %s", cosem_result_text(result));
    if (code == LINK_OK && reply.len > 0) {
        struct rd r = rd_of(reply.p, reply.len);
        json_t *value = value_json(&r);
        value_print_json(value, stdout);
        json_decref(value);
    }
    blob_free(&reply);
    return code == LINK_OK ? CLI_DONE : code;
}

/* The parameter: TYPE VALUE, `none`, or integer 0, which most methods of the Blue Book take. */
static int put_parameter(const struct cli_verb *v, const char **words, size_t n, struct wr *w)
{
    if (n == 2) {
        axdr_put_i8(w, 0);
    } else if (n == 4) {
        const char *wrong = value_parse(words[2], words[3], w);
        if (wrong != NULL || w->err)
            return cli_fail(v, CLI_USAGE, "'%s %s' %s", words[2], words[3],
                            w->err ? "is too long" : wrong);
    } else if (n != 3 || strcmp(words[2], "none") != 0) {
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    }
    return LINK_OK;
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
    struct apdu_attr method = {0};
    struct link l;
    struct client_words c = {.o = &o,
                             .options = options,
                             .n_options = sizeof options / sizeof options[0],
                             .words = words,
                             .max = sizeof words / sizeof words[0]};
    int code = client_words(v, &c, argc, argv);
    if (code >= 0)
        return code;
    if (c.n < 2 || class_id > 0xFFFF)
        return cli_fail(v, CLI_USAGE, "usage: %s", v->usage);
    if (!object_word(words[1], method.ln, &method.id) || method.id == 0)
        return cli_fail(v, CLI_USAGE, "'%s' is no object with method; write 1-0:99.1.0.255:2",
                        words[1]);
    code = put_parameter(v, words, c.n, &w);
    if (code != LINK_OK)
        return code;
    method.parameter = (struct bytes){value, w.len};
    code = link_open(&l, v, words[0], &o);
    if (code == LINK_OK)
        code = call_one(&l, &method, class_id);
    link_close(&l);
    return code;
}

const struct cli_verb verb_call = {
    .name = "call",
    .summary = "invoke a method of a meter's object",
    .usage = "ferraris call [OPTION]... URL OBJECT:METHOD [TYPE VALUE | none]",
    .example = "ferraris call --auth hls5 --keys meter.keys tcp://127.0.0.1:4059 "
               "1-0:99.1.0.255:2",
    .words = LINK_WORDS_TYPE,
    .run = run,
};
