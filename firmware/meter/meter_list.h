/* Class 7 over a ring: profiles, event logs, power failures, the audit trail. Attributes 2 to 8,
 * and the buffer as a stream of rows.
 *
 * A row is a head (struct meter_row_head) and cells; a column of no size is told from the head, the
 * first of them as the clock. A GET of the buffer walks the ring by sequence number: first once to
 * count the rows that match (an array says its length first), then row by row, so memory is one row
 * and work is linear. Where the stamps are in order (they are but for rows from before the clock
 * was set back) the ends of a range are found by halves. Damaged rows are left out. Entry 1 is the
 * oldest row in a FIFO list, the newest in a LIFO one; a range is restricted by the clock in both.
 *
 * Where null-data is told, a cell equal to that of the row told before is null-data, and so is a
 * clock one period away from it with the same deviation and status; never in the first row of an
 * answer. A cell that has no value is null-data too, in both ways of telling. Private to
 * firmware/meter. */
#ifndef FERRARIS_METER_LIST_H
#define FERRARIS_METER_LIST_H

#include "firmware/meter/meter_bind.h"

struct meter_list {
    const struct meter *m;
    const struct meter_column *column; /* n_columns of them */
    /* A cell of `size` octets, which is at `at` in the row's record. */
    void (*put)(const uint8_t *record, size_t at, uint8_t size, struct wr *out);
    uint32_t period_s;     /* 0: captured when it happens */
    uint32_t entries;      /* rows shown, at most */
    uint32_t ordered_from; /* rows of this number and on have stamps in order */
    uint16_t generation;   /* of the ring: another one whenever its rows were forgotten */
    uint8_t ring;
    uint8_t n_columns;
    uint8_t lacks; /* octets of the head that the ring's records begin behind */
    bool is_lifo, tells_null;
};

/* Two columns, the clock and the object (its value) that shows the newest row's. */
void meter_list_columns(const struct meter *m, uint16_t class_id, const uint8_t ln[6],
                        struct meter_column out[2]);
enum cosem_result meter_list_get(const struct meter_list *l, uint8_t attr,
                                 const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out);

#endif
