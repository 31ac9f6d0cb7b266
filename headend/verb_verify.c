/* `ferraris headend verify`: reads the whole store and says what is wrong with it. Changes nothing;
 * may be used while the head-end runs. */
#include "headend/data_dir.h"
#include "headend/verbs.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

struct report {
    bool json;
    json_t *faults;
    uint64_t n;
};

static void take_fault(void *context, const char *sentence)
{
    struct report *r = context;
    char text[DATA_DIR_WHY];
    snprintf(text, sizeof text, "%s", sentence);
    data_dir_printable(text);
    r->n++;
    if (r->json)
        json_array_append_new(r->faults, json_string(text));
    else
        printf("%s\n", text);
}

/* The key is only tried where it lies already: verify makes nothing. */
static void try_key(struct store *s, const char *dir, struct report *r)
{
    char path[4096], why[DATA_DIR_WHY], name[STORE_NAME_MAX + 1], text[STORE_NAME_MAX + 64];
    struct seal_key key;
    snprintf(path, sizeof path, "%s/master.key", dir);
    if (access(path, F_OK) != 0) {
        if (data_dir_try_key(s, NULL, name))
            take_fault(r, "master.key is missing: the keys of the meters do not open without it");
        return;
    }
    if (seal_key_open(&key, dir, why, sizeof why)) {
        take_fault(r, why);
        return;
    }
    if (data_dir_try_key(s, &key, name)) {
        snprintf(text, sizeof text, "the keys of meter '%s' do not open with master.key", name);
        take_fault(r, text);
    }
    seal_key_wipe(&key);
}

static void print_report(const struct report *r, const struct store_verify *v)
{
    if (!r->json) {
        printf("%llu blocks, %llu rows, %llu values: %llu faults\n",
               (unsigned long long)v->n_blocks, (unsigned long long)v->n_rows,
               (unsigned long long)v->n_values, (unsigned long long)r->n);
        return;
    }
    json_t *all =
        json_pack("{s:I, s:I, s:I, s:O}", "blocks", (json_int_t)v->n_blocks, "rows",
                  (json_int_t)v->n_rows, "values", (json_int_t)v->n_values, "faults", r->faults);
    json_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
}

static int verify(const struct cli_verb *v, const char *dir, bool json)
{
    const struct server_clock clock = server_clock_system();
    const struct store_options o = {.dir = dir, .read_only = true, .clock = &clock};
    struct store_verify result = {0};
    struct report r = {.json = json};
    struct store *s;
    char why[DATA_DIR_WHY] = "";
    enum err err = store_open(&s, &o, why, sizeof why);
    data_dir_printable(why);
    if (err)
        return cli_fail(v, err == ERR_IO || err == ERR_BUSY ? CLI_LOST : CLI_BAD_DATA, "%s", why);
    r.faults = json_array();
    err = store_verify(s, take_fault, &r, &result);
    if (err && r.n == 0)
        take_fault(&r, store_why(s));
    if (!err)
        try_key(s, dir, &r);
    store_close(s);
    print_report(&r, &result);
    json_decref(r.faults);
    return r.n == 0 ? CLI_DONE : CLI_NO;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    const char *dir = NULL, *word = NULL;
    bool json = false;
    const struct cli_option options[] = {
        {"data", CLI_TEXT, &dir, "DIR", "the head-end's data directory"},
        {"json", CLI_FLAG, &json, NULL, "one JSON document"},
    };
    size_t n;
    const int code =
        cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, &word, 0, &n);
    if (code >= 0)
        return code;
    if (dir == NULL || dir[0] == '\0')
        return cli_fail(v, CLI_USAGE, "--data DIR is needed; usage: %s", v->usage);
    return verify(v, dir, json);
}

const struct cli_verb verb_verify = {
    .name = "headend verify",
    .summary = "reads the whole store and says what is wrong; exit code 1 for a fault",
    .usage = "ferraris headend verify --data DIR [--json]",
    .example = "ferraris headend verify --data /var/lib/ferraris",
    .run = run,
};
