/* The prefix that leads an APDU through a gateway to a meter behind it (Green Book 10.10).
 *
 *     E6 | network id | length | physical device address | APDU      to the meter
 *     E7 | network id | length | physical device address | APDU      from the meter
 *
 * What an address is, and how long, is the gateway's affair: here it is octets. The codec serves
 * both sides; struct gateway_link is for clients: it goes between a client and its link to the
 * gateway, adds the prefix to what is sent, and checks and strips that of what comes. APDUs without
 * the prefix, or with that of another meter, are dropped: they are no answer of this one. */
#ifndef FERRARIS_DLMS_GATEWAY_H
#define FERRARIS_DLMS_GATEWAY_H

#include "lib/dlms/link.h"

#define GATEWAY_REQUEST     0xE6u
#define GATEWAY_RESPONSE    0xE7u
#define GATEWAY_ADDRESS_MAX 32 /* the length octet would allow more; nobody needs it */
#define GATEWAY_HEAD_MAX    (3 + GATEWAY_ADDRESS_MAX)

struct gateway_prefix {
    bool response;
    uint8_t network;
    uint8_t address_len; /* 0..GATEWAY_ADDRESS_MAX */
    uint8_t address[GATEWAY_ADDRESS_MAX];
};

/* True when the first octet is that of a prefix. */
bool gateway_is_prefixed(struct bytes apdu);
/* *inner: the APDU behind the prefix, a view. ERR_TYPE (no prefix), ERR_TRUNCATED (prefix cut, or
 * no APDU behind it), ERR_RANGE (address too long). */
MUST_CHECK enum err gateway_decode(struct bytes apdu, struct gateway_prefix *out,
                                   struct bytes *inner);
/* ERR_FULL, and ERR_RANGE (address too long), stick in w. */
void gateway_put(struct wr *w, const struct gateway_prefix *prefix);
/* "1:0102AB": network id in decimal, address in hex. ERR_FORMAT, ERR_RANGE. */
MUST_CHECK enum err gateway_parse(const char *text, struct gateway_prefix *out);

struct gateway_link {
    struct dlms_link link;
    struct gateway_prefix prefix;
    uint32_t n_dropped; /* APDUs that were no answer of this meter: for diagnostics */
    /* private */
    struct dlms_link *inner;
    uint8_t *buf; /* prefix and APDU that leaves */
    size_t size;
};
/* `inner` is initialised and the caller's, as is `buffer`: GATEWAY_HEAD_MAX and the longest APDU to
 * send. ERR_RANGE (address too long, buffer below its prefix). */
MUST_CHECK enum err gateway_link_init(struct gateway_link *l, struct dlms_link *inner,
                                      const struct gateway_prefix *prefix, uint8_t *buffer,
                                      size_t size);

#endif
