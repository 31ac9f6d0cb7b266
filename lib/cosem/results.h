/* Results on the wire: data-access-result and action-result (Green Book 9.5), and the map from
 * library errors. */
#ifndef FERRARIS_COSEM_RESULTS_H
#define FERRARIS_COSEM_RESULTS_H

#include "lib/base/err.h"

/* data-access-result; action-result has the same numbers where both exist (0..3, 4, 9, 11, 12, 13,
 * 14, 15, 250). */
enum cosem_result {
    COSEM_SUCCESS = 0,
    COSEM_HARDWARE_FAULT = 1,
    COSEM_TEMPORARY_FAILURE = 2,
    COSEM_READ_WRITE_DENIED = 3,
    COSEM_OBJECT_UNDEFINED = 4,
    COSEM_OBJECT_CLASS_INCONSISTENT = 9,
    COSEM_OBJECT_UNAVAILABLE = 11,
    COSEM_TYPE_UNMATCHED = 12,
    COSEM_SCOPE_OF_ACCESS_VIOLATED = 13,
    COSEM_DATA_BLOCK_UNAVAILABLE = 14,
    COSEM_LONG_GET_ABORTED = 15,
    COSEM_NO_LONG_GET_IN_PROGRESS = 16,
    COSEM_LONG_SET_ABORTED = 17,
    COSEM_NO_LONG_SET_IN_PROGRESS = 18,
    COSEM_DATA_BLOCK_NUMBER_INVALID = 19,
    COSEM_OTHER_REASON = 250
};

const char *
cosem_result_text(enum cosem_result r); /* "object-undefined"; "unknown" where not listed */
enum cosem_result cosem_result_of(enum err err);

#endif
