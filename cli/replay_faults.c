/* What is wrong with a source's signal, input by input. See replay_run.h.
 *
 * Of a recording its shape tells (sim/recording_faults.h), of the rest the legal part. All of it is
 * counted nevertheless: the reader decides. */
#include "cli/replay_run.h"

#include <stdio.h>

static void add(struct replay_result *out, unsigned channel, enum replay_fault_kind kind,
                const struct recording_fault *f, double rate_hz)
{
    if (out->n_faults == REPLAY_FAULTS_MAX)
        return;
    out->fault[out->n_faults++] = (struct replay_fault){.channel = channel,
                                                        .kind = kind,
                                                        .samples = f->n,
                                                        .at_s = (double)f->first / rate_hz,
                                                        .value = f->value};
}

/* A kind that the recording's shape tells, or else the legal part. */
static void add_either(struct replay_result *out, unsigned channel, enum replay_fault_kind kind,
                       const struct recording_fault *f, double rate_hz)
{
    static const uint8_t bit[REPLAY_N_FAULTS] = {[REPLAY_STUCK] = LEGAL_FAULT_STUCK,
                                                 [REPLAY_CLIPPED] = LEGAL_FAULT_CLIP,
                                                 [REPLAY_TORN] = LEGAL_FAULT_SLEW};
    if (f->n > 0 || out->seen[channel] & bit[kind])
        add(out, channel, kind, f, rate_hz);
}

static void look(const struct source_info *info, unsigned c, struct replay_result *out)
{
    const struct recording_faults *f = &info->fault[c];
    bool voltage = c <= AFE_U3, silent = f->constant && f->value == 0;
    const struct recording_fault whole = {f->constant ? info->samples : 0, 0, f->value};
    if (silent && voltage)
        add(out, c, REPLAY_ZERO, &whole, info->rate_hz);
    if (!silent)
        add_either(out, c, REPLAY_STUCK, &whole, info->rate_hz);
    add_either(out, c, REPLAY_CLIPPED, &f->flat, info->rate_hz);
    add_either(out, c, REPLAY_TORN, &f->torn, info->rate_hz);
    add_either(out, c, REPLAY_LONE, &f->lone, info->rate_hz);
    if (voltage && !f->constant && !(out->frequency_hz > 0))
        add(out, c, REPLAY_NO_FREQUENCY, &whole, info->rate_hz);
}

void replay_faults(const struct source_info *info, struct replay_result *out)
{
    const struct recording_fault none = {0, 0, 0};
    out->n_faults = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        bool wired = c != AFE_IN && c % 3 < out->n_phases;
        if (info->present >> c & 1)
            look(info, c, out);
        else if (wired)
            add(out, c, REPLAY_MISSING, &none, info->rate_hz);
    }
}

const char *replay_input_name(unsigned channel)
{
    static const char *const name[AFE_N_CHANNELS] = {"u1", "u2", "u3", "i1", "i2", "i3", "in"};
    return channel < AFE_N_CHANNELS ? name[channel] : "?";
}

const char *replay_fault_name(enum replay_fault_kind kind)
{
    static const char *const name[REPLAY_N_FAULTS] = {
        [REPLAY_MISSING] = "missing",          [REPLAY_ZERO] = "zero", [REPLAY_STUCK] = "stuck",
        [REPLAY_CLIPPED] = "clipped",          [REPLAY_TORN] = "torn", [REPLAY_LONE] = "lone",
        [REPLAY_NO_FREQUENCY] = "no_frequency"};
    return name[kind];
}

void replay_fault_text(const struct replay_fault *f, char *text, size_t size)
{
    static const char *const what[REPLAY_N_FAULTS] = {
        [REPLAY_MISSING] = "is not in the source and counts as 0",
        [REPLAY_ZERO] = "is 0 throughout",
        [REPLAY_STUCK] = "does not move: what is constant is not counted",
        [REPLAY_CLIPPED] = "reaches an end of its range: clipped samples",
        [REPLAY_TORN] = "jumps across its whole span within a sample",
        [REPLAY_LONE] = "has single samples far from both neighbours",
        [REPLAY_NO_FREQUENCY] = "has no frequency of 40 to 70 Hz: is the sample rate right?"};
    size_t at =
        (size_t)snprintf(text, size, "%s  %s", replay_input_name(f->channel), what[f->kind]);
    if (f->samples > 0 && at < size && f->kind <= REPLAY_STUCK)
        snprintf(text + at, size - at, " (%zu samples of %g)", f->samples, f->value);
    else if (f->samples > 0 && at < size)
        snprintf(text + at, size - at, " (%zu of them, the first %g at %.6g s)", f->samples,
                 f->value, f->at_s);
}
