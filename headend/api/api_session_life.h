/* When a session ends: SESSION_IDLE_MS after the last request, SESSION_MAX_MS after its beginning,
 * or when it is no longer in the store. One that began SESSION_IDLE_MS or more in the future is
 * none either: the clock was wrong then, and it could live for years. */
#ifndef FERRARIS_HEADEND_API_SESSION_LIFE_H
#define FERRARIS_HEADEND_API_SESSION_LIFE_H

#include "headend/store/store.h"

#define SESSION_IDLE_MS (INT64_C(12) * 3600 * 1000)
#define SESSION_MAX_MS  (INT64_C(7) * 86400 * 1000)
/* A request is written down as "seen" at most this often: reading pages is no writing of disks. */
#define SESSION_SEEN_MS (INT64_C(60) * 1000)

/* ERR_NOT_FOUND also for one that has ended; errors of the store. */
MUST_CHECK enum err session_find(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST],
                                 int64_t now_ms, struct store_session *session);
/* False only when it is known to have ended: a store that is busy ends no session. */
bool session_alive(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST], int64_t now_ms);

#endif
