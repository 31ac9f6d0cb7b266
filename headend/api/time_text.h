/* Times as text, from the instants the injected clock gives: ISO 8601 for answers, the HTTP form
 * for the Date header (RFC 9110 5.6.7). No time zone of the machine is looked at. */
#ifndef FERRARIS_HEADEND_TIME_TEXT_H
#define FERRARIS_HEADEND_TIME_TEXT_H

#include <stdint.h>

#define TIME_TEXT 40

/* "2026-11-21T06:15:00Z"; milliseconds are cut off. */
void time_text(int64_t utc_ms, char to[TIME_TEXT]);
/* "2026-11-21T07:15:00+01:00": the local time of a clock that is zone_min ahead of UTC. */
void time_text_zone(int64_t utc_s, int zone_min, char to[TIME_TEXT]);
/* "2026-11-21". day: since 1970. */
void time_text_day(int64_t day, char to[TIME_TEXT]);
/* "Sat, 21 Nov 2026 06:15:00 GMT". */
void time_text_http(int64_t utc_ms, char to[TIME_TEXT]);

#endif
