/* See uart.h. Arm DDI 0479, APB UART; the interrupt writes `in`, the reader writes `out`. With the
 * ring full the interrupt is put off and the octet stays in the UART: a simulator then holds the
 * next one back, on a real line it comes too late and is counted as lost. */
#include "firmware/ports/mps2/uart.h"

#define CLOCK_HZ     25000000u
#define UART         0x40004000u
#define UART_DATA    (*(volatile uint32_t *)(UART + 0x00))
#define UART_STATE   (*(volatile uint32_t *)(UART + 0x04))
#define UART_CTRL    (*(volatile uint32_t *)(UART + 0x08))
#define UART_INT     (*(volatile uint32_t *)(UART + 0x0C))
#define UART_BAUD    (*(volatile uint32_t *)(UART + 0x10))
#define NVIC_ISER    (*(volatile uint32_t *)0xE000E100u)
#define NVIC_ICER    (*(volatile uint32_t *)0xE000E180u)
#define STATE_TXFULL 1u
#define STATE_RXFULL 2u
#define STATE_RXOVER 8u
#define CTRL_ON      (1u | 2u | 8u) /* transmitter, receiver, receive interrupt */
#define INT_RX       2u
#define BAUD_MIN     16 /* of the divider */

static uint8_t ring[MPS2_UART_RING];
static volatile uint32_t in, out, lost; /* in - out octets wait; both run over */

void mps2_uart_init(uint32_t baud)
{
    uint32_t divider = CLOCK_HZ / baud;
    UART_BAUD = divider < BAUD_MIN ? BAUD_MIN : divider;
    UART_CTRL = CTRL_ON;
    NVIC_ISER = 1u << MPS2_UART_RX_IRQ;
}

void mps2_uart_received(void)
{
    UART_INT = INT_RX;
    if (UART_STATE & STATE_RXOVER) {
        UART_STATE = STATE_RXOVER;
        lost++;
    }
    while (UART_STATE & STATE_RXFULL) {
        if (in - out == MPS2_UART_RING) {
            NVIC_ICER = 1u << MPS2_UART_RX_IRQ;
            return;
        }
        ring[in++ % MPS2_UART_RING] = (uint8_t)UART_DATA;
    }
}

/* The line may have gone quiet with an octet in the UART and no interrupt to come for it. */
static void resume(void)
{
    __asm volatile("cpsid i");
    mps2_uart_received();
    NVIC_ISER = 1u << MPS2_UART_RX_IRQ;
    __asm volatile("cpsie i");
}

size_t mps2_uart_read(uint8_t *to, size_t size)
{
    size_t n = 0;
    bool was_full = in - out == MPS2_UART_RING;
    while (n < size && out != in)
        to[n++] = ring[out++ % MPS2_UART_RING];
    if (was_full)
        resume();
    return n;
}

void mps2_uart_write(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (UART_STATE & STATE_TXFULL) {
        }
        UART_DATA = p[i];
    }
}

/* An octet that comes between the look and the sleep wakes by its pending interrupt only when
 * interrupts are masked here; else it would lie until the next tick. */
void mps2_uart_wait(void)
{
    __asm volatile("cpsid i");
    if (in == out)
        __asm volatile("wfi");
    __asm volatile("cpsie i");
}

uint32_t mps2_uart_lost(void)
{
    return lost;
}
