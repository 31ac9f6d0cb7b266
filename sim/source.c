/* Sources of samples. See source.h. A recording is scaled to counts once, so that giving a block is
 * pointer arithmetic. */
#include "sim/source.h"
#include "sim/channels.h"
#include "sim/comtrade.h"
#include "sim/csv.h"
#include "sim/cycles.h"
#include "sim/load_wave.h"
#include "sim/resample.h"
#include "sim/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PI          3.14159265358979323846
#define HEADROOM    1.05 /* of the largest value, below full scale */
#define LSB_MIN     1e6  /* struct legal_config's range */
#define LSB_MAX     1e15
#define RATE_MIN    500.0
#define RATE_MAX    64000.0
#define STAMPED     2e-5   /* what rounding of stamps may put a rate wrong by */
#define LINE_OFF    0.05   /* of the line's frequency, between what the file states and shows */
#define FITTED_MAX  200000 /* samples; in a longer loop a cut at a sample is 2.5 ppm at most */
#define WINDOW_RATE 500.0  /* Hz: 60 s of full-scale squares stay below 2^61 */

struct loop_means { /* of one loop, in counts */
    double uu, ii, ui, u, i, u_re, u_im, i_re, i_im;
};

struct source {
    struct source_info info;
    struct source_options options;
    uint32_t off; /* bits of enum afe_channel that the panel switched off */
    bool repeat;
    char note[600];
    const int32_t *silence;
    int32_t *sample[AFE_N_CHANNELS]; /* recording: all samples; synth: one block */
    /* a recording */
    struct recording_rate *rate;
    size_t n_rates, n, loop_n, at, rate_at;
    double seconds, loop_seconds;
    int32_t *loop[AFE_N_CHANNELS]; /* loop_n samples where the loop had to be fitted; else NULL */
    double loop_hz;                /* rate of these; 0: the loop is the samples as they are */
    size_t loop_cycles;            /* 0: no frequency found */
    struct loop_means mean[LEGAL_N_PHASES];
    double in_mean, in_square;
    /* a synthesised network, or a load; both NULL for a recording */
    struct synth *synth;
    struct synth_spec spec;
    struct load_wave *load;
    struct load_spec load_spec; /* its rating on the primary side */
};

static double or_one(double x)
{
    return x != 0 ? x : 1;
}

static double lsb_of(const struct source *s, int channel)
{
    return 1e-15 * (double)(channel <= AFE_U3 ? s->info.u_lsb_fv : s->info.i_lsb_fa);
}

static uint64_t choose_lsb(uint64_t fixed, double peak)
{
    double lsb = ceil(peak * HEADROOM / AFE_FULL_SCALE * 1e15);
    if (fixed)
        return fixed;
    return (uint64_t)fmin(LSB_MAX, fmax(LSB_MIN, lsb));
}

static void choose_scale(struct source *s, const double peak[AFE_N_CHANNELS])
{
    double u = 0, i = 0;
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        if (c <= AFE_U3)
            u = fmax(u, peak[c]);
        else
            i = fmax(i, peak[c]);
    s->info.u_lsb_fv = choose_lsb(s->options.u_lsb_fv, u);
    s->info.i_lsb_fa = choose_lsb(s->options.i_lsb_fa, i);
}

/* --- recordings ----------------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *const *endings)
{
    const char *dot = strrchr(path, '.');
    for (; dot && *endings; endings++)
        if (strcasecmp(dot, *endings) == 0)
            return true;
    return false;
}

static enum err load(const char *path, struct recording *r, const struct fault *f)
{
    static const char *const comtrade[] = {".cfg", ".dat", ".cff", NULL};
    static const char *const table[] = {".csv", ".txt", ".tsv", NULL};
    if (ends_in(path, comtrade))
        return comtrade_load(path, r, f);
    if (ends_in(path, table))
        return csv_load(path, r, f);
    return fault_set(f, ERR_UNSUPPORTED,
                     "%s: not a waveform by its ending; understood are .cfg .dat .cff (COMTRADE), "
                     ".csv .txt .tsv (table with a column of time), synth:... and load:...",
                     path);
}

static double factor_of(const struct source *s, const struct channel_map *map, int input)
{
    double ratio = or_one(input <= AFE_U3 ? s->options.vt : s->options.ct);
    return map->factor[input] * or_one(s->options.scale) / ratio;
}

/* Rates from rounded time stamps may lie just outside. */
static enum err check_rates(const char *path, struct recording *r, const struct fault *f)
{
    for (size_t k = 0; k < r->n_rates; k++) {
        double near = fmin(RATE_MAX, fmax(RATE_MIN, r->rate[k].hz));
        if (!(fabs(r->rate[k].hz - near) <= near * STAMPED))
            return fault_set(f, ERR_UNSUPPORTED,
                             "%s: %g samples per second; a front end of 500 to 64 000 is simulated",
                             path, r->rate[k].hz);
        r->rate[k].hz = near;
    }
    return ERR_OK;
}

/* In the meter's unit. */
static void find_faults(struct source *s, const struct recording_channel *c, size_t n,
                        double factor, int input)
{
    struct recording_faults *f = &s->info.fault[input];
    recording_faults_find(c->sample, n, f);
    f->value *= factor;
    f->flat.value *= factor;
    f->torn.value *= factor;
    f->lone.value *= factor;
}

static void deskew(struct recording *r, size_t channel)
{
    double us = r->channel[channel].skew_s * 1e6;
    const char *name = r->channel[channel].name;
    bool moved = recording_deskew(r, channel);
    if (moved && !strstr(r->note, "skew"))
        recording_note(r, "channels moved by their skew, %s by %g us", name, us);
    else if (!moved && us != 0)
        recording_note(r, "%s states a skew of %g us, not compensated", name, us);
}

/* Gaps of the channels in use are filled, values checked, peaks found. */
static enum err prepare_channel(struct source *s, const char *path, struct recording *r,
                                const struct channel_map *map, int input, double *peak,
                                const struct fault *f)
{
    size_t filled, bad;
    size_t c = (size_t)map->index[input];
    if (recording_fill_gaps(r, c, &filled, &bad))
        return fault_set(
            f, ERR_FORMAT,
            "%s: channel %s misses values from sample-set %zu on, more than the 3 in a "
            "row that are filled by a straight line",
            path, r->channel[c].name, bad + 1);
    if (filled)
        recording_note(r, "%zu missing values of %s filled by straight lines", filled,
                       r->channel[c].name);
    for (size_t k = 0; k < r->n; k++)
        *peak = fmax(*peak, fabs(r->channel[c].sample[k]));
    find_faults(s, &r->channel[c], r->n, factor_of(s, map, input), input);
    deskew(r, c);
    *peak *= fabs(factor_of(s, map, input));
    if (!(*peak * HEADROOM < LSB_MAX * 1e-15 * AFE_FULL_SCALE))
        return fault_set(f, ERR_UNSUPPORTED, "%s: channel %s reaches %g %s, beyond any meter", path,
                         r->channel[c].name, *peak, input <= AFE_U3 ? "V" : "A");
    return ERR_OK;
}

/* As a converter gives them, clipped at its ends. Allocated. */
static int32_t *counts_of(const double *x, size_t n, double factor)
{
    int32_t *to = malloc(n * sizeof *to);
    for (size_t k = 0; to && k < n; k++) {
        double v = fmin(round(x[k] * factor), AFE_FULL_SCALE - 1);
        to[k] = (int32_t)fmax(v, -AFE_FULL_SCALE);
    }
    return to;
}

static enum err convert_channel(struct source *s, const struct recording *r,
                                const struct channel_map *map, int input)
{
    const double *x = r->channel[map->index[input]].sample;
    double factor = factor_of(s, map, input) / lsb_of(s, input);
    s->sample[input] = counts_of(x, r->n, factor);
    s->info.present |= 1u << input;
    return s->sample[input] ? ERR_OK : ERR_MEMORY;
}

/* The instant each sample begins at, and the end of the last one: n + 1 entries. */
static double *times_of(const struct recording *r)
{
    double *time = malloc((r->n + 1) * sizeof *time);
    if (!time)
        return NULL;
    double t0 = 0;
    size_t from = 0;
    for (size_t k = 0; k < r->n_rates; k++) {
        for (size_t j = from; j <= r->rate[k].end && j <= r->n; j++)
            time[j] = t0 + (double)(j - from) / r->rate[k].hz;
        from = r->rate[k].end;
        t0 = time[from];
    }
    return time;
}

/* The strongest voltage tells the frequency; a current where no voltage has one. */
static bool find_cycles(const struct recording *r, const struct channel_map *map,
                        const double *time, struct cycles *out)
{
    for (int kind = 0; kind < 2; kind++) {
        int best = -1;
        double strength, most = 0;
        for (int c = kind ? AFE_I1 : AFE_U1; c <= (kind ? AFE_I3 : AFE_U3); c++) {
            if (map->index[c] < 0)
                continue;
            strength = cycles_strength(r->channel[map->index[c]].sample, time, r->n) *
                       fabs(map->factor[c]);
            if (strength > most) {
                most = strength;
                best = map->index[c];
            }
        }
        if (best >= 0 && cycles_find(r->channel[best].sample, time, r->n, out))
            return true;
    }
    return false;
}

static double loop_sample(const struct source *s, int channel, size_t k)
{
    const int32_t *x = s->loop[channel] ? s->loop[channel] : s->sample[channel];
    return x ? x[k] : 0;
}

static void add_mean(struct source *s, int p, size_t k, double weight, double angle)
{
    struct loop_means *m = &s->mean[p];
    double u = loop_sample(s, p, k), i = loop_sample(s, AFE_I1 + p, k);
    double re = cos(angle) * weight, im = sin(angle) * weight;
    m->uu += u * u * weight;
    m->ii += i * i * weight;
    m->ui += u * i * weight;
    m->u += u * weight;
    m->i += i * weight;
    m->u_re += u * re;
    m->u_im += u * im;
    m->i_re += i * re;
    m->i_im += i * im;
}

/* When sample k of the loop begins. */
static double loop_time(const struct source *s, const double *time, size_t k)
{
    return s->loop_hz > 0 ? (double)k / s->loop_hz : time[k];
}

/* What source_window gives: means over the loop, each sample weighted by its duration. */
static void find_means(struct source *s, const double *time)
{
    double total = s->loop_seconds;
    for (size_t k = 0; k < s->loop_n; k++) {
        double at = loop_time(s, time, k), weight = (loop_time(s, time, k + 1) - at) / total;
        double angle = 2 * PI * (double)s->loop_cycles * at / total;
        for (int p = 0; p < LEGAL_N_PHASES; p++)
            add_mean(s, p, k, weight, angle);
        double in = loop_sample(s, AFE_IN, k);
        s->in_square += in * in * weight;
        s->in_mean += in * weight;
    }
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        s->info.u_rms = fmax(s->info.u_rms, sqrt(s->mean[p].uu) * lsb_of(s, AFE_U1));
}

/* Do the cycles end between samples, and not more than half a sample behind the last one? */
static bool is_cut(const struct recording *r, const struct cycles *c)
{
    double samples = (double)c->cycles / c->hz * r->rate[0].hz;
    return fabs(c->rounding) > 1e-9 && samples <= (double)r->n + 0.5;
}

/* Samples per cycle, from `least` on: powers of two, which the legal part's tables divide without
 * a rest; above those, whole quarters. */
static size_t fitted_samples(size_t least, double most)
{
    size_t n = 16;
    while (n < least && n < 256)
        n *= 2;
    if (n < least)
        n = (least + 3) / 4 * 4;
    return (double)n > most ? n - 4 : n;
}

/* Whole cycles that end between two samples: all channels on a grid that ends with them. */
static enum err fit_loop(struct source *s, struct recording *r, const struct channel_map *map,
                         const struct cycles *c)
{
    double seconds = (double)c->cycles / c->hz, span = seconds * r->rate[0].hz;
    s->loop_n = c->cycles * fitted_samples(c->n / c->cycles + 1, floor(RATE_MAX / c->hz));
    s->loop_hz = (double)s->loop_n / seconds;
    double *x = malloc(s->loop_n * sizeof *x);
    enum err err = x ? ERR_OK : ERR_MEMORY;
    for (int input = 0; input < AFE_N_CHANNELS && !err; input++) {
        if (map->index[input] < 0)
            continue;
        err = resample_loop(r->channel[map->index[input]].sample, r->n, span, x, s->loop_n);
        if (!err)
            s->loop[input] = counts_of(x, s->loop_n, factor_of(s, map, input) / lsb_of(s, input));
        if (!s->loop[input])
            err = ERR_MEMORY;
    }
    free(x);
    recording_note(r, "whole cycles: %zu in the first %.2f of %zu samples", c->cycles, span, r->n);
    return err;
}

static enum err find_loop(struct source *s, struct recording *r, const struct channel_map *map)
{
    struct cycles c;
    enum err err = ERR_OK;
    double *time = times_of(r);
    if (!time)
        return ERR_MEMORY;
    s->n = s->loop_n = r->n;
    if (find_cycles(r, map, time, &c)) {
        s->loop_n = c.n;
        s->loop_cycles = c.cycles;
        s->info.frequency_hz = c.hz;
        if (is_cut(r, &c) && r->n_rates == 1 && c.n <= FITTED_MAX)
            err = fit_loop(s, r, map, &c);
        else if (c.n != r->n)
            recording_note(r,
                           "whole cycles: %zu in the first %zu of %zu samples (cut %.4f of a "
                           "cycle off by rounding to a sample)",
                           c.cycles, c.n, r->n, fabs(c.rounding));
    } else {
        recording_note(r, "no frequency of 40 to 70 Hz over two cycles or more");
    }
    s->seconds = time[s->n];
    s->loop_seconds = loop_time(s, time, s->loop_n);
    if (!err)
        find_means(s, time);
    free(time);
    return err;
}

/* What the file says about itself and does not hold. */
static void note_contradictions(const struct source *s, struct recording *r,
                                const struct channel_map *map)
{
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        if (map->contrary >> c & 1)
            recording_note(r, "%s is in %s and taken for a %s", r->channel[map->index[c]].name,
                           r->channel[map->index[c]].unit, c <= AFE_U3 ? "voltage" : "current");
    double hz = s->info.frequency_hz, line = r->line_hz;
    if (hz > 0 && line > 0 && fabs(hz - line) > LINE_OFF * line)
        recording_note(r,
                       "the file states a line of %g Hz, its samples show %.4g Hz: is the "
                       "sample rate right?",
                       line, hz);
}

/* Primary values of one channel and secondary ones of another make no power. */
static void note_sides(struct recording *r, const struct channel_map *map)
{
    int first = -1;
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        const struct recording_channel *ch = &r->channel[map->index[c] < 0 ? 0 : map->index[c]];
        if (map->index[c] < 0 || (ch->side != 'P' && ch->side != 'S'))
            continue;
        if (first < 0)
            first = map->index[c];
        if (ch->side == r->channel[first].side || ch->primary == ch->secondary)
            continue;
        recording_note(r, "%s is told in %s values, %s in %s ones: see --ct and --vt",
                       r->channel[first].name,
                       r->channel[first].side == 'P' ? "primary" : "secondary", ch->name,
                       ch->side == 'P' ? "primary" : "secondary");
        return;
    }
}

/* The file has voltages, but none of a phase. */
static void note_no_voltage(struct recording *r, const struct channel_map *map)
{
    if (map->index[AFE_U1] >= 0 || map->index[AFE_U2] >= 0 || map->index[AFE_U3] >= 0)
        return;
    for (size_t c = 0; c < r->n_channels; c++) {
        const char *unit = r->channel[c].unit;
        if (strcasecmp(unit, "V") != 0 && strcasecmp(unit, "kV") != 0)
            continue;
        recording_note(r, "no voltage of a phase; %s and others are not used, --map u1=... can",
                       r->channel[c].name);
        return;
    }
}

static enum err take_recording(struct source *s, const char *path, struct recording *r,
                               const struct fault *f)
{
    struct channel_map map;
    double peak[AFE_N_CHANNELS] = {0};
    enum err err = channels_map(r, s->options.map, &map, f);
    if (!err)
        err = check_rates(path, r, f);
    for (int c = 0; c < AFE_N_CHANNELS && !err; c++)
        if (map.index[c] >= 0)
            err = prepare_channel(s, path, r, &map, c, &peak[c], f);
    if (err)
        return err;
    choose_scale(s, peak);
    for (int c = 0; c < AFE_N_CHANNELS && !err; c++)
        if (map.index[c] >= 0)
            err = convert_channel(s, r, &map, c);
    if (!err)
        err = find_loop(s, r, &map);
    if (!err)
        note_contradictions(s, r, &map);
    if (!err) {
        note_sides(r, &map);
        note_no_voltage(r, &map);
    }
    s->rate = r->rate;
    s->n_rates = r->n_rates;
    r->rate = NULL;
    r->n_rates = 0;
    s->info.rate_hz = s->rate[0].hz;
    snprintf(s->note, sizeof s->note, "%s", r->note);
    return err;
}

static enum err open_recording(struct source *s, const char *path, const struct fault *f)
{
    struct recording r = {0};
    enum err err = load(path, &r, f);
    if (!err)
        err = take_recording(s, path, &r, f);
    recording_free(&r);
    return err;
}

/* One block of each connected channel, for what is made as it goes. */
static enum err make_room(struct source *s)
{
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        if (!(s->info.present >> c & 1))
            continue;
        s->sample[c] = calloc(AFE_BLOCK_MAX, sizeof(int32_t));
        if (!s->sample[c])
            return ERR_MEMORY;
    }
    return ERR_OK;
}

/* --- synth ---------------------------------------------------------------------------------- */

static enum err restart_synth(struct source *s)
{
    free(s->synth);
    s->synth = synth_new(&s->spec, lsb_of(s, AFE_U1), lsb_of(s, AFE_I1), s->options.seed);
    return s->synth ? ERR_OK : ERR_MEMORY;
}

static void scale_spec(struct source *s)
{
    double u = or_one(s->options.scale) / or_one(s->options.vt);
    double i = or_one(s->options.scale) / or_one(s->options.ct);
    for (int p = 0; p < 3; p++) {
        s->spec.u[p] *= u;
        s->spec.i[p] *= i;
    }
    s->spec.in *= i;
    s->spec.idc *= i;
}

static enum err open_synth(struct source *s, const char *words, const struct fault *f)
{
    double peak[AFE_N_CHANNELS];
    enum err err = synth_parse(words, &s->spec, f);
    if (err)
        return err;
    scale_spec(s);
    synth_peaks(&s->spec, peak);
    choose_scale(s, peak);
    s->info.present = synth_present(&s->spec);
    s->info.rate_hz = s->spec.rate;
    s->info.frequency_hz = s->spec.hz;
    s->info.u_rms =
        fmax(s->spec.u[0], s->spec.n_phases == 3 ? fmax(s->spec.u[1], s->spec.u[2]) : 0);
    s->seconds = s->spec.seconds;
    s->n = (size_t)llround(s->spec.seconds * s->spec.rate);
    err = make_room(s);
    return err ? err : restart_synth(s);
}

/* --- loads ---------------------------------------------------------------------------------- */

/* The load is reckoned on the primary side, what comes out is on the meter's. */
static double ratio_u(const struct source *s)
{
    return or_one(s->options.vt) / or_one(s->options.scale);
}

static double ratio_i(const struct source *s)
{
    return or_one(s->options.ct) / or_one(s->options.scale);
}

static enum err restart_load(struct source *s)
{
    free(s->load);
    s->load = load_wave_new(&s->load_spec, lsb_of(s, AFE_U1) * ratio_u(s),
                            lsb_of(s, AFE_I1) * ratio_i(s));
    return s->load ? ERR_OK : ERR_MEMORY;
}

static enum err open_load(struct source *s, const char *words, const struct fault *f)
{
    static const struct load_rating usual = {
        .n_phases = 3, .u = 230, .hz = 50, .i_n = 5, .i_max = 60};
    double peak[AFE_N_CHANNELS];
    enum err err = load_parse(words, &s->load_spec, f);
    if (err)
        return err;
    struct load_rating *r = &s->load_spec.rating;
    *r = s->options.rating ? *s->options.rating : usual;
    s->load_spec.seed = s->options.seed;
    r->u *= or_one(s->options.vt);
    r->i_n *= or_one(s->options.ct);
    r->i_max *= or_one(s->options.ct);
    load_wave_peaks(&s->load_spec, peak);
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        peak[c] /= c <= AFE_U3 ? ratio_u(s) : ratio_i(s);
    choose_scale(s, peak);
    s->info.present = load_wave_present(&s->load_spec);
    s->info.rate_hz = s->load_spec.rate;
    s->info.frequency_hz = r->hz;
    s->info.u_rms = r->u / ratio_u(s);
    err = make_room(s);
    return err ? err : restart_load(s);
}

/* --- all ------------------------------------------------------------------------------------ */

static const struct {
    const char *mark;
    enum err (*open)(struct source *s, const char *spec, const struct fault *f);
} kinds[] = {{"synth:", open_synth}, {"load:", open_load}};

static enum err open_kind(struct source *s, const char *spec, const struct fault *f)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t n = strlen(kinds[k].mark);
        if (strncmp(spec, kinds[k].mark, n) == 0)
            return kinds[k].open(s, spec + n, f);
    }
    return open_recording(s, spec, f);
}

enum err source_open(struct source **out, const char *spec, const struct source_options *o,
                     char *error, size_t error_size)
{
    static const int32_t silence[AFE_BLOCK_MAX];
    struct fault f = {error, error_size};
    struct source *s = calloc(1, sizeof *s);
    *out = NULL;
    if (error_size)
        error[0] = '\0';
    if (!s)
        return fault_set(&f, ERR_MEMORY, "out of memory");
    s->options = *o;
    s->silence = silence;
    enum err err = open_kind(s, spec, &f);
    if (err == ERR_MEMORY)
        fault_set(&f, err, "%s: out of memory", spec);
    if (err) {
        source_close(s);
        return err;
    }
    s->options.map = NULL; /* borrowed for the call only, as is the rating */
    s->options.rating = NULL;
    s->repeat = o->repeat;
    *out = s;
    return ERR_OK;
}

static bool is_endless(const struct source *s)
{
    return s->synth || s->load;
}

void source_info_get(const struct source *s, struct source_info *out)
{
    bool loops = s->repeat && !is_endless(s);
    *out = s->info;
    out->note = s->note;
    out->cycles = loops ? (double)s->loop_cycles : 0;
    out->seconds = !s->repeat ? s->seconds : is_endless(s) ? 0 : s->loop_seconds;
    if (loops && s->loop_hz > 0)
        out->rate_hz = s->loop_hz;
    out->samples = !s->repeat ? s->n : is_endless(s) ? 0 : s->loop_n;
}

enum err source_restart(struct source *s, bool repeat)
{
    s->at = s->rate_at = 0;
    s->repeat = repeat;
    return s->synth ? restart_synth(s) : s->load ? restart_load(s) : ERR_OK;
}

void source_clock(struct source *s, int64_t utc_ns)
{
    if (s->load)
        load_wave_clock(s->load, utc_ns);
}

static void fill_block(struct source *s, struct afe_block *out, uint32_t n, size_t at, double rate)
{
    *out = (struct afe_block){
        .rate_uhz = (uint64_t)llround(rate * 1e6), .n = n, .present = s->info.present};
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        const int32_t *x = s->repeat && s->loop[c] ? s->loop[c] : s->sample[c];
        if (x)
            out->sample[c] = s->off >> c & 1 ? s->silence : x + at;
    }
}

static bool next_synth(struct source *s, uint32_t n, struct afe_block *out)
{
    if (s->n && !s->repeat) {
        double left = s->seconds - synth_time(s->synth);
        double sets = round(left * s->spec.rate);
        if (sets < 1)
            return false;
        n = sets < n ? (uint32_t)sets : n;
    }
    synth_fill(s->synth, n, s->sample);
    fill_block(s, out, n, 0, s->spec.rate);
    return true;
}

bool source_next(struct source *s, uint32_t max_n, struct afe_block *out)
{
    uint32_t n = max_n < 1 ? 1 : max_n > AFE_BLOCK_MAX ? AFE_BLOCK_MAX : max_n;
    if (s->load) {
        n = load_wave_fill(s->load, n, s->sample);
        fill_block(s, out, n, 0, s->load_spec.rate);
        return true;
    }
    if (s->synth)
        return next_synth(s, n, out);
    size_t end = s->repeat ? s->loop_n : s->n;
    if (s->at >= end) {
        if (!s->repeat)
            return false;
        s->at = s->rate_at = 0;
    }
    double hz = s->loop_hz;
    if (!s->repeat || !(hz > 0)) {
        while (s->rate[s->rate_at].end <= s->at)
            s->rate_at++;
        if (s->rate[s->rate_at].end < end)
            end = s->rate[s->rate_at].end;
        hz = s->rate[s->rate_at].hz;
    }
    if (end - s->at < n)
        n = (uint32_t)(end - s->at);
    fill_block(s, out, n, s->at, hz);
    s->at += n;
    return true;
}

void source_phase_set(struct source *s, unsigned phase, bool on)
{
    if (phase >= LEGAL_N_PHASES)
        return;
    uint32_t bits = 1u << (AFE_U1 + phase) | 1u << (AFE_I1 + phase);
    s->off = on ? s->off & ~bits : s->off | bits;
}

static int64_t sum_of(double mean, double n)
{
    return (int64_t)llround(mean * n);
}

static void window_of_loop(struct source *s, double seconds, struct legal_window *w)
{
    double n = seconds * WINDOW_RATE, hz = (double)s->loop_cycles / s->loop_seconds;
    *w = (struct legal_window){.n_q16 = (uint64_t)llround(n * 65536),
                               .rate_uhz = (uint64_t)(WINDOW_RATE * 1e6),
                               .frequency_uhz = (uint32_t)llround(hz * 1e6),
                               .flags = LEGAL_WINDOW_NO_CROSS,
                               .in_in = sum_of(s->in_square, n),
                               .in_sum = sum_of(s->in_mean, n)};
    for (int p = 0; p < LEGAL_N_PHASES; p++) {
        const struct loop_means *m = &s->mean[p];
        w->phase[p] = (struct legal_window_phase){.uu = sum_of(m->uu, n),
                                                  .ii = sum_of(m->ii, n),
                                                  .ui = sum_of(m->ui, n),
                                                  .u = sum_of(m->u, n),
                                                  .i = sum_of(m->i, n),
                                                  .u_re = sum_of(m->u_re, n),
                                                  .u_im = sum_of(m->u_im, n),
                                                  .i_re = sum_of(m->i_re, n),
                                                  .i_im = sum_of(m->i_im, n)};
    }
    double loops = (double)s->at / (double)s->loop_n + seconds / s->loop_seconds;
    s->at = (size_t)((loops - floor(loops)) * (double)s->loop_n);
    s->rate_at = 0;
}

enum err source_window(struct source *s, double seconds, struct legal_window *w)
{
    if (!(seconds > 0 && seconds <= 60))
        return ERR_RANGE;
    if (!is_endless(s) && !(s->repeat && s->loop_cycles))
        return ERR_UNSUPPORTED;
    if (s->load)
        load_wave_window(s->load, seconds, WINDOW_RATE, w);
    else if (s->synth)
        synth_window(s->synth, seconds, WINDOW_RATE, w);
    else
        window_of_loop(s, seconds, w);
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        if (s->off >> (AFE_U1 + p) & 1)
            w->phase[p] = (struct legal_window_phase){0};
    return ERR_OK;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        free(s->sample[c]);
        free(s->loop[c]);
    }
    free(s->rate);
    free(s->synth);
    free(s->load);
    free(s);
}
