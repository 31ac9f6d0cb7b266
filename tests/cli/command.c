/* Child processes with pipes; the tests of the command line and of the whole system use it. */
#include "tests/cli/command.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 40

static void become(const char *const words[], int in, int out, int err)
{
    char *argv[WORDS_MAX + 2] = {"ferraris"};
    for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i]; /* execv promises not to write */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (err >= 0)
        dup2(err, STDERR_FILENO);
    execv(FERRARIS, argv);
    _exit(127);
}

/* What has come on one pipe; false at its end. */
static int collect(int fd, char *to, size_t size, size_t *len)
{
    char rest[4096];
    const size_t room = size - 1 - *len;
    const ssize_t n = room > 0 ? read(fd, to + *len, room) : read(fd, rest, sizeof rest);
    if (n > 0 && room > 0)
        *len += (size_t)n;
    to[*len] = '\0';
    return n > 0;
}

static void read_both(struct command *c, int out, int err)
{
    size_t out_len = 0, err_len = 0;
    struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    while (p[0].fd >= 0 || p[1].fd >= 0) {
        assert_true(poll(p, 2, 60000) > 0);
        if (p[0].revents != 0 && !collect(out, c->out, sizeof c->out, &out_len))
            p[0].fd = -1;
        if (p[1].revents != 0 && !collect(err, c->err, sizeof c->err, &err_len))
            p[1].fd = -1;
    }
}

void command_run(struct command *c, const char *input, const char *const words[])
{
    int in[2], out[2], err[2], status;
    memset(c, 0, sizeof *c);
    assert_int_equal(pipe(in) | pipe(out) | pipe(err), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(in[1]);
        become(words, in[0], out[1], err[1]);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (input != NULL) /* less than a pipe holds */
        assert_int_equal(write(in[1], input, strlen(input)), (ssize_t)strlen(input));
    close(in[1]);
    read_both(c, out[0], err[0]);
    close(out[0]);
    close(err[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    c->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t command_meter_ports(const char *const words[], char url[][COMMAND_URL], size_t n)
{
    static const char listening[] = "listening on ";
    int out[2];
    char line[256];
    assert_int_equal(pipe(out), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(out[0]);
        become(words, STDIN_FILENO, out[1], -1);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    size_t found = 0;
    while (found < n && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, listening, sizeof listening - 1) == 0) {
            const char *address = line + sizeof listening - 1;
            const char *scheme = strstr(address, "://") != NULL ? "" : "tcp://";
            line[strcspn(line, "\n")] = '\0';
            snprintf(url[found++], COMMAND_URL, "%s%.80s", scheme, address);
        }
    fclose(f);
    assert_int_equal(found, n);
    return child;
}

pid_t command_meter(const char *const words[], char *url, size_t url_size)
{
    char one[1][COMMAND_URL];
    const pid_t child = command_meter_ports(words, one, 1);
    snprintf(url, url_size, "%s", one[0]);
    return child;
}

void command_stop(pid_t meter)
{
    int status;
    kill(meter, SIGTERM);
    assert_int_equal(waitpid(meter, &status, 0), meter);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
