/* Users and their passwords as the command line handles them: names, generated and typed passwords.
 */
#ifndef FERRARIS_HEADEND_PEOPLE_H
#define FERRARIS_HEADEND_PEOPLE_H

#include "cli/cli.h"
#include "headend/keys/password.h"
#include "headend/store/store.h"

/* 1..32 letters, digits, '.', '-', '_', '@'. */
bool people_name_check(const char *name);
/* Hashes and stores, the user's sessions end. -1, or an exit code after a message. */
int people_set(const struct cli_verb *v, struct store *s, const char *name, const char *password);
/* Draws a password and stores it. The caller prints it once and wipes it. */
int people_generate(const struct cli_verb *v, struct store *s, const char *name,
                    char password[PASSWORD_MAX + 1]);
/* Asks twice on the terminal of the process, without echo; also after Ctrl-C the terminal is as
 * before. */
int people_ask(const struct cli_verb *v, char password[PASSWORD_MAX + 1]);
/* The first line of a file; warns where others may read it. */
int people_from_file(const struct cli_verb *v, const char *path, char password[PASSWORD_MAX + 1]);

#endif
