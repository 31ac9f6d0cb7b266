/* Load profile 1: rows of registers at the ends of intervals, in a ring of the store.
 *
 * A row is captured at the nominal end of its interval. Its interval energies are differences of
 * the registers as shown, in register units, against the row before, so that any run of rows sums
 * up to the register difference. Rows lie in order of capture (FIFO); after the clock was set back
 * stamps come twice. Blue Book 4.3.6; status octet as IDIS defines it. */
#ifndef FERRARIS_METER_PROFILE_H
#define FERRARIS_METER_PROFILE_H

#include "lib/cosem/profile_select.h"

#include <stdbool.h>
#include <stdint.h>

/* status octet, 0-0:96.10.1 */
#define METER_ROW_ERR 0x01u /* storage or program error; with it DNV */
#define METER_ROW_CIV 0x02u /* clock invalid; with it DNV */
#define METER_ROW_DNV 0x04u /* data not valid */
#define METER_ROW_DST 0x08u /* summer time at the stamp */
#define METER_ROW_CAD 0x20u /* clock adjusted by more than the limit */
#define METER_ROW_PDN 0x80u /* power was down in the interval */

#define METER_ROW_REGISTERS 4 /* A+ A- R+ R- */
#define METER_ROW_INTERVALS 2 /* A+ A- */
struct meter_row {
    uint32_t number;                   /* counts up by one a row, over resets too; the first is 1 */
    uint32_t utc_s;                    /* stamp */
    int16_t deviation;                 /* of local time at the stamp, minutes */
    uint8_t clock_status;              /* of the stamp */
    uint8_t status;                    /* METER_ROW_* */
    uint64_t reg[METER_ROW_REGISTERS]; /* register units */
    uint32_t interval[METER_ROW_INTERVALS]; /* register units */
};
#define METER_ROW_SIZE (12 + 8 * METER_ROW_REGISTERS + 4 * METER_ROW_INTERVALS)
void meter_row_encode(const struct meter_row *row, uint8_t out[METER_ROW_SIZE]);
void meter_row_decode(const uint8_t in[METER_ROW_SIZE], struct meter_row *row);

struct meter_profile {
    uint32_t period_s;
    int64_t due_s;         /* nominal end of the running interval, UTC */
    uint8_t marks;         /* METER_ROW_PDN, METER_ROW_CAD of the running interval */
    struct meter_row last; /* newest row, for its number, registers and interval energies */
    bool pending;          /* `last` is not in the ring yet */
    bool clearing;         /* the ring is to be emptied */
};

/* Interval lengths a client may write: 1, 5, 10, 15, 20, 30, 60 minutes, a day. */
bool meter_period_valid(uint32_t period_s);

enum meter_column { /* captured columns, in their order */
                    METER_COLUMN_CLOCK,
                    METER_COLUMN_STATUS,
                    METER_COLUMN_A_IMPORT,
                    METER_COLUMN_A_EXPORT,
                    METER_COLUMN_R_IMPORT,
                    METER_COLUMN_R_EXPORT,
                    METER_COLUMN_A_IMPORT_INTERVAL,
                    METER_COLUMN_A_EXPORT_INTERVAL,
                    METER_N_COLUMNS
};
/* Bit c set: a meter with these features (MODEL_*) captures column c. */
uint32_t meter_columns(uint32_t features);
void meter_column_object(enum meter_column c, struct profile_column *out);
/* Writes the columns of `mask` as one structure. */
void meter_row_put(const struct meter_row *row, uint32_t mask, struct wr *out);

#endif
