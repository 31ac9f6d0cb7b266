/* See meter_average.h. A month of 100 A in microampere milliseconds is 2.7e17: the sums fit. */
#include "firmware/meter/meter_average.h"

#include "firmware/meter/meter_demand.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)

void meter_average_reset(struct meter_average *a)
{
    *a = (struct meter_average){.end_s = METER_NEVER};
}

void meter_average_restart(struct meter_average *a, int64_t crystal_ns, uint32_t due_s,
                           const struct legal_energies *e)
{
    a->start_ns = crystal_ns;
    a->due_s = due_s;
    a->start_uwh[0] = e->total[LEGAL_A_IMPORT];
    a->start_uwh[1] = e->total[LEGAL_A_EXPORT];
    a->ms = 0;
    memset(a->u_mvms, 0, sizeof a->u_mvms);
    memset(a->i_uams, 0, sizeof a->i_uams);
}

void meter_average_add(struct meter_average *a, const struct legal_values *v, uint32_t ms)
{
    a->ms += ms;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        a->u_mvms[p] += (uint64_t)v->phase[p].u_mv * ms;
        a->i_uams[p] += (uint64_t)v->phase[p].i_ua * ms;
    }
}

static uint32_t mean(uint64_t sum, uint64_t ms)
{
    return ms > 0 ? (uint32_t)(sum / ms) : 0;
}

void meter_average_close(struct meter_average *a, int64_t crystal_ns, uint32_t end_s,
                         const struct legal_energies *e)
{
    int64_t ms = (crystal_ns - a->start_ns) / NS_PER_MS;
    a->end_s = end_s;
    a->p_dw[0] = meter_deciwatt(e->total[LEGAL_A_IMPORT] - a->start_uwh[0], ms);
    a->p_dw[1] = meter_deciwatt(e->total[LEGAL_A_EXPORT] - a->start_uwh[1], ms);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        a->u_mv[p] = mean(a->u_mvms[p], a->ms);
        a->i_ua[p] = mean(a->i_uams[p], a->ms);
    }
}
