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

/* ---- names, but neither scaler nor unit: what the maker's other lists and data sheets say ---- */

static const struct scalers {
    const char *name, *prefix; /* of the list's version or of the logical device name */
    int8_t energy, current, factor;
    int8_t voltage, fine_voltage; /* fine: numbers that would be too many volts */
} makers[] = {
    {"Kamstrup_V0001", "Kamstrup_V", 1, -2, -2, 0, -2},
    {"Landis+Gyr, customer interface", "LGZ", 0, -2, -3, 0, -1},
    {"Iskraemeco, customer interface", "ISK", 0, -2, -3, -1, -1},
};
#define WHOLE_VOLTS 1000

static bool unit_of(const struct scalers *m, const unsigned code[6], json_int_t raw, int *scaler,
                    uint8_t *unit)
{
    const unsigned c = code[2], d = code[3], kind = c % 20; /* C 21.., 41.., 61..: the phases */
    *scaler = 0;
    if (code[0] != 1 || c > 80)
        return false;
    if (d == 8 && ((c >= 1 && c <= 8) || (c > 20 && kind >= 1 && kind <= 4))) {
        *scaler = m->energy;
        *unit = kind <= 2 ? COSEM_UNIT_WH : COSEM_UNIT_VARH;
    } else if (d == 7 && kind >= 1 && kind <= 4) {
        *unit = kind <= 2 ? COSEM_UNIT_W : COSEM_UNIT_VAR;
    } else if (d == 7 && kind == 11) {
        *scaler = m->current;
        *unit = COSEM_UNIT_A;
    } else if (d == 7 && kind == 12) {
        *scaler = raw > WHOLE_VOLTS ? m->fine_voltage : m->voltage;
        *unit = COSEM_UNIT_V;
    } else if (d == 7 && kind == 13) {
        *scaler = m->factor;
        *unit = COSEM_UNIT_NONE;
    } else {
        return false;
    }
    return true;
}

static void complete(json_t *v, const struct scalers *m)
{
    unsigned code[6];
    int scaler;
    uint8_t unit;
    const json_t *raw = json_object_get(v, "raw");
    const char *obis = json_string_value(json_object_get(v, "obis"));
    if (json_is_integer(raw) && json_is_null(json_object_get(v, "unit")) && obis != NULL &&
        sscanf(obis, "%u-%u:%u.%u.%u.%u", &code[0], &code[1], &code[2], &code[3], &code[4],
               &code[5]) == 6 &&
        unit_of(m, code, json_integer_value(raw), &scaler, &unit))
        decode_set_scaler(v, scaler, unit);
}

static const struct scalers *maker_of(const char *text)
{
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        if (strncmp(text, makers[i].prefix, strlen(makers[i].prefix)) == 0)
            return &makers[i];
    return NULL;
}

const char *decode_known_scalers(json_t *values, const json_t *tree)
{
    size_t i;
    json_t *v;
    const struct scalers *maker = maker_of(text_of(json_array_get(members_of(tree), 0)));
    bool any = false;
    json_array_foreach(values, i, v)
    {
        const char *obis = json_string_value(json_object_get(v, "obis"));
        if (maker == NULL && obis != NULL && strcmp(obis, "0-0:42.0.0.255") == 0)
            maker = maker_of(text_of(v));
        any |=
            json_is_integer(json_object_get(v, "raw")) && json_is_null(json_object_get(v, "unit"));
    }
    if (maker == NULL || !any)
        return NULL;
    json_array_foreach(values, i, v) complete(v, maker);
    return maker->name;
}
