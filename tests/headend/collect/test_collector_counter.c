/* Invocation counters as somebody hears them on the line: no number twice under one key, also when
 * the head-end's store is an older copy of itself.
 *
 * A meter refuses a number it has seen; by then it has been sent, and two frames under one number
 * are in the hands of whoever listens. So the frames are looked at, not the meter's opinion. */
#include "tests/headend/collect/town.h"

#include <setjmp.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR      3600
#define AARQ      0x60
#define AARE      0x61
#define INITIATE  0x21 /* glo-initiateRequest */
#define INITIATED 0x28 /* glo-initiateResponse */
#define GLO_FIRST 0xC8
#define GLO_LAST  0xCF
#define FRAME_MAX 2048

/* A nonce is title and number. */
struct speaker {
    uint8_t title[DLMS_TITLE_LEN];
    bool spoke;
    uint32_t last; /* greatest number heard */
};

/* Who listens to one meter's lines. */
struct ear {
    struct wrapper_rx rx[TCP_SERVER_CONNS];
    uint8_t frame[TCP_SERVER_CONNS][FRAME_MAX];
    struct speaker *who[TCP_SERVER_CONNS], speaker[4];
    uint32_t last; /* greatest number heard from the last speaker */
    unsigned n_speakers;
    unsigned n_numbers; /* heard in all */
    unsigned n_asked;   /* frames of the public client */
};

/* At the length of SC || IC || ...: gives the place of IC. */
static const uint8_t *number_at(const uint8_t *p)
{
    return p + (p[0] < 0x80 ? 1 : 1 + (p[0] & 0x7F)) + 1;
}

static void note(struct ear *e, struct speaker *who, const uint8_t *p)
{
    const uint32_t n =
        (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    assert_non_null(who);
    if (who->spoke && n <= who->last)
        fail_msg("number %u was sent after %u", n, who->last);
    who->spoke = true;
    who->last = e->last = n;
    e->n_numbers++;
}

static struct speaker *speaker_of(struct ear *e, const uint8_t *title)
{
    for (unsigned i = 0; i < e->n_speakers; i++)
        if (memcmp(e->speaker[i].title, title, DLMS_TITLE_LEN) == 0)
            return &e->speaker[i];
    assert_true(e->n_speakers < sizeof e->speaker / sizeof e->speaker[0]);
    struct speaker *new = &e->speaker[e->n_speakers++];
    memcpy(new->title, title, DLMS_TITLE_LEN);
    return new;
}

/* [6] calling-AP-title, then [30] user-information with glo-initiateRequest. */
static void look_at_aarq(struct ear *e, size_t line, const uint8_t *p, const uint8_t *end)
{
    e->who[line] = NULL;
    for (; p + 12 < end; p++) {
        if (e->who[line] == NULL && memcmp(p, "\xA6\x0A\x04\x08", 4) == 0)
            e->who[line] = speaker_of(e, p + 4);
        if (p[0] == 0xBE && p[2] == 0x04 && p[4] == INITIATE)
            break;
    }
    assert_true(p + 12 < end);
    note(e, e->who[line], number_at(p + 5));
}

static void look(struct ear *e, size_t line)
{
    const uint8_t *p = e->frame[line], *end = p + e->rx[line].len;
    assert_true(e->rx[line].len > 8);
    if (p[0] == AARQ)
        look_at_aarq(e, line, p, end);
    else if (p[0] >= GLO_FIRST && p[0] <= GLO_LAST)
        note(e, e->who[line], number_at(p + 1));
}

static void hear(void *context, size_t line, const uint8_t *p, size_t n)
{
    struct ear *e = context;
    if (n == 0)
        wrapper_reset(&e->rx[line], e->frame[line], sizeof e->frame[line]);
    for (size_t at = 0; at < n;) {
        enum wrapper_event event;
        at += wrapper_feed(&e->rx[line], p + at, n - at, &event);
        assert_true(event == WRAPPER_MORE || event == WRAPPER_FRAME);
        if (event == WRAPPER_FRAME && e->rx[line].source == METER_SAP_READER_HLS)
            look(e, line);
        else if (event == WRAPPER_FRAME)
            e->n_asked++;
    }
}

static struct ear *ear_new(void)
{
    struct ear *e = calloc(1, sizeof *e);
    assert_non_null(e);
    for (size_t i = 0; i < TCP_SERVER_CONNS; i++)
        wrapper_reset(&e->rx[i], e->frame[i], sizeof e->frame[i]);
    return e;
}

static struct ear *ear_at(struct station *s)
{
    struct ear *e = ear_new();
    s->heard = hear;
    s->heard_context = e;
    return e;
}

/* ---- what the meter says ---- */

/* One title speaks here. [30] user-information with glo-initiateResponse; a refusal has none. */
static void look_at_answer(struct ear *e, size_t line)
{
    const uint8_t *p = e->frame[line], *end = p + e->rx[line].len;
    struct speaker *meter = &e->speaker[0];
    if (p[0] >= GLO_FIRST && p[0] <= GLO_LAST) {
        note(e, meter, number_at(p + 1));
        return;
    }
    for (; e->frame[line][0] == AARE && p + 12 < end; p++) {
        if (p[0] == 0xBE && p[2] == 0x04 && p[4] == INITIATED) {
            note(e, meter, number_at(p + 5));
            return;
        }
    }
}

static void hear_answers(void *context, size_t line, const uint8_t *p, size_t n)
{
    struct ear *e = context;
    if (n == 0)
        wrapper_reset(&e->rx[line], e->frame[line], sizeof e->frame[line]);
    for (size_t at = 0; at < n;) {
        enum wrapper_event event;
        at += wrapper_feed(&e->rx[line], p + at, n - at, &event);
        assert_true(event == WRAPPER_MORE || event == WRAPPER_FRAME);
        if (event == WRAPPER_FRAME && e->rx[line].destination == METER_SAP_READER_HLS)
            look_at_answer(e, line);
    }
}

/* ---- backups ---- */

static void copy_store(const struct town *t, const char *to)
{
    char sql[160], from[128];
    sqlite3 *db;
    snprintf(from, sizeof from, "%s/ferraris.db", t->dir);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", to);
    assert_int_equal(sqlite3_open_v2(from, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void restore_store(struct town *t, const char *from)
{
    char path[128], why[256];
    const struct store_options o = {.dir = t->dir, .clock = &t->clock};
    store_close(t->store);
    t->store = NULL;
    snprintf(path, sizeof path, "%s/ferraris.db", t->dir);
    assert_int_equal(rename(from, path), 0);
    assert_int_equal(store_open(&t->store, &o, why, sizeof why), ERR_OK);
}

static void check_good(struct town *t, int64_t id)
{
    const struct meter_state state = town_state(t, id);
    assert_string_equal(state.error, "");
    assert_true(state.up_to_date);
    assert_int_equal(state.n_failed, 0);
}

/* ---- cases ---- */

static void counter_goes_on_over_restarts(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct ear *e = ear_at(s);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    for (int k = 0; k < 3; k++) {
        town_start(t);
        town_live(t, HOUR, 600);
        check_good(t, id);
        town_stop(t);
    }
    assert_true(e->n_numbers > 50);
    assert_true(e->last < 10 * 256); /* a block or two with each start, no leap */
    town_free(t);
    free(e);
}

static void counter_is_never_sent_again_after_a_restore(void **state)
{
    (void)state;
    char backup[] = "/tmp/ferraris-backup-XXXXXX";
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct ear *e = ear_at(s);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    assert_int_equal(close(mkstemp(backup)), 0); /* an empty file may be copied into */
    town_start(t);
    town_live(t, HOUR, 600);
    copy_store(t, backup);
    const uint32_t then = e->last;
    town_live(t, 40 * HOUR, 600);
    assert_true(e->last > then + 2 * 256); /* beyond what the copy had reserved */
    town_stop(t);
    restore_store(t, backup);
    const uint32_t last = e->last;
    const unsigned asked = e->n_asked;
    town_start(t);
    town_settle(t);
    check_good(t, id);
    assert_true(e->n_asked > asked);
    assert_true(e->last > last + 60000); /* and beyond what may have been lost on the way */
    town_check_rows(t, s, id);           /* what the copy lacked was read again */
    town_stop(t);
    town_start(t);
    town_settle(t);
    check_good(t, id);
    town_free(t);
    free(e);
}

/* The first question gets no answer: the line breaks. What is in the store is used. */
static void counter_of_the_store_is_used_when_the_meter_does_not_tell(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct ear *e = ear_at(s);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    s->away = true; /* every line until it is back */
    town_start(t);
    town_settle(t);
    assert_false(town_state(t, id).up_to_date);
    s->away = false;
    town_live(t, HOUR, 60);
    check_good(t, id);
    assert_true(e->n_numbers > 10);
    town_free(t);
    free(e);
}

/* The other way: answers that were heard before this process began are not taken again, and what
 * was heard is kept for the next. */
static void counter_of_an_answer_must_be_above_the_stored_one(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    uint32_t floor = 0;
    town_start(t);
    town_live(t, HOUR, 600);
    check_good(t, id);
    town_stop(t);
    assert_int_equal(store_rx_floor_get(t->store, id, METER_SAP_READER_HLS, &floor), ERR_OK);
    assert_true(floor > 0);
    assert_int_equal(store_rx_floor_put(t->store, id, METER_SAP_READER_HLS, UINT32_MAX), ERR_OK);
    town_start(t);
    town_settle(t);
    assert_false(town_state(t, id).up_to_date);
    assert_string_not_equal(town_state(t, id).error, "");
    town_free(t);
}

/* ... unless the user says that another meter is in its place, or has other keys: that one begins
 * with numbers of its own. */
static void counter_of_answers_begins_anew_with_another_meter(void **state)
{
    (void)state;
    uint32_t floor = 0;
    struct store_meter m;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D"), *other = town_station(t, "SM402D");
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    town_stop(t);
    assert_int_equal(store_rx_floor_put(t->store, id, METER_SAP_READER_HLS, 1000000), ERR_OK);
    town_start(t);
    town_settle(t);
    assert_false(town_state(t, id).up_to_date);
    assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
    snprintf(m.url, sizeof m.url, "tcp://%.60s", other->tcp.address);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (town_state(t, id).error[0] != '\0')
        uv_run(&t->loop, UV_RUN_ONCE);
    town_settle(t);
    check_good(t, id);
    assert_int_equal(store_rx_floor_get(t->store, id, METER_SAP_READER_HLS, &floor), ERR_OK);
    assert_in_range(floor, 1, 999999);
    town_free(t);
}

/* A meter that was added twice has two rows, each with numbers of its own, and one key. */
static void counter_of_two_rows_of_one_meter_is_no_nonce_twice(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct ear *e = ear_at(s);
    const int64_t first = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_live(t, HOUR, 60);
    (void)town_add(t, s, STORE_AUTH_HLS5);
    town_live(t, HOUR, 60);
    assert_int_equal(e->n_speakers, 2);
    /* who came second to a number is refused, and waits as after any refusal; then he is read */
    const int64_t since_ms = t->utc_ms;
    for (int h = 0; h < 12 && town_state(t, first).last_ok_ms <= since_ms; h++)
        town_live(t, HOUR, 60);
    assert_true(town_state(t, first).last_ok_ms > since_ms);
    town_free(t);
    free(e);
}

/* A meter that claims to know numbers far beyond: nothing is sent with ours, and the error says
 * why. */
static void counter_is_not_burnt_by_an_unlikely_answer(void **state)
{
    (void)state;
    uint32_t next;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    s->rig->counter = (struct dlms_counter){.next = 0x40000000, .limit = UINT32_MAX};
    assert_true(rig_connect(s->rig, METER_SAP_READER_HLS));
    rig_release(s->rig);
    struct ear *e = ear_at(s);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    assert_non_null(strstr(town_state(t, id).error, "far beyond ours"));
    assert_int_equal(e->n_numbers, 0);
    assert_true(e->n_asked > 0);
    assert_int_equal(store_counter_reserve(t->store, id, METER_SAP_READER_HLS, 1, 1, &next),
                     ERR_OK);
    assert_true(next < 4 * 256);
    town_free(t);
    free(e);
}

/* Both directions of a meter's lines, in one life with everything that could make somebody begin
 * to count again: the meter's power goes between readings and in the middle of one (at an operation
 * of its flash), a line breaks in the middle of an answer, the module is exchanged for one at
 * another address, the head-end starts anew and from a copy of its store that is hours old. A
 * module has no keys and no counter of its own, so for the frames it is another line. */
static void claim_SYS_COUNTERS(void **state)
{
    (void)state;
    char backup[] = "/tmp/ferraris-backup-XXXXXX";
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct ear *asked = ear_at(s), *said = ear_new();
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    unsigned n_struck = 0; /* in the middle of a flash operation */
    s->said = hear_answers;
    s->said_context = said;
    assert_int_equal(close(mkstemp(backup)), 0);
    for (uint32_t k = 0; k < 12; k++) {
        const unsigned before = said->n_numbers;
        if (k % 3 == 1) /* dies at one of the first operations of the hour, if there are so many */
            flash_emu_power(&s->rig->emu, 1 + k, (enum tear)(k % N_TEARS));
        if (k % 6 == 2)
            s->cut_after = 300 + 97 * k;
        town_start(t);
        town_live(t, HOUR / 2, 300);
        s->cut_after = 0;
        n_struck += s->rig->emu.dead;
        town_power_cut(t, s);
        town_live(t, 3 * HOUR, 600); /* over the pause after a failure */
        check_good(t, id);
        assert_true(said->n_numbers > before);
        if (k == 5)
            copy_store(t, backup);
        town_stop(t);
        if (k % 4 == 3)
            town_other_module(t, s, id);
    }
    restore_store(t, backup);
    town_other_module(t, s, id);
    town_start(t);
    town_live(t, HOUR, 600);
    check_good(t, id);
    print_message("%u numbers of the head-end and %u of the meter, none twice\n", asked->n_numbers,
                  said->n_numbers);
    assert_true(asked->n_numbers > 1000 && said->n_numbers > 1000 && n_struck >= 4);
    town_free(t);
    free(asked);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_goes_on_over_restarts),
        cmocka_unit_test(counter_is_never_sent_again_after_a_restore),
        cmocka_unit_test(counter_of_the_store_is_used_when_the_meter_does_not_tell),
        cmocka_unit_test(counter_of_an_answer_must_be_above_the_stored_one),
        cmocka_unit_test(counter_of_answers_begins_anew_with_another_meter),
        cmocka_unit_test(counter_of_two_rows_of_one_meter_is_no_nonce_twice),
        cmocka_unit_test(counter_is_not_burnt_by_an_unlikely_answer),
        cmocka_unit_test(claim_SYS_COUNTERS),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
