/* See sign_in.h. Three facts keep a flood from opening a way around the waits:
 *
 * 1. An entry is given up only when it would count for nothing anyway (is_old).
 * 2. When none can be given up, a new name or address shares the entry that its hash falls on: its
 *    failures count there and it waits as that one does. Guessing is never uncounted.
 * 3. The hash has a secret, so nobody can aim at an entry; an IPv6 address counts as its /64,
 *    since one customer has 2^64 of them. */
#include "headend/keys/sign_in.h"
#include "lib/base/cursor.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FREE_FAILURES 3
#define TEXT_MAX      256

static uint64_t hash(const struct sign_in *s, char kind, const void *p, size_t n)
{
    uint8_t text[sizeof s->secret + 1 + TEXT_MAX], digest[SHA256_DIGEST_LENGTH];
    struct wr w = wr_of(text, sizeof text);
    wr_u64(&w, s->secret);
    wr_u8(&w, (uint8_t)kind);
    wr_bytes(&w, p, n);
    SHA256(text, w.len, digest);
    wipe(text, sizeof text);
    struct rd r = rd_of(digest, sizeof digest);
    const uint64_t key = rd_u64(&r);
    return key != 0 ? key : 1;
}

static uint64_t user_key(const struct sign_in *s, const char *user)
{
    return hash(s, 'u', user, strnlen(user, TEXT_MAX));
}

static uint64_t address_key(const struct sign_in *s, const char *address)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF}; /* ::ffff:192.0.2.1 */
    uint8_t octets[16];
    if (inet_pton(AF_INET, address, octets) == 1)
        return hash(s, '4', octets, 4);
    if (inet_pton(AF_INET6, address, octets) != 1)
        return hash(s, 'a', address, strnlen(address, TEXT_MAX));
    if (memcmp(octets, mapped, sizeof mapped) == 0)
        return hash(s, '4', octets + sizeof mapped, 4);
    return hash(s, '6', octets, 8);
}

/* Free, or quiet for so long that its failures are forgotten. */
static bool is_old(const struct sign_in_entry *e, uint64_t now_ms)
{
    return e->key == 0 || (e->until_ms <= now_ms && now_ms - e->until_ms >= SIGN_IN_FORGET_MS);
}

/* The entry of this key; where it has none: the one it would take or share. */
static size_t place(const struct sign_in *s, uint64_t key, uint64_t now_ms)
{
    size_t at = key % SIGN_IN_ENTRIES;
    for (size_t i = 0; i < SIGN_IN_ENTRIES; i++) {
        if (s->entry[i].key == key)
            return i;
        if (is_old(&s->entry[i], now_ms))
            at = i;
    }
    return at;
}

static uint64_t left_ms(const struct sign_in *s, uint64_t key, uint64_t now_ms)
{
    const struct sign_in_entry *e = &s->entry[place(s, key, now_ms)];
    return e->until_ms > now_ms ? e->until_ms - now_ms : 0;
}

static uint64_t delay_ms(uint32_t n_failed)
{
    if (n_failed < FREE_FAILURES)
        return 0;
    const uint32_t doubled = n_failed - FREE_FAILURES;
    const uint64_t ms = doubled < 20 ? UINT64_C(1000) << doubled : SIGN_IN_WAIT_MAX_MS;
    return ms < SIGN_IN_WAIT_MAX_MS ? ms : SIGN_IN_WAIT_MAX_MS;
}

static void count(struct sign_in *s, uint64_t key, uint64_t now_ms)
{
    struct sign_in_entry *e = &s->entry[place(s, key, now_ms)];
    if (is_old(e, now_ms))
        *e = (struct sign_in_entry){.key = key};
    if (e->n_failed < UINT32_MAX)
        e->n_failed++;
    e->until_ms = now_ms + delay_ms(e->n_failed); /* never nearer than before: both only grow */
}

void sign_in_init(struct sign_in *s, uint64_t secret)
{
    memset(s, 0, sizeof *s);
    s->secret = secret;
}

uint64_t sign_in_wait_ms(const struct sign_in *s, const char *user, const char *address,
                         uint64_t now_ms)
{
    const uint64_t a = left_ms(s, user_key(s, user), now_ms);
    const uint64_t b = left_ms(s, address_key(s, address), now_ms);
    return a > b ? a : b;
}

void sign_in_failed(struct sign_in *s, const char *user, const char *address, uint64_t now_ms)
{
    count(s, user_key(s, user), now_ms);
    count(s, address_key(s, address), now_ms);
}

void sign_in_succeeded(struct sign_in *s, const char *user, const char *address)
{
    (void)address; /* whose owner may know one password and guess others */
    const uint64_t key = user_key(s, user);
    for (size_t i = 0; i < SIGN_IN_ENTRIES; i++)
        if (s->entry[i].key == key)
            s->entry[i] = (struct sign_in_entry){0};
}
