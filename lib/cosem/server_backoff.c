/* Holds back a client entry that fails to authenticate, so that secrets cannot be tried out fast.
 *
 * Only the entry that failed waits: neither another client nor one without authentication can be
 * shut out, nor one with HLS 5, whose keys of 128 bits and tags of 96 nobody finds by trying: to
 * hold it back would only give a stranger the means to lock the keys' owner out. A password's owner
 * has no such luck: whoever goes on trying once a minute keeps him out as long as he does. While
 * held back nothing is counted. */
#include "lib/cosem/server_parts.h"

static bool can_be_guessed(const struct cosem_session *s)
{
    return s->client->mechanism != COSEM_AUTH_NONE && s->client->mechanism != COSEM_AUTH_HLS5;
}

bool backoff_refuses(const struct cosem_session *s)
{
    return s->server->held_ms[server_entry(s)] > s->server->now_ms;
}

void backoff_note(struct cosem_session *s, bool authenticated)
{
    struct cosem_server *server = s->server;
    size_t i = server_entry(s);
    uint32_t wait = COSEM_BACKOFF_MS;
    if (authenticated || !can_be_guessed(s)) {
        server->n_failed[i] = 0;
        return;
    }
    if (server->n_failed[i] < UINT8_MAX)
        server->n_failed[i]++;
    if (server->n_failed[i] <= COSEM_FREE_FAILURES || server->now_ms == 0)
        return; /* without a clock nobody would ever be let in again */
    for (unsigned n = COSEM_FREE_FAILURES + 1; n < server->n_failed[i]; n++)
        wait = wait < COSEM_BACKOFF_MAX / 2 ? wait * 2 : COSEM_BACKOFF_MAX;
    server->held_ms[i] = server->now_ms + wait;
}

uint64_t backoff_poll(struct cosem_server *server, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;
    server->now_ms = now_ms;
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++) {
        if (server->held_ms[i] > now_ms && server->held_ms[i] < next)
            next = server->held_ms[i];
    }
    return next;
}
