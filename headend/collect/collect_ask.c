/* See collect_ask.h. */
#include "headend/collect/collect_ask.h"

#include "headend/collect/collect_turn.h"
#include "headend/collect/collector_parts.h"
#include "lib/dlms/axdr.h"

#include <stdio.h>
#include <string.h>

#define PUBLIC_CLIENT 16
#define OURS_MAX      255 /* a client beyond has no such object */
/* Believed without bound the answer would burn the counter, ours and the one the meter then
 * expects. */
#define COUNTER_LEAP_MAX (UINT32_C(1) << 24)

static bool take_counter(struct collect_meter *m, uint32_t wanted)
{
    if (wanted <= m->refused_counter || wanted - m->refused_counter > COUNTER_LEAP_MAX)
        return false;
    m->counter_floor = wanted;
    m->counter.next = m->counter.limit = 0; /* a new block, from there */
    return true;
}

bool ask_after_refusal(struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    const struct cosem_client_failure *f = &conn->reader.client.failure;
    const bool ciphered = m->row.auth == STORE_AUTH_HLS5 || m->row.security != 0;
    const bool refused = conn->reader.security_failure || conn->reader.counter_wanted != 0;
    if (!ciphered || !refused || m->counter_retried)
        return false;
    m->refused_counter = m->counter.next - 1;
    m->counter_retried = true; /* until a turn succeeds */
    if (conn->reader.counter_wanted != 0)
        return take_counter(m, conn->reader.counter_wanted);
    m->ask = f->during == CLIENT_ASSOCIATING && m->row.client_sap <= OURS_MAX;
    return m->ask;
}

static bool on_data(void *context, uint32_t index, struct bytes part)
{
    struct collect_conn *conn = context;
    (void)index;
    if (part.len > sizeof conn->answer - conn->answer_len)
        return false;
    memcpy(conn->answer + conn->answer_len, part.p, part.len);
    conn->answer_len += part.len;
    return true;
}

static void on_done(void *context, uint32_t index, enum cosem_result result)
{
    struct collect_conn *conn = context;
    (void)index;
    conn->answered = true;
    if (result != COSEM_SUCCESS)
        conn->answer_len = 0;
}

/* The turn ends here in any case: either the next begins with the right counter, or what refused us
 * before is the error. */
static void end(struct collect_conn *conn)
{
    struct rd r = rd_of(conn->answer, conn->answer_len);
    const uint64_t wanted = conn->answer_len > 0 ? axdr_get_uint(&r) : 0;
    char before[sizeof conn->error];
    conn->m->ask = false;
    conn->retry = !r.err && wanted <= UINT32_MAX && take_counter(conn->m, (uint32_t)wanted);
    conn->security = true;
    snprintf(before, sizeof before, "%s", conn->m->state.error);
    turn_fail(conn, before);
}

void ask_begin(struct collect_conn *conn)
{
    const struct cosem_client_config k = {.client_sap = PUBLIC_CLIENT,
                                          .server_sap = conn->m->row.server_sap,
                                          .timeout_ms = collect_conn_timeout(conn)};
    struct cosem_client *client = &conn->reader.client;
    conn->step = CONN_ASK;
    conn->answer_len = 0;
    conn->answered = false;
    if (cosem_client_init(client, &k) != ERR_OK ||
        cosem_client_connect(client, collect_conn_now(conn)) != ERR_OK)
        end(conn);
    else
        collect_conn_pump(conn);
}

void ask_step(struct collect_conn *conn)
{
    struct cosem_client *client = &conn->reader.client;
    const struct cosem_client_sink sink = {.context = conn, .data = on_data, .done = on_done};
    const struct apdu_attr counter = {
        .class_id = 1, .ln = {0, 0, 43, 1, (uint8_t)conn->m->row.client_sap, 255}, .id = 2};
    if (conn->answered || conn->ended || client->state == CLIENT_FAILED)
        end(conn);
    else if (client->state == CLIENT_READY &&
             cosem_client_get(client, collect_conn_now(conn), &counter, &sink) != ERR_OK)
        end(conn);
}
