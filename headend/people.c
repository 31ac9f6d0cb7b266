/* See people.h. */
#include "headend/people.h"
#include "headend/keys/meter_check.h"
#include "lib/base/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

bool people_name_check(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_@";
    const size_t n = strlen(name);
    return n > 0 && n <= STORE_USER_MAX && strspn(name, letters) == n;
}

/* ---- storing ---- */

static int judge(const struct cli_verb *v, const char *password)
{
    const size_t n = strlen(password);
    if (n < PASSWORD_MIN || n > PASSWORD_MAX)
        return cli_fail(v, CLI_BAD_DATA, "a password has %d to %d octets, not %zu", PASSWORD_MIN,
                        PASSWORD_MAX, n);
    if (!meter_text_check(password, n))
        return cli_fail(v, CLI_BAD_DATA, "the password is not UTF-8 text");
    return -1;
}

int people_set(const struct cli_verb *v, struct store *s, const char *name, const char *password)
{
    char hash[PASSWORD_HASH];
    const int code = judge(v, password);
    if (code >= 0)
        return code;
    enum err err = password_hash(password, hash);
    if (err)
        return cli_fail(v, CLI_BUG, "the password could not be hashed: %s", err_text(err));
    err = store_user_put(s, name, hash);
    wipe(hash, sizeof hash);
    return err ? cli_fail(v, CLI_LOST, "%s", store_why(s)) : -1;
}

int people_generate(const struct cli_verb *v, struct store *s, const char *name,
                    char password[PASSWORD_MAX + 1])
{
    char made[25];
    if (password_make(made))
        return cli_fail(v, CLI_BUG, "%s", err_text(ERR_RNG));
    memcpy(password, made, sizeof made);
    wipe(made, sizeof made);
    return people_set(v, s, name, password);
}

/* ---- a line of a descriptor ---- */

/* Up to the line feed, which is dropped, or the end. False: too long, or errno. */
static bool read_line(int fd, char *to, size_t size)
{
    size_t n = 0;
    for (;;) {
        char c;
        const ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            return false; /* Ctrl-C */
        if (got < 0 || (got > 0 && c != '\n' && n + 1 >= size)) {
            errno = got < 0 ? errno : EOVERFLOW;
            return false;
        }
        if (got == 0 || c == '\n')
            break;
        to[n++] = c;
    }
    to[n] = '\0';
    if (n > 0 && to[n - 1] == '\r')
        to[n - 1] = '\0';
    return true;
}

int people_from_file(const struct cli_verb *v, const char *path, char password[PASSWORD_MAX + 1])
{
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(errno));
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && (s.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        fprintf(stderr, "ferraris %s: warning: others may read %s\n", v->name, path);
    const bool good = read_line(fd, password, PASSWORD_MAX + 1);
    const int number = errno;
    close(fd);
    return good ? -1 : cli_fail(v, CLI_BAD_DATA, "%s: %s", path, strerror(number));
}

/* ---- the terminal ---- */

static void on_signal(int number)
{
    (void)number; /* only to end read() */
}

/* Ctrl-C and SIGTERM end the question instead of leaving a terminal without echo. */
static void catch_signals(struct sigaction old[2])
{
    struct sigaction a = {.sa_handler = on_signal};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, &old[0]);
    sigaction(SIGTERM, &a, &old[1]);
}

static bool ask(int terminal, const char *question, char *to, size_t size)
{
    if (write(terminal, question, strlen(question)) < 0)
        return false;
    const bool good = read_line(terminal, to, size);
    return write(terminal, "\n", 1) == 1 && good;
}

/* Echo is off. */
static int ask_twice(const struct cli_verb *v, int terminal, char password[PASSWORD_MAX + 1])
{
    char again[PASSWORD_MAX + 1];
    int code = -1;
    if (!ask(terminal, "New password: ", password, PASSWORD_MAX + 1) ||
        !ask(terminal, "Once more: ", again, sizeof again))
        code = cli_fail(v, CLI_BAD_DATA, "no password was read: %s", strerror(errno));
    else if (strcmp(password, again) != 0)
        code = cli_fail(v, CLI_BAD_DATA, "the two are not the same; nothing was changed");
    wipe(again, sizeof again);
    return code;
}

int people_ask(const struct cli_verb *v, char password[PASSWORD_MAX + 1])
{
    struct termios before, silent;
    struct sigaction old[2];
    const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0 || tcgetattr(terminal, &before) != 0) {
        if (terminal >= 0)
            close(terminal);
        return cli_fail(v, CLI_USAGE, "no terminal to ask: use --generate or --password-file FILE");
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(old);
    tcsetattr(terminal, TCSAFLUSH, &silent);
    const int code = ask_twice(v, terminal, password);
    tcsetattr(terminal, TCSAFLUSH, &before);
    sigaction(SIGINT, &old[0], NULL);
    sigaction(SIGTERM, &old[1], NULL);
    close(terminal);
    return code;
}
