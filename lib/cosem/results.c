/* Texts of data-access-result, and the one map from library errors to it. */
#include "lib/cosem/results.h"

const char *cosem_result_text(enum cosem_result r)
{
    switch (r) {
    case COSEM_SUCCESS:
        return "success";
    case COSEM_HARDWARE_FAULT:
        return "hardware-fault";
    case COSEM_TEMPORARY_FAILURE:
        return "temporary-failure";
    case COSEM_READ_WRITE_DENIED:
        return "read-write-denied";
    case COSEM_OBJECT_UNDEFINED:
        return "object-undefined";
    case COSEM_OBJECT_CLASS_INCONSISTENT:
        return "object-class-inconsistent";
    case COSEM_OBJECT_UNAVAILABLE:
        return "object-unavailable";
    case COSEM_TYPE_UNMATCHED:
        return "type-unmatched";
    case COSEM_SCOPE_OF_ACCESS_VIOLATED:
        return "scope-of-access-violated";
    case COSEM_DATA_BLOCK_UNAVAILABLE:
        return "data-block-unavailable";
    case COSEM_LONG_GET_ABORTED:
        return "long-get-aborted";
    case COSEM_NO_LONG_GET_IN_PROGRESS:
        return "no-long-get-in-progress";
    case COSEM_LONG_SET_ABORTED:
        return "long-set-aborted";
    case COSEM_NO_LONG_SET_IN_PROGRESS:
        return "no-long-set-in-progress";
    case COSEM_DATA_BLOCK_NUMBER_INVALID:
        return "data-block-number-invalid";
    case COSEM_OTHER_REASON:
        return "other-reason";
    }
    return "unknown";
}

enum cosem_result cosem_result_of(enum err err)
{
    switch (err) {
    case ERR_OK:
        return COSEM_SUCCESS;
    case ERR_TRUNCATED:
    case ERR_FORMAT:
    case ERR_TYPE:
    case ERR_DEPTH:
        return COSEM_TYPE_UNMATCHED;
    case ERR_NOT_FOUND:
        return COSEM_OBJECT_UNDEFINED;
    case ERR_ACCESS:
        return COSEM_READ_WRITE_DENIED;
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_TIMEOUT:
    case ERR_RNG:
        return COSEM_TEMPORARY_FAILURE;
    case ERR_IO:
    case ERR_CORRUPT:
        return COSEM_HARDWARE_FAULT;
    default:
        return COSEM_OTHER_REASON;
    }
}
