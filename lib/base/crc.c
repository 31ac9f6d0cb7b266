/* Two reflected CRCs, four bits a step: 64 and 32 octets of table instead of 1024 and 512, which a
 * small core with a slow flash prefers. */
#include "lib/base/crc.h"

/* Entry i is i passed through four steps of the reflected polynomial EDB88320. */
static const uint32_t crc32_nibble[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

/* The same for 8408, the reflected CCITT polynomial. */
static const uint16_t crc16_nibble[16] = {0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285,
                                          0x6306, 0x7387, 0x8408, 0x9489, 0xA50A, 0xB58B,
                                          0xC60C, 0xD68D, 0xE70E, 0xF78F};

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

uint16_t crc16_x25_update(uint16_t crc, const void *p, size_t n)
{
    const uint8_t *octet = p;
    unsigned c = ~(unsigned)crc & 0xFFFFu;
    for (size_t i = 0; i < n; i++) {
        c ^= octet[i];
        c = c >> 4 ^ crc16_nibble[c & 15];
        c = c >> 4 ^ crc16_nibble[c & 15];
    }
    return (uint16_t)~c;
}
