/* The place that the demo shows: eight meters, one of each model, and what hangs behind them. Data
 * only. */
#ifndef FERRARIS_CLI_DEMO_SITE_H
#define FERRARIS_CLI_DEMO_SITE_H

#define SITE_METERS 8

struct site_meter {
    const char *model, *name, *place;
    const char *load; /* sim/load.h */
    /* Transformer ratios. The load and the head-end live on the primary side, the meter on the
     * secondary: what it shows times the ratio is what flows. */
    unsigned ct_primary, ct_secondary, vt_primary, vt_secondary;
};

extern const struct site_meter site_meters[SITE_METERS];

#endif
