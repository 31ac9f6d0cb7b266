/* One column of a day block: n 64-bit integers, some perhaps missing. Private to headend/store.
 * Octets and why: docs/SPEC-day-block.md. */
#ifndef FERRARIS_HEADEND_DAY_COLUMN_H
#define FERRARIS_HEADEND_DAY_COLUMN_H

#include "headend/store/day_block.h"
#include "lib/base/cursor.h"

/* Largest column of n values: each in full, a width for each group, first values, base, and the
 * list of the missing, which is shorter than the values that lack. */
#define DAY_COLUMN_BOUND(n) ((size_t)(n)*8 + ((size_t)(n) + 31) / 32 + 40)

/* v[0], v[step], ... v[(n - 1) * step]; n at most DAY_ROWS_MAX. Takes some 150 KiB of stack. */
void day_column_write(struct wr *w, const int64_t *v, uint32_t n, size_t step);
/* The same into *v; ERR_CORRUPT, ERR_TRUNCATED are left in the cursor. The column ends where the
 * cursor then stands. Of other ways to say the same values it refuses what costs nothing to see;
 * day_block_is_canonical() sees all. */
void day_column_read(struct rd *r, int64_t *v, uint32_t n, size_t step);

#endif
