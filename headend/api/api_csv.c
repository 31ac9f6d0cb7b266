#include "headend/api/api_csv.h"

#include "headend/api/api_meter_json.h"
#include "headend/api/obis_name.h"
#include "headend/api/time_text.h"

#include "lib/cosem/obis.h"

#include <stdio.h>
#include <string.h>

static void put(struct json_out *out, const char *text)
{
    json_out_raw(out, text, strlen(text));
}

/* "1-0:1.29.0.255 Active energy import, recording interval [Wh]", quoted. */
static void head(struct json_out *out, const struct store_column *c)
{
    char obis[OBIS_TEXT], name[OBIS_NAME_TEXT], unit[UNIT_TEXT];
    char text[OBIS_TEXT + OBIS_NAME_TEXT + UNIT_TEXT + 8];
    obis_print(c->ln, obis);
    obis_name(c->ln, name);
    unit_text(c->unit, unit);
    if (unit[0] != '\0')
        snprintf(text, sizeof text, ",\"%s %s [%s]\"", obis, name, unit);
    else
        snprintf(text, sizeof text, ",\"%s %s\"", obis, name);
    put(out, text);
}

static void cell(struct json_out *out, const struct store_column *c, int64_t raw)
{
    const struct json_decimal d = {raw, c->scaler, c->mul_num, c->mul_den};
    char text[JSON_DECIMAL_TEXT];
    put(out, ",");
    if (raw != DAY_MISSING)
        json_out_raw(out, text, json_decimal_text(&d, text));
}

void values_csv(struct json_out *out, const struct values *v)
{
    const struct columns *columns = &v->columns;
    char text[TIME_TEXT];
    put(out, "time,status");
    for (size_t c = 0; c < columns->n; c++)
        head(out, &columns->column[c]);
    put(out, "\r\n");
    for (size_t i = 0; i < v->n; i++) {
        time_text_zone(v->row[i].stamp_s, values_zone_min(v, i), text);
        put(out, text);
        snprintf(text, sizeof text, ",%u", v->row[i].status);
        put(out, text);
        for (size_t c = 0; c < columns->n; c++)
            cell(out, &columns->column[c], values_at(v, i, c));
        put(out, "\r\n");
    }
}
