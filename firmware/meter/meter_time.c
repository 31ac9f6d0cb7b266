/* See meter_time.h. */
#include "firmware/meter/meter_time.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_store.h"

enum err meter_clock_change(struct meter *m, int64_t utc_ns)
{
    if (utc_ns < METER_TIME_MIN_NS || utc_ns >= METER_TIME_END_NS)
        return ERR_RANGE;
    int64_t delta = utc_ns - meter_clock_ns(&m->clock);
    int64_t limit = METER_SHIFT_LIMIT_S * METER_NS;
    bool silent = m->clock.doubt == 0 && delta >= -limit && delta <= limit;
    if (!silent)
        meter_rows_leave(m);
    meter_clock_set_ns(&m->clock, utc_ns);
    if (!silent)
        meter_rows_enter(m);
    return meter_commit(m);
}

enum err meter_clock_store(struct meter *m)
{
    enum err err = meter_keep(m, meter_store_clock(m));
    if (err)
        return err;
    meter_rows_regrid(m);
    return meter_snapshot(m);
}

enum err meter_clock_preset(struct meter *m, int64_t to_s, int64_t first_s, int64_t last_s)
{
    const struct meter_clock before = m->clock;
    m->clock.preset_s = to_s;
    m->clock.preset_from_s = first_s;
    m->clock.preset_to_s = last_s;
    enum err err = meter_keep(m, meter_store_clock(m));
    if (err)
        m->clock = before;
    return err;
}
