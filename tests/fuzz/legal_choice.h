/* The configurations of the legal part that one octet of an input chooses from. */
#ifndef FERRARIS_FUZZ_LEGAL_CHOICE_H
#define FERRARIS_FUZZ_LEGAL_CHOICE_H

#include "firmware/legal/legal.h"
#include "tests/fuzz/fuzz.h"

#define LSB UINT64_C(50000000000) /* 50 uV and 50 uA: full scale is 419 V and 419 A */

/* Bits 0 and 1: one phase, two or three elements; bit 2: 60 Hz. Targets add what else they try. */
static inline struct legal_config legal_choice(uint8_t choice)
{
    bool single = (choice & 3) == 0;
    struct legal_config c = {.n_phases = single ? 1 : 3,
                             .wiring = single       ? LEGAL_1P2W
                                       : choice & 1 ? LEGAL_3P4W
                                                    : LEGAL_3P3W,
                             .f_nominal_mhz = choice & 4 ? 60000 : 50000,
                             .un_mv = 230000};
    for (unsigned p = 0; p <= LEGAL_N_PHASES; p++) {
        c.i_lsb_fa[p] = LSB;
        if (p < LEGAL_N_PHASES)
            c.u_lsb_fv[p] = LSB;
    }
    return c;
}

#endif
