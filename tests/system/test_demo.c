/* `ferraris demo` as a person runs it: it comes up with everything read, and whenever it is told to
 * stop, or dies, no process and no file of it is left. */
#include "tests/system/process.h"

#include "cli/demo_health.h"
#include "model/meters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAYS      2
#define LAST_LINE "Ctrl-C stops everything."
#define TEXT_MAX  8192

static unsigned n_interrupts = 4;
static char here[256]; /* folder of this test, TMPDIR of the demos */

struct demo {
    pid_t pid;
    int out;
    char text[TEXT_MAX]; /* of stdout and stderr so far */
    size_t len;
};

static struct demo d; /* one at a time */

/* Also after a failure nothing may be left for the case that follows. */
static int drop(void **state)
{
    (void)state;
    if (d.pid <= 0)
        return 0;
    kill(d.pid, SIGTERM);
    waitpid(d.pid, NULL, 0);
    d.pid = 0;
    return 0;
}

static int enter(void **state)
{
    (void)state;
    folder_enter();
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(mkdir("tmp", 0700), 0);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

static void demo_start(const char *program, const char *const *more)
{
    const char *words[16] = {"ferraris", "demo", "--listen", "127.0.0.1:0"};
    size_t n = 4;
    int ends[2];
    char tmp[300];
    for (; *more != NULL; more++)
        words[n++] = *more;
    snprintf(tmp, sizeof tmp, "%s/tmp", here);
    assert_int_equal(pipe(ends), 0);
    d = (struct demo){.out = ends[0]};
    d.pid = fork();
    assert_true(d.pid >= 0);
    if (d.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setenv("TMPDIR", tmp, 1);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program, (char *const *)words);
        _exit(127);
    }
    close(ends[1]);
}

/* Reads on until `text` has come, or the end. */
static bool demo_says(const char *text)
{
    struct pollfd p = {.fd = d.out, .events = POLLIN};
    while (text == NULL || strstr(d.text, text) == NULL) {
        if (poll(&p, 1, PROCESS_PATIENCE_S * 1000) <= 0 || d.len + 1 >= TEXT_MAX)
            return false;
        const ssize_t n = read(d.out, d.text + d.len, TEXT_MAX - 1 - d.len);
        if (n <= 0)
            return false;
        d.len += (size_t)n;
        d.text[d.len] = '\0';
    }
    return true;
}

static int demo_end(void)
{
    int status;
    (void)demo_says(NULL); /* to its end */
    close(d.out);
    assert_int_equal(waitpid(d.pid, &status, 0), d.pid);
    d.pid = 0;
    if (strstr(d.text, "Sanitizer") != NULL || strstr(d.text, "runtime error") != NULL)
        fail_msg("%s", d.text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what may be left behind ---- */

static bool mentions_here(const char *pid)
{
    char path[300], words[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    const int fd = open(path, O_RDONLY);
    const ssize_t n = fd >= 0 ? read(fd, words, sizeof words - 1) : -1;
    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < n; i++)
        words[i] = words[i] != '\0' ? words[i] : ' ';
    words[n > 0 ? n : 0] = '\0';
    return strstr(words, here) != NULL;
}

/* Children carry paths in this test's folder among their words. */
static unsigned processes(void)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    unsigned n = 0;
    assert_non_null(proc);
    while ((e = readdir(proc)) != NULL)
        n += e->d_name[0] >= '1' && e->d_name[0] <= '9' && mentions_here(e->d_name);
    closedir(proc);
    return n;
}

static unsigned files(void)
{
    DIR *tmp = opendir("tmp");
    unsigned n = 0;
    assert_non_null(tmp);
    while (readdir(tmp) != NULL)
        n++;
    closedir(tmp);
    return n - 2; /* . and .. */
}

/* ---- cases ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void take_word(const char *mark, char *to, size_t size)
{
    const char *at = strstr(d.text, mark);
    if (at == NULL)
        fail_msg("no '%s' in:\n%s", mark, d.text);
    at += strlen(mark);
    at += strspn(at, " ");
    snprintf(to, size, "%.*s", (int)strcspn(at, " \n"), at);
}

/* One POST over a plain socket: the status of the answer. */
static int sign_in(const char *url, const char *password)
{
    char body[300], request[600], answer[64] = "";
    snprintf(body, sizeof body, "{\"user\":\"admin\",\"password\":\"%s\"}", password);
    snprintf(request, sizeof request,
             "POST /api/v1/session HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             url + 7, strlen(body), body);
    const int fd = line_open((uint16_t)atoi(strrchr(url, ':') + 1));
    assert_true(line_send(fd, request, strlen(request)));
    assert_true(recv(fd, answer, 12, MSG_WAITALL) == 12);
    close(fd);
    return atoi(answer + 9);
}

/* The rows of the load profiles of all models after DAYS, and how many profiles that are. What a
 * profile does not hold so long is overwritten before anybody asks. */
static uint64_t rows_of_the_past(unsigned *n_profiles)
{
    const struct model_meter *model;
    uint64_t n = 0;
    for (size_t i = 0; (model = model_meter_at(i)) != NULL; i++) {
        for (size_t p = MODEL_LP1; p <= MODEL_LP4; p++) {
            const struct model_profile *of = &model->profile[p];
            if (of->n_values == 0)
                continue;
            const uint32_t rows = DAYS * 8640u / of->period_s10;
            n += rows < of->depth ? rows : of->depth;
            (*n_profiles)++;
        }
    }
    return n;
}

static void demo_shows_eight_meters_with_their_past_and_leaves_nothing(void **state)
{
    (void)state;
    char url[128], password[128], kept[300];
    struct health h;
    unsigned n_profiles = 0;
    const uint64_t past = rows_of_the_past(&n_profiles);
    const double begun = seconds();
    snprintf(kept, sizeof kept, "%s/kept", here);
    demo_start(FERRARIS_EXE, (const char *const[]){"--days", "2", "--data", kept, NULL});
    if (!demo_says(LAST_LINE))
        fail_msg("it did not come up:\n%s", d.text);
    print_message("up after %.1f s\n", seconds() - begun);
    take_word("address", url, sizeof url);
    take_word("password", password, sizeof password);
    assert_true(health_ask(url, &h));
    assert_int_equal(h.meters, 8);
    assert_int_equal(h.up_to_date, 8);
    assert_int_equal(h.failing, 0);
    print_message("%llu rows, %llu of the past\n", (unsigned long long)h.rows,
                  (unsigned long long)past);
    assert_in_range(h.rows, past - n_profiles,
                    past + 2 * n_profiles); /* periods begun, and ended */
    assert_int_equal(sign_in(url, password), 200);
    assert_int_equal(sign_in(url, "guessed"), 401);
    assert_int_equal(processes(), 1 + 8 + 1); /* the demo itself, meters, head-end */
    assert_int_equal(files(), 1);
    assert_int_equal(kill(d.pid, SIGINT), 0);
    assert_int_equal(demo_end(), 0);
    assert_int_equal(processes(), 0);
    assert_int_equal(files(), 0);
    assert_int_equal(access("kept/ferraris.db", F_OK), 0);
    demo_start(FERRARIS_EXE, (const char *const[]){"--data", kept, NULL});
    assert_int_equal(demo_end(), 1);
    assert_non_null(strstr(d.text, "not empty"));
}

static void demo_leaves_nothing_when_it_is_interrupted_at_any_moment(void **state)
{
    (void)state;
    srand(20261121);
    for (unsigned k = 0; k < n_interrupts; k++) {
        const unsigned ms = k == 0 ? 0 : (unsigned)rand() % 3000;
        demo_start(FERRARIS_EXE, (const char *const[]){"--days", "2", NULL});
        /* not before its first word: until then it is not yet the demo */
        assert_true(demo_says("%"));
        usleep(ms * 1000);
        kill(d.pid, k % 2 == 0 ? SIGINT : SIGTERM);
        const int code = demo_end();
        print_message("after %u ms: code %d\n", ms, code);
        assert_true(code == 130 || (code == 0 && strstr(d.text, LAST_LINE) != NULL));
        assert_int_equal(processes(), 0);
        assert_int_equal(files(), 0);
    }
}

static void children_end_when_the_demo_is_killed(void **state)
{
    (void)state;
    demo_start(FERRARIS_EXE, (const char *const[]){"--days", "2", NULL});
    assert_true(demo_says("%"));
    while (processes() == 0)
        usleep(1000);
    kill(d.pid, SIGKILL);
    assert_int_equal(demo_end(), 128 + SIGKILL);
    const double limit = seconds() + PROCESS_PATIENCE_S;
    while (processes() > 0 && seconds() < limit)
        usleep(10000);
    assert_int_equal(processes(), 0);
    assert_int_equal(system("rm -r tmp/*"), 0); /* nobody is left to do it */
}

/* ---- beside a head-end that fails ---- */

/* The demo looks for the head-end beside itself: a copy beside another one. */
static void copy_demo_beside(const char *headend)
{
    char line[600];
    snprintf(line, sizeof line, "rm -rf other && mkdir other && cp '%s' other/ferraris",
             FERRARIS_EXE);
    assert_int_equal(system(line), 0);
    if (headend == NULL)
        return;
    folder_write("other/ferraris-headend", headend, strlen(headend));
    assert_int_equal(chmod("other/ferraris-headend", 0700), 0);
}

static void demo_says_the_last_words_of_what_fails(void **state)
{
    (void)state;
    static const struct {
        const char *script, *words;
    } fails[] = {
        {NULL, "needs the head-end beside ferraris"},
        {"#!/bin/sh\necho 'a first line' >&2\necho 'the table is no table' >&2\nexit 4\n",
         "import: the table is no table"},
        {"#!/bin/sh\n[ $1 = import ] && exit 0\necho 'the disk is on fire' >&2\nexit 3\n",
         "the head-end: the disk is on fire"},
        {"#!/bin/sh\n[ $1 = import ] && exit 0\nkill -SEGV $$\n",
         "the head-end: ended by signal 11"},
    };
    for (size_t k = 0; k < sizeof fails / sizeof fails[0]; k++) {
        copy_demo_beside(fails[k].script);
        demo_start("other/ferraris", (const char *const[]){"--days", "0", NULL});
        assert_int_equal(demo_end(), 3);
        if (strstr(d.text, fails[k].words) == NULL)
            fail_msg("'%s' is not in:\n%s", fails[k].words, d.text);
        assert_int_equal(processes(), 0);
        assert_int_equal(files(), 0);
    }
}

/* What the import is given: every column, keys of each meter, for its owner only. */
static void demo_hands_over_a_table_that_only_its_owner_can_read(void **state)
{
    (void)state;
    char table[4096] = "", script[600];
    copy_demo_beside("");
    snprintf(
        script, sizeof script,
        "#!/bin/sh\nstat -c %%a \"$4\" > %s/table\ncat \"$4\" >> %s/table\necho done >&2\nexit 9\n",
        here, here);
    folder_write("other/ferraris-headend", script, strlen(script));
    demo_start("other/ferraris", (const char *const[]){"--days", "0", NULL});
    assert_int_equal(demo_end(), 3);
    FILE *f = fopen("table", "r");
    assert_non_null(f);
    assert_true(fread(table, 1, sizeof table - 1, f) > 0);
    fclose(f);
    assert_memory_equal(table, "600\nname,url,place,client,server,", 33);
    unsigned lines = 0;
    for (const char *p = table; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 1 + 1 + 8);
    assert_non_null(strstr(table, ",150/5,1/1,true,"));
    assert_non_null(strstr(table, ",100/1,20000/190,true,"));
    assert_int_equal(files(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(demo_shows_eight_meters_with_their_past_and_leaves_nothing, drop),
        cmocka_unit_test_teardown(demo_leaves_nothing_when_it_is_interrupted_at_any_moment, drop),
        cmocka_unit_test_teardown(children_end_when_the_demo_is_killed, drop),
        cmocka_unit_test_teardown(demo_says_the_last_words_of_what_fails, drop),
        cmocka_unit_test_teardown(demo_hands_over_a_table_that_only_its_owner_can_read, drop),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        n_interrupts = 25;
    return cmocka_run_group_tests(tests, enter, leave);
}
