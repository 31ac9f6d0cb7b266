/* The meter's flash: mounting it, and the values under keys. Where the rings lie: meter_layout.c;
 * what the owner chose of the profiles: meter_choice.c; the snapshot ring: meter_snapshot.c; legal
 * parameters and their audit trail: meter_parameter.c. */
#include "firmware/meter/meter_store.h"

#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_field.h"

#include <string.h>

enum err meter_store_put(struct meter *m, unsigned key, const struct wr *w)
{
    return w->err ? w->err : nv_put(&m->nv, (uint8_t)key, w->p, w->len);
}

enum err meter_store_get(const struct meter *m, unsigned key, void *buf, size_t size, struct rd *r)
{
    size_t len = 0;
    enum err err = nv_get(&m->nv, (uint8_t)key, buf, size, &len);
    *r = rd_of(buf, len);
    return err;
}

/* "ST402C" or "ST402C class2,60hz". */
static enum err load_model(struct meter *m)
{
    char name[32 + MODEL_ORDER_MAX], stored[sizeof name];
    struct rd r;
    size_t n = strlen(meter_model(m)->name), n_order = strlen(meter_model(m)->order);
    if (n + 1 + n_order > sizeof name)
        return ERR_RANGE;
    memcpy(name, meter_model(m)->name, n);
    if (n_order > 0) {
        name[n++] = ' ';
        memcpy(name + n, meter_model(m)->order, n_order);
        n += n_order;
    }
    enum err err = meter_store_get(m, METER_KEY_MODEL, stored, sizeof stored, &r);
    if (err == ERR_NOT_FOUND)
        return nv_put(&m->nv, METER_KEY_MODEL, name, n);
    if (err)
        return err;
    return r.len == n && memcmp(name, stored, n) == 0 ? ERR_OK : ERR_STATE;
}

/* Registers and the audit trail are what a meter is; without a log or a profile it goes on, and
 * says so. */
#define NEEDED (2u << METER_RING_SNAPSHOT | 2u << METER_RING_AUDIT)

static enum err mount_rings(struct meter *m)
{
    enum err err = nv_mount_rings(&m->nv, m->rings, meter_n_rings(m->model));
    if (err && m->nv.closed != 0 && (m->nv.closed & NEEDED) == 0) {
        m->fault = err;
        return ERR_OK;
    }
    return err;
}

enum err meter_store_mount(struct meter *m, const struct hal_flash *flash)
{
    if (flash->sector_size != METER_SECTOR_SIZE)
        return ERR_RANGE;
    const struct nv_config config = {.flash = flash, .kv_n_sectors = METER_KV_SECTORS};
    enum err err = nv_mount(&m->nv, &config);
    if (!err)
        err = load_model(m);
    if (!err)
        err = meter_choices_load(m);
    return err ? err : mount_rings(m);
}

#define CLOCK_SIZE_1 (4 + 2 * DATETIME_LEN + 3 * 8) /* of the version before */
#define CLOCK_SIZE   (CLOCK_SIZE_1 + 2 + 3 * 4)     /* shift limit, crystal */

#define F(member, n) METER_FIELD(meter_clock, member, n)
static const struct meter_field zone[] = {F(zone_min, 2), F(dst_min, 1),
                                          METER_FIELD_BOOL(meter_clock, dst_on)};
static const struct meter_field begin[] = {F(dst_begin[0], 1)}, end[] = {F(dst_end[0], 1)};
static const struct meter_field preset[] = {F(preset_s, 8), F(preset_from_s, 8), F(preset_to_s, 8)};
static const struct meter_field later[] = {F(shift_s, 2), F(crystal.ppb, 4),
                                           F(crystal.ppb_per_k2, 4), F(crystal.turnover_mc, 4)};
#undef F

static void clock_state(const struct meter_io *io, struct meter_clock *c, size_t size)
{
    meter_fields(io, c, zone, METER_N_FIELDS(zone), 1);
    meter_fields(io, c, begin, 1, DATETIME_LEN);
    meter_fields(io, c, end, 1, DATETIME_LEN);
    meter_fields(io, c, preset, METER_N_FIELDS(preset), 1);
    if (size != CLOCK_SIZE_1)
        meter_fields(io, c, later, METER_N_FIELDS(later), 1);
}

enum err meter_store_clock(struct meter *m)
{
    uint8_t buf[CLOCK_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    clock_state(&(struct meter_io){.w = &w}, &m->clock, CLOCK_SIZE);
    return meter_store_put(m, METER_KEY_CLOCK, &w);
}

static enum err load_clock(struct meter *m, const struct meter_config *config)
{
    uint8_t buf[CLOCK_SIZE];
    struct rd r;
    m->clock.crystal = config->crystal;
    meter_clock_temperature(&m->clock, config->crystal.turnover_mc);
    enum err err = meter_store_get(m, METER_KEY_CLOCK, buf, sizeof buf, &r);
    if (err == ERR_NOT_FOUND)
        return meter_store_clock(m);
    if (err)
        return err;
    clock_state(&(struct meter_io){.r = &r}, &m->clock, r.len);
    return r.err;
}

#define SECURITY_SIZE (2 + 3 * 16 + METER_PASSWORD_MAX + 1)

enum err meter_store_security(struct meter *m, const struct dlms_keys *keys, uint8_t policy)
{
    uint8_t buf[SECURITY_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, (uint8_t)(keys->has_guek | keys->has_gak << 1 | keys->has_kek << 2));
    wr_u8(&w, policy);
    wr_bytes(&w, keys->guek, 16);
    wr_bytes(&w, keys->gak, 16);
    wr_bytes(&w, keys->kek, 16);
    wr_bytes(&w, m->password, sizeof m->password);
    enum err err = meter_store_put(m, METER_KEY_SECURITY, &w);
    wipe(buf, sizeof buf);
    return err;
}

static enum err load_security(struct meter *m, const struct meter_config *config)
{
    uint8_t buf[SECURITY_SIZE];
    struct rd r;
    enum err err = meter_store_get(m, METER_KEY_SECURITY, buf, sizeof buf, &r);
    if (err == ERR_NOT_FOUND) {
        m->server.keys = config->keys;
        memcpy(m->password, config->password, sizeof m->password);
        return meter_store_security(m, &m->server.keys, m->server.policy);
    }
    if (err)
        return err;
    struct dlms_keys *k = &m->server.keys;
    uint8_t has = rd_u8(&r);
    k->has_guek = (has & 1) != 0;
    k->has_gak = (has & 2) != 0;
    k->has_kek = (has & 4) != 0;
    m->server.policy = rd_u8(&r);
    rd_copy(&r, k->guek, 16);
    rd_copy(&r, k->gak, 16);
    rd_copy(&r, k->kek, 16);
    rd_copy(&r, m->password, sizeof m->password);
    m->password[METER_PASSWORD_MAX] = '\0';
    wipe(buf, sizeof buf);
    return r.err;
}

enum err meter_store_tx(struct meter *m, uint32_t limit)
{
    uint8_t buf[4];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u32(&w, limit);
    return meter_store_put(m, METER_KEY_TX, &w);
}

void meter_put_floors(struct wr *w, const struct meter *m)
{
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        wr_u32(w, m->server.rx_floor[i]);
}

/* Counters only go up: the snapshot may be older or newer than the value under the key. */
void meter_raise_floors(struct rd *r, struct meter *m)
{
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++) {
        uint32_t floor = rd_u32(r);
        if (floor > m->server.rx_floor[i])
            m->server.rx_floor[i] = floor;
    }
}

void meter_raise_tx(struct meter *m, uint32_t limit)
{
    if (limit > m->server.tx.limit)
        m->server.tx.limit = limit;
    m->server.tx.next = m->server.tx.limit;
}

enum err meter_store_rx(struct meter *m, uint32_t ahead)
{
    uint8_t buf[4 * COSEM_CLIENTS_MAX];
    uint32_t floor[COSEM_CLIENTS_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++) {
        const uint32_t now = m->server.rx_floor[i];
        floor[i] = now <= m->stored_floor[i]   ? m->stored_floor[i]
                   : now <= UINT32_MAX - ahead ? now + ahead
                                               : now;
        wr_u32(&w, floor[i]);
    }
    enum err err = meter_store_put(m, METER_KEY_RX, &w);
    if (!err)
        memcpy(m->stored_floor, floor, sizeof floor);
    return err;
}

static enum err load_counters(struct meter *m)
{
    uint8_t buf[4 * COSEM_CLIENTS_MAX];
    struct rd r;
    /* A new meter begins at 1: clients take 0 for "nothing received yet" and refuse it. */
    meter_raise_tx(m, 1);
    enum err err = meter_store_get(m, METER_KEY_TX, buf, 4, &r);
    if (!err)
        meter_raise_tx(m, rd_u32(&r));
    else if (err != ERR_NOT_FOUND)
        return err;
    err = meter_store_get(m, METER_KEY_RX, buf, sizeof buf, &r);
    if (!err)
        meter_raise_floors(&r, m);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err meter_store_load(struct meter *m, const struct meter_config *config)
{
    enum err err = load_clock(m, config);
    if (!err)
        err = load_security(m, config);
    if (!err)
        err = load_counters(m);
    if (!err)
        err = meter_log_load(m);
    return err;
}
