/* The choices of meters.h: which words a model may be ordered with, and what each changes.
 *
 * A choice is a row of data; applying it copies its fields that are not zero. Words of one kind
 * exclude each other. */
#include "model/meters.h"

#include <string.h>

enum model_bit { /* of a row of meters.c */
                 MT371 = 1,
                 SM402D = 2,
                 ST402D = 4,
                 ST402C = 8,
                 ESOX = 16,
                 SM307 = 32,
                 SX402_DIRECT = SM402D | ST402D,
                 SX402 = SM402D | ST402D | ST402C
};
static const struct {
    const char *name;
    uint8_t bit;
} names[] = {
    {"MT371", MT371},   {"SM402D", SM402D},    {"ST402D", ST402D},
    {"ST402C", ST402C}, {"SMARTESOX-P", ESOX}, {"SM307", SM307},
};

enum kind {
    CURRENT,
    ACTIVE,
    REACTIVE,
    VOLTAGE,
    FREQUENCY,
    WIRING,
    OPTION,
    DIRECTION,
    PHASES,
    RESERVE,
    EVENTS
};

struct row {
    struct model_choice choice;
    uint8_t models; /* enum model_bit */
    uint8_t kind;   /* enum kind */
    bool standard;  /* the row of meters.c is like this */
    bool is_ct, is_3wire;
    uint8_t phases_used;
    uint32_t un_mv, f_mhz, in_ma, imax_ma, ist_ua;
    uint32_t pulse_per_kwh;
    int8_t energy_scaler;
    const char *table, *class, *printed; /* of ACTIVE and REACTIVE */
    uint32_t with, without;              /* features added and taken away */
    uint8_t reserve;                     /* of RESERVE, with reserve_s */
    uint32_t reserve_s;
    uint8_t event_map;
};

#define CLASS(models_, kind_, word, table_, class_, printed_)                                      \
    {                                                                                              \
        .choice = {word, "class " class_ " of " table_}, .models = (models_), .kind = (kind_),     \
        .table = table_, .class = class_, .printed = printed_                                      \
    }
#define CLASS_STANDARD(models_, kind_, word, table_, class_, printed_)                             \
    {                                                                                              \
        .choice = {word, "class " class_ " of " table_}, .models = (models_), .kind = (kind_),     \
        .standard = true, .table = table_, .class = class_, .printed = printed_                    \
    }

/* Starting currents: MT371 prints 0.004 In; behind transformers 0.002 In, which IEC 62053-21 asks
 * of class 1 there and which is below the printed one. smartESOX P 0.001 Iref as in its row. */
static const struct row rows[] = {
    {.choice = {"5(85)", "In 5 A, Imax 85 A, direct"},
     .models = MT371,
     .kind = CURRENT,
     .standard = true},
    {.choice = {"5(120)", "In 5 A, Imax 120 A, direct"},
     .models = MT371,
     .kind = CURRENT,
     .in_ma = 5000,
     .imax_ma = 120000,
     .ist_ua = 20000},
    {.choice = {"10(85)", "In 10 A, Imax 85 A, direct"},
     .models = MT371,
     .kind = CURRENT,
     .in_ma = 10000,
     .imax_ma = 85000,
     .ist_ua = 40000},
    {.choice = {"10(120)", "In 10 A, Imax 120 A, direct"},
     .models = MT371,
     .kind = CURRENT,
     .in_ma = 10000,
     .imax_ma = 120000,
     .ist_ua = 40000},
    {.choice = {"ct", "In 5 A, Imax 6 A, through transformers"},
     .models = MT371,
     .kind = CURRENT,
     .is_ct = true,
     .in_ma = 5000,
     .imax_ma = 6000,
     .ist_ua = 10000,
     .pulse_per_kwh = 10000,
     .energy_scaler = -2,
     .with = MODEL_RATIOS},
    {.choice = {"5a", "Iref 5 A, Imax 6 A"}, .models = ESOX, .kind = CURRENT, .standard = true},
    {.choice = {"1a", "Iref 1 A, Imax 6 A"},
     .models = ESOX,
     .kind = CURRENT,
     .in_ma = 1000,
     .imax_ma = 6000,
     .ist_ua = 1000},

    CLASS_STANDARD(MT371, ACTIVE, "class1", "62053-21", "1", "1"),
    CLASS(MT371, ACTIVE, "class2", "62053-21", "2", "2"),
    CLASS(MT371, ACTIVE, "classb", "50470-3", "B", "B"),
    CLASS(MT371, ACTIVE, "classa", "50470-3", "A", "A"),
    CLASS_STANDARD(SX402_DIRECT, ACTIVE, "class1", "62053-21", "1", "1 (B)"),
    CLASS_STANDARD(ST402C, ACTIVE, "class0.5s", "62053-22", "0.5S", "0.5S (C)"),
    CLASS(ST402C, ACTIVE, "class1", "62053-21", "1", "1 (B)"),
    CLASS(SX402, ACTIVE, "class2", "62053-21", "2", "2 (A)"),
    CLASS(SX402, ACTIVE, "classc", "50470-3", "C", "C"),
    CLASS(SX402, ACTIVE, "classb", "50470-3", "B", "B (1)"),
    CLASS(SX402, ACTIVE, "classa", "50470-3", "A", "A (2)"),
    CLASS_STANDARD(ESOX, ACTIVE, "classc", "50470-3", "C", "C"),
    CLASS(ESOX, ACTIVE, "classb", "50470-3", "B", "B"),

    CLASS_STANDARD(SX402 | ESOX, REACTIVE, "var2", "62053-23", "2", "2"),
    CLASS(SX402 | ESOX, REACTIVE, "var3", "62053-23", "3", "3"),

    {.choice = {"230v", "230 V phase to neutral"},
     .models = SX402 | ESOX,
     .kind = VOLTAGE,
     .standard = true},
    {.choice = {"110v", "110 V phase to neutral"},
     .models = SX402,
     .kind = VOLTAGE,
     .un_mv = 110000},
    {.choice = {"58v", "3x58/100 V"}, .models = ESOX, .kind = VOLTAGE, .un_mv = 57735},

    {.choice = {"50hz", "50 Hz"}, .models = MT371 | SX402, .kind = FREQUENCY, .standard = true},
    {.choice = {"60hz", "60 Hz"}, .models = MT371 | SX402, .kind = FREQUENCY, .f_mhz = 60000},

    {.choice = {"4wire", "three elements"}, .models = ESOX, .kind = WIRING, .standard = true},
    {.choice = {"3wire", "two elements, no neutral"},
     .models = ESOX,
     .kind = WIRING,
     .is_3wire = true,
     .without = MODEL_NEUTRAL},

    {.choice = {"noreactive", "without reactive energy"},
     .models = MT371,
     .kind = OPTION,
     .without = MODEL_REACTIVE},
    /* What flows back is in no register; the event of the reversed current tells of it. */
    {.choice = {"import", "single direction: registers of import only"},
     .models = MT371,
     .kind = DIRECTION,
     .without = MODEL_EXPORT},
    {.choice = {"1phase", "used as a single-phase meter"},
     .models = MT371,
     .kind = PHASES,
     .phases_used = 1},

    /* The super-capacitor is as large as the one whose time is printed, MT371's. */
    {.choice = {"battery", "clock kept by a battery"},
     .models = SX402 | SM307,
     .kind = RESERVE,
     .standard = true},
    {.choice = {"supercap", "clock kept by a super-capacitor"},
     .models = SX402 | SM307,
     .kind = RESERVE,
     .reserve = MODEL_SUPERCAP,
     .reserve_s = 10 * 86400u},

    /* Meters of the IDIS family are sold into DSMR networks too, which number events their way. */
    {.choice = {"idis", "events by the numbers of IDIS"},
     .models = MT371 | SX402,
     .kind = EVENTS,
     .standard = true},
    {.choice = {"dsmr", "events by the numbers of DSMR"},
     .models = MT371 | SX402,
     .kind = EVENTS,
     .event_map = MODEL_EVENTS_DSMR},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static uint8_t bit_of(const struct model_meter *m)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, m->name) == 0)
            return names[i].bit;
    }
    return 0;
}

const struct model_choice *model_choice_at(const struct model_meter *m, size_t index)
{
    uint8_t bit = bit_of(m);
    for (size_t i = 0; i < N_ROWS; i++) {
        if ((rows[i].models & bit) != 0 && index-- == 0)
            return &rows[i].choice;
    }
    return NULL;
}

static bool same_word(const char *word, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (word[i] != c) /* ends at the word's '\0' */
            return false;
    }
    return word[len] == '\0';
}

static const struct row *find(uint8_t bit, const char *text, size_t len)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if ((rows[i].models & bit) != 0 && same_word(rows[i].choice.word, text, len))
            return &rows[i];
    }
    return NULL;
}

static void apply_class(const struct row *r, struct model_meter *m)
{
    if (r->kind == ACTIVE) {
        m->active = r->printed;
        m->active_table = r->table;
        m->active_class = r->class;
    } else {
        m->reactive = r->printed;
        m->reactive_table = r->table;
        m->reactive_class = r->class;
    }
}

static void apply_memory(const struct row *r, struct model_meter *m)
{
    if (r->reserve_s != 0) {
        m->reserve = r->reserve;
        m->reserve_s = r->reserve_s;
    }
    if (r->event_map != 0)
        m->event_map = r->event_map;
}

static void apply(const struct row *r, struct model_meter *m)
{
    apply_memory(r, m);
    if (r->table != NULL)
        apply_class(r, m);
    if (r->in_ma != 0) {
        m->in_ma = r->in_ma;
        m->imax_ma = r->imax_ma;
        m->ist_ua = r->ist_ua;
        m->is_ct = m->is_ct || r->is_ct;
    }
    if (r->pulse_per_kwh != 0) {
        m->pulse_per_kwh = r->pulse_per_kwh;
        m->energy_scaler = r->energy_scaler;
    }
    if (r->un_mv != 0)
        m->un_mv = r->un_mv;
    if (r->f_mhz != 0)
        m->f_mhz = r->f_mhz;
    if (r->phases_used != 0)
        m->phases_used = r->phases_used;
    m->is_3wire = m->is_3wire || r->is_3wire;
    m->features = (m->features | r->with) & ~r->without;
}

/* The chosen rows, as bits; a word of the standard order counts as chosen, too. */
static enum err choose(const struct model_meter *m, const char *words, uint64_t *chosen,
                       size_t *bad_at)
{
    uint32_t kinds = 0;
    for (size_t at = 0; words[at] != '\0';) {
        const char *end = strchr(words + at, ',');
        size_t len = end != NULL ? (size_t)(end - (words + at)) : strlen(words + at);
        const struct row *r = find(bit_of(m), words + at, len);
        *bad_at = at;
        if (r == NULL)
            return ERR_NOT_FOUND;
        if ((kinds >> r->kind & 1u) != 0)
            return ERR_STATE;
        kinds |= 1u << r->kind;
        *chosen |= UINT64_C(1) << (r - rows);
        at += len + (end != NULL);
    }
    return ERR_OK;
}
_Static_assert(N_ROWS <= 64, "a set of choices is one word");

enum err model_order(const struct model_meter *m, const char *words, struct model_meter *out,
                     size_t *bad_at)
{
    uint64_t chosen = 0;
    size_t at = 0, len = 0;
    *out = *m;
    enum err err = choose(m, words, &chosen, bad_at != NULL ? bad_at : &at);
    for (size_t i = 0; i < N_ROWS && !err; i++) {
        const char *word = rows[i].choice.word;
        size_t n = strlen(word);
        if ((chosen >> i & 1u) == 0 || rows[i].standard)
            continue;
        apply(&rows[i], out);
        if (len + n + 2 > sizeof out->order)
            return ERR_RANGE;
        if (len > 0)
            out->order[len++] = ',';
        memcpy(out->order + len, word, n + 1);
        len += n;
    }
    return err;
}
