/* The inner loops that matter most, by hand for Cortex-M3, M4 and M7; see legal_sums.h.
 *
 * In C the compiler runs out of registers by one or two and spends a fifth of its instructions on
 * moving sums to the stack and back. The loops here take four samples a turn; the products of
 * two currents are the plain variant's. Sixteen octets are read at once where
 * they fit.
 */
#include "firmware/legal/legal_sums.h"

#include "firmware/legal/legal_config.h"

#if LEGAL_SUMS_THUMB2

/* One sample of both channels: r, s hold it. */
#define PRODUCTS                                                                                   \
    "ldr %[r], [%[u]], #4\n\t"                                                                     \
    "ldr %[s], [%[i]], #4\n\t"                                                                     \
    "smlal %Q[uu], %R[uu], %[r], %[r]\n\t"                                                         \
    "smlal %Q[ui], %R[ui], %[r], %[s]\n\t"                                                         \
    "smlal %Q[ii], %R[ii], %[s], %[s]\n\t"                                                         \
    "add %[su], %[r]\n\t"                                                                          \
    "add %[si], %[s]\n\t"

static void sum_products(struct legal_sums *out, const int32_t *u, const int32_t *i, uint32_t n)
{
    int64_t uu = 0, ui = 0, ii = 0;
    int32_t su = 0, si = 0, r, s;
    const int32_t *end = u + n, *few = u + n % 4;
    while (u != few) {
        r = *u++;
        s = *i++;
        uu += (int64_t)r * r;
        ui += (int64_t)r * s;
        ii += (int64_t)s * s;
        su += r;
        si += s;
    }
    if (u != end)
        __asm__("1:\n\t" PRODUCTS PRODUCTS PRODUCTS PRODUCTS "cmp %[u], %[end]\n\t"
                "bne 1b"
                : [uu] "+r"(uu), [ui] "+r"(ui), [ii] "+r"(ii), [su] "+r"(su), [si] "+r"(si),
                  [u] "+r"(u), [i] "+r"(i), [r] "=&r"(r), [s] "=&r"(s)
                : [end] "r"(end)
                : "cc", "memory");
    out->uu += uu;
    out->ui += ui;
    out->ii += ii;
    out->u += su;
    out->i += si;
}

/* One sample in r with its cosine and sine. */
#define CORRELATE(r)                                                                               \
    "ldrd %[c], %[s], [%[wave]], #8\n\t"                                                           \
    "smlal %Q[re], %R[re], " r ", %[c]\n\t"                                                        \
    "smlal %Q[im], %R[im], " r ", %[s]\n\t"

static void correlate(int64_t out[2], const int32_t *x, const int32_t *wave, uint32_t n)
{
    int64_t re = 0, im = 0;
    int32_t c, s;
    const int32_t *end = x + n, *few = x + n % 4;
    for (; x != few; wave += 2) {
        re += (int64_t)*x * wave[0];
        im += (int64_t)*x++ * wave[1];
    }
    if (x != end)
        __asm__("1:\n\t"
                "ldmia %[x]!, {r2-r5}\n\t" CORRELATE("r2") CORRELATE("r3") CORRELATE("r4")
                    CORRELATE("r5") "cmp %[x], %[end]\n\t"
                                    "bne 1b"
                : [re] "+r"(re), [im] "+r"(im), [x] "+r"(x), [wave] "+r"(wave), [c] "=&r"(c),
                  [s] "=&r"(s)
                : [end] "r"(end)
                : "r2", "r3", "r4", "r5", "cc", "memory");
    out[0] += re;
    out[1] += im;
}

static void thumb2_phase(struct legal_sums *s, const struct legal_duo *c)
{
    sum_products(s, c->u, c->i, c->n);
    correlate(s->wave, c->u, c->wave, c->n);
    correlate(s->wave + 2, c->i, c->wave, c->n);
}

/* Sample x after `before`. Its magnitude needs no look of its own: x and its bits above the 22nd
 * added leave 24 bits where x is at the end of the range (or one before the lower end), and
 * saturation sets a flag that stays. */
#define REACH(before, x)                                                                           \
    "sub %[t], " x ", " before "\n\t"                                                              \
    "eor %[t], %[t], %[t], asr #31\n\t"                                                            \
    "orr %[step], %[t]\n\t"                                                                        \
    "add %[t], " x ", " x ", asr #22\n\t"                                                          \
    "ssat %[t], #24, %[t]\n\t"

#define SATURATED (UINT32_C(1) << 27)

static struct legal_reach thumb2_reach(const int32_t *x, uint32_t n)
{
    uint32_t whole = n & ~UINT32_C(3), step = 0, t = 0;
    const int32_t *at = x, *end = x + whole;
    int32_t before = *x;
    if (whole)
        __asm__("msr APSR_nzcvq, %[t]\n\t"
                "1:\n\t"
                "ldmia %[at]!, {r2-r5}\n\t" REACH("%[before]", "r2") REACH("r2", "r3")
                    REACH("r3", "r4") REACH("r4", "r5") "mov %[before], r5\n\t"
                                                        "cmp %[at], %[end]\n\t"
                                                        "bne 1b\n\t"
                                                        "mrs %[t], APSR\n\t"
                : [at] "+r"(at), [before] "+r"(before), [step] "+r"(step), [t] "+r"(t)
                : [end] "r"(end)
                : "r2", "r3", "r4", "r5", "cc", "memory");
    if (t & SATURATED)
        return legal_reach_of(x, n);
    if (n == whole)
        return (struct legal_reach){0, step};
    /* from the last one taken on, for its step */
    uint32_t from = whole ? whole - 1 : 0;
    struct legal_reach rest = legal_reach_of(x + from, n - from);
    return (struct legal_reach){rest.range, step | rest.step};
}

static void thumb2_currents(struct legal_current_sums *s, const struct legal_quad *c)
{
    struct legal_sums with_one;    /* its waves are not used, and a memset takes its time */
    if (!legal_has(LEGAL_NEUTRAL)) /* nobody calls this then, but it is in the table */
        return;
    legal_sum_crosses(s->cross, c);
    if (!c->i[3])
        return;
    with_one.uu = with_one.ui = with_one.ii = with_one.u = with_one.i = 0;
    sum_products(&with_one, c->i[3], c->i[0] ? c->i[0] : legal_silence, c->n);
    correlate(s->wave, c->i[3], c->wave, c->n);
    s->nn += with_one.uu;
    s->n += with_one.u;
    s->cross[3] += with_one.ui;
}

const struct legal_sums_ops legal_sums_thumb2 = {"thumb2",        2,           1, thumb2_phase,
                                                 thumb2_currents, thumb2_reach};
#endif
