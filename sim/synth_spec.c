/* The words of a synth: specification. See synth.h. */
#include "sim/synth.h"
#include "sim/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PI        3.14159265358979323846
#define ORDER_MAX 50

struct key {
    const char *name;
    double min, max;
    size_t offset; /* of a double in struct synth_spec */
};
#define FIELD(f) offsetof(struct synth_spec, f)
static const struct key keys[] = {
    {"f", 40, 70, FIELD(hz)},           {"rate", 500, 64000, FIELD(rate)},
    {"noise", 0, 1, FIELD(noise)},      {"idc", -1e5, 1e5, FIELD(idc)},
    {"in", 0, 1e5, FIELD(in)},          {"seconds", 0, 1e9, FIELD(seconds)},
    {"u1", 0, 1e6, FIELD(u[0])},        {"u2", 0, 1e6, FIELD(u[1])},
    {"u3", 0, 1e6, FIELD(u[2])},        {"i1", 0, 1e5, FIELD(i[0])},
    {"i2", 0, 1e5, FIELD(i[1])},        {"i3", 0, 1e5, FIELD(i[2])},
    {"phi1", -360, 360, FIELD(phi[0])}, {"phi2", -360, 360, FIELD(phi[1])},
    {"phi3", -360, 360, FIELD(phi[2])}, {"pf1", -1, 1, FIELD(phi[0])},
    {"pf2", -1, 1, FIELD(phi[1])},      {"pf3", -1, 1, FIELD(phi[2])}};
/* Keys that stand for the three keys with a phase number. */
static const char *const per_phase[] = {"u", "i", "phi", "pf"};

static enum err refuse(const struct fault *f, struct span word, const char *why)
{
    char shown[61];
    text_copy(shown, sizeof shown, word);
    return fault_set(f, ERR_RANGE, "synth: '%s' %s", shown, why);
}

static enum err out_of_range(const struct fault *f, struct span word, const struct key *k)
{
    char why[80];
    snprintf(why, sizeof why, "is out of range: %.6g to %.6g", k->min, k->max);
    return refuse(f, word, why);
}

/* A number with an optional unit: 230, 230V, 5%, 500ms. */
static bool read_quantity(struct span s, double *out)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"%", 0.01}, {"ms", 1e-3}, {"kHz", 1e3}, {"kV", 1e3}, {"mA", 1e-3},
                 {"Hz", 1},   {"deg", 1},   {"s", 1},     {"V", 1},    {"A", 1}};
    double factor = 1;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        size_t n = strlen(units[k].unit);
        if (s.len > n && text_is((struct span){s.p + s.len - n, n}, units[k].unit)) {
            s.len -= n;
            factor = units[k].factor;
            break;
        }
    }
    bool good = text_real(text_trim(s), out) == TEXT_NUMBER;
    *out *= factor;
    return good;
}

static bool is_angle_of_pf(struct span key)
{
    return key.len >= 2 && text_is((struct span){key.p, 2}, "pf");
}

static bool set_key(struct synth_spec *s, struct span key, double value, const struct key **found)
{
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        if (!text_is(key, keys[k].name))
            continue;
        *found = &keys[k];
        if (value < keys[k].min || value > keys[k].max)
            return false;
        if (is_angle_of_pf(key))
            value = acos(value);
        else if (key.len == 4 && text_is((struct span){key.p, 3}, "phi"))
            value *= PI / 180;
        memcpy((char *)s + keys[k].offset, &value, sizeof value);
        return true;
    }
    return true;
}

static enum err set_value(struct synth_spec *s, struct span word, struct span key, double value,
                          const struct fault *f)
{
    char name[8];
    bool good = true;
    const struct key *found = NULL;
    for (size_t k = 0; k < sizeof per_phase / sizeof *per_phase; k++) {
        if (!text_is(key, per_phase[k]))
            continue;
        memcpy(name, per_phase[k], strlen(per_phase[k]));
        for (char p = '1'; p <= '3' && good; p++) {
            name[key.len] = p;
            good = set_key(s, (struct span){name, key.len + 1}, value, &found);
        }
    }
    if (!found)
        good = set_key(s, key, value, &found);
    if (!found)
        return refuse(f, word,
                      "has no known key; known are u i pf phi f rate phases h2..h50 ih2..ih50 idc "
                      "in noise dip ramp seconds lead lag");
    return good ? ERR_OK : out_of_range(f, word, found);
}

/* "5%" or "5%@30" */
static enum err add_harmonic(struct synth_spec *s, struct span word, struct synth_harmonic h,
                             struct span value, const struct fault *f)
{
    struct span level, angle;
    double degrees = 0;
    text_field(&value, '@', &level);
    if (text_field(&value, '@', &angle) && !read_quantity(angle, &degrees))
        return refuse(f, word, "has no angle in degrees after @");
    if (!read_quantity(level, &h.level) || h.level < 0 || h.level > 10)
        return refuse(f, word, "has no level like 5%");
    h.angle = degrees * PI / 180;
    if (s->n_harmonics == SYNTH_HARMONICS)
        return refuse(f, word, "is one harmonic too many");
    s->harmonic[s->n_harmonics++] = h;
    return ERR_OK;
}

static unsigned read_phases(struct span s)
{
    unsigned bits = 0;
    if (text_is(s, "all"))
        return 7;
    for (size_t k = 1; k < s.len && (s.p[0] == 'L' || s.p[0] == 'l'); k++) {
        if (s.p[k] < '1' || s.p[k] > '3')
            return 0;
        bits |= 1u << (s.p[k] - '1');
    }
    return bits;
}

/* "L1@2s/0.5s/40%" or "u@1s/2s/110%" */
static enum err add_event(struct synth_spec *s, struct span word, bool dip, struct span value,
                          const struct fault *f)
{
    struct synth_event e = {.kind = SYNTH_DIP};
    struct span what, part[3] = {{"", 0}, {"", 0}, {"", 0}};
    const char *form = dip ? "is not like dip=L1@2s/0.5s/40%" : "is not like ramp=u@1s/2s/110%";
    text_field(&value, '@', &what);
    for (int k = 0; k < 3; k++)
        if (!text_field(&value, '/', &part[k]))
            return refuse(f, word, form);
    if (value.p || !read_quantity(part[0], &e.start) || !read_quantity(part[1], &e.duration) ||
        !read_quantity(part[2], &e.target) || e.start < 0 || e.duration < 0 || e.target < 0)
        return refuse(f, word, form);
    if (dip) {
        e.phases = read_phases(what);
    } else {
        e.kind = text_is(what, "u")   ? SYNTH_RAMP_U
                 : text_is(what, "i") ? SYNTH_RAMP_I
                                      : SYNTH_RAMP_F;
        e.phases = text_is(what, "u") || text_is(what, "i") || text_is(what, "f") ? 7 : 0;
    }
    if (!e.phases)
        return refuse(f, word, form);
    if (e.kind == SYNTH_RAMP_F ? e.target < 40 || e.target > 70 : e.target > 10)
        return refuse(f, word, "has a target out of range (40..70 Hz, or up to 1000 %)");
    if (s->n_events == SYNTH_EVENTS)
        return refuse(f, word, "is one event too many");
    s->event[s->n_events++] = e;
    return ERR_OK;
}

/* "h3" or "ih12" */
static bool read_order(struct span key, struct synth_harmonic *h)
{
    uint64_t order;
    h->current = key.p[0] == 'i' || key.p[0] == 'I';
    size_t skip = h->current ? 2 : 1;
    if (key.len <= skip || (key.p[skip - 1] | 0x20) != 'h')
        return false;
    if (!text_uint((struct span){key.p + skip, key.len - skip}, ORDER_MAX, &order) || order < 2)
        return false;
    h->order = (unsigned)order;
    return true;
}

static enum err read_word(struct synth_spec *s, struct span word, bool *lead, const struct fault *f)
{
    struct span value = word, key;
    struct synth_harmonic h = {0};
    double v;
    if (text_is(word, "lead") || text_is(word, "lag")) {
        *lead = text_is(word, "lead");
        return ERR_OK;
    }
    text_field(&value, '=', &key);
    if (!value.p || !key.len)
        return refuse(f, word, "is not KEY=VALUE");
    value = text_trim(value);
    if (text_is(key, "dip") || text_is(key, "ramp"))
        return add_event(s, word, text_is(key, "dip"), value, f);
    if (read_order(key, &h))
        return add_harmonic(s, word, h, value, f);
    if (!read_quantity(value, &v))
        return refuse(f, word, "has no number");
    if (text_is(key, "phases")) {
        s->n_phases = v == 1 ? 1 : 3;
        return v == 1 || v == 3 ? ERR_OK : refuse(f, word, "must be 1 or 3");
    }
    return set_value(s, word, key, v, f);
}

enum err synth_parse(const char *text, struct synth_spec *out, const struct fault *f)
{
    struct span rest = {text, strlen(text)}, word;
    bool lead = false;
    *out = (struct synth_spec){.u = {230, 230, 230}, .hz = 50, .rate = 8000, .n_phases = 3};
    out->i[0] = out->i[1] = out->i[2] = 5;
    while (text_field(&rest, ',', &word)) {
        enum err err = word.len ? read_word(out, word, &lead, f) : ERR_OK;
        if (err)
            return err;
    }
    for (int p = 0; p < 3 && lead; p++)
        out->phi[p] = -out->phi[p];
    return ERR_OK;
}
