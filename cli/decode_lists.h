/* Push lists whose members have no names, or names without scaler and unit: what the makers'
 * descriptions of their customer interfaces say. */
#ifndef FERRARIS_CLI_DECODE_LISTS_H
#define FERRARIS_CLI_DECODE_LISTS_H

#include <jansson.h>

/* A body of bare values in a known order: appends them to `values` and gives the list's name; NULL
 * where no list fits. */
const char *decode_known_list(json_t *values, const json_t *tree);
/* Names came with the values but scaler and unit did not: completes `values` where the list's
 * version is known and gives its name; NULL otherwise. */
const char *decode_known_scalers(json_t *values, const json_t *tree);

#endif
