#include "headend/api/api_meter_json.h"

#include "headend/api/obis_name.h"
#include "headend/keys/meter_check.h"

#include "lib/cosem/obis.h"
#include "lib/cosem/results.h"
#include "lib/cosem/units.h"

#include <stdio.h>
#include <string.h>

/* Fresh: younger than 2 x period + 30 s. at_ms 0: never. */
static const char *quality(int64_t at_ms, int64_t now_ms, uint32_t period_s)
{
    if (at_ms == 0)
        return "never";
    return now_ms - at_ms < ((int64_t)period_s * 2 + 30) * 1000 ? "fresh" : "stale";
}

void unit_text(uint8_t unit, char to[UNIT_TEXT])
{
    const char *known = cosem_unit_text(unit);
    if (known != NULL)
        snprintf(to, UNIT_TEXT, "%s", known);
    else
        snprintf(to, UNIT_TEXT, "unit %u", unit);
}

/* ---- small members ---- */

static void text(struct json_out *j, const char *key, const char *value)
{
    json_out_key(j, key);
    json_out_text(j, value);
}

static void number(struct json_out *j, const char *key, int64_t value)
{
    json_out_key(j, key);
    json_out_int(j, value);
}

static void truth(struct json_out *j, const char *key, bool value)
{
    json_out_key(j, key);
    json_out_bool(j, value);
}

static void instant(struct json_out *j, const char *key, int64_t utc_ms)
{
    json_out_key(j, key);
    json_out_time_or_null(j, utc_ms);
}

static void ratio(struct json_out *j, const char *key, uint32_t num, uint32_t den)
{
    json_out_key(j, key);
    json_out_open(j, '[');
    json_out_int(j, num);
    json_out_int(j, den);
    json_out_close(j, ']');
}

/* Whole seconds since, null for never; a clock set back gives 0. */
static void age(struct json_out *j, int64_t at_ms, int64_t now_ms)
{
    json_out_key(j, "age_s");
    if (at_ms == 0)
        json_out_null(j);
    else
        json_out_int(j, now_ms > at_ms ? (now_ms - at_ms) / 1000 : 0);
}

static void object_name(struct json_out *j, const uint8_t ln[6])
{
    char obis[OBIS_TEXT], name[OBIS_NAME_TEXT];
    obis_print(ln, obis);
    obis_name(ln, name);
    text(j, "obis", obis);
    text(j, "name", name);
}

static void unit(struct json_out *j, uint8_t u)
{
    char name[UNIT_TEXT];
    unit_text(u, name);
    text(j, "unit", name);
}

static void multiplier(struct json_out *j, uint32_t num, uint32_t den)
{
    const struct json_decimal d = {1, 0, num, den};
    json_out_key(j, "multiplier");
    json_out_decimal(j, &d);
}

/* ---- a meter ---- */

static void settings(struct json_out *j, const struct store_meter *m)
{
    number(j, "id", m->id);
    text(j, "name", m->name);
    text(j, "place", m->place);
    text(j, "url", m->url);
    number(j, "client", m->client_sap);
    number(j, "server", m->server_sap);
    text(j, "auth", meter_auth_word(m->auth));
    text(j, "security", meter_security_word(m->security));
    number(j, "timeout_s", m->timeout_ms / 1000);
    number(j, "register_period_s", m->register_period_s);
    ratio(j, "ct", m->ct_num, m->ct_den);
    ratio(j, "vt", m->vt_num, m->vt_den);
    truth(j, "enabled", m->enabled);
}

static void secrets(struct api_request *r, struct json_out *j, const struct store_meter *m)
{
    struct meter_secret secret;
    const bool open = meter_secret_get(r->api->o.key, m, &secret) == ERR_OK;
    truth(j, "has_keys", open && (secret.keys.has_guek || secret.keys.has_gak));
    truth(j, "has_password", open && secret.password[0] != '\0');
    wipe(&secret, sizeof secret);
}

static const char *activity_text(enum meter_activity a)
{
    static const char *const words[METER_N_ACTIVITIES] = {"disabled", "waiting", "connecting",
                                                          "reading"};
    return words[a];
}

static void state(struct api_request *r, struct json_out *j, const struct store_meter *m,
                  int64_t newest_ms)
{
    const struct collector_hooks *hooks = &r->api->o.hooks;
    const int64_t now = api_now_ms(r);
    struct meter_state s;
    if (!hooks->state(hooks->context, m->id, &s))
        s = (struct meter_state){.activity = m->enabled ? METER_WAITING : METER_DISABLED};
    text(j, "activity", activity_text(s.activity));
    truth(j, "up_to_date", s.up_to_date);
    text(j, "quality", quality(newest_ms, now, m->register_period_s));
    instant(j, "last_reading", newest_ms);
    age(j, newest_ms, now);
    instant(j, "next", s.next_ms);
    number(j, "n_failed", s.n_failed);
    json_out_key(j, "error");
    if (s.error[0] == '\0')
        json_out_null(j);
    else
        json_out_text(j, s.error);
    number(j, "rows_done", s.rows_done);
    number(j, "rows_expected", s.rows_expected);
}

/* line->shown is in the order of `headlines`. */
static void headline(struct json_out *j, const struct store_meter_line *line)
{
    json_out_key(j, "headline");
    json_out_open(j, '[');
    for (size_t i = 0; i < STORE_SHOWN; i++) {
        const struct store_register *g = &line->shown[i];
        const struct json_decimal d = {g->value, g->scaler, g->mul_num, g->mul_den};
        if (!g->valid)
            continue;
        json_out_open(j, '{');
        object_name(j, g->ln);
        json_out_key(j, "value");
        json_out_decimal(j, &d);
        unit(j, g->unit);
        json_out_close(j, '}');
    }
    json_out_close(j, ']');
}

static void one_meter(struct api_request *r, struct json_out *j,
                      const struct store_meter_line *line)
{
    const struct store_meter *m = &line->meter;
    json_out_open(j, '{');
    settings(j, m);
    secrets(r, j, m);
    text(j, "device_name", m->device_name);
    text(j, "serial", m->serial);
    json_out_key(j, "added");
    json_out_time(j, m->added_ms);
    instant(j, "identified", m->identified_ms);
    state(r, j, m, line->newest_ms);
    headline(j, line);
    json_out_close(j, '}');
}

/* Energy in, and active power. */
/* imported energy; power both ways, of which the page shows the difference */
static const uint8_t headlines[STORE_SHOWN][6] = {
    {1, 0, 1, 8, 0, 255}, {1, 0, 1, 7, 0, 255}, {1, 0, 2, 7, 0, 255}};

enum err meter_json(struct api_request *r, struct json_out *j, int64_t id)
{
    struct store_meter_line line;
    const enum err e = store_meter_line_get(r->store, id, headlines, &line);
    if (e == ERR_OK)
        one_meter(r, j, &line);
    return e;
}

struct meters_writer {
    struct api_request *r;
    struct json_out *j;
};

/* During the walk: the connection is lent to this request alone. */
static bool next_meter(void *context, const struct store_meter_line *line)
{
    const struct meters_writer *w = context;
    one_meter(w->r, w->j, line);
    return w->j->err == ERR_OK;
}

enum err meters_json(struct api_request *r, struct json_out *j)
{
    struct meters_writer w = {r, j};
    return store_meter_line_each(r->store, headlines, next_meter, &w);
}

/* ---- registers and columns ---- */

void register_json(struct json_out *j, const struct store_register *g, uint32_t period_s,
                   int64_t now_ms)
{
    const struct json_decimal d = {g->value, g->scaler, g->mul_num, g->mul_den};
    const int64_t at_ms = g->valid ? g->at_ms : 0;
    json_out_open(j, '{');
    object_name(j, g->ln);
    number(j, "class", g->class_id);
    number(j, "attribute", g->attribute);
    json_out_key(j, "raw");
    if (g->valid)
        json_out_int(j, g->value);
    else
        json_out_null(j);
    number(j, "scaler", g->scaler);
    multiplier(j, g->mul_num, g->mul_den);
    unit(j, g->unit);
    json_out_key(j, "value");
    if (g->valid)
        json_out_decimal(j, &d);
    else
        json_out_null(j);
    instant(j, "at", at_ms);
    age(j, at_ms, now_ms);
    text(j, "quality", quality(at_ms, now_ms, period_s));
    text(j, "result", cosem_result_text((enum cosem_result)g->result));
    json_out_close(j, '}');
}

void column_json(struct json_out *j, const struct store_column *c)
{
    json_out_open(j, '{');
    object_name(j, c->ln);
    number(j, "class", c->class_id);
    number(j, "attribute", c->attribute);
    unit(j, c->unit);
    number(j, "scaler", c->scaler);
    multiplier(j, c->mul_num, c->mul_den);
    text(j, "kind", obis_kind_text(obis_kind(c->ln)));
    json_out_close(j, '}');
}
