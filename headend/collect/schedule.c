/* See schedule.h. */
#include "headend/collect/schedule.h"

#define ELAPSED_MAX_S     (INT64_C(400) * 86400)
#define CLOCK_TOLERANCE_S 2 /* two readings of one clock, and the line between */
#define AFTER_PERIOD_MS   2000
#define SPREAD_MAX_MS     15000
#define HOUR_S            3600u

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t schedule_from(const struct store_profile *p, const struct schedule_now *now)
{
    if (p->reread || p->read_ms == 0 || now->meter_s < 0)
        return SCHEDULE_ALL;
    const int64_t by_meter = now->meter_s - p->read_meter_s;
    const int64_t by_utc = (now->utc_ms - p->read_ms) / 1000;
    const bool went_back = by_meter < -CLOCK_TOLERANCE_S || by_utc < -CLOCK_TOLERANCE_S;
    if (now->elapsed_s < 0 && went_back)
        return SCHEDULE_ALL;
    const int64_t elapsed = greatest(greatest(now->elapsed_s, by_utc), greatest(by_meter, 0));
    if (elapsed > ELAPSED_MAX_S)
        return SCHEDULE_ALL;
    int64_t from = least(now->meter_s - elapsed - CLOCK_TOLERANCE_S, p->read_meter_s);
    if (p->last_s != 0)
        from = least(from, p->last_s);
    return from - (int64_t)p->period_s;
}

bool schedule_is_backlog(int64_t from_s, int64_t meter_s)
{
    return from_s == SCHEDULE_ALL || meter_s - from_s > 86400;
}

uint64_t schedule_next(uint64_t due_ms, uint64_t period_ms, uint64_t now_ms)
{
    if (period_ms == 0)
        period_ms = 1;
    if (due_ms > now_ms)
        return due_ms;
    return due_ms + ((now_ms - due_ms) / period_ms + 1) * period_ms;
}

/* Neighbouring ids must not be neighbours in time. */
static uint64_t mixed(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 33;
}

uint64_t schedule_profile_wait(uint32_t period_s, int64_t meter, int64_t meter_ms)
{
    const uint32_t looked_for_s = period_s == 0 || period_s > HOUR_S ? HOUR_S : period_s;
    const int64_t period_ms = (int64_t)looked_for_s * 1000;
    const int64_t spread = least(period_ms / 60, SPREAD_MAX_MS);
    const int64_t after = least(AFTER_PERIOD_MS, period_ms / 2) +
                          (int64_t)(mixed((uint64_t)meter) % (uint64_t)spread);
    int64_t into = (meter_ms - after) % period_ms;
    if (into < 0)
        into += period_ms;
    return (uint64_t)(period_ms - into);
}

uint64_t schedule_backoff(uint32_t n_failed, bool security, uint32_t random)
{
    uint64_t ms = SCHEDULE_FAIL_MAX_MS;
    if (!security && n_failed < 9)
        ms = (uint64_t)SCHEDULE_FAIL_MS << (n_failed > 0 ? n_failed - 1 : 0);
    if (ms > SCHEDULE_FAIL_MAX_MS)
        ms = SCHEDULE_FAIL_MAX_MS;
    return ms - ms / 4 * (random & 0xFFFF) / 0x10000;
}
