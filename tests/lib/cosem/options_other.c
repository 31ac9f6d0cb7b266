/* The fingerprint a program with a larger client table has: see test_options.c. */
#define COSEM_CLIENTS_MAX 9
#include "lib/cosem/options.h"

extern const uint32_t other_options;
const uint32_t other_options = COSEM_OPTIONS;
