/* Names, units and limits of the legal part's parameters, for those who show or load them by name.
 * A meter tells the names alone, in its audit trail: of this file its image has no more. */
#include "firmware/legal/legal.h"

static const struct legal_parameter_row row[LEGAL_N_PARAMETERS] = {
#define PARAMETER(name, count, min, max, unit, level)                                              \
    {#name, unit, count, LEGAL_LEVEL_##level, min, max},
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
};

/* One behind the other, since a pointer for each would take as much as a third of them. */
static const char names[] =
#define PARAMETER(name, count, min, max, unit, level) #name "\0"
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
    ;

const char *legal_parameter_name(enum legal_parameter id)
{
    const char *at = names;
    for (unsigned k = 0; k < (unsigned)id && k < LEGAL_N_PARAMETERS; k++)
        while (*at++ != '\0')
            continue;
    return at;
}

const struct legal_parameter_row *legal_parameter_row(enum legal_parameter id)
{
    return (unsigned)id < LEGAL_N_PARAMETERS ? &row[id] : NULL;
}
