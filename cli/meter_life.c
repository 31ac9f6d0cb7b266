/* See meter_life.h. */
#include "cli/meter_life.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_NS     (60 * METER_NS)
#define WINDOW_MIN_NS (METER_NS / 1000)
#define BETWEEN_HZ    55

static enum err fail(struct life *l, enum err err, const char *what)
{
    snprintf(l->why, sizeof l->why, "%s: %s", what, err_text(err));
    return err;
}

static enum err fail_plain(struct life *l, enum err err, const char *why)
{
    snprintf(l->why, sizeof l->why, "%s", why);
    return err;
}

static enum err open_source(struct life *l)
{
    const struct model_meter *m = l->o.model;
    const char *usual = m->is_ct ? "load:substation" : "load:household";
    const struct load_rating rating = {.n_phases = m->n_phases,
                                       .u = m->un_mv / 1e3,
                                       .hz = m->f_mhz / 1e3,
                                       .i_n = m->in_ma / 1e3,
                                       .i_max = m->imax_ma / 1e3};
    struct source_options o = l->o.how;
    o.repeat = true;
    o.seed = l->o.seed;
    o.rating = &rating;
    struct source_info info;
    const char *spec = l->o.source != NULL ? l->o.source : usual;
    enum err err = source_open(&l->source, spec, &o, l->why, sizeof l->why);
    if (err)
        return err;
    source_info_get(l->source, &info);
    l->u_lsb_fv = info.u_lsb_fv;
    l->i_lsb_fa = info.i_lsb_fa;
    l->f_mhz = info.frequency_hz > BETWEEN_HZ ? 60000 : 50000;
    return ERR_OK;
}

/* The server's context is the meter, which is the part of the life that it belongs to. */
static bool is_for_me(void *context, uint8_t network, struct bytes address)
{
    const struct life *l = (const void *)((const char *)context - offsetof(struct life, meter));
    const struct gateway_prefix *me = &l->o.gateway;
    return network == me->network && address.len == me->address_len &&
           memcmp(address.p, me->address, address.len) == 0;
}

/* As a factory measures it. */
static struct meter_crystal factory_word(const struct life *l)
{
    const struct crystal_options *o = &l->crystal.o;
    return (struct meter_crystal){.ppb = (int32_t)lround(o->ppm * 1e3),
                                  .ppb_per_k2 = (int32_t)lround(o->ppm_per_k2 * 1e3),
                                  .turnover_mc = (int32_t)lround(o->turnover_c * 1e3)};
}

static void start_crystal(struct life *l)
{
    const struct model_meter *m = l->o.model;
    struct crystal_options o = {.turnover_c = CRYSTAL_TURNOVER_C,
                                .reserve = m->reserve == MODEL_SUPERCAP ? CRYSTAL_SUPERCAP
                                                                        : CRYSTAL_BATTERY,
                                .reserve_s = m->reserve_s};
    if (l->o.has_crystal) {
        o.ppm = l->o.crystal_ppm;
        o.ppm_per_k2 = CRYSTAL_PPM_PER_K2;
    }
    crystal_begin(&l->crystal, &o, l->o.start_ns);
}

enum err life_mains_on(struct life *l)
{
    if (l->powered)
        return ERR_OK;
    struct meter_config config = {.model = l->o.model,
                                  .flash = l->o.flash,
                                  .rng = l->o.rng,
                                  .keys = l->o.keys,
                                  .time_ns = l->crystal.count_ns,
                                  .crystal_lost = l->crystal.lost,
                                  .frozen = true,
                                  .u_lsb_fv = l->u_lsb_fv,
                                  .i_lsb_fa = l->i_lsb_fa,
                                  .f_mhz = l->f_mhz,
                                  .calibration = l->o.calibration,
                                  .inactivity_ms = l->o.inactivity_ms};
    if (l->o.has_crystal)
        config.crystal = factory_word(l);
    memcpy(config.serial, l->o.serial, sizeof config.serial);
    memcpy(config.password, l->o.password, sizeof config.password);
    enum err err = meter_init(&l->meter, &config);
    wipe(&config, sizeof config);
    if (err == ERR_STATE)
        return fail_plain(l, err, "the flash belongs to another model or another order of it");
    if (err == ERR_VERSION)
        return fail_plain(l, err, "the flash was written by another version of the program");
    if (err)
        return fail(l, err, "power-up");
    if (l->o.has_gateway)
        l->meter.server.config.gateway = is_for_me;
    l->powered = true;
    crystal_set(&l->crystal, meter_crystal_ns(&l->meter));
    if (l->has_celsius || l->o.has_crystal)
        life_temperature(l, l->crystal.celsius);
    return ERR_OK;
}

void life_temperature(struct life *l, double celsius)
{
    l->has_celsius = true;
    l->crystal.celsius = celsius;
    if (l->powered)
        meter_temperature(&l->meter, (int32_t)lround(celsius * 1000));
}

enum err life_mains_off(struct life *l, bool warn)
{
    if (!l->powered)
        return ERR_OK;
    enum err err = warn ? meter_power_fail(&l->meter) : ERR_OK;
    meter_end(&l->meter);
    wipe(&l->meter, sizeof l->meter);
    l->powered = false;
    return err ? fail(l, err, "storing at power fail") : ERR_OK;
}

enum err life_begin(struct life *l, const struct life_options *o)
{
    memset(l, 0, sizeof *l);
    l->o = *o;
    l->window = o->window;
    start_crystal(l);
    enum err err = open_source(l);
    if (err)
        return err;
    err = life_mains_on(l);
    if (err)
        source_close(l->source);
    l->now_ns = l->crystal.count_ns;
    return err;
}

void life_end(struct life *l)
{
    /* the flash's own failures are told by the meter's rows; nobody is left to be told here */
    enum err err = life_mains_off(l, true);
    if (err)
        fprintf(stderr, "%s\n", l->why);
    source_close(l->source);
}

/* A window is counted when it is fed, so nothing is under way here. */
void life_samples(struct life *l)
{
    l->window = false;
}

void life_phase(struct life *l, unsigned phase, bool on)
{
    l->phase_off[phase] = !on;
    source_phase_set(l->source, phase, on);
}

static enum err live_samples(struct life *l, int64_t ns)
{
    struct source_info info;
    struct afe_block block;
    source_info_get(l->source, &info);
    double n = (double)ns * 1e-9 * info.rate_hz + 1;
    if (!source_next(l->source, n < AFE_BLOCK_MAX ? (uint32_t)n : AFE_BLOCK_MAX, &block)) {
        l->ended = true;
        return ERR_OK;
    }
    enum err err = meter_samples(&l->meter, &block);
    return err ? fail(l, err, "samples") : ERR_OK;
}

/* Windows end with intervals, with whole minutes (in which a load stays as it is) and with whole
 * seconds. */
static enum err live_window(struct life *l, int64_t ns)
{
    struct legal_window w;
    int64_t due = (int64_t)meter_due_ns(&l->meter);
    int64_t to_second = METER_NS - l->now_ns % METER_NS;
    int64_t to_minute = MINUTE_NS - l->now_ns % MINUTE_NS;
    if (ns > to_second)
        to_second += (ns - to_second) / METER_NS * METER_NS;
    ns = due < to_second ? due : to_second;
    if (ns > to_minute)
        ns = to_minute;
    if (ns < WINDOW_MIN_NS)
        ns = WINDOW_MIN_NS;
    enum err err = source_window(l->source, (double)ns / 1e9, &w);
    if (err)
        return fail(l, err, "window of the source");
    err = meter_window(&l->meter, &w);
    if (err == ERR_RANGE)
        return fail_plain(l, err, "the source gives more than the meter's inputs take: --ct, --vt");
    return err ? fail(l, err, "window") : ERR_OK;
}

/* What the meter was fed has passed. */
static void pass(struct life *l, int64_t fed_ns)
{
    l->now_ns += fed_ns;
    crystal_pass(&l->crystal, fed_ns, true);
    if (l->o.has_crystal)
        meter_crystal_shows(&l->meter, l->crystal.count_ns);
}

static void pass_dark(struct life *l, int64_t ns)
{
    l->now_ns += ns;
    crystal_pass(&l->crystal, ns, false);
}

void life_wait(struct life *l, int64_t ns)
{
    if (l->powered)
        return;
    pass_dark(l, ns);
    l->skipped_ns += ns;
}

enum err life_run(struct life *l, int64_t to_ns)
{
    while (l->powered && !l->ended && l->now_ns < to_ns) {
        int64_t ns = to_ns - l->now_ns;
        int64_t before_ns = meter_crystal_ns(&l->meter);
        source_clock(l->source, l->now_ns);
        enum err err = l->window ? live_window(l, ns) : live_samples(l, ns);
        if (err)
            return err;
        pass(l, meter_crystal_ns(&l->meter) - before_ns);
    }
    if (l->now_ns < to_ns && !l->powered)
        pass_dark(l, to_ns - l->now_ns);
    return ERR_OK;
}
