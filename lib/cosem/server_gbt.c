/* General block transfer at the server, both directions. Green Book 9.4.6.13; blocks, windows and
 * recovery: lib/dlms/gbt.h.
 *
 *         block 1 with data                last block of the request
 *     idle ---------------> gathering ------------------------------> answering
 *       ^                       | too long, out of rule: exception      |    ^
 *       |<----------------------'                                       |    | acknowledged: next
 *       |        any other request, end of association, error           '----'  window; lost: again
 *       '------------------------------------------------------------------'
 *     and: idle -> answering, where the answer to an ordinary request leaves so
 *
 * Facts: while gathering, the request's octets are store[0 .. in_len), bounded by COSEM_GBT_STORE.
 * From the moment it is dispatched the store belongs to the sender. What comes by GBT is answered
 * by GBT, also a short answer, which is then one block. A long one is generated on the way, as are
 * its ciphering and its tag. The length of a ciphered APDU stands at its beginning, so the stream
 * is read twice: first only counted. If it is another length the second time (a profile that
 * captured meanwhile) the transfer is aborted by an exception, never sent with a wrong length.
 *
 * The end of an answer is kept until the next request: the client may ask for it again. It also
 * does so with the request itself, where that was one block and nothing of the answer came: the
 * same octets then get the kept answer and are not served twice. A plain GET is: it does no harm,
 * and who never changes the invoke-id would read an old value for ever. */
#include "lib/cosem/server_parts.h"

#if COSEM_GBT_STORE > 0
#include "lib/base/crc.h"

#include <string.h>

#if COSEM_GBT_STORE < 256 || COSEM_GBT_STORE > 65535
#error "COSEM_GBT_STORE must be 0 or 256..65535"
#endif

/* Blocks in a row that the client may send: each is dealt with before the next is taken. */
#define OWN_WINDOW GBT_WINDOW_MAX
/* The store takes so many blocks at least, so that a window is worth its name. */
#define SLOTS 4

enum phase { PHASE_COPY_TX, PHASE_COPY_HEAD, PHASE_TEXT, PHASE_COPY_TAG, PHASE_END };

bool gbt_agreed(const struct cosem_session *s)
{
    return s->state == SESSION_ASSOCIATED && (s->conformance & DLMS_CONF_GENERAL_BLOCK);
}

bool gbt_requested(const struct cosem_session *s)
{
    return s->gbt.request;
}

void gbt_end(struct cosem_session *s)
{
    s->gbt.active = s->gbt.answering = s->gbt.request = false;
}

void gbt_forget(struct cosem_session *s)
{
    gbt_end(s);
    crypto_gcm_end(&s->gbt.seal);
    wipe(s->gbt.store, sizeof s->gbt.store);
}

static void abort_exchange(struct cosem_session *s, uint8_t service_error)
{
    gbt_end(s);
    reply_exception_frame(s, DLMS_STATE_SERVICE_NOT_ALLOWED, service_error);
}

/* ---- octets of the answer ---- */

static void copy_from(struct session_gbt *g, enum phase phase, size_t from, size_t len)
{
    g->phase = (uint8_t)phase;
    g->from = (uint16_t)from;
    g->left = (uint16_t)len;
}

/* Copies what is waiting; true when that was all of it. */
static bool copy_part(struct session_gbt *g, const uint8_t *p, struct wr *w)
{
    size_t n = g->left < wr_left(w) ? g->left : wr_left(w);
    wr_bytes(w, p + g->from, n);
    g->from = (uint16_t)(g->from + n);
    g->left = (uint16_t)(g->left - n);
    return g->left == 0;
}

/* The plain APDU has ended: is it as long as it was said to be? Then the tag. */
static enum err end_text(struct session_gbt *g)
{
    g->phase = PHASE_END;
    if (g->sc != 0 && g->made != g->expected)
        return ERR_STATE;
    size_t n = 0;
    enum err err = g->sc ? security_seal_end(&g->seal, g->sc, g->head, &n) : ERR_OK;
    if (n > 0)
        copy_from(g, PHASE_COPY_TAG, 0, n);
    return err;
}

/* Octets of the plain APDU, protected in place. */
static enum err text_part(struct cosem_session *s, struct wr *w)
{
    struct session_gbt *g = &s->gbt;
    size_t mark = w->len;
    size_t n = (size_t)(g->plain_len - g->plain_pos);
    bool done = false;
    n = n < wr_left(w) ? n : wr_left(w);
    wr_bytes(w, g->plain + g->plain_pos, n);
    g->plain_pos = (uint8_t)(g->plain_pos + n);
    if (g->plain_pos == g->plain_len && stream_fill(s, w, &done))
        return ERR_STATE; /* a getter that cannot go on */
    g->made += (uint32_t)(w->len - mark);
    if (g->sc != 0 && g->made > g->expected)
        return ERR_STATE;
    enum err err = ERR_OK;
    if (g->sc != 0)
        err = security_seal_part(&g->seal, g->sc, w->p + mark, w->len - mark);
    return !err && done ? end_text(g) : err;
}

/* gbt_sender.fill */
static enum err fill(void *context, uint8_t *to, size_t size, size_t *n, bool *end)
{
    struct cosem_session *s = context;
    struct session_gbt *g = &s->gbt;
    struct wr w = wr_of(to, size);
    enum err err = server_before_tell(s);
    while (!err && g->phase != PHASE_END && wr_left(&w) > 0) {
        switch ((enum phase)g->phase) {
        case PHASE_COPY_TX:
            if (copy_part(g, s->tx, &w))
                g->phase = PHASE_END;
            break;
        case PHASE_COPY_HEAD:
            if (copy_part(g, g->head, &w))
                g->phase = PHASE_TEXT;
            break;
        case PHASE_COPY_TAG:
            if (copy_part(g, g->head, &w))
                g->phase = PHASE_END;
            break;
        default:
            err = text_part(s, &w);
            break;
        }
    }
    *n = w.len;
    *end = g->phase == PHASE_END;
    return err;
}

/* ---- blocks ---- */

static void send_block(struct cosem_session *s, const struct gbt_block *b)
{
    struct wr w = wr_of(s->tx + COSEM_TX_PREFIX, sizeof s->tx - COSEM_TX_PREFIX);
    gbt_put(&w, b);
    reply_frame(s, COSEM_TX_PREFIX, w.len);
}

void gbt_next(struct cosem_session *s)
{
    struct session_gbt *g = &s->gbt;
    struct gbt_block b;
    if (!g->answering)
        return;
    if (gbt_sender_next(&g->tx, g->rx.acked, OWN_WINDOW, &b))
        send_block(s, &b);
    else if (g->tx.err)
        abort_exchange(s, DLMS_EXC_OPERATION_NOT_POSSIBLE);
}

/* window: blocks that the client takes in a row; 1 until it says more, also where it says 0: that
 * is for pushes, and blocks that were not kept could not go again. */
static bool begin_exchange(struct cosem_session *s, uint8_t window)
{
    struct session_gbt *g = &s->gbt;
    size_t room = s->max_pdu - GBT_HEAD_MAX, slot = sizeof g->store / SLOTS;
    g->tx.context = s;
    g->tx.fill = fill;
    g->tx.store = g->store;
    g->tx.store_size = sizeof g->store;
    g->tx.block_size = (uint16_t)(room < slot ? room : slot);
    g->in_len = 0;
    g->answering = false;
    gbt_receiver_init(&g->rx);
    g->active = gbt_sender_init(&g->tx, window > 0 ? window : 1) == ERR_OK;
    return g->active;
}

static void begin_answer(struct cosem_session *s)
{
    s->gbt.answering = true;
    s->gbt.request = false;
    gbt_next(s);
}

void gbt_answer(struct cosem_session *s, size_t start, size_t len)
{
    copy_from(&s->gbt, PHASE_COPY_TX, start, len);
    begin_answer(s);
}

/* ---- a long answer ---- */

/* Octets of the stream; false and an answer where it fails. tx serves as the place to write to. */
static bool count_stream(struct cosem_session *s, uint32_t *n)
{
    bool done = false;
    *n = 0;
    stream_rewind(s);
    while (!done) {
        struct wr w = wr_of(s->tx + COSEM_TX_HEAD, COSEM_PDU_MAX);
        enum cosem_result result = stream_fill(s, &w, &done);
        if (result) {
            answer_result(s, result);
            return false;
        }
        *n += (uint32_t)w.len;
    }
    return true;
}

/* Counter, head and key of a ciphered answer. */
static enum err begin_sealing(struct cosem_session *s)
{
    struct session_gbt *g = &s->gbt;
    struct wr head = wr_of(g->head, sizeof g->head);
    enum err err = security_seal_begin(s, &g->seal, g->plain[0], g->expected, &head);
    copy_from(g, PHASE_COPY_HEAD, 0, head.len);
    return err;
}

void gbt_answer_stream(struct cosem_session *s)
{
    struct session_gbt *g = &s->gbt;
    uint32_t n = 0;
    enum err err = ERR_OK;
    g->sc = s->request_sc;
    if (g->sc != 0 && !count_stream(s, &n))
        return;
    if (!g->request && !begin_exchange(s, 1)) {
        answer_result(s, COSEM_OTHER_REASON);
        return;
    }
    stream_rewind(s);
    g->plain_len = (uint8_t)answer_put_head(&s->transfer, g->plain);
    g->plain_pos = 0;
    g->made = 0;
    g->expected = n + g->plain_len;
    g->phase = PHASE_TEXT;
    if (g->sc != 0)
        err = begin_sealing(s);
    if (err)
        abort_exchange(s, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    else
        begin_answer(s);
}

/* ---- what the client sends ---- */

/* Whether this is the first block of a new request, and not one that comes again. */
static bool begins(struct session_gbt *g, const struct gbt_block *b)
{
    if (b->number != 1 || b->data.len == 0)
        return false;
    uint32_t crc = crc32_update(0, b->data.p, b->data.len);
    bool unheard = g->answering && g->tx.acked == 0 && b->ack == 0;
    bool whole = g->rx.acked == 1 && b->last && b->data.p[0] != DLMS_GET_REQUEST;
    if (g->active && g->rx.begun && crc == g->first_crc && (!g->rx.done || (unheard && whole)))
        return false;
    g->first_crc = crc;
    return true;
}

/* The request is whole. */
static void serve_request(struct cosem_session *s)
{
    struct session_gbt *g = &s->gbt;
    g->request = true;
    if (g->in_len > 0)
        server_serve(s, g->store, g->in_len);
    else
        abort_exchange(s, DLMS_EXC_OTHER_REASON);
    g->request = false;
}

static void gather(struct cosem_session *s, struct bytes data)
{
    struct session_gbt *g = &s->gbt;
    struct gbt_block b;
    if (data.len > sizeof g->store - g->in_len) {
        abort_exchange(s, DLMS_EXC_PDU_TOO_LONG);
        return;
    }
    if (data.len > 0)
        memcpy(g->store + g->in_len, data.p, data.len);
    g->in_len = (uint16_t)(g->in_len + data.len);
    if (g->rx.done) {
        serve_request(s);
    } else if (g->rx.answer) {
        gbt_sender_answer(&g->tx, g->rx.acked, OWN_WINDOW, &b);
        send_block(s, &b);
    }
}

void server_gbt(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    struct session_gbt *g = &s->gbt;
    struct gbt_block b;
    struct bytes data;
    struct rd r = rd_of(apdu, len);
    gbt_get(&r, &b);
    if (!gbt_agreed(s)) {
        abort_exchange(s, DLMS_EXC_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (r.err || (begins(g, &b) && !begin_exchange(s, b.window)) || !g->active ||
        gbt_receiver_block(&g->rx, &b, &data) || gbt_sender_ack(&g->tx, b.ack, b.window)) {
        abort_exchange(s, DLMS_EXC_OTHER_REASON);
        return;
    }
    if (!g->answering)
        gather(s, data);
    else if (g->rx.answer || b.data.len == 0)
        gbt_next(s);
}
#else
void server_gbt(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    (void)apdu, (void)len;
    reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_SERVICE_NOT_SUPPORTED);
}

void gbt_end(struct cosem_session *s)
{
    (void)s;
}

void gbt_forget(struct cosem_session *s)
{
    (void)s;
}

void gbt_next(struct cosem_session *s)
{
    (void)s;
}

void gbt_answer(struct cosem_session *s, size_t start, size_t len)
{
    reply_frame(s, start, len);
}

void gbt_answer_stream(struct cosem_session *s)
{
    answer_result(s, COSEM_OTHER_REASON);
}

bool gbt_agreed(const struct cosem_session *s)
{
    (void)s;
    return false;
}

bool gbt_requested(const struct cosem_session *s)
{
    (void)s;
    return false;
}
#endif
