/* The power is cut at every flash operation of a scripted day (day.h), and again while the meter
 * recovers. From each image the meter must start and
 *  - count no energy that was not there, lose none that a client or a warning made safe, and at
 *    most a minute of the rest;
 *  - have every row of every profile and log that was there before the operation, in order, none
 *    twice, none torn, as many cells as columns, and energies of intervals that are the differences
 *    of the registers;
 *  - have each parameter as before or as after the step that was cut, and the clock too;
 *  - give no invocation counter a second time, and accept no old one;
 * then it lives an hour more, and all of this is looked at again.
 *
 * Without arguments a sample: operations of minutes in which something happens more often than
 * those of the others. With `full` and the number of a kind of tear all of them. Two more numbers:
 * only operations from the first to the second, to see in seconds again what a message named. */
#include "tests/firmware/meter/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_KINDS     (N_TEARS + 1) /* of tears, with those whose bits waver */
#define HOUR_S      3600
#define EXTRA_MAX   8 /* rows and entries that a start may add to one buffer */
#define LOSS_UWH    (DAY_WATT * UINT64_C(1000000) * 61 / 3600)
#define COLUMNS_MAX 40

static bool full;
static enum tear only; /* with full */
static uint32_t n_minutes = 110, step_act = 23, step_idle = 223, again_every = 3;
static uint32_t op_from, op_to = UINT32_MAX - 1; /* both included */

struct cut {
    const struct day *d;
    uint32_t op;
    enum tear tear;
    const struct day_step *before, *after; /* the step that was cut */
    struct rig *q;                         /* the meter that recovers */
    bool again;
};

static void complain(const struct cut *c, const char *what)
{
    fail_msg("cut at operation %u (tear %d%s), step %u \"%s\": %s", c->op, (int)c->tear,
             c->again ? ", and again" : "", (unsigned)(c->after - c->d->steps), c->after->act,
             what);
}

#define CHECK(c, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            complain(c, #condition);                                                               \
    } while (0)

/* ---- energies, counters, parameters, time ---- */

static void check_energies(const struct cut *c)
{
    struct legal_energies now;
    legal_energies_get(&c->q->meter.legal, &now);
    for (size_t e = 0; e < LEGAL_N_ENERGIES; e++) {
        CHECK(c, now.total[e] >= c->before->told.total[e]);
        CHECK(c, now.total[e] <= c->after->truth.total[e]);
        for (size_t p = 0; p < LEGAL_N_PHASES; p++) {
            CHECK(c, now.phase[p][e] >= c->before->told.phase[p][e]);
            CHECK(c, now.phase[p][e] <= c->after->truth.phase[p][e]);
        }
    }
    CHECK(c, now.total[LEGAL_A_IMPORT] <= c->d->import_uwh[c->op]);
    CHECK(c, now.total[LEGAL_A_IMPORT] + LOSS_UWH >= c->d->import_uwh[c->op]);
}

static void check_counters(const struct cut *c)
{
    CHECK(c, c->q->meter.server.tx.next >= c->before->tx_next);
    for (size_t i = 0; i < COSEM_CLIENTS_MAX; i++)
        CHECK(c, c->q->meter.server.rx_floor[i] >= c->before->floor[i]);
}

static void check_parameters(const struct cut *c)
{
    uint32_t sums[DAY_CONFIG_MAX];
    uint32_t n = day_config(&c->q->meter, sums);
    CHECK(c, n == c->before->n_config && n == c->after->n_config);
    for (uint32_t i = 0; i < n; i++)
        CHECK(c, sums[i] == c->before->config[i] || sums[i] == c->after->config[i]);
}

/* The clock against the crystal, s. */
static int64_t offset_s(int64_t utc_s, int64_t crystal_ns)
{
    return utc_s - crystal_ns / METER_NS;
}

static void check_time(const struct cut *c)
{
    int64_t is = offset_s(meter_now_s(&c->q->meter), meter_crystal_ns(&c->q->meter));
    int64_t old = offset_s(c->before->utc_s, c->before->crystal_ns);
    int64_t new = offset_s(c->after->utc_s, c->after->crystal_ns);
    CHECK(c, (is >= old - 1 && is <= old + 1) || (is >= new - 1 && is <= new + 1));
}

/* ---- rows ---- */

static bool same(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* The same row; cells that the newer one could not know any more are null-data. */
static bool same_but_null(struct bytes is, struct bytes truth)
{
    struct rd a = rd_of(is.p, is.len), b = rd_of(truth.p, truth.len);
    if (rd_u8(&a) != AXDR_STRUCT || rd_u8(&b) != AXDR_STRUCT || rd_length(&a) != rd_length(&b))
        return false;
    while (rd_left(&a) > 0 && rd_left(&b) > 0 && !a.err && !b.err) {
        size_t from_a = a.pos, from_b = b.pos;
        bool null = axdr_peek(&a) == AXDR_NULL;
        axdr_skip(&a);
        axdr_skip(&b);
        if (!null && !same((struct bytes){is.p + from_a, a.pos - from_a},
                           (struct bytes){truth.p + from_b, b.pos - from_b}))
            return false;
    }
    return !a.err && !b.err && rd_left(&a) == 0 && rd_left(&b) == 0;
}

/* How many of the rows seen are what `now` begins with, from row `i` on; those from `sure` on may
 * lack cells. */
static uint32_t match(const struct look *seen, uint32_t i, uint32_t to, uint32_t sure,
                      const struct look *now)
{
    uint32_t m = 0;
    for (; i + m < to && m < now->n; m++) {
        struct bytes is = look_element(now, m), truth = look_element(seen, i + m);
        if (!same(is, truth) && !(i + m >= sure && same_but_null(is, truth)))
            break;
    }
    return m;
}

static void check_not_twice(const struct cut *c, const struct look *now, uint32_t from)
{
    for (uint32_t k = from; k < now->n; k++) {
        for (uint32_t i = 0; i < k; i++)
            CHECK(c, !same(look_element(now, i), look_element(now, k)));
    }
}

/* Gives how many rows are the meter's own of after the cut; UINT32_MAX: not explained by a buffer
 * that showed the rows `was`, and then perhaps `is`. Rows of `was` are all there, but for the
 * oldest, of which as many may have left as others came, or as `is` does not show any more. */
static uint32_t extras(const struct look *seen, struct day_span was, struct day_span is,
                       const struct look *now)
{
    for (uint32_t i = was.from; i <= was.to; i++) {
        uint32_t m = match(seen, i, is.to, was.to, now);
        uint32_t extra = now->n - m, leave = is.to - was.to;
        if (is.from > was.from + leave)
            leave = is.from - was.from;
        if (i + m >= was.to && extra <= EXTRA_MAX && i - was.from <= leave + extra)
            return extra;
    }
    return UINT32_MAX;
}

/* ---- a row's cells ---- */

struct columns {
    uint32_t n;
    uint32_t reg, interval; /* place of 1.8.0 and of 1.29.0 */
};

static struct columns columns_of(struct meter *m, const struct cosem_ref *o)
{
    static const uint8_t reg[6] = {1, 0, 1, 8, 0, 255}, interval[6] = {1, 0, 1, 29, 0, 255};
    struct look l = {0};
    struct columns c = {.reg = UINT32_MAX, .interval = UINT32_MAX};
    assert_int_equal(look_attr(m, o, 3, true, &l), COSEM_SUCCESS);
    for (c.n = 0; c.n < l.n; c.n++) {
        struct bytes b = look_element(&l, c.n);
        struct rd r = rd_of(b.p, b.len);
        struct profile_column column;
        profile_get_column(&r, &column);
        if (memcmp(column.ln, reg, sizeof reg) == 0 && column.attribute == 2)
            c.reg = c.n;
        if (memcmp(column.ln, interval, sizeof interval) == 0 && column.attribute == 2)
            c.interval = c.n;
    }
    look_free(&l);
    return c;
}

/* Cell k; false: null-data. */
static bool cell(const struct cut *c, struct bytes row, uint32_t n, uint32_t k, uint64_t *value)
{
    struct rd r = rd_of(row.p, row.len);
    axdr_get_struct(&r, n);
    for (uint32_t i = 0; i < k; i++)
        axdr_skip(&r);
    bool is_null = axdr_peek(&r) == AXDR_NULL;
    *value = is_null ? 0 : axdr_get_uint(&r);
    CHECK(c, r.err == ERR_OK); /* as many cells as columns, of the columns' types */
    return !is_null;
}

static void check_sums(const struct cut *c, const struct cosem_ref *o, const struct look *now)
{
    struct columns at = columns_of(&c->q->meter, o);
    uint64_t before = 0;
    bool has_before = false;
    for (uint32_t i = 0; i < now->n; i++) {
        uint64_t reg = 0, interval = 0;
        struct bytes row = look_element(now, i);
        CHECK(c, row.len >= 2 && row.p[0] == AXDR_STRUCT && row.p[1] == at.n);
        if (at.reg == UINT32_MAX)
            continue;
        bool has = cell(c, row, at.n, at.reg, &reg);
        if (has && has_before)
            CHECK(c, reg >= before);
        if (has && has_before && at.interval != UINT32_MAX &&
            cell(c, row, at.n, at.interval, &interval))
            CHECK(c, interval == reg - before);
        before = reg;
        has_before = has;
    }
    if (has_before)
        CHECK(c, before <= look_uint(&c->q->meter, 3, "1-0:1.8.0.255", 2));
}

static void rows_of(const struct cut *c, uint32_t k, struct look *out)
{
    const struct cosem_ref *o = &c->d->buffer[k].object;
    enum cosem_result result = day_rows(&c->q->meter, o, out);
    if (result)
        print_message("%s: %s\n", o->row->name, cosem_result_text(result));
    CHECK(c, result == COSEM_SUCCESS);
}

static void check_buffer(const struct cut *c, uint32_t k)
{
    const struct day_buffer *b = &c->d->buffer[k];
    const struct day_span *was = &c->before->span[k], *is = &c->after->span[k];
    struct look now = {0};
    rows_of(c, k, &now);
    uint32_t n = extras(&b->rows, *was, *is, &now);
    if (n == UINT32_MAX && is->from >= was->to) /* emptied in this step */
        n = extras(&b->rows, (struct day_span){is->from, is->from}, *is, &now);
    if (n == UINT32_MAX)
        print_message("%s: %u rows, %u..%u and ..%u before\n", b->object.row->name, now.n,
                      was->from, was->to, is->to);
    CHECK(c, n != UINT32_MAX);
    check_not_twice(c, &now, now.n - n);
    check_sums(c, &b->object, &now);
    look_free(&now);
}

/* ---- the hour after ---- */

struct later { /* what was there before it */
    struct look rows[DAY_BUFFERS_MAX];
};

static void keep(const struct cut *c, struct later *l)
{
    for (uint32_t k = 0; k < c->d->n_buffers; k++)
        rows_of(c, k, &l->rows[k]);
}

static void check_later(const struct cut *c, struct later *l)
{
    for (uint32_t k = 0; k < c->d->n_buffers; k++) {
        struct look now = {0}, *was = &l->rows[k];
        rows_of(c, k, &now);
        uint32_t i = 0;
        while (i < was->n && match(was, i, was->n, was->n, &now) < was->n - i)
            i++;
        CHECK(c, was->n == 0 || i < was->n || now.n >= was->n);
        check_sums(c, &c->d->buffer[k].object, &now);
        look_free(&now);
        look_free(was);
    }
}

static void live_an_hour(const struct cut *c)
{
    struct later l = {0};
    struct legal_energies before, after;
    uint32_t sums[2][DAY_CONFIG_MAX];
    keep(c, &l);
    uint32_t n = day_config(&c->q->meter, sums[0]);
    legal_energies_get(&c->q->meter.legal, &before);
    rig_live(c->q, HOUR_S);
    legal_energies_get(&c->q->meter.legal, &after);
    CHECK(c, after.total[LEGAL_A_IMPORT] > before.total[LEGAL_A_IMPORT]);
    CHECK(c, day_config(&c->q->meter, sums[1]) == n);
    CHECK(c, memcmp(sums[0], sums[1], n * sizeof sums[0][0]) == 0);
    CHECK(c, c->q->meter.fault == ERR_OK);
    check_later(c, &l);
}

/* ---- cuts ---- */

static void start(const struct cut *c, enum err want)
{
    meter_end(&c->q->meter);
    memset(&c->q->meter, 0xA5, sizeof c->q->meter);
    enum err err = meter_init(&c->q->meter, &c->q->config);
    if (want == ERR_OK && err != ERR_OK)
        complain(c, "does not start");
}

/* Cut again at one of the operations of the recovery, which a first try counts. */
static void cut_recovery(const struct cut *c, uint8_t *image)
{
    struct flash_emu *e = &c->q->emu;
    memcpy(image, e->octets, flash_emu_size(e));
    flash_emu_power(e, 0, TEAR_NOTHING);
    start(c, ERR_OK);
    uint32_t n = e->n_ops;
    if (n == 0)
        return;
    memcpy(e->octets, image, flash_emu_size(e));
    flash_emu_power(e, 1 + c->op % n, (enum tear)((c->op / 3) % N_TEARS));
    start(c, ERR_IO);
    flash_emu_power(e, 0, TEAR_NOTHING);
    c->q->config.time_ns += 3 * METER_NS; /* two starts are two events */
}

static void cut_at(struct cut *c, const struct flash_emu *now, uint8_t *spare)
{
    struct flash_emu *e = &c->q->emu;
    memcpy(e->octets, now->octets, flash_emu_size(e));
    if (e->any_wavers)
        memset(e->wavers, 0, flash_emu_size(e));
    e->any_wavers = false;
    e->random = (c->op + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15); /* repeats alone */
    journal_do_torn(&c->d->journal, c->op, c->tear, e);
    c->q->config.time_ns = c->after->crystal_ns + (c->op % 3 == 0 ? 2000 : 1) * METER_NS;
    c->again = c->op % again_every == 0 && c->tear != TEAR_WAVERS;
    if (c->again)
        cut_recovery(c, spare);
    start(c, ERR_OK);
    meter_log_flush(&c->q->meter); /* as before any answer */
    CHECK(c, meter_sync(&c->q->meter) == ERR_OK);
    check_energies(c);
    check_counters(c);
    check_parameters(c);
    check_time(c);
    for (uint32_t k = 0; k < c->d->n_buffers; k++)
        check_buffer(c, k);
    live_an_hour(c);
}

static bool sampled(const struct day_step *s, uint32_t op)
{
    if (op < op_from || op > op_to)
        return false;
    return full || op % (s->act[0] != '\0' ? step_act : step_idle) == 0;
}

static void meter_keeps_all_it_must_when_cut_at_any_write(void **state)
{
    (void)state;
    struct day *d = day_new("AD11A", n_minutes, op_to + 1);
    struct cut c = {.d = d, .q = rig_new_row(&d->row, "2026-03-28T18:00:00", DAY_LOAD)};
    struct flash_emu now;
    uint32_t n_cuts = 0;
    uint8_t *spare = malloc(flash_emu_size(&c.q->emu));
    assert_non_null(spare);
    flash_emu_init(&now, METER_SECTOR_SIZE, meter_n_sectors(&d->row));
    memcpy(now.octets, d->journal.start, flash_emu_size(&now));
    uint32_t s = 0;
    for (c.op = 0; c.op < d->journal.n_ops; c.op++) {
        while (d->steps[s].n_ops <= c.op)
            s++;
        c.after = &d->steps[s];
        c.before = &d->steps[s > 0 ? s - 1 : 0];
        if (s > 0 && sampled(c.after, c.op)) {
            c.tear = full ? only : (enum tear)(n_cuts % N_KINDS);
            cut_at(&c, &now, spare);
            n_cuts++;
        }
        journal_do(&d->journal, c.op, &now);
    }
    print_message("%u operations, %u cuts\n", d->journal.n_ops, n_cuts);
    assert_true(n_cuts > 100 || op_to < d->journal.n_ops);
    assert_memory_equal(now.octets, d->r->emu.octets, flash_emu_size(&now));
    flash_emu_free(&now);
    free(spare);
    rig_free(c.q);
    day_free(d);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_keeps_all_it_must_when_cut_at_any_write),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0) {
        full = true;
        only = (enum tear)(argc > 2 ? atoi(argv[2]) % N_KINDS : TEAR_SOME);
        n_minutes = DAY_MINUTES;
        op_from = argc > 3 ? (uint32_t)atoi(argv[3]) : op_from;
        op_to = argc > 4 ? (uint32_t)atoi(argv[4]) : op_to;
    }
    return cmocka_run_group_tests_name("meter_day_cuts", tests, NULL, NULL);
}
