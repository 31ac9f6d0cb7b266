/* The meter's end of a recorded conversation: a meter of the test rig behind a link, on virtual
 * time. Recorder and replay share it, so that a vector meets the same keys, randomness and load
 * again. */
#ifndef FERRARIS_TESTS_INTEROP_DIALOGUE_H
#define FERRARIS_TESTS_INTEROP_DIALOGUE_H

#include "lib/cosem/line.h"
#include "lib/dlms/hdlc.h"
#include "lib/dlms/wrapper_link.h"
#include "tests/firmware/meter/rig.h"

#define DIALOGUE_OCTETS 4096 /* of one line of a vector */

struct dialogue {
    struct rig *rig;
    bool is_hdlc;
    struct cosem_line line;
    union {
        struct wrapper_link wrapper;
        struct hdlc hdlc;
    } link;
    uint8_t buffer[COSEM_PDU_MAX + 64];
    uint64_t now_ms;
};

/* A meter that has lived twenty hours, over the night the clock goes forward. */
struct dialogue *dialogue_new(const char *model, bool is_hdlc);
void dialogue_free(struct dialogue *d);
/* The line is gone, another comes. */
void dialogue_connect(struct dialogue *d);
/* Octets from the client; gives how many octets of answers, at most size, it wrote. Each call
 * takes 20 ms. */
size_t dialogue_say(struct dialogue *d, const uint8_t *p, size_t n, uint8_t *answer, size_t size);

#endif
