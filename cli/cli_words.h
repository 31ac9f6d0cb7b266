/* How far two words are apart, for "did you mean". */
#ifndef FERRARIS_CLI_WORDS_H
#define FERRARIS_CLI_WORDS_H

/* Edits (insert, delete, replace, swap of neighbours) between two words; words longer than 31
 * characters count as far apart. */
unsigned cli_distance(const char *a, const char *b);

#endif
