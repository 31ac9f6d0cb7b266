/* Meters from CSV: the rows' judgement and storing is meter_csv.h's, here it becomes an answer. */
#include "headend/api/api_parts.h"
#include "headend/keys/meter_csv.h"

#include <stdlib.h>
#include <string.h>

/* Of rows told; what is beyond is only counted. A table of API_BODY_MAX has room for half a million
 * rows, and who sends such a one does not read each refusal. */
#define ROWS_MAX (4u * 1024 * 1024)

struct import {
    struct json_out rows; /* the array, written while the rows come */
    uint64_t n_left_off;
    int64_t *id; /* of the meters added: told to the collector after the commit */
    size_t n, size;
    bool failed;
};

static void keep(struct import *im, int64_t id)
{
    if (im->n == im->size) {
        const size_t size = im->size == 0 ? 64 : im->size * 2;
        int64_t *p = realloc(im->id, size * sizeof *p);
        if (p == NULL) {
            im->failed = true;
            return;
        }
        im->id = p;
        im->size = size;
    }
    im->id[im->n++] = id;
}

static void on_row(void *context, const struct meter_csv_row *row)
{
    struct import *im = context;
    struct json_out *j = &im->rows;
    if (row->ok && row->id != 0)
        keep(im, row->id);
    if (j->len > ROWS_MAX) {
        im->n_left_off++;
        return;
    }
    json_out_open(j, '{');
    json_out_key(j, "line");
    json_out_int(j, row->line);
    json_out_key(j, "name");
    json_out_text(j, row->name);
    json_out_key(j, "ok");
    json_out_bool(j, row->ok);
    if (row->ok && row->id != 0) {
        json_out_key(j, "id");
        json_out_int(j, row->id);
    }
    if (!row->ok) {
        json_out_key(j, "field");
        json_out_text(j, row->field);
        json_out_key(j, "message");
        json_out_text(j, row->message);
    }
    json_out_close(j, '}');
}

static bool wants_dry_run(struct api_request *r, bool *dry)
{
    const char *text = api_query(r, "dry_run");
    *dry = text != NULL && strcmp(text, "true") == 0;
    if (text == NULL || *dry || strcmp(text, "false") == 0)
        return true;
    api_refuse(r, 422, "invalid", "dry_run", "dry_run is true or false.");
    return false;
}

static void tell_collector(struct api_request *r, const struct import *im)
{
    const struct collector_hooks *hooks = &r->api->o.hooks;
    for (size_t i = 0; i < im->n; i++)
        hooks->meter_changed(hooks->context, im->id[i]);
    if (im->failed) /* the rest are found at the collector's next start */
        server_log(r->api->o.log, LOG_ERROR, "api: no memory to tell the collector of all meters");
}

static void answer(struct api_request *r, const struct meter_csv_result *result, struct import *im)
{
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "added");
    json_out_int(j, result->n_added);
    json_out_key(j, "refused");
    json_out_int(j, result->n_refused);
    json_out_key(j, "rows");
    json_out_open(j, '[');
    json_out_raw(j, im->rows.p, im->rows.len);
    if (im->rows.err != ERR_OK)
        j->err = im->rows.err;
    json_out_close(j, ']');
    if (im->n_left_off > 0) {
        json_out_key(j, "left_off");
        json_out_int(j, (int64_t)im->n_left_off);
    }
    json_out_close(j, '}');
}

void api_meters_import(struct api_request *r)
{
    struct meter_csv_result result;
    struct import im = {0};
    char why[200] = "";
    bool dry;
    if (!wants_dry_run(r, &dry))
        return;
    json_out_init(&im.rows, API_ANSWER_MAX);
    const struct meter_csv_options o = {.store = r->store,
                                        .key = r->api->o.key,
                                        .clock = r->api->o.clock,
                                        .dry_run = dry,
                                        .row = on_row,
                                        .context = &im};
    const enum err e =
        meter_csv_import(&o, (struct bytes){r->body, r->body_len}, &result, why, sizeof why);
    if (e == ERR_FORMAT) {
        api_refuse(r, 422, "invalid", "header", "%s", why);
    } else if (e != ERR_OK) {
        api_refuse_store(r, e);
    } else {
        tell_collector(r, &im);
        answer(r, &result, &im);
    }
    json_out_free(&im.rows);
    free(im.id);
}
