/* The meters' own rows. */
#include "headend/store/store_parts.h"

#include <string.h>

static enum err check(struct store *s, const struct store_meter *m)
{
    enum err err = store_check_text(s, "name", m->name, 1, STORE_NAME_MAX);
    if (err == ERR_OK)
        err = store_check_text(s, "place", m->place, 0, STORE_NAME_MAX);
    if (err == ERR_OK)
        err = store_check_text(s, "address", m->url, 1, STORE_URL_MAX);
    if (err == ERR_OK && (unsigned)m->auth >= STORE_N_AUTHS)
        err = store_fail(s, ERR_RANGE, "unknown kind of authentication");
    if (err == ERR_OK && (m->ct_num == 0 || m->ct_den == 0 || m->vt_num == 0 || m->vt_den == 0))
        err = store_fail(s, ERR_RANGE, "a transformer ratio has no zeros");
    return err;
}

/* METER_COLUMNS of store_sql.def. */
static void bind(struct ask *a, const struct store_meter *m)
{
    ask_text(a, m->name);
    ask_text(a, m->place);
    ask_text(a, m->url);
    ask_int(a, m->client_sap);
    ask_int(a, m->server_sap);
    ask_int(a, m->auth);
    ask_int(a, m->security);
    ask_int(a, m->timeout_ms);
    ask_int(a, m->register_period_s);
    ask_int(a, m->ct_num);
    ask_int(a, m->ct_den);
    ask_int(a, m->vt_num);
    ask_int(a, m->vt_den);
    ask_int(a, m->enabled);
    if (m->secret_len > 0)
        ask_blob(a, m->secret, m->secret_len);
    else
        ask_null(a);
}

static void take_secret(struct ask *a, struct store_meter *m)
{
    struct bytes secret = ask_get_blob(a);
    if (secret.len >= STORE_SECRET_MAX) {
        a->err = store_fail(a->s, ERR_CORRUPT, "a secret in %s is too long", STORE_FILE);
        return;
    }
    m->secret_len = (uint8_t)secret.len;
    if (secret.len > 0)
        memcpy(m->secret, secret.p, secret.len);
}

static void take(struct ask *a, struct store_meter *m)
{
    memset(m, 0, sizeof *m);
    ask_get_text(a, m->name, sizeof m->name);
    ask_get_text(a, m->place, sizeof m->place);
    ask_get_text(a, m->url, sizeof m->url);
    m->client_sap = (uint16_t)ask_get_int(a);
    m->server_sap = (uint16_t)ask_get_int(a);
    m->auth = (enum store_auth)ask_get_int(a);
    m->security = (uint8_t)ask_get_int(a);
    m->timeout_ms = (uint32_t)ask_get_int(a);
    m->register_period_s = (uint32_t)ask_get_int(a);
    m->ct_num = (uint32_t)ask_get_int(a);
    m->ct_den = (uint32_t)ask_get_int(a);
    m->vt_num = (uint32_t)ask_get_int(a);
    m->vt_den = (uint32_t)ask_get_int(a);
    m->enabled = ask_get_int(a) != 0;
    take_secret(a, m);
    m->id = ask_get_int(a);
    ask_get_text(a, m->device_name, sizeof m->device_name);
    ask_get_text(a, m->serial, sizeof m->serial);
    m->added_ms = ask_get_int(a);
    m->identified_ms = ask_get_int_or(a, 0);
}

static enum err name_taken(struct store *s, enum err err, const struct store_meter *m)
{
    if (err == ERR_REFUSED)
        return store_fail(s, err, "there is a meter named %s already", m->name);
    return err;
}

enum err store_meter_add(struct store *s, struct store_meter *m)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    int64_t now_ms = server_clock_utc_ms(s->clock);
    err = check(s, m);
    if (err == ERR_OK) {
        struct ask a = ask_of(s, SQL_METER_ADD);
        bind(&a, m);
        ask_int(&a, now_ms);
        err = name_taken(s, ask_run(&a), m);
    }
    int64_t id = sqlite3_last_insert_rowid(s->db);
    err = store_write_end(s, err, true);
    if (err == ERR_OK) {
        m->id = id;
        m->added_ms = now_ms;
    }
    return err;
}

enum err store_meter_change(struct store *s, const struct store_meter *m)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = check(s, m);
    if (err == ERR_OK) {
        struct ask a = ask_of(s, SQL_METER_CHANGE);
        bind(&a, m);
        ask_int(&a, m->id);
        err = name_taken(s, ask_change(&a, "meter"), m);
    }
    return store_write_end(s, err, true);
}

enum err store_meter_get(struct store *s, int64_t id, struct store_meter *m)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_METER_GET);
    ask_int(&a, id);
    if (ask_first(&a, "meter") == ERR_OK)
        take(&a, m);
    return store_read_end(s, ask_end(&a));
}

enum err store_meter_each(struct store *s, store_meter_fn *fn, void *context)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct store_meter m;
    struct ask a = ask_of(s, SQL_METER_EACH);
    while (ask_row(&a)) {
        take(&a, &m);
        if (a.err != ERR_OK || !fn(context, &m))
            break;
    }
    return store_read_end(s, ask_end(&a));
}

static struct ask ask_line(struct store *s, enum store_sql which, const uint8_t ln[STORE_SHOWN][6])
{
    struct ask a = ask_of(s, which);
    for (size_t i = 0; i < STORE_SHOWN; i++)
        ask_blob(&a, ln[i], sizeof ln[i]);
    return a;
}

static void take_line(struct ask *a, struct store_meter_line *line)
{
    take(a, &line->meter);
    line->newest_ms = ask_get_int_or(a, 0);
    for (size_t i = 0; i < STORE_SHOWN; i++)
        store_register_take(a, &line->shown[i]);
}

enum err store_meter_line_get(struct store *s, int64_t id, const uint8_t ln[STORE_SHOWN][6],
                              struct store_meter_line *line)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_line(s, SQL_METER_LINE_GET, ln);
    ask_int(&a, id);
    if (ask_first(&a, "meter") == ERR_OK)
        take_line(&a, line);
    return store_read_end(s, ask_end(&a));
}

enum err store_meter_line_each(struct store *s, const uint8_t ln[STORE_SHOWN][6],
                               store_meter_line_fn *fn, void *context)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct store_meter_line line;
    struct ask a = ask_line(s, SQL_METER_LINE_EACH, ln);
    while (ask_row(&a)) {
        take_line(&a, &line);
        if (a.err != ERR_OK || !fn(context, &line))
            break;
    }
    return store_read_end(s, ask_end(&a));
}

enum err store_meter_identity(struct store *s, int64_t id, const char *device_name,
                              const char *serial)
{
    const struct store_meter *m = NULL;
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = store_check_text(s, "device name", device_name, 0, sizeof m->device_name - 1);
    if (err == ERR_OK)
        err = store_check_text(s, "serial number", serial, 0, sizeof m->serial - 1);
    if (err == ERR_OK) {
        struct ask a = ask_of(s, SQL_METER_IDENTITY);
        ask_text(&a, device_name);
        ask_text(&a, serial);
        ask_int(&a, server_clock_utc_ms(s->clock));
        ask_int(&a, id);
        err = ask_change(&a, "meter");
    }
    return store_write_end(s, err, true);
}
