/* Opening, the lock, and transactions.
 *
 *          store_begin              store_commit(durable)
 *   idle ───────────────► begun ───────────────────────────► idle
 *                           │ a call fails for good (disk, memory, damage): SQLite's transaction
 *                           ▼ is rolled back at once
 *                         doomed ── every call gives that error ── commit or rollback ──► idle
 *
 * In idle every call is a transaction of its own. In begun a writing call is a savepoint: one that
 * is refused leaves nothing behind and the rest goes on. In doomed nothing is written, above all
 * not as transactions of their own. The lock is held in begun and doomed. */
#include "headend/store/store_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
/* The log is folded into the file at about 4 MB and not left larger: a disk of 16 MB will do. */
#define SETTINGS                                                                                   \
    "PRAGMA foreign_keys=ON;"                                                                      \
    "PRAGMA synchronous=FULL;"        /* commits that need not wait: store_vfs.h */                \
    "PRAGMA checkpoint_fullfsync=ON;" /* for store_vfs.h */                                        \
    "PRAGMA wal_autocheckpoint=1000;"                                                              \
    "PRAGMA journal_size_limit=4194304;"                                                           \
    "PRAGMA temp_store=MEMORY;"                                                                    \
    "PRAGMA trusted_schema=OFF;"                                                                   \
    "PRAGMA cache_size=-8000;"

/* Around every call from outside. */
static void lock(struct store *s)
{
    pthread_mutex_lock(&s->lock);
}

static void unlock(struct store *s)
{
    pthread_mutex_unlock(&s->lock);
}

const char *store_why(const struct store *s)
{
    return s->why;
}

enum err store_exec(struct store *s, const char *sql)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : store_fault(s, rc);
}

enum err store_number(struct store *s, const char *sql, int64_t *n)
{
    struct ask a = ask_text_of(s, sql);
    if (ask_first(&a, "setting") == ERR_OK)
        *n = ask_get_int(&a);
    return ask_end(&a);
}

/* ---- transactions ---- */

static enum err run(struct store *s, enum store_sql which)
{
    struct ask a = ask_of(s, which);
    return ask_run(&a);
}

/* Without a word about why: the error before it has said it. */
static void roll_back(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static enum err sync_log(struct store *s)
{
    int rc = store_vfs_sync_log(s->db);
    if (rc == SQLITE_OK)
        return ERR_OK;
    return store_fail(s, rc == SQLITE_FULL ? ERR_FULL : ERR_IO, "%s in %s could not be synced",
                      STORE_FILE, s->dir);
}

/* A transaction that wrote nothing is not synced by SQLite, but those before it may be waiting: the
 * last part of a backlog can be one that was there already. */
static enum err commit(struct store *s, bool durable)
{
    s->vfs.no_sync = !durable;
    s->vfs.synced = false;
    enum err err = run(s, SQL_COMMIT);
    s->vfs.no_sync = false;
    if (err != ERR_OK)
        roll_back(s);
    else if (durable && !s->vfs.synced && !s->read_only)
        err = sync_log(s);
    return err;
}

enum err store_write_begin(struct store *s)
{
    lock(s);
    enum err err = s->doomed;
    if (err == ERR_OK)
        err = run(s, s->begun ? SQL_SAVEPOINT : SQL_BEGIN);
    if (err != ERR_OK)
        unlock(s);
    return err;
}

static enum err end_savepoint(struct store *s, enum err err)
{
    if (s->doomed == ERR_OK && err != ERR_OK)
        (void)run(s, SQL_ROLLBACK_TO); /* what fails here dooms: the commit tells */
    if (s->doomed == ERR_OK) {
        enum err released = run(s, SQL_RELEASE);
        err = err == ERR_OK ? released : err;
    }
    if (s->doomed != ERR_OK)
        roll_back(s);
    return err;
}

enum err store_write_end(struct store *s, enum err err, bool durable)
{
    char why[STORE_WHY_MAX];
    memcpy(why, s->why, sizeof why); /* the cleaning up must not talk over the error */
    enum err end = ERR_OK;
    if (s->begun)
        end = end_savepoint(s, err);
    else if (err == ERR_OK)
        end = commit(s, durable);
    else
        roll_back(s);
    if (err != ERR_OK)
        memcpy(s->why, why, sizeof why);
    unlock(s);
    return err != ERR_OK ? err : end;
}

enum err store_read_begin(struct store *s)
{
    lock(s);
    if (s->doomed != ERR_OK)
        unlock(s);
    return s->doomed;
}

enum err store_read_end(struct store *s, enum err err)
{
    if (s->doomed != ERR_OK)
        roll_back(s);
    unlock(s);
    return err;
}

enum err store_begin(struct store *s)
{
    lock(s);
    enum err err = s->begun ? store_fail(s, ERR_STATE, "a transaction is open already")
                            : run(s, s->read_only ? SQL_BEGIN_READ : SQL_BEGIN);
    if (err == ERR_OK)
        s->begun = true;
    else
        unlock(s);
    return err;
}

/* Out of begun or doomed: the one place that leaves them. */
static enum err leave(struct store *s, bool keep, bool durable)
{
    enum err err = s->doomed;
    s->begun = false; /* first: an error of the commit is told, not kept */
    s->doomed = ERR_OK;
    if (keep && err == ERR_OK)
        err = commit(s, durable);
    else
        roll_back(s);
    unlock(s); /* of store_begin */
    return err;
}

enum err store_commit(struct store *s, bool durable)
{
    lock(s);
    enum err err = s->begun ? leave(s, true, durable)
                            : store_fail(s, ERR_STATE, "there is no transaction to commit");
    unlock(s);
    return err;
}

void store_rollback(struct store *s)
{
    lock(s);
    if (s->begun)
        (void)leave(s, false, false);
    unlock(s);
}

enum err store_sync(struct store *s)
{
    lock(s);
    enum err err = sync_log(s);
    unlock(s);
    return err;
}

/* ---- opening ---- */

static enum err os_fail(struct store *s, const char *what)
{
    enum err err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return store_fail(s, err, "%s %s: %s", what, s->dir, strerror(errno));
}

static enum err path_of(const struct store *s, const char *name, char *to, size_t size)
{
    int n = snprintf(to, size, "%s/%s", s->dir, name);
    return n > 0 && (size_t)n < size ? ERR_OK : ERR_RANGE;
}

/* Openers that may make, convert or migrate go one after the other: where two of them want SQLite's
 * lock raised, it answers "busy" at once and does not wait. A folder that cannot be locked (some
 * networks') leaves it at that. */
static int lock_folder(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    return fd;
}

/* The database is made empty with its mode before SQLite sees it: the log and its index take the
 * mode over. mknod, since it opens nothing: closing any descriptor of a database drops the locks
 * that other connections of this process hold on it. */
static enum err make_file(struct store *s, int folder, const char *path)
{
    if (mknod(path, S_IFREG | 0600, 0) != 0)
        return errno == EEXIST ? ERR_OK : os_fail(s, "cannot make the store in");
    (void)fsync(
        folder); /* some file systems have none for folders; SQLite does not insist either */
    return ERR_OK;
}

/* What the file says it is, in one reading: another program may be filling it. */
static enum err read_kind(struct store *s, int64_t *application, int64_t *version,
                          int64_t *n_tables)
{
    enum err err = run(s, SQL_BEGIN_READ);
    if (err == ERR_OK)
        err = store_number(s, "PRAGMA application_id", application);
    if (err == ERR_OK)
        err = store_number(s, "PRAGMA user_version", version);
    if (err == ERR_OK)
        err = store_number(s, "SELECT count(*) FROM sqlite_schema", n_tables);
    roll_back(s);
    return err;
}

/* Before anything is changed: an empty file, or ours, and not newer than this program. */
static enum err check_kind(struct store *s)
{
    int64_t application = 0, version = 0, n_tables = 0;
    enum err err = read_kind(s, &application, &version, &n_tables);
    if (err != ERR_OK)
        return err;
    if (application != STORE_APPLICATION_ID && (n_tables > 0 || version != 0))
        return store_fail(s, ERR_CORRUPT, "%s/%s is not a store of this program", s->dir,
                          STORE_FILE);
    if (version > (int64_t)store_n_steps)
        return store_fail(s, ERR_VERSION,
                          "%s/%s has schema %d, made by a newer version of this "
                          "program, which knows up to %u",
                          s->dir, STORE_FILE, (int)version, store_n_steps);
    if (s->read_only && version < (int64_t)store_n_steps)
        return store_fail(s, ERR_VERSION,
                          "%s/%s has the older schema %d: it is brought up to date "
                          "when the head-end starts",
                          s->dir, STORE_FILE, (int)version);
    return ERR_OK;
}

/* Stays with the file. A file system without shared memory (some networks') does not have it. */
static enum err use_log(struct store *s)
{
    char mode[16] = "";
    struct ask a = ask_text_of(s, "PRAGMA journal_mode=WAL");
    if (ask_row(&a))
        ask_get_text(&a, mode, sizeof mode);
    enum err err = ask_end(&a);
    if (err == ERR_OK && strcmp(mode, "wal") != 0)
        err = store_fail(s, ERR_IO, "%s is on a file system that cannot hold a store", s->dir);
    return err;
}

static enum err open_database(struct store *s, const char *path)
{
    if (store_vfs_init(&s->vfs) != ERR_OK)
        return store_fail(s, ERR_IO, "SQLite's file system is missing");
    int flags = (s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &s->db, flags, s->vfs.name);
    if (rc != SQLITE_OK)
        return s->db ? store_fault(s, rc) : store_fail(s, ERR_MEMORY, "out of memory");
    sqlite3_busy_timeout(s->db, BUSY_MS);
    enum err err = check_kind(s);
    if (err == ERR_OK && !s->read_only)
        err = use_log(s);
    if (err == ERR_OK)
        err = store_exec(s, SETTINGS);
    if (err == ERR_OK && !s->read_only)
        err = store_migrate(s, store_steps, store_n_steps);
    return err;
}

static enum err open_to_write(struct store *s, const char *path)
{
    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        return os_fail(s, "cannot make the directory");
    int folder = lock_folder(s->dir);
    if (folder < 0)
        return os_fail(s, "cannot open the directory");
    enum err err = make_file(s, folder, path);
    if (err == ERR_OK)
        err = open_database(s, path);
    close(folder);
    return err;
}

static enum err open_in(struct store *s)
{
    char path[sizeof s->dir + 16];
    enum err err = path_of(s, STORE_FILE, path, sizeof path);
    if (err == ERR_OK && !s->read_only)
        return open_to_write(s, path);
    if (err == ERR_OK && access(path, R_OK) != 0)
        err = store_fail(s, ERR_NOT_FOUND, "no store in %s: %s", s->dir, strerror(errno));
    return err == ERR_OK ? open_database(s, path) : err;
}

static enum err make_lock(struct store *s)
{
    pthread_mutexattr_t a;
    if (pthread_mutexattr_init(&a) != 0)
        return ERR_MEMORY;
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
    s->lock_made = pthread_mutex_init(&s->lock, &a) == 0;
    pthread_mutexattr_destroy(&a);
    return s->lock_made ? ERR_OK : ERR_MEMORY;
}

enum err store_open(struct store **to, const struct store_options *o, char *why, size_t why_size)
{
    *to = NULL;
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, why_size, "out of memory");
        return ERR_MEMORY;
    }
    s->own_fd = -1;
    s->clock = o->clock;
    s->read_only = o->read_only;
    enum err err = make_lock(s);
    if (strlen(o->dir) >= sizeof s->dir)
        err = store_fail(s, ERR_RANGE, "the directory's name is too long");
    if (err == ERR_OK) {
        memcpy(s->dir, o->dir, strlen(o->dir) + 1);
        err = open_in(s);
    }
    if (err != ERR_OK) {
        snprintf(why, why_size, "%s", s->why[0] ? s->why : err_text(err));
        store_close(s);
        return err;
    }
    *to = s;
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < STORE_N_SQL; i++)
        sqlite3_finalize(s->statement[i]);
    if (s->db) {
        roll_back(s);
        sqlite3_close(s->db);
    }
    store_vfs_end(&s->vfs);
    if (s->own_fd >= 0)
        close(s->own_fd);
    if (s->lock_made)
        pthread_mutex_destroy(&s->lock);
    free(s->block);
    free(s);
}

enum err store_own(struct store *s)
{
    char path[sizeof s->dir + 16];
    enum err err = path_of(s, "lock", path, sizeof path);
    if (err != ERR_OK || s->own_fd >= 0)
        return err;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return os_fail(s, "cannot open the lock in");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool taken = errno == EWOULDBLOCK;
        err = taken ? store_fail(s, ERR_BUSY, "another head-end is running on %s", s->dir)
                    : os_fail(s, "cannot lock");
        close(fd);
        return err;
    }
    s->own_fd = fd;
    return ERR_OK;
}
