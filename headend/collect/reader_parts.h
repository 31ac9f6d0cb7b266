/* What the files of the reader share; nobody else includes it.
 *
 * reader.c keeps the states and talks to the client; each step is a row of functions in
 * reader_identify.c, reader_clock.c, reader_registers.c or
 * reader_profiles.c. */
#ifndef FERRARIS_HEADEND_READER_PARTS_H
#define FERRARIS_HEADEND_READER_PARTS_H

#include "headend/collect/reader.h"

enum reader_step_id {
    STEP_CONNECT,
    STEP_NAME,
    STEP_SERIAL,
    STEP_LIST,
    STEP_SCALERS, /* of the registers */
    STEP_COLUMNS, /* of profile `at`, then its period, then the units of its columns */
    STEP_PERIOD,
    STEP_UNITS,
    STEP_SAME_COLUMNS, /* of profile `at`: READER_CHECK */
    STEP_SAME_PERIOD,
    STEP_SAME_NAME,
    STEP_CLOCK,
    STEP_SET_CLOCK,
    STEP_REGISTERS,
    STEP_ROWS,
    STEP_END,
    STEP_RELEASE,
    N_STEPS
};

struct reader_step {
    const char *what; /* "the clock", for sentences */
    /* Asks for what is next, or goes on to another object or step where there is nothing to ask. */
    enum err (*ask)(struct reader *r);
    /* As of value_walk_sink; context is the reader. NULL: rows. An error makes the value
     * COSEM_TYPE_UNMATCHED. */
    enum err (*part)(void *context, const struct value_part *part);
    /* One value is complete or refused: goes on to the next object or step. */
    void (*done)(struct reader *r, enum cosem_result result);
};

extern const struct reader_step reader_step_name, reader_step_serial, reader_step_list,
    reader_step_scalers, reader_step_columns, reader_step_period, reader_step_units,
    reader_step_same_columns, reader_step_same_period, reader_step_same_name, reader_step_clock,
    reader_step_set_clock, reader_step_registers, reader_step_rows;

/* ---- reader.c ---- */
void reader_go(struct reader *r, enum reader_step_id step); /* to its first object */
MUST_CHECK enum err reader_get(struct reader *r, const struct apdu_attr *attr);
MUST_CHECK enum err reader_set(struct reader *r, const struct apdu_attr *attr, struct bytes value);
/* Asks for objects at .. total - 1, as many as go at once; attr_of says the attribute of one. */
MUST_CHECK enum err reader_get_some(struct reader *r, uint16_t total,
                                    struct apdu_attr (*attr_of)(const struct reader *r,
                                                                uint16_t i));
struct apdu_attr reader_attr(uint16_t class_id, const uint8_t ln[6], uint8_t id);
/* Ends the reading with this sentence. */
void reader_fail(struct reader *r, const char *sentence);
/* As reader_fail(), for READER_CHECK: what the meter is or has is not what is known. */
void reader_fail_changed(struct reader *r, const char *sentence);

/* ---- reader_registers.c ---- */
/* The attribute with scaler and unit of a class 3, 4 or 5 object. */
struct apdu_attr reader_scaler_attr(uint16_t class_id, const uint8_t ln[6]);
enum err reader_scaler_part(void *context, const struct value_part *part); /* into got */
enum err reader_number_part(void *context, const struct value_part *part); /* into got.number */

#endif
