/* Event logs (class 7), the code of the newest event of each, and what its owner holds back (class
 * 1). Which E means which log is the matter of the model's map. */
#include "firmware/meter/meter_list.h"

#define D_CODE 11 /* 0-0:96.11.E */
_Static_assert(METER_LOG_ENTRY_SIZE == METER_ROW_HEAD + 4, "an entry is the head of a row, extra");

/* The log that an object belongs to. */
static unsigned log_of(const struct meter *m, const struct cosem_ref *o)
{
    return MODEL_QUANTITY(o->row->arg) == MODEL_LOG_FAILURES ? MODEL_LOG_OUTAGE
                                                             : model_log_at(m->model, o->i);
}

/* How long a power failure was; the code of an event is where rows have their status. */
static void put_duration(const uint8_t *record, size_t at, uint8_t size, struct wr *out)
{
    struct rd r = rd_of(record + at, size);
    axdr_put_u32(out, rd_u32(&r));
}

static enum cosem_result get_log(const struct cosem_call *c, const struct cosem_ref *o,
                                 uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out)
{
    struct meter *m = meter_of(c);
    const unsigned log = log_of(m, o);
    const uint8_t code[6] = {0, 0, 96, D_CODE, o->i, 255};
    struct meter_column column[2];
    if (log >= MODEL_N_LOGS)
        return COSEM_OBJECT_UNDEFINED;
    if (g->item == 0)
        meter_log_flush(m); /* now, for the server writes it behind what it read */
    if (log == MODEL_LOG_OUTAGE) {
        meter_list_columns(m, 3, model_ln_outage, column);
        column[1].size = 4;
    } else {
        meter_list_columns(m, 1, code, column);
    }
    const struct meter_list list = {.m = m,
                                    .column = column,
                                    .n_columns = 2,
                                    .put = put_duration,
                                    .entries = meter_model(m)->log_depth[log],
                                    .ordered_from = UINT32_MAX,
                                    .ring = meter_log_ring(m->model, log)};
    return meter_list_get(&list, attr, sel, g, out);
}

static enum cosem_result invoke_log(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t method, struct rd *param, struct wr *reply)
{
    (void)method;
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    return cosem_result_of(meter_log_clear(m, log_of(m, o)));
}

const struct cosem_binding meter_binding_log = {.get = get_log, .invoke = invoke_log};

static enum cosem_result get_code(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    (void)sel;
    struct meter *m = meter_of(c);
    uint8_t codes[METER_LOG_FILTER_MAX];
    g->more = false;
    if (attr != 2)
        return COSEM_OBJECT_UNDEFINED;
    meter_log_flush(m);
    if (MODEL_QUANTITY(o->row->arg) == MODEL_LOG_FILTER)
        axdr_put_octets(out, codes, meter_log_filter(m, log_of(m, o), codes));
    else
        axdr_put_u8(out, meter_log_code(m, log_of(m, o)));
    return COSEM_SUCCESS;
}

static enum cosem_result set_code(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    (void)attr;
    struct meter *m = meter_of(c);
    if (axdr_peek(value) != AXDR_OCTETS)
        return COSEM_TYPE_UNMATCHED;
    enum err err = meter_log_filter_set(m, log_of(m, o), axdr_get_octets(value));
    if (!err)
        meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return cosem_result_of(err);
}

const struct cosem_binding meter_binding_log_data = {.get = get_code, .set = set_code};
