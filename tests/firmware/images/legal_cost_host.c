/* The work of the legal part's cost image on this machine, with one variant of the inner loops:
 * legal_cost_host VARIANT prints the report that the image must give too. Without a variant: the
 * names of those that this processor can run. */
#include "firmware/images/legal_cost/cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct legal_sums_ops *const variants[] = {
    &legal_sums_plain,
    &legal_sums_split,
#if defined(__x86_64__)
    &legal_sums_sse2,
    &legal_sums_v3,
#endif
};
#define N_VARIANTS (sizeof variants / sizeof variants[0])

static struct cost_meter meter;
static struct cost_block block;

static bool runs_here(const struct legal_sums_ops *ops)
{
#if defined(__x86_64__)
    return ops != &legal_sums_v3 || legal_sums_best() == &legal_sums_v3;
#else
    return ops != NULL;
#endif
}

static void print_value(const char *name, unsigned index, uint64_t value)
{
    printf("%s %u %" PRIu64 "\n", name, index, value);
}

static void run(const struct legal_sums_ops *ops)
{
    print_value("variant_differs", 0, cost_variant_differs(ops, COST_VARIANT_ROUNDS));
    for (const struct cost_case *c = cost_cases; c < cost_cases + COST_N_CASES; c++) {
        cost_start(&meter, c, ops);
        for (uint32_t b = 0; b < c->seconds * COST_BLOCKS_S; b++) {
            cost_fill(&block, c, b);
            cost_feed(&meter, &block);
        }
        printf("case %s\n", c->name);
        cost_report(&meter, print_value);
    }
}

int main(int argc, char **argv)
{
    for (size_t k = 0; k < N_VARIANTS; k++) {
        if (!runs_here(variants[k]))
            continue;
        if (argc < 2) {
            puts(variants[k]->name);
        } else if (strcmp(argv[1], variants[k]->name) == 0) {
            run(variants[k]);
            return 0;
        }
    }
    return argc < 2 ? 0 : 1;
}
