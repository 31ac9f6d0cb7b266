/* FILE.state: the client's title and its invocation counter, reserved in blocks under a lock.
 *
 * The file is replaced by rename after fsync, so a crash leaves the old or the new one; a counter
 * is used only after the limit above it is durable. The lock is taken on the keys file itself,
 * which is never replaced. */
#include "cli/keys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

struct state {
    uint8_t title[DLMS_TITLE_LEN];
    bool has_title;
    uint32_t limit; /* counters below it count as used */
    bool has_limit;
};

static enum err read_state(const char *path, struct state *s)
{
    char name[16], value[32];
    enum err err = ERR_OK;
    memset(s, 0, sizeof *s);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT ? ERR_OK : ERR_IO;
    while (!err && fscanf(f, "%15s = %31s", name, value) == 2) {
        unsigned long n;
        if (strcmp(name, "title") == 0 && keys_hex(value, s->title, DLMS_TITLE_LEN)) {
            s->has_title = true;
        } else if (strcmp(name, "counter") == 0 && sscanf(value, "%lu", &n) == 1 &&
                   n <= UINT32_MAX) {
            s->limit = (uint32_t)n;
            s->has_limit = true;
        } else {
            err = ERR_FORMAT;
        }
    }
    fclose(f);
    return err;
}

static enum err write_state(const char *path, const struct state *s)
{
    char fresh[520];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_IO;
    char text[80];
    int n = snprintf(text, sizeof text, "title = ");
    for (size_t i = 0; i < DLMS_TITLE_LEN; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%02X", s->title[i]);
    n += snprintf(text + n, sizeof text - (size_t)n, "\n");
    if (s->has_limit)
        n += snprintf(text + n, sizeof text - (size_t)n, "counter = %u\n", s->limit);
    const bool written = write(fd, text, (size_t)n) == n && fsync(fd) == 0;
    if (close(fd) != 0 || !written || rename(fresh, path) != 0)
        return ERR_IO;
    return ERR_OK;
}

static void state_path(const struct keys_file *k, char out[512])
{
    snprintf(out, 512, "%.*s.state", 500, k->path);
}

/* The open keys file with the lock held, or -1. close() lets go. */
static int lock_keys(const struct keys_file *k)
{
    const int fd = open(k->path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The block is taken above what any process has reserved, never below our own wish. */
static enum err reserve(void *context, uint32_t limit)
{
    struct keys_state *s = context;
    struct state now;
    char path[512];
    state_path(s->file, path);
    const int lock = lock_keys(s->file);
    if (lock < 0)
        return ERR_IO;
    enum err err = read_state(path, &now);
    if (!err && now.has_limit && now.limit > s->counter.next) {
        /* another process went on: our block moves above its own */
        const uint32_t n = limit - s->counter.next;
        if (now.limit > UINT32_MAX - n)
            err = ERR_COUNTER;
        else
            limit = now.limit + n;
        s->counter.next = now.limit;
    }
    memcpy(now.title, s->title, sizeof now.title);
    now.limit = limit;
    now.has_limit = true;
    if (!err)
        err = write_state(path, &now);
    close(lock);
    return err;
}

enum err keys_state_open(struct keys_state *s, const struct keys_file *k, char *error,
                         size_t error_size)
{
    struct state now;
    char path[512];
    memset(s, 0, sizeof *s);
    s->file = k;
    state_path(k, path);
    const int lock = lock_keys(k);
    enum err err = lock < 0 ? ERR_IO : read_state(path, &now);
    if (!err && !now.has_title) {
        static const uint8_t flag[3] = {'F', 'R', 'R'};
        memcpy(now.title, flag, sizeof flag);
        if (getrandom(now.title + 3, DLMS_TITLE_LEN - 3, 0) != DLMS_TITLE_LEN - 3)
            err = ERR_RNG;
        if (!err)
            err = write_state(path, &now);
    }
    if (lock >= 0)
        close(lock);
    if (err) {
        snprintf(error, error_size, "%s: %s", path, err_text(err));
        return err;
    }
    memcpy(s->title, k->has_title ? k->title : now.title, DLMS_TITLE_LEN);
    s->known = now.has_limit;
    s->store = (struct dlms_counter_store){.context = s, .reserve = reserve};
    s->counter = (struct dlms_counter){.next = now.limit, .limit = now.limit, .store = &s->store};
    return ERR_OK;
}

void keys_state_raise(struct keys_state *s, uint32_t used)
{
    if (used >= s->counter.next && used < UINT32_MAX)
        s->counter.next = s->counter.limit = used + 1;
}
