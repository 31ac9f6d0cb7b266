/* See head_end.h. */
#define _GNU_SOURCE
#include "tests/system/head_end.h"

#include "tests/system/answers.h"

#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROFILE_1 "1-0:99.1.0.255"

static void listen_and_learn(struct head_end *h)
{
    static const char password[] = "admin password: ", listening[] = "listening on ";
    char line[200];
    while (process_line(h->out, line, sizeof line)) {
        if (strncmp(line, password, sizeof password - 1) == 0)
            sscanf(line + sizeof password - 1, "%63s", h->password);
        if (strncmp(line, listening, sizeof listening - 1) == 0) {
            snprintf(h->url, sizeof h->url, "%.79s", line + sizeof listening - 1);
            return;
        }
    }
    fail_msg("no head-end came up: %s", file_text(h->err_name));
}

void head_end_start(struct head_end *h, const char *dir, const char *listen)
{
    static unsigned count;
    const char *const words[] = {"ferraris",
                                 "headend",
                                 "run",
                                 "--data",
                                 dir,
                                 "--listen",
                                 listen != NULL ? listen : "127.0.0.1:0",
                                 h->log != NULL ? "--log" : NULL,
                                 h->log,
                                 NULL};
    snprintf(h->err_name, sizeof h->err_name, "headend-%u", count++);
    h->pid = process_spawn(words, &h->out, h->err_name);
    listen_and_learn(h);
    http_client_init(&h->api, h->url);
    http_sign_in(&h->api, "admin", h->password);
}

void head_end_stop(struct head_end *h)
{
    kill(h->pid, SIGTERM);
    const int code = process_end(h->pid, h->out, h->err_name);
    h->pid = 0;
    if (code != 0)
        fail_msg("the head-end ended with %d: %s", code, file_text(h->err_name));
}

void head_end_kill(struct head_end *h)
{
    kill(h->pid, SIGKILL);
    assert_int_equal(process_end(h->pid, h->out, h->err_name), 128 + SIGKILL);
    h->pid = 0;
}

void head_end_drop(struct head_end *h)
{
    if (h->pid <= 0 || kill(h->pid, SIGKILL) != 0)
        return;
    waitpid(h->pid, NULL, 0);
    h->pid = 0;
    close(h->out);
}

/* "name = value" of a keys file. */
static void key_of(const char *text, const char *name, char out[33])
{
    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && sscanf(at + strlen(name), " = %32s", out) == 1)
            return;
    }
    fail_msg("the keys file has no %s", name);
}

int64_t head_end_add(struct head_end *h, const char *name, const char *url, const char *keys,
                     json_t *more)
{
    char guek[33], gak[33];
    char *text = file_text(keys);
    key_of(text, "guek", guek);
    key_of(text, "gak", gak);
    free(text);
    json_t *body = json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:{s:s,s:s}}", "name", name, "url", url,
                             "client", 3, "auth", "hls5", "security", "authenc",
                             "register_period_s", 1, "keys", "guek", guek, "gak", gak);
    assert_non_null(body);
    if (more != NULL)
        assert_int_equal(json_object_update(body, more), 0);
    json_decref(more);
    json_t *answer = http_json(&h->api, "POST", "/api/v1/meters", body, 201);
    const int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(body);
    json_decref(answer);
    return id;
}

static void path_of(char *path, size_t size, int64_t id, const char *tail)
{
    snprintf(path, size, "/api/v1/meters/%lld%s", (long long)id, tail);
}

json_t *head_end_meter(struct head_end *h, int64_t id)
{
    char path[160];
    path_of(path, sizeof path, id, "");
    return http_json(&h->api, "GET", path, NULL, 200);
}

void head_end_await(struct head_end *h, int64_t id)
{
    const time_t end = time(NULL) + PROCESS_PATIENCE_S;
    char error[256] = "";
    while (time(NULL) < end) {
        json_t *meter = head_end_meter(h, id);
        const bool done = json_is_true(json_object_get(meter, "up_to_date"));
        const char *why = json_string_value(json_object_get(meter, "error"));
        snprintf(error, sizeof error, "%s", why != NULL ? why : "no error");
        json_decref(meter);
        if (done)
            return;
        usleep(50000);
    }
    fail_msg("meter %lld is not up to date: %s", (long long)id, error);
}

void head_end_read(struct head_end *h, int64_t id)
{
    char path[160];
    path_of(path, sizeof path, id, "/read");
    json_t *body = json_object();
    json_decref(http_json(&h->api, "POST", path, body, 202));
    json_decref(body);
}

json_t *head_end_register(struct head_end *h, int64_t id, const char *obis, json_t **all)
{
    char path[160];
    size_t i;
    json_t *one;
    path_of(path, sizeof path, id, "/registers");
    *all = http_json(&h->api, "GET", path, NULL, 200);
    json_array_foreach(json_object_get(*all, "registers"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "obis")), obis) == 0)
            return one;
    }
    fail_msg("meter %lld has no register %s", (long long)id, obis);
    return NULL;
}

/* All that the profile has, by its operation `what`. */
static json_t *whole_profile(struct head_end *h, int64_t id, const char *what)
{
    char path[160];
    int64_t first = 0, last = 0;
    size_t i;
    json_t *one;
    path_of(path, sizeof path, id, "/profiles");
    json_t *list = http_json(&h->api, "GET", path, NULL, 200);
    json_array_foreach(json_object_get(list, "profiles"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "obis")), PROFILE_1) != 0)
            continue;
        first = json_integer_value(json_object_get(one, "first"));
        last = json_integer_value(json_object_get(one, "last"));
    }
    json_decref(list);
    char tail[128];
    snprintf(tail, sizeof tail, "/profiles/" PROFILE_1 "/%s?from=%lld&to=%lld", what,
             (long long)first, (long long)last + 1);
    path_of(path, sizeof path, id, tail);
    return http_json(&h->api, "GET", path, NULL, 200);
}

json_t *head_end_profile(struct head_end *h, int64_t id)
{
    return whole_profile(h, id, "values");
}

json_t *head_end_days(struct head_end *h, int64_t id)
{
    return whole_profile(h, id, "days");
}

const json_t *head_end_column(const json_t *profile, const char *obis, const json_t **column)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(profile, "columns"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "obis")), obis) != 0)
            continue;
        if (column != NULL)
            *column = one;
        return json_array_get(json_object_get(profile, "values"), i);
    }
    return NULL;
}

void head_end_row_is(const json_t *profile, size_t i, const json_t *told, size_t k)
{
    const json_t *columns = json_object_get(told, "columns");
    const int64_t stamp = told_stamp(told, k);
    const int64_t got = json_integer_value(json_array_get(json_object_get(profile, "t"), i));
    if (stamp != got)
        fail_msg("row %zu: the meter has %lld, the head-end %lld", k, (long long)stamp,
                 (long long)got);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(profile, "status"), i)),
                     told_cell(told, k, "0-0:96.10.1.255"));
    assert_true(json_array_size(columns) > 2);
    for (size_t c = 2; c < json_array_size(columns); c++) { /* behind clock and status */
        const char *obis = json_string_value(json_object_get(json_array_get(columns, c), "obis"));
        const json_t *values = head_end_column(profile, obis, NULL);
        assert_non_null(values);
        assert_int_equal(json_integer_value(json_array_get(values, i)), told_cell(told, k, obis));
    }
}

static bool same_row(const json_t *a, size_t i, const json_t *b, size_t k)
{
    const json_t *va = json_object_get(a, "values"), *vb = json_object_get(b, "values");
    if (!json_equal(json_array_get(json_object_get(a, "t"), i),
                    json_array_get(json_object_get(b, "t"), k)) ||
        !json_equal(json_array_get(json_object_get(a, "status"), i),
                    json_array_get(json_object_get(b, "status"), k)) ||
        json_array_size(va) != json_array_size(vb))
        return false;
    for (size_t c = 0; c < json_array_size(va); c++) {
        if (!json_equal(json_array_get(json_array_get(va, c), i),
                        json_array_get(json_array_get(vb, c), k)))
            return false;
    }
    return true;
}

size_t head_end_still_told(const json_t *before, const json_t *after)
{
    const size_t n = json_array_size(json_object_get(after, "t"));
    size_t at = 0;
    for (size_t i = 0; before != NULL && i < json_array_size(json_object_get(before, "t")); i++) {
        while (at < n && !same_row(before, i, after, at))
            at++;
        if (at++ >= n)
            fail_msg("row %zu that the API told is gone", i);
    }
    return n;
}
