/* A session behind a link: answers go to who asked, a closed link ends the association, a client
 * that takes nothing stops only itself. The link here is a toy whose every state the test sets:
 * a frame is client, server, length, an octet each, and the APDU. */
#include "tests/lib/cosem/example.h"

#include "lib/cosem/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define HEAD 3

struct toy {
    struct dlms_link link;
    enum dlms_link_state state;
    size_t max;
    uint8_t in[256], out[1024];
    size_t in_len, out_pos, out_len;
    bool hold; /* the link waits for an acknowledgement: sending stays true */
    bool unconfirmed, sent_unconfirmed, to_all;
    enum err refuse;
};

static void toy_reset(struct dlms_link *l)
{
    struct toy *t = (struct toy *)l;
    t->state = LINK_OPEN;
    t->in_len = t->out_pos = t->out_len = 0;
}

static enum err toy_open(struct dlms_link *l, uint64_t now_ms)
{
    (void)l, (void)now_ms;
    return ERR_STATE;
}

static bool whole(const struct toy *t)
{
    return t->in_len >= HEAD && t->in_len == HEAD + (size_t)t->in[2];
}

static size_t toy_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct toy *t = (struct toy *)l;
    size_t used = 0;
    (void)now_ms;
    while (used < n && !whole(t))
        t->in[t->in_len++] = p[used++];
    return used;
}

static size_t toy_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct toy *t = (struct toy *)l;
    size_t n = t->out_len - t->out_pos < size ? t->out_len - t->out_pos : size;
    (void)now_ms;
    memcpy(to, t->out + t->out_pos, n);
    t->out_pos += n;
    return n;
}

static uint64_t toy_poll(struct dlms_link *l, uint64_t now_ms)
{
    const struct toy *t = (struct toy *)l;
    return now_ms + (t->out_pos < t->out_len ? 100 : 5000);
}

static bool toy_received(struct dlms_link *l, struct dlms_frame *out)
{
    struct toy *t = (struct toy *)l;
    *out = (struct dlms_frame){.client = t->in[0],
                               .server = t->in[1],
                               .p = t->in + HEAD,
                               .len = t->in[2],
                               .unconfirmed = t->unconfirmed,
                               .to_all = t->to_all};
    return whole(t);
}

static void toy_release(struct dlms_link *l)
{
    ((struct toy *)l)->in_len = 0;
}

static bool toy_sending(const struct dlms_link *l)
{
    const struct toy *t = (const struct toy *)l;
    return t->hold || t->out_pos < t->out_len;
}

static enum err toy_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    struct toy *t = (struct toy *)l;
    (void)now_ms;
    if (t->refuse)
        return t->refuse;
    t->out[0] = (uint8_t)f->client;
    t->out[1] = (uint8_t)f->server;
    t->out[2] = (uint8_t)f->len;
    memcpy(t->out + HEAD, f->p, f->len);
    t->out_pos = 0;
    t->out_len = HEAD + f->len;
    t->sent_unconfirmed = f->unconfirmed;
    return ERR_OK;
}

static enum dlms_link_state toy_state(const struct dlms_link *l)
{
    return ((const struct toy *)l)->state;
}

static const char *toy_why(const struct dlms_link *l)
{
    (void)l;
    return "";
}

static size_t toy_max(const struct dlms_link *l)
{
    return ((const struct toy *)l)->max;
}

static const struct dlms_link_ops toy_ops = {
    .reset = toy_reset,
    .open = toy_open,
    .close = toy_open,
    .feed = toy_feed,
    .take = toy_take,
    .poll = toy_poll,
    .received = toy_received,
    .release = toy_release,
    .send = toy_send,
    .sending = toy_sending,
    .state = toy_state,
    .why = toy_why,
    .max_apdu = toy_max,
};

static struct example x;
static struct cosem_session other;
static struct toy toy[2];
static struct cosem_line line, line2;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    memset(toy, 0, sizeof toy);
    for (size_t i = 0; i < 2; i++)
        toy[i] = (struct toy){.link = {&toy_ops}, .state = LINK_OPEN, .max = 2048};
    session_init(&other, &x.server);
    line_init(&line, &toy[0].link, &x.session);
    line_init(&line2, &toy[1].link, &other);
    return 0;
}

#define AARQ_LLS                                                                                   \
    "6039A1090607608574050801018A0207808B0760857405080201AC0D800B6C6574206D652072656164"           \
    "BE10040E01000000065F1F040000FFFF0400"
#define GET_NAME "C001C1000100002A0000FF0200"

static size_t frame(uint8_t *to, uint8_t client, const char *apdu)
{
    size_t n = hex_octets(apdu, to + HEAD, 200);
    to[0] = client;
    to[1] = 1;
    to[2] = (uint8_t)n;
    return HEAD + n;
}

static size_t ask(struct cosem_line *l, uint8_t client, const char *apdu, uint8_t answer[256])
{
    uint8_t q[256];
    size_t n = frame(q, client, apdu);
    assert_int_equal(line_feed(l, 0, q, n), n);
    return line_take(l, 0, answer, 256);
}

static void associate(struct cosem_line *l)
{
    uint8_t a[256];
    assert_true(ask(l, SAP_READER, AARQ_LLS, a) > HEAD);
    assert_int_equal(a[HEAD], DLMS_AARE);
    assert_int_equal(l->session->state, SESSION_ASSOCIATED);
}

static void line_serves_requests_over_a_link(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
    assert_memory_equal(a, "\x02\x01\x16\xC4\x01\xC1\x00\x09\x10", 9);
}

static void line_answers_who_asked_not_who_is_associated(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    assert_int_equal(ask(&line, 0x77, GET_NAME, a), HEAD + 3);
    assert_memory_equal(a, "\x77\x01\x03\xD8\x01\x01", 6);
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
}

static void line_answers_pipelined_requests_one_by_one(void **state)
{
    uint8_t q[256], a[256];
    (void)state;
    associate(&line);
    size_t n = frame(q, SAP_READER, GET_NAME);
    n += frame(q + n, SAP_READER, GET_NAME);
    n += frame(q + n, SAP_READER, GET_NAME);
    size_t used = line_feed(&line, 0, q, n), n_answers = 0, got;
    assert_true(used < n);
    while ((got = line_take(&line, 0, a, sizeof a)) > 0) {
        assert_int_equal(got, HEAD + 22);
        n_answers++;
        used += line_feed(&line, 0, q + used, n - used);
    }
    assert_int_equal(used, n);
    assert_int_equal(n_answers, 3);
}

static void line_keeps_the_answer_until_the_link_has_sent_it(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    toy[0].hold = true; /* not acknowledged: the link may read the answer again */
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
    assert_int_equal(session_answer(&x.session).len, 22);
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), 0);
    toy[0].hold = false;
    assert_int_equal(line_take(&line, 0, a, sizeof a), HEAD + 22);
    assert_int_equal(line_take(&line, 0, a, sizeof a), 0);
    assert_int_equal(session_answer(&x.session).len, 0);
}

static void line_ends_the_association_when_the_link_closes(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    assert_int_equal(x.server.n_associated[1], 1);
    toy[0].state = LINK_CLOSED;
    (void)line_poll(&line, 0);
    assert_int_equal(x.server.n_associated[1], 0);
    assert_false(line_closed(&line));
    toy[0].state = LINK_OPEN;
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 3);
    assert_int_equal(a[HEAD], DLMS_EXCEPTION_RESPONSE);
    associate(&line);
}

static void line_drops_what_the_link_can_never_send(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    toy[0].refuse = ERR_RANGE;
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), 0);
    assert_int_equal(session_answer(&x.session).len, 0);
    toy[0].refuse = ERR_OK;
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
}

static void line_agrees_on_no_more_than_the_link_carries(void **state)
{
    (void)state;
    toy[0].max = 100;
    line_init(&line, &toy[0].link, &x.session);
    associate(&line);
    assert_int_equal(x.session.max_pdu, 100);
}

static void line_answers_unconfirmed_as_it_was_asked(void **state)
{
    uint8_t a[256];
    (void)state;
    associate(&line);
    assert_false(toy[0].sent_unconfirmed);
    toy[0].unconfirmed = true;
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
    assert_true(toy[0].sent_unconfirmed);
    toy[0].unconfirmed = false;
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
    assert_false(toy[0].sent_unconfirmed);
}

static void line_leaves_what_goes_to_all_stations_alone(void **state)
{
    static const char *const to_all[] = {GET_NAME, AARQ_LLS, "6200", "C0"};
    uint8_t a[256];
    (void)state;
    associate(&line);
    toy[0].unconfirmed = toy[0].to_all = true;
    for (size_t i = 0; i < sizeof to_all / sizeof to_all[0]; i++)
        assert_int_equal(ask(&line, SAP_READER, to_all[i], a), 0);
    toy[0].unconfirmed = toy[0].to_all = false;
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
}

/* Or two meters, brought together by a datagram with a wrong sender, would never stop. */
static void line_never_answers_an_answer(void **state)
{
    static const char *const answers[] = {
        "61",     "63",     "08",     "28",     "0E010600", "C401C10300", "C501C100", "C701C10000",
        "CC0100", "CD0100", "CF0100", "D40100", "D50100",   "D70100",     "D80101",   "DA40000001"};
    uint8_t a[256];
    (void)state;
    for (unsigned associated = 0; associated < 2; associated++) {
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
            assert_int_equal(ask(&line, SAP_READER, answers[i], a), 0);
        associate(&line);
    }
    assert_int_equal(ask(&line, SAP_READER, GET_NAME, a), HEAD + 22);
}

static void line_frees_the_association_after_silence(void **state)
{
    (void)state;
    x.server.config.inactivity_ms = 1000;
    associate(&line);
    assert_int_equal(line_poll(&line, 10), 1010);
    assert_int_equal(line_poll(&line, 1010), 1010 + 5000);
    assert_true(line_closed(&line));
    assert_int_equal(x.server.n_associated[1], 0);
    line_reset(&line);
    assert_false(line_closed(&line));
    associate(&line);
}

static void line_counts_silence_from_when_the_link_opened(void **state)
{
    (void)state;
    x.server.config.inactivity_ms = 1000;
    toy[0].state = LINK_CLOSED;
    line_init(&line, &toy[0].link, &x.session);
    (void)line_poll(&line, 1);
    toy[0].state = LINK_OPEN; /* a client at last, shortly before the time is up */
    (void)line_poll(&line, 1000);
    (void)line_poll(&line, 1999);
    assert_false(line_closed(&line));
    (void)line_poll(&line, 2000);
    assert_true(line_closed(&line));
}

static void line_that_is_stuck_hinders_no_other(void **state)
{
    uint8_t q[256], a[256];
    (void)state;
    associate(&line);
    associate(&line2);
    assert_int_equal(x.server.n_associated[1], 2);
    size_t n = frame(q, SAP_READER, GET_NAME);
    assert_int_equal(line_feed(&line, 0, q, n), n); /* and takes nothing */
    assert_int_equal(line_feed(&line, 0, q, n), n);
    assert_int_equal(line_feed(&line, 0, q, n), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask(&line2, SAP_READER, GET_NAME, a), HEAD + 22);
}

static void line_polls_the_link_for_what_it_has_just_sent(void **state)
{
    static const uint8_t value[] = {0x11, 5};
    static const struct apdu_notification notice = {.body = {value, sizeof value}};
    static const struct session_push to_associated = {.client_sap = 0};
    (void)state;
    associate(&line);
    assert_int_equal(line_poll(&line, 10), 10 + 5000);
    assert_int_equal(session_notify_data(&x.session, 20, &to_associated, &notice), ERR_OK);
    assert_int_equal(line_poll(&line, 20), 20 + 100);
}

static void line_leaves_nothing_to_read_when_the_link_closes(void **state)
{
    static const uint8_t zeros[sizeof x.session.tx];
    uint8_t a[256];
    (void)state;
    associate(&line);
    assert_true(ask(&line, SAP_READER, GET_NAME, a) > HEAD);
    assert_memory_not_equal(x.session.tx, zeros, sizeof zeros);
    toy[0].state = LINK_CLOSED;
    (void)line_poll(&line, 0);
    assert_memory_equal(x.session.tx, zeros, sizeof zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(line_serves_requests_over_a_link, start),
        cmocka_unit_test_setup(line_answers_who_asked_not_who_is_associated, start),
        cmocka_unit_test_setup(line_answers_pipelined_requests_one_by_one, start),
        cmocka_unit_test_setup(line_keeps_the_answer_until_the_link_has_sent_it, start),
        cmocka_unit_test_setup(line_ends_the_association_when_the_link_closes, start),
        cmocka_unit_test_setup(line_drops_what_the_link_can_never_send, start),
        cmocka_unit_test_setup(line_agrees_on_no_more_than_the_link_carries, start),
        cmocka_unit_test_setup(line_answers_unconfirmed_as_it_was_asked, start),
        cmocka_unit_test_setup(line_leaves_what_goes_to_all_stations_alone, start),
        cmocka_unit_test_setup(line_never_answers_an_answer, start),
        cmocka_unit_test_setup(line_frees_the_association_after_silence, start),
        cmocka_unit_test_setup(line_counts_silence_from_when_the_link_opened, start),
        cmocka_unit_test_setup(line_that_is_stuck_hinders_no_other, start),
        cmocka_unit_test_setup(line_polls_the_link_for_what_it_has_just_sent, start),
        cmocka_unit_test_setup(line_leaves_nothing_to_read_when_the_link_closes, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
