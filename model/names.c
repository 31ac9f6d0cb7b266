/* See names.h. */
#include "model/names.h"

#include "model/objects.h"

#include <string.h>

/* Blue Book, losses: three kinds, each import, export, sum. */
static const char *const losses[] = {"on-load, import", "on-load, export", "on-load, sum",
                                     "no-load, import", "no-load, export", "no-load, sum",
                                     "total, import",   "total, export",   "total, sum"};
/* In the order of enum pq_kind. */
static const char *const kinds[] = {"dip",
                                    "swell",
                                    "interruption",
                                    "under-voltage",
                                    "over-voltage",
                                    "missing potential",
                                    "current without voltage",
                                    "reversed current",
                                    "phase sequence",
                                    "neutral break",
                                    "bypass",
                                    "over-current",
                                    "voltage unbalance",
                                    "current unbalance",
                                    "distorted input"};
/* By E of the log's object. */
static const char *const logs[] = {
    "standard", "fraud", "disconnector",  "",        "power quality", "power quality (DSMR)",
    "",         "load",  "configuration", "security"};
static const char *const sequences[] = {"zero sequence", "positive sequence", "negative sequence"};

/* What there is room for; always a string. */
static void append(char *to, size_t size, const char *text)
{
    const size_t at = strlen(to);
    size_t n = strlen(text);
    n = n < size - 1 - at ? n : size - 1 - at;
    memcpy(to + at, text, n);
    to[at + n] = '\0';
}

static void append_number(char *to, size_t size, const char *text, unsigned number)
{
    const char digit[] = {(char)('0' + number % 10), '\0'}; /* ranges have no more */
    append(to, size, text);
    append(to, size, digit);
}

static void append_instance(const struct cosem_ref *o, char *to, size_t size)
{
    const uint8_t flags = o->row->kind->flags;
    const enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    const unsigned phase = (flags & MODEL_WITH_TOTAL) != 0 ? o->i : o->i + 1u;
    if ((flags & (MODEL_BY_PHASE | MODEL_WITH_TOTAL)) != 0) {
        if (phase > 0)
            append_number(to, size, ", L", phase);
    } else if (q == MODEL_LOSS_ACTIVE || q == MODEL_LOSS_REACTIVE) {
        append(to, size, ", ");
        append(to, size, losses[o->i % 9]);
    } else if (q == MODEL_SEQUENCE_U || q == MODEL_SEQUENCE_I) {
        append(to, size, ", ");
        append(to, size, sequences[o->i % 3]);
    } else if (q >= MODEL_LIMIT_ON && q <= MODEL_LIMIT_OFF_MS) {
        append(to, size, ", ");
        append(to, size, kinds[o->i % 15]);
    } else if (q >= MODEL_LOG && q <= MODEL_LOG_FILTER) {
        append(to, size, ", ");
        append(to, size, logs[o->i % (sizeof logs / sizeof *logs)]);
    } else if (o->row->kind->range[0].n > 1) {
        append_number(to, size, " ", o->i + 1u);
    }
}

void model_name(const struct cosem_ref *o, char *to, size_t size)
{
    const uint8_t flags = o->row->kind->flags;
    to[0] = '\0';
    append(to, size, o->row->name);
    if ((flags & MODEL_BY_RATE) != 0 && o->j > 0)
        append_number(to, size, ", tariff ", o->j);
    append_instance(o, to, size);
    if ((flags & MODEL_PRIMARY) != 0)
        append(to, size, ", channel 1 (primary)");
}
