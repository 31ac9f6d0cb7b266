/* See meter_field.h. */
#include "firmware/meter/meter_field.h"

#include <string.h>

static uint64_t load(const void *from, uint8_t size)
{
    uint64_t v = 0;
    uint32_t v32;
    uint16_t v16;
    switch (size) {
    case 8:
        memcpy(&v, from, sizeof v);
        return v;
    case 4:
        memcpy(&v32, from, sizeof v32);
        return v32;
    case 2:
        memcpy(&v16, from, sizeof v16);
        return v16;
    default:
        return *(const uint8_t *)from;
    }
}

static void store(void *to, uint8_t size, uint64_t v)
{
    const uint32_t v32 = (uint32_t)v;
    const uint16_t v16 = (uint16_t)v;
    switch (size) {
    case 8:
        memcpy(to, &v, sizeof v);
        break;
    case 4:
        memcpy(to, &v32, sizeof v32);
        break;
    case 2:
        memcpy(to, &v16, sizeof v16);
        break;
    case 1:
        *(uint8_t *)to = (uint8_t)v;
        break;
    default:
        *(bool *)to = v != 0;
        break;
    }
}

static void put(struct wr *w, const struct meter_field *f, const void *from)
{
    uint8_t octets[8];
    uint64_t v = load(from, f->size);
    for (size_t i = f->octets; i > 0; v >>= 8)
        octets[--i] = (uint8_t)v;
    wr_bytes(w, octets, f->octets);
}

static void get(struct rd *r, const struct meter_field *f, void *to)
{
    uint8_t octets[8];
    uint64_t v = 0;
    rd_copy(r, octets, f->octets);
    for (size_t i = 0; i < f->octets; i++)
        v = v << 8 | octets[i];
    store(to, f->size, v);
}

void meter_fields(const struct meter_io *io, void *of, const struct meter_field *fields, size_t n,
                  size_t times)
{
    for (size_t i = 0; i < n * times; i++) {
        const struct meter_field *f = &fields[i % n];
        uint8_t *at = (uint8_t *)of + f->offset + i / n * f->size;
        if (io->w != NULL)
            put(io->w, f, at);
        else
            get(io->r, f, at);
    }
}
