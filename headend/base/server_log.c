#include "headend/base/server_log.h"
#include "lib/base/civil.h"

#include <stdarg.h>
#include <string.h>

static const char *const names[] = {"error", "warning", "info", "debug"};

bool server_log_level_parse(const char *text, enum server_log_level *level)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *level = (enum server_log_level)i;
            return true;
        }
    }
    return false;
}

/* Printable ASCII as it is, anything else as \xNN; cut where `to` is full. */
static void escape(const char *text, char *to, size_t size)
{
    size_t at = 0;
    for (; *text != '\0' && at + 5 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c <= 0x7E)
            to[at++] = (char)c;
        else
            at += (size_t)snprintf(to + at, size - at, "\\x%02X", c);
    }
    to[at] = '\0';
}

void server_log(const struct server_log *log, enum server_log_level level, const char *format, ...)
{
    if (log->to == NULL || level > log->level)
        return;
    char text[1024], clean[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    escape(text, clean, sizeof clean);
    const int64_t utc_ms = server_clock_utc_ms(log->clock), ms = utc_ms > 0 ? utc_ms : 0;
    const struct civil c = civil_from_seconds(ms / 1000);
    fprintf(log->to, "%04d-%02u-%02uT%02u:%02u:%02u.%03dZ %s: %s\n", (int)c.year, c.month, c.day,
            c.hour, c.minute, c.second, (int)(ms % 1000), names[level], clean);
    fflush(log->to);
}
