/* See table.h. */
#include "headend/keys/table.h"

#include <string.h>

static uint8_t peek(const struct table *t)
{
    return t->text.p[t->text.pos];
}

static bool at_end(const struct table *t)
{
    return rd_left(&t->text) == 0;
}

void table_begin(struct table *t, struct bytes text)
{
    memset(t, 0, sizeof *t);
    if (text.len >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        text.p += 3;
        text.len -= 3;
    }
    t->text = rd_of(text.p, text.len);
    t->line = 1;
    const void *end = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
    const size_t first = end != NULL ? (size_t)((const uint8_t *)end - text.p) : text.len;
    const bool semicolon =
        first > 0 && memchr(text.p, ';', first) != NULL && memchr(text.p, ',', first) == NULL;
    t->delimiter = semicolon ? ';' : ',';
}

static uint8_t take(struct table *t)
{
    const uint8_t c = rd_u8(&t->text);
    if (c == '\n')
        t->line++;
    return c;
}

/* The first reason stays. */
static void break_record(struct table *t, const char *why)
{
    if (t->why == NULL)
        t->why = why;
}

static void put(struct table *t, char c)
{
    if (t->used < sizeof t->room)
        t->room[t->used++] = c;
    else
        break_record(t, "the row is longer than 4000 characters");
}

static void put_octet(struct table *t, uint8_t c)
{
    if (c == '\0')
        break_record(t, "the row has a zero octet");
    else
        put(t, (char)c);
}

/* CR LF, LF or the end of the text. */
static bool at_line_end(const struct table *t)
{
    const size_t left = rd_left(&t->text);
    return left == 0 || peek(t) == '\n' ||
           (peek(t) == '\r' && left > 1 && t->text.p[t->text.pos + 1] == '\n');
}

/* After the opening quote, up to and with the closing one. */
static void take_quoted(struct table *t)
{
    while (!at_end(t)) {
        const uint8_t c = take(t);
        if (c != '"') {
            put_octet(t, c);
        } else if (!at_end(t) && peek(t) == '"') {
            put_octet(t, take(t));
        } else {
            return;
        }
    }
    break_record(t, "a quote is opened and not closed");
}

static void take_plain(struct table *t)
{
    while (!at_line_end(t) && peek(t) != (uint8_t)t->delimiter) {
        const uint8_t c = take(t);
        if (c == '"')
            break_record(t, "a quote stands inside a field without quotes around it");
        else if (c == '\r')
            break_record(t, "a carriage return stands without a line feed");
        put_octet(t, c);
    }
}

static void take_field(struct table *t)
{
    const size_t start = t->used;
    const bool quoted = !at_end(t) && peek(t) == '"';
    if (quoted) {
        take(t);
        take_quoted(t);
        if (!at_line_end(t) && peek(t) != (uint8_t)t->delimiter)
            break_record(t, "something stands behind a closing quote");
    } else {
        take_plain(t);
    }
    put(t, '\0');
    if (t->n >= TABLE_FIELDS_MAX) {
        break_record(t, "the row has too many fields");
    } else if (t->why == NULL) {
        t->quoted[t->n] = quoted;
        t->field[t->n++] = t->room + start;
    }
}

static void skip_line(struct table *t)
{
    while (!at_end(t) && take(t) != '\n')
        ;
}

static bool is_blank(const struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->field[i][strspn(t->field[i], " \t")] != '\0')
            return false;
    return true;
}

static void take_record(struct table *t)
{
    wipe(t->room, t->used);
    t->used = 0;
    t->n = 0;
    t->why = NULL;
    t->at_line = t->line;
    take_field(t);
    while (t->why == NULL && !at_line_end(t)) {
        take(t); /* the delimiter: a field ends nowhere else */
        take_field(t);
    }
    skip_line(t); /* the rest, which is the line end alone when all went well */
}

enum table_result table_next(struct table *t)
{
    while (!at_end(t)) {
        take_record(t);
        if (t->why != NULL)
            return TABLE_BROKEN;
        if (!is_blank(t))
            return TABLE_RECORD;
    }
    wipe(t->room, sizeof t->room);
    return TABLE_END;
}
