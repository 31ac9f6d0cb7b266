/* Class 41, TCP-UDP setup. Blue Book 4.9.1 */
#include "lib/cosem/ic.h"

static const struct cosem_attr attrs[] = {
    IC_LOGICAL_NAME,
    IC_STATIC("TCP-UDP_port", AXDR_U16), /* 4059 is the registered one */
    IC_STATIC("IP_reference", AXDR_OS6),
    IC_STATIC("MSS", AXDR_U16),
    IC_STATIC("nb_of_sim_conn", AXDR_U8),
    IC_STATIC("inactivity_time_out", AXDR_U16), /* s; 0: none */
};

const struct cosem_class cosem_ic_0041 = IC_OF(41, 0, "TCP-UDP setup", attrs, IC_COUNT(attrs));
