/* Users and their sessions. What is stored cannot be used to sign in: hashes and digests. */
#include "headend/store/store_parts.h"

#include <string.h>

enum err store_user_count(struct store *s, uint32_t *n)
{
    *n = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_USER_COUNT);
    if (ask_row(&a))
        *n = (uint32_t)ask_get_int(&a);
    return store_read_end(s, ask_end(&a));
}

static enum err end_sessions(struct store *s, const char *user)
{
    struct ask a = ask_of(s, SQL_SESSIONS_OF);
    ask_text(&a, user);
    return ask_run(&a);
}

enum err store_user_put(struct store *s, const char *name, const char *hash)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = store_check_text(s, "user name", name, 1, STORE_USER_MAX);
    if (err == ERR_OK)
        err = store_check_text(s, "hash", hash, 1, STORE_HASH_MAX - 1);
    if (err == ERR_OK)
        err = end_sessions(s, name);
    if (err == ERR_OK) {
        struct ask a = ask_of(s, SQL_USER_PUT);
        ask_text(&a, name);
        ask_text(&a, hash);
        err = ask_run(&a);
    }
    return store_write_end(s, err, true);
}

enum err store_user_hash(struct store *s, const char *name, char hash[STORE_HASH_MAX])
{
    hash[0] = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_USER_HASH);
    ask_text(&a, name);
    if (ask_first(&a, "user") == ERR_OK)
        ask_get_text(&a, hash, STORE_HASH_MAX);
    return store_read_end(s, ask_end(&a));
}

static enum err drop_ended(struct store *s)
{
    struct ask a = ask_of(s, SQL_SESSIONS_ENDED);
    ask_int(&a, server_clock_utc_ms(s->clock));
    return ask_run(&a);
}

static enum err drop_beyond(struct store *s, const char *user)
{
    struct ask a = ask_of(s, SQL_SESSIONS_BEYOND);
    ask_text(&a, user);
    return ask_run(&a);
}

static enum err add(struct store *s, const struct store_session *session)
{
    struct ask a = ask_of(s, SQL_SESSION_ADD);
    ask_blob(&a, session->digest, sizeof session->digest);
    ask_text(&a, session->user);
    ask_blob(&a, session->csrf, sizeof session->csrf);
    ask_int(&a, session->made_ms);
    ask_int(&a, session->seen_ms);
    ask_int(&a, session->ends_ms);
    enum err err = ask_run(&a);
    return err == ERR_NOT_FOUND ? store_fail(s, err, "there is no such user") : err;
}

enum err store_session_add(struct store *s, const struct store_session *session)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = drop_ended(s);
    if (err == ERR_OK)
        err = add(s, session);
    if (err == ERR_OK)
        err = drop_beyond(s, session->user);
    return store_write_end(s, err, true);
}

enum err store_session_get(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST],
                           struct store_session *session)
{
    memset(session, 0, sizeof *session);
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_SESSION_GET);
    ask_blob(&a, digest, STORE_TOKEN_DIGEST);
    ask_int(&a, server_clock_utc_ms(s->clock));
    if (ask_first(&a, "session") == ERR_OK) {
        ask_get_exact(&a, session->digest, sizeof session->digest);
        ask_get_text(&a, session->user, sizeof session->user);
        ask_get_exact(&a, session->csrf, sizeof session->csrf);
        session->made_ms = ask_get_int(&a);
        session->seen_ms = ask_get_int(&a);
        session->ends_ms = ask_get_int(&a);
    }
    return store_read_end(s, ask_end(&a));
}

enum err store_session_seen(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST],
                            int64_t seen_ms)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_SESSION_SEEN);
    ask_int(&a, seen_ms);
    ask_blob(&a, digest, STORE_TOKEN_DIGEST);
    return store_write_end(s, ask_change(&a, "session"), false);
}

enum err store_session_end(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST])
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_SESSION_END);
    ask_blob(&a, digest, STORE_TOKEN_DIGEST);
    return store_write_end(s, ask_change(&a, "session"), true);
}
