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
/* Numbers beyond the last that the meter saw may have been used in frames that got lost. */
#define COUNTER_LOST_MAX (UINT32_C(1) << 16)

static bool is_ciphered(const struct store_meter *m)
{
    return m->auth == STORE_AUTH_HLS5 || m->security != 0;
}

static bool take_counter(struct collect_meter *m, uint32_t wanted)
{
    const uint32_t most = m->counter_doubted ? COUNTER_LOST_MAX : COUNTER_LEAP_MAX;
    if (wanted <= m->refused_counter || wanted - m->refused_counter > most)
        return false;
    m->counter_floor = wanted;
    m->counter.next = m->counter.limit = 0; /* a new block, from there */
    return true;
}

bool ask_after_refusal(struct collect_conn *conn)
{
    struct collect_meter *m = conn->m;
    const struct cosem_client_failure *f = &conn->reader.client.failure;
    const bool refused = conn->reader.security_failure || conn->reader.counter_wanted != 0;
    if (!is_ciphered(&m->row) || !refused)
        return false;
    if (m->counter_retried) { /* and refused again: the next turn may ask, but believes little */
        m->counter_retried = false;
        m->counter_doubted = true;
        return false;
    }
    m->refused_counter = m->counter.next - 1;
    m->counter_retried = true; /* until a turn succeeds, or is refused all the same */
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
static void end_after_refusal(struct collect_conn *conn, uint32_t wanted)
{
    char before[sizeof conn->error];
    conn->m->ask = false;
    conn->retry = take_counter(conn->m, wanted);
    conn->security = true;
    snprintf(before, sizeof before, "%s", conn->m->state.error);
    turn_fail(conn, before);
}

/* The meter knows numbers that our store does not: it is an older copy of itself, or new. Numbers
 * that the meter never saw may be gone, too, so the new block begins well beyond. */
static void leap(struct collect_conn *conn, uint32_t wanted)
{
    struct collect_meter *m = conn->m;
    const uint32_t room = UINT32_MAX - wanted;
    char text[sizeof conn->error];
    m->refused_counter = m->counter.next;
    conn->retry = take_counter(m, wanted);
    conn->security = !conn->retry;
    if (conn->retry) {
        m->counter_floor += room < COUNTER_LOST_MAX ? room : COUNTER_LOST_MAX;
        turn_fail(conn, "");
        return;
    }
    snprintf(text, sizeof text, "the meter expects invocation counter %lu, far beyond ours (%lu)",
             (unsigned long)wanted, (unsigned long)m->refused_counter);
    turn_fail(conn, text);
}

/* Nothing ciphered was sent yet. A meter that does not tell is read with the store's numbers. */
static void end_first(struct collect_conn *conn, uint32_t wanted)
{
    struct collect_meter *m = conn->m;
    if (wanted > m->counter.next) {
        leap(conn, wanted);
        return;
    }
    m->counter_checked = true;
    if (conn->reader.client.state == CLIENT_CLOSED && !conn->ended) {
        turn_connected(conn); /* the line serves on */
        return;
    }
    conn->retry = true;
    turn_fail(conn, "");
}

static void end(struct collect_conn *conn)
{
    struct rd r = rd_of(conn->answer, conn->answer_len);
    const uint64_t wanted = conn->answer_len > 0 ? axdr_get_uint(&r) : 0;
    const uint32_t told = !r.err && wanted <= UINT32_MAX ? (uint32_t)wanted : 0;
    if (conn->m->ask)
        end_after_refusal(conn, told);
    else
        end_first(conn, told);
}

bool ask_is_due(const struct collect_meter *m)
{
    return m->ask || (!m->counter_checked && is_ciphered(&m->row) && m->row.client_sap <= OURS_MAX);
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
    enum err err = ERR_OK;
    if (conn->ended || client->state == CLIENT_FAILED || client->state == CLIENT_CLOSED)
        err = ERR_STATE;
    else if (client->state == CLIENT_READY && conn->answered)
        err = cosem_client_release(client, collect_conn_now(conn));
    else if (client->state == CLIENT_READY)
        err = cosem_client_get(client, collect_conn_now(conn), &counter, &sink);
    if (err)
        end(conn);
}
