/* What the tests of the ledger share: a meter at the end of the real road, a load of known sines,
 * and the energies, powers and values that load must give.
 *
 * A load goes in as samples at the converter (claim_feed) or as windows of the load model
 * (claim_live); what the meter made of it comes out through a client over a DLMS session. What is
 * right follows from the load in double, by IEC 62053-23's quadrants, without the code under test:
 * a phase books by the signs of its own P and Q; the total books the sums of the phases' P and Q by
 * their signs (vector), and the sum of their S with the sign of the total P. */
#ifndef FERRARIS_TEST_CLAIMS_H
#define FERRARIS_TEST_CLAIMS_H

#include "lib/cosem/units.h"
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLAIM_LINES 3

struct claim_load {
    double f;              /* Hz */
    double u[3], u_deg[3]; /* fundamental, V; degrees against an own clock: L1, L2, L3 */
    double i[3], lag[3];   /* A; degrees behind the voltage of its phase */
    struct {
        unsigned order; /* 0: unused */
        double u, i;    /* of the fundamental */
    } line[CLAIM_LINES];
    bool neutral; /* its channel is connected: it carries the phase currents back, */
    double stray; /* but for so many A of the first phase, which return elsewhere */
};

/* Wh, varh, VAh: [0] the total, [1..3] the phases. */
struct claim_energies {
    double a[2];  /* import, export */
    double r[4];  /* QI..QIV */
    double s[2];  /* import, export */
    double s_all; /* whatever the direction: what tolerances refer to */
};
struct claim_book {
    struct claim_energies of[4];
};

/* A meter whose front end holds 1.5 x the nominal voltage and the maximum current; `without`:
 * functions it was ordered without. Starts 2026-01-10T00:00:00 UTC unless said. rig_free() it. */
struct rig *claim_meter(const char *model, uint32_t without);
struct rig *claim_meter_at(const char *model, uint32_t without, const char *start);
/* With words of an order (model_order). One such meter at a time: the ordered row is static. */
struct rig *claim_meter_ordered(const char *model, const char *words);
unsigned claim_phases(const struct rig *r);

/* Nominal voltage at 120 degrees, on each phase another current around `part` of the maximum, and
 * lags around `lag` degrees. */
struct claim_load claim_load(const struct rig *r, double part, double lag);
/* Samples of the load at `rate` per second for so long; then all of them are counted. */
void claim_feed(struct rig *r, const struct claim_load *l, double seconds, double rate);
/* For observers: samples fed by the running claim_feed before the block being fed. */
extern uint64_t claim_samples;
/* The same at window level, for fundamentals at 120 degrees. */
void claim_live(struct rig *r, const struct claim_load *l, int64_t seconds);
void claim_count(struct claim_book *b, const struct claim_load *l, unsigned n_phases,
                 double seconds);
/* By the OBIS code C of the total: 1..10, 15, 130. */
double claim_energy(const struct claim_energies *e, unsigned c);

/* In an association: value x 10^scaler of a register; its unit must be this. */
double claim_get(struct rig *r, const char *obis, uint8_t unit);
/* As above where the register of the total has this C, D and E 0; phase 0: total, 1..3. */
double claim_get_of(struct rig *r, unsigned c, unsigned d, unsigned phase, uint8_t unit);
uint8_t claim_unit(unsigned c, bool energy);
/* Whether the meter says it has no such object. */
bool claim_lacks(struct rig *r, uint16_t class_id, const char *obis);
/* In an association: writes a raw number (scaler not applied) to attribute 2, in the type it is
 * read in. */
enum cosem_result claim_set(struct rig *r, uint16_t class_id, const char *obis, uint64_t raw);
void claim_near(const char *what, double got, double want, double tolerance);

/* Codes C, 0-terminated, each read as total and, where `phases`, of every phase. Energies within
 * `part` of the apparent energy and one register unit; powers within 0.1 % of the apparent power
 * and 0.2 W. */
void claim_check_energies(struct rig *r, const struct claim_book *b, const uint8_t *codes,
                          bool phases, double part);
void claim_check_powers(struct rig *r, const struct claim_load *l, const uint8_t *codes,
                        bool phases);

/* Eight loads that visit all quadrants, phases against each other and each phase alone; in each the
 * codes are checked. Energies: as samples, then an hour of each as windows (0.02 %). */
void claim_energies_hold(const char *model, const uint8_t *codes, bool phases);
void claim_powers_hold(const char *model, const uint8_t *codes, bool phases);

#endif
