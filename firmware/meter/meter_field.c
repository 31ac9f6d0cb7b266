/* See meter_field.h. */
#include "firmware/meter/meter_field.h"

/* A field is an integer of its size, or a bool. */
static uint64_t load(const void *from, uint8_t size)
{
    switch (size) {
    case 8:
        return *(const uint64_t *)from;
    case 4:
        return *(const uint32_t *)from;
    case 2:
        return *(const uint16_t *)from;
    default:
        return *(const uint8_t *)from;
    }
}

static void store(void *to, uint8_t size, uint64_t v)
{
    switch (size) {
    case 8:
        *(uint64_t *)to = v;
        break;
    case 4:
        *(uint32_t *)to = (uint32_t)v;
        break;
    case 2:
        *(uint16_t *)to = (uint16_t)v;
        break;
    case 1:
        *(uint8_t *)to = (uint8_t)v;
        break;
    default:
        *(bool *)to = v != 0;
        break;
    }
}

void meter_fields(const struct meter_io *io, void *of, const struct meter_field *fields, size_t n,
                  size_t times)
{
    for (size_t i = 0; i < n * times; i++) {
        const struct meter_field *f = &fields[i % n];
        void *at = (uint8_t *)of + f->offset + i / n * f->size;
        if (io->w != NULL)
            wr_uint(io->w, load(at, f->size), f->octets);
        else
            store(at, f->size, rd_uint(io->r, f->octets));
    }
}
