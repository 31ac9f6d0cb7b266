/* Signing in and out. The password is checked in the hash pool; guessing is slowed before that. */
#include "headend/api/api_parts.h"
#include "headend/api/api_session_life.h"
#include "headend/keys/password.h"
#include "headend/keys/token.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the session of a request ---- */

static bool cookie_digest(struct api_request *r, uint8_t digest[STORE_TOKEN_DIGEST])
{
    const char *token = api_cookie(r);
    return token != NULL && token_digest(token, digest);
}

bool api_session_check(struct api_request *r)
{
    uint8_t digest[STORE_TOKEN_DIGEST];
    const int64_t now = api_now_ms(r);
    if (!cookie_digest(r, digest)) {
        api_refuse(r, 401, "no_session", NULL, "Sign in first.");
        return false;
    }
    const enum err e = session_find(r->store, digest, now, &r->session);
    if (e == ERR_NOT_FOUND) {
        api_refuse(r, 401, "no_session", NULL, "The session has ended; sign in again.");
        return false;
    }
    if (e != ERR_OK) {
        api_refuse_store(r, e);
        return false;
    }
    if (now - r->session.seen_ms >= SESSION_SEEN_MS) {
        const enum err late = store_session_seen(r->store, digest, now);
        if (late != ERR_OK) /* costs nothing: the next request writes it */
            server_log(r->api->o.log, LOG_DEBUG, "api: session not marked: %s", err_text(late));
    }
    return true;
}

static void write_session(struct api_request *r)
{
    char csrf[TOKEN_TEXT];
    token_text(r->session.csrf, csrf);
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "user");
    json_out_text(j, r->session.user);
    json_out_key(j, "csrf");
    json_out_text(j, csrf);
    json_out_key(j, "ends");
    json_out_time(j, r->session.ends_ms);
    json_out_close(j, '}');
}

void api_session_show(struct api_request *r)
{
    write_session(r);
}

static void write_cookie(struct api_request *r, const char *token, int64_t seconds)
{
    char text[200];
    bool secure;
    const char *name = api_cookie_name(r, &secure);
    snprintf(text, sizeof text, "%s=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%lld%s", name,
             token, (long long)seconds, secure ? "; Secure" : "");
    api_header(r, "Set-Cookie", text);
}

void api_session_end(struct api_request *r)
{
    const enum err e = store_session_end(r->store, r->session.digest);
    if (e != ERR_OK && e != ERR_NOT_FOUND) {
        api_refuse_store(r, e);
        return;
    }
    event_hub_recheck(r->api->hub);
    api_empty(r, 204);
    write_cookie(r, "", 0);
}

/* A new token for r->session.user, stored; the session's other fields are set by the caller. */
static enum err store_session(struct api_request *r, char token[TOKEN_TEXT])
{
    const enum err e = token_make(token, r->session.digest);
    return e != ERR_OK ? e : store_session_add(r->store, &r->session);
}

/* ---- slowing down ---- */

/* The address at the other end of the socket: the proxy's where one stands in front. */
static bool peer(const struct api_request *r, char text[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    uint8_t address[CONNECTIONS_ADDRESS];
    connections_address(info == NULL ? NULL : info->client_addr, address);
    if (inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN) == NULL)
        text[0] = '\0';
    return connections_this_machine(address);
}

/* The peer as text. This machine's own address is no person's (a proxy, or everybody at the same
 * desk): there each name counts for itself. */
static void guesser(struct api_request *r, const char *user, char to[STORE_USER_MAX + 80])
{
    char text[INET6_ADDRSTRLEN];
    if (peer(r, text))
        snprintf(to, STORE_USER_MAX + 80, "here: %s", user);
    else
        snprintf(to, STORE_USER_MAX + 80, "%s", text);
}

/* False: too soon, and the answer is there. */
static bool may_try(struct api_request *r, const char *user)
{
    struct api *a = r->api;
    char from[STORE_USER_MAX + 80] = "";
    char seconds[24];
    guesser(r, user, from);
    pthread_mutex_lock(&a->sign_in_lock);
    const uint64_t wait =
        sign_in_wait_ms(&a->sign_in, user, from, server_clock_mono_ms(a->o.clock));
    pthread_mutex_unlock(&a->sign_in_lock);
    if (wait == 0)
        return true;
    snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)((wait + 999) / 1000));
    api_refuse(r, 429, "slow_down", NULL, "Too many wrong attempts; try again in %s s.", seconds);
    api_header(r, "Retry-After", seconds);
    return false;
}

/* A name that is none is not logged: it may be a password, typed a line too early. */
static void log_result(const struct api_request *r, const char *user, bool known, bool good)
{
    char from[INET6_ADDRSTRLEN];
    const struct server_log *log = r->api->o.log;
    peer(r, from);
    if (known)
        server_log(log, good ? LOG_INFO : LOG_WARNING, "api: sign-in of \"%s\" from %s %s", user,
                   from, good ? "succeeded" : "failed");
    else
        server_log(log, LOG_WARNING, "api: sign-in of an unknown user from %s failed", from);
}

static void tell_result(struct api_request *r, const char *user, bool good)
{
    struct api *a = r->api;
    char from[STORE_USER_MAX + 80] = "";
    guesser(r, user, from);
    pthread_mutex_lock(&a->sign_in_lock);
    if (good)
        sign_in_succeeded(&a->sign_in, user, from);
    else
        sign_in_failed(&a->sign_in, user, from, server_clock_mono_ms(a->o.clock));
    pthread_mutex_unlock(&a->sign_in_lock);
}

/* ---- in the hash pool ---- */

/* What the body says; texts are the JSON document's. */
struct words {
    json_t *document;
    const char *first, *second;
};

/* Exactly two members, both texts. */
static bool read_words(struct api_request *r, const char *first, const char *second,
                       struct words *w)
{
    const char *name;
    json_t *v;
    w->document = api_json(r);
    if (w->document == NULL)
        return false;
    json_object_foreach(w->document, name, v)
    {
        if (strcmp(name, first) != 0 && strcmp(name, second) != 0) {
            api_refuse(r, 422, "unknown_member", name, "There is no such member.");
            return false;
        }
    }
    w->first = json_string_value(json_object_get(w->document, first));
    w->second = json_string_value(json_object_get(w->document, second));
    if (w->first != NULL && w->second != NULL)
        return true;
    api_refuse(r, 422, "invalid", w->first == NULL ? first : second, "This member must be a text.");
    return false;
}

static void forget(struct words *w)
{
    if (w->first != NULL) /* jansson keeps its own copies: the only ones we may write to */
        wipe((void *)(uintptr_t)w->first, strlen(w->first));
    if (w->second != NULL)
        wipe((void *)(uintptr_t)w->second, strlen(w->second));
    json_decref(w->document);
    memset(w, 0, sizeof *w);
}

/* Costs the same whether the user exists or not. False with ERR_OK: wrong. */
static enum err check(struct api_request *r, const char *user, const char *password, bool *good)
{
    char hash[STORE_HASH_MAX];
    const enum err e = store_user_hash(r->store, user, hash);
    *good = false;
    if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_RANGE)
        return e;
    *good = password_check(password, e == ERR_OK ? hash : NULL);
    wipe(hash, sizeof hash);
    log_result(r, user, e == ERR_OK, *good);
    return ERR_OK;
}

static void begin_session(struct api_request *r, const char *user)
{
    char token[TOKEN_TEXT];
    struct store_session *s = &r->session;
    const int64_t now = api_now_ms(r);
    memset(s, 0, sizeof *s);
    snprintf(s->user, sizeof s->user, "%s", user);
    s->made_ms = s->seen_ms = now;
    s->ends_ms = now + SESSION_MAX_MS;
    enum err e = token_random(s->csrf, sizeof s->csrf);
    if (e == ERR_OK)
        e = store_session(r, token);
    if (e != ERR_OK) {
        api_refuse_store(r, e);
        return;
    }
    write_session(r);
    write_cookie(r, token, SESSION_MAX_MS / 1000);
    wipe(token, sizeof token);
}

static void sign_in_job(struct api_request *r)
{
    struct words w = {0};
    bool good;
    if (read_words(r, "user", "password", &w) && may_try(r, w.first)) {
        const enum err e = check(r, w.first, w.second, &good);
        if (e != ERR_OK) {
            api_refuse_store(r, e);
        } else {
            tell_result(r, w.first, good);
            if (good)
                begin_session(r, w.first);
            else
                api_refuse(r, 401, "wrong", NULL, "User or password is wrong.");
        }
    }
    forget(&w);
}

void api_session_begin(struct api_request *r)
{
    struct words w = {0};
    if (read_words(r, "user", "password", &w) && may_try(r, w.first))
        api_in_pool(r, sign_in_job);
    forget(&w);
}

/* All sessions of the user end with the old password; this one goes on under a new cookie. */
static enum err replace_password(struct api_request *r, const char *hash, char token[TOKEN_TEXT])
{
    enum err e = store_begin(r->store);
    if (e != ERR_OK)
        return e;
    e = store_user_put(r->store, r->session.user, hash);
    if (e == ERR_OK)
        e = store_session(r, token);
    if (e == ERR_OK)
        return store_commit(r->store, true);
    store_rollback(r->store);
    return e;
}

static void set_password(struct api_request *r, const char *password)
{
    char hash[PASSWORD_HASH], token[TOKEN_TEXT];
    enum err e = password_hash(password, hash);
    if (e == ERR_OK)
        e = replace_password(r, hash, token);
    wipe(hash, sizeof hash);
    if (e != ERR_OK) {
        api_refuse_store(r, e);
        return;
    }
    event_hub_recheck(r->api->hub);
    api_empty(r, 204);
    write_cookie(r, token, (r->session.ends_ms - api_now_ms(r)) / 1000);
    wipe(token, sizeof token);
}

static void password_job(struct api_request *r)
{
    struct words w = {0};
    bool good;
    if (read_words(r, "old", "new", &w) && may_try(r, r->session.user)) {
        const enum err e = check(r, r->session.user, w.first, &good);
        if (e != ERR_OK) {
            api_refuse_store(r, e);
        } else {
            tell_result(r, r->session.user, good);
            if (good)
                set_password(r, w.second);
            else
                api_refuse(r, 422, "wrong", "old", "This is not the present password.");
        }
    }
    forget(&w);
}

void api_session_password(struct api_request *r)
{
    struct words w = {0};
    if (read_words(r, "old", "new", &w)) {
        const size_t n = strlen(w.second);
        if (n < PASSWORD_MIN || n > PASSWORD_MAX)
            api_refuse(r, 422, "invalid", "new", "A password has %d to %d characters.",
                       PASSWORD_MIN, PASSWORD_MAX);
        else if (may_try(r, r->session.user))
            api_in_pool(r, password_job);
    }
    forget(&w);
}
