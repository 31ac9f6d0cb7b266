/* Class 46, SMTP setup; the types are provisional. Blue Book 4.9.6 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("server_port", AXDR_U16),
    IC_STATIC("user_name", AXDR_OCTETS),
    IC_STATIC("login_password", AXDR_OCTETS),
    IC_STATIC("server_address", AXDR_OCTETS),
    IC_STATIC("sender_address", AXDR_OCTETS),
};

const struct cosem_class cosem_ic_0046 = IC_OF(46, 0, "SMTP setup", attrs, IC_COUNT(attrs));
