/* The store under power cuts, bit flips and garbage: see docs/SPEC-storage.md, "What the tests
 * show".
 *
 * With the argument `full` every cut, tear, double cut and bit is tried; without it a part that
 * runs in seconds. */
#include "tests/powerfail/flash_emu.h"
#include "tests/powerfail/workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool full;

static const struct work_rules strict = {0};

struct world {
    struct flash_emu flash;
    struct nv nv;
    struct work work;
};

struct snapshot {
    uint8_t *octets;
    struct nv nv;
    struct work work;
};

static enum err mount(struct world *w)
{
    if (w->work.re_makes)
        return work_mount(&w->work, &w->nv, &w->flash);
    struct nv_config config = work_config(&w->flash);
    return nv_mount(&w->nv, &config);
}

static void world_open(struct world *w, uint32_t seed, bool re_makes)
{
    flash_emu_init(&w->flash, WORK_SECTOR_SIZE, WORK_N_SECTORS);
    work_init(&w->work, seed);
    w->work.re_makes = re_makes;
    assert_int_equal(mount(w), ERR_OK);
}

static void world_close(struct world *w)
{
    assert_int_equal(w->flash.n_violations, 0);
    flash_emu_free(&w->flash);
}

static void take(struct snapshot *s, const struct world *w)
{
    if (!s->octets)
        s->octets = malloc(flash_emu_size(&w->flash));
    assert_non_null(s->octets);
    memcpy(s->octets, w->flash.octets, flash_emu_size(&w->flash));
    s->nv = w->nv;
    s->work = w->work;
}

static void restore(struct world *w, const struct snapshot *s)
{
    memcpy(w->flash.octets, s->octets, flash_emu_size(&w->flash));
    memset(w->flash.wavers, 0, flash_emu_size(&w->flash));
    w->flash.any_wavers = false;
    w->nv = s->nv;
    w->work = s->work;
    flash_emu_power(&w->flash, 0, TEAR_NOTHING);
}

static void demand(struct world *w, struct work_rules rules, const char *when, uint32_t cut)
{
    const char *wrong = work_check(&w->work, &w->nv, rules);
    if (w->flash.n_violations)
        wrong = "the NOR rules were broken";
    if (wrong)
        fail_msg("%s: step %u, cut %u, tear %d: %s", when, w->work.step - 1, cut,
                 (int)w->flash.tear, wrong);
}

static void must_step(struct world *w, const char *when, uint32_t cut)
{
    enum err err = work_step(&w->work, &w->nv);
    if (err)
        fail_msg("%s: step %u, cut %u, tear %d: %s", when, w->work.step - 1, cut,
                 (int)w->flash.tear, err_text(err));
}

/* A step that may be cut. A number used twice is a failure, cut or not. */
static void try_step(struct world *w)
{
    if (work_step(&w->work, &w->nv) == ERR_STATE)
        fail_msg("step %u: a sequence number came twice", w->work.step - 1);
}

static void mount_whole(struct world *w, const char *when, uint32_t cut)
{
    enum tear tear = w->flash.tear;
    flash_emu_power(&w->flash, 0, tear);
    enum err err = mount(w);
    if (err || w->nv.n_corrupt)
        fail_msg("%s: step %u, cut %u, tear %d: mount says %s, %u corrupt", when, w->work.step - 1,
                 cut, (int)tear, err_text(err), w->nv.n_corrupt);
}

/* Life goes on after a recovery, and is found again. */
static void live_on(struct world *w, uint32_t n_steps, uint32_t cut)
{
    for (uint32_t i = 0; i < n_steps; i++)
        must_step(w, "going on", cut);
    demand(w, strict, "going on", cut);
    mount_whole(w, "mounted again", cut);
    demand(w, strict, "mounted again", cut);
}

/* Cuts the recovery itself at each of its operations. */
static void cut_recovery(struct world *w, const struct snapshot *after_cut, uint32_t cut)
{
    for (uint32_t second = 1;; second++) {
        restore(w, after_cut);
        flash_emu_power(&w->flash, second, (enum tear)(flash_emu_random(&w->flash) % N_TEARS));
        enum err err = mount(w);
        if (!w->flash.dead) {
            assert_int_equal(err, ERR_OK);
            return;
        }
        mount_whole(w, "cut in recovery", cut);
        demand(w, strict, "cut in recovery", cut);
        if (flash_emu_random(&w->flash) % 8 == 0)
            live_on(w, 10, cut);
    }
}

static void cut_step(struct world *w, const struct snapshot *before, uint32_t cut, enum tear tear)
{
    static struct snapshot after_cut;
    restore(w, before);
    flash_emu_power(&w->flash, cut, tear);
    try_step(w);
    assert_true(w->flash.dead);
    take(&after_cut, w);
    mount_whole(w, "after the cut", cut);
    demand(w, strict, "after the cut", cut);
    if (full || flash_emu_random(&w->flash) % 8 == 0)
        live_on(w, full ? 30 : 12, cut);
    if (full || flash_emu_random(&w->flash) % 4 == 0)
        cut_recovery(w, &after_cut, cut);
}

/* Every cut and tear; where the layout changes, without `full`, one in four. */
static void cut_everywhere(uint32_t seed, uint32_t n_steps, bool re_makes, uint32_t *n_cuts)
{
    struct world *w = calloc(1, sizeof *w);
    struct snapshot before = {0}, after = {0};
    world_open(w, seed, re_makes);
    for (uint32_t i = 0; i < n_steps; i++) {
        take(&before, w);
        flash_emu_power(&w->flash, 0, TEAR_NOTHING);
        must_step(w, "uncut", 0);
        uint32_t n_ops = w->flash.n_ops;
        take(&after, w);
        for (uint32_t cut = 1; cut <= n_ops; cut++)
            for (int tear = 0; tear < N_TEARS; tear++) {
                if (!full && re_makes && flash_emu_random(&w->flash) % 4 != 0)
                    continue;
                cut_step(w, &before, cut, (enum tear)tear);
                ++*n_cuts;
            }
        restore(w, &after);
    }
    world_close(w);
    free(before.octets);
    free(after.octets);
    free(w);
}

static void nv_keeps_all_when_cut_at_every_write(void **state)
{
    (void)state;
    uint32_t n_cuts = 0;
    for (uint32_t seed = 1; seed <= (full ? 8 : 1); seed++)
        cut_everywhere(seed, full ? 400 : 200, false, &n_cuts);
    print_message("%u cuts\n", n_cuts);
}

/* Rings are re-made with other records, grow and shrink in several extents, as the key of the
 * layout says: each is the old one with all it held or the new one, empty. */
static void nv_re_makes_rings_when_cut_at_every_write(void **state)
{
    (void)state;
    uint32_t n_cuts = 0;
    for (uint32_t seed = 31; seed <= (full ? 38 : 31); seed++)
        cut_everywhere(seed, full ? 400 : 120, true, &n_cuts);
    print_message("%u cuts\n", n_cuts);
}

static void nv_formats_when_cut_at_every_write(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    for (int tear = 0; tear < N_TEARS; tear++) {
        for (uint32_t cut = 1;; cut++) {
            flash_emu_init(&w->flash, WORK_SECTOR_SIZE, WORK_N_SECTORS);
            work_init(&w->work, cut);
            flash_emu_power(&w->flash, cut, (enum tear)tear);
            enum err err = mount(w);
            bool dead = w->flash.dead;
            mount_whole(w, "formatting", cut);
            demand(w, strict, "formatting", cut);
            live_on(w, 20, cut);
            world_close(w);
            if (!dead) {
                assert_int_equal(err, ERR_OK);
                break;
            }
        }
    }
    free(w);
}

/* Cuts come faster than a ring has spare places: numbers may then be lost, records not. */
static void nv_keeps_all_when_supply_never_settles(void **state)
{
    (void)state;
    const struct work_rules rules = {.holes = true};
    struct world *w = calloc(1, sizeof *w);
    for (uint32_t seed = 100; seed < (full ? 140 : 104); seed++) {
        world_open(w, seed, seed % 2 != 0);
        for (uint32_t round = 0; round < 600; round++) {
            uint32_t cut = 1 + flash_emu_random(&w->flash) % 30;
            flash_emu_power(&w->flash, cut, (enum tear)(flash_emu_random(&w->flash) % N_TEARS));
            enum err err = mount(w);
            while (!w->flash.dead) {
                assert_int_equal(err, ERR_OK);
                try_step(w);
            }
            flash_emu_power(&w->flash, 0, w->flash.tear);
            assert_int_equal(mount(w), ERR_OK);
            demand(w, rules, "unsettled supply", cut);
        }
        world_close(w);
    }
    free(w);
}

/* Numbers go on behind the last one acknowledged, whatever became of it; keys take new values. */
static const char *write_everywhere(struct world *w, const struct snapshot *s)
{
    const uint8_t record[128] = {0};
    for (uint8_t i = 0; i < 3; i++)
        if (nv_put(&w->nv, WORK_KEYS, record, 40))
            return "the log takes no more values";
    if (w->flash.n_violations)
        return "the NOR rules were broken";
    for (uint8_t ring = 0; ring < WORK_RINGS; ring++) {
        if (nv_append(&w->nv, ring, record))
            return "a ring takes no more records";
        if (nv_newest(&w->nv, ring) <= s->work.ring[ring].newest)
            return "a number came twice";
    }
    return NULL;
}

static void flip_and_check(struct world *w, const struct snapshot *s, uint32_t bit)
{
    const struct work_rules rules = {.damaged = true};
    restore(w, s);
    w->flash.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    enum err err = mount(w);
    const char *wrong = err ? err_text(err) : work_check(&w->work, &w->nv, rules);
    if (!wrong)
        wrong = write_everywhere(w, s);
    if (wrong)
        fail_msg("bit %u at octet %u of sector %u, after %u steps: %s", bit % 8,
                 bit / 8 % WORK_SECTOR_SIZE, bit / 8 / WORK_SECTOR_SIZE, w->work.step - 1, wrong);
}

/* One flipped bit anywhere: a right answer or none, never another, and the newest of a key is not
 * replaced by the one before. */
/* What a caller does after an error: a put settles whether the last one was done, a clear that may
 * or may not have been done is repeated. */
static void settle(struct world *w, uint32_t op)
{
    struct work *m = &w->work;
    assert_int_equal(nv_put(&w->nv, WORK_KEYS, &op, sizeof op), ERR_OK);
    if (m->pending == PENDING_CLEAR) {
        assert_int_equal(nv_clear(&w->nv, m->pending_at), ERR_OK);
        m->ring[m->pending_at].cleared = m->ring[m->pending_at].newest;
    }
    demand(w, (struct work_rules){.holes = true}, "after a failure", op);
}

/* An operation fails without a power cut and the store is used on as it stands in memory. */
static void fail_step(struct world *w, const struct snapshot *before, uint32_t op, enum tear tear)
{
    const struct work_rules rules = {.holes = true};
    restore(w, before);
    flash_emu_power(&w->flash, op, tear);
    try_step(w);
    flash_emu_power(&w->flash, 0, tear);
    settle(w, op);
    for (uint32_t i = 0; i < 10; i++)
        must_step(w, "after a failure", op);
    demand(w, rules, "after a failure", op);
    assert_int_equal(mount(w), ERR_OK);
    demand(w, rules, "mounted after a failure", op);
}

static void nv_goes_on_when_an_operation_fails(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct snapshot before = {0}, after = {0};
    world_open(w, 11, false);
    for (uint32_t i = 0; i < 200; i++) {
        take(&before, w);
        flash_emu_power(&w->flash, 0, TEAR_NOTHING);
        must_step(w, "uncut", 0);
        uint32_t n_ops = w->flash.n_ops;
        take(&after, w);
        for (uint32_t op = 1; op <= n_ops; op++)
            for (int tear = 0; tear < N_TEARS; tear++)
                if (full || flash_emu_random(&w->flash) % 4 == 0)
                    fail_step(w, &before, op, (enum tear)tear);
        restore(w, &after);
    }
    world_close(w);
    free(before.octets);
    free(after.octets);
    free(w);
}

/* Cells that were half programmed or half erased read now so, now so. What the first mount made of
 * them holds for every later one. */
static void waver_step(struct world *w, const struct snapshot *before, uint32_t cut)
{
    restore(w, before);
    flash_emu_power(&w->flash, cut, TEAR_WAVERS);
    try_step(w);
    for (uint32_t i = 0; i < 3; i++) {
        mount_whole(w, "wavering", cut);
        demand(w, strict, "wavering", cut);
    }
    live_on(w, 12, cut);
    for (uint32_t i = 0; i < 3; i++) {
        mount_whole(w, "wavering, later", cut);
        demand(w, strict, "wavering, later", cut);
    }
}

static void nv_keeps_to_one_reading_when_cells_waver(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct snapshot before = {0}, after = {0};
    world_open(w, 13, false);
    for (uint32_t i = 0; i < (full ? 400 : 80); i++) {
        take(&before, w);
        flash_emu_power(&w->flash, 0, TEAR_NOTHING);
        must_step(w, "uncut", 0);
        uint32_t n_ops = w->flash.n_ops;
        take(&after, w);
        for (uint32_t cut = 1; cut <= n_ops; cut++)
            for (uint32_t turn = 0; turn < (full ? 16 : 1); turn++)
                waver_step(w, &before, cut);
        restore(w, &after);
    }
    world_close(w);
    free(before.octets);
    free(after.octets);
    free(w);
}

static void flip_bits_of_image(struct world *w, struct snapshot *s)
{
    take(s, w);
    for (uint32_t octet = 0; octet < flash_emu_size(&w->flash); octet++)
        for (uint32_t bit = 0; bit < 8; bit++)
            if (full || flash_emu_random(&w->flash) % 32 == 0)
                flip_and_check(w, s, octet * 8 + bit);
    restore(w, s);
}

static void nv_serves_nothing_wrong_when_a_bit_flips(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct snapshot s = {0};
    world_open(w, 7, false);
    for (uint32_t image = 0; image < (full ? 12 : 3); image++) {
        for (uint32_t i = 0; i < 37; i++)
            must_step(w, "uncut", 0);
        flip_bits_of_image(w, &s);
    }
    for (uint8_t ring = 0; ring < WORK_RINGS; ring++) {
        assert_int_equal(nv_clear(&w->nv, ring), ERR_OK);
        w->work.ring[ring].cleared = w->work.ring[ring].newest;
    }
    flip_bits_of_image(w, &s);
    world_close(w);
    free(s.octets);
    free(w);
}

/* A damaged store is still a store. */
static void use_after_damage(struct world *w, struct work_rules rules, uint32_t sector)
{
    for (uint32_t i = 0; i < 120; i++)
        must_step(w, "damaged", sector);
    demand(w, rules, "damaged", sector);
    assert_int_equal(mount(w), ERR_OK);
    demand(w, rules, "damaged", sector);
}

enum garbage {
    ALL_RANDOM,
    DATA_RANDOM,
    HEAD_RANDOM,
    ALL_BLANK,
    DATA_BLANK,
    ALL_ZERO,
    ANOTHER_SECTOR
};
#define N_GARBAGE 7

static void garbage_fill(struct world *w, uint32_t sector, enum garbage kind)
{
    uint8_t *at = w->flash.octets + (size_t)sector * WORK_SECTOR_SIZE;
    const uint8_t *other =
        w->flash.octets + (size_t)((sector + 1) % WORK_N_SECTORS) * WORK_SECTOR_SIZE;
    uint32_t from = kind == DATA_RANDOM || kind == DATA_BLANK ? 64 : 0;
    uint32_t to = kind == HEAD_RANDOM ? 64 : WORK_SECTOR_SIZE;
    for (uint32_t i = from; i < to; i++)
        at[i] = kind == ALL_BLANK || kind == DATA_BLANK ? 0xFF
                : kind == ALL_ZERO                      ? 0
                : kind == ANOTHER_SECTOR                ? other[i]
                                                        : (uint8_t)flash_emu_random(&w->flash);
}

static uint32_t area_bit(uint32_t sector)
{
    for (uint32_t ring = 0; ring < WORK_RINGS; ring++)
        if (sector - work_rings[ring].first_sector < work_rings[ring].n_sectors)
            return 1u << (ring + 1);
    return 1;
}

/* What is not reported must be whole; what is reported must be the area that was hit. */
static void fill_and_check(struct world *w, uint32_t sector, enum garbage kind)
{
    const struct work_rules rules = {.damaged = true, .stale = true, .holes = true};
    garbage_fill(w, sector, kind);
    enum err err = mount(w);
    if (err == ERR_VERSION && kind == ANOTHER_SECTOR && area_bit(sector) == 1)
        return; /* keys that stand where they do not belong: the layout is taken for another */
    assert_int_equal(err, ERR_OK);
    if (w->nv.n_corrupt == 0)
        demand(w, strict, "garbage that was not reported", sector);
    if (w->nv.damaged & ~area_bit(sector) || (w->nv.damaged == 0) != (w->nv.n_corrupt == 0))
        fail_msg("garbage %d in sector %u: areas %x are said to be damaged", (int)kind, sector,
                 w->nv.damaged);
    demand(w, rules, "garbage", sector);
    use_after_damage(w, rules, sector);
}

static void nv_survives_and_reports_when_a_sector_is_garbage(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    struct snapshot s = {0};
    world_open(w, 9, false);
    for (uint32_t image = 0; image < (full ? 60 : 15); image++) {
        for (uint32_t i = 0; i < 17; i++)
            must_step(w, "uncut", 0);
        take(&s, w);
        for (uint32_t sector = 0; sector < WORK_N_SECTORS; sector++)
            for (uint32_t kind = 0; kind < N_GARBAGE; kind++) {
                if (!full && (image + sector + kind) % N_GARBAGE != 0)
                    continue;
                restore(w, &s);
                fill_and_check(w, sector, (enum garbage)kind);
            }
        restore(w, &s);
    }
    world_close(w);
    free(s.octets);
    free(w);
}

static void nv_survives_when_all_is_garbage(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    flash_emu_init(&w->flash, WORK_SECTOR_SIZE, WORK_N_SECTORS);
    for (uint32_t i = 0; i < flash_emu_size(&w->flash); i++)
        w->flash.octets[i] = (uint8_t)flash_emu_random(&w->flash);
    work_init(&w->work, 1);
    assert_int_equal(mount(w), ERR_OK);
    assert_true(w->nv.n_corrupt > 0);
    live_on(w, 200, 0);
    world_close(w);
    free(w);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nv_keeps_all_when_cut_at_every_write),
        cmocka_unit_test(nv_re_makes_rings_when_cut_at_every_write),
        cmocka_unit_test(nv_formats_when_cut_at_every_write),
        cmocka_unit_test(nv_keeps_all_when_supply_never_settles),
        cmocka_unit_test(nv_goes_on_when_an_operation_fails),
        cmocka_unit_test(nv_keeps_to_one_reading_when_cells_waver),
        cmocka_unit_test(nv_serves_nothing_wrong_when_a_bit_flips),
        cmocka_unit_test(nv_survives_and_reports_when_a_sector_is_garbage),
        cmocka_unit_test(nv_survives_when_all_is_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
