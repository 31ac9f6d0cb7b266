/* From reset to main on a Cortex-M4: vectors, .data, .bss, the paint of the stack. No C library is
 * started: this code and memcpy, memset, memcmp, memmove and strlen of the compiler's C library are
 * all that an image has besides its own sources. A fault, and an interrupt nobody has, stop here
 * for good: a meter's watchdog takes it from there. */
#include "firmware/ports/mps2/clock.h"
#include "firmware/ports/mps2/stack.h"
#include "firmware/ports/mps2/uart.h"

extern uint32_t port_data_load[], port_data_start[], port_data_end[];
extern uint32_t port_bss_start[], port_bss_end[];
extern uint32_t port_stack_top[];
int main(void);
void port_reset(void);

static void stop(void)
{
    for (;;) {
    }
}

void port_reset(void)
{
    const uint32_t *from = port_data_load;
    for (uint32_t *to = port_data_start; to < port_data_end; to++)
        *to = *from++;
    for (uint32_t *to = port_bss_start; to < port_bss_end; to++)
        *to = 0;
    mps2_stack_paint();
    (void)main();
    stop();
}

/* ARMv7-M: the first word is the stack, exceptions 1 to 15 follow, then the board's interrupts. */
#define N_EXCEPTIONS 16
union vector {
    uint32_t *stack;
    void (*handler)(void);
};
__attribute__((section(".vectors"), used)) static const union vector vectors[] = {
    [0] = {.stack = port_stack_top},
    [1] = {.handler = port_reset},
    [2] = {.handler = stop}, /* NMI */
    [3] = {.handler = stop}, /* hard, memory, bus, usage fault */
    [4] = {.handler = stop},
    [5] = {.handler = stop},
    [6] = {.handler = stop},
    [11] = {.handler = stop}, /* SVC, debug, PendSV */
    [12] = {.handler = stop},
    [14] = {.handler = stop},
    [15] = {.handler = mps2_clock_tick},
    [N_EXCEPTIONS + MPS2_UART_RX_IRQ] = {.handler = mps2_uart_received},
};
