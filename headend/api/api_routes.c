/* The table of operations; openapi.json describes the same ones, and a test compares both. */
#include "headend/api/api_parts.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <string.h>

#define OPEN    .open = true
#define CHANGES .changes = true

const struct api_route api_routes[] = {
    {"GET", "/health", OPEN, .handle = api_health},
    {"GET", "/api/v1/openapi.json", OPEN, .handle = api_openapi},
    {"POST", "/api/v1/session", OPEN, CHANGES, .body = API_JSON_BODY, .body_max = API_SMALL_BODY,
     .handle = api_session_begin},
    {"GET", "/api/v1/session", .handle = api_session_show},
    {"DELETE", "/api/v1/session", CHANGES, .handle = api_session_end},
    {"PUT", "/api/v1/session/password", CHANGES, .body = API_JSON_BODY, .body_max = API_SMALL_BODY,
     .handle = api_session_password},
    {"GET", "/api/v1/meters", .handle = api_meters_list},
    {"POST", "/api/v1/meters", CHANGES, .body = API_JSON_BODY, .body_max = API_METER_BODY,
     .handle = api_meters_add},
    {"POST", "/api/v1/meters/import", CHANGES, .body = API_CSV_BODY, .body_max = API_BODY_MAX,
     .handle = api_meters_import},
    {"GET", "/api/v1/meters/{id}", .handle = api_meter_show},
    {"PATCH", "/api/v1/meters/{id}", CHANGES, .body = API_JSON_BODY, .body_max = API_METER_BODY,
     .handle = api_meter_change},
    {"POST", "/api/v1/meters/{id}/read", CHANGES, .body = API_JSON_OR_NONE,
     .body_max = API_SMALL_BODY, .handle = api_meter_read},
    {"GET", "/api/v1/meters/{id}/registers", .handle = api_meter_registers},
    {"GET", "/api/v1/meters/{id}/profiles", .handle = api_meter_profiles},
    {"GET", "/api/v1/meters/{id}/profiles/{obis}/values", .handle = api_profile_values},
    {"GET", "/api/v1/meters/{id}/profiles/{obis}/days", .handle = api_profile_days},
    {"GET", "/api/v1/events", .handle = api_events},
};
const size_t n_api_routes = sizeof api_routes / sizeof api_routes[0];

/* A positive decimal number without leading zeros, n characters. */
static bool number(const char *p, size_t n, int64_t *out)
{
    int64_t v = 0;
    if (n == 0 || n > 18 || p[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

static bool logical_name(const char *p, size_t n, uint8_t ln[6])
{
    char text[OBIS_TEXT];
    if (n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    return obis_parse(text, ln) == ERR_OK;
}

static bool matches(const char *pattern, const char *path, struct api_path *parts)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const size_t n = strcspn(path, "/");
        const bool id = strncmp(pattern, "{id}", 4) == 0;
        if (id ? !number(path, n, &parts->id) : !logical_name(path, n, parts->ln))
            return false;
        pattern = strchr(pattern, '}') + 1;
        path += n;
    }
    return *path == '\0';
}

enum api_found api_route_find(const char *method, const char *path, const struct api_route **route,
                              struct api_path *parts, char *allow, size_t allow_size)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    size_t n = 0;
    for (size_t i = 0; i < n_api_routes; i++) {
        if (!matches(api_routes[i].path, path, parts))
            continue;
        if (strcmp(api_routes[i].method, wanted) == 0) {
            *route = &api_routes[i];
            return API_FOUND;
        }
        const bool get = strcmp(api_routes[i].method, "GET") == 0;
        n += (size_t)snprintf(allow + n, allow_size - n, "%s%s",
                              get ? "GET, HEAD" : api_routes[i].method, ", ");
    }
    if (n == 0)
        return API_NO_PATH;
    snprintf(allow + n, allow_size - n, "OPTIONS");
    return API_NO_METHOD;
}
