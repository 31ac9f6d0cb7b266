/* Class 7 over a ring whose rows are a time and one value: event logs, power failures, the audit
 * trail. Attributes, and the buffer as a stream of rows.
 *
 * A GET of the buffer walks the ring twice, as that of a profile does: once to count the rows that
 * match (an array says its length first), then row by row, so memory is one row and work is linear.
 * Rows are compared by their stamp one by one, because after the clock was set back they are not in
 * order of time. Damaged rows are left out. Private to firmware/meter. */
#ifndef FERRARIS_METER_LIST_H
#define FERRARIS_METER_LIST_H

#include "firmware/meter/meter_bind.h"

struct meter_list_row {
    uint32_t utc_s;
    int16_t deviation;
    uint8_t clock_status;
};
struct meter_list {
    const struct meter *m;
    unsigned log;                 /* for the functions */
    uint64_t newest;              /* sequence number in the ring */
    uint32_t count, depth;        /* rows shown: now, at most */
    struct profile_column column; /* the value; the first column is the clock */
    /* The time of a row, and the row's value to `value` unless that is NULL. False: no such row. */
    bool (*read)(const struct meter_list *l, uint64_t seq, struct meter_list_row *row,
                 struct wr *value);
};

/* Attributes 2 to 8. */
enum cosem_result meter_list_get(const struct meter_list *l, uint8_t attr,
                                 const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out);

#endif
