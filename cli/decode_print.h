/* Entries of `decode` for a person. */
#ifndef FERRARIS_CLI_DECODE_PRINT_H
#define FERRARIS_CLI_DECODE_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* tree: the whole typed value, too, where values were found in it. */
void decode_print(const json_t *entry, bool tree, FILE *to);

#endif
