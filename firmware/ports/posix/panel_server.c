/* See panel_server.h. */
#include "firmware/ports/posix/panel_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void on_connection(uv_stream_t *listener, int status);

/* The next client may wait in the backlog since before this one went. */
static void on_closed(uv_handle_t *h)
{
    struct panel_server *p = h->data;
    p->busy = false;
    if (p->waiting && !uv_is_closing((uv_handle_t *)&p->listener))
        on_connection((uv_stream_t *)&p->listener, 0);
}

static void hang_up(struct panel_server *p)
{
    if (!uv_is_closing((uv_handle_t *)&p->line))
        uv_close((uv_handle_t *)&p->line, on_closed);
}

static void on_written(uv_write_t *w, int status)
{
    (void)status;
    hang_up(w->data);
}

static void answer(struct panel_server *p)
{
    p->out[0] = '\0';
    p->fn(p->context, p->in, p->out, sizeof p->out);
    uv_buf_t buf = uv_buf_init(p->out, (unsigned)strlen(p->out));
    p->write.data = p;
    if (uv_write(&p->write, (uv_stream_t *)&p->line, &buf, 1, on_written) != 0)
        hang_up(p);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct panel_server *p = h->data;
    *buf = uv_buf_init(p->in + p->len, (unsigned)(sizeof p->in - 1 - p->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    struct panel_server *p = stream->data;
    if (n < 0) { /* also a line without room: on_alloc then gave none */
        hang_up(p);
        return;
    }
    p->len += (size_t)n;
    p->in[p->len] = '\0';
    char *end = strchr(p->in, '\n');
    if (end == NULL)
        return;
    *end = '\0';
    uv_read_stop(stream);
    answer(p);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct panel_server *p = listener->data;
    p->waiting = p->busy;
    if (status < 0 || p->busy)
        return;
    p->busy = true;
    p->len = 0;
    if (uv_pipe_init(listener->loop, &p->line, 0) != 0) {
        p->busy = false;
        return;
    }
    p->line.data = p;
    if (uv_accept(listener, (uv_stream_t *)&p->line) != 0 ||
        uv_read_start((uv_stream_t *)&p->line, on_alloc, on_read) != 0)
        hang_up(p);
}

static int dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static enum err fail(struct panel_server *p, enum err err, const char *why)
{
    snprintf(p->why, sizeof p->why, "%s: %s", p->path, why);
    return err;
}

enum err panel_server_listen(struct panel_server *p, uv_loop_t *loop, const char *path, panel_fn fn,
                             void *context)
{
    memset(p, 0, sizeof *p);
    p->fn = fn;
    p->context = context;
    if (strlen(path) >= sizeof p->path)
        return fail(p, ERR_RANGE, "path too long for a socket");
    memcpy(p->path, path, strlen(path) + 1);
    int other = dial(path);
    if (other >= 0) {
        close(other);
        return fail(p, ERR_BUSY, "another meter answers on this panel");
    }
    if (errno == ECONNREFUSED)
        unlink(path); /* left by a process that was killed */
    uv_pipe_init(loop, &p->listener, 0);
    p->listener.data = p;
    mode_t mask = umask(S_IRWXG | S_IRWXO);
    int rc = uv_pipe_bind(&p->listener, path);
    umask(mask);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&p->listener, 8, on_connection);
    if (rc == 0)
        return ERR_OK;
    uv_close((uv_handle_t *)&p->listener, NULL);
    return fail(p, ERR_IO, uv_strerror(rc));
}

void panel_server_close(struct panel_server *p)
{
    uv_close((uv_handle_t *)&p->listener, NULL); /* libuv removes the file */
    if (p->busy)
        hang_up(p);
}

enum err panel_ask(const char *path, const char *line, char *answer_text, size_t size)
{
    int fd = dial(path);
    if (fd < 0)
        return ERR_IO;
    size_t len = 0;
    ssize_t n = (ssize_t)strlen(line);
    bool sent = write(fd, line, (size_t)n) == n && write(fd, "\n", 1) == 1;
    while (sent && len + 1 < size && (n = read(fd, answer_text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    answer_text[len] = '\0';
    close(fd);
    return sent && n >= 0 && len > 0 ? ERR_OK : ERR_IO;
}
