/* Logical names as text: "1-0:1.8.0.255". IEC 62056-6-1. */
#ifndef FERRARIS_COSEM_OBIS_H
#define FERRARIS_COSEM_OBIS_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

#define OBIS_TEXT 24 /* "255-255:255.255.255.255" and its zero */

/* Accepts "1-0:1.8.0.255", "1-0:1.8.0*255", "1-0:1.8.0" (F = 255) and "1.0.1.8.0.255", whole text.
 * ERR_FORMAT, ERR_RANGE (a group above 255). */
MUST_CHECK enum err obis_parse(const char *text, uint8_t ln[6]);
void obis_print(const uint8_t ln[6], char out[OBIS_TEXT]);

#endif
