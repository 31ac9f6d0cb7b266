/* The command line of a client verb, and saved connections.
 *
 * A saved connection is a file of `name = value` lines in $XDG_CONFIG_HOME/ferraris/profiles (or
 * ~/.config/...), named as the connection; its names are those of the options that all client verbs
 * have, and `url`. Lines that begin with # are skipped. It holds no secret: keys and passwords are
 * named by the path of their file. The command line is stronger than the file, and an address on it
 * replaces the file's. */
#ifndef FERRARIS_CLI_CLIENT_WORDS_H
#define FERRARIS_CLI_CLIENT_WORDS_H

#include "cli/client_link.h"

#define CONNECTION_TEXT 4096 /* octets of such a file */
#define CONNECTION_NAME 64

struct client_words { /* what a verb hands to its parser */
    struct link_options *o;
    const struct cli_option *options; /* LINK_OPTION_ROWS(*o) are among them */
    size_t n_options;
    const char **words; /* out: the first is the address, from the command line or the file */
    size_t max, n;      /* room in words; out: how many there are */
    char saved[CONNECTION_TEXT]; /* the file's text: words and options point into it */
};

/* cli_parse() with --profile and --save-profile. -1 to go on, or an exit code. */
int client_words(const struct cli_verb *v, struct client_words *w, int argc, char **argv);

/* The folder of the saved connections. False: neither XDG_CONFIG_HOME nor HOME is set. */
bool client_words_folder(char *out, size_t size);
/* Text of a saved connection, zero-terminated. LINK_OK, or an exit code after a message. */
int client_words_read(const struct cli_verb *v, const char *name, char text[CONNECTION_TEXT]);

#endif
