/* Fuzz target of the association and service codecs: what one reads, the other writes, and reading
 * that again writes the same octets (the first octet of the input chooses the codec). */
#include "lib/dlms/acse.h"
#include "lib/dlms/apdu.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Reads the APDU and writes it again; false where it was refused. */
static bool rewrite(uint8_t kind, struct rd *r, struct wr *w)
{
    struct acse_aarq aarq;
    struct acse_aare aare;
    struct acse_release release;
    struct dlms_initiate initiate;
    struct apdu_request q;
    struct apdu_response a;
    switch (kind % 8) {
    case 0:
        acse_get_aarq(r, &aarq);
        acse_put_aarq(w, &aarq);
        break;
    case 1:
        acse_get_aare(r, &aare);
        acse_put_aare(w, &aare);
        break;
    case 2:
        acse_get_release(r, DLMS_RLRQ, &release);
        acse_put_release(w, DLMS_RLRQ, &release);
        break;
    case 3:
        acse_get_release(r, DLMS_RLRE, &release);
        acse_put_release(w, DLMS_RLRE, &release);
        break;
    case 4:
        initiate_get_request(r, &initiate);
        initiate_put_request(w, &initiate);
        break;
    case 5:
        initiate_get_response(r, &initiate);
        initiate_put_response(w, &initiate);
        break;
    case 6:
        apdu_get_request(r, &q);
        apdu_put_request(w, &q);
        break;
    default:
        apdu_get_response(r, &a);
        apdu_put_response(w, &a);
        break;
    }
    return r->err == ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t once[8192], twice[8192];
    if (size < 1 || size > 4096)
        return 0;
    uint8_t *exact = malloc(size); /* of exact size, for the address sanitizer */
    CHECK(exact);
    memcpy(exact, data, size);
    struct rd r = rd_of(exact + 1, size - 1);
    struct wr w = wr_of(once, sizeof once);
    if (rewrite(data[0], &r, &w)) {
        CHECK(w.err == ERR_OK);
        struct rd again = rd_of(once, w.len);
        struct wr second = wr_of(twice, sizeof twice);
        CHECK(rewrite(data[0], &again, &second));
        CHECK(second.len == w.len && memcmp(once, twice, w.len) == 0);
    }
    free(exact);
    return 0;
}
