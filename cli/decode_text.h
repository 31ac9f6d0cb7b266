/* Lines of text to octets: bare hex, hex dumps, logs with times and words around the hex.
 *
 * Understood between octets: spaces, tabs, commas, semicolons, colons, dashes; 0x, \x and x before
 * them; quotes and brackets around them. A line of hex alone must be a frame, an APDU or a part of
 * one. In a line with other words in it the hex counts where it makes sense or is long; lines
 * without it are a log's own; a line with the words of the one before, times apart, goes on with
 * its octets. Octets masked with X, * or ? are read as 0, and check sums over them count for
 * nothing. Lines that begin with # are comments. */
#ifndef FERRARIS_CLI_DECODE_TEXT_H
#define FERRARIS_CLI_DECODE_TEXT_H

#include "cli/decode_stream.h"

struct decode_text { /* all zeros and `stream`: a new one */
    struct decode_stream *stream;
    size_t dump_at;               /* octets of the hex dump so far */
    size_t n_words;               /* lines of words that were passed over */
    struct octets octets, starts; /* of the present line; starts: where its words of octets begin */
    struct octets head;           /* what stood in front of the octets of the line before */
    char *broken;                 /* a line that ended within an octet; NULL: none */
    unsigned broken_number;
};
/* number: from 1, for messages. A line of digits that ends within an octet is kept for the next
 * one. */
void decode_text_line(struct decode_text *t, const char *line, unsigned number);
void decode_text_end(
    struct decode_text *t); /* before the stream's end, which is the caller's; frees */

#endif
