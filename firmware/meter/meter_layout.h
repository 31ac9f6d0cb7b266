/* Which ring of the flash lies where: arithmetic over the model's row, without a flash.
 *
 * In sectors of METER_SECTOR_SIZE: 8 of keys, 4 of the audit trail, the snapshots, the logs, then
 * the areas of the profiles in the order of enum model_profile_id, which the owner can divide
 * otherwise. Rings that a model lacks have no number: 0 snapshots, 1 load profile 1, 2 audit trail,
 * then the model's logs, then its other profiles. Each profile's area is as large as the model's
 * depth needs at the width that the row names. */
#ifndef FERRARIS_METER_LAYOUT_H
#define FERRARIS_METER_LAYOUT_H

#include "lib/nv/nv.h"
#include "model/meters.h"

#define METER_SECTOR_SIZE   4096u
#define METER_KV_SECTORS    8u
#define METER_AUDIT_SECTORS 4u /* of 87 records: two sectors are always full */
#define METER_FIRST_RING_SECTOR                                                                    \
    (METER_KV_SECTORS + METER_AUDIT_SECTORS) /* behind the audit trail */

/* Rings of the flash: from METER_RING_LOGS on the logs that the model has, then its other profiles;
 * meter_log_ring() and meter_ring() count them. */
enum { METER_RING_SNAPSHOT, METER_RING_PROFILE, METER_RING_AUDIT, METER_RING_LOGS };
#define METER_RINGS_MAX (METER_RING_LOGS + MODEL_N_LOGS + MODEL_N_PROFILES - 1)

#define METER_ENTRIES_MAX 1000000u /* of a profile, more than a flash has room for */
#define METER_ROW_HEAD    12u      /* octets of a row before its cells */

/* Ring of a log, of a profile that the model has. */
uint8_t meter_log_ring(const struct model_meter *m, unsigned log);
uint8_t meter_ring(const struct model_meter *m, enum model_profile_id p);
uint8_t meter_n_rings(const struct model_meter *m);
/* Sectors in which `rows` records are always there. */
uint32_t meter_sectors_for(uint32_t rows, uint32_t record_size);
/* Rows that a ring of so many sectors always keeps. */
uint32_t meter_rows_kept(uint32_t n_sectors, uint32_t record_size);
/* Sectors of all extents of a ring. */
uint32_t meter_ring_sectors(const struct nv_ring_layout *ring);
/* Lays ring `of` anew over n sectors that no other ring has, its own among them, the longest runs
 * first. Nothing below the first ring is touched. False, and nothing is changed: not so many are
 * free, or they are in too many pieces. */
bool meter_layout_move(struct nv_ring_layout *rings, uint8_t n_rings, uint8_t of,
                       uint32_t n_of_flash, uint32_t n);
/* As delivered, by the model: the widths of the profiles' records are the model's, not yet those of
 * the columns. Gives the number of sectors of the whole flash. */
uint32_t meter_layout(const struct model_meter *m, struct nv_ring_layout rings[METER_RINGS_MAX]);

#endif
