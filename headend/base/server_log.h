/* One line a message on a stream: time, level, text. Secrets never go in.
 *
 * Octets from outside are printed with everything below 20h and above 7Eh as \xNN, so that nobody
 * writes lines of their own into the log. Any thread. */
#ifndef FERRARIS_HEADEND_SERVER_LOG_H
#define FERRARIS_HEADEND_SERVER_LOG_H

#include "headend/base/server_clock.h"

#include <stdbool.h>
#include <stdio.h>

enum server_log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct server_log {
    FILE *to;                    /* borrowed; NULL: silent */
    enum server_log_level level; /* what is less grave is dropped */
    const struct server_clock *clock;
};

/* "error", "warning", "info", "debug". */
bool server_log_level_parse(const char *text, enum server_log_level *level);
void server_log(const struct server_log *log, enum server_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
