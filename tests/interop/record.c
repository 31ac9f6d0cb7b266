/* See record.h. Octets of the client are gathered until the meter has an answer: so a line of the
 * file is one or more whole frames. */
#include "tests/interop/record.h"

#include "tests/interop/dialogue.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void write_hex(FILE *f, char direction, const uint8_t *p, size_t n)
{
    if (n == 0)
        return;
    fprintf(f, "%c ", direction);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%02X", p[i]);
    fputc('\n', f);
    fflush(f);
}

static void record_connection(struct dialogue *d, int fd, FILE *f)
{
    static uint8_t in[DIALOGUE_OCTETS], out[8 * DIALOGUE_OCTETS];
    size_t len = 0;
    ssize_t got;
    fputs("connection\n", f);
    dialogue_connect(d);
    while ((got = recv(fd, in + len, sizeof in - len, 0)) > 0) {
        size_t n = dialogue_say(d, in + len, (size_t)got, out, sizeof out);
        len += (size_t)got;
        if (n == 0)
            continue;
        write_hex(f, '>', in, len);
        write_hex(f, '<', out, n);
        len = 0;
        if (send(fd, out, n, 0) != (ssize_t)n)
            break;
    }
    write_hex(f, '>', in, len);
}

int record(char **argv)
{
    const char *model = argv[2], *link = argv[3], *file = argv[5];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[4]))};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0), fd;
    bool is_hdlc = strcmp(link, "hdlc") == 0;
    FILE *f = fopen(file, "w");
    struct dialogue *d = dialogue_new(model, is_hdlc);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (f == NULL || bind(server, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(server, 1) != 0) {
        perror("test_interop --record");
        return 1;
    }
    fprintf(f, "model %s\n%s", model, is_hdlc ? "link hdlc\n" : "");
    fprintf(stderr, "serving 127.0.0.1:%s, writing %s; end with Ctrl-C\n", argv[4], file);
    while ((fd = accept(server, NULL, NULL)) >= 0) {
        record_connection(d, fd, f);
        close(fd);
    }
    return 0;
}
