/* Unit of the class attributes scaler_unit. Blue Book, table of enumerated units. */
#ifndef FERRARIS_COSEM_UNITS_H
#define FERRARIS_COSEM_UNITS_H

#include <stdint.h>

enum {
    COSEM_UNIT_MINUTE = 6,
    COSEM_UNIT_SECOND = 7,
    COSEM_UNIT_DEGREE = 8,
    COSEM_UNIT_W = 27,
    COSEM_UNIT_VA = 28,
    COSEM_UNIT_VAR = 29,
    COSEM_UNIT_WH = 30,
    COSEM_UNIT_VAH = 31,
    COSEM_UNIT_VARH = 32,
    COSEM_UNIT_A = 33,
    COSEM_UNIT_V = 35,
    COSEM_UNIT_OHM = 38,
    COSEM_UNIT_HZ = 44,
    COSEM_UNIT_PER_WH = 45,   /* pulses per Wh */
    COSEM_UNIT_PER_VARH = 46, /* pulses per varh */
    COSEM_UNIT_V2H = 48,
    COSEM_UNIT_A2H = 49,
    COSEM_UNIT_PERCENT = 56,
    COSEM_UNIT_NONE = 255
};

/* "Wh", "degrees", "percent"; "" for 255 (a count), "unit N" is not made here: NULL if unknown. */
const char *cosem_unit_text(uint8_t unit);

#endif
