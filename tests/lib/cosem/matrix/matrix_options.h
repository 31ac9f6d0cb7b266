/* The build of the core that the matrix runs: small PDUs, so that values of some hundred octets
 * go by blocks, and the weak authentications, which other builds leave out. */
#ifndef FERRARIS_TESTS_MATRIX_OPTIONS_H
#define FERRARIS_TESTS_MATRIX_OPTIONS_H

#define COSEM_PDU_MAX       512
#define COSEM_ITEM_MAX      1024
#define COSEM_KEPT_MAX      512
#define COSEM_GBT_STORE     1024
#define COSEM_WITH_WEAK_HLS 1

#endif
