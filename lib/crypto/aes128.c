/* AES-128 (FIPS 197) on bit planes: constant time without tables. It does not choose a mode.
 *
 * Two blocks are held as eight words q[0..7]; q[b] holds bit b of all 32 octets. Octet r of a word
 * belongs to row r of the AES state, and bit 2 * column + block inside it to one octet of the
 * state. So ShiftRows turns the bits inside each octet, MixColumns turns whole words by octets, and
 * the words are got from the eight little-endian columns by transposing 8 x 8 bits four times at
 * once.
 *
 * The S-box is inversion in GF(2^8) and an affine map. It is computed in the tower field
 * GF(16)[y] / (y^2 + y + L) over GF(2)[x] / (x^4 + x + 1), L = x^3 + x. Of all choices of L and all
 * isomorphisms this one has the fewest terms in the two base changes (55). The outgoing base change
 * already contains the affine map. The inverse S-box is affine^-1, S-box, affine^-1: slower, but it
 * serves key unwrapping only. */
#include "lib/crypto/aes128.h"

#include "lib/base/cursor.h"
#include "lib/crypto/hardware.h"

static uint32_t turn_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* Exchanges the bits of a under mask << n with the bits of b under mask. */
static void swap_bits(uint32_t *a, uint32_t *b, uint32_t mask, unsigned n)
{
    uint32_t t = ((*a >> n) ^ *b) & mask;
    *b ^= t;
    *a ^= t << n;
}

/* Columns to planes and planes to columns: its own inverse. */
static void transpose(uint32_t q[8])
{
    for (unsigned i = 0; i < 8; i += 2)
        swap_bits(&q[i], &q[i + 1], 0x55555555u, 1);
    for (unsigned i = 0; i < 8; i += 4) {
        swap_bits(&q[i], &q[i + 2], 0x33333333u, 2);
        swap_bits(&q[i + 1], &q[i + 3], 0x33333333u, 2);
    }
    for (unsigned i = 0; i < 4; i++)
        swap_bits(&q[i], &q[i + 4], 0x0F0F0F0Fu, 4);
}

/* r = a * b in GF(16), 32 products at once. */
static void multiply16(uint32_t r[4], const uint32_t a[4], const uint32_t b[4])
{
    uint32_t p4 = (a[1] & b[3]) ^ (a[2] & b[2]) ^ (a[3] & b[1]);
    uint32_t p5 = (a[2] & b[3]) ^ (a[3] & b[2]);
    uint32_t p6 = a[3] & b[3];
    r[0] = (a[0] & b[0]) ^ p4;
    r[1] = (a[0] & b[1]) ^ (a[1] & b[0]) ^ p4 ^ p5;
    r[2] = (a[0] & b[2]) ^ (a[1] & b[1]) ^ (a[2] & b[0]) ^ p5 ^ p6;
    r[3] = (a[0] & b[3]) ^ (a[1] & b[2]) ^ (a[2] & b[1]) ^ (a[3] & b[0]) ^ p6;
}

/* r = 1 / a in GF(16), 0 for 0: the algebraic normal form of a^14. */
static void invert16(uint32_t r[4], const uint32_t a[4])
{
    uint32_t a01 = a[0] & a[1], a02 = a[0] & a[2], a03 = a[0] & a[3];
    uint32_t a12 = a[1] & a[2], a13 = a[1] & a[3], a23 = a[2] & a[3];
    uint32_t a123 = a12 & a[3];
    r[0] = a[0] ^ a[1] ^ a[2] ^ a[3] ^ a02 ^ a12 ^ (a01 & a[2]) ^ a123;
    r[1] = a[3] ^ a01 ^ a02 ^ a12 ^ a13 ^ (a01 & a[3]);
    r[2] = a[2] ^ a[3] ^ a01 ^ a02 ^ a03 ^ (a02 & a[3]);
    r[3] = a[1] ^ a[2] ^ a[3] ^ a03 ^ a13 ^ a23 ^ a123;
}

/* The S-box on all 32 octets. With the octet as a*y + b: 1/(a*y + b) = (a*y + a + b) / d,
 * d = L*a^2 + a*b + b^2. */
static void substitute(uint32_t q[8])
{
    uint32_t b[4] = {q[0] ^ q[2] ^ q[5] ^ q[7], q[2] ^ q[5] ^ q[6] ^ q[7], q[2], q[3] ^ q[4]};
    uint32_t a[4] = {q[1] ^ q[5] ^ q[7], q[2] ^ q[3], q[1] ^ q[4] ^ q[6] ^ q[7], q[5] ^ q[7]};
    uint32_t d[4], e[4], s[4], t[4];

    multiply16(d, a, b);
    d[0] ^= a[2] ^ a[3] ^ b[0] ^ b[2]; /* L*a^2 and b^2 are linear over GF(2) */
    d[1] ^= a[0] ^ a[1] ^ b[2];
    d[2] ^= a[1] ^ a[2] ^ b[1] ^ b[3];
    d[3] ^= a[0] ^ a[1] ^ a[2] ^ b[3];
    invert16(e, d);
    for (unsigned i = 0; i < 4; i++)
        b[i] ^= a[i];
    multiply16(s, b, e);
    multiply16(t, a, e);

    q[0] = ~(s[0] ^ s[1] ^ s[2] ^ s[3] ^ t[1] ^ t[3]); /* ~ where 0x63 has a bit */
    q[1] = ~(s[0] ^ s[1] ^ t[0]);
    q[2] = s[0] ^ s[2] ^ s[3] ^ t[1] ^ t[2] ^ t[3];
    q[3] = s[0] ^ s[1] ^ s[2] ^ s[3] ^ t[2];
    q[4] = s[0] ^ s[3] ^ t[0];
    q[5] = ~(s[1] ^ s[2] ^ t[1] ^ t[2]);
    q[6] = ~(t[0] ^ t[1] ^ t[2]);
    q[7] = s[1] ^ s[2] ^ s[3];
}

/* The inverse of the S-box's affine map: bit i is x[i+2] ^ x[i+5] ^ x[i+7] ^ 0x05[i]. */
static void affine_back(uint32_t q[8])
{
    uint32_t x[8];
    for (unsigned i = 0; i < 8; i++)
        x[i] = q[i];
    for (unsigned i = 0; i < 8; i++)
        q[i] = x[(i + 2) & 7] ^ x[(i + 5) & 7] ^ x[(i + 7) & 7];
    q[0] = ~q[0];
    q[2] = ~q[2];
}

static void substitute_back(uint32_t q[8])
{
    affine_back(q);
    substitute(q);
    affine_back(q);
}

static void shift_rows(uint32_t q[8])
{
    for (unsigned i = 0; i < 8; i++) {
        uint32_t x = q[i];
        q[i] = (x & 0x000000FFu) | (x >> 2 & 0x00003F00u) | (x << 6 & 0x0000C000u) |
               (x >> 4 & 0x000F0000u) | (x << 4 & 0x00F00000u) | (x >> 6 & 0x03000000u) |
               (x << 2 & 0xFC000000u);
    }
}

/* Row r becomes 2*(r + r1) + r1 + r2 + r3, r1 being the next row and so on. */
static void mix_columns(uint32_t q[8])
{
    uint32_t pair[8]; /* r + r1; in another row r2 + r3 */
    for (unsigned i = 0; i < 8; i++)
        pair[i] = q[i] ^ turn_right(q[i], 8);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t twice = i == 0 ? pair[7] : pair[i - 1];
        if (i == 1 || i == 3 || i == 4) /* x^8 = x^4 + x^3 + x + 1 */
            twice ^= pair[7];
        q[i] = twice ^ turn_right(q[i], 8) ^ turn_right(pair[i], 16);
    }
}

/* ShiftRows and the matrix of MixColumns have order 4: three times forward is once back. */
static void thrice(void (*step)(uint32_t q[8]), uint32_t q[8])
{
    for (unsigned n = 0; n < 3; n++)
        step(q);
}

static void add_round_key(uint32_t q[8], const uint32_t key[4])
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t even = key[i] & 0x55555555u, odd = key[i] & 0xAAAAAAAAu;
        q[2 * i] ^= even | even << 1;
        q[2 * i + 1] ^= odd | odd >> 1;
    }
}

static uint32_t load_le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void load(uint32_t q[8], const uint8_t blocks[2 * AES_BLOCK])
{
    for (unsigned i = 0; i < 8; i++)
        q[i] = load_le(blocks + AES_BLOCK * (i & 1) + 4 * (i >> 1));
    transpose(q);
}

static void store(uint8_t blocks[2 * AES_BLOCK], uint32_t q[8])
{
    transpose(q);
    for (unsigned i = 0; i < 8; i++)
        store_le(blocks + AES_BLOCK * (i & 1) + 4 * (i >> 1), q[i]);
}

static uint32_t substitute_word(uint32_t w)
{
    uint32_t q[8] = {w};
    transpose(q);
    substitute(q);
    transpose(q);
    return q[0];
}

void aes128_init(struct aes128 *aes, const uint8_t key[16])
{
    if (CRYPTO_HARDWARE && crypto_hardware()) {
        aes->hardware = 1;
        hardware_aes_init(aes, key);
    } else {
        aes128_init_planes(aes, key);
    }
}

void aes128_init_planes(struct aes128 *aes, const uint8_t key[16])
{
    uint32_t w[4]; /* the round key as little-endian columns */
    uint32_t rcon = 1;
    aes->hardware = 0;
    for (unsigned i = 0; i < 4; i++)
        w[i] = load_le(key + 4 * i);
    for (unsigned round = 0; round <= AES_ROUNDS; round++) {
        uint32_t planes[8];
        for (unsigned i = 0; i < 8; i++)
            planes[i] = w[i >> 1];
        transpose(planes);
        for (unsigned i = 0; i < 4; i++)
            aes->round_key[round][i] =
                (planes[2 * i] & 0x55555555u) | (planes[2 * i + 1] & 0xAAAAAAAAu);
        wipe(planes, sizeof planes);
        w[0] ^= substitute_word(turn_right(w[3], 8)) ^ rcon;
        for (unsigned i = 1; i < 4; i++)
            w[i] ^= w[i - 1];
        rcon = rcon << 1 ^ (rcon >> 7) * 0x11Bu;
    }
    wipe(w, sizeof w);
}

void aes128_encrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK])
{
    uint32_t q[8];
    if (CRYPTO_HARDWARE && aes->hardware) {
        hardware_aes_encrypt2(aes, blocks);
        return;
    }
    load(q, blocks);
    add_round_key(q, aes->round_key[0]);
    for (unsigned round = 1; round <= AES_ROUNDS; round++) {
        substitute(q);
        shift_rows(q);
        if (round < AES_ROUNDS)
            mix_columns(q);
        add_round_key(q, aes->round_key[round]);
    }
    store(blocks, q);
}

void aes128_decrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK])
{
    uint32_t q[8];
    load(q, blocks);
    for (unsigned round = AES_ROUNDS; round > 0; round--) {
        add_round_key(q, aes->round_key[round]);
        if (round < AES_ROUNDS)
            thrice(mix_columns, q);
        thrice(shift_rows, q);
        substitute_back(q);
    }
    add_round_key(q, aes->round_key[0]);
    store(blocks, q);
}
