/* Ready bindings of the security setup (class 64 v0) and of the invocation counters (class 1).
 *
 * New keys and a new policy are made durable before they are acknowledged and come into force when
 * the acknowledgement has left: the client learns of it under the old keys. The policy can only be
 * strengthened. Counters are never reset by a key transfer: a key that comes back must not make old
 * APDUs fresh again. Blue Book 4.4.7. */
#include "lib/cosem/server_parts.h"
#include "lib/crypto/crypto.h"
#include "lib/dlms/axdr.h"

#define KEY_GLOBAL_UNICAST 0
#define KEY_AUTHENTICATION 2
#define WRAPPED_LEN        24

static enum cosem_result get(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out)
{
    const struct cosem_session *s = c->session;
    (void)o, (void)sel, (void)g;
    switch (attr) {
    case 2:
        axdr_put_enum(out, s->server->policy);
        break;
    case 3:
        axdr_put_enum(out, 0); /* suite 0 */
        break;
    case 4:
        axdr_put_octets(out, s->client_title, s->has_title ? DLMS_TITLE_LEN : 0);
        break;
    default:
        axdr_put_octets(out, s->server->config.title, DLMS_TITLE_LEN);
        break;
    }
    return COSEM_SUCCESS;
}

/* What will be in force once the answer has left; a later change in the same answer builds on it.
 */
static void begin_change(struct cosem_session *s, struct dlms_keys *keys, uint8_t *policy)
{
    *keys = s->server->keys;
    *policy = s->server->policy;
}

static enum cosem_result commit_change(struct cosem_session *s, const struct dlms_keys *keys,
                                       uint8_t policy)
{
    const struct cosem_server_config *config = &s->server->config;
    /* what would keep the answer back later must keep the change back */
    if (server_before_tell(s))
        return COSEM_TEMPORARY_FAILURE;
    if (config->security_store && config->security_store(config->context, keys, policy))
        return COSEM_TEMPORARY_FAILURE;
    s->new_keys = *keys;
    s->new_policy = policy;
    s->security_changed = true;
    return COSEM_SUCCESS;
}

static enum cosem_result activate(struct cosem_session *s, struct rd *param)
{
    struct dlms_keys keys;
    uint8_t policy;
    uint64_t wanted = axdr_get_uint(param);
    begin_change(s, &keys, &policy);
    enum cosem_result result = COSEM_READ_WRITE_DENIED;
    bool possible = keys.has_guek && keys.has_gak;
    if (!param->err && wanted <= 3 && (wanted & policy) == policy && (possible || wanted == 0))
        result = commit_change(s, &keys, (uint8_t)wanted);
    wipe(&keys, sizeof keys);
    return result;
}

/* One element: key number and wrapped key. */
static enum cosem_result unwrap_one(struct dlms_keys *keys, struct rd *param)
{
    axdr_get_struct(param, 2);
    uint64_t id = axdr_get_uint(param);
    struct bytes wrapped = axdr_get_octets(param);
    if (param->err || wrapped.len != WRAPPED_LEN)
        return COSEM_TYPE_UNMATCHED;
    bool unicast = id == KEY_GLOBAL_UNICAST;
    if (!unicast && id != KEY_AUTHENTICATION)
        return COSEM_OTHER_REASON; /* a broadcast key: this meter has none */
    keys->has_guek |= unicast;
    keys->has_gak |= !unicast;
    return cosem_result_of(
        crypto_key_unwrap(keys->kek, wrapped.p, wrapped.len, unicast ? keys->guek : keys->gak));
}

static enum cosem_result transfer_keys(struct cosem_session *s, struct rd *param)
{
    struct dlms_keys keys;
    uint8_t policy;
    size_t n = axdr_get_array(param);
    begin_change(s, &keys, &policy);
    enum cosem_result result = keys.has_kek && n > 0 ? COSEM_SUCCESS : COSEM_OTHER_REASON;
    for (size_t i = 0; i < n && result == COSEM_SUCCESS; i++)
        result = unwrap_one(&keys, param);
    if (result == COSEM_SUCCESS)
        result = commit_change(s, &keys, policy);
    wipe(&keys, sizeof keys);
    return result;
}

static enum cosem_result invoke(const struct cosem_call *c, const struct cosem_ref *o,
                                uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o, (void)reply;
    return method == 1 ? activate(c->session, param) : transfer_keys(c->session, param);
}

const struct cosem_binding cosem_binding_security = {.get = get, .invoke = invoke};

/* Which client entry an instance of the counter object speaks of: SAP = instance; instance 0 is the
 * first client that uses the global key. */
static bool counts_for(const struct cosem_client_entry *e, uint8_t instance)
{
    return instance ? e->sap == instance
                    : e->mechanism == COSEM_AUTH_HLS5 || (e->security & DLMS_SC_ENC);
}

static enum cosem_result get_counter(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    const struct cosem_server *server = c->session->server;
    const struct cosem_server_config *config = &server->config;
    (void)attr, (void)sel, (void)g;
    uint32_t floor = 0;
    for (size_t k = 0; k < config->n_clients && k < COSEM_CLIENTS_MAX; k++) {
        if (counts_for(&config->clients[k], o->i)) {
            floor = server->rx_floor[k];
            break;
        }
    }
    axdr_put_u32(out, floor);
    return COSEM_SUCCESS;
}

const struct cosem_binding cosem_binding_counter = {.get = get_counter};
