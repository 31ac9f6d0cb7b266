/* Health, and the event stream's beginning. */
#include "headend/api/api_parts.h"

#include <string.h>

static void number(struct json_out *j, const char *key, uint64_t value)
{
    json_out_key(j, key);
    json_out_int(j, (int64_t)value);
}

void api_health(struct api_request *r)
{
    const struct collector_hooks *hooks = &r->api->o.hooks;
    struct collector_totals t;
    memset(&t, 0, sizeof t);
    hooks->totals(hooks->context, &t);
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "status");
    json_out_text(j, t.store_failing ? "degraded" : "ok");
    json_out_key(j, "reason");
    if (t.store_failing)
        json_out_text(j, t.reason);
    else
        json_out_null(j);
    json_out_key(j, "version");
    json_out_text(j, r->api->o.version);
    number(j, "meters", t.n_meters);
    number(j, "up_to_date", t.n_up_to_date);
    number(j, "failing", t.n_failing);
    number(j, "connections", t.n_connections);
    number(j, "rows", t.n_rows);
    number(j, "values", t.n_values);
    json_out_close(j, '}');
}

void api_events(struct api_request *r)
{
    api_empty(r, 200);
    if (!r->head) {
        r->answer.ready = event_hub_listen(r->api->hub, r->connection, r->session.digest);
        if (r->answer.ready == NULL) {
            api_refuse(r, 503, "busy", NULL, "Too many event streams at once.");
            api_header(r, "Retry-After", "5");
            return;
        }
        r->streaming = true;
    }
    r->answer.type = "text/event-stream";
    api_header(r, "Connection", "close");     /* when the stream ends the connection does */
    api_header(r, "X-Accel-Buffering", "no"); /* nginx would hold the events back */
}
