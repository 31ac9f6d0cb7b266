/* What must not work: broken files, wrong secrets, foreign octets on the line. Each is refused with
 * the exit code of cli/cli.h and a message that says what and where; the meter lives on, and the
 * sanitizers see its end. */
#include "tests/system/answers.h"
#include "tests/system/process.h"

#include <setjmp.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_SAMPLES 400

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

static void expect_words(int code, const char *in_err, const char *const *words)
{
    struct outcome o = ferraris_words(words);
    outcome_expect(&o, code, in_err);
    outcome_free(&o);
}
#define EXPECT(code, in_err, ...)                                                                  \
    expect_words(code, in_err, (const char *const[]){"ferraris", __VA_ARGS__, NULL})

/* ---- recordings ---- */

static void write_text(const char *name, const char *text)
{
    folder_write(name, text, strlen(text));
}

static void write_comtrade(const char *rest_of_cfg)
{
    char cfg[1024];
    snprintf(cfg, sizeof cfg,
             "station,device,1999\r\n2,2A,0D\r\n1,UA,A,,V,0.01,0,0,-32767,32767,1,1,P\r\n"
             "2,IA,A,,A,0.001,0,0,-32767,32767,1,1,P\r\n%s",
             rest_of_cfg);
    write_text("bad.cfg", cfg);
}

#define TAIL(format)                                                                               \
    "50\r\n1\r\n4000,400\r\n01/01/2026,00:00:00.000000\r\n01/01/2026,00:00:00.000000\r\n" format   \
    "\r\n1\r\n"

/* 400 rows; row `odd` (from 1) is replaced by `text`, and the file ends after `n` rows. */
static void write_rows(unsigned n, unsigned odd, const char *text)
{
    FILE *f = fopen("bad.dat", "wb");
    assert_non_null(f);
    for (unsigned k = 1; k <= n; k++) {
        if (k == odd)
            fputs(text, f);
        else
            fprintf(f, "%u,%u,%d,%d\r\n", k, k * 250, (int)(k % 80) * 800 - 32000, 5);
    }
    fclose(f);
}

static void replay_refuses_a_broken_comtrade(void **state)
{
    (void)state;
    write_comtrade(TAIL("ASCII"));
    write_rows(N_SAMPLES, 0, "");
    EXPECT(0, NULL, "replay", "--json", "bad.cfg");
    write_rows(250, 0, "");
    EXPECT(4, "bad.dat", "replay", "bad.cfg");
    EXPECT(4, "400", "replay", "bad.cfg");
    write_rows(N_SAMPLES, 123, "123,30750,NaN,5\r\n");
    EXPECT(4, "bad.dat line 123", "replay", "bad.cfg");
    write_rows(N_SAMPLES, 7, "7,1750,5\r\n");
    EXPECT(4, "bad.dat line 7", "replay", "bad.cfg");
    write_rows(N_SAMPLES, 9, "9,2250,1e999,5\r\n");
    EXPECT(4, "bad.dat line 9", "replay", "bad.cfg");
    write_comtrade("50\r\n1\r\n4000,4");
    EXPECT(4, "bad.cfg", "replay", "bad.cfg");
    write_comtrade(TAIL("MORSE"));
    EXPECT(4, "bad.cfg line 10", "replay", "bad.cfg");
    remove("bad.dat");
    write_comtrade(TAIL("ASCII"));
    EXPECT(4, "bad", "replay", "bad.cfg");
}

static void replay_refuses_a_broken_binary(void **state)
{
    uint8_t dat[N_SAMPLES * 12] = {0};
    (void)state;
    write_comtrade(TAIL("BINARY"));
    folder_write("bad.dat", dat, sizeof dat - 5);
    EXPECT(4, "bad.dat byte", "replay", "bad.cfg");
    folder_write("bad.dat", dat, 0);
    EXPECT(4, "bad.dat", "replay", "bad.cfg");
    /* real numbers: two channels of 4 octets; NaN in sample-set 3 */
    static const uint8_t nan_octets[4] = {0, 0, 0xC0, 0x7F};
    uint8_t real[N_SAMPLES * 16] = {0};
    write_comtrade(TAIL("FLOAT32") "0,0\r\n0,0\r\n");
    memcpy(real + 2 * 16 + 8, nan_octets, 4);
    folder_write("bad.dat", real, sizeof real);
    EXPECT(4, "bad.dat byte", "replay", "bad.cfg");
}

static void replay_refuses_a_broken_table(void **state)
{
    (void)state;
    write_text("bad.csv", "time,ua,ia\n0,1,1\n0.001,nan,1\n0.002,1,1\n");
    EXPECT(4, "bad.csv line 3", "replay", "bad.csv");
    write_text("bad.csv", "time,ua,ia\n0,1,1\n0.001,1\n");
    EXPECT(4, "bad.csv line 3", "replay", "bad.csv");
    write_text("bad.csv", "time,ua,ia\n0,1,1\n0.001,1,1\n0.009,2,1\n0.010,2,1\n0.011,2,1\n");
    EXPECT(4, "bad.csv line", "replay", "bad.csv");
    write_text("bad.csv", "");
    EXPECT(4, "bad.csv", "replay", "bad.csv");
    EXPECT(4, "none.csv", "replay", "none.csv");
    EXPECT(4, "none.cfg", "replay", "none.cfg");
    EXPECT(4, "bad.csv", "meter", "--listen", "127.0.0.1:0", "--source", "bad.csv");
}

/* ---- words ---- */

static void verbs_refuse_wrong_words(void **state)
{
    (void)state;
    EXPECT(2, "--jsn", "replay", "--jsn", "x.cfg");
    EXPECT(2, "--json", "replay", "--jsn", "x.cfg"); /* the nearest right one */
    EXPECT(2, "one FILE", "replay");
    EXPECT(2, "--ct", "replay", "--ct", "0", "x.cfg");
    EXPECT(2, "--repeat", "replay", "--repeat", "long", "x.cfg");
    EXPECT(2, "ST40", "meter", "--model", "ST40");
    EXPECT(2, "SMARTESOX-P", "meter", "--model", "ST40");
    EXPECT(2, "sideways", "meter", "--level", "sideways");
    EXPECT(2, "yesterday", "meter", "--start", "yesterday");
    EXPECT(2, "--ct", "meter", "--ct", "40"); /* of which source? */
    EXPECT(2, "ftp://x", "read", "ftp://x", "1-0:1.8.0.255");
    EXPECT(2, "1-0:1.8", "read", "--class", "3", "tcp://127.0.0.1:1", "1-0:1.8.x");
    EXPECT(2, "hls9", "read", "--auth", "hls9", "tcp://127.0.0.1:1", "1-0:1.8.0.255");
    EXPECT(3, "127.0.0.1 port 1: ", "read", "--class", "3", "tcp://127.0.0.1:1", "1-0:1.8.0.255");
}

static void verbs_refuse_a_keys_file_they_cannot_use(void **state)
{
    (void)state;
    write_text("broken", "guek = 00112233\n");
    EXPECT(4, "broken", "meter", "--listen", "127.0.0.1:0", "--keys", "broken");
    EXPECT(4, "1", "meter", "--listen", "127.0.0.1:0", "--keys", "broken"); /* the line */
    EXPECT(4, "broken", "read", "--auth", "hls5", "--keys", "broken", "tcp://127.0.0.1:1",
           "1-0:1.8.0.255");
    assert_int_equal(mkdir("folder", 0700), 0); /* a file that root cannot read either */
    EXPECT(4, "folder", "meter", "--listen", "127.0.0.1:0", "--keys", "folder");
    EXPECT(4, "missing", "read", "--auth", "hls5", "--keys", "missing", "tcp://127.0.0.1:1",
           "1-0:1.8.0.255");
    EXPECT(5, "keys", "read", "--auth", "hls5", "tcp://127.0.0.1:1", "1-0:1.8.0.255");
}

/* ---- a meter and bad company ---- */

static struct meter_process meter;

static int drop_meter(void **state)
{
    (void)state;
    meter_drop(&meter);
    return 0;
}

static void start_meter(void)
{
    meter_start(&meter, "--model", "ST402D", "--level", "window", "--start", "2026-03-01T00:00:00Z",
                "--fast-forward", "3d", "--speed", "0", "--flash", "flash", "--keys", "keys", NULL);
}

/* The keys file with one name changed in its value. */
static void write_wrong(const char *file, const char *name)
{
    char line[256];
    FILE *from = fopen("keys", "r"), *to = fopen(file, "w");
    assert_non_null(from);
    assert_non_null(to);
    assert_int_equal(fchmod(fileno(to), 0600), 0);
    while (fgets(line, sizeof line, from) != NULL) {
        char *value = strstr(line, " = ");
        if (strncmp(line, name, strlen(name)) == 0 && value != NULL)
            value[3] = value[3] == '0' ? '1' : '0';
        fputs(line, to);
    }
    fclose(from);
    fclose(to);
}

static void meter_refuses_wrong_secrets(void **state)
{
    (void)state;
    start_meter();
    write_wrong("wrong-password", "password");
    write_wrong("wrong-guek", "guek");
    write_wrong("wrong-gak", "gak");
    EXPECT(0, NULL, "read", "--auth", "lls", "--keys", "keys", meter.url, "1-0:1.8.0.255");
    EXPECT(5, "password", "read", "--auth", "lls", "--keys", "wrong-password", meter.url,
           "1-0:1.8.0.255");
    EXPECT(5, "key", "read", "--auth", "hls5", "--keys", "wrong-guek", meter.url, "1-0:1.8.0.255");
    EXPECT(5, "key", "read", "--auth", "hls5", "--keys", "wrong-gak", meter.url, "1-0:1.8.0.255");
    /* the public client: the object is there, but not for it */
    EXPECT(1, "1-0:1.8.0.255", "read", "--class", "3", meter.url, "1-0:1.8.0.255");
    assert_true(told_value(meter.url, "1-0:1.8.0.255") > 0);
    meter_stop(&meter);
}

static void send_hex(int fd, const char *hex)
{
    uint8_t p[512];
    line_send(fd, p, hex_octets(hex, p, sizeof p));
}

#define AARQ "0001 0010 0001 001F 601D A109060760857405080101 BE10040E01000000065F1F0400001E1DFFFF"
#define AARQ_SMALL                                                                                 \
    "0001 0010 0001 001F 601D A109060760857405080101 BE10040E01000000065F1F0400001E1D0040"

/* The object list of the association in blocks of 64 octets: hung up after the first. */
static void meter_lives_on_when_a_client_hangs_up_in_a_block(void **state)
{
    uint8_t in[512];
    (void)state;
    start_meter();
    for (int k = 0; k < 40; k++) {
        int fd = line_open(meter.port);
        send_hex(fd, AARQ_SMALL);
        assert_true(recv(fd, in, sizeof in, 0) > 8);
        assert_int_equal(in[8], 0x61);
        send_hex(fd, "0001 0010 0001 000D C001C1 000F 0000280000FF 02 00");
        ssize_t n = recv(fd, in, sizeof in, 0);
        assert_true(n > 12);
        assert_int_equal(in[8], 0xC4);
        assert_int_equal(in[9], 0x02); /* a block follows */
        if (k % 2) {                   /* hung up with a reset instead of a farewell */
            const struct linger now = {.l_onoff = 1};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        }
        close(fd);
    }
    meter_alive(&meter);
    assert_true(told_value(meter.url, "1-0:1.8.0.255") > 0);
    meter_stop(&meter);
}

/* Until the meter closes or says nothing for a while; gives the octets that came. */
static size_t drain(int fd)
{
    const struct timeval wait = {.tv_usec = 20000};
    uint8_t in[1024];
    size_t all = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (ssize_t n; (n = recv(fd, in, sizeof in, 0)) > 0;)
        all += (size_t)n;
    return all;
}

static void one_line(const char *hex)
{
    int fd = line_open(meter.port);
    send_hex(fd, hex);
    drain(fd);
    close(fd);
    meter_alive(&meter);
}

static void meter_lives_on_when_frames_are_garbage(void **state)
{
    static const char *const frames[] = {
        "00",
        "47455420 2F20 48545450 2F312E31 0D0A0D0A",               /* a browser */
        "0002 0010 0001 0001 60",                                 /* version 2 */
        "0001 0010 0001 FFFF 60",                                 /* too long for any buffer */
        "0001 0010 0001 0000",                                    /* nothing in it */
        "0001 0010 0007 0002 6000",                               /* no such device */
        "0001 FFFF 0001 0002 6000",                               /* no such client */
        "0001 0010 0001 0002 607F",                               /* BER longer than the frame */
        "0001 0010 0001 0006 6084FFFFFFFF",                       /* a length of 4 GB */
        "0001 0010 0001 000D C001C1 0003 0100010800FF 02 00",     /* GET without association */
        "0001 0010 0001 0003 C80100",                             /* ciphered, cut */
        "0001 0001 0001 0010 CC0E 30000000010000000000000000 00", /* tag of nothing */
        "0001 0010 0001 0005 62038001 00",                        /* release without association */
        AARQ "0001 0010 0001 000C C001C1 0003 0100010800FF 02",   /* GET cut */
        AARQ "0001 0010 0001 000E C001C1 0003 0100010800FF 02 00 00", /* an octet too many */
        AARQ "0001 0010 0001 0007 C002C1 00000009",                   /* next block of nothing */
        AARQ "0001 0010 0001 0003 C003C1",                            /* with-list, cut */
        AARQ "0001 0010 0001 0004 C003C1FF", /* 255 attributes, none there */
        AARQ AARQ,
        AARQ "0001 0010 0001 0004 DB084142",
    };
    (void)state;
    start_meter();
    for (size_t k = 0; k < sizeof frames / sizeof frames[0]; k++)
        one_line(frames[k]);
    assert_true(told_value(meter.url, "1-0:1.8.0.255") > 0);
    meter_stop(&meter);
}

/* Valid openings with octets changed at random, and pure noise; the seed is fixed. */
static void meter_lives_on_when_octets_are_random(void **state)
{
    uint8_t p[512];
    (void)state;
    start_meter();
    srand(62056);
    for (int k = 0; k < 60; k++) {
        size_t n =
            hex_octets(AARQ "0001 0010 0001 000D C001C1 000F 0000280000FF 02 00", p, sizeof p);
        int changes = k % 3 == 0 ? (int)n : k % 3;
        for (int c = 0; c < changes; c++)
            p[(size_t)rand() % n] = (uint8_t)rand();
        int fd = line_open(meter.port);
        line_send(fd, p, n);
        shutdown(fd, SHUT_WR);
        drain(fd);
        close(fd);
    }
    meter_alive(&meter);
    assert_true(told_value(meter.url, "1-0:1.8.0.255") > 0);
    meter_stop(&meter);
}

static void meter_serves_when_silent_lines_take_all_places(void **state)
{
    int fd[16];
    (void)state;
    meter_start(&meter, "--model", "ST402D", "--level", "window", "--inactivity", "1", "--flash",
                "flash", "--keys", "keys", NULL);
    for (size_t k = 0; k < 16; k++)
        fd[k] = line_open(meter.port);
    assert_true(told_value(meter.url, "1-0:1.8.0.255") > 0); /* once a silent one is closed */
    for (size_t k = 0; k < 16; k++)
        close(fd[k]);
    meter_stop(&meter);
}

static void meter_refuses_what_is_not_its_own(void **state)
{
    (void)state;
    start_meter();
    EXPECT(3, meter.address, "meter", "--listen", meter.address);
    EXPECT(1, "flash", "meter", "--listen", "127.0.0.1:0", "--flash", "flash");
    meter_stop(&meter);
    EXPECT(4, "flash", "meter", "--listen", "127.0.0.1:0", "--flash", "flash", "--model", "MT371");
    EXPECT(4, "another model", "meter", "--listen", "127.0.0.1:0", "--flash", "flash", "--model",
           "ST402C");
    EXPECT(4, "nowhere/flash", "meter", "--listen", "127.0.0.1:0", "--flash", "nowhere/flash");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_refuses_a_broken_comtrade),
        cmocka_unit_test(replay_refuses_a_broken_binary),
        cmocka_unit_test(replay_refuses_a_broken_table),
        cmocka_unit_test(verbs_refuse_wrong_words),
        cmocka_unit_test(verbs_refuse_a_keys_file_they_cannot_use),
        cmocka_unit_test_teardown(meter_refuses_wrong_secrets, drop_meter),
        cmocka_unit_test_teardown(meter_lives_on_when_a_client_hangs_up_in_a_block, drop_meter),
        cmocka_unit_test_teardown(meter_lives_on_when_frames_are_garbage, drop_meter),
        cmocka_unit_test_teardown(meter_lives_on_when_octets_are_random, drop_meter),
        cmocka_unit_test_teardown(meter_serves_when_silent_lines_take_all_places, drop_meter),
        cmocka_unit_test_teardown(meter_refuses_what_is_not_its_own, drop_meter),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
