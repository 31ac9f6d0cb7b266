/* Class 17, SAP assignment: the logical devices of the physical device. Blue Book 4.4.5 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("SAP_assignment_list", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_U16, AXDR_OCTETS),
};
static const struct cosem_method methods[] = {
    IC_METHOD("connect_logical_device", AXDR_STRUCT, 2, AXDR_U16, AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0017 =
    IC_WITH_METHODS(17, 0, "SAP assignment", attrs, IC_COUNT(attrs), methods, IC_COUNT(methods));
