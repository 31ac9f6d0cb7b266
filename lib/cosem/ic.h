/* The interface-class descriptors, one file each (ic_NNNN_name.c), and the macros they share.
 *
 * Adding a class: its file, a line here and in classes.c, a vector file in tests/vectors/cosem. */
#ifndef FERRARIS_COSEM_IC_H
#define FERRARIS_COSEM_IC_H

#include "lib/cosem/model.h"

#define IC_LOGICAL_NAME                                                                            \
    {                                                                                              \
        .name = "logical_name", .type = AXDR_TYPE(AXDR_OS6), .is_static = true                     \
    }
#define IC_SCALER_UNIT                                                                             \
    {                                                                                              \
        .name = "scaler_unit", .type = AXDR_TYPE(AXDR_STRUCT, 2, AXDR_I8, AXDR_ENUM),              \
        .is_static = true                                                                          \
    }
/* class_id, logical_name, attribute_index, data_index */
#define IC_CAPTURE_OBJECT AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16
#define IC_COUNT(a)       ((uint8_t)(sizeof(a) / sizeof((a)[0])))

extern const struct cosem_class cosem_ic_0001;
extern const struct cosem_class cosem_ic_0003;
extern const struct cosem_class cosem_ic_0004;
extern const struct cosem_class cosem_ic_0005;
extern const struct cosem_class cosem_ic_0007;
extern const struct cosem_class cosem_ic_0008;
extern const struct cosem_class cosem_ic_0015;
extern const struct cosem_class cosem_ic_0017;
extern const struct cosem_class cosem_ic_0064;

#endif
