/* A virtual meter as a process: its life, the ports it is reached at, and the hands on it (panel).
 */
#ifndef FERRARIS_CLI_METER_SERVE_H
#define FERRARIS_CLI_METER_SERVE_H

#include "cli/meter_life.h"
#include "cli/meter_ports.h"
#include "firmware/ports/posix/panel_server.h"

struct serve {
    struct life *life;
    struct meter_ports ports;
    struct panel_server panel;
};

/* A panel_fn; context: struct serve. Commands: status; mains on; mains off [warn]; phase 1..3
 * on|off; wait 11d (mains off: so much passes at once); temperature CELSIUS (of front end and
 * crystal); pulse minute|hour (of a master clock); events; audit; seal open|close; parameter NAME
 * [VALUE] (panel_parameter.h). */
void serve_panel(void *context, char *line, char *answer, size_t size);

#endif
