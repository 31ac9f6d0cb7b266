/* CRC-32 for hosts, eight octets a step: with the small table a meter that lives its past spends a
 * third of its time here, and a head-end longer than in decoding a block.
 *
 * SLICE(k) lists what one bit of an octet does to the CRC after k further octets; entry i of a
 * slice is the exclusive or of its bits, so the table is written by the compiler from 64 numbers.
 * It keeps no state and reads octets of any alignment. */
#include "lib/base/crc.h"

#define BIT(i, bit, effect) (((i) >> (bit)&1u) ? (effect) : 0u)
#define ENTRY(i, b0, b1, b2, b3, b4, b5, b6, b7)                                                   \
    (BIT(i, 0, b0) ^ BIT(i, 1, b1) ^ BIT(i, 2, b2) ^ BIT(i, 3, b3) ^ BIT(i, 4, b4) ^               \
     BIT(i, 5, b5) ^ BIT(i, 6, b6) ^ BIT(i, 7, b7))
#define TIMES_4(i, ...)                                                                            \
    ENTRY(i, __VA_ARGS__), ENTRY(i + 1u, __VA_ARGS__), ENTRY(i + 2u, __VA_ARGS__),                 \
        ENTRY(i + 3u, __VA_ARGS__)
#define TIMES_16(i, ...)                                                                           \
    TIMES_4(i, __VA_ARGS__), TIMES_4(i + 4u, __VA_ARGS__), TIMES_4(i + 8u, __VA_ARGS__),           \
        TIMES_4(i + 12u, __VA_ARGS__)
#define TIMES_64(i, ...)                                                                           \
    TIMES_16(i, __VA_ARGS__), TIMES_16(i + 16u, __VA_ARGS__), TIMES_16(i + 32u, __VA_ARGS__),      \
        TIMES_16(i + 48u, __VA_ARGS__)
#define SLICE(...)                                                                                 \
    {                                                                                              \
        TIMES_64(0u, __VA_ARGS__), TIMES_64(64u, __VA_ARGS__), TIMES_64(128u, __VA_ARGS__),        \
            TIMES_64(192u, __VA_ARGS__)                                                            \
    }

static const uint32_t slice[8][256] = {
    SLICE(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832, 0x1DB71064, 0x3B6E20C8, 0x76DC4190,
          0xEDB88320),
    SLICE(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08, 0x4AC21251, 0x958424A2, 0xF0794F05,
          0x3B83984B),
    SLICE(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8, 0x1C26A370, 0x384D46E0, 0x709A8DC0,
          0xE1351B80),
    SLICE(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF, 0x5019579F, 0xA032AF3E, 0x9B14583D,
          0xED59B63B),
    SLICE(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1, 0x60E09782, 0xC1C12F04, 0x58F35849,
          0xB1E6B092),
    SLICE(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D, 0x03D6029B, 0x07AC0536, 0x0F580A6C,
          0x1EB014D8),
    SLICE(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67, 0x67DE9CCE, 0xCFBD399C, 0x440B7579,
          0x8816EAF2),
    SLICE(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5, 0x7CBB312B, 0xF9766256, 0x299DC2ED,
          0x533B85DA),
};

/* Little-endian whatever the machine: compilers make one load of it. */
static uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t crc32_update(uint32_t crc, const void *p, size_t n)
{
    const uint8_t *octet = p;
    crc = ~crc;
    for (; n >= 8; n -= 8, octet += 8) {
        const uint32_t a = load_u32(octet) ^ crc, b = load_u32(octet + 4);
        crc = slice[7][a & 255] ^ slice[6][a >> 8 & 255] ^ slice[5][a >> 16 & 255] ^
              slice[4][a >> 24] ^ slice[3][b & 255] ^ slice[2][b >> 8 & 255] ^
              slice[1][b >> 16 & 255] ^ slice[0][b >> 24];
    }
    for (; n > 0; n--, octet++)
        crc = crc >> 8 ^ slice[0][(crc ^ *octet) & 255];
    return ~crc;
}
