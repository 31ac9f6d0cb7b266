/* See meter_serve.h. */
#include "cli/meter_serve.h"

#include "firmware/meter/meter_energy.h"

#include <stdio.h>
#include <string.h>

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
    meter_ports_drop_all(&s->ports);
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
