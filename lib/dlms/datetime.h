/* COSEM date-time: 12 octets with wildcards. Blue Book 4.1.6.1.
 *
 * Deviation is in minutes from local time to UTC: UTC = local + deviation, so Central Europe has
 * -60 in winter and -120 in summer. Some meters have the opposite sign: a client negates the field.
 */
#ifndef FERRARIS_DLMS_DATETIME_H
#define FERRARIS_DLMS_DATETIME_H

#include "lib/base/cursor.h"

#define DATETIME_LEN         12
#define DATETIME_ANY         0xFF /* month .. hundredths: not specified */
#define DATETIME_ANY_YEAR    0xFFFF
#define DATETIME_ANY_DEV     INT16_MIN /* 8000 hex: deviation not specified */
#define DATETIME_DST_END     0xFD      /* month */
#define DATETIME_DST_BEGIN   0xFE      /* month */
#define DATETIME_SECOND_LAST 0xFD      /* day of month */
#define DATETIME_LAST        0xFE      /* day of month */

/* clock status */
#define DATETIME_INVALID        0x01u
#define DATETIME_DOUBTFUL       0x02u
#define DATETIME_DIFFERENT_BASE 0x04u
#define DATETIME_INVALID_STATUS 0x08u
#define DATETIME_DST            0x80u
#define DATETIME_STATUS_ANY     0xFFu

struct datetime {
    uint16_t year;      /* DATETIME_ANY_YEAR: any */
    uint8_t month;      /* 1..12, special values above */
    uint8_t day;        /* 1..31, special values above */
    uint8_t weekday;    /* 1 Monday .. 7 Sunday */
    uint8_t hour;       /* 0..23 */
    uint8_t minute;     /* 0..59 */
    uint8_t second;     /* 0..59 */
    uint8_t hundredths; /* 0..99 */
    int16_t deviation;  /* -720..840 minutes, or DATETIME_ANY_DEV */
    uint8_t status;
};

/* ERR_RANGE where a field is neither a wildcard nor in its range (*out is unchanged then). A day
 * that the month does not have is out of range where year, month and day are all given. */
MUST_CHECK enum err datetime_decode(const uint8_t in[DATETIME_LEN], struct datetime *out);
void datetime_encode(const struct datetime *d, uint8_t out[DATETIME_LEN]);
/* True when year .. second are all given. */
bool datetime_complete(const struct datetime *d);
/* Seconds of UTC since 1970. deviation: used where the value does not give one. ERR_RANGE when not
 * complete, or outside 1970..2399. */
MUST_CHECK enum err datetime_to_utc(const struct datetime *d, int16_t deviation, int64_t *utc);
struct datetime datetime_from_utc(int64_t utc, int16_t deviation, uint8_t status);
/* The first (upper false) or last second that a value with wildcards can mean, for ranges: an open
 * year gives INT64_MIN or INT64_MAX, open lower fields their smallest or largest value. ERR_RANGE
 * for DST marks. */
MUST_CHECK enum err datetime_bound(const struct datetime *d, int16_t deviation, bool upper,
                                   int64_t *utc);
/* The next value an A-XDR date-time (octet-string of 12 or tag 25) holds; errors stick in r. */
void datetime_get(struct rd *r, struct datetime *out);
void datetime_put(struct wr *w, const struct datetime *d); /* as octet-string of 12 */
/* "2026-03-29T03:15:00+02:00", or with "*" for fields not given; rules in words, as
 * "*-03-last Sun T02:00:00", "second-last", "dst-begin"; zero-terminated. */
#define DATETIME_TEXT 48
void datetime_text(const struct datetime *d, char out[DATETIME_TEXT]);

#endif
