/* A real-time crystal and what keeps it going without mains, as a virtual meter has them.
 *
 * Time that really passed goes in, the count of the crystal comes out: off by some parts in a
 * million, and by a parabola over temperature as tuning forks of 32 768 Hz are. Without mains it
 * lives from a super-capacitor, which charges in hours and discharges by itself, or a battery. When
 * that is empty the count is lost, and the crystal begins anew with the mains. Refuses to model
 * ageing and jitter: the first is a slow change of ppm, the second averages out within a second. */
#ifndef FERRARIS_SIM_CRYSTAL_H
#define FERRARIS_SIM_CRYSTAL_H

#include <stdbool.h>
#include <stdint.h>

/* Data sheets of 32 768 Hz tuning forks: -0.034 ppm/K2 +-0.006, turnover 25 degrees +-5; from
 * memory, of several makers. */
#define CRYSTAL_PPM_PER_K2 (-0.034)
#define CRYSTAL_TURNOVER_C 25.0

enum crystal_reserve { CRYSTAL_NO_RESERVE, CRYSTAL_SUPERCAP, CRYSTAL_BATTERY };

struct crystal_options {
    double ppm; /* at the turnover temperature; positive: fast */
    double ppm_per_k2, turnover_c;
    enum crystal_reserve reserve;
    double reserve_s; /* how long it lasts from full, without mains */
};

struct crystal { /* fields are for reading, but for celsius */
    struct crystal_options o;
    double celsius;
    int64_t count_ns; /* what it shows */
    double rest_ns;   /* below a nanosecond */
    double charge;    /* of the reserve, 1: full */
    bool lost;        /* it stood still: the count says nothing, crystal_set() */
};

/* It shows count_ns, its reserve is full, it has 23 degrees. */
void crystal_begin(struct crystal *c, const struct crystal_options *o, int64_t count_ns);
/* So much time passes, with or without mains. */
void crystal_pass(struct crystal *c, int64_t ns, bool mains);
/* The meter sets its count at power-up. */
void crystal_set(struct crystal *c, int64_t count_ns);
/* Error at this temperature, ppm. */
double crystal_ppm(const struct crystal *c);
/* How long it would go on without mains, seconds. */
double crystal_left_s(const struct crystal *c);

#endif
