/* Asks a meter, by its public client, for the least invocation counter it accepts from ours: object
 * 0-0:43.1.<client>.255. Private to headend/collect.
 *
 * Asked before the first ciphered frame of each process: a store restored from an older copy would
 * else send numbers that were used, with the same keys, for other frames; refused or not, whoever
 * listens has both. Once more after a refusal: another client of the same number may have gone on.
 * Ours only ever go up. Nothing protects the answer, so a leap is believed within a bound only. */
#ifndef FERRARIS_HEADEND_COLLECT_ASK_H
#define FERRARIS_HEADEND_COLLECT_ASK_H

#include "headend/collect/collect_conn.h"

/* The turn on this line was refused: true when the next one is to try with another counter, which
 * the meter named, or asks for it. */
bool ask_after_refusal(struct collect_conn *conn);
/* The next line to this meter begins with the question. */
bool ask_is_due(const struct collect_meter *m);
/* The line stands and it is due. ASK goes on by ask_step() until the turn ends. */
void ask_begin(struct collect_conn *conn);
void ask_step(struct collect_conn *conn);

#endif
