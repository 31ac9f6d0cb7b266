/* Locks: while a value or parameter comes by blocks, a write to its objects or an invocation by
 * another association gets temporary-failure, until the transfer ends, the association ends, or the
 * session is closed. The locks are the transfers themselves, in a list that begins at the server.
 * It refuses to lock what the client may not change. */
#include "lib/cosem/server_parts.h"

#include <string.h>

#if COSEM_WITH_LOCKS
static bool same_object(const struct apdu_attr *a, const struct apdu_attr *b)
{
    return a->class_id == b->class_id && memcmp(a->ln, b->ln, sizeof a->ln) == 0;
}

/* Whether `o` is about to change this object by what `one` names. Who may not, locks nothing. */
static bool locks(struct cosem_session *o, const struct apdu_attr *one, const struct apdu_attr *a)
{
    struct cosem_ref ref;
    const struct cosem_class *ic;
    if (!same_object(one, a))
        return false;
    return (!COSEM_WITH_BLOCK_ACTION || o->transfer.kind == SESSION_LONG_SET
                ? server_may_write(o, one, &ref, &ic)
                : server_may_invoke(o, one, &ref, &ic)) == COSEM_SUCCESS;
}

static void get_name(const struct session_transfer *t, struct rd *r, struct apdu_attr *one)
{
    if (!COSEM_WITH_BLOCK_ACTION || t->kind == SESSION_LONG_SET)
        apdu_get_attr(r, one);
    else
        apdu_get_attr_bare(r, one);
}

/* Whether the transfer under way in `o` is for this object. */
static bool writes_to(struct cosem_session *o, const struct apdu_attr *a)
{
    const struct session_transfer *t = &o->transfer;
    struct rd r = rd_of(t->kept, t->kept_len);
    struct apdu_attr one;
    if (!t->list)
        return locks(o, &t->target, a);
    for (uint16_t i = 0; i < t->n_list && !r.err; i++) {
        get_name(t, &r, &one);
        if (locks(o, &one, a))
            return true;
    }
    return false;
}

bool server_locked(struct cosem_session *s, const struct apdu_attr *a)
{
    for (struct cosem_session *o = s->server->writers; o; o = o->next_writer) {
        if (o != s && o->device == s->device && writes_to(o, a))
            return true;
    }
    return false;
}

/* Whether no other association holds what this transfer is for. */
static bool all_free(struct cosem_session *s)
{
    const struct session_transfer *t = &s->transfer;
    struct rd r = rd_of(t->kept, t->kept_len);
    struct apdu_attr one;
    if (!t->list)
        return !server_locked(s, &t->target);
    for (uint16_t i = 0; i < t->n_list && !r.err; i++) {
        get_name(t, &r, &one);
        if (server_locked(s, &one))
            return false;
    }
    return true;
}

bool lock_begin(struct cosem_session *s)
{
    if (!all_free(s))
        return false;
    s->next_writer = s->server->writers;
    s->server->writers = s;
    return true;
}

void lock_end(struct cosem_server *server, struct cosem_session *s)
{
    struct cosem_session **at = &server->writers;
    while (*at && *at != s)
        at = &(*at)->next_writer;
    if (*at)
        *at = s->next_writer;
}

#else /* one session: nobody to keep out */
bool server_locked(struct cosem_session *s, const struct apdu_attr *a)
{
    (void)s, (void)a;
    return false;
}

bool lock_begin(struct cosem_session *s)
{
    (void)s;
    return true;
}

void lock_end(struct cosem_server *server, struct cosem_session *s)
{
    (void)server, (void)s;
}
#endif
