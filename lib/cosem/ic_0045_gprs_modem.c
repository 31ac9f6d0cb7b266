/* Class 45, GPRS modem setup. The PIN is a number: leading zeros are lost. Blue Book 4.7.7 */
#include "lib/cosem/ic.h"

/* precedence, delay, reliability, peak throughput, mean throughput */
#define QUALITY AXDR_STRUCT, 5, AXDR_U8, AXDR_U8, AXDR_U8, AXDR_U8, AXDR_U8

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME, IC_STATIC("APN", AXDR_OCTETS), IC_STATIC("PIN_code", AXDR_U16),
    IC_STATIC("quality_of_service", AXDR_STRUCT, 2, QUALITY, QUALITY), /* default, requested */
};

const struct cosem_class cosem_ic_0045 = IC_OF(45, 0, "GPRS modem setup", attrs, IC_COUNT(attrs));
