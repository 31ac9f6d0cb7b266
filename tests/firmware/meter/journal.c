/* See journal.h. */
#include "tests/firmware/meter/journal.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *p, size_t size)
{
    p = realloc(p, size);
    if (p == NULL)
        abort();
    return p;
}

static void note(struct journal *j, const struct journal_op *op, const void *octets)
{
    if (j->seen != NULL)
        j->seen(j->context);
    if (j->n_ops == j->ops_size) {
        j->ops_size = 2 * j->ops_size + 1000;
        j->ops = grown(j->ops, j->ops_size * sizeof *j->ops);
    }
    while (j->len + op->n > j->size) {
        j->size = 2 * j->size + 100000;
        j->octets = grown(j->octets, j->size);
    }
    j->ops[j->n_ops] = *op;
    j->ops[j->n_ops++].at = j->len;
    if (!op->is_erase)
        memcpy(j->octets + j->len, octets, op->n);
    j->len += op->is_erase ? 0 : op->n;
}

static enum err read_below(const struct hal_flash *hal, uint32_t addr, void *to, size_t n)
{
    const struct journal *j = hal->context;
    return j->below->hal.read(&j->below->hal, addr, to, n);
}

static enum err program_below(const struct hal_flash *hal, uint32_t addr, const void *from,
                              size_t n)
{
    struct journal *j = hal->context;
    note(j, &(struct journal_op){.addr = addr, .n = (uint32_t)n}, from);
    return j->below->hal.program(&j->below->hal, addr, from, n);
}

static enum err erase_below(const struct hal_flash *hal, uint32_t sector)
{
    struct journal *j = hal->context;
    note(j, &(struct journal_op){.is_erase = true, .addr = sector}, NULL);
    return j->below->hal.erase(&j->below->hal, sector);
}

void journal_init(struct journal *j, struct flash_emu *below)
{
    *j = (struct journal){.hal = below->hal, .below = below};
    j->hal.context = j;
    j->hal.read = read_below;
    j->hal.program = program_below;
    j->hal.erase = erase_below;
    j->start = grown(NULL, flash_emu_size(below));
    memcpy(j->start, below->octets, flash_emu_size(below));
}

void journal_free(struct journal *j)
{
    free(j->start);
    free(j->ops);
    free(j->octets);
    *j = (struct journal){0};
}

static enum err again(const struct journal *j, uint32_t k, struct flash_emu *to)
{
    const struct journal_op *op = &j->ops[k];
    return op->is_erase ? to->hal.erase(&to->hal, op->addr)
                        : to->hal.program(&to->hal, op->addr, j->octets + op->at, op->n);
}

void journal_do(const struct journal *j, uint32_t k, struct flash_emu *to)
{
    flash_emu_power(to, 0, TEAR_NOTHING);
    if (again(j, k, to) != ERR_OK)
        abort();
}

void journal_do_torn(const struct journal *j, uint32_t k, enum tear tear, struct flash_emu *to)
{
    flash_emu_power(to, 1, tear);
    if (again(j, k, to) == ERR_OK)
        abort();
    flash_emu_power(to, 0, TEAR_NOTHING);
}
