/* A short table of open transfers, searched in order; see the header. */
#include "cli/decode_blocks.h"

#include <stdio.h>
#include <string.h>

void blocks_done(struct decode_blocks *b, struct blocks_transfer *t)
{
    octets_free(&t->data);
    octets_free(&t->ends);
    json_decref(t->about);
    const size_t i = (size_t)(t - b->open);
    memmove(t, t + 1, (b->n - i - 1) * sizeof *t);
    b->n--;
}

static void tell(struct decode_blocks *b, const char *text)
{
    if (b->lost == NULL)
        b->lost = json_array();
    json_array_append_new(b->lost, json_string(text));
}

/* Blocks of a service have had their entries; those of a general transfer would be lost unsaid. */
static void give_up(struct decode_blocks *b, struct blocks_transfer *t, const char *why)
{
    char text[160];
    if (t->kind != BLOCKS_GENERAL)
        return;
    snprintf(text, sizeof text, "general block transfer cut: blocks 1 to %u came (%zu octets), %s",
             t->n, t->data.len, why);
    tell(b, text);
}

static struct blocks_transfer *find(struct decode_blocks *b, const struct blocks_part *part)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->open[i].kind == part->kind && b->open[i].way == part->way)
            return &b->open[i];
    return NULL;
}

static struct blocks_transfer *begin(struct decode_blocks *b, const struct blocks_part *part)
{
    if (b->n == BLOCKS_OPEN_MAX) {
        give_up(b, &b->open[0], "too many others were open");
        blocks_done(b, &b->open[0]);
    }
    struct blocks_transfer *t = &b->open[b->n++];
    *t = (struct blocks_transfer){.kind = part->kind, .way = part->way};
    return t;
}

static size_t end_of(const struct blocks_transfer *t, uint32_t block)
{
    uint32_t end = 0;
    if (block > 0)
        memcpy(&end, t->ends.p + (size_t)(block - 1) * sizeof end, sizeof end);
    return end;
}

static bool is_same(const struct blocks_transfer *t, const struct blocks_part *part)
{
    const size_t from = end_of(t, part->number - 1), to = end_of(t, part->number);
    return to - from == part->data.len &&
           (to == from || memcmp(t->data.p + from, part->data.p, to - from) == 0);
}

/* Other octets under a number that was there: what came from it on is void. */
static void rewind_to(struct decode_blocks *b, struct blocks_transfer *t, uint32_t number)
{
    if (number == 1)
        give_up(b, t, "then a new transfer began");
    t->n = number - 1;
    octets_cut(&t->data, end_of(t, t->n));
    octets_cut(&t->ends, t->n * sizeof(uint32_t));
}

struct blocks_transfer *blocks_add(struct decode_blocks *b, const struct blocks_part *part)
{
    char text[120];
    struct blocks_transfer *t = find(b, part);
    if (t == NULL && part->number == 1)
        t = begin(b, part);
    if (t == NULL && part->kind == BLOCKS_GENERAL) {
        snprintf(text, sizeof text,
                 "general block transfer: block %u came without those before it (%zu octets)",
                 part->number, part->data.len);
        tell(b, text);
    }
    if (t == NULL || part->number == 0 || part->number > t->n + 1) {
        json_decref(part->about);
        return NULL; /* its beginning was not seen, or one before it is missing */
    }
    if (part->number <= t->n && is_same(t, part)) {
        json_decref(part->about);
        return NULL;
    }
    if (part->number <= t->n)
        rewind_to(b, t, part->number);
    octets_add(&t->data, part->data.p, part->data.len);
    const uint32_t end = (uint32_t)t->data.len;
    octets_add(&t->ends, &end, sizeof end);
    t->n++;
    if (part->about != NULL) {
        json_decref(t->about);
        t->about = part->about;
    }
    return part->last ? t : NULL;
}

void blocks_end(struct decode_blocks *b)
{
    while (b->n > 0) {
        give_up(b, &b->open[0], "the next one did not");
        blocks_done(b, &b->open[0]);
    }
}

void blocks_free(struct decode_blocks *b)
{
    while (b->n > 0)
        blocks_done(b, &b->open[0]);
    json_decref(b->lost);
    *b = (struct decode_blocks){0};
}
