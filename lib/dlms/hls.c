/* The five ways to prove a secret. Which of them an association accepts is not decided here, nor
 * whether a counter is fresh. */
#include "lib/dlms/hls.h"

static enum err make_secret(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len)
{
    if (!h->algorithm)
        return ERR_UNSUPPORTED;
    if (h->secret.len == 0)
        return ERR_KEY;
    *len = 0;
    enum err err = h->algorithm(h->context, h->secret, h->challenge, out, len);
    return err == ERR_OK && (*len == 0 || *len > DLMS_HLS_MAX) ? ERR_RANGE : err;
}

static enum err make_hash(enum crypto_hash hash, const struct dlms_hls *h, uint8_t *out,
                          size_t *len)
{
    const struct bytes parts[] = {h->challenge, h->secret};
    if (h->secret.len == 0)
        return ERR_KEY;
    *len = hash; /* the value is the length */
    return crypto_digest(hash, parts, 2, out);
}

static enum err make_md5(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len)
{
    return make_hash(CRYPTO_MD5, h, out, len);
}

static enum err make_sha1(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len)
{
    return make_hash(CRYPTO_SHA1, h, out, len);
}

static enum err make_sha256(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len)
{
    const struct bytes parts[] = {h->secret,
                                  {h->prover, DLMS_TITLE_LEN},
                                  {h->verifier, DLMS_TITLE_LEN},
                                  h->challenge,
                                  h->own_challenge};
    if (h->secret.len == 0 || !h->prover || !h->verifier)
        return ERR_KEY;
    *len = CRYPTO_SHA256;
    return crypto_digest(CRYPTO_SHA256, parts, sizeof parts / sizeof parts[0], out);
}

/* Makes the proof again and compares: right for every method whose proof is a function. */
static enum err check_again(const struct dlms_hls_method *m, const struct dlms_hls *h,
                            struct bytes proof)
{
    uint8_t right[DLMS_HLS_MAX];
    size_t len;
    enum err err = m->make(h, right, &len);
    if (err == ERR_OK && (proof.len != len || !ct_equal(proof.p, right, len)))
        err = ERR_TAG;
    wipe(right, sizeof right);
    return err;
}

static enum err check_secret(struct dlms_hls *h, struct bytes proof)
{
    return check_again(&dlms_hls2, h, proof);
}

static enum err check_md5(struct dlms_hls *h, struct bytes proof)
{
    return check_again(&dlms_hls3, h, proof);
}

static enum err check_sha1(struct dlms_hls *h, struct bytes proof)
{
    return check_again(&dlms_hls4, h, proof);
}

static enum err check_sha256(struct dlms_hls *h, struct bytes proof)
{
    return check_again(&dlms_hls6, h, proof);
}

/* A body of SC_AUTH whose text is the challenge, sent without it. */
static enum err gmac_begin(const struct dlms_hls *h, uint32_t counter, uint8_t head[DLMS_HEAD_LEN])
{
    const struct dlms_cipher c = {h->gcm, h->ak, h->prover};
    if (!h->prover)
        return ERR_KEY;
    enum err err = dlms_seal_begin(&c, DLMS_SC_AUTH, counter, head);
    return err ? err : crypto_gcm_auth_part(h->gcm, h->challenge.p, h->challenge.len);
}

static enum err make_gmac(const struct dlms_hls *h, uint8_t out[DLMS_HLS_MAX], size_t *len)
{
    enum err err = gmac_begin(h, h->counter, out);
    *len = DLMS_GMAC_LEN;
    return err ? err : crypto_gcm_finish(h->gcm, out + DLMS_HEAD_LEN, CRYPTO_GCM_TAG);
}

static enum err check_gmac(struct dlms_hls *h, struct bytes proof)
{
    uint8_t head[DLMS_HEAD_LEN], right[CRYPTO_GCM_TAG];
    struct rd r = rd_of(proof.p, proof.len);
    uint8_t sc = rd_u8(&r);
    uint32_t counter = rd_u32(&r);
    struct bytes tag = rd_bytes(&r, CRYPTO_GCM_TAG);
    if (r.err != ERR_OK || rd_left(&r) != 0 || sc != DLMS_SC_AUTH)
        return ERR_TAG;
    enum err err = gmac_begin(h, counter, head);
    if (!err)
        err = crypto_gcm_finish(h->gcm, right, sizeof right);
    if (!err && !ct_equal(right, tag.p, sizeof right))
        err = ERR_TAG;
    if (!err)
        h->counter = counter;
    wipe(right, sizeof right);
    return err;
}

const struct dlms_hls_method dlms_hls2 = {.mechanism = DLMS_MECHANISM_HLS2,
                                          .needs_secret = true,
                                          .make = make_secret,
                                          .check = check_secret};
const struct dlms_hls_method dlms_hls3 = {
    .mechanism = DLMS_MECHANISM_HLS3, .needs_secret = true, .make = make_md5, .check = check_md5};
const struct dlms_hls_method dlms_hls4 = {
    .mechanism = DLMS_MECHANISM_HLS4, .needs_secret = true, .make = make_sha1, .check = check_sha1};
const struct dlms_hls_method dlms_hls5 = {
    .mechanism = DLMS_MECHANISM_HLS5, .needs_titles = true, .make = make_gmac, .check = check_gmac};
const struct dlms_hls_method dlms_hls6 = {.mechanism = DLMS_MECHANISM_HLS6,
                                          .needs_titles = true,
                                          .needs_secret = true,
                                          .make = make_sha256,
                                          .check = check_sha256};
