/* The reader against our own meter in the same process: the eight models, every kind of
 * association, small PDUs, ranges of time over a jumping clock, broken lines, wrong secrets. What
 * it brings is compared with what another client is told and with the rows in the meter's flash. */
#include "tests/firmware/meter/rig.h"
#include "tests/headend/collect/reading.h"

#include "lib/cosem/units.h"
#include "model/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-01-10T00:00:00"
#define LOAD3 "synth:phases=3,u=230,i=7.3,pf=0.83"
#define LOAD1 "synth:phases=1,u=230,i=7.3,pf=0.83"
#define ALL   (READER_IDENTIFY | READER_REGISTERS | READER_PROFILES)
#define NEVER SIZE_MAX

struct line { /* a meter, a reader and the wire between them */
    struct rig *rig;
    struct cosem_session session;
    struct dlms_counter counter;
    struct dlms_keys keys; /* the reader's */
    size_t octets, cut_at; /* the line breaks after so many octets of both directions */
    struct reading x;
};

static struct line *line_new(const char *model, const char *load, int64_t seconds)
{
    struct line *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->rig = rig_new(model, START, load);
    l->keys = l->rig->config.keys;
    l->counter.limit = UINT32_MAX;
    l->cut_at = NEVER;
    rig_live(l->rig, seconds);
    return l;
}

static void line_free(struct line *l)
{
    session_close(&l->session);
    cosem_client_end(&l->x.reader.client);
    rig_free(l->rig);
    free(l);
}

static struct cosem_client_config config_of(struct line *l, uint16_t sap, uint16_t max_pdu)
{
    struct cosem_client_config c = {.client_sap = sap,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_NONE,
                                    .max_pdu = max_pdu,
                                    .timeout_ms = 1000,
                                    .title = "TSTREAD",
                                    .keys = &l->keys,
                                    .counter = &l->counter,
                                    .password = l->rig->config.password,
                                    .rng = &l->rig->rng};
    if (sap == METER_SAP_READER)
        c.mechanism = DLMS_MECHANISM_LLS;
    if (sap == METER_SAP_MANAGER || sap == METER_SAP_READER_HLS) {
        c.mechanism = DLMS_MECHANISM_HLS5;
        c.security = DLMS_SC_AUTH | DLMS_SC_ENC;
    }
    return c;
}

/* As many of n octets as the line still carries. */
static size_t carry(struct line *l, size_t n)
{
    const size_t left = l->cut_at - l->octets;
    n = n < left ? n : left;
    l->octets += n;
    return n;
}

/* Until nobody has anything to say, or the line is cut. */
static void run(struct line *l)
{
    uint8_t buf[4096];
    size_t n, moved = 1;
    while (moved > 0 && l->octets < l->cut_at) {
        moved = 0;
        while ((n = reader_take(&l->x.reader, buf, sizeof buf)) > 0) {
            moved += n;
            n = carry(l, n);
            assert_int_equal(session_feed(&l->session, buf, n), n);
        }
        while ((n = session_take(&l->session, buf, sizeof buf)) > 0) {
            moved += n;
            (void)reader_feed(&l->x.reader, l->x.now_ms, buf, carry(l, n));
        }
    }
    if (l->octets == l->cut_at)
        reader_lost(&l->x.reader);
}

/* A reading on a new line; its association stays open. */
static void read_with(struct line *l, uint8_t want)
{
    reader_lost(&l->x.reader);
    session_close(&l->session);
    session_init(&l->session, &l->rig->meter.server);
    l->octets = 0;
    reading_begin(&l->x, want);
    run(l);
}

static void expect_ready(const struct line *l)
{
    if (l->x.reader.state != READER_READY)
        fail_msg("%s", l->x.reader.failure);
    assert_string_equal(l->x.reader.failure, "");
}

static void release(struct line *l)
{
    assert_int_equal(reader_release(&l->x.reader, l->x.now_ms), ERR_OK);
    run(l);
    assert_int_equal(l->x.reader.state, READER_DONE);
}

/* Of the profiles load profile 1 only. */
static void begin(struct line *l, const struct cosem_client_config *k)
{
    reading_init(&l->x, k);
    l->x.plan.profiles = 1;
}

/* The value that another client is told. */
static int64_t told(struct rig *r, const struct reader_register *reg)
{
    struct apdu_attr a = {.class_id = reg->class_id, .id = reg->attribute};
    memcpy(a.ln, reg->ln, sizeof a.ln);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    const int64_t v = axdr_get_int(&rd);
    assert_int_equal(rd.err, ERR_OK);
    return v;
}

static void expect_scaler(struct rig *r, const struct reader_register *reg)
{
    struct apdu_attr a = {.class_id = reg->class_id, .id = reg->class_id == 5 ? 4 : 3};
    memcpy(a.ln, reg->ln, sizeof a.ln);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    axdr_get_struct(&rd, 2);
    assert_int_equal(axdr_get_int(&rd), reg->scaler);
    assert_int_equal(axdr_get_int(&rd), reg->unit);
    assert_int_equal(rd.err, ERR_OK);
}

static void expect_registers(const struct line *l)
{
    const struct reading *x = &l->x;
    uint32_t at = 0;
    unsigned n = 0;
    struct cosem_ref o;
    while (cosem_next(&l->rig->meter.device, &at, &o))
        n += o.row->kind->class_id >= 3 && o.row->kind->class_id <= 5;
    assert_int_equal(x->objects.n_registers, n);
    assert_int_equal(x->n_values, n);
    assert_int_equal(x->objects.registers_left_out, 0);
    assert_true(rig_connect(l->rig, METER_SAP_READER));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(x->result[i], COSEM_SUCCESS);
        assert_int_equal(x->value[i], told(l->rig, &x->objects.reg[i]));
        expect_scaler(l->rig, &x->objects.reg[i]);
    }
    rig_release(l->rig);
}

/* Rows `first` and on of the flash, all of them. */
static void expect_rows(const struct line *l, size_t first)
{
    static struct meter_row row[READING_ROWS_MAX];
    const struct reading *x = &l->x;
    const size_t n = rig_rows(l->rig, row, READING_ROWS_MAX);
    assert_int_equal(x->n_ends, 1);
    assert_int_equal(x->end[0], COSEM_SUCCESS);
    assert_int_equal(x->end_rows[0], n - first);
    assert_int_equal(x->n_rows, n - first);
    assert_int_equal(x->reader.rows_done, n - first);
    assert_int_equal(x->reader.rows_expected, n - first);
    for (size_t i = first; i < n; i++) {
        const struct profile_row *p = &x->row[i - first];
        assert_int_equal(p->stamp_s, row[i].utc_s);
        assert_int_equal(p->deviation_min, -row[i].deviation);
        assert_int_equal(p->clock_status, row[i].clock_status);
        assert_int_equal(p->status, row[i].status);
        for (size_t k = 0; k < METER_ROW_REGISTERS && k + METER_ROW_INTERVALS < 6; k++)
            assert_int_equal(p->value[k], row[i].reg[k]);
    }
}

static void expect_columns(const struct line *l)
{
    const struct reader_objects *o = &l->x.objects;
    const struct reader_profile *p = &o->profile[0];
    static const uint8_t ln[] = {1, 0, 99, 1, 0, 255};
    unsigned n = 0;
    for (unsigned k = MODEL_LP1; k <= MODEL_LP4; k++)
        n += l->rig->config.model->profile[k].n_values > 0;
    assert_int_equal(o->n_profiles, n);
    assert_memory_equal(p->ln, ln, 6);
    assert_int_equal(p->period_s, 900);
    assert_int_equal(p->n_captured, p->n_columns);
    assert_int_equal(p->n_columns, METER_N_COLUMNS);
    assert_null(reader_profile_problem(p));
    for (size_t i = 0; i < p->n_columns; i++) {
        const struct reader_column *c = &p->column[i];
        const uint8_t role = i == METER_COLUMN_CLOCK    ? PROFILE_ROWS_CLOCK
                             : i == METER_COLUMN_STATUS ? PROFILE_ROWS_STATUS
                                                        : PROFILE_ROWS_VALUE;
        assert_int_equal(c->role, role);
        assert_int_equal(c->attribute, 2);
        if (role != PROFILE_ROWS_VALUE)
            assert_int_equal(c->unit, COSEM_UNIT_NONE);
    }
    assert_int_equal(p->column[METER_COLUMN_A_IMPORT].unit, COSEM_UNIT_WH);
}

static void reader_reads_everything_of_each_model(void **state)
{
    (void)state;
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        const struct model_meter *m = model_meter_at(i);
        struct line *l = line_new(m->name, m->n_phases == 3 ? LOAD3 : LOAD1, 2 * 3600 + 100);
        const struct cosem_client_config k = config_of(l, METER_SAP_READER, 0);
        begin(l, &k);
        read_with(l, ALL);
        expect_ready(l);
        assert_int_equal(l->x.n_identified, 1);
        assert_string_equal(l->x.objects.device_name, l->rig->meter.device_name);
        assert_string_equal(l->x.objects.serial, "0123456789");
        assert_int_equal(l->x.n_clock, 1);
        assert_int_equal(l->x.clock_s, rig_time(START) + 2 * 3600 + 100);
        assert_int_equal(l->x.deviation_min, 60);
        assert_true(l->x.clock_valid);
        assert_int_equal(l->x.asked_now_s, l->x.clock_s);
        expect_columns(l);
        expect_registers(l);
        expect_rows(l, 0);
        assert_true(l->x.n_rows >= 8);
        release(l);
        begin(l, &k);
        l->x.plan.profiles = 0;
        read_with(l, ALL);
        expect_ready(l);
        assert_int_equal(l->x.n_ends, l->x.objects.n_profiles);
        for (size_t p = 0; p < l->x.objects.n_profiles; p++)
            assert_int_equal(l->x.end[p], COSEM_SUCCESS);
        release(l);
        line_free(l);
    }
}

static void reader_brings_the_same_through_every_association_and_pdu(void **state)
{
    (void)state;
    static const uint16_t sap[] = {METER_SAP_READER, METER_SAP_READER_HLS, METER_SAP_MANAGER};
    static const uint16_t pdu[] = {64, 200, 0};
    struct line *l = line_new("ST402D", LOAD3, 3 * 3600);
    for (size_t i = 0; i < 9; i++) {
        /* the answer to an HLS association has more than 64 octets */
        const uint16_t size = i > 0 && i % 3 == 0 ? 128 : pdu[i % 3];
        const struct cosem_client_config k = config_of(l, sap[i / 3], size);
        begin(l, &k);
        read_with(l, ALL);
        expect_ready(l);
        release(l);
        expect_columns(l);
        expect_registers(l);
        expect_rows(l, 0);
    }
    line_free(l);
}

static void reader_finds_what_a_stranger_may_see(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 10);
    const struct cosem_client_config k = config_of(l, METER_SAP_PUBLIC, 0);
    begin(l, &k);
    read_with(l, ALL);
    expect_ready(l);
    assert_string_equal(l->x.objects.serial, "0123456789");
    assert_int_equal(l->x.objects.n_registers, 0);
    assert_int_equal(l->x.objects.n_profiles, 0);
    assert_int_equal(l->x.n_clock, 1);
    line_free(l);
}

static void reader_goes_on_in_the_open_association(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 3600);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER_HLS, 0);
    begin(l, &k);
    read_with(l, ALL);
    expect_ready(l);
    const uint32_t used = l->counter.next;
    const size_t octets = l->octets;
    rig_live(l->rig, 900);
    reading_begin(&l->x, READER_REGISTERS);
    run(l);
    expect_ready(l);
    assert_int_equal(l->x.n_identified, 0);
    assert_int_equal(l->x.n_ends, 0);
    assert_true(l->octets - octets < octets / 4);
    assert_true(l->counter.next > used);
    expect_registers(l);
    /* registers of a known meter: association, clock, lists */
    reading_begin(&l->x, READER_PROFILES);
    l->x.from_s = rig_time("2026-01-10T01:15:00");
    run(l);
    expect_ready(l);
    assert_int_equal(l->x.n_values, 0);
    expect_rows(l, 4);
    release(l);
    line_free(l);
}

static void reader_fails_when_meter_forgot_the_association(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 10);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER, 0);
    begin(l, &k);
    read_with(l, ALL);
    expect_ready(l);
    session_close(&l->session);
    session_init(&l->session, &l->rig->meter.server);
    reading_begin(&l->x, READER_REGISTERS);
    run(l);
    assert_int_equal(l->x.reader.state, READER_FAILED);
    assert_non_null(strstr(l->x.reader.failure, "asked for the clock"));
    assert_int_equal(l->x.n_values, 0); /* and not each refused */
    assert_false(l->x.reader.security_failure);
    read_with(l, READER_REGISTERS);
    expect_ready(l);
    line_free(l);
}

static void reader_reads_from_the_stamp_it_is_told(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 4 * 3600);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER, 128);
    static const char *const from[] = {"2026-01-10T00:15:00", "2026-01-10T02:00:00",
                                       "2026-01-10T02:00:02", "2026-01-10T04:00:00",
                                       "2026-01-10T04:15:00"};
    static const size_t first[] = {0, 7, 8, 15, 16};
    begin(l, &k);
    for (size_t i = 0; i < 5; i++) {
        l->x.from_s = rig_time(from[i]);
        read_with(l, READER_PROFILES);
        expect_ready(l);
        expect_rows(l, first[i]);
    }
    line_free(l);
}

static void reader_keeps_rows_ahead_when_clock_was_set_back(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 6 * 3600);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER, 0);
    assert_int_equal(meter_clock_change(&l->rig->meter, rig_time("2026-01-08T02:00:00") * METER_NS),
                     ERR_OK);
    rig_live(l->rig, 2 * 3600);
    begin(l, &k);
    l->x.from_s = rig_time("2026-01-08T00:00:00");
    read_with(l, READER_PROFILES);
    expect_ready(l);
    assert_true(l->x.clock_s < rig_time("2026-01-08T04:00:01"));
    expect_rows(l, 0);
    assert_true(l->x.n_rows >= 32); /* two days ahead of the clock and the doubled hours */
    line_free(l);
}

static void reader_fails_and_recovers_when_line_breaks_anywhere(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 3600);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER_HLS, 128);
    unsigned n_cuts = 0;
    begin(l, &k);
    read_with(l, ALL);
    expect_ready(l);
    read_with(l, READER_REGISTERS | READER_PROFILES);
    const size_t total = l->octets;
    const size_t n_values = l->x.n_values;
    for (size_t cut = 1; cut < total; cut += cut < 300 || cut + 100 > total ? 1 : 37) {
        l->cut_at = cut;
        read_with(l, READER_REGISTERS | READER_PROFILES);
        assert_int_equal(l->x.reader.state, READER_FAILED);
        assert_non_null(strstr(l->x.reader.failure, "closed"));
        assert_false(l->x.reader.security_failure);
        assert_true(l->x.n_values <= n_values);
        for (size_t i = 0; i < l->x.n_values; i++)
            assert_int_equal(l->x.result[i], COSEM_SUCCESS);
        assert_int_equal(reader_take(&l->x.reader, (uint8_t[8]){0}, 8), 0);
        l->cut_at = NEVER;
        if (n_cuts++ % 16 == 0) {
            read_with(l, READER_REGISTERS | READER_PROFILES);
            expect_ready(l);
            expect_rows(l, 0);
        }
    }
    assert_true(n_cuts > 300);
    line_free(l);
}

static void reader_knows_the_objects_only_when_identification_ended(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 1000);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER, 0);
    begin(l, &k);
    read_with(l, READER_IDENTIFY);
    expect_ready(l);
    const size_t total = l->octets;
    for (size_t cut = 150; cut < total; cut += 61) {
        l->cut_at = cut;
        read_with(l, READER_IDENTIFY);
        assert_int_equal(l->x.objects.known, l->x.n_identified == 1);
    }
    l->cut_at = NEVER;
    l->x.objects.known = false;
    read_with(l, READER_REGISTERS); /* identification is added */
    expect_ready(l);
    assert_int_equal(l->x.n_identified, 1);
    expect_registers(l);
    line_free(l);
}

static void expect_security_failure(struct line *l, const char *part)
{
    read_with(l, READER_REGISTERS);
    assert_int_equal(l->x.reader.state, READER_FAILED);
    assert_true(l->x.reader.security_failure);
    if (strstr(l->x.reader.failure, part) == NULL)
        fail_msg("'%s' does not say '%s'", l->x.reader.failure, part);
}

static void reader_says_security_when_secrets_are_wrong(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 10);
    struct cosem_client_config k = config_of(l, METER_SAP_READER, 0);
    k.password = "another-password";
    begin(l, &k);
    expect_security_failure(l, "authentication");
    k = config_of(l, METER_SAP_READER_HLS, 0);
    l->keys.guek[3] ^= 1;
    begin(l, &k);
    expect_security_failure(l, "");
    l->keys.guek[3] ^= 1;
    l->keys.gak[0] ^= 1;
    begin(l, &k);
    expect_security_failure(l, "");
    l->keys.gak[0] ^= 1;
    begin(l, &k);
    read_with(l, READER_REGISTERS);
    expect_ready(l);
    line_free(l);
}

static void reader_says_counter_wanted_when_ours_is_stale(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 10);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER_HLS, 0);
    begin(l, &k);
    l->counter.next = 5000;
    read_with(l, READER_REGISTERS);
    expect_ready(l);
    const uint32_t used = l->counter.next;
    l->counter.next = 4000;
    reading_begin(&l->x, READER_REGISTERS); /* in the open association the meter tells */
    run(l);
    assert_int_equal(l->x.reader.state, READER_FAILED);
    assert_true(l->x.reader.security_failure);
    assert_non_null(strstr(l->x.reader.failure, "counter"));
    assert_int_equal(l->x.reader.counter_wanted, used);
    expect_security_failure(l, "authentication-failure"); /* a new one it just refuses */
    assert_int_equal(l->x.reader.counter_wanted, 0);
    l->counter.next = used;
    read_with(l, READER_REGISTERS);
    expect_ready(l);
    l->counter.next = UINT32_MAX - 4; /* and when none is left on the way */
    expect_security_failure(l, "used up");
    line_free(l);
}

static void reader_says_counter_when_meter_repeats_its_own(void **state)
{
    (void)state;
    struct line *l = line_new("AD11A", LOAD1, 10);
    const struct cosem_client_config k = config_of(l, METER_SAP_READER_HLS, 0);
    begin(l, &k);
    read_with(l, READER_REGISTERS);
    expect_ready(l);
    /* the floor of the last association holds for the next one, too */
    l->x.reader.client.rx_floor += 100000;
    expect_security_failure(l, "went back");
    line_free(l);
}

/* A meter of all functions at once, which no order gives. */
static void reader_has_room_for_any_meter_of_ours(void **state)
{
    (void)state;
    const struct cosem_device all = {.rows = model_rows, .n_rows = model_n_rows};
    struct cosem_ref o;
    unsigned n = 0;
    for (uint32_t at = 0; cosem_next(&all, &at, &o);) {
        const bool rate_of_phase = (o.row->kind->flags & MODEL_BY_RATE) != 0 && o.i > 0 && o.j > 0;
        n += o.row->kind->class_id >= 3 && o.row->kind->class_id <= 5 && !rate_of_phase;
    }
    assert_in_range(n, 300, READER_REGISTERS_MAX);
}

static void reader_is_small(void **state)
{
    (void)state;
    print_message("struct reader %zu octets, struct reader_objects %zu\n", sizeof(struct reader),
                  sizeof(struct reader_objects));
    assert_true(sizeof(struct reader) < 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_everything_of_each_model),
        cmocka_unit_test(reader_brings_the_same_through_every_association_and_pdu),
        cmocka_unit_test(reader_finds_what_a_stranger_may_see),
        cmocka_unit_test(reader_goes_on_in_the_open_association),
        cmocka_unit_test(reader_fails_when_meter_forgot_the_association),
        cmocka_unit_test(reader_reads_from_the_stamp_it_is_told),
        cmocka_unit_test(reader_keeps_rows_ahead_when_clock_was_set_back),
        cmocka_unit_test(reader_fails_and_recovers_when_line_breaks_anywhere),
        cmocka_unit_test(reader_knows_the_objects_only_when_identification_ended),
        cmocka_unit_test(reader_says_security_when_secrets_are_wrong),
        cmocka_unit_test(reader_says_counter_wanted_when_ours_is_stale),
        cmocka_unit_test(reader_says_counter_when_meter_repeats_its_own),
        cmocka_unit_test(reader_has_room_for_any_meter_of_ours),
        cmocka_unit_test(reader_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
