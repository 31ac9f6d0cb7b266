/* See meter_layout.h.
 *
 * Snapshots go to a ring of their own rather than under a key because they are by far the most
 * frequent write: one a minute for 20 years are 10.5 million records. A sector holds two to four of
 * them, by the size of the model's record, and the ring has as many sectors as keep each below
 * 60 000 erases in that time; parts are good for 100 000. */
#include "firmware/meter/meter_layout.h"

#include "firmware/meter/meter_store.h"

#define SNAPSHOTS_20_YEARS 10519200u
#define ERASES_MAX         60000u
#define SNAPSHOT_SECTORS   64  /* at least */
#define CHIP_MIN           256 /* sectors: 1 MiB */
#define SLOT_OVERHEAD      13  /* docs/SPEC-storage.md, rings */
#define SECTOR_OVERHEAD    64
#define VALUE_SIZE         9u /* of a cell of 8 octets, its tag included */

uint8_t meter_log_ring(const struct model_meter *m, unsigned log)
{
    uint8_t ring = METER_RING_LOGS;
    for (unsigned before = 0; before < log; before++)
        ring = (uint8_t)(ring + (model_row(m)->log_depth[before] > 0));
    return ring;
}

uint8_t meter_ring(const struct model_meter *m, enum model_profile_id p)
{
    uint8_t ring = meter_log_ring(m, MODEL_N_LOGS);
    if (p == MODEL_LP1)
        return METER_RING_PROFILE;
    for (unsigned k = MODEL_LP2; k < (unsigned)p; k++)
        ring = (uint8_t)(ring + (model_row(m)->profile[k].n_values > 0));
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

uint32_t meter_sectors_for(uint32_t rows, uint32_t record_size)
{
    uint32_t n = records_in_sector(record_size);
    /* one erased ahead, one partly filled */
    return (rows + n - 1) / n + 2;
}

/* ---- sectors that move ---- */

static struct nv_extent extent_of(const struct nv_ring_layout *ring, unsigned k)
{
    return k == 0 ? (struct nv_extent){ring->first_sector, ring->n_sectors} : ring->more[k - 1];
}

uint32_t meter_ring_sectors(const struct nv_ring_layout *ring)
{
    uint32_t n = 0;
    for (unsigned k = 0; k <= ring->n_more; k++)
        n += extent_of(ring, k).n_sectors;
    return n;
}

static bool holds(const struct nv_ring_layout *ring, uint32_t sector)
{
    for (unsigned k = 0; k <= ring->n_more; k++) {
        const struct nv_extent e = extent_of(ring, k);
        if (sector >= e.first_sector && sector < (uint32_t)e.first_sector + e.n_sectors)
            return true;
    }
    return false;
}

static bool is_free(const struct nv_ring_layout *rings, uint8_t n_rings, uint32_t sector)
{
    for (uint8_t k = 0; k < n_rings; k++) {
        if (holds(&rings[k], sector))
            return false;
    }
    return sector >= METER_KV_SECTORS;
}

static struct nv_extent longest_run(const struct nv_ring_layout *rings, uint8_t n_rings,
                                    uint32_t n_of_flash)
{
    struct nv_extent best = {0, 0}, run = {0, 0};
    for (uint32_t s = 0; s < n_of_flash; s++) {
        if (!is_free(rings, n_rings, s)) {
            run.n_sectors = 0;
            continue;
        }
        if (run.n_sectors++ == 0)
            run.first_sector = (uint16_t)s;
        if (run.n_sectors > best.n_sectors)
            best = run;
    }
    return best;
}

bool meter_layout_move(struct nv_ring_layout *rings, uint8_t n_rings, uint8_t of,
                       uint32_t n_of_flash, uint32_t n)
{
    const struct nv_ring_layout before = rings[of];
    struct nv_ring_layout *ring = &rings[of];
    *ring =
        (struct nv_ring_layout){.record_size = before.record_size, .generation = before.generation};
    for (unsigned k = 0; k <= NV_MORE_MAX && n > 0; k++) {
        struct nv_extent run = longest_run(rings, n_rings, n_of_flash);
        if (run.n_sectors > n)
            run.n_sectors = (uint16_t)n;
        n -= run.n_sectors;
        if (k == 0) {
            ring->first_sector = run.first_sector;
            ring->n_sectors = run.n_sectors;
        } else {
            ring->more[ring->n_more++] = run;
        }
    }
    if (n > 0)
        *ring = before;
    return n == 0;
}

/* ---- as delivered ---- */

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
    m = model_row(m);
    uint32_t next = METER_KV_SECTORS;
    place(&rings[METER_RING_AUDIT], &next, METER_AUDIT_SECTORS, METER_AUDIT_SIZE);
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

/* Chips come in powers of two. What the rings leave is where they can begin when a flash of the
 * version before is taken over. */
uint32_t meter_n_sectors(const struct model_meter *model)
{
    struct nv_ring_layout rings[METER_RINGS_MAX];
    const uint32_t needed = meter_layout(model, rings);
    uint32_t n = CHIP_MIN;
    while (n < needed)
        n *= 2;
    return n;
}
