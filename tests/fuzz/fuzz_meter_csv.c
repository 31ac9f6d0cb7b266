/* Fuzz target of the import of meters: the input is the table, the store a counter that takes every
 * meter but each seventh, which has "a name that is taken".
 *
 * Whatever comes: each record is told once, lines ascend, what is added has passed the same check
 * as everybody, its secret opens again, and a dry run tells exactly the same. */
#include "headend/keys/meter_check.h"
#include "headend/keys/meter_csv.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static const struct seal_key key = {{1, 2, 3}};

/* ---- in place of the store ---- */

struct store {
    bool open;
    unsigned n_asked, n_added;
};

enum err store_begin(struct store *s)
{
    CHECK(!s->open);
    s->open = true;
    return ERR_OK;
}

enum err store_commit(struct store *s, bool durable)
{
    CHECK(s->open && durable && s->n_added > 0);
    s->open = false;
    return ERR_OK;
}

void store_rollback(struct store *s)
{
    CHECK(s->open);
    s->open = false;
}

const char *store_why(const struct store *s)
{
    CHECK(s != NULL);
    return "full";
}

enum err store_meter_add(struct store *s, struct store_meter *m)
{
    struct meter_secret secret;
    struct meter_fault fault;
    CHECK(s->open);
    CHECK(meter_secret_get(&key, m, &secret) == ERR_OK);
    CHECK(meter_check(m, &secret, &fault));
    CHECK(m->added_ms == 77);
    if (++s->n_asked % 7 == 0)
        return ERR_REFUSED;
    m->id = ++s->n_added;
    return ERR_OK;
}

/* ---- what is told ---- */

struct story {
    unsigned n_good, n_bad, line;
    uint32_t hash; /* of all sentences, in order */
};

static void mix(struct story *s, const char *text)
{
    for (; *text != '\0'; text++)
        s->hash = (s->hash ^ (uint8_t)*text) * 16777619u;
}

static void tell(void *context, const struct meter_csv_row *row)
{
    struct story *s = context;
    CHECK(row->line > s->line && row->line > 1);
    CHECK(row->ok == (row->message[0] == '\0'));
    CHECK(meter_text_check(row->name, strlen(row->name)));
    CHECK(meter_text_check(row->message, strlen(row->message)));
    s->line = row->line;
    *(row->ok ? &s->n_good : &s->n_bad) += 1;
    mix(s, row->name);
    mix(s, row->message);
}

static int64_t utc_ms(void *context)
{
    (void)context;
    return 77;
}

static enum err import(const uint8_t *data, size_t size, bool dry_run, struct story *story)
{
    const struct server_clock clock = {.utc_ms = utc_ms};
    struct store store = {0};
    struct meter_csv_result result;
    char why[200] = "";
    const struct meter_csv_options o = {.store = &store,
                                        .key = &key,
                                        .clock = &clock,
                                        .dry_run = dry_run,
                                        .row = tell,
                                        .context = story};
    const enum err err = meter_csv_import(&o, (struct bytes){data, size}, &result, why, sizeof why);
    CHECK(!store.open);
    CHECK(err == ERR_OK || err == ERR_FORMAT);
    CHECK((err == ERR_FORMAT) == (why[0] != '\0') && meter_text_check(why, strlen(why)));
    CHECK(result.n_added == story->n_good && result.n_refused == story->n_bad);
    CHECK(result.n_added == store.n_added);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story dry = {0}, real = {0};
    uint8_t *copy = malloc(size > 0 ? size : 1); /* its bounds are the input's */
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    CHECK(import(copy, size, true, &dry) == import(copy, size, false, &real));
    CHECK(memcmp(&dry, &real, sizeof dry) == 0);
    free(copy);
    return 0;
}
