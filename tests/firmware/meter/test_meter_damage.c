/* The flash is damaged in a way that no power cut explains: bits flip anywhere, whole sectors are
 * lost to garbage. The meter lives on: what it then shows is true, an older truth, or missing, and
 * it says that its memory is damaged when something is missing.
 *
 * Without arguments a sample; with `full` every octet of a day's flash with one of its bits, and
 * every sector with each kind of garbage. An octet that neither the start nor the life behind it
 * reads is left out: with it flipped the meter would do the same. Two more numbers: only sectors
 * from the first to the second, to see in seconds again what a message named. */
#include "tests/firmware/meter/day.h"

#include "firmware/meter/meter_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTES   95
#define LATER_S   1800
#define EXTRA_MAX 10
#define OLDER_UWH (DAY_WATT * UINT64_C(1000000) * 2 * 3600 / 3600) /* two hours */
#define FLIPS     60

static bool full;
static uint32_t sector_from, sector_to = UINT32_MAX; /* both included */
static struct day *day;
static struct rig *q; /* the meter with the damaged flash */
static char what[80];

static void complain(const char *text, const char *detail)
{
    fail_msg("%s: %s %s", what, text, detail);
}

/* ---- what it shows ---- */

static void check_energies(void)
{
    const struct day_step *last = &day->steps[day->n_steps - 1];
    struct legal_energies now;
    legal_energies_get(&q->meter.legal, &now);
    for (size_t e = 0; e < LEGAL_N_ENERGIES; e++) {
        if (now.total[e] > last->truth.total[e])
            complain("counts what was not", "");
        if (now.total[e] + OLDER_UWH < last->truth.total[e])
            complain("lost hours", "");
    }
}

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* How many of the first rows of `now` were seen, in this order, from row `from` on. */
static uint32_t seen_from(const struct day_buffer *b, uint32_t from, const struct look *now)
{
    uint32_t i = 0;
    for (; i < now->n; i++, from++) {
        while (from < b->rows.n && !same(look_element(&b->rows, from), look_element(now, i)))
            from++;
        if (from == b->rows.n)
            break;
    }
    return i;
}

/* Rows are those that were there at the end of the day, in their order; gives how many are missing.
 * Behind them at most EXTRA_MAX of the restart itself, for which as many of the oldest may have
 * left. (Or the rows of before the profile was emptied, where the keys lost a sector.) */
static uint32_t check_rows(uint32_t k)
{
    const struct day_buffer *b = &day->buffer[k];
    const struct day_span *span = &day->steps[day->n_steps - 1].span[k];
    struct look now = {0};
    if (day_rows(&q->meter, &b->object, &now) != COSEM_SUCCESS)
        complain("promises rows it has not:", b->object.row->name);
    uint32_t n = seen_from(b, span->from, &now);
    uint32_t extra = now.n - n, missing = span->to - span->from - n;
    if (extra > EXTRA_MAX) {
        missing = span->to - span->from;
        extra = now.n - seen_from(b, 0, &now);
    }
    if (extra > EXTRA_MAX)
        complain("rows that nobody saw:", b->object.row->name);
    look_free(&now);
    return missing > extra ? missing - extra : 0;
}

static void check_parameters(uint32_t *n_other)
{
    uint32_t sums[DAY_CONFIG_MAX];
    uint32_t n = day_config(&q->meter, sums);
    const struct day_step *last = &day->steps[day->n_steps - 1];
    assert_int_equal(n, last->n_config);
    for (uint32_t i = 0; i < n; i++)
        *n_other += sums[i] != last->config[i];
}

/* What is not as it was; and the meter's word for it. */
struct verdict {
    enum err start;
    uint32_t rows_missing, other_parameters;
    bool reported;
};

static struct verdict start(void)
{
    const struct day_step *last = &day->steps[day->n_steps - 1];
    struct verdict v = {.start = ERR_OK};
    q->config.time_ns = last->crystal_ns + METER_NS;
    meter_end(&q->meter);
    memset(&q->meter, 0xA5, sizeof q->meter);
    v.start = meter_init(&q->meter, &q->config);
    if (v.start != ERR_OK)
        return v;
    v.reported = (meter_errors(&q->meter) & METER_ERROR_MEMORY) != 0;
    check_energies();
    if (q->meter.server.tx.next < last->tx_next)
        complain("repeats invocation counters", "");
    for (uint32_t k = 0; k < day->n_buffers; k++)
        v.rows_missing += check_rows(k);
    check_parameters(&v.other_parameters);
    return v;
}

static void live_on(void)
{
    struct legal_energies before, after;
    legal_energies_get(&q->meter.legal, &before);
    rig_live(q, LATER_S);
    legal_energies_get(&q->meter.legal, &after);
    if (after.total[LEGAL_A_IMPORT] <= before.total[LEGAL_A_IMPORT])
        complain("does not count on", "");
    if (q->meter.fault != ERR_OK)
        complain("fault", err_text(q->meter.fault));
}

static void fresh_image(void)
{
    memcpy(q->emu.octets, day->r->emu.octets, flash_emu_size(&q->emu));
    flash_emu_power(&q->emu, 0, TEAR_NOTHING);
}

/* ---- tests ---- */

static unsigned n_silent, n_dead, n_missing;

static void judge(const struct verdict *v)
{
    if (v->start != ERR_OK) {
        print_message("%s: %s\n", what, err_text(v->start));
        n_dead++;
        return;
    }
    n_missing += v->rows_missing > 0 || v->other_parameters > 0;
    if ((v->rows_missing > 0 || v->other_parameters > 0) && !v->reported) {
        print_message("%s: %u rows missing, %u other parameters, not reported\n", what,
                      v->rows_missing, v->other_parameters);
        n_silent++;
    }
}

static void flip(uint32_t addr, unsigned bit)
{
    fresh_image();
    (void)snprintf(what, sizeof what, "sector %u octet %u bit %u", addr / METER_SECTOR_SIZE,
                   addr % METER_SECTOR_SIZE, bit);
    q->emu.octets[addr] = (uint8_t)(q->emu.octets[addr] ^ 1u << bit);
    struct verdict v = start();
    judge(&v);
    if (v.start == ERR_OK && addr % 16 == 0)
        live_on();
}

static uint8_t *is_read; /* each octet of the flash that is read while noted_read() is in place */
static enum err (*true_read)(const struct hal_flash *hal, uint32_t addr, void *to, size_t n);

static enum err noted_read(const struct hal_flash *hal, uint32_t addr, void *to, size_t n)
{
    enum err err = true_read(hal, addr, to, n);
    if (!err)
        memset(is_read + addr, 1, n);
    return err;
}

/* What a meter with a whole flash reads. */
static void note_reads(void)
{
    is_read = calloc(flash_emu_size(&q->emu), 1);
    assert_non_null(is_read);
    fresh_image();
    true_read = q->emu.hal.read;
    q->emu.hal.read = noted_read;
    struct verdict v = start();
    live_on();
    q->emu.hal.read = true_read;
    assert_int_equal(v.start, ERR_OK);
    assert_true(v.rows_missing == 0 && v.other_parameters == 0 && !v.reported);
}

static bool is_chosen(uint32_t sector)
{
    return sector >= sector_from && sector <= sector_to;
}

static void flip_all(uint32_t size)
{
    uint32_t n = 0;
    note_reads();
    for (uint32_t addr = 0; addr < size; addr++) {
        if (is_read[addr] == 0 || !is_chosen(addr / METER_SECTOR_SIZE))
            continue;
        flip(addr, addr % 8);
        n++;
    }
    free(is_read);
    print_message("%u octets of %u\n", n, size);
}

static void flipped_bits_are_never_served(void **state)
{
    (void)state;
    uint32_t size = flash_emu_size(&q->emu);
    uint64_t x = 12345;
    n_dead = n_silent = n_missing = 0;
    if (full) {
        flip_all(size);
    } else {
        for (unsigned i = 0; i < FLIPS; i++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
            flip((uint32_t)(x >> 33) % size, (unsigned)(x >> 29) % 8);
        }
    }
    print_message("flips: %u missing something, %u not reported, %u dead\n", n_missing, n_silent,
                  n_dead);
    assert_int_equal(n_dead, 0);
    assert_int_equal(n_silent, 0);
}

enum garbage { GARBAGE_RANDOM, GARBAGE_ZERO, GARBAGE_BLANK, GARBAGE_COPY, N_GARBAGE };

static void spoil(uint32_t sector, enum garbage kind)
{
    uint8_t *at = q->emu.octets + sector * METER_SECTOR_SIZE;
    uint32_t other = (sector + 1) % q->emu.hal.n_sectors;
    for (uint32_t i = 0; i < METER_SECTOR_SIZE; i++)
        at[i] = kind == GARBAGE_ZERO    ? 0
                : kind == GARBAGE_BLANK ? 0xFF
                : kind == GARBAGE_COPY  ? q->emu.octets[other * METER_SECTOR_SIZE + i]
                                        : (uint8_t)flash_emu_random(&q->emu);
}

static void lost_sectors_are_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"garbage", "zeros", "blank", "a neighbour's copy"};
    n_dead = n_silent = n_missing = 0;
    for (uint32_t s = 0; s < q->emu.hal.n_sectors; s++) {
        for (unsigned kind = 0; kind < N_GARBAGE; kind++) {
            if (!is_chosen(s))
                continue;
            if (!full && (kind != s % N_GARBAGE || (s >= 12 && s % 3 != 0)))
                continue;
            fresh_image();
            (void)snprintf(what, sizeof what, "sector %u: %s", s, names[kind]);
            spoil(s, (enum garbage)kind);
            struct verdict v = start();
            judge(&v);
            if (v.start == ERR_OK && (full || s % 6 == 0))
                live_on();
        }
    }
    print_message("sectors: %u missing something, %u not reported, %u dead\n", n_missing, n_silent,
                  n_dead);
    assert_int_equal(n_dead, 0);
    assert_int_equal(n_silent, 0);
}

static int make_day(void **state)
{
    (void)state;
    day = day_new("AD11A", MINUTES, UINT32_MAX);
    q = rig_new_row(&day->row, "2026-03-28T18:00:00", DAY_LOAD);
    return 0;
}

static int end_day(void **state)
{
    (void)state;
    rig_free(q);
    day_free(day);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bits_are_never_served),
        cmocka_unit_test(lost_sectors_are_survived),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    sector_from = full && argc > 2 ? (uint32_t)atoi(argv[2]) : sector_from;
    sector_to = full && argc > 3 ? (uint32_t)atoi(argv[3]) : sector_to;
    return cmocka_run_group_tests_name("meter_damage", tests, make_day, end_day);
}
