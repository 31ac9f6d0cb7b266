/* The columns of a profile as delivered: one list for all models, in the order of the columns. What
 * a meter lacks is left out, and so is an item that does not fit the width its model keeps its
 * depth with; several rates are one item. */
#include "firmware/meter/meter.h"

#include <string.h>

#define OF(p)      (1u << (p))
#define LP1        OF(MODEL_LP1)
#define LP2        OF(MODEL_LP2)
#define LP3        OF(MODEL_LP3)
#define LP4        OF(MODEL_LP4)
#define DAILY      OF(MODEL_DAILY)
#define MONTHLY    OF(MODEL_MONTHLY)
#define VALUE_SIZE 9u /* octets of a cell of 8 and its tag */
#define D_ENERGY   8
#define PHASE_STEP 20 /* of C */

/* 1-0:C.D.E.255; several of them are phases, along C, or the rates of an energy, along E. */
struct item {
    uint16_t profiles;
    uint8_t class_id, attribute;
    uint8_t c, d, e;
    uint8_t n; /* objects */
};

#define ENERGY(profiles, c)                                                                        \
    {                                                                                              \
        (profiles), 3, 2, (c), D_ENERGY, 0, 1                                                      \
    }
#define RATES(profiles, c)                                                                         \
    {                                                                                              \
        (profiles), 3, 2, (c), D_ENERGY, 1, MODEL_RATES_MAX                                        \
    }
#define NOW(profiles, c, e)                                                                        \
    {                                                                                              \
        (profiles), 3, 2, (c), 7, (e), 1                                                           \
    }
#define PHASES(profiles, c, e)                                                                     \
    {                                                                                              \
        (profiles), 3, 2, (c), 7, (e), 3                                                           \
    }
#define INTERVAL(profiles, c)                                                                      \
    {                                                                                              \
        (profiles), 3, 2, (c), 29, 0, 1                                                            \
    }
#define MAXIMUM(profiles, c, attribute)                                                            \
    {                                                                                              \
        (profiles), 4, (attribute), (c), 6, 0, 1                                                   \
    }

static const struct item items[] = {
    ENERGY(LP1, 1),
    ENERGY(LP1, 2),
    ENERGY(LP1, 3),
    ENERGY(LP1, 4),
    INTERVAL(LP1, 1),
    INTERVAL(LP1, 2),
    PHASES(LP3, 32, 0),
    PHASES(LP3, 31, 0),
    NOW(LP3, 1, 0),
    NOW(LP3, 2, 0),
    NOW(LP3, 3, 0),
    NOW(LP3, 4, 0),
    NOW(LP3 | LP4, 13, 0),
    NOW(LP3, 14, 0),
    PHASES(LP4, 33, 0),
    PHASES(LP4, 32, 124),
    PHASES(LP4, 31, 124),
    NOW(LP4, 91, 0),
    NOW(LP4, 131, 0),
    NOW(LP4, 132, 0),
    ENERGY(MONTHLY, 1),
    MAXIMUM(MONTHLY, 1, 2),
    MAXIMUM(MONTHLY, 1, 5),
    RATES(LP2 | DAILY | MONTHLY, 1),
    ENERGY(LP2 | DAILY, 1),
    ENERGY(LP2 | DAILY | MONTHLY, 2),
    ENERGY(DAILY | MONTHLY, 3),
    ENERGY(DAILY | MONTHLY, 4),
    RATES(DAILY | MONTHLY, 2),
    RATES(MONTHLY, 3),
};

struct list {
    struct meter *m;
    enum model_profile_id p;
    struct meter_column *column;
    unsigned n, n_max;
    uint32_t octets, octets_max;
};

/* What the meter has not is left out. False: no room. */
static bool add(struct list *l, const struct profile_column *want)
{
    struct meter_column c;
    if (meter_column_find(l->m, l->p, COSEM_MANAGER, want, &c) != COSEM_SUCCESS)
        return true;
    if (l->n == l->n_max || l->octets + c.size > l->octets_max)
        return false;
    l->column[l->n++] = c;
    l->octets += c.size;
    return true;
}

/* All of the item's objects that the meter has, or none. */
static void add_item(struct list *l, const struct item *item)
{
    const unsigned n = l->n;
    const uint32_t octets = l->octets;
    struct profile_column want = {.class_id = item->class_id,
                                  .ln = {1, 0, item->c, item->d, item->e, 255},
                                  .attribute = item->attribute};
    for (unsigned k = 0; k < item->n; k++) {
        if (!add(l, &want)) {
            l->n = n;
            l->octets = octets;
            return;
        }
        if (item->d == D_ENERGY)
            want.ln[4]++;
        else
            want.ln[2] = (uint8_t)(want.ln[2] + PHASE_STEP);
    }
}

/* Every profile has room for them: they are no cells. */
static void add_head(struct list *l)
{
    struct profile_column want = {.class_id = 8, .attribute = 2};
    memcpy(want.ln, model_ln_clock, sizeof want.ln);
    (void)add(l, &want);
    want.class_id = 1;
    model_profile_status_ln(l->p, want.ln);
    (void)add(l, &want);
}

unsigned meter_columns_default(struct meter *m, enum model_profile_id p, struct meter_column *out)
{
    const struct model_profile *row = &meter_model(m)->profile[p];
    struct list l = {.m = m,
                     .p = p,
                     .column = out,
                     .n_max = METER_COLUMNS_OF(row->n_values),
                     .octets_max = row->depth_values * VALUE_SIZE};
    if (row->n_values == 0)
        return 0;
    add_head(&l);
    for (size_t k = 0; k < sizeof items / sizeof items[0]; k++) {
        if ((items[k].profiles & OF(p)) != 0)
            add_item(&l, &items[k]);
    }
    return l.n;
}
