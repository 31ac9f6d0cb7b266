/* Ready binding of class 15: the association as the server keeps it, and the object list made row
 * by row from the device's table. Instance 0 is the current association; instance k that of client
 * entry k - 1, shown to that client itself and to managers. Blue Book 4.4.4. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

/* The client entry an instance stands for; NULL where there is none. */
static const struct cosem_client_entry *entry_of(const struct cosem_call *c,
                                                 const struct cosem_ref *o)
{
    const struct cosem_server_config *config = &c->session->server->config;
    if (o->i == 0)
        return c->session->client;
    return o->i <= config->n_clients ? &config->clients[o->i - 1] : NULL;
}

/* Whether the client of entry e has any business with an object: else it is not in its list. The
 * association of somebody else is the managers' business alone. */
static bool visible(const struct cosem_server_config *config, const struct cosem_client_entry *e,
                    const struct cosem_ref *o)
{
    const struct cosem_rights *r = o->row->kind->rights;
    if (o->row->kind->binding == &cosem_binding_association && o->i > 0 &&
        e->role != COSEM_MANAGER && &config->clients[o->i - 1] != e)
        return false;
    return r && (r->read[e->role] | r->write[e->role] | r->invoke[e->role]) != 0;
}

static void put_selectors(struct wr *w, uint8_t selectors)
{
    if (selectors == 0) {
        axdr_put_null(w);
        return;
    }
    uint8_t n = 0;
    for (unsigned i = 0; i < 8; i++)
        n = (uint8_t)(n + ((unsigned)selectors >> i & 1u));
    axdr_put_array(w, n);
    for (unsigned i = 0; i < 8; i++) {
        if ((unsigned)selectors >> i & 1u)
            axdr_put_i8(w, (int8_t)(i + 1));
    }
}

/* Access rights, version 1 of the class: attribute mode 1 read, 2 write, 3 both; method 1. */
static void put_rights(struct wr *w, const struct cosem_class *ic, const struct cosem_rights *r,
                       enum cosem_role role)
{
    uint8_t n_attrs = ic ? ic->n_attrs : 0, n_methods = ic ? ic->n_methods : 0;
    axdr_put_struct(w, 2);
    axdr_put_array(w, n_attrs);
    for (uint8_t id = 1; id <= n_attrs; id++) {
        bool reads = policy_allows(r->read, role, id), writes = policy_allows(r->write, role, id);
        axdr_put_struct(w, 3);
        axdr_put_i8(w, (int8_t)id);
        axdr_put_enum(w, (uint8_t)((writes ? 2 : 0) + (reads ? 1 : 0)));
        put_selectors(w, ic->attrs[id - 1].selectors);
    }
    axdr_put_array(w, n_methods);
    for (uint8_t id = 1; id <= n_methods; id++) {
        axdr_put_struct(w, 2);
        axdr_put_i8(w, (int8_t)id);
        axdr_put_enum(w, policy_allows(r->invoke, role, id));
    }
}

static void put_object(struct wr *w, const struct cosem_ref *o, enum cosem_role role)
{
    const struct cosem_kind *kind = o->row->kind;
    axdr_put_struct(w, 4);
    axdr_put_u16(w, kind->class_id);
    axdr_put_u8(w, kind->version);
    axdr_put_octets(w, o->ln, sizeof o->ln);
    put_rights(w, cosem_class_find(kind->class_id, kind->version), kind->rights, role);
}

/* The next object of the list the client of entry e sees; g->word[0] is the walk's position. */
static bool next_visible(const struct cosem_session *s, const struct cosem_client_entry *e,
                         uint32_t *at, struct cosem_ref *o)
{
    while (cosem_next(s->device, at, o)) {
        if (visible(&s->server->config, e, o))
            return true;
    }
    return false;
}

/* Item 0 is the array header, then an object an item; word[1] counts what is left. */
static enum cosem_result get_object_list(const struct cosem_session *s,
                                         const struct cosem_client_entry *e, struct cosem_gen *g,
                                         struct wr *out)
{
    struct cosem_ref o;
    if (g->item == 0) {
        uint32_t at = 0, n = 0;
        while (next_visible(s, e, &at, &o))
            n++;
        axdr_put_array(out, n);
        g->word[1] = n;
    } else if (next_visible(s, e, &g->word[0], &o)) {
        put_object(out, &o, e->role);
        g->word[1]--;
    }
    g->more = g->word[1] > 0;
    return COSEM_SUCCESS;
}

/* 2.16.756.5.8.family.value as an octet-string */
static void put_name(struct wr *w, uint8_t family, uint8_t value)
{
    const uint8_t oid[] = {0x60, 0x85, 0x74, 0x05, 0x08, family, value};
    axdr_put_octets(w, oid, sizeof oid);
}

/* What was negotiated; of an association that is not the asking one, what would be offered. */
static void put_context_info(uint32_t conformance, uint16_t max_send_pdu, struct wr *w)
{
    const uint8_t bits[] = {(uint8_t)(conformance >> 16), (uint8_t)(conformance >> 8),
                            (uint8_t)conformance};
    axdr_put_struct(w, 6);
    axdr_put_bits(w, bits, 24);
    axdr_put_u16(w, COSEM_PDU_MAX);
    axdr_put_u16(w, max_send_pdu);
    axdr_put_u8(w, DLMS_VERSION);
    axdr_put_i8(w, 0);
    axdr_put_octets(w, NULL, 0); /* the dedicated key is never shown */
}

/* 0 non-associated, 1 pending, 2 associated */
static uint8_t status_of(const struct cosem_session *s, const struct cosem_client_entry *e)
{
    if (s->server->n_associated[e - s->server->config.clients] > 0)
        return 2;
    return s->client == e && s->state == SESSION_PENDING;
}

static enum cosem_result get(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out)
{
    static const uint8_t security_setup[6] = {0, 0, 43, 0, 0, 255};
    const struct cosem_session *s = c->session;
    const struct cosem_client_entry *e = entry_of(c, o);
    (void)sel;
    if (!e)
        return COSEM_OBJECT_UNAVAILABLE;
    if (e != s->client && c->role != COSEM_MANAGER)
        return COSEM_READ_WRITE_DENIED;
    switch (attr) {
    case 2:
        return get_object_list(s, e, g, out);
    case 3:
        axdr_put_struct(out, 2);
        axdr_put_i8(out, (int8_t)e->sap);
        axdr_put_u16(out, s->server_sap);
        return COSEM_SUCCESS;
    case 4:
        put_name(out, 1,
                 e == s->client ? s->context
                 : e->security  ? DLMS_CONTEXT_LN_CIPHERED
                                : DLMS_CONTEXT_LN);
        return COSEM_SUCCESS;
    case 5:
        put_context_info(
            e == s->client
                ? s->conformance
                : security_conformance(e->security ? DLMS_CONTEXT_LN_CIPHERED : DLMS_CONTEXT_LN),
            e == s->client ? s->max_pdu : COSEM_PDU_MAX, out);
        return COSEM_SUCCESS;
    case 6:
        put_name(out, 2, (uint8_t)e->mechanism);
        return COSEM_SUCCESS;
    case 8:
        axdr_put_enum(out, status_of(s, e));
        return COSEM_SUCCESS;
    case 9:
        axdr_put_octets(out, security_setup, sizeof security_setup);
        return COSEM_SUCCESS;
    default: /* 7, the secret */
        return COSEM_READ_WRITE_DENIED;
    }
}

/* A new secret for the client of an association: its LLS password, or what HLS 2, 3, 4 or 6 prove.
 * HLS 5 proves the keys of the security setup. A secret of HLS must come encrypted. */
static enum cosem_result change_secret(const struct cosem_call *c, const struct cosem_ref *o,
                                       bool lls, struct rd *r)
{
    const struct cosem_session *s = c->session;
    const struct cosem_server_config *config = &s->server->config;
    const struct cosem_client_entry *e = entry_of(c, o);
    struct bytes secret = axdr_get_octets(r);
    if (!e)
        return COSEM_OBJECT_UNAVAILABLE;
    if (!config->change_secret || (e != s->client && c->role != COSEM_MANAGER) ||
        lls != (e->mechanism == COSEM_AUTH_LLS) || e->mechanism == COSEM_AUTH_NONE ||
        e->mechanism == COSEM_AUTH_HLS5 || (!lls && !(s->request_sc & DLMS_SC_ENC)))
        return COSEM_READ_WRITE_DENIED;
    if (r->err)
        return COSEM_TYPE_UNMATCHED;
    if (secret.len == 0 || secret.len > COSEM_CHALLENGE_MAX || memchr(secret.p, 0, secret.len))
        return COSEM_OTHER_REASON;
    return cosem_result_of(
        config->change_secret(config->context, (size_t)(e - config->clients), secret));
}

static enum cosem_result set(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             struct rd *value)
{
    return attr == 7 ? change_secret(c, o, true, value) : COSEM_READ_WRITE_DENIED;
}

/* reply_to_HLS_authentication, of the current association, and change_HLS_secret; the rest would
 * change what the tables say. */
static enum cosem_result invoke(const struct cosem_call *c, const struct cosem_ref *o,
                                uint8_t method, struct rd *param, struct wr *reply)
{
    if (method == 2)
        return change_secret(c, o, false, param);
    if (method != 1 || o->i != 0)
        return COSEM_READ_WRITE_DENIED;
    return association_hls_reply(c->session, param, reply);
}

const struct cosem_binding cosem_binding_association = {.get = get, .set = set, .invoke = invoke};
