/* Rows of load profile 1: their octets in the ring, their columns on the wire. When they are
 * captured: meter.c. How a client reads them: meter_bind_profile.c. */
#include "firmware/meter/meter_profile.h"

#include "lib/dlms/datetime.h"
#include "model/objects.h"

#include <string.h>

void meter_row_encode(const struct meter_row *row, uint8_t out[METER_ROW_SIZE])
{
    struct wr w = wr_of(out, METER_ROW_SIZE);
    wr_u32(&w, row->number);
    wr_u32(&w, row->utc_s);
    wr_u16(&w, (uint16_t)row->deviation);
    wr_u8(&w, row->clock_status);
    wr_u8(&w, row->status);
    for (size_t i = 0; i < METER_ROW_REGISTERS; i++)
        wr_u64(&w, row->reg[i]);
    for (size_t i = 0; i < METER_ROW_INTERVALS; i++)
        wr_u32(&w, row->interval[i]);
}

void meter_row_decode(const uint8_t in[METER_ROW_SIZE], struct meter_row *row)
{
    struct rd r = rd_of(in, METER_ROW_SIZE);
    row->number = rd_u32(&r);
    row->utc_s = rd_u32(&r);
    row->deviation = (int16_t)rd_u16(&r);
    row->clock_status = rd_u8(&r);
    row->status = rd_u8(&r);
    for (size_t i = 0; i < METER_ROW_REGISTERS; i++)
        row->reg[i] = rd_u64(&r);
    for (size_t i = 0; i < METER_ROW_INTERVALS; i++)
        row->interval[i] = rd_u32(&r);
}

bool meter_period_valid(uint32_t period_s)
{
    static const uint32_t valid[] = {60, 300, 600, 900, 1200, 1800, 3600, 86400};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        if (valid[i] == period_s)
            return true;
    }
    return false;
}

static const struct {
    uint16_t class_id;
    uint8_t ln[6];
    uint32_t features;
} columns[METER_N_COLUMNS] = {
    [METER_COLUMN_CLOCK] = {8, {0, 0, 1, 0, 0, 255}, 0},
    [METER_COLUMN_STATUS] = {1, {0, 0, 96, 10, 1, 255}, 0},
    [METER_COLUMN_A_IMPORT] = {3, {1, 0, 1, 8, 0, 255}, 0},
    [METER_COLUMN_A_EXPORT] = {3, {1, 0, 2, 8, 0, 255}, MODEL_EXPORT},
    [METER_COLUMN_R_IMPORT] = {3, {1, 0, 3, 8, 0, 255}, MODEL_REACTIVE},
    [METER_COLUMN_R_EXPORT] = {3, {1, 0, 4, 8, 0, 255}, MODEL_REACTIVE},
    [METER_COLUMN_A_IMPORT_INTERVAL] = {3, {1, 0, 1, 29, 0, 255}, 0},
    [METER_COLUMN_A_EXPORT_INTERVAL] = {3, {1, 0, 2, 29, 0, 255}, MODEL_EXPORT},
};

uint32_t meter_columns(uint32_t features)
{
    uint32_t mask = 0;
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++) {
        if ((columns[c].features & ~features) == 0)
            mask |= 1u << c;
    }
    return mask;
}

void meter_column_object(enum meter_column c, struct profile_column *out)
{
    *out = (struct profile_column){.class_id = columns[c].class_id, .attribute = 2};
    memcpy(out->ln, columns[c].ln, sizeof out->ln);
}

static void put_cell(const struct meter_row *row, uint32_t c, struct wr *out)
{
    if (c == METER_COLUMN_CLOCK) {
        struct datetime d = datetime_from_utc(row->utc_s, row->deviation, row->clock_status);
        datetime_put(out, &d);
    } else if (c == METER_COLUMN_STATUS) {
        axdr_put_u8(out, row->status);
    } else if (c < METER_COLUMN_A_IMPORT_INTERVAL) {
        axdr_put_u64(out, row->reg[c - METER_COLUMN_A_IMPORT]);
    } else {
        axdr_put_u32(out, row->interval[c - METER_COLUMN_A_IMPORT_INTERVAL]);
    }
}

void meter_row_put(const struct meter_row *row, uint32_t mask, struct wr *out)
{
    size_t n = 0;
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++)
        n += mask >> c & 1u;
    axdr_put_struct(out, n);
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++) {
        if ((mask >> c & 1u) != 0)
            put_cell(row, c, out);
    }
}
