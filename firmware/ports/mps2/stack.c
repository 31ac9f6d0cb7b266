/* See stack.h. */
#include "firmware/ports/mps2/stack.h"

#define PAINT 0x57ACC0DEu

extern uint32_t port_stack_bottom[], port_stack_top[];

/* Paints up to its own frame: what lies above is in use already. */
__attribute__((noinline)) void mps2_stack_paint(void)
{
    const uint32_t *here = (const uint32_t *)__builtin_frame_address(0);
    for (volatile uint32_t *p = port_stack_bottom; p < here - 8; p++)
        *p = PAINT;
}

size_t mps2_stack_used(void)
{
    const uint32_t *p = port_stack_bottom;
    while (p < port_stack_top && *p == PAINT)
        p++;
    return (size_t)(port_stack_top - p) * sizeof *p;
}

size_t mps2_stack_size(void)
{
    return (size_t)(port_stack_top - port_stack_bottom) * sizeof *port_stack_top;
}
