/* See flash.h. A new file is filled under a temporary name beside the wanted one and then linked to
 * it, because a kill in the middle of filling must not leave a file that the next start refuses. */
#include "firmware/ports/posix/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t device_size(const struct hal_flash *hal)
{
    return (size_t)hal->sector_size * hal->n_sectors;
}

static bool in_device(const struct hal_flash *hal, uint32_t addr, size_t n)
{
    return addr <= device_size(hal) && n <= device_size(hal) - addr;
}

static enum err flash_sync(const struct posix_flash *f, size_t addr, size_t n)
{
    if (!f->sync || f->held || n == 0)
        return ERR_OK;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), start = addr / page * page;
    return msync(f->octets + start, addr - start + n, MS_SYNC) == 0 ? ERR_OK : ERR_IO;
}

enum err posix_flash_hold(struct posix_flash *f, bool held)
{
    f->held = held;
    return flash_sync(f, 0, device_size(&f->hal));
}

static enum err flash_read(const struct hal_flash *hal, uint32_t addr, void *to, size_t n)
{
    const struct posix_flash *f = hal->context;
    if (!in_device(hal, addr, n))
        return ERR_RANGE;
    memcpy(to, f->octets + addr, n);
    return ERR_OK;
}

static enum err flash_program(const struct hal_flash *hal, uint32_t addr, const void *from,
                              size_t n)
{
    const struct posix_flash *f = hal->context;
    const uint8_t *in = from;
    if (!in_device(hal, addr, n))
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++)
        if (in[i] & ~f->octets[addr + i])
            return ERR_IO;
    volatile uint8_t *out = f->octets + addr; /* volatile: one octet after the other */
    for (size_t i = 0; i < n; i++)
        out[i] = in[i];
    return flash_sync(f, addr, n);
}

static enum err flash_erase(const struct hal_flash *hal, uint32_t sector)
{
    const struct posix_flash *f = hal->context;
    if (sector >= hal->n_sectors)
        return ERR_RANGE;
    size_t addr = (size_t)sector * hal->sector_size;
    memset(f->octets + addr, 0xFF, hal->sector_size);
    return flash_sync(f, addr, hal->sector_size);
}

static enum err fail(struct posix_flash *f, enum err err, const char *what, const char *path)
{
    int cause = errno;
    snprintf(f->why, sizeof f->why, "%s %.150s: %s", what, path, strerror(cause));
    return err;
}

/* Erased octets where the file's position is. */
static bool fill(int fd, size_t size)
{
    uint8_t blank[4096];
    memset(blank, 0xFF, sizeof blank);
    while (size > 0) {
        ssize_t n = write(fd, blank, size < sizeof blank ? size : sizeof blank);
        if (n < 0 && errno != EINTR)
            return false;
        size -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

/* An erased device at `path`. Another process that was faster is as good. */
static enum err flash_create(struct posix_flash *f, const char *path)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (n < 0 || (size_t)n >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail(f, ERR_IO, "cannot create flash file", path);
    }
    int fd = mkstemp(temporary);
    if (fd < 0)
        return fail(f, ERR_IO, "cannot create flash file", path);
    enum err err = ERR_OK;
    bool made = fill(fd, device_size(&f->hal)) && (link(temporary, path) == 0 || errno == EEXIST);
    if (!made)
        err = fail(f, ERR_IO, "cannot create flash file", path);
    unlink(temporary);
    close(fd);
    return err;
}

static enum err flash_lock(struct posix_flash *f, const char *path)
{
    if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno != EWOULDBLOCK)
        return fail(f, ERR_IO, "cannot lock flash file", path);
    snprintf(f->why, sizeof f->why, "flash file %.150s is in use by another meter or tool", path);
    return ERR_BUSY;
}

/* Whether the file holds nothing but erased octets from `at` on. */
static bool blank_from(int fd, off_t at)
{
    uint8_t octets[4096];
    for (ssize_t n; (n = pread(fd, octets, sizeof octets, at)) != 0; at += n) {
        if (n < 0)
            return false;
        for (ssize_t i = 0; i < n; i++)
            if (octets[i] != 0xFF)
                return false;
    }
    return true;
}

/* A kill in the middle leaves a file that is longer than the device before, all of it blank there:
 * the next start goes on. */
static enum err flash_enlarge(struct posix_flash *f, const char *path, size_t before)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return fail(f, ERR_IO, "cannot examine flash file", path);
    const size_t size = device_size(&f->hal), have = (size_t)st.st_size;
    if (before == 0 || have < before || have >= size || !blank_from(f->fd, (off_t)before))
        return ERR_OK; /* flash_map() tells what is wrong */
    if (lseek(f->fd, 0, SEEK_END) < 0 || !fill(f->fd, size - have))
        return fail(f, ERR_IO, "cannot enlarge flash file", path);
    return ERR_OK;
}

static enum err flash_map(struct posix_flash *f, const char *path)
{
    size_t size = device_size(&f->hal);
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return fail(f, ERR_IO, "cannot examine flash file", path);
    if ((uintmax_t)st.st_size != size) {
        snprintf(f->why, sizeof f->why,
                 "flash file %.120s has %jd octets instead of %zu (cut short, or made for another "
                 "flash)",
                 path, (intmax_t)st.st_size, size);
        return ERR_CORRUPT;
    }
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (at == MAP_FAILED)
        return fail(f, ERR_IO, "cannot map flash file", path);
    f->octets = at;
    return ERR_OK;
}

static bool geometry_usable(const struct posix_flash_options *o)
{
    return o->sector_size >= 256 && o->sector_size <= 65536 &&
           (o->sector_size & (o->sector_size - 1)) == 0 && o->n_sectors >= 4 &&
           o->n_sectors <= 65535;
}

enum err posix_flash_open(struct posix_flash *f, const char *path,
                          const struct posix_flash_options *options)
{
    *f = (struct posix_flash){.fd = -1, .sync = options->sync};
    if (!geometry_usable(options)) {
        snprintf(f->why, sizeof f->why, "impossible flash geometry: %u sectors of %u octets",
                 options->n_sectors, options->sector_size);
        return ERR_RANGE;
    }
    f->hal = (struct hal_flash){.context = f,
                                .sector_size = options->sector_size,
                                .n_sectors = options->n_sectors,
                                .read = flash_read,
                                .program = flash_program,
                                .erase = flash_erase};
    enum err err = ERR_OK;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        err = flash_create(f, path);
    if (err)
        return err;
    f->fd = open(path, O_RDWR | O_CLOEXEC);
    if (f->fd < 0)
        return fail(f, ERR_IO, "cannot open flash file", path);
    err = flash_lock(f, path);
    if (!err)
        err = flash_enlarge(f, path, (size_t)options->n_sectors_before * options->sector_size);
    if (!err)
        err = flash_map(f, path);
    if (err)
        close(f->fd);
    return err;
}

void posix_flash_close(struct posix_flash *f)
{
    munmap(f->octets, device_size(&f->hal));
    close(f->fd); /* drops the lock */
    f->octets = NULL;
    f->fd = -1;
}
