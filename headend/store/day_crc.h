/* CRC-32 of day blocks: crc32_update() of lib/base, made for a large core. */
#ifndef FERRARIS_HEADEND_DAY_CRC_H
#define FERRARIS_HEADEND_DAY_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The same numbers as crc32_update(0, p, n). */
uint32_t day_crc32(const void *p, size_t n);

#endif
