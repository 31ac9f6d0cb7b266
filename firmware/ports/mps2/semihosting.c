/* See semihosting.h. "Semihosting for AArch32 and AArch64", SYS_WRITE0 and SYS_EXIT. */
#include "firmware/ports/mps2/semihosting.h"

#include <stdint.h>

#define SYS_WRITE0           0x04u
#define SYS_EXIT             0x18u
#define ADP_APPLICATION_EXIT 0x20026u

static void call(uint32_t operation, uint32_t parameter)
{
    register uint32_t r0 __asm("r0") = operation;
    register uint32_t r1 __asm("r1") = parameter;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void mps2_semihosting_print(const char *text)
{
    call(SYS_WRITE0, (uint32_t)(uintptr_t)text);
}

void mps2_semihosting_exit(void)
{
    call(SYS_EXIT, ADP_APPLICATION_EXIT);
}
