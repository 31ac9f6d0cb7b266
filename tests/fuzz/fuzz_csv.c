/* Fuzz target of the table reader: the input is the table.
 *
 * A failure always says something; a success, written out again as a plain table of seconds and
 * values, reads as the same recording (round trip). */
#include "sim/csv.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX 32 /* characters of %.17g and its separator */

static char *write_table(const struct recording *r, size_t *len)
{
    size_t size = (r->n + 1) * (r->n_channels + 1) * CELL_MAX;
    char *text = malloc(size);
    CHECK(text);
    *len = (size_t)snprintf(text, size, "time");
    for (size_t c = 0; c < r->n_channels; c++)
        *len += (size_t)snprintf(text + *len, size - *len, ",c%zu", c);
    for (size_t k = 0; k < r->n; k++) {
        *len += (size_t)snprintf(text + *len, size - *len, "\n%.17g", recording_time(r, k));
        for (size_t c = 0; c < r->n_channels; c++) {
            double x = r->channel[c].sample[k];
            *len += (size_t)snprintf(text + *len, size - *len, isnan(x) ? "," : ",%.17g", x);
        }
    }
    return text;
}

static bool same_samples(const struct recording *a, const struct recording *b)
{
    for (size_t c = 0; c < a->n_channels; c++)
        for (size_t k = 0; k < a->n; k++) {
            double x = a->channel[c].sample[k], y = b->channel[c].sample[k];
            if (x != y && !(isnan(x) && isnan(y)))
                return false;
        }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[200] = "", *copy = malloc(size ? size : 1);
    struct fault f = {message, sizeof message};
    struct recording r, again;
    CHECK(copy);
    memcpy(copy, data, size);
    enum err err = csv_parse("a.csv", copy, size, &r, &f);
    CHECK(err == ERR_OK || message[0]);
    if (!err) {
        size_t len;
        CHECK(r.n >= 2 && r.n_rates > 0 && r.rate[r.n_rates - 1].end == r.n);
        char *text = write_table(&r, &len);
        CHECK(csv_parse("b.csv", text, len, &again, &f) == ERR_OK);
        CHECK(again.n == r.n && again.n_channels == r.n_channels && same_samples(&r, &again));
        recording_free(&again);
        free(text);
    }
    recording_free(&r);
    free(copy);
    return 0;
}
