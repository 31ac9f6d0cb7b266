/* Asks a meter, by its public client, for the least invocation counter it accepts from ours: object
 * 0-0:43.1.<client>.255. Private to headend/collect.
 *
 * Needed once, when the store is new or restored from a backup and the meter knows greater numbers:
 * it then refuses the association, and most meters do not say why. Nothing protects the answer, so
 * a leap is believed within a bound only; and it is asked only after a refusal. */
#ifndef FERRARIS_HEADEND_COLLECT_ASK_H
#define FERRARIS_HEADEND_COLLECT_ASK_H

#include "headend/collect/collect_conn.h"

/* The turn on this line was refused: true when the next one is to try with another counter, which
 * the meter named, or asks for it. */
bool ask_after_refusal(struct collect_conn *conn);
/* The line stands and m->ask is set. ASK goes on by ask_step() until the turn ends. */
void ask_begin(struct collect_conn *conn);
void ask_step(struct collect_conn *conn);

#endif
