/* See meter_time.h. Numbers in comments are the rules of docs/TIME.md.
 *
 *             a full date and time: SET, preset (move; 13 to 16)
 *     INVALID --------------------------------------------------> VALID <--. any correction
 *        ^                                                          | '----' (move; 12 to 16)
 *        '----------------------------------------------------------'
 *             power-up with a crystal not to be believed (believe; 26, 28)
 *
 * Facts: INVALID is clock.doubt, which the snapshot keeps, so a restart makes nothing valid; then
 * date-times have 01, rows CIV and DNV, pulses and methods 1 to 3 and 6 are refused (27), and each
 * power-up is an event. The crystal's count (base_ns) is never set but at power-up. */
#include "firmware/meter/meter_time.h"

#include "firmware/meter/meter.h"
#include "firmware/meter/meter_log.h"
#include "firmware/meter/meter_store.h"

/* ---- setting ---- */

static bool in_years(int64_t utc_ns)
{
    return utc_ns >= METER_TIME_MIN_NS && utc_ns < METER_TIME_END_NS;
}

static void look_for_season(struct meter *m)
{
    m->clock.season_s = meter_clock_season(&m->clock, meter_now_s(m));
}

/* The clock shows another time from now on; true when it left marks. */
static bool move(struct meter *m, int64_t utc_ns)
{
    int64_t delta = utc_ns - meter_clock_ns(&m->clock);
    int64_t limit = m->clock.shift_s * METER_NS;
    if (m->clock.doubt == 0 && (delta < 0 ? -delta : delta) <= limit) {
        meter_clock_set_ns(&m->clock, utc_ns);
        meter_idle(m, 0); /* 12: ends passed over, before what comes counts into them */
        return false;
    }
    meter_event_now(m, MODEL_EVENT_CLOCK_OLD);
    meter_rows_leave(m);
    meter_clock_set_ns(&m->clock, utc_ns);
    meter_rows_enter(m);
    look_for_season(m);
    meter_event_now(m, MODEL_EVENT_CLOCK_NEW);
    return true;
}

enum err meter_clock_change(struct meter *m, int64_t utc_ns)
{
    if (!in_years(utc_ns))
        return ERR_RANGE;
    (void)move(m, utc_ns);
    return meter_commit(m);
}

/* Stores the clock's parameters; on a failure those before stay. */
static enum err keep_clock(struct meter *m, const struct meter_clock *before)
{
    enum err err = meter_keep(m, meter_store_clock(m));
    if (err)
        m->clock = *before;
    else
        meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return err;
}

enum err meter_clock_rules(struct meter *m, const struct meter_clock *before)
{
    enum err err = keep_clock(m, before);
    if (err)
        return err;
    meter_rows_regrid(m);
    look_for_season(m);
    return meter_snapshot(m);
}

enum err meter_clock_preset(struct meter *m, int64_t to_s, int64_t first_s, int64_t last_s)
{
    const struct meter_clock before = m->clock;
    m->clock.preset_s = to_s;
    m->clock.preset_from_s = first_s;
    m->clock.preset_to_s = last_s;
    return keep_clock(m, &before);
}

enum err meter_shift_limit(struct meter *m, uint16_t seconds)
{
    const struct meter_clock before = m->clock;
    if (seconds > METER_SHIFT_MAX_S)
        return ERR_RANGE;
    m->clock.shift_s = seconds;
    return keep_clock(m, &before);
}

/* ---- master clock ---- */

#define PULSE_PART 4 /* of a period, at most */

static enum err pulse_ignored(struct meter *m)
{
    m->clock.n_ignored++;
    return ERR_STATE;
}

enum err meter_time_pulse(struct meter *m, uint32_t period_s)
{
    int64_t now_ns = meter_clock_ns(&m->clock);
    if (period_s == 0 || period_s > METER_DAY_S)
        return ERR_RANGE;
    int64_t to_ns = meter_clock_nearest(&m->clock, now_ns, period_s);
    int64_t delta = to_ns > now_ns ? to_ns - now_ns : now_ns - to_ns;
    if (m->clock.doubt != 0 || delta > period_s * METER_NS / PULSE_PART || !in_years(to_ns))
        return pulse_ignored(m);
    m->clock.n_pulses++;
    return move(m, to_ns) ? meter_commit(m) : ERR_OK;
}

/* ---- the crystal ---- */

#define SEALED       1 /* legal_audit.reason */
#define OUT_OF_RANGE 2

static bool is_sealed(const struct meter *m)
{
    struct legal_status s;
    legal_status_get(&m->legal, &s);
    return s.sealed;
}

static void use_crystal(struct meter *m, const struct meter_crystal *x)
{
    m->clock.crystal = *x;
    meter_clock_temperature(&m->clock, m->clock.temperature_mc);
}

/* Recorded first, then stored: as meter_parameter.c does. */
enum err meter_crystal_set(struct meter *m, uint16_t client_sap, unsigned part, int64_t value)
{
    struct meter_crystal changed = m->clock.crystal;
    struct legal_snapshot s;
    if (part >= METER_N_CRYSTAL)
        return ERR_RANGE;
    const bool sealed = is_sealed(m), valid = meter_crystal_put(&changed, part, value);
    legal_snapshot_get(&m->legal, &s);
    const struct legal_audit audit = {.change = sealed || !valid ? LEGAL_CHANGE_REFUSED
                                                                 : LEGAL_CHANGE_DONE,
                                      .sequence = s.audit_sequence,
                                      .parameter = (uint8_t)(METER_AUDIT_CRYSTAL + part),
                                      .reason = sealed   ? SEALED
                                                : !valid ? OUT_OF_RANGE
                                                         : 0,
                                      .before = meter_crystal_part(&m->clock.crystal, part),
                                      .after = value};
    enum err err = meter_keep(m, meter_audit_append(m, client_sap, &audit));
    if (err || sealed || !valid)
        return sealed ? ERR_ACCESS : !valid ? ERR_RANGE : err;
    use_crystal(m, &changed);
    return meter_keep(m, meter_store_clock(m));
}

void meter_crystal_redo(struct meter *m, const struct legal_audit *a)
{
    struct meter_crystal changed = m->clock.crystal;
    if (a->parameter >= METER_AUDIT_CRYSTAL && a->parameter < METER_AUDIT_RATIO &&
        meter_crystal_put(&changed, (unsigned)a->parameter - METER_AUDIT_CRYSTAL, a->after))
        use_crystal(m, &changed);
}

void meter_crystal_shows(struct meter *m, int64_t crystal_ns)
{
    int64_t ahead_ns = m->clock.base_ns - crystal_ns;
    m->clock.ahead_ns = ahead_ns > 0 ? ahead_ns : 0;
    if (ahead_ns < 0)
        meter_idle(m, (uint64_t)-ahead_ns);
}

uint64_t meter_time_owed(struct meter *m, uint64_t ns)
{
    uint64_t ahead_ns = (uint64_t)m->clock.ahead_ns;
    uint64_t waited_ns = ns < ahead_ns ? ns : ahead_ns;
    m->clock.ahead_ns -= (int64_t)waited_ns;
    return ns - waited_ns;
}

/* ---- power-up ---- */

/* One that began anew shows 1970 or whatever its chip calls the first day. */
static bool is_lost(const struct meter_config *config)
{
    return config->crystal_lost || !in_years(config->time_ns);
}

void meter_time_begin(struct meter *m, const struct meter_config *config)
{
    const bool lost = is_lost(config);
    meter_clock_reset(&m->clock);
    m->clock.base_ns = lost ? METER_TIME_MIN_NS : config->time_ns;
    m->clock.doubt = lost ? DATETIME_INVALID : 0;
    look_for_season(m);
}

/* What the crystal went on by while there was no power, if it can be believed. */
static bool believe(struct meter *m, const struct meter_config *config)
{
    if (is_lost(config))
        return false;
    int64_t gap_ns = config->time_ns - m->clock.base_ns;
    if (gap_ns < 0 && gap_ns > -METER_NS) { /* meter_crystal_shows() was still waited for */
        m->clock.ahead_ns = -gap_ns;
        return true;
    }
    if (gap_ns < 0)
        return config->frozen;
    if (!in_years(meter_clock_ns(&m->clock)) ||
        gap_ns >= METER_TIME_END_NS - meter_clock_ns(&m->clock))
        return false;
    meter_clock_run(&m->clock, config->time_ns);
    return true;
}

void meter_time_resume(struct meter *m, const struct meter_config *config)
{
    if (!believe(m, config))
        m->clock.doubt |= DATETIME_INVALID;
    look_for_season(m);
}

void meter_time_report(struct meter *m)
{
    if (m->clock.doubt != 0)
        meter_event_now(m, MODEL_EVENT_CLOCK_INVALID);
}

void meter_time_season(struct meter *m)
{
    uint32_t at_s = m->clock.season_s;
    if (meter_now_s(m) < at_s)
        return;
    if (meter_clock_dst(&m->clock, at_s) != meter_clock_dst(&m->clock, at_s - 1))
        meter_event(m, MODEL_EVENT_DST_CHANGE, at_s - 1);
    look_for_season(m);
}
