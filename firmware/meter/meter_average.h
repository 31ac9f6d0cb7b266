/* Averages over the local day and the month: voltage and current of each phase, power.
 *
 * Voltage and current are means over the time in which they were measured; power is energy over the
 * whole period, dark hours included, as a demand is. A period in which the supply came back after
 * the end of the one before begins with the supply. The meter says when a period ends. A plain
 * value, stored with the registers. It refuses to know the clock: what is set back or forth beyond
 * the shift limit begins the period anew. */
#ifndef FERRARIS_METER_AVERAGE_H
#define FERRARIS_METER_AVERAGE_H

#include "firmware/legal/legal.h"

enum { METER_DAY, METER_MONTH, METER_N_AVERAGES };

struct meter_average {
    int64_t start_ns;      /* crystal when the running period began */
    uint32_t due_s;        /* its end, UTC */
    uint64_t start_uwh[2]; /* A+, A- then */
    uint64_t ms;           /* measured so far */
    uint64_t u_mvms[LEGAL_N_PHASES], i_uams[LEGAL_N_PHASES]; /* times milliseconds */
    /* of the last period that ended; end_s METER_NEVER: none yet */
    uint32_t end_s;
    uint32_t u_mv[LEGAL_N_PHASES], i_ua[LEGAL_N_PHASES];
    uint32_t p_dw[2]; /* deciwatt, import and export */
};

void meter_average_reset(struct meter_average *a);
void meter_average_restart(struct meter_average *a, int64_t crystal_ns, uint32_t due_s,
                           const struct legal_energies *e);
/* Values that held for `ms`. */
void meter_average_add(struct meter_average *a, const struct legal_values *v, uint32_t ms);
/* Ends the period; restart follows. */
void meter_average_close(struct meter_average *a, int64_t crystal_ns, uint32_t end_s,
                         const struct legal_energies *e);

#endif
