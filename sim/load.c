/* See load.h: time of day and year, weather, chance, and from power to phasors. */
#include "sim/load_parts.h"
#include "sim/text.h"

#include "lib/base/civil.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_S    86400
#define HOUR_S   3600
#define YEAR     365.25
#define TILT_DEG 23.44 /* of the earth's axis */
#define LON_DEG  12.0  /* east: the middle of Central Europe */

typedef void load_model(struct load *l, const struct load_moment *m);
static const struct {
    const char *name;
    load_model *model;
    load_model *more; /* drawn as well */
    bool lives;       /* has a household's day */
} kinds[LOAD_N_KINDS] = {
    [LOAD_HOUSEHOLD] = {"household", load_household, NULL, true},
    [LOAD_SHOP] = {"shop", load_shop, NULL, false},
    [LOAD_PV] = {"pv", load_household, load_pv, true},
    [LOAD_SUBSTATION] = {"substation", load_substation, NULL, false},
    [LOAD_WORKSHOP] = {"workshop", load_workshop, NULL, false},
};

/* Of the fundamental, 3rd 5th 7th. Negative: against the fundamental at its crest, which makes the
 * third of a rectifier add to a narrow peak. Orders of size from the classes of IEC 61000-3-2. */
static const struct load_phasor shapes[LOAD_N_SHAPES][LOAD_ORDERS - 1] = {
    [LOAD_RESISTIVE] = {{0, 0}, {0, 0}, {0, 0}},
    [LOAD_ELECTRONIC] = {{-0.55, 0.08}, {0.30, -0.07}, {-0.12, 0.04}},
    [LOAD_LED] = {{-0.18, -0.06}, {0.09, 0.03}, {-0.05, 0}},
    [LOAD_MOTOR] = {{-0.06, 0.04}, {0.02, 0}, {0.01, 0}},
    [LOAD_DRIVE] = {{-0.01, 0}, {-0.24, 0.06}, {0.10, -0.02}},
    [LOAD_SOLAR] = {{0.008, 0}, {-0.012, 0.004}, {0.008, 0}},
    [LOAD_MIXED] = {{-0.035, 0.01}, {0.03, -0.03}, {-0.012, 0.006}},
};

/* ---- words ---- */

struct key {
    const char *name;
    double min, max;
    size_t offset;
};
#define FIELD(f) offsetof(struct load_spec, f)
static const struct key keys[] = {
    {"scale", 0, 1e6, FIELD(scale)},       {"rate", 1000, 64000, FIELD(rate)},
    {"kwp", 0, 1e6, FIELD(kwp)},           {"lat", -90, 90, FIELD(latitude)},
    {"heatpump", 0, 1e3, FIELD(heatpump)}, {"ev", 0, 1e3, FIELD(ev)},
};

static enum err refuse(const struct fault *f, struct span word, const char *why)
{
    char shown[61];
    text_copy(shown, sizeof shown, word);
    return fault_set(f, ERR_RANGE, "load: '%s' %s", shown, why);
}

static enum err out_of_range(const struct fault *f, struct span word, double min, double max)
{
    char why[80];
    snprintf(why, sizeof why, "is out of range: %.6g to %.6g", min, max);
    return refuse(f, word, why);
}

static enum err read_kind(struct span word, struct load_spec *out, const struct fault *f)
{
    for (unsigned k = 0; k < LOAD_N_KINDS; k++)
        if (text_is(word, kinds[k].name)) {
            out->kind = (enum load_kind)k;
            return ERR_OK;
        }
    return refuse(f, word, "is no load; there are household, shop, pv, substation and workshop");
}

static enum err read_word(struct span word, struct load_spec *out, const struct fault *f)
{
    struct span value = word, key;
    double number;
    text_field(&value, '=', &key);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        if (!text_is(key, keys[k].name))
            continue;
        if (!value.p || text_real(text_trim(value), &number) != TEXT_NUMBER)
            return refuse(f, word, "has no number");
        if (number < keys[k].min || number > keys[k].max)
            return out_of_range(f, word, keys[k].min, keys[k].max);
        memcpy((char *)out + keys[k].offset, &number, sizeof number);
        return ERR_OK;
    }
    return refuse(f, word, "has no known key; known are scale rate kwp lat heatpump ev");
}

enum err load_parse(const char *words, struct load_spec *out, const struct fault *f)
{
    struct span rest = {words, strlen(words)}, word;
    *out = (struct load_spec){.scale = 1, .rate = 4000, .kwp = 8, .latitude = 49};
    if (!text_field(&rest, ',', &word))
        word = (struct span){words, 0};
    enum err err = read_kind(word, out, f);
    while (!err && rest.p && text_field(&rest, ',', &word))
        err = word.len ? read_word(word, out, f) : ERR_OK;
    return err;
}

/* ---- chance ---- */

/* splitmix64: one well mixed number for each input. */
static double mixed(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((x ^ x >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

double load_chance(const struct load *l, unsigned stream, int64_t number)
{
    return mixed((l->spec.seed * UINT64_C(0xD1342543DE82EF95) + stream) *
                     UINT64_C(0xA24BAED4963EE407) +
                 (uint64_t)number);
}

double load_drift(const struct load *l, unsigned stream, double minute, double period)
{
    double at = minute / period, knot = floor(at), x = at - knot;
    double a = load_chance(l, stream, (int64_t)knot), b = load_chance(l, stream, (int64_t)knot + 1);
    return 2 * (a + (b - a) * x * x * (3 - 2 * x)) - 1;
}

double load_clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double load_hourly(const uint8_t percent[24], double hour)
{
    unsigned h = (unsigned)hour % 24;
    double x = hour - floor(hour), a = percent[h], b = percent[(h + 1) % 24];
    return (a + (b - a) * x * x * (3 - 2 * x)) / 100;
}

double load_since(double hour, double at)
{
    double x = load_clamp((hour - at) * 2 + 0.5, 0, 1);
    return x * x * (3 - 2 * x);
}

/* ---- time ---- */

/* Last Sunday of a month, 01:00 UTC: when European summer time begins or ends. */
static int64_t last_sunday(int32_t year, uint8_t month)
{
    struct civil c = {.year = year, .month = month, .day = 31, .hour = 1};
    return civil_to_seconds(&c) - civil_weekday(year, month, 31) % 7 * DAY_S;
}

static void find_zone(struct load *l, int64_t utc_s)
{
    struct civil c = civil_from_seconds(utc_s), next = {.year = c.year + 1, .month = 1, .day = 1};
    int64_t begin = last_sunday(c.year, 3), end = last_sunday(c.year, 10);
    bool summer = utc_s >= begin && utc_s < end;
    l->zone_s = summer ? 2 * HOUR_S : HOUR_S;
    l->changes_s = utc_s < begin ? begin : summer ? end : civil_to_seconds(&next);
}

static void find_day(struct load *l, int64_t number)
{
    struct load_day *d = &l->day;
    struct civil c = civil_from_seconds(number * DAY_S), new_year = {.month = 1, .day = 1};
    new_year.year = c.year;
    d->number = number;
    d->weekday = civil_weekday(c.year, c.month, c.day);
    d->of_year = (double)(number - civil_to_seconds(&new_year) / DAY_S);
    double turn = 2 * LOAD_PI * (d->of_year - 80.5) / YEAR, height = TILT_DEG * sin(turn);
    d->sin_sun = sin(height * LOAD_PI / 180);
    d->cos_sun = cos(height * LOAD_PI / 180);
    /* equation of time, minutes */
    d->sun_h = LON_DEG / 15 + (9.87 * sin(2 * turn) - 7.53 * cos(turn) - 1.5 * sin(turn)) / 60;
    d->n_events = 0;
    if (kinds[l->spec.kind].lives)
        load_household_day(l);
}

static double outside(const struct load *l, double minute, double hour)
{
    double year = -cos(2 * LOAD_PI * (l->day.of_year - 17) / YEAR);
    double day = cos(2 * LOAD_PI * (hour - 15) / 24);
    return 9 + 10.5 * year + 3.5 * day + 4 * load_drift(l, LOAD_STREAM_WEATHER, minute, 5760);
}

static struct load_moment moment_of(struct load *l, int64_t utc_s)
{
    int64_t local_s = utc_s + l->zone_s;
    if (!l->known || l->day.number != local_s / DAY_S)
        find_day(l, local_s / DAY_S);
    struct load_moment m = {.minute = utc_s / LOAD_MINUTE_S};
    m.hour = (double)(local_s % DAY_S) / HOUR_S;
    m.utc_h = (double)(utc_s % DAY_S) / HOUR_S;
    m.celsius = outside(l, (double)m.minute, m.hour);
    double lat = l->spec.latitude * LOAD_PI / 180;
    double angle = (m.utc_h + l->day.sun_h - 12) * LOAD_PI / 12;
    m.sun = sin(lat) * l->day.sin_sun + cos(lat) * l->day.cos_sun * cos(angle);
    return m;
}

/* ---- from power to phasors ---- */

static void draw_phase(struct load *l, unsigned phase, double w, double var,
                       const struct load_phasor *shape)
{
    double amp = w / l->spec.rating.u;
    l->p[phase] += w;
    l->q[phase] += var;
    for (unsigned k = 1; k < LOAD_ORDERS; k++) {
        l->state.i[phase][k].re += amp * shape[k - 1].re;
        l->state.i[phase][k].im += amp * shape[k - 1].im;
    }
}

void load_draw(struct load *l, unsigned phase, double w, double var, enum load_shape shape)
{
    unsigned n = l->spec.rating.n_phases;
    w *= l->spec.scale;
    var *= l->spec.scale;
    if (phase < LOAD_PHASES || n == 1) {
        draw_phase(l, n == 1 ? 0 : phase, w, var, shapes[shape]);
        return;
    }
    for (unsigned p = 0; p < n; p++)
        draw_phase(l, p, w / n, var / n, shapes[shape]);
}

/* The network breathes by a per cent or so, common to the phases, and sinks by 3 % at the rated
 * current. */
static double voltage(const struct load *l, unsigned phase, double minute, double common)
{
    const struct load_rating *r = &l->spec.rating;
    double sway = common + 0.003 * load_drift(l, LOAD_STREAM_SUPPLY + 1 + phase, minute, 5);
    double sink = 0.03 * l->p[phase] / (r->u * r->i_max);
    return r->u * (1.004 + sway - load_clamp(sink, -0.04, 0.04));
}

/* All orders of a phase smaller where the sum would go beyond what the meter is made for. */
static void bound(struct load_phasor *i, double i_max)
{
    double sum = 0;
    for (unsigned k = 0; k < LOAD_ORDERS; k++)
        sum += sqrt(i[k].re * i[k].re + i[k].im * i[k].im);
    for (unsigned k = 0; k < LOAD_ORDERS && sum > i_max; k++) {
        i[k].re *= i_max / sum;
        i[k].im *= i_max / sum;
    }
}

static void finish(struct load *l, const struct load_moment *m)
{
    const double minute = (double)m->minute;
    const double common = 0.008 * load_drift(l, LOAD_STREAM_SUPPLY, minute, 47);
    const double fifth = 0.016 + 0.005 * load_drift(l, LOAD_STREAM_SUPPLY + 4, minute, 90);
    struct load_state *s = &l->state;
    s->hz = l->spec.rating.hz * (1 + 0.0003 * load_drift(l, LOAD_STREAM_SUPPLY + 5, minute, 7) +
                                 0.0002 * load_drift(l, LOAD_STREAM_SUPPLY + 6, minute, 61));
    for (unsigned p = 0; p < l->spec.rating.n_phases; p++) {
        double u = voltage(l, p, minute, common);
        s->u[p][0] = (struct load_phasor){u, 0};
        s->u[p][1] = (struct load_phasor){-0.004 * u, 0};
        s->u[p][2] = (struct load_phasor){-0.8 * fifth * u, 0.6 * fifth * u};
        s->u[p][3] = (struct load_phasor){0.006 * u, 0};
        s->i[p][0] = (struct load_phasor){l->p[p] / u, -l->q[p] / u};
        bound(s->i[p], l->spec.rating.i_max);
    }
}

/* ---- interface ---- */

void load_init(struct load *l, const struct load_spec *spec)
{
    *l = (struct load){.spec = *spec};
}

const struct load_state *load_at(struct load *l, int64_t utc_s)
{
    int64_t start_s = utc_s - utc_s % LOAD_MINUTE_S;
    if (l->known && l->minute == start_s)
        return &l->state;
    if (!l->known || start_s < l->minute || start_s >= l->changes_s)
        find_zone(l, start_s);
    memset(l->p, 0, sizeof l->p);
    memset(l->q, 0, sizeof l->q);
    l->state = (struct load_state){0};
    struct load_moment m = moment_of(l, start_s);
    kinds[l->spec.kind].model(l, &m);
    if (kinds[l->spec.kind].more)
        kinds[l->spec.kind].more(l, &m);
    finish(l, &m);
    l->known = true;
    l->minute = start_s;
    return &l->state;
}

/* Two sines each of whole periods in a minute, voltage and current with different ones: over the
 * minute their means, and the mean of their product, are exactly nil. */
void load_ripple(const struct load *l, int64_t utc_s, unsigned phase, double *u, double *i)
{
    double turn = 2 * LOAD_PI * (double)(utc_s % LOAD_MINUTE_S) / LOAD_MINUTE_S;
    double at = 2 * LOAD_PI * load_chance(l, LOAD_STREAM_SUPPLY + 7, (int64_t)phase);
    *i = 1 + 0.010 * sin(7 * turn + at) + 0.008 * sin(17 * turn + 2 * at);
    *u = 1 + 0.0008 * sin(5 * turn + at) + 0.0006 * sin(13 * turn - at);
}
