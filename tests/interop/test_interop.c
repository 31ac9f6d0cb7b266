/* Traffic of independent DLMS clients, recorded once, replayed against our server.
 *
 * The vectors in tests/vectors/interop were spoken by clients that nobody of this project wrote
 * (versions in docs/interop.md) to the meter of the test rig, whose keys, randomness and load are
 * fixed; so the server sends the same challenge again and the client's old answers to it are right
 * again. What must hold: every request that was answered with success is answered with success,
 * every association is granted, every tag of ours is right. The octets of values may change as the
 * object list grows.
 *
 *     test_interop                           replays all vectors
 *     test_interop --record MODEL PORT FILE  serves a meter on loopback, writes what is said */
#include "tests/firmware/meter/rig.h"

#include "lib/wire/dlms.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define LINE_MAX_OCTETS 4096
#define START           "2026-03-28T12:00:00"
#define LOAD            "synth:u=231,i=7.5,pf=0.9,f=50.02,h3=4%"

/* Twenty hours over the night the clock goes forward. */
static struct rig *meter_with_a_past(const char *model)
{
    struct rig *r = rig_new(model, START, LOAD);
    rig_live(r, 20 * 3600);
    return r;
}

/* The answer's plain APDU inside a wrapper frame; deciphered in place where it is ciphered. */
static struct bytes plain_of(const struct rig *r, uint8_t *frame, size_t len)
{
    uint8_t *apdu = frame + WRAPPER_HEAD_LEN;
    struct rd in;
    uint8_t sc, *plain;
    uint32_t counter;
    size_t n, plain_len;
    assert_true(len > WRAPPER_HEAD_LEN);
    if (apdu[0] < 0xC8 || apdu[0] > 0xCF)
        return (struct bytes){apdu, len - WRAPPER_HEAD_LEN};
    in = rd_of(apdu + 1, len - WRAPPER_HEAD_LEN - 1);
    n = rd_length(&in);
    assert_int_equal(in.err, ERR_OK);
    assert_int_equal(n, rd_left(&in));
    assert_int_equal(dlms_open(r->meter.server.keys.guek, r->meter.server.keys.gak,
                               r->meter.server.config.title, apdu + 1 + in.pos, n, &sc, &counter,
                               &plain, &plain_len),
                     ERR_OK);
    return (struct bytes){plain, plain_len};
}

/* What kind of answer it is: tag, type and, where the type has one, the choice or result after the
 * invoke-id. Blocks count as data of a plain answer: the length of a value decides about them. */
static uint32_t kind_of(struct bytes apdu)
{
    assert_true(apdu.len >= 4);
    if (apdu.p[0] ==
        0x61) /* AARE: the result (after context name) decides; see association_granted */
        return 0x61;
    if (apdu.p[0] == 0xC4) {
        bool data = apdu.p[1] == 2 || apdu.p[1] == 3 || apdu.p[3] == 0;
        return data ? 0xC40000u : 0xC40100u | apdu.p[4];
    }
    if (apdu.p[0] == 0xC5 || apdu.p[0] == 0xC7)
        return (uint32_t)apdu.p[0] << 8 | apdu.p[3];
    return apdu.p[0];
}

/* AARE result: BER tag A2, length 03, INTEGER length 1, value. */
static unsigned association_result(struct bytes aare)
{
    for (size_t i = 0; i + 5 <= aare.len; i++)
        if (aare.p[i] == 0xA2 && aare.p[i + 1] == 3 && aare.p[i + 2] == 2 && aare.p[i + 3] == 1)
            return aare.p[i + 4];
    fail_msg("an AARE without a result");
    return 0;
}

struct replay {
    struct rig *now;
    size_t n_connections, n_requests;
    size_t line;
    const char *file;
    uint8_t request[LINE_MAX_OCTETS];
    size_t request_len;
};

static void ask(struct replay *p, uint8_t *recorded, size_t recorded_len)
{
    uint8_t answer[LINE_MAX_OCTETS];
    struct bytes was, is;
    size_t n;
    assert_int_equal(session_feed(&p->now->session, p->request, p->request_len), p->request_len);
    n = session_take(&p->now->session, answer, sizeof answer);
    if (n == 0)
        fail_msg("%s line %zu: no answer", p->file, p->line);
    is = plain_of(p->now, answer, n);
    was = plain_of(p->now, recorded, recorded_len);
    if (kind_of(is) != kind_of(was))
        fail_msg("%s line %zu: answered %06X, recorded %06X", p->file, p->line, kind_of(is),
                 kind_of(was));
    if (kind_of(is) == 0x61)
        assert_int_equal(association_result(is), association_result(was));
    p->n_requests++;
}

static void replay_line(struct replay *p, const char *text)
{
    uint8_t octets[LINE_MAX_OCTETS];
    size_t n;
    if (strncmp(text, "model ", 6) == 0) {
        p->now = meter_with_a_past(text + 6);
        session_init(&p->now->session, &p->now->meter.server);
    } else if (p->now == NULL) {
        fail_msg("%s does not begin with its model", p->file);
    } else if (strncmp(text, "connection", 10) == 0) {
        session_close(&p->now->session);
        session_init(&p->now->session, &p->now->meter.server);
        p->n_connections++;
    } else if (text[0] == '>') {
        p->request_len = hex_octets(text + 1, p->request, sizeof p->request);
    } else if (text[0] == '<') {
        n = hex_octets(text + 1, octets, sizeof octets);
        ask(p, octets, n);
    }
}

static void replay_file(const char *name, size_t at_least)
{
    static char text[2 * LINE_MAX_OCTETS + 16];
    char path[400];
    struct replay p = {.file = name};
    snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/interop/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(text, sizeof text, f) != NULL) {
        text[strcspn(text, "\r\n")] = '\0';
        p.line++;
        replay_line(&p, text);
    }
    fclose(f);
    assert_non_null(p.now);
    print_message("%s: %zu connections, %zu requests answered as recorded\n", name, p.n_connections,
                  p.n_requests);
    assert_true(p.n_requests >= at_least);
    session_close(&p.now->session);
    rig_free(p.now);
}

/* Object list and every attribute, as reader and as manager. */
static void interop_answers_gurux_with_lls(void **state)
{
    (void)state;
    replay_file("gurux-lls.txt", 451);
}

static void interop_answers_gurux_with_hls5(void **state)
{
    (void)state;
    replay_file("gurux-hls5.txt", 485);
}

static void interop_answers_u9n_with_lls_and_a_range(void **state)
{
    (void)state;
    replay_file("u9n-lls.txt", 305);
}

/* Rows by entry and by range, capture, adjust_to_quarter, shift_time, the time and the capture
 * period written, the profile emptied, an energy register's reset refused, a list read. */
static void interop_obeys_gurux_when_it_writes_and_acts(void **state)
{
    (void)state;
    replay_file("gurux-acts.txt", 23);
}

/* "Interoperability [an independent client reads every object, writes and acts]", both models. */
static void claim_AD1X_INTEROP(void **state)
{
    (void)state;
    replay_file("gurux-hls5-AD11A.txt", 211);
    replay_file("gurux-acts-AD11A.txt", 21);
    replay_file("gurux-hls5-AD13A.txt", 441);
    replay_file("gurux-acts-AD13A.txt", 23);
}

/* ---- recording ---- */

static void write_hex(FILE *f, char direction, const uint8_t *p, size_t n)
{
    fprintf(f, "%c ", direction);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%02X", p[i]);
    fputc('\n', f);
    fflush(f);
}

/* One connection: each whole frame that came is one line, each answer one line. */
static void record_connection(struct rig *r, int line, FILE *f)
{
    uint8_t in[LINE_MAX_OCTETS], out[LINE_MAX_OCTETS];
    size_t len = 0;
    ssize_t got;
    fputs("connection\n", f);
    session_init(&r->session, &r->meter.server);
    while ((got = recv(line, in + len, sizeof in - len, 0)) > 0) {
        len += (size_t)got;
        if (len < WRAPPER_HEAD_LEN || len < WRAPPER_HEAD_LEN + ((size_t)in[6] << 8 | in[7]))
            continue;
        write_hex(f, '>', in, len);
        (void)session_feed(&r->session, in, len);
        len = 0;
        size_t n = session_take(&r->session, out, sizeof out);
        write_hex(f, '<', out, n);
        if (send(line, out, n, 0) != (ssize_t)n)
            break;
    }
    session_close(&r->session);
}

static int record(const char *model, const char *port, const char *file)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0), line;
    FILE *f = fopen(file, "w");
    struct rig *r = meter_with_a_past(model);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (f == NULL || bind(server, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(server, 1) != 0) {
        perror("test_interop --record");
        return 1;
    }
    fprintf(f, "model %s\n", model);
    fprintf(stderr, "serving 127.0.0.1:%s, writing %s; end with Ctrl-C\n", port, file);
    while ((line = accept(server, NULL, NULL)) >= 0) {
        record_connection(r, line, f);
        close(line);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interop_answers_gurux_with_lls),
        cmocka_unit_test(interop_answers_gurux_with_hls5),
        cmocka_unit_test(interop_answers_u9n_with_lls_and_a_range),
        cmocka_unit_test(interop_obeys_gurux_when_it_writes_and_acts),
        cmocka_unit_test(claim_AD1X_INTEROP),
    };
    if (argc == 5 && strcmp(argv[1], "--record") == 0)
        return record(argv[2], argv[3], argv[4]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
