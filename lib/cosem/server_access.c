/* ACCESS: several GETs, SETs and ACTIONs in one request, answered one by one in their order. Green
 * Book 9.3.11, 9.4.6.12.
 *
 * The answer is made in one APDU. Where it does not fit: a request of GETs alone leaves by general
 * block transfer as a stream of parts, generated on the way, where that is agreed; the descriptors
 * are kept for it, so they are bounded by COSEM_KEPT_MAX. Without it the client gets "pdu too
 * long". A request that also writes or invokes is never done twice: what of its answer finds no
 * room is null-data with the result data-block-unavailable.
 *
 * After the first failure with break-on-error the rest is not looked at and gets other-reason. */
#include "lib/cosem/server_parts.h"

#if COSEM_WITH_ACCESS
#include "lib/dlms/apdu_access.h"
#include "lib/dlms/axdr.h"

#include <string.h>

#if 2 * COSEM_LIST_MAX > COSEM_ITEM_MAX
#error "COSEM_ITEM_MAX must hold the results of COSEM_LIST_MAX accesses"
#endif

/* A whole value at the end of w, else nothing. */
static enum cosem_result read_whole(struct cosem_session *s, const struct apdu_attr *a,
                                    struct wr *w, bool *full)
{
    struct session_transfer *t = &s->transfer;
    struct wr mark = *w;
    bool done = false;
    t->target = *a;
    t->n_left = 0;
    enum cosem_result result = stream_read(s, w, 0);
    if (result == COSEM_SUCCESS)
        result = stream_fill(s, w, &done);
    if (result == COSEM_SUCCESS && done)
        return COSEM_SUCCESS;
    *full |= result == COSEM_SUCCESS;
    *w = mark;
    return result ? result : COSEM_DATA_BLOCK_UNAVAILABLE;
}

static enum cosem_result invoke_whole(struct cosem_session *s, const struct apdu_attr *a,
                                      struct bytes parameter, struct wr *w)
{
    struct wr reply = wr_of(w->p + w->len, wr_left(w));
    struct rd r = rd_of(parameter.p, parameter.len);
    bool none = rd_u8(&r) == AXDR_NULL;
    enum cosem_result result =
        server_invoke(s, a, none ? (struct bytes){NULL, 0} : parameter, &reply);
    if (result == COSEM_SUCCESS && reply.err)
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    if (result == COSEM_SUCCESS)
        w->len += reply.len;
    return result;
}

static uint8_t answered_choice(uint8_t choice)
{
    return choice == DLMS_ACCESS_GET_SELECTED   ? DLMS_ACCESS_GET
           : choice == DLMS_ACCESS_SET_SELECTED ? DLMS_ACCESS_SET
                                                : choice;
}

static enum cosem_result do_one(struct cosem_session *s, const struct access_spec *spec,
                                struct bytes data, struct wr *w, bool *full)
{
    switch (answered_choice(spec->choice)) {
    case DLMS_ACCESS_GET:
        return read_whole(s, &spec->target, w, full);
#if COSEM_WITH_SET
    case DLMS_ACCESS_SET:
        return server_write(s, &spec->target, data);
#endif
#if COSEM_WITH_ACTION
    case DLMS_ACCESS_ACTION:
        return invoke_whole(s, &spec->target, data, w);
#endif
    default:
        return COSEM_READ_WRITE_DENIED;
    }
}

/* The next element into w; its result is noted for the end. */
static void put_one(struct cosem_session *s, uint32_t i, struct rd *specs, struct rd *data,
                    struct wr *w, bool *full)
{
    struct session_transfer *t = &s->transfer;
    struct access_spec spec;
    size_t start = data->pos, len = w->len;
    access_get_spec(specs, &spec);
    axdr_skip(data);
    struct bytes value = {data->p + start, data->pos - start};
    enum cosem_result result =
        t->access_failed ? COSEM_OTHER_REASON : do_one(s, &spec, value, w, full);
    if (w->len == len)
        wr_u8(w, AXDR_NULL);
    t->access_choice[i] = answered_choice(spec.choice);
    t->access_result[i] = (uint8_t)result;
    t->access_failed |= result != COSEM_SUCCESS && (t->access_invoke & DLMS_LONG_BREAK_ON_ERROR);
}

/* What stands before the data: long-invoke-id, time, optional specifications with their count. */
static void put_start(const struct session_transfer *t, struct wr *w)
{
    wr_u32(w, t->access_invoke);
    wr_u8(w, t->access_time_len);
    wr_bytes(w, t->access_time, t->access_time_len);
    wr_u8(w, (t->access_invoke & DLMS_LONG_SELF_DESCR) != 0);
}

static void put_results(const struct session_transfer *t, struct wr *w)
{
    wr_length(w, t->n_list);
    for (uint16_t i = 0; i < t->n_list; i++)
        access_put_result(w, t->access_choice[i], t->access_result[i]);
}

/* All in one APDU. *full: something found no room. False: not even the frame of it does, nothing
 * was done. */
static bool put_all(struct cosem_session *s, const struct apdu_access *q, struct wr *w, bool *full)
{
    struct session_transfer *t = &s->transfer;
    struct rd specs = rd_of(q->specifications.p, q->specifications.len);
    struct rd data = rd_of(q->data.p, q->data.len);
    const size_t results = 1 + 2 * (size_t)q->n, size = w->size;
    put_start(t, w);
    if (t->access_invoke & DLMS_LONG_SELF_DESCR) {
        wr_length(w, q->n);
        wr_bytes(w, q->specifications.p, q->specifications.len);
    }
    wr_length(w, q->n);
    if (w->err || wr_left(w) < results + q->n)
        return false;
    for (uint32_t i = 0; i < q->n; i++) {
        w->size = size - results - (q->n - 1 - i); /* null-data for each of the others */
        put_one(s, i, &specs, &data, w, full);
    }
    w->size = size;
    put_results(t, w);
    return true;
}

/* ---- as a stream of parts ---- */

/* A part that no object is read for, as octets of the stream. Parts: 0 start, n specifications,
 * count, n elements, results. */
static void put_part(struct session_transfer *t, unsigned part, struct rd *specs, struct wr *out)
{
    const bool described = t->access_invoke & DLMS_LONG_SELF_DESCR;
    const unsigned n = t->n_list;
    struct access_spec spec;
    if (part == 0) {
        put_start(t, out);
        if (described)
            wr_length(out, n);
    } else if (part <= n && described) {
        access_get_spec(specs, &spec);
        access_put_spec(out, &spec);
    } else if (part == n + 1) {
        wr_length(out, n);
        specs->pos = 0; /* the elements begin: from the first descriptor again */
    } else if (part > n + 1) {
        put_results(t, out);
    }
}

/* The next attribute; its failure is null-data and a result. */
static void read_element(struct cosem_session *s, unsigned i, struct rd *specs, struct wr *w)
{
    static const uint8_t nothing[] = {AXDR_NULL};
    struct session_transfer *t = &s->transfer;
    struct access_spec spec;
    access_get_spec(specs, &spec);
    t->target = spec.target;
    enum cosem_result result = t->access_failed ? COSEM_OTHER_REASON : stream_read(s, w, 0);
    t->access_choice[i] = DLMS_ACCESS_GET;
    t->access_result[i] = (uint8_t)result;
    t->access_failed |= result != COSEM_SUCCESS && (t->access_invoke & DLMS_LONG_BREAK_ON_ERROR);
    if (result)
        stream_octets(t, nothing, sizeof nothing);
}

unsigned access_parts(const struct session_transfer *t)
{
    return 2u * t->n_list + 3;
}

enum cosem_result access_part(struct cosem_session *s, struct wr *w)
{
    struct session_transfer *t = &s->transfer;
    const unsigned n = t->n_list, part = access_parts(t) - 1 - t->n_left;
    struct rd specs = rd_of(t->kept, t->kept_len);
    struct wr out = wr_of(t->item, sizeof t->item);
    specs.pos = t->kept_pos;
    if (part == 0)
        t->access_failed = false;
    if (part > n + 1 && part < 2 * n + 2) {
        read_element(s, part - n - 2, &specs, w);
    } else {
        put_part(t, part, &specs, &out);
        t->item_pos = 0;
        t->item_len = (uint16_t)out.len;
    }
    t->kept_pos = (uint16_t)specs.pos;
    return specs.err || out.err ? COSEM_OTHER_REASON : COSEM_SUCCESS;
}

/* ---- the request ---- */

static bool only_reads(const struct apdu_access *q)
{
    struct rd r = rd_of(q->specifications.p, q->specifications.len);
    struct access_spec spec;
    for (uint32_t i = 0; i < q->n; i++) {
        access_get_spec(&r, &spec);
        if (answered_choice(spec.choice) != DLMS_ACCESS_GET)
            return false;
    }
    return true;
}

/* More than an APDU: as a stream, or not at all. */
static void answer_long(struct cosem_session *s, const struct apdu_access *q)
{
    struct session_transfer *t = &s->transfer;
    if (!gbt_agreed(s) || q->specifications.len > sizeof t->kept) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_PDU_TOO_LONG);
        return;
    }
    memcpy(t->kept, q->specifications.p, q->specifications.len);
    t->kept_len = (uint16_t)q->specifications.len;
    gbt_answer_stream(s);
}

static void keep_request(struct session_transfer *t, const struct apdu_access *q)
{
    t->stream = STREAM_ACCESS;
    t->n_list = (uint16_t)q->n;
    t->access_invoke = q->invoke;
    t->access_failed = false;
    t->access_time_len = (uint8_t)q->date_time.len;
    if (q->date_time.len > 0)
        memcpy(t->access_time, q->date_time.p, q->date_time.len);
}

void server_access(struct cosem_session *s, struct bytes apdu)
{
    struct apdu_access q;
    struct rd r = rd_of(apdu.p, apdu.len);
    struct wr w = wr_of(s->tx + COSEM_TX_HEAD, server_budget(s) - 1); /* 1: tag */
    bool full = false;
    access_get_request(&r, &q);
    transfer_end(s);
    if (r.err || q.n == 0 || q.n > COSEM_LIST_MAX) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
        return;
    }
    keep_request(&s->transfer, &q);
    bool put = put_all(s, &q, &w, &full);
    bool reads = only_reads(&q);
    if (put && !(full && reads))
        answer_whole(s, w.len);
    else if (reads)
        answer_long(s, &q);
    else
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_PDU_TOO_LONG);
}
#endif
