/* Class 27, Modem configuration. Version 0 has no delay after an initialisation string. Blue Book
 * 4.7.4 */
#include "lib/cosem/ic.h"

#define ATTRIBUTES(...)                                                                            \
    IC_LOGICAL_NAME, IC_BAUD("comm_speed"),                                                        \
        IC_STATIC("initialisation_string", AXDR_ARRAY, AXDR_STRUCT, __VA_ARGS__),                  \
        IC_STATIC("modem_profile", AXDR_ARRAY, AXDR_OCTETS)

/* request, response, delay in ms */
static const struct cosem_attr attrs_v0[] = {ATTRIBUTES(2, AXDR_OCTETS, AXDR_OCTETS)};
static const struct cosem_attr attrs[] = {ATTRIBUTES(3, AXDR_OCTETS, AXDR_OCTETS, AXDR_U16)};

const struct cosem_class cosem_ic_0027_v0 =
    IC_OF(27, 0, "Modem configuration", attrs_v0, IC_COUNT(attrs_v0));
const struct cosem_class cosem_ic_0027_v1 =
    IC_OF(27, 1, "Modem configuration", attrs, IC_COUNT(attrs));
