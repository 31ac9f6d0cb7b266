/* See clock.h. Armv7-M Architecture Reference Manual B3.3. */
#include "firmware/ports/mps2/clock.h"

#define CPU_HZ     25000000u /* AN386 */
#define SYST_CSR   (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR   (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR   (*(volatile uint32_t *)0xE000E018u)
#define CSR_ENABLE 7u /* processor clock, exception, counter */

static volatile uint32_t low_ms, high;

void mps2_clock_init(void)
{
    SYST_RVR = CPU_HZ / 1000 - 1;
    SYST_CVR = 0;
    SYST_CSR = CSR_ENABLE;
}

void mps2_clock_tick(void)
{
    if (++low_ms == 0)
        high++;
}

/* Reads until no tick came in between. */
uint64_t mps2_clock_ms(void)
{
    uint32_t h, l;
    do {
        h = high;
        l = low_ms;
    } while (h != high);
    return (uint64_t)h << 32 | l;
}
