/* Wide integer arithmetic of the legal part, for targets without a 128-bit type or a float unit.
 *
 * Sums of products of 24-bit samples need 64 bits and their products with calibration constants
 * 128. Everything here is exact or rounds to nearest as stated, never traps, and gives the same
 * bits on every target. It refuses to be general: only what the metrology calls. */
#ifndef FERRARIS_LEGAL_MATH_H
#define FERRARIS_LEGAL_MATH_H

#include <stdint.h>

/* A signed 128-bit number, two's complement. */
struct wide {
    int64_t hi;
    uint64_t lo;
};

static inline struct wide wide_of(int64_t a)
{
    return (struct wide){a < 0 ? -1 : 0, (uint64_t)a};
}

/* In place, out of line: four registers hold no two wide numbers, and a copy of these at each use
 * was a tenth of the legal part. */
int wide_sign(const struct wide *a); /* -1, 0, 1 */
void wide_add(struct wide *a, const struct wide *b);
void wide_neg(struct wide *a);
void wide_shl(struct wide *a, int n);      /* 0 <= n < 127; what leaves is lost */
void wide_floor(struct wide *a, int n);    /* a / 2^n, 0 <= n < 127 */
void wide_sar(struct wide *a, int n);      /* the same to nearest, halves up */
int64_t wide_narrow(const struct wide *a); /* saturates */

int leading_zeros(uint64_t a);     /* a > 0 */
int64_t shifted(int64_t a, int n); /* by n places up, or -n down; what leaves is lost */
struct wide wide_mul(int64_t a, int64_t b);
void wide_mul_add(struct wide *sum, int64_t a, int64_t b); /* sum + a b, */
void wide_mul_sub(struct wide *sum, int64_t a, int64_t b); /* sum - a b */
int64_t wide_div(const struct wide *a,
                 uint64_t d);             /* nearest; saturates at the ends of int64_t; d > 0 */
uint64_t wide_sqrt(const struct wide *a); /* floor; 0 for a < 0 */

int64_t mul_sar(int64_t a, int64_t b,
                int n); /* a*b / 2^n, nearest, halves up, saturating; 0 < n < 64 */
int64_t mul_part(int64_t a, int32_t q32); /* a*q / 2^32, nearest, halves up; cheaper */
uint64_t mul_sqrt(int64_t a, int64_t b);  /* of a*b, as wide_sqrt() */
uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t d); /* a*b/d, floor, saturating; d > 0 */
int64_t mul_div_i64(int64_t a, uint64_t b, uint64_t d);   /* nearest, saturating; d > 0 */

/* A positive constant with 64 significant bits: mant * 2^exp, mant >= 2^63 (or 0). */
struct gain {
    uint64_t mant;
    int32_t exp;
};
struct gain gain_of(uint64_t a);
void gain_mul(struct gain *g, uint64_t m);
void gain_div(struct gain *g, uint64_t d); /* d > 0 */
/* v * g to nearest; |v * g| must stay below 2^126 (saturates). */
void gain_apply(struct wide *out, const struct gain *g, int64_t v);

/* Angle of (x, y) in millidegrees, -180 000 < a <= 180 000; 0 for the origin. */
int32_t atan2_mdeg(int64_t y, int64_t x);

#define SINE_SIZE    256
#define SINE_QUARTER 64
#define SINE_BITS    30
/* Sine of `at` steps of SINE_SIZE in a turn, any number, scaled by 2^SINE_BITS; the cosine is
 * SINE_QUARTER steps ahead. */
int32_t sine_at(unsigned at);

struct rotor { /* 2^SINE_BITS at most */
    int32_t cosine, sine;
};
/* Of a phase, 2^32 is a turn; within 4 of the 30 bits' last place. */
struct rotor rotor_of(uint32_t turn);
/* x[0] + j x[1] turned by the rotor, and as many times as large; nothing is rounded, and it must
 * fit. */
void rotor_times(int64_t x[2], struct rotor r);

#endif
