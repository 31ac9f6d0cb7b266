/* An A-XDR value as one line of text, for messages, tests and the decoder.
 *
 * Notation: null, true, u32 5, i16 -3, enum 30, os 0100010800FF, vs "abc", bits 1010, f32 3F800000
 * (octets), structures {a, b}, arrays [a, b]. Floats stay octets: this room has no floating point.
 */
#ifndef FERRARIS_DLMS_AXDR_TEXT_H
#define FERRARIS_DLMS_AXDR_TEXT_H

#include "lib/dlms/axdr.h"

/* Reads one value from r and writes its text (not zero-terminated) to w. Errors stick in each. */
void axdr_text(struct rd *r, struct wr *w);

#endif
