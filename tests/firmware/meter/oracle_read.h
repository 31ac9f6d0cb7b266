/* A profile as a client reads it, in the form the oracle compares. */
#ifndef FERRARIS_TEST_METER_ORACLE_READ_H
#define FERRARIS_TEST_METER_ORACLE_READ_H

#include "tests/firmware/meter/oracle.h"
#include "tests/firmware/meter/rig.h"

/* In an association. The head of a profile: t->column from attribute 3. False: no such object. */
bool oracle_read_columns(struct rig *r, const char *obis, struct oracle_table *t);
/* Rows with stamps in from_s..to_s, by range, as many as fit an answer of the rig. t->row must hold
 * max rows. Asserts their form. */
void oracle_read_rows(struct rig *r, const char *obis, int64_t from_s, int64_t to_s,
                      struct oracle_table *t, size_t max);

#endif
