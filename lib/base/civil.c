/* Gregorian calendar arithmetic on day numbers counted from 1970-01-01. Knows no zones, no leap
 * seconds and no clock. */
#include "lib/base/civil.h"

#define DAY_S           INT64_C(86400)
#define YEAR_MIN        1970
#define YEAR_MAX        2399
#define END_S           INT64_C(13569465600) /* 2400-01-01 */
#define LEAPS_TO_1970   477                  /* 1969 / 4 - 1969 / 100 + 1969 / 400 */
#define WEEKDAY_OF_DAY0 3                    /* 1970-01-01 was a Thursday; 0 is Monday */

/* Days of the year before the first of each month, without a leap day. */
static const uint16_t days_before[13] = {0,   31,  59,  90,  120, 151, 181,
                                         212, 243, 273, 304, 334, 365};

/* Day number of the first of a month, 1..13: of 1 January of the next year, too. */
static int32_t month_start(int32_t year, uint8_t month)
{
    int32_t y = month > 2 ? year : year - 1; /* the last one whose leap day, if any, is over */
    return 365 * (year - YEAR_MIN) + y / 4 - y / 100 + y / 400 - LEAPS_TO_1970 +
           days_before[month - 1];
}

uint8_t civil_days_in_month(int32_t year, uint8_t month)
{
    if (month < 1 || month > 12)
        return 0;
    return (uint8_t)(month_start(year, (uint8_t)(month + 1)) - month_start(year, month));
}

static bool date_valid(int32_t year, uint8_t month, uint8_t day)
{
    return year >= YEAR_MIN && year <= YEAR_MAX && day >= 1 &&
           day <= civil_days_in_month(year, month);
}

bool civil_valid(const struct civil *c)
{
    return date_valid(c->year, c->month, c->day) && c->hour < 24 && c->minute < 60 &&
           c->second < 60;
}

uint8_t civil_weekday(int32_t year, uint8_t month, uint8_t day)
{
    if (!date_valid(year, month, day))
        return 0;
    return (uint8_t)((month_start(year, month) + day - 1 + WEEKDAY_OF_DAY0) % 7 + 1);
}

int64_t civil_to_seconds(const struct civil *c)
{
    if (!civil_valid(c))
        return -1;
    int64_t days = month_start(c->year, c->month) + c->day - 1;
    return days * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
}

struct civil civil_from_seconds(int64_t s)
{
    s = s < 0 ? 0 : s >= END_S ? END_S - 1 : s;
    int32_t days = (int32_t)(s / DAY_S), second = (int32_t)(s % DAY_S);

    /* No year has more than 366 days: the right one or one before it. */
    int32_t year = YEAR_MIN + days / 366;
    while (month_start(year, 13) <= days)
        year++;
    uint8_t month = 12;
    while (month_start(year, month) > days)
        month--;

    return (struct civil){.year = year,
                          .month = month,
                          .day = (uint8_t)(days - month_start(year, month) + 1),
                          .hour = (uint8_t)(second / 3600),
                          .minute = (uint8_t)(second / 60 % 60),
                          .second = (uint8_t)(second % 60)};
}
