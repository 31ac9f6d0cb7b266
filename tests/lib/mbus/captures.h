/* Frames of the captures in SHARED_DIR/vectors/dlms, which are not part of the tree. */
#ifndef FERRARIS_TESTS_LIB_MBUS_CAPTURES_H
#define FERRARIS_TESTS_LIB_MBUS_CAPTURES_H

#include <stddef.h>
#include <stdint.h>

#define CAPTURE_FRAMES 8

struct capture {
    uint8_t octets[2048]; /* all frames, one behind the other */
    size_t len;
    size_t n_frames;
    size_t end[CAPTURE_FRAMES]; /* of each frame in octets */
};

/* Skips the test where the file is not there. */
void capture_read(struct capture *c, const char *name);

#endif
