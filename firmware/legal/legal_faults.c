/* Faults of the signal: clipped, torn, stuck, missing.
 *
 * A converter driven to its end, or too slow for a step, still delivers plausible counts, and
 * meters have billed them (+582 % were measured). So every sample is looked at before it is
 * counted: a cheap look at the whole block (or'ed bits, legal_sums.h), and an exact one, sample by
 * sample, only for a channel and stretch that the first look could not clear.
 *
 *   clip     a count at the end of the range
 *   slew     a step between two samples beyond the limit of the channel
 *   stuck    the same count throughout a whole window, and that not 0: a converter has noise, so
 *            constancy is a dead one; exactly 0 is a source that is off
 *   missing  a channel that the wiring needs, or that was there before, is not in a block
 *
 * What is flagged is counted nevertheless: to leave it out would be wrong, too. The window says so,
 * and the status says which channel. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define SLEW_RATE_UHZ UINT64_C(8000000000) /* limits hold for it */

static uint32_t needed(const struct legal_config *c)
{
    uint32_t phases = legal_phases(c);
    return phases << AFE_U1 | phases << AFE_I1;
}

void legal_faults_config(struct legal *l)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS && l->rate_uhz != 0; c++) {
        uint32_t limit = l->config.slew_limit[c];
        uint64_t scaled = mul_div_u64(limit, SLEW_RATE_UHZ, l->rate_uhz);
        l->faults.limit[c] = limit == 0 || scaled > UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
    }
}

static uint32_t size_of_step(int32_t from, int32_t to)
{
    int32_t d = to - from; /* of counts within the range */
    return (uint32_t)(d < 0 ? -d : d);
}

enum err legal_faults_look(struct legal *l, const struct legal_view *v, uint32_t n)
{
    struct legal_faults *f = &l->faults;
    uint32_t bits = 0, here = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        if (!v->x[c])
            continue;
        f->reach[c] = l->kernel.ops->reach(v->x[c], n);
        bits |= f->reach[c].range;
        here |= 1u << c;
    }
    if (bits >= 2 * (uint32_t)AFE_FULL_SCALE)
        return ERR_RANGE;
    f->gone = (needed(&l->config) | f->seen) & ~here;
    f->before = f->here;
    f->here = here;
    f->seen |= here;
    return ERR_OK;
}

static void count_up(uint32_t *counter, uint32_t n)
{
    *counter = UINT32_MAX - *counter < n ? UINT32_MAX : *counter + n;
}

static uint32_t clips(const int32_t *x, uint32_t n)
{
    uint32_t found = 0;
    for (uint32_t k = 0; k < n; k++)
        found += x[k] >= AFE_FULL_SCALE - 1 || x[k] <= -AFE_FULL_SCALE;
    return found;
}

static uint32_t steps(const int32_t *x, uint32_t n, uint32_t limit)
{
    uint32_t found = 0;
    for (uint32_t k = 1; k < n; k++)
        found += size_of_step(x[k - 1], x[k]) > limit;
    return found;
}

static bool constant(const int32_t *x, uint32_t n, int32_t value)
{
    uint32_t k = 0;
    while (k < n && x[k] == value)
        k++;
    return k == n;
}

static void look_closer(struct legal *l, unsigned c, const int32_t *x, uint32_t n)
{
    struct legal_faults *f = &l->faults;
    uint32_t bit = 1u << c, torn = 0;
    if (f->reach[c].range >= (uint32_t)AFE_FULL_SCALE) {
        uint32_t clipped = clips(x, n);
        count_up(&f->status.clipped[c], clipped);
        f->window[c] |= clipped ? LEGAL_FAULT_CLIP : 0;
    }
    if (f->before & bit)
        torn = size_of_step(l->kernel.last[c], *x) > f->limit[c];
    if (f->reach[c].step >= f->limit[c])
        torn += steps(x, n, f->limit[c]);
    count_up(&f->status.slew[c], torn);
    f->window[c] |= torn ? LEGAL_FAULT_SLEW : 0;
    if (!(f->moved & bit) && !constant(x, n, f->begun & bit ? l->kernel.last[c] : *x))
        f->moved |= bit;
    f->begun |= bit;
}

void legal_faults_run(struct legal *l, const struct legal_view *v, uint32_t from, uint32_t to)
{
    struct legal_faults *f = &l->faults;
    for (unsigned c = 0; c < AFE_N_CHANNELS && to > from; c++) {
        if (v->x[c])
            look_closer(l, c, v->x[c] + from, to - from);
        else if (f->gone >> c & 1)
            f->window[c] |= LEGAL_FAULT_MISSING;
    }
    if (to > from)
        f->before = f->here;
}

uint32_t legal_faults_window(struct legal *l, uint32_t flags)
{
    static const struct {
        uint8_t fault, flag;
    } told[] = {{LEGAL_FAULT_CLIP, LEGAL_WINDOW_CLIPPED},
                {LEGAL_FAULT_SLEW, LEGAL_WINDOW_SLEW},
                {LEGAL_FAULT_STUCK, LEGAL_WINDOW_STUCK},
                {LEGAL_FAULT_MISSING, LEGAL_WINDOW_MISSING}};
    struct legal_faults *f = &l->faults;
    uint32_t all = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        bool still = (f->begun & ~f->moved) >> c & 1 && l->kernel.last[c] != 0;
        if (still && !(flags & LEGAL_WINDOW_PARTIAL))
            f->window[c] |= LEGAL_FAULT_STUCK;
        all |= f->window[c];
    }
    for (unsigned k = 0; k < sizeof told / sizeof told[0]; k++)
        flags |= all & told[k].fault ? told[k].flag : 0;
    memcpy(f->status.fault, f->window, sizeof f->window);
    memset(f->window, 0, sizeof f->window);
    f->begun = f->moved = 0;
    return flags;
}

void legal_status_get(const struct legal *l, struct legal_status *out)
{
    *out = l->faults.status;
    out->sealed = l->ledger.book.sealed;
}
