/* See seal.h. A sealed secret is
 *
 *     version (1 octet, 01h) || nonce (12, random) || ciphertext || tag (16)
 *
 * with version and place as additional data. Random nonces of 96 bits are good for 2^32 secrets
 * under one key (NIST SP 800-38D 8.3); a head-end seals one per change of a meter.
 *
 * The key file comes into being by link(2) from a finished, synced temporary file: two first starts
 * at once agree on one key, and a power cut leaves none or a whole one. */
#define ERR_STATE openssl_err_state /* OpenSSL has a type of the name of one of our errors */
#include <openssl/evp.h>
#undef ERR_STATE

#include "headend/keys/entropy.h"
#include "headend/keys/seal.h"
#include "lib/base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEAL_VERSION 1
#define NONCE        12
#define TAG          16
#define KEY_TEXT     (2 * sizeof(struct seal_key) + 1) /* hex and a line feed */

struct place { /* where the key lies, and where the sentence goes */
    int dir;
    const char *name;
    char *why;
    size_t why_size;
};

static enum err say(const struct place *at, enum err err, const char *what)
{
    snprintf(at->why, at->why_size, "%s/master.key: %s", at->name, what);
    return err;
}

static enum err say_errno(const struct place *at)
{
    const int n = errno;
    const enum err err = n == ENOSPC || n == EDQUOT ? ERR_FULL : ERR_IO;
    return say(at, err, n == ELOOP ? "is a symbolic link, which is refused" : strerror(n));
}

/* ---- making it ---- */

/* Writes and syncs; false with errno set. */
static bool write_whole(int fd, const char *text, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t put = write(fd, text + done, n - done);
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? (size_t)put : 0;
    }
    return fsync(fd) == 0;
}

static enum err make_temporary(const struct place *at, const char *name)
{
    uint8_t octets[sizeof(struct seal_key)];
    char text[KEY_TEXT];
    if (entropy_fill(octets, sizeof octets))
        return say(at, ERR_RNG, "no randomness available");
    hex_encode(octets, sizeof octets, text);
    text[KEY_TEXT - 1] = '\n';
    const int fd = openat(at->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          S_IRUSR | S_IWUSR);
    enum err err = fd >= 0 && write_whole(fd, text, sizeof text) ? ERR_OK : say_errno(at);
    if (fd >= 0 && close(fd) != 0 && !err)
        err = say_errno(at);
    wipe(octets, sizeof octets);
    wipe(text, sizeof text);
    return err;
}

/* A key that somebody else made meanwhile is as good: it is read next. */
static enum err make_key(const struct place *at)
{
    char name[48];
    uint64_t random;
    if (entropy_fill(&random, sizeof random))
        return say(at, ERR_RNG, "no randomness available");
    snprintf(name, sizeof name, "master.key.%016llx", (unsigned long long)random);
    enum err err = make_temporary(at, name);
    if (!err && linkat(at->dir, name, at->dir, "master.key", 0) != 0 && errno != EEXIST)
        err = say_errno(at);
    unlinkat(at->dir, name, 0);
    if (!err && fsync(at->dir) != 0)
        err = say_errno(at);
    return err;
}

/* ---- reading it ---- */

static enum err judge_file(const struct place *at, int fd)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return say_errno(at);
    if (!S_ISREG(s.st_mode))
        return say(at, ERR_FORMAT, "is not a plain file");
    if (s.st_uid != geteuid())
        return say(at, ERR_ACCESS,
                   "belongs to another user: chown it to the one who runs the head-end");
    if ((s.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return say(at, ERR_ACCESS,
                   "others may read or write it: do chmod 600, and think who may have read it");
    return ERR_OK;
}

static enum err read_key(const struct place *at, int fd, struct seal_key *key)
{
    char text[KEY_TEXT + 1];
    const enum err err = judge_file(at, fd);
    if (err)
        return err;
    size_t len = 0;
    for (ssize_t n = 1; n != 0 && len < sizeof text;) {
        n = read(fd, text + len, sizeof text - len);
        if (n < 0 && errno != EINTR)
            return say_errno(at);
        len += n > 0 ? (size_t)n : 0;
    }
    const bool whole = len == KEY_TEXT - 1 || (len == KEY_TEXT && text[len - 1] == '\n');
    const bool good = whole && hex_decode(text, key->octets, sizeof key->octets);
    wipe(text, sizeof text);
    return good ? ERR_OK
                : say(at, ERR_FORMAT, "is not a key of 64 hex digits: put it back from its backup");
}

static enum err open_in(const struct place *at, struct seal_key *key)
{
    int fd = openat(at->dir, "master.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        const enum err err = make_key(at);
        if (err)
            return err;
        fd = openat(at->dir, "master.key", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return say_errno(at);
    const enum err err = read_key(at, fd, key);
    close(fd);
    if (err)
        seal_key_wipe(key);
    return err;
}

enum err seal_key_open(struct seal_key *key, const char *dir, char *why, size_t why_size)
{
    struct place at = {.name = dir, .why = why, .why_size = why_size};
    at.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at.dir < 0) {
        snprintf(why, why_size, "%s: %s", dir, strerror(errno));
        return ERR_IO;
    }
    const enum err err = open_in(&at, key);
    close(at.dir);
    return err;
}

void seal_key_wipe(struct seal_key *key)
{
    wipe(key, sizeof *key);
}

/* ---- sealing ---- */

static bool set_aad(EVP_CIPHER_CTX *c, const uint8_t *version, const char *place)
{
    int n;
    return EVP_CipherUpdate(c, NULL, &n, version, 1) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)place, (int)strlen(place)) == 1;
}

static bool encrypt(EVP_CIPHER_CTX *c, const struct seal_key *key, const char *place,
                    struct bytes plain, uint8_t *to)
{
    int n, rest;
    uint8_t *body = to + 1 + NONCE;
    return EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->octets, to + 1) == 1 &&
           set_aad(c, to, place) && EVP_EncryptUpdate(c, body, &n, plain.p, (int)plain.len) == 1 &&
           EVP_EncryptFinal_ex(c, body + n, &rest) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, body + plain.len) == 1;
}

static bool decrypt(EVP_CIPHER_CTX *c, const struct seal_key *key, const char *place,
                    struct bytes sealed, uint8_t *to)
{
    int n, rest;
    const size_t len = sealed.len - SEAL_OVERHEAD;
    const uint8_t *body = sealed.p + 1 + NONCE;
    uint8_t tag[TAG];
    memcpy(tag, body + len, TAG);
    return EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->octets, sealed.p + 1) == 1 &&
           set_aad(c, sealed.p, place) && EVP_DecryptUpdate(c, to, &n, body, (int)len) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
           EVP_DecryptFinal_ex(c, to + n, &rest) == 1;
}

enum err seal_close(const struct seal_key *key, const char *place, struct bytes plain, uint8_t *to,
                    size_t size, size_t *len)
{
    if (plain.len > INT32_MAX - SEAL_OVERHEAD || size < plain.len + SEAL_OVERHEAD)
        return ERR_FULL;
    to[0] = SEAL_VERSION;
    if (entropy_fill(to + 1, NONCE))
        return ERR_RNG;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const bool good = c != NULL && encrypt(c, key, place, plain, to);
    EVP_CIPHER_CTX_free(c);
    if (!good) {
        wipe(to, plain.len + SEAL_OVERHEAD);
        return ERR_MEMORY;
    }
    *len = plain.len + SEAL_OVERHEAD;
    return ERR_OK;
}

enum err seal_open(const struct seal_key *key, const char *place, struct bytes sealed, uint8_t *to,
                   size_t size, size_t *len)
{
    if (sealed.len < SEAL_OVERHEAD || sealed.len > INT32_MAX)
        return ERR_FORMAT;
    if (sealed.p[0] != SEAL_VERSION)
        return ERR_VERSION;
    if (size < sealed.len - SEAL_OVERHEAD)
        return ERR_FULL;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const bool good = c != NULL && decrypt(c, key, place, sealed, to);
    EVP_CIPHER_CTX_free(c);
    if (!good) {
        wipe(to, sealed.len - SEAL_OVERHEAD);
        return c != NULL ? ERR_TAG : ERR_MEMORY;
    }
    *len = sealed.len - SEAL_OVERHEAD;
    return ERR_OK;
}
