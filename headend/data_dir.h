/* The data directory as the verbs open it: the store and the key that seals its secrets.
 *
 * A store that holds sealed keys and has lost its master.key, or has another one, is refused: going
 * on would look like a hundred meters with wrong keys. */
#ifndef FERRARIS_HEADEND_DATA_DIR_H
#define FERRARIS_HEADEND_DATA_DIR_H

#include "cli/cli.h"
#include "headend/keys/seal.h"
#include "headend/store/store.h"

#define DATA_DIR_WHY 512

struct data_dir {
    struct server_clock clock;
    struct store *store;
    struct seal_key key; /* only where it was asked for */
};

enum data_dir_want { DATA_STORE = 0, DATA_KEY = 1, DATA_OWN = 2 };

/* want: DATA_KEY reads (or makes) the key and tries it; DATA_OWN takes the directory for this
 * process alone. -1 to go on, else the exit code after a message. */
int data_dir_open(struct data_dir *d, const struct cli_verb *v, const char *dir, unsigned want);
void data_dir_close(struct data_dir *d);
/* Words that may come out of a damaged file: what is no UTF-8 text becomes '?', in place. */
void data_dir_printable(char *text);
/* ERR_OK when every sealed secret opens; else *name (STORE_NAME_MAX + 1) is the first meter whose
 * does not. Or of the store. */
MUST_CHECK enum err data_dir_try_key(struct store *s, const struct seal_key *key, char *name);

#endif
