#include "headend/api/api_session_life.h"

enum err session_find(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST], int64_t now_ms,
                      struct store_session *session)
{
    const enum err e = store_session_get(s, digest, session);
    if (e != ERR_OK)
        return e;
    const bool yet_to_come = session->made_ms - now_ms >= SESSION_IDLE_MS;
    if (yet_to_come || now_ms >= session->ends_ms || now_ms - session->seen_ms >= SESSION_IDLE_MS)
        return ERR_NOT_FOUND;
    return ERR_OK;
}

bool session_alive(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST], int64_t now_ms)
{
    struct store_session session;
    return session_find(s, digest, now_ms, &session) != ERR_NOT_FOUND;
}
