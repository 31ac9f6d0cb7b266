/* The configuration file of a COMTRADE recording, parsed; private to comtrade*.c. */
#ifndef FERRARIS_SIM_COMTRADE_CFG_H
#define FERRARIS_SIM_COMTRADE_CFG_H

#include "sim/comtrade.h"

enum comtrade_format { COMTRADE_ASCII, COMTRADE_BINARY, COMTRADE_BINARY32, COMTRADE_FLOAT32 };

struct comtrade_scale {
    double a, b; /* value = a * x + b */
    double max;  /* largest x the file announces */
};

struct comtrade_config {
    unsigned edition; /* 1991, 1999, 2013 */
    size_t n_digital;
    struct comtrade_scale *scale; /* one per analog channel */
    size_t n;                     /* sample-sets promised */
    bool rate_from_stamps;
    double stamp_unit; /* seconds */
    enum comtrade_format format;
};

/* Fills `c` and, in `out`, channels (without samples), rates, line frequency and notes. The caller
 * frees c->scale. Errors as comtrade_parse. */
MUST_CHECK enum err comtrade_cfg_parse(const struct comtrade_parts *p, struct comtrade_config *c,
                                       struct recording *out, const struct fault *f);

#endif
