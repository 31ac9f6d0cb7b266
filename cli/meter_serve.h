/* Sessions of a virtual meter on TCP, and its panel. Glue between the life of the meter and the
 * ports. */
#ifndef FERRARIS_CLI_METER_SERVE_H
#define FERRARIS_CLI_METER_SERVE_H

#include "cli/meter_life.h"
#include "firmware/ports/posix/panel_server.h"
#include "firmware/ports/posix/tcp_server.h"
#include "lib/cosem/session.h"

struct serve {
    struct life *life;
    bool shut; /* no connection is taken in */
    struct tcp_server tcp;
    struct panel_server panel;
    struct cosem_session session[TCP_SERVER_CONNS];
};

struct port_engine serve_engine(struct serve *s);
/* A panel_fn; context: struct serve. Commands: status; mains on; mains off [warn]; phase 1..3
 * on|off. */
void serve_panel(void *context, char *line, char *answer, size_t size);

#endif
