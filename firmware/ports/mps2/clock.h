/* Milliseconds since start, from the SysTick timer. It stands still in no mode this port uses. */
#ifndef FERRARIS_MPS2_CLOCK_H
#define FERRARIS_MPS2_CLOCK_H

#include <stdint.h>

void mps2_clock_init(void);
uint64_t mps2_clock_ms(void);
void mps2_clock_tick(void); /* the SysTick exception */

#endif
