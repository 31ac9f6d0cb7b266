/* Addresses of lines, for clients that dial and for meters that listen.
 *
 *     tcp://HOST[:PORT]           the wrapper over TCP (port 4059 when left out)
 *     udp://HOST[:PORT]           the wrapper over UDP
 *     hdlc+tcp://HOST[:PORT]      HDLC frames in a TCP connection, as serial device servers do it
 *     serial://PATH               HDLC on a serial line: serial:///dev/ttyUSB0
 *
 * HOST may be [::1]. Options follow a '?', with '&' between them:
 *     baud=9600, bits=7|8, parity=none|even|odd, stop=1|2, mode=hdlc|e      serial lines
 *     gateway=NETWORK:HEXADDRESS                                            clients, any line */
#ifndef FERRARIS_CLI_LINE_URL_H
#define FERRARIS_CLI_LINE_URL_H

#include "firmware/ports/posix/serial.h"
#include "lib/dlms/gateway.h"

enum line_kind { LINE_TCP, LINE_UDP, LINE_HDLC_TCP, LINE_SERIAL };

struct line_url {
    enum line_kind kind;
    char host[256]; /* without brackets; empty for a serial line */
    char port[8];
    char path[256]; /* serial line */
    struct serial_options serial;
    bool mode_e; /* sign-on of IEC 62056-21 mode E before HDLC */
    bool has_gateway;
    struct gateway_prefix gateway;
};

/* NULL, or what is wrong: "has no usable port", to be said of the text. */
const char *line_url_parse(const char *text, struct line_url *out);
/* PATH[?OPTION...], what stands behind serial://. */
const char *line_url_parse_serial(const char *text, struct line_url *out);
/* For messages: "127.0.0.1:4059", "[::1]:4059", "/dev/ttyUSB0". */
#define LINE_URL_NAME 300
void line_url_name(const struct line_url *u, char out[LINE_URL_NAME]);
/* "tcp", "udp", "hdlc+tcp", "serial" */
const char *line_url_scheme(enum line_kind kind);

#endif
