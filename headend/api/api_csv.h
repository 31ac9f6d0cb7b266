/* A profile as a table for spreadsheets: scaled values, stamps with the meter's own offset. */
#ifndef FERRARIS_HEADEND_API_CSV_H
#define FERRARIS_HEADEND_API_CSV_H

#include "headend/api/api_values.h"
#include "headend/api/json_out.h"

/* Header line, then a line for each row; fields that need it are quoted (RFC 4180), lines end in
 * CRLF. A cell is never a formula: names come from the standard's tables, values are numbers. */
void values_csv(struct json_out *out, const struct values *v);

#endif
