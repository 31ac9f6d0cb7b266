/* See oracle.h. */
#include "tests/firmware/meter/oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define QUARTER 900
#define NEVER   INT64_MAX

enum kind { WINDOW, CUT, SHIFT, SET, PERIOD, RULES, EVENT };
struct record {
    enum kind kind;
    int64_t from_s, to_s;   /* of the clock; a window lasts, the others jump */
    uint64_t sum[ORACLE_N]; /* after it */
    uint32_t value;         /* period; seconds before a cut that the meter knows of; event */
    uint8_t profile;        /* PERIOD; EVENT: what `value` leaves out */
    bool invalid;           /* the clock, while it lasts; CUT: after it, SET: before it */
    const struct oracle_zone *zone; /* in force after it */
};
struct oracle {
    const struct model_meter *model;
    const struct oracle_zone *zone, *first_zone; /* in force now; at the start */
    int64_t start_s;
    struct record *record;
    size_t n, size;
};

/* ---- the calendar ---- */

static const struct oracle_summer summer[] =
    {/* last Sundays of March and October, 01:00 UTC: 2006 .. 2035 */
     {1143334800, 1162083600}, {1174784400, 1193533200}, {1206838800, 1224982800},
     {1238288400, 1256432400}, {1269738000, 1288486800}, {1301187600, 1319936400},
     {1332637200, 1351386000}, {1364691600, 1382835600}, {1396141200, 1414285200},
     {1427590800, 1445734800}, {1459040400, 1477789200}, {1490490000, 1509238800},
     {1521939600, 1540688400}, {1553994000, 1572138000}, {1585443600, 1603587600},
     {1616893200, 1635642000}, {1648342800, 1667091600}, {1679792400, 1698541200},
     {1711846800, 1729990800}, {1743296400, 1761440400}, {1774746000, 1792890000},
     {1806195600, 1824944400}, {1837645200, 1856394000}, {1869094800, 1887843600},
     {1901149200, 1919293200}, {1932598800, 1950742800}, {1964048400, 1982797200},
     {1995498000, 2014246800}, {2026947600, 2045696400}, {2058397200, 2077146000}};

const struct oracle_zone oracle_europe = {3600, sizeof summer / sizeof summer[0], summer};

bool oracle_is_summer(const struct oracle_zone *z, int64_t utc_s)
{
    for (size_t i = 0; i < z->n; i++) {
        if (utc_s >= z->summer[i].begin_s && utc_s < z->summer[i].end_s)
            return true;
    }
    return false;
}

static int64_t ahead_s(const struct oracle_zone *z, int64_t utc_s)
{
    return z->ahead_s + (oracle_is_summer(z, utc_s) ? 3600 : 0);
}

/* No country of this zone changes its clocks at midnight, so the day before tells. */
int64_t oracle_midnight(const struct oracle_zone *z, int64_t after_utc_s)
{
    const int64_t local = after_utc_s + ahead_s(z, after_utc_s);
    const int64_t midnight = local - local % 86400 + 86400;
    return midnight - ahead_s(z, midnight - 3600);
}

int64_t oracle_month(const struct oracle_zone *z, int64_t after_utc_s)
{
    const time_t local = (time_t)(after_utc_s + ahead_s(z, after_utc_s));
    struct tm t;
    gmtime_r(&local, &t);
    t = (struct tm){.tm_year = t.tm_year, .tm_mon = t.tm_mon + 1, .tm_mday = 1};
    const int64_t midnight = timegm(&t);
    return midnight - ahead_s(z, midnight - 3600);
}

/* The end of the cell that an instant lies in. */
static int64_t cell_end(const struct oracle_zone *z, uint32_t length, int64_t utc_s)
{
    if (length == ORACLE_MONTH)
        return oracle_month(z, utc_s);
    if (length == ORACLE_DAY)
        return oracle_midnight(z, utc_s);
    return utc_s - utc_s % length + length;
}

/* ---- the list ---- */

struct oracle *oracle_new(const struct model_meter *model, int64_t utc_s)
{
    struct oracle *o = calloc(1, sizeof *o);
    assert_non_null(o);
    o->model = model;
    o->zone = &oracle_europe;
    o->first_zone = o->zone;
    o->start_s = utc_s;
    return o;
}

void oracle_free(struct oracle *o)
{
    free(o->record);
    free(o);
}

int64_t oracle_now(const struct oracle *o)
{
    return o->n > 0 ? o->record[o->n - 1].to_s : o->start_s;
}

uint64_t oracle_sum(const struct oracle *o, unsigned energy)
{
    return o->n > 0 ? o->record[o->n - 1].sum[energy] : 0;
}

void oracle_forget(struct oracle *o, size_t n)
{
    assert_true(n <= o->n);
    o->n -= n;
}

static struct record *add(struct oracle *o, enum kind kind, int64_t to_s)
{
    if (o->n == o->size) {
        o->size = o->size > 0 ? o->size * 2 : 4096;
        o->record = realloc(o->record, o->size * sizeof *o->record);
        assert_non_null(o->record);
    }
    struct record *r = &o->record[o->n];
    memset(r, 0, sizeof *r);
    r->kind = kind;
    r->from_s = oracle_now(o);
    r->to_s = to_s;
    r->zone = o->zone;
    if (o->n > 0) {
        memcpy(r->sum, r[-1].sum, sizeof r->sum);
        r->invalid = r[-1].invalid && r[-1].kind != SET;
    }
    o->n++;
    return r;
}

void oracle_zone_set(struct oracle *o, const struct oracle_zone *z)
{
    o->zone = z;
    (void)add(o, RULES, oracle_now(o));
}

void oracle_window(struct oracle *o, uint32_t seconds, int64_t p_uwh, int64_t q_uwh, int64_t s_uwh)
{
    static const uint8_t quadrant[2][2] = {{ORACLE_R_QI, ORACLE_R_QIV},
                                           {ORACLE_R_QII, ORACLE_R_QIII}};
    struct record *r = add(o, WINDOW, oracle_now(o) + seconds);
    assert_true(s_uwh == 0 || (r->to_s - 1) / 60 == r->from_s / 60);
    r->sum[p_uwh < 0 ? ORACLE_A_EXPORT : ORACLE_A_IMPORT] += (uint64_t)llabs(p_uwh);
    r->sum[quadrant[p_uwh < 0][q_uwh < 0]] += (uint64_t)llabs(q_uwh);
    r->sum[p_uwh < 0 ? ORACLE_S_EXPORT : ORACLE_S_IMPORT] += (uint64_t)s_uwh;
}

void oracle_cut(struct oracle *o, int64_t gap_s, const uint64_t lost[ORACLE_N], uint32_t known_s)
{
    struct record *r = add(o, CUT, oracle_now(o) + gap_s);
    r->value = known_s;
    for (unsigned e = 0; e < ORACLE_N && lost != NULL; e++)
        r->sum[e] -= lost[e];
}

void oracle_stop(struct oracle *o, const uint64_t lost[ORACLE_N], uint32_t known_s)
{
    oracle_cut(o, -(int64_t)known_s, lost, known_s);
    o->record[o->n - 1].invalid = true;
}

void oracle_set_clock(struct oracle *o, int64_t to_utc_s, uint32_t limit_s)
{
    const bool is_far = llabs(to_utc_s - oracle_now(o)) > limit_s;
    struct record *r = add(o, SHIFT, to_utc_s);
    if (is_far || r->invalid)
        r->kind = SET;
}

void oracle_period(struct oracle *o, unsigned profile, uint32_t period_s)
{
    struct record *r = add(o, PERIOD, oracle_now(o));
    r->profile = (uint8_t)profile;
    r->value = period_s;
}

void oracle_event(struct oracle *o, enum model_event e)
{
    add(o, EVENT, oracle_now(o))->value = (uint32_t)e;
}

void oracle_left_out(struct oracle *o, enum model_event e)
{
    struct record *r = add(o, EVENT, oracle_now(o));
    r->value = MODEL_EVENT_LEFT_OUT;
    r->profile = (uint8_t)e;
}

/* ---- rows ---- */

/* A stretch of records in which the clock was never set beyond the limit: the calendar's cells can
 * be walked once. `high` is how far the clock had come; a small step back does not undo that. */
struct epoch {
    size_t from, to; /* records */
    uint32_t length;
    int64_t begin_s;
    const struct oracle_zone *zone; /* then */
    uint8_t first_marks;
    bool is_partial; /* the first cell, since a reset: it gives no row */
    bool set_ended;  /* the last record sets the clock */
    bool calendar;   /* days and months: one that goes on after the clock was set is one still */
};
struct sheet {
    struct oracle_row *row;
    size_t n, size;
    uint64_t before[ORACLE_N];
};

static void put_row(struct sheet *s, int64_t stamp_s, uint8_t marks, const struct record *at)
{
    if (s->n == s->size) {
        s->size = s->size > 0 ? s->size * 2 : 1024;
        s->row = realloc(s->row, s->size * sizeof *s->row);
        assert_non_null(s->row);
    }
    const bool is_summer = oracle_is_summer(at->zone, stamp_s);
    marks |= at->invalid ? ORACLE_CIV | ORACLE_DNV : 0;
    struct oracle_row *r = &s->row[s->n++];
    *r = (struct oracle_row){.utc_s = stamp_s,
                             .deviation = (int16_t)(-at->zone->ahead_s / 60 - (is_summer ? 60 : 0)),
                             .clock_status = (uint8_t)((is_summer ? 0x80 : 0) | at->invalid),
                             .status = (uint8_t)(marks | (is_summer ? ORACLE_DST : 0))};
    memcpy(r->uwh, at->sum, sizeof r->uwh);
    memcpy(r->before, s->before, sizeof r->before);
    memcpy(s->before, at->sum, sizeof s->before);
}

struct cell {
    int64_t from_s, to_s;
    bool awake;    /* the meter had power in it */
    uint8_t marks; /* of the moments in it */
};

static bool holds(const struct cell *c, int64_t moment_s)
{
    return moment_s >= c->from_s && moment_s < c->to_s;
}

/* What one record has to do with a cell; high_s: how far the clock had come before it. */
static void look(struct cell *c, const struct record *r, int64_t high_s)
{
    const int64_t from_s = r->from_s > high_s ? r->from_s : high_s;
    const int64_t to_s = r->to_s > high_s ? r->to_s : high_s;
    if (r->kind == CUT && (holds(c, from_s) || holds(c, to_s)))
        c->marks |= ORACLE_PDN;
    if (r->kind == SET && holds(c, from_s))
        c->marks |= ORACLE_CAD;
    c->awake |= r->kind == WINDOW && from_s < c->to_s && to_s >= c->from_s;
    c->awake |= holds(c, from_s) || holds(c, to_s);
}

/* The last record of an epoch sets the clock: the cell it was in ends there, or goes on. Gives the
 * marks with which the next one begins. */
static uint8_t leave(const struct oracle *o, const struct epoch *e, const struct cell *c,
                     struct sheet *s)
{
    const struct record *r = &o->record[e->to - 1];
    if (e->calendar && cell_end(r->zone, e->length, r->to_s) <= c->to_s)
        return (uint8_t)(c->marks | (r->invalid ? ORACLE_CIV | ORACLE_DNV : 0));
    put_row(s, c->to_s, c->marks, r);
    return ORACLE_CAD;
}

/* The cells of an epoch from its first to the last that the clock came to. A record that reaches
 * over the end of a cell is looked at again for the next one. */
static uint8_t walk(const struct oracle *o, const struct epoch *e, struct sheet *s)
{
    size_t k = e->from;
    int64_t high_s = e->begin_s;
    struct cell c = {.from_s = e->begin_s,
                     .to_s = cell_end(e->zone, e->length, e->begin_s),
                     .awake = !e->is_partial,
                     .marks = e->first_marks};
    bool is_partial = e->is_partial;
    while (k < e->to) {
        const struct record *r = &o->record[k];
        look(&c, r, high_s);
        if (r->kind == RULES && cell_end(r->zone, e->length, high_s) != c.to_s) {
            c.to_s = cell_end(r->zone, e->length, high_s);
            c.marks |= ORACLE_DNV; /* its length is another */
        }
        const bool ends = e->set_ended && k + 1 == e->to;
        if (r->to_s < c.to_s || ends) {
            high_s = r->to_s > high_s ? r->to_s : high_s;
            k++;
            if (ends)
                return leave(o, e, &c, s);
            continue;
        }
        if (is_partial)
            memcpy(s->before, r->sum, sizeof s->before);
        else if (c.awake)
            put_row(s, c.to_s, c.marks, r);
        is_partial = false;
        c = (struct cell){.from_s = c.to_s, .to_s = cell_end(r->zone, e->length, c.to_s)};
    }
    return 0;
}

/* Intervals as delivered. */
static uint32_t length_of(const struct oracle *o, unsigned profile)
{
    if (profile == MODEL_MONTHLY)
        return ORACLE_MONTH;
    if (profile == MODEL_DAILY)
        return ORACLE_DAY;
    const uint32_t as_delivered = o->model->profile[profile].period_s10 * 10u;
    return as_delivered != 0 ? as_delivered : QUARTER;
}

/* The ring was emptied: rows begin with the first whole interval. */
static void renew(const struct record *r, struct epoch *e, struct sheet *s)
{
    e->length = r->value;
    e->first_marks = 0;
    e->is_partial = cell_end(r->zone, e->length, r->to_s - 1) != r->to_s;
    s->n = 0;
    memcpy(s->before, r->sum, sizeof s->before);
}

size_t oracle_rows(const struct oracle *o, unsigned profile, struct oracle_row **out)
{
    struct sheet s = {0};
    struct epoch e = {.begin_s = o->start_s,
                      .zone = o->first_zone,
                      .length = length_of(o, profile),
                      .calendar = profile == MODEL_DAILY || profile == MODEL_MONTHLY};
    if (cell_end(e.zone, e.length, o->start_s - 1) != o->start_s)
        e.first_marks = ORACLE_PDN; /* began within an interval */
    for (size_t k = 0; k < o->n; k++) {
        const struct record *r = &o->record[k];
        const bool renewed = r->kind == PERIOD && r->profile == profile;
        if (r->kind != SET && !renewed)
            continue;
        e.to = renewed ? k : k + 1;
        e.set_ended = !renewed;
        e.first_marks = walk(o, &e, &s);
        e.from = k + 1;
        e.begin_s = r->to_s;
        e.zone = r->zone;
        e.is_partial = false;
        if (renewed)
            renew(r, &e, &s);
    }
    e.to = o->n;
    e.set_ended = false;
    (void)walk(o, &e, &s);
    *out = s.row;
    return s.n;
}

/* ---- logs ---- */

struct log {
    const struct model_meter *model;
    const struct oracle_zone *zone; /* at the record that is looked at */
    unsigned log;
    struct oracle_entry *entry;
    size_t n;
};

static void put_entry(struct log *l, int64_t utc_s, bool invalid, uint32_t value)
{
    if ((l->n & (l->n - 1)) == 0) {
        l->entry = realloc(l->entry, (l->n > 0 ? l->n * 2 : 1) * sizeof *l->entry);
        assert_non_null(l->entry);
    }
    l->entry[l->n++] = (struct oracle_entry){
        .utc_s = utc_s,
        .clock_status = (uint8_t)((oracle_is_summer(l->zone, utc_s) ? 0x80 : 0) | invalid),
        .value = value};
}

/* In the log of `in` by the code of `e`, where the model's map has them. */
static void put_event(struct log *l, enum model_event e, enum model_event in, int64_t utc_s,
                      bool invalid)
{
    struct model_event_place place, own;
    if (model_event_place(l->model, in, &place) && place.log == l->log &&
        model_event_place(l->model, e, &own))
        put_entry(l, utc_s, invalid, own.code);
}

/* The first change of the clocks after an instant. */
static int64_t next_change(const struct oracle_zone *z, int64_t after_s)
{
    for (size_t i = 0; i < z->n; i++) {
        if (z->summer[i].begin_s > after_s)
            return z->summer[i].begin_s;
        if (z->summer[i].end_s > after_s)
            return z->summer[i].end_s;
    }
    return NEVER;
}

/* Seconds that the meter knows of; when its crystal stopped, nobody knows: 0, but long. */
static uint32_t duration_of(const struct record *cut)
{
    return cut->to_s <= cut->from_s ? 0 : (uint32_t)(cut->to_s - cut->from_s) + cut->value;
}

static bool is_long(const struct oracle *o, const struct record *cut)
{
    return cut->to_s <= cut->from_s || duration_of(cut) >= o->model->long_outage_s;
}

static void put_cut(const struct oracle *o, struct log *l, const struct record *r)
{
    const int64_t off_s = r->from_s - r->value;
    const bool before = r > o->record && r[-1].invalid && r[-1].kind != SET;
    put_event(l, MODEL_EVENT_POWER_DOWN, MODEL_EVENT_POWER_DOWN, off_s, before);
    put_event(l, MODEL_EVENT_POWER_UP, MODEL_EVENT_POWER_UP, r->to_s, r->invalid);
    if (r->invalid)
        put_event(l, MODEL_EVENT_CLOCK_INVALID, MODEL_EVENT_CLOCK_INVALID, r->to_s, true);
    if (l->log == MODEL_LOG_OUTAGE && is_long(o, r))
        put_entry(l, r->to_s, r->invalid, duration_of(r));
}

static void put_record(const struct oracle *o, struct log *l, const struct record *r)
{
    const enum model_event e = (enum model_event)r->value;
    if (r->kind == EVENT)
        put_event(l, e, e == MODEL_EVENT_LEFT_OUT ? (enum model_event)r->profile : e, r->from_s,
                  r->invalid);
    if (r->kind == WINDOW && next_change(l->zone, r->from_s) <= r->to_s)
        put_event(l, MODEL_EVENT_DST_CHANGE, MODEL_EVENT_DST_CHANGE,
                  next_change(l->zone, r->from_s) - 1, r->invalid);
    if (r->kind == CUT)
        put_cut(o, l, r);
    if (r->kind == SET) {
        put_event(l, MODEL_EVENT_CLOCK_OLD, MODEL_EVENT_CLOCK_OLD, r->from_s, r->invalid);
        put_event(l, MODEL_EVENT_CLOCK_NEW, MODEL_EVENT_CLOCK_NEW, r->to_s, false);
    }
}

size_t oracle_entries(const struct oracle *o, unsigned log, struct oracle_entry **out)
{
    struct log l = {.model = o->model, .log = log};
    for (size_t k = 0; k < o->n; k++) {
        l.zone = o->record[k].zone;
        put_record(o, &l, &o->record[k]);
    }
    *out = l.entry;
    return l.n;
}

struct oracle_outages oracle_outages(const struct oracle *o)
{
    struct oracle_outages sum = {0};
    for (size_t k = 0; k < o->n; k++) {
        const struct record *r = &o->record[k];
        if (r->kind != CUT)
            continue;
        sum.n++;
        sum.off_s += duration_of(r);
        if (is_long(o, r)) {
            sum.n_long++;
            sum.last_long_s = duration_of(r);
        }
    }
    return sum;
}

/* ---- columns ---- */

uint64_t oracle_shown(const struct oracle *o, uint64_t uwh)
{
    uint64_t unit = 1000000, end = 1000;
    for (int k = 0; k > o->model->energy_scaler; k--) {
        unit /= 10;
        end *= 10;
    }
    for (int k = 0; k < o->model->kwh_digits; k++)
        end *= 10;
    return uwh / unit % end;
}

/* Energies that make up the one with this OBIS code C, bits. */
static unsigned energies_of(uint8_t c)
{
    static const uint8_t of[11] = {
        [1] = 1u << ORACLE_A_IMPORT,
        [2] = 1u << ORACLE_A_EXPORT,
        [3] = 1u << ORACLE_R_QI | 1u << ORACLE_R_QII,
        [4] = 1u << ORACLE_R_QIII | 1u << ORACLE_R_QIV,
        [5] = 1u << ORACLE_R_QI,
        [6] = 1u << ORACLE_R_QII,
        [7] = 1u << ORACLE_R_QIII,
        [8] = 1u << ORACLE_R_QIV,
        [9] = 1u << ORACLE_S_IMPORT,
        [10] = 1u << ORACLE_S_EXPORT,
    };
    if (c == 15)
        return 1u << ORACLE_A_IMPORT | 1u << ORACLE_A_EXPORT;
    return c < sizeof of ? of[c] : 0;
}

static uint64_t shown_of(const struct oracle *o, unsigned energies, const uint64_t *uwh)
{
    uint64_t sum = 0;
    for (unsigned e = 0; e < ORACLE_N; e++)
        sum += (energies >> e & 1u) != 0 ? uwh[e] : 0;
    return oracle_shown(o, sum);
}

bool oracle_value(const struct oracle *o, const struct oracle_column *c,
                  const struct oracle_row *row, int64_t *out)
{
    static const uint8_t clock[6] = {0, 0, 1, 0, 0, 255};
    if (c->attribute != 2)
        return false;
    if (c->class_id == 8 && memcmp(c->ln, clock, sizeof clock) == 0) {
        *out = row->utc_s;
        return true;
    }
    if (c->class_id == 1 && c->ln[2] == 96 && c->ln[3] == 10) {
        *out = row->status;
        return true;
    }
    const unsigned energies = energies_of(c->ln[2]);
    if (c->class_id != 3 || c->ln[0] != 1 || c->ln[1] != 0 || energies == 0)
        return false;
    const uint64_t now = shown_of(o, energies, row->uwh);
    if (c->ln[3] == 29 && c->ln[4] == 0)
        *out = (int64_t)(now - shown_of(o, energies, row->before));
    else if (c->ln[3] == 8 && c->ln[4] <= 1)
        *out = (int64_t)now; /* the first rate is in force throughout */
    else if (c->ln[3] == 8)
        *out = 0;
    else
        return false;
    return true;
}

/* ---- comparing ---- */

struct report {
    char *words;
    size_t size, n;
};

static void say(struct report *r, const char *what, size_t row, int64_t seen, int64_t want)
{
    if (r->n++ == 0 && r->words != NULL)
        snprintf(r->words, r->size, "row %zu, %s: the meter says %lld, the oracle %lld", row, what,
                 (long long)seen, (long long)want);
}

/* Column 0 is the clock everywhere, so every difference is told with its stamp. */
static void compare_row(const struct oracle *o, const struct oracle_table *t, size_t i,
                        const struct oracle_row *want, struct report *r)
{
    const struct oracle_seen *seen = &t->row[i];
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct oracle_column *column = &t->column[c];
        char what[80];
        int64_t value;
        if (!oracle_value(o, column, want, &value))
            continue;
        snprintf(what, sizeof what, "stamp %lld, class %u %u-%u:%u.%u.%u", (long long)want->utc_s,
                 column->class_id, column->ln[0], column->ln[1], column->ln[2], column->ln[3],
                 column->ln[4]);
        if (seen->null[c])
            say(r, "null data", i, 0, value);
        else if (seen->value[c] != value)
            say(r, what, i, seen->value[c], value);
    }
    if (seen->deviation != want->deviation)
        say(r, "deviation", i, seen->deviation, want->deviation);
    if (seen->clock_status != want->clock_status)
        say(r, "clock status", i, seen->clock_status, want->clock_status);
}

static size_t count_unknown(const struct oracle *o, const struct oracle_table *t)
{
    const struct oracle_row any = {0};
    size_t n = 0;
    int64_t value;
    for (size_t c = 0; c < t->n_columns; c++)
        n += !oracle_value(o, &t->column[c], &any, &value);
    return n;
}

size_t oracle_compare(const struct oracle *o, unsigned profile, int64_t from_s, int64_t to_s,
                      const struct oracle_table *t, char *words, size_t words_size, size_t *unknown)
{
    struct report r = {words, words_size, 0};
    struct oracle_row *rows;
    const size_t n = oracle_rows(o, profile, &rows), depth = o->model->profile[profile].depth;
    size_t i = 0;
    for (size_t k = n > depth ? n - depth : 0; k < n; k++) {
        if (rows[k].utc_s < from_s || rows[k].utc_s > to_s)
            continue;
        if (i < t->n_rows)
            compare_row(o, t, i, &rows[k], &r);
        else
            say(&r, "no row", i, 0, rows[k].utc_s);
        i++;
    }
    for (size_t k = i; k < t->n_rows; k++)
        say(&r, "a row too many", k, t->row[k].value[0], 0);
    if (unknown != NULL)
        *unknown = count_unknown(o, t);
    free(rows);
    return r.n;
}

size_t oracle_compare_log(const struct oracle *o, unsigned log, const struct oracle_table *t,
                          char *words, size_t words_size)
{
    struct report r = {words, words_size, 0};
    struct oracle_entry *entry;
    const size_t n = oracle_entries(o, log, &entry), depth = o->model->log_depth[log];
    const size_t first = n > depth ? n - depth : 0;
    for (size_t k = first; k < n; k++) {
        const size_t i = k - first;
        char what[60];
        if (i >= t->n_rows) {
            say(&r, "no entry", i, 0, entry[k].utc_s);
            continue;
        }
        snprintf(what, sizeof what, "stamp %lld, value", (long long)entry[k].utc_s);
        if (t->row[i].value[0] != entry[k].utc_s)
            say(&r, "stamp", i, t->row[i].value[0], entry[k].utc_s);
        if (t->row[i].value[1] != entry[k].value)
            say(&r, what, i, t->row[i].value[1], entry[k].value);
        if (t->row[i].clock_status != entry[k].clock_status)
            say(&r, "clock status", i, t->row[i].clock_status, entry[k].clock_status);
    }
    for (size_t k = n - first; k < t->n_rows; k++)
        say(&r, "an entry too many", k, t->row[k].value[1], 0);
    free(entry);
    return r.n;
}
