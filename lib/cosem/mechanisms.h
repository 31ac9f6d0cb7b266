/* Which mechanisms of HLS this build has, for both roles. Private to lib/cosem. */
#ifndef FERRARIS_COSEM_MECHANISMS_H
#define FERRARIS_COSEM_MECHANISMS_H

#include "lib/dlms/hls.h"

/* NULL: not one of HLS, or not in this build (options.h). The algorithm of
 * HLS 2 is the caller's. */
const struct dlms_hls_method *mechanism_find(uint8_t mechanism);

#endif
