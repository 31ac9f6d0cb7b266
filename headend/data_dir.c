/* See data_dir.h. */
#include "headend/data_dir.h"
#include "headend/keys/meter_check.h"
#include "headend/keys/meter_secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- does the key belong to the store? ---- */

struct trial {
    const struct seal_key *key; /* NULL: any sealed secret is one too many */
    enum err err;
    char *name;
};

static bool try_meter(void *context, const struct store_meter *m)
{
    struct trial *t = context;
    struct meter_secret secret = {0};
    if (m->secret_len == 0)
        return true;
    t->err = t->key != NULL ? meter_secret_get(t->key, m, &secret) : ERR_KEY;
    wipe(&secret, sizeof secret);
    if (t->err)
        memcpy(t->name, m->name, sizeof m->name);
    return t->err == ERR_OK;
}

enum err data_dir_try_key(struct store *s, const struct seal_key *key, char *name)
{
    struct trial t = {.key = key, .name = name};
    name[0] = '\0';
    const enum err err = store_meter_each(s, try_meter, &t);
    return err ? err : t.err;
}

/* ---- opening ---- */

static int exit_of(enum err err)
{
    return err == ERR_CORRUPT || err == ERR_VERSION || err == ERR_FORMAT ? CLI_BAD_DATA : CLI_LOST;
}

void data_dir_printable(char *text)
{
    const bool utf8 = meter_text_check(text, strlen(text));
    for (; *text != '\0' && !utf8; text++) {
        if (*text < 0x20 || *text > 0x7E)
            *text = '?';
    }
}

/* What the reason of the store leaves open: what to do about it. */
static int fail_store(const struct cli_verb *v, const char *dir, enum err err, char *why)
{
    data_dir_printable(why);
    if (err == ERR_CORRUPT)
        return cli_fail(v, exit_of(err),
                        "%s; put the store back from a backup (`ferraris headend verify` tells "
                        "whether a copy is whole)",
                        why);
    if (err == ERR_IO && access(dir, F_OK) == 0 && access(dir, R_OK | W_OK | X_OK) != 0)
        return cli_fail(v, exit_of(err), "%s; the user who runs this, uid %u, may not write in %s",
                        why, (unsigned)geteuid(), dir);
    return cli_fail(v, exit_of(err), "%s", why);
}

static bool key_exists(const char *dir)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/master.key", dir) < (int)sizeof path &&
           (access(path, F_OK) == 0 || errno != ENOENT);
}

static int open_key(struct data_dir *d, const struct cli_verb *v, const char *dir)
{
    char why[DATA_DIR_WHY] = "", name[STORE_NAME_MAX + 1];
    if (!key_exists(dir) && data_dir_try_key(d->store, NULL, name))
        return cli_fail(v, CLI_SECURITY,
                        "%s/master.key is missing, and the store has keys of meters that only it "
                        "opens: put it back from its backup",
                        dir);
    if (seal_key_open(&d->key, dir, why, sizeof why))
        return cli_fail(v, CLI_SECURITY, "%s", why);
    const enum err err = data_dir_try_key(d->store, &d->key, name);
    if (err == ERR_OK)
        return -1;
    if (name[0] == '\0')
        return cli_fail(v, exit_of(err), "%s", store_why(d->store));
    data_dir_printable(name);
    return cli_fail(v, CLI_SECURITY,
                    "%s/master.key does not open the keys of meter '%s': it is another key than "
                    "the one they were sealed with, or they are damaged; put the right one, or "
                    "the store, back from its backup",
                    dir, name);
}

int data_dir_open(struct data_dir *d, const struct cli_verb *v, const char *dir, unsigned want)
{
    char why[DATA_DIR_WHY] = "";
    *d = (struct data_dir){.clock = server_clock_system()};
    if (dir == NULL || dir[0] == '\0')
        return cli_fail(v, CLI_USAGE, "--data DIR is needed; usage: %s", v->usage);
    const struct store_options o = {.dir = dir, .clock = &d->clock};
    enum err err = store_open(&d->store, &o, why, sizeof why);
    if (err && why[0] == '\0')
        snprintf(why, sizeof why, "%s", err_text(err));
    if (err)
        return fail_store(v, dir, err, why);
    err = (want & DATA_OWN) != 0 ? store_own(d->store) : ERR_OK;
    int code = -1;
    if (err)
        code = cli_fail(v, exit_of(err), "%s", store_why(d->store));
    if (code < 0 && (want & DATA_KEY) != 0)
        code = open_key(d, v, dir);
    if (code >= 0)
        data_dir_close(d);
    return code;
}

void data_dir_close(struct data_dir *d)
{
    store_close(d->store);
    d->store = NULL;
    seal_key_wipe(&d->key);
}
