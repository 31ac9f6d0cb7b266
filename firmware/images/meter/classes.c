/* The classes of the meter's objects and no others: the table of lib/cosem/classes.c stays out of
 * the image. */
#include "lib/cosem/ic.h"

const struct cosem_class *const cosem_classes[] = {
    &cosem_ic_0001, &cosem_ic_0003, &cosem_ic_0004, &cosem_ic_0005, &cosem_ic_0007,
    &cosem_ic_0008, &cosem_ic_0009, &cosem_ic_0015, &cosem_ic_0017, &cosem_ic_0064,
};
const size_t cosem_n_classes = sizeof cosem_classes / sizeof cosem_classes[0];
