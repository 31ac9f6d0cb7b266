/* How often the sectors of a meter's flash are erased in 20 years: not computed but done. Two days
 * are lived with all that writes (a head-end that reads each quarter of an hour, every kind of
 * event each hour, a parameter written a day), and each call that the meter makes to its store is
 * noted. The same calls are then made on a fresh store, over and over for 20 years, on a flash that
 * counts its erases. Printed are the worst sectors of each area; a part is good for 100 000.
 *
 * The same of hours in which a client asks each second for a register, ciphered, in one association
 * for ever; and of hours in which it rests and then asks for all it can at once.
 *
 * Without arguments a quarter of a year of one model; with the name of a model, or `full`, 20
 * years. */
#include "tests/firmware/meter/rig.h"

#include "model/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ERASES_MAX 100000u
#define DAYS       7305u /* of 20 years */
#define LIVED_DAYS 2
#define CALLS_MAX  40000
#define POLLED_H   3

static uint32_t n_days = DAYS / 80;
static const char *only = "AD11A";

/* ---- the calls of a day ---- */

struct call {
    bool is_put;
    uint8_t id; /* ring, or key */
    uint16_t len;
};
static struct call calls[CALLS_MAX];
static uint32_t n_calls;
static bool noting;

static void note(bool is_put, uint8_t id, size_t len)
{
    if (!noting)
        return;
    assert_true(n_calls < CALLS_MAX);
    calls[n_calls++] = (struct call){is_put, id, (uint16_t)len};
}

/* The linker puts these before the store's functions (--wrap). */
enum err __real_nv_append(struct nv *nv, uint8_t ring, const void *record);
enum err __wrap_nv_append(struct nv *nv, uint8_t ring, const void *record);
enum err __real_nv_put(struct nv *nv, uint8_t key, const void *value, size_t len);
enum err __wrap_nv_put(struct nv *nv, uint8_t key, const void *value, size_t len);

enum err __wrap_nv_append(struct nv *nv, uint8_t ring, const void *record)
{
    note(false, ring, 0);
    return __real_nv_append(nv, ring, record);
}

enum err __wrap_nv_put(struct nv *nv, uint8_t key, const void *value, size_t len)
{
    note(true, key, len);
    return __real_nv_put(nv, key, value, len);
}

/* ---- days that are lived ---- */

static void read_registers(struct rig *r)
{
    struct apdu_attr a = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_true(rig_get(r, &a));
    rig_release(r);
}

static void write_limit(struct rig *r, uint32_t value)
{
    struct apdu_attr a = rig_attr(1, "0-0:96.129.3.255", 2);
    uint8_t v[5];
    struct wr w = wr_of(v, sizeof v);
    axdr_put_u32(&w, value);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &a, (struct bytes){v, w.len}));
    rig_release(r);
}

/* All that can happen, but the clearing of logs, which is an entry, too. */
static void storm(struct rig *r)
{
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        if (e != MODEL_EVENT_LOG_CLEARED && e != MODEL_EVENT_OUTAGES_CLEARED)
            meter_event(&r->meter, (enum model_event)e, meter_now_s(&r->meter));
    }
}

static void live_days(struct rig *r)
{
    n_calls = 0;
    noting = true;
    for (uint32_t quarter = 0; quarter < LIVED_DAYS * 96; quarter++) {
        rig_live(r, 863); /* the row of the quarter before */
        read_registers(r);
        rig_live(r, 37);
        if (quarter % 4 == 0)
            storm(r);
        if (quarter % 96 == 40)
            write_limit(r, 1000 + quarter);
    }
    noting = false;
}

/* ---- 20 years of the same ---- */

struct plain_flash {
    struct hal_flash hal;
    uint8_t *octets;
    uint32_t *erases;
};

static enum err plain_read(const struct hal_flash *hal, uint32_t addr, void *to, size_t n)
{
    const struct plain_flash *f = hal->context;
    memcpy(to, f->octets + addr, n);
    return ERR_OK;
}

static enum err plain_program(const struct hal_flash *hal, uint32_t addr, const void *from,
                              size_t n)
{
    struct plain_flash *f = hal->context;
    memcpy(f->octets + addr, from, n);
    return ERR_OK;
}

static enum err plain_erase(const struct hal_flash *hal, uint32_t sector)
{
    struct plain_flash *f = hal->context;
    memset(f->octets + (size_t)sector * hal->sector_size, 0xFF, hal->sector_size);
    f->erases[sector]++;
    return ERR_OK;
}

static void plain_init(struct plain_flash *f, uint32_t n_sectors)
{
    *f = (struct plain_flash){.hal = {.context = f,
                                      .sector_size = METER_SECTOR_SIZE,
                                      .n_sectors = n_sectors,
                                      .read = plain_read,
                                      .program = plain_program,
                                      .erase = plain_erase}};
    f->octets = malloc((size_t)n_sectors * METER_SECTOR_SIZE);
    f->erases = calloc(n_sectors, sizeof *f->erases);
    assert_non_null(f->octets);
    assert_non_null(f->erases);
    memset(f->octets, 0xFF, (size_t)n_sectors * METER_SECTOR_SIZE);
}

/* Makes each call again, so many times, with octets that differ from time to time. */
static void repeat(struct nv *nv, uint32_t times)
{
    static uint8_t record[4096];
    uint32_t x = 1;
    for (uint32_t k = 0; k < times; k++) {
        for (uint32_t i = 0; i < n_calls; i++) {
            const struct call *c = &calls[i];
            x = x * 1664525u + 1013904223u;
            memcpy(record, &x, sizeof x);
            enum err err = c->is_put ? __real_nv_put(nv, c->id, record, c->len)
                                     : __real_nv_append(nv, c->id, record);
            assert_int_equal(err, ERR_OK);
        }
    }
}

static uint32_t worst_of(const struct plain_flash *f, uint16_t first, uint32_t n)
{
    uint32_t worst = 0;
    for (uint32_t s = first; s < first + n; s++)
        worst = f->erases[s] > worst ? f->erases[s] : worst;
    return worst;
}

static uint32_t n_hours; /* that were lived */

/* A day. */
static uint32_t count_calls(bool is_put, uint8_t id)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_calls; i++)
        n += calls[i].is_put == is_put && (is_put || calls[i].id == id);
    return n * 24 / n_hours;
}

static uint32_t print_area(const char *name, uint32_t sectors, uint32_t a_day, uint32_t erases)
{
    print_message("  %-10s %4u sectors, %5u writes a day: worst sector erased %u times\n", name,
                  sectors, a_day, erases);
    return erases;
}

static uint32_t print_ring(const struct plain_flash *f, const struct nv *nv, uint8_t i)
{
    const struct nv_ring_layout *l = &nv->config.rings[i];
    uint32_t worst = worst_of(f, l->first_sector, l->n_sectors), sectors = l->n_sectors;
    char name[24];
    for (uint8_t k = 0; k < l->n_more; k++) {
        uint32_t more = worst_of(f, l->more[k].first_sector, l->more[k].n_sectors);
        worst = more > worst ? more : worst;
        sectors += l->more[k].n_sectors;
    }
    (void)snprintf(name, sizeof name, "ring %u", i);
    return print_area(name, sectors, count_calls(false, i), worst);
}

/* The header of each sector says how often it was erased; nobody else counts in a real meter. (The
 * last of an area one too many, nv_wear().) */
static void check_counters(const struct plain_flash *f, const struct nv *nv)
{
    for (uint32_t s = 0; s < f->hal.n_sectors; s++) {
        uint32_t n;
        assert_int_equal(nv_wear(nv, (uint16_t)s, &n), ERR_OK);
        assert_in_range(n, f->erases[s], f->erases[s] + 1);
    }
}

/* One answer each second; the first minutes, which spend what had gathered, are not noted. */
static void live_polled(struct rig *r)
{
    struct apdu_attr a = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    n_calls = 0;
    for (uint32_t s = 0; s < 300 + POLLED_H * 3600; s++) {
        noting = s >= 300;
        rig_live(r, 1);
        assert_true(rig_get(r, &a));
    }
    noting = false;
    rig_release(r);
}

/* Rests for an hour, so that each minute has its snapshot and credit gathers, then spends it. */
static void live_in_bursts(struct rig *r)
{
    struct apdu_attr a = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    n_calls = 0;
    for (uint32_t h = 0; h <= POLLED_H; h++) {
        noting = h > 0;
        rig_live(r, 3600 - 100);
        for (uint32_t s = 0; s < 100; s++) {
            rig_live(r, 1);
            assert_true(rig_get(r, &a));
        }
    }
    noting = false;
    rig_release(r);
}

static void wear_out(const struct model_meter *row, void (*live)(struct rig *r), uint32_t hours)
{
    n_hours = hours;
    static struct nv nv;
    struct plain_flash f;
    struct rig *r =
        rig_new_row(row, "2026-06-10T00:00:00",
                    row->n_phases == 1 ? "synth:phases=1,u=230,i=5" : "synth:phases=3,u=230,i=5");
    live(r);
    plain_init(&f, r->emu.hal.n_sectors);
    struct nv_config config = r->meter.nv.config;
    config.flash = &f.hal;
    assert_int_equal(nv_mount(&nv, &config), ERR_OK);
    repeat(&nv, n_days * 24 / hours);
    print_message("%s, %u days of %u writes\n", row->name, n_days, n_calls * 24 / hours);
    uint32_t worst = print_area("keys", config.kv_n_sectors, count_calls(true, 0),
                                worst_of(&f, config.kv_first_sector, config.kv_n_sectors));
    for (uint8_t i = 0; i < config.n_rings; i++) {
        uint32_t n = print_ring(&f, &nv, i);
        worst = n > worst ? n : worst;
    }
    print_message("%s: worst sector erased %u times\n", row->name, worst);
    assert_in_range(worst, 1, (uint64_t)ERASES_MAX * n_days / DAYS);
    check_counters(&f, &nv);
    free(f.octets);
    free(f.erases);
    rig_free(r);
}

static void wear_out_each(void (*live)(struct rig *r), uint32_t hours)
{
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        if (only == NULL || strcmp(only, model_meter_at(i)->name) == 0)
            wear_out(model_meter_at(i), live, hours);
    }
}

static void no_sector_is_worn_out_in_20_years(void **state)
{
    (void)state;
    wear_out_each(live_days, LIVED_DAYS * 24);
}

static void no_client_that_asks_each_second_wears_a_sector_out(void **state)
{
    (void)state;
    wear_out_each(live_polled, POLLED_H);
}

static void no_client_that_gathers_credit_wears_a_sector_out(void **state)
{
    (void)state;
    wear_out_each(live_in_bursts, POLLED_H);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sector_is_worn_out_in_20_years),
        cmocka_unit_test(no_client_that_asks_each_second_wears_a_sector_out),
        cmocka_unit_test(no_client_that_gathers_credit_wears_a_sector_out),
    };
    if (argc > 1) {
        only = strcmp(argv[1], "full") == 0 ? NULL : argv[1];
        n_days = DAYS;
    }
    return cmocka_run_group_tests_name("meter_wear", tests, NULL, NULL);
}
