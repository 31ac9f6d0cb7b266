/* What a recorded channel shows that no sound input does: a value that never moves, ends that are
 * flat, steps across the whole span, samples that stand alone.
 *
 * A recording brings no range with it, so the legal part cannot see what its converter did: the
 * largest value of a clipped wave is simply the largest. This looks at the shape. It refuses to
 * mend or to refuse: what it finds is told with the result. */
#ifndef FERRARIS_SIM_RECORDING_FAULTS_H
#define FERRARIS_SIM_RECORDING_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

struct recording_fault { /* of one kind */
    size_t n, first;     /* samples; the first one's number from 0 */
    double value;        /* there */
};
struct recording_faults {
    bool constant; /* the same value throughout: `value` */
    double value;
    struct recording_fault flat; /* at one end of the span, 3 or more in a row, left by a jump */
    struct recording_fault torn; /* from near one end of the span to near the other at once */
    struct recording_fault lone; /* far from both neighbours, which are near each other */
};

void recording_faults_find(const double *x, size_t n, struct recording_faults *out);

#endif
