/* See meter_secret.h. The field of the row:
 *
 *     tag (16 octets, random) || sealed: version 01h, what is there (1), guek, gak, kek (16 each),
 *                                        length of the password (1), password (64, zero-filled)
 *
 * The length is always the same, so that the database does not tell how long a password is. */
#include "headend/keys/meter_secret.h"
#include "headend/keys/entropy.h"
#include "lib/base/hex.h"

#include <string.h>

#define TAG_OCTETS 16
#define VERSION    1
#define PLAIN      (1 + 1 + 3 * 16 + 1 + METER_SECRET_PASSWORD_MAX)
#define FIELD      (TAG_OCTETS + SEAL_OVERHEAD + PLAIN)
_Static_assert(FIELD <= STORE_SECRET_MAX, "the sealed secret fits its field");

enum { HAS_GUEK = 1, HAS_GAK = 2, HAS_KEK = 4 };

static void place_of(const uint8_t tag[TAG_OCTETS], char place[64])
{
    static const char meter[] = "meter ";
    const size_t n = sizeof meter - 1;
    memcpy(place, meter, n);
    hex_encode(tag, TAG_OCTETS, place + n);
    place[n + 2 * TAG_OCTETS] = '\0';
}

static bool is_empty(const struct meter_secret *s)
{
    return !s->keys.has_guek && !s->keys.has_gak && !s->keys.has_kek && s->password[0] == '\0';
}

static void encode(const struct meter_secret *s, uint8_t plain[PLAIN])
{
    static const uint8_t none[METER_SECRET_PASSWORD_MAX];
    const size_t n = strlen(s->password);
    struct wr w = wr_of(plain, PLAIN);
    wr_u8(&w, VERSION);
    wr_u8(&w, (uint8_t)((s->keys.has_guek ? HAS_GUEK : 0) | (s->keys.has_gak ? HAS_GAK : 0) |
                        (s->keys.has_kek ? HAS_KEK : 0)));
    wr_bytes(&w, s->keys.has_guek ? s->keys.guek : none, 16);
    wr_bytes(&w, s->keys.has_gak ? s->keys.gak : none, 16);
    wr_bytes(&w, s->keys.has_kek ? s->keys.kek : none, 16);
    wr_u8(&w, (uint8_t)n);
    wr_bytes(&w, s->password, n);
    wr_bytes(&w, none, METER_SECRET_PASSWORD_MAX - n);
}

static enum err decode(const uint8_t plain[PLAIN], struct meter_secret *s)
{
    struct rd r = rd_of(plain, PLAIN);
    const uint8_t version = rd_u8(&r), has = rd_u8(&r);
    rd_copy(&r, s->keys.guek, 16);
    rd_copy(&r, s->keys.gak, 16);
    rd_copy(&r, s->keys.kek, 16);
    const uint8_t n = rd_u8(&r);
    if (version != VERSION || n > METER_SECRET_PASSWORD_MAX)
        return ERR_FORMAT;
    rd_copy(&r, s->password, n);
    s->keys.has_guek = has & HAS_GUEK;
    s->keys.has_gak = has & HAS_GAK;
    s->keys.has_kek = has & HAS_KEK;
    return r.err;
}

enum err meter_secret_put(const struct seal_key *key, struct store_meter *m,
                          const struct meter_secret *secret)
{
    uint8_t plain[PLAIN];
    char place[64];
    size_t len = 0;
    memset(m->secret, 0, sizeof m->secret);
    m->secret_len = 0;
    if (is_empty(secret))
        return ERR_OK;
    if (strnlen(secret->password, sizeof secret->password) > METER_SECRET_PASSWORD_MAX)
        return ERR_FULL;
    if (entropy_fill(m->secret, TAG_OCTETS))
        return ERR_RNG;
    place_of(m->secret, place);
    encode(secret, plain);
    const enum err err = seal_close(key, place, (struct bytes){plain, sizeof plain},
                                    m->secret + TAG_OCTETS, sizeof m->secret - TAG_OCTETS, &len);
    wipe(plain, sizeof plain);
    if (!err)
        m->secret_len = (uint8_t)(TAG_OCTETS + len);
    return err;
}

enum err meter_secret_get(const struct seal_key *key, const struct store_meter *m,
                          struct meter_secret *secret)
{
    uint8_t plain[PLAIN];
    char place[64];
    size_t len = 0;
    memset(secret, 0, sizeof *secret);
    if (m->secret_len == 0)
        return ERR_OK;
    if (m->secret_len != FIELD)
        return ERR_FORMAT;
    place_of(m->secret, place);
    const struct bytes sealed = {m->secret + TAG_OCTETS, FIELD - TAG_OCTETS};
    enum err err = seal_open(key, place, sealed, plain, sizeof plain, &len);
    if (!err)
        err = decode(plain, secret);
    wipe(plain, sizeof plain);
    if (err)
        wipe(secret, sizeof *secret);
    return err;
}
