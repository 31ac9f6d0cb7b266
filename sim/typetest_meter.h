/* The meter under test: the whole application on a flash in memory, its LEDs watched, its registers
 * read by a DLMS client in the same process.
 *
 * Each measurement begins with a meter that comes new from the factory with its calibration: no
 * point knows of another, so any selection of points gives the same figures. Not for other rooms:
 * the bench is sim/typetest.h. */
#ifndef FERRARIS_SIM_TYPETEST_METER_H
#define FERRARIS_SIM_TYPETEST_METER_H

#include "firmware/meter/meter.h"
#include "lib/cosem/client.h"
#include "lib/cosem/session.h"
#include "sim/recording.h"

#include <stdio.h>

#define TYPETEST_ANSWER_MAX 256

struct typetest_meter { /* must not move; about 100 kB beside the flash */
    struct hal_flash flash;
    uint8_t *octets;
    struct hal_rng rng;
    uint64_t random;
    struct model_meter sensitive; /* the model with its starting current lowered */
    const struct model_meter *model;
    struct meter_config config;
    struct meter meter;
    bool lives; /* meter_end() is due */
    struct cosem_session session;
    struct cosem_client client;
    uint8_t answer[TYPETEST_ANSWER_MAX];
    size_t answer_len;
    enum cosem_result result;
};

/* Makes room. ERR_MEMORY. The model and the lsb hold for the life of the struct. */
MUST_CHECK enum err typetest_meter_init(struct typetest_meter *t, const struct model_meter *m,
                                        uint64_t u_lsb_fv, uint64_t i_lsb_fa);
void typetest_meter_end(struct typetest_meter *t);
/* Where a sensitive meter begins to count: Imax / 20 000, a quarter of the least current that the
 * bench promises, so that PF 0.25 counts there, too. */
uint32_t typetest_sensitive_ua(const struct model_meter *m);
/* A new meter with what the factory found out about its front end (NULL: nothing to correct),
 * sealed, and the reader associated. Errors of meter_init; ERR_REFUSED: no association. */
MUST_CHECK enum err typetest_meter_start(struct typetest_meter *t,
                                         const struct legal_calibration *c, bool sensitive);
/* A register by its short name ("1.8.0"), scaler applied: Wh, varh; *unit: of its last digit.
 * ERR_NOT_FOUND, ERR_FORMAT. */
MUST_CHECK enum err typetest_meter_read(struct typetest_meter *t, const char *name, double *value,
                                        double *unit);
/* Name and version of the legally relevant software, as object 1-0:0.2.0 shows it. */
MUST_CHECK enum err typetest_meter_version(struct typetest_meter *t, char *out, size_t size);

#endif
