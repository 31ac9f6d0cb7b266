/* Where a virtual meter can be reached: TCP, UDP, HDLC over TCP, serial lines; any number of each.
 *
 * Each port has its own links and sessions, each connection or peer of a port its own: a client
 * that is stuck holds up nobody else. All answer from the one meter of struct life. HDLC addresses
 * are logical device 1, physical device METER_PORT_PHYSICAL. Everything runs in the loop's thread.
 */
#ifndef FERRARIS_CLI_METER_PORTS_H
#define FERRARIS_CLI_METER_PORTS_H

#include "cli/line_url.h"
#include "cli/meter_life.h"

#include <uv.h>

#define METER_PORTS_MAX         16
#define METER_PORT_PHYSICAL     17
#define METER_PORT_NAME         400
#define METER_PORT_INACTIVE_MS  120000 /* HDLC; less where the session's own limit is less */
#define METER_PORT_TCP_OCTET_MS 5000   /* a frame that stops so long on its way is dropped */

struct meter_port; /* one of them, with its buffers */
struct meter_ports {
    struct life *life;
    uv_loop_t *loop;
    bool shut; /* nobody is let in */
    size_t n;
    struct meter_port *port[METER_PORTS_MAX];
    char why[SERIAL_WHY];      /* after an error: the sentence for the user */
    struct meter_port *failed; /* private: its handles may still have to be closed */
};

/* Opens one more port; a serial line with the path `pty` is a new pseudo terminal. ERR_FORMAT (no
 * such address), ERR_BUSY (somebody has it), ERR_FULL, ERR_MEMORY, ERR_IO, or what serial_open()
 * says. */
MUST_CHECK enum err meter_ports_add(struct meter_ports *p, const struct line_url *url);
/* "127.0.0.1:4059" for the wrapper over TCP, else with its scheme: "udp://127.0.0.1:4059",
 * "serial:///dev/pts/3?mode=e". */
const char *meter_ports_name(const struct meter_ports *p, size_t i);
/* As when the mains fail: connections end, HDLC and associations are forgotten. */
void meter_ports_drop_all(struct meter_ports *p);
/* Closes everything; run the loop until it is empty, then meter_ports_free. */
void meter_ports_close(struct meter_ports *p);
void meter_ports_free(struct meter_ports *p);

#endif
