/* Where a virtual meter's samples come from: a recording, or a synthesised network.
 *
 * A source gives int32 blocks through hal/afe at its own rate, one call at a time, deterministic
 * for a seed. The caller owns struct source and closes it. Text specifications (the meter's and
 * replay's --source):
 *   FILE.cfg, .dat, .cff, .csv, .txt, .tsv  a recording (comtrade.h, csv.h says what is
 * understood); looped at whole cycles when repeat is set
 *   synth:u=230,i=5,pf=0.8,f=50,h3=5%,...   a network of sines: all keys stand in synth.h
 *   load:household, load:shop,scale=2, ...  consumers with days, weeks and seasons: load.h
 * Full scale: one count is worth lsb femtovolt or femtoampere; source_open chooses lsb so that the
 * largest value seen or possible stays within 24 bits, or uses the caller's (a meter's own front
 * end) and then clips as a converter does. Recordings are converted once, at opening. */
#ifndef FERRARIS_SIM_SOURCE_H
#define FERRARIS_SIM_SOURCE_H

#include "firmware/hal/afe.h"
#include "firmware/legal/legal.h"
#include "lib/base/err.h"
#include "sim/load.h"
#include "sim/recording_faults.h"

#include <stdbool.h>
#include <stddef.h>

struct source_options {
    const char *map; /* "u1=VA,i1=IA,in=I4": names of channels (channels.h); NULL: guess from names,
                        units and phase fields */
    double scale;    /* multiplies all channels (0: 1) */
    double ct, vt;   /* divide currents, voltages: primary to secondary (0: 1) */
    bool repeat;     /* loop seamlessly over a whole number of cycles */
    uint64_t u_lsb_fv; /* 0: chosen by the source */
    uint64_t i_lsb_fa;
    uint64_t seed;                    /* noise of synth, chance of load */
    const struct load_rating *rating; /* of a load's meter (secondary side), for the call only;
                                         NULL: 3 x 230 V, 50 Hz, 5(60) A */
};

struct source;
struct source_info {
    double rate_hz;   /* of the first block */
    double seconds;   /* length of one pass, of one loop when repeating; 0: endless */
    double cycles;    /* whole cycles in one loop when repeating; else 0 */
    uint32_t present; /* bits of enum afe_channel */
    uint64_t u_lsb_fv, i_lsb_fa;
    double
        frequency_hz; /* of the fundamental as the source found it; 0: none (DC, under 2 cycles) */
    double u_rms;     /* V, of the strongest voltage over the loop, DC included; 0: no voltages */
    uint64_t samples; /* sample-sets in one pass, of one loop when repeating; 0: endless */
    /* Of a recording's channels in use, volt and ampere; else all zero. */
    struct recording_faults fault[AFE_N_CHANNELS];
    const char *note; /* what had to be decided about the file: gaps filled, how the loop was cut
                         ...; empty if nothing; lives as long as the source */
};

/* `error` receives one line: file, line or byte, and why. ERR_FORMAT, ERR_TRUNCATED, ERR_IO,
 * ERR_NOT_FOUND (no channels), ERR_UNSUPPORTED (kind of file, a rate outside afe.h), ERR_RANGE
 * (only for a wrong word of the caller's in map or synth), ERR_MEMORY. 500 octets hold every
 * message but long lists of channels, which are cut. */
MUST_CHECK enum err source_open(struct source **out, const char *spec,
                                const struct source_options *o, char *error, size_t error_size);
void source_info_get(const struct source *s, struct source_info *out);
/* Back to the first sample, and from now on looping or not. A recording without a frequency loops
 * over all its samples. A synth source starts anew and is endless, but for one with `seconds`
 * that does not repeat. ERR_MEMORY. */
MUST_CHECK enum err source_restart(struct source *s, bool repeat);
/* What time it is at the next sample, nanoseconds of UTC since 1970: loads live by it, others take
 * no notice. Not told, a load begins with 1970 and goes on by what is taken of it. */
void source_clock(struct source *s, int64_t utc_ns);
/* The next block of at most max_n sample-sets (0 counts as 1), borrowed until the next call; false
 * at the end of a recording. */
bool source_next(struct source *s, uint32_t max_n, struct afe_block *out);
/* Panel: a phase (0..2) on or off; off gives zeros in U and I of that phase. */
void source_phase_set(struct source *s, unsigned phase, bool on);
/* Window level: fills `w` with the sums the kernel would give for the next `seconds` (up to 60) of
 * this source, through the analytic values (synth, load) or the averages of one whole loop
 * (recordings), advancing the source. The window's rate is 500 Hz whatever the source's, so that a
 * minute at full scale fits 64 bits. ERR_UNSUPPORTED where not repeatable, ERR_RANGE for a wrong
 * length. */
MUST_CHECK enum err source_window(struct source *s, double seconds, struct legal_window *w);
void source_close(struct source *s);

#endif
