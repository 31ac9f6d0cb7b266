/* Which invocation counters of a peer's key were used: a sliding window, so that APDUs that
 * overtake each other (two connections with one key, UDP) are taken, and each only once. Green
 * Book 9.2.3.3.7 asks for counters never used before; 64 back are remembered.
 *
 * All zeros accepts everything once. After a restart the durable `next` alone is enough: with
 * `open` 0 everything below it counts as used. Only what was authenticated may be marked, or
 * anybody could use a peer's numbers up; who calls sees to that. */
#ifndef FERRARIS_DLMS_REPLAY_H
#define FERRARIS_DLMS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/* How far a counter that encryption alone carries may lie above the ones before: far enough for a
 * peer whose APDUs were lost, too short a step to use the numbers up. */
#define DLMS_REPLAY_LEAP UINT32_C(0x10000)

struct dlms_replay {
    uint32_t next; /* highest used + 1: this one and all above are fresh */
    uint64_t open; /* bit i: counter next - 2 - i was passed over and is still acceptable */
};

/* True when `counter` was not used yet; 2^32 - 1 never is (there is none after it). */
bool dlms_replay_fresh(const struct dlms_replay *r, uint32_t counter);
/* Marks a fresh counter as used; one that is not fresh changes nothing. */
void dlms_replay_use(struct dlms_replay *r, uint32_t counter);

#endif
