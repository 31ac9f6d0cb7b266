/* A day in the life of a meter with small rings, in which everything happens that writes to its
 * flash; every operation is in a journal, and after each minute is noted what the meter showed.
 *
 * Before the day begins every ring was filled (the prehistory, which is not in the journal), so
 * that records leave and sectors are erased soon. */
#ifndef FERRARIS_TEST_METER_DAY_H
#define FERRARIS_TEST_METER_DAY_H

#include "tests/firmware/meter/journal.h"
#include "tests/firmware/meter/look.h"

#define DAY_BUFFERS_MAX 40 /* objects of class 7 */
#define DAY_CONFIG_MAX  1000

/* All rows of an object of class 7 that ever were seen, oldest first. */
struct day_buffer {
    struct cosem_ref object;
    struct look rows;
    uint32_t rows_size;
};
/* Which of them it showed at the end of a step. */
struct day_span {
    uint32_t from, to;
};
struct day_step {
    uint32_t n_ops; /* done by its end */
    int64_t crystal_ns, utc_s;
    struct legal_energies truth;
    struct legal_energies told;        /* what a client knows at the least */
    uint32_t tx_next;                  /* invocation counters below it are used */
    uint32_t floor[COSEM_CLIENTS_MAX]; /* those below are spent */
    uint32_t n_config;                 /* check sums of everything that is configured */
    uint32_t config[DAY_CONFIG_MAX];
    struct day_span span[DAY_BUFFERS_MAX];
    const char *act; /* what was done, "" nothing */
};
struct day {
    struct model_meter row;
    struct rig *r;
    struct journal journal;
    uint32_t n_buffers;
    struct day_buffer buffer[DAY_BUFFERS_MAX];
    struct legal_energies told; /* of the step that is lived */
    uint32_t floor[COSEM_CLIENTS_MAX];
    uint32_t n_steps;
    struct day_step *steps; /* steps[0]: before the first operation */
    uint64_t *import_uwh;   /* A+ when each operation began */
    uint32_t import_size;
};

/* The row of a model with rings of few rows. */
void day_row(const char *model, struct model_meter *out);
/* Lives so many minutes of the day, DAY_MINUTES at most, or those in which the first n_ops
 * operations are done. */
struct day *day_new(const char *model, uint32_t minutes, uint32_t n_ops);
void day_free(struct day *d);
/* Rows of an object of class 7, oldest first whatever its order is; look_free(). */
enum cosem_result day_rows(struct meter *m, const struct cosem_ref *o, struct look *out);
/* Check sums of the configuration; gives how many. */
uint32_t day_config(struct meter *m, uint32_t sums[DAY_CONFIG_MAX]);

#define DAY_MINUTES 1440
#define DAY_LOAD    "synth:phases=1,u=230,i=11,pf=0.9"
#define DAY_WATT    2300

#endif
