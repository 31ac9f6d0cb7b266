#include "tests/headend/store/fault_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_IMAGES 8

struct change { /* a write not synced */
    sqlite3_int64 at;
    size_t len;
    struct change *next;
    uint8_t octets[];
};
struct image {
    char path[256];
    uint8_t *p; /* synced */
    size_t len;
    struct change *first, **last;
};
struct fault_file {
    sqlite3_file file;
    sqlite3_file *real;
    struct image *image; /* NULL for what a power cut takes wholly */
};

struct fault fault;
static sqlite3_vfs *real_vfs, vfs;
static struct image images[N_IMAGES];

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct fault_file *)f)->real;
}

static bool fails(void)
{
    if (fault.plain)
        return false;
    fault.n_ops++;
    bool now = fault.fail_at > 0 &&
               (fault.n_ops == fault.fail_at || (fault.stuck && fault.n_ops > fault.fail_at));
    fault.hit = fault.hit || now;
    return now;
}

/* ---- images ---- */

static void overlay(struct image *im, const struct change *c)
{
    size_t end = (size_t)c->at + c->len;
    if (end > im->len) {
        im->p = realloc(im->p, end);
        if (!im->p)
            abort();
        memset(im->p + im->len, 0, end - im->len);
        im->len = end;
    }
    memcpy(im->p + c->at, c->octets, c->len);
}

static void drop_changes(struct image *im)
{
    for (struct change *c = im->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    im->first = NULL;
    im->last = &im->first;
}

static void note_write(struct image *im, const void *p, int len, sqlite3_int64 at)
{
    struct change *c = malloc(sizeof *c + (size_t)len);
    if (!c)
        abort();
    *c = (struct change){.at = at, .len = (size_t)len};
    memcpy(c->octets, p, (size_t)len);
    *im->last = c;
    im->last = &c->next;
}

static void note_sync(struct image *im)
{
    for (struct change *c = im->first; c; c = c->next)
        overlay(im, c);
    drop_changes(im);
}

static void read_in(struct image *im)
{
    FILE *f = fopen(im->path, "rb");
    if (!f)
        return;
    fseek(f, 0, SEEK_END);
    im->len = (size_t)ftell(f);
    rewind(f);
    im->p = malloc(im->len + 1);
    if (!im->p || fread(im->p, 1, im->len, f) != im->len)
        abort();
    fclose(f);
}

static struct image *image_of(const char *path)
{
    struct image *free_one = NULL;
    for (unsigned i = 0; i < N_IMAGES; i++) {
        if (strcmp(images[i].path, path) == 0)
            return &images[i];
        if (!free_one && images[i].path[0] == 0)
            free_one = &images[i];
    }
    if (!free_one)
        abort();
    snprintf(free_one->path, sizeof free_one->path, "%s", path);
    free_one->last = &free_one->first;
    read_in(free_one);
    return free_one;
}

void fault_reset(void)
{
    for (unsigned i = 0; i < N_IMAGES; i++) {
        drop_changes(&images[i]);
        free(images[i].p);
        images[i] = (struct image){.last = &images[i].first};
    }
    fault = (struct fault){0};
}

void fault_image(const char *from, const char *to, const char *name, enum fault_cut cut,
                 uint32_t seed)
{
    char path[300];
    struct image copy = {0};
    snprintf(path, sizeof path, "%s/%s", from, name);
    const struct image *im = image_of(path);
    copy.len = im->len;
    copy.p = malloc(im->len + 1);
    if (!copy.p)
        abort();
    if (im->len)
        memcpy(copy.p, im->p, im->len);
    for (struct change *c = im->first; c; c = c->next) {
        seed = seed * 1664525 + 1013904223;
        if (cut == CUT_WRITTEN || (cut == CUT_MIXED && seed >> 31))
            overlay(&copy, c);
    }
    snprintf(path, sizeof path, "%s/%s", to, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(copy.p, 1, copy.len, f) != copy.len)
        abort();
    fclose(f);
    free(copy.p);
}

/* ---- files ---- */

static int f_close(sqlite3_file *f)
{
    struct fault_file *ff = (struct fault_file *)f;
    int rc = ff->real->pMethods->xClose(ff->real);
    free(ff->real);
    return rc;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static bool beyond_quota(const struct image *im, sqlite3_int64 end)
{
    if (fault.quota == 0 || !im)
        return false;
    int64_t all = 0;
    for (unsigned i = 0; i < N_IMAGES; i++) {
        int64_t len = (int64_t)images[i].len;
        for (struct change *c = images[i].first; c; c = c->next)
            len = c->at + (int64_t)c->len > len ? c->at + (int64_t)c->len : len;
        all += &images[i] == im && end > len ? end : len;
    }
    return all > fault.quota;
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct fault_file *ff = (struct fault_file *)f;
    bool failing = fails();
    int code = fault.code;
    if (!failing && beyond_quota(ff->image, at + n)) {
        failing = fault.hit = true;
        code = SQLITE_FULL;
    }
    int len = failing ? n / 2 : n;
    if (len > 0 && ff->image)
        note_write(ff->image, p, len, at);
    int rc = len > 0 ? ff->real->pMethods->xWrite(ff->real, p, len, at) : SQLITE_OK;
    return failing ? code : rc;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    struct fault_file *ff = (struct fault_file *)f;
    if (fails())
        return fault.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_TRUNCATE;
    if (ff->image) { /* as if the file system wrote it down at once */
        note_sync(ff->image);
        ff->image->len = (size_t)size < ff->image->len ? (size_t)size : ff->image->len;
    }
    return ff->real->pMethods->xTruncate(ff->real, size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    struct fault_file *ff = (struct fault_file *)f;
    (void)flags;
    if (fails())
        return fault.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
    if (!ff->image)
        return SQLITE_OK;
    note_sync(ff->image);
    fault.n_syncs_of_log += strstr(ff->image->path, "-wal") != NULL;
    return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int f_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int f_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int f_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int f_control(sqlite3_file *f, int op, void *p)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, p);
}
static int f_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int f_device(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
    if (extend && fails())
        return fault.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_SHMSIZE;
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, p);
}
static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}
static void f_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
    2,          f_close,       f_read,      f_write,   f_truncate, f_sync,   f_size,
    f_lock,     f_unlock,      f_reserved,  f_control, f_sector,   f_device, f_shm_map,
    f_shm_lock, f_shm_barrier, f_shm_unmap, NULL,      NULL};

static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)v;
    struct fault_file *ff = (struct fault_file *)file;
    *ff = (struct fault_file){.real = calloc(1, (size_t)real_vfs->szOsFile)};
    if (!ff->real)
        return SQLITE_NOMEM;
    if (name && !fault.plain &&
        (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)))
        ff->image = image_of(name);
    int rc = real_vfs->xOpen(real_vfs, name, ff->real, flags, out);
    if (rc == SQLITE_OK)
        file->pMethods = &methods;
    else
        free(ff->real);
    return rc;
}

/* A file that is gone leaves nothing after a power cut either: SQLite deletes what it needs no
 * more.
 */
static int delete_file(sqlite3_vfs *v, const char *name, int sync)
{
    (void)v, (void)sync;
    struct image *im = fault.plain ? NULL : image_of(name);
    if (im) {
        drop_changes(im);
        im->len = 0;
    }
    return real_vfs->xDelete(real_vfs, name, 0);
}

void fault_install(void)
{
    fault_reset();
    real_vfs = sqlite3_vfs_find("unix");
    vfs = *real_vfs;
    vfs.szOsFile = sizeof(struct fault_file);
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.zName = "fault";
    vfs.pNext = NULL;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}
