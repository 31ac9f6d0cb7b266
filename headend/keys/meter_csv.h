/* Meters from a table: RFC 4180, a header line that names the columns in any order.
 *
 *     name,url,place,client,server,auth,security,timeout_s,register_period_s,ct,vt,enabled,
 *     guek,gak,password
 *
 * Only name and url are needed; an empty field takes the default of meter_defaults(). Ratios are
 * written 200/5 or 40, truth as true/false, yes/no, 1/0, keys as 32 hex digits. A byte order mark,
 * CRLF or LF, semicolons instead of commas (the header line tells) and empty lines are taken. White
 * space around a field is dropped, but not around a password or inside quotes.
 *
 * Good rows are added in one transaction, bad ones are refused by line, with the column and the
 * reason. A header that is wrong refuses the whole file. Keys and passwords are sealed at once,
 * never appear in a message, and their copies are wiped. Needs constant memory whatever the input.
 */
#ifndef FERRARIS_HEADEND_METER_CSV_H
#define FERRARIS_HEADEND_METER_CSV_H

#include "headend/keys/seal.h"
#include "headend/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter_csv_row {
    unsigned line;    /* where the record begins, the header is in line 1 */
    const char *name; /* "" where it could not be read or is no text */
    bool ok;
    int64_t id;          /* of the new meter, 0 when refused or in a dry run */
    const char *field;   /* of a refused row: the column, "" when it is the row as such */
    const char *message; /* of a refused row: a sentence with the column in it */
};
/* Called for each record while the transaction is open: keep what you need (strings are borrowed
 * for the call) and tell the collector after meter_csv_import has returned ERR_OK. */
typedef void meter_csv_row_fn(void *context, const struct meter_csv_row *row);

struct meter_csv_options {
    struct store *store;
    const struct seal_key *key;
    const struct server_clock *clock; /* for added_ms */
    bool dry_run;                     /* judge as if, then add nothing */
    meter_csv_row_fn *row;            /* NULL: nobody listens */
    void *context;
};
struct meter_csv_result {
    unsigned n_added, n_refused; /* in a dry run: would be added */
};

/* ERR_OK also when rows were refused. ERR_FORMAT: the header line is wrong, nothing was added. Of
 * the store or ERR_RNG: nothing was added. *why: the sentence after an error. */
MUST_CHECK enum err meter_csv_import(const struct meter_csv_options *o, struct bytes text,
                                     struct meter_csv_result *result, char *why, size_t why_size);

#endif
