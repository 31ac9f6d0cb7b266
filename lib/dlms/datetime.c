/* COSEM date-time. Wildcards are kept as they came; conversions to UTC refuse or widen them, never
 * guess. */
#include "lib/dlms/datetime.h"

#include "lib/base/civil.h"
#include "lib/dlms/axdr.h"

#define UTC_END INT64_C(13569465600) /* 2400-01-01 */

/* Month to hundredths, as they stand in the octets; month and day have marks, too. */
static bool fields_in_range(const uint8_t field[7])
{
    static const uint8_t low[7] = {1, 1, 1, 0, 0, 0, 0}, high[7] = {12, 31, 7, 23, 59, 59, 99};
    for (unsigned i = 0; i < sizeof low; i++) {
        bool special = field[i] >= (i < 2 ? DATETIME_SECOND_LAST : DATETIME_ANY);
        if (!special && (field[i] < low[i] || field[i] > high[i]))
            return false;
    }
    return true;
}

static bool in_range(const struct datetime *d)
{
    bool whole = d->year != DATETIME_ANY_YEAR && d->month <= 12 && d->day <= 31;
    if (whole && d->day > civil_days_in_month(d->year, d->month))
        return false;
    return d->deviation == DATETIME_ANY_DEV || (d->deviation >= -720 && d->deviation <= 840);
}

enum err datetime_decode(const uint8_t in[DATETIME_LEN], struct datetime *out)
{
    uint16_t deviation = (uint16_t)(in[9] << 8 | in[10]);
    struct datetime d = {
        .year = (uint16_t)(in[0] << 8 | in[1]),
        .month = in[2],
        .day = in[3],
        .weekday = in[4],
        .hour = in[5],
        .minute = in[6],
        .second = in[7],
        .hundredths = in[8],
        .deviation = (int16_t)(deviation < 0x8000 ? deviation : (int32_t)deviation - 0x10000),
        .status = in[11],
    };
    if (!fields_in_range(in + 2) || !in_range(&d))
        return ERR_RANGE;
    *out = d;
    return ERR_OK;
}

void datetime_encode(const struct datetime *d, uint8_t out[DATETIME_LEN])
{
    struct wr w = wr_of(out, DATETIME_LEN);
    const uint8_t middle[] = {d->month,  d->day,    d->weekday,   d->hour,
                              d->minute, d->second, d->hundredths};
    wr_u16(&w, d->year);
    wr_bytes(&w, middle, sizeof middle);
    wr_u16(&w, (uint16_t)d->deviation);
    wr_u8(&w, d->status);
}

bool datetime_complete(const struct datetime *d)
{
    return d->year != DATETIME_ANY_YEAR && d->month <= 12 && d->day <= 31 && d->hour <= 23 &&
           d->minute <= 59 && d->second <= 59;
}

/* UTC of fields that are all given. */
static enum err to_utc(const struct datetime *d, int16_t deviation, int64_t *utc)
{
    struct civil c = {.year = d->year,
                      .month = d->month,
                      .day = d->day,
                      .hour = d->hour,
                      .minute = d->minute,
                      .second = d->second};
    if (!civil_valid(&c))
        return ERR_RANGE;
    int32_t minutes = d->deviation == DATETIME_ANY_DEV ? deviation : d->deviation;
    *utc = civil_to_seconds(&c) + (int64_t)minutes * 60;
    return ERR_OK;
}

enum err datetime_to_utc(const struct datetime *d, int16_t deviation, int64_t *utc)
{
    enum err err = datetime_complete(d) ? to_utc(d, deviation, utc) : ERR_RANGE;
    /* the deviation may lead out of the years that the fields are in */
    return err || (*utc >= 0 && *utc < UTC_END) ? err : ERR_RANGE;
}

struct datetime datetime_from_utc(int64_t utc, int16_t deviation, uint8_t status)
{
    struct civil c = civil_from_seconds(utc - (int64_t)deviation * 60);
    return (struct datetime){
        .year = (uint16_t)c.year,
        .month = c.month,
        .day = c.day,
        .weekday = civil_weekday(c.year, c.month, c.day),
        .hour = c.hour,
        .minute = c.minute,
        .second = c.second,
        .hundredths = 0,
        .deviation = deviation,
        .status = status,
    };
}

__attribute__((noinline)) static uint8_t open_field(uint8_t v, bool upper, uint8_t low,
                                                    uint8_t high)
{
    if (v != DATETIME_ANY)
        return v;
    return upper ? high : low;
}

enum err datetime_bound(const struct datetime *d, int16_t deviation, bool upper, int64_t *utc)
{
    struct datetime b = *d;
    if (d->year == DATETIME_ANY_YEAR) {
        *utc = upper ? INT64_MAX : INT64_MIN;
        return ERR_OK;
    }
    b.month = open_field(d->month, upper, 1, 12);
    if (b.month < 1 || b.month > 12)
        return ERR_RANGE;
    uint8_t days = civil_days_in_month(d->year, b.month);
    if (d->day == DATETIME_LAST)
        b.day = days;
    else if (d->day == DATETIME_SECOND_LAST)
        b.day = (uint8_t)(days - 1);
    else
        b.day = open_field(d->day, upper, 1, days);
    b.hour = open_field(d->hour, upper, 0, 23);
    b.minute = open_field(d->minute, upper, 0, 59);
    b.second = open_field(d->second, upper, 0, 59);
    return to_utc(&b, deviation, utc);
}

void datetime_get(struct rd *r, struct datetime *out)
{
    size_t start = r->pos;
    struct bytes b = axdr_get_octets(r);
    *out = (struct datetime){.year = DATETIME_ANY_YEAR};
    if (r->err)
        return;
    enum err err = b.len == DATETIME_LEN ? datetime_decode(b.p, out) : ERR_TYPE;
    if (err) {
        r->pos = start;
        rd_fail(r, err);
    }
}

void datetime_put(struct wr *w, const struct datetime *d)
{
    uint8_t octets[DATETIME_LEN];
    datetime_encode(d, octets);
    axdr_put_octets(w, octets, sizeof octets);
}

static void put_word(struct wr *w, const char *word)
{
    while (*word != '\0')
        wr_u8(w, (uint8_t)*word++);
}

/* Two digits, or a star for a wildcard; the text never outgrows DATETIME_TEXT. */
static void put_field(struct wr *w, uint8_t v, char before)
{
    if (before)
        wr_u8(w, (uint8_t)before);
    if (v >= 100) {
        wr_u8(w, '*');
        return;
    }
    wr_u8(w, (uint8_t)('0' + v / 10));
    wr_u8(w, (uint8_t)('0' + v % 10));
}

/* A weekday tells nothing new of a day with a date, but all of "the last Sunday". */
static void put_day(struct wr *w, const struct datetime *d)
{
    static const char name[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    bool from_end = d->day == DATETIME_LAST || d->day == DATETIME_SECOND_LAST;
    bool dated = d->year != DATETIME_ANY_YEAR && d->month <= 12 && d->day <= 31;
    if (from_end)
        put_word(w, d->day == DATETIME_LAST ? "-last" : "-second-last");
    else
        put_field(w, d->day, '-');
    if (dated || d->weekday < 1 || d->weekday > 7)
        return;
    wr_u8(w, ' ');
    put_word(w, name[d->weekday - 1]);
    wr_u8(w, ' ');
}

static void put_month(struct wr *w, uint8_t month)
{
    if (month == DATETIME_DST_BEGIN || month == DATETIME_DST_END)
        put_word(w, month == DATETIME_DST_BEGIN ? "-dst-begin" : "-dst-end");
    else
        put_field(w, month, '-');
}

static void put_offset(struct wr *w, int16_t deviation)
{
    int offset = -deviation;
    unsigned minutes = (unsigned)(offset < 0 ? -offset : offset);
    if (deviation == DATETIME_ANY_DEV)
        return;
    if (offset == 0) {
        wr_u8(w, 'Z');
        return;
    }
    put_field(w, (uint8_t)(minutes / 60), offset < 0 ? '-' : '+');
    put_field(w, (uint8_t)(minutes % 60), ':');
}

void datetime_text(const struct datetime *d, char out[DATETIME_TEXT])
{
    struct wr w = wr_of(out, DATETIME_TEXT - 1);
    if (d->year == DATETIME_ANY_YEAR || d->year > 9999) {
        wr_u8(&w, '*');
    } else {
        put_field(&w, (uint8_t)(d->year / 100), 0);
        put_field(&w, (uint8_t)(d->year % 100), 0);
    }
    put_month(&w, d->month);
    put_day(&w, d);
    put_field(&w, d->hour, 'T');
    put_field(&w, d->minute, ':');
    put_field(&w, d->second, ':');
    put_offset(&w, d->deviation);
    out[w.len] = 0;
}
