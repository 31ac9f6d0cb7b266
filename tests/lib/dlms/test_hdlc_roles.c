/* Each role of the HDLC link against frames written by hand: who may speak when, what is answered
 * to what, what is sent again, and what time does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/dlms/hdlc.h"
#include "tests/lib/hex.h"

enum { P = HDLC_PF };

static struct hdlc hdlc;
static struct dlms_link *const link_ = &hdlc.link;
static uint8_t buffer[600];
static uint64_t now_ms;
static struct hdlc_address other_end; /* who speaks in say(): the client's SAP, or the server */

static const struct hdlc_config usual = {.inactivity_ms = 120000,
                                         .inter_octet_ms = 30,
                                         .client_sap = 16,
                                         .server_sap = 1,
                                         .server_lower = 17,
                                         .address_size = 2,
                                         .retries = 2,
                                         .response_ms = 1000,
                                         .physical = 17};
static const struct hdlc_address station = {1, 17, 2}, client16 = {16, 0, 1};

static void say_to(struct hdlc_address to, unsigned control, const char *info, bool segmented)
{
    uint8_t octets[600], line[700];
    struct hdlc_frame f = {to, other_end, segmented, (uint8_t)control, {octets, 0}};
    f.info.len = hex_octets(info, octets, sizeof octets);
    struct wr w = wr_of(line, sizeof line);
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(dlms_link_feed(link_, now_ms, line, w.len), w.len);
}

static void say(unsigned control, const char *info)
{
    say_to(hdlc.config.is_server ? station : client16, control, info, false);
}

/* The next frame of the link; its info field is in `heard`. -1: it says nothing. */
static uint8_t heard[600];
static struct hdlc_frame heard_frame;
static int hear(void)
{
    size_t n = 0, at;
    static uint8_t line[700];
    do { /* octet by octet, so that a second frame stays where it is */
        if (dlms_link_take(link_, now_ms, line + n, 1) == 0)
            break;
        n++;
    } while (n < 4 || n < 2 + (size_t)((line[1] & 7) << 8 | line[2]));
    if (n == 0)
        return -1;
    assert_int_equal(line[0], HDLC_FLAG);
    assert_int_equal(line[n - 1], HDLC_FLAG);
    assert_int_equal(hdlc_frame_decode((struct bytes){line + 1, n - 2}, &heard_frame, &at), 0);
    if (heard_frame.info.len)
        memcpy(heard, heard_frame.info.p, heard_frame.info.len);
    return heard_frame.control;
}

static void assert_heard_info(const char *hex)
{
    uint8_t expected[600];
    assert_int_equal(hex_octets(hex, expected, sizeof expected), heard_frame.info.len);
    assert_memory_equal(heard, expected, heard_frame.info.len);
}

static void start_server(const struct hdlc_parameters *p)
{
    struct hdlc_config c = usual;
    if (p)
        c.parameters = *p;
    now_ms = 1000;
    other_end = client16;
    assert_int_equal(hdlc_server_init(&hdlc, &c, buffer, sizeof buffer), ERR_OK);
    hdlc.config.is_server = true;
}

static void connect_server(const struct hdlc_parameters *p)
{
    start_server(p);
    say(HDLC_SNRM | P, p ? "81800E 05020200 06020200 070107 080107" : "");
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
}

static void start_client(void)
{
    now_ms = 1000;
    other_end = station;
    assert_int_equal(hdlc_client_init(&hdlc, &usual, buffer, sizeof buffer), ERR_OK);
    assert_int_equal(dlms_link_open(link_, now_ms), ERR_OK);
    assert_int_equal(hear(), HDLC_SNRM | P);
    assert_int_equal(hear(), -1);
}

static void connect_client(const char *ua)
{
    start_client();
    say(HDLC_UA | P, ua);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
}

static enum err send_octets(const uint8_t *p, size_t n, bool unconfirmed)
{
    struct dlms_frame f = {.client = 16,
                           .server = 1,
                           .p = (uint8_t *)(uintptr_t)p,
                           .len = n,
                           .unconfirmed = unconfirmed};
    return dlms_link_send(link_, now_ms, &f);
}

static size_t receive(struct dlms_frame *f)
{
    if (!dlms_link_received(link_, f))
        return 0;
    dlms_link_release(link_);
    return f->len;
}

/* --- server */

static void hdlc_server_agrees_on_the_smaller_of_each(void **state)
{
    (void)state;
    struct hdlc_parameters p = {300, 100, 3, 2};
    start_server(&p);
    say(HDLC_SNRM | P, "818011 05020040 06020200 070105 0804 00000002"); /* tx 64 rx 512 w 5, 2 */
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);               /* until its UA is out */
    assert_int_equal(hear(), HDLC_UA | P);
    assert_heard_info("818013 0502012C 060140 0704 00000002 0804 00000002");
    assert_int_equal(heard_frame.destination.upper, 16);
    assert_int_equal(heard_frame.source.upper, 1);
    assert_int_equal(heard_frame.source.lower, 17);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
    assert_int_equal(hdlc.agreed.max_info_tx, 300);
    assert_int_equal(hdlc.agreed.max_info_rx, 64);
    assert_int_equal(hear(), -1);
}

static void hdlc_server_gives_the_defaults_when_snrm_names_nothing_readable(void **state)
{
    (void)state;
    static const char *const infos[] = {"", "FF", "818003 070100", "818003 0501"};
    struct hdlc_parameters p = {500, 500, 7, 7};
    for (size_t i = 0; i < 4; i++) {
        start_server(&p);
        say(HDLC_SNRM | P, infos[i]);
        assert_int_equal(hear(), HDLC_UA | P);
        assert_heard_info("818012 050180 060180 0704 00000001 0804 00000001");
    }
}

static void hdlc_server_answers_dm_when_nobody_or_another_is_connected(void **state)
{
    (void)state;
    start_server(NULL);
    say(HDLC_DISC | P, "");
    assert_int_equal(hear(), HDLC_DM | P);
    say(0x10, "E6E600C0");
    assert_int_equal(hear(), HDLC_DM | P);
    say(0x00, "E6E600C0"); /* did not ask */
    assert_int_equal(hear(), -1);
    connect_server(NULL);
    other_end.upper = 17;
    static const unsigned controls[] = {HDLC_SNRM | P, HDLC_DISC | P, HDLC_RR | P};
    for (size_t i = 0; i < 3; i++) {
        say(controls[i], "");
        assert_int_equal(hear(), HDLC_DM | P);
        assert_int_equal(heard_frame.destination.upper, 17);
    }
    other_end.upper = 16;
    say(0x10, "E6E600C0");
    struct dlms_frame f;
    assert_int_equal(receive(&f), 1);
    assert_int_equal(f.client, 16);
    say(HDLC_DISC | P, "");
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    say(HDLC_DISC | P, "");
    assert_int_equal(hear(), HDLC_DM | P);
}

static void hdlc_server_lets_another_client_in_after_silence(void **state)
{
    (void)state;
    connect_server(NULL);
    now_ms += 119999;
    assert_int_equal(dlms_link_poll(link_, now_ms), 1000 + 120000);
    say(0x11, ""); /* RR without P counts as life */
    now_ms += 119999;
    dlms_link_poll(link_, now_ms);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
    assert_int_equal(dlms_link_poll(link_, ++now_ms), UINT64_MAX);
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    other_end.upper = 17;
    say(HDLC_SNRM | P, "");
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
}

static void hdlc_server_begins_anew_when_its_client_says_snrm(void **state)
{
    (void)state;
    connect_server(NULL);
    static const uint8_t answer[] = {0xC4, 1};
    say(0x10, "E6E600C001");
    struct dlms_frame f;
    assert_true(dlms_link_received(link_, &f));
    assert_int_equal(send_octets(answer, 2, false), ERR_OK);
    say(HDLC_SNRM | P, "");
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    assert_false(dlms_link_sending(link_));
    assert_int_equal(send_octets(answer, 2, false), ERR_STATE);
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(hear(), -1);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
    struct dlms_frame none;
    assert_false(dlms_link_received(link_, &none)); /* the old one is not of this connection */
    assert_int_equal(f.p[0], 0xC0);                 /* but the caller still has it */
    say(0x10, "E6E600C102");
    assert_int_equal(f.p[0], 0xC0);
    dlms_link_release(link_);
    say(0x10, "E6E600C102"); /* again: there was no room for it */
    assert_int_equal(receive(&f), 2);
    assert_int_equal(f.p[0], 0xC1);
}

static void hdlc_server_ignores_frames_for_others(void **state)
{
    (void)state;
    start_server(NULL);
    say_to((struct hdlc_address){1, 18, 2}, HDLC_SNRM | P, "", false);
    assert_int_equal(hear(), -1);
    say_to((struct hdlc_address){1, 18, 4}, HDLC_SNRM | P, "", false);
    assert_int_equal(hear(), -1);
    say_to((struct hdlc_address){1, 17, 4}, HDLC_SNRM | P, "", false);
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(heard_frame.source.size, 4);
    dlms_link_reset(link_);
    say_to((struct hdlc_address){1, 0, 1}, HDLC_SNRM | P, "", false); /* no lower address: ours */
    assert_int_equal(hear(), HDLC_UA | P);
    assert_int_equal(heard_frame.source.size, 1);
    assert_int_equal(hdlc.n_bad, 0);
}

static void hdlc_server_never_answers_what_goes_to_all(void **state)
{
    (void)state;
    static const struct hdlc_address all[] = {
        {0x7F, 0, 1}, {0x7F, 17, 2}, {1, 0x7F, 2}, {0x3FFF, 0x3FFF, 4}, {1, 0x3FFF, 4}};
    for (size_t i = 0; i < 5; i++) {
        start_server(NULL);
        say_to(all[i], HDLC_SNRM | P, "", false);
        say_to(all[i], HDLC_DISC | P, "", false);
        assert_int_equal(hear(), -1);
        say_to(all[i], HDLC_UI | P, "E6E600C1AA", false);
        struct dlms_frame f;
        assert_int_equal(receive(&f), 2);
        assert_true(f.unconfirmed);
        assert_true(f.to_all);
        assert_int_equal(f.server, all[i].upper);
        assert_int_equal(hear(), -1);
        say(HDLC_UI | P, "E6E600C1AA");
        assert_int_equal(receive(&f), 2);
        assert_false(f.to_all);
    }
}

static void hdlc_server_speaks_only_when_asked(void **state)
{
    (void)state;
    struct hdlc_parameters p = {128, 128, 2, 7};
    connect_server(&p);
    static const uint8_t answer[600] = {0xC4};
    say_to(station, 0x00, "E6E600C001", true);
    assert_int_equal(hear(), -1);
    say_to(station, 0x12, "02", true); /* second segment, P */
    assert_int_equal(hear(), HDLC_RR | P | 2 << 5);
    say(0x14, "03");
    struct dlms_frame f;
    assert_int_equal(receive(&f), 4);
    assert_memory_equal(f.p, "\xC0\x01\x02\x03", 4);
    assert_int_equal(send_octets(answer, 600, false), ERR_OK); /* 603 octets: 5 frames */
    assert_int_equal(hear(), 3 << 5 | 0);
    assert_true(heard_frame.segmented);
    assert_int_equal(hear(), 3 << 5 | P | 1 << 1); /* end of the window */
    assert_int_equal(hear(), -1);
    say(HDLC_RR | P | 2 << 5, "");
    assert_int_equal(hear(), 3 << 5 | 2 << 1);
    assert_int_equal(hear(), 3 << 5 | P | 3 << 1);
    assert_int_equal(hear(), -1);
    say(HDLC_RR | 4 << 5, ""); /* acknowledges, does not ask */
    assert_int_equal(hear(), -1);
    say(HDLC_RR | P | 4 << 5, "");
    assert_int_equal(hear(), 3 << 5 | P | 4 << 1);
    assert_false(heard_frame.segmented);
    assert_int_equal(heard_frame.info.len, 603 - 4 * 128);
}

static void hdlc_server_keeps_its_answer_until_it_is_acknowledged(void **state)
{
    (void)state;
    connect_server(NULL);
    static const uint8_t answer[] = {0xC4, 1};
    say(0x10, "E6E600C001");
    struct dlms_frame f;
    assert_int_equal(receive(&f), 2);
    assert_int_equal(send_octets(answer, 2, false), ERR_OK);
    assert_int_equal(send_octets(answer, 2, false), ERR_BUSY);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(hear(), 1 << 5 | P);
        assert_heard_info("E6E700C401");
        assert_true(dlms_link_sending(link_));
        if (i % 2)
            say(HDLC_RR | P, ""); /* N(R) 0: it did not arrive */
        else
            say(0x10, "E6E600C001"); /* nor did the client get any further */
        assert_false(dlms_link_received(link_, &f));
    }
    assert_int_equal(hdlc.n_resent, 5);
    say(1 << 5 | P | 1 << 1, "E6E600C002");
    assert_false(dlms_link_sending(link_));
    assert_int_equal(receive(&f), 2);
    assert_int_equal(f.p[1], 2);
}

static void hdlc_server_says_when_it_is_busy_or_has_nothing(void **state)
{
    (void)state;
    connect_server(NULL);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), HDLC_RR | P);
    assert_int_equal(hear(), -1);
    say(0x10, "E6E600C001");
    struct dlms_frame f;
    assert_true(dlms_link_received(link_, &f));
    assert_int_equal(hear(), -1); /* the caller is at it */
    say(0x10, "E6E600C001");
    assert_int_equal(hear(), HDLC_RNR | P | 1 << 5);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), HDLC_RNR | P | 1 << 5);
    say(0x12, "E6E600C002"); /* there is no room for this one */
    assert_int_equal(hear(), HDLC_RNR | P | 1 << 5);
    dlms_link_release(link_);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), HDLC_RR | P | 1 << 5); /* released, no answer: not yet, or never */
}

static void hdlc_server_holds_its_answer_when_the_client_is_busy(void **state)
{
    (void)state;
    connect_server(NULL);
    static const uint8_t answer[] = {0xC4, 1};
    assert_int_equal(send_octets(answer, 2, false), ERR_OK);
    say(HDLC_RNR | P, "");
    assert_int_equal(hear(), HDLC_RR | P);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), P);
}

static void hdlc_server_takes_segments_in_order_only(void **state)
{
    (void)state;
    struct hdlc_parameters p = {128, 128, 7, 7};
    connect_server(&p);
    say_to(station, 0x00, "E6E600C001", true);
    say(0x14, "03"); /* number 2: 1 is missing */
    assert_int_equal(hear(), HDLC_RR | P | 1 << 5);
    struct dlms_frame f;
    assert_false(dlms_link_received(link_, &f));
    say_to(station, 0x02, "02", true);
    say_to(station, 0x02, "02", true); /* a copy */
    say(0x14, "03");
    assert_int_equal(receive(&f), 4);
    assert_memory_equal(f.p, "\xC0\x01\x02\x03", 4);
}

static void hdlc_server_rejects_what_it_cannot_take(void **state)
{
    (void)state;
    connect_server(NULL);
    say(0x19, ""); /* REJ with P */
    assert_int_equal(hear(), HDLC_FRMR | P);
    assert_heard_info("19 00 01");
    say(HDLC_RR | P | 3 << 5, ""); /* acknowledges three frames, none was sent */
    assert_int_equal(hear(), HDLC_FRMR | P);
    assert_heard_info("71 00 08");
    say(HDLC_RR | 3 << 5, ""); /* the same, but it did not ask */
    assert_int_equal(hear(), -1);
    assert_int_equal(hdlc.n_bad, 3);
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
}

static void hdlc_server_drops_what_is_no_apdu(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "E6", "E6E6", "E6E601C0", "E6E500C0", "C0010203"};
    for (size_t i = 0; i < 6; i++) {
        connect_server(NULL);
        say(0x10, bad[i]);
        struct dlms_frame f;
        assert_false(dlms_link_received(link_, &f));
        assert_int_equal(hdlc.n_bad, 1);
        assert_int_equal(hear(), HDLC_RR | P | 1 << 5); /* it was taken, there is no answer */
    }
}

static void hdlc_server_goes_on_when_an_apdu_is_longer_than_its_buffer(void **state)
{
    (void)state;
    connect_server(NULL);
    char info[2 * 128 + 1];
    memset(info, 'A', sizeof info - 1);
    info[sizeof info - 1] = '\0';
    memcpy(info, "E6E600C0", 8);
    unsigned ns = 0, n_again = 0;
    while (ns < 7) { /* 7 frames of 128 octets into a buffer of 600 */
        say_to(station, P | ns << 1, info, ns < 6);
        int control = hear();
        if (control == -1) { /* the one that did not fit is asked for again */
            assert_int_equal(++n_again, 1);
            continue;
        }
        ns++;
        assert_int_equal(control, (int)((HDLC_RR | P | ns << 5) & 0xFF));
    }
    assert_int_equal(n_again, 1);
    struct dlms_frame f;
    assert_false(dlms_link_received(link_, &f));
    say(P | 7 << 1, "E6E600C001");
    assert_int_equal(receive(&f), 2);
}

static void hdlc_server_pushes_without_a_connection(void **state)
{
    (void)state;
    start_server(NULL);
    uint8_t push[300];
    memset(push, 0x5A, sizeof push);
    assert_int_equal(send_octets(push, 3, false), ERR_STATE);
    assert_int_equal(send_octets(push, sizeof push, true), ERR_OK);
    static const size_t lens[] = {128, 128, 47};
    for (size_t i = 0; i < 3; i++) {
        assert_true(dlms_link_sending(link_));
        assert_int_equal(hear(), HDLC_UI | P);
        assert_int_equal(heard_frame.segmented, i < 2);
        assert_int_equal(heard_frame.info.len, lens[i]);
        assert_int_equal(heard_frame.destination.upper, 16);
        assert_int_equal(heard_frame.source.upper, 1);
        assert_int_equal(heard_frame.source.lower, 17);
        if (i == 0)
            assert_memory_equal(heard, "\xE6\xE7\x00\x5A", 4);
    }
    assert_int_equal(hear(), -1);
    assert_false(dlms_link_sending(link_));
}

static void hdlc_server_waits_no_longer_for_a_frame_that_stopped(void **state)
{
    (void)state;
    static const char cut[] = "7EA02B 0223 21 10";
    start_server(NULL);
    uint8_t line[16];
    size_t n = hex_octets(cut, line, sizeof line);
    dlms_link_feed(link_, now_ms, line, n);
    now_ms += 31;
    say(HDLC_SNRM | P, "");
    assert_int_equal(hear(), HDLC_UA | P);
}

/* The addresses of a frame that is half out must not change below it. */
static void hdlc_server_finishes_its_answer_when_another_client_asks_meanwhile(void **state)
{
    (void)state;
    start_server(NULL);
    say(HDLC_SNRM | P, "");
    uint8_t line[64];
    assert_int_equal(dlms_link_take(link_, now_ms, line, 5), 5);
    other_end.upper = 17;
    say_to((struct hdlc_address){1, 17, 4}, HDLC_DISC | P, "", false);
    size_t n = 5 + dlms_link_take(link_, now_ms, line + 5, sizeof line - 5), at;
    struct hdlc_frame f;
    assert_int_equal(hdlc_frame_decode((struct bytes){line + 1, n - 2}, &f, &at), ERR_OK);
    assert_int_equal(f.control, HDLC_UA | P);
    assert_int_equal(f.destination.upper, 16);
}

static void hdlc_server_closes_when_told(void **state)
{
    (void)state;
    connect_server(NULL);
    assert_int_equal(dlms_link_open(link_, now_ms), ERR_STATE);
    assert_int_equal(dlms_link_close(link_, now_ms), ERR_OK);
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    assert_int_equal(dlms_link_close(link_, now_ms), ERR_STATE);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), HDLC_DM | P);
}

/* --- client */

static void wait_for_poll(void)
{
    uint64_t next = dlms_link_poll(link_, now_ms);
    assert_true(next != UINT64_MAX && next > now_ms);
    now_ms = next;
    dlms_link_poll(link_, now_ms);
}

static void hdlc_client_gives_up_after_its_tries(void **state)
{
    (void)state;
    start_client();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dlms_link_poll(link_, now_ms + 999), now_ms + 1000);
        wait_for_poll();
        assert_int_equal(hear(), HDLC_SNRM | P);
        assert_int_equal(dlms_link_state(link_), LINK_OPENING);
    }
    wait_for_poll();
    assert_int_equal(hear(), -1);
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
    assert_string_equal(dlms_link_why(link_), "no answer to SNRM");
    assert_int_equal(dlms_link_open(link_, now_ms), ERR_STATE);
    dlms_link_reset(link_);
    assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
    assert_string_equal(dlms_link_why(link_), "");
    assert_int_equal(dlms_link_open(link_, now_ms), ERR_OK);
}

static void hdlc_client_says_why_when_the_server_refuses(void **state)
{
    (void)state;
    static const uint8_t request[] = {0xC0};
    start_client();
    say(HDLC_DM | P, "");
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
    assert_non_null(strstr(dlms_link_why(link_), "refused"));
    connect_client("");
    assert_int_equal(send_octets(request, 1, false), ERR_OK);
    assert_int_equal(hear(), P);
    say(HDLC_DM | P, "");
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
    assert_false(dlms_link_sending(link_));
    connect_client("");
    assert_int_equal(send_octets(request, 1, false), ERR_OK);
    assert_int_equal(hear(), P);
    say(HDLC_FRMR | P, "100001");
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
    start_client();
    say(HDLC_UA | P, "FF");
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
}

static void hdlc_client_closes_by_disc(void **state)
{
    (void)state;
    static const unsigned answers[] = {HDLC_UA | P, HDLC_DM | P};
    for (size_t i = 0; i < 2; i++) {
        connect_client("");
        assert_int_equal(dlms_link_close(link_, now_ms), ERR_OK);
        assert_int_equal(dlms_link_state(link_), LINK_CLOSING);
        assert_int_equal(hear(), HDLC_DISC | P);
        say(answers[i], "");
        assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
        assert_int_equal(dlms_link_close(link_, now_ms), ERR_STATE);
        say(HDLC_DM | P, ""); /* a late copy */
        assert_int_equal(dlms_link_state(link_), LINK_CLOSED);
        assert_int_equal(dlms_link_poll(link_, now_ms), UINT64_MAX);
    }
    connect_client("");
    assert_int_equal(dlms_link_close(link_, now_ms), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hear(), HDLC_DISC | P);
        wait_for_poll();
    }
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
}

static void hdlc_client_sends_again_when_no_answer_comes(void **state)
{
    (void)state;
    static const uint8_t request[] = {0xC0, 1};
    connect_client("");
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hear(), P);
        assert_heard_info("E6E600C001");
        assert_int_equal(hear(), -1);
        wait_for_poll();
    }
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
    assert_int_equal(hdlc.n_resent, 2);
    connect_client("");
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    assert_int_equal(hear(), P);
    say(HDLC_RR | P | 1 << 5, ""); /* arrived; the answer gets lost */
    assert_false(dlms_link_sending(link_));
    wait_for_poll();
    assert_int_equal(hear(), HDLC_RR | P);
    wait_for_poll();
    assert_int_equal(hear(), HDLC_RR | P);
    say(1 << 5 | P, "E6E700C401");
    struct dlms_frame f;
    assert_int_equal(receive(&f), 2);
}

static void hdlc_client_asks_less_and_less_often(void **state)
{
    (void)state;
    static const uint8_t request[] = {0xC0, 1};
    connect_client("");
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    assert_int_equal(hear(), P);
    uint64_t wait = 50;
    for (int i = 0; i < 10; i++) {
        say(HDLC_RR | P | 1 << 5, "");
        uint64_t before = now_ms;
        wait_for_poll();
        assert_int_equal(now_ms - before, wait);
        wait = wait * 2 < 4000 ? wait * 2 : 4000;
        assert_int_equal(hear(), HDLC_RR | P);
    }
}

static void hdlc_client_keeps_the_connection_alive(void **state)
{
    (void)state;
    connect_client("");
    uint64_t longest = 0;
    for (int i = 0; i < 12; i++) {
        uint64_t before = now_ms;
        wait_for_poll();
        longest = now_ms - before;
        assert_int_equal(hear(), HDLC_RR | P);
        say(HDLC_RR | P, "");
    }
    assert_int_equal(longest, 60000);
}

static void hdlc_client_holds_its_frames_when_the_server_is_busy(void **state)
{
    (void)state;
    static const uint8_t request[] = {0xC0, 1};
    connect_client("");
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    assert_int_equal(hear(), P);
    say(HDLC_RNR | P, "");
    assert_int_equal(hear(), -1);
    for (int i = 0; i < 10; i++) { /* busy is alive */
        wait_for_poll();
        assert_int_equal(hear(), HDLC_RR | P);
        say(HDLC_RNR | P, "");
    }
    wait_for_poll();
    assert_int_equal(hear(), HDLC_RR | P);
    say(HDLC_RR | P, "");
    assert_int_equal(hear(), P);
}

static void hdlc_client_gives_up_when_nothing_is_ever_taken(void **state)
{
    (void)state;
    static const uint8_t request[300] = {0xC0};
    connect_client("818003 080102");
    hdlc.config.parameters.window_tx = 2;
    dlms_link_reset(link_);
    assert_int_equal(dlms_link_open(link_, now_ms), ERR_OK);
    assert_int_equal(hear(), HDLC_SNRM | P);
    say(HDLC_UA | P, "818003 080102");
    assert_int_equal(send_octets(request, 300, false), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hear(), 0x00);
        assert_int_equal(hear(), P | 1 << 1);
        say(HDLC_RR | P, "");
    }
    assert_int_equal(dlms_link_state(link_), LINK_FAILED);
}

static void hdlc_client_takes_no_copy_for_an_answer(void **state)
{
    (void)state;
    static const uint8_t request[] = {0xC0, 1};
    struct dlms_frame f;
    connect_client("");
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    assert_int_equal(hear(), P);
    say(1 << 5 | P, "E6E700C401");
    assert_int_equal(receive(&f), 2);
    assert_int_equal(send_octets(request, 2, false), ERR_OK);
    assert_int_equal(hear(), 1 << 5 | P | 1 << 1);
    say(1 << 5 | P, "E6E700C401"); /* the first answer once more */
    assert_false(dlms_link_received(link_, &f));
    assert_int_equal(hear(), -1);
    say(2 << 5 | P | 1 << 1, "E6E700C402");
    assert_int_equal(receive(&f), 2);
}

static void hdlc_client_hears_its_own_server_only(void **state)
{
    (void)state;
    start_client();
    other_end.lower = 18;
    say(HDLC_UA | P, "");
    other_end.lower = 17;
    other_end.upper = 2;
    say(HDLC_UA | P, "");
    other_end.upper = 1;
    say_to((struct hdlc_address){17, 0, 1}, HDLC_UA | P, "", false);
    assert_int_equal(dlms_link_state(link_), LINK_OPENING);
    say(HDLC_UA | P, "");
    assert_int_equal(dlms_link_state(link_), LINK_OPEN);
}

static void hdlc_client_joins_segments_of_a_push(void **state)
{
    (void)state;
    struct dlms_frame f;
    connect_client("");
    say_to(client16, HDLC_UI, "E6E7000FAA", true);
    say_to(client16, HDLC_UI, "BB", true); /* its last segment gets lost */
    say_to(client16, HDLC_UI, "E6E7000F01", true);
    say_to(client16, HDLC_UI, "0203", true);
    say_to((struct hdlc_address){0x7F, 0, 1}, HDLC_UI | P, "04", false);
    assert_int_equal(receive(&f), 5);
    assert_memory_equal(f.p, "\x0F\x01\x02\x03\x04", 5);
    assert_true(f.unconfirmed);
    assert_int_equal(f.server, 1);
}

/* The pushes of recorded meters (Switzerland), several frames each. */
static void hdlc_client_joins_the_pushes_of_recorded_meters(void **state)
{
    (void)state;
    static const char *const cases[] = {"ch_iskra_am550_unencrypted_valid_data",
                                        "ch_lg_e360_unencrypted_valid_data_cfg2026"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, SHARED_DIR "/vectors/dlms/%s/case.json", cases[i]);
        json_t *root = json_load_file(path, 0, NULL);
        if (!root) {
            print_message("skipped: no %s\n", path);
            skip();
        }
        static uint8_t big[4096];
        const json_t *frames = json_object_get(root, "frames");
        struct hdlc_config c = usual;
        struct dlms_frame f;
        unsigned n_apdus = 0;
        for (size_t k = 0; k < json_array_size(frames); k++) {
            uint8_t line[HDLC_FRAME_MAX + 2];
            size_t n = hex_octets(json_string_value(json_array_get(frames, k)), line, sizeof line);
            if (k == 0) {
                c.client_sap = line[3] >> 1;
                assert_int_equal(hdlc_client_init(&hdlc, &c, big, sizeof big), ERR_OK);
            }
            dlms_link_feed(link_, now_ms, line, n);
            if (receive(&f) == 0)
                continue;
            assert_int_equal(f.p[0], 0x0F);
            n_apdus++;
        }
        json_decref(root);
        assert_true(n_apdus > 0);
        assert_false(dlms_link_received(link_, &f));
        assert_int_equal(hdlc.n_bad, 0);
        assert_int_equal(hdlc.in_len, 0); /* the last segment was one */
    }
}

static void hdlc_init_refuses_what_cannot_work(void **state)
{
    (void)state;
    struct hdlc_config c = usual;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, 63), ERR_RANGE);
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, 64), ERR_OK);
    assert_int_equal(hdlc.config.parameters.max_info_rx, 64 - 14);
    c.client_sap = 128;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c.client_sap = 0;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c = usual;
    c.address_size = 1; /* there is no room for the lower address */
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c = usual;
    c.parameters.window_rx = 8;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c = usual;
    c.parameters.max_info_tx = 31;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c = usual;
    c.response_ms = UINT32_MAX / 8 + 1; /* four times that, and doubled */
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c = usual;
    c.response_ms = 0;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
    c.is_server = true; /* has no use for it */
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_OK);
    c.physical = 0x3FFF;
    assert_int_equal(hdlc_init(&hdlc, &c, buffer, sizeof buffer), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hdlc_server_agrees_on_the_smaller_of_each),
        cmocka_unit_test(hdlc_server_gives_the_defaults_when_snrm_names_nothing_readable),
        cmocka_unit_test(hdlc_server_answers_dm_when_nobody_or_another_is_connected),
        cmocka_unit_test(hdlc_server_lets_another_client_in_after_silence),
        cmocka_unit_test(hdlc_server_begins_anew_when_its_client_says_snrm),
        cmocka_unit_test(hdlc_server_ignores_frames_for_others),
        cmocka_unit_test(hdlc_server_never_answers_what_goes_to_all),
        cmocka_unit_test(hdlc_server_speaks_only_when_asked),
        cmocka_unit_test(hdlc_server_keeps_its_answer_until_it_is_acknowledged),
        cmocka_unit_test(hdlc_server_says_when_it_is_busy_or_has_nothing),
        cmocka_unit_test(hdlc_server_holds_its_answer_when_the_client_is_busy),
        cmocka_unit_test(hdlc_server_takes_segments_in_order_only),
        cmocka_unit_test(hdlc_server_rejects_what_it_cannot_take),
        cmocka_unit_test(hdlc_server_drops_what_is_no_apdu),
        cmocka_unit_test(hdlc_server_goes_on_when_an_apdu_is_longer_than_its_buffer),
        cmocka_unit_test(hdlc_server_pushes_without_a_connection),
        cmocka_unit_test(hdlc_server_waits_no_longer_for_a_frame_that_stopped),
        cmocka_unit_test(hdlc_server_finishes_its_answer_when_another_client_asks_meanwhile),
        cmocka_unit_test(hdlc_server_closes_when_told),
        cmocka_unit_test(hdlc_client_gives_up_after_its_tries),
        cmocka_unit_test(hdlc_client_says_why_when_the_server_refuses),
        cmocka_unit_test(hdlc_client_closes_by_disc),
        cmocka_unit_test(hdlc_client_sends_again_when_no_answer_comes),
        cmocka_unit_test(hdlc_client_asks_less_and_less_often),
        cmocka_unit_test(hdlc_client_keeps_the_connection_alive),
        cmocka_unit_test(hdlc_client_holds_its_frames_when_the_server_is_busy),
        cmocka_unit_test(hdlc_client_gives_up_when_nothing_is_ever_taken),
        cmocka_unit_test(hdlc_client_takes_no_copy_for_an_answer),
        cmocka_unit_test(hdlc_client_hears_its_own_server_only),
        cmocka_unit_test(hdlc_client_joins_segments_of_a_push),
        cmocka_unit_test(hdlc_client_joins_the_pushes_of_recorded_meters),
        cmocka_unit_test(hdlc_init_refuses_what_cannot_work),
    };
#ifdef SERVER_ALONE
    cmocka_set_test_filter("hdlc_server_*");
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
