/* Mounting: is the layout possible, is the device ours, then the two kinds of area repair
 * themselves. Nothing is written before every header of every area was found ours or invalid. */
#include "lib/nv/nv.h"

#include "lib/nv/sector.h"

#define RING_RECORD_N 2048u

static struct nv_area area_of(const struct nv_config *config, unsigned i)
{
    return i == 0 ? area_kv(config) : area_ring(config, (uint8_t)(i - 1));
}

static bool flash_usable(const struct hal_flash *f)
{
    uint32_t size = f->sector_size;
    return size >= 256 && size <= 65536 && (size & (size - 1)) == 0 && f->n_sectors >= 4 &&
           f->n_sectors <= 65535;
}

static struct nv_extent extent_of(const struct nv_area *a, unsigned i)
{
    return i == 0 ? a->first : a->more[i - 1];
}

/* Overlaps one of the extents before it, in the areas up to its own. */
static bool extent_taken(const struct nv_config *config, unsigned area, unsigned index,
                         struct nv_extent x)
{
    for (unsigned i = 0; i <= area; i++) {
        struct nv_area a = area_of(config, i);
        unsigned n = i < area ? a.n_more + 1u : index;
        for (unsigned j = 0; j < n; j++) {
            struct nv_extent y = extent_of(&a, j);
            if (x.first_sector < y.first_sector + y.n_sectors &&
                y.first_sector < x.first_sector + x.n_sectors)
                return true;
        }
    }
    return false;
}

static bool ring_fits(const struct nv_area *a)
{
    return a->record_size >= 1 && a->record_size <= RING_RECORD_N && a->n_slots >= 1;
}

static bool area_usable(const struct nv_config *config, unsigned area)
{
    struct nv_area a = area_of(config, area);
    uint32_t n = 0;
    for (unsigned i = 0; i <= a.n_more; i++) {
        struct nv_extent x = extent_of(&a, i);
        n += x.n_sectors;
        if ((uint32_t)x.first_sector + x.n_sectors > a.flash->n_sectors ||
            extent_taken(config, area, i, x))
            return false;
    }
    return n >= 2 && (area == 0 || ring_fits(&a));
}

static bool layout_usable(const struct nv_config *config)
{
    if (!flash_usable(config->flash) || config->n_rings > NV_RINGS_MAX)
        return false;
    for (unsigned i = 0; i < config->n_rings; i++)
        if (config->rings[i].n_more > NV_MORE_MAX)
            return false;
    for (unsigned i = 0; i <= config->n_rings; i++)
        if (!area_usable(config, i))
            return false;
    return true;
}

/* Whether the headers of an area may be overwritten. Rings are made anew now and then; the keys
 * never are, so whole headers of something else there are another layout, unless ours stand beside
 * them: then they are damage. */
static enum err area_is_ours(const struct nv_area *a)
{
    bool any_valid = false, any_foreign = false;
    for (uint16_t s = 0; s < a->n_sectors; s++) {
        struct sector_head head;
        enum err err = sector_read(a, s, &head);
        if (err)
            return err;
        any_valid = any_valid || head.valid;
        any_foreign = any_foreign || head.foreign;
    }
    return a->id == 0 && any_foreign && !any_valid ? ERR_VERSION : ERR_OK;
}

static enum err device_is_ours(const struct nv *nv, unsigned first)
{
    enum err err = ERR_OK;
    for (unsigned i = first; i <= nv->config.n_rings && !err; i++) {
        struct nv_area a = area_of(&nv->config, i);
        err = area_is_ours(&a);
    }
    return err;
}

static void ring_empty(struct nv *nv, unsigned ring)
{
    nv->ring[ring] = (struct nv_ring_state){.next_seq = 1, .oldest = 1};
}

/* A sector that fails costs its ring, not the others. */
static enum err mount_rings(struct nv *nv)
{
    enum err failed = ERR_OK;
    nv->closed = 0;
    for (unsigned i = 0; i < nv->config.n_rings; i++) {
        enum err err = ring_mount(nv, (uint8_t)i);
        if (err && err != ERR_IO)
            return err;
        if (!err)
            continue;
        failed = err;
        ring_empty(nv, i);
        nv->closed |= 2u << i;
        nv->damaged |= 2u << i;
        nv->n_corrupt++;
    }
    return failed;
}

enum err nv_mount(struct nv *nv, const struct nv_config *config)
{
    *nv = (struct nv){.config = *config, .kv_area = area_kv(config)};
    if (!layout_usable(config))
        return ERR_RANGE;
    enum err err = device_is_ours(nv, 0);
    if (!err)
        err = kv_mount(nv);
    nv->kv_n_corrupt = nv->n_corrupt;
    nv->damaged = nv->n_corrupt > 0;
    return err ? err : mount_rings(nv);
}

enum err nv_mount_rings(struct nv *nv, const struct nv_ring_layout *rings, uint8_t n_rings)
{
    nv->config.rings = rings;
    nv->config.n_rings = n_rings;
    nv->n_corrupt = nv->kv_n_corrupt;
    nv->damaged = nv->n_corrupt > 0;
    nv->closed = 0;
    enum err err = ERR_RANGE;
    if (layout_usable(&nv->config))
        err = device_is_ours(nv, 1);
    if (!err)
        err = mount_rings(nv);
    if (err && nv->closed == 0)
        nv->config.n_rings = 0;
    return err;
}

enum err nv_mount_ring(struct nv *nv, uint8_t ring)
{
    if (ring >= nv->config.n_rings || !layout_usable(&nv->config))
        return ERR_RANGE;
    struct nv_area a = area_ring(&nv->config, ring);
    enum err err = area_is_ours(&a);
    if (!err)
        err = ring_mount(nv, ring);
    nv->closed &= ~(2u << ring);
    if (err)
        ring_empty(nv, ring);
    return err;
}

enum err nv_check_rings(const struct nv *nv, const struct nv_ring_layout *rings, uint8_t n_rings)
{
    struct nv_config config = nv->config;
    config.rings = rings;
    config.n_rings = n_rings;
    return layout_usable(&config) ? ERR_OK : ERR_RANGE;
}

enum err nv_ring_unused(const struct nv *nv, const struct nv_ring_layout *rings, uint8_t ring,
                        bool *unused)
{
    const struct nv_config config = {.flash = nv->config.flash, .rings = rings};
    struct nv_area a = area_ring(&config, ring);
    enum err err = ERR_OK;
    *unused = true;
    for (uint16_t s = 0; s < a.n_sectors && *unused && !err; s++) {
        struct sector_head head;
        err = sector_read(&a, s, &head);
        *unused = !head.valid;
    }
    return err;
}

static bool area_has(const struct nv_area *a, uint16_t sector, uint16_t *place)
{
    for (*place = 0; *place < a->n_sectors; ++*place)
        if (area_sector(a, *place) == sector)
            return true;
    return false;
}

enum err nv_wear(const struct nv *nv, uint16_t sector, uint32_t *n_erases)
{
    *n_erases = 0;
    for (unsigned i = 0; i <= nv->config.n_rings; i++) {
        struct nv_area a = area_of(&nv->config, i);
        struct sector_head head;
        uint16_t place;
        if (!area_has(&a, sector, &place))
            continue;
        enum err err = sector_read(&a, place, &head);
        *n_erases = head.n_erases;
        return err;
    }
    return ERR_OK;
}
