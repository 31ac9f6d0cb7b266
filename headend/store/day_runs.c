/* Varints and runs of a day block. A reader refuses every second way of saying the same, for equal
 * rows must be equal octets; errors are left in the cursor. */
#include "headend/store/day_runs.h"

#include <string.h>

void day_wr_varint(struct wr *w, uint64_t v)
{
    uint8_t octet[10];
    size_t n = 0;
    while (v > 0x7F) {
        octet[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    octet[n++] = (uint8_t)v;
    wr_bytes(w, octet, n);
}

uint64_t day_rd_varint_long(struct rd *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t octet = rd_u8(r);
        v |= (uint64_t)(octet & 0x7F) << shift;
        if (octet & 0x80)
            continue;
        if ((octet == 0 && shift > 0) || (shift == 63 && octet > 1))
            break;
        return v;
    }
    rd_fail(r, ERR_CORRUPT);
    return 0;
}

/* Most days are one run: all equal their neighbours. */
static bool is_one_run(const uint32_t *v, uint32_t n)
{
    return memcmp(v, v + 1, (n - 1) * sizeof *v) == 0;
}

void day_runs_write(struct wr *w, const uint32_t *v, uint32_t n)
{
    for (uint32_t i = 0, end; i < n; i = end) {
        end = i == 0 && is_one_run(v, n) ? n : i + 1;
        while (end < n && v[end] == v[i])
            end++;
        day_wr_varint(w, v[i]);
        day_wr_varint(w, end - i);
    }
}

void day_runs_read(struct rd *r, uint32_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n && !r->err;) {
        const uint64_t value = day_rd_varint(r), count = day_rd_varint(r);
        const bool again = i > 0 && value == v[i - 1];
        if (value > UINT32_MAX || count == 0 || count > n - i || again) {
            rd_fail(r, ERR_CORRUPT);
            return;
        }
        for (const uint32_t end = i + (uint32_t)count; i < end; i++)
            v[i] = (uint32_t)value;
    }
}
