/* See meter_datasheet.h. Sections and words in the order of printed datasheets: what is measured,
 * how well, energy, profiles, logs, clock, memory, communication, choices. */
#include "cli/meter_datasheet.h"

#include "firmware/meter/meter.h"
#include "model/events.h"
#include "model/objects.h"

#include <stdarg.h>
#include <string.h>

#define WIDTH  80
#define LABEL  22 /* columns of the left side, two of indentation included */
#define DAY_S  86400.0
#define YEAR_S 31557600.0

static void heading(FILE *out, const char *text)
{
    fprintf(out, "\n%s\n", text);
}

static void line(FILE *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line(FILE *out, const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(out, "  %-*s", LABEL - 2, label);
    vfprintf(out, format, args);
    fputc('\n', out);
    va_end(args);
}

/* Items behind a label, wrapped. */
struct items {
    FILE *out;
    size_t column;
};

static struct items items_begin(FILE *out, const char *label)
{
    fprintf(out, "  %-*s", LABEL - 2, label);
    return (struct items){.out = out, .column = 0};
}

static void items_add(struct items *i, const char *text)
{
    const size_t n = strlen(text) + 2;
    if (i->column == 0) {
        i->column = LABEL;
    } else if (i->column + n > WIDTH - 1) { /* a comma may follow */
        fprintf(i->out, ",\n%*s", LABEL, "");
        i->column = LABEL;
    } else {
        fputs(", ", i->out);
    }
    fputs(text, i->out);
    i->column += n;
}

static void items_end(struct items *i)
{
    fputc('\n', i->out);
}

/* ---- measurement ---- */

static const struct {
    uint32_t needs;
    const char *text;
} functions[] = {
    {0, "active energy"},
    {MODEL_EXPORT, "both directions"},
    {MODEL_REACTIVE, "reactive energy"},
    {MODEL_QUADRANTS, "by quadrants"},
    {0, "apparent energy"},
    {MODEL_ABSOLUTE, "absolute values"},
    {MODEL_PHASE_ENERGY, "energy of each phase"},
    {0, "power, voltage, current"},
    {MODEL_APPARENT, "apparent power"},
    {0, "power factor"},
    {0, "frequency"},
    {MODEL_NEUTRAL, "neutral current"},
    {MODEL_DIFFERENTIAL, "differential current"},
    {MODEL_THD, "THD of U and I"},
    {MODEL_ANGLES, "phase angles"},
    {MODEL_UNBALANCE, "unbalance"},
    {MODEL_LOSSES, "transformer losses"},
    {MODEL_AVERAGES, "averages of day and month"},
    {MODEL_RATIOS, "primary values"},
    {0, "maximum demand"},
};

/* Between two phases, to the 5 V that networks are named by: 230/400, 58/100. */
static unsigned line_voltage(const struct model_meter *m)
{
    return (unsigned)(m->un_mv * 1.7320508 / 5000 + 0.5) * 5;
}

static void print_voltage(FILE *out, const struct model_meter *m)
{
    const double un = m->un_mv / 1e3;
    if (m->is_3wire)
        line(out, "Nominal voltage", "3 x %u V, three wires", line_voltage(m));
    else if (m->n_phases == 3)
        line(out, "Nominal voltage", "3 x %.0f/%u V%s", un, line_voltage(m),
             m->phases_used == 1 ? ", used with one phase" : "");
    else
        line(out, "Nominal voltage", "%.0f V", un);
    line(out, "Voltage range", "%.2f Un ... %.2f Un",
         (m->u_min_permille != 0 ? m->u_min_permille : 900) / 1e3,
         (m->u_max_permille != 0 ? m->u_max_permille : 1100) / 1e3);
    line(out, "Nominal frequency", "%g Hz", m->f_mhz / 1e3);
}

static void print_current(FILE *out, const struct model_meter *m)
{
    line(out, "Current", "%g(%g) A%s", m->in_ma / 1e3, m->imax_ma / 1e3,
         m->is_ct ? " through transformers" : " direct");
    line(out, "Starting current", "%g mA", m->ist_ua / 1e3);
    if (m->ist_reactive_ua != 0)
        line(out, "  reactive", "%g mA", m->ist_reactive_ua / 1e3);
}

static void print_class(FILE *out, const char *label, const char *class, const char *table)
{
    line(out, label, "class %s (%s %s)", class, table[0] == '5' ? "EN" : "IEC", table);
}

static void print_accuracy(FILE *out, const struct model_meter *m)
{
    print_class(out, "Active energy", m->active, m->active_table);
    if ((m->features & MODEL_REACTIVE) != 0)
        print_class(out, "Reactive energy", m->reactive, m->reactive_table);
    line(out, "Meter constant", "%u imp/kWh%s%s", (unsigned)m->pulse_per_kwh,
         (m->features & MODEL_REACTIVE) != 0 ? ", the same for kvarh" : "",
         (m->features & MODEL_LED_SET) != 0 ? "; the owner's to choose" : "");
    line(out, "Temperature", "%d °C ... %+d °C", m->t_min_c, m->t_max_c);
}

static void print_measurement(FILE *out, const struct model_meter *m)
{
    heading(out, "MEASUREMENT");
    print_voltage(out, m);
    print_current(out, m);
    print_accuracy(out, m);
    struct items list = items_begin(out, "Measured");
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if ((m->features & functions[i].needs) == functions[i].needs)
            items_add(&list, functions[i].text);
    }
    items_end(&list);
}

static void print_energy(FILE *out, const struct model_meter *m)
{
    static const char *const unit[] = {"0.01", "0.1", "1"};
    heading(out, "ENERGY REGISTERS");
    line(out, "Resolution", "%s Wh", unit[m->energy_scaler + 2]);
    line(out, "Range", "%u digits of kWh", m->kwh_digits);
    line(out, "Rates", "%u", m->n_rates);
}

/* ---- profiles ---- */

static const char *const profile_names[MODEL_N_PROFILES] = {
    [MODEL_LP1] = "Load profile 1", [MODEL_LP2] = "Load profile 2",
    [MODEL_LP3] = "Load profile 3", [MODEL_LP4] = "Load profile 4",
    [MODEL_MBUS_1] = "M-Bus 1",     [MODEL_MBUS_2] = "M-Bus 2",
    [MODEL_MBUS_3] = "M-Bus 3",     [MODEL_MBUS_4] = "M-Bus 4",
    [MODEL_DAILY] = "Daily values", [MODEL_MONTHLY] = "Monthly values",
};

/* "1-0:99.1.0". */
static void obis_text(const uint8_t ln[6], char *out, size_t size)
{
    snprintf(out, size, "%u-%u:%u.%u.%u", ln[0], ln[1], ln[2], ln[3], ln[4]);
}

/* As delivered: "15 min", "1 day". */
static void period_text(uint32_t period_s, char *out, size_t size)
{
    if (period_s % 86400 == 0)
        snprintf(out, size, "%u day", (unsigned)(period_s / 86400));
    else
        snprintf(out, size, "%u min", (unsigned)(period_s / 60));
}

/* ": 100 days" from the oldest row to the newest. */
static void days_text(const struct model_profile *p, char *out, size_t size)
{
    const unsigned n = (unsigned)(p->depth * (uint64_t)p->period_s10 / (86400 / 10));
    snprintf(out, size, ": %u day%s", n, n == 1 ? "" : "s");
}

static void print_profile(FILE *out, const struct model_meter *m, enum model_profile_id id)
{
    const struct model_profile *p = &m->profile[id];
    char obis[24], period[24], time[24] = "";
    uint8_t ln[6];
    model_profile_ln(id, ln);
    obis_text(ln, obis, sizeof obis);
    period_text(p->period_s10 * 10u, period, sizeof period);
    if (id < MODEL_DAILY)
        days_text(p, time, sizeof time);
    line(out, profile_names[id], "%-11s %2u  %-8s %5u rows of %u%s", obis, p->n_values,
         id == MODEL_DAILY     ? "midnight"
         : id == MODEL_MONTHLY ? "month"
                               : period,
         (unsigned)p->depth, p->depth_values, time);
}

static void print_periods(FILE *out, const struct model_meter *m)
{
    struct items list = items_begin(out, "Intervals");
    char text[24];
    if ((m->periods & MODEL_ANY_MIN) != 0)
        items_add(&list, "1 to 60 min in whole minutes");
    for (uint32_t s = 60; s <= 3600 && (m->periods & MODEL_ANY_MIN) == 0; s += 60) {
        period_text(s, text, sizeof text);
        if (model_period_allowed(m->periods, s))
            items_add(&list, text);
    }
    period_text(86400, text, sizeof text);
    if (model_period_allowed(m->periods, 86400))
        items_add(&list, text);
    items_end(&list);
}

static void print_profiles(FILE *out, const struct model_meter *m)
{
    heading(out, "PROFILES              object values     every    kept at least");
    for (unsigned id = 0; id < MODEL_N_PROFILES; id++) {
        if (m->profile[id].n_values > 0)
            print_profile(out, m, (enum model_profile_id)id);
    }
    print_periods(out, m);
    line(out, "Columns", "%s",
         (m->features & MODEL_COLUMNS_SET) != 0 ? "any measured values, the owner's to choose"
                                                : "as delivered");
    if ((m->features & MODEL_TRADE) != 0)
        line(out, "Capacity", "of one profile can be given to another");
}

/* ---- logs, clock, memory ---- */

static const char *const log_names[MODEL_N_LOGS] = {
    [MODEL_LOG_STANDARD] = "standard",           [MODEL_LOG_FRAUD] = "fraud",
    [MODEL_LOG_DISCONNECTOR] = "disconnector",   [MODEL_LOG_QUALITY] = "power quality",
    [MODEL_LOG_COMMUNICATION] = "communication", [MODEL_LOG_LOAD] = "load limits",
    [MODEL_LOG_CONFIGURATION] = "configuration", [MODEL_LOG_SECURITY] = "security",
    [MODEL_LOG_OUTAGE] = "long outages",
};

static void print_logs(FILE *out, const struct model_meter *m)
{
    static const char *const maps[] = {
        [MODEL_EVENTS_IDIS] = "as IDIS has them",
        [MODEL_EVENTS_DSMR] = "as DSMR has them",
        [MODEL_EVENTS_SEVEN] = "as IDIS has them, in seven groups",
    };
    heading(out, "LOGS");
    for (size_t i = 0; i < MODEL_N_LOGS; i++) {
        if (m->log_depth[i] > 0)
            line(out, log_names[i], "%u events with time stamp", m->log_depth[i]);
    }
    line(out, "Numbers of events", "%s", maps[m->event_map]);
    line(out, "Long outage", "from %u s as delivered", m->long_outage_s);
}

/* Printed datasheets give the one or the other: seconds a day, or minutes a year. */
static void print_clock(FILE *out, const struct model_meter *m)
{
    const double a_day = m->clock_ppb * 1e-9 * DAY_S, a_year = m->clock_ppb * 1e-9 * YEAR_S / 60;
    heading(out, "CLOCK");
    line(out, "Accuracy", "%.3f s a day, %.2f min a year (%g ppm) at %d °C", a_day, a_year,
         m->clock_ppb / 1e3, m->clock_c);
    line(out, "Reserve", "%s, %g %s", m->reserve == MODEL_SUPERCAP ? "super-capacitor" : "battery",
         m->reserve_s >= YEAR_S ? m->reserve_s / YEAR_S : m->reserve_s / DAY_S,
         m->reserve_s >= YEAR_S ? "years" : "days");
    line(out, "Time", "UTC inside; zone and summer time are the owner's");
}

static void print_memory(FILE *out, const struct model_meter *m)
{
    const unsigned n = (unsigned)meter_n_sectors(m);
    heading(out, "MEMORY");
    line(out, "Flash", "%.2f MiB: %u sectors of %u octets", n * METER_SECTOR_SIZE / 1048576.0, n,
         METER_SECTOR_SIZE);
    line(out, "Registers", "stored every %u s, and when the supply fails", METER_SNAPSHOT_S);
}

static void print_communication(FILE *out)
{
    heading(out, "COMMUNICATION");
    line(out, "Protocol", "DLMS/COSEM; HDLC, mode E, TCP and UDP wrapper");
    line(out, "Clients", "public %d, manager %d, readers %d and %d", METER_SAP_PUBLIC,
         METER_SAP_MANAGER, METER_SAP_READER, METER_SAP_READER_HLS);
    line(out, "Security", "suite 0: AES-GCM-128");
}

/* A word that changes nothing is what the meter is like without an order. */
static bool is_standard(const struct model_meter *m, const char *word)
{
    struct model_meter with;
    const struct model_meter *plain = model_meter_find(m->name);
    return plain != NULL && model_order(plain, word, &with, NULL) == ERR_OK &&
           with.order[0] == '\0';
}

static void print_choices(FILE *out, const struct model_meter *m)
{
    const struct model_choice *c;
    if (model_choice_at(m, 0) == NULL)
        return;
    heading(out, "TO ORDER (--order WORD,WORD...)");
    for (size_t i = 0; (c = model_choice_at(m, i)) != NULL; i++)
        line(out, c->word, "%s%s", c->what, is_standard(m, c->word) ? " (standard)" : "");
}

void meter_datasheet(FILE *out, const struct model_meter *m)
{
    fprintf(out, "%s%s%s\n%s\n", m->name, m->order[0] != '\0' ? " " : "", m->order, m->kind);
    print_measurement(out, m);
    print_energy(out, m);
    print_profiles(out, m);
    print_logs(out, m);
    print_clock(out, m);
    print_memory(out, m);
    print_communication(out);
    print_choices(out, m);
}
