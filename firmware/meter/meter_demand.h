/* Block demand of active import (class 5) and its maximum with the time it happened (class 4).
 *
 * Power is energy over the whole period, so the present average is a ramp that ends at the last
 * average (Blue Book 4.3.4). A plain value: the meter stores it with its registers. No clock: the
 * meter says when a period ends. */
#ifndef FERRARIS_METER_DEMAND_H
#define FERRARIS_METER_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#define METER_NEVER 0u /* a time that was never set */

struct meter_demand {
    uint32_t period_s;
    uint32_t start_s; /* of the running period, UTC */
    uint32_t due_s;   /* its nominal end */
    uint64_t start_uwh;
    uint32_t last_dw; /* deciwatt: average of the last closed period */
    uint32_t last_s;  /* when it closed, or METER_NEVER */
    uint32_t max_dw;
    uint32_t max_s;                /* end of the period of the maximum, or METER_NEVER */
    uint8_t last_doubt, max_doubt; /* the clock's doubt at those times, DATETIME_* */
};

/* Microwatt-hours over milliseconds in deciwatt; 0 where no time passed. */
uint32_t meter_deciwatt(uint64_t uwh, int64_t ms);
/* Lengths of a period: 1, 5, 10, 15, 20, 30, 60 minutes, a day. */
bool meter_demand_period_valid(uint32_t period_s);
void meter_demand_reset(struct meter_demand *d);
/* Deciwatt so far, as if nothing more came in this period. */
uint32_t meter_demand_now(const struct meter_demand *d, uint64_t uwh);
/* The running period begins anew at start_s and ends at due_s. */
void meter_demand_restart(struct meter_demand *d, uint32_t start_s, uint32_t due_s, uint64_t uwh);
/* Closes the running period at end_s, with what the clock doubts now: last average, maximum.
 * Restart follows. */
void meter_demand_close(struct meter_demand *d, uint32_t end_s, uint8_t doubt, uint64_t uwh);
/* Forgets the maximum (class 4 method 1, billing reset). */
void meter_demand_clear_max(struct meter_demand *d);

#endif
