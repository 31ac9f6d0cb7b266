/* Class 9, Script table. service_id 1 writes an attribute, 2 invokes a method; script 0 does
 * nothing. Blue Book 4.5.2 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC_IN("scripts", IC_LIMITS({7, 1, 2}), AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U16, AXDR_ARRAY,
                 AXDR_STRUCT, 5, AXDR_ENUM, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_ANY),
};
static const struct cosem_method methods[] = {
    IC_METHOD("execute", AXDR_U16),
};

const struct cosem_class cosem_ic_0009 =
    IC_WITH_METHODS(9, 0, "Script table", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
