/* Names and units of the legal part's parameters, for those who show or load them by name. A meter
 * needs neither: its image leaves this file out. */
#include "firmware/legal/legal.h"

static const struct legal_parameter_row row[LEGAL_N_PARAMETERS] = {
#define PARAMETER(name, count, min, max, unit, level)                                              \
    {#name, unit, count, LEGAL_LEVEL_##level, min, max},
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
};

const struct legal_parameter_row *legal_parameter_row(enum legal_parameter id)
{
    return (unsigned)id < LEGAL_N_PARAMETERS ? &row[id] : NULL;
}
