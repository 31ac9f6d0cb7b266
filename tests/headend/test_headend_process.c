/* `ferraris headend` as people use it: first start, passwords, import, verify, what stands in its
 * way, and its end. */
#include "headend/store/store.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f"

static struct head_end h;

static int enter(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    head_end_drop(&h);
    folder_leave();
    return 0;
}

static void write_text(const char *name, const char *text)
{
    folder_write(name, text, strlen(text));
    assert_int_equal(chmod(name, 0600), 0);
}

static void expect_out(const struct outcome *o, const char *text)
{
    if (strstr(o->out, text) == NULL)
        fail_msg("'%s' does not stand in: %s", text, o->out);
}

static void expect(struct outcome o, int code, const char *in_err)
{
    outcome_expect(&o, code, in_err);
    outcome_free(&o);
}

/* ---- passwords ---- */

static void headend_prints_the_password_once(void **state)
{
    (void)state;
    char line[200];
    bool again = false;
    head_end_start(&h, "data", NULL); /* signs in */
    assert_int_equal(strlen(h.password), 24);
    head_end_stop(&h);
    char *log = file_text(h.err_name);
    assert_null(strstr(log, h.password));
    free(log);

    const char *const words[] = {"ferraris", "headend",  "run",         "--data",
                                 "data",     "--listen", "127.0.0.1:0", NULL};
    h.pid = process_spawn(words, &h.out, "second");
    while (process_line(h.out, line, sizeof line) && strncmp(line, "listening on ", 13) != 0)
        again = again || strstr(line, "password") != NULL;
    assert_false(again);
    http_client_init(&h.api, line + 13);
    http_sign_in(&h.api, "admin", h.password); /* it is still the one */
    strcpy(h.err_name, "second");
    head_end_stop(&h);
}

/* A start that fails later does not use up the one time that the password is shown. */
static void headend_keeps_the_password_when_the_port_is_taken(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char address[32], port[8];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(port, sizeof port, "%u", (unsigned)ntohs(a.sin_port));
    snprintf(address, sizeof address, "127.0.0.1:%s", port);
    struct outcome o = ferraris("headend", "run", "--data", "data", "--listen", address, NULL);
    outcome_expect(&o, 3, port);
    if (strstr(o.err, "test_headend") == NULL) /* by whom */
        fail_msg("it does not say who has the port: %s", o.err);
    assert_string_equal(o.out, "");
    outcome_free(&o);
    close(fd);
    head_end_start(&h, "data", NULL);
    assert_int_equal(strlen(h.password), 24);
    head_end_stop(&h);
}

static void headend_user_sets_passwords(void **state)
{
    (void)state;
    write_text("secret", "correct horse battery\n");
    write_text("short", "nine char\n");
    write_text("none", "");
    head_end_start(&h, "data", NULL);
    struct http_client old = h.api;

    expect(ferraris("headend", "user", "--data", "data", "--password-file", "short", "admin", NULL),
           4, "10 to 128");
    expect(ferraris("headend", "user", "--data", "data", "--password-file", "none", "admin", NULL),
           4, "10 to 128");
    expect(ferraris("headend", "user", "--data", "data", "--password-file", "lost", "admin", NULL),
           4, "lost");
    expect(ferraris("headend", "user", "--data", "data", "--generate", "a b", NULL), 2, "letters");
    expect(ferraris("headend", "user", "--data", "data", NULL), 2, "NAME");
    expect(ferraris("headend", "user", "admin", NULL), 2, "--data");
    json_decref(http_json(&old, "GET", "/api/v1/session", NULL, 200)); /* nothing has changed */

    expect(
        ferraris("headend", "user", "--data", "data", "--password-file", "secret", "admin", NULL),
        0, NULL);
    json_decref(http_json(&old, "GET", "/api/v1/session", NULL, 401)); /* it ended */
    http_client_init(&h.api, h.url);
    http_sign_in(&h.api, "admin", "correct horse battery");

    struct outcome o = ferraris("headend", "user", "--data", "data", "--generate", "eve", NULL);
    outcome_expect(&o, 0, NULL);
    char made[40];
    assert_int_equal(sscanf(o.out, "eve password: %39s (shown once)", made), 1);
    outcome_free(&o);
    http_client_init(&h.api, h.url);
    http_sign_in(&h.api, "eve", made);
    head_end_stop(&h);
}

/* Reads the terminal until `text` has come. */
static void await_text(int fd, char *all, size_t size, const char *text)
{
    size_t n = strlen(all);
    while (strstr(all, text) == NULL) {
        const ssize_t got = read(fd, all + n, size - n - 1);
        if (got <= 0)
            fail_msg("'%s' does not come: %s", text, all);
        n += (size_t)got;
        all[n] = '\0';
    }
}

static int type_passwords(const char *first, const char *second, char *all, size_t size)
{
    int terminal, status;
    all[0] = '\0';
    const pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    if (pid < 0) {
        print_message("no terminal can be had here: /dev/pts is not mounted\n");
        skip();
    }
    if (pid == 0) {
        execl(FERRARIS_EXE, "ferraris", "headend", "user", "--data", "data", "admin", NULL);
        _exit(127);
    }
    await_text(terminal, all, size, "New password: ");
    assert_int_equal(write(terminal, first, strlen(first)), (ssize_t)strlen(first));
    await_text(terminal, all, size, "Once more: ");
    assert_int_equal(write(terminal, second, strlen(second)), (ssize_t)strlen(second));
    for (size_t n = strlen(all); n + 1 < size;) { /* the rest */
        const ssize_t got = read(terminal, all + n, size - n - 1);
        if (got <= 0)
            break;
        n += (size_t)got;
        all[n] = '\0';
    }
    close(terminal);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void headend_user_asks_without_echo(void **state)
{
    (void)state;
    char all[2000];
    assert_int_equal(type_passwords("typed by hand 1\n", "typed by hand 2\n", all, sizeof all), 4);
    assert_non_null(strstr(all, "not the same"));
    assert_null(strstr(all, "typed"));
    assert_int_equal(type_passwords("typed by hand 1\n", "typed by hand 1\n", all, sizeof all), 0);
    assert_null(strstr(all, "typed"));
    strcpy(h.password, "typed by hand 1");
    head_end_start(&h, "data", NULL); /* signs in with it: no admin is made a second time */
    assert_string_equal(h.password, "typed by hand 1");
    head_end_stop(&h);
}

/* ---- one directory, one head-end ---- */

static void headend_refuses_a_directory_in_use(void **state)
{
    (void)state;
    write_text("m.csv", "name,url\na,tcp://127.0.0.1:9\n");
    head_end_start(&h, "data", NULL);
    expect(ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL), 3,
           "another head-end");
    expect(ferraris("headend", "import", "--data", "data", "m.csv", NULL), 3, "another head-end");
    head_end_stop(&h);
    expect(ferraris("headend", "import", "--data", "data", "m.csv", NULL), 0, NULL);
}

/* Signed-in listeners on the event stream and a meter that takes the connection and says nothing:
 * neither holds up the end. */
static void headend_ends_in_time_on_sigterm(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char table[100], request[300], answer[100];
    const int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(silent, 8), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&a, &len), 0);
    snprintf(table, sizeof table, "name,url,timeout_s\na,tcp://127.0.0.1:%u,120\n",
             (unsigned)ntohs(a.sin_port));
    write_text("m.csv", table);
    expect(ferraris("headend", "import", "--data", "data", "m.csv", NULL), 0, NULL);
    head_end_start(&h, "data", NULL);
    const int called = accept(silent, NULL, NULL); /* the meter is being read */
    assert_true(called >= 0);
    const int stream = line_open((uint16_t)atoi(strrchr(h.url, ':') + 1));
    snprintf(request, sizeof request,
             "GET /api/v1/events HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n",
             h.url + strlen("http://"), h.api.cookie);
    assert_true(line_send(stream, request, strlen(request)));
    assert_true(recv(stream, answer, sizeof answer, 0) > 12);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    const time_t before = time(NULL);
    head_end_stop(&h); /* exit code 0 */
    assert_true(time(NULL) - before <= 8);
    close(stream);
    close(called);
    close(silent);
}

/* ---- import ---- */

static void headend_import_says_what_it_refused(void **state)
{
    (void)state;
    write_text("good.csv", "name,url\na,tcp://127.0.0.1:9\nb,tcp://[::1]:9\n");
    write_text("bad.csv",
               "name,url,guek\nc,tcp://127.0.0.1:9\nd,nowhere\na,tcp://h:1\ne,tcp://h:1," KEY_A
               "0\n");
    write_text("header.csv", "name,address\nc,tcp://127.0.0.1:9\n");
    struct outcome o = ferraris("headend", "import", "--data", "data", "good.csv", NULL);
    outcome_expect(&o, 0, NULL);
    expect_out(&o, "added 2, refused 0");
    outcome_free(&o);
    o = ferraris("headend", "import", "--data", "data", "--dry-run", "bad.csv", NULL);
    outcome_expect(&o, 1, "bad.csv:3: d: url ");
    expect_out(&o, "would add 1, refused 3");
    outcome_free(&o);
    o = ferraris("headend", "import", "--data", "data", "bad.csv", NULL);
    outcome_expect(&o, 1, "bad.csv:4: a: name is taken");
    expect_out(&o, "added 1, refused 3"); /* the dry run had added nothing */
    assert_null(strstr(o.err, KEY_A));
    outcome_free(&o);
    expect(ferraris("headend", "import", "--data", "data", "header.csv", NULL), 4, "'address'");
    expect(ferraris("headend", "import", "--data", "data", "none.csv", NULL), 4, "none.csv");
    expect(ferraris("headend", "import", "--data", "data", NULL), 2, "FILE");
    chmod("good.csv", 0644);
    expect(ferraris("headend", "import", "--data", "other", "good.csv", NULL), 0, "may hold keys");
}

/* ---- the key ---- */

static void headend_refuses_to_go_on_without_its_key(void **state)
{
    (void)state;
    struct stat s;
    write_text("m.csv",
               "name,url,guek,gak,auth\nMill,tcp://127.0.0.1:9," KEY_A "," KEY_A ",hls5\n");
    expect(ferraris("headend", "import", "--data", "data", "m.csv", NULL), 0, NULL);
    expect(ferraris("headend", "verify", "--data", "data", NULL), 0, NULL);
    assert_int_equal(rename("data/master.key", "kept"), 0);
    expect(ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL), 5,
           "master.key is missing");
    assert_int_not_equal(stat("data/master.key", &s), 0); /* none was made up */
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 1, NULL);
    expect_out(&o, "master.key is missing");
    outcome_free(&o);

    write_text("data/master.key", KEY_A KEY_A "\n");
    expect(ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL), 5,
           "meter 'Mill'");
    expect(ferraris("headend", "verify", "--data", "data", NULL), 1, NULL);
    assert_int_equal(rename("kept", "data/master.key"), 0);
    assert_int_equal(chmod("data/master.key", 0640), 0);
    expect(ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL), 5,
           "chmod 600");
    assert_int_equal(chmod("data/master.key", 0600), 0);
    head_end_start(&h, "data", NULL);
    head_end_stop(&h);
}

/* ---- verify ---- */

/* A day of quarter hours of one meter. */
static void store_a_day(void)
{
    static struct day_row row[96];
    char why[200];
    const struct server_clock clock = server_clock_system();
    const struct store_options o = {.dir = "data", .clock = &clock};
    struct store *s;
    struct store_meter m = {.name = "a",
                            .url = "tcp://127.0.0.1:9",
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1};
    struct store_layout l = {
        .period_s = 900,
        .n_columns = 1,
        .column = {{.class_id = 3, .attribute = 2, .mul_num = 1, .mul_den = 1}}};
    struct store_put put;
    for (uint32_t i = 0; i < 96; i++)
        row[i] = (struct day_row){.stamp_s = 1763683200 + 900 * i, .value = {1000 + 7 * i}};
    assert_int_equal(store_open(&s, &o, why, sizeof why), ERR_OK);
    assert_int_equal(store_meter_add(s, &m), ERR_OK);
    struct store_profile p = {.meter = m.id, .ln = {1, 0, 99, 1, 0, 255}, .period_s = 900};
    assert_int_equal(store_profile_find(s, &p), ERR_OK);
    l.profile = p.id;
    assert_int_equal(store_layout_find(s, &l), ERR_OK);
    assert_int_equal(store_begin(s), ERR_OK);
    assert_int_equal(store_rows_put(s, &l, row, 96, &put), ERR_OK);
    assert_int_equal(store_commit(s, true), ERR_OK);
    store_close(s);
}

static void damage(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open("data/ferraris.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void headend_verify_finds_damage(void **state)
{
    (void)state;
    expect(ferraris("headend", "verify", "--data", "nowhere", NULL), 4, "nowhere");
    store_a_day();
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    expect_out(&o, "1 blocks, 96 rows, 96 values: 0 faults");
    outcome_free(&o);
    damage("UPDATE lp_block SET block=zeroblob(length(block))");
    o = ferraris("headend", "verify", "--data", "data", "--json", NULL);
    outcome_expect(&o, 1, NULL);
    json_t *all = json_loads(o.out, 0, NULL);
    assert_non_null(all);
    assert_true(json_array_size(json_object_get(all, "faults")) > 0);
    json_decref(all);
    outcome_free(&o);
    /* what a damaged file says is no message to a terminal */
    write_text("data/master.key", KEY_A KEY_A "\n");
    damage("UPDATE meter SET name=CAST(x'41FF1B5B' AS TEXT), secret=zeroblob(140)");
    o = ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL);
    outcome_expect(&o, 5, "meter 'A??[': it is another key");
    outcome_free(&o);
    FILE *f = fopen("data/ferraris.db", "r+b"); /* the file itself */
    assert_non_null(f);
    fwrite("no database at all", 1, 18, f);
    fclose(f);
    expect(ferraris("headend", "verify", "--data", "data", NULL), 4, NULL);
    expect(ferraris("headend", "run", "--data", "data", "--listen", "127.0.0.1:0", NULL), 4,
           "from a backup");
}

/* ---- words ---- */

static void headend_refuses_wrong_words(void **state)
{
    (void)state;
    static const char *const wrong[][6] = {
        {"run"},
        {"run", "--data", ""},
        {"verify", "--data", ""},
        {"run", "--data", "d", "--origin", "meters.example.org"},
        {"run", "--data", "d", "--log", "loud"},
        {"run", "--data", "d", "--listen", "8080"},
        {"run", "--data", "d", "--listen", "127.0.0.1:99999"},
        {"run", "--data", "d", "--max-connections", "0"},
        {"run", "--data", "d", "--set-clocks", "5"},
        {"run", "--data", "d", "--set-clocks", "1:300"},
        {"run", "--data", "d", "--set-clocks", "300:5"},
        {"run", "--data", "d", "--set-clocks", "5:86401"},
        {"run", "--data", "d", "--set-clocks=-5:300x"},
        {"run", "--data", "d", "more"},
        {"runn"},
        {"user", "--data", "d", "--generate", "--password-file=x"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *words[9] = {"ferraris", "headend"};
        memcpy(words + 2, wrong[i], sizeof wrong[i]);
        expect(ferraris_words(words), 2, "ferraris headend");
    }
    expect(ferraris("headend", NULL), 2, "usage");
    struct outcome o = ferraris("help", "headend", NULL);
    outcome_expect(&o, 0, NULL);
    expect_out(&o, "verify");
    outcome_free(&o);
}

static void headend_says_when_its_program_is_absent(void **state)
{
    (void)state;
    assert_int_equal(system("cp '" FERRARIS_EXE "' ./ferraris"), 0);
    const int status = system("PATH=/nowhere ./ferraris headend run 2>said");
    assert_int_equal(WEXITSTATUS(status), 3);
    char *said = file_text("said");
    assert_non_null(strstr(said, "ferraris-headend is not installed"));
    free(said);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(headend_prints_the_password_once),
        IN_FOLDER(headend_keeps_the_password_when_the_port_is_taken),
        IN_FOLDER(headend_user_sets_passwords),
        IN_FOLDER(headend_user_asks_without_echo),
        IN_FOLDER(headend_refuses_a_directory_in_use),
        IN_FOLDER(headend_ends_in_time_on_sigterm),
        IN_FOLDER(headend_import_says_what_it_refused),
        IN_FOLDER(headend_refuses_to_go_on_without_its_key),
        IN_FOLDER(headend_verify_finds_damage),
        IN_FOLDER(headend_refuses_wrong_words),
        IN_FOLDER(headend_says_when_its_program_is_absent),
    };
    return cmocka_run_group_tests_name("headend/process", tests, NULL, NULL);
}
