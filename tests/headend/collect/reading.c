/* See reading.h. */
#include "tests/headend/collect/reading.h"

#include "lib/cosem/obis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void on_identified(void *context, const struct reader_objects *objects)
{
    struct reading *x = context;
    assert_ptr_equal(objects, &x->objects);
    assert_true(objects->known);
    x->n_identified++;
}

static void on_clock(void *context, int64_t utc_s, int16_t deviation_min, bool valid)
{
    struct reading *x = context;
    assert_int_equal(x->n_values, 0); /* the clock comes first */
    x->n_clock++;
    x->clock_s = utc_s;
    x->deviation_min = deviation_min;
    x->clock_valid = valid;
}

static void on_value(void *context, size_t reg, enum cosem_result result, int64_t raw)
{
    struct reading *x = context;
    assert_int_equal(reg, x->n_values); /* each once, in order */
    x->result[reg] = result;
    x->value[reg] = raw;
    x->n_values++;
}

static bool on_row(void *context, size_t profile, const struct profile_row *row)
{
    struct reading *x = context;
    assert_true(profile < x->objects.n_profiles);
    if (x->n_rows == x->rows_limit)
        return false;
    x->row[x->n_rows++] = *row;
    return true;
}

static void on_end(void *context, size_t profile, enum cosem_result result, uint32_t n_rows)
{
    struct reading *x = context;
    x->end[profile] = result;
    x->end_rows[profile] = n_rows;
    x->n_ends++;
}

static int64_t from_s(void *context, size_t profile, int64_t meter_now_s)
{
    struct reading *x = context;
    assert_true(profile < x->objects.n_profiles);
    x->asked_now_s = meter_now_s;
    return x->from_s;
}

void reading_init(struct reading *x, const struct cosem_client_config *k)
{
    memset(x, 0, sizeof *x);
    x->from_s = INT64_MIN;
    x->plan = (struct reader_plan){.objects = &x->objects, .from_s = from_s, .context = x};
    x->rows_limit = READING_ROWS_MAX;
    assert_int_equal(reader_init(&x->reader, k), ERR_OK);
}

void reading_begin(struct reading *x, uint8_t want)
{
    const struct reader_sink sink = {.context = x,
                                     .identified = on_identified,
                                     .clock = on_clock,
                                     .value = on_value,
                                     .row = on_row,
                                     .profile_end = on_end};
    x->n_identified = x->n_clock = x->n_values = x->n_ends = x->n_rows = 0;
    x->plan.want = want;
    assert_int_equal(reader_begin(&x->reader, x->now_ms, &x->plan, &sink), ERR_OK);
    assert_int_equal(x->reader.state, READER_BUSY);
}

size_t reading_register(const struct reading *x, const char *obis)
{
    uint8_t ln[6];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    for (size_t i = 0; i < x->objects.n_registers; i++) {
        if (memcmp(x->objects.reg[i].ln, ln, sizeof ln) == 0)
            return i;
    }
    fail_msg("no register %s", obis);
    return 0;
}
