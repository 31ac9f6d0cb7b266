/* See town.h. */
#include "tests/headend/collect/town.h"

#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS_MAX 12000
#define COLUMNS  6
#define SETTLE_S 20

/* ---- the meters' side ---- */

static bool on_open(void *context, size_t i)
{
    struct station *s = context;
    if (s->away)
        return false;
    s->n_opened++;
    s->sent[i] = 0;
    session_init(&s->session[i], &s->rig->meter.server);
    if (s->heard != NULL)
        s->heard(s->heard_context, i, NULL, 0);
    if (s->said != NULL)
        s->said(s->said_context, i, NULL, 0);
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    struct station *s = context;
    const size_t used = s->silent || s->garbage ? n : session_feed(&s->session[i], p, n);
    if (s->heard != NULL)
        s->heard(s->heard_context, i, p, used);
    return used;
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct station *s = context;
    if (s->garbage && s->sent[i] == 0) {
        static const uint8_t frame[] = {0, 1, 0, 1, 0, 3, 0xFF, 0xFF, 1, 2, 3, 4};
        memcpy(to, frame, sizeof frame);
        return s->sent[i] = sizeof frame;
    }
    if (s->silent || s->garbage)
        return 0;
    if (s->cut_after != 0 && s->sent[i] + size > s->cut_after)
        size = s->cut_after - s->sent[i];
    const size_t n = session_take(&s->session[i], to, size);
    s->sent[i] += n;
    if (s->said != NULL && n > 0)
        s->said(s->said_context, i, to, n);
    return n;
}

static bool on_shut(void *context, size_t i, uint64_t now_ms)
{
    struct station *s = context;
    (void)now_ms;
    return session_closed(&s->session[i]) || (s->cut_after != 0 && s->sent[i] >= s->cut_after);
}

static void on_close(void *context, size_t i)
{
    struct station *s = context;
    session_close(&s->session[i]);
}

static void listen_at(struct town *t, struct station *s)
{
    const struct port_engine engine = {.context = s,
                                       .open = on_open,
                                       .feed = on_feed,
                                       .take = on_take,
                                       .closed = on_shut,
                                       .close = on_close};
    assert_int_equal(tcp_server_listen(&s->tcp, &t->loop, "127.0.0.1:0", &engine), ERR_OK);
}

static struct station *new_station(struct town *t, const char *model, size_t n_profiles)
{
    struct station *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->row = *model_meter_find(model);
    for (size_t p = n_profiles; p < MODEL_N_PROFILES; p++)
        s->row.profile[p].n_values = 0;
    s->rig = rig_new_row(&s->row, TOWN_START, TOWN_LOAD);
    rig_live(s->rig, t->utc_ms / 1000 - rig_time(TOWN_START));
    listen_at(t, s);
    t->station[t->n_stations++] = s;
    return s;
}

struct station *town_station(struct town *t, const char *model)
{
    return new_station(t, model, MODEL_N_PROFILES);
}

struct station *town_plain_station(struct town *t, const char *model)
{
    return new_station(t, model, MODEL_LP1 + 1);
}

/* Lines that were closed are gone on both sides. */
static void settle_lines(struct town *t)
{
    for (unsigned k = 0; k < 8; k++)
        uv_run(&t->loop, UV_RUN_NOWAIT);
}

void town_other_module(struct town *t, struct station *s, int64_t meter)
{
    struct store_meter m;
    assert_null(t->c);
    tcp_server_close(&s->tcp);
    settle_lines(t);
    memset(&s->tcp, 0, sizeof s->tcp);
    listen_at(t, s);
    assert_int_equal(store_meter_get(t->store, meter, &m), ERR_OK);
    snprintf(m.url, sizeof m.url, "tcp://%.60s", s->tcp.address);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
}

void town_power_cut(struct town *t, struct station *s)
{
    tcp_server_drop_all(&s->tcp);
    settle_lines(t);
    flash_emu_power(&s->rig->emu, 0, TEAR_NOTHING);
    assert_int_equal(rig_power_up(s->rig, 0), ERR_OK);
}

/* ---- the town ---- */

static int64_t utc_ms(void *context)
{
    return ((struct town *)context)->utc_ms;
}

static uint64_t mono_ms(void *context)
{
    return ((struct town *)context)->mono_ms;
}

static void on_event(void *context, const struct meter_event *event)
{
    struct town *t = context;
    t->n_events[event->kind]++;
    if (event->kind == METER_EVENT_PROFILE)
        t->last_profile = *event;
}

static void on_pace(uv_timer_t *timer)
{
    (void)timer;
}

struct town *town_new(void)
{
    struct town *t = calloc(1, sizeof *t);
    char why[256];
    assert_non_null(t);
    assert_int_equal(uv_loop_init(&t->loop), 0);
    assert_int_equal(uv_timer_init(&t->loop, &t->pace), 0);
    assert_int_equal(uv_timer_start(&t->pace, on_pace, 20, 20), 0);
    uv_unref((uv_handle_t *)&t->pace);
    snprintf(t->dir, sizeof t->dir, "/tmp/ferraris-collect-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    t->utc_ms = rig_time(TOWN_START) * 1000;
    t->mono_ms = 1000;
    t->clock = (struct server_clock){.context = t, .utc_ms = utc_ms, .mono_ms = mono_ms};
    t->log = (struct server_log){
        .to = getenv("TOWN_LOG") != NULL ? stderr : NULL, .level = LOG_DEBUG, .clock = &t->clock};
    t->rng = entropy_rng();
    memset(&t->key, 7, sizeof t->key);
    const struct store_options o = {.dir = t->dir, .clock = &t->clock};
    if (store_open(&t->store, &o, why, sizeof why) != ERR_OK)
        fail_msg("%s", why);
    return t;
}

void town_start(struct town *t)
{
    char why[256];
    const struct collector_options o = {.loop = &t->loop,
                                        .dir = t->dir,
                                        .key = &t->key,
                                        .clock = &t->clock,
                                        .log = &t->log,
                                        .rng = &t->rng,
                                        .max_connections = t->max_connections,
                                        .clock_from_s = t->clock_from_s,
                                        .clock_to_s = t->clock_to_s,
                                        .event = on_event,
                                        .event_context = t};
    if (collector_start(&t->c, &o, why, sizeof why) != ERR_OK)
        fail_msg("%s", why);
    t->hooks = collector_hooks(t->c);
}

static bool is_closing(const struct town *t)
{
    for (size_t i = 0; i < t->n_stations; i++)
        if (!uv_is_closing((const uv_handle_t *)&t->station[i]->tcp.listener))
            return false;
    return true;
}

/* The collector alone ends; the meters' handles stay in the loop. */
void town_stop(struct town *t)
{
    if (t->c == NULL)
        return;
    for (size_t i = 0; i < t->n_stations; i++) {
        uv_unref((uv_handle_t *)&t->station[i]->tcp.listener);
        uv_unref((uv_handle_t *)&t->station[i]->tcp.timer);
        for (size_t k = 0; k < TCP_SERVER_CONNS; k++)
            if (t->station[i]->tcp.conn[k].used)
                uv_unref((uv_handle_t *)&t->station[i]->tcp.conn[k].line);
    }
    collector_stop(t->c);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    collector_free(t->c);
    t->c = NULL;
    for (size_t i = 0; i < t->n_stations; i++) {
        uv_ref((uv_handle_t *)&t->station[i]->tcp.listener);
        uv_ref((uv_handle_t *)&t->station[i]->tcp.timer);
        for (size_t k = 0; k < TCP_SERVER_CONNS; k++)
            if (t->station[i]->tcp.conn[k].used)
                uv_ref((uv_handle_t *)&t->station[i]->tcp.conn[k].line);
    }
}

static void remove_dir(const char *dir)
{
    static const char *const name[] = {"ferraris.db", "ferraris.db-wal", "ferraris.db-shm", "lock",
                                       "ferraris.db-journal"};
    char path[128];
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

void town_free(struct town *t)
{
    town_stop(t);
    for (size_t i = 0; i < t->n_stations; i++)
        tcp_server_close(&t->station[i]->tcp);
    assert_true(is_closing(t));
    uv_close((uv_handle_t *)&t->pace, NULL);
    uv_run(&t->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t->loop), 0);
    for (size_t i = 0; i < t->n_stations; i++) {
        rig_free(t->station[i]->rig);
        free(t->station[i]);
    }
    store_close(t->store);
    remove_dir(t->dir);
    free(t);
}

int64_t town_add(struct town *t, struct station *s, enum store_auth auth)
{
    struct store_meter m = {.client_sap = METER_SAP_READER,
                            .server_sap = 1,
                            .auth = auth,
                            .timeout_ms = 10000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1,
                            .enabled = true};
    struct meter_secret secret = {.keys = s->rig->config.keys};
    snprintf(secret.password, sizeof secret.password, "%s", s->rig->config.password);
    if (auth == STORE_AUTH_HLS5) {
        m.client_sap = t->as_manager ? METER_SAP_MANAGER : METER_SAP_READER_HLS;
        m.security = DLMS_SC_AUTH | DLMS_SC_ENC;
    }
    snprintf(m.name, sizeof m.name, "meter %zu", t->n_meters);
    snprintf(m.url, sizeof m.url, "tcp://%.60s", s->tcp.address);
    assert_int_equal(meter_secret_put(&t->key, &m, &secret), ERR_OK);
    assert_int_equal(store_meter_add(t->store, &m), ERR_OK);
    t->meter[t->n_meters++] = m.id;
    if (t->c != NULL)
        t->hooks.meter_changed(t->hooks.context, m.id);
    return m.id;
}

void town_sleep(struct town *t, int64_t seconds)
{
    for (size_t i = 0; i < t->n_stations; i++)
        rig_live(t->station[i]->rig, seconds);
    t->utc_ms += seconds * 1000;
    t->mono_ms += (uint64_t)seconds * 1000;
}

struct meter_state town_state(struct town *t, int64_t meter)
{
    struct meter_state s;
    memset(&s, 0, sizeof s);
    s.activity = METER_CONNECTING; /* not known yet: not settled */
    (void)t->hooks.state(t->hooks.context, meter, &s);
    return s;
}

static bool is_settled(struct town *t)
{
    for (size_t i = 0; i < t->n_meters; i++) {
        const struct meter_state s = town_state(t, t->meter[i]);
        if (s.activity != METER_DISABLED && (s.activity != METER_WAITING || s.next_ms <= t->utc_ms))
            return false;
    }
    return true;
}

void town_settle(struct town *t)
{
    const uint64_t end = uv_hrtime() + SETTLE_S * UINT64_C(1000000000);
    t->hooks.read_now(t->hooks.context, -1); /* nobody: the collector only looks at its clock */
    uv_run(&t->loop, UV_RUN_NOWAIT);
    while (!is_settled(t)) {
        uv_run(&t->loop, UV_RUN_ONCE);
        if (uv_hrtime() > end)
            fail_msg("not settled: activity %d, error \"%s\"", town_state(t, t->meter[0]).activity,
                     town_state(t, t->meter[0]).error);
    }
}

void town_live(struct town *t, int64_t seconds, int64_t step_s)
{
    for (; seconds > 0; seconds -= step_s) {
        town_sleep(t, step_s);
        town_settle(t);
    }
}

/* ---- rows ---- */

struct flat_row { /* no padding: compared as octets */
    int64_t stamp_s, status, zone;
    int64_t value[COLUMNS]; /* 1.8.0 2.8.0 3.8.0 4.8.0 1.29.0 2.29.0 */
};

static int by_octets(const void *a, const void *b)
{
    const struct flat_row *x = a, *y = b;
    if (x->stamp_s != y->stamp_s)
        return x->stamp_s < y->stamp_s ? -1 : 1;
    return memcmp(x, y, sizeof *x);
}

struct collected {
    struct town *t;
    struct flat_row *row;
    size_t n;
};

static int column_of(const struct store_column *c)
{
    static const uint8_t of[COLUMNS][2] = {{1, 8}, {2, 8}, {3, 8}, {4, 8}, {1, 29}, {2, 29}};
    for (int i = 0; i < COLUMNS; i++)
        if (c->ln[2] == of[i][0] && c->ln[3] == of[i][1])
            return i;
    fail_msg("unknown column");
    return 0;
}

static bool collect_block(void *context, const struct store_block *b)
{
    struct collected *all = context;
    struct day_rows rows = {0};
    struct store_layout layout;
    assert_int_equal(day_block_decode(b->block, &rows), ERR_OK);
    assert_int_equal(store_layout_get(all->t->store, b->layout, &layout), ERR_OK);
    for (uint32_t i = 0; i < rows.n; i++) {
        assert_true(all->n < ROWS_MAX);
        struct flat_row *to = &all->row[all->n++];
        memset(to, 0, sizeof *to);
        to->stamp_s = rows.stamp_s[i];
        to->status = rows.status[i];
        to->zone = rows.zone[i];
        for (uint32_t k = 0; k < rows.n_columns; k++)
            to->value[column_of(&layout.column[k])] = rows.value[i * rows.n_columns + k];
    }
    day_rows_free(&rows);
    return true;
}

static size_t stored_rows(struct town *t, int64_t meter, struct flat_row *row)
{
    struct store_profile p[STORE_PROFILES_MAX];
    struct collected all = {.t = t, .row = row};
    size_t n;
    assert_int_equal(store_profiles_get(t->store, meter, p, STORE_PROFILES_MAX, &n), ERR_OK);
    static const uint8_t lp1[6] = {1, 0, 99, 1, 0, 255};
    size_t k = 0;
    while (k < n && memcmp(p[k].ln, lp1, sizeof lp1) != 0)
        k++;
    if (k == n)
        return 0;
    assert_int_equal(
        store_blocks_each(t->store, p[k].id, 0, INT64_C(4102444800), collect_block, &all), ERR_OK);
    return all.n;
}

size_t town_n_rows(struct town *t, int64_t meter)
{
    struct flat_row *row = calloc(ROWS_MAX, sizeof *row);
    assert_non_null(row);
    const size_t n = stored_rows(t, meter, row);
    free(row);
    return n;
}

static size_t ring_rows(const struct station *s, struct flat_row *row)
{
    struct meter_row *ring = calloc(ROWS_MAX, sizeof *ring);
    const uint32_t columns = rig_columns(s->rig);
    assert_non_null(ring);
    const size_t n = rig_rows(s->rig, ring, ROWS_MAX);
    for (size_t i = 0; i < n; i++) {
        memset(&row[i], 0, sizeof row[i]);
        row[i].stamp_s = ring[i].utc_s;
        row[i].status = ring[i].status;
        row[i].zone = DAY_ZONE(-ring[i].deviation, ring[i].clock_status);
        for (int k = 0; k < METER_ROW_REGISTERS; k++)
            if (columns & 1u << (METER_COLUMN_A_IMPORT + k))
                row[i].value[k] = (int64_t)ring[i].reg[k];
        for (int k = 0; k < METER_ROW_INTERVALS; k++)
            if (columns & 1u << (METER_COLUMN_A_IMPORT_INTERVAL + k))
                row[i].value[METER_ROW_REGISTERS + k] = ring[i].interval[k];
    }
    free(ring);
    return n;
}

static void check_row(size_t i, const struct flat_row *stored, const struct flat_row *ring)
{
    const int64_t *a = (const int64_t *)stored, *b = (const int64_t *)ring;
    for (size_t k = 0; k < sizeof *ring / sizeof *a; k++)
        if (a[k] != b[k])
            fail_msg("row %zu at %lld, the meter's at %lld: number %zu is %lld, the meter's %lld",
                     i, (long long)a[0], (long long)b[0], k, (long long)a[k], (long long)b[k]);
}

void town_check_rows(struct town *t, const struct station *s, int64_t meter)
{
    struct flat_row *stored = calloc(ROWS_MAX, sizeof *stored);
    struct flat_row *ring = calloc(ROWS_MAX, sizeof *ring);
    assert_true(stored != NULL && ring != NULL);
    town_live(t, 20, 20); /* a row is read up to 17 s after its end */
    const size_t n = stored_rows(t, meter, stored), n_ring = ring_rows(s, ring);
    assert_int_equal(n, n_ring);
    qsort(stored, n, sizeof *stored, by_octets);
    qsort(ring, n, sizeof *ring, by_octets);
    for (size_t i = 0; i < n; i++)
        check_row(i, &stored[i], &ring[i]);
    free(stored);
    free(ring);
}
