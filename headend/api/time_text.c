#include "headend/api/time_text.h"

#include "lib/base/civil.h"

#include <stdio.h>
#include <stdlib.h>

static struct civil civil_of_ms(int64_t utc_ms)
{
    return civil_from_seconds(utc_ms / 1000);
}

void time_text(int64_t utc_ms, char to[TIME_TEXT])
{
    const struct civil c = civil_of_ms(utc_ms);
    snprintf(to, TIME_TEXT, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)c.year, c.month, c.day, c.hour,
             c.minute, c.second);
}

void time_text_zone(int64_t utc_s, int zone_min, char to[TIME_TEXT])
{
    const struct civil c = civil_from_seconds(utc_s + (int64_t)zone_min * 60);
    const int ahead = abs(zone_min);
    snprintf(to, TIME_TEXT, "%04d-%02u-%02uT%02u:%02u:%02u%c%02d:%02d", (int)c.year, c.month, c.day,
             c.hour, c.minute, c.second, zone_min < 0 ? '-' : '+', ahead / 60, ahead % 60);
}

void time_text_day(int64_t day, char to[TIME_TEXT])
{
    const struct civil c = civil_from_seconds(day * 86400);
    snprintf(to, TIME_TEXT, "%04d-%02u-%02u", (int)c.year, c.month, c.day);
}

void time_text_http(int64_t utc_ms, char to[TIME_TEXT])
{
    static const char weekday[] = "???MonTueWedThuFriSatSun";
    static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const struct civil c = civil_of_ms(utc_ms);
    snprintf(to, TIME_TEXT, "%.3s, %02u %.3s %04d %02u:%02u:%02u GMT",
             weekday + 3 * civil_weekday(c.year, c.month, c.day), c.day, month + 3 * (c.month - 1),
             (int)c.year, c.hour, c.minute, c.second);
}
