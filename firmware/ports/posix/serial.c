/* Serial lines on Linux; see serial.h. */
#define _GNU_SOURCE /* pseudo terminals; NOLINT(bugprone-reserved-identifier) */
#include "firmware/ports/posix/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* Device numbers of pseudo terminals, Linux Documentation/admin-guide/devices.txt */
#define UNIX98_FAR_FIRST 136u
#define UNIX98_FAR_LAST  143u
#define PTMX_MAJOR       5u
#define PTMX_MINOR       2u

static const struct {
    uint32_t baud;
    speed_t code;
} speeds[] = {{300, B300},      {600, B600},       {1200, B1200},     {2400, B2400},
              {4800, B4800},    {9600, B9600},     {19200, B19200},   {38400, B38400},
              {57600, B57600},  {115200, B115200}, {230400, B230400}, {460800, B460800},
              {921600, B921600}};

/* *t as the options say. False: they are out of range. */
static bool apply(struct termios *t, const struct serial_options *o)
{
    const uint32_t baud = o->baud != 0 ? o->baud : 9600;
    const unsigned bits = o->data_bits != 0 ? o->data_bits : 8;
    size_t i = 0;
    while (i < sizeof speeds / sizeof speeds[0] && speeds[i].baud != baud)
        i++;
    if (i == sizeof speeds / sizeof speeds[0] || bits < 7 || bits > 8 || o->stop_bits > 2)
        return false;
    cfmakeraw(t);
    t->c_cflag &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CRTSCTS | HUPCL);
    t->c_cflag |= CLOCAL | CREAD | (tcflag_t)(bits == 7 ? CS7 : CS8);
    if (o->stop_bits == 2)
        t->c_cflag |= CSTOPB;
    if (o->parity != SERIAL_NONE)
        t->c_cflag |= PARENB | (o->parity == SERIAL_ODD ? (tcflag_t)PARODD : 0);
    t->c_cc[VMIN] = 0;
    t->c_cc[VTIME] = 0;
    return cfsetispeed(t, speeds[i].code) == 0 && cfsetospeed(t, speeds[i].code) == 0;
}

/* Either end of a pseudo terminal. It has no wire, so the kernel keeps it at eight bits without
 * parity, and the C library calls that an error. */
static bool is_pty(int fd)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISCHR(s.st_mode))
        return false;
    const unsigned kind = major(s.st_rdev), number = minor(s.st_rdev);
    return (kind >= UNIX98_FAR_FIRST && kind <= UNIX98_FAR_LAST) ||
           (kind == PTMX_MAJOR && number == PTMX_MINOR);
}

enum err serial_set(int fd, const struct serial_options *o)
{
    struct termios t;
    if (tcgetattr(fd, &t) != 0)
        return ERR_IO;
    if (!apply(&t, o))
        return ERR_RANGE;
    if (tcsetattr(fd, TCSADRAIN, &t) == 0)
        return ERR_OK;
    return errno == EINVAL && is_pty(fd) ? ERR_OK : ERR_IO;
}

/* Drivers that gather octets for 16 ms cost an exchange that much each way. Few know this call, and
 * without it the line works as well. */
static void ask_low_latency(int fd)
{
    struct serial_struct s;
    if (ioctl(fd, TIOCGSERIAL, &s) != 0)
        return;
    s.flags = (int)((unsigned)s.flags | ASYNC_LOW_LATENCY);
    (void)ioctl(fd, TIOCSSERIAL, &s);
}

static enum err set_up(int fd, const char *path, const struct serial_options *o,
                       char why[SERIAL_WHY])
{
    if (!isatty(fd)) {
        snprintf(why, SERIAL_WHY, "%s is no serial line", path);
        return ERR_TYPE;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, SERIAL_WHY, "%s is in use by another program", path);
        return ERR_BUSY;
    }
    const enum err err = serial_set(fd, o);
    if (err == ERR_RANGE)
        snprintf(why, SERIAL_WHY, "%s: no such speed or number of bits (%u baud)", path,
                 (unsigned)o->baud);
    else if (err)
        snprintf(why, SERIAL_WHY, "%s: %s", path, strerror(errno));
    else
        (void)tcflush(fd, TCIFLUSH);
    ask_low_latency(fd);
    return err;
}

enum err serial_open(int *fd, const char *path, const struct serial_options *o,
                     char why[SERIAL_WHY])
{
    *fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*fd < 0) {
        snprintf(why, SERIAL_WHY, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? ERR_NOT_FOUND : errno == EBUSY ? ERR_BUSY : ERR_IO;
    }
    const enum err err = set_up(*fd, path, o, why);
    if (err) {
        close(*fd);
        *fd = -1;
    }
    return err;
}

static bool make_pty(struct serial_pty *p)
{
    static const struct serial_options plain = {0};
    p->far = -1;
    p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->fd < 0 || grantpt(p->fd) != 0 || unlockpt(p->fd) != 0 ||
        ptsname_r(p->fd, p->path, sizeof p->path) != 0)
        return false;
    p->far = open(p->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return p->far >= 0 && serial_set(p->far, &plain) == ERR_OK &&
           fcntl(p->fd, F_SETFL, O_NONBLOCK) == 0;
}

enum err serial_pty_open(struct serial_pty *p, char why[SERIAL_WHY])
{
    memset(p, 0, sizeof *p);
    if (make_pty(p))
        return ERR_OK;
    snprintf(why, SERIAL_WHY, "no pseudo terminal: %s", strerror(errno));
    serial_pty_close(p);
    return ERR_IO;
}

void serial_pty_close(struct serial_pty *p)
{
    if (p->far >= 0)
        close(p->far);
    if (p->fd >= 0)
        close(p->fd);
    p->far = p->fd = -1;
}
