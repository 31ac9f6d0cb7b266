/* See store_vfs.h. */
#include "headend/store/store_vfs.h"

#include <stddef.h>
#include <stdio.h>

/* Behind the file of the layer below, in the memory SQLite gives for a file: its methods with one
 * replaced. */
struct log_file {
    sqlite3_io_methods methods; /* first: a file's methods lead here */
    const sqlite3_io_methods *under;
    struct store_vfs *vfs;
};

static int log_sync(sqlite3_file *file, int flags)
{
    const struct log_file *log = (const struct log_file *)file->pMethods;
    if (log->vfs->no_sync && (flags & 0x0F) == SQLITE_SYNC_NORMAL)
        return SQLITE_OK;
    log->vfs->synced = true; /* or it fails, and so does what asked for it */
    return log->under->xSync(file, flags);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *flags_out)
{
    struct store_vfs *v = (struct store_vfs *)vfs;
    int rc = v->under->xOpen(v->under, name, file, flags, flags_out);
    if (rc != SQLITE_OK || !(flags & SQLITE_OPEN_WAL))
        return rc;
    struct log_file *log = (struct log_file *)((char *)file + v->under->szOsFile);
    log->under = file->pMethods;
    log->methods = *file->pMethods;
    log->methods.xSync = log_sync;
    log->vfs = v;
    file->pMethods = &log->methods;
    return SQLITE_OK;
}

enum err store_vfs_init(struct store_vfs *v)
{
    v->under = sqlite3_vfs_find(NULL);
    if (!v->under || v->under->szOsFile % (int)_Alignof(struct log_file) != 0)
        return ERR_IO;
    /* The other functions stay those below: they are called with our address, and go by pAppData,
     * which is copied too. */
    v->vfs = *v->under;
    v->vfs.szOsFile = v->under->szOsFile + (int)sizeof(struct log_file);
    v->vfs.xOpen = open_file;
    v->vfs.pNext = NULL;
    snprintf(v->name, sizeof v->name, "ferraris-%p", (void *)v);
    v->vfs.zName = v->name;
    return sqlite3_vfs_register(&v->vfs, 0) == SQLITE_OK ? ERR_OK : ERR_IO;
}

void store_vfs_end(struct store_vfs *v)
{
    if (v->vfs.zName)
        sqlite3_vfs_unregister(&v->vfs);
    v->vfs.zName = NULL;
}

int store_vfs_sync_log(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc != SQLITE_OK || !log || !log->pMethods)
        return rc;
    return log->pMethods->xSync(log, SQLITE_SYNC_FULL);
}
