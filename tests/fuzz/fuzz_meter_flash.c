/* Fuzz target of the meter's memory: a flash that a real meter filled, changed in any way, is
 * started with, lived with, read whole, and started with again.
 *
 * The input is orders: octets anywhere, sectors lost or copied, and records and values with the
 * check sums they need, so that what the meter makes of them is tried and not the check sums. A
 * meter that starts goes on counting: registers never go back, each attribute answers, time goes
 * on. One that does not start says why. The meter has one phase and short rings. */
#include "firmware/meter/meter.h"
#include "firmware/meter/meter_store.h"
#include "tests/fuzz/fuzz_flash.h"

#include <stdlib.h>
#include <string.h>

#define ORDERS    12u
#define ITEMS_MAX 100000u                          /* of an attribute */
#define START_NS  (INT64_C(1781085600) * METER_NS) /* 2026-06-10T10:00 UTC */
#define LSB       UINT64_C(50000000000)

static enum err no_random(const struct hal_rng *rng, void *to, size_t n)
{
    (void)rng;
    memset(to, 0x5A, n);
    return ERR_OK;
}

static const struct hal_rng rng = {.fill = no_random};

/* ---- a meter ---- */

struct bench {
    struct model_meter model;
    struct fuzz_flash device;
    struct meter_config config;
    struct meter meter;
    uint8_t *image;                               /* what the first life left */
    struct nv_ring_layout rings[METER_RINGS_MAX]; /* where */
};

static void small_model(struct model_meter *row)
{
    *row = *model_meter_find("AD11A");
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (row->profile[p].n_values > 0)
            row->profile[p].depth = 40;
    }
    for (unsigned k = 0; k < MODEL_N_LOGS; k++) {
        if (row->log_depth[k] > 0)
            row->log_depth[k] = 10;
    }
}

static void live(struct meter *m, unsigned seconds)
{
    struct legal_window w = {.n_q16 = (uint64_t)seconds * 1000u << 16,
                             .rate_uhz = UINT64_C(1000000000),
                             .frequency_uhz = 50000000,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    const int64_t n = (int64_t)seconds * 1000;
    w.phase[0] = (struct legal_window_phase){
        .uu = n * 4600 * 4600, .ii = n * 100 * 100, .ui = n * 4600 * 80};
    CHECK(meter_window(m, &w) == ERR_OK);
}

/* Columns of load profile 1 that are chosen; the rest is a life as any. */
static void choose_columns(struct meter *m)
{
    static const uint8_t columns[] = {1, 2,   2,  4, 18, 0, 8,   9,  6, 0,  0, 1, 0,
                                      0, 255, 15, 2, 18, 0, 0,   2,  4, 18, 0, 3, 9,
                                      6, 1,   0,  1, 8,  0, 255, 15, 2, 18, 0, 0};
    struct rd r = rd_of(columns, sizeof columns);
    CHECK(meter_profile_capture_set(m, MODEL_LP1, COSEM_MANAGER, &r) == COSEM_SUCCESS);
}

static void first_life(struct bench *b)
{
    struct meter *m = &b->meter;
    CHECK(meter_init(m, &b->config) == ERR_OK);
    choose_columns(m);
    CHECK(meter_log_filter_set(m, MODEL_LOG_STANDARD, (struct bytes){(const uint8_t *)"\x03", 1}) ==
          ERR_OK);
    for (unsigned hour = 0; hour < 30; hour++) {
        for (unsigned minute = 0; minute < 60; minute++)
            live(m, 60);
        if (hour == 20)
            CHECK(meter_clock_change(m, START_NS) == ERR_OK);
    }
    CHECK(meter_profile_period(m, MODEL_LP1, 60) == ERR_OK);
    CHECK(meter_power_fail(m) == ERR_OK);
    b->config.time_ns = meter_crystal_ns(m);
    meter_end(m);
}

static struct bench *new_bench(void)
{
    struct bench *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    small_model(&b->model);
    const uint32_t n = meter_n_sectors(&b->model);
    const size_t size = (size_t)n * METER_SECTOR_SIZE;
    uint8_t *octets = malloc(size);
    b->image = malloc(size);
    CHECK(octets != NULL && b->image != NULL);
    fuzz_flash_init(&b->device, octets, n, METER_SECTOR_SIZE);
    b->config = (struct meter_config){.model = &b->model,
                                      .serial = "0123456789",
                                      .flash = &b->device.hal,
                                      .rng = &rng,
                                      .time_ns = START_NS,
                                      .u_lsb_fv = LSB,
                                      .i_lsb_fa = LSB};
    first_life(b);
    memcpy(b->image, b->device.octet, size);
    memcpy(b->rings, b->meter.rings, sizeof b->rings);
    return b;
}

/* ---- the orders ---- */

static uint32_t flash_size(const struct bench *b)
{
    return b->device.hal.n_sectors * METER_SECTOR_SIZE;
}

static void order_octets(struct bench *b, struct rd *r)
{
    const uint32_t addr = ((uint32_t)rd_u8(r) << 16 | rd_u16(r)) % flash_size(b);
    const struct bytes octets = rd_bytes(r, rd_u8(r));
    if (!r->err && octets.len <= flash_size(b) - addr)
        memcpy(b->device.octet + addr, octets.p, octets.len);
}

static void order_sectors(struct bench *b, struct rd *r)
{
    const uint32_t n = b->device.hal.n_sectors, to = rd_u16(r) % n, count = rd_u8(r);
    const uint8_t how = rd_u8(r);
    for (uint32_t s = to; s < n && s - to <= count; s++) {
        uint8_t *at = b->device.octet + (size_t)s * METER_SECTOR_SIZE;
        if (how < 0xF0)
            memset(at, how < 0x80 ? 0xFF : how, METER_SECTOR_SIZE);
        else
            memmove(at, b->image + (s * 7u + how) % n * METER_SECTOR_SIZE, METER_SECTOR_SIZE);
    }
}

/* Octets of what is there are written over, from `at` on; the whole length may be another. */
static size_t change(struct rd *r, uint8_t *value, size_t len, size_t max)
{
    for (uint8_t n = rd_u8(r) % 8; n > 0 && !r->err; n--) {
        const size_t at = rd_u16(r) % max;
        const struct bytes octets = rd_bytes(r, rd_u8(r) % 16);
        for (size_t i = 0; i < octets.len && at + i < max; i++)
            value[at + i] = octets.p[i];
    }
    if (rd_u8(r) % 8 == 0)
        len = rd_u16(r) % (max + 1);
    return len;
}

/* A value under a key, with its check sums. */
static void order_key(struct bench *b, struct rd *r)
{
    static const uint8_t keys[] = {METER_KEY_MODEL,   METER_KEY_CLOCK,      METER_KEY_SECURITY,
                                   METER_KEY_TX,      METER_KEY_RX,         METER_KEY_PARAMETERS,
                                   METER_KEY_LIMITS,  METER_KEY_LAYOUT,     METER_KEY_LOGS,
                                   METER_KEY_COLUMNS, METER_KEY_COLUMNS + 1};
    static struct nv nv;
    const struct nv_config config = {.flash = &b->device.hal, .kv_n_sectors = METER_KV_SECTORS};
    const uint8_t which = rd_u8(r), key = keys[which % sizeof keys];
    uint8_t value[NV_VALUE_MAX] = {0};
    size_t len = 0;
    if (nv_mount(&nv, &config) != ERR_OK)
        return;
    if (nv_get(&nv, key, value, sizeof value, &len) != ERR_OK)
        len = 0;
    len = change(r, value, len, sizeof value);
    const enum err err = nv_put(&nv, key, value, which >= 0xF0 ? 0 : len);
    CHECK(err != ERR_RANGE);
}

/* A record of a ring as the first life laid it. */
static void order_record(struct bench *b, struct rd *r)
{
    static struct nv nv;
    const struct nv_config config = {.flash = &b->device.hal,
                                     .kv_n_sectors = METER_KV_SECTORS,
                                     .rings = b->rings,
                                     .n_rings = meter_n_rings(&b->model)};
    const uint8_t which = rd_u8(r);
    const uint8_t ring = (uint8_t)(which < 0x80 ? 0 : which % meter_n_rings(&b->model));
    uint8_t record[METER_SECTOR_SIZE] = {0};
    if (nv_mount(&nv, &config) != ERR_OK)
        return;
    const uint64_t newest = nv_newest(&nv, ring);
    if (nv_read(&nv, ring, newest, record) != ERR_OK)
        memset(record, which, sizeof record);
    (void)change(r, record, 0, b->rings[ring].record_size);
    const enum err err = nv_append(&nv, ring, record);
    CHECK(err != ERR_RANGE);
}

static void order(struct bench *b, struct rd *r)
{
    switch (rd_u8(r) % 5) {
    case 0:
        order_octets(b, r);
        break;
    case 1:
        order_sectors(b, r);
        break;
    case 2:
        order_record(b, r);
        break;
    default:
        order_key(b, r);
    }
}

/* ---- the properties ---- */

/* Those of lib/cosem answer for a session. */
static bool is_ours(const struct cosem_ref *o)
{
    return o->row->kind->class_id != 15 && o->row->kind->class_id != 17 &&
           o->row->kind->class_id != 64 && o->row->kind->binding != &cosem_binding_counter;
}

static void read_attribute(struct meter *m, const struct cosem_ref *o, uint8_t id)
{
    static uint8_t item[COSEM_ITEM_MAX];
    const struct cosem_call call = {.context = m, .role = COSEM_MANAGER, .device = &m->device};
    const struct cosem_select whole = {0};
    struct cosem_gen g = {.more = true};
    for (; g.more; g.item++) {
        struct wr w = wr_of(item, sizeof item);
        if (o->row->kind->binding->get(&call, o, id, &whole, &g, &w) != COSEM_SUCCESS)
            break;
        CHECK(w.err == ERR_OK && g.item < ITEMS_MAX);
    }
}

static void read_all(struct meter *m)
{
    struct cosem_ref o;
    for (uint32_t at = 0; cosem_next(&m->device, &at, &o);) {
        const struct cosem_class *ic =
            cosem_class_find(o.row->kind->class_id, o.row->kind->version);
        for (uint8_t id = 2; is_ours(&o) && id <= ic->n_attrs; id++)
            read_attribute(m, &o, id);
    }
}

static bool start(struct bench *b)
{
    memset(&b->meter, 0xA5, sizeof b->meter);
    return meter_init(&b->meter, &b->config) == ERR_OK;
}

/* True: the flash took all. */
static bool use(struct bench *b, struct legal_energies *after)
{
    struct meter *m = &b->meter;
    struct legal_energies before;
    const int64_t crystal_ns = meter_crystal_ns(m);
    legal_energies_get(&m->legal, &before);
    for (unsigned k = 0; k < 13; k++)
        live(m, 5);
    read_all(m);
    legal_energies_get(&m->legal, after);
    CHECK(after->total[LEGAL_A_IMPORT] >= before.total[LEGAL_A_IMPORT]);
    CHECK(meter_crystal_ns(m) >= crystal_ns);
    return meter_power_fail(m) == ERR_OK && !b->device.dead;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b; /* the first life is the same for all inputs */
    struct legal_energies told, now;
    struct rd r = rd_of(data, size);
    if (b == NULL)
        b = new_bench();
    struct meter_config config = b->config;
    memcpy(b->device.octet, b->image, flash_size(b));
    b->device.left = 0;
    b->device.dead = false;
    const uint8_t how = rd_u8(&r);
    for (uint32_t i = 0; i < ORDERS && !r.err && r.pos < size; i++)
        order(b, &r);
    b->config.crystal_lost = (how & 1) != 0;
    b->config.frozen = (how & 2) != 0;
    b->config.time_ns += (int64_t)(how >> 4) * 40000 * METER_NS;
    b->device.left = (how & 4) != 0 ? 1 + rd_u8(&r) : 0;
    if (start(b) && use(b, &told)) {
        b->config.time_ns = meter_crystal_ns(&b->meter);
        meter_end(&b->meter);
        CHECK(start(b));
        legal_energies_get(&b->meter.legal, &now);
        CHECK(now.total[LEGAL_A_IMPORT] == told.total[LEGAL_A_IMPORT]);
        live(&b->meter, 5);
    }
    meter_end(&b->meter);
    b->config = config;
    return 0;
}
