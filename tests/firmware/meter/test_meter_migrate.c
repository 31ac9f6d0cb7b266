/* A flash of the version before, written octet by octet, is taken over: registers, clock, demand,
 * averages, counters, keys, audit trail and the rows of load profile 1; whatever the power does
 * meanwhile. Without arguments a sample of the cuts; with `full` each operation and kind of tear.
 */
#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_migrate.h"
#include "firmware/meter/meter_store.h"
#include "firmware/meter/meter_watch.h"
#include "tests/firmware/meter/old_image.h"
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START     "2026-03-28T21:40:30"
#define LOAD      "synth:phases=3,u=230,i=3"
#define ROWS      130
#define FIRST_ROW 77 /* number of the first one in the ring */
#define OLD_ROW   52
#define TX_LIMIT  7168
#define SNAPSHOTS 75
#define PERIOD    900
#define LAST_ROW  (FIRST_ROW + ROWS - 1)
#define AUDIT_SEQ 1
#define ROW_S(k)  ((uint32_t)(rig_time("2026-03-28T21:30:00") - (int64_t)(LAST_ROW - (k)) * PERIOD))
#define REG_A(k)  (UINT64_C(50000) + 1000u * (k) + (k) % 7)
#define PASSWORD  "the password of before"

static bool full;

/* ---- the image ---- */

static uint64_t unit_of(const struct model_meter *m)
{
    return m->energy_scaler == -1 ? 100000 : 10000; /* 1e-6 Wh */
}

static uint64_t total(const struct model_meter *m, unsigned energy)
{
    const uint64_t of[LEGAL_N_ENERGIES] = {
        REG_A(LAST_ROW) + 400, REG_A(LAST_ROW) / 2, 9000, 80, 700, 6000, REG_A(LAST_ROW) + 900, 5};
    return of[energy] * unit_of(m) + energy * 11;
}

static void put_energies(struct wr *w, const struct model_meter *m, unsigned share)
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        wr_u64(w, total(m, e) / share);
        wr_u32(w, 1000 + e);
    }
}

static void put_legal(struct wr *w, const struct model_meter *m)
{
    put_energies(w, m, 1);
    for (unsigned p = 0; p < m->n_phases; p++)
        put_energies(w, m, 3);
    for (unsigned t = 0; t < m->n_rates; t++)
        for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
            wr_u64(w, t == 1 ? total(m, e) : 0);
    for (unsigned k = 0; k < LEGAL_N_LOSSES && (m->features & MODEL_LOSSES) != 0; k++) {
        wr_u64(w, 333 + k);
        wr_u32(w, k);
    }
    wr_u64(w, 4321);
    wr_u64(w, 1234);
    wr_u32(w, AUDIT_SEQ);
    wr_u8(w, 1); /* rate */
    wr_u8(w, 1); /* sealed */
}

static void put_row(struct wr *w, uint32_t k)
{
    wr_u32(w, k);
    wr_u32(w, ROW_S(k));
    wr_u16(w, 60);
    wr_u8(w, 0);
    wr_u8(w, k % 5 == 0 ? METER_ROW_PDN : 0);
    wr_u64(w, REG_A(k));
    wr_u64(w, REG_A(k) / 2);
    wr_u64(w, 100 + k);
    wr_u64(w, 200 + k);
    wr_u32(w, (uint32_t)(REG_A(k) - REG_A(k - 1)));
    wr_u32(w, (uint32_t)(REG_A(k) / 2 - REG_A(k - 1) / 2));
}

static void put_demand(struct wr *w)
{
    wr_u32(w, PERIOD);
    wr_u64(w, (uint64_t)ROW_S(LAST_ROW));
    wr_u64(w, (uint64_t)ROW_S(LAST_ROW) + PERIOD);
    wr_u64(w, 5000);
    wr_u32(w, 17);
    wr_u64(w, (uint64_t)ROW_S(LAST_ROW));
    wr_u32(w, 43210);
    wr_u64(w, (uint64_t)ROW_S(LAST_ROW - 9));
    wr_u8(w, 0);
    wr_u8(w, 0);
}

static void put_averages(struct wr *w, const struct model_meter *m)
{
    for (unsigned k = 0; k < METER_N_AVERAGES && (m->features & MODEL_AVERAGES) != 0; k++) {
        wr_u64(w, (uint64_t)ROW_S(LAST_ROW) * METER_NS);
        wr_u64(w, (uint64_t)ROW_S(LAST_ROW) + 86400);
        wr_u64(w, 1);
        wr_u64(w, 2);
        wr_u32(w, 3000);
        wr_u64(w, (uint64_t)ROW_S(LAST_ROW));
        wr_u32(w, 550 + k);
        wr_u32(w, 660 + k);
        for (unsigned p = 0; p < m->n_phases; p++) {
            wr_u64(w, 0);
            wr_u64(w, 0);
            wr_u32(w, 230000 + p);
            wr_u32(w, 3000000 + p);
        }
    }
}

/* Of storage format 1, snapshot format 2. */
static size_t snapshot(const struct model_meter *m, bool is_pending, uint8_t out[OLD_RECORD_MAX])
{
    struct wr w = wr_of(out, OLD_RECORD_MAX);
    wr_u8(&w, 2);
    wr_u64(&w, (uint64_t)rig_time(START) * METER_NS);
    wr_u64(&w, 5 * (uint64_t)METER_NS); /* the clock is 5 s ahead of the crystal */
    wr_u8(&w, 0);
    put_legal(&w, m);
    put_demand(&w);
    wr_u32(&w, PERIOD);
    wr_u64(&w, (uint64_t)ROW_S(LAST_ROW) + PERIOD);
    wr_u8(&w, 0);
    wr_u8(&w, is_pending);
    wr_u8(&w, 0);
    put_row(&w, LAST_ROW);
    put_averages(&w, m);
    wr_u32(&w, TX_LIMIT);
    for (unsigned i = 0; i < COSEM_CLIENTS_MAX; i++)
        wr_u32(&w, 100 * i);
    assert_int_equal(w.err, ERR_OK);
    return w.len;
}

static void put_keys(uint8_t *flash, const struct meter *fresh)
{
    struct old_keys keys;
    uint8_t octets[200];
    struct wr w = wr_of(octets, sizeof octets);
    old_keys_begin(&keys, flash);
    old_put(&keys, 0, fresh->model->name, strlen(fresh->model->name));
    wr_u16(&w, 120); /* zone */
    wr_u8(&w, 60);
    wr_u8(&w, 1);
    wr_bytes(&w, fresh->clock.dst_begin, DATETIME_LEN);
    wr_bytes(&w, fresh->clock.dst_end, DATETIME_LEN);
    wr_u64(&w, 0);
    wr_u64(&w, 1);
    wr_u64(&w, 0);
    old_put(&keys, 1, octets, w.len);
    w = wr_of(octets, sizeof octets);
    wr_u8(&w, 7);
    wr_u8(&w, 0);
    for (uint8_t i = 0; i < 48; i++)
        wr_u8(&w, (uint8_t)(i + 3));
    wr_bytes(&w, PASSWORD, sizeof PASSWORD);
    while (w.len < 2 + 48 + METER_PASSWORD_MAX + 1)
        wr_u8(&w, 0);
    old_put(&keys, 2, octets, w.len);
    w = wr_of(octets, sizeof octets);
    wr_u32(&w, TX_LIMIT);
    old_put(&keys, 3, octets, w.len);
    w = wr_of(octets, sizeof octets);
    for (unsigned i = 0; i < COSEM_CLIENTS_MAX; i++)
        wr_u32(&w, 90 * i + 1);
    old_put(&keys, 4, octets, w.len);
    w = wr_of(octets, sizeof octets);
    wr_u8(&w, 1);
    wr_u64(&w, 1); /* newest audit record in it */
    wr_u32(&w, AUDIT_SEQ);
    wr_u8(&w, 1);
    for (unsigned i = 0; i < 4; i++)
        wr_u32(&w, 1);
    old_put(&keys, 5, octets, w.len);
}

/* Rows of the ring, oldest first, the last of them only where it is not pending. */
static void put_rings(uint8_t *flash, const struct model_meter *m, bool is_pending)
{
    uint8_t octets[OLD_RECORD_MAX];
    const uint16_t size = (uint16_t)snapshot(m, is_pending, octets);
    const struct old_ring_image audit = {3, 8, 4, 33}, snapshots = {1, 12, 64, size},
                                rows = {2, 76, 6, OLD_ROW};
    struct meter_audit a = {.utc_s = ROW_S(FIRST_ROW),
                            .legal = {.change = LEGAL_CHANGE_SEALED, .sequence = AUDIT_SEQ}};
    for (uint64_t seq = 1; seq <= SNAPSHOTS; seq++)
        old_append(flash, &snapshots, seq, 0, OLD_DATA, octets);
    meter_audit_encode(&a, octets);
    old_append(flash, &audit, 1, 0, OLD_DATA, octets);
    for (uint32_t k = FIRST_ROW; k <= LAST_ROW - (is_pending ? 1u : 0u); k++) {
        struct wr w = wr_of(octets, OLD_ROW);
        put_row(&w, k);
        old_append(flash, &rows, k - FIRST_ROW + 1, 0, OLD_DATA, octets);
    }
}

/* A meter whose flash is now that of the version before; not started yet. */
static struct rig *old_meter(const struct model_meter *m, bool is_pending)
{
    struct rig *r = rig_new_row(m, START, LOAD);
    memset(r->emu.octets, 0xFF, flash_emu_size(&r->emu));
    put_keys(r->emu.octets, &r->meter);
    put_rings(r->emu.octets, m, is_pending);
    r->counter.next = 300; /* its clients' counters went on, too */
    return r;
}

/* ---- what is checked ---- */

static void check_state(const struct rig *r)
{
    const struct meter *m = &r->meter;
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    for (unsigned k = 0; k < LEGAL_N_ENERGIES; k++) {
        assert_int_equal(e.total[k], total(m->model, k));
        assert_int_equal(e.phase[m->model->n_phases - 1][k], total(m->model, k) / 3);
        assert_int_equal(e.rate[1][k], total(m->model, k));
    }
    if ((m->model->features & MODEL_LOSSES) != 0)
        assert_int_equal(e.loss[LEGAL_N_LOSSES - 1], 333 + LEGAL_N_LOSSES - 1);
    assert_int_equal(meter_rate(m), 1);
    assert_int_equal(m->demand.max_dw, 43210);
    assert_int_equal(m->clock.zone_min, 120);
    assert_int_equal(meter_now_s(m), rig_time(START) + 5);
    if ((m->model->features & MODEL_AVERAGES) != 0)
        assert_int_equal(m->average[METER_MONTH].u_mv[m->model->n_phases - 1],
                         230000u + m->model->n_phases - 1);
    assert_true(m->server.tx.limit >= TX_LIMIT);
    assert_int_equal(m->server.rx_floor[3], 300);
    assert_int_equal(m->server.keys.guek[0], 3);
    assert_string_equal(m->password, PASSWORD);
    assert_int_equal(meter_audit_count(m), 1);
    assert_int_equal(m->fault, ERR_OK);
    assert_int_equal(m->nv.n_corrupt, 0); /* what the old rings held is foreign, not damaged */
}

static void check_rows(const struct rig *r, uint32_t missing)
{
    static struct meter_row rows[ROWS + 50];
    const size_t n = rig_rows(r, rows, ROWS + 50);
    uint32_t k = FIRST_ROW;
    assert_true(n >= ROWS - (missing != 0));
    for (size_t i = 0; k <= LAST_ROW; k++) {
        if (k == missing)
            continue;
        assert_int_equal(rows[i].number, k);
        assert_int_equal(rows[i].utc_s, ROW_S(k));
        assert_int_equal(rows[i].deviation, 60);
        assert_int_equal(rows[i].status, k % 5 == 0 ? METER_ROW_PDN : 0);
        assert_int_equal(rows[i].reg[0], REG_A(k));
        assert_int_equal(rows[i].reg[1], REG_A(k) / 2);
        assert_int_equal(rows[i].interval[0], REG_A(k) - REG_A(k - 1));
        i++;
    }
}

static void live_on(struct rig *r)
{
    static struct meter_row rows[ROWS + 50];
    rig_live(r, 3600);
    assert_int_equal(rig_power_up(r, 30), ERR_OK);
    rig_live(r, 1800);
    assert_int_equal(rig_rows(r, rows, ROWS + 50), ROWS + 6);
    rig_check_rows(r);
}

static const char *const models[] = {"ST402D", "AD13A", "SMARTESOX-P", "SM402D", "MT371"};
#define N_MODELS (sizeof models / sizeof models[0])

static void flash_of_the_version_before_is_taken_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * N_MODELS; i++) {
        struct rig *r = old_meter(model_meter_find(models[i / 2]), i % 2 != 0);
        assert_int_equal(rig_power_up(r, 0), ERR_OK);
        check_state(r);
        check_rows(r, 0);
        assert_int_equal(rig_power_up(r, 0), ERR_OK); /* now by its own layout */
        check_state(r);
        check_rows(r, 0);
        live_on(r);
        rig_free(r);
    }
}

/* Sizes of its flash files. */
static void size_of_the_version_before_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        uint32_t n_sectors;
    } had[] = {{"MT371", 138},       {"SM402D", 242}, {"ST402D", 266}, {"ST402C", 266},
               {"SMARTESOX-P", 266}, {"SM307", 242},  {"AD11A", 182},  {"AD13A", 206}};
    for (size_t i = 0; i < sizeof had / sizeof had[0]; i++) {
        const struct model_meter *m = model_meter_find(had[i].model);
        assert_int_equal(meter_migrate_n_sectors(m), had[i].n_sectors);
        assert_true(meter_n_sectors(m) > had[i].n_sectors);
    }
}

static void damaged_rows_and_snapshots_are_left_out(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("ST402D"), false);
    const struct old_ring_image rows = {2, 76, 6, OLD_ROW};
    uint8_t octets[OLD_RECORD_MAX];
    const struct old_ring_image snapshots = {1, 12, 64,
                                             (uint16_t)snapshot(r->config.model, false, octets)};
    r->emu.octets[old_slot(&rows, 20, 0) + 30] ^= 0x04;
    r->emu.octets[old_slot(&snapshots, SNAPSHOTS, 0) + 90] ^= 0x80;
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    check_state(r);
    check_rows(r, FIRST_ROW + 19);
    rig_free(r);
}

static uint32_t bad_sector;
static enum err (*good_erase)(const struct hal_flash *hal, uint32_t sector);

static enum err erase_but_one(const struct hal_flash *hal, uint32_t sector)
{
    return sector == bad_sector ? ERR_IO : good_erase(hal, sector);
}

/* The flash refuses the sector that the rows would begin in: registers, clock and keys go on, the
 * rows are lost, and the meter says so. */
static void refused_ring_of_rows_costs_the_rows_only(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("ST402D"), false);
    struct rig *good = old_meter(model_meter_find("ST402D"), false);
    static struct meter_row rows[ROWS];
    assert_int_equal(rig_power_up(good, 0), ERR_OK);
    bad_sector = good->meter.rings[METER_RING_PROFILE].first_sector;
    rig_free(good);
    good_erase = r->emu.hal.erase;
    r->emu.hal.erase = erase_but_one;
    for (unsigned start = 0; start < 2; start++) { /* taken over, then by its own layout */
        assert_int_equal(rig_power_up(r, 0), ERR_OK);
        assert_int_equal(r->meter.fault, ERR_IO);
        assert_int_equal(meter_errors(&r->meter) & METER_ERROR_FLASH, METER_ERROR_FLASH);
        assert_int_equal(rig_rows(r, rows, ROWS), 0);
        r->meter.fault = ERR_OK; /* all else is as ever */
        r->meter.nv.n_corrupt = 0;
        check_state(r);
    }
    r->emu.hal.erase = good_erase;
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 3600);
    assert_int_equal(rig_rows(r, rows, ROWS), 4);
    assert_true(rows[0].number > LAST_ROW);
    rig_free(r);
}

static void flash_of_another_model_is_not_touched(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("ST402D"), false);
    r->config.model = model_meter_find("ST402C");
    const uint32_t n = r->emu.n_programs + r->emu.n_erases;
    assert_int_equal(rig_power_up(r, 0), ERR_STATE);
    assert_int_equal(r->emu.n_programs + r->emu.n_erases, n);
    r->config.model = model_meter_find("ST402D");
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_free(r);
}

/* Turns some octets of a value to nonsense, so that the keys are damaged at the next mount. */
static void damage_the_keys(struct rig *r)
{
    static const char mark[] = "a value that is damaged";
    assert_int_equal(nv_put(&r->meter.nv, NV_KEYS_MAX - 1, mark, sizeof mark), ERR_OK);
    for (uint32_t at = 0; at < METER_KV_SECTORS * OLD_SECTOR; at++) {
        if (memcmp(r->emu.octets + at, mark, sizeof mark) == 0)
            memset(r->emu.octets + at, 0, 9);
    }
}

/* Old rings stay until the new ones come to their sectors. */
static void lost_layout_does_not_bring_old_registers_back(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("ST402D"), false);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 7200);
    assert_int_equal(nv_put(&r->meter.nv, METER_KEY_LAYOUT, "", 0), ERR_OK);
    damage_the_keys(r);
    assert_int_equal(rig_power_up(r, 0), ERR_CORRUPT);
    rig_free(r);
    r = old_meter(model_meter_find("ST402D"), false); /* damaged before: nothing is lost by it */
    r->emu.octets[7 * OLD_SECTOR + 100] = 0;
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    check_rows(r, 0);
    rig_free(r);
}

static void sectors_keep_their_wear(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("ST402D"), false);
    const struct old_ring_image rows = {2, 76, 6, OLD_ROW};
    uint32_t n, most = 0;
    old_header(r->emu.octets, &rows, 4, 40000, 1); /* an erased one of the ring */
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 86400);
    for (uint16_t s = 0; s < r->emu.hal.n_sectors; s++) {
        assert_int_equal(nv_wear(&r->meter.nv, s, &n), ERR_OK);
        most = n > most ? n : most;
    }
    assert_true(most >= 40000);
    rig_free(r);
}

/* One image for each operation that the power fails at; then it comes back. */
static void cut_at(const uint8_t *image, struct rig *r, uint32_t op, enum tear tear)
{
    memcpy(r->emu.octets, image, flash_emu_size(&r->emu));
    flash_emu_power(&r->emu, op, tear);
    r->config.time_ns = rig_time(START) * METER_NS;
    meter_end(&r->meter);
    const enum err err = meter_init(&r->meter, &r->config);
    assert_true(err == ERR_OK || r->emu.dead);
    if (op % 3 == 0 && r->emu.dead) { /* and again on the way */
        flash_emu_power(&r->emu, op / 2 + 1, tear);
        meter_end(&r->meter);
        (void)!meter_init(&r->meter, &r->config);
    }
    flash_emu_power(&r->emu, 0, tear);
    meter_end(&r->meter);
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    check_state(r);
    check_rows(r, 0);
}

static void power_may_fail_at_every_operation(void **state)
{
    (void)state;
    struct rig *r = old_meter(model_meter_find("MT371"), true);
    const size_t size = flash_emu_size(&r->emu);
    uint8_t *image = malloc(size);
    assert_non_null(image);
    memcpy(image, r->emu.octets, size);
    flash_emu_power(&r->emu, 0, TEAR_NOTHING);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    const uint32_t n_ops = r->emu.n_ops, step = full ? 1 : 29;
    uint32_t n = 0;
    for (uint32_t op = 1; op <= n_ops; op += step) {
        for (unsigned t = full ? 0 : op % N_TEARS; t < N_TEARS; t += full ? 1 : N_TEARS) {
            cut_at(image, r, op, (enum tear)t);
            n++;
        }
    }
    printf("%u operations, %u cuts\n", (unsigned)n_ops, (unsigned)n);
    live_on(r);
    free(image);
    rig_free(r);
}

/* ---- shorter snapshots ---- */

/* Makes the snapshots' ring one of this version's first days: without what came later. */
static void shorten(struct rig *r, unsigned n_snapshots)
{
    static uint8_t octets[OLD_RECORD_MAX];
    struct meter *m = &r->meter;
    struct nv_ring_layout *ring = &m->rings[METER_RING_SNAPSHOT];
    const uint64_t newest = nv_newest(&m->nv, METER_RING_SNAPSHOT);
    assert_int_equal(nv_read(&m->nv, METER_RING_SNAPSHOT, newest, octets), ERR_OK);
    ring->record_size = (uint16_t)(ring->record_size - METER_SNAPSHOT_LATER);
    assert_int_equal(meter_choices_store(m), ERR_OK);
    const struct old_ring_image image = {1, ring->first_sector, ring->n_sectors, ring->record_size};
    memset(r->emu.octets + ring->first_sector * OLD_SECTOR, 0xFF, ring->n_sectors * OLD_SECTOR);
    for (uint64_t seq = 1; seq <= n_snapshots; seq++)
        old_append(r->emu.octets, &image, seq, 0, OLD_DATA, octets);
}

/* A meter that lived an hour, with such a flash; not started yet. What it was is in *was. */
static struct rig *short_meter(const char *model, struct meter *was)
{
    struct rig *r = rig_new(model, START, LOAD);
    rig_live(r, 3600);
    assert_int_equal(meter_rate_set(&r->meter, 1), ERR_OK);
    assert_int_equal(meter_profiles_null(&r->meter, true), ERR_OK);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    *was = r->meter;
    shorten(r, SNAPSHOTS);
    return r;
}

static void check_same(const struct rig *r, const struct meter *was)
{
    static struct meter_row rows[50];
    const struct meter *m = &r->meter;
    struct legal_energies before, now;
    legal_energies_get(&was->legal, &before);
    legal_energies_get(&m->legal, &now);
    assert_true(now.total[LEGAL_A_IMPORT] > 0);
    assert_memory_equal(before.total, now.total, sizeof now.total);
    assert_memory_equal(before.phase, now.phase, sizeof now.phase);
    assert_memory_equal(before.rate, now.rate, sizeof now.rate);
    assert_int_equal(meter_rate(m), 1);
    assert_true(m->tells_null);
    assert_int_equal(meter_now_s(m), meter_now_s(was));
    assert_memory_equal(&m->demand, &was->demand, sizeof m->demand);
    assert_true(m->server.tx.limit >= was->server.tx.limit);
    assert_int_equal(rig_rows(r, rows, 50), 4);
    assert_true(m->log.next_number > was->log.next_number);
    assert_int_equal(m->fault, ERR_OK);
    assert_int_equal(m->nv.n_corrupt, 0);
    assert_int_equal(m->rings[METER_RING_SNAPSHOT].record_size, meter_snapshot_size(m->model));
}

static void shorter_snapshots_are_taken_over(void **state)
{
    (void)state;
    static struct meter was;
    static struct meter_row rows[50];
    for (size_t i = 0; i < N_MODELS; i++) {
        struct rig *r = short_meter(models[i], &was);
        for (unsigned start = 0; start < 2; start++) {
            assert_int_equal(rig_power_up(r, 0), ERR_OK);
            check_same(r, &was);
        }
        rig_live(r, 3600);
        assert_int_equal(rig_power_up(r, 30), ERR_OK);
        assert_int_equal(rig_rows(r, rows, 50), 8);
        rig_check_rows(r);
        rig_free(r);
    }
}

/* Cut before the first one: a new meter. */
static void no_shorter_snapshot_is_a_first_life(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, LOAD);
    shorten(r, 0);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 3600);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    assert_int_equal(r->meter.nv.n_corrupt, 0);
    rig_free(r);
}

static void shorter_snapshots_outlive_every_cut(void **state)
{
    (void)state;
    static struct meter was;
    struct rig *r = short_meter("MT371", &was);
    const size_t size = flash_emu_size(&r->emu);
    uint8_t *image = malloc(size);
    assert_non_null(image);
    memcpy(image, r->emu.octets, size);
    r->config.time_ns = meter_crystal_ns(&was);
    bool whole = false;
    for (uint32_t op = 1; !whole; op += full ? 1 : 7) {
        memcpy(r->emu.octets, image, size);
        for (unsigned start = 0; start < 3; start++) { /* the third one is not cut */
            flash_emu_power(&r->emu, start < 2 ? op : 0, (enum tear)(op % N_TEARS));
            meter_end(&r->meter);
            const enum err err = meter_init(&r->meter, &r->config);
            whole = start == 0 ? !r->emu.dead : whole;
            assert_true(err == ERR_OK || r->emu.dead);
        }
        check_same(r, &was);
    }
    free(image);
    rig_free(r);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_of_the_version_before_is_taken_over),
        cmocka_unit_test(size_of_the_version_before_is_known),
        cmocka_unit_test(damaged_rows_and_snapshots_are_left_out),
        cmocka_unit_test(refused_ring_of_rows_costs_the_rows_only),
        cmocka_unit_test(flash_of_another_model_is_not_touched),
        cmocka_unit_test(lost_layout_does_not_bring_old_registers_back),
        cmocka_unit_test(sectors_keep_their_wear),
        cmocka_unit_test(power_may_fail_at_every_operation),
        cmocka_unit_test(shorter_snapshots_are_taken_over),
        cmocka_unit_test(no_shorter_snapshot_is_a_first_life),
        cmocka_unit_test(shorter_snapshots_outlive_every_cut),
    };
    return cmocka_run_group_tests_name("meter_migrate", tests, NULL, NULL);
}
