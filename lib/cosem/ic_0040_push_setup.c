/* Class 40, Push setup, versions 0 to 2. An element of the list grows: version 1 adds the
 * restriction, version 2 the columns; the delay between retries becomes a structure in version 2.
 * Blue Book 4.4.8 */
#include "lib/cosem/ic.h"

/* restriction_type 0 none, 1 by date, 2 by entry; its value */
#define RESTRICTION AXDR_STRUCT, 2, AXDR_ENUM, AXDR_ANY
#define MEMBER      AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16
#define OBJECTS_V0  IC_STATIC("push_object_list", AXDR_ARRAY, IC_CAPTURE_OBJECT)
#define OBJECTS_V1                                                                                 \
    IC_STATIC_IN("push_object_list", IC_LIMITS({9, 0, 2}), AXDR_ARRAY, AXDR_STRUCT, 5, MEMBER,     \
                 RESTRICTION)
#define OBJECTS_V2                                                                                 \
    IC_STATIC_IN("push_object_list", IC_LIMITS({9, 0, 2}), AXDR_ARRAY, AXDR_STRUCT, 6, MEMBER,     \
                 RESTRICTION, AXDR_ARRAY, IC_CAPTURE_OBJECT)
/* transport_service: 0 TCP, 1 UDP, 2 FTP, 3 SMTP, 4 SMS, 5 HDLC, 6 M-Bus, 7 ZigBee, 8 gateway, 9
 * and 10 CoAP, 200.. manufacturer; destination; message: 0 A-XDR, 1 XML, 128.. manufacturer */
#define COMMON                                                                                     \
    IC_STATIC_IN("send_destination_and_method",                                                    \
                 IC_LIMITS({2, 0, 10}, {2, 200, 255}, {4, 0, 1}, {4, 128, 255}), AXDR_STRUCT, 3,   \
                 AXDR_ENUM, AXDR_OCTETS, AXDR_ENUM),                                               \
        IC_STATIC("communication_window", IC_WINDOWS),                                             \
        IC_STATIC("randomisation_start_interval", AXDR_U16), /* s */                               \
        IC_STATIC("number_of_retries", AXDR_U8)
#define DELAY IC_STATIC("repetition_delay", AXDR_U16) /* s */
/* protection_type; transaction, originator, recipient, other; key_info_type and its choice */
#define PROTECTION                                                                                 \
    IC_STATIC_IN("push_protection_parameters", IC_LIMITS({3, 0, 3}, {12, 0, 2}), AXDR_ARRAY,       \
                 AXDR_STRUCT, 2, AXDR_ENUM, AXDR_STRUCT, 5, AXDR_OCTETS, AXDR_OCTETS, AXDR_OCTETS, \
                 AXDR_OCTETS, AXDR_STRUCT, 2, AXDR_ENUM, AXDR_ANY)
#define PORT                                                                                       \
    IC_STATIC("port_reference", AXDR_OS6), IC_STATIC("push_client_SAP", AXDR_I8), PROTECTION

static const struct cosem_attr attrs_v0[] = {IC_LOGICAL_NAME, OBJECTS_V0, COMMON, DELAY};
static const struct cosem_attr attrs_v1[] = {IC_LOGICAL_NAME, OBJECTS_V1, COMMON, DELAY, PORT};
static const struct cosem_attr attrs_v2[] = {
    IC_LOGICAL_NAME,
    OBJECTS_V2,
    COMMON,
    /* minimum s, exponent in hundredths, maximum s */
    IC_STATIC("repetition_delay", AXDR_STRUCT, 3, AXDR_U16, AXDR_U16, AXDR_U16),
    PORT,
    IC_STATIC_IN("push_operation_method", IC_LIMITS({0, 0, 2}), AXDR_ENUM),
    IC_STATIC("confirmation_parameters", AXDR_STRUCT, 2, AXDR_DATE_TIME, AXDR_U32),
    IC_DYNAMIC("last_confirmation_date_time", AXDR_DATE_TIME),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("push"),
    IC_TRIGGER("reset"),
};

#define EDITION(v, a, m) IC_WITH_METHODS(40, v, "Push setup", a, IC_COUNT(a), methods, m)
const struct cosem_class cosem_ic_0040_v0 = EDITION(0, attrs_v0, 1);
const struct cosem_class cosem_ic_0040_v1 = EDITION(1, attrs_v1, 1);
const struct cosem_class cosem_ic_0040_v2 = EDITION(2, attrs_v2, 2);
