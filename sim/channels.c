/* Channel names to meter inputs. See channels.h.
 *
 * A guess is only made where a human reader would not hesitate: kind (voltage or current) and phase
 * must both be said, by unit, phase field or name. */
#include "sim/channels.h"
#include "sim/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum kind { KIND_UNKNOWN, KIND_U, KIND_I, KIND_OTHER };
enum phase { PHASE_1, PHASE_2, PHASE_3, PHASE_N, PHASE_UNKNOWN };

struct meaning {
    enum kind kind;
    enum phase phase;
};

static const char *const input_names[AFE_N_CHANNELS] = {"u1", "u2", "u3", "i1", "i2", "i3", "in"};

static enum kind kind_of_unit(const char *unit, double *factor)
{
    static const struct {
        const char *name;
        enum kind kind;
        double factor;
    } units[] = {{"V", KIND_U, 1},
                 {"kV", KIND_U, 1e3},
                 {"mV", KIND_U, 1e-3},
                 {"MV", KIND_U, 1e6},
                 {"volt", KIND_U, 1},
                 {"volts", KIND_U, 1},
                 {"A", KIND_I, 1},
                 {"kA", KIND_I, 1e3},
                 {"mA", KIND_I, 1e-3},
                 {"uA", KIND_I, 1e-6},
                 {"amp", KIND_I, 1},
                 {"amps", KIND_I, 1},
                 {"ampere", KIND_I, 1},
                 {"amperes", KIND_I, 1},
                 {"Vrms", KIND_U, 1},
                 {"Vac", KIND_U, 1},
                 {"Arms", KIND_I, 1},
                 {"Aac", KIND_I, 1},
                 /* the Cyrillic letters in UTF-8 */
                 {"\xD0\x92", KIND_U, 1},
                 {"\xD0\xBA\xD0\x92", KIND_U, 1e3},
                 {"\xD0\x90", KIND_I, 1},
                 {"\xD0\xBA\xD0\x90", KIND_I, 1e3},
                 {"", KIND_UNKNOWN, 1}};
    *factor = 1;
    struct span s = {unit, strlen(unit)};
    if (s.len > 2 && (s.p[0] == '[' || s.p[0] == '('))
        s = (struct span){s.p + 1, s.len - 2};
    for (int exact = 1; exact >= 0; exact--) /* "mV" and "MV" differ, "KV" is still kV */
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            if (text_is(s, units[k].name) && (!exact || memcmp(s.p, units[k].name, s.len) == 0)) {
                *factor = units[k].factor;
                return units[k].kind;
            }
        }
    return KIND_OTHER;
}

static bool in_list(struct span s, const char *const *list)
{
    for (; *list; list++)
        if (text_is(s, *list))
            return true;
    return false;
}

/* The letters of phases 1, 2 and 3, two each; B is the last one where Y stands beside it. */
static const char usual[] = "ARBSCT", with_yellow[] = "ARYSBT";

/* "A" "R" "1" "L1" -> phase 1 ...; "N" "G" "4" -> neutral. Gives the characters used, 0 if none. */
static size_t read_phase(const char *letters, struct span s, enum phase *out)
{
    size_t k = s.len > 1 && toupper((unsigned char)s.p[0]) == 'L' ? 1 : 0;
    if (k >= s.len)
        return 0;
    char c = (char)toupper((unsigned char)s.p[k]);
    const char *at = k ? NULL : strchr(letters, c);
    if (c >= '1' && c <= '3')
        *out = (enum phase)(c - '1');
    else if (at && c)
        *out = (enum phase)((at - letters) / 2);
    else if (!k && (c == 'N' || c == 'G' || c == '4'))
        *out = PHASE_N;
    else
        return 0;
    return k + 1;
}

static bool is_number(struct span s)
{
    for (size_t k = 0; k < s.len; k++)
        if (!isdigit((unsigned char)s.p[k]))
            return false;
    return s.len > 0;
}

/* "VT1" "PT2" "CTA": what the transformer measures, and on which phase. */
static struct meaning read_transformer(const char *letters, struct span w)
{
    bool current = toupper((unsigned char)w.p[0]) == 'C';
    struct meaning m = {current ? KIND_I : KIND_U, PHASE_UNKNOWN};
    struct span rest = {w.p + 2, w.len - 2};
    if (read_phase(letters, rest, &m.phase) != rest.len)
        return (struct meaning){KIND_UNKNOWN, PHASE_UNKNOWN};
    return m;
}

/* One word of a name: "VA", "UL1N", "I4", "A", "Voltage"; KIND_OTHER tells to pass the channel
 * over, as for line-to-line voltages ("VAB") and numbered inputs ("CH1"). */
static struct meaning read_word(const char *letters, struct span w)
{
    static const char *const voltage[] = {"U", "V", "E", "voltage", "volt", "volts", NULL};
    static const char *const current[] = {"I", "current", "curr", NULL};
    static const char *const passed[] = {"mag", "angle", "ang", "rms",     "freq",   "frequency",
                                         "thd", "min",   "max", "avg",     "power",  "phasor",
                                         "ch",  "re",    "im",  "channel", "analog", NULL};
    static const char *const neither[] = {"AC", "DC", "CT", NULL}; /* not phases A and C */
    static const struct meaning other = {KIND_OTHER, PHASE_UNKNOWN};
    struct meaning m = {KIND_UNKNOWN, PHASE_UNKNOWN};
    if (in_list(w, passed))
        return other;
    if (in_list(w, voltage))
        return (struct meaning){KIND_U, PHASE_UNKNOWN};
    if (in_list(w, neither))
        return m;
    if (in_list(w, current))
        return (struct meaning){KIND_I, PHASE_UNKNOWN};
    if (w.len > 2 && toupper((unsigned char)w.p[1]) == 'T' && strchr("VPCvpc", w.p[0]))
        return read_transformer(letters, w);
    if (w.len == 3 && text_is((struct span){w.p, 2}, "ph"))
        w = (struct span){w.p + 2, 1}; /* "phA" */
    char c = (char)toupper((unsigned char)w.p[0]);
    if (w.len > 1 && strchr("UVEI", c)) {
        m.kind = c == 'I' ? KIND_I : KIND_U;
        w = (struct span){w.p + 1, w.len - 1};
    }
    size_t used = read_phase(letters, w, &m.phase);
    struct span rest = {w.p + used, w.len - used};
    enum phase second;
    if (!used)
        return (struct meaning){KIND_UNKNOWN, PHASE_UNKNOWN};
    if (!rest.len || text_is(rest, "N") || text_is(rest, "G"))
        return m;
    if (m.kind != KIND_UNKNOWN && isalpha((unsigned char)w.p[0]) && used == 1 && is_number(rest))
        return m; /* "VA1": phase A of the first bay */
    if (m.kind != KIND_UNKNOWN && rest.len == 1 && strchr("WXYZwxyz", rest.p[0]))
        return m; /* "IAW": of winding W */
    bool to_line =
        m.phase < PHASE_N && read_phase(letters, rest, &second) == rest.len && second < PHASE_N;
    return to_line ? other : (struct meaning){KIND_UNKNOWN, PHASE_UNKNOWN};
}

static bool next_word(const char **p, struct span *w)
{
    while (**p && !isalnum((unsigned char)**p))
        (*p)++;
    w->p = *p;
    while (isalnum((unsigned char)**p))
        (*p)++;
    w->len = (size_t)(*p - w->p);
    return w->len > 0;
}

/* Two phases in two words of the same notation, "VA-VB", "U L1-L2", "U1-2", are a voltage between
 * them; "Ia_2" is phase A of the second bay. */
static bool is_to_line(struct meaning all, struct meaning m, struct span before, struct span w)
{
    if (all.phase >= PHASE_N || m.phase >= PHASE_N || all.phase == m.phase)
        return false;
    if (all.kind == KIND_I && text_is(w, "A"))
        return false; /* "Ib (A)": the unit */
    bool digits = isdigit((unsigned char)before.p[before.len - 1]);
    return digits == (isdigit((unsigned char)w.p[w.len - 1]) != 0);
}

static struct meaning read_words(const char *letters, const char *text)
{
    struct meaning all = {KIND_UNKNOWN, PHASE_UNKNOWN};
    struct span w, before = {text, 0};
    while (next_word(&text, &w)) {
        struct meaning m = read_word(letters, w);
        if (m.kind == KIND_OTHER)
            return m;
        if (is_to_line(all, m, before, w))
            return (struct meaning){KIND_OTHER, PHASE_UNKNOWN};
        if (all.phase == PHASE_UNKNOWN)
            before = w;
        if (all.kind == KIND_UNKNOWN)
            all.kind = m.kind;
        if (all.phase == PHASE_UNKNOWN)
            all.phase = m.phase;
    }
    return all;
}

/* Does the file call a phase Y (red, yellow, blue): "VY", "IY", "Y"? */
static bool has_yellow(const struct recording *r, bool fields)
{
    for (size_t c = 0; c < r->n_channels; c++) {
        const char *text = fields ? r->channel[c].phase : r->channel[c].name;
        struct span w;
        while (next_word(&text, &w)) {
            size_t k = w.len > 1 && strchr("UVEIuvei", w.p[0]) ? 1 : 0;
            if (text_is((struct span){w.p + k, w.len - k}, "Y") ||
                text_is((struct span){w.p + k, w.len - k}, "YN"))
                return true;
        }
    }
    return false;
}

static struct meaning guess(const struct recording *r, int channel, double *factor)
{
    const struct recording_channel *ch = &r->channel[channel];
    struct meaning m = read_words(has_yellow(r, false) ? with_yellow : usual, ch->name);
    struct meaning field = read_words(has_yellow(r, true) ? with_yellow : usual, ch->phase);
    enum kind unit = kind_of_unit(ch->unit, factor);
    if (m.kind == KIND_OTHER || field.kind == KIND_OTHER || unit == KIND_OTHER)
        return (struct meaning){KIND_OTHER, PHASE_UNKNOWN};
    if (unit != KIND_UNKNOWN)
        m.kind = unit;
    if (field.phase != PHASE_UNKNOWN)
        m.phase = field.phase;
    return m;
}

static void connect(struct channel_map *out, int input, int channel, double factor)
{
    if (out->index[input] >= 0)
        return;
    out->index[input] = channel;
    out->factor[input] = factor;
}

static int input_of(struct meaning m)
{
    if (m.kind == KIND_U && m.phase < PHASE_N)
        return AFE_U1 + (int)m.phase;
    if (m.kind == KIND_I && m.phase <= PHASE_N)
        return AFE_I1 + (int)m.phase; /* AFE_IN follows AFE_I3 */
    return -1;
}

/* The only voltage, or the only current, of a file needs no phase in its name. */
static void connect_single(const struct recording *r, enum kind kind, struct channel_map *out)
{
    int input = kind == KIND_U ? AFE_U1 : AFE_I1, found = -1;
    double factor, its = 1;
    for (int c = 0; c < (int)r->n_channels; c++) {
        struct meaning m = guess(r, c, &factor);
        if (m.kind != kind)
            continue;
        if (found >= 0 || m.phase != PHASE_UNKNOWN)
            return;
        found = c;
        its = factor;
    }
    if (found >= 0)
        connect(out, input, found, its);
}

/* One phase only, called B or T: a single-phase meter has its inputs at phase 1. */
static void move_to_phase_1(struct channel_map *out)
{
    int only = -1;
    for (int k = 0; k < 6; k++) {
        if (out->index[k] < 0)
            continue;
        if (only >= 0 && only != k % 3)
            return;
        only = k % 3;
    }
    if (only <= 0)
        return;
    for (int k = 0; k < 6; k += 3) {
        out->index[k] = out->index[k + only];
        out->factor[k] = out->factor[k + only];
        out->index[k + only] = -1;
    }
}

static size_t append(const struct fault *f, size_t at, const char *text)
{
    if (at < f->size)
        snprintf(f->text + at, f->size - at, "%s", text);
    return at + strlen(text);
}

static enum err list_channels(const struct recording *r, const struct fault *f, enum err err,
                              const char *why)
{
    size_t at = append(f, 0, why);
    at = append(f, at, "; the file has ");
    for (size_t c = 0; c < r->n_channels; c++) {
        char item[RECORDING_NAME_MAX + RECORDING_UNIT_MAX + 32];
        const struct recording_channel *ch = &r->channel[c];
        snprintf(item, sizeof item, "%s#%zu=%s%s%s%s", c ? ", " : "", c + 1, ch->name,
                 ch->unit[0] ? " [" : "", ch->unit, ch->unit[0] ? "]" : "");
        if (at + strlen(item) + 60 > f->size) {
            at = append(f, at, " ...");
            break;
        }
        at = append(f, at, item);
    }
    append(f, at, "; name them: --map u1=NAME,i1=NAME,... (or #NUMBER)");
    return err;
}

static enum err guess_all(const struct recording *r, struct channel_map *out, const struct fault *f)
{
    double factor;
    for (int c = 0; c < (int)r->n_channels; c++) {
        int input = input_of(guess(r, c, &factor));
        if (input >= 0)
            connect(out, input, c, factor);
    }
    connect_single(r, KIND_U, out);
    connect_single(r, KIND_I, out);
    move_to_phase_1(out);
    for (int k = 0; k < AFE_IN; k++)
        if (out->index[k] >= 0)
            return ERR_OK;
    return list_channels(r, f, ERR_NOT_FOUND,
                         "no channel could be recognised as a phase voltage or current");
}

static int find_channel(const struct recording *r, struct span name)
{
    uint64_t number;
    for (int c = 0; c < (int)r->n_channels; c++) {
        const char *have = r->channel[c].name;
        if (strlen(have) == name.len && memcmp(have, name.p, name.len) == 0)
            return c;
    }
    for (int c = 0; c < (int)r->n_channels; c++)
        if (text_is(name, r->channel[c].name))
            return c;
    if (name.len > 1 && name.p[0] == '#' &&
        text_uint((struct span){name.p + 1, name.len - 1}, r->n_channels, &number) && number)
        return (int)number - 1;
    return -1;
}

/* One "input=channel" of a map. */
static enum err connect_named(const struct recording *r, struct span item, struct channel_map *out,
                              const struct fault *f)
{
    struct span key, name = {"", 0};
    char shown[RECORDING_NAME_MAX + 40];
    double factor, sign = 1;
    int input = 0;
    if (!text_field(&item, '=', &key) || !item.p)
        return fault_set(f, ERR_RANGE, "--map wants INPUT=CHANNEL, like u1=VA");
    name = text_trim(item);
    while (input < AFE_N_CHANNELS && !text_is(key, input_names[input]))
        input++;
    if (input == AFE_N_CHANNELS) {
        text_copy(shown, sizeof shown, key);
        return fault_set(f, ERR_RANGE,
                         "--map has no input '%s'; the inputs are u1 u2 u3 i1 i2 i3 in", shown);
    }
    int c = find_channel(r, name);
    if (c < 0 && name.len > 1 && name.p[0] == '-') {
        sign = -1;
        c = find_channel(r, text_trim((struct span){name.p + 1, name.len - 1}));
    }
    if (c < 0) {
        char cut[RECORDING_NAME_MAX];
        text_copy(cut, sizeof cut, name);
        snprintf(shown, sizeof shown, "--map: no channel '%s'", cut);
        return list_channels(r, f, ERR_RANGE, shown);
    }
    enum kind kind = kind_of_unit(r->channel[c].unit, &factor);
    if (kind == (input <= AFE_U3 ? KIND_I : KIND_U))
        out->contrary |= 1u << input;
    out->index[input] = c;
    out->factor[input] = sign * factor;
    return ERR_OK;
}

enum err channels_map(const struct recording *r, const char *map, struct channel_map *out,
                      const struct fault *f)
{
    *out = (struct channel_map){.contrary = 0};
    for (int k = 0; k < AFE_N_CHANNELS; k++) {
        out->index[k] = -1;
        out->factor[k] = 1;
    }
    if (!map)
        return guess_all(r, out, f);
    struct span rest = {map, strlen(map)}, item;
    enum err err = ERR_OK;
    while (!err && text_field(&rest, ',', &item))
        err = connect_named(r, item, out, f);
    return err;
}
