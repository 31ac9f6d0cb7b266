/* The image: runs the cases under QEMU with -icount shift=0, where an instruction takes a
 * nanosecond of the board's time, and prints instructions per sample set and the report of each
 * case.
 *
 * The counter is the SysTick timer at the 25 MHz of the processor: a tick is 40 instructions. A
 * loop of known length comes first, so that the reader can tell whether that holds. */
#include "firmware/images/legal_cost/cost.h"
#include "firmware/ports/mps2/semihosting.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010)
#define SYSTICK_RELOAD  (*(volatile uint32_t *)0xE000E014)
#define SYSTICK_NOW     (*(volatile uint32_t *)0xE000E018)
#define SYSTICK_MASK    0xFFFFFFu
#define PER_TICK        40 /* instructions */
#define LOOPS           100000u

static struct cost_meter meter;
static struct cost_block blocks[COST_WINDOW];

static uint32_t ticks_since(uint32_t begin)
{
    return (begin - SYSTICK_NOW) & SYSTICK_MASK;
}

/* --- printing ------------------------------------------------------------------------------- */

static void print_number(uint64_t n)
{
    char digits[21];
    char *p = digits + sizeof digits - 1;
    *p = '\0';
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    mps2_semihosting_print(p);
}

static void print_value(const char *name, unsigned index, uint64_t value)
{
    mps2_semihosting_print(name);
    mps2_semihosting_print(" ");
    print_number(index);
    mps2_semihosting_print(" ");
    print_number(value);
    mps2_semihosting_print("\n");
}

/* "cost NAME 123.4", instructions per sample set */
static void print_cost(const char *name, uint64_t ticks, uint64_t n)
{
    uint64_t tenths = ticks * PER_TICK * 10 / n;
    mps2_semihosting_print("cost ");
    mps2_semihosting_print(name);
    mps2_semihosting_print(" ");
    print_number(tenths / 10);
    mps2_semihosting_print(".");
    print_number(tenths % 10);
    mps2_semihosting_print("\n");
}

/* --- measuring ------------------------------------------------------------------------------ */

static void calibrate_counter(void)
{
    uint32_t begin = SYSTICK_NOW, n = LOOPS;
    __asm__ volatile("1: sub %0, %0, #1\n cmp %0, #0\n bne 1b" : "+l"(n) : : "cc");
    print_cost("loop-of-3", ticks_since(begin), LOOPS);
}

static void measure_kernel(void)
{
    static struct legal_kernel kernel;
    const struct cost_case *c = &cost_cases[0];
    for (unsigned b = 0; b < COST_WINDOW; b++)
        cost_fill(&blocks[b], c, b);
    cost_kernel_start(&kernel, c, NULL);
    uint32_t begin = SYSTICK_NOW;
    cost_kernel_window(&kernel, c, blocks);
    print_cost("kernel", ticks_since(begin), COST_WINDOW * c->rate / COST_BLOCKS_S);
}

static void measure_case(const struct cost_case *c)
{
    uint32_t n_blocks = c->seconds * COST_BLOCKS_S;
    uint64_t ticks = 0;
    cost_start(&meter, c, NULL);
    for (uint32_t b = 0; b < n_blocks; b++) {
        cost_fill(&blocks[0], c, b);
        uint32_t begin = SYSTICK_NOW;
        cost_feed(&meter, &blocks[0]);
        ticks += ticks_since(begin);
    }
    print_cost(c->name, ticks, (uint64_t)c->rate * c->seconds);
    mps2_semihosting_print("case ");
    mps2_semihosting_print(c->name);
    mps2_semihosting_print("\n");
    cost_report(&meter, print_value);
}

int main(void)
{
    SYSTICK_RELOAD = SYSTICK_MASK;
    SYSTICK_NOW = 0;
    SYSTICK_CONTROL = 5; /* on, at the processor's clock, no interrupt */
    calibrate_counter();
    measure_kernel();
    print_value("variant_differs", 0, cost_variant_differs(legal_sums_best(), COST_VARIANT_ROUNDS));
    for (unsigned k = 0; k < COST_N_CASES; k++)
        measure_case(&cost_cases[k]);
    mps2_semihosting_exit();
    return 0;
}
