/* Registers (class 3, 4, 5: attribute 2), their scalers and units, and the meter's clock. */
#include "headend/collect/reader_parts.h"

#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

#include <string.h>

#define CLASS_CLOCK           8u
#define CLASS_DEMAND_REGISTER 5u

static const uint8_t ln_clock[6] = {0, 0, 1, 0, 0, 255};

/* ---- scaler and unit ---- */

struct apdu_attr reader_scaler_attr(uint16_t class_id, const uint8_t ln[6])
{
    return reader_attr(class_id, ln, class_id == CLASS_DEMAND_REGISTER ? 4 : 3);
}

enum err reader_scaler_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    int64_t v;
    if (part->depth == 0)
        return part->tag == AXDR_STRUCT && part->n == 2 ? ERR_OK : ERR_TYPE;
    if (!value_part_int(part, &v))
        return ERR_TYPE;
    if (part->index[0] == 0 && v >= INT8_MIN && v <= INT8_MAX)
        r->got.scaler = (int8_t)v;
    else if (part->index[0] == 1 && v >= 0 && v <= UINT8_MAX)
        r->got.unit = (uint8_t)v;
    else
        return ERR_RANGE;
    return ERR_OK;
}

static struct apdu_attr scaler_of(const struct reader *r, uint16_t i)
{
    const struct reader_register *reg = &r->plan.objects->reg[i];
    return reader_scaler_attr(reg->class_id, reg->ln);
}

static enum err ask_scalers(struct reader *r)
{
    if (r->at < r->plan.objects->n_registers)
        return reader_get_some(r, r->plan.objects->n_registers, scaler_of);
    reader_go(r, STEP_COLUMNS);
    return ERR_OK;
}

static void scaler_done(struct reader *r, enum cosem_result result)
{
    struct reader_register *reg = &r->plan.objects->reg[r->at++];
    const bool told = result == COSEM_SUCCESS;
    reg->scaler = told ? r->got.scaler : 0;
    reg->unit = told ? r->got.unit : COSEM_UNIT_NONE;
}

/* ---- clock ---- */

static enum err ask_clock(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(CLASS_CLOCK, ln_clock, 2);
    r->meter_now_s = INT64_MIN;
    r->deviation_min = 0;
    return reader_get(r, &attr);
}

static enum err clock_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    struct reader_got *got = &r->got;
    struct datetime d;
    if (part->content.len != DATETIME_LEN ||
        (part->tag != AXDR_OCTETS && part->tag != AXDR_DATE_TIME))
        return ERR_TYPE;
    if (datetime_decode(part->content.p, &d) || datetime_to_utc(&d, 0, &got->number))
        return ERR_OK; /* not a whole date: not valid */
    got->deviation_min = d.deviation == DATETIME_ANY_DEV ? 0 : (int16_t)-d.deviation;
    got->valid = d.status == DATETIME_STATUS_ANY || (d.status & DATETIME_INVALID) == 0;
    r->meter_now_s = got->number;
    r->deviation_min = got->deviation_min;
    return ERR_OK;
}

static void clock_done(struct reader *r, enum cosem_result result)
{
    if (result == COSEM_SUCCESS && r->sink.clock != NULL)
        r->sink.clock(r->sink.context, r->got.number, r->got.deviation_min, r->got.valid);
    reader_go(r, STEP_REGISTERS);
}

/* ---- values ---- */

enum err reader_number_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    return value_part_int(part, &r->got.number) ? ERR_OK : ERR_TYPE;
}

static struct apdu_attr value_of(const struct reader *r, uint16_t i)
{
    const struct reader_register *reg = &r->plan.objects->reg[i];
    return reader_attr(reg->class_id, reg->ln, reg->attribute);
}

static enum err ask_values(struct reader *r)
{
    const bool wanted = (r->want & READER_REGISTERS) != 0;
    if (wanted && r->at < r->plan.objects->n_registers)
        return reader_get_some(r, r->plan.objects->n_registers, value_of);
    reader_go(r, STEP_ROWS);
    return ERR_OK;
}

static void value_done(struct reader *r, enum cosem_result result)
{
    const uint16_t at = r->at++;
    if (r->sink.value != NULL)
        r->sink.value(r->sink.context, at, result, result == COSEM_SUCCESS ? r->got.number : 0);
}

const struct reader_step reader_step_scalers = {"scaler and unit of", ask_scalers,
                                                reader_scaler_part, scaler_done};
const struct reader_step reader_step_clock = {"the clock", ask_clock, clock_part, clock_done};
const struct reader_step reader_step_registers = {"the register", ask_values, reader_number_part,
                                                  value_done};
