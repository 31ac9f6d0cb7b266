/* See meter_demand.h. Knows one quantity and block windows only; sliding windows would keep the
 * energies of their sub-periods. */
#include "firmware/meter/meter_demand.h"

#include <stddef.h>

#define MS_PER_S 1000

/* x 3.6e6 ms/h / 1e5 uW/dW, so x 36: what counts in one period is less than the 512 GWh that this
 * has room for. */
uint32_t meter_deciwatt(uint64_t uwh, int64_t ms)
{
    const uint64_t dw = ms > 0 ? uwh * 36 / (uint64_t)ms : 0;
    return dw < UINT32_MAX ? (uint32_t)dw : UINT32_MAX;
}

bool meter_demand_period_valid(uint32_t period_s)
{
    static const uint32_t valid[] = {60, 300, 600, 900, 1200, 1800, 3600, 86400};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        if (valid[i] == period_s)
            return true;
    }
    return false;
}

void meter_demand_reset(struct meter_demand *d)
{
    *d = (struct meter_demand){.period_s = 900, .last_s = METER_NEVER, .max_s = METER_NEVER};
}

uint32_t meter_demand_now(const struct meter_demand *d, uint64_t uwh)
{
    return meter_deciwatt(uwh - d->start_uwh, (int64_t)d->period_s * MS_PER_S);
}

void meter_demand_restart(struct meter_demand *d, uint32_t start_s, uint32_t due_s, uint64_t uwh)
{
    d->start_s = start_s;
    d->due_s = due_s;
    d->start_uwh = uwh;
}

void meter_demand_close(struct meter_demand *d, uint32_t end_s, uint8_t doubt, uint64_t uwh)
{
    d->last_dw = meter_demand_now(d, uwh);
    d->last_s = end_s;
    d->last_doubt = doubt;
    if (d->max_s == METER_NEVER || d->last_dw > d->max_dw) {
        d->max_dw = d->last_dw;
        d->max_s = end_s;
        d->max_doubt = doubt;
    }
}

void meter_demand_clear_max(struct meter_demand *d)
{
    d->max_dw = 0;
    d->max_s = METER_NEVER;
}
