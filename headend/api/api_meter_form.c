#include "headend/api/api_meter_form.h"

#include "lib/base/cursor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct form {
    struct store_meter *m;
    struct meter_secret *secret;
    bool *secret_given;
    struct meter_form_fault *fault;
};

static bool wrong(struct form *f, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always false. */
static bool wrong(struct form *f, const char *field, const char *format, ...)
{
    va_list list;
    snprintf(f->fault->field, sizeof f->fault->field, "%s", field);
    va_start(list, format);
    vsnprintf(f->fault->message, sizeof f->fault->message, format, list);
    va_end(list);
    return false;
}

/* ---- one reader for each JSON type ---- */

static bool read_text(struct form *f, const char *field, const json_t *v, char *to, size_t size)
{
    const char *text = json_string_value(v);
    if (text == NULL)
        return wrong(f, field, "%s must be a text.", field);
    if (strlen(text) >= size)
        return wrong(f, field, "%s has more than %zu octets.", field, size - 1);
    memset(to, 0, size);
    memcpy(to, text, strlen(text));
    return true;
}

static bool read_number(struct form *f, const char *field, const json_t *v, uint32_t most,
                        uint32_t *to)
{
    const json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || n > most)
        return wrong(f, field, "%s must be a whole number up to %u.", field, most);
    *to = (uint32_t)n;
    return true;
}

static bool read_sap(struct form *f, const char *field, const json_t *v, uint16_t *to)
{
    uint32_t n = 0;
    if (!read_number(f, field, v, UINT16_MAX, &n))
        return false;
    *to = (uint16_t)n;
    return true;
}

static bool read_ratio(struct form *f, const char *field, const json_t *v, uint32_t *num,
                       uint32_t *den)
{
    if (json_array_size(v) != 2)
        return wrong(f, field, "%s must be two numbers: [numerator, denominator].", field);
    return read_number(f, field, json_array_get(v, 0), METER_RATIO_MAX, num) &&
           read_number(f, field, json_array_get(v, 1), METER_RATIO_MAX, den);
}

/* ---- one function for each member ---- */

typedef bool member_fn(struct form *f, const char *field, const json_t *v);

static bool name(struct form *f, const char *field, const json_t *v)
{
    return read_text(f, field, v, f->m->name, sizeof f->m->name);
}

static bool place(struct form *f, const char *field, const json_t *v)
{
    return read_text(f, field, v, f->m->place, sizeof f->m->place);
}

static bool url(struct form *f, const char *field, const json_t *v)
{
    return read_text(f, field, v, f->m->url, sizeof f->m->url);
}

static bool client(struct form *f, const char *field, const json_t *v)
{
    return read_sap(f, field, v, &f->m->client_sap);
}

static bool server(struct form *f, const char *field, const json_t *v)
{
    return read_sap(f, field, v, &f->m->server_sap);
}

static bool auth(struct form *f, const char *field, const json_t *v)
{
    if (json_is_string(v) && meter_auth_parse(json_string_value(v), &f->m->auth))
        return true;
    return wrong(f, field, "auth must be none, lls or hls5.");
}

static bool security(struct form *f, const char *field, const json_t *v)
{
    if (json_is_string(v) && meter_security_parse(json_string_value(v), &f->m->security))
        return true;
    return wrong(f, field, "security must be none, auth, enc or authenc.");
}

static bool timeout_s(struct form *f, const char *field, const json_t *v)
{
    uint32_t s = 0;
    if (!read_number(f, field, v, METER_TIMEOUT_MAX_S, &s))
        return false;
    f->m->timeout_ms = s * 1000;
    return true;
}

static bool register_period_s(struct form *f, const char *field, const json_t *v)
{
    return read_number(f, field, v, METER_PERIOD_MAX_S, &f->m->register_period_s);
}

static bool ct(struct form *f, const char *field, const json_t *v)
{
    return read_ratio(f, field, v, &f->m->ct_num, &f->m->ct_den);
}

static bool vt(struct form *f, const char *field, const json_t *v)
{
    return read_ratio(f, field, v, &f->m->vt_num, &f->m->vt_den);
}

static bool enabled(struct form *f, const char *field, const json_t *v)
{
    if (!json_is_boolean(v))
        return wrong(f, field, "enabled must be true or false.");
    f->m->enabled = json_is_true(v);
    return true;
}

static bool read_key(struct form *f, const char *field, const json_t *v, uint8_t key[16], bool *has)
{
    if (json_is_null(v)) {
        wipe(key, 16);
        *has = false;
        return true;
    }
    if (!json_is_string(v) || !meter_key_parse(json_string_value(v), key))
        return wrong(f, field, "%s must be 32 hexadecimal digits.", field);
    *has = true;
    return true;
}

static bool keys(struct form *f, const char *field, const json_t *v)
{
    struct dlms_keys *k = &f->secret->keys;
    const char *member;
    json_t *key;
    *f->secret_given = true;
    if (json_is_null(v)) {
        wipe(k, sizeof *k);
        return true;
    }
    if (!json_is_object(v))
        return wrong(f, field, "keys must be an object with guek and gak.");
    json_object_foreach((json_t *)(uintptr_t)v, member, key)
    {
        const bool guek = strcmp(member, "guek") == 0;
        if (!guek && strcmp(member, "gak") != 0) {
            f->fault->unknown = true;
            return wrong(f, member, "There is no such member of keys.");
        }
        if (!read_key(f, guek ? "guek" : "gak", key, guek ? k->guek : k->gak,
                      guek ? &k->has_guek : &k->has_gak))
            return false;
    }
    return true;
}

static bool password(struct form *f, const char *field, const json_t *v)
{
    *f->secret_given = true;
    if (json_is_null(v)) {
        wipe(f->secret->password, sizeof f->secret->password);
        return true;
    }
    return read_text(f, field, v, f->secret->password, sizeof f->secret->password);
}

static const struct {
    const char *field;
    member_fn *read;
} members[] = {
    {"name", name},
    {"url", url},
    {"place", place},
    {"client", client},
    {"server", server},
    {"auth", auth},
    {"security", security},
    {"timeout_s", timeout_s},
    {"register_period_s", register_period_s},
    {"ct", ct},
    {"vt", vt},
    {"enabled", enabled},
    {"keys", keys},
    {"password", password},
};

static bool read_member(struct form *f, const char *field, const json_t *v)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(members[i].field, field) == 0)
            return members[i].read(f, members[i].field, v);
    }
    f->fault->unknown = true;
    return wrong(f, field, "There is no such member.");
}

bool meter_form_read(const json_t *object, bool need_name_url, struct store_meter *m,
                     struct meter_secret *secret, bool *secret_given,
                     struct meter_form_fault *fault)
{
    struct form f = {m, secret, secret_given, fault};
    struct meter_fault bad;
    const char *field;
    json_t *v;
    *secret_given = false;
    memset(fault, 0, sizeof *fault);
    json_object_foreach((json_t *)(uintptr_t)object, field, v)
    {
        if (!read_member(&f, field, v))
            return false;
    }
    for (size_t i = 0; need_name_url && i < 2; i++) {
        if (json_object_get(object, members[i].field) == NULL)
            return wrong(&f, members[i].field, "%s is missing.", members[i].field);
    }
    if (meter_check(m, secret, &bad))
        return true;
    return wrong(&f, bad.field, "%s %s.", bad.field, bad.message);
}
