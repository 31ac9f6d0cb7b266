/* Taking over a flash that the version before wrote: storage format 1, no layout under a key, only
 * load profile 1, snapshots of format 2.
 *
 * That flash is the lower part of this one. Nothing of it is erased before the layout is stored:
 * rings of the new version begin, with a generation that no sector bears, behind it and come to its
 * sectors later. Keys and audit trail stay where they are. So
 *
 *     meter_choices_load(): no layout, but old rings -> meter_migrate_plan() moves the rings
 *     meter_store_restore(): no layout               -> meter_migrate_run() copies the rows, reads
 *                                  the old snapshot, writes a new one, and stores the layout
 *
 * and a power cut before that one key means beginning again from the same octets, at the latest
 * generation and one. How often a sector was erased is carried on by the store. Nothing is left to
 * do behind the key: what the old rings held is foreign then.
 *
 * A flash of this version's first days has a layout, but shorter snapshots. Their ring is made anew
 * in the same way: its first sectors where nothing else lies, then those it had.
 *
 *     meter_choices_load(): a ring of such records -> meter_migrate_reads()
 *     meter_store_restore()                        -> meter_migrate_run()
 *
 * A meter whose first flash was of this version needs none of this: meter_migrate_none.c in the
 * place of meter_migrate.c and meter_old.c refuses a flash of the version before. */
#ifndef FERRARIS_METER_MIGRATE_H
#define FERRARIS_METER_MIGRATE_H

#include "firmware/hal/flash.h"
#include "model/meters.h"

#include <stdbool.h>

struct meter;

/* Sectors that the version before had for this model. */
uint32_t meter_migrate_n_sectors(const struct model_meter *m);
/* What the headers say from the first sector on that rings had in the version before. */
struct meter_seen {
    uint16_t generation; /* the highest */
    bool is_moved;       /* one of snapshots that do not lie where a new flash has them */
    bool is_format_1;    /* one that the version before wrote */
};
/* There is no layout, the keys are mounted and m->rings are as delivered: when there are old rings,
 * *is_old, and m->rings are where the new version can write without touching them. ERR_CORRUPT,
 * ERR_FULL (no room behind the old flash), ERR_IO. */
MUST_CHECK enum err meter_migrate_plan(struct meter *m, const struct meter_seen *seen,
                                       bool *is_old);
/* The layout says that the ring has records of another size: true where they are the shorter
 * snapshots, which meter_migrate_run() then takes over. */
bool meter_migrate_reads(struct meter *m, uint8_t ring);
/* The rings are mounted. Takes over registers, clock, demand, averages, counters and rows, writes a
 * snapshot and the layout; the rows are lost where the flash refuses the new ring its sectors
 * (m->fault says so). ERR_NOT_FOUND (shorter snapshots, and none was written yet), ERR_VERSION,
 * ERR_CORRUPT (no snapshot is whole), ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_migrate_run(struct meter *m);

#endif
