/* Fuzz target of the COMTRADE reader: the input is a configuration, a line "#DAT", then data.
 *
 * No read past either part (they are copied to blocks of exact size), a failure always says
 * something, and a success gives finite values or gaps and rates that cover all samples. Read
 * again, the same parts give the same recording. */
#include "sim/comtrade.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *exact_copy(const void *p, size_t n)
{
    void *copy = malloc(n ? n : 1);
    CHECK(copy);
    memcpy(copy, p, n);
    return copy;
}

static void check(const struct recording *r)
{
    CHECK(r->n > 0 && r->n_channels > 0 && r->n_rates > 0);
    CHECK(r->rate[r->n_rates - 1].end == r->n);
    for (size_t k = 0; k < r->n_rates; k++)
        CHECK(r->rate[k].hz > 0 && (k == 0 || r->rate[k].end > r->rate[k - 1].end));
    for (size_t c = 0; c < r->n_channels; c++)
        CHECK(memchr(r->channel[c].name, 0, sizeof r->channel[c].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\n#DAT\n";
    size_t cut = 0;
    while (cut + 6 < size && memcmp(data + cut, mark, 6) != 0)
        cut++;
    if (cut + 6 >= size)
        return 0;
    char *cfg = exact_copy(data, cut + 1), *dat = exact_copy(data + cut + 6, size - cut - 6);
    struct comtrade_parts p = {.cfg_name = "a.cfg",
                               .dat_name = "a.dat",
                               .cfg = cfg,
                               .dat = dat,
                               .cfg_len = cut + 1,
                               .dat_len = size - cut - 6};
    char message[200] = "";
    struct fault f = {message, sizeof message};
    struct recording a, b;
    enum err err = comtrade_parse(&p, &a, &f);
    CHECK(comtrade_parse(&p, &b, &f) == err);
    CHECK(err == ERR_OK || message[0]);
    if (!err) {
        check(&a);
        CHECK(a.n == b.n && a.n_rates == b.n_rates && a.n_channels == b.n_channels);
        for (size_t c = 0; c < a.n_channels; c++)
            CHECK(memcmp(a.channel[c].sample, b.channel[c].sample, a.n * sizeof(double)) == 0);
    }
    recording_free(&a);
    recording_free(&b);
    free(cfg);
    free(dat);
    return 0;
}
