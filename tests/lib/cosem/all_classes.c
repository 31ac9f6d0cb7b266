/* The rows of the device with every class, see all_classes.h. */
#include "tests/lib/cosem/all_classes.h"

#include <string.h>

/* Bit n-1 of attribute n */
#define ALL       0xFFFFu
#define BIT(attr) (1u << ((attr)-1))
#define RIGHTS(writable)                                                                           \
    {                                                                                              \
        .read = {ALL, ALL, ALL}, .write = {0, 0, (uint16_t)(writable)}, .invoke = { 0, 0, ALL }    \
    }
static const struct cosem_rights everything = RIGHTS(ALL & ~BIT(1));
static const struct cosem_rights calendar = RIGHTS(BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10));
static const struct cosem_rights compact = RIGHTS(BIT(3) | BIT(4) | BIT(6));
static const struct cosem_rights switch_only = RIGHTS(BIT(4));
static const struct cosem_rights limiter = RIGHTS(ALL & ~(BIT(1) | BIT(3) | BIT(10)));
static const struct cosem_rights served = {.read = {ALL, ALL, ALL}, .invoke = {1, 1, 1}};

#define ROW(class, edition, a, b, c, d, e, who, what)                                              \
    {                                                                                              \
        .ln = {a, b, c, d, e, 255},                                                                \
        .kind = COSEM_KIND(.class_id = class, .version = edition, .rights = who, .binding = &what) \
    }
static const struct cosem_row rows[] = {
    ROW(1, 0, 0, 0, 42, 0, 0, &everything, values_binding),
    ROW(3, 0, 1, 0, 1, 8, 1, &everything, values_binding),
    ROW(4, 0, 1, 0, 1, 6, 0, &everything, values_binding),
    ROW(5, 0, 1, 0, 1, 4, 0, &everything, values_binding),
    ROW(6, 0, 0, 0, 14, 0, 1, &everything, values_binding),
    ROW(7, 1, 1, 0, 99, 1, 0, &everything, values_binding),
    ROW(8, 0, 0, 0, 1, 0, 0, &everything, values_binding),
    ROW(9, 0, 0, 0, 10, 0, 100, &everything, values_binding),
    ROW(10, 0, 0, 0, 12, 0, 0, &everything, values_binding),
    ROW(11, 0, 0, 0, 11, 0, 0, &everything, values_binding),
    ROW(12, 0, 0, 0, 40, 0, 0, &everything, values_binding),
    ROW(12, 1, 0, 9, 40, 0, 0, &everything, values_binding),
    ROW(12, 2, 0, 10, 40, 0, 0, &everything, values_binding),
    ROW(12, 3, 0, 11, 40, 0, 0, &everything, values_binding),
    ROW(12, 4, 0, 12, 40, 0, 0, &everything, values_binding),
    ROW(15, 0, 0, 0, 40, 0, 0, &everything, values_binding),
    ROW(15, 1, 0, 9, 40, 0, 0, &served, cosem_binding_association),
    ROW(15, 2, 0, 10, 40, 0, 0, &everything, values_binding),
    ROW(15, 3, 0, 11, 40, 0, 0, &everything, values_binding),
    ROW(17, 0, 0, 0, 41, 0, 0, &served, cosem_binding_sap),
    ROW(19, 1, 0, 0, 20, 0, 0, &everything, values_binding),
    ROW(20, 0, 0, 0, 13, 0, 0, &calendar, values_binding),
    ROW(21, 0, 0, 0, 16, 1, 0, &everything, values_binding),
    ROW(22, 0, 0, 0, 15, 0, 0, &everything, values_binding),
    ROW(23, 0, 0, 0, 22, 0, 0, &everything, values_binding),
    ROW(23, 1, 0, 9, 22, 0, 0, &everything, values_binding),
    ROW(27, 0, 0, 0, 2, 0, 0, &everything, values_binding),
    ROW(27, 1, 0, 9, 2, 0, 0, &everything, values_binding),
    ROW(28, 0, 0, 0, 2, 2, 0, &everything, values_binding),
    ROW(28, 2, 0, 10, 2, 2, 0, &everything, values_binding),
    ROW(29, 0, 0, 0, 2, 1, 0, &everything, values_binding),
    ROW(29, 1, 0, 9, 2, 1, 0, &everything, values_binding),
    ROW(29, 2, 0, 10, 2, 1, 0, &everything, values_binding),
    ROW(40, 0, 0, 0, 25, 9, 0, &everything, values_binding),
    ROW(40, 1, 0, 9, 25, 9, 0, &everything, values_binding),
    ROW(40, 2, 0, 10, 25, 9, 0, &everything, values_binding),
    ROW(41, 0, 0, 0, 25, 0, 0, &everything, values_binding),
    ROW(42, 0, 0, 0, 25, 1, 0, &everything, values_binding),
    ROW(43, 0, 0, 0, 25, 2, 0, &everything, values_binding),
    ROW(44, 0, 0, 0, 25, 3, 0, &everything, values_binding),
    ROW(45, 0, 0, 0, 25, 4, 0, &everything, values_binding),
    ROW(46, 0, 0, 0, 25, 5, 0, &everything, values_binding),
    ROW(47, 0, 0, 0, 25, 6, 0, &everything, values_binding),
    ROW(47, 1, 0, 9, 25, 6, 0, &everything, values_binding),
    ROW(47, 2, 0, 10, 25, 6, 0, &everything, values_binding),
    ROW(48, 0, 0, 0, 25, 7, 0, &everything, values_binding),
    ROW(61, 0, 1, 0, 10, 7, 0, &everything, values_binding),
    ROW(62, 0, 0, 0, 66, 0, 0, &compact, values_binding),
    ROW(62, 1, 0, 9, 66, 0, 0, &compact, values_binding),
    ROW(63, 0, 0, 0, 96, 5, 0, &everything, values_binding),
    ROW(64, 0, 0, 0, 43, 0, 0, &served, cosem_binding_security),
    ROW(65, 0, 0, 0, 16, 2, 0, &everything, values_binding),
    ROW(65, 1, 0, 9, 16, 2, 0, &everything, values_binding),
    ROW(68, 0, 0, 0, 96, 3, 20, &everything, values_binding),
    ROW(70, 0, 0, 0, 96, 3, 10, &switch_only, values_binding),
    ROW(70, 1, 0, 9, 96, 3, 10, &switch_only, values_binding),
    ROW(71, 0, 0, 0, 17, 0, 0, &limiter, values_binding),
    ROW(72, 0, 0, 1, 24, 1, 0, &everything, values_binding),
    ROW(72, 1, 0, 9, 24, 1, 0, &everything, values_binding),
    ROW(74, 0, 0, 0, 24, 6, 0, &everything, values_binding),
    ROW(77, 0, 0, 1, 24, 9, 0, &everything, values_binding),
};

static enum err keep(void *context, const struct values_change *changes, size_t n)
{
    struct all_classes *d = context;
    (void)changes;
    d->n_keep++;
    d->last_n = n;
    return d->keep;
}

static void changed(void *context, const struct values_change *changes, size_t n)
{
    struct all_classes *d = context;
    (void)changes, (void)n;
    d->n_changed++;
}

static enum cosem_result act(const struct cosem_call *c, const struct cosem_ref *o, uint8_t method,
                             struct rd *param, struct wr *reply)
{
    struct all_classes *d = c->context;
    (void)o, (void)method, (void)param, (void)reply;
    d->n_act++;
    return COSEM_SUCCESS;
}

bool all_classes_init(struct all_classes *d)
{
    memset(d, 0, sizeof *d);
    d->hooks = (struct values_hooks){.keep = keep, .changed = changed, .act = act};
    d->values = (struct values){.slots = all_classes_slots,
                                .n_slots = ALL_CLASSES_SLOTS,
                                .arena = d->arena,
                                .arena_size = sizeof d->arena,
                                .hooks = &d->hooks,
                                .context = d};
    d->device = (struct cosem_device){.sap = 1,
                                      .name = "FER0000000000001",
                                      .rows = rows,
                                      .n_rows = sizeof rows / sizeof rows[0],
                                      .context = d,
                                      .values = &d->values};
    return values_init(&d->values) == ERR_OK;
}
