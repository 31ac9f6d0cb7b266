/* Audit trail: every change of a legal parameter, a transformer ratio or a limit of the
 * supervision, tried or done, with the time and the client, in a ring of the flash.
 *
 * A record is durable before its change is acknowledged, and it is the change's redo log: after a
 * cut between the record and the stored parameters meter_init() applies it again. So a change that
 * was told is there, and a change that is there is in the trail. */
#ifndef FERRARIS_METER_AUDIT_H
#define FERRARIS_METER_AUDIT_H

#include "firmware/legal/legal.h"

#define METER_AUDIT_KEPT    100 /* newest records that are always there */
#define METER_AUDIT_SIZE    33
#define METER_AUDIT_LIMIT   200 /* enum pq_kind 0; the index is METER_LIMIT_ON .. */
#define METER_AUDIT_CRYSTAL 236 /* METER_CRYSTAL_PPB; the other two follow */
#define METER_AUDIT_RATIO   240 /* parameter number of METER_CT_NUM; the other ratios follow */
#define METER_SAP_FACTORY   0   /* changes by the factory or at the panel */

struct meter_audit {
    uint32_t utc_s;
    int16_t deviation; /* of local time then, minutes */
    uint8_t clock_status;
    uint16_t client_sap;
    struct legal_audit legal; /* parameter may be METER_AUDIT_LIMIT and above */
};
void meter_audit_encode(const struct meter_audit *a, uint8_t out[METER_AUDIT_SIZE]);
void meter_audit_decode(const uint8_t in[METER_AUDIT_SIZE], struct meter_audit *a);
/* "GAIN_PPB", "CT_NUM", "dip"; "" for seal and opening. Never NULL. */
const char *meter_audit_name(const struct meter_audit *a);

#endif
