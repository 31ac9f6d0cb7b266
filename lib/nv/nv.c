/* Mounting: is the layout possible, is the device ours, then the two kinds of area repair
 * themselves. Nothing is written before every header of every area was found ours or invalid. */
#include "lib/nv/nv.h"

#include "lib/nv/sector.h"

static bool area_in_device(const struct area *a)
{
    return a->n_sectors >= 2 && (uint32_t)a->first_sector + a->n_sectors <= a->flash->n_sectors;
}

static bool areas_overlap(const struct area *a, const struct area *b)
{
    return a->first_sector < b->first_sector + b->n_sectors &&
           b->first_sector < a->first_sector + a->n_sectors;
}

static struct area area_of(const struct nv *nv, uint8_t i)
{
    return i == 0 ? area_kv(nv) : area_ring(nv, (uint8_t)(i - 1));
}

static bool flash_usable(const struct hal_flash *f)
{
    uint32_t size = f->sector_size;
    return size >= 256 && size <= 65536 && (size & (size - 1)) == 0 && f->n_sectors >= 4 &&
           f->n_sectors <= 65535;
}

static bool layout_usable(const struct nv *nv)
{
    if (!flash_usable(nv->config.flash) || nv->config.n_rings > NV_RINGS_MAX)
        return false;
    for (uint8_t i = 0; i <= nv->config.n_rings; i++) {
        struct area a = area_of(nv, i);
        if (!area_in_device(&a) || (i > 0 && !ring_fits(&a)))
            return false;
        for (uint8_t j = 0; j < i; j++) {
            struct area b = area_of(nv, j);
            if (areas_overlap(&a, &b))
                return false;
        }
    }
    return true;
}

static enum err device_is_ours(const struct nv *nv)
{
    enum err err = ERR_OK;
    for (uint8_t i = 0; i <= nv->config.n_rings; i++) {
        struct area a = area_of(nv, i);
        struct sector_head head;
        for (uint16_t s = 0; s < a.n_sectors && !err; s++)
            err = sector_read(&a, s, &head);
    }
    return err;
}

enum err nv_mount(struct nv *nv, const struct nv_config *config)
{
    *nv = (struct nv){.config = *config};
    if (!layout_usable(nv))
        return ERR_RANGE;
    enum err err = device_is_ours(nv);
    if (!err)
        err = kv_mount(nv);
    for (uint8_t i = 0; i < config->n_rings && !err; i++)
        err = ring_mount(nv, i);
    return err;
}

enum err nv_wear(const struct nv *nv, uint16_t sector, uint32_t *n_erases)
{
    *n_erases = 0;
    for (uint8_t i = 0; i <= nv->config.n_rings; i++) {
        struct area a = area_of(nv, i);
        if (sector < a.first_sector || sector >= a.first_sector + a.n_sectors)
            continue;
        struct sector_head head;
        enum err err = sector_read(&a, (uint16_t)(sector - a.first_sector), &head);
        *n_erases = head.n_erases;
        return err;
    }
    return ERR_OK;
}
