/* Registers: what a meter showed last, one row each. */
#include "headend/store/store_parts.h"

#include <string.h>

#define N_COLUMNS 10 /* of SQL_REGISTERS */

static bool same(const struct store_register *a, const struct store_register *b)
{
    return a->attribute == b->attribute && memcmp(a->ln, b->ln, sizeof a->ln) == 0;
}

static void bind_key(struct ask *a, int64_t meter, const struct store_register *r)
{
    ask_int(a, meter);
    ask_blob(a, r->ln, sizeof r->ln);
    ask_int(a, r->attribute);
}

/* SQL_REGISTERS. */
void store_register_take(struct ask *a, struct store_register *r)
{
    const int end = a->at + N_COLUMNS;
    memset(r, 0, sizeof *r);
    if (sqlite3_column_type(a->st, a->at) == SQLITE_NULL) {
        a->at = end;
        return;
    }
    ask_get_exact(a, r->ln, sizeof r->ln);
    r->attribute = (uint8_t)ask_get_int(a);
    r->class_id = (uint16_t)ask_get_int(a);
    r->scaler = (int8_t)ask_get_int(a);
    r->unit = (uint8_t)ask_get_int(a);
    r->mul_num = (uint32_t)ask_get_int(a);
    r->mul_den = (uint32_t)ask_get_int(a);
    r->result = (uint8_t)ask_get_int(a);
    r->valid = sqlite3_column_type(a->st, a->at) != SQLITE_NULL;
    r->at_ms = ask_get_int(a);
    r->value = ask_get_int(a);
}

static enum err list_of(struct store *s, int64_t meter, struct store_register *list, size_t size,
                        size_t *n)
{
    *n = 0;
    struct ask a = ask_of(s, SQL_REGISTERS);
    ask_int(&a, meter);
    while (*n < size && ask_row(&a))
        store_register_take(&a, &list[(*n)++]);
    return ask_end(&a);
}

static enum err drop_others(struct store *s, int64_t meter, const struct store_register *list,
                            size_t n)
{
    struct store_register old[STORE_REGISTERS_MAX];
    size_t n_old;
    enum err err = list_of(s, meter, old, STORE_REGISTERS_MAX, &n_old);
    for (size_t i = 0; err == ERR_OK && i < n_old; i++) {
        size_t k = 0;
        while (k < n && !same(&old[i], &list[k]))
            k++;
        if (k < n)
            continue;
        struct ask a = ask_of(s, SQL_REGISTER_DROP);
        bind_key(&a, meter, &old[i]);
        err = ask_run(&a);
    }
    return err;
}

static enum err define(struct store *s, int64_t meter, const struct store_register *r)
{
    struct ask a = ask_of(s, SQL_REGISTER_DEFINE);
    bind_key(&a, meter, r);
    ask_int(&a, r->class_id);
    ask_int(&a, r->scaler);
    ask_int(&a, r->unit);
    ask_int(&a, r->mul_num);
    ask_int(&a, r->mul_den);
    enum err err = ask_run(&a);
    return err == ERR_NOT_FOUND ? store_fail(s, err, "there is no such meter") : err;
}

static enum err put_newest(struct store *s, int64_t meter)
{
    struct ask a = ask_of(s, SQL_NEWEST_PUT);
    ask_int(&a, meter);
    return ask_run(&a);
}

enum err store_registers_define(struct store *s, int64_t meter, const struct store_register *list,
                                size_t n)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    if (n > STORE_REGISTERS_MAX)
        err = store_fail(s, ERR_RANGE, "%zu registers, %d is the limit", n, STORE_REGISTERS_MAX);
    if (err == ERR_OK)
        err = drop_others(s, meter, list, n);
    for (size_t i = 0; err == ERR_OK && i < n; i++)
        err = define(s, meter, &list[i]);
    if (err == ERR_OK)
        err = put_newest(s, meter);
    return store_write_end(s, err, true);
}

static enum err put(struct store *s, int64_t meter, const struct store_register *r)
{
    struct ask a = ask_of(s, r->valid ? SQL_REGISTER_VALUE : SQL_REGISTER_FAILED);
    if (r->valid) {
        ask_int(&a, r->value);
        ask_int(&a, r->at_ms);
    }
    ask_int(&a, r->result);
    bind_key(&a, meter, r);
    return ask_run(&a);
}

enum err store_registers_put(struct store *s, int64_t meter, const struct store_register *list,
                             size_t n)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; err == ERR_OK && i < n; i++)
        err = put(s, meter, &list[i]);
    if (err == ERR_OK)
        err = put_newest(s, meter);
    return store_write_end(s, err, true);
}

enum err store_registers_get(struct store *s, int64_t meter, struct store_register *list,
                             size_t size, size_t *n)
{
    *n = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    return store_read_end(s, list_of(s, meter, list, size, n));
}

enum err store_registers_newest(struct store *s, int64_t meter, int64_t *at_ms)
{
    *at_ms = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_NEWEST_GET);
    ask_int(&a, meter);
    if (ask_row(&a))
        *at_ms = ask_get_int_or(&a, 0);
    return store_read_end(s, ask_end(&a));
}
