/* Reading and printing profiles. The buffer of a meter is hostile input: a row with another number
 * of cells than columns is an error, not a guess. */
#include "cli/client_profile.h"
#include "cli/client_curve.h"

#include "lib/cosem/obis.h"
#include "lib/dlms/datetime.h"

#include <stdlib.h>
#include <string.h>

/* One attribute of the profile; a refusal is reported here. */
static int get_attr(struct link *l, const uint8_t ln[6], uint8_t id, struct blob *out)
{
    struct apdu_attr attr = {.class_id = 7, .id = id};
    enum cosem_result result = COSEM_OTHER_REASON;
    memcpy(attr.ln, ln, sizeof attr.ln);
    const int code = link_get(l, &attr, out, &result, NULL);
    if (code == LINK_OK && result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "attribute %u of the profile: %s", id,
                        cosem_result_text(result));
    return code;
}

static int read_columns(struct link *l, struct profile_view *p, struct blob *room)
{
    int code = get_attr(l, p->ln, 3, room);
    struct rd r = rd_of(room->p, room->len);
    if (code != LINK_OK)
        return code;
    p->n_columns = axdr_get_array(&r);
    if (!r.err && (p->n_columns == 0 || p->n_columns > PROFILE_COLUMNS_MAX))
        rd_fail(&r, ERR_RANGE);
    for (size_t i = 0; i < p->n_columns && !r.err; i++)
        profile_get_column(&r, &p->column[i]);
    if (r.err)
        return cli_fail(l->verb, CLI_BAD_DATA, "capture_objects: %s at octet %zu", err_text(r.err),
                        r.err_pos);
    for (size_t i = 0; i < p->n_columns && code == LINK_OK; i++) {
        struct apdu_attr attr = {.class_id = p->column[i].class_id, .id = p->column[i].attribute};
        memcpy(attr.ln, p->column[i].ln, sizeof attr.ln);
        code = object_unit(l, &attr, &p->unit[i]);
    }
    return code;
}

static int read_number(struct link *l, const uint8_t ln[6], uint8_t id, uint32_t *out,
                       struct blob *room)
{
    const int code = get_attr(l, ln, id, room);
    struct rd r = rd_of(room->p, room->len);
    if (code != LINK_OK)
        return code;
    *out = (uint32_t)axdr_get_uint(&r);
    return r.err ? cli_fail(l->verb, CLI_BAD_DATA, "attribute %u of the profile is no number", id)
                 : LINK_OK;
}

static void put_time(struct wr *w, const uint8_t time[12])
{
    axdr_put_octets(w, time, 12);
}

/* The selective access parameter for the wish, in `out`; its selector, 0 for none. */
static uint8_t put_selection(const struct profile_wish *wish, uint32_t in_use, bool newest_first,
                             struct wr *out)
{
    uint8_t from[16], to[16];
    struct wr from_w = wr_of(from, sizeof from), to_w = wr_of(to, sizeof to);
    struct profile_entries e = {.from = wish->first, .to = wish->last, .from_column = 1};
    if (wish->by_time) {
        const struct profile_column by = {
            .class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2};
        put_time(&from_w, wish->from);
        put_time(&to_w, wish->to);
        const struct profile_range range = {
            .by = by, .from = {from, from_w.len}, .to = {to, to_w.len}};
        profile_put_range(out, &range);
        return PROFILE_BY_RANGE;
    }
    if (wish->newest != 0) {
        e.from = newest_first || in_use <= wish->newest ? 1 : in_use - wish->newest + 1;
        e.to = newest_first && wish->newest < in_use ? wish->newest : 0;
    } else if (!wish->by_entry) {
        return 0;
    }
    profile_put_entries(out, &e);
    return PROFILE_BY_ENTRY;
}

/* The instant after `previous` by the capture period, as text; NULL where that cannot be told. */
static json_t *next_time(const json_t *previous, uint32_t period_s)
{
    uint8_t octets[DATETIME_LEN];
    char text[DATETIME_TEXT];
    struct datetime d;
    int64_t utc;
    const char *before = json_string_value(previous);
    if (before == NULL || period_s == 0 || !value_parse_time(before, octets) ||
        datetime_decode(octets, &d) || datetime_to_utc(&d, 0, &utc))
        return NULL;
    const int16_t deviation = d.deviation;
    d = datetime_from_utc(utc + period_s, deviation == DATETIME_ANY_DEV ? 0 : deviation,
                          DATETIME_STATUS_ANY);
    d.deviation = deviation;
    datetime_text(&d, text);
    return json_string(text);
}

/* null-data in a cell: as in the row before; the time goes on by the period. */
static void fill_row(const struct profile_view *p, json_t *row)
{
    const size_t n = json_array_size(p->rows);
    const json_t *before = n > 0 ? json_array_get(p->rows, n - 1) : NULL;
    for (size_t i = 0; i < p->n_columns && before != NULL; i++) {
        json_t *last = json_array_get(before, i);
        if (!json_is_null(json_array_get(row, i)))
            continue;
        json_t *time = p->column[i].class_id == 8 ? next_time(last, p->period_s) : NULL;
        json_array_set_new(row, i, time != NULL ? time : json_incref(last));
    }
}

static int parse_rows(struct link *l, struct profile_view *p, struct bytes axdr)
{
    struct rd r = rd_of(axdr.p, axdr.len);
    p->rows = json_array();
    for (size_t n = axdr_get_array(&r); n > 0 && !r.err; n--) {
        json_t *row = value_json(&r);
        if (row != NULL && json_array_size(row) == p->n_columns) {
            fill_row(p, row);
            json_array_append(p->rows, row);
        } else if (!r.err) {
            rd_fail(&r, ERR_TYPE);
        }
        json_decref(row);
    }
    if (r.err)
        return cli_fail(l->verb, CLI_BAD_DATA, "row %zu of the profile: %s at octet %zu",
                        json_array_size(p->rows) + 1, err_text(r.err), r.err_pos);
    return LINK_OK;
}

static int read_buffer(struct link *l, struct profile_view *p, const struct profile_wish *wish,
                       struct blob *room)
{
    uint8_t parameter[128];
    struct wr w = wr_of(parameter, sizeof parameter);
    struct apdu_attr attr = {.class_id = 7, .id = 2};
    enum cosem_result result = COSEM_OTHER_REASON;
    uint32_t in_use = 0, sort_method = 1;
    int code = LINK_OK;
    memcpy(attr.ln, p->ln, sizeof attr.ln);
    if (wish->newest != 0)
        code = read_number(l, p->ln, 7, &in_use, room);
    if (code == LINK_OK && wish->newest != 0)
        code = read_number(l, p->ln, 5, &sort_method, room);
    attr.selector = put_selection(wish, in_use, sort_method == 2, &w);
    attr.parameter = (struct bytes){parameter, w.len};
    if (code == LINK_OK)
        code = link_get(l, &attr, room, &result, "profile");
    if (code == LINK_OK && result != COSEM_SUCCESS)
        code = cli_fail(l->verb, CLI_NO, "the meter refused the profile: %s",
                        cosem_result_text(result));
    return code == LINK_OK ? parse_rows(l, p, (struct bytes){room->p, room->len}) : code;
}

int profile_read(struct link *l, const uint8_t ln[6], const struct profile_wish *wish,
                 struct profile_view *p)
{
    struct blob room = {0};
    memset(p, 0, sizeof *p);
    memcpy(p->ln, ln, sizeof p->ln);
    int code = read_columns(l, p, &room);
    if (code == LINK_OK)
        code = read_number(l, ln, 4, &p->period_s, &room);
    if (code == LINK_OK)
        code = read_buffer(l, p, wish, &room);
    blob_free(&room);
    return code;
}

void profile_free(struct profile_view *p)
{
    json_decref(p->rows);
    memset(p, 0, sizeof *p);
}

json_t *profile_json(const struct profile_view *p)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < p->n_columns; i++) {
        char name[OBIS_TEXT], room[16];
        const struct value_unit *u = &p->unit[i];
        obis_print(p->column[i].ln, name);
        json_t *c = json_pack("{s:s, s:i, s:i}", "obis", name, "class", p->column[i].class_id,
                              "attribute", p->column[i].attribute);
        json_object_set_new(c, "unit",
                            u->known ? json_string(value_unit_text(u->unit, room)) : json_null());
        json_object_set_new(c, "scaler", u->known ? json_integer(u->scaler) : json_null());
        json_array_append_new(columns, c);
    }
    return json_pack("{s:o, s:O, s:I}", "columns", columns, "rows", p->rows, "capture_period_s",
                     (json_int_t)p->period_s);
}

/* ---- table ---- */

static void format_cell(const struct profile_view *p, size_t column, const json_t *cell,
                        char out[40])
{
    const struct value_unit *u = &p->unit[column];
    if (json_is_string(cell)) {
        snprintf(out, 40, "%s", json_string_value(cell));
    } else if (json_is_number(cell) && u->known) {
        json_t *scaled = value_scaled(cell, u->scaler);
        snprintf(out, 40, "%.*f", u->scaler < 0 ? -u->scaler : 0, json_number_value(scaled));
        json_decref(scaled);
    } else {
        char *text = json_dumps(cell, VALUE_JSON_FLAGS);
        snprintf(out, 40, "%s", text != NULL ? text : "");
        free(text);
    }
}

static void print_row(const struct profile_view *p, const json_t *row, const int width[], FILE *to)
{
    for (size_t i = 0; i < p->n_columns; i++) {
        char cell[40];
        format_cell(p, i, json_array_get(row, i), cell);
        fprintf(to, "%s%*s", i > 0 ? "  " : "", width[i], cell);
    }
    fputc('\n', to);
}

/* The heading of a column as a meter's display would name it (C.D.E, IEC 62056-61), so that a row
 * fits a terminal: A-B: and F only where they say something. */
static void short_name(const struct profile_column *c, char name[24])
{
    const uint8_t *ln = c->ln;
    if (c->class_id == 8)
        snprintf(name, 24, "time");
    else if (ln[0] == 1 && ln[1] == 0 && ln[5] == 255)
        snprintf(name, 24, "%u.%u.%u", ln[2], ln[3], ln[4]);
    else if (ln[0] == 0 && ln[2] == 96 && ln[3] == 10)
        snprintf(name, 24, "status");
    else
        snprintf(name, 24, "%u-%u:%u.%u.%u", ln[0], ln[1], ln[2], ln[3], ln[4]);
}

static void print_heading(const struct profile_view *p, const int width[], FILE *to)
{
    for (size_t i = 0; i < p->n_columns; i++) {
        char name[OBIS_TEXT];
        short_name(&p->column[i], name);
        fprintf(to, "%s%*s", i > 0 ? "  " : "", width[i], name);
    }
    fputc('\n', to);
    for (size_t i = 0; i < p->n_columns; i++) {
        char room[16];
        fprintf(to, "%s%*s", i > 0 ? "  " : "", width[i],
                p->unit[i].known ? value_unit_text(p->unit[i].unit, room) : "");
    }
    fputc('\n', to);
}

void profile_print(const struct profile_view *p, size_t max_rows, FILE *to)
{
    int width[PROFILE_COLUMNS_MAX];
    const size_t n = json_array_size(p->rows);
    const size_t head = max_rows == 0 || n <= max_rows ? n : max_rows / 2;
    const size_t tail = max_rows == 0 || n <= max_rows ? n : n - (max_rows - head);
    for (size_t i = 0; i < p->n_columns; i++) {
        char cell[40];
        short_name(&p->column[i], cell);
        width[i] = (int)strlen(cell);
        for (size_t r = 0; r < n; r++) {
            format_cell(p, i, json_array_get(json_array_get(p->rows, r), i), cell);
            width[i] = (int)strlen(cell) > width[i] ? (int)strlen(cell) : width[i];
        }
    }
    print_heading(p, width, to);
    for (size_t r = 0; r < n; r++) {
        if (r == head && tail > head)
            fprintf(to, "%*s  (%zu rows left out)\n", width[0], "...", tail - head);
        if (r < head || r >= tail)
            print_row(p, json_array_get(p->rows, r), width, to);
    }
}

/* ---- curve ---- */

static double cell_number(const struct profile_view *p, size_t row, size_t column)
{
    json_t *scaled =
        value_scaled(json_array_get(json_array_get(p->rows, row), column), p->unit[column].scaler);
    const double x = value_number(scaled);
    json_decref(scaled);
    return x;
}

/* Time integrals (D = 8) grow for ever: the consumption is their difference from row to row. */
static bool is_total(const struct profile_column *c)
{
    return c->ln[2] >= 1 && c->ln[2] < 96 && c->ln[3] == 8;
}

/* The first energy of a recording interval (D = 29), else the first column with a unit. */
static int choose_column(const struct profile_view *p)
{
    int first = -1;
    for (size_t i = p->n_columns; i-- > 0;)
        if (p->unit[i].known)
            first = (int)i;
    for (size_t i = 0; i < p->n_columns; i++)
        if (p->unit[i].known && p->column[i].ln[3] == 29)
            return (int)i;
    return first;
}

static void print_caption(const struct profile_view *p, size_t column, FILE *to)
{
    char name[OBIS_TEXT], label[96], room[16];
    obis_print(p->column[column].ln, name);
    fprintf(to, "%s %s%s, %s\n", name, object_name(0, p->column[column].ln, label),
            is_total(&p->column[column]) ? " (differences)" : "",
            value_unit_text(p->unit[column].unit, room));
}

bool profile_curve(const struct profile_view *p, int column, FILE *to)
{
    const size_t n = json_array_size(p->rows);
    const int chosen = column >= 0 ? column : choose_column(p);
    if (chosen < 0 || (size_t)chosen >= p->n_columns || n < 2)
        return false;
    const size_t c = (size_t)chosen;
    const size_t skip = is_total(&p->column[c]) ? 1 : 0;
    double *y = calloc(n, sizeof *y);
    if (y == NULL)
        return false;
    for (size_t i = skip; i < n; i++)
        y[i - skip] = cell_number(p, i, c) - (skip > 0 ? cell_number(p, i - 1, c) : 0);
    print_caption(p, c, to);
    curve_print(y, n - skip, json_string_value(json_array_get(json_array_get(p->rows, skip), 0)),
                json_string_value(json_array_get(json_array_get(p->rows, n - 1), 0)), to);
    free(y);
    return true;
}
