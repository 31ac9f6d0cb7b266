/* Check sums: CRC-32 of storage records, CRC-16 of frames, both bit-reflected.
 *
 * crc32_update has two sources with the same results; a program links one of them. crc32_small.c:
 * 64 octets of table, for the meter's small core. crc32_sliced.c: eight octets a step with 8 KiB of
 * table, for hosts; this one is in ferraris_base. */
#ifndef FERRARIS_BASE_CRC_H
#define FERRARIS_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 (ISO-HDLC: poly 04C11DB7, init and xorout FFFFFFFF); start with crc = 0, chain by passing
 * the former result. "123456789" gives CBF43926. */
uint32_t crc32_update(uint32_t crc, const void *p, size_t n);
/* CRC-16/X-25 of IEC 62056-46 / ISO/IEC 13239; start with crc = 0. "123456789" gives 906E. */
uint16_t crc16_x25_update(uint16_t crc, const void *p, size_t n);

#endif
