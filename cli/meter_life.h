/* A virtual meter's life: a waveform, the mains switch and the passing of time around struct meter.
 *
 * Engine without I/O or clock of its own: the caller says to which instant it shall live. Mains off
 * is what it is on a real meter: the record in memory is gone, the flash remains and the crystal
 * goes on for as long as its reserve lasts, and mains on is a power-up. */
#ifndef FERRARIS_CLI_METER_LIFE_H
#define FERRARIS_CLI_METER_LIFE_H

#include "firmware/meter/meter.h"
#include "lib/dlms/gateway.h"
#include "sim/crystal.h"
#include "sim/source.h"

struct life_options {
    const struct model_meter *model;             /* with its order applied */
    const struct legal_calibration *calibration; /* of a new meter; NULL: nothing to correct */
    const char *source; /* sim/source.h, or NULL: a household; behind transformers a feeder */
    struct source_options how; /* map, scale, ct, vt of that source */
    bool window;               /* window level at first, else every sample; life_samples() */
    uint64_t seed;
    int64_t start_ns; /* crystal at the beginning */
    /* A tuning fork that is so much off at its turnover, measured and told by the factory; else one
     * without any error. */
    bool has_crystal;
    double crystal_ppm;
    char serial[METER_SERIAL_LEN + 1];
    struct dlms_keys keys;
    char password[METER_PASSWORD_MAX + 1];
    const struct hal_flash *flash;
    const struct hal_rng *rng;
    uint32_t inactivity_ms;
    bool has_gateway; /* it is also asked through a gateway, as the meter with this address there */
    struct gateway_prefix gateway;
};

struct life {
    struct life_options o;
    struct source *source;
    bool window; /* level of now */
    bool phase_off[LEGAL_N_PHASES];
    bool powered;
    bool ended;         /* the recording is at its end (never when it repeats) */
    int64_t now_ns;     /* what time it is: the crystal's first count, and what was lived since */
    int64_t skipped_ns; /* of it by life_wait() */
    struct crystal crystal;
    bool has_celsius; /* the temperature was told */
    uint64_t u_lsb_fv, i_lsb_fa;
    uint32_t f_mhz;     /* nominal frequency next to that of the source */
    struct meter meter; /* meaningful while powered */
    char why[512];      /* after an error: the sentence for the user */
};

/* Opens the source and switches the mains on. `l` must stay in place. */
MUST_CHECK enum err life_begin(struct life *l, const struct life_options *o);
/* Lives until now_ns is at least to_ns; at sample level up to one block longer. */
MUST_CHECK enum err life_run(struct life *l, int64_t to_ns);
/* From now on every sample counts: windows before, samples after, each instant once. */
void life_samples(struct life *l);
/* warn: the supply announces its end and the meter stores what it counted; else it is cut. */
MUST_CHECK enum err life_mains_off(struct life *l, bool warn);
MUST_CHECK enum err life_mains_on(struct life *l);
/* Time that passes at once: only while the mains are off. */
void life_wait(struct life *l, int64_t ns);
/* Temperature of meter and crystal, degree Celsius; 23 at the beginning. */
void life_temperature(struct life *l, double celsius);
void life_phase(struct life *l, unsigned phase, bool on);
/* The meter's own end of a life: with warning, then the source is closed. */
void life_end(struct life *l);

#endif
