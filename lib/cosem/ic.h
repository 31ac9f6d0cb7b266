/* The interface-class descriptors, one file each (ic_NNNN_name.c), and the macros they share.
 *
 * Adding a class: its file, a line here and in classes.c, a vector file in tests/vectors/cosem. A
 * class of several versions has a symbol for each; the ones without a number are older than that
 * rule. What no public source states, known from the standard alone, is marked "provisional". */
#ifndef FERRARIS_COSEM_IC_H
#define FERRARIS_COSEM_IC_H

#include "lib/cosem/model.h"

#if COSEM_WITH_NAMES
#define IC_NAME(text) .name = (text),
#else
#define IC_NAME(text)
#endif

#define IC_COUNT(a) ((uint8_t)(sizeof(a) / sizeof((a)[0])))
/* Rows of struct cosem_attr: process values and configuration, with limits or without. */
#define IC_DYNAMIC(text, ...)                                                                      \
    {                                                                                              \
        IC_NAME(text) AXDR_CODE(__VA_ARGS__)                                                       \
    }
#define IC_DYNAMIC_IN(text, lim, ...)                                                              \
    {                                                                                              \
        IC_NAME(text) AXDR_CODE(__VA_ARGS__), lim                                                  \
    }
#define IC_STATIC(text, ...)                                                                       \
    {                                                                                              \
        IC_NAME(text) AXDR_CODE(__VA_ARGS__), .is_static = true                                    \
    }
#define IC_STATIC_IN(text, lim, ...)                                                               \
    {                                                                                              \
        IC_NAME(text) AXDR_CODE(__VA_ARGS__), .is_static = true, lim                               \
    }
/* {place, min, max}, ... */
#if COSEM_WITH_LIMITS
#define IC_LIMITS(...)                                                                             \
    .limits = (const struct cosem_limit[]){__VA_ARGS__},                                           \
    .n_limits = IC_COUNT(((const struct cosem_limit[]){__VA_ARGS__}))
#else
#define IC_LIMITS(...)
#endif
/* Rows of struct cosem_method; a trigger has the parameter integer 0, or any, or none. */
#define IC_TRIGGER(text)                                                                           \
    {                                                                                              \
        IC_NAME(text).param = {.len = 0 }                                                          \
    }
#define IC_METHOD(text, ...)                                                                       \
    {                                                                                              \
        IC_NAME(text).param = AXDR_TYPE(__VA_ARGS__)                                               \
    }
#define IC_METHOD_IN(text, lim, ...)                                                               \
    {                                                                                              \
        IC_NAME(text).param = AXDR_TYPE(__VA_ARGS__), lim                                          \
    }
/* A class of the first n attributes of `a`; or one that also has the first m methods of `b`. */
#define IC_OF(number, edition, text, a, n)                                                         \
    {                                                                                              \
        .id = number, .version = edition, IC_NAME(text).attrs = a, .n_attrs = n                    \
    }
#define IC_WITH_METHODS(number, edition, text, a, n, b, m)                                         \
    {                                                                                              \
        .id = number, .version = edition, IC_NAME(text).attrs = a, .n_attrs = n, .methods = b,     \
        .n_methods = m                                                                             \
    }

#define IC_LOGICAL_NAME IC_STATIC("logical_name", AXDR_OS6)
#define IC_SCALER_UNIT  IC_STATIC("scaler_unit", AXDR_STRUCT, 2, AXDR_I8, AXDR_ENUM)
/* class_id, logical_name, attribute_index; with data_index */
#define IC_ATTRIBUTE      AXDR_STRUCT, 3, AXDR_U16, AXDR_OS6, AXDR_I8
#define IC_CAPTURE_OBJECT AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16
/* script_logical_name, script_selector */
#define IC_SCRIPT AXDR_STRUCT, 2, AXDR_OS6, AXDR_U16
/* start, end */
#define IC_WINDOWS AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_OS12, AXDR_OS12
/* 0: 300 baud, 1: 600, 2: 1200, 3: 2400, 4: 4800, 5: 9600, 6: 19200, 7: 38400, 8: 57600,
 * 9: 115200 */
#define IC_BAUD(text) IC_STATIC_IN(text, IC_LIMITS({0, 0, 9}), AXDR_ENUM)

extern const struct cosem_class cosem_ic_0001;
extern const struct cosem_class cosem_ic_0003;
extern const struct cosem_class cosem_ic_0004;
extern const struct cosem_class cosem_ic_0005;
extern const struct cosem_class cosem_ic_0006;
extern const struct cosem_class cosem_ic_0007;
extern const struct cosem_class cosem_ic_0008;
extern const struct cosem_class cosem_ic_0009;
extern const struct cosem_class cosem_ic_0010;
extern const struct cosem_class cosem_ic_0011;
extern const struct cosem_class cosem_ic_0012_v0;
extern const struct cosem_class cosem_ic_0012_v1;
extern const struct cosem_class cosem_ic_0012_v2;
extern const struct cosem_class cosem_ic_0012_v3;
extern const struct cosem_class cosem_ic_0012_v4;
extern const struct cosem_class cosem_ic_0015_v0;
extern const struct cosem_class cosem_ic_0015;
extern const struct cosem_class cosem_ic_0015_v2;
extern const struct cosem_class cosem_ic_0015_v3;
extern const struct cosem_class cosem_ic_0017;
extern const struct cosem_class cosem_ic_0019;
extern const struct cosem_class cosem_ic_0020;
extern const struct cosem_class cosem_ic_0021;
extern const struct cosem_class cosem_ic_0022;
extern const struct cosem_class cosem_ic_0023_v0;
extern const struct cosem_class cosem_ic_0023_v1;
extern const struct cosem_class cosem_ic_0027_v0;
extern const struct cosem_class cosem_ic_0027_v1;
extern const struct cosem_class cosem_ic_0028_v0;
extern const struct cosem_class cosem_ic_0028_v2;
extern const struct cosem_class cosem_ic_0029_v0;
extern const struct cosem_class cosem_ic_0029_v1;
extern const struct cosem_class cosem_ic_0029_v2;
extern const struct cosem_class cosem_ic_0040_v0;
extern const struct cosem_class cosem_ic_0040_v1;
extern const struct cosem_class cosem_ic_0040_v2;
extern const struct cosem_class cosem_ic_0041;
extern const struct cosem_class cosem_ic_0042;
extern const struct cosem_class cosem_ic_0043;
extern const struct cosem_class cosem_ic_0044;
extern const struct cosem_class cosem_ic_0045;
extern const struct cosem_class cosem_ic_0046;
extern const struct cosem_class cosem_ic_0047_v0;
extern const struct cosem_class cosem_ic_0047_v1;
extern const struct cosem_class cosem_ic_0047_v2;
extern const struct cosem_class cosem_ic_0048;
extern const struct cosem_class cosem_ic_0061;
extern const struct cosem_class cosem_ic_0062_v0;
extern const struct cosem_class cosem_ic_0062_v1;
extern const struct cosem_class cosem_ic_0063;
extern const struct cosem_class cosem_ic_0064;
extern const struct cosem_class cosem_ic_0065_v0;
extern const struct cosem_class cosem_ic_0065_v1;
extern const struct cosem_class cosem_ic_0068;
extern const struct cosem_class cosem_ic_0070_v0;
extern const struct cosem_class cosem_ic_0070_v1;
extern const struct cosem_class cosem_ic_0071;
extern const struct cosem_class cosem_ic_0072_v0;
extern const struct cosem_class cosem_ic_0072_v1;
extern const struct cosem_class cosem_ic_0074;
extern const struct cosem_class cosem_ic_0077;

#endif
