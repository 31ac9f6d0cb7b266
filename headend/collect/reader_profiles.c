/* Load profiles (class 7): what their columns are, and their rows by range of time.
 *
 * The range has no end in practice: a meter whose clock was set back holds rows stamped after its
 * present time, and they must not be lost. It begins a second before the first stamp wanted, for
 * meters that leave out the row at the very beginning. A meter that refuses the range is asked for
 * the whole buffer; doubled rows are the receiver's business. */
#include "headend/collect/reader_parts.h"

#include "lib/cosem/obis.h"
#include "lib/cosem/profile_select.h"
#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

#include <stdio.h>
#include <string.h>

#define CLASS_PROFILE 7u

enum { ATTR_BUFFER = 2, ATTR_COLUMNS = 3, ATTR_PERIOD = 4 };

/* 2099-12-31T00:00:00Z: real-time clocks count two digits of the year. */
#define RANGE_END INT64_C(4102358400)

static struct reader_profile *profile_at(const struct reader *r)
{
    return &r->plan.objects->profile[r->at];
}

const char *reader_profile_problem(const struct reader_profile *p)
{
    unsigned n_clocks = 0;
    if (p->n_captured == 0)
        return "does not tell its columns";
    if (p->n_columns == 0)
        return "has more columns than can be read";
    for (size_t i = 0; i < p->n_columns; i++)
        n_clocks += p->column[i].role == PROFILE_ROWS_CLOCK;
    return n_clocks == 0 ? "has no clock among its columns" : NULL;
}

/* ---- columns ---- */

static bool has_role(const struct reader_profile *p, enum profile_rows_role role)
{
    for (size_t i = 0; i < p->n_columns; i++) {
        if (p->column[i].role == role)
            return true;
    }
    return false;
}

/* The profile's status is 0-b:96.10.x as data, register or status mapping. A second clock or status
 * is a value like others. */
static enum profile_rows_role role_of(const struct reader_profile *p, const struct reader_column *c)
{
    const uint8_t *ln = c->ln;
    const bool status = ln[0] == 0 && ln[2] == 96 && ln[3] == 10 && c->attribute == 2 &&
                        (c->class_id == 1 || c->class_id == 3 || c->class_id == 63);
    if (c->class_id == 8 && c->attribute == 2 && !has_role(p, PROFILE_ROWS_CLOCK))
        return PROFILE_ROWS_CLOCK;
    if (status && !has_role(p, PROFILE_ROWS_STATUS))
        return PROFILE_ROWS_STATUS;
    return PROFILE_ROWS_VALUE;
}

static void add_column(struct reader_profile *p, const struct reader_got *got)
{
    if (p->n_columns == PROFILE_ROWS_COLUMNS_MAX)
        return;
    struct reader_column c = {
        .class_id = got->class_id, .attribute = got->attribute, .unit = COSEM_UNIT_NONE};
    memcpy(c.ln, got->ln, sizeof c.ln);
    c.role = (uint8_t)role_of(p, &c);
    p->column[p->n_columns++] = c;
}

/* Members of a capture object: class_id, logical_name, attribute_index, data_index. */
static enum err take_member(struct reader_got *got, const struct value_part *part)
{
    int64_t v = 0;
    if (part->index[1] == 1) {
        if (part->tag != AXDR_OCTETS || part->content.len != sizeof got->ln)
            return ERR_TYPE;
        memcpy(got->ln, part->content.p, sizeof got->ln);
        return ERR_OK;
    }
    if (!value_part_int(part, &v) || v < 0 || v > UINT16_MAX)
        return ERR_TYPE;
    if (part->index[1] == 0)
        got->class_id = (uint16_t)v;
    else if (part->index[1] == 2)
        got->attribute = (uint8_t)v;
    return ERR_OK;
}

/* Not for security: tells one list of columns from another. */
static void sum_part(struct reader_got *got, const struct value_part *part)
{
    uint32_t sum = got->sum + part->n + 1u;
    for (size_t i = 0; i < part->content.len; i++)
        sum = (sum ^ part->content.p[i]) * 16777619u;
    got->sum = sum * 16777619u;
}

static enum err columns_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    struct reader_profile *p = profile_at(r);
    sum_part(&r->got, part);
    switch (part->depth) {
    case 0:
        p->n_captured = part->n < UINT16_MAX ? (uint16_t)part->n : UINT16_MAX;
        return part->tag == AXDR_ARRAY ? ERR_OK : ERR_TYPE;
    case 1:
        if (part->tag != AXDR_STRUCT || part->n != 4)
            return ERR_TYPE;
        if (part->end)
            add_column(p, &r->got);
        return ERR_OK;
    default:
        return take_member(&r->got, part);
    }
}

static enum err ask_columns(struct reader *r)
{
    struct reader_objects *o = r->plan.objects;
    if (r->at < o->n_profiles) {
        const struct apdu_attr attr = reader_attr(CLASS_PROFILE, profile_at(r)->ln, ATTR_COLUMNS);
        profile_at(r)->n_columns = 0;
        return reader_get(r, &attr);
    }
    o->known = true;
    if (r->sink.identified != NULL)
        r->sink.identified(r->sink.context, o);
    reader_go(r, STEP_CLOCK);
    return ERR_OK;
}

static void columns_done(struct reader *r, enum cosem_result result)
{
    struct reader_profile *p = profile_at(r);
    unsigned n_values = 0;
    for (size_t i = 0; i < p->n_columns; i++)
        n_values += p->column[i].role == PROFILE_ROWS_VALUE;
    if (result != COSEM_SUCCESS)
        p->n_captured = 0;
    p->columns_sum = r->got.sum;
    if (p->n_captured != p->n_columns || n_values > PROFILE_ROWS_VALUES_MAX)
        p->n_columns = 0;
    r->step = STEP_PERIOD;
}

static enum err ask_period(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(CLASS_PROFILE, profile_at(r)->ln, ATTR_PERIOD);
    return reader_get(r, &attr);
}

/* 0: not periodic, or not told. */
static uint32_t told_period(const struct reader *r, enum cosem_result result)
{
    const int64_t period = r->got.number;
    const bool told = result == COSEM_SUCCESS && period > 0 && period <= UINT32_MAX;
    return told ? (uint32_t)period : 0;
}

static void period_done(struct reader *r, enum cosem_result result)
{
    profile_at(r)->period_s = told_period(r, result);
    r->step = STEP_UNITS;
}

/* ---- units ---- */

/* A value that is counted in its object's unit. */
static bool has_unit(const struct reader_column *c)
{
    return (c->class_id >= 3 && c->class_id <= 5 && c->attribute == 2) ||
           (c->class_id == 5 && c->attribute == 3);
}

static const struct reader_register *find_register(const struct reader_objects *o,
                                                   const struct reader_column *c)
{
    for (size_t i = 0; i < o->n_registers; i++) {
        if (o->reg[i].class_id == c->class_id && memcmp(o->reg[i].ln, c->ln, sizeof c->ln) == 0)
            return &o->reg[i];
    }
    return NULL;
}

static enum err ask_units(struct reader *r)
{
    struct reader_profile *p = profile_at(r);
    for (; r->column < p->n_columns; r->column++) {
        struct reader_column *c = &p->column[r->column];
        if (!has_unit(c))
            continue;
        const struct reader_register *reg = find_register(r->plan.objects, c);
        if (reg == NULL) {
            const struct apdu_attr attr = reader_scaler_attr(c->class_id, c->ln);
            return reader_get(r, &attr);
        }
        c->scaler = reg->scaler;
        c->unit = reg->unit;
    }
    r->column = 0;
    r->at++;
    r->step = STEP_COLUMNS;
    return ERR_OK;
}

static void unit_done(struct reader *r, enum cosem_result result)
{
    struct reader_column *c = &profile_at(r)->column[r->column++];
    if (result != COSEM_SUCCESS)
        return;
    c->scaler = r->got.scaler;
    c->unit = r->got.unit;
}

/* ---- the same columns and period as before? ---- */

static void fail_profile(struct reader *r, const char *what)
{
    char name[OBIS_TEXT], sentence[120];
    obis_print(profile_at(r)->ln, name);
    snprintf(sentence, sizeof sentence, "the %s of profile %s changed: it is looked at anew", what,
             name);
    reader_fail_changed(r, sentence);
}

static enum err ask_same_columns(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(CLASS_PROFILE, profile_at(r)->ln, ATTR_COLUMNS);
    return reader_get(r, &attr);
}

static enum err same_columns_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    sum_part(&r->got, part);
    return ERR_OK;
}

static void same_columns_done(struct reader *r, enum cosem_result result)
{
    r->step = STEP_SAME_PERIOD;
    if (result != COSEM_SUCCESS || r->got.sum != profile_at(r)->columns_sum)
        fail_profile(r, "columns");
}

static void same_period_done(struct reader *r, enum cosem_result result)
{
    r->step = STEP_ROWS;
    r->checked = true;
    if (told_period(r, result) != profile_at(r)->period_s)
        fail_profile(r, "period");
}

/* ---- rows ---- */

static bool on_row(void *context, const struct profile_row *row)
{
    struct reader *r = context;
    const uint64_t expected = (uint64_t)r->rows_before + r->rows.n_expected;
    r->rows_expected = expected < UINT32_MAX ? (uint32_t)expected : UINT32_MAX;
    r->idle_octets = 0;
    r->endless = r->rows.n_expected > READER_ROWS_MAX;
    if (r->endless)
        return false;
    if (r->sink.row != NULL && !r->sink.row(r->sink.context, r->at, row))
        return false;
    r->rows_done++;
    return true;
}

static bool init_rows(struct reader *r)
{
    const struct reader_profile *p = profile_at(r);
    struct profile_rows_config c = {.n_columns = p->n_columns,
                                    .period_s = p->period_s,
                                    .deviation_min = r->deviation_min,
                                    .context = r,
                                    .row = on_row};
    for (size_t i = 0; i < p->n_columns; i++)
        c.role[i] = p->column[i].role;
    return profile_rows_init(&r->rows, &c) == ERR_OK;
}

static void put_instant(struct wr *w, int64_t utc_s, int16_t deviation_min)
{
    const struct datetime d = datetime_from_utc(utc_s, (int16_t)-deviation_min, 0);
    datetime_put(w, &d);
}

static struct profile_column clock_column(const struct reader_profile *p)
{
    struct profile_column by = {.attribute = 2};
    for (size_t i = 0; i < p->n_columns; i++) {
        if (p->column[i].role != PROFILE_ROWS_CLOCK)
            continue;
        by.class_id = p->column[i].class_id;
        memcpy(by.ln, p->column[i].ln, sizeof by.ln);
    }
    return by;
}

static enum err ask_range(struct reader *r, int64_t from_s)
{
    uint8_t from[16], to[16], parameter[80];
    struct wr from_w = wr_of(from, sizeof from), to_w = wr_of(to, sizeof to);
    struct wr w = wr_of(parameter, sizeof parameter);
    struct apdu_attr attr = reader_attr(CLASS_PROFILE, profile_at(r)->ln, ATTR_BUFFER);
    put_instant(&from_w, from_s > 0 ? from_s - 1 : 0, r->deviation_min);
    put_instant(&to_w, RANGE_END, r->deviation_min);
    const struct profile_range range = {
        .by = clock_column(profile_at(r)), .from = {from, from_w.len}, .to = {to, to_w.len}};
    profile_put_range(&w, &range);
    attr.selector = PROFILE_BY_RANGE;
    attr.parameter = (struct bytes){parameter, w.len};
    enum err err = w.err ? w.err : reader_get(r, &attr);
    if (err != ERR_FULL)
        return err;
    r->whole = true; /* the meter's PDU is too small for the range */
    return ERR_OK;
}

static void end_profile(struct reader *r, enum cosem_result result, uint32_t n_rows)
{
    const uint16_t at = r->at++;
    r->whole = r->checked = false;
    r->rows_before = r->rows_expected = r->rows_done;
    if (r->sink.profile_end != NULL)
        r->sink.profile_end(r->sink.context, at, result, n_rows);
}

static bool wanted(const struct reader *r)
{
    const uint8_t mask = r->plan.profiles;
    return mask == 0 || ((unsigned)mask >> r->at & 1u) != 0;
}

static enum err ask_rows(struct reader *r)
{
    const struct reader_objects *o = r->plan.objects;
    while ((r->want & READER_PROFILES) != 0 && r->at < o->n_profiles && !wanted(r))
        r->at++;
    if ((r->want & READER_PROFILES) == 0 || r->at >= o->n_profiles) {
        reader_go(r, STEP_END);
        return ERR_OK;
    }
    if (reader_profile_problem(profile_at(r)) != NULL || !init_rows(r)) {
        end_profile(r, COSEM_OTHER_REASON, 0);
        return ERR_OK;
    }
    if ((r->want & READER_CHECK) != 0 && !r->checked) {
        r->step = STEP_SAME_COLUMNS;
        return ERR_OK;
    }
    const int64_t from_s = r->plan.from_s == NULL || r->whole
                               ? INT64_MIN
                               : r->plan.from_s(r->plan.context, r->at, r->meter_now_s);
    if (from_s != INT64_MIN && (r->client.conformance & DLMS_CONF_SELECTIVE) != 0)
        return ask_range(r, from_s);
    const struct apdu_attr attr = reader_attr(CLASS_PROFILE, profile_at(r)->ln, ATTR_BUFFER);
    r->whole = true;
    return reader_get(r, &attr);
}

static void rows_done(struct reader *r, enum cosem_result result)
{
    const bool refused = result != COSEM_SUCCESS && !r->bad;
    if (refused && !r->whole && r->rows.n_rows == 0) {
        r->whole = true;
        return;
    }
    end_profile(r, result, r->rows.n_rows);
}

const struct reader_step reader_step_columns = {"the columns of profile", ask_columns, columns_part,
                                                columns_done};
const struct reader_step reader_step_period = {"the period of profile", ask_period,
                                               reader_number_part, period_done};
const struct reader_step reader_step_units = {"the units of profile", ask_units, reader_scaler_part,
                                              unit_done};
const struct reader_step reader_step_same_columns = {"the columns of profile", ask_same_columns,
                                                     same_columns_part, same_columns_done};
const struct reader_step reader_step_same_period = {"the period of profile", ask_period,
                                                    reader_number_part, same_period_done};
const struct reader_step reader_step_rows = {"the profile", ask_rows, NULL, rows_done};
