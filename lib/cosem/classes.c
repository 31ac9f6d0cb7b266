/* The default table of interface classes: all that this library knows.
 *
 * An image that serves a few of them defines cosem_classes and cosem_n_classes itself (sorted by
 * id, then version): the linker then leaves this file, and with it every class not named, where it
 * is. It is alone in its file for that, and nothing else may be defined here. */
#include "lib/cosem/ic.h"

const struct cosem_class *const cosem_classes[] = {
    &cosem_ic_0001,    &cosem_ic_0003,    &cosem_ic_0004,    &cosem_ic_0005,    &cosem_ic_0006,
    &cosem_ic_0007,    &cosem_ic_0008,    &cosem_ic_0009,    &cosem_ic_0010,    &cosem_ic_0011,
    &cosem_ic_0012_v0, &cosem_ic_0012_v1, &cosem_ic_0012_v2, &cosem_ic_0012_v3, &cosem_ic_0012_v4,
    &cosem_ic_0015_v0, &cosem_ic_0015,    &cosem_ic_0015_v2, &cosem_ic_0015_v3, &cosem_ic_0017,
    &cosem_ic_0019,    &cosem_ic_0020,    &cosem_ic_0021,    &cosem_ic_0022,    &cosem_ic_0023_v0,
    &cosem_ic_0023_v1, &cosem_ic_0027_v0, &cosem_ic_0027_v1, &cosem_ic_0028_v0, &cosem_ic_0028_v2,
    &cosem_ic_0029_v0, &cosem_ic_0029_v1, &cosem_ic_0029_v2, &cosem_ic_0040_v0, &cosem_ic_0040_v1,
    &cosem_ic_0040_v2, &cosem_ic_0041,    &cosem_ic_0042,    &cosem_ic_0043,    &cosem_ic_0044,
    &cosem_ic_0045,    &cosem_ic_0046,    &cosem_ic_0047_v0, &cosem_ic_0047_v1, &cosem_ic_0047_v2,
    &cosem_ic_0048,    &cosem_ic_0061,    &cosem_ic_0062_v0, &cosem_ic_0062_v1, &cosem_ic_0063,
    &cosem_ic_0064,    &cosem_ic_0065_v0, &cosem_ic_0065_v1, &cosem_ic_0068,    &cosem_ic_0070_v0,
    &cosem_ic_0070_v1, &cosem_ic_0071,    &cosem_ic_0072_v0, &cosem_ic_0072_v1, &cosem_ic_0074,
    &cosem_ic_0077,
};
const size_t cosem_n_classes = sizeof cosem_classes / sizeof cosem_classes[0];
