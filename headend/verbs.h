/* The verbs of `ferraris-headend`: one file verb_NAME.c each. */
#ifndef FERRARIS_HEADEND_VERBS_H
#define FERRARIS_HEADEND_VERBS_H

#include "cli/cli.h"

extern const struct cli_verb verb_run, verb_import, verb_user, verb_verify;

#endif
