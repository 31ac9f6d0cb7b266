/* Class 44, PPP setup. The inner structures are provisional; PPP_authentication is null or {user,
 * password}. Blue Book 4.9.5 */
#include "lib/cosem/ic.h"

/* type, length, data */
#define OPTIONS AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_U8, AXDR_U8, AXDR_ANY

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("PHY_reference", AXDR_OS6),
    IC_STATIC("LCP_options", OPTIONS),
    IC_STATIC("IPCP_options", OPTIONS),
    IC_STATIC("PPP_authentication", AXDR_ANY),
};

const struct cosem_class cosem_ic_0044 = IC_OF(44, 0, "PPP setup", attrs, IC_COUNT(attrs));
