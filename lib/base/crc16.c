/* CRC-16 of frames, four bits a step: 32 octets of table instead of 512. Frames are short and lines
 * slow, so hosts need nothing faster. CRC-32 has files of its own. */
#include "lib/base/crc.h"

/* Entry i is i passed through four steps of the reflected CCITT polynomial 8408. */
static const uint16_t crc16_nibble[16] = {0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285,
                                          0x6306, 0x7387, 0x8408, 0x9489, 0xA50A, 0xB58B,
                                          0xC60C, 0xD68D, 0xE70E, 0xF78F};

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
