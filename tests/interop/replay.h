/* Replays a vector file of tests/vectors/interop against the meter of dialogue.h.
 *
 *     model NAME        first line
 *     link hdlc         second line; without it: the wrapper
 *     connection        a client dials
 *     > HEX             its octets, whole frames
 *     < HEX             the meter's frames
 *
 * Held to be the same: what kind of answer each request gets, the result where it has one, and of
 * every association whether it is granted. Every tag of ours must be right. Values may change as
 * the meter's objects do; where an answer then takes more or fewer HDLC segments, the client's
 * frames get the numbers that fit and RR is sent as often as needed. */
#ifndef FERRARIS_TESTS_INTEROP_REPLAY_H
#define FERRARIS_TESTS_INTEROP_REPLAY_H

#include <stddef.h>

/* Fails the test when it differs, or has fewer than so many answered requests. */
void replay_file(const char *name, size_t at_least);

#endif
