/* The panel's command `parameter`: what the factory wrote into a virtual meter, and new values
 * while the seal is open. Every try to change one is in the meter's audit trail. */
#ifndef FERRARIS_CLI_PANEL_PARAMETER_H
#define FERRARIS_CLI_PANEL_PARAMETER_H

#include "firmware/meter/meter.h"

#include <stddef.h>

/* words: "NAME" (values, range, unit, level), "NAME VALUE" or "NAME[INDEX] VALUE", names as in
 * legal_parameter.def, upper or lower case. The answer is a panel_fn's. Parameters of the owner are
 * set over DLMS as long as the seal is closed. */
void panel_parameter(struct meter *m, const char *words, char *answer, size_t size);

#endif
