/* The lists of the Norwegian customer interface (Kaifa, Kamstrup) and of Iskraemeco's in Slovenia,
 * as their makers publish them. A row of a list: logical name, power of ten, unit. */
#include "cli/decode_lists.h"
#include "cli/decode_values.h"

#include "lib/cosem/units.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct column {
    uint8_t ln[6];
    int8_t scaler;
    uint8_t unit; /* 0: a text or a time */
};

#define P(c, d)                                                                                    \
    {                                                                                              \
        1, 0, (c), (d), 0, 255                                                                     \
    }
#define NAME(...)                                                                                  \
    {                                                                                              \
        {__VA_ARGS__}, 0, 0                                                                        \
    }
#define VERSION    NAME(1, 1, 0, 2, 129, 255)
#define METER_ID   NAME(0, 0, 96, 1, 0, 255)
#define METER_TYPE NAME(0, 0, 96, 1, 7, 255)
#define CLOCK      NAME(0, 0, 1, 0, 0, 255)
#define DEVICE     NAME(0, 0, 42, 0, 0, 255)
#define POWERS                                                                                     \
    {P(1, 7), 0, COSEM_UNIT_W}, {P(2, 7), 0, COSEM_UNIT_W}, {P(3, 7), 0, COSEM_UNIT_VAR},          \
    {                                                                                              \
        P(4, 7), 0, COSEM_UNIT_VAR                                                                 \
    }
#define CURRENT(c, scaler)                                                                         \
    {                                                                                              \
        P(c, 7), (scaler), COSEM_UNIT_A                                                            \
    }
#define VOLTAGE(c)                                                                                 \
    {                                                                                              \
        P(c, 7), -1, COSEM_UNIT_V                                                                  \
    }
#define ENERGIES                                                                                   \
    CLOCK, {P(1, 8), 0, COSEM_UNIT_WH}, {P(2, 8), 0, COSEM_UNIT_WH},                               \
        {P(3, 8), 0, COSEM_UNIT_VARH},                                                             \
    {                                                                                              \
        P(4, 8), 0, COSEM_UNIT_VARH                                                                \
    }
#define TARIFF(c, e)                                                                               \
    {                                                                                              \
        {1, 0, (c), 8, (e), 255}, 0, COSEM_UNIT_WH                                                 \
    }

static const struct column power_only[] = {{P(1, 7), 0, COSEM_UNIT_W}};
/* one phase 9 or 14, three phases 13 or 18 members */
static const struct column kaifa_1[] = {VERSION,         METER_ID,    METER_TYPE, POWERS,
                                        CURRENT(31, -3), VOLTAGE(32), ENERGIES};
static const struct column kaifa_3[] = {
    VERSION,         METER_ID,    METER_TYPE,  POWERS,      CURRENT(31, -3), CURRENT(51, -3),
    CURRENT(71, -3), VOLTAGE(32), VOLTAGE(52), VOLTAGE(72), ENERGIES};
static const struct column iskra_now[] = {DEVICE,
                                          METER_ID,
                                          POWERS,
                                          VOLTAGE(32),
                                          VOLTAGE(52),
                                          VOLTAGE(72),
                                          CURRENT(31, -2),
                                          CURRENT(51, -2),
                                          CURRENT(71, -2),
                                          {P(21, 7), 0, COSEM_UNIT_W},
                                          {P(41, 7), 0, COSEM_UNIT_W},
                                          {P(61, 7), 0, COSEM_UNIT_W},
                                          {P(22, 7), 0, COSEM_UNIT_W},
                                          {P(42, 7), 0, COSEM_UNIT_W},
                                          {P(62, 7), 0, COSEM_UNIT_W}};
static const struct column iskra_energy[] = {DEVICE,
                                             METER_ID,
                                             NAME(0, 0, 96, 3, 10, 255),
                                             NAME(0, 0, 96, 14, 0, 255),
                                             TARIFF(1, 0),
                                             TARIFF(1, 1),
                                             TARIFF(1, 2),
                                             TARIFF(2, 0),
                                             TARIFF(2, 1),
                                             TARIFF(2, 2),
                                             {P(3, 8), 0, COSEM_UNIT_VARH},
                                             {P(4, 8), 0, COSEM_UNIT_VARH}};

static const struct known {
    const char *name,
        *prefix; /* the first member's text begins so; NULL: one double-long-unsigned */
    size_t n;
    const struct column *columns;
} known[] = {
    {"Norwegian list 1 (power alone)", NULL, 1, power_only},
    {"Kaifa KFM_001, one phase", "KFM_", 9, kaifa_1},
    {"Kaifa KFM_001, one phase, hourly", "KFM_", 14, kaifa_1},
    {"Kaifa KFM_001, three phases", "KFM_", 13, kaifa_3},
    {"Kaifa KFM_001, three phases, hourly", "KFM_", 18, kaifa_3},
    {"Iskraemeco, present values", "ISK", 18, iskra_now},
    {"Iskraemeco, energies", "ISK", 12, iskra_energy},
};

static const json_t *members_of(const json_t *tree)
{
    const char *type = json_string_value(json_object_get(tree, "type"));
    const json_t *list = json_object_get(tree, "value");
    return type != NULL && strcmp(type, "structure") == 0 && json_is_array(list) ? list : NULL;
}

static const char *text_of(const json_t *node)
{
    const char *text = json_string_value(json_object_get(node, "value"));
    return text != NULL ? text : "";
}

static bool is_list(const struct known *k, const json_t *members)
{
    const json_t *first = json_array_get(members, 0);
    const char *type = json_string_value(json_object_get(first, "type"));
    if (json_array_size(members) != k->n || type == NULL)
        return false;
    if (k->prefix == NULL)
        return strcmp(type, "double-long-unsigned") == 0;
    return strncmp(text_of(first), k->prefix, strlen(k->prefix)) == 0;
}

const char *decode_known_list(json_t *values, const json_t *tree)
{
    const json_t *members = members_of(tree);
    for (size_t i = 0; i < sizeof known / sizeof known[0] && members != NULL; i++) {
        if (!is_list(&known[i], members))
            continue;
        for (size_t c = 0; c < known[i].n; c++) {
            const struct column *column = &known[i].columns[c];
            json_t *v = decode_add_value(values, column->ln, json_array_get(members, c));
            if (column->unit != 0)
                decode_set_scaler(v, column->scaler, column->unit);
        }
        return known[i].name;
    }
    return NULL;
}

/* ---- Kamstrup: names, but neither scaler nor unit ---- */

/* Voltages came in V, in newer meters with five digits in 10 mV. */
#define KAMSTRUP_WHOLE_VOLTS 1000

static bool kamstrup_unit(unsigned c, unsigned d, const json_t *raw, int *scaler, uint8_t *unit)
{
    const unsigned kind = c % 20; /* C 21..40, 41..60, 61..80: the phases */
    *scaler = 0;
    if (d == 8 && c >= 1 && c <= 4) {
        *scaler = 1;
        *unit = c <= 2 ? COSEM_UNIT_WH : COSEM_UNIT_VARH;
    } else if (d != 7 || c > 80) {
        return false;
    } else if (kind >= 1 && kind <= 4) {
        *unit = kind <= 2 ? COSEM_UNIT_W : COSEM_UNIT_VAR;
    } else if (kind == 11) {
        *scaler = -2;
        *unit = COSEM_UNIT_A;
    } else if (kind == 12) {
        *scaler = json_integer_value(raw) > KAMSTRUP_WHOLE_VOLTS ? -2 : 0;
        *unit = COSEM_UNIT_V;
    } else {
        return false;
    }
    return true;
}

const char *decode_known_scalers(json_t *values, const json_t *tree)
{
    static const char prefix[] = "Kamstrup_V";
    size_t i;
    json_t *v;
    const json_t *members = members_of(tree);
    if (strncmp(text_of(json_array_get(members, 0)), prefix, sizeof prefix - 1) != 0)
        return NULL;
    json_array_foreach(values, i, v)
    {
        unsigned a, b, c, d, e, f;
        int scaler;
        uint8_t unit;
        const json_t *raw = json_object_get(v, "raw");
        const char *obis = json_string_value(json_object_get(v, "obis"));
        if (json_is_integer(raw) && obis != NULL &&
            sscanf(obis, "%u-%u:%u.%u.%u.%u", &a, &b, &c, &d, &e, &f) == 6 &&
            kamstrup_unit(c, d, raw, &scaler, &unit))
            decode_set_scaler(v, scaler, unit);
    }
    return "Kamstrup_V0001";
}
