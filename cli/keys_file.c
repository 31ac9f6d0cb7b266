/* Reading and creating key files. Values of keys never reach a message. */
#include "cli/keys_file.h"

#include "lib/base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

bool keys_hex(const char *text, uint8_t *out, size_t n)
{
    return strlen(text) == 2 * n && hex_decode(text, out, n);
}

/* Cuts white space at both ends, in place. */
static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        text[--n] = '\0';
    return text;
}

static const char *take_key(const char *value, uint8_t key[16], bool *has)
{
    if (*has)
        return "stands twice";
    *has = keys_hex(value, key, 16);
    return *has ? NULL : "wants 32 hex digits";
}

static const char *take_password(struct keys_file *k, const char *value)
{
    const size_t n = strlen(value);
    if (k->password[0] != '\0')
        return "stands twice";
    if (n == 0 || n > KEYS_FILE_PASSWORD_MAX)
        return "wants 1 to 64 characters";
    memcpy(k->password, value, n + 1);
    return NULL;
}

static const char *take_title(struct keys_file *k, const char *value)
{
    if (k->has_title)
        return "stands twice";
    k->has_title = keys_hex(value, k->title, DLMS_TITLE_LEN);
    return k->has_title ? NULL : "wants 16 hex digits";
}

/* NULL, or what is wrong with the pair. */
static const char *take_pair(struct keys_file *k, const char *name, const char *value)
{
    if (strcmp(name, "guek") == 0)
        return take_key(value, k->keys.guek, &k->keys.has_guek);
    if (strcmp(name, "gak") == 0)
        return take_key(value, k->keys.gak, &k->keys.has_gak);
    if (strcmp(name, "kek") == 0)
        return take_key(value, k->keys.kek, &k->keys.has_kek);
    if (strcmp(name, "password") == 0)
        return take_password(k, value);
    if (strcmp(name, "title") == 0)
        return take_title(k, value);
    return "is not a known name (guek, gak, kek, password, title)";
}

static enum err read_lines(struct keys_file *k, FILE *f, char *error, size_t error_size)
{
    char line[256];
    enum err err = ERR_OK;
    for (unsigned number = 1; !err && fgets(line, sizeof line, f) != NULL; number++) {
        char *name = trim(line);
        char *equals = strchr(name, '=');
        if (name[0] == '\0' || name[0] == '#')
            continue;
        if (equals == NULL) {
            snprintf(error, error_size, "%s:%u: no '='", k->path, number);
            err = ERR_FORMAT;
            continue;
        }
        *equals = '\0';
        name = trim(name);
        const char *wrong = take_pair(k, name, trim(equals + 1));
        if (wrong != NULL) {
            snprintf(error, error_size, "%s:%u: '%s' %s", k->path, number, name, wrong);
            err = ERR_FORMAT;
        }
    }
    wipe(line, sizeof line);
    if (!err && ferror(f)) {
        snprintf(error, error_size, "%s: %s", k->path, strerror(errno));
        err = ERR_IO;
    }
    return err;
}

static enum err set_path(struct keys_file *k, const char *path, char *error, size_t error_size)
{
    memset(k, 0, sizeof *k);
    if (strlen(path) + sizeof ".state.new" > sizeof k->path) {
        snprintf(error, error_size, "the path of the keys file is too long");
        return ERR_RANGE;
    }
    memcpy(k->path, path, strlen(path) + 1);
    return ERR_OK;
}

enum err keys_file_read(struct keys_file *k, const char *path, char *error, size_t error_size)
{
    struct stat info;
    enum err err = set_path(k, path, error, error_size);
    if (err)
        return err;
    FILE *f = fopen(path, "re");
    if (f == NULL || fstat(fileno(f), &info) != 0) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        if (f != NULL)
            fclose(f);
        return ERR_IO;
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        snprintf(k->warning, sizeof k->warning, "others may read it; chmod 600 is better");
    err = read_lines(k, f, error, error_size);
    fclose(f);
    if (err)
        wipe(&k->keys, sizeof k->keys);
    return err;
}

static void put_key(FILE *f, const char *name, const uint8_t key[16])
{
    fprintf(f, "%s = ", name);
    for (int i = 0; i < 16; i++)
        fprintf(f, "%02X", key[i]);
    fputc('\n', f);
}

static enum err draw(struct keys_file *k)
{
    /* 32 letters and digits that are hard to mix up: 5 bits a character */
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t random[68];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return ERR_RNG;
    memcpy(k->keys.guek, random, 16);
    memcpy(k->keys.gak, random + 16, 16);
    memcpy(k->keys.kek, random + 32, 16);
    k->keys.has_guek = k->keys.has_gak = k->keys.has_kek = true;
    for (int i = 0; i < 20; i++)
        k->password[i] = letters[random[48 + i] & 31];
    wipe(random, sizeof random);
    return ERR_OK;
}

enum err keys_file_create(struct keys_file *k, const char *path, char *error, size_t error_size)
{
    enum err err = set_path(k, path, error, error_size);
    if (!err)
        err = draw(k);
    if (err)
        return err;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return ERR_IO;
    }
    fprintf(f, "# Keys of one meter: keep this file to yourself.\n");
    put_key(f, "guek", k->keys.guek);
    put_key(f, "gak", k->keys.gak);
    put_key(f, "kek", k->keys.kek);
    fprintf(f, "password = %s\n", k->password);
    const bool written = fflush(f) == 0 && fsync(fd) == 0;
    if (fclose(f) != 0 || !written) {
        unlink(path); /* a file without keys would be taken for a meter without keys */
        snprintf(error, error_size, "%s: could not be written", path);
        return ERR_IO;
    }
    return ERR_OK;
}
