/* Day block: in the making. */
#include "headend/store/day_block.h"
