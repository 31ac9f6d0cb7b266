/* xDLMS APDUs. Each service is one get and one put that mirror each other line by line; nothing is
 * interpreted beyond the fields of the struct. */
#include "lib/dlms/apdu.h"

#include "lib/dlms/axdr.h"

/* One A-XDR value of any type as a view. */
static struct bytes get_value(struct rd *r)
{
    size_t start = r->pos;
    axdr_skip(r);
    return r->err ? (struct bytes){NULL, 0} : (struct bytes){r->p + start, r->pos - start};
}

static struct bytes get_rest(struct rd *r)
{
    return rd_bytes(r, rd_left(r));
}

static struct bytes get_prefixed(struct rd *r)
{
    return rd_bytes(r, rd_length(r));
}

static void put_view(struct wr *w, struct bytes b)
{
    wr_bytes(w, b.p, b.len);
}

static void put_prefixed(struct wr *w, struct bytes b)
{
    wr_length(w, b.len);
    put_view(w, b);
}

/* Flags of OPTIONAL members and choices: 0 or 1, nothing else */
static bool get_flag(struct rd *r)
{
    uint8_t v = rd_u8(r);
    if (v > 1)
        rd_fail(r, ERR_FORMAT);
    return v == 1;
}

/* BOOLEAN: any value but 0 is true; put writes 1 */
static bool get_bool(struct rd *r)
{
    uint8_t v = rd_u8(r);
    if (v > 1 && v != 0xFF)
        rd_fail(r, ERR_FORMAT);
    return v != 0;
}

void apdu_get_attr_bare(struct rd *r, struct apdu_attr *out)
{
    *out = (struct apdu_attr){.class_id = rd_u16(r)};
    rd_copy(r, out->ln, sizeof out->ln);
    out->id = rd_u8(r);
}

void apdu_put_attr_bare(struct wr *w, const struct apdu_attr *a)
{
    wr_u16(w, a->class_id);
    wr_bytes(w, a->ln, sizeof a->ln);
    wr_u8(w, a->id);
}

void apdu_get_attr(struct rd *r, struct apdu_attr *out)
{
    apdu_get_attr_bare(r, out);
    if (!get_flag(r))
        return;
    out->selector = rd_u8(r);
    out->parameter = get_value(r);
    if (out->selector == 0) /* 0 stands for "none" here and is no selector of any class */
        rd_fail(r, ERR_RANGE);
}

void apdu_put_attr(struct wr *w, const struct apdu_attr *a)
{
    apdu_put_attr_bare(w, a);
    wr_u8(w, a->selector != 0);
    if (a->selector == 0)
        return;
    wr_u8(w, a->selector);
    put_view(w, a->parameter);
}

/* DataBlock-SA: last, number, octets */
static void get_block(struct rd *r, struct apdu_request *out)
{
    out->last = get_bool(r);
    out->block = rd_u32(r);
    out->data = get_prefixed(r);
}

static void put_block(struct wr *w, const struct apdu_request *q)
{
    wr_u8(w, q->last);
    wr_u32(w, q->block);
    put_prefixed(w, q->data);
}

/* A counted list of descriptors that something follows: the view ends where they do. */
static void get_descriptors(struct rd *r, struct apdu_request *out,
                            void (*get)(struct rd *r, struct apdu_attr *one))
{
    struct apdu_attr one;
    out->n_list = (uint32_t)rd_length(r);
    size_t start = r->pos;
    for (uint32_t i = 0; i < out->n_list && !r->err; i++)
        get(r, &one);
    if (!r->err)
        out->list = (struct bytes){r->p + start, r->pos - start};
}

static void put_list(struct wr *w, const struct apdu_request *q)
{
    wr_length(w, q->n_list);
    put_view(w, q->list);
}

/* What stands behind tag, type and invoke-id of a request, in this order. Descriptors of ACTION
 * have no selector, parameters of ACTION are optional. */
enum {
    ONE = 0x01,    /* a descriptor */
    NAMES = 0x02,  /* counted descriptors that something follows */
    LIST = 0x04,   /* counted descriptors, and in SET and ACTION counted values, as one view */
    NUMBER = 0x08, /* of a block */
    BLOCK = 0x10,  /* DataBlock-SA */
    VALUE = 0x20
};
#define N_REQUEST_TYPES (DLMS_ACTION_BLOCK + 1)
static const uint8_t request_parts[][N_REQUEST_TYPES] = {
    [0] = /* DLMS_GET_REQUEST */
    {[DLMS_GET_NORMAL] = ONE, [DLMS_GET_NEXT] = NUMBER, [DLMS_GET_LIST] = LIST},
    [DLMS_SET_REQUEST - DLMS_GET_REQUEST] = {[DLMS_SET_NORMAL] = ONE | VALUE,
                                             [DLMS_SET_FIRST_BLOCK] = ONE | BLOCK,
                                             [DLMS_SET_BLOCK] = BLOCK,
                                             [DLMS_SET_LIST] = LIST,
                                             [DLMS_SET_LIST_FIRST_BLOCK] = NAMES | BLOCK},
    [DLMS_ACTION_REQUEST - DLMS_GET_REQUEST] = {[DLMS_ACTION_NORMAL] = ONE | VALUE,
                                                [DLMS_ACTION_NEXT] = NUMBER,
                                                [DLMS_ACTION_LIST] = LIST,
                                                [DLMS_ACTION_FIRST_BLOCK] = ONE | BLOCK,
                                                [DLMS_ACTION_LIST_FIRST_BLOCK] = NAMES | BLOCK,
                                                [DLMS_ACTION_BLOCK] = BLOCK},
};

/* 0: there is no such request. */
static unsigned parts_of(const struct apdu_request *q)
{
    unsigned row = (unsigned)q->tag - DLMS_GET_REQUEST;
    bool known = row < sizeof request_parts / sizeof request_parts[0];
    return known && q->type < N_REQUEST_TYPES ? request_parts[row][q->type] : 0;
}

static void get_request_value(struct rd *r, struct apdu_request *out)
{
    if (out->tag == DLMS_SET_REQUEST)
        out->data = get_value(r);
    else if (get_flag(r))
        out->target.parameter = get_value(r);
}

static void get_request_body(struct rd *r, struct apdu_request *out)
{
    unsigned parts = parts_of(out);
    void (*get)(struct rd *, struct apdu_attr *) =
        out->tag == DLMS_ACTION_REQUEST ? apdu_get_attr_bare : apdu_get_attr;
    if (parts == 0)
        rd_fail(r, ERR_UNSUPPORTED);
    if (parts & ONE)
        get(r, &out->target);
    if (parts & NAMES)
        get_descriptors(r, out, get);
    if (parts & LIST) {
        out->n_list = (uint32_t)rd_length(r);
        out->list = get_rest(r);
    }
    if (parts & NUMBER)
        out->block = rd_u32(r);
    if (parts & BLOCK)
        get_block(r, out);
    if (parts & VALUE)
        get_request_value(r, out);
}

void apdu_get_request(struct rd *r, struct apdu_request *out)
{
    *out = (struct apdu_request){.tag = rd_u8(r)};
    out->type = rd_u8(r);
    out->invoke = rd_u8(r);
    get_request_body(r, out);
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

static void put_request_value(struct wr *w, const struct apdu_request *q)
{
    if (q->tag == DLMS_SET_REQUEST) {
        put_view(w, q->data);
        return;
    }
    wr_u8(w, q->target.parameter.len > 0);
    put_view(w, q->target.parameter);
}

void apdu_put_request(struct wr *w, const struct apdu_request *q)
{
    unsigned parts = parts_of(q);
    void (*put)(struct wr *, const struct apdu_attr *) =
        q->tag == DLMS_ACTION_REQUEST ? apdu_put_attr_bare : apdu_put_attr;
    wr_u8(w, q->tag);
    wr_u8(w, q->type);
    wr_u8(w, q->invoke);
    if (parts == 0)
        wr_fail(w, ERR_UNSUPPORTED);
    if (parts & ONE)
        put(w, &q->target);
    if (parts & (NAMES | LIST))
        put_list(w, q);
    if (parts & NUMBER)
        wr_u32(w, q->block);
    if (parts & BLOCK)
        put_block(w, q);
    if (parts & VALUE)
        put_request_value(w, q);
}

/* Get-Data-Result, also the return parameters of an ACTION: 00 data, 01 result */
static void get_data_or_result(struct rd *r, struct apdu_response *out, uint8_t *result)
{
    out->has_data = !get_flag(r);
    if (out->has_data)
        out->data = get_value(r);
    else
        *result = rd_u8(r);
}

static void put_data_or_result(struct wr *w, const struct apdu_response *a, uint8_t result)
{
    wr_u8(w, !a->has_data);
    if (a->has_data)
        put_view(w, a->data);
    else
        wr_u8(w, result);
}

void apdu_get_action_result(struct rd *r, struct apdu_response *out)
{
    out->has_data = out->has_return = false;
    out->result = rd_u8(r);
    if (!get_flag(r))
        return;
    get_data_or_result(r, out, &out->return_result);
    out->has_return = !out->has_data;
}

void apdu_put_action_result(struct wr *w, const struct apdu_response *a)
{
    wr_u8(w, a->result);
    wr_u8(w, a->has_data || a->has_return);
    if (a->has_data || a->has_return)
        put_data_or_result(w, a, a->return_result);
}

/* What stands behind tag, type and invoke-id of a response, in this order. */
enum {
    IS_LAST = 0x01,  /* of a block */
    OF_BLOCK = 0x02, /* its number */
    CHOICE = 0x04,   /* data or result; in a block octets of data */
    RESULT = 0x08,
    ACTED = 0x10,   /* result of an ACTION and what it returned */
    RESULTS = 0x20, /* counted */
    OCTETS = 0x40,  /* of a return value */
    TAKEN = 0x80    /* number of the block that was taken */
};
#define N_RESPONSE_TYPES (DLMS_SETRES_LIST + 1)
static const uint8_t response_parts[][N_RESPONSE_TYPES] = {
    [0] = /* DLMS_GET_RESPONSE */
    {[DLMS_GETRES_NORMAL] = CHOICE,
     [DLMS_GETRES_BLOCK] = IS_LAST | OF_BLOCK | CHOICE,
     [DLMS_GETRES_LIST] = RESULTS},
    [DLMS_SET_RESPONSE - DLMS_GET_RESPONSE] = {[DLMS_SETRES_NORMAL] = RESULT,
                                               [DLMS_SETRES_BLOCK] = TAKEN,
                                               [DLMS_SETRES_LAST_BLOCK] = RESULT | TAKEN,
                                               [DLMS_SETRES_LAST_BLOCK_LIST] = RESULTS | TAKEN,
                                               [DLMS_SETRES_LIST] = RESULTS},
    [DLMS_ACTION_RESPONSE -
        DLMS_GET_RESPONSE] = {[DLMS_ACTIONRES_NORMAL] = ACTED,
                              [DLMS_ACTIONRES_BLOCK] = IS_LAST | OF_BLOCK | OCTETS,
                              [DLMS_ACTIONRES_LIST] = RESULTS,
                              [DLMS_ACTIONRES_NEXT_BLOCK] = TAKEN},
};

/* 0: there is no such response. */
static unsigned response_parts_of(uint8_t tag, uint8_t type)
{
    unsigned row = (unsigned)tag - DLMS_GET_RESPONSE;
    bool known = row < sizeof response_parts / sizeof response_parts[0];
    return known && type < N_RESPONSE_TYPES ? response_parts[row][type] : 0;
}

static void get_choice(struct rd *r, struct apdu_response *out, bool of_block)
{
    out->has_data = !get_flag(r);
    if (!out->has_data)
        out->result = rd_u8(r);
    else
        out->data = of_block ? get_prefixed(r) : get_value(r);
}

static void put_choice(struct wr *w, const struct apdu_response *a, bool of_block)
{
    wr_u8(w, !a->has_data);
    if (!a->has_data)
        wr_u8(w, a->result);
    else if (of_block)
        put_prefixed(w, a->data);
    else
        put_view(w, a->data);
}

static void get_response_body(struct rd *r, struct apdu_response *out)
{
    unsigned parts = response_parts_of(out->tag, out->type);
    if (parts == 0)
        rd_fail(r, ERR_UNSUPPORTED);
    if (parts & IS_LAST)
        out->last = get_bool(r);
    if (parts & OF_BLOCK)
        out->block = rd_u32(r);
    if (parts & CHOICE)
        get_choice(r, out, parts & OF_BLOCK);
    if (parts & RESULT)
        out->result = rd_u8(r);
    if (parts & ACTED)
        apdu_get_action_result(r, out);
    if (parts & RESULTS) {
        out->n_list = (uint32_t)rd_length(r);
        out->data = rd_bytes(r, parts & TAKEN ? out->n_list : rd_left(r));
    }
    if (parts & OCTETS)
        out->data = get_prefixed(r);
    if (parts & TAKEN)
        out->block = rd_u32(r);
}

static void get_exception(struct rd *r, struct apdu_response *out)
{
    out->state_error = rd_u8(r);
    out->service_error = rd_u8(r);
    if (out->service_error == DLMS_EXC_COUNTER_ERROR)
        out->counter = rd_u32(r);
}

static void get_service_error(struct rd *r, struct apdu_response *out)
{
    out->state_error = rd_u8(r);
    out->type = rd_u8(r);
    out->service_error = rd_u8(r);
}

void apdu_get_response(struct rd *r, struct apdu_response *out)
{
    *out = (struct apdu_response){.tag = rd_u8(r)};
    if (out->tag == DLMS_EXCEPTION_RESPONSE) {
        get_exception(r, out);
    } else if (out->tag == DLMS_CONFIRMED_SERVICE_ERROR) {
        get_service_error(r, out);
    } else {
        out->type = rd_u8(r);
        out->invoke = rd_u8(r);
        get_response_body(r, out);
    }
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

static void put_response_body(struct wr *w, const struct apdu_response *a)
{
    unsigned parts = response_parts_of(a->tag, a->type);
    if (parts == 0)
        wr_fail(w, ERR_UNSUPPORTED);
    if (parts & IS_LAST)
        wr_u8(w, a->last);
    if (parts & OF_BLOCK)
        wr_u32(w, a->block);
    if (parts & CHOICE)
        put_choice(w, a, parts & OF_BLOCK);
    if (parts & RESULT)
        wr_u8(w, a->result);
    if (parts & ACTED)
        apdu_put_action_result(w, a);
    if (parts & RESULTS) {
        wr_length(w, a->n_list);
        put_view(w, a->data);
    }
    if (parts & OCTETS)
        put_prefixed(w, a->data);
    if (parts & TAKEN)
        wr_u32(w, a->block);
}

void apdu_put_results(struct wr *w, const uint8_t head[3], uint32_t block, struct bytes results)
{
    unsigned parts = response_parts_of(head[0], head[1]);
    wr_bytes(w, head, 3);
    if (parts & IS_LAST)
        wr_u8(w, true);
    if (parts & OF_BLOCK)
        wr_u32(w, block);
    if (parts & CHOICE)
        wr_u8(w, 1); /* result */
    if (parts & RESULTS)
        wr_length(w, results.len);
    if (parts != TAKEN)
        put_view(w, results);
    if (parts & ACTED)
        wr_u8(w, false); /* no return value */
    if (parts & TAKEN)
        wr_u32(w, block);
}

static void put_errors(struct wr *w, uint8_t state_error, uint8_t service_error, uint32_t counter)
{
    wr_u8(w, state_error);
    wr_u8(w, service_error);
    if (service_error == DLMS_EXC_COUNTER_ERROR)
        wr_u32(w, counter);
}

void apdu_put_exception(struct wr *w, uint8_t state_error, uint8_t service_error, uint32_t counter)
{
    wr_u8(w, DLMS_EXCEPTION_RESPONSE);
    put_errors(w, state_error, service_error, counter);
}

void apdu_put_response(struct wr *w, const struct apdu_response *a)
{
    wr_u8(w, a->tag);
    if (a->tag == DLMS_EXCEPTION_RESPONSE) {
        put_errors(w, a->state_error, a->service_error, a->counter);
    } else if (a->tag == DLMS_CONFIRMED_SERVICE_ERROR) {
        wr_u8(w, a->state_error);
        wr_u8(w, a->type);
        wr_u8(w, a->service_error);
    } else {
        wr_u8(w, a->type);
        wr_u8(w, a->invoke);
        put_response_body(w, a);
    }
}

void apdu_get_result(struct rd *r, struct bytes *data, uint8_t *result)
{
    struct apdu_response one = {.result = 0};
    get_data_or_result(r, &one, &one.result);
    *data = one.data;
    *result = one.result;
}

uint8_t apdu_ciphered_tag(uint8_t plain, bool dedicated)
{
    switch (plain) {
    case DLMS_INITIATE_REQUEST:
        return dedicated ? 0 : DLMS_GLO_INITIATE_REQUEST;
    case DLMS_INITIATE_RESPONSE:
        return dedicated ? 0 : DLMS_GLO_INITIATE_RESPONSE;
    case DLMS_GET_REQUEST:
    case DLMS_SET_REQUEST:
    case DLMS_EVENT_NOTIFICATION:
    case DLMS_ACTION_REQUEST:
    case DLMS_GET_RESPONSE:
    case DLMS_SET_RESPONSE:
    case DLMS_ACTION_RESPONSE:
        return (uint8_t)(plain + (dedicated ? DLMS_DED_OFFSET : DLMS_GLO_OFFSET));
    default:
        return 0;
    }
}

uint8_t apdu_plain_tag(uint8_t ciphered, bool *dedicated)
{
    static const uint8_t plain[] = {
        DLMS_INITIATE_REQUEST, DLMS_INITIATE_RESPONSE, DLMS_GET_REQUEST,
        DLMS_SET_REQUEST,      DLMS_ACTION_REQUEST,    DLMS_GET_RESPONSE,
        DLMS_SET_RESPONSE,     DLMS_ACTION_RESPONSE,   DLMS_EVENT_NOTIFICATION};
    for (size_t i = 0; i < sizeof plain; i++) {
        for (unsigned d = 0; d < 2; d++) {
            if (ciphered != 0 && apdu_ciphered_tag(plain[i], d) == ciphered) {
                *dedicated = d;
                return plain[i];
            }
        }
    }
    return 0;
}

const char *apdu_exception_text(uint8_t service_error)
{
    static const char *const text[] = {
        "unknown",      "operation-not-possible", "service-not-supported",    "other-reason",
        "pdu-too-long", "deciphering-error",      "invocation-counter-error",
    };
    return service_error < sizeof text / sizeof text[0] ? text[service_error] : text[0];
}
