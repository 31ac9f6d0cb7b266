/* Registers (class 3, 4, 5: attribute 2), their scalers and units. */
#include "headend/collect/reader_parts.h"

#include "lib/cosem/units.h"

#include <string.h>

#define CLASS_DEMAND_REGISTER 5u

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
const struct reader_step reader_step_registers = {"the register", ask_values, reader_number_part,
                                                  value_done};
