/* See meter_csv.h. table.c cuts the records, this knows the columns. */
#include "headend/keys/meter_csv.h"
#include "headend/keys/meter_check.h"
#include "headend/keys/table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct row { /* what one record becomes */
    struct store_meter meter;
    struct meter_secret secret;
};

/* NULL, or what is wrong; text is not empty. */
typedef const char *take_fn(struct row *row, const char *text);

static const char *take_text(char *to, size_t size, const char *text)
{
    const size_t n = strlen(text);
    if (n >= size)
        return "is too long";
    memcpy(to, text, n + 1);
    return NULL;
}

static const char *take_number(const char **text, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    const char *p = *text;
    for (; *p >= '0' && *p <= '9' && n <= max; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (p == *text || n > max)
        return "is not a whole number in its range";
    *text = p;
    *out = (uint32_t)n;
    return NULL;
}

static const char *take_whole(const char *text, uint32_t max, uint32_t *out)
{
    const char *why = take_number(&text, max, out);
    return why == NULL && *text != '\0' ? "is not a whole number" : why;
}

static const char *take_sap(const char *text, uint16_t *out)
{
    uint32_t n = 0;
    const char *why = take_whole(text, UINT16_MAX, &n);
    *out = (uint16_t)n;
    return why;
}

/* 200/5 or 40. */
static const char *take_ratio(const char *text, uint32_t *num, uint32_t *den)
{
    const char *why = take_number(&text, METER_RATIO_MAX, num);
    *den = 1;
    if (why == NULL && *text == '/') {
        text++;
        why = take_number(&text, METER_RATIO_MAX, den);
    }
    return why != NULL || *text != '\0' ? "is not a ratio: write 200/5 or 40" : NULL;
}

static const char *take_key(const char *text, uint8_t key[16], bool *has)
{
    *has = meter_key_parse(text, key);
    return *has ? NULL : "is not a key of 32 hex digits";
}

/* ---- the columns ---- */

static const char *take_name(struct row *r, const char *text)
{
    return take_text(r->meter.name, sizeof r->meter.name, text);
}
static const char *take_url(struct row *r, const char *text)
{
    return take_text(r->meter.url, sizeof r->meter.url, text);
}
static const char *take_place(struct row *r, const char *text)
{
    return take_text(r->meter.place, sizeof r->meter.place, text);
}
static const char *take_client(struct row *r, const char *text)
{
    return take_sap(text, &r->meter.client_sap);
}
static const char *take_server(struct row *r, const char *text)
{
    return take_sap(text, &r->meter.server_sap);
}
static const char *take_auth(struct row *r, const char *text)
{
    return meter_auth_parse(text, &r->meter.auth) ? NULL : "is not one of none, lls, hls5";
}
static const char *take_security(struct row *r, const char *text)
{
    return meter_security_parse(text, &r->meter.security)
               ? NULL
               : "is not one of none, auth, enc, authenc";
}
static const char *take_timeout(struct row *r, const char *text)
{
    const char *why = take_whole(text, METER_TIMEOUT_MAX_S, &r->meter.timeout_ms);
    r->meter.timeout_ms *= 1000;
    return why;
}
static const char *take_period(struct row *r, const char *text)
{
    return take_whole(text, METER_PERIOD_MAX_S, &r->meter.register_period_s);
}
static const char *take_ct(struct row *r, const char *text)
{
    return take_ratio(text, &r->meter.ct_num, &r->meter.ct_den);
}
static const char *take_vt(struct row *r, const char *text)
{
    return take_ratio(text, &r->meter.vt_num, &r->meter.vt_den);
}
static const char *take_enabled(struct row *r, const char *text)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            r->meter.enabled = i % 2 == 1;
            return NULL;
        }
    }
    return "is not true or false";
}
static const char *take_guek(struct row *r, const char *text)
{
    return take_key(text, r->secret.keys.guek, &r->secret.keys.has_guek);
}
static const char *take_gak(struct row *r, const char *text)
{
    return take_key(text, r->secret.keys.gak, &r->secret.keys.has_gak);
}
static const char *take_password(struct row *r, const char *text)
{
    return take_text(r->secret.password, sizeof r->secret.password, text);
}

static const struct column {
    const char *name;
    take_fn *take;
} columns[] = {
    {"name", take_name},
    {"url", take_url},
    {"place", take_place},
    {"client", take_client},
    {"server", take_server},
    {"auth", take_auth},
    {"security", take_security},
    {"timeout_s", take_timeout},
    {"register_period_s", take_period},
    {"ct", take_ct},
    {"vt", take_vt},
    {"enabled", take_enabled},
    {"guek", take_guek},
    {"gak", take_gak},
    {"password", take_password},
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])
enum { NAME = 0, URL = 1, PASSWORD = N_COLUMNS - 1 };
_Static_assert(N_COLUMNS <= TABLE_FIELDS_MAX, "a record has room for every column");

struct import {
    const struct meter_csv_options *o;
    struct meter_csv_result *result;
    struct table table;
    size_t n_columns;
    uint8_t column[TABLE_FIELDS_MAX]; /* of each field */
    struct row row;
    const char *field; /* of the refusal */
    char message[200];
};

/* ---- the header line ---- */

/* Drops spaces and tabs at both ends; `room` for a field of any record. */
static const char *trimmed(const char *text, char room[TABLE_ROOM])
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    memcpy(room, text, n);
    room[n] = '\0';
    return room;
}

static bool find_column(const char *name, size_t *at)
{
    for (*at = 0; *at < N_COLUMNS; ++*at)
        if (strcasecmp(columns[*at].name, name) == 0)
            return true;
    return false;
}

/* Quotes only what can be meant as a column's name: where the header line is missing, the first row
 * stands in its place, with keys and passwords. */
static bool is_name_like(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_- ";
    return strlen(name) <= 20 && name[strspn(name, letters)] == '\0';
}

static enum err bad_header(char *why, size_t size, const char *what, const char *name)
{
    if (is_name_like(name))
        snprintf(why, size, "the header line %s '%s'", what, name);
    else
        snprintf(why, size, "the header line %s that is no name: the first line names the columns",
                 what);
    return ERR_FORMAT;
}

static enum err take_header(struct import *i, char *why, size_t why_size)
{
    bool seen[N_COLUMNS] = {false};
    char room[TABLE_ROOM];
    const enum table_result result = table_next(&i->table);
    if (result != TABLE_RECORD) {
        snprintf(why, why_size, "the header line cannot be read: %s",
                 result == TABLE_END ? "there is none" : i->table.why);
        return ERR_FORMAT;
    }
    for (size_t f = 0; f < i->table.n; f++) {
        size_t at;
        const char *name = trimmed(i->table.field[f], room);
        if (!find_column(name, &at))
            return bad_header(why, why_size, "has an unknown column", name);
        if (seen[at])
            return bad_header(why, why_size, "has twice the column", name);
        seen[at] = true;
        i->column[f] = (uint8_t)at;
    }
    i->n_columns = i->table.n;
    if (!seen[NAME] || !seen[URL])
        return bad_header(why, why_size, "lacks the column", seen[NAME] ? "url" : "name");
    return ERR_OK;
}

/* ---- a row ---- */

static bool refuse(struct import *i, const char *field, const char *message)
{
    i->field = field;
    snprintf(i->message, sizeof i->message, "%s%s%s", field, field[0] != '\0' ? " " : "", message);
    return false;
}

/* NULL, or what is wrong with field f. */
static const char *take_field(struct import *i, size_t f, char room[TABLE_ROOM])
{
    const size_t at = i->column[f];
    const bool as_is = at == PASSWORD || i->table.quoted[f];
    const char *text = as_is ? i->table.field[f] : trimmed(i->table.field[f], room);
    return text[0] != '\0' ? columns[at].take(&i->row, text) : NULL;
}

/* All of them, so that the row has its name; the first wrong one is told. */
static bool take_fields(struct import *i)
{
    char room[TABLE_ROOM];
    bool good = true;
    if (i->table.n > i->n_columns)
        return refuse(i, "", "the row has more fields than the header line");
    for (size_t f = 0; f < i->table.n; f++) {
        const char *why = take_field(i, f, room);
        if (why != NULL && good)
            good = refuse(i, columns[i->column[f]].name, why);
    }
    wipe(room, sizeof room);
    return good;
}

/* Into i->row, sealed. */
static bool take_row(struct import *i)
{
    struct meter_fault fault;
    meter_defaults(&i->row.meter);
    if (!take_fields(i))
        return false;
    if (!meter_check(&i->row.meter, &i->row.secret, &fault))
        return refuse(i, fault.field, fault.message);
    if (meter_secret_put(i->o->key, &i->row.meter, &i->row.secret))
        return refuse(i, "", "the keys could not be sealed");
    i->row.meter.added_ms = server_clock_utc_ms(i->o->clock);
    return true;
}

static void tell(struct import *i, bool ok)
{
    const char *name = i->row.meter.name;
    const struct meter_csv_row row = {.line = i->table.at_line,
                                      .name = meter_text_check(name, strlen(name)) ? name : "",
                                      .ok = ok,
                                      .id = ok && !i->o->dry_run ? i->row.meter.id : 0,
                                      .field = ok ? "" : i->field,
                                      .message = ok ? "" : i->message};
    *(ok ? &i->result->n_added : &i->result->n_refused) += 1;
    if (i->o->row != NULL)
        i->o->row(i->o->context, &row);
}

/* An error is one of the store that ends the import. */
static enum err add_row(struct import *i)
{
    const enum err err = store_meter_add(i->o->store, &i->row.meter);
    if (err == ERR_REFUSED) {
        tell(i, refuse(i, "name", "is taken by another meter"));
        return ERR_OK;
    }
    if (!err)
        tell(i, true);
    return err;
}

static enum err take_rows(struct import *i)
{
    enum err err = ERR_OK;
    enum table_result result;
    while (!err && (result = table_next(&i->table)) != TABLE_END) {
        memset(&i->row, 0, sizeof i->row);
        if (result == TABLE_BROKEN)
            tell(i, refuse(i, "", i->table.why));
        else if (!take_row(i))
            tell(i, false);
        else
            err = add_row(i);
        wipe(&i->row.secret, sizeof i->row.secret);
    }
    wipe(&i->table, sizeof i->table);
    return err;
}

static enum err store_failed(struct import *i, enum err err, char *why, size_t why_size)
{
    snprintf(why, why_size, "%s", store_why(i->o->store));
    *i->result = (struct meter_csv_result){0};
    return err;
}

static enum err import_all(struct import *i, char *why, size_t why_size)
{
    struct store *s = i->o->store;
    enum err err = store_begin(s);
    if (err)
        return store_failed(i, err, why, why_size);
    err = take_rows(i);
    if (!err && !i->o->dry_run && i->result->n_added > 0) {
        err = store_commit(s, true);
        return err ? store_failed(i, err, why, why_size) : ERR_OK;
    }
    if (err)
        err = store_failed(i, err, why, why_size); /* the reason is gone after the rollback */
    store_rollback(s);
    return err;
}

enum err meter_csv_import(const struct meter_csv_options *o, struct bytes text,
                          struct meter_csv_result *result, char *why, size_t why_size)
{
    struct import i = {.o = o, .result = result};
    *result = (struct meter_csv_result){0};
    table_begin(&i.table, text);
    const enum err err = take_header(&i, why, why_size);
    return err ? err : import_all(&i, why, why_size);
}
