/* Fuzz target of the server: a conversation of hostile APDUs with a session of the example device.
 *
 * The first octet chooses the association the conversation begins in (none, public, LLS, HLS 5
 * plain or ciphered). Then come APDUs, each as a length octet and its octets; with the high bit of
 * the length set the APDU is protected with the right keys first, so that what is behind the
 * security is reached too. Whatever comes: the session answers with one whole frame a request, no
 * longer than agreed, or closes; it never waits for ever, and it still serves an honest client. */
#include "tests/lib/cosem/example.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct peer *p, const struct cosem_session *s)
{
    struct rd r = rd_of(p->frame, p->frame_len);
    if (p->frame_len == 0)
        return;
    CHECK(rd_u16(&r) == WRAPPER_VERSION && rd_u16(&r) == 1 && rd_u16(&r) == p->sap);
    CHECK(rd_u16(&r) == rd_left(&r) && rd_left(&r) > 0);
    uint8_t tag = p->frame[WRAPPER_HEAD_LEN];
    if (s->state == SESSION_ASSOCIATED && tag != DLMS_AARE && tag != DLMS_RLRE)
        CHECK(p->last_apdu_len <= s->max_pdu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t saps[] = {SAP_PUBLIC, SAP_READER, SAP_WRITER, SAP_MANAGER};
    static struct example x;
    static struct peer p, honest;
    struct acse_aare aare;
    if (size < 1 || size > 4096)
        return 0;
    example_init(&x);
    x.rows = 40;
    peer_init(&p, &x, saps[data[0] >> 1 & 3]);
    p.max_pdu = data[0] & 8 ? 96 : 512;
    if (data[0] & 1)
        CHECK(peer_connect(&p, &aare) == ACSE_ACCEPTED);
    for (size_t at = 1; at < size;) {
        uint8_t protected[192];
        size_t n = data[at] & 0x7F;
        bool protect = data[at++] & 0x80;
        n = n < size - at ? n : size - at;
        if (protect && n > 0 && p.sc) {
            size_t len = peer_protect(&p, data + at, n, protected, sizeof protected);
            (void)peer_raw(&p, protected, len);
        } else {
            (void)peer_raw(&p, data + at, n);
        }
        check_answer(&p, &x.session);
        at += n;
    }
    CHECK(!session_closed(&x.session));
    peer_init(&honest, &x, SAP_READER);
    CHECK(peer_connect(&honest, &aare) == ACSE_ACCEPTED);
    session_close(&x.session);
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        CHECK(x.server.n_associated[i] == 0);
    return 0;
}
