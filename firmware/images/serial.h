/* The road of an image: what comes from the board's serial line goes to its conversation, and back.
 */
#ifndef FERRARIS_IMAGES_SERIAL_H
#define FERRARIS_IMAGES_SERIAL_H

#include "lib/cosem/line.h"

/* One turn: what has come, what is to leave, what time brings. A line that is closed begins anew.
 */
void image_serve(struct cosem_line *line, uint64_t now_ms);

#endif
