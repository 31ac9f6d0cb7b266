/* How the store talks to SQLite: errors with their sentence, statements kept prepared, and the
 * cursor over them. No text from outside becomes SQL here: it is bound. */
#include "headend/store/store_parts.h"

#include "lib/base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const sql_text[] = {
#define SQL(name, text) [SQL_##name] = text,
#include "headend/store/store_sql.def"
#undef SQL
};
_Static_assert(sizeof sql_text / sizeof sql_text[0] == STORE_N_SQL, "a text each");

enum err store_fail(struct store *s, enum err err, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(s->why, sizeof s->why, format, list);
    va_end(list);
    return err;
}

static enum err error_of(int rc, int system_errno)
{
    if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
        return ERR_NOT_FOUND;
    if (rc == SQLITE_CONSTRAINT_CHECK || rc == SQLITE_CONSTRAINT_NOTNULL)
        return ERR_RANGE;
    switch (rc & 0xFF) {
    case SQLITE_CONSTRAINT:
        return ERR_REFUSED;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return ERR_RANGE;
    default: /* a full disk comes as this where the shared-memory file cannot grow */
        return system_errno == ENOSPC || system_errno == EDQUOT ? ERR_FULL : ERR_IO;
    }
}

/* These end SQLite's transaction, or leave one that must not be committed. */
static bool dooms(enum err err)
{
    return err == ERR_FULL || err == ERR_IO || err == ERR_MEMORY || err == ERR_CORRUPT ||
           err == ERR_BUSY;
}

enum err store_fault(struct store *s, int rc)
{
    int code = sqlite3_extended_errcode(s->db);
    if ((code & 0xFF) != (rc & 0xFF))
        code = rc;
    enum err err = error_of(code, sqlite3_system_errno(s->db));
    if (s->begun && dooms(err))
        s->doomed = err;
    if (err == ERR_FULL)
        return store_fail(s, err, "no room left on the disk of %s", s->dir);
    if (err == ERR_BUSY)
        return store_fail(s, err, "the store in %s is busy: another program is writing", s->dir);
    return store_fail(s, err, "%s in %s: %s (%d)", STORE_FILE, s->dir, sqlite3_errmsg(s->db), code);
}

static struct ask prepare(struct store *s, const char *text, unsigned flags)
{
    struct ask a = {.s = s, .one_off = flags == 0};
    int rc = sqlite3_prepare_v3(s->db, text, -1, flags, &a.st, NULL);
    if (rc != SQLITE_OK)
        a.err = store_fault(s, rc);
    return a;
}

struct ask ask_text_of(struct store *s, const char *sql)
{
    return prepare(s, sql, 0);
}

struct ask ask_of(struct store *s, enum store_sql which)
{
    sqlite3_stmt *kept = s->statement[which];
    if (kept && sqlite3_stmt_busy(kept)) /* a callback asks what its caller is asking */
        return prepare(s, sql_text[which], 0);
    if (kept)
        return (struct ask){.s = s, .st = kept};
    struct ask a = prepare(s, sql_text[which], SQLITE_PREPARE_PERSISTENT);
    s->statement[which] = a.st;
    return a;
}

static void bound(struct ask *a, int rc)
{
    if (rc != SQLITE_OK)
        a->err = store_fault(a->s, rc);
}

void ask_int(struct ask *a, int64_t v)
{
    if (a->err == ERR_OK)
        bound(a, sqlite3_bind_int64(a->st, ++a->at, v));
}

void ask_null(struct ask *a)
{
    if (a->err == ERR_OK)
        bound(a, sqlite3_bind_null(a->st, ++a->at));
}

/* Text and blobs outlive the step: every caller binds and steps in one breath. */
void ask_text(struct ask *a, const char *text)
{
    if (a->err == ERR_OK)
        bound(a, sqlite3_bind_text(a->st, ++a->at, text, -1, SQLITE_STATIC));
}

void ask_blob(struct ask *a, const void *p, size_t len)
{
    if (a->err == ERR_OK)
        bound(a, sqlite3_bind_blob64(a->st, ++a->at, p, len, SQLITE_STATIC));
}

bool ask_row(struct ask *a)
{
    if (a->err != ERR_OK)
        return false;
    int rc = sqlite3_step(a->st);
    a->at = 0;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        a->err = store_fault(a->s, rc);
    return rc == SQLITE_ROW;
}

int64_t ask_get_int(struct ask *a)
{
    return sqlite3_column_int64(a->st, a->at++);
}

int64_t ask_get_int_or(struct ask *a, int64_t otherwise)
{
    bool null = sqlite3_column_type(a->st, a->at) == SQLITE_NULL;
    int64_t v = ask_get_int(a);
    return null ? otherwise : v;
}

void ask_get_text(struct ask *a, char *to, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(a->st, a->at);
    size_t len = (size_t)sqlite3_column_bytes(a->st, a->at);
    a->at++;
    if (!text || len >= size) {
        a->err = store_fail(a->s, ERR_CORRUPT, "a text in %s is too long", STORE_FILE);
        to[0] = 0;
        return;
    }
    memcpy(to, text, len);
    to[len] = 0;
}

struct bytes ask_get_blob(struct ask *a)
{
    struct bytes b = {.p = sqlite3_column_blob(a->st, a->at)};
    b.len = (size_t)sqlite3_column_bytes(a->st, a->at++);
    return b;
}

void ask_get_exact(struct ask *a, void *to, size_t len)
{
    struct bytes b = ask_get_blob(a);
    if (b.len == len && len > 0)
        memcpy(to, b.p, len);
    else if (b.len != len)
        a->err = store_fail(a->s, ERR_CORRUPT, "an entry in %s has a wrong size", STORE_FILE);
}

enum err ask_end(struct ask *a)
{
    if (a->st && a->one_off)
        sqlite3_finalize(a->st);
    else if (a->st)
        sqlite3_reset(a->st); /* its code repeats what the step said */
    a->st = NULL;
    return a->err;
}

enum err ask_run(struct ask *a)
{
    while (ask_row(a))
        ;
    return ask_end(a);
}

enum err ask_change(struct ask *a, const char *what)
{
    enum err err = ask_run(a);
    if (err == ERR_OK && sqlite3_changes(a->s->db) == 0)
        err = store_fail(a->s, ERR_NOT_FOUND, "there is no such %s", what);
    return err;
}

enum err ask_first(struct ask *a, const char *what)
{
    if (!ask_row(a) && a->err == ERR_OK)
        a->err = store_fail(a->s, ERR_NOT_FOUND, "there is no such %s", what);
    return a->err;
}

enum err store_check_text(struct store *s, const char *what, const char *text, size_t min,
                          size_t max)
{
    size_t len = strnlen(text, max + 1);
    if (len < min)
        return store_fail(s, ERR_RANGE, "the %s must not be empty", what);
    if (len > max)
        return store_fail(s, ERR_RANGE, "the %s is longer than %zu octets", what, max);
    for (size_t at = 0, step; at < len; at += step) {
        step = utf8_sequence(text + at, len - at);
        if (step == 0)
            return store_fail(s, ERR_RANGE, "the %s is not UTF-8", what);
    }
    return ERR_OK;
}
