/* The default table of interface classes: all that this library knows.
 *
 * An image that serves a few of them defines cosem_classes and cosem_n_classes itself (sorted by
 * id, then version): the linker then leaves this file, and with it every class not named, where it
 * is. It is alone in its file for that, and nothing else may be defined here. */
#include "lib/cosem/ic.h"

const struct cosem_class *const cosem_classes[] = {
    &cosem_ic_0001, &cosem_ic_0003, &cosem_ic_0004, &cosem_ic_0005, &cosem_ic_0007,
    &cosem_ic_0008, &cosem_ic_0015, &cosem_ic_0017, &cosem_ic_0064,
};
const size_t cosem_n_classes = sizeof cosem_classes / sizeof cosem_classes[0];
