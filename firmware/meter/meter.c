/* The life of a meter: power-up, the passing of time, the ends of intervals, snapshots.
 *
 * Every change of the stored state follows one pattern: change the struct, write one snapshot, then
 * do what the snapshot promises (append the pending row, empty the ring). A cut before the snapshot
 * leaves the old state; a cut after it is completed by power_up(). */
#include "firmware/meter/meter.h"

#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_store.h"
#include "firmware/meter/meter_tell.h"

#include <limits.h>
#include <string.h>

#define FLAG_ID "FER" /* manufacturer letters of device name and system title */

uint32_t meter_now_s(const struct meter *m)
{
    return meter_clock_s(&m->clock);
}

int64_t meter_crystal_ns(const struct meter *m)
{
    return m->clock.base_ns - m->clock.ahead_ns;
}

enum err meter_keep(struct meter *m, enum err err)
{
    if (err)
        m->fault = err;
    return err;
}

enum err meter_snapshot(struct meter *m)
{
    m->snapshot_due_ns = m->clock.base_ns + METER_SNAPSHOT_S * METER_NS;
    enum err err = meter_keep(m, meter_store_snapshot(m));
    meter_tell_stored(m, err == ERR_OK);
    return err;
}

static uint64_t import_uwh(const struct meter *m)
{
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    return e.total[LEGAL_A_IMPORT];
}

enum err meter_commit(struct meter *m)
{
    enum err err = meter_snapshot(m);
    if (!err)
        return meter_profiles_complete(m);
    meter_profiles_drop(m);
    return err;
}

static void restart_demand(struct meter *m, uint32_t start_s)
{
    meter_demand_restart(&m->demand, start_s,
                         meter_clock_boundary(&m->clock, start_s, m->demand.period_s),
                         import_uwh(m));
}

/* ---- averages ---- */

static uint32_t average_end(const struct meter *m, unsigned k, uint32_t after_s)
{
    return k == METER_DAY ? meter_clock_boundary(&m->clock, after_s, METER_DAY_S)
                          : meter_clock_month_end(&m->clock, after_s);
}

/* Begins period k anew where bit k of `which` is set. */
static void restart_averages(struct meter *m, unsigned which)
{
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++) {
        if ((which >> k & 1u) != 0)
            meter_average_restart(&m->average[k], m->clock.base_ns,
                                  average_end(m, k, meter_now_s(m)), &e);
    }
}

/* True when one ended. Closed at its nominal end, also late after a power cut. */
static bool close_averages(struct meter *m)
{
    unsigned closed = 0;
    struct legal_energies e;
    legal_energies_get(&m->legal, &e);
    for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++) {
        struct meter_average *a = &m->average[k];
        if (meter_now_s(m) < a->due_s)
            continue;
        int64_t end_ns = a->due_s * METER_NS - m->clock.offset_ns;
        meter_average_close(a, end_ns < m->clock.base_ns ? end_ns : m->clock.base_ns, a->due_s, &e);
        closed |= 1u << k;
    }
    restart_averages(m, closed);
    return closed != 0;
}

/* ---- time ---- */

static int64_t next_event_ns(const struct meter *m)
{
    uint32_t due_s = meter_profiles_due_s(m);
    due_s = m->demand.due_s < due_s ? m->demand.due_s : due_s;
    for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++)
        due_s = m->average[k].due_s < due_s ? m->average[k].due_s : due_s;
    due_s = m->clock.season_s < due_s ? m->clock.season_s : due_s;
    int64_t due_ns = meter_clock_crystal_at(&m->clock, due_s * METER_NS);
    return due_ns < m->snapshot_due_ns ? due_ns : m->snapshot_due_ns;
}

/* Does all that is due now. Failures are kept in m->fault: time passes regardless. */
static void run_due(struct meter *m)
{
    uint32_t now_s = meter_now_s(m);
    bool changed = m->clock.base_ns >= m->snapshot_due_ns;
    if (changed)
        meter_tell_minute(m);
    meter_time_season(m);
    if (now_s >= m->demand.due_s) {
        meter_demand_close(&m->demand, m->demand.due_s, m->clock.doubt, import_uwh(m));
        restart_demand(m, m->demand.due_s);
        changed = true;
    }
    if (close_averages(m))
        changed = true;
    if (meter_profiles_close_due(m))
        changed = true;
    if (changed && meter_commit(m) != ERR_OK)
        return; /* kept in m->fault */
}

static void advance(struct meter *m, uint64_t ns)
{
    int64_t target = m->clock.base_ns + (int64_t)ns;
    for (int64_t event = next_event_ns(m); event <= target; event = next_event_ns(m)) {
        if (event > m->clock.base_ns)
            meter_clock_run(&m->clock, event);
        run_due(m);
    }
    meter_clock_run(&m->clock, target);
}

/* So many samples at once: their product with the factor below fits 64 bits, and the rest. */
#define SAMPLES_MAX 8192u
#define NS_UHZ_Q15  UINT64_C(30517578125) /* 1e9 ns x 1e6 uHz / 2^15 */
_Static_assert(AFE_BLOCK_MAX <= SAMPLES_MAX, "duration of a block");

/* Nanoseconds of n_q16 samples (Q16) at a rate; below one they are carried while it stays. */
static uint64_t duration_ns(struct meter *m, uint32_t n_q16, uint64_t rate_uhz)
{
    const uint64_t of = 2 * rate_uhz;
    const uint64_t rest = n_q16 * NS_UHZ_Q15 + (m->ns_rest_of == of ? m->ns_rest : 0);
    m->ns_rest = rest % of;
    m->ns_rest_of = of;
    return rest / of;
}

static void run_logs(struct meter *m)
{
    meter_log_run(m);
    if (m->outage.is_entered) { /* ended with its entry or not at all */
        m->outage.is_entered = false;
        if (meter_snapshot(m) != ERR_OK)
            return; /* kept in m->fault */
    }
    meter_log_flush(m);
}

/* What was fed lasted `ns`: its values count into the periods that it ends in. */
static void live(struct meter *m, uint64_t ns)
{
    struct legal_values v;
    uint32_t ms;
    if (meter_watch_values(m, ns, &v, &ms)) {
        for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++)
            meter_average_add(&m->average[k], &v, ms);
        if (m->watch.faults != 0)
            meter_profiles_mark(m, METER_ROW_DNV);
    }
    advance(m, meter_time_owed(m, ns));
}

enum err meter_samples(struct meter *m, const struct afe_block *block)
{
    meter_watch_before(m, block);
    enum err err = legal_feed(&m->legal, block);
    if (err)
        return err;
    meter_watch_after(m, block);
    live(m, duration_ns(m, (uint32_t)block->n << 16, block->rate_uhz));
    run_logs(m);
    return ERR_OK;
}

#if LEGAL_WINDOW_ENTRANCE
enum err meter_window(struct meter *m, const struct legal_window *w)
{
    enum err err = legal_feed_window(&m->legal, w);
    if (err)
        return err;
    uint64_t ns = 0;
    for (uint64_t left = w->n_q16; left > 0;) {
        const uint32_t part = left < SAMPLES_MAX << 16 ? (uint32_t)left : SAMPLES_MAX << 16;
        ns += duration_ns(m, part, w->rate_uhz);
        left -= part;
    }
    live(m, ns);
    run_logs(m);
    return ERR_OK;
}
#endif

void meter_idle(struct meter *m, uint64_t ns)
{
    advance(m, ns);
    run_logs(m);
}

uint64_t meter_due_ns(const struct meter *m)
{
    int64_t ns = next_event_ns(m) - m->clock.base_ns + m->clock.ahead_ns;
    return ns > 0 ? (uint64_t)ns : 1;
}

enum err meter_power_fail(struct meter *m)
{
    legal_flush(&m->legal);
    return meter_commit(m);
}

/* ---- commands of the bindings ---- */

void meter_rows_leave(struct meter *m)
{
    const bool invalid = (m->clock.doubt & DATETIME_INVALID) != 0;
    meter_profiles_mark(m, METER_ROW_CAD | (invalid ? METER_ROW_CIV | METER_ROW_DNV : 0));
}

void meter_rows_enter(struct meter *m)
{
    meter_profiles_clock_set(m);
    restart_demand(m, meter_now_s(m));
    restart_averages(m, UINT_MAX);
}

void meter_rows_regrid(struct meter *m)
{
    meter_profiles_regrid(m);
    m->demand.due_s = meter_clock_boundary(&m->clock, meter_now_s(m), m->demand.period_s);
    for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++)
        m->average[k].due_s = average_end(m, k, meter_now_s(m));
}

enum err meter_demand_period(struct meter *m, uint32_t period_s)
{
    if (!meter_demand_period_valid(period_s))
        return ERR_RANGE;
    m->demand.period_s = period_s;
    meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return meter_demand_reset_all(m);
}

enum err meter_demand_reset_all(struct meter *m)
{
    m->demand.last_dw = 0;
    m->demand.last_s = METER_NEVER;
    restart_demand(m, meter_now_s(m));
    return meter_snapshot(m);
}

enum err meter_demand_next(struct meter *m)
{
    meter_demand_close(&m->demand, meter_now_s(m), m->clock.doubt, import_uwh(m));
    restart_demand(m, meter_now_s(m));
    return meter_snapshot(m);
}

enum err meter_demand_forget_max(struct meter *m)
{
    meter_demand_clear_max(&m->demand);
    return meter_snapshot(m);
}

enum err meter_rate_set(struct meter *m, uint8_t rate)
{
    const uint8_t before = meter_rate(m);
    enum err err = legal_rate_set(&m->legal, rate);
    if (err)
        return err;
    err = meter_snapshot(m);
    if (err && legal_rate_set(&m->legal, before) != ERR_OK)
        return ERR_STATE;
    return err;
}

uint8_t meter_rate(const struct meter *m)
{
    struct legal_snapshot s;
    legal_snapshot_get(&m->legal, &s);
    return s.rate;
}

void meter_temperature(struct meter *m, int32_t mc)
{
    legal_temperature_set(&m->legal, mc);
    meter_clock_temperature(&m->clock, mc);
}

/* ---- power-up ---- */

static enum err security_store(void *context, const struct dlms_keys *keys, uint8_t policy)
{
    struct meter *m = context;
    enum err err = meter_keep(m, meter_store_security(m, keys, policy));
    if (!err)
        meter_event_now(m, MODEL_EVENT_KEY_CHANGED);
    return err;
}

static enum err reserve(void *context, uint32_t limit)
{
    struct meter *m = context;
    return meter_keep(m, meter_store_tx(m, limit));
}

static bool present(void *context, const struct cosem_ref *o)
{
    const struct meter *m = context;
    return model_present(m->model, meter_features(m), o);
}

static bool config_valid(const struct meter_config *c)
{
    if (c->model == NULL || c->model != model_row(c->model) || (MODEL_ONLY && c->without != 0) ||
        c->flash == NULL || c->rng == NULL || strlen(c->serial) != METER_SERIAL_LEN)
        return false;
    for (size_t i = 0; i < METER_SERIAL_LEN; i++) {
        if (c->serial[i] < '0' || c->serial[i] > '9')
            return false;
    }
    return meter_crystal_valid(&c->crystal) &&
           memchr(c->password, '\0', sizeof c->password) != NULL;
}

static enum err start_legal(struct meter *m, const struct meter_config *c)
{
    struct legal_config legal;
    meter_legal_config(m->model, c->u_lsb_fv, c->i_lsb_fa, &legal);
    legal.f_nominal_mhz = m->f_mhz;
    return legal_init(&m->legal, &legal);
}

/* Device name (16 characters) and system title (8 octets) come from the one serial number. */
static void name_device(struct meter *m)
{
    memcpy(m->device_name, FLAG_ID, 3);
    memcpy(m->device_name + 3, meter_model(m)->type, 3);
    memcpy(m->device_name + 6, m->serial, METER_SERIAL_LEN);
    uint64_t number = 0;
    for (size_t i = 0; i < METER_SERIAL_LEN; i++)
        number = number * 10 + (uint64_t)(m->serial[i] - '0');
    uint8_t *title = m->server.config.title;
    memcpy(title, FLAG_ID, 3);
    for (size_t i = 0; i < 5; i++)
        title[3 + i] = (uint8_t)(number >> (8 * (4 - i)));
}

#define BOTH (DLMS_SC_AUTH | DLMS_SC_ENC)
static const struct cosem_client_entry clients[MODEL_N_CLIENTS] = {
    {METER_SAP_PUBLIC, COSEM_PUBLIC, COSEM_AUTH_NONE, 0, NULL},
    {METER_SAP_MANAGER, COSEM_MANAGER, COSEM_AUTH_HLS5, BOTH, NULL},
    {METER_SAP_READER, COSEM_READER, COSEM_AUTH_LLS, 0, NULL},
    {METER_SAP_READER_HLS, COSEM_READER, COSEM_AUTH_HLS5, BOTH, NULL},
};

static void start_server(struct meter *m, const struct meter_config *c)
{
    memcpy(m->clients, clients, sizeof clients);
    m->device = (struct cosem_device){.sap = 1,
                                      .name = m->device_name,
                                      .rows = model_rows,
                                      .n_rows = model_n_rows,
                                      .present = present,
                                      .context = m};
    m->devices[0] = &m->device;
    m->counters = (struct dlms_counter_store){.context = m, .reserve = reserve};
    m->server.tx.store = &m->counters;
    m->server.config = (struct cosem_server_config){.devices = m->devices,
                                                    .n_devices = 1,
                                                    .clients = m->clients,
                                                    .n_clients = MODEL_N_CLIENTS,
                                                    .rng = c->rng,
                                                    .before_tell = meter_before_tell,
                                                    .security_store = security_store,
                                                    .authenticated = meter_access_authenticated,
                                                    .refused = meter_access_refused,
                                                    .context = m,
                                                    .inactivity_ms = c->inactivity_ms};
    name_device(m);
}

/* The first life: nothing stored yet. */
static enum err begin(struct meter *m)
{
    uint32_t now_s = meter_now_s(m);
    meter_tell_begin(m);
    meter_demand_reset(&m->demand);
    for (unsigned k = 0; k < METER_AVERAGES_OF(m); k++)
        meter_average_reset(&m->average[k]);
    restart_averages(m, UINT_MAX);
    restart_demand(m, now_s);
    meter_profiles_begin(m);
    meter_time_report(m);
    return meter_snapshot(m);
}

/* Closes what the cut fell into: the interval gets its row at its nominal end and so does demand;
 * intervals wholly without power get none. */
static enum err resume(struct meter *m, const struct meter_config *config)
{
    meter_profiles_mend(m);
    meter_log_flush(m); /* what is owed: the queue now takes all that a start can bring */
    const int64_t off_ns = m->clock.base_ns;
    const uint32_t off_s = meter_now_s(m);
    meter_event(m, MODEL_EVENT_POWER_DOWN, off_s); /* by the clock as it was then */
    meter_time_resume(m, config);
    meter_outage_power_up(m, off_ns);
    uint32_t now_s = meter_now_s(m);
    if (now_s >= m->demand.due_s) {
        meter_demand_close(&m->demand, m->demand.due_s, m->clock.doubt, import_uwh(m));
        restart_demand(m, now_s);
    }
    close_averages(m);
    meter_profiles_resume(m);
    meter_time_report(m);
    meter_log_run(m);
    return meter_commit(m);
}

/* Rows, entries or damage where there is no snapshot: not the first life, whatever became of them,
 * and registers must not begin at zero again. */
static bool has_lived(const struct meter *m)
{
    bool lived = (m->nv.damaged & 2u << METER_RING_SNAPSHOT) != 0;
    for (uint8_t i = METER_RING_PROFILE; i < meter_n_rings(m->model); i++)
        lived = lived || (i != METER_RING_AUDIT && nv_count(&m->nv, i) > 0);
    return lived;
}

void meter_end(struct meter *m)
{
    cosem_server_end(&m->server);
}

enum err meter_init(struct meter *m, const struct meter_config *config)
{
    if (!config_valid(config))
        return ERR_RANGE;
    *m = (struct meter){.model = config->model,
                        .features = config->model->features & ~config->without,
                        .ratio = {{1, 1, 1, 1}},
                        .u_lsb_fv = config->u_lsb_fv,
                        .i_lsb_fa = config->i_lsb_fa,
                        .f_mhz = config->f_mhz != 0 ? config->f_mhz : config->model->f_mhz};
    memcpy(m->serial, config->serial, sizeof m->serial);
    meter_time_begin(m, config);
    start_server(m, config);
    enum err err = start_legal(m, config);
    if (!err)
        err = meter_store_mount(m, config->flash);
    if (!err)
        err = meter_store_load(m, config);
    if (!err)
        err = meter_load_parameters(m, config->calibration);
    if (!err)
        err = meter_watch_init(m);
    if (err)
        return err;
    m->clients[2].password = m->password[0] != '\0' ? m->password : NULL;
    err = meter_store_restore(m);
    memcpy(m->stored_floor, m->server.rx_floor, sizeof m->stored_floor);
    m->floors = METER_FLOORS_MAX;
    meter_log_start(m);
    if (err == ERR_NOT_FOUND)
        return has_lived(m) ? ERR_CORRUPT : begin(m);
    return err ? err : resume(m, config);
}
