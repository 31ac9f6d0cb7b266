/* See meter_serve.h. */
#include "cli/meter_serve.h"

#include "cli/panel_parameter.h"
#include "firmware/meter/meter_energy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one sees on the housing: LEDs with their pulses, the rate, the seal. */
static const char *lights(const struct meter *m, char text[256])
{
    struct legal_status s;
    legal_status_get(&m->legal, &s);
    snprintf(text, 256,
             "led_active %s %llu\nled_reactive %s %llu\nrate %u\nseal %s\npresent 0x%04x\n"
             "pulses %lu\npulses_ignored %lu\n",
             meter_led_lit(m, LEGAL_LED_ACTIVE) ? "lit" : "dark",
             (unsigned long long)meter_pulses(m, LEGAL_LED_ACTIVE),
             meter_led_lit(m, LEGAL_LED_REACTIVE) ? "lit" : "dark",
             (unsigned long long)meter_pulses(m, LEGAL_LED_REACTIVE), meter_rate(m) + 1u,
             s.sealed ? "closed" : "open", (unsigned)meter_present(m),
             (unsigned long)m->clock.n_pulses, (unsigned long)m->clock.n_ignored);
    return text;
}

/* As much of the newest as the answer holds: oldest first, cut at the front. */
struct lines {
    char *to;
    size_t size, len;
};
static void add_line(struct lines *l, const char *line)
{
    size_t n = strlen(line), head = strlen("ok\n");
    while (l->len + n + 1 > l->size) {
        const char *next = strchr(l->to + head, '\n');
        if (next == NULL)
            return;
        memmove(l->to + head, next + 1, l->len - (size_t)(next + 1 - l->to) + 1);
        l->len = strlen(l->to);
    }
    memcpy(l->to + l->len, line, n + 1);
    l->len += n;
}

static void time_text(const struct meter *m, uint32_t utc_s, char text[DATETIME_TEXT])
{
    struct datetime d = datetime_from_utc(utc_s, meter_clock_deviation(&m->clock, utc_s),
                                          meter_clock_status(&m->clock, utc_s));
    datetime_text(&d, text);
}

#define EVENTS_SHOWN 32

/* The newest entry of all logs that is older than `before`; false: none. */
static bool newest_before(const struct meter *m, uint32_t before, unsigned *log,
                          struct meter_log_entry *out)
{
    bool found = false;
    for (unsigned k = 0; k < MODEL_N_LOGS; k++) {
        const uint64_t newest = meter_log_newest(m, k);
        for (uint32_t i = 0; i < meter_log_count(m, k); i++) {
            struct meter_log_entry e;
            if (meter_log_read(m, k, newest - i, &e) != ERR_OK || e.number >= before)
                continue;
            if (!found || e.number > out->number) {
                *out = e;
                *log = k;
            }
            found = true;
            break;
        }
    }
    return found;
}

/* What stands behind an event: how much, of which client, of which other event. */
static void extra_text(const struct meter *m, enum model_event event,
                       const struct meter_log_entry *e, char text[64])
{
    const char *unit = meter_event_unit(event);
    text[0] = '\0';
    if (event == MODEL_EVENT_LEFT_OUT)
        snprintf(text, 64, ": %s", model_event_text(model_event_of(m->model, (uint8_t)e->extra)));
    else if (unit[0] != '\0')
        snprintf(text, 64, ", %u %s", (unsigned)e->extra, unit);
    else if (event == MODEL_EVENT_ACCESS_REFUSED || event == MODEL_EVENT_DECIPHER_FAILED ||
             event == MODEL_EVENT_REPLAY)
        snprintf(text, 64, ", client %u", (unsigned)e->extra);
    else if (e->code == 0)
        snprintf(text, 64, "%u s without supply", (unsigned)e->extra);
}

static void event_line(const struct meter *m, unsigned log, const struct meter_log_entry *e,
                       char line[200])
{
    const enum model_event event = model_event_of(m->model, e->code);
    char time[DATETIME_TEXT], extra[64];
    struct datetime d = datetime_from_utc(e->utc_s, e->deviation, e->clock_status);
    datetime_text(&d, time);
    extra_text(m, event, e, extra);
    snprintf(line, 200, "%s %s: %s%s\n", time, model_log_text(log),
             e->code != 0 ? model_event_text(event) : "", extra);
}

/* The newest of all logs, oldest first. */
static void events(const struct meter *m, char *answer, size_t size)
{
    struct lines l = {answer, size, strlen(answer)};
    struct {
        unsigned log;
        struct meter_log_entry e;
    } shown[EVENTS_SHOWN];
    size_t n = 0;
    uint32_t before = UINT32_MAX;
    while (n < EVENTS_SHOWN && newest_before(m, before, &shown[n].log, &shown[n].e))
        before = shown[n++].e.number;
    while (n-- > 0) {
        char line[200];
        event_line(m, shown[n].log, &shown[n].e, line);
        add_line(&l, line);
    }
}

static void audit(const struct meter *m, char *answer, size_t size)
{
    static const char *const what[] = {"changed", "refused", "sealed", "opened"};
    struct lines l = {answer, size, strlen(answer)};
    uint64_t newest = meter_audit_newest(m);
    for (uint64_t seq = newest - meter_audit_count(m) + 1; seq <= newest; seq++) {
        char line[200], time[DATETIME_TEXT];
        struct meter_audit a;
        if (meter_audit_read(m, seq, &a) != ERR_OK)
            continue;
        time_text(m, a.utc_s, time);
        size_t n = (size_t)snprintf(line, sizeof line, "%s client %u %s", time, a.client_sap,
                                    what[a.legal.change & 3]);
        if (meter_audit_name(&a)[0] != '\0')
            snprintf(line + n, sizeof line - n, " %s[%u] %lld -> %lld", meter_audit_name(&a),
                     a.legal.index, (long long)a.legal.before, (long long)a.legal.after);
        strcat(line, "\n");
        add_line(&l, line);
    }
}

static void status(const struct serve *s, char *answer, size_t size)
{
    const struct life *l = s->life;
    char time[DATETIME_TEXT] = "-", import[32] = "-", export[32] = "-", text[256];
    if (l->powered) {
        struct legal_energies e;
        struct datetime now = meter_clock_now(&l->meter.clock);
        datetime_text(&now, time);
        legal_energies_get(&l->meter.legal, &e);
        snprintf(import, sizeof import, "%.4f",
                 (double)e.total[LEGAL_A_IMPORT] / LEGAL_ENERGY_PER_WH);
        snprintf(export, sizeof export, "%.4f",
                 (double)e.total[LEGAL_A_EXPORT] / LEGAL_ENERGY_PER_WH);
    }
    snprintf(answer, size,
             "ok\nmodel %s\nserial %s\nmains %s\nphases %s %s %s\ntime %s%s\nimport_wh %s\n"
             "export_wh %s\nstorage %s\n%s",
             l->o.model->name, l->o.serial, l->powered ? "on" : "off",
             l->phase_off[0] ? "off" : "on", l->phase_off[1] ? "off" : "on",
             l->phase_off[2] ? "off" : "on", time,
             l->powered && l->meter.clock.doubt != 0 ? " invalid" : "", import, export,
             !l->powered      ? "-"
             : l->meter.fault ? err_text(l->meter.fault)
                              : "ok",
             l->powered ? lights(&l->meter, text) : "");
}

static enum err mains(struct serve *s, const char *how, const char *more)
{
    if (strcmp(how, "on") == 0)
        return life_mains_on(s->life);
    meter_ports_drop_all(&s->ports);
    return life_mains_off(s->life, strcmp(more, "warn") == 0);
}

/* "11d": as much passes at once, without mains. */
static bool wait_dark(struct life *l, const char *span)
{
    char *end, unit;
    double n = strtod(span, &end);
    if (l->powered || end == span || !(n > 0 && n <= 10000) || *end == '\0' || end[1] != '\0')
        return false;
    unit = *end;
    double s = unit == 'd' ? 86400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
    life_wait(l, (int64_t)(n * s * 1e9));
    return s > 0;
}

static bool set_temperature(struct life *l, const char *word)
{
    char *end;
    double celsius = strtod(word, &end);
    if (end == word || *end != '\0' || !(celsius >= -100 && celsius <= 150))
        return false;
    life_temperature(l, celsius);
    return true;
}

static bool is_switch(const char *word)
{
    return strcmp(word, "on") == 0 || strcmp(word, "off") == 0;
}

/* What needs a meter that runs; false: not such a command. */
static bool inside(struct serve *s, const char *word, const char *more, char *answer, size_t size)
{
    struct meter *m = &s->life->meter;
    enum err err = ERR_OK;
    if (strcmp(word, "events") == 0 && *more == '\0') {
        meter_idle(m, 0); /* what has just happened goes to the logs */
        events(m, answer, size);
    } else if (strcmp(word, "audit") == 0 && *more == '\0')
        audit(m, answer, size);
    else if (strcmp(word, "seal") == 0 && (strcmp(more, "open") == 0 || strcmp(more, "close") == 0))
        err = meter_seal_set(m, strcmp(more, "close") == 0);
    else if (strcmp(word, "pulse") == 0 && strcmp(more, "minute") == 0)
        err = meter_time_pulse(m, 60);
    else if (strcmp(word, "pulse") == 0 && strcmp(more, "hour") == 0)
        err = meter_time_pulse(m, 3600);
    else
        return false;
    if (err == ERR_STATE)
        snprintf(answer, size, "error ignored: too far from it, or the clock is invalid\n");
    else if (err)
        snprintf(answer, size, "error storage: %s\n", err_text(err));
    return true;
}

static const struct {
    const char *word, *want;
    bool in_the_dark; /* while the mains are off, too */
} commands[] = {
    {"status", "", true},
    {"mains", "on | off [warn]", true},
    {"wait", "11d, 2h, 15m or 90s, while the mains are off", true},
    {"phase", "NUMBER on|off", true},
    {"temperature", "CELSIUS, -100 to 150", true},
    {"pulse", "minute|hour", false},
    {"events", "", false},
    {"audit", "", false},
    {"seal", "open|close", false},
    {"parameter", "NAME [VALUE]", false},
};

/* What a command that was not understood should have been. */
static void tell_wrong(const struct serve *s, const char *word, char *answer, size_t size)
{
    const size_t n = sizeof commands / sizeof commands[0];
    size_t len = (size_t)snprintf(answer, size, "error not a command; there are");
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, commands[i].word) != 0) {
            len += (size_t)snprintf(answer + len, size - len, " %s%s%s%s", commands[i].word,
                                    commands[i].want[0] != '\0' ? " " : "", commands[i].want,
                                    i + 1 < n ? ";" : "\n");
            continue;
        }
        if (!s->life->powered && !commands[i].in_the_dark)
            snprintf(answer, size, "error not a command while the mains are off\n");
        else
            snprintf(answer, size, "error not a command; %s %s\n", word,
                     commands[i].want[0] != '\0' ? commands[i].want : "stands alone");
        return;
    }
}

void serve_panel(void *context, char *line, char *answer, size_t size)
{
    struct serve *s = context;
    char word[4][16] = {"", "", "", ""};
    int n = sscanf(line, "%15s %15s %15s %15s", word[0], word[1], word[2], word[3]);
    bool warn = n == 3 && strcmp(word[1], "off") == 0 && strcmp(word[2], "warn") == 0;
    unsigned phase = word[1][0] >= '1' && word[1][0] <= '3' ? (unsigned)(word[1][0] - '1') : 3;
    snprintf(answer, size, "ok\n");
    if (n == 1 && strcmp(word[0], "status") == 0) {
        status(s, answer, size);
    } else if ((n == 2 || warn) && strcmp(word[0], "mains") == 0 && is_switch(word[1])) {
        if (mains(s, word[1], word[2]) != ERR_OK)
            snprintf(answer, size, "error %s\n", s->life->why);
    } else if (n == 3 && strcmp(word[0], "phase") == 0 && is_switch(word[2]) &&
               word[1][1] == '\0' && phase < s->life->o.model->n_phases) {
        life_phase(s->life, phase, strcmp(word[2], "on") == 0);
    } else if (s->life->powered && strcmp(word[0], "parameter") == 0) {
        panel_parameter(&s->life->meter, line + strcspn(line, "p") + strlen("parameter"), answer,
                        size);
    } else if (n == 2 && strcmp(word[0], "wait") == 0 && wait_dark(s->life, word[1])) {
        return;
    } else if (n == 2 && strcmp(word[0], "temperature") == 0 && set_temperature(s->life, word[1])) {
        return;
    } else if (!s->life->powered || n > 2 || !inside(s, word[0], word[1], answer, size)) {
        tell_wrong(s, word[0], answer, size);
    }
}
