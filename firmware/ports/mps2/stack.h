/* How much stack was used: painted at start-up, read at any time. What an interrupt used counts as
 * well, since there is one stack. A deep frame that never wrote its lowest words is not seen. */
#ifndef FERRARIS_MPS2_STACK_H
#define FERRARIS_MPS2_STACK_H

#include <stddef.h>
#include <stdint.h>

void mps2_stack_paint(void);  /* once, before main */
size_t mps2_stack_used(void); /* octets, the deepest so far */
size_t mps2_stack_size(void); /* octets there are */

#endif
