/* A day's totals, and how they stand in the row of their block: a JSON list with one list a column,
 * which the views can take apart and which is nearly as short as octets would be.
 *
 *     [0]                                      the column has no values that day
 *     [first, last - first, sum - n * first]   every row has a value
 *     [n, first, last, sum]                    else, or where a difference does not fit in 64 bits
 */
#include "headend/store/store_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Wide enough for every row of a day at the ends of 64 bits. */
__extension__ typedef __int128 wide;

static int64_t saturated(wide v)
{
    return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

static void total_of(const struct day_rows *rows, uint32_t column, struct store_day_total *t)
{
    wide sum = 0;
    *t = (struct store_day_total){.column = column, .n_rows = rows->n};
    for (uint32_t r = 0; r < rows->n; r++) {
        int64_t v = rows->value[(size_t)r * rows->n_columns + column];
        if (v == DAY_MISSING)
            continue;
        if (t->n_values++ == 0)
            t->first = v;
        t->last = v;
        sum += v;
    }
    t->sum = saturated(sum);
}

void store_totals_of(const struct day_rows *rows, struct store_day_total *total)
{
    for (uint32_t c = 0; c < rows->n_columns; c++)
        total_of(rows, c, &total[c]);
}

static size_t put_column(const struct store_day_total *t, char *to, size_t size)
{
    int64_t rise, base, rest;
    bool fits = t->n_values == t->n_rows && !__builtin_sub_overflow(t->last, t->first, &rise) &&
                !__builtin_mul_overflow(t->first, (int64_t)t->n_rows, &base) &&
                !__builtin_sub_overflow(t->sum, base, &rest);
    if (t->n_values == 0)
        return (size_t)snprintf(to, size, "[0]");
    if (fits)
        return (size_t)snprintf(to, size, "[%lld,%lld,%lld]", (long long)t->first, (long long)rise,
                                (long long)rest);
    return (size_t)snprintf(to, size, "[%u,%lld,%lld,%lld]", t->n_values, (long long)t->first,
                            (long long)t->last, (long long)t->sum);
}

size_t store_totals_put(const struct store_day_total *total, uint32_t n_columns, char *to)
{
    size_t len = 0;
    to[len++] = '[';
    for (uint32_t c = 0; c < n_columns; c++) {
        if (c > 0)
            to[len++] = ',';
        len += put_column(&total[c], to + len, STORE_TOTALS_MAX - len);
    }
    to[len++] = ']';
    to[len] = 0;
    return len;
}

/* "[1,2,3]": *n numbers, at most four; gives what follows, NULL when it is something else. */
static const char *take_list(const char *text, int64_t v[4], unsigned *n)
{
    *n = 0;
    do { /* text: at the bracket, then at the commas */
        char *end;
        if (*n == 4)
            return NULL;
        v[*n] = strtoll(text + 1, &end, 10);
        if (end == text + 1)
            return NULL;
        text = end;
        (*n)++;
    } while (*text == ',');
    return *text == ']' ? text + 1 : NULL;
}

static bool from_list(const int64_t v[4], unsigned n, struct store_day_total *t)
{
    if (n == 1 && v[0] == 0)
        return true;
    if (n == 4 && v[0] > 0 && v[0] <= (int64_t)t->n_rows) {
        t->n_values = (uint32_t)v[0];
        t->first = v[1];
        t->last = v[2];
        t->sum = v[3];
        return true;
    }
    int64_t base;
    t->n_values = t->n_rows;
    t->first = v[0];
    return n == 3 && !__builtin_add_overflow(v[0], v[1], &t->last) &&
           !__builtin_mul_overflow(v[0], (int64_t)t->n_rows, &base) &&
           !__builtin_add_overflow(base, v[2], &t->sum);
}

enum err store_totals_get(const char *text, uint32_t n_rows, struct store_day_total *total,
                          uint32_t *n_columns)
{
    *n_columns = 0;
    if (*text++ != '[')
        return ERR_CORRUPT;
    while (*text == '[') {
        int64_t v[4];
        unsigned n;
        uint32_t c = *n_columns;
        text = take_list(text, v, &n);
        if (!text || c == DAY_COLUMNS_MAX)
            return ERR_CORRUPT;
        total[c] = (struct store_day_total){.column = c, .n_rows = n_rows};
        if (!from_list(v, n, &total[c]))
            return ERR_CORRUPT;
        *n_columns = c + 1;
        if (*text == ',' && text[1] == '[')
            text++;
        else if (*text != ']')
            return ERR_CORRUPT;
    }
    return text[0] == ']' && text[1] == 0 ? ERR_OK : ERR_CORRUPT;
}
