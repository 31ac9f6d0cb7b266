/* From the options of a client verb to the configuration of the client engine. */
#ifndef FERRARIS_CLI_CLIENT_SETUP_H
#define FERRARIS_CLI_CLIENT_SETUP_H

#include "cli/client_link.h"

/* Reads keys and password into *l, which lends them to *k. LINK_OK, or an exit code after a
 * message.
 */
int client_setup(struct link *l, const struct link_options *o, struct cosem_client_config *k);

#endif
