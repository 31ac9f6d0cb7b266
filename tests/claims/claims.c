/* See claims.h. */
#include "tests/claims/claims.h"

#include <math.h>

#define PI      3.14159265358979323846
#define RADIAN  (PI / 180)
#define N_STEPS 8

struct rig *claim_meter(const char *model, uint32_t without)
{
    return claim_meter_at(model, without, "2026-01-10T00:00:00");
}

struct rig *claim_meter_at(const char *model, uint32_t without, const char *start)
{
    const struct model_meter *m = model_meter_find(model);
    char load[80];
    assert_non_null(m);
    snprintf(load, sizeof load, "synth:phases=%u,u=%g,i=%g", m->n_phases, m->un_mv * 1.5e-3,
             m->imax_ma * 1.5e-3);
    struct rig *r = rig_new(model, start, load);
    if (without != 0) {
        flash_emu_free(&r->emu);
        flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(m));
        r->config.without = without;
        assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    }
    return r;
}

struct rig *claim_meter_ordered(const char *model, const char *words)
{
    static struct model_meter ordered;
    const struct model_meter *m = model_meter_find(model);
    assert_non_null(m);
    assert_int_equal(model_order(m, words, &ordered, NULL), ERR_OK);
    struct rig *r = claim_meter(model, 0);
    double more = ordered.un_mv * (ordered.is_3wire ? sqrt(3) : 1) / m->un_mv;
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(&ordered));
    r->config.model = &ordered;
    r->config.f_mhz = 0;
    r->config.u_lsb_fv = (uint64_t)((double)r->config.u_lsb_fv * more);
    r->config.i_lsb_fa = r->config.i_lsb_fa / m->imax_ma * ordered.imax_ma;
    meter_end(&r->meter);
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    return r;
}

unsigned claim_phases(const struct rig *r)
{
    return r->config.model->n_phases;
}

/* ---- loads ---- */

struct claim_load claim_load(const struct rig *r, double part, double lag)
{
    static const double u_part[3] = {1, 1.03, 0.96}, i_part[3] = {1, 0.87, 0.71};
    static const double turn[3] = {0, -120, -240}, more_lag[3] = {0, 7, -11};
    const struct model_meter *m = r->config.model;
    struct claim_load l = {.f = 50};
    for (unsigned p = 0; p < claim_phases(r); p++) {
        l.u[p] = m->un_mv * 1e-3 * u_part[p];
        l.u_deg[p] = turn[p];
        l.i[p] = m->imax_ma * 1e-3 * part * i_part[p];
        l.lag[p] = lag + more_lag[p];
    }
    return l;
}

static void sample(const struct claim_load *l, unsigned p, double t, double *u, double *i)
{
    double turn = 2 * PI * l->f * t, au = turn + l->u_deg[p] * RADIAN;
    double ai = au - l->lag[p] * RADIAN;
    *u = sin(au);
    *i = sin(ai);
    for (unsigned k = 0; k < CLAIM_LINES; k++) {
        *u += l->line[k].u * sin(l->line[k].order * au);
        *i += l->line[k].i * sin(l->line[k].order * ai);
    }
    *u *= sqrt(2) * l->u[p];
    *i *= sqrt(2) * l->i[p];
}

uint64_t claim_samples;
static int32_t samples[AFE_N_CHANNELS][AFE_BLOCK_MAX];

/* One instant of all channels. */
static void sample_set(const struct rig *r, const struct claim_load *l, double t, uint32_t k)
{
    double u_lsb = (double)r->config.u_lsb_fv * 1e-15, i_lsb = (double)r->config.i_lsb_fa * 1e-15;
    double back = 0, i1 = 0;
    for (unsigned p = 0; p < claim_phases(r); p++) {
        double u, i;
        sample(l, p, t, &u, &i);
        samples[AFE_U1 + p][k] = (int32_t)lround(u / u_lsb);
        samples[AFE_I1 + p][k] = (int32_t)lround(i / i_lsb);
        back -= i;
        i1 = p == 0 ? i : i1;
    }
    if (l->stray > 0)
        back += l->stray / l->i[0] * i1;
    samples[AFE_IN][k] = (int32_t)lround(back / i_lsb);
}

void claim_feed(struct rig *r, const struct claim_load *l, double seconds, double rate)
{
    uint64_t total = (uint64_t)(seconds * rate + 0.5);
    struct afe_block b = {.rate_uhz = (uint64_t)(rate * 1e6 + 0.5)};
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        bool phase = c != AFE_IN && (c < AFE_I1 ? c - AFE_U1 : c - AFE_I1) < claim_phases(r);
        if (phase || (c == AFE_IN && l->neutral)) {
            b.present |= 1u << c;
            b.sample[c] = samples[c];
        }
    }
    for (uint64_t at = 0; at < total; at += b.n) {
        claim_samples = at;
        b.n = total - at < AFE_BLOCK_MAX ? (uint32_t)(total - at) : AFE_BLOCK_MAX;
        for (uint32_t k = 0; k < b.n; k++)
            sample_set(r, l, (double)(at + k) / rate, k);
        assert_int_equal(meter_samples(&r->meter, &b), ERR_OK);
    }
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
}

void claim_live(struct rig *r, const struct claim_load *l, int64_t seconds)
{
    char spec[400], error[200];
    struct source_options o = {
        .repeat = true, .u_lsb_fv = r->config.u_lsb_fv, .i_lsb_fa = r->config.i_lsb_fa};
    int n = snprintf(spec, sizeof spec, "synth:phases=%u,f=%.9g", claim_phases(r), l->f);
    for (unsigned p = 0; p < claim_phases(r); p++)
        n += snprintf(spec + n, sizeof spec - (size_t)n, ",u%u=%.9g,i%u=%.9g,phi%u=%.9g", p + 1,
                      l->u[p], p + 1, l->i[p], p + 1, l->lag[p]);
    source_close(r->source);
    r->source = NULL;
    if (source_open(&r->source, spec, &o, error, sizeof error) != ERR_OK)
        fail_msg("%s", error);
    rig_live(r, seconds);
}

/* ---- what is right ---- */

static void enter(struct claim_energies *e, double p, double q, double s)
{
    unsigned quadrant = q >= 0 ? (p >= 0 ? 0 : 1) : (p < 0 ? 2 : 3);
    e->a[p < 0] += fabs(p);
    e->r[quadrant] += fabs(q);
    e->s[p < 0] += s;
    e->s_all += s;
}

void claim_count(struct claim_book *b, const struct claim_load *l, unsigned n_phases,
                 double seconds)
{
    double h = seconds / 3600, sum_p = 0, sum_q = 0, sum_s = 0;
    for (unsigned p = 0; p < n_phases; p++) {
        double s = l->u[p] * l->i[p] * h;
        enter(&b->of[1 + p], s * cos(l->lag[p] * RADIAN), s * sin(l->lag[p] * RADIAN), s);
        sum_p += s * cos(l->lag[p] * RADIAN);
        sum_q += s * sin(l->lag[p] * RADIAN);
        sum_s += s;
    }
    enter(&b->of[0], sum_p, sum_q, sum_s);
}

double claim_energy(const struct claim_energies *e, unsigned c)
{
    switch (c) {
    case 1:
    case 2:
        return e->a[c - 1];
    case 3:
        return e->r[0] + e->r[1];
    case 4:
        return e->r[2] + e->r[3];
    case 5:
    case 6:
    case 7:
    case 8:
        return e->r[c - 5];
    case 9:
    case 10:
        return e->s[c - 9];
    case 15:
        return e->a[0] + e->a[1];
    case 130:
        return e->r[0] + e->r[1] + e->r[2] + e->r[3];
    default:
        fail_msg("no energy has C = %u", c);
        return 0;
    }
}

uint8_t claim_unit(unsigned c, bool energy)
{
    if (c <= 2 || c == 15)
        return energy ? COSEM_UNIT_WH : COSEM_UNIT_W;
    if (c == 9 || c == 10)
        return energy ? COSEM_UNIT_VAH : COSEM_UNIT_VA;
    return energy ? COSEM_UNIT_VARH : COSEM_UNIT_VAR;
}

/* ---- what the meter says ---- */

static int64_t read_int(struct rig *r, const char *obis)
{
    struct apdu_attr a = rig_attr(3, obis, 2);
    if (!rig_get(r, &a))
        fail_msg("%s %s: %s", r->config.model->name, obis, cosem_result_text(r->result));
    struct rd rd = rd_of(r->answer, r->answer_len);
    int64_t value = axdr_get_int(&rd);
    assert_int_equal(rd.err, ERR_OK);
    return value;
}

double claim_get(struct rig *r, const char *obis, uint8_t unit)
{
    struct apdu_attr a = rig_attr(3, obis, 3);
    int64_t value = read_int(r, obis);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    axdr_get_struct(&rd, 2);
    int64_t scaler = axdr_get_int(&rd);
    assert_int_equal(axdr_get_uint(&rd), unit);
    assert_int_equal(rd.err, ERR_OK);
    return (double)value * pow(10, (double)scaler);
}

double claim_get_of(struct rig *r, unsigned c, unsigned d, unsigned phase, uint8_t unit)
{
    char obis[24];
    snprintf(obis, sizeof obis, "1-0:%u.%u.0.255", c + 20 * phase, d);
    return claim_get(r, obis, unit);
}

bool claim_lacks(struct rig *r, uint16_t class_id, const char *obis)
{
    struct apdu_attr a = rig_attr(class_id, obis, 2);
    return !rig_get(r, &a) && r->result == COSEM_OBJECT_UNDEFINED;
}

enum cosem_result claim_set(struct rig *r, uint16_t class_id, const char *obis, uint64_t raw)
{
    struct apdu_attr a = rig_attr(class_id, obis, 2);
    uint8_t value[9];
    assert_true(rig_get(r, &a));
    size_t n = r->answer_len;
    assert_true(n >= 2 && n <= sizeof value); /* tag and a number */
    value[0] = r->answer[0];
    for (size_t k = 1; k < n; k++)
        value[k] = (uint8_t)(raw >> 8 * (n - 1 - k));
    (void)rig_set(r, &a, (struct bytes){value, n});
    return r->result;
}

void claim_near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: %.6g, should be %.6g within %.3g", what, got, want, tolerance);
}

/* The total alone stands for the phase of a single-phase meter. */
static unsigned last_phase(const struct rig *r, bool phases)
{
    return phases && claim_phases(r) > 1 ? claim_phases(r) : 0;
}

static void check(struct rig *r, const struct claim_book *b, const uint8_t *codes, bool phases,
                  bool energy, double part, double unit)
{
    char what[80];
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    for (; *codes != 0; codes++) {
        for (unsigned p = 0; p <= last_phase(r, phases); p++) {
            const struct claim_energies *e = &b->of[p];
            snprintf(what, sizeof what, "%s C=%u of %s%u", r->config.model->name, *codes,
                     p > 0 ? "L" : "total ", p);
            claim_near(what, claim_get_of(r, *codes, energy ? 8 : 7, p, claim_unit(*codes, energy)),
                       claim_energy(e, *codes), part * e->s_all + unit);
        }
    }
    rig_release(r);
}

void claim_check_energies(struct rig *r, const struct claim_book *b, const uint8_t *codes,
                          bool phases, double part)
{
    check(r, b, codes, phases, true, part, pow(10, r->config.model->energy_scaler));
}

void claim_check_powers(struct rig *r, const struct claim_load *l, const uint8_t *codes,
                        bool phases)
{
    struct claim_book hour = {0};
    claim_count(&hour, l, claim_phases(r), 3600);
    check(r, &hour, codes, phases, false, 0.001, 0.2);
}

/* ---- the walk through the quadrants ---- */

static struct claim_load step_load(const struct rig *r, unsigned step)
{
    static const double lag[5] = {35, 140, -150, -40, 20};
    struct claim_load l = claim_load(r, 0.8, step < 5 ? lag[step] : 25);
    if (step == 4) { /* phases against each other: the sum is what is left */
        l.lag[1] += 180;
        l.lag[2] -= 90;
    }
    for (unsigned p = 0; p < claim_phases(r) && step >= 5; p++) /* each phase alone */
        l.i[p] = p == step - 5 ? l.i[p] : 0;
    return l;
}

void claim_energies_hold(const char *model, const uint8_t *codes, bool phases)
{
    struct rig *r = claim_meter(model, 0);
    struct claim_book book = {0};
    for (unsigned hours = 0; hours < 2; hours++) {
        for (unsigned step = 0; step < (claim_phases(r) == 3 ? N_STEPS : 4); step++) {
            struct claim_load l = step_load(r, step);
            claim_count(&book, &l, claim_phases(r), hours ? 3600 : 5);
            if (hours)
                claim_live(r, &l, 3600);
            else
                claim_feed(r, &l, 5, 1600);
            claim_check_energies(r, &book, codes, phases, hours ? 0.0002 : 0.001);
        }
    }
    rig_free(r);
}

void claim_powers_hold(const char *model, const uint8_t *codes, bool phases)
{
    struct rig *r = claim_meter(model, 0);
    for (unsigned step = 0; step < (claim_phases(r) == 3 ? N_STEPS : 4); step++) {
        struct claim_load l = step_load(r, step);
        claim_feed(r, &l, 4, 1600);
        claim_check_powers(r, &l, codes, phases);
    }
    rig_free(r);
}
