/* 64-bit division, bit by bit: stands in for the compiler library's, which unrolls everything and
 * takes 600 octets more. Times are divided a few times an APDU; 64 steps are nothing there. */
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest);

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t out = r >> 63;
        r = r << 1 | n >> 63;
        n <<= 1;
        if (out || r >= d) {
            r -= d;
            n |= 1;
        }
    }
    if (rest)
        *rest = r;
    return n;
}
