/* Traffic of independent DLMS clients, recorded once, replayed against our server; and of
 * independent servers, replayed against our client (server-*.txt, server_talk.h).
 *
 * The vectors in tests/vectors/interop were spoken by clients that nobody of this project wrote
 * (versions in docs/interop.md) to the meter of the test rig, whose keys, randomness and load are
 * fixed; so the server sends the same challenge again and the client's old answers to it are right
 * again. What is held to be the same: replay.h.
 *
 *     test_interop                                        replays all vectors
 *     test_interop --record MODEL wrapper|hdlc PORT FILE  serves a meter on loopback, writes what
 *                                                         is said
 *     test_interop --record-server SCRIPT PORT FILE       reads the server on loopback, writes what
 *                                                         is said */
#include "tests/interop/record.h"
#include "tests/interop/replay.h"
#include "tests/interop/server_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

/* Over HDLC: object list, rows by entry and by range, ACCESS and a list of 119 attributes, then the
 * same writes and methods and a list written; HLS 5. Each way to protect a message has its vector:
 * glo, with answers by blocks of 200 octets; ded; general-glo. */
static void interop_answers_gurux_over_hdlc(void **state)
{
    (void)state;
    replay_file("gurux-hdlc-hls5.txt", 38);
    replay_file("gurux-hdlc-glo.txt", 30);
    replay_file("gurux-hdlc-ded.txt", 20);
}

/* The client offers general block transfer and no other: long answers come so. */
static void interop_answers_gurux_by_general_blocks(void **state)
{
    (void)state;
    replay_file("gurux-hdlc-gbt.txt", 9);
}

static void interop_answers_gurux_with_general_ciphering(void **state)
{
    (void)state;
    replay_file("gurux-general.txt", 20);
    replay_file("gurux-general-ded.txt", 20);
}

static void interop_answers_u9n_with_general_ciphering_and_over_hdlc(void **state)
{
    (void)state;
    replay_file("u9n-hls5.txt", 300);
    replay_file("u9n-hdlc-lls.txt", 8);
    replay_file("u9n-hdlc-hls5.txt", 12);
}

/* Gurux' server examples, in Java and in C, read by our client: name, clock, object list; as reader
 * also a list, scalers, columns, rows by entry and by range, a register's value that must not be
 * written, the clock's time zone that may be, and in C a method. */
static void interop_reads_gurux_java_as_public(void **state)
{
    static const struct server_facts facts = {
        .name = "GRX123456", .n_objects = 3, .n_succeeded = 3};
    (void)state;
    server_replay("server-java-wrapper-public.txt", &facts);
    server_replay("server-java-hdlc-public.txt", &facts);
}

static void interop_reads_gurux_java_with_lls(void **state)
{
    static const struct server_facts facts = {.name = "GRX123456",
                                              .n_objects = 31,
                                              .n_rows = 40,
                                              .first = "0202090C07E9091E02130000FF000000"
                                                       "0500000001",
                                              .n_succeeded = 12,
                                              .n_refused = 1};
    (void)state;
    server_replay("server-java-wrapper-lls.txt", &facts);
    server_replay("server-java-hdlc-lls.txt", &facts);
}

static void interop_reads_gurux_c_as_public(void **state)
{
    static const struct server_facts facts = {
        .name = "GRX0000000123456", .n_objects = 52, .n_succeeded = 3};
    (void)state;
    server_replay("server-c-wrapper-public.txt", &facts);
    server_replay("server-c-hdlc-public.txt", &facts);
}

/* Its profile is empty. */
static void interop_reads_gurux_c_with_lls(void **state)
{
    static const struct server_facts facts = {
        .name = "GRX0000000123456", .n_objects = 52, .n_rows = 0, .first = "", .n_succeeded = 11};
    (void)state;
    server_replay("server-c-wrapper-lls.txt", &facts);
    server_replay("server-c-hdlc-lls.txt", &facts);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interop_answers_gurux_with_lls),
        cmocka_unit_test(interop_answers_gurux_with_hls5),
        cmocka_unit_test(interop_answers_u9n_with_lls_and_a_range),
        cmocka_unit_test(interop_obeys_gurux_when_it_writes_and_acts),
        cmocka_unit_test(interop_answers_gurux_over_hdlc),
        cmocka_unit_test(interop_answers_gurux_by_general_blocks),
        cmocka_unit_test(interop_answers_gurux_with_general_ciphering),
        cmocka_unit_test(interop_answers_u9n_with_general_ciphering_and_over_hdlc),
        cmocka_unit_test(interop_reads_gurux_java_as_public),
        cmocka_unit_test(interop_reads_gurux_java_with_lls),
        cmocka_unit_test(interop_reads_gurux_c_as_public),
        cmocka_unit_test(interop_reads_gurux_c_with_lls),
        cmocka_unit_test(claim_AD1X_INTEROP),
    };
    if (argc == 6 && strcmp(argv[1], "--record") == 0)
        return record(argv);
    if (argc == 5 && strcmp(argv[1], "--record-server") == 0)
        return server_record(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
