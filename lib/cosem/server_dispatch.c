/* Which service answers an APDU: from whom it is, through which gateway, how it is protected, then
 * rows of a table with the conformance bits each needs. A service that a build leaves out has no
 * row; its request gets the exception that says so. Green Book 9.3, 9.5.
 *
 * The order of the checks: the association's own APDUs, the addresses, protection, form, state,
 * conformance. Whatever is refused changes nothing, except that a request other than a continuation
 * ends what was under way. */
#include "lib/cosem/server_parts.h"

#include <string.h>

/* GET, SET and ACTION: one form of request. Sets of types, bit n for type n: those that are served,
 * those by blocks and those of lists, which need more conformance. */
#define TYPE(n)        (1u << (n))
#define TYPE_IF(on, n) ((on) ? TYPE(n) : 0u)
struct service {
    uint8_t tag, types, by_blocks, of_lists;
    uint32_t conformance, block_conformance;
    void (*serve)(struct cosem_session *s, const struct apdu_request *q);
};
static const struct service services[] = {
    {.tag = DLMS_GET_REQUEST,
     .types = TYPE(DLMS_GET_NORMAL) | TYPE(DLMS_GET_NEXT) | TYPE_IF(COSEM_WITH_LIST, DLMS_GET_LIST),
     .by_blocks = TYPE(DLMS_GET_NEXT),
     .of_lists = TYPE(DLMS_GET_LIST),
     .conformance = DLMS_CONF_GET,
     .block_conformance = DLMS_CONF_BLOCK_GET,
     .serve = server_get},
    {.tag = DLMS_ACTION_REQUEST,
     .types = TYPE(DLMS_ACTION_NORMAL) |
              TYPE_IF(COSEM_WITH_ACTION && COSEM_WITH_LIST, DLMS_ACTION_LIST) |
              TYPE_IF(COSEM_WITH_BLOCK_ACTION, DLMS_ACTION_NEXT) |
              TYPE_IF(COSEM_WITH_BLOCK_ACTION, DLMS_ACTION_FIRST_BLOCK) |
              TYPE_IF(COSEM_WITH_BLOCK_ACTION, DLMS_ACTION_BLOCK) |
              TYPE_IF(COSEM_WITH_BLOCK_ACTION && COSEM_WITH_LIST, DLMS_ACTION_LIST_FIRST_BLOCK),
     .by_blocks = TYPE(DLMS_ACTION_NEXT) | TYPE(DLMS_ACTION_FIRST_BLOCK) | TYPE(DLMS_ACTION_BLOCK) |
                  TYPE(DLMS_ACTION_LIST_FIRST_BLOCK),
     .of_lists = TYPE(DLMS_ACTION_LIST) | TYPE(DLMS_ACTION_LIST_FIRST_BLOCK),
     .conformance = DLMS_CONF_ACTION,
     .block_conformance = DLMS_CONF_BLOCK_ACTION,
     .serve = server_action},
#if COSEM_WITH_SET
    {.tag = DLMS_SET_REQUEST,
     .types = TYPE(DLMS_SET_NORMAL) | TYPE_IF(COSEM_WITH_LIST, DLMS_SET_LIST) |
              TYPE_IF(COSEM_WITH_BLOCK_WRITE, DLMS_SET_FIRST_BLOCK) |
              TYPE_IF(COSEM_WITH_BLOCK_WRITE, DLMS_SET_BLOCK) |
              TYPE_IF(COSEM_WITH_BLOCK_WRITE && COSEM_WITH_LIST, DLMS_SET_LIST_FIRST_BLOCK),
     .by_blocks =
         TYPE(DLMS_SET_FIRST_BLOCK) | TYPE(DLMS_SET_BLOCK) | TYPE(DLMS_SET_LIST_FIRST_BLOCK),
     .of_lists = TYPE(DLMS_SET_LIST) | TYPE(DLMS_SET_LIST_FIRST_BLOCK),
     .conformance = DLMS_CONF_SET,
     .block_conformance = DLMS_CONF_BLOCK_SET,
     .serve = server_set},
#endif
};

/* q is of a type that there is: 0..7. */
static const struct service *find_service(const struct apdu_request *q)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (services[i].tag == q->tag && (services[i].types >> q->type & 1u))
            return &services[i];
    }
    return NULL;
}

static bool is_agreed(const struct cosem_session *s, const struct service *v, uint8_t type)
{
    uint32_t needs = v->conformance;
    if (v->by_blocks >> type & 1u)
        needs |= v->block_conformance;
    if (v->of_lists >> type & 1u)
        needs |= DLMS_CONF_MULTIPLE;
    return (needs & ~s->conformance) == 0;
}

static void refuse(struct cosem_session *s, uint8_t service_error)
{
    reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, service_error);
}

static bool is_hls_reply(const struct apdu_request *q)
{
    static const uint8_t current[6] = {0, 0, 40, 0, 0, 255};
    return q->tag == DLMS_ACTION_REQUEST && q->type == DLMS_ACTION_NORMAL &&
           q->target.class_id == 15 && q->target.id == 1 &&
           memcmp(q->target.ln, current, sizeof current) == 0;
}

static void serve_request(struct cosem_session *s, struct bytes apdu)
{
    struct apdu_request q;
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_request(&r, &q);
    const struct service *service = r.err ? NULL : find_service(&q);
    if (r.err == ERR_UNSUPPORTED || (!r.err && !service))
        refuse(s, DLMS_EXC_SERVICE_NOT_SUPPORTED);
    else if (r.err)
        refuse(s, DLMS_EXC_OTHER_REASON);
    else if (s->state == SESSION_PENDING && !is_hls_reply(&q))
        refuse(s, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    else if (s->state == SESSION_ASSOCIATED && !is_agreed(s, service, q.type))
        refuse(s, DLMS_EXC_SERVICE_NOT_SUPPORTED);
    else {
        s->transfer.invoke = q.invoke;
        service->serve(s, &q);
    }
}

/* Services with a form of their own */
static const struct other {
    uint8_t tag;
    uint32_t conformance;
    void (*serve)(struct cosem_session *s, struct bytes apdu);
} others[] = {
#if COSEM_WITH_ACCESS
    {DLMS_ACCESS_REQUEST, DLMS_CONF_ACCESS, server_access},
#endif
#if COSEM_WITH_NOTIFICATION
    {DLMS_DATA_NOTIFICATION_CONFIRM, DLMS_CONF_NOTIFICATION, server_confirmed},
#endif
    {0, 0, NULL},
};

static void serve_other(struct cosem_session *s, struct bytes apdu)
{
    const struct other *o = others;
    bool known = apdu.p[0] >= DLMS_GET_REQUEST && apdu.p[0] <= DLMS_GENERAL_BLOCK;
    while (o->serve && o->tag != apdu.p[0])
        o++;
    if (!o->serve)
        reply_exception(s, known ? DLMS_STATE_SERVICE_NOT_ALLOWED : DLMS_STATE_SERVICE_UNKNOWN,
                        DLMS_EXC_SERVICE_NOT_SUPPORTED);
    else if (s->state != SESSION_ASSOCIATED)
        refuse(s, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    else if ((s->conformance & o->conformance) != o->conformance)
        refuse(s, DLMS_EXC_SERVICE_NOT_SUPPORTED);
    else
        o->serve(s, apdu);
}

/* A request in the clear or deciphered. */
static void serve_plain(struct cosem_session *s, struct bytes apdu)
{
    switch (apdu.p[0]) {
    case DLMS_GET_REQUEST:
    case DLMS_SET_REQUEST:
    case DLMS_ACTION_REQUEST:
        serve_request(s, apdu);
        return;
    default:
        serve_other(s, apdu);
        return;
    }
}

void server_serve(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    struct bytes plain = {apdu, len};
    enum err err = ERR_OK;
    if (security_is_ciphered(apdu[0]))
        err = security_open_apdu(s, apdu, len, &plain);
    else if (security_required(s) != 0)
        err = ERR_ACCESS;
    if (err)
        security_refuse(s, err);
    else
        serve_plain(s, plain);
}

#if COSEM_WITH_GATEWAY
/* Takes off the prefix of a gateway; false: the APDU is not for this meter, or cut. */
static bool strip_gateway(struct cosem_session *s, uint8_t **apdu, size_t *len)
{
    const struct cosem_server_config *c = &s->server->config;
    struct bytes inner, whole = {*apdu, *len};
    s->via_gateway = false;
    if (!gateway_is_prefixed(whole))
        return true;
    if (gateway_decode(whole, &s->gateway, &inner) || s->gateway.response || !c->gateway)
        return false;
    struct bytes address = {s->gateway.address, s->gateway.address_len};
    if (!c->gateway(c->context, s->gateway.network, address))
        return false;
    s->via_gateway = true;
    s->gateway.response = true; /* as it leads the answer */
    *apdu += *len - inner.len;
    *len = inner.len;
    return true;
}
#else
static bool strip_gateway(struct cosem_session *s, uint8_t **apdu, size_t *len)
{
    (void)s, (void)apdu, (void)len;
    return true;
}
#endif

static void open_association(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    s->client_sap = s->peer_client;
    s->server_sap = s->peer_server;
#if COSEM_WITH_GATEWAY
    s->associated_via_gateway = s->via_gateway;
    s->associated_gateway = s->gateway;
#endif
    association_open(s, apdu, len);
    uint16_t limit = s->line_max < COSEM_PDU_MIN ? COSEM_PDU_MIN : s->line_max;
    if (s->line_max != 0 && s->max_pdu > limit)
        s->max_pdu = limit;
}

static bool is_confirmation(const struct cosem_session *s, uint8_t tag)
{
#if COSEM_WITH_NOTIFICATION
    return tag == DLMS_DATA_NOTIFICATION_CONFIRM && s->notice == NOTICE_WAITING &&
           s->peer_client == s->notice_client && s->peer_server == s->notice_server;
#else
    (void)s, (void)tag;
    return false;
#endif
}

/* What only a server says. An exception in return would be answered by another server, and so on:
 * one datagram with the wrong sender would keep both busy for ever. */
static bool is_answer(uint8_t tag)
{
    static const uint8_t plain[] = {DLMS_GET_RESPONSE, DLMS_SET_RESPONSE, DLMS_ACTION_RESPONSE};
    static const uint8_t single[] = {DLMS_AARE,
                                     DLMS_RLRE,
                                     DLMS_INITIATE_RESPONSE,
                                     DLMS_GLO_INITIATE_RESPONSE,
                                     DLMS_CONFIRMED_SERVICE_ERROR,
                                     DLMS_EXCEPTION_RESPONSE,
                                     DLMS_ACCESS_RESPONSE};
    for (size_t i = 0; i < sizeof plain; i++) {
        uint8_t above = (uint8_t)(tag - plain[i]);
        if (above == 0 || above == DLMS_GLO_OFFSET || above == DLMS_DED_OFFSET)
            return true;
    }
    return memchr(single, tag, sizeof single) != NULL;
}

void session_apdu(struct cosem_session *s, uint16_t client_sap, uint16_t server_sap, uint8_t *apdu,
                  size_t len)
{
    s->touched = true; /* a whole APDU, not each octet: a dribble must not hold the line for ever */
    s->peer_client = client_sap;
    s->peer_server = server_sap;
    s->request_sc = 0;
    s->request_dedicated = s->request_general = false;
    if (len == 0 || !strip_gateway(s, &apdu, &len) || is_answer(apdu[0]))
        return;
    if (apdu[0] == DLMS_AARQ) {
        open_association(s, apdu, len);
    } else if (!s->client || client_sap != s->client_sap || server_sap != s->server_sap) {
        if (is_confirmation(s, apdu[0]))
            server_confirmed(s, (struct bytes){apdu, len});
        else
            refuse(s, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    } else if (apdu[0] == DLMS_GENERAL_BLOCK) {
        server_gbt(s, apdu, len);
    } else {
        gbt_end(s);
        if (apdu[0] == DLMS_RLRQ)
            association_release(s, apdu, len);
        else
            server_serve(s, apdu, len);
    }
}
