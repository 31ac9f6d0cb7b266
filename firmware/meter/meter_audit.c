/* Octets and names of meter_audit.h. */
#include "firmware/meter/meter_audit.h"

#include "firmware/meter/meter_clock.h"
#include "firmware/meter/meter_ratio.h"
#include "firmware/meter/meter_watch.h"
#include "lib/base/cursor.h"

void meter_audit_encode(const struct meter_audit *a, uint8_t out[METER_AUDIT_SIZE])
{
    struct wr w = wr_of(out, METER_AUDIT_SIZE);
    wr_u32(&w, a->utc_s);
    wr_u16(&w, (uint16_t)a->deviation);
    wr_u8(&w, a->clock_status);
    wr_u16(&w, a->client_sap);
    wr_u32(&w, a->legal.sequence);
    wr_u8(&w, a->legal.change);
    wr_u8(&w, a->legal.parameter);
    wr_u8(&w, a->legal.index);
    wr_u8(&w, a->legal.reason);
    wr_u64(&w, (uint64_t)a->legal.before);
    wr_u64(&w, (uint64_t)a->legal.after);
}

_Static_assert(LEGAL_N_PARAMETERS <= METER_AUDIT_LIMIT &&
                   METER_AUDIT_LIMIT + PQ_N_KINDS <= METER_AUDIT_CRYSTAL &&
                   METER_AUDIT_CRYSTAL + METER_N_CRYSTAL <= METER_AUDIT_RATIO,
               "numbers of parameters in the trail");

void meter_audit_decode(const uint8_t in[METER_AUDIT_SIZE], struct meter_audit *a)
{
    struct rd r = rd_of(in, METER_AUDIT_SIZE);
    a->utc_s = rd_u32(&r);
    a->deviation = (int16_t)rd_u16(&r);
    a->clock_status = rd_u8(&r);
    a->client_sap = rd_u16(&r);
    a->legal.sequence = rd_u32(&r);
    a->legal.change = rd_u8(&r);
    a->legal.parameter = rd_u8(&r);
    a->legal.index = rd_u8(&r);
    a->legal.reason = rd_u8(&r);
    a->legal.before = (int64_t)rd_u64(&r);
    a->legal.after = (int64_t)rd_u64(&r);
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
    const struct legal_parameter_row *row = legal_parameter_row((enum legal_parameter)id);
    return row != NULL ? row->name : "";
}
