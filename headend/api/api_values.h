/* Rows of a profile over a span of time, gathered from day blocks of any layouts into one table.
 *
 * A column that changed (scaler, unit, multiplier) between two layouts is two columns here: values
 * are never mixed. Rows are in order of stamp; of equal stamps the earlier in the store first. */
#ifndef FERRARIS_HEADEND_API_VALUES_H
#define FERRARIS_HEADEND_API_VALUES_H

#include "headend/store/store.h"

#include <stddef.h>

#define VALUES_SPAN_MAX_S (INT64_C(400) * 86400)
#define VALUES_CELLS_MAX  4000000u /* rows x columns: 400 days of 15 minutes x 32 fit */
#define VALUES_COLUMNS    64       /* over all layouts of the span */
#define VALUES_LAYOUTS    16

struct columns {
    size_t n;
    struct store_column column[VALUES_COLUMNS];
    /* layouts seen: where their columns went */
    size_t n_layouts;
    struct columns_layout {
        int64_t id;
        uint32_t n;
        uint8_t at[DAY_COLUMNS_MAX];
    } layout[VALUES_LAYOUTS];
};
/* The place of a layout's columns, added when new; NULL: *err (ERR_FULL: too many changes). */
const struct columns_layout *columns_of(struct columns *c, struct store *s, int64_t layout,
                                        enum err *err);

struct value_row {
    int64_t stamp_s;
    uint32_t zone, status;
    const struct columns_layout *layout;
    const int64_t *value; /* of the layout's columns */
};
struct values {
    struct columns columns;
    struct value_row *row;
    size_t n, size;
    struct day_rows *day; /* the decoded blocks that the rows point into */
    size_t n_days, days_size;
    size_t n_cells;
};
/* Zero-initialise; free it also after an error. from_s <= stamp < to_s. ERR_FULL: more than
 * VALUES_CELLS_MAX or too many layouts; ERR_CORRUPT, ERR_VERSION, ERR_MEMORY, of the store. */
MUST_CHECK enum err values_gather(struct values *v, struct store *s, int64_t profile,
                                  int64_t from_s, int64_t to_s);
/* Raw value of column `c` of the whole, DAY_MISSING where the row has none. */
int64_t values_at(const struct values *v, size_t row, size_t c);
/* Minutes of the meter's clock ahead of UTC. */
int values_zone_min(const struct values *v, size_t row);
void values_free(struct values *v);

#endif
