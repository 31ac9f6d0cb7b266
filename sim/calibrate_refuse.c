/* What the first loaded point tells about a meter that was put together wrongly. The meter is at
 * Un, Iref, PF 1. In the order of these questions, since each supposes that the former found
 * nothing: does every input show something, is none at the end of its range, do the voltages stand
 * where they should, does each current belong to its voltage, is the rest within what parameters
 * can mend? */
#include "sim/calibrate_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define DEAD      0.1  /* of the expected rms */
#define GAIN_MOST 0.2  /* the parameter's range is about that */
#define ANGLE_DEG 30.0 /* any farther and it is another wire */
#define LATE_DEG  4.0  /* two samples of 8 kHz: what delay_ns can mend */

struct input {
    const char *name, *unit;
    double shown, expected; /* rms */
    uint32_t clipped;
};

static bool say(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool say(char *why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return true;
}

static struct input input_of(const struct stand *s, const struct stand_load *l,
                             const struct stand_seen *seen, unsigned c)
{
    static const char *const name[AFE_N_CHANNELS] = {
        "voltage 1", "voltage 2", "voltage 3", "current 1", "current 2", "current 3", "neutral"};
    const struct front_end *f = s->job->front_end;
    bool voltage = c <= AFE_U3;
    double lsb = (double)(voltage ? front_end_u_lsb_fv(f) : front_end_i_lsb_fa(f)) / 1e15;
    const struct stand_phase *p = &seen->phase[c % 3];
    double square = c == AFE_IN ? seen->in_in : voltage ? p->uu : p->ii;
    return (struct input){.name = name[c],
                          .unit = voltage ? "V" : "A",
                          .shown = sqrt(square) * lsb,
                          .expected = voltage ? l->u_v : l->i_a,
                          .clipped = seen->clipped[c]};
}

static bool dead_or_full(const struct input *in, char *why, size_t why_size)
{
    if (in->clipped)
        return say(why, why_size, "The %s input is at the end of its range at %.3g %s.", in->name,
                   in->expected, in->unit);
    if (!(in->shown > DEAD * in->expected))
        return say(why, why_size, "The %s input is dead: %.3g %s applied, %.3g %s shown.", in->name,
                   in->expected, in->unit, in->shown, in->unit);
    return false;
}

static bool beyond(const struct input *in, char *why, size_t why_size)
{
    double gain = in->expected / in->shown - 1;
    if (fabs(gain) < GAIN_MOST)
        return false;
    return say(why, why_size,
               "The %s input shows %.4g %s at %.4g %s: a correction of %+.0f %% is wanted, %.0f %% "
               "are allowed.",
               in->name, in->shown, in->unit, in->expected, in->unit, gain * 100, GAIN_MOST * 100);
}

static bool voltage_misplaced(const struct stand *s, const struct stand_seen *seen, unsigned p,
                              char *why, size_t why_size)
{
    static const double four_wires[3] = {0, -120, 120}, three_wires[3] = {0, 0, 60};
    double wanted = s->phases == 5 ? three_wires[p] : four_wires[p];
    if (fabs(remainder(seen->phase[p].u_deg - wanted, 360)) < ANGLE_DEG)
        return false;
    return say(why, why_size,
               "Voltage %u stands at %.0f degrees from voltage 1 instead of %.0f: exchanged or "
               "reversed.",
               p + 1, seen->phase[p].u_deg, wanted);
}

static bool current_misplaced(const struct stand_seen *seen, unsigned p, char *why, size_t why_size)
{
    double lag = atan2(seen->phase[p].q, seen->phase[p].p) * 180 / CALIBRATE_PI;
    if (fabs(lag) > 180 - ANGLE_DEG)
        return say(why, why_size, "Current %u is reversed.", p + 1);
    if (fabs(lag) > ANGLE_DEG)
        return say(why, why_size,
                   "Current %u lags its voltage by %.0f degrees at PF 1: it belongs to another "
                   "phase.",
                   p + 1, lag);
    if (fabs(lag) > LATE_DEG)
        return say(why, why_size,
                   "Current %u lags its voltage by %.1f degrees at PF 1: more than %.0f cannot be "
                   "corrected.",
                   p + 1, lag, LATE_DEG);
    return false;
}

bool calibrate_refuses(const struct stand *s, const struct stand_load *load,
                       const struct stand_seen *seen, char *why, size_t why_size)
{
    struct input in[AFE_N_CHANNELS];
    uint32_t looked = s->phases == 1 ? s->present : s->present & ~(1u << AFE_IN);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        in[c] = input_of(s, load, seen, c);
        if ((looked >> c & 1) && dead_or_full(&in[c], why, why_size))
            return true;
    }
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if ((s->phases >> p & 1) && voltage_misplaced(s, seen, p, why, why_size))
            return true;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if ((s->phases >> p & 1) && current_misplaced(seen, p, why, why_size))
            return true;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        if ((looked >> c & 1) && beyond(&in[c], why, why_size))
            return true;
    return false;
}
