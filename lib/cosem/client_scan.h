/* Finds the end of an A-XDR value that arrives in pieces, without keeping its octets.
 *
 * The client streams long answers block by block; a block ends anywhere, also inside a length. The
 * scan knows after each octet whether the value is complete, so that answers of a list can be told
 * apart and a cut or padded value is noticed. Values are not interpreted. */
#ifndef FERRARIS_COSEM_CLIENT_SCAN_H
#define FERRARIS_COSEM_CLIENT_SCAN_H

#include "lib/dlms/axdr.h"

/* A level of nesting; a compact array needs a second one for its type description. */
#define CLIENT_SCAN_LEVELS (AXDR_DEPTH_MAX + 3)

struct client_scan { /* private to client_scan.c but for the comment below */
    uint8_t depth;   /* levels open; 0: complete */
    uint8_t state;
    uint8_t tag;           /* of the value whose length is being read */
    uint8_t length_octets; /* of the length still to come */
    uint32_t length;
    uint32_t skip; /* octets of content still to come */
    uint8_t kind[CLIENT_SCAN_LEVELS];
    uint32_t left[CLIENT_SCAN_LEVELS]; /* [1]: elements the outermost array still lacks */
};

void client_scan_init(struct client_scan *s);
/* Takes octets up to the end of the value and gives in *used how many. ERR_OK also when more are
 * needed (client_scan_complete tells), ERR_FORMAT (unknown tag, length), ERR_DEPTH. */
MUST_CHECK enum err client_scan_feed(struct client_scan *s, struct bytes part, size_t *used);
bool client_scan_complete(const struct client_scan *s);
/* Elements of the outermost array or structure not yet complete; 0 for other values. */
uint32_t client_scan_elements_left(const struct client_scan *s);

#endif
