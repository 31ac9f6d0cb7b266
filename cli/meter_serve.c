/* See meter_serve.h. */
#include "cli/meter_serve.h"

#include "firmware/meter/meter_energy.h"

#include <stdio.h>
#include <string.h>

static bool on_open(void *context, size_t i)
{
    struct serve *s = context;
    if (!s->life->powered || s->shut)
        return false;
    session_init(&s->session[i], &s->life->meter.server);
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    struct serve *s = context;
    return session_feed(&s->session[i], p, n);
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct serve *s = context;
    return session_take(&s->session[i], to, size);
}

static bool on_closed(void *context, size_t i, uint64_t now_ms)
{
    struct serve *s = context;
    (void)session_poll(&s->session[i], now_ms); /* polled every TCP_SERVER_POLL_MS anyway */
    return session_closed(&s->session[i]);
}

static void on_close(void *context, size_t i)
{
    struct serve *s = context;
    session_close(&s->session[i]);
}

struct port_engine serve_engine(struct serve *s)
{
    return (struct port_engine){.context = s,
                                .open = on_open,
                                .feed = on_feed,
                                .take = on_take,
                                .closed = on_closed,
                                .close = on_close};
}

static void status(const struct serve *s, char *answer, size_t size)
{
    const struct life *l = s->life;
    char time[DATETIME_TEXT] = "-", import[32] = "-", export[32] = "-";
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
             "ok\nmodel %s\nserial %s\nmains %s\nphases %s %s %s\ntime %s\nimport_wh %s\n"
             "export_wh %s\nstorage %s\n",
             l->o.model->name, l->o.serial, l->powered ? "on" : "off",
             l->phase_off[0] ? "off" : "on", l->phase_off[1] ? "off" : "on",
             l->phase_off[2] ? "off" : "on", time, import, export,
             !l->powered      ? "-"
             : l->meter.fault ? err_text(l->meter.fault)
                              : "ok");
}

static enum err mains(struct serve *s, const char *how, const char *more)
{
    if (strcmp(how, "on") == 0)
        return life_mains_on(s->life);
    tcp_server_drop_all(&s->tcp);
    return life_mains_off(s->life, strcmp(more, "warn") == 0);
}

static bool is_switch(const char *word)
{
    return strcmp(word, "on") == 0 || strcmp(word, "off") == 0;
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
    } else {
        snprintf(answer, size,
                 "error not a command: status | mains on | mains off [warn] | phase 1..%u on|off\n",
                 s->life->o.model->n_phases);
    }
}
