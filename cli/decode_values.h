/* Logical names and what belongs to them, from typed trees. */
#ifndef FERRARIS_CLI_DECODE_VALUES_H
#define FERRARIS_CLI_DECODE_VALUES_H

#include <jansson.h>

/* Sets "values" of an entry from the body of a push: [{"obis", "name", "value", "unit", "raw",
 * "scaler"}]. Four arrangements are known: structures {name, value, {scaler, unit}}, one flat list
 * of names and values, a list of capture objects followed by bare values, and lists without names
 * whose version is known (decode_lists.h; "list" of the entry then names it). What fits none of
 * them gives no values. tree NULL: none. */
void decode_put_values(json_t *entry, const json_t *tree);
/* Appends one value of a known target ({"class", "obis", "id"}) to "values", as an answer to a
 * request gives it. target NULL: not known, nothing is done. */
void decode_put_named(json_t *entry, const json_t *target, const json_t *tree);

/* For decode_lists.c. Appends {name, value}; gives the new entry, borrowed. */
json_t *decode_add_value(json_t *values, const unsigned char ln[6], const json_t *node);
void decode_set_scaler(json_t *value, int scaler, unsigned char unit);

#endif
