/* The kernel by itself, as the image and the host's bench measure it. */
#include "firmware/images/legal_cost/cost.h"
#include "firmware/legal/legal_parts.h"

void cost_kernel_start(struct legal_kernel *k, const struct cost_case *c,
                       const struct legal_sums_ops *ops)
{
    legal_kernel_init(k);
    if (ops)
        k->ops = ops;
    legal_kernel_tune(k, UINT32_MAX / (c->rate / COST_BLOCKS_S));
}

void cost_kernel_window(struct legal_kernel *k, const struct cost_case *c,
                        const struct cost_block b[COST_WINDOW])
{
    struct legal_window w = {0};
    int32_t next[AFE_N_CHANNELS];
    for (unsigned n = 0; n < COST_WINDOW; n++) {
        struct legal_view v;
        for (unsigned x = 0; x < AFE_N_CHANNELS; x++)
            v.x[x] = b[n].x[x];
        legal_kernel_run(k, NULL, &v, 0, c->rate / COST_BLOCKS_S);
    }
    for (unsigned x = 0; x < AFE_N_CHANNELS; x++)
        next[x] = b[0].x[x][0];
    legal_kernel_end(k, NULL, next, 12345);
    legal_kernel_window(k, &w);
    legal_kernel_clear(k);
    legal_kernel_tune(k, k->step + 12345); /* the wave is made anew, as after each window */
    legal_kernel_begin(k, NULL, next, 12345);
}
