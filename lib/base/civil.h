/* Civil (Gregorian) time without a time zone database, valid for the years 1970..2399.
 *
 * Instants are seconds since 1970-01-01T00:00:00 of whatever scale the caller uses (UTC in the
 * meter). Pure functions, no clock. */
#ifndef FERRARIS_BASE_CIVIL_H
#define FERRARIS_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct civil {
    int32_t year;   /* 1970..2399 */
    uint8_t month;  /* 1..12 */
    uint8_t day;    /* 1..31 */
    uint8_t hour;   /* 0..23 */
    uint8_t minute; /* 0..59 */
    uint8_t second; /* 0..59 */
};

bool civil_valid(const struct civil *c);
/* -1 when c is not valid. */
int64_t civil_to_seconds(const struct civil *c);
/* An instant before 1970 or after 2399 gives the first or last second of that span. */
struct civil civil_from_seconds(int64_t s);
/* 1 Monday .. 7 Sunday; 0 when there is no such date. */
uint8_t civil_weekday(int32_t year, uint8_t month, uint8_t day);
/* 28..31; 0 when month is not 1..12. */
uint8_t civil_days_in_month(int32_t year, uint8_t month);

#endif
