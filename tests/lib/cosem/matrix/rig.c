/* See rig.h: the device, the two ends, and the pump between them. */
#include "tests/lib/cosem/matrix/rig.h"

#include "lib/cosem/ic.h"
#include "lib/cosem/profile_select.h"

#include <string.h>

#define PASSWORD "a secret of both"
#define PIECE    300 /* octets moved at once, at most; datagrams go whole */

static const uint8_t guek[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t gak[16] = {0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7,
                                0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF};
static const uint8_t server_title[8] = {'F', 'E', 'R', 0, 0, 0, 0, 1};
static const uint8_t client_title[8] = {'F', 'E', 'R', 0, 0, 0, 0, 2};

const struct apdu_attr rig_name = {.class_id = 1, .ln = {0, 0, 42, 0, 0, 255}, .id = 2};
const struct apdu_attr rig_note[2] = {{.class_id = 1, .ln = {0, 0, 96, 1, 1, 255}, .id = 2},
                                      {.class_id = 1, .ln = {0, 0, 96, 1, 2, 255}, .id = 2}};
const struct apdu_attr rig_register = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
const struct apdu_attr rig_profile = {.class_id = 7, .ln = {1, 0, 99, 1, 0, 255}, .id = 2};
const struct apdu_attr rig_missing = {.class_id = 3, .ln = {1, 0, 77, 77, 0, 255}, .id = 2};
const struct apdu_attr rig_echo = {.class_id = RIG_ECHO_ID, .ln = {0, 0, 128, 0, 0, 255}, .id = 1};
const struct apdu_attr rig_length = {
    .class_id = RIG_ECHO_ID, .ln = {0, 0, 128, 0, 0, 255}, .id = 2};
const struct apdu_attr rig_text = {.class_id = RIG_ECHO_ID, .ln = {0, 0, 128, 0, 0, 255}, .id = 3};

/* ---- the classes of this program ---- */

static const struct cosem_attr echo_attrs[] = {
    {.name = "logical_name", AXDR_CODE(AXDR_OS6), .is_static = true},
    {.name = "value", AXDR_CODE(AXDR_ANY)},
};
static const struct cosem_method echo_methods[] = {
    {.name = "echo"}, {.name = "length"}, {.name = "text"}};
static const struct cosem_class echo_class = {.id = RIG_ECHO_ID,
                                              .name = "Echo",
                                              .attrs = echo_attrs,
                                              .n_attrs = 2,
                                              .methods = echo_methods,
                                              .n_methods = 3};
const struct cosem_class *const cosem_classes[] = {
    &cosem_ic_0001, &cosem_ic_0003, &cosem_ic_0007, &cosem_ic_0008, &cosem_ic_0015, &echo_class,
};
const size_t cosem_n_classes = sizeof cosem_classes / sizeof cosem_classes[0];

/* ---- the device ---- */

static enum cosem_result get_data(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    const struct rig *m = c->context;
    (void)attr, (void)sel, (void)g;
    if (o->row->arg == 0)
        axdr_put_octets(out, "FER0000000000001", 16);
    else
        axdr_put_octets(out, m->note[o->row->arg - 1], m->note_len[o->row->arg - 1]);
    return COSEM_SUCCESS;
}

static enum cosem_result set_data(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    struct rig *m = c->context;
    struct bytes b = axdr_get_octets(value);
    (void)attr;
    if (value->err || b.len > RIG_NOTE)
        return COSEM_TYPE_UNMATCHED;
    memcpy(m->note[o->row->arg - 1], b.p, b.len);
    m->note_len[o->row->arg - 1] = b.len;
    return COSEM_SUCCESS;
}

static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)c, (void)o, (void)attr, (void)sel, (void)g;
    axdr_put_u32(out, 123456);
    return COSEM_SUCCESS;
}

/* Rows of a number and a text, as many as RIG_ROWS; by entry too. */
static enum cosem_result get_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    struct profile_entries e = {.from = 1, .to = RIG_ROWS};
    (void)c, (void)o, (void)attr;
    if (g->item > 0) {
        axdr_put_struct(out, 1);
        axdr_put_u64(out, g->word[0]++);
        g->more = --g->word[1] > 0;
        return COSEM_SUCCESS;
    }
    if (sel->selector == PROFILE_BY_ENTRY && profile_entries_parse(sel->parameter, &e))
        return COSEM_TYPE_UNMATCHED;
    g->word[0] = e.from;
    g->word[1] = e.to - e.from + 1;
    axdr_put_array(out, g->word[1]);
    g->more = true;
    return COSEM_SUCCESS;
}

static enum cosem_result echo(const struct cosem_call *c, const struct cosem_ref *o, uint8_t method,
                              struct rd *param, struct wr *reply)
{
    uint8_t text[RIG_NOTE];
    (void)c, (void)o;
    if (method == 1) {
        wr_bytes(reply, param->p, param->len);
    } else if (method == 2) {
        axdr_put_u16(reply, (uint16_t)param->len);
    } else {
        size_t n = axdr_get_uint(param);
        if (param->err || n > sizeof text)
            return COSEM_TYPE_UNMATCHED;
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)i;
        axdr_put_octets(reply, text, n);
    }
    return COSEM_SUCCESS;
}

static const struct cosem_binding bind_data = {.get = get_data, .set = set_data};
static const struct cosem_binding bind_register = {.get = get_register};
static const struct cosem_binding bind_profile = {.get = get_profile};
static const struct cosem_binding bind_echo = {.get = get_register, .invoke = echo};

#define ALL 0xFFFF
static const struct cosem_rights open_rights = {
    .read = {ALL, ALL, ALL}, .write = {ALL, ALL, ALL}, .invoke = {ALL, ALL, ALL}};

#define ROW(a, b, c, d, class, bind, number)                                                       \
    {                                                                                              \
        .ln = {a, b, c, d, 0, 255},                                                                \
        .kind = COSEM_KIND(.class_id = class, .rights = &open_rights, .binding = &bind),           \
        .arg = number                                                                              \
    }
static const struct cosem_row rows[] = {
    ROW(0, 0, 42, 0, 1, bind_data, 0),
    {.ln = {0, 0, 96, 1, 1, 255},
     .kind = COSEM_KIND(.class_id = 1, .rights = &open_rights, .binding = &bind_data),
     .arg = 1},
    {.ln = {0, 0, 96, 1, 2, 255},
     .kind = COSEM_KIND(.class_id = 1, .rights = &open_rights, .binding = &bind_data),
     .arg = 2},
    ROW(1, 0, 1, 8, 3, bind_register, 0),
    {.ln = {1, 0, 99, 1, 0, 255},
     .kind =
         COSEM_KIND(.class_id = 7, .version = 1, .rights = &open_rights, .binding = &bind_profile)},
    {.ln = {0, 0, 40, 0, 0, 255},
     .kind = COSEM_KIND(.class_id = 15, .version = 1, .range = {{4, 1, 3}}, .rights = &open_rights,
                        .binding = &cosem_binding_association)},
    ROW(0, 0, 128, 0, RIG_ECHO_ID, bind_echo, 0),
};

/* ---- the two ends ---- */

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    struct rig *m = r->context;
    uint8_t *p = to;
    for (size_t i = 0; i < n; i++) {
        m->random = m->random * 1664525u + 1013904223u;
        p[i] = (uint8_t)(m->random >> 24);
    }
    return ERR_OK;
}

/* HLS 2: a manufacturer's own algorithm, here a digest with a twist. */
static enum err secret_algorithm(void *context, struct bytes secret, struct bytes challenge,
                                 uint8_t *out, size_t *len)
{
    const struct bytes parts[] = {secret, challenge, secret};
    (void)context;
    *len = CRYPTO_SHA256;
    return crypto_digest(CRYPTO_SHA256, parts, 3, out);
}

static bool is_ours(void *context, uint8_t network, struct bytes address)
{
    (void)context;
    return network == RIG_NETWORK && address.len == 4 && address.p[3] == 0x44;
}

static void init_server(struct rig *m)
{
    struct cosem_server *s = &m->server;
    m->device = (struct cosem_device){.sap = RIG_SERVER,
                                      .name = "FER0000000000001",
                                      .rows = rows,
                                      .n_rows = sizeof rows / sizeof rows[0],
                                      .context = m};
    m->devices[0] = &m->device;
    m->entries[0] = (struct cosem_client_entry){.sap = RIG_CLIENT,
                                                .role = COSEM_MANAGER,
                                                .mechanism = (enum cosem_mechanism)m->way.mechanism,
                                                .security = m->way.security,
                                                .password = PASSWORD};
    m->entries[1] = (struct cosem_client_entry){.sap = RIG_PUBLIC, .role = COSEM_PUBLIC};
    s->config = (struct cosem_server_config){.devices = m->devices,
                                             .n_devices = 1,
                                             .clients = m->entries,
                                             .n_clients = 2,
                                             .rng = &m->rng,
                                             .hls2 = secret_algorithm,
                                             .gateway = is_ours,
                                             .context = m,
                                             .inactivity_ms = 600000};
    memcpy(s->config.title, server_title, sizeof server_title);
    s->keys = m->keys;
    s->tx = (struct dlms_counter){.next = 1, .limit = UINT32_MAX};
    session_init(&m->session, s);
    line_init(&m->line, m->server_link, &m->session);
}

static void notified(void *context, const struct cosem_client_notice *notice)
{
    struct rig *m = context;
    struct bytes v = notice->is_event ? notice->event.value : notice->data.body;
    struct rd r = rd_of(v.p, v.len);
    m->n_events += notice->is_event;
    m->n_notices += !notice->is_event;
    m->notice_value = (uint32_t)axdr_get_uint(&r);
}

static enum err init_client(struct rig *m)
{
    struct cosem_client_config k = {.client_sap = RIG_CLIENT,
                                    .server_sap = RIG_SERVER,
                                    .mechanism = m->way.mechanism,
                                    .security = m->way.security,
                                    .max_pdu = RIG_PDU,
                                    .timeout_ms = 20000,
                                    .keys = &m->keys,
                                    .counter = &m->counter,
                                    .password = PASSWORD,
                                    .rng = &m->rng,
                                    .hls2 = secret_algorithm,
                                    .link = m->client_link,
                                    .dedicated = m->way.dedicated,
                                    .general = m->way.general,
                                    .gbt_window = m->way.gbt_window,
                                    .gbt_buffer = m->gbt_buffer,
                                    .gbt_size = sizeof m->gbt_buffer,
                                    .notified = notified,
                                    .notified_context = m};
    memcpy(k.title, client_title, sizeof client_title);
    m->counter = (struct dlms_counter){.next = 1, .limit = UINT32_MAX};
    return cosem_client_init(&m->client, &k);
}

static bool take_data(void *context, uint32_t index, struct bytes part)
{
    struct rig *m = context;
    struct rig_item *i = &m->item[index];
    if (index >= 8 || part.len > sizeof i->octets - i->len)
        return false;
    memcpy(i->octets + i->len, part.p, part.len);
    i->len += part.len;
    return true;
}

static void take_done(void *context, uint32_t index, enum cosem_result result)
{
    struct rig *m = context;
    if (index < 8) {
        m->item[index].done = true;
        m->item[index].result = result;
    }
}

void rig_clear(struct rig *m)
{
    memset(m->item, 0, sizeof m->item);
}

struct cosem_client_sink rig_sink(struct rig *m)
{
    return (struct cosem_client_sink){.context = m, .data = take_data, .done = take_done};
}

bool rig_init(struct rig *m, const struct rig_link *link, const struct rig_way *way)
{
    memset(m, 0, sizeof *m);
    m->link = link;
    m->way = *way;
    m->random = 1;
    m->rng = (struct hal_rng){.context = m, .fill = fill};
    memcpy(m->keys.guek, guek, 16);
    memcpy(m->keys.gak, gak, 16);
    m->keys.has_guek = m->keys.has_gak = true;
    if (link->make(m))
        return false;
    init_server(m);
    return init_client(m) == ERR_OK;
}

void rig_end(struct rig *m)
{
    session_close(&m->session);
    cosem_server_end(&m->server);
    cosem_client_end(&m->client);
}

/* ---- the line ---- */

static size_t piece(struct rig *m, size_t n)
{
    if (m->link->datagrams || n == 0)
        return n;
    m->random = m->random * 1664525u + 1013904223u;
    size_t some = 1 + (m->random >> 16) % PIECE;
    return some < n ? some : n;
}

/* All octets the client has to say go to the server; what the server does not consume because its
 * answer waits is offered again after that answer. */
static bool to_server(struct rig *m)
{
    size_t n = m->up_len - m->up_at;
    if (n == 0) {
        m->up_at = 0;
        n = m->up_len = cosem_client_take(&m->client, m->up, sizeof m->up);
    }
    if (n == 0)
        return false;
    size_t used = line_feed(&m->line, m->now_ms, m->up + m->up_at, piece(m, n));
    m->up_at += used;
    return used > 0;
}

static bool to_client(struct rig *m)
{
    size_t n = m->down_len - m->down_at;
    if (n == 0) {
        m->down_at = 0;
        n = m->down_len = line_take(&m->line, m->now_ms, m->down, sizeof m->down);
    }
    if (n == 0)
        return false;
    size_t used = cosem_client_feed(&m->client, m->now_ms, m->down + m->down_at, piece(m, n));
    m->down_at += used;
    return used > 0;
}

void rig_settle(struct rig *m)
{
    bool moved = true;
    while (moved) {
        moved = to_server(m);
        moved |= to_client(m);
    }
}

bool rig_wait(struct rig *m)
{
    uint64_t a = cosem_client_poll(&m->client, m->now_ms);
    uint64_t b = line_poll(&m->line, m->now_ms);
    uint64_t next = a < b ? a : b;
    if (next == UINT64_MAX)
        return false;
    m->now_ms = next > m->now_ms ? next : m->now_ms + 1;
    (void)cosem_client_poll(&m->client, m->now_ms);
    (void)line_poll(&m->line, m->now_ms);
    rig_settle(m);
    return true;
}

bool rig_run(struct rig *m)
{
    const uint64_t end = m->now_ms + 60000;
    rig_settle(m);
    while (cosem_client_waiting(&m->client) && m->now_ms < end && rig_wait(m)) {
    }
    return !cosem_client_waiting(&m->client) && m->client.state != CLIENT_FAILED;
}

bool rig_connect(struct rig *m)
{
    return cosem_client_connect(&m->client, m->now_ms) == ERR_OK && rig_run(m);
}
