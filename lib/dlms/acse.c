/* ACSE and the InitiateRequest/Response. BER here means definite lengths and one octet tags, which
 * is all DLMS uses; indefinite lengths are refused.
 *
 * A put writes its contents twice: first to a counter, to learn the length that stands before it.
 */
#include "lib/dlms/acse.h"

#include <string.h>

/* 2.16.756.5.8: the arc of DLMS UA; then 1.x context, 2.x mechanism. Green Book 9.4.2.2 */
static const uint8_t arc[] = {0x60, 0x85, 0x74, 0x05, 0x08};
#define OID_LEN       7
#define ARC_CONTEXT   1
#define ARC_MECHANISM 2

enum { /* tags inside AARQ and AARE */
       TAG_CONTEXT = 0xA1,
       TAG_AARE_RESULT = 0xA2,
       TAG_AARE_DIAGNOSTIC = 0xA3,
       TAG_AARE_TITLE = 0xA4,
       TAG_AARQ_TITLE = 0xA6,
       TAG_AARE_REQUIREMENTS = 0x88,
       TAG_AARE_MECHANISM = 0x89,
       TAG_AARQ_REQUIREMENTS = 0x8A,
       TAG_AARQ_MECHANISM = 0x8B,
       TAG_AARE_SECRET = 0xAA,
       TAG_AARQ_SECRET = 0xAC,
       TAG_USER_INFO = 0xBE,
       TAG_REASON = 0x80,
       TAG_CHARSTRING = 0x80,
       BER_INTEGER = 0x02,
       BER_OCTETS = 0x04,
       BER_OID = 0x06
};

/* A field: its tag, and a cursor over its content (an error there is an error of the whole). */
static uint8_t get_field(struct rd *r, struct rd *content)
{
    uint8_t tag = rd_u8(r);
    struct bytes b = rd_bytes(r, rd_length(r));
    *content = rd_of(b.p, b.len);
    return tag;
}

/* Opens the outer sequence and checks that nothing follows it. */
static struct rd get_outer(struct rd *r, uint8_t tag)
{
    struct rd body;
    size_t start = r->pos;
    uint8_t got = get_field(r, &body);
    if (!r->err && got != tag) {
        r->pos = start;
        rd_fail(r, ERR_FORMAT);
    } else if (rd_left(r) > 0) {
        rd_fail(r, ERR_FORMAT);
    }
    return body;
}

/* A field inside a field, of this tag and filling it. */
static struct bytes get_only(struct rd *outer, uint8_t tag)
{
    struct rd inner;
    uint8_t got = get_field(outer, &inner);
    if (!outer->err && (got != tag || rd_left(outer) > 0))
        rd_fail(outer, ERR_FORMAT);
    return outer->err ? (struct bytes){NULL, 0} : (struct bytes){inner.p, inner.len};
}

/* Last arc of a DLMS object identifier of this family; 0 when it is another. */
static uint8_t oid_value(struct bytes oid, uint8_t family)
{
    bool ours = oid.len == OID_LEN && memcmp(oid.p, arc, sizeof arc) == 0 && oid.p[5] == family;
    return ours ? oid.p[6] : 0;
}

static uint8_t get_small_integer(struct rd *outer)
{
    struct bytes b = get_only(outer, BER_INTEGER);
    if (!outer->err && b.len != 1)
        rd_fail(outer, ERR_FORMAT);
    return outer->err ? 0 : b.p[0];
}

static void get_mechanism(struct rd *f, bool *has, uint8_t *mechanism)
{
    *has = true;
    *mechanism = oid_value((struct bytes){f->p, f->len}, ARC_MECHANISM);
    if (f->len != OID_LEN)
        rd_fail(f, ERR_FORMAT);
}

static void adopt_error(struct rd *r, const struct rd *field)
{
    if (field->err)
        rd_fail(r, field->err);
}

/* The next field of the body; the error of the one before, or of the body, is the whole's. field:
 * zeros at first. */
static bool next_field(struct rd *r, struct rd *body, uint8_t *tag, struct rd *field)
{
    adopt_error(r, field);
    if (r->err || rd_left(body) == 0)
        return false;
    *tag = get_field(body, field);
    adopt_error(r, body);
    return true;
}

static void aarq_field(uint8_t tag, struct rd *f, struct acse_aarq *out)
{
    switch (tag) {
    case TAG_CONTEXT:
        out->context = oid_value(get_only(f, BER_OID), ARC_CONTEXT);
        break;
    case TAG_AARQ_TITLE:
        out->title = get_only(f, BER_OCTETS);
        break;
    case TAG_AARQ_MECHANISM:
        get_mechanism(f, &out->has_mechanism, &out->mechanism);
        break;
    case TAG_AARQ_SECRET:
        out->secret = get_only(f, TAG_CHARSTRING);
        break;
    case TAG_USER_INFO:
        out->user_info = get_only(f, BER_OCTETS);
        break;
    default: /* protocol version, called titles, invocation identifiers: not used by DLMS LN */
        break;
    }
}

void acse_get_aarq(struct rd *r, struct acse_aarq *out)
{
    *out = (struct acse_aarq){.context = 0};
    struct rd body = get_outer(r, DLMS_AARQ), field = {.err = ERR_OK};
    uint8_t tag;
    while (next_field(r, &body, &tag, &field))
        aarq_field(tag, &field, out);
}

/* result-source-diagnostic: a choice by tag A1 (user), A2 (provider), an INTEGER inside */
static void get_diagnostic(struct rd *f, struct acse_aare *out)
{
    struct rd inner;
    uint8_t tag = get_field(f, &inner);
    out->source = (uint8_t)(tag & 0x1Fu);
    out->diagnostic = get_small_integer(&inner);
    if (tag != 0xA1 && tag != 0xA2)
        rd_fail(f, ERR_FORMAT);
    adopt_error(f, &inner);
}

static void aare_field(uint8_t tag, struct rd *f, struct acse_aare *out)
{
    switch (tag) {
    case TAG_CONTEXT:
        out->context = oid_value(get_only(f, BER_OID), ARC_CONTEXT);
        break;
    case TAG_AARE_RESULT:
        out->result = get_small_integer(f);
        break;
    case TAG_AARE_DIAGNOSTIC:
        get_diagnostic(f, out);
        break;
    case TAG_AARE_TITLE:
        out->title = get_only(f, BER_OCTETS);
        break;
    case TAG_AARE_MECHANISM:
        get_mechanism(f, &out->has_mechanism, &out->mechanism);
        break;
    case TAG_AARE_SECRET:
        out->secret = get_only(f, TAG_CHARSTRING);
        break;
    case TAG_USER_INFO:
        out->user_info = get_only(f, BER_OCTETS);
        break;
    default:
        break;
    }
}

void acse_get_aare(struct rd *r, struct acse_aare *out)
{
    *out = (struct acse_aare){.context = 0};
    struct rd body = get_outer(r, DLMS_AARE), field = {.err = ERR_OK};
    uint8_t tag;
    while (next_field(r, &body, &tag, &field))
        aare_field(tag, &field, out);
    if (!r->err && out->source == 0) /* result-source-diagnostic is mandatory */
        rd_fail(r, ERR_FORMAT);
}

void acse_get_release(struct rd *r, uint8_t tag, struct acse_release *out)
{
    *out = (struct acse_release){.has_reason = false};
    struct rd body = get_outer(r, tag), field = {.err = ERR_OK};
    uint8_t got;
    while (next_field(r, &body, &got, &field)) {
        if (got == TAG_REASON) {
            out->has_reason = true;
            out->reason = rd_u8(&field);
        } else if (got == TAG_USER_INFO) {
            out->user_info = get_only(&field, BER_OCTETS);
        }
    }
}

static size_t header_size(size_t content)
{
    struct wr w = wr_counter();
    wr_u8(&w, 0);
    wr_length(&w, content);
    return w.len;
}

static void put_head(struct wr *w, uint8_t tag, size_t content)
{
    wr_u8(w, tag);
    wr_length(w, content);
}

/* [outer] { inner octets } */
static void put_wrapped(struct wr *w, uint8_t outer, uint8_t inner, struct bytes b)
{
    put_head(w, outer, header_size(b.len) + b.len);
    put_head(w, inner, b.len);
    wr_bytes(w, b.p, b.len);
}

static void put_oid(struct wr *w, uint8_t family, uint8_t value)
{
    wr_bytes(w, arc, sizeof arc);
    wr_u16(w, (uint16_t)(family << 8 | value));
}

static void put_context(struct wr *w, uint8_t context)
{
    put_head(w, TAG_CONTEXT, 2 + OID_LEN);
    put_head(w, BER_OID, OID_LEN);
    put_oid(w, ARC_CONTEXT, context);
}

/* The authentication functional unit: bit string 1 of 1, 7 unused */
static void put_authentication(struct wr *w, uint8_t requirements, uint8_t tag, uint8_t mechanism)
{
    put_head(w, requirements, 2);
    wr_u16(w, 0x0780);
    put_head(w, tag, OID_LEN);
    put_oid(w, ARC_MECHANISM, mechanism);
}

static void put_aarq_body(struct wr *w, const struct acse_aarq *a)
{
    put_context(w, a->context);
    if (a->title.len > 0)
        put_wrapped(w, TAG_AARQ_TITLE, BER_OCTETS, a->title);
    if (a->has_mechanism)
        put_authentication(w, TAG_AARQ_REQUIREMENTS, TAG_AARQ_MECHANISM, a->mechanism);
    if (a->secret.len > 0)
        put_wrapped(w, TAG_AARQ_SECRET, TAG_CHARSTRING, a->secret);
    if (a->user_info.len > 0)
        put_wrapped(w, TAG_USER_INFO, BER_OCTETS, a->user_info);
}

void acse_put_aarq(struct wr *w, const struct acse_aarq *a)
{
    struct wr count = wr_counter();
    put_aarq_body(&count, a);
    put_head(w, DLMS_AARQ, count.len);
    put_aarq_body(w, a);
}

static void put_aare_body(struct wr *w, const struct acse_aare *a)
{
    put_context(w, a->context);
    put_wrapped(w, TAG_AARE_RESULT, BER_INTEGER, (struct bytes){&a->result, 1});
    put_head(w, TAG_AARE_DIAGNOSTIC, 5);
    put_wrapped(w, (uint8_t)(0xA0u | a->source), BER_INTEGER, (struct bytes){&a->diagnostic, 1});
    if (a->title.len > 0)
        put_wrapped(w, TAG_AARE_TITLE, BER_OCTETS, a->title);
    if (a->has_mechanism)
        put_authentication(w, TAG_AARE_REQUIREMENTS, TAG_AARE_MECHANISM, a->mechanism);
    if (a->secret.len > 0)
        put_wrapped(w, TAG_AARE_SECRET, TAG_CHARSTRING, a->secret);
    if (a->user_info.len > 0)
        put_wrapped(w, TAG_USER_INFO, BER_OCTETS, a->user_info);
}

void acse_put_aare(struct wr *w, const struct acse_aare *a)
{
    struct wr count = wr_counter();
    put_aare_body(&count, a);
    put_head(w, DLMS_AARE, count.len);
    put_aare_body(w, a);
}

static void put_release_body(struct wr *w, const struct acse_release *a)
{
    if (a->has_reason) {
        put_head(w, TAG_REASON, 1);
        wr_u8(w, a->reason);
    }
    if (a->user_info.len > 0)
        put_wrapped(w, TAG_USER_INFO, BER_OCTETS, a->user_info);
}

void acse_put_release(struct wr *w, uint8_t tag, const struct acse_release *a)
{
    struct wr count = wr_counter();
    put_release_body(&count, a);
    put_head(w, tag, count.len);
    put_release_body(w, a);
}

/* Conformance [APPLICATION 31] BIT STRING of 24: BER inside A-XDR, its tag 5F 1F. */
static uint32_t get_conformance(struct rd *r)
{
    if (rd_u16(r) != 0x5F1F || rd_length(r) != 4 || rd_u8(r) != 0)
        rd_fail(r, ERR_FORMAT);
    uint32_t high = rd_u8(r);
    return high << 16 | rd_u16(r);
}

static void put_conformance(struct wr *w, uint32_t conformance)
{
    wr_u32(w, 0x5F1F0400);
    wr_u8(w, (uint8_t)(conformance >> 16));
    wr_u16(w, (uint16_t)conformance);
}

static void expect_tag(struct rd *r, uint8_t tag)
{
    if (rd_u8(r) != tag)
        rd_fail(r, ERR_FORMAT);
}

/* A-XDR usage flag of OPTIONAL and DEFAULT members */
static bool get_flag(struct rd *r)
{
    uint8_t v = rd_u8(r);
    if (v > 1)
        rd_fail(r, ERR_FORMAT);
    return v == 1;
}

static void expect_end(struct rd *r)
{
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void initiate_get_request(struct rd *r, struct dlms_initiate *out)
{
    *out = (struct dlms_initiate){.response_allowed = true};
    expect_tag(r, DLMS_INITIATE_REQUEST);
    if (get_flag(r))
        out->dedicated_key = rd_bytes(r, rd_length(r));
    if (get_flag(r))
        out->response_allowed = rd_u8(r) != 0;
    if (get_flag(r))
        (void)rd_u8(r); /* quality of service: not used */
    out->version = rd_u8(r);
    out->conformance = get_conformance(r);
    out->max_pdu = rd_u16(r);
    expect_end(r);
}

void initiate_put_request(struct wr *w, const struct dlms_initiate *i)
{
    wr_u8(w, DLMS_INITIATE_REQUEST);
    wr_u8(w, i->dedicated_key.len > 0);
    if (i->dedicated_key.len > 0) {
        wr_length(w, i->dedicated_key.len);
        wr_bytes(w, i->dedicated_key.p, i->dedicated_key.len);
    }
    wr_u8(w, !i->response_allowed);
    if (!i->response_allowed)
        wr_u8(w, 0);
    wr_u8(w, 0); /* no quality of service */
    wr_u8(w, i->version);
    put_conformance(w, i->conformance);
    wr_u16(w, i->max_pdu);
}

void initiate_get_response(struct rd *r, struct dlms_initiate *out)
{
    *out = (struct dlms_initiate){.response_allowed = true};
    expect_tag(r, DLMS_INITIATE_RESPONSE);
    if (get_flag(r))
        (void)rd_u8(r);
    out->version = rd_u8(r);
    out->conformance = get_conformance(r);
    out->max_pdu = rd_u16(r);
    out->vaa = rd_u16(r);
    expect_end(r);
}

void initiate_put_response(struct wr *w, const struct dlms_initiate *i)
{
    const uint8_t head[] = {DLMS_INITIATE_RESPONSE, 0 /* no quality of service */, i->version};
    wr_bytes(w, head, sizeof head);
    put_conformance(w, i->conformance);
    wr_u16(w, i->max_pdu);
    wr_u16(w, i->vaa);
}

const char *acse_diagnostic_text(uint8_t source, uint8_t diagnostic)
{
    static const char *const user[] = {
        "null",
        "no-reason-given",
        "application-context-name-not-supported",
        "calling-AP-title-not-recognized",
        "calling-AP-invocation-identifier-not-recognized",
        "calling-AE-qualifier-not-recognized",
        "calling-AE-invocation-identifier-not-recognized",
        "called-AP-title-not-recognized",
        "called-AP-invocation-identifier-not-recognized",
        "called-AE-qualifier-not-recognized",
        "called-AE-invocation-identifier-not-recognized",
        "authentication-mechanism-name-not-recognised",
        "authentication-mechanism-name-required",
        "authentication-failure",
        "authentication-required",
    };
    static const char *const provider[] = {"null", "no-reason-given", "no-common-acse-version"};
    if (source == ACSE_SOURCE_USER && diagnostic < sizeof user / sizeof user[0])
        return user[diagnostic];
    if (source == ACSE_SOURCE_PROVIDER && diagnostic < sizeof provider / sizeof provider[0])
        return provider[diagnostic];
    return "unknown";
}
