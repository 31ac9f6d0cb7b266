/* Faults of the signal: clipped, torn, stuck, missing, without a frequency.
 *
 * A converter driven to its end, or too slow for a step, still delivers plausible counts, and
 * meters have billed them (+582 % were measured). So every sample is looked at before it is
 * counted: a cheap look at the whole block (or'ed bits, legal_sums.h), and an exact one, sample by
 * sample, only for a channel and stretch that the first look could not clear.
 *
 *   clip     a count at the end of the range
 *   slew     a step between two samples beyond the limit of the channel, whatever the rate: a load
 *            that is switched makes its step within a sample
 *   stuck    the same count throughout a whole window, and that not 0: a converter has noise, so
 *            constancy is a dead one; exactly 0 is a source that is off
 *   missing  a channel that the wiring needs, or that was there before, is not in a block
 *   rate     a voltage, but for five windows in a row no frequency in it: samples come at another
 *            rate than told, and then all energies are wrong by that
 *
 * What is flagged is counted nevertheless: to leave it out would be wrong, too. The window says so,
 * and the status says which channel. Samples lost between two blocks leave no trace but a phase
 * that jumps, as a network's may: who loses them must tell. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define RESTLESS 5 /* windows: two phases without a voltage delay the search by 0.3 s */

static uint32_t needed(const struct legal_config *c)
{
    uint32_t phases = legal_wiring_phases(c->wiring);
    return phases << AFE_U1 | phases << AFE_I1;
}

void legal_faults_config(struct legal *l)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        uint32_t limit = l->config.slew_limit[c];
        l->faults.limit[c] = limit == 0 ? UINT32_MAX : limit;
    }
}

static uint32_t size_of_step(int32_t from, int32_t to)
{
    int32_t d = to - from; /* of counts within the range */
    return (uint32_t)(d < 0 ? -d : d);
}

/* The first look cannot tell the end of the range from up to twice as much. */
static bool beyond(const int32_t *x, uint32_t n, uint32_t range)
{
    if (range >= 2 * (uint32_t)AFE_FULL_SCALE)
        return true;
    for (uint32_t k = 0; range >= (uint32_t)AFE_FULL_SCALE && k < n; k++)
        if (x[k] > AFE_FULL_SCALE || x[k] < -AFE_FULL_SCALE)
            return true;
    return false;
}

enum err legal_faults_look(struct legal *l, const struct legal_view *v, uint32_t n)
{
    struct legal_faults *f = &l->faults;
    uint32_t here = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        if (!v->x[c])
            continue;
        f->reach[c] = l->kernel.ops->reach(v->x[c], n);
        if (beyond(v->x[c], n, f->reach[c].range))
            return ERR_RANGE;
        here |= 1u << c;
    }
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

/* New values came with the window before: what follows counts for the next ones. */
static void tell(struct legal_faults *f, uint32_t sequence)
{
    if (f->sequence != sequence)
        memset(f->status.fault, 0, sizeof f->status.fault);
    f->sequence = sequence;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        f->status.fault[c] |= f->window[c];
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
    tell(f, l->values.sequence);
    memset(f->window, 0, sizeof f->window);
    f->begun = f->moved = 0;
    return flags;
}

/* A quarter of Un, in counts. */
static uint32_t voltage(const struct legal_config *c, unsigned p)
{
    uint64_t counts = mul_div_u64(c->un_mv, UINT64_C(250000000000), c->u_lsb_fv[p]);
    return counts < 2 ? 2 : counts > AFE_FULL_SCALE ? AFE_FULL_SCALE : (uint32_t)counts;
}

void legal_faults_frequency(struct legal *l, const struct legal_window *w)
{
    struct legal_faults *f = &l->faults;
    uint32_t phases = legal_wiring_phases(l->config.wiring);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        uint32_t u = phases >> p & 1 ? voltage(&l->config, p) : 0, n = (uint32_t)(w->n_q16 >> 16);
        bool is = u > 0 && w->phase[p].uu >= (int64_t)((uint64_t)u * u * n);
        if (!is || !(w->flags & LEGAL_WINDOW_NO_FREQ))
            f->restless[p] = 0;
        else if (f->restless[p] < RESTLESS)
            f->restless[p]++;
        if (f->restless[p] == RESTLESS)
            f->status.fault[AFE_U1 + p] |= LEGAL_FAULT_RATE;
    }
}

void legal_status_get(const struct legal *l, struct legal_status *out)
{
    *out = l->faults.status;
    out->sealed = l->ledger.book.sealed;
}
