/* Records of a table of text, RFC 4180: fields, quotes, doubled quotes, line ends inside quotes.
 *
 * Knows nothing of what the columns mean. A record that is broken is passed over to the end of its
 * line and told as such; the next one is read as if nothing had been. Constant memory. */
#ifndef FERRARIS_HEADEND_TABLE_H
#define FERRARIS_HEADEND_TABLE_H

#include "lib/base/cursor.h"

#define TABLE_FIELDS_MAX 32
#define TABLE_ROOM       4096 /* octets of the fields of one record, with their zeros */

enum table_result { TABLE_RECORD, TABLE_BROKEN, TABLE_END };

struct table {
    struct rd text;
    char delimiter;
    unsigned line;                       /* of the next octet, from 1 */
    unsigned at_line;                    /* where the last record began */
    const char *why;                     /* of a broken record, constant */
    size_t n;                            /* fields of the last record */
    const char *field[TABLE_FIELDS_MAX]; /* terminated, into room; valid until the next record */
    bool quoted[TABLE_FIELDS_MAX];
    size_t used;
    char room[TABLE_ROOM];
};

/* Skips a byte order mark; the delimiter is the semicolon when the first line has one and no comma,
 * else the comma. text is borrowed. */
void table_begin(struct table *t, struct bytes text);
/* Lines without any field content are skipped. */
enum table_result table_next(struct table *t);

#endif
