/* Logical names and what follows them in the body of a push. */
#ifndef FERRARIS_CLI_DECODE_VALUES_H
#define FERRARIS_CLI_DECODE_VALUES_H

#include <jansson.h>

/* From a typed tree (value_tree) to [{"obis","name","value","unit","raw","scaler"}]: pairs of name
 * and value, with the scaler and unit behind them; or, where the body begins with its own list of
 * capture objects, the members in the order of that list. The caller owns it. */
json_t *decode_values(const json_t *tree);

#endif
