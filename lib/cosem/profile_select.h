/* Selective access of class 7 (profile generic) and capture object definitions. Blue Book 4.3.6.
 *
 * Server and client use both directions. Parsing checks form only; what the columns mean is for the
 * owner of the buffer. */
#ifndef FERRARIS_COSEM_PROFILE_SELECT_H
#define FERRARIS_COSEM_PROFILE_SELECT_H

#include "lib/cosem/results.h"
#include "lib/dlms/axdr.h"

#define PROFILE_BY_RANGE 1 /* selector numbers of attribute 2 */
#define PROFILE_BY_ENTRY 2

struct profile_column { /* capture_object_definition */
    uint16_t class_id;
    uint8_t ln[6];
    uint8_t attribute;   /* 0: all public attributes */
    uint16_t data_index; /* 0: the whole attribute */
};
struct profile_range {
    struct profile_column by; /* restricting object */
    struct bytes from, to;    /* one A-XDR value each, both ends belong to the range */
    size_t n_columns;         /* selected; 0: all */
    struct bytes columns;     /* n_columns definitions, walk with profile_get_column */
};
struct profile_entries {
    uint32_t from, to; /* first entry is 1; to 0: the last */
    uint16_t from_column, to_column;
};

void profile_get_column(struct rd *r, struct profile_column *out);
void profile_put_column(struct wr *w, const struct profile_column *c);
bool profile_column_equal(const struct profile_column *a, const struct profile_column *b);

/* COSEM_SUCCESS, COSEM_TYPE_UNMATCHED (form), for entries also COSEM_OTHER_REASON (from is 0, or
 * to is before from). */
enum cosem_result profile_range_parse(struct bytes parameter, struct profile_range *out);
enum cosem_result profile_entries_parse(struct bytes parameter, struct profile_entries *out);
void profile_put_range(struct wr *w, const struct profile_range *p);
void profile_put_entries(struct wr *w, const struct profile_entries *p);

#endif
