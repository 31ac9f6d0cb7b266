/* Says of each commit whether the disk is waited for.
 *
 * SQLite fixes that for a connection (PRAGMA synchronous) and takes no change inside a transaction,
 * yet only whoever commits knows whether the rows can be read again. So SQLite is told to sync
 * always, and this layer between it and the file system leaves the sync of the write-ahead log out
 * of commits that are not durable: what is left is exactly synchronous=NORMAL, whose syncs around
 * checkpoints and of the log's head stay. A durable commit whose sync fails is rolled back by
 * SQLite itself. With checkpoint_fullfsync=ON the two kinds of sync differ in their flags, and by
 * these they are told apart.
 *
 * Everything else goes to the file system below untouched. */
#ifndef FERRARIS_HEADEND_STORE_VFS_H
#define FERRARIS_HEADEND_STORE_VFS_H

#include "lib/base/err.h"

#include <sqlite3.h>
#include <stdbool.h>

struct store_vfs {
    sqlite3_vfs vfs; /* first: SQLite hands its address back */
    sqlite3_vfs *under;
    char name[40];
    bool no_sync; /* the commit under way is not durable */
    bool synced;  /* set by a sync of the log that was let through */
};

/* Registers a file system of its own for one connection, above the default one. ERR_IO. */
MUST_CHECK enum err store_vfs_init(struct store_vfs *v);
/* After the connection is closed; also when never initialised (zero). */
void store_vfs_end(struct store_vfs *v);
/* Syncs the log of an open connection; nothing to do when there is none. SQLite's code. */
MUST_CHECK int store_vfs_sync_log(sqlite3 *db);

#endif
