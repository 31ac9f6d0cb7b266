/* kill -9 at any point of a scripted day: a meter lives two hours a second and is told, asked and
 * set by a client, until a timer kills it; then it starts again on the same flash. Whatever the
 * client was told before must still be so, and no invocation counter may come twice.
 *
 * Every third kill may fall before the meter serves: in its start-up, where it mends what the last
 * kill left. `full` gives 50 kills. */
#include "tests/system/process.h"
#include "tests/system/wire.h"

#include <setjmp.h>

#include <cmocka.h>

#include "lib/base/civil.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define MODEL     "ST402D"
#define STATUS_MS 400 /* the longest life of a meter that serves */
/* Of our numbers so many may be spent after a kill: METER_FLOOR_AHEAD of
 * firmware/meter/meter_tell.h. */
#define FLOOR_AHEAD 64
/* A virtual meter's crystal dies with it: its world goes on from the newest snapshot. Registers and
 * rows that were told are in one, a time alone is not worth a snapshot (meter_tell.h). */
#define SNAPSHOT_S 60

static const uint8_t import_ln[6] = {1, 0, 1, 8, 0, 255};
static const uint8_t clock_ln[6] = {0, 0, 1, 0, 0, 255};
static const uint8_t profile_ln[6] = {1, 0, 99, 1, 0, 255};
static const uint8_t demand_ln[6] = {1, 0, 1, 4, 0, 255};
static const uint8_t counter_ln[6] = {0, 0, 43, 1, 1, 255};

struct told {
    uint64_t import;
    int64_t clock_s, clock_least_s; /* UTC: told last; the next is not before */
    uint64_t floor;                 /* next counter the meter accepts from us */
    uint8_t rows[WIRE_ANSWER_MAX];
    size_t rows_len, n_rows;
    uint64_t period, period_asked; /* of the demand: the last acknowledged, the last sent */
    unsigned n_answers;
};

static unsigned n_kills = 5;
static volatile sig_atomic_t victim;

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

/* ---- the killer ---- */

static void on_alarm(int number)
{
    (void)number;
    kill(victim, SIGKILL);
}

static void kill_in(pid_t pid, unsigned ms)
{
    const struct itimerval when = {
        .it_value = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000 + 1) * 1000 - 1}};
    struct sigaction a = {.sa_handler = on_alarm};
    victim = pid;
    assert_int_equal(sigaction(SIGALRM, &a, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &when, NULL), 0);
}

/* ---- what was told ---- */

static uint64_t unsigned_of(const struct wire *w)
{
    struct rd r = rd_of(w->answer, w->answer_len);
    const uint64_t value = axdr_get_uint(&r);
    assert_int_equal(r.err, ERR_OK);
    return value;
}

static bool ask_import(struct wire *w, struct told *t)
{
    if (!wire_get(w, 3, import_ln, 2))
        return false;
    const uint64_t now = unsigned_of(w);
    if (now < t->import)
        fail_msg("the register went back: %llu after %llu", (unsigned long long)now,
                 (unsigned long long)t->import);
    t->import = now;
    return true;
}

static bool ask_clock(struct wire *w, struct told *t)
{
    if (!wire_get(w, 8, clock_ln, 2))
        return false;
    const uint8_t *p = w->answer + 2; /* octet-string(12) */
    assert_int_equal(w->answer_len, 14);
    const struct civil c = {p[0] << 8 | p[1], p[2], p[3], p[5], p[6], p[7]};
    const int16_t deviation = (int16_t)(p[9] << 8 | p[10]); /* minutes from local to UTC */
    const int64_t now = civil_to_seconds(&c) + deviation * 60;
    if (now < t->clock_least_s)
        fail_msg("the clock went back by %lld s", (long long)(t->clock_s - now));
    t->clock_s = t->clock_least_s = now;
    return true;
}

/* What came of the profile, also when the line broke off in it: rows told before must lead. */
static bool ask_profile(struct wire *w, struct told *t)
{
    const bool whole = wire_get(w, 7, profile_ln, 2);
    struct rd r = rd_of(w->answer, w->answer_len);
    const uint8_t tag = rd_u8(&r), n = rd_u8(&r);
    const size_t head = n < 0x80 ? 2 : 2 + (n & 0x7Fu);
    if (r.err || w->answer_len <= head)
        return whole;
    assert_int_equal(tag, 1); /* array */
    const size_t len = w->answer_len - head, common = len < t->rows_len ? len : t->rows_len;
    if (memcmp(w->answer + head, t->rows, common) != 0)
        fail_msg("rows that were told have changed");
    if (whole && len < t->rows_len)
        fail_msg("rows that were told are gone");
    if (len > t->rows_len) {
        memcpy(t->rows, w->answer + head, len);
        t->rows_len = len;
    }
    return whole;
}

static bool ask_counter(struct wire *w, struct told *t)
{
    if (!wire_get(w, 1, counter_ln, 2))
        return false;
    const uint64_t now = unsigned_of(w);
    assert_true(now >= t->floor);
    assert_true(now <= w->counter.next); /* what we have not used is not refused */
    t->floor = now;
    return true;
}

static bool ask_period(struct wire *w, struct told *t)
{
    if (!wire_get(w, 5, demand_ln, 8))
        return false;
    const uint64_t now = unsigned_of(w);
    if (t->period != 0 && now != t->period && now != t->period_asked)
        fail_msg("a period of %llu s that was set is gone: %llu s", (unsigned long long)t->period,
                 (unsigned long long)now);
    t->period = t->period_asked = now;
    return true;
}

static bool set_period(struct wire *w, struct told *t)
{
    static const uint16_t choice[] = {60, 300, 600, 900, 1800};
    const uint16_t s = choice[rand() % 5];
    const uint8_t value[5] = {0x06, 0, 0, (uint8_t)(s >> 8), (uint8_t)s}; /* double-long-unsigned */
    if (!ask_period(w, t)) /* one open question at a time */
        return false;
    t->period_asked = s;
    if (!wire_set(w, 5, demand_ln, 8, (struct bytes){value, sizeof value}))
        return false;
    t->period = s;
    return true;
}

/* Sessions and questions until the line breaks off; with `n_sessions` at most so many. */
static void ask_on(struct wire *w, struct told *t, uint16_t port, unsigned n_sessions)
{
    static bool (*const ask[])(struct wire *, struct told *) = {
        ask_import, ask_clock, ask_profile, ask_counter, set_period, ask_period};
    bool up = true;
    for (unsigned session = 0; up && session < n_sessions; session++) {
        up = wire_connect(w, port);
        const unsigned first = (unsigned)rand() % 6;
        for (unsigned k = 0; up && k < 6; k++) {
            up = ask[(first + k) % 6](w, t);
            t->n_answers += up;
        }
    }
    wire_hang_up(w);
}

/* ---- the day ---- */

static void begin(struct meter_process *m, const char *speed)
{
    meter_spawn(m, "--model", MODEL, "--level", "window", "--flash", "flash", "--keys", "keys",
                "--start", "2026-03-28T00:00:00Z", "--speed", speed, NULL);
}

static void live_and_die(struct wire *w, struct told *t, bool young)
{
    struct meter_process m;
    begin(&m, "7200");
    if (young)
        kill_in(m.pid, (unsigned)rand() % 150);
    if (meter_await(&m)) {
        if (!young)
            kill_in(m.pid, (unsigned)rand() % STATUS_MS);
        ask_on(w, t, m.port, 1000);
    }
    assert_int_equal(meter_end(&m), 128 + SIGKILL);
    w->counter.next += FLOOR_AHEAD;
    t->clock_least_s = t->clock_s - SNAPSHOT_S;
}

static void check_last(struct wire *w, struct told *t)
{
    struct meter_process m;
    begin(&m, "0");
    assert_true(meter_await(&m));
    ask_on(w, t, m.port, 1);
    assert_true(t->rows_len > 0);
    meter_stop(&m);
}

static void meter_loses_nothing_told_when_it_is_killed(void **state)
{
    static struct wire w;
    static struct told t;
    struct meter_process m;
    (void)state;
    srand(20260328);
    begin(&m, "0"); /* makes the keys */
    assert_true(meter_await(&m));
    wire_init(&w, "keys");
    ask_on(&w, &t, m.port, 1);
    meter_stop(&m);
    for (unsigned k = 0; k < n_kills; k++)
        live_and_die(&w, &t, k % 3 == 2);
    check_last(&w, &t);
    print_message("%u kills: %u answers, %u invocation counters, %zu octets of rows\n", n_kills,
                  t.n_answers, w.n_counters, t.rows_len);
    assert_true(t.n_answers > n_kills);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_loses_nothing_told_when_it_is_killed),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        n_kills = 50;
    return cmocka_run_group_tests(tests, enter, leave);
}
