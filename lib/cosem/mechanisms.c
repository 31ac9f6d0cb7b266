/* One row for each mechanism of HLS that is in the build: what is not named here is not linked. */
#include "lib/cosem/mechanisms.h"

#include "lib/cosem/options.h"

static const struct dlms_hls_method *const methods[] = {
#if COSEM_WITH_HLS2
    &dlms_hls2,
#endif
#if COSEM_WITH_WEAK_HLS
    &dlms_hls3, &dlms_hls4,
#endif
#if COSEM_WITH_HLS5
    &dlms_hls5,
#endif
#if COSEM_WITH_HLS6
    &dlms_hls6,
#endif
    NULL,
};

const struct dlms_hls_method *mechanism_find(uint8_t mechanism)
{
    for (const struct dlms_hls_method *const *m = methods; *m; m++) {
        if ((*m)->mechanism == mechanism)
            return *m;
    }
    return NULL;
}
