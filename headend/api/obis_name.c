#include "headend/api/obis_name.h"

#include "lib/cosem/obis.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- objects with a name of their own, in any channel (B); F is 255 ---- */

static const struct {
    uint8_t a, c, d, e;
    const char *name;
} named[] = {
    {0, 1, 0, 0, "Clock"},
    {0, 42, 0, 0, "Logical device name"},
    {0, 96, 1, 0, "Serial number"},
    {0, 96, 7, 15, "Last long power failure"},
    {0, 96, 7, 16, "Last long power failure, L1"},
    {0, 96, 7, 17, "Last long power failure, L2"},
    {0, 96, 7, 18, "Last long power failure, L3"},
    {0, 96, 7, 19, "Last long power failure, any phase"},
    {0, 96, 7, 20, "Long power failure, threshold"},
    {0, 96, 7, 128, "Time without supply, total"},
    {0, 96, 7, 130, "Short power failure, threshold"},
    {0, 96, 10, 1, "Load profile 1 status"},
    {0, 96, 10, 2, "Load profile 2 status"},
    {0, 96, 14, 0, "Currently active energy tariff"},
    {0, 98, 1, 0, "Billing period 1"},
    {0, 99, 98, 0, "Event log"},
    {1, 0, 3, 0, "LED constant, active"},
    {1, 0, 3, 1, "LED constant, reactive"},
    {1, 0, 6, 0, "Nominal voltage"},
    {1, 0, 6, 1, "Nominal current"},
    {1, 0, 6, 2, "Nominal frequency"},
    {1, 0, 6, 3, "Maximum current"},
    {1, 0, 9, 11, "Clock, shift limit"},
    {1, 0, 10, 0, "Transformer magnetising reactance Xm"},
    {1, 0, 10, 1, "Transformer iron losses resistance RFe"},
    {1, 0, 10, 2, "Line resistance RCu"},
    {1, 0, 10, 3, "Line reactance Xs"},
    {1, 81, 7, 0, "Angle of U against U(L1), L1"},
    {1, 81, 7, 1, "Angle of U against U(L1), L2"},
    {1, 81, 7, 2, "Angle of U against U(L1), L3"},
    {1, 81, 7, 4, "Angle of I against U of its phase, L1"},
    {1, 81, 7, 15, "Angle of I against U of its phase, L2"},
    {1, 81, 7, 26, "Angle of I against U of its phase, L3"},
    {1, 83, 8, 19, "Normalised transformer losses"},
    {1, 83, 8, 20, "Normalised line losses"},
    {1, 98, 1, 0, "Billing period 1"},
    {1, 98, 2, 0, "Daily profile"},
    {1, 99, 1, 0, "Load profile 1"},
    {1, 99, 1, 1, "Load profile 3"},
    {1, 99, 1, 2, "Load profile 4"},
    {1, 99, 2, 0, "Load profile 2"},
    {1, 99, 97, 0, "Power failure log"},
};

/* ---- electricity: quantity (C) and processing (D) ---- */

struct quantity {
    uint8_t c;         /* of the total; +20, +40, +60 are L1, L2, L3 */
    const char *kind;  /* "Active": has power, energy and demand; NULL: a plain quantity */
    const char *power; /* behind "Active power", or the plain name */
    const char *energy;
};
static const struct quantity quantities[] = {
    {1, "Active", " import", " import"},
    {2, "Active", " export", " export"},
    {3, "Reactive", " import", " import"},
    {4, "Reactive", " export", " export"},
    {5, "Reactive", " QI", " QI"},
    {6, "Reactive", " QII", " QII"},
    {7, "Reactive", " QIII", " QIII"},
    {8, "Reactive", " QIV", " QIV"},
    {9, "Apparent", " import", " import"},
    {10, "Apparent", " export", " export"},
    {11, NULL, "Current", NULL},
    {12, NULL, "Voltage", NULL},
    {13, NULL, "Power factor", NULL},
    {14, NULL, "Frequency", NULL},
    {15, "Active", " |+P| + |-P|", " |+A| + |-A|"},
    {16, "Active", ", net", ", net"},
    {17, "Active", " QI", " QI"},
    {18, "Active", " QII", " QII"},
    {19, "Active", " QIII", " QIII"},
    {20, "Active", " QIV", " QIV"},
    {91, NULL, "Current in the neutral", NULL},
    {92, NULL, "Voltage of the neutral", NULL},
    /* as in our own meters' list: 128 and above is the manufacturer's */
    {130, "Reactive", " |+Q| + |-Q|", " |+R| + |-R|"},
    {131, NULL, "Voltage unbalance u2", NULL},
    {132, NULL, "Current unbalance i2", NULL},
    {133, NULL, "Difference of phase and neutral currents", NULL},
    {134, NULL, "Current in the neutral, computed", NULL},
    {135, NULL, "Reactive power, sqrt(S2 - P2)", NULL},
    {136, NULL, "Apparent power, vector sum", NULL},
};

enum noun { POWER, ENERGY, DEMAND };
static const struct {
    uint8_t d;
    enum noun noun;
    const char *before; /* of a demand: its kind */
    const char *behind; /* of a plain quantity, power or energy */
} processing[] = {
    {2, DEMAND, "Cumulative maximum demand", ", cumulative maximum"},
    {3, POWER, "", ", minimum"},
    {4, DEMAND, "Demand", ", average"},
    {5, DEMAND, "Last demand", ", last average"},
    {6, DEMAND, "Maximum demand", ", maximum"},
    {7, POWER, "", ""},
    {8, ENERGY, "", ""},
    {9, ENERGY, "", ", billing period"},
    {13, POWER, "", ", minimum 2"},
    {14, POWER, "", ", average 2"},
    {15, POWER, "", ", last average 2"},
    {16, POWER, "", ", maximum 2"},
    {23, POWER, "", ", minimum 3"},
    {24, POWER, "", ", average 3"},
    {25, POWER, "", ", last average 3"},
    {26, POWER, "", ", maximum 3"},
    {27, POWER, "", ", average 5"},
    {29, ENERGY, "", ", recording interval"},
    {30, ENERGY, "", ", recording interval 2"},
    /* supervision: a dip of a voltage is its time under the limit, a swell that over it */
    {31, POWER, "", ", threshold of under limit"},
    {32, POWER, "", ", times under limit"},
    {33, POWER, "", ", duration under limit"},
    {34, POWER, "", ", magnitude under limit"},
    {35, POWER, "", ", threshold of over limit"},
    {36, POWER, "", ", times over limit"},
    {37, POWER, "", ", duration over limit"},
    {38, POWER, "", ", magnitude over limit"},
    {39, POWER, "", ", threshold of missing"},
    {40, POWER, "", ", times missing"},
    {41, POWER, "", ", duration missing"},
    {42, POWER, "", ", magnitude missing"},
    {43, POWER, "", ", time threshold of under limit"},
    {44, POWER, "", ", time threshold of over limit"},
    {45, POWER, "", ", time threshold of missing"},
};

/* ---- electricity: series of E below one C.D ---- */

static const char *const losses[] = {"on-load, import", "on-load, export", "on-load, sum",
                                     "no-load, import", "no-load, export", "no-load, sum",
                                     "total, import",   "total, export",   "total, sum"};
static const char *const sequences[] = {"zero sequence", "positive sequence", "negative sequence"};

static const struct series {
    uint8_t c, d, e, n; /* of the first, and how many */
    const char *name;
    const char *const *words;
} series[] = {
    {83, 8, 1, 9, "Active losses of transformer and line", losses},
    {83, 8, 10, 9, "Reactive losses of transformer and line", losses},
    {137, 7, 0, 3, "Symmetrical voltage", sequences}, /* from here on our own meters' */
    {138, 7, 0, 3, "Symmetrical current", sequences},
};

/* C of a total or phase. *phase: 0 the total, 1..3. */
static const struct quantity *quantity_of(uint8_t c, int *phase)
{
    *phase = 0;
    if (c > 20 && c <= 80) {
        *phase = (c - 1) / 20;
        c = (uint8_t)(c - 20 * *phase);
    } else if (c >= 150 && c < 200 && (c % 20 == 10 || c % 20 == 15)) { /* of 130 and 135 */
        *phase = (c - 130) / 20;
        c = (uint8_t)(c - 20 * *phase);
    }
    for (size_t i = 0; i < sizeof quantities / sizeof quantities[0]; i++) {
        if (quantities[i].c == c)
            return &quantities[i];
    }
    return NULL;
}

/* The words of C and D; false where there are none. */
static bool base_name(const struct quantity *q, uint8_t d, char *to, size_t size)
{
    for (size_t i = 0; i < sizeof processing / sizeof processing[0]; i++) {
        if (processing[i].d != d)
            continue;
        if (q->kind == NULL)
            snprintf(to, size, "%s%s", q->power, processing[i].behind);
        else if (processing[i].noun == DEMAND)
            snprintf(to, size, "%s, %c%s%s", processing[i].before, q->kind[0] | 0x20, q->kind + 1,
                     q->power);
        else if (processing[i].noun == ENERGY)
            snprintf(to, size, "%s energy%s%s", q->kind, q->energy, processing[i].behind);
        else
            snprintf(to, size, "%s power%s%s", q->kind, q->power, processing[i].behind);
        return q->kind != NULL || processing[i].noun != ENERGY;
    }
    return false;
}

/* Group E: tariff of energies and demands, harmonic of present currents and voltages. */
static bool rate_name(const struct quantity *q, const uint8_t ln[6], char *to, size_t size)
{
    const uint8_t d = ln[3], e = ln[4];
    to[0] = '\0';
    if (e == 0)
        return true;
    if (d == 7 && q->kind == NULL && e == 124)
        snprintf(to, size, ", total harmonic distortion");
    else if (d == 7 && e <= 120)
        snprintf(to, size, ", harmonic %u", e);
    else if (d != 7 && e <= 63)
        snprintf(to, size, ", tariff %u", e);
    else
        return false;
    return true;
}

static bool series_name(const uint8_t ln[6], char *to, size_t size)
{
    for (size_t i = 0; i < sizeof series / sizeof series[0]; i++) {
        const struct series *s = &series[i];
        if (s->c != ln[2] || s->d != ln[3] || ln[4] < s->e || ln[4] >= s->e + s->n)
            continue;
        snprintf(to, size, "%s, %s", s->name, s->words[ln[4] - s->e]);
        return true;
    }
    return false;
}

/* Of C and D, E's rate or harmonic, the phase. */
static bool quantity_name(const uint8_t ln[6], char *to, size_t size)
{
    char base[64], rate[32], of_phase[8] = "";
    int phase;
    const struct quantity *q = quantity_of(ln[2], &phase);
    if (q == NULL || !base_name(q, ln[3], base, sizeof base) ||
        !rate_name(q, ln, rate, sizeof rate))
        return false;
    if (phase > 0)
        snprintf(of_phase, sizeof of_phase, ", L%d", phase);
    snprintf(to, size, "%s%s%s", base, rate, of_phase);
    return true;
}

static bool electricity(const uint8_t ln[6], char to[OBIS_NAME_TEXT])
{
    char name[OBIS_NAME_TEXT - 16], channel[16] = "";
    if (ln[5] != 255 ||
        (!series_name(ln, name, sizeof name) && !quantity_name(ln, name, sizeof name)))
        return false;
    if (ln[1] > 0)
        snprintf(channel, sizeof channel, ", channel %u", ln[1]);
    snprintf(to, OBIS_NAME_TEXT, "%s%s", name, channel);
    return true;
}

void obis_name(const uint8_t ln[6], char to[OBIS_NAME_TEXT])
{
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        const bool same = named[i].a == ln[0] && named[i].c == ln[2] && named[i].d == ln[3] &&
                          named[i].e == ln[4];
        if (same && ln[5] == 255) {
            snprintf(to, OBIS_NAME_TEXT, "%s", named[i].name);
            return;
        }
    }
    if (ln[0] == 1 && electricity(ln, to))
        return;
    char text[OBIS_TEXT];
    obis_print(ln, text);
    snprintf(to, OBIS_NAME_TEXT, "%s", text);
}

enum obis_kind obis_kind(const uint8_t ln[6])
{
    const uint8_t d = ln[3];
    if (ln[0] < 1 || ln[2] == 0 || ln[2] >= 200) /* abstract, or of the manufacturer */
        return OBIS_INSTANT;
    if (d == 29 || d == 30)
        return OBIS_INTERVAL;
    return d == 8 || d == 9 ? OBIS_REGISTER : OBIS_INSTANT;
}

const char *obis_kind_text(enum obis_kind kind)
{
    return kind == OBIS_INTERVAL ? "interval" : kind == OBIS_REGISTER ? "register" : "instant";
}
