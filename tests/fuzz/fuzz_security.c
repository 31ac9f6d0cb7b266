/* Fuzz target of ciphered APDUs: octets from outside are opened; own ones are sealed and damaged.
 *
 * What opens seals again to the same octets; what does not open gives no text; what was sealed
 * opens to the same text and, when authenticated, not after any one bit changed. */
#include "lib/dlms/security.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 1024

/* The keys of the Green Book's examples, so that the seeds open. */
static const uint8_t ek[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t ak[16] = {0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7,
                               0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF};
static const uint8_t title[DLMS_TITLE_LEN] = {'M', 'M', 'M', 0, 0, 0xBC, 'a', 'N'};

static void open_foreign(const uint8_t *data, size_t size)
{
    uint8_t *body = malloc(size + 1), sc, *plain;
    uint32_t counter;
    size_t plain_len, len = 0;
    memcpy(body, data, size);
    enum err err = dlms_open(ek, ak, title, body, size, &sc, &counter, &plain, &plain_len);
    CHECK((err == ERR_OK) == (plain != NULL));
    if (err == ERR_OK) {
        CHECK(plain == body + DLMS_HEAD_LEN && plain_len <= size - DLMS_HEAD_LEN);
        CHECK(dlms_seal(ek, ak, title, sc, counter, body, plain_len, size, &len) == ERR_OK);
        CHECK(len == size && memcmp(body, data, size) == 0);
    } else {
        CHECK(plain_len == 0);
    }
    free(body);
}

static void seal_and_damage(uint8_t sc, uint32_t bit, const uint8_t *text, size_t text_len)
{
    uint8_t body[BODY_MAX + DLMS_HEAD_LEN + 12], copy[sizeof body], *plain, got;
    uint32_t counter;
    size_t len, plain_len;
    memcpy(body + DLMS_HEAD_LEN, text, text_len);
    if (dlms_seal(ek, ak, title, sc, bit, body, text_len, sizeof body, &len) != ERR_OK) {
        return;
    }
    memcpy(copy, body, len);
    CHECK(dlms_open(ek, ak, title, body, len, &got, &counter, &plain, &plain_len) == ERR_OK);
    CHECK(got == sc && counter == bit && plain_len == text_len);
    CHECK(memcmp(plain, text, text_len) == 0);
    copy[bit / 8 % len] ^= (uint8_t)(1u << bit % 8);
    if (!(copy[0] & DLMS_SC_AUTH)) {
        return;
    }
    CHECK(dlms_open(ek, ak, title, copy, len, &got, &counter, &plain, &plain_len) != ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(data, size);
    uint8_t sc = rd_u8(&r);
    uint32_t bit = rd_u32(&r);
    open_foreign(data, size);
    if (!r.err && rd_left(&r) <= BODY_MAX) {
        seal_and_damage(sc, bit, data + r.pos, rd_left(&r));
    }
    return 0;
}
