/* UART 0 of the board (CMSDK APB UART): octets in by interrupt into a small ring, octets out by
 * waiting. One line; no parity, as the hardware has none. */
#ifndef FERRARIS_MPS2_UART_H
#define FERRARIS_MPS2_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MPS2_UART_RX_IRQ 0
#define MPS2_UART_RING   64 /* octets that may come while an answer is worked out */

void mps2_uart_init(uint32_t baud);
/* Octets that have come, at most `size`; 0: none. */
size_t mps2_uart_read(uint8_t *to, size_t size);
/* Waits until all are out. */
void mps2_uart_write(const uint8_t *p, size_t n);
/* Sleeps until an octet or a tick of the clock comes. */
void mps2_uart_wait(void);
uint32_t mps2_uart_lost(void); /* octets that came before the one before them was fetched */
void mps2_uart_received(void); /* the interrupt */

#endif
