/* CRC-32 for small cores, four bits a step: 64 octets of table instead of 1024, which a core with a
 * slow flash and little of it prefers. Hosts link crc32_sliced.c. */
#include "lib/base/crc.h"

/* Entry i is i passed through four steps of the reflected polynomial EDB88320. */
static const uint32_t crc32_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

uint32_t crc32_update(uint32_t crc, const void *p, size_t n)
{
    const uint8_t *octet = p;
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= octet[i];
        crc = crc >> 4 ^ crc32_nibble[crc & 15];
        crc = crc >> 4 ^ crc32_nibble[crc & 15];
    }
    return ~crc;
}
