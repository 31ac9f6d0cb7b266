/* Reading text files of instruments: lines, separated fields, numbers, over borrowed memory.
 *
 * Tolerates CR LF, CR, a missing last newline, a byte order mark, a trailing 0x1A (DOS end of file)
 * and blanks around fields. Nothing here allocates except text_file. */
#ifndef FERRARIS_SIM_TEXT_H
#define FERRARIS_SIM_TEXT_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span { /* borrowed characters, not terminated */
    const char *p;
    size_t len;
};

struct text {
    const char *p;
    size_t len, pos;
    size_t line; /* number of the line given last, from 1 */
};

struct text text_of(const void *p, size_t len);
/* The next line without its end; false at the end of the text (also at 0x1A as a line's first
 * octet). */
bool text_line(struct text *t, struct span *line);
/* The same, skipping empty lines. */
bool text_line_filled(struct text *t, struct span *line);
/* Cuts the next field off `rest`, blanks and one pair of double quotes removed; false when the line
 * is used up ("a," has two fields). Start with rest->p != NULL; after the last field rest->p is
 * NULL. */
bool text_field(struct span *rest, char separator, struct span *field);
size_t text_count(struct span line, char c);
struct span text_trim(struct span s);
bool text_is(struct span s, const char *word); /* equal, ignoring case */

enum text_number { TEXT_NUMBER, TEXT_EMPTY, TEXT_NOT_FINITE, TEXT_NO_NUMBER };
/* A decimal number. TEXT_NOT_FINITE for nan, inf or beyond the range of double. */
enum text_number text_real(struct span s, double *out);
/* A decimal integer 0..max; false otherwise. */
bool text_uint(struct span s, uint64_t max, uint64_t *out);
/* Copies with termination, cut at size; the copy is printable UTF-8: '?' for control characters,
 * and for all octets above 0x7F when the field as a whole is not UTF-8. */
void text_copy(char *to, size_t size, struct span s);

/* Reads a whole file (at most 1 GiB) into memory the caller frees. ERR_IO (errno says why),
 * ERR_MEMORY, ERR_UNSUPPORTED (too large). */
MUST_CHECK enum err text_file(const char *path, char **out, size_t *len);

#endif
