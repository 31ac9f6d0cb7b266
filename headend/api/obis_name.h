/* Names of objects for people, from their logical names: "Active energy import, L1".
 *
 * Built from the groups of IEC 62056-6-1 (C quantity, D processing, E tariff or harmonic), so that
 * meters nobody has seen before have names too. The words are those of our own meters' object list
 * (model/objects.c, without what stands there in parentheses; a test compares). What the tables do
 * not know is shown as its logical name, never guessed. */
#ifndef FERRARIS_HEADEND_OBIS_NAME_H
#define FERRARIS_HEADEND_OBIS_NAME_H

#include <stdint.h>

#define OBIS_NAME_TEXT 120

void obis_name(const uint8_t ln[6], char to[OBIS_NAME_TEXT]);

/* What one value of a profile's column is. */
enum obis_kind {
    OBIS_INTERVAL, /* energy of the recording interval: sums are good */
    OBIS_REGISTER, /* counts up: differences are good */
    OBIS_INSTANT   /* all else */
};
enum obis_kind obis_kind(const uint8_t ln[6]);
const char *obis_kind_text(enum obis_kind kind); /* "interval" ... */

#endif
