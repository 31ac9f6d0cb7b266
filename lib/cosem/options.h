/* What a build of the DLMS core contains and how large its buffers are: each with its default.
 *
 * A small meter defines other values on the compiler's command line or in a file named by
 * FERRARIS_OPTIONS ("my_options.h"), for the library and for all that includes its headers alike:
 * sizes change the structs. Impossible combinations do not compile. */
#ifndef FERRARIS_COSEM_OPTIONS_H
#define FERRARIS_COSEM_OPTIONS_H

#ifdef FERRARIS_OPTIONS
#include FERRARIS_OPTIONS
#endif

/* Largest APDU a server receives or sends, octets. A session holds two of them. */
#ifndef COSEM_PDU_MAX
#define COSEM_PDU_MAX 2048
#endif
/* The longest item a getter may write, and the longest value that comes by blocks: the 34 columns
 * of a profile are 614 octets. */
#ifndef COSEM_ITEM_MAX
#define COSEM_ITEM_MAX 640
#endif
/* Descriptors, with their selectors, of a request whose answer or value goes by blocks. */
#ifndef COSEM_KEPT_MAX
#define COSEM_KEPT_MAX 1408 /* COSEM_LIST_MAX descriptors */
#endif
/* Attributes or methods in one with-list or ACCESS request. Clients ask for the scalers of a whole
 * meter at once. */
#ifndef COSEM_LIST_MAX
#define COSEM_LIST_MAX 127
#endif
/* Entries in the server's client table. */
#ifndef COSEM_CLIENTS_MAX
#define COSEM_CLIENTS_MAX 8
#endif
/* Octets of blocks kept for recovery in general block transfer; 0 leaves the service out. */
#ifndef COSEM_GBT_STORE
#define COSEM_GBT_STORE 2048
#endif

/* Services of the server; GET and conformance negotiation are always there. 1 in, 0 out. */
#ifndef COSEM_WITH_SET
#define COSEM_WITH_SET 1
#endif
#ifndef COSEM_WITH_ACTION
#define COSEM_WITH_ACTION 1 /* HLS needs reply_to_HLS_authentication, which is always there */
#endif
#ifndef COSEM_WITH_LIST
#define COSEM_WITH_LIST 1
#endif
#ifndef COSEM_WITH_BLOCK_WRITE
#define COSEM_WITH_BLOCK_WRITE 1 /* SET and ACTION by blocks */
#endif
/* ACTION by blocks, there and back: 0 where no method has a parameter or return value that does not
 * fit an APDU. */
#ifndef COSEM_WITH_BLOCK_ACTION
#define COSEM_WITH_BLOCK_ACTION (COSEM_WITH_BLOCK_WRITE && COSEM_WITH_ACTION)
#endif
/* An object whose value comes by blocks is locked for other associations: 0 where a server has one
 * session. */
#ifndef COSEM_WITH_LOCKS
#define COSEM_WITH_LOCKS COSEM_WITH_BLOCK_WRITE
#endif
#ifndef COSEM_WITH_ACCESS
#define COSEM_WITH_ACCESS 1
#endif
#ifndef COSEM_WITH_NOTIFICATION
#define COSEM_WITH_NOTIFICATION 1
#endif
#ifndef COSEM_WITH_GATEWAY
#define COSEM_WITH_GATEWAY 1 /* prefix E6, E7 */
#endif
/* session_feed and session_take: wrapper frames without a link. A build whose lines all have links
 * (line.h) saves a buffer of COSEM_PDU_MAX in each session. */
#ifndef COSEM_WITH_WRAPPER
#define COSEM_WITH_WRAPPER 1
#endif

/* Authentication. HLS 3 and 4 (MD5, SHA-1) are weak: off unless a build asks for them. */
#ifndef COSEM_WITH_HLS2
#define COSEM_WITH_HLS2 1 /* a manufacturer's own algorithm: only with config.hls2 */
#endif
#ifndef COSEM_WITH_HLS5
#define COSEM_WITH_HLS5 1
#endif
#ifndef COSEM_WITH_HLS6
#define COSEM_WITH_HLS6 1
#endif
#ifndef COSEM_WITH_DEDICATED
#define COSEM_WITH_DEDICATED 1 /* dedicated keys: a cipher of 330 octets in each session */
#endif
#ifndef COSEM_WITH_WEAK_HLS
#define COSEM_WITH_WEAK_HLS 0
#endif

/* Ranges of the class descriptors, and dates, are checked before a binding sees a value; 0: types
 * only, the bindings judge the rest (1.1 KiB less on a Cortex-M4). */
#ifndef COSEM_WITH_LIMITS
#define COSEM_WITH_LIMITS 1
#endif

/* Names of classes, attributes and methods in the binary: for clients, tools and documents. */
#ifndef COSEM_WITH_NAMES
#define COSEM_WITH_NAMES 1
#endif

#if COSEM_PDU_MAX < 128 || COSEM_PDU_MAX > 65535
#error "COSEM_PDU_MAX must be 128..65535"
#endif
#if COSEM_ITEM_MAX < 64
#error "COSEM_ITEM_MAX must be 64 at least"
#endif
#if COSEM_WITH_BLOCK_WRITE && !COSEM_WITH_SET && !COSEM_WITH_ACTION
#error "COSEM_WITH_BLOCK_WRITE needs COSEM_WITH_SET or COSEM_WITH_ACTION"
#endif
#if COSEM_WITH_BLOCK_ACTION && (!COSEM_WITH_BLOCK_WRITE || !COSEM_WITH_ACTION)
#error "COSEM_WITH_BLOCK_ACTION needs COSEM_WITH_BLOCK_WRITE and COSEM_WITH_ACTION"
#endif
#if COSEM_WITH_LOCKS && !COSEM_WITH_BLOCK_WRITE
#error "COSEM_WITH_LOCKS needs COSEM_WITH_BLOCK_WRITE"
#endif
#if COSEM_LIST_MAX < 1 || COSEM_LIST_MAX > 127
#error "COSEM_LIST_MAX must be 1..127"
#endif

/* One number for all that changes structs or services: a program compiled with other options than
 * the library it is linked with would have other structs. Ask once at start:
 *
 *     if (!ferraris_version_fits(FERRARIS_VERSION) || !cosem_options_fit(COSEM_OPTIONS)) ... */
#include <stdbool.h>
#include <stdint.h>

#define COSEM_MIX(sum, option) ((sum)*31u + (uint32_t)(option))
#define COSEM_OPTION_SIZES                                                                         \
    COSEM_MIX(                                                                                     \
        COSEM_MIX(COSEM_MIX(COSEM_MIX(COSEM_MIX(COSEM_PDU_MAX, COSEM_ITEM_MAX), COSEM_KEPT_MAX),   \
                            COSEM_LIST_MAX),                                                       \
                  COSEM_CLIENTS_MAX),                                                              \
        COSEM_GBT_STORE)
#define COSEM_OPTION_PARTS                                                                         \
    (COSEM_WITH_SET | COSEM_WITH_ACTION << 1 | COSEM_WITH_LIST << 2 |                              \
     COSEM_WITH_BLOCK_WRITE << 3 | COSEM_WITH_ACCESS << 4 | COSEM_WITH_NOTIFICATION << 5 |         \
     COSEM_WITH_GATEWAY << 6 | COSEM_WITH_WRAPPER << 7 | COSEM_WITH_HLS5 << 8 |                    \
     COSEM_WITH_HLS6 << 9 | COSEM_WITH_WEAK_HLS << 10 | COSEM_WITH_NAMES << 11 |                   \
     COSEM_WITH_DEDICATED << 12 | COSEM_WITH_LIMITS << 13 | COSEM_WITH_HLS2 << 14 |                \
     COSEM_WITH_BLOCK_ACTION << 15 | COSEM_WITH_LOCKS << 16)
#define COSEM_OPTIONS COSEM_MIX(COSEM_OPTION_SIZES, COSEM_OPTION_PARTS)

bool cosem_options_fit(uint32_t options);

#endif
