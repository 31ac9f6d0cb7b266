/* Whole frames: their segments put together, their APDUs decoded. Used by decode_stream.c. */
#ifndef FERRARIS_CLI_DECODE_LINK_H
#define FERRARIS_CLI_DECODE_LINK_H

#include "cli/decode_stream.h"

/* Each gives true when an entry came of it. */
bool decode_link_hdlc(struct decode_stream *s, const struct hdlc_frame *f, bool sums_right);
bool decode_link_mbus(struct decode_stream *s, const struct mbus_frame *f);
bool decode_link_wrapper(struct decode_stream *s, struct bytes frame);
/* With the LLC octets of HDLC or IEC 61334-4-32, or a gateway's prefix, or nothing in front. */
bool decode_link_bare(struct decode_stream *s, struct bytes b);
enum decode_shape decode_link_shape(struct bytes b); /* of the same */
bool decode_link_can_begin(uint8_t octet);           /* an APDU or a prefix */
void decode_link_end(struct decode_stream *s);       /* tells what is still open */

#endif
