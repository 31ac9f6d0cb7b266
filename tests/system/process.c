/* See process.h. */
#define _GNU_SOURCE /* nftw, pipe2 */
#include "tests/system/process.h"

#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/ferraris-test-XXXXXX";

void folder_enter(void)
{
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s;
    (void)kind;
    (void)where;
    return remove(path);
}

void folder_leave(void)
{
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void folder_write(const char *name, const void *p, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

bool shared_path(char *path, size_t size, const char *name)
{
    assert_true(snprintf(path, size, "%s/%s", SHARED_DIR, name) < (int)size);
    return access(path, R_OK) == 0;
}

/* ---- runs to the end ---- */

static char *read_all(const char *name, size_t *len)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    const long n = ftell(f);
    rewind(f);
    char *p = malloc((size_t)n + 1);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, (size_t)n, f), (size_t)n);
    p[n] = '\0';
    if (len != NULL)
        *len = (size_t)n;
    fclose(f);
    return p;
}

static pid_t spawn(const char *const *words, int out, const char *err_name)
{
    /* before the fork: a child may be killed before its first line, its messages are read all the
     * same */
    const int err = open(err_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(err >= 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) {
        close(err);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    const int in = open("/dev/null", O_RDONLY);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execv(FERRARIS_EXE, (char *const *)words);
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status;
    for (int ms = 0; ms < PROCESS_PATIENCE_S * 1000; ms++) {
        const pid_t done = waitpid(pid, &status, WNOHANG);
        assert_true(done >= 0);
        if (done == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        usleep(1000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("a process did not end within %d s", PROCESS_PATIENCE_S);
    return -1;
}

struct outcome ferraris_words(const char *const *words)
{
    static unsigned count;
    char out_name[32], err_name[32];
    snprintf(out_name, sizeof out_name, "out-%u", count);
    snprintf(err_name, sizeof err_name, "err-%u", count++);
    const int out = open(out_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(out >= 0);
    struct outcome o = {.code = wait_for(spawn(words, out, err_name))};
    close(out);
    o.out = read_all(out_name, &o.out_len);
    o.err = read_all(err_name, NULL);
    remove(out_name);
    remove(err_name);
    return o;
}

static void collect(const char **words, size_t n, const char *word, va_list more)
{
    for (; word != NULL; word = va_arg(more, const char *)) {
        assert_true(n + 1 < PROCESS_WORDS);
        words[n++] = word;
    }
    words[n] = NULL;
}

struct outcome ferraris(const char *word, ...)
{
    const char *words[PROCESS_WORDS] = {"ferraris"};
    va_list more;
    va_start(more, word);
    collect(words, 1, word, more);
    va_end(more);
    return ferraris_words(words);
}

void outcome_free(struct outcome *o)
{
    free(o->out);
    free(o->err);
}

static bool is_sanitizer(const char *text)
{
    return strstr(text, "Sanitizer") != NULL || strstr(text, "runtime error:") != NULL;
}

void outcome_expect(const struct outcome *o, int code, const char *in_err)
{
    if (o->code != code || is_sanitizer(o->err))
        fail_msg("exit code %d, not %d; stderr: %s", o->code, code, o->err);
    if (in_err != NULL && strstr(o->err, in_err) == NULL)
        fail_msg("'%s' does not stand in stderr: %s", in_err, o->err);
}

char *file_text(const char *name)
{
    return read_all(name, NULL);
}

/* ---- what serves ---- */

pid_t process_spawn(const char *const *words, int *out, const char *err_name)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pid_t pid = spawn(words, ends[1], err_name);
    close(ends[1]);
    *out = ends[0];
    return pid;
}

int process_end(pid_t pid, int out, const char *err_name)
{
    const int code = wait_for(pid);
    close(out);
    char *err = read_all(err_name, NULL);
    if (is_sanitizer(err))
        fail_msg("a sanitizer spoke, code %d: %s", code, err);
    free(err);
    return code;
}

/* One line of the pipe; false at its end or when patience is over. */
bool process_line(int fd, char *line, size_t size)
{
    size_t n = 0;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (n + 1 < size && poll(&p, 1, PROCESS_PATIENCE_S * 10000) > 0 &&
           read(fd, line + n, 1) == 1) {
        if (line[n] == '\n') {
            line[n] = '\0';
            return true;
        }
        n++;
    }
    line[n] = '\0';
    return false;
}

bool meter_await(struct meter_process *m)
{
    static const char mark[] = "listening on ";
    char line[160];
    while (process_line(m->out, line, sizeof line)) {
        if (strncmp(line, mark, sizeof mark - 1) != 0)
            continue;
        snprintf(m->address, sizeof m->address, "%.60s", line + sizeof mark - 1);
        snprintf(m->url, sizeof m->url, "tcp://%s", m->address);
        m->port = (uint16_t)atoi(strrchr(m->address, ':') + 1);
        return true;
    }
    return false;
}

static void spawn_meter(struct meter_process *m, const char *word, va_list more)
{
    static unsigned count;
    const char *words[PROCESS_WORDS] = {"ferraris", "meter"};
    size_t n = 2;
    collect(words, n, word, more);
    while (words[n] != NULL && strcmp(words[n], "--listen") != 0)
        n++;
    if (words[n] == NULL) { /* no place asked for: any free one */
        assert_true(n + 2 < PROCESS_WORDS);
        words[n] = "--listen";
        words[n + 1] = "127.0.0.1:0";
    }
    snprintf(m->err_name, sizeof m->err_name, "meter-%u", count++);
    m->pid = process_spawn(words, &m->out, m->err_name);
}

void meter_spawn(struct meter_process *m, const char *word, ...)
{
    va_list more;
    va_start(more, word);
    spawn_meter(m, word, more);
    va_end(more);
}

void meter_start(struct meter_process *m, const char *word, ...)
{
    va_list more;
    va_start(more, word);
    spawn_meter(m, word, more);
    va_end(more);
    if (meter_await(m))
        return;
    kill(m->pid, SIGKILL);
    const int code = wait_for(m->pid);
    m->pid = 0;
    fail_msg("no meter came up (code %d): %s", code, read_all(m->err_name, NULL));
}

int meter_end(struct meter_process *m)
{
    const int code = process_end(m->pid, m->out, m->err_name);
    m->pid = 0;
    if (code < 128 && code != 0)
        fail_msg("the meter ended with %d: %s", code, read_all(m->err_name, NULL));
    return code;
}

void meter_stop(struct meter_process *m)
{
    meter_alive(m);
    kill(m->pid, SIGTERM);
    assert_int_equal(meter_end(m), 0);
}

void meter_drop(struct meter_process *m)
{
    if (m->pid <= 0 || kill(m->pid, SIGKILL) != 0)
        return;
    waitpid(m->pid, NULL, 0);
    m->pid = 0;
    close(m->out);
}

void meter_alive(const struct meter_process *m)
{
    int status;
    if (waitpid(m->pid, &status, WNOHANG) != 0)
        fail_msg("the meter is gone (status %d): %s", status, read_all(m->err_name, NULL));
}

/* ---- lines ---- */

int line_open(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_sec = 10};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

bool line_send(int fd, const void *p, size_t n)
{
    const uint8_t *from = p;
    while (n > 0) {
        const ssize_t done = send(fd, from, n, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        from += done;
        n -= (size_t)done;
    }
    return true;
}
