/* The options this library was compiled with. See options.h. */
#include "lib/cosem/options.h"

bool cosem_options_fit(uint32_t options)
{
    return options == COSEM_OPTIONS;
}
