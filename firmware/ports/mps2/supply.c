/* See supply.h. Armv7-M Architecture Reference Manual B3.2.6 (AIRCR). */
#include "firmware/ports/mps2/supply.h"

#include <stdint.h>

#define UART         0x40005000u /* AN386, UART 1 */
#define UART_DATA    (*(volatile uint32_t *)(UART + 0x00))
#define UART_STATE   (*(volatile uint32_t *)(UART + 0x04))
#define UART_CTRL    (*(volatile uint32_t *)(UART + 0x08))
#define UART_BAUD    (*(volatile uint32_t *)(UART + 0x10))
#define STATE_RXFULL 2u
#define CTRL_RX      2u
#define BAUD_MIN     16
#define AIRCR        (*(volatile uint32_t *)0xE000ED0Cu)
#define AIRCR_RESET  0x05FA0004u

void mps2_supply_init(void)
{
    UART_BAUD = BAUD_MIN;
    UART_CTRL = CTRL_RX;
}

enum mps2_supply mps2_supply(void)
{
    if ((UART_STATE & STATE_RXFULL) == 0)
        return MPS2_SUPPLY_GOOD;
    uint32_t what = UART_DATA;
    return what == 'F' ? MPS2_SUPPLY_FAILS : what == 'C' ? MPS2_SUPPLY_CUT : MPS2_SUPPLY_GOOD;
}

_Noreturn void mps2_supply_reset(void)
{
    __asm volatile("dsb" ::: "memory");
    AIRCR = AIRCR_RESET;
    for (;;) {
    }
}
