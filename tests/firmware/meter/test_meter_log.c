/* Event logs: what goes where in each map, depth, filters, clearing, limits, cuts. */
#include "tests/firmware/meter/entries.h"

#include "firmware/meter/meter_store.h"
#include "lib/cosem/profile_select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"
#define MAX   512

static uint32_t step = 7; /* every n-th operation is cut */

static struct rig *rig_of(const char *model)
{
    return rig_new(model, START,
                   model_meter_find(model)->n_phases == 1 ? "synth:phases=1,u=230,i=1"
                                                          : "synth:phases=3,u=230,i=1");
}

/* Reports it and writes it, as often as the logs take. */
static void report(struct rig *r, enum model_event e, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        memset(r->meter.log.left, METER_LOG_BURST, sizeof r->meter.log.left);
        meter_event(&r->meter, e, meter_now_s(&r->meter) + i);
        meter_log_flush(&r->meter);
    }
}

/* ---- the maps ---- */

static void map_gives_each_event_of_a_meter_a_code_of_its_own(void **state)
{
    (void)state;
    for (uint8_t map = MODEL_EVENTS_IDIS; map <= MODEL_EVENTS_SEVEN; map++) {
        for (size_t k = 0; model_meter_at(k) != NULL; k++) {
            struct model_meter m = *model_meter_at(k);
            uint8_t seen[256] = {0};
            m.event_map = map;
            for (unsigned e = 0; e < MODEL_N_EVENTS; e++) {
                struct model_event_place place;
                if (!model_event_place(&m, (enum model_event)e, &place))
                    continue;
                assert_int_not_equal(place.code, 0);
                assert_int_equal(seen[place.code]++, 0);
                assert_true(m.log_depth[place.log] > 0);
                assert_int_not_equal(place.log, MODEL_LOG_OUTAGE);
                assert_int_equal(model_event_of(&m, place.code), e);
            }
        }
    }
    assert_string_equal(model_event_text(MODEL_N_EVENTS), "?");
    assert_string_equal(model_log_text(MODEL_N_LOGS), "?");
}

static void same_event_has_the_number_of_its_companion(void **state)
{
    (void)state;
    static const struct {
        enum model_event e;
        uint8_t idis_e, idis, dsmr_e, dsmr, seven_e;
    } cases[] = {
        {MODEL_EVENT_POWER_UP, 0, 2, 0, 2, 0},
        {MODEL_EVENT_CLOCK_NEW, 0, 5, 0, 5, 8},
        {MODEL_EVENT_UNDER_VOLTAGE_L1, 4, 76, 5, 77, 4},
        {MODEL_EVENT_DIP_L3, 4, 212, 5, 95, 4},
        {MODEL_EVENT_REPLAY, 1, 50, 1, 244, 9},
        {MODEL_EVENT_OVER_CURRENT_L2, 4, 226, 5, 226, 7},
        {MODEL_EVENT_SEAL_OPENED, 1, 203, 1, 203, 1},
    };
    struct model_meter sx = *model_meter_find("ST402D"), dsmr = sx;
    const struct model_meter *seven = model_meter_find("SMARTESOX-P");
    dsmr.event_map = MODEL_EVENTS_DSMR;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_event_place place;
        assert_true(model_event_place(&sx, cases[i].e, &place));
        assert_int_equal(place.code, cases[i].idis);
        assert_int_equal(model_log_at(&sx, cases[i].idis_e), place.log);
        assert_true(model_event_place(&dsmr, cases[i].e, &place));
        assert_int_equal(place.code, cases[i].dsmr);
        assert_int_equal(model_log_at(&dsmr, cases[i].dsmr_e), place.log);
        assert_true(model_event_place(seven, cases[i].e, &place));
        assert_int_equal(place.code, cases[i].idis);
        assert_int_equal(model_log_at(seven, cases[i].seven_e), place.log);
    }
    assert_int_equal(model_log_at(&sx, 3), MODEL_N_LOGS);
    assert_int_equal(model_log_at(&sx, MODEL_LOG_CODES), MODEL_N_LOGS);
}

/* ---- rings ---- */

static void oldest_entry_leaves_a_full_log(void **state)
{
    (void)state;
    struct rig *r = rig_of("MT371");
    struct meter_log_entry e[MAX];
    report(r, MODEL_EVENT_DIP_L1, 1);
    report(r, MODEL_EVENT_SWELL_L1, 63);
    assert_int_equal(entries(r, MODEL_LOG_STANDARD, e, MAX), 64);
    assert_int_equal(model_event_of(r->meter.model, e[0].code), MODEL_EVENT_DIP_L1);
    assert_int_equal(e[0].utc_s, rig_time(START));
    report(r, MODEL_EVENT_REPLAY, 1);
    assert_int_equal(entries(r, MODEL_LOG_STANDARD, e, MAX), 64);
    assert_int_equal(model_event_of(r->meter.model, e[0].code), MODEL_EVENT_SWELL_L1);
    assert_int_equal(e[63].code, 50);
    for (unsigned i = 1; i < 64; i++)
        assert_int_equal(e[i].number, e[i - 1].number + 1);
    rig_free(r);
}

static void logs_are_independent(void **state)
{
    (void)state;
    struct rig *r = rig_of("SMARTESOX-P");
    static const enum model_event of[] = {MODEL_EVENT_POWER_UP,
                                          MODEL_EVENT_BYPASS,
                                          MODEL_EVENT_DIP_L1,
                                          MODEL_EVENT_OVER_CURRENT_L1,
                                          MODEL_EVENT_PARAMETER_CHANGED,
                                          MODEL_EVENT_REPLAY};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        report(r, of[i], (unsigned)i + 1);
    report(r, MODEL_EVENT_DIP_L2, 300); /* fills one */
    struct model_event_place place;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        assert_true(model_event_place(r->meter.model, of[i], &place));
        assert_int_equal(meter_log_count(&r->meter, place.log), i == 2 ? 255 : i + 1);
    }
    assert_int_equal(meter_log_clear(&r->meter, MODEL_LOG_FRAUD), ERR_OK);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_FRAUD), 1);
    assert_int_equal(meter_log_code(&r->meter, MODEL_LOG_FRAUD), 255);
    assert_int_equal(rig_power_up(r, 0), ERR_OK); /* two entries of the standard log */
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        assert_true(model_event_place(r->meter.model, of[i], &place));
        assert_int_equal(meter_log_count(&r->meter, place.log), i == 1 ? 1 : i == 2 ? 255 : i + 1);
    }
    rig_live(r, 60);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_STANDARD), 3);
    rig_free(r);
}

static void power_failure_log_is_cleared_with_a_note_elsewhere(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    meter_log_outage(&r->meter, meter_now_s(&r->meter), 500);
    meter_log_flush(&r->meter);
    struct meter_log_entry e[4];
    assert_int_equal(entries(r, MODEL_LOG_OUTAGE, e, 4), 1);
    assert_int_equal(e[0].extra, 500);
    assert_int_equal(meter_log_clear(&r->meter, MODEL_LOG_OUTAGE), ERR_OK);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_OUTAGE), 0);
    assert_int_equal(entries_of(r, MODEL_EVENT_OUTAGES_CLEARED), 1);
    assert_int_equal(meter_log_clear(&r->meter, MODEL_LOG_LOAD), ERR_NOT_FOUND);
    rig_free(r);
}

/* ---- limits ---- */

/* Cuts each some seconds, for hours: what was entered before is still there, in a log of 64. */
static void flickering_supply_does_not_flush_the_log(void **state)
{
    (void)state;
    struct rig *r = rig_of("MT371");
    report(r, MODEL_EVENT_SEAL_OPENED, 1);
    for (unsigned i = 0; i < 200; i++) {
        rig_live(r, 5);
        if (i % 3 == 0)
            assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
        assert_int_equal(rig_power_up(r, 7), ERR_OK);
    }
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_POWER_DOWN), METER_LOG_BURST);
    assert_int_equal(entries_of(r, MODEL_EVENT_POWER_UP), METER_LOG_BURST);
    assert_int_equal(entries_of(r, MODEL_EVENT_LEFT_OUT), 2);
    assert_int_equal(meter_outage_count(&r->meter, METER_OUTAGE_ALL), 200);
    assert_int_equal(rig_power_up(r, 2 * 86400), ERR_OK); /* two days off give room for two */
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(rig_power_up(r, 7), ERR_OK);
    assert_int_equal(entries_of(r, MODEL_EVENT_POWER_UP), METER_LOG_BURST + 2);
    assert_int_equal(entries_of(r, MODEL_EVENT_LEFT_OUT), 2);
    rig_free(r);
}

/* Who attacks a port and cuts the supply before a minute is over gains no room by it. */
static void power_cut_renews_no_room(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    for (unsigned i = 0; i < 20; i++) {
        rig_live(r, 2);
        for (unsigned k = 0; k < 3; k++)
            meter_access_refused(&r->meter, METER_SAP_MANAGER, ERR_TAG);
        assert_int_equal(rig_power_up(r, 1), ERR_OK);
    }
    assert_int_equal(entries_of(r, MODEL_EVENT_DECIPHER_FAILED), METER_LOG_LINE_BURST);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_FRAUD), METER_LOG_LINE_BURST + 1);
    rig_free(r);
}

static void repeated_event_does_not_flush_the_log(void **state)
{
    (void)state;
    struct rig *r = rig_of("MT371");
    struct meter_log_entry left;
    for (unsigned i = 0; i < 1000; i++)
        meter_event(&r->meter, MODEL_EVENT_DIP_L1, meter_now_s(&r->meter));
    meter_log_flush(&r->meter);
    assert_int_equal(entries_of(r, MODEL_EVENT_DIP_L1), METER_LOG_BURST);
    assert_int_equal(entries_of(r, MODEL_EVENT_LEFT_OUT), 1);
    assert_true(entry_of(r, MODEL_EVENT_LEFT_OUT, &left));
    assert_int_equal(left.extra, 210);
    /* others still have room; after an hour there is one more, and no second note */
    meter_event(&r->meter, MODEL_EVENT_SWELL_L1, meter_now_s(&r->meter));
    rig_live(r, 3660);
    for (unsigned i = 0; i < 10; i++)
        meter_event(&r->meter, MODEL_EVENT_DIP_L1, meter_now_s(&r->meter));
    meter_log_flush(&r->meter);
    assert_int_equal(entries_of(r, MODEL_EVENT_SWELL_L1), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_DIP_L1), METER_LOG_BURST + 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_LEFT_OUT), 1);
    /* what anybody can cause: one a day */
    for (unsigned h = 0; h < 26; h++) {
        meter_event(&r->meter, MODEL_EVENT_REPLAY, meter_now_s(&r->meter));
        rig_live(r, 3660);
    }
    assert_in_range(entries_of(r, MODEL_EVENT_REPLAY), METER_LOG_LINE_BURST + 1,
                    METER_LOG_LINE_BURST + 2);
    /* quiet for long enough: all as in the beginning */
    rig_live(r, 9 * 3660);
    for (unsigned i = 0; i < 20; i++)
        meter_event(&r->meter, MODEL_EVENT_SWELL_L2, meter_now_s(&r->meter));
    meter_log_flush(&r->meter);
    assert_int_equal(entries_of(r, MODEL_EVENT_SWELL_L2), METER_LOG_BURST);
    rig_free(r);
}

static bool put_filter(struct rig *r, const char *obis, const char *codes, size_t n)
{
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    const struct apdu_attr a = rig_attr(1, obis, 2);
    axdr_put_octets(&w, codes, n);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    bool done = rig_set(r, &a, (struct bytes){octets, w.len});
    rig_release(r);
    return done;
}

static void owner_holds_codes_back(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    char many[33];
    memset(many, 1, sizeof many);
    assert_true(put_filter(r, "0-0:96.133.4.255", "\xD4\xD2", 2)); /* dips L3 and L1 */
    assert_int_equal(r->meter.fault, ERR_OK);
    assert_false(put_filter(r, "0-0:96.133.4.255", "\x02", 1));     /* of another log */
    assert_false(put_filter(r, "0-0:96.133.4.255", "\xD2\xD2", 2)); /* twice */
    assert_false(put_filter(r, "0-0:96.133.0.255", "\xFF", 1));     /* "cleared" is always told */
    assert_false(put_filter(r, "0-0:96.133.0.255", many, sizeof many));
    assert_false(put_filter(r, "0-0:96.133.3.255", "", 0)); /* no such log */
    assert_int_equal(rig_power_up(r, 5), ERR_OK);
    report(r, MODEL_EVENT_DIP_L1, 2);
    report(r, MODEL_EVENT_DIP_L2, 3);
    report(r, MODEL_EVENT_DIP_L3, 4);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_QUALITY), 3);
    assert_int_equal(entries_of(r, MODEL_EVENT_PARAMETER_CHANGED), 1);
    const struct apdu_attr a = rig_attr(1, "0-0:96.133.4.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    assert_int_equal(r->answer_len, 4);
    assert_memory_equal(r->answer, "\x09\x02\xD2\xD4", 4);
    assert_true(put_filter(r, "0-0:96.133.4.255", "", 0));
    report(r, MODEL_EVENT_DIP_L1, 2);
    assert_int_equal(entries_of(r, MODEL_EVENT_DIP_L1), 2);
    rig_free(r);
}

/* ---- over the line ---- */

/* Rows of the answer: an array's length. */
static unsigned rows(const struct rig *r)
{
    struct rd rd = rd_of(r->answer, r->answer_len);
    size_t n = axdr_get_array(&rd);
    assert_int_equal(rd.err, ERR_OK);
    return (unsigned)n;
}

static unsigned get_range(struct rig *r, const char *obis, int64_t from_s, int64_t to_s)
{
    uint8_t from[16], to[16], octets[128];
    struct datetime d = datetime_from_utc(from_s, -120, 0);
    struct wr a = wr_of(from, sizeof from), b = wr_of(to, sizeof to), w = wr_of(octets, 128);
    datetime_put(&a, &d);
    d = datetime_from_utc(to_s, -120, 0);
    datetime_put(&b, &d);
    const struct profile_range range = {
        .by = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2},
        .from = {from, a.len},
        .to = {to, b.len}};
    struct apdu_attr attr = rig_attr(7, obis, 2);
    profile_put_range(&w, &range);
    attr.selector = PROFILE_BY_RANGE;
    attr.parameter = (struct bytes){octets, w.len};
    assert_true(rig_get(r, &attr));
    return rows(r);
}

static unsigned get_entries(struct rig *r, const char *obis, uint32_t from, uint32_t to)
{
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    const struct profile_entries entry = {.from = from, .to = to, .from_column = 1};
    struct apdu_attr attr = rig_attr(7, obis, 2);
    profile_put_entries(&w, &entry);
    attr.selector = PROFILE_BY_ENTRY;
    attr.parameter = (struct bytes){octets, w.len};
    assert_true(rig_get(r, &attr));
    return rows(r);
}

static void log_is_read_by_range_and_entry_and_cleared_by_the_manager(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    const char *obis = "0-0:99.98.4.255";
    const int64_t start = rig_time(START);
    report(r, MODEL_EVENT_DIP_L2, 200); /* a second apart */
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_int_equal(get_entries(r, obis, 1, 0), 200);
    assert_int_equal(get_entries(r, obis, 199, 400), 2);
    assert_int_equal(get_range(r, obis, start + 10, start + 19), 10);
    /* {clock, code} of the last of them */
    const uint8_t *row = r->answer + r->answer_len - 18;
    assert_memory_equal(row, "\x02\x02\x09\x0C\x07\xEA\x06\x0A\x03\x0C\x00\x13", 12);
    assert_memory_equal(row + 16, "\x11\xD3", 2);
    assert_int_equal(get_range(r, obis, start + 1000, start + 2000), 0);
    struct apdu_attr clear = rig_attr(7, obis, 1);
    clear.parameter = (struct bytes){(const uint8_t *)"\x0F\x00", 2};
    assert_false(rig_call(r, &clear));
    rig_release(r);
    assert_int_equal(rig_value(r, 1, "0-0:96.11.4.255", 2), 211);
    assert_int_equal(rig_value(r, 7, obis, 7), 200);
    assert_int_equal(rig_value(r, 7, obis, 8), 255);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_call(r, &clear));
    rig_release(r);
    assert_int_equal(rig_value(r, 7, obis, 7), 1);
    assert_int_equal(rig_value(r, 1, "0-0:96.11.4.255", 2), 255);
    rig_free(r);
}

/* What happened a moment ago is in the first answer. */
static void log_is_read_with_its_newest_entry(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    const struct apdu_attr log = rig_attr(7, "0-0:99.98.4.255", 2);
    const struct apdu_attr in_use = rig_attr(7, "0-0:99.98.4.255", 7);
    const struct apdu_attr code = rig_attr(1, "0-0:96.11.4.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    meter_event(&r->meter, MODEL_EVENT_DIP_L2, meter_now_s(&r->meter));
    assert_true(rig_get(r, &log));
    assert_int_equal(rows(r), 1);
    meter_event(&r->meter, MODEL_EVENT_SWELL_L1, meter_now_s(&r->meter));
    assert_true(rig_get(r, &in_use));
    assert_int_equal(r->answer[r->answer_len - 1], 2);
    meter_event(&r->meter, MODEL_EVENT_DIP_L2, meter_now_s(&r->meter));
    assert_true(rig_get(r, &code));
    assert_int_equal(r->answer[r->answer_len - 1], 211);
    rig_release(r);
    rig_free(r);
}

/* ---- sources ---- */

/* Sends the request before once more, in place of the next one. */
static uint8_t heard[4096];
static size_t n_heard;

static void hear(struct rig *r, bool from_client, uint8_t *octets, size_t n)
{
    (void)r;
    if (!from_client)
        return;
    memcpy(heard, octets, n);
    n_heard = n;
}

static void repeat(struct rig *r, bool from_client, uint8_t *octets, size_t n)
{
    (void)r;
    if (!from_client)
        return;
    assert_int_equal(n, n_heard);
    memcpy(octets, heard, n);
}

static void replay(struct rig *r)
{
    const struct apdu_attr clock = rig_attr(8, "0-0:1.0.0.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    r->tap = hear;
    assert_true(rig_get(r, &clock));
    r->tap = repeat;
    assert_false(rig_get(r, &clock));
    r->tap = NULL;
}

static void refused_clients_are_told_and_limited(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    struct meter_log_entry e;
    for (unsigned i = 0; i < 50; i++)
        replay(r);
    assert_int_equal(entries_of(r, MODEL_EVENT_REPLAY), METER_LOG_LINE_BURST);
    assert_true(entry_of(r, MODEL_EVENT_REPLAY, &e));
    assert_int_equal(e.extra, METER_SAP_READER_HLS);
    /* a wrong key: the deciphering fails, and with it the authentication */
    r->config.keys.guek[3] ^= 1;
    for (unsigned i = 0; i < METER_LOG_REFUSALS; i++)
        assert_false(rig_connect(r, METER_SAP_MANAGER));
    r->config.keys.guek[3] ^= 1;
    assert_int_equal(entries_of(r, MODEL_EVENT_DECIPHER_FAILED), METER_LOG_REFUSALS);
    assert_int_equal(entries_of(r, MODEL_EVENT_ACCESS_REFUSED), 1);
    /* a wrong password: the third time is an event, what comes between begins anew */
    for (unsigned i = 0; i < 2 * METER_LOG_REFUSALS; i++) {
        r->meter.password[0] ^= 1;
        assert_false(rig_connect(r, METER_SAP_READER));
        r->meter.password[0] ^= 1;
        if (i == METER_LOG_REFUSALS - 2) {
            assert_true(rig_connect(r, METER_SAP_READER));
            rig_release(r);
        }
    }
    assert_int_equal(entries_of(r, MODEL_EVENT_ACCESS_REFUSED), 2);
    assert_true(entry_of(r, MODEL_EVENT_ACCESS_REFUSED, &e));
    assert_int_equal(e.extra, METER_SAP_READER);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_STANDARD), 0);
    /* every refusal was durable when its answer left */
    const uint32_t n = meter_log_count(&r->meter, MODEL_LOG_FRAUD);
    assert_int_equal(rig_power_up(r, 1), ERR_OK);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_FRAUD), n);
    rig_free(r);
}

static void changes_are_told(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402C");
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    assert_int_equal(meter_seal_set(&r->meter, true), ERR_OK);
    assert_int_equal(meter_ratio_set(&r->meter, METER_SAP_MANAGER, 0, 50), ERR_OK);
    assert_int_equal(meter_ratio_set(&r->meter, METER_SAP_MANAGER, 0, 0), ERR_RANGE);
    assert_int_equal(meter_limit_set(&r->meter, METER_SAP_MANAGER, PQ_DIP, METER_LIMIT_ON, 800000),
                     ERR_OK);
    meter_idle(&r->meter, 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_CLOSED), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_PARAMETER_CHANGED), 2);
    rig_free(r);
}

/* ---- cuts ---- */

/* A log is cleared, and events come before and after; the power is cut at every operation. The log
 * is whole before the clearing or begins with "cleared"; numbers only go up, nothing is twice, and
 * what was written when meter_log_flush() came back is there. */
static void check_after_cut(const struct rig *r, bool before, bool cleared, unsigned n_after)
{
    struct meter_log_entry e[MAX];
    size_t n = entries(r, MODEL_LOG_QUALITY, e, MAX);
    for (size_t i = 1; i < n; i++)
        assert_true(e[i].number > e[i - 1].number);
    if (cleared)
        assert_true(n >= 1 && e[0].code == 255);
    if (n > 0 && e[0].code == 255) {
        assert_in_range(n - 1, n_after, n_after + 1);
        for (size_t i = 1; i < n; i++)
            assert_int_equal(e[i].code, 213);
    } else {
        assert_in_range(n, before ? 5 : 0, 5);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(e[i].code, 210);
    }
    assert_int_equal(r->meter.nv.n_corrupt, 0);
}

static void entries_survive_cuts_once(void **state)
{
    (void)state;
    unsigned n_cuts = 0;
    for (uint32_t at = 1;; at += step) {
        struct rig *r = rig_of("ST402D");
        bool before = false, cleared = false;
        unsigned n_after = 0;
        flash_emu_power(&r->emu, at, (enum tear)(at % N_TEARS));
        report(r, MODEL_EVENT_DIP_L1, 5);
        before = !r->emu.dead;
        if (before)
            cleared = meter_log_clear(&r->meter, MODEL_LOG_QUALITY) == ERR_OK;
        for (unsigned i = 0; i < 3 && !r->emu.dead; i++) {
            report(r, MODEL_EVENT_SWELL_L1, 1);
            n_after += !r->emu.dead;
        }
        bool whole = !r->emu.dead;
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(rig_power_up(r, 7), ERR_OK);
        meter_log_flush(&r->meter);
        check_after_cut(r, before, cleared, n_after);
        assert_int_equal(entries_of(r, MODEL_EVENT_POWER_UP), 1);
        rig_free(r);
        n_cuts++;
        if (whole)
            break;
    }
    printf("%u cuts\n", n_cuts);
    assert_true(n_cuts >= 60 / step);
}

/* Power-up itself is cut: "down" and "up" are there once for each time the meter came up; also when
 * it has more to enter than its queue holds. */
static void check_power_up(unsigned n_owed, uint32_t every)
{
    for (uint32_t at = 1;; at += every) {
        struct rig *r = rig_of("ST402D");
        rig_live(r, 100);
        for (unsigned i = 0; i < n_owed; i++)
            meter_event(&r->meter, MODEL_EVENT_SEAL_OPENED, meter_now_s(&r->meter));
        assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
        const int64_t down_s = meter_now_s(&r->meter);
        flash_emu_power(&r->emu, at, (enum tear)(at % N_TEARS));
        enum err err = rig_power_up(r, 1000);
        if (err == ERR_OK)
            meter_log_flush(&r->meter);
        const bool whole = err == ERR_OK && !r->emu.dead;
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        if (!whole)
            assert_int_equal(rig_power_up(r, 1000), ERR_OK);
        rig_live(r, 60);
        const unsigned n = entries_of(r, MODEL_EVENT_POWER_UP);
        assert_in_range(n, 1, whole ? 1 : 2);
        assert_int_equal(entries_of(r, MODEL_EVENT_POWER_DOWN), n);
        struct meter_log_entry e[16];
        assert_int_equal(entries(r, MODEL_LOG_STANDARD, e, 16), 2 * n);
        assert_int_equal(e[0].code, 1);
        assert_int_equal(e[0].utc_s, down_s);
        assert_int_equal(e[1].code, 2);
        assert_int_equal(meter_outage_count(&r->meter, METER_OUTAGE_ALL), n);
        assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_OUTAGE), 1);
        assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), n_owed);
        rig_free(r);
        if (whole)
            break;
    }
}

static void power_up_is_entered_once_whatever_is_cut(void **state)
{
    (void)state;
    check_power_up(0, step);
    check_power_up(METER_LOG_QUEUE - 1, 3);
}

/* ---- worn-out flash ---- */

static uint32_t bad_sector;
static enum err (*good_erase)(const struct hal_flash *hal, uint32_t sector);

static unsigned n_refused_erases;

static enum err erase_but_one(const struct hal_flash *hal, uint32_t sector)
{
    n_refused_erases += sector == bad_sector;
    return sector == bad_sector ? ERR_IO : good_erase(hal, sector);
}

/* From now on the second sector of this log, which was ready, has to be erased and cannot be. */
static void wear_out(struct rig *r, unsigned log)
{
    bad_sector = r->meter.rings[meter_log_ring(r->meter.model, log)].first_sector + 1u;
    good_erase = r->emu.hal.erase;
    r->emu.hal.erase = erase_but_one;
    memset(r->emu.octets + (size_t)bad_sector * METER_SECTOR_SIZE, 0xFF, 64);
}

/* The meter goes on without that log: it counts, has its other logs, and tells what is wrong. */
static void log_that_fails_costs_no_other(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    struct meter_row_head heads[8];
    report(r, MODEL_EVENT_DIP_L1, 3);
    wear_out(r, MODEL_LOG_QUALITY);
    assert_int_equal(rig_power_up(r, 5), ERR_OK);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_QUALITY), 0);
    report(r, MODEL_EVENT_DIP_L1, METER_LOG_QUEUE + 1);
    report(r, MODEL_EVENT_SEAL_OPENED, 1);
    rig_live(r, 1800);
    assert_int_equal(entries_of(r, MODEL_EVENT_POWER_UP), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_NV_ERROR), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), 1);
    assert_int_equal(meter_errors(&r->meter) & METER_ERROR_FLASH, METER_ERROR_FLASH);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, 8), 2);
    assert_int_equal(heads[1].status, METER_ROW_ERR | METER_ROW_DNV | METER_ROW_DST);
    r->emu.hal.erase = good_erase;
    assert_int_equal(rig_power_up(r, 5), ERR_OK);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_QUALITY), 3);
    rig_free(r);
}

/* A log that fails while the meter lives keeps its entries queued, and the others get theirs. An
 * erase takes long: it is tried once a minute, not with each block of samples. */
static void log_that_waits_holds_no_other_up(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    report(r, MODEL_EVENT_DIP_L1, 3);
    const uint8_t index = meter_log_ring(r->meter.model, MODEL_LOG_QUALITY);
    struct nv_ring_state *ring = &r->meter.nv.ring[index];
    wear_out(r, MODEL_LOG_QUALITY);
    ring->next_seq =
        (nv_capacity(&r->meter.nv, index) - 1) / (r->meter.rings[index].n_sectors - 2u) + 1;
    const uint32_t first = ring->next_seq;
    ring->slot = 0;
    ring->head_ready = false; /* as when the second sector's turn comes */
    report(r, MODEL_EVENT_DIP_L1, METER_LOG_QUEUE + 1);
    report(r, MODEL_EVENT_SEAL_OPENED, 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), 1);
    n_refused_erases = 0;
    for (unsigned s = 0; s < 10 * METER_LOG_RETRY_S; s++)
        meter_idle(&r->meter, METER_NS);
    assert_int_equal(n_refused_erases, 10);
    r->emu.hal.erase = good_erase;
    meter_idle(&r->meter, METER_LOG_RETRY_S * METER_NS);
    assert_int_equal(r->meter.log.n_queued, 0); /* what waited is written when it can be */
    assert_int_equal(ring->next_seq - first, METER_LOG_QUEUE - 1);
    rig_free(r);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        step = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_gives_each_event_of_a_meter_a_code_of_its_own),
        cmocka_unit_test(same_event_has_the_number_of_its_companion),
        cmocka_unit_test(oldest_entry_leaves_a_full_log),
        cmocka_unit_test(logs_are_independent),
        cmocka_unit_test(power_failure_log_is_cleared_with_a_note_elsewhere),
        cmocka_unit_test(repeated_event_does_not_flush_the_log),
        cmocka_unit_test(flickering_supply_does_not_flush_the_log),
        cmocka_unit_test(power_cut_renews_no_room),
        cmocka_unit_test(owner_holds_codes_back),
        cmocka_unit_test(log_is_read_by_range_and_entry_and_cleared_by_the_manager),
        cmocka_unit_test(log_is_read_with_its_newest_entry),
        cmocka_unit_test(refused_clients_are_told_and_limited),
        cmocka_unit_test(changes_are_told),
        cmocka_unit_test(entries_survive_cuts_once),
        cmocka_unit_test(power_up_is_entered_once_whatever_is_cut),
        cmocka_unit_test(log_that_fails_costs_no_other),
        cmocka_unit_test(log_that_waits_holds_no_other_up),
    };
    return cmocka_run_group_tests_name("meter_log", tests, NULL, NULL);
}
