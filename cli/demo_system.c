/* See demo_system.h. */
#define _GNU_SOURCE /* nftw, pipe2, ppoll */
#include "cli/demo_system.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 8000 /* for an orderly end; a head-end finishes its commits */
#define STEP_MS     50

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
#define N_ENDINGS (sizeof endings / sizeof endings[0])

static volatile sig_atomic_t caught; /* a process has one set of signals */

static void on_signal(int number)
{
    if (number != SIGCHLD)
        caught = 1;
}

/* Handlers run inside ppoll() only: everywhere else the signals are blocked. */
static void hold_signals(struct demo_system *s)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigset_t held;
    sigemptyset(&a.sa_mask);
    sigemptyset(&held);
    for (size_t i = 0; i < N_ENDINGS; i++)
        sigaddset(&held, endings[i]);
    sigaddset(&held, SIGCHLD);
    sigprocmask(SIG_BLOCK, &held, &s->before);
    for (size_t i = 0; i < N_ENDINGS; i++)
        sigaction(endings[i], &a, NULL);
    sigaction(SIGCHLD, &a, NULL);
    signal(SIGPIPE, SIG_IGN); /* a reader who leaves must not keep us from tidying up */
}

static void release_signals(const struct demo_system *s)
{
    for (size_t i = 0; i < N_ENDINGS; i++)
        signal(endings[i], SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

bool system_begin(struct demo_system *s, const char *prefix)
{
    const char *base = getenv("TMPDIR");
    memset(s, 0, sizeof *s);
    caught = 0;
    if (base == NULL || base[0] != '/' || strlen(base) > SYSTEM_PATH / 2)
        base = "/tmp";
    snprintf(s->dir, sizeof s->dir, "%.*s/%.32s-XXXXXX", SYSTEM_PATH / 2, base, prefix);
    hold_signals(s);
    if (mkdtemp(s->dir) != NULL)
        return true;
    int cause = errno;
    s->dir[0] = '\0';
    release_signals(s);
    errno = cause;
    return false;
}

/* ---- children ---- */

static void become(const struct demo_system *s, pid_t parent, int out, int err,
                   const char *const *words)
{
    int in = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died before the line above */
        _exit(0);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    release_signals(s);
    execv(words[0], (char *const *)words);
    fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

struct demo_child *system_start(struct demo_system *s, const struct demo_child *how,
                                const char *const *words)
{
    int out[2], err[2];
    const pid_t self = getpid();
    if (s->n_children == SYSTEM_CHILDREN) {
        errno = EAGAIN;
        return NULL;
    }
    if (pipe2(out, O_CLOEXEC) != 0)
        return NULL;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close_pair(out);
        return NULL;
    }
    fflush(NULL); /* else the child has a copy of what is still to be written */
    const pid_t pid = fork();
    if (pid == 0)
        become(s, self, out[1], err[1], words);
    if (pid < 0) {
        close_pair(out);
        close_pair(err);
        return NULL;
    }
    close(out[1]);
    close(err[1]);
    struct demo_child *c = &s->child[s->n_children++];
    *c = *how;
    c->pid = pid;
    c->out = out[0];
    c->err = err[0];
    fcntl(c->out, F_SETFL, O_NONBLOCK);
    fcntl(c->err, F_SETFL, O_NONBLOCK);
    return c;
}

/* Takes what the pipe holds; `whole` is called for each line. Closes it at its end. */
static void drain(int *fd, char *line, struct demo_child *c,
                  void (*whole)(struct demo_child *c, const char *line))
{
    char octet[1024];
    ssize_t n;
    while (*fd >= 0 && (n = read(*fd, octet, sizeof octet)) != 0) {
        if (n < 0 && errno != EINTR)
            return; /* EAGAIN: for now that was all */
        for (ssize_t i = 0; i < n; i++) {
            size_t len = strlen(line);
            if (octet[i] == '\n') {
                whole(c, line);
                line[0] = '\0';
            } else if (len + 1 < SYSTEM_LINE && octet[i] != '\0') {
                line[len] = octet[i];
                line[len + 1] = '\0';
            }
        }
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void tell(struct demo_child *c, const char *line)
{
    if (c->said != NULL)
        c->said(c->context, c, line);
}

static void keep(struct demo_child *c, const char *line)
{
    if (line[0] != '\0')
        snprintf(c->message, sizeof c->message, "%s", line);
}

/* Ends are noted before the pipes are read for the last time: nothing said gets lost. */
static void look_after(struct demo_child *c)
{
    bool gone = c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid;
    drain(&c->out, c->line, c, tell);
    drain(&c->err, c->gathering, c, keep);
    if (!gone)
        return;
    keep(c, c->gathering);
    if (c->out >= 0)
        close(c->out);
    if (c->err >= 0)
        close(c->err);
    c->out = c->err = -1;
    c->pid = 0;
    c->ended = true;
}

void system_poll(struct demo_system *s, int ms)
{
    struct pollfd p[2 * SYSTEM_CHILDREN];
    nfds_t n = 0;
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->child[i].out >= 0)
            p[n++] = (struct pollfd){.fd = s->child[i].out, .events = POLLIN};
        if (s->child[i].err >= 0)
            p[n++] = (struct pollfd){.fd = s->child[i].err, .events = POLLIN};
    }
    (void)ppoll(p, n, &wait, &s->before); /* whatever it says, everything is looked at */
    s->interrupted = s->interrupted || caught;
    for (size_t i = 0; i < s->n_children; i++)
        look_after(&s->child[i]);
}

void system_epitaph(const struct demo_child *c, char *text, size_t size)
{
    if (c->message[0] != '\0')
        snprintf(text, size, "%s", c->message);
    else if (WIFSIGNALED(c->status))
        snprintf(text, size, "ended by signal %d", WTERMSIG(c->status));
    else
        snprintf(text, size, "ended with code %d", WEXITSTATUS(c->status));
}

/* ---- the end ---- */

static bool signal_all(const struct demo_system *s, int number)
{
    bool any = false;
    for (size_t i = 0; i < s->n_children; i++)
        if (s->child[i].pid > 0) {
            kill(s->child[i].pid, number);
            any = true;
        }
    return any;
}

static bool any_left(struct demo_system *s)
{
    bool left = false;
    for (size_t i = 0; i < s->n_children; i++) {
        s->child[i].said = NULL;
        look_after(&s->child[i]);
        left = left || s->child[i].pid > 0;
    }
    return left;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

void system_end(struct demo_system *s)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    signal_all(s, SIGTERM);
    for (int ms = 0; any_left(s) && ms < PATIENCE_MS; ms += STEP_MS)
        nanosleep(&step, NULL);
    for (bool left = signal_all(s, SIGKILL); left; left = any_left(s))
        nanosleep(&step, NULL);
    if (s->dir[0] != '\0' && nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        fprintf(stderr, "%s could not be removed: %s\n", s->dir, strerror(errno));
    release_signals(s);
}
