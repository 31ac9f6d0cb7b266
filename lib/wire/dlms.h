/* Numbers of the DLMS/COSEM application layer as they stand on the wire. No code.
 *
 * Sources: Green Book 9.4 (ACSE), 9.5 (xDLMS APDUs), IEC 62056-5-3. */
#ifndef FERRARIS_WIRE_DLMS_H
#define FERRARIS_WIRE_DLMS_H

/* First octet of an APDU */
enum {
    DLMS_INITIATE_REQUEST = 0x01,
    DLMS_INITIATE_RESPONSE = 0x08,
    DLMS_CONFIRMED_SERVICE_ERROR = 0x0E,
    DLMS_DATA_NOTIFICATION = 0x0F,
    DLMS_DATA_NOTIFICATION_CONFIRM = 0x10,
    DLMS_GLO_INITIATE_REQUEST = 0x21,
    DLMS_GLO_INITIATE_RESPONSE = 0x28,
    DLMS_AARQ = 0x60,
    DLMS_AARE = 0x61,
    DLMS_RLRQ = 0x62,
    DLMS_RLRE = 0x63,
    DLMS_GET_REQUEST = 0xC0,
    DLMS_SET_REQUEST = 0xC1,
    DLMS_EVENT_NOTIFICATION = 0xC2,
    DLMS_ACTION_REQUEST = 0xC3,
    DLMS_GET_RESPONSE = 0xC4,
    DLMS_SET_RESPONSE = 0xC5,
    DLMS_ACTION_RESPONSE = 0xC7,
    DLMS_EXCEPTION_RESPONSE = 0xD8,
    DLMS_ACCESS_REQUEST = 0xD9,
    DLMS_ACCESS_RESPONSE = 0xDA,
    DLMS_GENERAL_GLO = 0xDB,
    DLMS_GENERAL_DED = 0xDC,
    DLMS_GENERAL_CIPHERING = 0xDD,
    DLMS_GENERAL_SIGNING = 0xDF,
    DLMS_GENERAL_BLOCK = 0xE0
};
/* A ciphered GET, SET, ACTION, EVENT APDU: plain tag + this */
#define DLMS_GLO_OFFSET 0x08 /* C0 -> C8 global key */
#define DLMS_DED_OFFSET 0x10 /* C0 -> D0 dedicated key */

/* Conformance block: bit 0 of the standard is the most significant of 24 */
#define DLMS_CONF(bit)           (UINT32_C(1) << (23 - (bit)))
#define DLMS_CONF_GENERAL_PROT   DLMS_CONF(1)
#define DLMS_CONF_GENERAL_BLOCK  DLMS_CONF(2)
#define DLMS_CONF_PRIORITY       DLMS_CONF(9)
#define DLMS_CONF_ATTRIBUTE0_GET DLMS_CONF(10)
#define DLMS_CONF_BLOCK_GET      DLMS_CONF(11)
#define DLMS_CONF_BLOCK_SET      DLMS_CONF(12)
#define DLMS_CONF_BLOCK_ACTION   DLMS_CONF(13)
#define DLMS_CONF_MULTIPLE       DLMS_CONF(14) /* with-list services */
#define DLMS_CONF_NOTIFICATION   DLMS_CONF(16)
#define DLMS_CONF_ACCESS         DLMS_CONF(17)
#define DLMS_CONF_GET            DLMS_CONF(19)
#define DLMS_CONF_SET            DLMS_CONF(20)
#define DLMS_CONF_SELECTIVE      DLMS_CONF(21)
#define DLMS_CONF_EVENT          DLMS_CONF(22)
#define DLMS_CONF_ACTION         DLMS_CONF(23)
#define DLMS_VERSION             6
#define DLMS_VAA_LN              0x0007 /* vaa-name with logical name referencing */

/* Second octet: the kind of a request or response */
enum { DLMS_GET_NORMAL = 1, DLMS_GET_NEXT = 2, DLMS_GET_LIST = 3 };
enum { DLMS_GETRES_NORMAL = 1, DLMS_GETRES_BLOCK = 2, DLMS_GETRES_LIST = 3 };
enum {
    DLMS_SET_NORMAL = 1,
    DLMS_SET_FIRST_BLOCK = 2,
    DLMS_SET_BLOCK = 3,
    DLMS_SET_LIST = 4,
    DLMS_SET_LIST_FIRST_BLOCK = 5
};
enum {
    DLMS_SETRES_NORMAL = 1,
    DLMS_SETRES_BLOCK = 2,
    DLMS_SETRES_LAST_BLOCK = 3,
    DLMS_SETRES_LAST_BLOCK_LIST = 4,
    DLMS_SETRES_LIST = 5
};
enum {
    DLMS_ACTION_NORMAL = 1,
    DLMS_ACTION_NEXT = 2,
    DLMS_ACTION_LIST = 3,
    DLMS_ACTION_FIRST_BLOCK = 4,
    DLMS_ACTION_LIST_FIRST_BLOCK = 5,
    DLMS_ACTION_BLOCK = 6
};
enum {
    DLMS_ACTIONRES_NORMAL = 1,
    DLMS_ACTIONRES_BLOCK = 2,
    DLMS_ACTIONRES_LIST = 3,
    DLMS_ACTIONRES_NEXT_BLOCK = 4
};
/* ACCESS: choice of a specification and of a response specification */
enum {
    DLMS_ACCESS_GET = 1,
    DLMS_ACCESS_SET = 2,
    DLMS_ACCESS_ACTION = 3,
    DLMS_ACCESS_GET_SELECTED = 4,
    DLMS_ACCESS_SET_SELECTED = 5
};
/* long-invoke-id-and-priority */
#define DLMS_LONG_INVOKE_ID      UINT32_C(0x00FFFFFF)
#define DLMS_LONG_SELF_DESCR     UINT32_C(0x10000000)
#define DLMS_LONG_BREAK_ON_ERROR UINT32_C(0x20000000)
#define DLMS_LONG_CONFIRMED      UINT32_C(0x40000000)
#define DLMS_LONG_HIGH_PRIORITY  UINT32_C(0x80000000)

/* Application contexts and authentication mechanisms: last octet of the object identifiers
 * 2.16.756.5.8.1.x and 2.16.756.5.8.2.x */
enum {
    DLMS_CONTEXT_LN = 1,
    DLMS_CONTEXT_SN = 2,
    DLMS_CONTEXT_LN_CIPHERED = 3,
    DLMS_CONTEXT_SN_CIPHERED = 4
};
enum {
    DLMS_MECHANISM_NONE = 0,
    DLMS_MECHANISM_LLS = 1,
    DLMS_MECHANISM_HLS2 = 2, /* manufacturer's own secret algorithm */
    DLMS_MECHANISM_HLS3 = 3, /* MD5 */
    DLMS_MECHANISM_HLS4 = 4, /* SHA-1 */
    DLMS_MECHANISM_HLS5 = 5, /* GMAC */
    DLMS_MECHANISM_HLS6 = 6  /* SHA-256 */
};

/* AARE: result, and the diagnostic of the acse-service-user */
enum { ACSE_ACCEPTED = 0, ACSE_REJECTED_PERMANENT = 1, ACSE_REJECTED_TRANSIENT = 2 };
enum { ACSE_SOURCE_USER = 1, ACSE_SOURCE_PROVIDER = 2 };
enum {
    ACSE_DIAG_NULL = 0,
    ACSE_DIAG_NO_REASON = 1,
    ACSE_DIAG_CONTEXT_NOT_SUPPORTED = 2,
    ACSE_DIAG_CALLING_TITLE_UNKNOWN = 3,
    ACSE_DIAG_MECHANISM_UNKNOWN = 11,
    ACSE_DIAG_MECHANISM_REQUIRED = 12,
    ACSE_DIAG_AUTHENTICATION_FAILURE = 13,
    ACSE_DIAG_AUTHENTICATION_REQUIRED = 14 /* with result accepted: go on with HLS pass 3 */
};
enum { ACSE_RELEASE_NORMAL = 0, ACSE_RELEASE_NOT_FINISHED = 1 };

/* exception-response */
enum { DLMS_STATE_SERVICE_NOT_ALLOWED = 1, DLMS_STATE_SERVICE_UNKNOWN = 2 };
enum {
    DLMS_EXC_OPERATION_NOT_POSSIBLE = 1,
    DLMS_EXC_SERVICE_NOT_SUPPORTED = 2,
    DLMS_EXC_OTHER_REASON = 3,
    DLMS_EXC_PDU_TOO_LONG = 4,
    DLMS_EXC_DECIPHERING_ERROR = 5,
    DLMS_EXC_COUNTER_ERROR = 6 /* followed by the counter the server expects at least */
};

/* confirmedServiceError [1] initiateError, service-error [6] initiate */
#define DLMS_CSE_INITIATE 1
#define DLMS_SE_INITIATE  6
enum {
    DLMS_INITIATE_VERSION_TOO_LOW = 1,
    DLMS_INITIATE_INCOMPATIBLE_CONFORMANCE = 2,
    DLMS_INITIATE_PDU_TOO_SHORT = 3,
    DLMS_INITIATE_REFUSED = 4
};

#endif
