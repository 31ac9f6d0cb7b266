/* What clients are told stays: registers and least acceptable counters are on the flash before the
 * answer leaves, and a client that asks each second for 20 years does not wear it out.
 *
 *     binding -> meter_told() -> answer -> meter_before_tell() -> snapshot, counters -> line
 *
 * Registers. Clients are told m->told: those of the newest snapshot, or newer ones that are in the
 * next snapshot, which the answer waits for. Such a snapshot costs METER_TELL_COST of a credit of
 * METER_TELL_MAX, that the snapshot a minute raises by one. So a reading is of this moment as long
 * as there is credit: 60 of them at once, 30 an hour for ever. Without credit it is that of the
 * newest snapshot: registers that were true together, at most METER_SNAPSHOT_S ago, and nothing is
 * written. All snapshots are at most one and a half a minute, whatever clients ask. The credit is
 * in the snapshot: a cut does not renew it. (A record of its own for each answer would need 80
 * sectors more of every chip and one more ring to recover; a promise of energy to come would invent
 * it.)
 *
 * Outages. Their counts and the time without supply are told as they are; what went up since the
 * newest snapshot is in one before the answer, from the same credit. Without credit a cut may take
 * back what the last minute brought: a loose contact and a reader of each second wear nothing out.
 *
 * Counters. A request with an invocation counter below the least acceptable one is refused, also
 * after a cut. As long as there is credit (METER_FLOORS_MAX, one more a minute) the exact number is
 * written, then one METER_FLOOR_AHEAD above it, good for as many requests. A client that asks so
 * often finds after a cut that up to so many of its numbers are spent: the object of the counter
 * (0-0:43.1) tells the public client where to go on. */
#ifndef FERRARIS_METER_TELL_H
#define FERRARIS_METER_TELL_H

#include "firmware/meter/meter.h"

#define METER_TELL_COST   2
#define METER_TELL_MAX    (60 * METER_TELL_COST)
#define METER_FLOORS_MAX  250
#define METER_FLOOR_AHEAD 64

/* The registers as a client may be told them now. Valid until time passes. */
const struct legal_energies *meter_told(struct meter *m);
/* cosem_server_config.before_tell. The public client is told neither registers nor rows (the rights
 * in model/objects.c), so nobody without a secret can wear the flash. */
MUST_CHECK enum err meter_before_tell(void *context, enum cosem_role role);

/* An outage ended: what is told of outages went up. */
void meter_tell_outage(struct meter *m);

/* For meter.c: the first life; a minute without a snapshot; a snapshot was written, or failed: then
 * no answer may go on telling an old one. */
void meter_tell_begin(struct meter *m);
void meter_tell_minute(struct meter *m);
void meter_tell_stored(struct meter *m, bool done);

#endif
