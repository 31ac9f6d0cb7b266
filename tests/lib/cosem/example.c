/* The example device and its peer, see example.h. */
#include "tests/lib/cosem/example.h"

#include "lib/cosem/profile_select.h"
#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

#include <string.h>

/* Keys of the Green Book's examples, so that published vectors can be mixed in. */
const uint8_t example_guek[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
const uint8_t example_gak[16] = {0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7,
                                 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF};
const uint8_t example_kek[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F};
const uint8_t example_server_title[8] = {'F', 'E', 'R', 0, 0, 0, 0, 1};
const uint8_t example_client_title[8] = {0x4D, 0x4D, 0x4D, 0, 0, 0xBC, 0x61, 0x4E};
const uint8_t example_profile[6] = {1, 0, 99, 1, 0, 255};
const uint8_t example_energy[6] = {1, 0, 1, 8, 0, 255};
const uint8_t example_note[6] = {0, 0, 96, 1, 1, 255};
const uint8_t example_clock[6] = {0, 0, 1, 0, 0, 255};

static const struct profile_column clock_column = {8, {0, 0, 1, 0, 0, 255}, 2, 0};

static enum cosem_result get_name(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    const struct example *x = c->context;
    (void)attr, (void)sel, (void)g;
    if (o->row->arg == 0)
        axdr_put_octets(out, "FER0000000000001", 16);
    else
        axdr_put_octets(out, x->note, x->note_len);
    return COSEM_SUCCESS;
}

static enum cosem_result set_note(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    struct example *x = c->context;
    (void)o, (void)attr;
    struct bytes b = axdr_get_octets(value);
    if (value->err || b.len > sizeof x->note)
        return COSEM_TYPE_UNMATCHED;
    if (b.len > 0)
        memcpy(x->note, b.p, b.len);
    x->note_len = b.len;
    return COSEM_SUCCESS;
}

static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)c, (void)sel, (void)g;
    if (attr == 2) {
        axdr_put_u32(out, o->row->arg + o->i * 100u + o->j);
        return COSEM_SUCCESS;
    }
    axdr_put_struct(out, 2);
    axdr_put_i8(out, 0);
    axdr_put_enum(out, COSEM_UNIT_WH);
    return COSEM_SUCCESS;
}

static enum cosem_result reset_register(const struct cosem_call *c, const struct cosem_ref *o,
                                        uint8_t method, struct rd *param, struct wr *reply)
{
    (void)c, (void)o, (void)method, (void)param, (void)reply;
    return COSEM_SUCCESS;
}

static void put_row(struct wr *w, uint32_t k)
{
    struct datetime d = datetime_from_utc(EXAMPLE_EPOCH + (int64_t)k * 900, -60, 0);
    axdr_put_struct(w, 2 + EXAMPLE_CHANNELS);
    datetime_put(w, &d);
    axdr_put_u8(w, 0);
    for (uint32_t c = 0; c < EXAMPLE_CHANNELS; c++)
        axdr_put_u32(w, k * 1000 + c);
}

/* First row at or after a time, clamped to 0..rows. */
static uint32_t row_at(const struct example *x, int64_t utc, bool after)
{
    if (utc < EXAMPLE_EPOCH)
        return 0;
    if (utc >= EXAMPLE_EPOCH + (int64_t)x->rows * 900)
        return x->rows;
    int64_t s = utc - EXAMPLE_EPOCH + (after ? 900 : 899);
    return (uint32_t)(s / 900);
}

/* word[0] next row, word[1] rows left */
static enum cosem_result select_rows(const struct example *x, const struct cosem_select *sel,
                                     struct cosem_gen *g)
{
    uint32_t first = 0, end = x->rows;
    struct profile_range range;
    struct profile_entries entries;
    enum cosem_result result = COSEM_SUCCESS;
    if (sel->selector == PROFILE_BY_RANGE) {
        struct datetime d;
        int64_t from, to;
        result = profile_range_parse(sel->parameter, &range);
        if (result || !profile_column_equal(&range.by, &clock_column))
            return result ? result : COSEM_OTHER_REASON;
        struct rd r = rd_of(range.from.p, range.from.len);
        datetime_get(&r, &d);
        if (r.err || datetime_bound(&d, -60, false, &from))
            return COSEM_TYPE_UNMATCHED;
        r = rd_of(range.to.p, range.to.len);
        datetime_get(&r, &d);
        if (r.err || datetime_bound(&d, -60, true, &to))
            return COSEM_TYPE_UNMATCHED;
        first = row_at(x, from, false);
        end = row_at(x, to, true);
    } else if (sel->selector == PROFILE_BY_ENTRY) {
        result = profile_entries_parse(sel->parameter, &entries);
        if (result)
            return result;
        first = entries.from - 1;
        end = entries.to == 0 || entries.to > x->rows ? x->rows : entries.to;
    }
    g->word[0] = first;
    g->word[1] = end > first ? end - first : 0;
    return COSEM_SUCCESS;
}

static enum cosem_result get_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    struct example *x = c->context;
    (void)o;
    if (attr != 2) {
        axdr_put_u32(out, attr == 4 ? 900 : x->rows);
        return COSEM_SUCCESS;
    }
    x->n_get++;
    if (g->item == 0) {
        enum cosem_result result = select_rows(x, sel, g);
        if (result)
            return result;
        axdr_put_array(out, g->word[1]);
    } else {
        put_row(out, g->word[0]++);
        g->word[1]--;
    }
    g->more = g->word[1] > 0;
    return COSEM_SUCCESS;
}

static enum cosem_result get_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    (void)c, (void)o, (void)sel, (void)g;
    if (attr != 2)
        return COSEM_HARDWARE_FAULT; /* so that a getter's own refusal can be tested */
    struct datetime d = datetime_from_utc(EXAMPLE_EPOCH, -60, 0);
    datetime_put(out, &d);
    return COSEM_SUCCESS;
}

/* delete_mask gives back its parameter, execute(n) gives n octets 0, 1, 2 ... */
static enum cosem_result run(const struct cosem_call *c, const struct cosem_ref *o, uint8_t method,
                             struct rd *param, struct wr *reply)
{
    struct example *x = c->context;
    (void)method;
    x->n_run++;
    if (o->row->kind->class_id == 6) {
        struct bytes b = axdr_get_octets(param);
        axdr_put_octets(reply, b.p, b.len);
        return param->err ? COSEM_TYPE_UNMATCHED : COSEM_SUCCESS;
    }
    const uint64_t n = axdr_get_uint(param);
    wr_u8(reply, AXDR_OCTETS);
    wr_length(reply, n);
    for (unsigned i = 0; i < n; i++)
        wr_u8(reply, (uint8_t)i);
    return COSEM_SUCCESS;
}

static enum cosem_result get_nothing(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    (void)c, (void)o, (void)attr, (void)sel, (void)g;
    axdr_put_array(out, 0);
    return COSEM_SUCCESS;
}

static const struct cosem_binding bind_run = {.get = get_nothing, .invoke = run};
static const struct cosem_binding bind_name = {.get = get_name, .set = set_note};
static const struct cosem_binding bind_register = {.get = get_register, .invoke = reset_register};
static const struct cosem_binding bind_profile = {.get = get_profile};
static const struct cosem_binding bind_clock = {.get = get_clock};

#define ALL 0xFFFF
static const struct cosem_rights everyone = {.read = {ALL, ALL, ALL}};
static const struct cosem_rights readers = {
    .read = {0, ALL, ALL}, .write = {0, 0, ALL}, .invoke = {0, 0, ALL}};
static const struct cosem_rights managers = {.read = {0, 0, ALL}, .invoke = {0, 0, ALL}};
static const struct cosem_rights associations = {.read = {ALL, ALL, ALL}, .invoke = {1, 1, 1}};

static const struct cosem_row rows[] = {
    {.ln = {0, 0, 42, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 1, .rights = &everyone, .binding = &bind_name)},
    {.ln = {0, 0, 43, 1, 0, 255},
     .kind = COSEM_KIND(.class_id = 1, .range = {{4, 1, 4}}, .rights = &everyone,
                        .binding = &cosem_binding_counter)},
    {.ln = {0, 0, 96, 1, 1, 255},
     .kind = COSEM_KIND(.class_id = 1, .rights = &readers, .binding = &bind_name),
     .arg = 1},
    {.ln = {1, 0, 1, 8, 0, 255},
     .kind = COSEM_KIND(.class_id = 3, .range = {{4, 1, 5}}, .rights = &readers,
                        .binding = &bind_register),
     .arg = 1000},
    {.ln = {1, 0, 21, 8, 0, 255},
     .kind = COSEM_KIND(.class_id = 3, .range = {{2, 20, 3}, {4, 1, 2}}, .rights = &readers,
                        .binding = &bind_register),
     .arg = 2000},
    {.ln = {0, 0, 14, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 6, .rights = &managers, .binding = &bind_run)},
    {.ln = {1, 0, 99, 1, 0, 255},
     .kind = COSEM_KIND(.class_id = 7, .version = 1, .rights = &readers, .binding = &bind_profile)},
    {.ln = {0, 0, 1, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 8, .rights = &everyone, .binding = &bind_clock)},
    {.ln = {0, 0, 10, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 9, .rights = &managers, .binding = &bind_run)},
    {.ln = {0, 0, 40, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 15, .version = 1, .range = {{4, 1, 5}}, .rights = &associations,
                        .binding = &cosem_binding_association)},
    {.ln = {0, 0, 41, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 17, .rights = &everyone, .binding = &cosem_binding_sap)},
    {.ln = {0, 0, 43, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 64, .rights = &readers, .binding = &cosem_binding_security)},
};
static const struct cosem_client_entry clients[] = {
    {.sap = SAP_PUBLIC, .role = COSEM_PUBLIC, .mechanism = COSEM_AUTH_NONE},
    {.sap = SAP_READER,
     .role = COSEM_READER,
     .mechanism = COSEM_AUTH_LLS,
     .password = EXAMPLE_PASSWORD},
    {.sap = SAP_MANAGER,
     .role = COSEM_MANAGER,
     .mechanism = COSEM_AUTH_HLS5,
     .security = DLMS_SC_AUTH | DLMS_SC_ENC},
    {.sap = SAP_WRITER, .role = COSEM_MANAGER, .mechanism = COSEM_AUTH_HLS5},
};

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    struct example *x = r->context;
    uint8_t *p = to;
    for (size_t i = 0; i < n; i++) {
        x->random = x->random * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x->random >> 24);
    }
    return x->rng_result;
}

static enum err before_tell(void *context, enum cosem_role role)
{
    struct example *x = context;
    (void)role;
    x->n_tell++;
    return x->tell;
}

static enum err security_store(void *context, const struct dlms_keys *keys, uint8_t policy)
{
    struct example *x = context;
    (void)keys, (void)policy;
    x->n_stored++;
    return x->store;
}

static void authenticated(void *context, uint16_t sap, bool ok)
{
    struct example *x = context;
    (void)sap;
    x->n_auth_ok += ok;
    x->n_auth_bad += !ok;
}

void example_end(struct example *x)
{
    if (!x->session.server)
        return;
    session_close(&x->session);
    cosem_server_end(&x->server);
    x->session.server = NULL;
}

void example_init(struct example *x)
{
    example_end(x);
    memset(x, 0, sizeof *x);
    x->rows = EXAMPLE_ROWS;
    x->random = 1;
    x->rng = (struct hal_rng){.context = x, .fill = fill};
    x->device[0] = (struct cosem_device){.sap = 1,
                                         .name = "FER0000000000001",
                                         .rows = rows,
                                         .n_rows = sizeof rows / sizeof rows[0],
                                         .context = x};
    x->device[1] = x->device[0];
    x->device[1].sap = 2;
    x->devices[0] = &x->device[0];
    x->devices[1] = &x->device[1];
    struct cosem_server *s = &x->server;
    s->config = (struct cosem_server_config){.devices = x->devices,
                                             .n_devices = 2,
                                             .clients = clients,
                                             .n_clients = sizeof clients / sizeof clients[0],
                                             .rng = &x->rng,
                                             .before_tell = before_tell,
                                             .security_store = security_store,
                                             .authenticated = authenticated,
                                             .context = x};
    memcpy(s->config.title, example_server_title, 8);
    memcpy(s->keys.guek, example_guek, 16);
    memcpy(s->keys.gak, example_gak, 16);
    memcpy(s->keys.kek, example_kek, 16);
    s->keys.has_guek = s->keys.has_gak = s->keys.has_kek = true;
    s->tx = (struct dlms_counter){.next = 1, .limit = UINT32_MAX, .store = NULL};
    session_init(&x->session, s);
}

void peer_init(struct peer *p, struct example *x, uint16_t sap)
{
    memset(p, 0, sizeof *p);
    p->x = x;
    p->sap = sap;
    p->max_pdu = 1024;
    p->conformance = 0xFFFFFF;
    p->counter = 1;
    p->password = EXAMPLE_PASSWORD;
    p->sc = sap == SAP_MANAGER ? DLMS_SC_AUTH | DLMS_SC_ENC : 0;
    memcpy(p->title, example_client_title, 8);
    memcpy(p->guek, example_guek, 16);
    memcpy(p->gak, example_gak, 16);
}

/* Feeds a frame and collects what comes back. */
#if COSEM_WITH_WRAPPER
static void pass_frame(struct peer *p, uint8_t *frame, size_t len)
{
    struct cosem_session *s = &p->x->session;
    size_t at = 0, n;
    while (at < len) {
        size_t used = session_feed(s, frame + at, len - at);
        at += used;
        while ((n = session_take(s, p->frame + p->frame_len, sizeof p->frame - p->frame_len)) > 0)
            p->frame_len += n;
        if (used == 0)
            break;
    }
}
#else
static void pass_frame(struct peer *p, uint8_t *frame, size_t len)
{
    struct cosem_session *s = &p->x->session;
    session_apdu(s, p->sap, 1, frame + WRAPPER_HEAD_LEN, len - WRAPPER_HEAD_LEN);
    for (struct bytes a; (a = session_answer(s)).len > 0; session_answered(s)) {
        struct wr w = wr_of(p->frame + p->frame_len, sizeof p->frame - p->frame_len);
        wrapper_put_head(&w, 1, p->sap, (uint16_t)a.len);
        wr_bytes(&w, a.p, a.len);
        p->frame_len += w.len;
    }
}
#endif

struct bytes peer_raw(struct peer *p, const void *apdu, size_t len)
{
    uint8_t out[WRAPPER_HEAD_LEN + COSEM_PDU_MAX];
    struct wr w = wr_of(out, sizeof out);
    wrapper_put_head(&w, p->sap, 1, (uint16_t)len);
    wr_bytes(&w, apdu, len);
    p->frame_len = 0;
    pass_frame(p, out, w.len);
    bool whole = p->frame_len >= WRAPPER_HEAD_LEN;
    p->last_apdu_len = whole ? p->frame_len - WRAPPER_HEAD_LEN : 0;
    return whole ? (struct bytes){p->frame + WRAPPER_HEAD_LEN, p->last_apdu_len}
                 : (struct bytes){NULL, 0};
}

size_t peer_protect(struct peer *p, const void *apdu, size_t len, uint8_t *out, size_t size)
{
    uint8_t body[COSEM_PDU_MAX + 32];
    size_t n = 0;
    uint32_t counter = p->dedicated ? p->dedicated_counter++ : p->counter++;
    memcpy(body + DLMS_HEAD_LEN, apdu, len);
    if (dlms_seal(p->dedicated ? p->dedicated_key : p->guek, p->gak, p->title, p->sc, counter, body,
                  len, sizeof body, &n))
        return 0;
    struct wr w = wr_of(out, size);
    if (p->general) {
        wr_u8(&w, p->dedicated ? DLMS_GENERAL_DED : DLMS_GENERAL_GLO);
        wr_u8(&w, sizeof p->title);
        wr_bytes(&w, p->title, sizeof p->title);
    } else {
        wr_u8(&w, apdu_ciphered_tag(*(const uint8_t *)apdu, p->dedicated));
    }
    wr_length(&w, n);
    wr_bytes(&w, body, n);
    return w.err ? 0 : w.len;
}

/* Opens a ciphered APDU in place; others pass. */
static struct bytes unprotect(struct peer *p, struct bytes b)
{
    bool dedicated;
    uint8_t sc, *plain;
    uint32_t counter;
    size_t n;
    struct rd r = rd_of(b.p, b.len);
    uint8_t tag = rd_u8(&r);
    if (tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED) {
        struct bytes title = rd_bytes(&r, rd_length(&r));
        dedicated = tag == DLMS_GENERAL_DED;
        if (title.len != 8 || memcmp(title.p, example_server_title, 8) != 0)
            return (struct bytes){NULL, 0};
    } else if (apdu_plain_tag(tag, &dedicated) == 0) {
        return b;
    }
    size_t len = rd_length(&r);
    uint8_t *body = p->frame + (b.p - p->frame) + r.pos;
    if (len != rd_left(&r) || dlms_open(dedicated ? p->dedicated_key : p->guek, p->gak,
                                        example_server_title, body, len, &sc, &counter, &plain, &n))
        return (struct bytes){NULL, 0};
    if (!dedicated && p->seen_rx && counter <= p->last_rx)
        return (struct bytes){NULL, 0}; /* the server used a number twice */
    if (!dedicated)
        p->last_rx = counter;
    p->seen_rx |= !dedicated;
    return (struct bytes){plain, n};
}

struct bytes peer_open(struct peer *p, const void *apdu, size_t len)
{
    if (len > sizeof p->frame)
        return (struct bytes){NULL, 0};
    memcpy(p->frame, apdu, len);
    return unprotect(p, (struct bytes){p->frame, len});
}

struct bytes peer_ask(struct peer *p, const void *apdu, size_t len)
{
    uint8_t out[COSEM_PDU_MAX + 64];
    if (p->sc == 0)
        return peer_raw(p, apdu, len);
    size_t n = peer_protect(p, apdu, len, out, sizeof out);
    return unprotect(p, peer_raw(p, out, n));
}

struct bytes peer_request(struct peer *p, const struct apdu_request *q)
{
    uint8_t out[COSEM_PDU_MAX];
    struct wr w = wr_of(out, sizeof out);
    apdu_put_request(&w, q);
    return w.err ? (struct bytes){NULL, 0} : peer_ask(p, out, w.len);
}

uint8_t peer_aarq(struct peer *p, struct acse_aarq *a, struct acse_aare *aare)
{
    uint8_t initiate[64], sealed[128], out[512];
    struct wr w = wr_of(initiate, sizeof initiate);
    struct dlms_initiate i = {.response_allowed = true,
                              .version = DLMS_VERSION,
                              .conformance = p->conformance,
                              .max_pdu = p->max_pdu};
    if (p->dedicated)
        i.dedicated_key = (struct bytes){p->dedicated_key, 16};
    initiate_put_request(&w, &i);
    a->user_info = (struct bytes){initiate, w.len};
    if (p->sc != 0) {
        bool dedicated = p->dedicated;
        p->dedicated = false; /* the InitiateRequest itself goes under the global key */
        a->user_info =
            (struct bytes){sealed, peer_protect(p, initiate, w.len, sealed, sizeof sealed)};
        p->dedicated = dedicated;
    }
    w = wr_of(out, sizeof out);
    acse_put_aarq(&w, a);
    struct bytes b = peer_raw(p, out, w.len);
    struct rd r = rd_of(b.p, b.len);
    acse_get_aare(&r, aare);
    if (r.err)
        return 0xFF;
    p->stoc_len = aare->secret.len < sizeof p->stoc ? aare->secret.len : 0;
    if (p->stoc_len > 0)
        memcpy(p->stoc, aare->secret.p, p->stoc_len);
    return aare->result;
}

bool peer_hls(struct peer *p)
{
    static const uint8_t association[6] = {0, 0, 40, 0, 0, 255};
    static const char challenge[] = "K56iVagY";
    struct dlms_keys k = {.has_guek = true, .has_gak = true};
    uint8_t param[2 + DLMS_GMAC_LEN] = {AXDR_OCTETS, DLMS_GMAC_LEN};
    uint32_t counter;
    memcpy(k.guek, p->guek, 16);
    memcpy(k.gak, p->gak, 16);
    if (dlms_hls5_make(&k, p->title, p->counter++, (struct bytes){p->stoc, p->stoc_len}, param + 2))
        return false;
    struct apdu_request q = {
        .tag = DLMS_ACTION_REQUEST,
        .type = DLMS_ACTION_NORMAL,
        .invoke = 0xC1,
        .target = {.class_id = 15, .id = 1, .parameter = {param, sizeof param}}};
    memcpy(q.target.ln, association, 6);
    struct apdu_response a;
    struct bytes b = peer_request(p, &q);
    struct rd r = rd_of(b.p, b.len);
    apdu_get_response(&r, &a);
    if (r.err || a.tag != DLMS_ACTION_RESPONSE || a.result != 0 || a.data.len != sizeof param)
        return false;
    struct bytes f = {a.data.p + 2, DLMS_GMAC_LEN};
    return dlms_hls5_check(&k, example_server_title,
                           (struct bytes){(const uint8_t *)challenge, strlen(challenge)}, f,
                           &counter) == ERR_OK;
}

uint8_t peer_connect(struct peer *p, struct acse_aare *aare)
{
    static const char challenge[] = "K56iVagY";
    bool hls = p->sap == SAP_MANAGER || p->sap == SAP_WRITER;
    bool lls = p->sap == SAP_READER;
    const char *secret = hls ? challenge : p->password;
    struct acse_aarq a = {.context = p->sc ? DLMS_CONTEXT_LN_CIPHERED : DLMS_CONTEXT_LN,
                          .has_mechanism = hls || lls,
                          .mechanism = hls ? DLMS_MECHANISM_HLS5 : DLMS_MECHANISM_LLS};
    if (hls || p->sc)
        a.title = (struct bytes){p->title, 8};
    if (hls || lls)
        a.secret = (struct bytes){(const uint8_t *)secret, strlen(secret)};
    uint8_t result = peer_aarq(p, &a, aare);
    if (result != ACSE_ACCEPTED || !hls)
        return result;
    return peer_hls(p) ? ACSE_ACCEPTED : 0xFF;
}

/* Adds octets to out, counting all of them. */
static void collect(uint8_t *out, size_t size, size_t *len, struct bytes b)
{
    if (*len < size && b.len > 0)
        memcpy(out + *len, b.p, b.len < size - *len ? b.len : size - *len);
    *len += b.len;
}

int peer_get(struct peer *p, uint16_t class_id, const uint8_t ln[6], uint8_t attr,
             const struct cosem_select *sel, uint8_t *out, size_t size, size_t *len,
             unsigned *n_blocks)
{
    struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                             .type = DLMS_GET_NORMAL,
                             .invoke = 0xC1,
                             .target = {.class_id = class_id, .id = attr}};
    struct apdu_response a;
    memcpy(q.target.ln, ln, 6);
    if (sel) {
        q.target.selector = sel->selector;
        q.target.parameter = sel->parameter;
    }
    *len = 0;
    for (*n_blocks = 0;; (*n_blocks)++) {
        struct bytes b = peer_request(p, &q);
        struct rd r = rd_of(b.p, b.len);
        apdu_get_response(&r, &a);
        if (r.err || a.tag != DLMS_GET_RESPONSE || p->last_apdu_len > p->max_pdu)
            return -1;
        if (!a.has_data)
            return a.result;
        collect(out, size, len, a.data);
        if (a.type == DLMS_GETRES_NORMAL)
            return 0;
        if (a.block != *n_blocks + 1)
            return -1;
        if (a.last) {
            (*n_blocks)++;
            return 0;
        }
        q.type = DLMS_GET_NEXT;
        q.block = a.block;
    }
}
