/* Security suite 0 (AES-GCM-128): ciphered APDUs, HLS 5, invocation counters. Green Book 9.2.
 *
 * struct dlms_keys holds what both sides share; it is borrowed and must outlive its users.
 * A long-lived user keeps a struct crypto_gcm per key (dlms_seal_with, dlms_open_with); for a
 * single APDU there are dlms_seal and dlms_open. Counters: a sender never uses a (key, counter)
 * pair twice, also not after a power cut: numbers are reserved in blocks through a store before
 * use. */
#ifndef FERRARIS_DLMS_SECURITY_H
#define FERRARIS_DLMS_SECURITY_H

#include "lib/crypto/crypto.h"

#define DLMS_TITLE_LEN    8
#define DLMS_SC_AUTH      0x10u /* security control bits, suite 0 in the low nibble */
#define DLMS_SC_ENC       0x20u
#define DLMS_SC_BROADCAST 0x40u

struct dlms_keys {
    uint8_t guek[16]; /* global unicast encryption key (EK) */
    uint8_t gak[16];  /* global authentication key (AK) */
    uint8_t kek[16];  /* master key, wraps the others */
    bool has_guek, has_gak, has_kek;
};

/* Sender's counter. next..limit-1 may be used; at limit the store must grant more before anything
 * is sent. */
struct dlms_counter_store {
    void *context;
    /* Makes durable that counters below `limit` count as used; then they may be. A store that
     * several senders share may first raise the counter's `next` above what the others have
     * reserved; it then makes a block of the same size from there durable. ERR_IO, ERR_FULL. */
    enum err (*reserve)(void *context, uint32_t limit);
};
#define DLMS_COUNTER_BLOCK 256u
struct dlms_counter {
    uint32_t next, limit;
    const struct dlms_counter_store *
        store; /* NULL: counters live only as long as this struct (a client that reads them back) */
};
/* After a restart start with the stored limit: next = limit = stored. ERR_COUNTER at 2^32 - 1, or
 * the store's error. */
MUST_CHECK enum err dlms_counter_take(struct dlms_counter *c, uint32_t *out);

/* A ciphered body: SC (1), IC (4), text, tag (12 when SC_AUTH). */
#define DLMS_HEAD_LEN 5

/* Ciphers an APDU body in place inside `buf`, which holds the plain APDU at offset DLMS_HEAD_LEN
 * and must have room for the 12-octet tag behind it when SC_AUTH.
 * key: guek or a dedicated key; ak: needed with SC_AUTH, may be NULL without. title: the sender's.
 * counter: from dlms_counter_take(), once per call; a failed call has used it up.
 * sc: SC_AUTH (text stays readable), SC_ENC or both. SC_BROADCAST may be added: it is sent and
 * authenticated but chooses nothing here; the caller then passes the broadcast key as `key`.
 * Gives SC||IC||text[||tag] = buf[0 .. *out_len). ERR_FULL (buf_size), ERR_KEY (NULL),
 * ERR_UNSUPPORTED (another suite, compression, or neither SC_AUTH nor SC_ENC), ERR_IO (backend);
 * after an error buf must not be sent. */
MUST_CHECK enum err dlms_seal(const uint8_t key[16], const uint8_t ak[16],
                              const uint8_t title[DLMS_TITLE_LEN], uint8_t sc, uint32_t counter,
                              uint8_t *buf, size_t plain_len, size_t buf_size, size_t *out_len);
/* Reverse, in place: buf = SC||IC||text[||tag]. *plain points into buf.
 * *sc and *counter are set as soon as they can be read, for logs; they are proven only after ERR_OK
 * with SC_AUTH. The caller must still: refuse an *sc weaker than its policy, refuse SC_BROADCAST
 * (buf[0], before the call) unless `key` is the broadcast key, refuse a *counter not above the
 * last. ERR_TRUNCATED, ERR_TAG, ERR_KEY, ERR_UNSUPPORTED (suite, bits), ERR_IO; then *plain is
 * NULL, and after ERR_TAG and ERR_IO the text in buf is wiped. */
MUST_CHECK enum err dlms_open(const uint8_t key[16], const uint8_t ak[16],
                              const uint8_t title[DLMS_TITLE_LEN], uint8_t *buf, size_t len,
                              uint8_t *sc, uint32_t *counter, uint8_t **plain, size_t *plain_len);
/* The same with a key that is ready: gcm holds guek or a dedicated key (crypto_gcm_key). */
struct dlms_cipher { /* of one direction; all borrowed */
    struct crypto_gcm *gcm;
    const uint8_t *ak;    /* 16 octets; NULL where nothing is authenticated */
    const uint8_t *title; /* DLMS_TITLE_LEN octets, the sender's */
};
struct dlms_body { /* seal: in sc, counter, buf, size, text_len; out len.
                      open: in buf, len; out sc, counter, text, text_len. */
    uint8_t sc;
    uint32_t counter;
    uint8_t *buf;
    size_t size, len;
    uint8_t *text;
    size_t text_len;
};
/* As dlms_seal and dlms_open; ERR_KEY also where gcm is not ready. */
MUST_CHECK enum err dlms_seal_with(const struct dlms_cipher *c, struct dlms_body *b);
MUST_CHECK enum err dlms_open_with(const struct dlms_cipher *c, struct dlms_body *b);

/* Sealing of a body whose text comes in parts, when the whole is longer than any buffer: begin
 * writes SC||IC to head; part treats the next octets of the text in place; end writes the tag
 * and gives its length, 0 without SC_AUTH. gcm is this text's alone until the end. The errors of
 * dlms_seal but ERR_FULL, and ERR_STATE (order). */
MUST_CHECK enum err dlms_seal_begin(const struct dlms_cipher *c, uint8_t sc, uint32_t counter,
                                    uint8_t head[DLMS_HEAD_LEN]);
MUST_CHECK enum err dlms_seal_part(const struct dlms_cipher *c, uint8_t sc, uint8_t *text,
                                   size_t len);
MUST_CHECK enum err dlms_seal_end(const struct dlms_cipher *c, uint8_t sc,
                                  uint8_t tag[CRYPTO_GCM_TAG], size_t *tag_len);

/* HLS 5 (Green Book 9.2.7): f(challenge) = SC(0x10) || IC || GMAC(SC||AK||challenge), 17
 * octets. title is the sender's of f. The counter comes from the same dlms_counter as the sender's
 * ciphered APDUs: both use the same key and nonce space. ERR_KEY, ERR_IO. */
#define DLMS_GMAC_LEN 17
MUST_CHECK enum err dlms_hls5_make(const struct dlms_keys *k, const uint8_t title[DLMS_TITLE_LEN],
                                   uint32_t counter, struct bytes challenge,
                                   uint8_t out[DLMS_GMAC_LEN]);
/* ERR_TAG, ERR_FORMAT (length, SC), ERR_KEY, ERR_IO; *counter is the sender's and set at ERR_OK
 * only. Both sides must have different titles, or a peer could send back our own f.
 * The other mechanisms, and this one with a key that is ready: hls.h. */
MUST_CHECK enum err dlms_hls5_check(const struct dlms_keys *k, const uint8_t title[DLMS_TITLE_LEN],
                                    struct bytes challenge, struct bytes f, uint32_t *counter);

#endif
