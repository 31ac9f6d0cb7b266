/* See panel_parameter.h. */
#include "cli/panel_parameter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct wish {
    enum legal_parameter id;
    const struct legal_parameter_row *row;
    unsigned index;
    bool is_one; /* an index was told, or there is but one */
};

/* What stands behind the name: "", "[3]". */
static bool find_index(const char *text, struct wish *w)
{
    char *end;
    w->index = 0;
    w->is_one = w->row->count == 1;
    if (*text == '\0')
        return true;
    if (*text != '[' || text[1] < '0' || text[1] > '9')
        return false;
    unsigned long n = strtoul(text + 1, &end, 10);
    w->index = (unsigned)n;
    w->is_one = true;
    return n < w->row->count && strcmp(end, "]") == 0;
}

static bool find(const char *word, struct wish *w)
{
    size_t len = strcspn(word, "[");
    for (unsigned id = 0; (w->row = legal_parameter_row((enum legal_parameter)id)) != NULL; id++) {
        w->id = (enum legal_parameter)id;
        if (strlen(w->row->name) == len && strncasecmp(w->row->name, word, len) == 0)
            return find_index(word + len, w);
    }
    return false;
}

static void add(char *answer, size_t size, const char *text)
{
    size_t len = strlen(answer);
    snprintf(answer + len, size - len, "%s", text);
}

static void name_all(char *answer, size_t size)
{
    const struct legal_parameter_row *row;
    snprintf(answer, size, "error not a parameter:");
    for (unsigned id = 0; (row = legal_parameter_row((enum legal_parameter)id)) != NULL; id++) {
        char text[64], count[16] = "";
        if (row->count > 1)
            snprintf(count, sizeof count, "[0..%u]", row->count - 1u);
        snprintf(text, sizeof text, " %s%s", row->name, count);
        add(answer, size, text);
    }
    for (unsigned part = 0; part < METER_N_CRYSTAL; part++) {
        add(answer, size, " ");
        add(answer, size, meter_crystal_name(part));
    }
    add(answer, size, "\n");
}

static void show(const struct meter *m, const struct wish *w, char *answer, size_t size)
{
    char line[160];
    snprintf(line, sizeof line, "%s %lld..%lld%s%s, %s\n", w->row->name, (long long)w->row->min,
             (long long)w->row->max, w->row->unit[0] != '\0' ? " " : "", w->row->unit,
             w->row->level == LEGAL_LEVEL_FACTORY ? "under the seal" : "the owner's");
    add(answer, size, line);
    for (unsigned i = 0; i < w->row->count; i++) {
        int64_t value;
        if ((w->is_one && i != w->index) || legal_parameter_get(&m->legal, w->id, i, &value))
            continue;
        snprintf(line, sizeof line, "%s[%u] %lld\n", w->row->name, i, (long long)value);
        add(answer, size, line);
    }
}

static bool is_sealed(const struct meter *m)
{
    struct legal_status s;
    legal_status_get(&m->legal, &s);
    return s.sealed;
}

static void set(struct meter *m, const struct wish *w, int64_t value, char *answer, size_t size)
{
    if (w->row->level == LEGAL_LEVEL_OWNER && is_sealed(m)) {
        snprintf(answer, size, "error %s is the owner's: write its object, or open the seal\n",
                 w->row->name);
        return;
    }
    enum err err = meter_parameter_set(m, METER_SAP_FACTORY, w->id, w->index, value);
    if (err == ERR_ACCESS)
        snprintf(answer, size, "error %s is sealed: seal open\n", w->row->name);
    else if (err == ERR_RANGE)
        snprintf(answer, size, "error %s takes %lld..%lld\n", w->row->name, (long long)w->row->min,
                 (long long)w->row->max);
    else if (err == ERR_STATE)
        snprintf(answer, size, "error %s would contradict another parameter\n", w->row->name);
    else if (err)
        snprintf(answer, size, "error storage: %s\n", err_text(err));
}

static const struct {
    long min, max;
} crystal_limits[METER_N_CRYSTAL] = {
    [METER_CRYSTAL_PPB] = {-METER_CRYSTAL_PPB_MAX, METER_CRYSTAL_PPB_MAX},
    [METER_CRYSTAL_PPB_K2] = {-METER_CRYSTAL_PPB_K2_MAX, METER_CRYSTAL_PPB_K2_MAX},
    [METER_CRYSTAL_TURNOVER_MC] = {0, METER_TURNOVER_MAX_MC},
};

static unsigned find_crystal(const char *name)
{
    unsigned part = 0;
    while (part < METER_N_CRYSTAL && strcasecmp(meter_crystal_name(part), name) != 0)
        part++;
    return part;
}

/* The clock's crystal: not legal, but sealed as if it were. */
static void crystal(struct meter *m, unsigned part, const char *number, char *answer, size_t size)
{
    const char *name = meter_crystal_name(part);
    char *end;
    errno = 0;
    long long value = strtoll(number, &end, 10);
    if (*number == '\0') {
        snprintf(answer, size, "ok\n%s %ld..%ld, under the seal\n%s %ld\n", name,
                 crystal_limits[part].min, crystal_limits[part].max, name,
                 (long)meter_crystal_part(&m->clock.crystal, part));
        return;
    }
    if (*end != '\0' || errno != 0) {
        snprintf(answer, size, "error '%s' is no whole number\n", number);
        return;
    }
    enum err err = meter_crystal_set(m, METER_SAP_FACTORY, part, value);
    if (err == ERR_ACCESS)
        snprintf(answer, size, "error %s is sealed: seal open\n", name);
    else if (err == ERR_RANGE)
        snprintf(answer, size, "error %s takes %ld..%ld\n", name, crystal_limits[part].min,
                 crystal_limits[part].max);
    else if (err)
        snprintf(answer, size, "error storage: %s\n", err_text(err));
}

void panel_parameter(struct meter *m, const char *words, char *answer, size_t size)
{
    struct wish w;
    char name[32] = "", number[24] = "", more[2] = "", *end = number;
    int n = sscanf(words, "%31s %23s %1s", name, number, more);
    snprintf(answer, size, "ok\n");
    if ((n == 1 || n == 2) && find_crystal(name) < METER_N_CRYSTAL) {
        crystal(m, find_crystal(name), number, answer, size);
        return;
    }
    if (n < 1 || n > 2 || !find(name, &w)) {
        name_all(answer, size);
        return;
    }
    if (n == 1) {
        show(m, &w, answer, size);
        return;
    }
    errno = 0;
    long long value = strtoll(number, &end, 10);
    if (end == number || *end != '\0' || errno != 0)
        snprintf(answer, size, "error '%s' is no whole number\n", number);
    else if (!w.is_one)
        snprintf(answer, size, "error which of them: %s[0..%u]\n", w.row->name, w.row->count - 1u);
    else
        set(m, &w, value, answer, size);
}
