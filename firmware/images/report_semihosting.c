/* The test's image: the moment, and the deepest stack since the reset: "closed stack USED of SIZE
 * lost OCTETS". */
#include "firmware/images/report.h"

#include "firmware/ports/mps2/semihosting.h"
#include "firmware/ports/mps2/stack.h"
#include "firmware/ports/mps2/uart.h"

static void print_number(const char *before, uint32_t n)
{
    char digits[11];
    char *p = digits + sizeof digits - 1;
    *p = '\0';
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    mps2_semihosting_print(before);
    mps2_semihosting_print(p);
}

void image_report(const char *when)
{
    mps2_semihosting_print(when);
    print_number(" stack ", (uint32_t)mps2_stack_used());
    print_number(" of ", (uint32_t)mps2_stack_size());
    print_number(" lost ", mps2_uart_lost());
    mps2_semihosting_print("\n");
}
