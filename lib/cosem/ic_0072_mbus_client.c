/* Class 72, M-Bus client; version 1 tells of the encryption. The parameter of methods 1 to 5 is
 * integer or unsigned by edition: any is accepted. identification_number is 8 BCD digits kept as
 * they are. Blue Book 4.8.3 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("mbus_port_reference", AXDR_OS6),
    /* data and value information block */
    IC_STATIC("capture_definition", AXDR_ARRAY, AXDR_STRUCT, 2, AXDR_OCTETS, AXDR_OCTETS),
    IC_STATIC("capture_period", AXDR_U32), /* s */
    IC_STATIC("primary_address", AXDR_U8),
    IC_STATIC("identification_number", AXDR_U32),
    IC_STATIC("manufacturer_id", AXDR_U16),
    IC_STATIC("version", AXDR_U8),
    IC_STATIC("device_type", AXDR_U8),
    IC_DYNAMIC("access_number", AXDR_U8),
    IC_DYNAMIC("status", AXDR_U8),
    IC_DYNAMIC("alarm", AXDR_U8),
    IC_DYNAMIC("configuration", AXDR_U16),
    IC_DYNAMIC_IN("encryption_key_status", IC_LIMITS({0, 0, 4}), AXDR_ENUM),
};
static const struct cosem_method methods[] = {
    IC_TRIGGER("slave_install"),
    IC_TRIGGER("slave_deinstall"),
    IC_TRIGGER("capture"),
    IC_TRIGGER("reset_alarm"),
    IC_TRIGGER("synchronize_clock"),
    IC_METHOD("data_send", AXDR_ARRAY, AXDR_STRUCT, 3, AXDR_OCTETS, AXDR_OCTETS, AXDR_SIMPLE),
    IC_METHOD("set_encryption_key", AXDR_OCTETS),
    IC_METHOD("transfer_key", AXDR_OCTETS),
};

#define EDITION(v, n) IC_WITH_METHODS(72, v, "M-Bus client", attrs, n, methods, IC_COUNT(methods))
const struct cosem_class cosem_ic_0072_v0 = EDITION(0, 12);
const struct cosem_class cosem_ic_0072_v1 = EDITION(1, 14);
