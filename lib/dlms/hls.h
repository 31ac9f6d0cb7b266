/* High level security: the proofs f(challenge) of passes 3 and 4, both roles. Green Book 9.2.7.4.
 *
 * Each side proves that it knows the secret by answering the other's challenge:
 *     HLS 2  a secret algorithm of the manufacturer's: a function of the caller's
 *     HLS 3  MD5(challenge || secret)                       weak, see crypto_digest
 *     HLS 4  SHA-1(challenge || secret)                     weak
 *     HLS 5  SC || IC || GMAC(SC || AK || challenge)
 *     HLS 6  SHA-256(secret || prover's title || verifier's title || challenge || the prover's own)
 * A verifier must have chosen its challenge at random and differently from the prover's, and both
 * sides have different titles: else a peer could send back our own proof. */
#ifndef FERRARIS_DLMS_HLS_H
#define FERRARIS_DLMS_HLS_H

#include "lib/dlms/security.h"
#include "lib/wire/dlms.h"

#define DLMS_HLS_MAX 64 /* octets of a proof */

/* What a proof is made of; all borrowed. */
struct dlms_hls {
    struct bytes secret;        /* HLS 2, 3, 4, 6; must not be empty */
    struct bytes challenge;     /* chosen by the verifier */
    struct bytes own_challenge; /* chosen by the prover; HLS 6 */
    const uint8_t *prover;      /* system title; HLS 5, 6 */
    const uint8_t *verifier;    /* system title; HLS 6 */
    struct crypto_gcm *gcm;     /* HLS 5: ready with guek */
    const uint8_t *ak;          /* HLS 5: 16 octets */
    uint32_t counter; /* HLS 5: of the prover; in for make, set by check. From the same numbers as
                         its ciphered APDUs: both use the same key and nonce space. */
    /* HLS 2: writes f to out, at most DLMS_HLS_MAX octets. NULL: HLS 2 is refused. */
    enum err (*algorithm)(void *context, struct bytes secret, struct bytes challenge, uint8_t *out,
                          size_t *len);
    void *context;
};

/* make: ERR_KEY (something is missing), ERR_UNSUPPORTED (no algorithm, a hash this build has not),
 * ERR_IO. check: ERR_TAG (wrong proof) too. */
struct dlms_hls_method {
    uint8_t mechanism; /* DLMS_MECHANISM_* */
    bool needs_titles;
    bool needs_secret;
    enum err (*make)(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len);
    enum err (*check)(struct dlms_hls *h, struct bytes proof);
};
/* A build names those it wants; the others are not linked. */
extern const struct dlms_hls_method dlms_hls2, dlms_hls3, dlms_hls4, dlms_hls5, dlms_hls6;

#endif
