/* See rig.h. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_tell.h"
#include "lib/base/civil.h"
#include "lib/base/crc.h"
#include "lib/cosem/obis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PASSWORD "a-test-password"
#define MAX_ROWS 12000

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    struct rig *rig = r->context;
    for (size_t i = 0; i < n; i++) {
        rig->random = rig->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        ((uint8_t *)to)[i] = (uint8_t)(rig->random >> 56);
    }
    return ERR_OK;
}

int64_t rig_time(const char *utc)
{
    int y, mo, d, h, mi, s;
    assert_int_equal(sscanf(utc, "%d-%d-%dT%d:%d:%d", &y, &mo, &d, &h, &mi, &s), 6);
    struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, (uint8_t)s};
    assert_true(civil_valid(&c));
    return civil_to_seconds(&c);
}

struct rig *rig_new(const char *model, const char *start, const char *load)
{
    return rig_new_row(model_meter_find(model), start, load);
}

struct rig *rig_new_row(const struct model_meter *row, const char *start, const char *load)
{
    struct rig *r = calloc(1, sizeof *r);
    char error[500];
    struct source_options o = {.repeat = true};
    struct source_info info;
    assert_non_null(r);
    if (source_open(&r->source, load, &o, error, sizeof error) != ERR_OK)
        fail_msg("%s", error);
    source_info_get(r->source, &info);
    r->security = DLMS_SC_AUTH | DLMS_SC_ENC;
    r->rng = (struct hal_rng){.context = r, .fill = fill};
    r->config = (struct meter_config){.model = row,
                                      .serial = "0123456789",
                                      .rng = &r->rng,
                                      .password = PASSWORD,
                                      .time_ns = rig_time(start) * METER_NS,
                                      .u_lsb_fv = info.u_lsb_fv,
                                      .i_lsb_fa = info.i_lsb_fa,
                                      .f_mhz = info.frequency_hz > 55 ? 60000 : 50000};
    assert_non_null(r->config.model);
    for (uint8_t i = 0; i < 16; i++) {
        r->config.keys.guek[i] = i;
        r->config.keys.gak[i] = (uint8_t)(0xD0 + i);
        r->config.keys.kek[i] = (uint8_t)(0x50 + i);
    }
    r->config.keys.has_guek = r->config.keys.has_gak = r->config.keys.has_kek = true;
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    r->config.flash = &r->emu.hal;
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    return r;
}

void rig_free(struct rig *r)
{
    assert_int_equal(r->emu.n_violations, 0);
    session_close(&r->session);
    cosem_client_end(&r->client);
    meter_end(&r->meter);
    flash_emu_free(&r->emu);
    source_close(r->source);
    free(r);
}

void rig_follow_counter(struct rig *r, const uint32_t before[MODEL_N_CLIENTS])
{
    for (size_t i = 0; i < MODEL_N_CLIENTS; i++) {
        const uint32_t floor = r->meter.server.rx_floor[i];
        const uint32_t used = r->counter.next > before[i] ? r->counter.next : before[i];
        assert_true(floor <= used + METER_FLOOR_AHEAD);
        if (r->counter.next < floor)
            r->counter.next = floor;
    }
}

enum err rig_power_up(struct rig *r, int64_t gap_s)
{
    uint32_t before[MODEL_N_CLIENTS];
    memcpy(before, r->meter.server.rx_floor, sizeof before);
    r->config.time_ns = meter_crystal_ns(&r->meter) + gap_s * METER_NS;
    meter_end(&r->meter);
    memset(&r->meter, 0xA5, sizeof r->meter);
    enum err err = meter_init(&r->meter, &r->config);
    if (!err)
        rig_follow_counter(r, before);
    return err;
}

void rig_live(struct rig *r, int64_t seconds)
{
    int64_t to = meter_crystal_ns(&r->meter) + seconds * METER_NS;
    while (meter_crystal_ns(&r->meter) < to) {
        int64_t ns = to - meter_crystal_ns(&r->meter);
        struct legal_window w;
        if (ns > (int64_t)meter_due_ns(&r->meter))
            ns = (int64_t)meter_due_ns(&r->meter);
        if (ns > 60 * METER_NS)
            ns = 60 * METER_NS;
        assert_int_equal(source_window(r->source, (double)ns / 1e9, &w), ERR_OK);
        assert_int_equal(meter_window(&r->meter, &w), ERR_OK);
    }
}

/* ---- the client ---- */

/* Moves octets both ways until neither side has any. */
static void pump(struct rig *r)
{
    uint8_t buf[4096];
    size_t n, moved;
    do {
        moved = 0;
        while ((n = cosem_client_take(&r->client, buf, sizeof buf)) > 0) {
            if (r->tap != NULL)
                r->tap(r, true, buf, n);
            assert_int_equal(session_feed(&r->session, buf, n), n);
            moved += n;
        }
        while ((n = session_take(&r->session, buf, sizeof buf)) > 0) {
            if (r->tap != NULL)
                r->tap(r, false, buf, n);
            assert_int_equal(cosem_client_feed(&r->client, 0, buf, n), n);
            moved += n;
        }
        r->line_octets += moved;
    } while (moved > 0);
}

static bool on_data(void *context, uint32_t index, struct bytes part)
{
    (void)index;
    struct rig *r = context;
    size_t room = sizeof r->answer - r->answer_len, n = part.len < room ? part.len : room;
    memcpy(r->answer + r->answer_len, part.p, n);
    r->answer_len += n;
    r->answer_total += part.len;
    r->answer_sum = crc32_update(r->answer_sum, part.p, part.len);
    return true;
}

static void on_done(void *context, uint32_t index, enum cosem_result result)
{
    (void)index;
    ((struct rig *)context)->result = result;
}

static struct cosem_client_sink sink_of(struct rig *r)
{
    r->answer_len = r->answer_total = 0;
    r->answer_sum = 0;
    r->result = COSEM_OTHER_REASON;
    return (struct cosem_client_sink){.context = r, .data = on_data, .done = on_done};
}

bool rig_connect(struct rig *r, uint16_t sap)
{
    bool hls = sap == METER_SAP_MANAGER || sap == METER_SAP_READER_HLS;
    struct cosem_client_config c = {.client_sap = sap,
                                    .server_sap = 1,
                                    .mechanism = DLMS_MECHANISM_NONE,
                                    .max_pdu = r->max_pdu,
                                    .title = "TSTCLNT",
                                    .keys = &r->config.keys,
                                    .counter = &r->counter,
                                    .rng = &r->rng};
    if (hls) {
        c.mechanism = DLMS_MECHANISM_HLS5;
        c.security = r->security;
    } else if (sap == METER_SAP_READER) {
        c.mechanism = DLMS_MECHANISM_LLS;
        c.password = PASSWORD;
    }
    if (r->counter.limit == 0)
        r->counter.limit = UINT32_MAX;
    session_init(&r->session, &r->meter.server);
    cosem_client_end(&r->client);
    assert_int_equal(cosem_client_init(&r->client, &c), ERR_OK);
    assert_int_equal(cosem_client_connect(&r->client, 0), ERR_OK);
    pump(r);
    return r->client.state == CLIENT_READY;
}

bool rig_get(struct rig *r, const struct apdu_attr *attr)
{
    struct cosem_client_sink sink = sink_of(r);
    assert_int_equal(cosem_client_get(&r->client, 0, attr, &sink), ERR_OK);
    pump(r);
    return r->client.state == CLIENT_READY && r->result == COSEM_SUCCESS;
}

bool rig_set(struct rig *r, const struct apdu_attr *attr, struct bytes value)
{
    struct cosem_client_sink sink = sink_of(r);
    assert_int_equal(cosem_client_set(&r->client, 0, attr, value, &sink), ERR_OK);
    pump(r);
    return r->client.state == CLIENT_READY && r->result == COSEM_SUCCESS;
}

bool rig_call(struct rig *r, const struct apdu_attr *method)
{
    struct cosem_client_sink sink = sink_of(r);
    assert_int_equal(cosem_client_action(&r->client, 0, method, &sink), ERR_OK);
    pump(r);
    return r->client.state == CLIENT_READY && r->result == COSEM_SUCCESS;
}

void rig_release(struct rig *r)
{
    assert_int_equal(cosem_client_release(&r->client, 0), ERR_OK);
    pump(r);
    assert_int_equal(r->client.state, CLIENT_CLOSED);
    session_close(&r->session);
}

struct apdu_attr rig_attr(uint16_t class_id, const char *obis, uint8_t id)
{
    struct apdu_attr a = {.class_id = class_id, .id = id};
    assert_int_equal(obis_parse(obis, a.ln), ERR_OK);
    return a;
}

int64_t rig_value(struct rig *r, uint16_t class_id, const char *obis, uint8_t id)
{
    struct apdu_attr a = rig_attr(class_id, obis, id);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    int64_t value = axdr_get_int(&rd);
    assert_int_equal(rd.err, ERR_OK);
    rig_release(r);
    return value;
}

/* ---- rows ---- */

static unsigned place_of(const struct meter_column *c)
{
    static const struct {
        uint8_t ln_c, ln_d;
    } of[METER_N_COLUMNS] = {
        [METER_COLUMN_A_IMPORT] = {1, 8},           [METER_COLUMN_A_EXPORT] = {2, 8},
        [METER_COLUMN_R_IMPORT] = {3, 8},           [METER_COLUMN_R_EXPORT] = {4, 8},
        [METER_COLUMN_A_IMPORT_INTERVAL] = {1, 29}, [METER_COLUMN_A_EXPORT_INTERVAL] = {2, 29}};
    struct profile_column object;
    meter_column_object(c, &object);
    if (object.class_id == 8)
        return METER_COLUMN_CLOCK;
    if (object.class_id == 1)
        return METER_COLUMN_STATUS;
    for (unsigned k = METER_COLUMN_A_IMPORT; k < METER_N_COLUMNS; k++) {
        if (object.ln[2] == of[k].ln_c && object.ln[3] == of[k].ln_d)
            return k;
    }
    fail_msg("load profile 1 has other columns");
    return METER_N_COLUMNS;
}

uint32_t rig_columns(const struct rig *r)
{
    const struct meter_column *c = meter_profile_columns(&r->meter, MODEL_LP1);
    uint32_t mask = 0;
    for (unsigned k = 0; k < r->meter.profile[MODEL_LP1].n_columns; k++)
        mask |= 1u << place_of(&c[k]);
    return mask;
}

static void decode(const struct rig *r, const uint8_t *record, struct meter_row *row)
{
    const struct meter_column *c = meter_profile_columns(&r->meter, MODEL_LP1);
    struct rd rd = rd_of(record, meter_profile_row_size(&r->meter, MODEL_LP1));
    struct meter_row_head h;
    meter_row_get_head(&rd, &h);
    *row = (struct meter_row){.number = h.number,
                              .utc_s = h.utc_s,
                              .deviation = h.deviation,
                              .clock_status = h.clock_status,
                              .status = h.status};
    for (unsigned k = 0; k < r->meter.profile[MODEL_LP1].n_columns; k++) {
        const unsigned at = place_of(&c[k]);
        if (at >= METER_COLUMN_A_IMPORT_INTERVAL)
            row->interval[at - METER_COLUMN_A_IMPORT_INTERVAL] = (uint32_t)axdr_get_uint(&rd);
        else if (at >= METER_COLUMN_A_IMPORT)
            row->reg[at - METER_COLUMN_A_IMPORT] = axdr_get_uint(&rd);
    }
    assert_int_equal(rd.err, ERR_OK);
    assert_int_equal(rd_left(&rd), 0);
}

size_t rig_rows(const struct rig *r, struct meter_row *rows, size_t max)
{
    const uint8_t ring = meter_ring(r->meter.model, MODEL_LP1);
    uint64_t newest = nv_newest(&r->meter.nv, ring);
    uint32_t n = nv_count(&r->meter.nv, ring);
    assert_true(n <= max);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t octets[METER_ROW_MAX];
        assert_int_equal(nv_read(&r->meter.nv, ring, newest - n + 1 + i, octets), ERR_OK);
        decode(r, octets, &rows[i]);
    }
    return n;
}

size_t rig_heads(const struct rig *r, enum model_profile_id p, struct meter_row_head *heads,
                 size_t max)
{
    const uint8_t ring = meter_ring(r->meter.model, p);
    uint64_t newest = nv_newest(&r->meter.nv, ring);
    uint32_t n = nv_count(&r->meter.nv, ring);
    assert_true(n <= max);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t octets[METER_ROW_MAX];
        assert_int_equal(nv_read(&r->meter.nv, ring, newest - n + 1 + i, octets), ERR_OK);
        struct rd rd = rd_of(octets, METER_ROW_HEAD);
        meter_row_get_head(&rd, &heads[i]);
    }
    return n;
}

void rig_check_rows(const struct rig *r)
{
    struct meter_row *rows = calloc(MAX_ROWS, sizeof *rows);
    struct legal_energies e;
    assert_non_null(rows);
    size_t n = rig_rows(r, rows, MAX_ROWS);
    for (size_t i = 1; i < n; i++) {
        assert_int_equal(rows[i].number, rows[i - 1].number + 1);
        for (size_t k = 0; k < METER_ROW_INTERVALS; k++)
            assert_int_equal(rows[i].interval[k], rows[i].reg[k] - rows[i - 1].reg[k]);
    }
    legal_energies_get(&r->meter.legal, &e);
    if (n > 0)
        assert_true(rows[n - 1].reg[0] <= meter_energy(r->config.model, &e, MODEL_A_IMPORT, 0));
    free(rows);
}
