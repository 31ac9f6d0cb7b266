/* The capacity that a model's row states is really there, in all its profiles and logs at once:
 * each profile with as many registers of 8 octets as the row says, each log. They are filled beyond
 * it: then the newest `depth` rows are there, each as captured, and older ones are gone. A restart
 * changes nothing, and a client that takes 256 octets a time, ciphered, reads every row.
 *
 * Without arguments one model; with `full` all eight. */
#include "tests/firmware/meter/look.h"

#include "lib/base/crc.h"
#include "lib/cosem/obis.h"
#include "model/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START    "2026-06-10T00:00:01"
#define BEYOND   37 /* captures more than the depth */
#define ROWS_MAX 10000
#define PDU      256

static bool full;

struct filled { /* a profile and what was captured in it */
    const char *obis;
    struct cosem_ref object;
    uint32_t depth, n_values;
    uint32_t n; /* captures */
    uint64_t import[ROWS_MAX];
};
static const struct {
    const char *obis, *status;
} names[MODEL_N_PROFILES] = {
    {"1-0:99.1.0.255", "0-0:96.10.1.255"}, {"1-0:99.2.0.255", "0-0:96.10.2.255"},
    {"1-0:99.1.1.255", "0-0:96.10.3.255"}, {"1-0:99.1.2.255", "0-0:96.10.4.255"},
    {"0-1:24.3.0.255", "0-1:96.10.3.255"}, {"0-2:24.3.0.255", "0-2:96.10.3.255"},
    {"0-3:24.3.0.255", "0-3:96.10.3.255"}, {"0-4:24.3.0.255", "0-4:96.10.3.255"},
    {"1-0:98.2.0.255", "0-0:96.10.5.255"}, {"0-0:98.1.0.255", "0-0:96.10.7.255"},
};
static struct filled profiles[MODEL_N_PROFILES];

/* ---- columns ---- */

static void put_column(struct wr *w, uint16_t class_id, const char *obis)
{
    struct profile_column c = {.class_id = class_id, .attribute = 2};
    assert_int_equal(obis_parse(obis, c.ln), ERR_OK);
    profile_put_column(w, &c);
}

/* The first n energy registers; 1.8.0 is the first of them. */
static void put_registers(struct rig *r, struct wr *w, uint32_t n)
{
    struct cosem_ref o;
    for (uint32_t at = 0; n > 0 && cosem_next(&r->meter.device, &at, &o);) {
        struct profile_column c = {.class_id = 3, .attribute = 2};
        if (o.row->kind->class_id != 3 || o.ln[3] != 8 || o.ln[1] != 0)
            continue;
        memcpy(c.ln, o.ln, sizeof c.ln);
        profile_put_column(w, &c);
        n--;
    }
    assert_int_equal(n, 0);
}

static void choose_columns(struct rig *r, unsigned p)
{
    uint8_t octets[1200];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = rig_attr(7, names[p].obis, 3);
    axdr_put_array(&w, 2 + profiles[p].n_values);
    put_column(&w, 8, "0-0:1.0.0.255");
    put_column(&w, 1, names[p].status);
    put_registers(r, &w, profiles[p].n_values);
    assert_int_equal(w.err, ERR_OK);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    if (!rig_set(r, &a, (struct bytes){octets, w.len}))
        fail_msg("%s %s: %s", r->meter.model->name, names[p].obis, cosem_result_text(r->result));
    rig_release(r);
}

/* ---- filling ---- */

static void capture(struct rig *r, struct filled *f)
{
    struct cosem_call call = {
        .context = r->meter.device.context, .role = COSEM_MANAGER, .device = &r->meter.device};
    static const uint8_t zero[] = {AXDR_I8, 0};
    struct rd param = rd_of(zero, sizeof zero);
    uint8_t answer[16];
    struct wr reply = wr_of(answer, sizeof answer);
    assert_true(f->n < ROWS_MAX);
    f->import[f->n++] = look_uint(&r->meter, 3, "1-0:1.8.0.255", 2);
    assert_int_equal(f->object.row->kind->binding->invoke(&call, &f->object, 2, &param, &reply),
                     COSEM_SUCCESS);
}

static uint32_t prepare(struct rig *r)
{
    uint32_t most = 0;
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        struct filled *f = &profiles[p];
        const struct model_profile *row = &r->meter.model->profile[p];
        uint8_t ln[6];
        *f = (struct filled){
            .obis = names[p].obis, .depth = row->depth, .n_values = row->depth_values};
        assert_int_equal(look_has(&r->meter, 7, f->obis), row->n_values > 0);
        if (row->n_values == 0)
            continue;
        assert_int_equal(obis_parse(f->obis, ln), ERR_OK);
        assert_true(cosem_find(&r->meter.device, 7, ln, &f->object));
        choose_columns(r, p);
        most = f->depth > most ? f->depth : most;
    }
    return most;
}

/* All get their rows by turns, the shorter ones as long as they need: so every ring wraps. */
static void fill(struct rig *r, uint32_t most)
{
    struct legal_window w;
    /* one period: no interval ends by itself before all is full */
    assert_int_equal(source_window(r->source, 0.02, &w), ERR_OK);
    for (uint32_t k = 0; k < most + BEYOND; k++) {
        assert_int_equal(meter_window(&r->meter, &w), ERR_OK);
        for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
            if (profiles[p].depth > 0 && k < profiles[p].depth + BEYOND)
                capture(r, &profiles[p]);
        }
    }
}

/* ---- what is there ---- */

static uint64_t import_of(struct bytes row)
{
    struct rd r = rd_of(row.p, row.len);
    size_t n = 0;
    if (rd_u8(&r) == AXDR_STRUCT)
        n = rd_length(&r);
    assert_true(n >= 3);
    axdr_skip(&r);
    axdr_skip(&r);
    uint64_t value = axdr_get_uint(&r);
    assert_int_equal(r.err, ERR_OK);
    return value;
}

static void check_rows(struct rig *r, const struct filled *f)
{
    struct look rows = {0};
    look_named(&r->meter, 7, f->obis, 2, true, &rows);
    if (rows.n != f->depth || look_uint(&r->meter, 7, f->obis, 7) != f->depth ||
        look_uint(&r->meter, 7, f->obis, 8) != f->depth)
        fail_msg("%s %s: %u rows of %u", r->meter.model->name, f->obis, rows.n, f->depth);
    for (uint32_t i = 0; i < rows.n; i++) {
        uint64_t is = import_of(look_element(&rows, i));
        if (is != f->import[f->n - f->depth + i])
            fail_msg("%s %s: row %u of %u has %llu, not %llu", r->meter.model->name, f->obis, i,
                     rows.n, (unsigned long long)is,
                     (unsigned long long)f->import[f->n - f->depth + i]);
    }
    look_free(&rows);
}

static void check_read(struct rig *r, const char *obis)
{
    struct look whole = {0};
    struct apdu_attr a = rig_attr(7, obis, 2);
    look_named(&r->meter, 7, obis, 2, false, &whole);
    r->max_pdu = PDU;
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    r->line_octets = 0;
    assert_true(rig_get(r, &a));
    assert_int_equal(r->answer_total, whole.len);
    assert_int_equal(r->answer_sum, crc32_update(0, whole.p, whole.len));
    print_message("%s %s: %zu octets read\n", r->meter.model->name, obis, whole.len);
    rig_release(r);
    r->max_pdu = 0;
    look_free(&whole);
}

static void check_profiles(const struct model_meter *row)
{
    char load[80]; /* so much that the register moves in each period */
    (void)snprintf(load, sizeof load, "synth:phases=%u,u=%u,i=%u", row->n_phases, row->un_mv / 1000,
                   row->imax_ma / 1000);
    struct rig *r = rig_new_row(row, START, load);
    fill(r, prepare(r));
    for (unsigned restart = 0; restart < 2; restart++) {
        for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
            if (profiles[p].depth > 0)
                check_rows(r, &profiles[p]);
        }
        assert_int_equal(rig_power_up(r, 1), ERR_OK);
    }
    for (unsigned p = 0; p < MODEL_N_PROFILES; p++) {
        if (profiles[p].depth > 0)
            check_read(r, profiles[p].obis);
    }
    rig_free(r);
}

/* ---- logs ---- */

static bool log_obis(const struct model_meter *m, unsigned log, char out[OBIS_TEXT])
{
    uint8_t ln[6] = {0, 0, 99, 98, 0, 255};
    if (log == MODEL_LOG_OUTAGE)
        return false; /* filled by the supply, not by events */
    for (unsigned e = 0; e < MODEL_LOG_CODES; e++) {
        ln[4] = (uint8_t)e;
        if (model_log_at(m, e) == log) {
            obis_print(ln, out);
            return true;
        }
    }
    return false;
}

/* The k-th event that goes to this log; false: none does. */
static bool event_of(const struct model_meter *m, unsigned log, uint32_t k, enum model_event *out)
{
    enum model_event of_log[MODEL_N_EVENTS];
    uint32_t n = 0;
    for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
        struct model_event_place place;
        if (model_event_place(m, (enum model_event)e, &place) && place.log == log &&
            e != MODEL_EVENT_LOG_CLEARED && e != MODEL_EVENT_OUTAGES_CLEARED)
            of_log[n++] = (enum model_event)e;
    }
    if (n > 0)
        *out = of_log[k % n];
    return n > 0;
}

/* As if nothing limited how often: meter_event_over(). */
static void enter(struct rig *r, unsigned log, uint32_t k)
{
    enum model_event e;
    assert_true(event_of(r->meter.model, log, k, &e));
    meter_event_over(&r->meter, e, meter_now_s(&r->meter), 0);
    assert_int_equal(meter_sync(&r->meter), ERR_OK);
    meter_idle(&r->meter, METER_NS);
}

static void check_log(struct rig *r, unsigned log, const char *obis)
{
    const uint32_t depth = r->meter.model->log_depth[log];
    struct look rows = {0}, again = {0};
    for (uint32_t k = 0; k < depth + BEYOND; k++)
        enter(r, log, k);
    look_named(&r->meter, 7, obis, 2, true, &rows);
    if (rows.n != depth || look_uint(&r->meter, 7, obis, 7) != depth ||
        look_uint(&r->meter, 7, obis, 8) != depth)
        fail_msg("%s %s: %u entries of %u", r->meter.model->name, obis, rows.n, depth);
    struct bytes second = look_element(&rows, 1);
    uint8_t *kept = malloc(second.len);
    assert_non_null(kept);
    memcpy(kept, second.p, second.len);
    enter(r, log, 0); /* the oldest leaves, the others stay */
    look_named(&r->meter, 7, obis, 2, true, &again);
    assert_int_equal(again.n, depth);
    struct bytes first = look_element(&again, 0);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.p, kept, first.len);
    free(kept);
    look_free(&rows);
    look_free(&again);
    check_read(r, obis);
}

static void check_logs(const struct model_meter *row)
{
    struct rig *r = rig_new_row(
        row, START, row->n_phases == 1 ? "synth:phases=1,u=230,i=1" : "synth:phases=3,u=230,i=1");
    for (unsigned log = 0; log < MODEL_N_LOGS; log++) {
        char obis[OBIS_TEXT];
        enum model_event e;
        if (row->log_depth[log] == 0 || !log_obis(row, log, obis))
            continue;
        assert_int_equal(look_uint(&r->meter, 7, obis, 8), row->log_depth[log]);
        if (event_of(row, log, 0, &e))
            check_log(r, log, obis);
        else
            print_message("%s %s: nothing is reported to it yet\n", row->name, obis);
    }
    rig_free(r);
}

/* ---- tests ---- */

static void each_model(void (*check)(const struct model_meter *row))
{
    if (!full)
        check(model_meter_find("AD13A"));
    for (size_t i = 0; model_meter_at(i) != NULL && full; i++)
        check(model_meter_at(i));
}

static void profiles_keep_what_the_datasheet_says(void **state)
{
    (void)state;
    each_model(check_profiles);
}

static void logs_keep_what_the_datasheet_says(void **state)
{
    (void)state;
    each_model(check_logs);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_keep_what_the_datasheet_says),
        cmocka_unit_test(logs_keep_what_the_datasheet_says),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests_name("meter_depth", tests, NULL, NULL);
}
