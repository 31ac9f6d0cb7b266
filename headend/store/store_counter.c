/* Invocation counters. A number is given out only after the disk has it that it is gone: whatever
 * happens later, the same key never meets the same number again. */
#include "headend/store/store_parts.h"

#define COUNTER_END (INT64_C(1) << 32)

/* ERR_OK with 0 where there is no row. */
static enum err stored(struct store *s, enum store_sql which, int64_t meter, uint16_t client_sap,
                       int64_t *n)
{
    *n = 0;
    struct ask a = ask_of(s, which);
    ask_int(&a, meter);
    ask_int(&a, client_sap);
    if (ask_row(&a))
        *n = ask_get_int(&a);
    return ask_end(&a);
}

static enum err put(struct store *s, enum store_sql which, int64_t meter, uint16_t client_sap,
                    int64_t n)
{
    struct ask a = ask_of(s, which);
    ask_int(&a, meter);
    ask_int(&a, client_sap);
    ask_int(&a, n);
    enum err err = ask_run(&a);
    return err == ERR_NOT_FOUND ? store_fail(s, err, "there is no such meter") : err;
}

static enum err reserve(struct store *s, int64_t meter, uint16_t client_sap, uint32_t n,
                        int64_t *next)
{
    int64_t least = *next;
    enum err err = stored(s, SQL_COUNTER_GET, meter, client_sap, next);
    if (err != ERR_OK)
        return err;
    if (*next < least)
        *next = least;
    if (*next + n > COUNTER_END)
        return store_fail(s, ERR_RANGE,
                          "the invocation counters of client %u are used up: the "
                          "meter needs new keys",
                          client_sap);
    return put(s, SQL_COUNTER_PUT, meter, client_sap, *next + n);
}

enum err store_counter_reserve(struct store *s, int64_t meter, uint16_t client_sap, uint32_t floor,
                               uint32_t n, uint32_t *first)
{
    int64_t next = floor;
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    if (s->begun) /* the numbers would be back after a rollback */
        err = store_fail(s, ERR_STATE, "counters are reserved outside of transactions");
    else if (n == 0)
        err = store_fail(s, ERR_RANGE, "no numbers asked for");
    else
        err = reserve(s, meter, client_sap, n, &next);
    err = store_write_end(s, err, true);
    if (err == ERR_OK)
        *first = (uint32_t)next;
    return err;
}

enum err store_rx_floor_get(struct store *s, int64_t meter, uint16_t client_sap, uint32_t *floor)
{
    int64_t n = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    err = stored(s, SQL_RX_FLOOR_GET, meter, client_sap, &n);
    *floor = (uint32_t)n;
    return store_read_end(s, err);
}

enum err store_rx_floor_put(struct store *s, int64_t meter, uint16_t client_sap, uint32_t floor)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    return store_write_end(s, put(s, SQL_RX_FLOOR_PUT, meter, client_sap, floor), true);
}

enum err store_rx_floor_clear(struct store *s, int64_t meter)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_RX_FLOOR_CLEAR);
    ask_int(&a, meter);
    return store_write_end(s, ask_run(&a), true);
}
