/* Octets and names of meter_audit.h. */
#include "firmware/meter/meter_audit.h"

#include "firmware/meter/meter_clock.h"
#include "firmware/meter/meter_field.h"
#include "firmware/meter/meter_ratio.h"
#include "firmware/meter/meter_watch.h"

#define F(member, n) METER_FIELD(meter_audit, member, n)
static const struct meter_field fields[] = {
    F(utc_s, 4),          F(deviation, 2),    F(clock_status, 1),    F(client_sap, 2),
    F(legal.sequence, 4), F(legal.change, 1), F(legal.parameter, 1), F(legal.index, 1),
    F(legal.reason, 1),   F(legal.before, 8), F(legal.after, 8),
};
#undef F

void meter_audit_encode(const struct meter_audit *a, uint8_t out[METER_AUDIT_SIZE])
{
    struct meter_audit copy = *a;
    struct wr w = wr_of(out, METER_AUDIT_SIZE);
    meter_fields(&(struct meter_io){.w = &w}, &copy, fields, METER_N_FIELDS(fields), 1);
}

_Static_assert(LEGAL_N_PARAMETERS <= METER_AUDIT_LIMIT &&
                   METER_AUDIT_LIMIT + PQ_N_KINDS <= METER_AUDIT_CRYSTAL &&
                   METER_AUDIT_CRYSTAL + METER_N_CRYSTAL <= METER_AUDIT_RATIO,
               "numbers of parameters in the trail");

void meter_audit_decode(const uint8_t in[METER_AUDIT_SIZE], struct meter_audit *a)
{
    struct rd r = rd_of(in, METER_AUDIT_SIZE);
    meter_fields(&(struct meter_io){.r = &r}, a, fields, METER_N_FIELDS(fields), 1);
}

const char *meter_audit_name(const struct meter_audit *a)
{
    static const char *const ratio[METER_N_RATIOS] = {"CT_NUM", "VT_NUM", "CT_DEN", "VT_DEN"};
    uint8_t id = a->legal.parameter;
    if (a->legal.change == LEGAL_CHANGE_SEALED || a->legal.change == LEGAL_CHANGE_OPENED)
        return "";
    if (id >= METER_AUDIT_RATIO && id < METER_AUDIT_RATIO + METER_N_RATIOS)
        return ratio[id - METER_AUDIT_RATIO];
    if (id >= METER_AUDIT_CRYSTAL && id < METER_AUDIT_CRYSTAL + METER_N_CRYSTAL)
        return meter_crystal_name((unsigned)id - METER_AUDIT_CRYSTAL);
    if (id >= METER_AUDIT_LIMIT && id < METER_AUDIT_LIMIT + PQ_N_KINDS)
        return meter_event_name((uint8_t)(id - METER_AUDIT_LIMIT));
    return legal_parameter_name((enum legal_parameter)id);
}
