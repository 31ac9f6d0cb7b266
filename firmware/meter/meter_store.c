/* The meter's flash: layout, parameters under keys, snapshots in a ring.
 *
 * Snapshots go to a ring of their own rather than under a key because they are by far the most
 * frequent write: one a minute for 20 years are 10.5 million records; 64 sectors of 6 records see
 * 28 000 erase cycles each. */
#include "firmware/meter/meter_store.h"

#include <string.h>

#define KV_SECTORS       8
#define SNAPSHOT_SECTORS 64
#define SNAPSHOT_FORMAT  1
#define SNAPSHOT_SIZE    (18 + 400 + 54 + 15 + METER_ROW_SIZE + 4 + 4 * COSEM_CLIENTS_MAX)
#define SNAPSHOT_TRIES   16 /* damaged newest records looked past */
#define RECORD_OVERHEAD  16 /* of the store for one ring record, at most */
#define SECTOR_OVERHEAD  64
/* After damage that no power cut explains the stored limit may be an old one; registers go on from
 * the snapshot, and counters from well above anything it can have missed. */
#define COUNTER_JUMP 0x10000u

static uint16_t profile_sectors(const struct model_meter *model)
{
    uint32_t rows = (METER_SECTOR_SIZE - SECTOR_OVERHEAD) / (METER_ROW_SIZE + RECORD_OVERHEAD);
    /* one sector erased ahead, one partly filled, one just given up */
    return (uint16_t)((model->profile_depth + rows - 1) / rows + 3);
}

uint32_t meter_n_sectors(const struct model_meter *model)
{
    return KV_SECTORS + SNAPSHOT_SECTORS + (uint32_t)profile_sectors(model);
}

enum err meter_store_mount(struct meter *m, const struct hal_flash *flash)
{
    if (flash->sector_size != METER_SECTOR_SIZE)
        return ERR_RANGE;
    m->rings[METER_RING_SNAPSHOT] = (struct nv_ring_layout){
        .first_sector = KV_SECTORS, .n_sectors = SNAPSHOT_SECTORS, .record_size = SNAPSHOT_SIZE};
    m->rings[METER_RING_PROFILE] =
        (struct nv_ring_layout){.first_sector = KV_SECTORS + SNAPSHOT_SECTORS,
                                .n_sectors = profile_sectors(m->model),
                                .record_size = METER_ROW_SIZE};
    struct nv_config config = {
        .flash = flash, .kv_n_sectors = KV_SECTORS, .rings = m->rings, .n_rings = 2};
    return nv_mount(&m->nv, &config);
}

/* A value of at most `size` octets, or ERR_NOT_FOUND. */
static enum err get(const struct meter *m, enum meter_key key, void *value, size_t size,
                    size_t *len)
{
    return nv_get(&m->nv, (uint8_t)key, value, size, len);
}

static enum err load_model(struct meter *m)
{
    char name[32];
    size_t len, want = strlen(m->model->name);
    enum err err = get(m, METER_KEY_MODEL, name, sizeof name, &len);
    if (err == ERR_NOT_FOUND)
        return nv_put(&m->nv, METER_KEY_MODEL, m->model->name, want);
    if (err)
        return err;
    return len == want && memcmp(name, m->model->name, len) == 0 ? ERR_OK : ERR_STATE;
}

#define CLOCK_SIZE (4 + 2 * DATETIME_LEN + 3 * 8)

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
    return w.err ? w.err : nv_put(&m->nv, METER_KEY_CLOCK, buf, w.len);
}

static enum err load_clock(struct meter *m)
{
    uint8_t buf[CLOCK_SIZE];
    size_t len;
    enum err err = get(m, METER_KEY_CLOCK, buf, sizeof buf, &len);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct rd r = rd_of(buf, len);
    m->clock.zone_min = (int16_t)rd_u16(&r);
    m->clock.dst_min = (int8_t)rd_u8(&r);
    m->clock.dst_on = rd_u8(&r) != 0;
    rd_copy(&r, m->clock.dst_begin, DATETIME_LEN);
    rd_copy(&r, m->clock.dst_end, DATETIME_LEN);
    m->clock.preset_s = (int64_t)rd_u64(&r);
    m->clock.preset_from_s = (int64_t)rd_u64(&r);
    m->clock.preset_to_s = (int64_t)rd_u64(&r);
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

static void put_floors(struct wr *w, const struct meter *m)
{
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        wr_u32(w, m->server.rx_floor[i]);
}

/* Counters only go up: the snapshot may be older or newer than the value under the key. */
static void raise_floors(struct rd *r, struct meter *m)
{
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++) {
        uint32_t floor = rd_u32(r);
        if (floor > m->server.rx_floor[i])
            m->server.rx_floor[i] = floor;
    }
}

static void raise_tx(struct meter *m, uint32_t limit)
{
    if (limit > m->server.tx.limit)
        m->server.tx.limit = limit;
    m->server.tx.next = m->server.tx.limit;
}

enum err meter_store_rx(struct meter *m)
{
    uint8_t buf[4 * COSEM_CLIENTS_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    put_floors(&w, m);
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
    raise_tx(m, 1);
    enum err err = get(m, METER_KEY_TX, buf, 4, &len);
    if (!err) {
        struct rd r = rd_of(buf, len);
        raise_tx(m, rd_u32(&r));
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    err = get(m, METER_KEY_RX, buf, sizeof buf, &len);
    if (!err) {
        struct rd r = rd_of(buf, len);
        raise_floors(&r, m);
    } else if (err != ERR_NOT_FOUND) {
        return err;
    }
    return ERR_OK;
}

enum err meter_store_load(struct meter *m, const struct meter_config *config)
{
    enum err err = load_model(m);
    if (!err)
        err = load_clock(m);
    if (!err)
        err = load_security(m, config);
    if (!err)
        err = load_counters(m);
    return err;
}

static void put_energies(struct wr *w, const uint64_t *units, const uint32_t *rests)
{
    for (size_t i = 0; i < LEGAL_N_ENERGIES; i++) {
        wr_u64(w, units[i]);
        wr_u32(w, rests[i]);
    }
}

static void get_energies(struct rd *r, uint64_t *units, uint32_t *rests)
{
    for (size_t i = 0; i < LEGAL_N_ENERGIES; i++) {
        units[i] = rd_u64(r);
        rests[i] = rd_u32(r);
    }
}

static void put_legal(struct wr *w, const struct legal_snapshot *s)
{
    put_energies(w, s->energy.total, s->total_rest);
    for (size_t p = 0; p < LEGAL_N_PHASES; p++)
        put_energies(w, s->energy.phase[p], s->phase_rest[p]);
    wr_u64(w, s->pulses_active);
    wr_u64(w, s->pulses_reactive);
}

static void get_legal(struct rd *r, struct legal_snapshot *s)
{
    get_energies(r, s->energy.total, s->total_rest);
    for (size_t p = 0; p < LEGAL_N_PHASES; p++)
        get_energies(r, s->energy.phase[p], s->phase_rest[p]);
    s->pulses_active = rd_u64(r);
    s->pulses_reactive = rd_u64(r);
}

static void put_demand(struct wr *w, const struct meter_demand *d)
{
    wr_u32(w, d->period_s);
    wr_u64(w, (uint64_t)d->start_s);
    wr_u64(w, (uint64_t)d->due_s);
    wr_u64(w, d->start_uwh);
    wr_u32(w, d->last_dw);
    wr_u64(w, (uint64_t)d->last_s);
    wr_u32(w, d->max_dw);
    wr_u64(w, (uint64_t)d->max_s);
    wr_u8(w, d->last_doubt);
    wr_u8(w, d->max_doubt);
}

static void get_demand(struct rd *r, struct meter_demand *d)
{
    d->period_s = rd_u32(r);
    d->start_s = (int64_t)rd_u64(r);
    d->due_s = (int64_t)rd_u64(r);
    d->start_uwh = rd_u64(r);
    d->last_dw = rd_u32(r);
    d->last_s = (int64_t)rd_u64(r);
    d->max_dw = rd_u32(r);
    d->max_s = (int64_t)rd_u64(r);
    d->last_doubt = rd_u8(r);
    d->max_doubt = rd_u8(r);
}

static void put_profile(struct wr *w, const struct meter_profile *p)
{
    uint8_t row[METER_ROW_SIZE];
    meter_row_encode(&p->last, row);
    wr_u32(w, p->period_s);
    wr_u64(w, (uint64_t)p->due_s);
    wr_u8(w, p->marks);
    wr_u8(w, p->pending);
    wr_u8(w, p->clearing);
    wr_bytes(w, row, sizeof row);
}

static void get_profile(struct rd *r, struct meter_profile *p)
{
    uint8_t row[METER_ROW_SIZE];
    p->period_s = rd_u32(r);
    p->due_s = (int64_t)rd_u64(r);
    p->marks = rd_u8(r);
    p->pending = rd_u8(r) != 0;
    p->clearing = rd_u8(r) != 0;
    rd_copy(r, row, sizeof row);
    meter_row_decode(row, &p->last);
}

enum err meter_store_snapshot(struct meter *m)
{
    uint8_t buf[SNAPSHOT_SIZE];
    struct legal_snapshot legal;
    legal_snapshot_get(&m->legal, &legal);
    struct wr w = wr_of(buf, sizeof buf);
    wr_u8(&w, SNAPSHOT_FORMAT);
    wr_u64(&w, (uint64_t)m->clock.base_ns);
    wr_u64(&w, (uint64_t)m->clock.offset_ns);
    wr_u8(&w, m->clock.doubt);
    put_legal(&w, &legal);
    put_demand(&w, &m->demand);
    put_profile(&w, &m->profile);
    wr_u32(&w, m->server.tx.limit);
    put_floors(&w, m);
    if (w.err || w.len != SNAPSHOT_SIZE)
        return ERR_RANGE;
    enum err err = nv_append(&m->nv, METER_RING_SNAPSHOT, buf);
    if (!err)
        m->stored = legal.energy;
    return err;
}

/* The newest snapshot that is whole; damage is looked past, since an older one is still true. */
static enum err read_newest(const struct meter *m, uint8_t buf[SNAPSHOT_SIZE])
{
    uint64_t newest = nv_newest(&m->nv, METER_RING_SNAPSHOT);
    enum err err = ERR_NOT_FOUND;
    for (uint64_t i = 0; i < SNAPSHOT_TRIES && i < nv_count(&m->nv, METER_RING_SNAPSHOT); i++) {
        err = nv_read(&m->nv, METER_RING_SNAPSHOT, newest - i, buf);
        if (err != ERR_CORRUPT)
            return err;
    }
    return err;
}

static enum err restore(struct meter *m)
{
    uint8_t buf[SNAPSHOT_SIZE];
    enum err err = read_newest(m, buf);
    if (err)
        return err;
    struct rd r = rd_of(buf, sizeof buf);
    if (rd_u8(&r) != SNAPSHOT_FORMAT)
        return ERR_VERSION;
    struct legal_snapshot legal = {0};
    m->clock.base_ns = (int64_t)rd_u64(&r);
    m->clock.offset_ns = (int64_t)rd_u64(&r);
    m->clock.doubt = rd_u8(&r);
    get_legal(&r, &legal);
    get_demand(&r, &m->demand);
    get_profile(&r, &m->profile);
    raise_tx(m, rd_u32(&r));
    raise_floors(&r, m);
    if (r.err)
        return r.err;
    m->stored = legal.energy;
    return legal_snapshot_set(&m->legal, &legal);
}

enum err meter_store_restore(struct meter *m)
{
    enum err err = restore(m);
    if (m->nv.n_corrupt > 0 && m->server.tx.limit <= UINT32_MAX - COUNTER_JUMP)
        raise_tx(m, m->server.tx.limit + COUNTER_JUMP);
    return err;
}
