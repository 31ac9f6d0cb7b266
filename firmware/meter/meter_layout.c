/* See meter_layout.h.
 *
 * Snapshots go to a ring of their own rather than under a key because they are by far the most
 * frequent write: one a minute for 20 years are 10.5 million records. A sector holds two to four of
 * them, by the size of the model's record, and the ring has as many sectors as keep each below
 * 60 000 erases in that time; parts are good for 100 000. */
#include "firmware/meter/meter_layout.h"

#include "firmware/meter/meter_store.h"

#define AUDIT_SECTORS      4 /* of 87 records: two sectors are always full */
#define SNAPSHOTS_20_YEARS 10519200u
#define ERASES_MAX         60000u
#define SNAPSHOT_SECTORS   64 /* at least */
#define SLOT_OVERHEAD      13 /* docs/SPEC-storage.md, rings */
#define SECTOR_OVERHEAD    64
#define VALUE_SIZE         9u /* of a cell of 8 octets, its tag included */

uint8_t meter_log_ring(const struct model_meter *m, unsigned log)
{
    uint8_t ring = METER_RING_LOGS;
    for (unsigned before = 0; before < log; before++)
        ring = (uint8_t)(ring + (m->log_depth[before] > 0));
    return ring;
}

uint8_t meter_ring(const struct model_meter *m, enum model_profile_id p)
{
    uint8_t ring = meter_log_ring(m, MODEL_N_LOGS);
    if (p == MODEL_LP1)
        return METER_RING_PROFILE;
    for (unsigned k = MODEL_LP2; k < (unsigned)p; k++)
        ring = (uint8_t)(ring + (m->profile[k].n_values > 0));
    return ring;
}

uint8_t meter_n_rings(const struct model_meter *m)
{
    return meter_ring(m, MODEL_N_PROFILES);
}

/* Records to a sector, docs/SPEC-storage.md: spare slots are left out. */
static uint32_t records_in_sector(uint32_t record_size)
{
    uint32_t slots = (METER_SECTOR_SIZE - SECTOR_OVERHEAD) / (record_size + SLOT_OVERHEAD);
    return slots - (slots >= 8 ? 2 : slots >= 3 ? 1 : 0);
}

uint32_t meter_rows_kept(uint32_t n_sectors, uint32_t record_size)
{
    return n_sectors < 2 ? 0 : (n_sectors - 2) * records_in_sector(record_size) + 1;
}

uint16_t meter_sectors_for(uint32_t rows, uint32_t record_size)
{
    uint32_t n = records_in_sector(record_size);
    /* one erased ahead, one partly filled */
    return (uint16_t)((rows + n - 1) / n + 2);
}

static uint16_t snapshot_sectors(const struct model_meter *m)
{
    uint32_t n = records_in_sector((uint32_t)meter_snapshot_size(m)) * ERASES_MAX;
    uint32_t sectors = (SNAPSHOTS_20_YEARS + n - 1) / n;
    return (uint16_t)(sectors > SNAPSHOT_SECTORS ? sectors : SNAPSHOT_SECTORS);
}

/* Puts a ring behind the sectors used so far. */
static void place(struct nv_ring_layout *ring, uint32_t *next, uint32_t n, uint32_t record_size)
{
    *ring = (struct nv_ring_layout){.first_sector = (uint16_t)*next,
                                    .n_sectors = (uint16_t)n,
                                    .record_size = (uint16_t)record_size};
    *next += n;
}

uint32_t meter_layout(const struct model_meter *m, struct nv_ring_layout rings[METER_RINGS_MAX])
{
    uint32_t next = METER_KV_SECTORS;
    place(&rings[METER_RING_AUDIT], &next, AUDIT_SECTORS, METER_AUDIT_SIZE);
    place(&rings[METER_RING_SNAPSHOT], &next, snapshot_sectors(m),
          (uint32_t)meter_snapshot_size(m));
    for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
        if (m->log_depth[log] > 0)
            place(&rings[meter_log_ring(m, log)], &next,
                  meter_sectors_for(m->log_depth[log], METER_LOG_ENTRY_SIZE), METER_LOG_ENTRY_SIZE);
    }
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        const struct model_profile *row = &m->profile[p];
        const uint32_t size = METER_ROW_HEAD + row->depth_values * VALUE_SIZE;
        if (row->n_values > 0)
            place(&rings[meter_ring(m, (enum model_profile_id)p)], &next,
                  meter_sectors_for(row->depth, size), size);
    }
    return next;
}

uint32_t meter_n_sectors(const struct model_meter *model)
{
    struct nv_ring_layout rings[METER_RINGS_MAX];
    return meter_layout(model, rings);
}
