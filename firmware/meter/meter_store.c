/* The meter's flash: layout, and the values under keys. The snapshot ring: meter_snapshot.c; legal
 * parameters and their audit trail: meter_parameter.c.
 *
 * Snapshots go to a ring of their own rather than under a key because they are by far the most
 * frequent write: one a minute for 20 years are 10.5 million records. A sector holds two to four of
 * them, by the size of the model's record, and the ring has as many sectors as keep each below
 * 60 000 erases in that time; parts are good for 100 000. */
#include "firmware/meter/meter_store.h"

#include <string.h>

#define KV_SECTORS         8
#define AUDIT_SECTORS      4 /* of 87 records: two sectors are always full */
#define SNAPSHOTS_20_YEARS 10519200u
#define ERASES_MAX         60000u
#define SNAPSHOT_SECTORS   64 /* at least */
#define SLOT_OVERHEAD      13 /* docs/SPEC-storage.md, rings */
#define RECORD_OVERHEAD    16 /* of the store for one ring record, at most */
#define SECTOR_OVERHEAD    64

/* Records to a sector, docs/SPEC-storage.md: spare slots are left out. */
static uint32_t records_in_sector(uint32_t record_size)
{
    uint32_t slots = (METER_SECTOR_SIZE - SECTOR_OVERHEAD) / (record_size + SLOT_OVERHEAD);
    return slots - (slots >= 8 ? 2 : slots >= 3 ? 1 : 0);
}

static uint16_t snapshot_sectors(const struct model_meter *model)
{
    uint32_t n = records_in_sector((uint32_t)meter_snapshot_size(model)) * ERASES_MAX;
    uint32_t sectors = (SNAPSHOTS_20_YEARS + n - 1) / n;
    return (uint16_t)(sectors > SNAPSHOT_SECTORS ? sectors : SNAPSHOT_SECTORS);
}

static uint16_t profile_sectors(const struct model_meter *model)
{
    uint32_t rows = (METER_SECTOR_SIZE - SECTOR_OVERHEAD) / (METER_ROW_SIZE + RECORD_OVERHEAD);
    /* one sector erased ahead, one partly filled, one just given up */
    return (uint16_t)((model->profile_depth + rows - 1) / rows + 3);
}

/* Two sectors more than the entries fill: one erased ahead, one just given up. */
static uint16_t log_sectors(const struct model_meter *model, unsigned log)
{
    uint32_t n = records_in_sector(METER_LOG_ENTRY_SIZE), depth = model->log_depth[log];
    return (uint16_t)(depth > 0 ? (depth + n - 1) / n + 2 : 0);
}

static uint16_t logs_sectors(const struct model_meter *model)
{
    uint16_t n = 0;
    for (unsigned log = 0; log < MODEL_N_LOGS; log++)
        n = (uint16_t)(n + log_sectors(model, log));
    return n;
}

uint8_t meter_log_ring(const struct model_meter *model, unsigned log)
{
    uint8_t ring = METER_RING_LOGS;
    for (unsigned before = 0; before < log; before++)
        ring = (uint8_t)(ring + (model->log_depth[before] > 0));
    return ring;
}

/* Gives the number of rings with the logs. */
static uint8_t lay_logs(struct meter *m, uint16_t first_sector)
{
    uint8_t ring = METER_RING_LOGS;
    for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
        const uint16_t n = log_sectors(m->model, log);
        if (n == 0)
            continue;
        m->rings[ring++] = (struct nv_ring_layout){
            .first_sector = first_sector, .n_sectors = n, .record_size = METER_LOG_ENTRY_SIZE};
        first_sector = (uint16_t)(first_sector + n);
    }
    return ring;
}

uint32_t meter_n_sectors(const struct model_meter *model)
{
    return KV_SECTORS + AUDIT_SECTORS + (uint32_t)snapshot_sectors(model) + profile_sectors(model) +
           logs_sectors(model);
}

enum err meter_store_mount(struct meter *m, const struct hal_flash *flash)
{
    if (flash->sector_size != METER_SECTOR_SIZE)
        return ERR_RANGE;
    const uint16_t n_snapshot = snapshot_sectors(m->model);
    m->rings[METER_RING_SNAPSHOT] =
        (struct nv_ring_layout){.first_sector = KV_SECTORS + AUDIT_SECTORS,
                                .n_sectors = n_snapshot,
                                .record_size = (uint16_t)meter_snapshot_size(m->model)};
    m->rings[METER_RING_PROFILE] =
        (struct nv_ring_layout){.first_sector = (uint16_t)(KV_SECTORS + AUDIT_SECTORS + n_snapshot),
                                .n_sectors = profile_sectors(m->model),
                                .record_size = METER_ROW_SIZE};
    m->rings[METER_RING_AUDIT] = (struct nv_ring_layout){
        .first_sector = KV_SECTORS, .n_sectors = AUDIT_SECTORS, .record_size = METER_AUDIT_SIZE};
    const struct nv_ring_layout *profile = &m->rings[METER_RING_PROFILE];
    struct nv_config config = {
        .flash = flash,
        .kv_n_sectors = KV_SECTORS,
        .rings = m->rings,
        .n_rings = lay_logs(m, (uint16_t)(profile->first_sector + profile->n_sectors))};
    return nv_mount(&m->nv, &config);
}

/* A value of at most `size` octets, or ERR_NOT_FOUND. */
static enum err get(const struct meter *m, enum meter_key key, void *value, size_t size,
                    size_t *len)
{
    return nv_get(&m->nv, (uint8_t)key, value, size, len);
}

/* "ST402C" or "ST402C class2,60hz". */
static enum err load_model(struct meter *m)
{
    char name[32 + MODEL_ORDER_MAX], stored[sizeof name];
    size_t len, n = strlen(m->model->name), n_order = strlen(m->model->order);
    if (n + 1 + n_order > sizeof name)
        return ERR_RANGE;
    memcpy(name, m->model->name, n);
    if (n_order > 0) {
        name[n++] = ' ';
        memcpy(name + n, m->model->order, n_order);
        n += n_order;
    }
    enum err err = get(m, METER_KEY_MODEL, stored, sizeof stored, &len);
    if (err == ERR_NOT_FOUND)
        return nv_put(&m->nv, METER_KEY_MODEL, name, n);
    if (err)
        return err;
    return len == n && memcmp(name, stored, n) == 0 ? ERR_OK : ERR_STATE;
}

#define CLOCK_SIZE_1 (4 + 2 * DATETIME_LEN + 3 * 8) /* of the version before */
#define CLOCK_SIZE   (CLOCK_SIZE_1 + 2 + 3 * 4)     /* shift limit, crystal */

enum err meter_store_clock(struct meter *m)
{
    uint8_t buf[CLOCK_SIZE];
    struct wr w = wr_of(buf, sizeof buf);
    wr_u16(&w, (uint16_t)m->clock.zone_min);
    wr_u8(&w, (uint8_t)m->clock.dst_min);
    wr_u8(&w, m->clock.dst_on);
    wr_bytes(&w, m->clock.dst_begin, DATETIME_LEN);
    wr_bytes(&w, m->clock.dst_end, DATETIME_LEN);
    wr_u64(&w, (uint64_t)m->clock.preset_s);
    wr_u64(&w, (uint64_t)m->clock.preset_from_s);
    wr_u64(&w, (uint64_t)m->clock.preset_to_s);
    wr_u16(&w, m->clock.shift_s);
    wr_u32(&w, (uint32_t)m->clock.crystal.ppb);
    wr_u32(&w, (uint32_t)m->clock.crystal.ppb_per_k2);
    wr_u32(&w, (uint32_t)m->clock.crystal.turnover_mc);
    return w.err ? w.err : nv_put(&m->nv, METER_KEY_CLOCK, buf, w.len);
}

static enum err load_clock(struct meter *m, const struct meter_config *config)
{
    uint8_t buf[CLOCK_SIZE];
    size_t len;
    m->clock.crystal = config->crystal;
    meter_clock_temperature(&m->clock, config->crystal.turnover_mc);
    enum err err = get(m, METER_KEY_CLOCK, buf, sizeof buf, &len);
    if (err == ERR_NOT_FOUND)
        return meter_store_clock(m);
    if (err)
        return err;
    struct rd r = rd_of(buf, len);
    m->clock.zone_min = (int16_t)rd_u16(&r);
    m->clock.dst_min = (int8_t)rd_u8(&r);
    m->clock.dst_on = rd_u8(&r) != 0;
    rd_copy(&r, m->clock.dst_begin, DATETIME_LEN);
    rd_copy(&r, m->clock.dst_end, DATETIME_LEN);
    m->clock.preset_s = (int64_t)rd_u64(&r);
    m->clock.preset_from_s = (int64_t)rd_u64(&r);
    m->clock.preset_to_s = (int64_t)rd_u64(&r);
    if (len == CLOCK_SIZE_1)
        return r.err;
    m->clock.shift_s = rd_u16(&r);
    m->clock.crystal.ppb = (int32_t)rd_u32(&r);
    m->clock.crystal.ppb_per_k2 = (int32_t)rd_u32(&r);
    m->clock.crystal.turnover_mc = (int32_t)rd_u32(&r);
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
    enum err err = w.err ? w.err : nv_put(&m->nv, METER_KEY_SECURITY, buf, w.len);
    wipe(buf, sizeof buf);
    return err;
}

static enum err load_security(struct meter *m, const struct meter_config *config)
{
    uint8_t buf[SECURITY_SIZE];
    size_t len;
    enum err err = get(m, METER_KEY_SECURITY, buf, sizeof buf, &len);
    if (err == ERR_NOT_FOUND) {
        m->server.keys = config->keys;
        memcpy(m->password, config->password, sizeof m->password);
        return meter_store_security(m, &m->server.keys, m->server.policy);
    }
    if (err)
        return err;
    struct rd r = rd_of(buf, len);
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
    return nv_put(&m->nv, METER_KEY_TX, buf, w.len);
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

enum err meter_store_rx(struct meter *m)
{
    uint8_t buf[4 * COSEM_CLIENTS_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    meter_put_floors(&w, m);
    enum err err = nv_put(&m->nv, METER_KEY_RX, buf, w.len);
    if (!err)
        memcpy(m->stored_floor, m->server.rx_floor, sizeof m->stored_floor);
    return err;
}

static enum err load_counters(struct meter *m)
{
    uint8_t buf[4 * COSEM_CLIENTS_MAX];
    size_t len;
    /* A new meter begins at 1: clients take 0 for "nothing received yet" and refuse it. */
    meter_raise_tx(m, 1);
    enum err err = get(m, METER_KEY_TX, buf, 4, &len);
    if (!err) {
        struct rd r = rd_of(buf, len);
        meter_raise_tx(m, rd_u32(&r));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    err = get(m, METER_KEY_RX, buf, sizeof buf, &len);
    if (!err) {
        struct rd r = rd_of(buf, len);
        meter_raise_floors(&r, m);
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    return ERR_OK;
}

enum err meter_store_load(struct meter *m, const struct meter_config *config)
{
    enum err err = load_model(m);
    if (!err)
        err = load_clock(m, config);
    if (!err)
        err = load_security(m, config);
    if (!err)
        err = load_counters(m);
    if (!err)
        err = meter_log_load(m);
    return err;
}
