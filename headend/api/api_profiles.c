/* Profiles: what there is, rows of a span, totals of days. */
#include "headend/api/api_csv.h"
#include "headend/api/api_meter_json.h"
#include "headend/api/api_values.h"
#include "headend/api/obis_name.h"
#include "headend/api/time_text.h"

#include "lib/cosem/obis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

static bool last_layout(void *context, const struct store_block *b)
{
    *(int64_t *)context = b->layout;
    return true;
}

/* The columns of the newest rows; none while there are no rows. */
static enum err newest_columns(struct api_request *r, struct json_out *j,
                               const struct store_profile *p)
{
    struct store_layout l = {0};
    int64_t id = 0;
    enum err e = ERR_OK;
    if (p->last_s != 0)
        e = store_blocks_each(r->store, p->id, p->last_s, p->last_s + 1, last_layout, &id);
    if (e == ERR_OK && id != 0)
        e = store_layout_get(r->store, id, &l);
    json_out_key(j, "columns");
    json_out_open(j, '[');
    for (uint32_t i = 0; i < l.n_columns; i++)
        column_json(j, &l.column[i]);
    json_out_close(j, ']');
    return e;
}

static void stamp_or_null(struct json_out *j, const char *key, int64_t s)
{
    json_out_key(j, key);
    if (s == 0)
        json_out_null(j);
    else
        json_out_int(j, s);
}

static void obis_json(struct json_out *j, const uint8_t ln[6])
{
    char obis[OBIS_TEXT];
    obis_print(ln, obis);
    json_out_key(j, "obis");
    json_out_text(j, obis);
}

static enum err profile_json(struct api_request *r, struct json_out *j,
                             const struct store_profile *p)
{
    char name[OBIS_NAME_TEXT];
    obis_name(p->ln, name);
    json_out_open(j, '{');
    obis_json(j, p->ln);
    json_out_key(j, "name");
    json_out_text(j, name);
    json_out_key(j, "period_s");
    json_out_int(j, p->period_s);
    stamp_or_null(j, "first", p->first_s);
    stamp_or_null(j, "last", p->last_s);
    const enum err e = newest_columns(r, j, p);
    json_out_close(j, '}');
    return e;
}

void api_meter_profiles(struct api_request *r)
{
    struct store_profile list[STORE_PROFILES_MAX];
    struct store_meter m;
    size_t n = 0;
    if (!api_meter(r, &m))
        return;
    enum err e = store_profiles_get(r->store, m.id, list, STORE_PROFILES_MAX, &n);
    struct json_out *j = api_answer(r, 200);
    json_out_open(j, '{');
    json_out_key(j, "profiles");
    json_out_open(j, '[');
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = profile_json(r, j, &list[i]);
    json_out_close(j, ']');
    json_out_close(j, '}');
    if (e != ERR_OK)
        api_refuse_store(r, e);
}

/* ---- a span of one ---- */

struct span {
    struct store_profile profile;
    int64_t from_s, to_s;
};

static bool find_profile(struct api_request *r, struct store_profile *p)
{
    struct store_profile list[STORE_PROFILES_MAX];
    struct store_meter m;
    size_t n = 0;
    if (!api_meter(r, &m))
        return false;
    const enum err e = store_profiles_get(r->store, m.id, list, STORE_PROFILES_MAX, &n);
    if (e != ERR_OK) {
        api_refuse_store(r, e);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (memcmp(list[i].ln, r->path.ln, 6) == 0) {
            *p = list[i];
            return true;
        }
    }
    api_refuse(r, 404, "not_found", "obis", "The meter has no such profile.");
    return false;
}

static bool stamp(struct api_request *r, const char *name, int64_t *out)
{
    const char *text = api_query(r, name);
    char *end;
    if (text == NULL) {
        api_refuse(r, 422, "invalid", name, "%s is missing.", name);
        return false;
    }
    const size_t n = strspn(text, "0123456789");
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (n == 0 || n > 11 || *end != '\0' || errno != 0) {
        api_refuse(r, 422, "invalid", name, "%s must be seconds since 1970.", name);
        return false;
    }
    return true;
}

static bool read_span(struct api_request *r, struct span *s)
{
    if (!stamp(r, "from", &s->from_s) || !stamp(r, "to", &s->to_s))
        return false;
    if (s->to_s < s->from_s) {
        api_refuse(r, 422, "invalid", "to", "to is before from.");
        return false;
    }
    if (s->to_s - s->from_s > VALUES_SPAN_MAX_S) {
        api_refuse(r, 422, "invalid", "to", "At most 400 days at once.");
        return false;
    }
    return find_profile(r, &s->profile);
}

static void refuse_values(struct api_request *r, enum err e)
{
    if (e == ERR_FULL)
        api_refuse(r, 422, "too_large", "to", "That is too much at once; ask for a shorter span.");
    else
        api_refuse_store(r, e);
}

static void columns_json(struct json_out *j, const struct columns *c)
{
    json_out_key(j, "columns");
    json_out_open(j, '[');
    for (size_t i = 0; i < c->n; i++)
        column_json(j, &c->column[i]);
    json_out_close(j, ']');
}

static void zones_json(struct json_out *j, const struct values *v)
{
    const int first = v->n == 0 ? 0 : values_zone_min(v, 0);
    size_t i = 0;
    while (i < v->n && values_zone_min(v, i) == first)
        i++;
    json_out_key(j, "zone_min");
    if (i == v->n) {
        json_out_int(j, first);
        return;
    }
    json_out_open(j, '[');
    for (i = 0; i < v->n; i++)
        json_out_int(j, values_zone_min(v, i));
    json_out_close(j, ']');
}

static void column_values(struct json_out *j, const struct values *v, size_t c)
{
    json_out_open(j, '[');
    for (size_t i = 0; i < v->n; i++) {
        const int64_t raw = values_at(v, i, c);
        if (raw == DAY_MISSING)
            json_out_null(j);
        else
            json_out_int(j, raw);
    }
    json_out_close(j, ']');
}

static void values_json(struct json_out *j, const struct span *s, const struct values *v)
{
    json_out_open(j, '{');
    obis_json(j, s->profile.ln);
    json_out_key(j, "period_s");
    json_out_int(j, s->profile.period_s);
    json_out_key(j, "from");
    json_out_int(j, s->from_s);
    json_out_key(j, "to");
    json_out_int(j, s->to_s);
    columns_json(j, &v->columns);
    json_out_key(j, "t");
    json_out_open(j, '[');
    for (size_t i = 0; i < v->n; i++)
        json_out_int(j, v->row[i].stamp_s);
    json_out_close(j, ']');
    zones_json(j, v);
    json_out_key(j, "status");
    json_out_open(j, '[');
    for (size_t i = 0; i < v->n; i++)
        json_out_int(j, v->row[i].status);
    json_out_close(j, ']');
    json_out_key(j, "values");
    json_out_open(j, '[');
    for (size_t c = 0; c < v->columns.n; c++)
        column_values(j, v, c);
    json_out_close(j, ']');
    json_out_close(j, '}');
}

static void answer_csv(struct api_request *r, const struct span *s, const struct values *v)
{
    char name[128], first[TIME_TEXT];
    const uint8_t *ln = s->profile.ln;
    time_text_day(s->from_s / DAY_S, first);
    snprintf(name, sizeof name, "attachment; filename=\"meter-%" PRId64 "_%u-%u_%u.%u.%u_%s.csv\"",
             r->path.id, ln[0], ln[1], ln[2], ln[3], ln[4], first);
    struct json_out *out = api_answer(r, 200);
    r->answer.type = "text/csv; charset=utf-8";
    values_csv(out, v);
    api_header(r, "Content-Disposition", name);
}

void api_profile_values(struct api_request *r)
{
    const char *format = api_query(r, "format");
    const bool csv = format != NULL && strcmp(format, "csv") == 0;
    struct values v = {0};
    struct span s;
    if (format != NULL && !csv && strcmp(format, "json") != 0) {
        api_refuse(r, 422, "invalid", "format", "format is json or csv.");
        return;
    }
    if (!read_span(r, &s))
        return;
    const enum err e = values_gather(&v, r->store, s.profile.id, s.from_s, s.to_s);
    if (e != ERR_OK)
        refuse_values(r, e);
    else if (csv)
        answer_csv(r, &s, &v);
    else
        values_json(api_answer(r, 200), &s, &v);
    values_free(&v);
}

/* ---- days ---- */

struct day_list {
    struct store_day_total *total;
    size_t n, size;
    int64_t last; /* day, included */
    bool failed;
};

static bool collect(void *context, const struct store_day_total *t)
{
    struct day_list *list = context;
    if (t->day > list->last)
        return true;
    if (list->n == list->size) {
        const size_t size = list->size == 0 ? 256 : list->size * 2;
        struct store_day_total *p = realloc(list->total, size * sizeof *p);
        list->failed = p == NULL;
        if (list->failed)
            return false;
        list->total = p;
        list->size = size;
    }
    list->total[list->n++] = *t;
    return true;
}

static void total_json(struct json_out *j, const struct store_day_total *t)
{
    if (t == NULL || t->n_values == 0) {
        json_out_null(j);
        return;
    }
    json_out_open(j, '{');
    json_out_key(j, "sum");
    json_out_int(j, t->sum);
    json_out_key(j, "first");
    json_out_int(j, t->first);
    json_out_key(j, "last");
    json_out_int(j, t->last);
    json_out_key(j, "n");
    json_out_int(j, t->n_values);
    json_out_close(j, '}');
}

/* The day's total of column c of the whole, from whichever layout has it. */
static const struct store_day_total *total_of(const struct store_day_total *t, size_t n, size_t c,
                                              const struct columns *columns)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < columns->n_layouts; k++) {
            const struct columns_layout *l = &columns->layout[k];
            if (l->id == t[i].layout && t[i].column < l->n && l->at[t[i].column] == c)
                return &t[i];
        }
    }
    return NULL;
}

/* Totals t[0..n) are all of one day. */
static void day_json(struct json_out *j, const struct store_day_total *t, size_t n,
                     const struct columns *columns)
{
    char day[TIME_TEXT];
    uint64_t n_rows = 0;
    for (size_t i = 0; i < n; i++) { /* each layout's rows once */
        if (i == 0 || t[i].layout != t[i - 1].layout)
            n_rows += t[i].n_rows;
    }
    time_text_day(t->day, day);
    json_out_open(j, '{');
    json_out_key(j, "day");
    json_out_text(j, day);
    json_out_key(j, "n_rows");
    json_out_int(j, (int64_t)n_rows);
    json_out_key(j, "n_expected");
    json_out_int(j, t->n_expected);
    json_out_key(j, "totals");
    json_out_open(j, '[');
    for (size_t c = 0; c < columns->n; c++)
        total_json(j, total_of(t, n, c, columns));
    json_out_close(j, ']');
    json_out_close(j, '}');
}

/* A day between others of which nothing is there. */
static void empty_day_json(struct json_out *j, int64_t day, uint32_t period_s, size_t n_columns)
{
    char text[TIME_TEXT];
    time_text_day(day, text);
    json_out_open(j, '{');
    json_out_key(j, "day");
    json_out_text(j, text);
    json_out_key(j, "n_rows");
    json_out_int(j, 0);
    json_out_key(j, "n_expected");
    json_out_int(j, period_s != 0 ? DAY_S / (int64_t)period_s : 0);
    json_out_key(j, "totals");
    json_out_open(j, '[');
    for (size_t c = 0; c < n_columns; c++)
        json_out_null(j);
    json_out_close(j, ']');
    json_out_close(j, '}');
}

static void days_json(struct json_out *j, const struct span *s, const struct day_list *list,
                      const struct columns *columns)
{
    const struct store_profile *p = &s->profile;
    const int64_t from = s->from_s > p->first_s ? s->from_s : p->first_s;
    const int64_t end = list->last < p->last_s / DAY_S ? list->last : p->last_s / DAY_S;
    int64_t day = p->last_s != 0 ? from / DAY_S : INT64_MAX;
    json_out_open(j, '{');
    obis_json(j, p->ln);
    columns_json(j, columns);
    json_out_key(j, "days");
    json_out_open(j, '[');
    for (size_t i = 0; i < list->n;) {
        size_t n = 1;
        while (i + n < list->n && list->total[i + n].day == list->total[i].day)
            n++;
        for (; day < list->total[i].day; day++)
            empty_day_json(j, day, p->period_s, columns->n);
        day_json(j, list->total + i, n, columns);
        day = list->total[i].day + 1;
        i += n;
    }
    for (; day <= end; day++)
        empty_day_json(j, day, p->period_s, columns->n);
    json_out_close(j, ']');
    json_out_close(j, '}');
}

void api_profile_days(struct api_request *r)
{
    struct columns *columns = calloc(1, sizeof *columns);
    struct day_list list = {0};
    struct span s;
    if (columns == NULL || !read_span(r, &s)) {
        if (columns == NULL)
            api_refuse_store(r, ERR_MEMORY);
        free(columns);
        return;
    }
    list.last = s.to_s > s.from_s ? (s.to_s - 1) / DAY_S : -1;
    enum err e =
        store_day_totals_each(r->store, s.profile.id, s.from_s / DAY_S, list.last, collect, &list);
    if (list.failed)
        e = ERR_MEMORY;
    for (size_t i = 0; i < list.n && e == ERR_OK; i++)
        (void)columns_of(columns, r->store, list.total[i].layout, &e);
    if (e == ERR_OK)
        days_json(api_answer(r, 200), &s, &list, columns);
    else
        refuse_values(r, e);
    free(list.total);
    free(columns);
}
