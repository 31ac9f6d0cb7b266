/* Every operation once and its refusals, each answer held against openapi.json: the document and
 * the server cannot part. */
#include "headend/api/api_parts.h"
#include "headend/api/api_session_life.h"
#include "tests/headend/api/api_rig.h"
#include "tests/headend/api/schema.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *document(void)
{
    json_error_t e;
    json_t *d = json_load_file(SOURCE_DIR "/headend/api/openapi.json", 0, &e);
    if (d == NULL)
        fail_msg("openapi.json: line %d: %s", e.line, e.text);
    return d;
}

static void lower(const char *from, char to[16])
{
    size_t i = 0;
    for (; from[i] != '\0' && i < 15; i++)
        to[i] = (char)tolower((unsigned char)from[i]);
    to[i] = '\0';
}

/* ---- the table and the document ---- */

static bool asks_csrf(json_t *security)
{
    return json_object_get(json_array_get(security, 0), "csrf") != NULL;
}

static void openapi_has_every_route_and_no_other(void **state)
{
    json_t *d = document(), *paths = json_object_get(d, "paths");
    size_t n_operations = 0;
    const char *path, *name;
    json_t *item, *operation;
    (void)state;
    for (size_t i = 0; i < n_api_routes; i++) {
        const struct api_route *r = &api_routes[i];
        char method[16];
        lower(r->method, method);
        operation = json_object_get(json_object_get(paths, r->path), method);
        if (operation == NULL)
            fail_msg("%s %s is not in the document", r->method, r->path);
        json_t *security = json_object_get(operation, "security");
        assert_int_equal(json_is_array(security) && json_array_size(security) == 0, r->open);
        assert_int_equal(asks_csrf(security), r->changes && !r->open);
        assert_int_equal(json_object_get(operation, "requestBody") != NULL,
                         r->body == API_JSON_BODY || r->body == API_CSV_BODY);
    }
    json_object_foreach(paths, path, item)
    {
        json_object_foreach(item, name, operation) n_operations += strcmp(name, "parameters") != 0;
    }
    assert_int_equal(n_operations, n_api_routes);
    json_decref(d);
}

static void openapi_examples_fit_their_schemas(void **state)
{
    json_t *d = document(), *schema;
    const char *name;
    char why[200];
    unsigned n = 0;
    (void)state;
    json_object_foreach(json_object_get(json_object_get(d, "components"), "schemas"), name, schema)
    {
        json_t *example = json_object_get(schema, "example");
        if (example == NULL)
            continue;
        if (!schema_check(d, schema, example, why))
            fail_msg("example of %s: %s", name, why);
        n++;
    }
    assert_true(n > 12);
    json_decref(d);
}

/* ---- the tour ---- */

struct tour {
    struct rig r;
    json_t *document;
    bool succeeded[64]; /* of api_routes */
};

/* The route that a path goes to, as an index. */
static size_t route_of(const char *method, const char *path)
{
    const struct api_route *route;
    struct api_path parts;
    char allow[64], bare[300];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(path, "?"), path);
    if (api_route_find(method, bare, &route, &parts, allow, sizeof allow) != API_FOUND)
        fail_msg("%s %s is no route", method, path);
    return (size_t)(route - api_routes);
}

static void check_body(struct tour *t, json_t *content, const struct http_answer *a,
                       const char *what)
{
    char type[100], why[200] = "";
    http_header(a, "Content-Type", type, sizeof type);
    type[strcspn(type, ";")] = '\0';
    json_t *media = json_object_get(content, type);
    if (media == NULL)
        fail_msg("%s: %s is not documented", what, type);
    if (strcmp(type, "application/json") != 0)
        return;
    json_t *v = json_loads(a->body, JSON_REJECT_DUPLICATES, NULL);
    if (v == NULL)
        fail_msg("%s: no JSON: %.200s", what, a->body);
    if (!schema_check(t->document, json_object_get(media, "schema"), v, why))
        fail_msg("%s: %s in %.300s", what, why, a->body);
    json_decref(v);
}

/* Asks, wants the status, holds the answer against the document; the body if wanted (free it). */
static char *step(struct tour *t, int status, const char *method, const char *path,
                  const char *body, const char *type)
{
    const size_t i = route_of(method, path);
    char low[16], code[8], what[400];
    struct http_answer a = rig_ask(&t->r, method, path, body, type, "");
    snprintf(what, sizeof what, "%s %s -> %d", method, path, a.status);
    if (a.status != status)
        fail_msg("%s, wanted %d: %.300s", what, status, a.body);
    lower(method, low);
    snprintf(code, sizeof code, "%d", a.status);
    json_t *operation = json_object_get(
        json_object_get(json_object_get(t->document, "paths"), api_routes[i].path), low);
    json_t *answer =
        schema_resolve(t->document, json_object_get(json_object_get(operation, "responses"), code));
    if (answer == NULL)
        fail_msg("%s: the status is not documented", what);
    json_t *content = json_object_get(answer, "content");
    if (content == NULL)
        assert_int_equal(a.body_len, 0);
    else
        check_body(t, content, &a, what);
    if (a.status < 300)
        t->succeeded[i] = true;
    char *text = strdup(a.body);
    http_free(&a);
    return text;
}

static void go(struct tour *t, int status, const char *method, const char *path, const char *body)
{
    free(step(t, status, method, path, body, NULL));
}

static json_t *look(struct tour *t, const char *path)
{
    char *text = step(t, 200, "GET", path, NULL, NULL);
    json_t *v = json_loads(text, 0, NULL);
    free(text);
    return v;
}

static void begin_tour(struct tour *t)
{
    memset(t, 0, sizeof *t);
    t->document = document();
    rig_start(&t->r, 0);
}

static void end_tour(struct tour *t)
{
    rig_stop(&t->r);
    json_decref(t->document);
}

static const char *text_of(json_t *v, const char *key)
{
    return json_string_value(json_object_get(v, key));
}

static void tour_sign_in(struct tour *t)
{
    go(t, 200, "GET", "/health", NULL);
    go(t, 200, "GET", "/api/v1/openapi.json", NULL);
    go(t, 401, "GET", "/api/v1/session", NULL);
    go(t, 401, "GET", "/api/v1/meters", NULL);
    go(t, 400, "POST", "/api/v1/session", "{\"user\":");
    go(t, 400, "POST", "/api/v1/session", "[]");
    go(t, 422, "POST", "/api/v1/session", "{\"user\":\"admin\"}");
    go(t, 422, "POST", "/api/v1/session", "{\"user\":\"a\",\"password\":\"b\",\"x\":1}");
    go(t, 401, "POST", "/api/v1/session", "{\"user\":\"admin\",\"password\":\"wrong\"}");
    go(t, 401, "POST", "/api/v1/session", "{\"user\":\"nobody\",\"password\":\"wrong\"}");
    go(t, 200, "POST", "/api/v1/session",
       "{\"user\":\"" RIG_USER "\",\"password\":\"" RIG_PASSWORD "\"}");
    assert_int_equal(rig_sign_in(&t->r, RIG_USER, RIG_PASSWORD), 200);
    json_t *v = look(t, "/api/v1/session");
    assert_string_equal(text_of(v, "user"), RIG_USER);
    assert_string_equal(text_of(v, "csrf"), t->r.csrf);
    assert_string_equal(text_of(v, "ends"), "2026-11-28T08:00:00Z");
    json_decref(v);
}

static void tour_meters(struct tour *t)
{
    go(t, 201, "POST", "/api/v1/meters",
       "{\"name\":\"Two\",\"url\":\"tcp://127.0.0.1:40002\",\"place\":\"Shop\",\"client\":3,"
       "\"auth\":\"hls5\",\"security\":\"authenc\",\"ct\":[200,5],\"register_period_s\":15,"
       "\"keys\":{\"guek\":\"000102030405060708090A0B0C0D0E0F\","
       "\"gak\":\"D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF\"}}");
    assert_int_equal(t->r.changed, 2);
    json_t *v = look(t, "/api/v1/meters/2");
    assert_true(json_is_true(json_object_get(v, "has_keys")));
    assert_true(json_is_false(json_object_get(v, "has_password")));
    assert_string_equal(text_of(v, "security"), "authenc");
    assert_string_equal(text_of(v, "quality"), "never");
    json_decref(v);
    go(t, 409, "POST", "/api/v1/meters", "{\"name\":\"Two\",\"url\":\"tcp://127.0.0.1:40002\"}");
    go(t, 422, "POST", "/api/v1/meters", "{\"name\":\"Three\"}");
    go(t, 422, "POST", "/api/v1/meters", "{\"name\":\"Three\",\"url\":\"http://x\"}");
    go(t, 422, "POST", "/api/v1/meters",
       "{\"name\":\"Three\",\"url\":\"tcp://127.0.0.1:1\",\"colour\":\"red\"}");
    go(t, 422, "PATCH", "/api/v1/meters/2", "{\"keys\":{\"kek\":\"00\"}}");
    go(t, 422, "PATCH", "/api/v1/meters/2", "{\"keys\":null}");
    go(t, 409, "PATCH", "/api/v1/meters/2", "{\"name\":\"One\"}");
    go(t, 404, "PATCH", "/api/v1/meters/99", "{\"name\":\"One\"}");
    go(t, 200, "PATCH", "/api/v1/meters/2",
       "{\"keys\":null,\"auth\":\"lls\",\"security\":\"none\",\"password\":\"12345678\"}");
    v = look(t, "/api/v1/meters/2");
    assert_true(json_is_false(json_object_get(v, "has_keys")));
    assert_true(json_is_true(json_object_get(v, "has_password")));
    json_decref(v);
    go(t, 200, "PATCH", "/api/v1/meters/2", "{\"enabled\":false}");
    go(t, 202, "POST", "/api/v1/meters/1/read", NULL);
    assert_int_equal(t->r.read, 1);
    go(t, 202, "POST", "/api/v1/meters/1/read", "{}");
    go(t, 409, "POST", "/api/v1/meters/2/read", NULL);
    go(t, 404, "POST", "/api/v1/meters/99/read", NULL);
    go(t, 404, "GET", "/api/v1/meters/99", NULL);
    v = look(t, "/api/v1/meters");
    assert_int_equal(json_array_size(json_object_get(v, "meters")), 2);
    json_decref(v);
}

static void tour_state(struct tour *t)
{
    t->r.state = (struct meter_state){.activity = METER_READING,
                                      .n_failed = 2,
                                      .next_ms = RIG_START_MS + 5000,
                                      .error = "no answer from 127.0.0.1",
                                      .rows_done = 10,
                                      .rows_expected = 96};
    t->r.has_state = true;
    json_t *v = look(t, "/api/v1/meters/1");
    assert_string_equal(text_of(v, "activity"), "reading");
    assert_string_equal(text_of(v, "error"), "no answer from 127.0.0.1");
    assert_string_equal(text_of(v, "next"), "2026-11-21T08:00:05Z");
    assert_string_equal(text_of(v, "quality"), "fresh");
    assert_int_equal(json_integer_value(json_object_get(v, "age_s")), 3);
    json_t *headline = json_object_get(v, "headline");
    assert_int_equal(json_array_size(headline), 2);
    json_t *energy = json_array_get(headline, 0);
    assert_string_equal(text_of(energy, "name"), "Active energy import");
    assert_int_equal(json_number_value(json_object_get(energy, "value")), 49380);
    json_decref(v);
    t->r.totals = (struct collector_totals){
        .n_meters = 2, .store_failing = true, .reason = "the disk is full"};
    v = look(t, "/health");
    assert_string_equal(text_of(v, "status"), "degraded");
    assert_string_equal(text_of(v, "reason"), "the disk is full");
    json_decref(v);
}

static void tour_registers(struct tour *t)
{
    go(t, 404, "GET", "/api/v1/meters/99/registers", NULL);
    json_t *v = look(t, "/api/v1/meters/1/registers");
    json_t *list = json_object_get(v, "registers");
    assert_int_equal(json_array_size(list), 3);
    json_t *power = json_array_get(list, 0), *energy = json_array_get(list, 1);
    json_t *frequency = json_array_get(list, 2);
    assert_int_equal(json_number_value(json_object_get(power, "value")), 12400);
    assert_string_equal(text_of(power, "quality"), "fresh");
    assert_string_equal(text_of(energy, "quality"), "stale");
    assert_int_equal(json_integer_value(json_object_get(energy, "age_s")), 200);
    assert_int_equal(json_integer_value(json_object_get(energy, "multiplier")), 40);
    assert_true(json_is_null(json_object_get(frequency, "value")));
    assert_string_equal(text_of(frequency, "quality"), "never");
    assert_string_equal(text_of(frequency, "result"), "read-write-denied");
    json_decref(v);
}

#define PROFILE "/api/v1/meters/1/profiles/1-0:99.1.0.255"

static void tour_values(struct tour *t)
{
    go(t, 404, "GET", "/api/v1/meters/99/profiles", NULL);
    json_t *v = look(t, "/api/v1/meters/1/profiles");
    json_t *p = json_array_get(json_object_get(v, "profiles"), 0);
    assert_string_equal(text_of(p, "name"), "Load profile 1");
    assert_int_equal(json_integer_value(json_object_get(p, "first")), RIG_FIRST_S);
    assert_int_equal(json_array_size(json_object_get(p, "columns")), 6);
    json_decref(v);
    go(t, 422, "GET", PROFILE "/values", NULL);
    go(t, 422, "GET", PROFILE "/values?from=10&to=5", NULL);
    go(t, 422, "GET", PROFILE "/values?from=0&to=34560001", NULL);
    go(t, 422, "GET", PROFILE "/values?from=x&to=5", NULL);
    go(t, 422, "GET", PROFILE "/values?from=0&to=5&format=xml", NULL);
    go(t, 404, "GET", "/api/v1/meters/1/profiles/1-0:99.2.0.255/values?from=0&to=5", NULL);
    v = look(t, PROFILE "/values?from=1795132800&to=1795136400");
    assert_int_equal(json_array_size(json_object_get(v, "t")), 4);
    assert_int_equal(json_integer_value(json_object_get(v, "zone_min")), 60);
    json_t *values = json_object_get(v, "values");
    assert_int_equal(json_array_size(values), 6);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(values, 0), 0)), 1000000);
    json_decref(v);
    v = look(t, PROFILE "/values?from=1795137300&to=1795137301"); /* row 5 */
    values = json_object_get(v, "values");
    assert_true(json_is_null(json_array_get(json_array_get(values, 1), 0)));
    json_decref(v);
    char *csv =
        step(t, 200, "GET", PROFILE "/values?from=1795132800&to=1795133700&format=csv", NULL, NULL);
    assert_non_null(strstr(csv, "\"1-0:1.8.0.255 Active energy import [Wh]\""));
    assert_non_null(strstr(csv, "\r\n2026-11-20T01:00:00+01:00,0,100000,"));
    assert_non_null(strstr(csv, ",480,12\r\n")); /* 120 x 10^-1 x 40 and x 1 */
    free(csv);
}

static void tour_days(struct tour *t)
{
    go(t, 422, "GET", PROFILE "/days?from=0", NULL);
    go(t, 404, "GET", "/api/v1/meters/9/profiles/1-0:99.1.0.255/days?from=0&to=5", NULL);
    json_t *v = look(t, PROFILE "/days?from=1795132800&to=1795219200");
    json_t *days = json_object_get(v, "days");
    assert_int_equal(json_array_size(days), 1);
    json_t *day = json_array_get(days, 0);
    assert_string_equal(text_of(day, "day"), "2026-11-20");
    assert_int_equal(json_integer_value(json_object_get(day, "n_rows")), 96);
    assert_int_equal(json_integer_value(json_object_get(day, "n_expected")), 96);
    json_t *total = json_array_get(json_object_get(day, "totals"), 4);
    int64_t sum = 0;
    for (int64_t n = 0; n < 96; n++)
        sum += 120 + (n * 7919) % 83;
    assert_int_equal(json_integer_value(json_object_get(total, "sum")), sum);
    total = json_array_get(json_object_get(day, "totals"), 1);
    assert_int_equal(json_integer_value(json_object_get(total, "n")), 95);
    json_decref(v);
}

static void tour_other_layout(struct tour *t)
{
    rig_other_layout(&t->r, 1, 2);
    json_t *v = look(t, PROFILE "/values?from=1795219200&to=1795392000"); /* days 1 and 2 */
    json_t *columns = json_object_get(v, "columns"), *values = json_object_get(v, "values");
    assert_int_equal(json_array_size(columns), 7);
    assert_int_equal(json_array_size(json_object_get(v, "t")), 192);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(columns, 0), "scaler")), -1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(columns, 6), "scaler")), 0);
    assert_true(json_is_null(json_array_get(json_array_get(values, 0), 96)));
    assert_true(json_is_null(json_array_get(json_array_get(values, 6), 95)));
    assert_true(json_is_integer(json_array_get(json_array_get(values, 6), 96)));
    assert_true(json_is_integer(json_array_get(json_array_get(values, 2), 96)));
    json_decref(v);
    v = look(t, PROFILE "/days?from=1795219200&to=1795392000");
    assert_int_equal(json_array_size(json_object_get(v, "columns")), 7);
    assert_int_equal(json_array_size(json_object_get(v, "days")), 2);
    json_decref(v);
}

static void tour_import(struct tour *t)
{
    const char *csv = "name,url,client\r\nImport 1,tcp://127.0.0.1:5001,16\r\n"
                      "Import 2,nowhere,16\r\n";
    char *text = step(t, 200, "POST", "/api/v1/meters/import?dry_run=true", csv, "text/csv");
    assert_non_null(strstr(text, "\"added\":1,\"refused\":1"));
    free(text);
    text = step(t, 200, "POST", "/api/v1/meters/import", csv, "text/csv");
    assert_non_null(strstr(text, "\"line\":3,\"name\":\"Import 2\",\"ok\":false"));
    free(text);
    json_t *v = look(t, "/api/v1/meters");
    assert_int_equal(json_array_size(json_object_get(v, "meters")), 3);
    json_decref(v);
    free(step(t, 422, "POST", "/api/v1/meters/import", "colour\r\nred\r\n", "text/csv"));
    free(step(t, 422, "POST", "/api/v1/meters/import?dry_run=maybe", csv, "text/csv"));
    free(step(t, 415, "POST", "/api/v1/meters/import", csv, "application/json"));
}

static void tour_password(struct tour *t)
{
    struct rig *r = &t->r;
    go(t, 422, "PUT", "/api/v1/session/password", "{\"old\":\"x\",\"new\":\"short\"}");
    go(t, 422, "PUT", "/api/v1/session/password", "{\"old\":\"x\",\"new\":\"long enough it is\"}");
    struct http_answer a =
        rig_ask(r, "PUT", "/api/v1/session/password",
                "{\"old\":\"" RIG_PASSWORD "\",\"new\":\"another horse 8\"}", NULL, "");
    assert_int_equal(a.status, 204);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401); /* the old cookie */
    char cookie[300];
    http_header(&a, "Set-Cookie", cookie, sizeof cookie);
    snprintf(r->cookie, sizeof r->cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
    http_free(&a);
    t->succeeded[route_of("PUT", "/api/v1/session/password")] = true;
    go(t, 200, "GET", "/api/v1/session", NULL);
    assert_int_equal(rig_status(r, "POST", "/api/v1/meters/1/read", NULL), 202); /* same CSRF */
    go(t, 204, "DELETE", "/api/v1/session", NULL);
    go(t, 401, "GET", "/api/v1/session", NULL);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 401);
    go(t, 429, "POST", "/api/v1/session", "{\"user\":\"admin\",\"password\":\"x\"}");
    rig_pass(r, 3600000);
    assert_int_equal(rig_sign_in(r, RIG_USER, "another horse 8"), 200);
}

static void api_answers_every_operation_as_documented(void **state)
{
    struct tour t;
    (void)state;
    begin_tour(&t);
    assert_int_equal(rig_meter(&t.r, "One", 2), 1);
    tour_sign_in(&t);
    tour_meters(&t);
    tour_state(&t);
    tour_registers(&t);
    tour_values(&t);
    tour_days(&t);
    tour_other_layout(&t);
    tour_import(&t);
    tour_password(&t);
    const int fd = rig_listen(&t.r);
    assert_true(fd >= 0);
    t.succeeded[route_of("GET", "/api/v1/events")] = true;
    for (size_t i = 0; i < n_api_routes; i++) {
        if (!t.succeeded[i])
            fail_msg("%s %s was not visited", api_routes[i].method, api_routes[i].path);
    }
    end_tour(&t);
    assert_true(http_closed(fd, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openapi_has_every_route_and_no_other),
        cmocka_unit_test(openapi_examples_fit_their_schemas),
        cmocka_unit_test(api_answers_every_operation_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
