/* Meters: list, add, change, read now; their registers. */
#include "headend/api/api_meter_form.h"
#include "headend/api/api_meter_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool api_meter(struct api_request *r, struct store_meter *m)
{
    const enum err e = store_meter_get(r->store, r->path.id, m);
    if (e == ERR_NOT_FOUND)
        api_refuse(r, 404, "not_found", "id", "There is no meter %" PRId64 ".", r->path.id);
    else if (e != ERR_OK)
        api_refuse_store(r, e);
    return e == ERR_OK;
}

/* ---- the list ---- */

void api_meters_list(struct api_request *r)
{
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "now");
    json_out_time(j, api_now_ms(r));
    json_out_key(j, "meters");
    json_out_open(j, '[');
    const enum err e = meters_json(r, j);
    json_out_close(j, ']');
    json_out_close(j, '}');
    if (e != ERR_OK)
        api_refuse_store(r, e);
}

/* ---- one ---- */

static void answer_meter(struct api_request *r, unsigned status, int64_t id)
{
    struct json_out *j = api_answer(r, status);
    const enum err e = meter_json(r, j, id);
    if (e != ERR_OK)
        api_refuse_store(r, e);
}

void api_meter_show(struct api_request *r)
{
    struct store_meter m;
    if (api_meter(r, &m))
        answer_meter(r, 200, m.id);
}

static void refuse_change(struct api_request *r, enum err e)
{
    if (e == ERR_REFUSED)
        api_refuse(r, 409, "taken", "name", "Another meter has this name.");
    else
        api_refuse_store(r, e);
}

/* The body over *m and *secret; false: the answer is there. */
static bool read_form(struct api_request *r, bool add, struct store_meter *m,
                      struct meter_secret *secret, bool *secret_given)
{
    struct meter_form_fault fault;
    json_t *body = api_json(r);
    if (body == NULL)
        return false;
    const bool good = meter_form_read(body, add, m, secret, secret_given, &fault);
    json_decref(body);
    if (!good)
        api_refuse(r, 422, fault.unknown ? "unknown_member" : "invalid", fault.field, "%s",
                   fault.message);
    return good;
}

static enum err seal(struct api_request *r, struct store_meter *m,
                     const struct meter_secret *secret)
{
    const enum err e = meter_secret_put(r->api->o.key, m, secret);
    if (e != ERR_OK)
        server_log(r->api->o.log, LOG_ERROR, "api: keys not sealed: %s", err_text(e));
    return e;
}

static void changed(struct api_request *r, int64_t id)
{
    const struct collector_hooks *hooks = &r->api->o.hooks;
    hooks->meter_changed(hooks->context, id);
}

void api_meters_add(struct api_request *r)
{
    struct store_meter m;
    struct meter_secret secret;
    char location[64];
    bool given;
    memset(&m, 0, sizeof m);
    memset(&secret, 0, sizeof secret);
    meter_defaults(&m);
    if (!read_form(r, true, &m, &secret, &given)) {
        wipe(&secret, sizeof secret);
        return;
    }
    m.added_ms = api_now_ms(r);
    enum err e = given ? seal(r, &m, &secret) : ERR_OK;
    wipe(&secret, sizeof secret);
    if (e == ERR_OK)
        e = store_meter_add(r->store, &m);
    if (e != ERR_OK) {
        refuse_change(r, e);
        return;
    }
    changed(r, m.id);
    answer_meter(r, 201, m.id);
    snprintf(location, sizeof location, "/api/v1/meters/%" PRId64, m.id);
    api_header(r, "Location", location);
}

void api_meter_change(struct api_request *r)
{
    struct store_meter m;
    struct meter_secret secret;
    bool given;
    if (!api_meter(r, &m))
        return;
    enum err e = meter_secret_get(r->api->o.key, &m, &secret);
    if (e != ERR_OK) { /* of another master key: what comes now replaces it */
        server_log(r->api->o.log, LOG_ERROR, "api: keys of meter %" PRId64 " do not open: %s", m.id,
                   err_text(e));
        memset(&secret, 0, sizeof secret);
    }
    if (!read_form(r, false, &m, &secret, &given)) {
        wipe(&secret, sizeof secret);
        return;
    }
    e = given ? seal(r, &m, &secret) : ERR_OK;
    wipe(&secret, sizeof secret);
    if (e == ERR_OK)
        e = store_meter_change(r->store, &m);
    if (e != ERR_OK) {
        refuse_change(r, e);
        return;
    }
    changed(r, m.id);
    answer_meter(r, 200, m.id);
}

void api_meter_read(struct api_request *r)
{
    const struct collector_hooks *hooks = &r->api->o.hooks;
    struct store_meter m;
    if (!api_meter(r, &m))
        return;
    if (!m.enabled) {
        api_refuse(r, 409, "disabled", NULL, "The meter is switched off in its settings.");
        return;
    }
    hooks->read_now(hooks->context, m.id);
    struct json_out *j = api_answer(r, 202);
    json_out_open(j, '{');
    json_out_close(j, '}');
}

void api_meter_registers(struct api_request *r)
{
    struct store_register list[STORE_REGISTERS_MAX];
    struct store_meter m;
    size_t n;
    if (!api_meter(r, &m))
        return;
    const enum err e = store_registers_get(r->store, m.id, list, STORE_REGISTERS_MAX, &n);
    if (e != ERR_OK) {
        api_refuse_store(r, e);
        return;
    }
    const int64_t now = api_now_ms(r);
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "now");
    json_out_time(j, now);
    json_out_key(j, "registers");
    json_out_open(j, '[');
    for (size_t i = 0; i < n; i++)
        register_json(j, &list[i], m.register_period_s, now);
    json_out_close(j, ']');
    json_out_close(j, '}');
}
