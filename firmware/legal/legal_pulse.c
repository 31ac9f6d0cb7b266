/* LED pulses: the book's energy in light, evenly, and never a pulse more or less.
 *
 * What a window brought is known when it closes. It leaves over the time of the next one: a pulse
 * is due where a straight line from the former sum of energy to the new one passes a whole number
 * of pulses. So the light lags the registers by a window and never shows energy that was not there.
 * A next window that is shorter gets the rest at its end, one that is longer ends in a pause.
 *
 *        close_window           close_window           close_window
 *             |  window n            |  window n+1          |
 *     samples |..energy E............|......................|
 *     book    |                      E                      |
 *     LED     |                      |. |  |  |  |  |  |  | | E evenly
 *
 * All times lag one sample more: a border lies up to a sample before the block that shows it, and a
 * pulse cannot be given in a block that has passed.
 *
 * Facts between two borders, for each LED:
 *   whole + part = energy of the total's registers with their rests x constant, as of the border;
 *   pulses given (in the book) + left = pulses given at an earlier time + growth of whole since.
 * While the constant stays, pulses given + left is therefore floor(energy x constant). A change of
 * the constant weighs the book anew and moves only the part of a pulse that was begun.
 *
 * What it refuses: to blink faster than once a sample; such pulses only count. */
#include "firmware/legal/legal_parts.h"

#define UNITS_PER_KWH UINT64_C(1000000000)
#define ONE_SAMPLE    65536

static uint32_t constant(const struct legal_config *c, enum legal_led led)
{
    bool own = led == LEGAL_LED_REACTIVE && c->pulse_per_kvarh > 0;
    return own ? c->pulse_per_kvarh : c->pulse_per_kwh;
}

/* What the book's energy is worth in pulses, anew; gives how many whole ones that is more. */
static uint64_t weigh(struct legal *l, enum legal_led led)
{
    static const struct {
        uint8_t first, last;
    } registers[] = {{LEGAL_A_IMPORT, LEGAL_A_EXPORT}, {LEGAL_R_QI, LEGAL_R_QIV}};
    const struct legal_snapshot *b = &l->ledger.book;
    struct legal_pulse *p = &l->pulses.led[led];
    uint64_t units = 0, rest = 0, k = constant(&l->config, led), before = p->whole;
    for (unsigned e = registers[led].first; e <= registers[led].last; e++) {
        units += b->energy.total[e];
        rest += b->total_rest[e];
    }
    units += rest >> 32;
    p->whole = mul_div_u64(units, k, UNITS_PER_KWH);
    uint64_t over = units * k - p->whole * UNITS_PER_KWH; /* wraps alike in both products */
    uint64_t part = (over << 32) + (rest & UINT32_MAX) * k;
    uint64_t pulses_q32 = part / UNITS_PER_KWH; /* below 2 */
    p->whole += pulses_q32 >> 32;
    p->part = (uint32_t)pulses_q32;
    return p->whole - before;
}

static void count(struct legal *l, enum legal_led led, uint64_t n)
{
    struct legal_snapshot *b = &l->ledger.book;
    if (led == LEGAL_LED_ACTIVE)
        b->pulses_active += n;
    else
        b->pulses_reactive += n;
}

static void give(struct legal *l, enum legal_led led, int64_t at_q16)
{
    l->pulses.led[led].left--;
    count(l, led, 1);
    if (l->pulses.observe)
        l->pulses.observe(l->pulses.context, led, at_q16 < 0 ? 0 : (uint32_t)at_q16);
}

/* Gives what is due before this place of the block. */
static void give_until(struct legal *l, enum legal_led led, int64_t end_q16)
{
    struct legal_pulse *p = &l->pulses.led[led];
    while (p->left) {
        int64_t at_q16 = (p->pace.next_q32 >> 16) - l->pulses.now_q16;
        if (at_q16 >= end_q16)
            return;
        give(l, led, at_q16);
        p->pace.next_q32 += p->pace.step_q32;
    }
}

/* Spreads what the book gained over as long as the window took. */
static void spread(struct legal *l, enum legal_led led, uint64_t length_q16)
{
    struct legal_pulse *p = &l->pulses.led[led];
    uint32_t part = p->part;
    uint64_t n = weigh(l, led);
    if (n > length_q16 / ONE_SAMPLE) {
        count(l, led, n);
    } else if (n) {
        uint64_t due_q32 = (n << 32) + p->part - part;
        uint64_t step = mul_div_u64(length_q16 << 16, UINT64_C(1) << 32, due_q32);
        uint64_t next = mul_div_u64(length_q16 << 16, (UINT64_C(1) << 32) - part, due_q32);
        p->left = n;
        p->pace.next_q32 = (int64_t)next;
        p->pace.step_q32 = step > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)step; /* n is 1 then */
    }
}

void legal_pulse_rescale(struct legal_pulses *s, uint64_t to, uint64_t from)
{
    legal_rescale(&s->now_q16, 1, to, from);
    for (unsigned led = 0; led < 2; led++) {
        struct legal_pace *pace = &s->led[led].pace;
        legal_rescale((int64_t *)pace, sizeof *pace / sizeof(int64_t), to, from);
    }
}

void legal_pulse_border(struct legal *l, const struct legal_cut *cut)
{
    int64_t at_q16 = ((int64_t)cut->at - 1) * ONE_SAMPLE + cut->alpha_q16 + ONE_SAMPLE;
    for (unsigned led = 0; led < 2; led++) {
        give_until(l, led, at_q16);
        while (l->pulses.led[led].left)
            give(l, led, at_q16);
        spread(l, led, (uint64_t)cut->time_q16);
    }
    l->pulses.now_q16 = -at_q16;
}

void legal_pulse_block(struct legal *l, uint32_t n)
{
    int64_t end_q16 = (int64_t)n * ONE_SAMPLE;
    give_until(l, LEGAL_LED_ACTIVE, end_q16);
    give_until(l, LEGAL_LED_REACTIVE, end_q16);
    l->pulses.now_q16 += end_q16;
}

void legal_pulse_flush(struct legal *l)
{
    for (unsigned led = 0; led < 2; led++) {
        struct legal_pulse *p = &l->pulses.led[led];
        uint64_t n = weigh(l, led);
        count(l, led, p->left + n);
        p->left = 0;
    }
    l->pulses.now_q16 = 0;
}

void legal_pulse_weigh(struct legal *l)
{
    for (unsigned led = 0; led < 2; led++)
        (void)weigh(l, led);
}

void legal_pulse_observe(struct legal *l, legal_pulse_fn fn, void *context)
{
    l->pulses.observe = fn;
    l->pulses.context = context;
}
