/* See serial.h. */
#include "firmware/images/serial.h"

#include "firmware/ports/mps2/uart.h"

static void drain(struct cosem_line *line, uint64_t now_ms)
{
    uint8_t octets[32];
    for (size_t n; (n = line_take(line, now_ms, octets, sizeof octets)) > 0;)
        mps2_uart_write(octets, n);
    if (line_closed(line))
        line_reset(line);
}

void image_serve(struct cosem_line *line, uint64_t now_ms)
{
    uint8_t octets[32];
    size_t n = mps2_uart_read(octets, sizeof octets);
    for (size_t used = 0; used < n;) {
        used += line_feed(line, now_ms, octets + used, n - used);
        drain(line, now_ms);
    }
    (void)line_poll(line, now_ms);
    drain(line, now_ms);
}
