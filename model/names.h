/* What an object of our meters is called: the row's words and which instance of the row it is.
 *
 * "Active energy import (+A), tariff 2", "Voltage, L1", "Current, L2, channel 1
 * (primary)". Words in
 * parentheses explain; the rest is what headend/api/obis_name.h makes of the code alone. */
#ifndef FERRARIS_MODEL_NAMES_H
#define FERRARIS_MODEL_NAMES_H

#include "lib/cosem/model.h"

#define MODEL_NAME_MAX 96 /* with the zero */

/* Cut where `size` (1 or more) is too small. o: of model_rows. */
void model_name(const struct cosem_ref *o, char *to, size_t size);

#endif
