/* Class 62, Compact data: values without their types, described once. What version 1 adds to a
 * capture object is provisional. Blue Book 4.3.10 */
#include "lib/cosem/ic.h"

#define OBJECTS_V1                                                                                 \
    AXDR_ARRAY, AXDR_STRUCT, 6, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16, AXDR_STRUCT, 2, AXDR_ENUM,  \
        AXDR_ANY, AXDR_ARRAY, IC_CAPTURE_OBJECT
#define REST                                                                                       \
    IC_STATIC("template_id", AXDR_U8), IC_DYNAMIC("template_description", AXDR_OCTETS),            \
        IC_STATIC_IN("capture_method", IC_LIMITS({0, 0, 1}), AXDR_ENUM) /* 1: on reading */

static const struct cosem_attr attrs_v0[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("buffer", AXDR_OCTETS), /* template_id, then the values */
    IC_STATIC("capture_objects", AXDR_ARRAY, IC_CAPTURE_OBJECT),
    REST,
};
static const struct cosem_attr attrs_v1[] = {
    IC_LOGICAL_NAME,
    IC_DYNAMIC("buffer", AXDR_OCTETS),
    IC_STATIC_IN("capture_objects", IC_LIMITS({9, 0, 2}), OBJECTS_V1),
    REST,
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("reset"),
    IC_TRIGGER("capture"),
};

#define EDITION(v, a)                                                                              \
    IC_WITH_METHODS(62, v, "Compact data", a, IC_COUNT(a), methods, IC_COUNT(methods))
const struct cosem_class cosem_ic_0062_v0 = EDITION(0, attrs_v0);
const struct cosem_class cosem_ic_0062_v1 = EDITION(1, attrs_v1);
